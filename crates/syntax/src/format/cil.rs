//! CIL: lists are indented by depth; what fits into a line and has no comment in it takes one; a list of statements has
//! each in a line of its own.

use memchr::{memchr, memchr2};

use super::Fault;
use super::layout::{MAX_DEPTH, MAX_INDENT};

/// Columns of a line that lists are joined to.
const WIDTH: usize = 80;
/// Columns of a level.
const LEVEL: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Atom,
    Comment,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    start: u32,
    end: u32,
    /// Line ends before it; 2 stands for more.
    lines: u8,
    /// How many tokens begin a line, up to this one.
    line: u32,
    /// Of an opening parenthesis: the token that closes it.
    close: u32,
    /// Columns of all before it, were everything in one line; long once there is a comment.
    flat: u64,
}

/// A comment cannot be followed by anything in its line.
const NEVER: u64 = 1 << 20;

/// The text of a `.cil` file as it should be.
pub(super) fn format(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let tokens = tokens(text)?;
    let out = Vec::with_capacity(text.len() + text.len() / 16 + 16);
    let mut layout = Layout { text, tokens: &tokens, out, frames: Vec::new(), line: 0, indent: 0 };
    for at in 0..tokens.len() {
        layout.place(at);
    }
    if !layout.out.is_empty() {
        layout.out.push(b'\n');
    }
    Ok(layout.out)
}

/// Have both the same tokens?
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    let (Ok(tokens_one), Ok(tokens_other)) = (tokens(one), tokens(other)) else { return false };
    let texts = tokens_one.iter().zip(&tokens_other);
    tokens_one.len() == tokens_other.len()
        && texts
            .into_iter()
            .all(|(it, that)| it.kind == that.kind && it.text(one) == that.text(other))
}

impl Token {
    fn text(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..self.end as usize]
    }
}

fn tokens(text: &[u8]) -> Result<Vec<Token>, Fault> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 6);
    let mut open: Vec<u32> = Vec::new();
    let (mut at, mut flat, mut line) = (0, 0, 0);
    loop {
        let (next, lines) = skip_blanks(text, at);
        let Some(&byte) = text.get(next) else { break };
        at = next;
        let (kind, end) = token(text, at, byte)?;
        let glued = kind == Kind::Close || tokens.last().is_some_and(|it| it.kind == Kind::Open);
        flat += if glued { 0 } else { 1 };
        line += u32::from(lines > 0);
        let (start, stop) = (narrow(at), narrow(end));
        let mut it = Token { kind, start, end: stop, lines, line, close: 0, flat };
        match kind {
            Kind::Open if open.len() >= MAX_DEPTH => return Err(Fault::TooDeep(at)),
            Kind::Open => open.push(narrow(tokens.len())),
            Kind::Close => {
                let index = open.pop().ok_or(Fault::Stray(at))?;
                tokens[index as usize].close = narrow(tokens.len());
            }
            Kind::Comment => flat += NEVER,
            Kind::Atom => {}
        }
        if kind == Kind::Comment {
            it.end = it.start + narrow(text[at..end].trim_ascii_end().len());
        }
        flat += u64::from(it.end - it.start);
        tokens.push(it);
        at = end;
    }
    match open.first() {
        Some(&index) => Err(Fault::Open(tokens[index as usize].start as usize)),
        None => Ok(tokens),
    }
}

fn skip_blanks(text: &[u8], mut at: usize) -> (usize, u8) {
    let mut lines = 0_u8;
    while let Some(byte) = text.get(at).filter(|it| it.is_ascii_whitespace()) {
        lines = (lines + u8::from(*byte == b'\n')).min(2);
        at += 1;
    }
    (at, lines)
}

/// The kind of the token at `at`, and its end.
fn token(text: &[u8], at: usize, byte: u8) -> Result<(Kind, usize), Fault> {
    let rest = &text[at + 1..];
    Ok(match byte {
        b'(' => (Kind::Open, at + 1),
        b')' => (Kind::Close, at + 1),
        b';' => (Kind::Comment, memchr(b'\n', rest).map_or(text.len(), |it| at + 1 + it)),
        b'"' => match memchr2(b'"', b'\n', rest) {
            Some(len) if rest[len] == b'"' => (Kind::Atom, at + len + 2),
            _ => return Err(Fault::String(at)),
        },
        _ => {
            let ends =
                |it: &u8| matches!(it, b'(' | b')' | b';' | b'"') || it.is_ascii_whitespace();
            (Kind::Atom, rest.iter().position(ends).map_or(text.len(), |it| at + 1 + it))
        }
    })
}

