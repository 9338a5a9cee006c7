//! Numbers and texts of compiled file contexts; every length is checked before it is believed.

use super::MAGIC;

/// Where a file is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset}: {kind}")]
pub struct BinaryError {
    /// Byte of the file, from 0.
    pub offset: usize,
    /// What is wrong there.
    pub kind: BinaryErrorKind,
}

/// Kinds of [`BinaryError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BinaryErrorKind {
    /// Not such a file.
    #[error("expected compiled file contexts")]
    Magic,
    /// A version that nobody knows.
    #[error("version {0} is not known; 1 to 6 are")]
    Version(u32),
    /// The file ends too early, or a length is too large.
    #[error("the file ends within {0}")]
    End(&'static str),
    /// Something behind the last line.
    #[error("expected the end of the file")]
    Extra,
    /// A text without its zero byte, or an empty one.
    #[error("{0} is empty or does not end with a zero byte")]
    Unterminated(&'static str),
    /// A text that no line of file contexts could hold.
    #[error("{0} holds a byte that does not stand in file contexts")]
    NotText(&'static str),
    /// A number that names nothing.
    #[error("{0} {1} does not exist")]
    Unknown(&'static str, u32),
    /// Directories within directories without end.
    #[error("the tree is deeper than {0}")]
    Deep(u32),
}

/// The order of the bytes of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// By the number that a file begins with.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first_chunk()?;
        match (u32::from_le_bytes(first) == MAGIC, u32::from_be_bytes(first) == MAGIC) {
            (true, _) => Some(Self::Little),
            (_, true) => Some(Self::Big),
            _ => None,
        }
    }
}

/// A file, and how far it is read.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { bytes, at: 0, order }
    }

    pub(super) fn error(&self, kind: BinaryErrorKind) -> BinaryError {
        BinaryError { offset: self.at, kind }
    }

    pub(super) fn take(
        &mut self,
        length: usize,
        what: &'static str,
    ) -> Result<&'a [u8], BinaryError> {
        let end = self.at.checked_add(length);
        let found = end.and_then(|end| self.bytes.get(self.at..end));
        let found = found.ok_or_else(|| self.error(BinaryErrorKind::End(what)))?;
        self.at += length;
        Ok(found)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], BinaryError> {
        let mut chunk = [0; N];
        chunk.copy_from_slice(self.take(N, "a number")?);
        if self.order == Order::Big {
            chunk.reverse();
        }
        Ok(chunk)
    }

    pub(super) fn u8(&mut self) -> Result<u8, BinaryError> {
        Ok(u8::from_le_bytes(self.chunk()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, BinaryError> {
        Ok(u16::from_le_bytes(self.chunk()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, BinaryError> {
        Ok(u32::from_le_bytes(self.chunk()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, BinaryError> {
        Ok(u64::from_le_bytes(self.chunk()?))
    }

    /// A `u32` as a length.
    pub(super) fn length(&mut self) -> Result<usize, BinaryError> {
        let length = self.u32()?;
        usize::try_from(length).map_err(|_| self.error(BinaryErrorKind::End("a length")))
    }

    /// A text behind its length.
    pub(super) fn text(&mut self) -> Result<String, BinaryError> {
        let length = self.length()?;
        Ok(String::from_utf8_lossy(self.take(length, "a version")?).into_owned())
    }

    /// A word of a line, with the zero byte behind it that `length` counts.
    pub(super) fn word(
        &mut self,
        length: usize,
        what: &'static str,
    ) -> Result<&'a [u8], BinaryError> {
        let start = self.at;
        let bytes = self.take(length, what)?;
        let at_start = |kind| BinaryError { offset: start, kind };
        let word = bytes.strip_suffix(b"\0").filter(|it| !it.is_empty());
        let word = word.ok_or_else(|| at_start(BinaryErrorKind::Unterminated(what)))?;
        if !is_word(word) {
            return Err(at_start(BinaryErrorKind::NotText(what)));
        }
        Ok(word)
    }

    /// Passes over values behind their lengths.
    pub(super) fn skip_values(&mut self, count: u32) -> Result<(), BinaryError> {
        for _ in 0..count {
            let length = self.length()?;
            self.take(length, "a compiled expression")?;
        }
        Ok(())
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), BinaryError> {
        let ended = self.at == self.bytes.len();
        ended.then_some(()).ok_or_else(|| self.error(BinaryErrorKind::Extra))
    }
}

/// Could this stand in a line, at its beginning too?
pub(super) fn is_word(word: &[u8]) -> bool {
    word.first().is_some_and(|&it| it != b'#')
        && word.iter().all(|&it| it.is_ascii() && it != 0 && !crate::line::is_space(it))
}
