//! Bounded reading and plain writing of the little-endian wire format, and the error of a reader.

use std::io;

/// Why bytes are not a policy. `offset` counts from the start of the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at byte {offset}{}", in_section(.section))]
pub struct ReadError {
    /// Where in the input, in bytes.
    pub offset: usize,
    /// Which part of the policy was being read; empty for the header.
    pub section: &'static str,
    /// What is wrong.
    pub kind: ReadErrorKind,
}

fn in_section(section: &str) -> String {
    if section.is_empty() { String::new() } else { format!(", in the {section}") }
}

/// What is wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The input ends early.
    #[error("the file is cut short: {needed} more bytes expected, {remaining} left")]
    Truncated {
        /// Bytes that the item at the offset takes.
        needed: u64,
        /// Bytes that remain from there.
        remaining: usize,
    },
    /// Not a kernel policy at all.
    #[error("{0}")]
    NotAPolicy(crate::sniff::FileKind),
    /// A value outside its range.
    #[error("expected {what}, found {found}")]
    Expected {
        /// What was expected, in words.
        what: &'static str,
        /// The value found.
        found: u64,
    },
    /// Another magic number.
    #[error("expected {what}, found {found:#010x}")]
    Magic {
        /// What was expected, in words.
        what: &'static str,
        /// The number found.
        found: u32,
    },
    /// A name that is not text.
    #[error("expected a name in UTF-8 without NUL, found bytes {0:?}")]
    NotText(Vec<u8>),
    /// A name twice in one symbol table.
    #[error("the name {0:?} is defined twice")]
    DuplicateName(String),
    /// A value twice in one symbol table.
    #[error("the symbols {0:?} and {1:?} have the same value")]
    DuplicateValue(String, String),
    /// Bytes after the end of the policy.
    #[error("{0} bytes follow the end of the policy")]
    TrailingBytes(usize),
}

impl ReadError {
    /// An error of this kind at this place.
    pub fn new(offset: usize, kind: ReadErrorKind) -> Self {
        Self { offset, section: "", kind }
    }

    /// The error for a value outside of its range.
    pub fn expected(offset: usize, what: &'static str, found: impl Into<u64>) -> Self {
        Self::new(offset, ReadErrorKind::Expected { what, found: found.into() })
    }

    /// The error for a number that marks something else.
    pub fn magic(offset: usize, what: &'static str, found: u32) -> Self {
        Self::new(offset, ReadErrorKind::Magic { what, found })
    }
}

/// A cursor over the input that never reads past its end.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// The bytes left.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// Goes on at `rest`, a tail of [`Reader::rest`].
    pub fn skip_to(&mut self, rest: &[u8]) {
        self.offset = self.bytes.len() - rest.len();
    }

    /// So many bytes.
    pub fn bytes(&mut self, length: u32) -> Result<&'a [u8], ReadError> {
        match self.rest().get(..length as usize) {
            Some(found) => {
                self.offset += found.len();
                Ok(found)
            }
            None => Err(self.truncated(u64::from(length))),
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        match self.bytes.get(self.offset..).and_then(|rest| rest.first_chunk()) {
            Some(found) => {
                self.offset += N;
                Ok(*found)
            }
            None => Err(self.truncated(N as u64)),
        }
    }

    #[cold]
    fn truncated(&self, needed: u64) -> ReadError {
        let kind = ReadErrorKind::Truncated { needed, remaining: self.remaining() };
        ReadError::new(self.offset, kind)
    }

    /// A byte.
    pub fn u8(&mut self) -> Result<u8, ReadError> {
        self.array().map(u8::from_le_bytes)
    }

    /// Four 16-bit numbers.
    #[inline]
    pub fn u16s(&mut self) -> Result<[u16; 4], ReadError> {
        let [a, b, c, d, e, f, g, h] = self.array()?;
        Ok([[a, b], [c, d], [e, f], [g, h]].map(u16::from_le_bytes))
    }

    /// A 32-bit number.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, ReadError> {
        self.array().map(u32::from_le_bytes)
    }

    /// A 64-bit number.
    pub fn u64(&mut self) -> Result<u64, ReadError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Several 32-bit numbers.
    pub fn u32s<const N: usize>(&mut self) -> Result<[u32; N], ReadError> {
        let mut words = [0; N];
        for word in &mut words {
            *word = self.u32()?;
        }
        Ok(words)
    }

    /// `count` as a capacity, refused when so many items of `least` bytes cannot follow.
    pub fn bounded(&self, count: u32, least: u64) -> Result<usize, ReadError> {
        let needed = u64::from(count) * least;
        if needed > self.remaining() as u64 {
            return Err(self.truncated(needed));
        }
        Ok(count as usize)
    }

    /// A `u32` count, and so many items.
    pub fn list<T>(
        &mut self,
        least: u64,
        mut item: impl FnMut(&mut Self) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        let count = self.u32()?;
        let mut items = Vec::with_capacity(self.bounded(count, least)?.min(PREALLOCATE));
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Text of `length` bytes.
    pub fn text(&mut self, length: u32) -> Result<Box<str>, ReadError> {
        let at = self.offset;
        let bytes = self.bytes(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.is_empty() && !text.contains('\0') => Ok(text.into()),
            _ => {
                let shown = bytes.get(..bytes.len().min(40)).unwrap_or_default().to_vec();
                Err(ReadError::new(at, ReadErrorKind::NotText(shown)))
            }
        }
    }

    /// An identifier, which is never 0.
    pub fn id<I: crate::ids::SymbolId>(&mut self, what: &'static str) -> Result<I, ReadError> {
        let at = self.offset;
        let value = self.u32()?;
        I::from_value(value).ok_or_else(|| ReadError::expected(at, what, value))
    }

    /// A `u32` that must not exceed 255, 65535, … as the target type says.
    pub fn narrow<T: TryFrom<u32>>(&mut self, what: &'static str) -> Result<T, ReadError> {
        let at = self.offset;
        let value = self.u32()?;
        T::try_from(value).map_err(|_| ReadError::expected(at, what, value))
    }
}

/// Items reserved at once before the first is read: in-memory items can be larger than their wire form.
const PREALLOCATE: usize = 1 << 17;

/// Writes the wire format to any sink.
#[allow(missing_debug_implementations, reason = "a sink has none")]
pub struct Writer<'a> {
    sink: &'a mut dyn io::Write,
}

impl<'a> Writer<'a> {
    /// Writes to `sink`.
    pub fn new(sink: &'a mut dyn io::Write) -> Self {
        Self { sink }
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)
    }

    /// A 16-bit number.
    pub fn u16(&mut self, value: u16) -> io::Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// A 32-bit number.
    pub fn u32(&mut self, value: u32) -> io::Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// A 64-bit number.
    pub fn u64(&mut self, value: u64) -> io::Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// Several 32-bit numbers.
    pub fn u32s(&mut self, values: &[u32]) -> io::Result<()> {
        values.iter().try_for_each(|&value| self.u32(value))
    }

    /// The number of items, as the wire's `u32`.
    pub fn count(&mut self, count: usize) -> io::Result<()> {
        let count = u32::try_from(count).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, "more items than a policy can count")
        })?;
        self.u32(count)
    }
}
