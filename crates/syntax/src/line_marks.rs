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

/// The paths that marks of a file give: each with where the lines begin that lie in it, and where it stands.
pub(crate) fn paths(bytes: &[u8]) -> Vec<(usize, Range<usize>)> {
    let path = |quote: usize| {
        let start = memchr::memrchr(b'\n', &bytes[..quote]).map_or(0, |it| it + 1);
        let length = mark(&bytes[start..=quote])?.1?.len();
        Some((quote + 2, quote - length..quote))
    };
    memchr::memmem::find_iter(bytes, b"\"\n").filter_map(path).collect()
}

/// The number of the line that begins behind `before`, if the one at offset `known.0` has number `known.1`.
pub(crate) fn number(before: &[u8], known: (usize, u32)) -> u32 {
    let mut behind = 0u32;
    let mut end = before.len();
    while end > known.0 {
        let start = memchr::memrchr(b'\n', &before[..end - 1]).map_or(0, |it| it + 1);
        if let Some((line, _)) = mark(&before[start..end - 1]) {
            return u32::try_from(line).unwrap_or(u32::MAX).saturating_add(behind);
        }
        behind += 1;
        end = start;
    }
    known.1.saturating_add(behind)
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
