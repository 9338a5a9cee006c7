//! Names of files between quotes, as the GNU coreutils print them: a shell would read the same bytes.

/// How the last bytes stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Between plain quotes.
    Plain,
    /// Between `$'` and `'`, where escapes mean something.
    Escaped,
}

/// A name in quotes; bytes that cannot be shown are escapes.
pub(super) fn quoted(name: &[u8]) -> String {
    quoted_in(name, is_utf8_locale())
}

fn quoted_in(name: &[u8], utf8: bool) -> String {
    if name.contains(&b'\'') && name.iter().all(|it| stands_between_double_quotes(*it)) {
        return format!("\"{}\"", String::from_utf8_lossy(name));
    }
    let (mut text, mut part) = ("'".to_owned(), Part::Plain);
    for chunk in name.utf8_chunks() {
        for letter in chunk.valid().chars() {
            let shown = if utf8 { !letter.is_control() } else { (' '..='~').contains(&letter) };
            match letter {
                '\'' => push(&mut text, &mut part, Part::Plain, "'\\''"),
                _ if shown => {
                    push(&mut text, &mut part, Part::Plain, letter.encode_utf8(&mut [0; 4]));
                }
                _ => escape(letter.encode_utf8(&mut [0; 4]).as_bytes(), &mut text, &mut part),
            }
        }
        escape(chunk.invalid(), &mut text, &mut part);
    }
    text.push('\'');
    text
}

fn push(text: &mut String, part: &mut Part, wanted: Part, what: &str) {
    match (*part, wanted) {
        (Part::Plain, Part::Escaped) => text.push_str("'$'"),
        (Part::Escaped, Part::Plain) => text.push_str("''"),
        _ => {}
    }
    *part = wanted;
    text.push_str(what);
}

fn escape(bytes: &[u8], text: &mut String, part: &mut Part) {
    for byte in bytes {
        let escape = match byte {
            7 => "\\a".to_owned(),
            8 => "\\b".to_owned(),
            b'\t' => "\\t".to_owned(),
            b'\n' => "\\n".to_owned(),
            11 => "\\v".to_owned(),
            12 => "\\f".to_owned(),
            b'\r' => "\\r".to_owned(),
            byte => format!("\\{byte:03o}"),
        };
        push(text, part, Part::Escaped, &escape);
    }
}

/// What means the same between double quotes and, in C, in a string.
fn stands_between_double_quotes(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '%+,-./:=@[]_{}".contains(&byte)
}

/// Whether the terminal is told to take UTF-8.
fn is_utf8_locale() -> bool {
    let set = |name| std::env::var(name).ok().filter(|it: &String| !it.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_as_by_coreutils() {
        let cases: [(&[u8], &str); 9] = [
            (b"it's a^b", "'it'\\''s a^b'"),
            (b"a b", "'a b'"),
            (b"", "''"),
            (b"it's", "\"it's\""),
            (b"it's $x", "'it'\\''s $x'"),
            (b"new\nline", "'new'$'\\n''line'"),
            (b"\xff\xfe", "''$'\\377\\376'"),
            ("caf\u{e9}".as_bytes(), "'caf'$'\\303\\251'"),
            (b"back\\slash", "'back\\slash'"),
        ];
        for (name, expected) in cases {
            assert_eq!(quoted_in(name, false), expected);
        }
        assert_eq!(quoted_in("caf\u{e9}\t".as_bytes(), true), "'caf\u{e9}'$'\\t'");
    }
}
