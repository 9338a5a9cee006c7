//! `#line N` and `#line N "file"`, as m4 writes them: the next line is line N of the file. Found when a place is asked for,
//! since a policy has millions of them and few places are ever asked for.

use std::ops::Range;

/// Path and line of the line that begins behind `before`, which is whole lines.
pub(crate) fn place(before: &[u8]) -> (Option<&str>, usize) {
    let mut number = None;
    let mut behind = 0;
    let mut end = before.len();
    while let Some(newline) = end.checked_sub(1) {
        let start = before[..newline].iter().rposition(|&it| it == b'\n').map_or(0, |it| it + 1);
        match mark(&before[start..newline]) {
            None if number.is_none() => behind += 1,
            None => {}
            Some((line, path)) => {
                let line = *number.get_or_insert(line + behind);
                if path.is_some() {
                    return (path, line);
                }
            }
        }
        end = start;
    }
    (None, number.unwrap_or(behind + 1))
}

/// A mark of a file.
#[derive(Clone, Debug)]
pub(crate) struct LineMark {
    /// The line behind it, counted from the start of the file.
    pub(crate) line: u32,
    /// Which line that is.
    pub(crate) named: u32,
    /// Where the path stands in the file, if a mark named one yet.
    pub(crate) path: Option<Range<usize>>,
}

/// All marks of a file in order; `line` tells the line of an offset.
pub(crate) fn all(bytes: &[u8], line: impl Fn(usize) -> u32) -> Vec<LineMark> {
    let mut marks: Vec<LineMark> = Vec::new();
    let mut path = None;
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&bytes[from..], b"#line ").map(|it| from + it) {
        let start = bytes[..at].iter().rposition(|&it| it == b'\n').map_or(0, |it| it + 1);
        let Some(end) = memchr::memchr(b'\n', &bytes[at..]).map(|it| at + it) else { break };
        if let Some((named, text)) = mark(&bytes[start..end]) {
            if let Some(text) = text {
                path = Some(end - 1 - text.len()..end - 1);
            }
            let named = u32::try_from(named).unwrap_or(u32::MAX);
            marks.push(LineMark { line: line(end) + 1, named, path: path.clone() });
        }
        from = end;
    }
    marks
}

/// The mark that ends `line`.
fn mark(line: &[u8]) -> Option<(usize, Option<&str>)> {
    let hash = line.iter().position(|&it| it == b'#')?;
    let at = if line[..hash].iter().any(|it| b"\"/".contains(it)) { comment(line)? } else { hash };
    let rest = line[at..].strip_prefix(b"#line ")?;
    let digits = rest.iter().position(|it| !it.is_ascii_digit()).unwrap_or(rest.len());
    let number = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    match &rest[digits..] {
        [] => Some((number, None)),
        [b' ', b'"', path @ .., b'"'] => Some((number, Some(std::str::from_utf8(path).ok()?))),
        // Anything more makes it a comment.
        _ => None,
    }
}

/// Where the comment of `line` begins, which has paths or strings: there `#` is a character like others.
fn comment(line: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at + 1..];
        at += match line[at] {
            b'#' => return Some(at),
            b'"' => rest.iter().position(|&it| it == b'"').map_or(1, |it| it + 2),
            b'/' => 1 + rest.iter().position(|it| b" \t\r\x0c".contains(it)).unwrap_or(rest.len()),
            _ => 1,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, path: Option<&str>, line: usize) {
        assert_eq!(place(before.as_bytes()), (path, line));
    }

    #[test]
    fn marks_name_the_next_line() {
        check("", None, 1);
        check("a\nb\n", None, 3);
        check("#line 7\n", None, 7);
        check("#line 7\na\n\n", None, 9);
        check("#line 7 \"x.te\"\na\n", Some("x.te"), 8);
        check("#line 7 \"x.te\"\na\n#line 20\nb\n", Some("x.te"), 21);
        check("#line 7 \"x.te\"\n#line 9 \"y.te\"\n", Some("y.te"), 9);
        check("type a; #line 3\n", None, 3);
    }

    #[test]
    fn what_is_no_mark_is_a_line() {
        check("#line 7 x\n", None, 2);
        check("#line  7\n", None, 2);
        check("#line x\n", None, 2);
        check("# #line 7\n", None, 2);
        check("#line 7\r\n", None, 2);
        check("#line 99999999999999999999999\n", None, 2);
        check("genfscon a /b#line 7\n", None, 2);
        check("\"#line 7\n", None, 7);
        check("\"#line 7\" #line 8\n", None, 8);
    }
}
