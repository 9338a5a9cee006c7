//! Lines of context files: fields apart from white space, comments, and what can be wrong with a line.

use crate::PatternErrorKind;

/// What is wrong with a line of a context file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {kind}")]
pub struct LineError {
    /// Line, from 1.
    pub line: u32,
    /// Byte in the line, from 1.
    pub column: u32,
    /// What is wrong there.
    pub kind: LineErrorKind,
}

/// Kinds of [`LineError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineErrorKind {
    /// The line ends before all its fields are there.
    #[error("expected {0} here, found the end of the line")]
    Missing(&'static str),
    /// More fields than the file has.
    #[error("expected the end of the line, found {0:?}")]
    Extra(String),
    /// A byte that context files do not hold.
    #[error("expected ASCII, found the byte {0:#04x}")]
    NotAscii(u8),
    /// A field that is longer than libselinux takes.
    #[error("this is {0} bytes long; at most {1} are taken")]
    TooLong(usize, usize),
    /// A pattern that does not compile.
    #[error(transparent)]
    Pattern(#[from] PatternErrorKind),
    /// A field that is none of those possible.
    #[error("expected {expected}, found {found:?}")]
    Unexpected {
        /// What would be right.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

/// What is wrong in a line: the column, from 1, and the kind.
pub(crate) type Fault = (u32, LineErrorKind);

/// A field of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// Its bytes, never empty.
    pub(crate) bytes: &'a [u8],
    /// Byte in the line, from 1.
    pub(crate) column: u32,
}

impl Field<'_> {
    /// The bytes as text for a message.
    pub(crate) fn lossy(&self) -> String {
        String::from_utf8_lossy(self.bytes).into_owned()
    }

    /// An error at the field.
    pub(crate) fn wrong(&self, kind: LineErrorKind) -> Fault {
        (self.column, kind)
    }
}

/// The first fields of a line; `names` says for messages what they are.
pub(crate) fn required<'a, const N: usize>(
    line: &'a [u8],
    names: [&'static str; N],
) -> Result<[Field<'a>; N], Fault> {
    let mut found = [Field { bytes: b"", column: 0 }; N];
    let mut all = fields(line);
    for (slot, name) in found.iter_mut().zip(names) {
        let end = || (column(line.len()), LineErrorKind::Missing(name));
        *slot = all.next().ok_or_else(end)?;
    }
    Ok(found)
}

/// The column, from 1, of the byte at `offset` of a line.
pub(crate) fn column(offset: usize) -> u32 {
    crate::narrow(offset).saturating_add(1)
}

/// What `entry` makes of each line that is neither blank nor a comment, and the errors of the others.
pub(crate) fn each<'a, T>(
    bytes: &'a [u8],
    mut entry: impl FnMut(&'a [u8]) -> Result<T, Fault>,
) -> (Vec<T>, Vec<LineError>) {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    for (line, text) in lines(bytes) {
        match entry(text) {
            Ok(it) => entries.push(it),
            Err((column, kind)) => errors.push(LineError { line, column, kind }),
        }
    }
    (entries, errors)
}

/// Errors as text, a line each.
#[cfg(test)]
pub(crate) fn told(errors: &[LineError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The lines of a file that are neither blank nor comments, with their numbers from 1.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    bytes.split(|&it| it == b'\n').zip(1u32..).map(|(line, number)| (number, line)).filter(
        |(_, line)| line.iter().find(|it| !is_space(**it)).is_some_and(|&first| first != b'#'),
    )
}

/// The fields of a line: what stands between white space.
pub(crate) fn fields(line: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = line.get(at..)?;
        let start = at + rest.iter().position(|it| !is_space(*it))?;
        let length = line[start..].iter().position(|it| is_space(*it));
        at = length.map_or(line.len(), |it| start + it);
        Some(Field { bytes: &line[start..at], column: column(start) })
    })
}

/// White space as C's `isspace` has it.
pub(crate) fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
