//! Fields of a record: `key=value`, one after the other.
//!
//! A value is quoted, or ends with the word; strings in which the kernel finds a space, a quote or a control character it writes in hexadecimal
//! (`audit_log_untrustedstring` in `kernel/audit.c`).

use std::borrow::Cow;
use std::str::FromStr;

use memchr::{memchr, memrchr};

/// Whose values may go on behind a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Those of contexts: levels may have names such as `Company Confidential`.
    Contexts,
    /// All: strings of interpreted records have no quotes.
    All,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// As it is spelled, without quotes.
    pub raw: &'a [u8],
    /// It stood in quotes.
    pub quoted: bool,
}

impl<'a> Value<'a> {
    /// As it is spelled, if it is not `(null)`.
    #[must_use]
    pub fn literal(self) -> Option<&'a [u8]> {
        (self.quoted || !matches!(self.raw, b"(null)" | b"(none)" | b"?")).then_some(self.raw)
    }

    /// The string that it stands for: in quotes, or in hexadecimal.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, [u8]>> {
        let literal = self.literal()?;
        match self.quoted {
            true => Some(Cow::Borrowed(literal)),
            false => Some(decode(literal).map_or(Cow::Borrowed(literal), Cow::Owned)),
        }
    }

    /// The number that it stands for.
    #[must_use]
    pub fn number<T: FromStr>(self) -> Option<T> {
        std::str::from_utf8(self.raw).ok()?.parse().ok()
    }
}

/// The bytes that hexadecimal digits stand for; `None` if they are none.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |it: u8| match it {
        b'0'..=b'9' => Some(it - b'0'),
        b'A'..=b'F' => Some(it - b'A' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// Writes a string as the kernel does: in quotes, or in hexadecimal.
#[must_use]
pub fn encode(text: &[u8]) -> Vec<u8> {
    if text.iter().all(|&it| it != b'"' && (0x21..=0x7e).contains(&it)) {
        return [b"\"", text, b"\""].concat();
    }
    let digit = |it: u8| if it < 10 { b'0' + it } else { b'A' + it - 10 };
    text.iter().flat_map(|&it| [digit(it >> 4), digit(it & 15)]).collect()
}

/// The fields of a text, in their order; words without `=` are passed over.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    text: &'a [u8],
    spread: Spread,
}

impl<'a> Fields<'a> {
    /// Those of `text`.
    #[must_use]
    pub fn new(text: &'a [u8], spread: Spread) -> Self {
        Self { text, spread }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.text.split_at(length.min(self.text.len()));
        self.text = rest;
        taken
    }

    fn value(&mut self, key: &[u8]) -> Value<'a> {
        match self.text {
            [b'"', rest @ ..] => self.quoted(memchr(b'"', rest).unwrap_or(rest.len())),
            // What a program says may hold such quotes itself, and is the last field.
            [b'\'', rest @ ..] => self.quoted(memrchr(b'\'', rest).unwrap_or(rest.len())),
            _ if self.spread == Spread::All || is_context(key) => {
                let length = spread_length(self.text);
                Value { raw: self.take(length), quoted: false }
            }
            _ => {
                let length = memchr(b' ', self.text).unwrap_or(self.text.len());
                Value { raw: self.take(length), quoted: false }
            }
        }
    }

    /// A value of this length behind a quote, and another quote unless the text was cut off.
    fn quoted(&mut self, length: usize) -> Value<'a> {
        self.take(1);
        let raw = self.take(length);
        self.take(1);
        Value { raw, quoted: true }
    }
}

impl<'a> Fields<'a> {
    /// The next field, and its value as it is spelled, with its quotes.
    pub(crate) fn next_spelled(&mut self) -> Option<(&'a [u8], Value<'a>, &'a [u8])> {
        loop {
            self.text = self.text.trim_ascii_start();
            let end = self.text.iter().position(|&it| it == b' ' || it == b'=')?;
            let key = self.take(end);
            if self.take(1) == b"=" {
                let key = key.strip_prefix(b",").unwrap_or(key);
                let before = self.text;
                let value = self.value(key);
                let length = before.len() - self.text.len();
                return Some((key, value, before.get(..length).unwrap_or_default()));
            }
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_spelled().map(|it| (it.0, it.1))
    }
}

fn is_context(key: &[u8]) -> bool {
    matches!(key, b"subj" | b"obj" | b"tcontext" | b"scontext") || key.ends_with(b"rawcon")
}

/// How long a value is that goes on as long as words have no `=`.
fn spread_length(text: &[u8]) -> usize {
    let mut end = memchr(b' ', text).unwrap_or(text.len());
    loop {
        let rest = text.get(end..).unwrap_or_default();
        let word = rest.trim_ascii_start();
        let length = memchr(b' ', word).unwrap_or(word.len());
        let (word, skipped) = (word.get(..length).unwrap_or_default(), rest.len() - word.len());
        if word.is_empty() || memchr(b'=', word).is_some() {
            return end;
        }
        end += skipped + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, spread: Spread, expected: &str) {
        let show = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
        let fields = Fields::new(text.as_bytes(), spread);
        let told: Vec<_> = fields
            .map(|(key, value)| {
                let text = value.text().map_or_else(|| "-".to_owned(), |it| show(&it));
                format!("{}[{}]{text}", show(key), show(value.raw))
            })
            .collect();
        assert_eq!(told.join(" "), expected, "{text}");
    }

    #[test]
    fn strings_are_quoted_or_hexadecimal() {
        check(
            "comm=\"cat\" path=2F61 name=(null)",
            Spread::Contexts,
            "comm[cat]cat path[2F61]/a name[(null)]-",
        );
        check("a=\"cut off", Spread::Contexts, "a[cut off]cut off");
        check("a=2f b=2 c=", Spread::Contexts, "a[2f]2f b[2]2 c[]");
        assert_eq!((encode(b"/a b"), encode(b"/ab")), (b"2F612062".to_vec(), b"\"/ab\"".to_vec()));
    }

    #[test]
    fn words_without_a_value_are_passed_over() {
        check("avc:  denied  { read } for  pid=1", Spread::Contexts, "pid[1]1");
        check(
            "pid=1 uid=0 msg='a=1 it's b=2'",
            Spread::Contexts,
            "pid[1]1 uid[0]0 msg[a=1 it's b=2]a=1 it's b=2",
        );
        check("no fields", Spread::Contexts, "");
    }

    #[test]
    fn contexts_and_interpreted_strings_go_on() {
        check(
            "scontext=u:r:t:Company Confidential tcontext=u:r:t comm=a b=1",
            Spread::Contexts,
            "scontext[u:r:t:Company Confidential]u:r:t:Company Confidential tcontext[u:r:t]u:r:t comm[a]a b[1]1",
        );
        check(
            "proctitle=cat /etc/shadow ",
            Spread::All,
            "proctitle[cat /etc/shadow]cat /etc/shadow",
        );
        check(
            "exit=EACCES(Permission denied) a0=1",
            Spread::All,
            "exit[EACCES(Permission denied)]EACCES(Permission denied) a0[1]1",
        );
    }
}
