//! The tokens of `.te` and `.if` files. Blanks stay between them, comments are among them.

use memchr::{memchr, memmem};

use super::is_name_byte;
use super::skeleton::Skeleton;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, number, parameter, operator: whatever has no blanks and is nothing else.
    Word,
    /// `"text"`
    String,
    /// A quoted text that ends in its line, or holds nothing but blanks.
    Quoted,
    /// The quote that opens a body of several lines.
    Open,
    /// The quote that closes it.
    Close,
    /// `{`
    Brace,
    /// `}`
    EndBrace,
    /// `(`
    Paren,
    /// `)`
    EndParen,
    Comma,
    Semicolon,
    Colon,
    Tilde,
    /// `#` or `dnl` and the rest of the line.
    Comment,
    /// The end of the text.
    End,
}

/// A token and what is before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Line ends before it.
    pub(super) lines: usize,
    /// Where the blanks before it begin, in its own line.
    pub(super) gap: usize,
}

impl Token {
    /// Does nothing separate it from what is before it?
    pub(super) fn is_glued(&self) -> bool {
        self.lines == 0 && self.gap == self.start
    }
}

/// Something whose blanks nobody should touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Odd;

/// Cuts a text into tokens.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    pub(super) text: &'a [u8],
    pub(super) skeleton: &'a Skeleton,
    pub(super) at: usize,
    /// The first of the skeleton's quotes that may lie ahead.
    quote: usize,
    /// Bodies of several lines that are open.
    depth: usize,
    /// The end of the current line, if it is ahead.
    line_end: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8], skeleton: &'a Skeleton) -> Self {
        Self { text, skeleton, at: 0, quote: 0, depth: 0, line_end: 0 }
    }

    /// Goes on at the end of a chunk, before its line ends.
    pub(super) fn jump(&mut self, end: usize) {
        let in_line = end > 0 && self.text[end - 1] == b'\n';
        self.at = if in_line { end - 1 } else { end };
        self.depth = 0;
    }

    pub(super) fn next(&mut self) -> Result<Token, Odd> {
        let (lines, gap) = self.blanks();
        let start = self.at;
        let Some(&byte) = self.text.get(start) else {
            return Ok(Token { kind: Kind::End, start, end: start, lines, gap });
        };
        let mark = match byte {
            b'{' => Kind::Brace,
            b'}' => Kind::EndBrace,
            b'(' => Kind::Paren,
            b')' => Kind::EndParen,
            b',' => Kind::Comma,
            b';' => Kind::Semicolon,
            b':' => Kind::Colon,
            b'~' => Kind::Tilde,
            _ => Kind::End,
        };
        let kind = match byte {
            _ if mark != Kind::End => {
                self.at += 1;
                mark
            }
            b'#' => self.comment()?,
            b'"' => self.string()?,
            b'`' => self.open()?,
            b'\'' if self.depth > 0 => {
                self.depth -= 1;
                self.at += 1;
                Kind::Close
            }
            _ => self.word()?,
        };
        Ok(Token { kind, start, end: self.at, lines, gap })
    }

    fn blanks(&mut self) -> (usize, usize) {
        let (mut lines, mut gap) = (0, self.at);
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\x0c' => self.at += 1,
                b'\r' => match carriage_returns(&self.text[self.at..]) {
                    Some(len) => self.at += len,
                    None => break,
                },
                b'\n' => {
                    self.at += 1;
                    lines += 1;
                    gap = self.at;
                }
                _ => break,
            }
        }
        (lines, gap)
    }

    fn end_of_line(&mut self) -> usize {
        if self.line_end <= self.at {
            self.line_end =
                memchr(b'\n', &self.text[self.at..]).map_or(self.text.len(), |it| self.at + it);
        }
        self.line_end
    }

    /// The rest of the line. In a body m4 counts the quotes in it: they have to be even.
    fn comment(&mut self) -> Result<Kind, Odd> {
        let end = self.end_of_line();
        let text = &self.text[self.at..end];
        if self.depth > 0 && !is_even(text) {
            return Err(Odd);
        }
        self.at += text.trim_ascii_end().len();
        Ok(Kind::Comment)
    }

    fn string(&mut self) -> Result<Kind, Odd> {
        let end = self.end_of_line();
        let inner = &self.text[self.at + 1..end];
        let len = memchr(b'"', inner).ok_or(Odd)?;
        if inner[..len].iter().any(|it| matches!(it, b'`' | b'\'' | b'#')) {
            return Err(Odd);
        }
        self.at += len + 2;
        Ok(Kind::String)
    }

    fn open(&mut self) -> Result<Kind, Odd> {
        let quotes = &self.skeleton.quotes;
        while quotes.get(self.quote).is_some_and(|it| (it.0 as usize) < self.at) {
            self.quote += 1;
        }
        let &(open, close) = quotes.get(self.quote).ok_or(Odd)?;
        if open as usize != self.at {
            return Err(Odd);
        }
        let close = close as usize;
        let inner = &self.text[self.at + 1..close];
        if close < self.end_of_line() || inner.trim_ascii_start().is_empty() {
            self.at = close + 1;
            return Ok(Kind::Quoted);
        }
        self.depth += 1;
        self.at += 1;
        Ok(Kind::Open)
    }

    fn word(&mut self) -> Result<Kind, Odd> {
        let rest = &self.text[self.at..];
        let ends = |&byte: &u8| {
            IS_SPECIAL[usize::from(byte)] && (byte != b'\'' || self.depth > 0) || byte == b'\n'
        };
        let mut len = rest.iter().position(ends).unwrap_or(rest.len());
        if rest.get(len).is_none_or(|it| *it == b'\n') {
            len = rest[..len].iter().rposition(|it| *it != b'\r').map_or(len, |it| it + 1);
        }
        // A minus before a name that is taken out of a set.
        if let [b'-', b'a'..=b'z' | b'A'..=b'Z' | b'$', ..] = rest {
            len = 1;
        }
        let word = &rest[..len.max(1)];
        if let Some(found) = find_dnl(word) {
            return if found == 0 { self.comment() } else { Err(Odd) };
        }
        self.at += word.len();
        Ok(Kind::Word)
    }
}

/// How many carriage returns end a line here; they are blanks there, and nowhere else.
fn carriage_returns(text: &[u8]) -> Option<usize> {
    let len = text.iter().position(|it| *it != b'\r').unwrap_or(text.len());
    text.get(len).is_none_or(|it| *it == b'\n').then_some(len)
}

/// Does m4 see its builtin `dnl` in a word, and where?
fn find_dnl(word: &[u8]) -> Option<usize> {
    if word.len() < 3 || !word.contains(&b'd') {
        return None;
    }
    let name_at = |at: usize| word.get(at).is_some_and(|&it| is_name_byte(it));
    let joined = |at: usize| at > 0 && name_at(at - 1) || name_at(at + 3);
    memmem::find_iter(word, b"dnl").find(|&at| !joined(at))
}

/// Does a text open as many quotes as it closes, and close none that it did not open?
fn is_even(text: &[u8]) -> bool {
    let mut depth = 0_usize;
    for &byte in text {
        match byte {
            b'`' => depth += 1,
            b'\'' if depth == 0 => return false,
            b'\'' => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

/// Bytes that end a word.
const IS_SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b" \t\x0c\n{}(),;:~\"`'#";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};
