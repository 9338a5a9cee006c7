//! Bytes to a tree. Faults are told and passed over: what can be read is read.

use crate::cil::Keyword;
use crate::cil::tree::{Node, Tree, end};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::names::{Interner, Symbol};
use crate::source::{Pos, SourceFile, Span};

/// Lists nest no deeper.
pub const MAX_DEPTH: usize = 512;
/// So many faults of one file are told.
const MOST_TOLD: usize = 50;

/// What was read of a file.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The statements.
    pub tree: Tree,
    /// The words, keywords first.
    pub names: Interner,
    /// Faults.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file.
pub fn parse(file: &SourceFile) -> Parsed {
    let bytes = &file.bytes[..];
    let parsed = Parsed {
        // A node takes some six bytes of text.
        tree: Tree { nodes: Vec::with_capacity(bytes.len() / 8) },
        names: Keyword::interner(),
        diagnostics: Vec::new(),
    };
    let mut reader = Reader { file, bytes, at: 0, open: Vec::new(), marks: Vec::new(), parsed };
    reader.read();
    reader.parsed
}

/// What a byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    Other,
    Word,
    Blank,
    Newline,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let words = b"[].@=/*-_$%+!|&^:~`#{}'<>?,";
    let mut at = 0;
    while at < words.len() {
        classes[words[at] as usize] = Class::Word;
        at += 1;
    }
    let mut byte = 0u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            classes[byte as usize] = Class::Word;
        }
        byte += 1;
    }
    classes[b' ' as usize] = Class::Blank;
    classes[b'\t' as usize] = Class::Blank;
    classes[b'\n' as usize] = Class::Newline;
    classes[b'\r' as usize] = Class::Newline;
    classes
};

