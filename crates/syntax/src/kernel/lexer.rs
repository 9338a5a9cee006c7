//! Tokens. What a token is depends on its bytes alone, but for addresses and interface names, which the parser asks for.

use super::keyword::{Keyword, is_reserved, reserved_names};
use crate::names::{Interner, Symbol};
use crate::source::Span;
use crate::text::{SpanCursor, Text};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name.
    Word(Symbol),
    /// A reserved word.
    Keyword(Keyword),
    /// Digits, or `0x` and hexadecimal digits.
    Number,
    /// Begins with a digit and is no number: `9p`, `1.0`, `127.0.0.1`.
    Odd,
    /// From a slash to the next blank.
    Path,
    /// With its quotes.
    String,
    /// A quote without another one on the line.
    UnclosedString,
    /// `{`
    Open,
    /// `}`
    Close,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `:`
    Colon,
    /// `;`
    Semicolon,
    /// `,`
    Comma,
    /// `-`
    Minus,
    /// `~`
    Tilde,
    /// `*`
    Star,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `!`
    Not,
    /// `^`
    Xor,
    /// A printable character without a meaning.
    Stray,
    /// Control characters or bytes beyond ASCII.
    BadBytes,
    /// The end of the text.
    End,
}

/// A token and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Offset of the first byte in the text.
    pub(super) start: usize,
    /// One past the last.
    pub(super) end: usize,
    pub(super) span: Span,
}

