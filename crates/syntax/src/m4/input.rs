//! The stack of texts that are being read: the input, and above it expansions that are scanned again.

use crate::source::Span;
use crate::text::{Text, copy};

/// What a byte may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Plain,
    Space,
    Digit,
    Word,
    Comma,
    Open,
    Close,
    Quote,
    Comment,
}

/// What bytes begin, and the quotes and comment delimiters in force.
#[derive(Clone, Debug)]
pub(super) struct Lexicon {
    pub(super) classes: [Class; 256],
    pub(super) open: Vec<u8>,
    pub(super) close: Vec<u8>,
    pub(super) comment: Vec<u8>,
    pub(super) comment_end: Vec<u8>,
}

impl Default for Lexicon {
    fn default() -> Self {
        let mut lexicon = Self {
            classes: [Class::Plain; 256],
            open: b"`".to_vec(),
            close: b"'".to_vec(),
            comment: b"#".to_vec(),
            comment_end: b"\n".to_vec(),
        };
        lexicon.classify();
        lexicon
    }
}

impl Lexicon {
    pub(super) fn classify(&mut self) {
        for byte in 0..=255u8 {
            self.classes[usize::from(byte)] = match byte {
                b'0'..=b'9' => Class::Digit,
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => Class::Word,
                b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Class::Space,
                b',' => Class::Comma,
                b'(' => Class::Open,
                b')' => Class::Close,
                _ => Class::Plain,
            };
        }
        if let Some(&first) = self.open.first() {
            self.classes[usize::from(first)] = Class::Quote;
        }
        if let Some(&first) = self.comment.first() {
            self.classes[usize::from(first)] = Class::Comment;
        }
    }

    pub(super) fn class(&self, byte: u8) -> Class {
        self.classes[usize::from(byte)]
    }

    /// What `byte` begins when it turns out to begin neither quote nor comment.
    pub(super) fn plain_class(byte: u8) -> Class {
        match byte {
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => Class::Word,
            b'0'..=b'9' => Class::Digit,
            b',' => Class::Comma,
            b'(' => Class::Open,
            b')' => Class::Close,
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Class::Space,
            _ => Class::Plain,
        }
    }
}

pub(super) fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// A text that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) at: usize,
    pub(super) end: usize,
    /// Index of the origin that covers `at`, or one before it.
    pub(super) origin: usize,
    /// Where its bytes and origins begin in the stack.
    pub(super) start: usize,
    pub(super) first_origin: usize,
}

/// A text that grows and shrinks at its end, in regions.
#[derive(Clone, Debug, Default)]
pub(super) struct Stack {
    pub(super) text: Text,
    /// The next bytes belong to a new region and have an origin of their own.
    fresh: bool,
}

impl Stack {
    pub(super) fn len(&self) -> usize {
        self.text.bytes.len()
    }

    pub(super) fn origins(&self) -> usize {
        self.text.origins.len()
    }

    pub(super) fn begin(&mut self) {
        self.fresh = true;
    }

    pub(super) fn truncate(&mut self, bytes: usize, origins: usize) {
        self.text.bytes.truncate(bytes);
        self.text.origins.truncate(origins);
    }

    pub(super) fn push(&mut self, bytes: &[u8], span: Span) {
        if bytes.is_empty() {
            return;
        }
        if self.fresh {
            self.fresh = false;
            let start = u32::try_from(self.len()).expect("the budget is below 4 GiB");
            self.text.origins.push((start, span));
            self.text.bytes.extend_from_slice(bytes);
        } else {
            self.text.push(bytes, span);
        }
    }

    /// Appends `from[start..end]`, whose first byte is covered by the origin of index `origin` or a later one. What
    /// was spelled in a macro's text gets `expansion`, if given.
    pub(super) fn push_from(
        &mut self,
        from: &Text,
        (start, end): (usize, usize),
        origin: usize,
        map: impl Fn(Span) -> Span,
    ) {
        copy(from, (start, end), origin, |bytes, span| self.push(bytes, map(span)));
    }
}
