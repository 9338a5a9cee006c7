//! File contexts as `sefcontext_compile(8)` keeps them for libselinux: `file_contexts.bin`.
//!
//! What is read is the text they were made of; the regular expressions that they hold compiled are passed over, as they belong to one build of one
//! library. What is written has none: libselinux compiles each when it first needs it. Versions 1 to 5 are a list, in the byte order of the machine that wrote it;
//! version 6 is a tree by the directories that patterns begin with, in network byte order.

mod list;
mod tree;
mod wire;

pub use wire::{BinaryError, BinaryErrorKind};

use super::{FileContexts, LineRef, NONE};
use crate::FileType;
use wire::{Cursor, Order};

const MAGIC: u32 = 0xf97c_ff8a;
/// From here on the version of the regular expressions' library is told.
const WITH_ENGINE: u32 = 2;
/// From here on the length of the part without meta characters is told.
const WITH_PREFIX: u32 = 4;
/// From here on the architecture is told.
const WITH_ARCHITECTURE: u32 = 5;
/// From here on it is a tree.
const TREE: u32 = 6;

/// The library that regular expressions are for, and the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// As it tells its version: `10.42 2022-12-11`. libselinux below 3.8 refuses a file that names another than its own.
    pub version: String,
    /// Widths of pointers and sizes, and the byte order: `8-8-el`.
    pub architecture: String,
}

impl Engine {
    /// The library of that version on this architecture.
    pub fn here(version: &str) -> Self {
        let width = size_of::<usize>();
        let order = if cfg!(target_endian = "big") { "eb" } else { "el" };
        Self { version: version.to_owned(), architecture: format!("{width}-{width}-{order}") }
    }
}

/// Versions that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 5: libselinux 2.7 to 3.7, on machines of this byte order.
    List,
    /// 6: libselinux since 3.8.
    Tree,
}

/// What the head of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The version of the format.
    pub version: u32,
    /// The library it was compiled with; version 1 does not tell.
    pub engine: Option<Engine>,
}

/// A line of the text that was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<'a> {
    pattern: &'a [u8],
    file_type: Option<FileType>,
    context: &'a [u8],
    /// Its number in the text; what has none comes last.
    number: u32,
}

/// Does a file begin as compiled file contexts do?
pub fn is_binary(bytes: &[u8]) -> bool {
    Order::of(bytes).is_some()
}

/// What the head of a file says.
///
/// # Errors
/// Where it is not what it should be.
pub fn head(bytes: &[u8]) -> Result<Head, BinaryError> {
    Ok(open(bytes)?.0)
}

/// The text that was compiled, a line each; patterns in their order, paths without meta characters at the end.
///
/// # Errors
/// Where the file is not what it should be.
pub fn text(bytes: &[u8]) -> Result<Vec<u8>, BinaryError> {
    let (head, mut cursor) = open(bytes)?;
    // Libraries before PCRE2 store two values for an expression, a second one of what they learnt about it.
    let of_pcre2 = head.engine.is_some_and(|it| it.version.starts_with("10."));
    let values = if of_pcre2 { 1 } else { 2 };
    let mut entries = if head.version >= TREE {
        tree::read(&mut cursor, values)?
    } else {
        list::read(&mut cursor, head.version, values)?
    };
    cursor.end()?;
    entries.sort_by_key(|it| it.number);
    let mut text = Vec::with_capacity(bytes.len().min(1 << 20));
    for entry in entries {
        text.extend_from_slice(entry.pattern);
        if let Some(kind) = entry.file_type {
            text.extend_from_slice(b"\t");
            text.extend_from_slice(kind.as_str().as_bytes());
        }
        text.extend_from_slice(b"\t");
        text.extend_from_slice(entry.context);
        text.push(b'\n');
    }
    Ok(text)
}

fn open(bytes: &[u8]) -> Result<(Head, Cursor<'_>), BinaryError> {
    let order = Order::of(bytes).ok_or(BinaryError { offset: 0, kind: BinaryErrorKind::Magic })?;
    let mut cursor = Cursor::new(bytes, order);
    cursor.u32()?;
    let version = cursor.u32()?;
    if !(1..=TREE).contains(&version) {
        return Err(cursor.error(BinaryErrorKind::Version(version)));
    }
    let mut engine = None;
    if version >= WITH_ENGINE {
        let version_text = cursor.text()?;
        let architecture =
            if version >= WITH_ARCHITECTURE { cursor.text()? } else { String::new() };
        engine = Some(Engine { version: version_text, architecture });
    }
    Ok((Head { version, engine }, cursor))
}

/// What a version cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// libselinux takes no list without lines.
    #[error("there are no lines, which version 5 cannot hold; write version 6")]
    Empty,
    /// A text that is longer than its length field can say.
    #[error("{place}: {what} is {length} bytes long; at most {most} can be written")]
    TooLong {
        /// File and line.
        place: String,
        /// What is.
        what: &'static str,
        /// How long.
        length: usize,
        /// What can be said.
        most: usize,
    },
    /// More of something than its number can say.
    #[error("too many {0}")]
    TooMany(&'static str),
}

impl FileContexts {
    /// As libselinux reads them instead of the text. Substitutions are files of their own.
    ///
    /// # Errors
    /// What the version cannot hold.
    pub fn to_binary(&self, version: Version, engine: &Engine) -> Result<Vec<u8>, WriteError> {
        let lines: Vec<LineRef<'_>> = self.lines().collect();
        match version {
            Version::List => list::write(&lines, engine),
            Version::Tree => tree::write(&lines, engine),
        }
    }
}

/// What stands for the context.
fn context(line: LineRef<'_>) -> &str {
    line.context().unwrap_or(NONE)
}

fn place(line: LineRef<'_>) -> String {
    format!("{}:{}", line.source(), line.number())
}

#[cfg(test)]
mod tests;