const BLANK: u8 = 1;
const LETTER: u8 = 2;
const DIGIT: u8 = 4;
/// Letters, digits, `_` and `-`.
const NAME: u8 = 8;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let it = byte as u8;
        classes[byte] = match it {
            b' ' | b'\t' | b'\n' | b'\x0c' => BLANK,
            b'A'..=b'Z' | b'a'..=b'z' => LETTER | NAME,
            b'0'..=b'9' => DIGIT | NAME,
            b'_' | b'-' => NAME,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// Reads tokens one after the other.
pub(super) struct Lexer<'a> {
    pub(super) bytes: &'a [u8],
    at: usize,
    spans: SpanCursor<'a>,
    pub(super) names: Interner,
    /// The first carriage return outside of comments, which the language does not know as a blank.
    pub(super) carriage_return: Option<usize>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a Text) -> Self {
        let at = if text.bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self {
            bytes: &text.bytes,
            at,
            spans: text.spans(),
            names: reserved_names(),
            carriage_return: None,
        }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Token {
        self.skip_blanks();
        let start = self.at;
        let Some(&first) = self.bytes.get(start) else { return self.end_token() };
        let kind = if is(first, LETTER) {
            self.word(start)
        } else {
            self.at += 1;
            self.other(first)
        };
        Token { kind, start, end: self.at, span: self.spans.span(start) }
    }

    /// Reads `token`, the last one read, anew: as far as `belongs` reaches.
    pub(super) fn reread(&mut self, token: Token, belongs: impl Fn(u8) -> bool) -> Token {
        let rest = self.bytes.get(token.start..).unwrap_or_default();
        let length = rest.iter().position(|&it| !belongs(it)).unwrap_or(rest.len());
        if length == 0 {
            return token;
        }
        self.at = token.start + length;
        Token { end: self.at, ..token }
    }

    /// Goes on at `offset`, which is not before the last token.
    pub(super) fn go_to(&mut self, offset: usize) {
        self.at = offset;
    }

    fn end_token(&mut self) -> Token {
        let end = self.bytes.len();
        Token { kind: TokenKind::End, start: end, end, span: self.spans.span(end) }
    }

    fn skip_blanks(&mut self) {
        let mut at = self.at;
        while let Some(&byte) = self.bytes.get(at) {
            if is(byte, BLANK) {
                at += 1;
            } else if byte == b'#' {
                at = line_end(self.bytes, at);
            } else if byte == b'\r' {
                self.carriage_return.get_or_insert(at);
                at += 1;
            } else {
                break;
            }
        }
        self.at = at;
    }

    fn word(&mut self, start: usize) -> TokenKind {
        self.at = word_end(self.bytes, start);
        let word = &self.bytes[start..self.at];
        // Most words were seen before: only new ones are looked at as text, and all their bytes are ASCII.
        let symbol = self
            .names
            .get_bytes(word)
            .unwrap_or_else(|| self.names.intern(std::str::from_utf8(word).unwrap_or_default()));
        match Keyword::of(symbol) {
            Some(keyword) => TokenKind::Keyword(keyword),
            None => TokenKind::Word(symbol),
        }
    }

    fn other(&mut self, first: u8) -> TokenKind {
        match first {
            b'{' => TokenKind::Open,
            b'}' => TokenKind::Close,
            b'(' => TokenKind::OpenParen,
            b')' => TokenKind::CloseParen,
            b':' => TokenKind::Colon,
            b';' => TokenKind::Semicolon,
            b',' => TokenKind::Comma,
            b'-' => TokenKind::Minus,
            b'~' => TokenKind::Tilde,
            b'*' => TokenKind::Star,
            b'^' => TokenKind::Xor,
            b'!' => self.doubled(b'=', TokenKind::NotEqual, TokenKind::Not),
            b'=' => self.doubled(b'=', TokenKind::Equal, TokenKind::Stray),
            b'&' => self.doubled(b'&', TokenKind::And, TokenKind::Stray),
            b'|' => self.doubled(b'|', TokenKind::Or, TokenKind::Stray),
            b'/' => self.path(),
            b'"' => self.string(),
            b'0'..=b'9' => self.number(),
            _ if first.is_ascii_graphic() => TokenKind::Stray,
            _ => self.bad_bytes(),
        }
    }

    fn doubled(&mut self, second: u8, yes: TokenKind, no: TokenKind) -> TokenKind {
        if self.bytes.get(self.at) == Some(&second) {
            self.at += 1;
            yes
        } else {
            no
        }
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|&it| !belongs(it)).unwrap_or(rest.len());
    }

    fn path(&mut self) -> TokenKind {
        self.take_while(|it| !matches!(it, b' ' | b'\n' | b'\r' | b'\t' | b'\x0c'));
        TokenKind::Path
    }

    fn string(&mut self) -> TokenKind {
        self.take_while(|it| !matches!(it, b'"' | b'\n'));
        if self.bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            TokenKind::String
        } else {
            TokenKind::UnclosedString
        }
    }

    fn number(&mut self) -> TokenKind {
        let start = self.at - 1;
        self.take_while(|it| is(it, DIGIT | LETTER) || matches!(it, b'_' | b'.'));
        let read = &self.bytes[start..self.at];
        let is_number = match read.strip_prefix(b"0x") {
            Some(digits) => !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit),
            None => read.iter().all(u8::is_ascii_digit),
        };
        if is_number { TokenKind::Number } else { TokenKind::Odd }
    }

    fn bad_bytes(&mut self) -> TokenKind {
        self.take_while(|it| !(b' '..=b'~').contains(&it) && !is(it, BLANK) && it != b'\r');
        TokenKind::BadBytes
    }
}

/// Where the line of `at` ends: at its newline, or at the end.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length)
}

/// Where the word that begins at `at` ends. A dot belongs to it between other characters of a name.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(&byte) if is(byte, NAME) => at += 1,
            Some(b'.') if bytes.get(at + 1).is_some_and(|&it| is(it, NAME)) => at += 2,
            _ => return at,
        }
    }
}

/// Would `text` be read as one name?
pub(super) fn is_word(text: &[u8]) -> bool {
    text.first().is_some_and(|&it| is(it, LETTER)) && word_end(text, 0) == text.len()
}

/// Does the grammar take `text` for a name anywhere: one word, and none of the reserved ones?
pub fn is_name(text: &str) -> bool {
    is_word(text.as_bytes()) && text.len() <= super::MAX_NAME_BYTES && !is_reserved(text)
}
