//! Finds calls of interfaces and questions of booleans in a text, without expanding it: also what is never built counts.

use std::ops::Range;

use mandate_syntax::text::Text;
use rustc_hash::FxHashMap;

use super::{Place, Places};

/// What a text names.
#[derive(Default)]
pub(super) struct Words {
    /// Interfaces it calls, each once, in order.
    pub(super) calls: Vec<u32>,
    /// Booleans that it asks, each at its first place.
    pub(super) booleans: Vec<(String, Place)>,
}

pub(super) fn of(
    text: &Text,
    range: Range<usize>,
    known: &FxHashMap<String, u32>,
    places: &Places<'_>,
) -> Words {
    let mut found = Words::default();
    for (name, at) in (Calls { bytes: &text.bytes[..range.end], at: range.start }) {
        match name {
            "tunable_policy" => {
                let expression = argument(&text.bytes[at..range.end]);
                let place = places.outermost(text.span(at)).unwrap_or_default();
                let names = names(expression).map(|it| (it.to_owned(), place.clone()));
                found.booleans.extend(names);
            }
            // Its own definition.
            "interface" | "template" => {}
            name => found.calls.extend(known.get(name)),
        }
    }
    found.calls.sort_unstable();
    found.calls.dedup();
    found.booleans.sort();
    found.booleans.dedup_by(|a, b| a.0 == b.0);
    found
}

/// Words with `(` behind them, and where they end.
struct Calls<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Calls<'a> {
    type Item = (&'a str, usize);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let rest = &self.bytes[self.at..];
            if byte == b'#' {
                self.at += rest.iter().position(|&it| it == b'\n').unwrap_or(rest.len());
            } else if is_word(byte) {
                let length = rest.iter().position(|&it| !is_word(it)).unwrap_or(rest.len());
                self.at += length;
                if rest.get(length) == Some(&b'(')
                    && let Ok(word) = std::str::from_utf8(&rest[..length])
                {
                    return Some((word, self.at));
                }
            } else {
                self.at += 1;
            }
        }
        None
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

/// The first argument of the call whose `(` is first.
fn argument(bytes: &[u8]) -> &str {
    let inner = bytes.get(1..).unwrap_or_default();
    let end = inner.iter().position(|it| matches!(it, b',' | b')')).unwrap_or(0);
    std::str::from_utf8(&inner[..end]).unwrap_or_default()
}

fn names(expression: &str) -> impl Iterator<Item = &str> {
    let word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '$' | '.' | '-');
    expression.split(move |it| !word(it)).filter(|it| !it.is_empty())
}