/// Sources take less than 4 GiB.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// How a list is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    /// In one line.
    Flat,
    /// Broken where it was written so.
    AsWritten,
    /// Each list in it begins a line, behind so many tokens of a head.
    Statements { head: usize },
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    set: Set,
    /// The opening parenthesis.
    open: usize,
    /// The indentation of the line it is in, in levels.
    indent: usize,
}

impl Frame {
    /// Is the token at `at` in the first line of a list of statements?
    fn is_head(&self, at: usize) -> bool {
        matches!(self.set, Set::Statements { head } if at <= self.open + head)
    }
}

struct Layout<'a> {
    text: &'a [u8],
    tokens: &'a [Token],
    out: Vec<u8>,
    frames: Vec<Frame>,
    /// Where the current line begins in what is written, and its indentation in levels.
    line: usize,
    indent: usize,
}

impl Layout<'_> {
    fn place(&mut self, at: usize) {
        let token = self.tokens[at];
        let closed = if token.kind == Kind::Close { self.frames.pop() } else { None };
        let breaks = at > 0 && self.breaks(at, closed);
        if breaks || at == 0 {
            self.begin_line(&token, closed);
        } else if token.kind == Kind::Comment && token.lines == 0 {
            let blanks = self.tokens[at - 1].end as usize..token.start as usize;
            self.out.extend_from_slice(&self.text[blanks]);
        } else if token.kind != Kind::Close && self.tokens[at - 1].kind != Kind::Open {
            self.out.push(b' ');
        }
        if token.kind == Kind::Open {
            let set = self.set(at);
            // What a condition goes on with is further right than the statements.
            let indent = self.frames.last().map_or(0, |it| it.indent + usize::from(it.is_head(at)));
            self.frames.push(Frame { set, open: at, indent: indent.max(self.indent) });
        }
        self.out.extend_from_slice(token.text(self.text));
    }

    /// Does a line begin with the token at `at`?
    fn breaks(&self, at: usize, closed: Option<Frame>) -> bool {
        let (token, previous) = (self.tokens[at], self.tokens[at - 1]);
        let written = token.lines > 0;
        if previous.kind == Kind::Comment || (token.kind == Kind::Comment && written) {
            return true;
        }
        match closed.or(self.frames.last().copied()).map(|it| (it.set, it.open)) {
            None => token.kind == Kind::Open || written,
            Some((Set::Flat, _)) => false,
            Some((Set::AsWritten, _)) => written,
            // What closes a list of statements stands alone, unless there are none.
            Some((Set::Statements { head }, open)) => match token.kind {
                Kind::Open => at > open + head,
                Kind::Close => at > open + head + 1,
                Kind::Atom | Kind::Comment => false,
            },
        }
    }

    fn begin_line(&mut self, token: &Token, closed: Option<Frame>) {
        self.indent = match closed {
            Some(frame) => frame.indent,
            None => self.frames.last().map_or(0, |it| it.indent + 1),
        };
        if !self.out.is_empty() {
            let blank = token.lines > 1 && token.kind != Kind::Close;
            self.out.extend_from_slice(if blank { b"\n\n" } else { b"\n" });
        }
        self.line = self.out.len();
        // Line marks of compilers stand at the start of a line.
        if !token.text(self.text).starts_with(b";;*") {
            self.out.resize(self.line + self.indent.min(MAX_INDENT) * LEVEL, b' ');
        }
    }

    /// How the list that begins at `at` is set.
    fn set(&self, at: usize) -> Set {
        if self.frames.last().is_some_and(|it| it.set == Set::Flat) {
            return Set::Flat;
        }
        let open = self.tokens[at];
        let close = self.tokens[open.close as usize];
        let one_line = open.line == close.line;
        let fits = self.out.len() - self.line + length(open, close) <= WIDTH;
        match self.head(at) {
            Some(_) if one_line && fits => Set::Flat,
            Some(head) => Set::Statements { head },
            None if one_line || fits => Set::Flat,
            None => Set::AsWritten,
        }
    }

    /// Of a list of statements: how many tokens stand in its first line before them.
    fn head(&self, at: usize) -> Option<usize> {
        let word = self.tokens.get(at + 1).filter(|it| it.kind == Kind::Atom)?;
        let list = |from: usize| match self.tokens.get(from) {
            Some(it) if it.kind == Kind::Open => it.close as usize - at,
            _ => from - at,
        };
        match word.text(self.text) {
            b"block" | b"optional" | b"in" => Some(2),
            b"true" | b"false" => Some(1),
            b"macro" => Some(list(at + 3)),
            b"booleanif" | b"tunableif" => Some(list(at + 2)),
            _ => None,
        }
    }
}

/// Columns of a list in one line.
fn length(open: Token, close: Token) -> usize {
    usize::try_from(close.flat - open.flat + 1).unwrap_or(usize::MAX)
}
