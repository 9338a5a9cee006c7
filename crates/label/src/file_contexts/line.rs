//! Lines of file contexts, and what libselinux makes of their patterns before it compiles them.

use super::FileType;
use crate::line::{Field, column, fields};
use crate::{LineErrorKind, PatternError, narrow};

/// A line of file contexts, its pattern not compiled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written<'a> {
    pub(crate) pattern: Field<'a>,
    pub(crate) file_type: Option<FileType>,
    pub(crate) context: Field<'a>,
}

/// How deep libselinux sorts patterns by the directories they begin with.
const DEEPEST: usize = 3;
/// Longest pattern that libselinux compiles.
const LONGEST: usize = 4095;

type Failure = (u32, LineErrorKind);

/// Reads a line that is neither blank nor a comment.
pub(crate) fn read(line: &[u8]) -> Result<Written<'_>, Failure> {
    let end = column(line.len());
    let mut fields = fields(line);
    let mut next = |what| match fields.next() {
        Some(field) => check(field),
        None => Err((end, LineErrorKind::Missing(what))),
    };
    let pattern = next("a pattern of paths")?;
    let second = next("a file type or a context")?;
    let (file_type, context) = match next("a context") {
        Ok(third) => (Some(file_type(second)?), third),
        Err((_, LineErrorKind::Missing(_))) => (None, second),
        Err(error) => return Err(error),
    };
    Ok(Written { pattern, file_type, context })
}

fn check(field: Field<'_>) -> Result<Field<'_>, Failure> {
    if let Some(at) = field.bytes.iter().position(|it| !it.is_ascii() || *it == 0) {
        let column = field.column.saturating_add(narrow(at));
        let found = field.bytes[at];
        return Err((column, LineErrorKind::NotAscii(found)));
    }
    match field.bytes.len() {
        ..=LONGEST => Ok(field),
        length => Err((field.column, LineErrorKind::TooLong(length, LONGEST))),
    }
}

fn file_type(field: Field<'_>) -> Result<FileType, Failure> {
    let known = std::str::from_utf8(field.bytes).ok().and_then(FileType::parse);
    known.ok_or_else(|| {
        let expected = "a file type (-b, -c, -d, -p, -l, -s or --)";
        (field.column, LineErrorKind::Unexpected { expected, found: field.lossy() })
    })
}

/// Where in a line a pattern is wrong.
pub(crate) fn pattern_failure(pattern: Field<'_>, error: PatternError) -> Failure {
    (pattern.column.saturating_add(narrow(error.offset)), LineErrorKind::Pattern(error.kind))
}

/// The path that a pattern without meta characters stands for, and else how long the part without them is, in bytes of the path.
pub(crate) fn literal(pattern: &[u8]) -> Result<Vec<u8>, usize> {
    let mut path = Vec::with_capacity(pattern.len());
    let mut bytes = pattern.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(&it) if is_meta(it) || matches!(it, b'-' | b'_' | b',') => path.push(it),
                _ => return Err(path.len()),
            },
            it if is_meta(it) => return Err(path.len()),
            it => path.push(it),
        }
    }
    Ok(path)
}

fn is_meta(byte: u8) -> bool {
    b".^$?*+|[({])}".contains(&byte)
}

/// The directories that a pattern begins with, up to three. Only paths below them are compared with it.
pub(crate) fn stems(pattern: &[u8]) -> Vec<Vec<u8>> {
    let mut stems = Vec::new();
    let mut at = 0;
    while stems.len() < DEEPEST {
        let Some(rest) = pattern.get(at + 1..) else { break };
        let Some(length) = rest.iter().position(|&it| it == b'/') else { break };
        if length > 0 {
            let Ok(stem) = literal(&rest[..length]) else { break };
            stems.push(stem);
        }
        at += length + 1;
    }
    stems
}

/// Whether a path lies below these directories.
pub(crate) fn is_below(path: &[u8], stems: &[Vec<u8>]) -> bool {
    let Some(rest) = path.strip_prefix(b"/") else { return stems.is_empty() };
    let mut parts: Vec<&[u8]> = rest.split(|&it| it == b'/').collect();
    parts.pop();
    let mut parts = parts.into_iter().filter(|it| !it.is_empty());
    stems.iter().all(|stem| parts.next() == Some(stem))
}

#[cfg(test)]
mod tests {
    use super::{is_below, literal, stems};

    #[test]
    fn paths_without_meta_characters() {
        let cases = [
            ("/a/b", Ok("/a/b")),
            ("/a\\.b\\-c\\_d\\,e", Ok("/a.b-c_d,e")),
            ("/a\\\\b", Err(2)),
            ("/a\\d", Err(2)),
            ("/a\\", Err(2)),
            ("/a]", Err(2)),
            ("/a\\.b.c", Err(4)),
            ("", Ok("")),
        ];
        for (pattern, expected) in cases {
            let expected = expected.map(|it| it.as_bytes().to_vec());
            assert_eq!(literal(pattern.as_bytes()), expected, "{pattern}");
        }
    }

    #[test]
    fn directories_that_patterns_begin_with() {
        let cases = [
            ("/a/b/c/d/e.*", "a b c"),
            ("/a\\.b/c.*", "a.b"),
            ("/a.b/c", ""),
            ("/a/[bc]/d", "a"),
            ("/a/b?", "a"),
            ("/a/b/?", "a b"),
            ("/a//b/.*", "a b"),
            (".*", ""),
            // as libselinux has it: the first byte is taken for a slash
            ("(/a/b)?", "a"),
        ];
        for (pattern, expected) in cases {
            let stems = stems(pattern.as_bytes());
            assert_eq!(String::from_utf8_lossy(&stems.join(&b' ')), expected, "{pattern}");
        }
    }

    #[test]
    fn below_means_in_a_directory() {
        let stems = [b"a".to_vec(), b"b".to_vec()];
        let cases = [
            ("/a/b/c", true),
            ("/a/b/", true),
            ("/a/b", false),
            ("/a/bc/d", false),
            ("a/b/c", false),
        ];
        for (path, expected) in cases {
            assert_eq!(is_below(path.as_bytes(), &stems), expected, "{path}");
        }
        assert!(is_below(b"anything", &[]));
    }
}