struct Reader<'a> {
    file: &'a SourceFile,
    bytes: &'a [u8],
    at: usize,
    /// Where the lists begin that are open.
    open: Vec<u32>,
    /// Where the line marks begin that are open.
    marks: Vec<usize>,
    parsed: Parsed,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match (CLASSES[usize::from(byte)], byte) {
                (Class::Blank | Class::Newline, _) => self.at += 1,
                (Class::Word, _) => self.word(),
                (_, b'(') => self.open(),
                (_, b')') => self.close(),
                (_, b';') => self.comment(),
                (_, b'"') => self.string(),
                _ => self.stray(),
            }
            if self.parsed.diagnostics.len() >= MOST_TOLD {
                break;
            }
        }
        self.close_rest();
    }

    fn pos(&self, at: usize) -> Pos {
        self.file.pos(at)
    }

    fn span(&self, at: usize) -> Span {
        Span { pos: self.pos(at), ..Span::NOWHERE }
    }

    fn fault(&mut self, it: Diagnostic) {
        self.parsed.diagnostics.push(it);
    }

    fn word(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = rest.iter().position(|&it| CLASSES[usize::from(it)] != Class::Word);
        self.at += length.unwrap_or(rest.len());
        let symbol = self.intern(start, self.at);
        self.push_word(symbol, false, start);
    }

    fn intern(&mut self, start: usize, end: usize) -> Symbol {
        match std::str::from_utf8(&self.bytes[start..end]) {
            Ok(text) => self.parsed.names.intern(text),
            Err(_) => {
                let text = String::from_utf8_lossy(&self.bytes[start..end]);
                let message = "a string that is not UTF-8";
                self.parsed.diagnostics.push(Diagnostic::error(
                    Code::BadBytes,
                    Span { pos: self.file.pos(start), ..Span::NOWHERE },
                    message,
                ));
                self.parsed.names.intern(&text)
            }
        }
    }

    fn push_word(&mut self, symbol: Symbol, quoted: bool, start: usize) {
        if self.open.is_empty() {
            let text = String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned();
            let message = format!("`{text}` stands outside of parentheses");
            let error = Diagnostic::error(Code::CilParentheses, self.span(start), message)
                .help("a statement is a list in parentheses: `(type foo_t)`");
            self.fault(error);
            return self.skip_words();
        }
        let node = Node::word(symbol, quoted, self.pos(start));
        self.parsed.tree.nodes.push(node);
    }

    /// Words outside of lists are told once.
    fn skip_words(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            if b"();\"".contains(&byte) {
                break;
            }
            self.at += 1;
        }
    }

    fn open(&mut self) {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("lists nest deeper than {MAX_DEPTH}");
            let error = Diagnostic::error(Code::TooDeep, self.span(self.at), message);
            self.fault(error);
            self.at = self.bytes.len();
            self.open.clear();
            self.parsed.tree.nodes.clear();
            return;
        }
        self.open.push(end(self.parsed.tree.nodes.len()));
        let node = Node::open(self.pos(self.at));
        self.parsed.tree.nodes.push(node);
        self.at += 1;
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(list) => {
                let end = end(self.parsed.tree.nodes.len());
                self.parsed.tree.nodes[list as usize].close(end);
            }
            None => {
                let message = "a parenthesis is closed that was never opened";
                let error = Diagnostic::error(Code::CilParentheses, self.span(self.at), message)
                    .help("remove it, or look above for one too many");
                self.fault(error);
            }
        }
        self.at += 1;
    }

    fn close_rest(&mut self) {
        let end = end(self.parsed.tree.nodes.len());
        let Some(&first) = self.open.first() else {
            if let (Some(&at), true) = (self.marks.last(), self.parsed.diagnostics.is_empty()) {
                let message = "a line mark is never ended";
                let error = Diagnostic::error(Code::CilLineMark, self.span(at), message);
                self.fault(error.help("write `;;* lme` behind its last line"));
            }
            return;
        };
        for list in std::mem::take(&mut self.open) {
            self.parsed.tree.nodes[list as usize].close(end);
        }
        // A parenthesis behind a quote that opens a string by mistake does not count as one.
        let is_string = |it: &Diagnostic| it.code == Code::UnclosedString;
        if self.parsed.diagnostics.iter().any(is_string) {
            return;
        }
        let pos = self.parsed.tree.element(first).pos();
        let span = Span { pos, ..Span::NOWHERE };
        let message = "this parenthesis is never closed";
        let mut error = Diagnostic::error(Code::CilParentheses, span, message);
        if let Some(pos) = self.suspect(first) {
            let suspect = Span { pos, ..Span::NOWHERE };
            error = error.and(suspect, "a statement at the margin: one is missing before this");
        }
        self.fault(error);
    }

    /// The first list below `list` that stands at the beginning of a line, as statements of the top level do.
    fn suspect(&self, list: u32) -> Option<Pos> {
        let start = self.file.start();
        let margin = |pos: Pos| {
            let offset = (pos.0 - start.0) as usize;
            offset.checked_sub(1).is_none_or(|it| self.bytes[it] == b'\n')
        };
        let tree = &self.parsed.tree;
        let mut below = (list + 1..end(tree.len())).map(|it| tree.element(it));
        below.find(|it| it.is_list() && margin(it.pos())).map(|it| it.pos())
    }

    fn comment(&mut self) {
        let line = &self.bytes[self.at..];
        let length = memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len());
        let at_margin =
            self.at == 0 || CLASSES[usize::from(self.bytes[self.at - 1])] == Class::Newline;
        if at_margin && line.starts_with(b";;*") {
            self.mark(&line[3..length]);
        }
        self.at += length;
    }

    /// `;;* lms 3 file`, `;;* lmx 3 file`, `;;* lme`
    fn mark(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let words: Vec<&str> = text.split_whitespace().collect();
        let wrong = match words.as_slice() {
            ["lme"] if self.marks.is_empty() => "the end of a line mark that was never begun",
            ["lme"] => {
                self.marks.pop();
                return;
            }
            ["lms" | "lmx", number, _, ..] if number.parse::<u32>().is_ok() => {
                self.marks.push(self.at);
                return;
            }
            _ => "a malformed line mark",
        };
        let error = Diagnostic::error(Code::CilLineMark, self.span(self.at), wrong)
            .help("it is `;;* lms LINE FILE`, `;;* lmx LINE FILE` or `;;* lme`");
        self.fault(error);
    }

    fn string(&mut self) {
        let start = self.at;
        let rest = &self.bytes[start + 1..];
        match memchr::memchr3(b'"', b'\n', 0, rest) {
            Some(length) if rest[length] == b'"' => {
                self.at = start + length + 2;
                let symbol = self.intern(start + 1, start + 1 + length);
                self.push_word(symbol, true, start);
            }
            other => {
                let message = "a string is not closed on its line";
                let error = Diagnostic::error(Code::UnclosedString, self.span(start), message);
                self.fault(error);
                self.at = start + 1 + other.unwrap_or(rest.len());
            }
        }
    }

    fn stray(&mut self) {
        let rest = &self.bytes[self.at..];
        let text = String::from_utf8_lossy(&rest[..rest.len().min(4)]);
        let character = text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
        let message = format!("the character {character:?} cannot stand here");
        let error = Diagnostic::error(Code::UnexpectedToken, self.span(self.at), message)
            .help("write names and paths with such characters in double quotes");
        self.fault(error);
        let next = rest.iter().skip(1).position(|it| !(0x80..0xc0).contains(it));
        self.at += next.map_or(rest.len(), |it| it + 1);
    }
}
