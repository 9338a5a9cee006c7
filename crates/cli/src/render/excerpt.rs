//! Pieces of sources, which may hold anything, as text that is safe to show.

use std::borrow::Cow;

/// The word that `bytes` begin with, by the rules that policy languages share: a name, also with `$1` in it, a number, a
/// path, a string in quotes, or else a single character. Empty at the end of a line.
pub(super) fn word(bytes: &[u8]) -> &[u8] {
    let length = match bytes {
        [] | [b'\n' | b'\r', ..] => 0,
        [b'"', rest @ ..] => match rest.iter().position(|it| matches!(it, b'"' | b'\n')) {
            Some(end) if rest[end] == b'"' => end + 2,
            Some(end) => end + 1,
            None => bytes.len(),
        },
        [b'/', ..] => bytes.iter().position(|it| it.is_ascii_whitespace()).unwrap_or(bytes.len()),
        _ => name(bytes),
    };
    &bytes[..length]
}

fn name(bytes: &[u8]) -> usize {
    let part = |at: usize| match bytes[at] {
        b'$' => matches!(bytes.get(at + 1), Some(b'0'..=b'9' | b'*' | b'@')),
        b'*' | b'@' => at.checked_sub(1).is_some_and(|it| bytes[it] == b'$'),
        b'.' | b'-' => {
            at != 0 && bytes.get(at + 1).is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_')
        }
        byte => byte.is_ascii_alphanumeric() || byte == b'_',
    };
    match (0..bytes.len()).find(|&at| !part(at)) {
        Some(0) => character(bytes),
        Some(end) => end,
        None => bytes.len(),
    }
}

/// Bytes of the first character.
fn character(bytes: &[u8]) -> usize {
    let most = &bytes[..bytes.len().min(4)];
    match most.utf8_chunks().next().and_then(|it| it.valid().chars().next()) {
        Some(first) => first.len_utf8(),
        None => 1,
    }
}

/// Bytes as text; what is no UTF-8 becomes `�`, as in the columns of a location.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Text in which nothing moves the cursor, colours or reorders: one character for one, tabs kept.
pub(super) fn safe(text: &str) -> String {
    text.chars().map(|it| if it == '\t' { it } else { visible(it) }).collect()
}

/// Text of several lines for people, safe line by line.
pub(super) fn safe_lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}

fn visible(it: char) -> char {
    match it {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(it)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '\u{fffd}',
        it => it,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_tokens_do() {
        let cases: [(&str, &str); 14] = [
            ("httpd_t;", "httpd_t"),
            ("$1_t:file", "$1_t"),
            ("$1;", "$1"),
            ("a_$*_b c", "a_$*_b"),
            ("file-type x", "file-type"),
            ("foo- bar", "foo"),
            ("-foo", "-"),
            ("c0.c1023)", "c0.c1023"),
            ("\"a name\" x", "\"a name\""),
            ("\"open\nnext", "\"open"),
            ("/etc/x(/.*)? --", "/etc/x(/.*)?"),
            ("\nx", ""),
            ("ä!", "ä"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(lossy(word(text.as_bytes())), expected, "{text:?}");
        }
        assert_eq!(word(b"\xffx").len(), 1);
    }

    #[test]
    fn nothing_reaches_the_terminal_as_control() {
        assert_eq!(safe("a\x1b[31m\tb\u{202e}\x07"), "a␛[31m\tb\u{fffd}␇");
    }
}
