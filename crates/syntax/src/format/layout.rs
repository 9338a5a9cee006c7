//! `.te` and `.if` files: lines stay as they are cut; what is open where a line begins tells how far it is indented.

use super::Fault;
use super::gaps::{Gap, Surroundings, gap};
use super::skeleton::Skeleton;
use super::token::{Kind, Lexer, Odd, Token};
use super::words::{Arguments, Begins, arguments, begins};

/// Quotes, parentheses and braces within each other.
pub(super) const MAX_DEPTH: usize = 200;
/// Levels of indentation: nobody reads more of them, and hostile files would grow without bound.
pub(super) const MAX_INDENT: usize = 40;

/// What is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opener {
    /// Nothing: the file.
    File,
    /// A quoted body.
    Quote,
    /// A block of statements in braces.
    Block,
    /// A set in braces.
    Set,
    /// A parenthesis of an expression.
    Paren,
    /// The parenthesis of a condition.
    Condition,
    /// The arguments of a macro.
    Call(Arguments),
}

/// How far the current statement has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statement {
    None,
    Begun(Begins),
}

/// One level of what is open.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opener: Opener,
    /// Where it was opened.
    at: usize,
    /// The indentation of the line that opened it.
    indent: usize,
    statement: Statement,
    /// Is it in the arguments of a macro, out of quotes? A comma ends an argument there.
    in_call: bool,
}

impl Frame {
    fn holds_statements(&self) -> bool {
        matches!(self.opener, Opener::File | Opener::Quote | Opener::Block)
    }

    /// The indentation of what is in it.
    fn inner(&self) -> usize {
        if self.opener == Opener::File { 0 } else { self.indent + 1 }
    }
}

/// The text of a `.te` or `.if` file as it should be.
pub(super) fn format(text: &[u8], skeleton: &Skeleton) -> Result<Vec<u8>, Fault> {
    let statement = Statement::None;
    let file = Frame { opener: Opener::File, at: 0, indent: 0, statement, in_call: false };
    let mut layout = Layout {
        lexer: Lexer::new(text, skeleton),
        out: Vec::with_capacity(text.len() + text.len() / 16 + 16),
        frames: vec![file],
        indent: 0,
        previous: None,
        next: None,
    };
    layout.chunks()?;
    Ok(layout.out)
}

struct Layout<'a> {
    lexer: Lexer<'a>,
    out: Vec<u8>,
    frames: Vec<Frame>,
    /// Of the current line.
    indent: usize,
    previous: Option<Token>,
    /// Of the next chunk.
    next: Option<Token>,
}

/// Why a token cannot be placed.
enum Stop {
    /// Its chunk has to stay as it is.
    Odd,
    Fault(Fault),
}

impl From<Odd> for Stop {
    fn from(_: Odd) -> Self {
        Self::Odd
    }
}

impl Layout<'_> {
    fn chunks(&mut self) -> Result<(), Fault> {
        let skeleton = self.lexer.skeleton;
        let mut saved: Vec<Frame> = Vec::new();
        // Where something is odd, braces may open or close out of sight.
        let (mut start, mut any_odd, mut blank) = (0, false, false);
        for &end in &skeleton.chunks {
            saved.clone_from(&self.frames);
            let before = (self.out.len(), self.previous, self.indent);
            match self.chunk(end) {
                Ok(placed) => blank = !placed,
                Err(Stop::Fault(fault)) if !(any_odd && matches!(fault, Fault::Stray(_))) => {
                    return Err(fault);
                }
                Err(_) => {
                    any_odd = true;
                    self.frames.clone_from(&saved);
                    (_, self.previous, self.indent) = before;
                    self.out.truncate(before.0);
                    self.keep(start, end, blank);
                    blank = false;
                }
            }
            start = end;
        }
        if !self.out.is_empty() {
            self.out.push(b'\n');
        }
        match self.frames.get(1) {
            Some(open) if !any_odd => Err(Fault::Open(open.at)),
            _ => Ok(()),
        }
    }

    /// Places what begins before `end`; was there anything?
    fn chunk(&mut self, end: usize) -> Result<bool, Stop> {
        let mut any = false;
        loop {
            let token = match self.next.take() {
                Some(token) => token,
                None => match self.lexer.next() {
                    Ok(token) => token,
                    Err(Odd) if self.lexer.at >= end => return Ok(any),
                    Err(Odd) => return Err(Stop::Odd),
                },
            };
            if token.start >= end || token.kind == Kind::End {
                self.next = Some(token);
                return Ok(any);
            }
            self.place(token)?;
            any = true;
        }
    }

    /// Leaves a chunk as it is.
    fn keep(&mut self, start: usize, end: usize, blank: bool) {
        if !self.out.is_empty() {
            self.out.extend_from_slice(if blank { b"\n\n" } else { b"\n" });
        }
        let text = &self.lexer.text[start..end];
        self.out.extend_from_slice(text.strip_suffix(b"\n").unwrap_or(text));
        self.next = None;
        self.lexer.jump(end);
        // What follows begins a line.
        self.previous = None;
    }

    fn place(&mut self, token: Token) -> Result<(), Stop> {
        match self.previous {
            Some(previous) if token.lines == 0 => self.space(&previous, &token),
            _ => self.begin_line(&token)?,
        }
        self.out.extend_from_slice(&self.lexer.text[token.start..token.end]);
        self.follow(&token)?;
        self.previous = Some(token);
        Ok(())
    }

    fn begin_line(&mut self, token: &Token) -> Result<(), Stop> {
        let frame = self.top();
        if frame.opener == Opener::Call(Arguments::Message) {
            return Err(Stop::Odd);
        }
        self.indent = match token.kind {
            Kind::EndBrace | Kind::EndParen | Kind::Close => frame.indent,
            _ => frame.inner() + usize::from(self.continues(token)),
        };
        if !self.out.is_empty() {
            self.out.extend_from_slice(if token.lines > 1 { b"\n\n" } else { b"\n" });
        }
        self.out.resize(self.out.len() + self.indent.min(MAX_INDENT), b'\t');
        Ok(())
    }

    /// Goes a statement of an earlier line on with the line that begins here?
    fn continues(&mut self, token: &Token) -> bool {
        let word = &self.lexer.text[token.start..token.end];
        let frame = self.top_mut();
        let Statement::Begun(begun) = frame.statement else { return false };
        if !frame.holds_statements() {
            return false;
        }
        let fresh = match begun {
            Begins::Line => true,
            // A semicolon is missing.
            Begins::Rule | Begins::Statement => {
                token.kind == Kind::Word
                    && (matches!(begins(word), Begins::Rule | Begins::Head)
                        || matches!(word, b"type" | b"attribute"))
            }
            Begins::Head => return token.kind != Kind::Brace,
        };
        if fresh {
            frame.statement = Statement::None;
        }
        !fresh
    }

    fn space(&mut self, previous: &Token, token: &Token) {
        let frame = self.top();
        let begun = |it| frame.holds_statements() && frame.statement == Statement::Begun(it);
        let place = Surroundings {
            opener: frame.opener,
            in_call: frame.in_call,
            in_rule: begun(Begins::Rule),
        };
        let blanks = &self.lexer.text[token.gap..token.start];
        match gap(self.lexer.text, previous, token, place) {
            Gap::None => {}
            // Columns of contexts, made by hand.
            Gap::One if begun(Begins::Line) && blanks.ends_with(b"\t") => {
                self.out.extend_from_slice(blanks);
            }
            Gap::One => self.out.push(b' '),
            Gap::Keep => self.out.extend_from_slice(blanks),
        }
    }

    /// Opens, closes, begins and ends what the token does.
    fn follow(&mut self, token: &Token) -> Result<(), Stop> {
        if token.kind != Kind::Comment && token.kind != Kind::Semicolon {
            let word = &self.lexer.text[token.start..token.end];
            let frame = self.top_mut();
            let closes = matches!(token.kind, Kind::EndBrace | Kind::EndParen | Kind::Close);
            if frame.holds_statements() && frame.statement == Statement::None && !closes {
                let is_word = token.kind == Kind::Word;
                frame.statement =
                    Statement::Begun(if is_word { begins(word) } else { Begins::Line });
            }
        }
        match token.kind {
            Kind::Semicolon => self.top_mut().statement = Statement::None,
            Kind::Brace if self.top().statement == Statement::Begun(Begins::Head) => {
                self.open(Opener::Block, token)?;
            }
            Kind::Brace => self.open(Opener::Set, token)?,
            Kind::Paren => self.open(self.parenthesis(token)?, token)?,
            Kind::Open if self.top().opener == Opener::Call(Arguments::Message) => {
                return Err(Stop::Odd);
            }
            Kind::Open => self.open(Opener::Quote, token)?,
            Kind::EndBrace | Kind::EndParen | Kind::Close => self.close(token)?,
            _ => {}
        }
        Ok(())
    }

    /// What a parenthesis opens.
    fn parenthesis(&self, token: &Token) -> Result<Opener, Stop> {
        if self.top().statement == Statement::Begun(Begins::Head) {
            return Ok(Opener::Condition);
        }
        let Some(previous) = self.previous.filter(|it| it.kind == Kind::Word && token.is_glued())
        else {
            return Ok(Opener::Paren);
        };
        match arguments(&self.lexer.text[previous.start..previous.end]) {
            Arguments::Unknown => Err(Stop::Odd),
            known => Ok(Opener::Call(known)),
        }
    }

    fn open(&mut self, opener: Opener, token: &Token) -> Result<(), Stop> {
        if self.frames.len() > MAX_DEPTH {
            return Err(Stop::Fault(Fault::TooDeep(token.start)));
        }
        let (at, indent, statement) = (token.start, self.indent, Statement::None);
        let within = self.top().in_call && opener != Opener::Quote;
        let in_call = within || matches!(opener, Opener::Call(_));
        self.frames.push(Frame { opener, at, indent, statement, in_call });
        Ok(())
    }

    fn close(&mut self, token: &Token) -> Result<(), Stop> {
        let opener = self.top().opener;
        let fits = match token.kind {
            Kind::EndBrace => matches!(opener, Opener::Block | Opener::Set),
            Kind::EndParen => matches!(opener, Opener::Paren | Opener::Condition | Opener::Call(_)),
            _ => opener == Opener::Quote,
        };
        if opener == Opener::File {
            return Err(Stop::Fault(Fault::Stray(token.start)));
        }
        if !fits {
            return Err(Stop::Odd);
        }
        self.frames.pop();
        let ends = match opener {
            Opener::Block => true,
            Opener::Call(_) => self.top().statement == Statement::Begun(Begins::Line),
            _ => false,
        };
        if ends {
            self.top_mut().statement = Statement::None;
        }
        Ok(())
    }

    fn top(&self) -> &Frame {
        self.frames.last().expect("the file is never closed")
    }

    fn top_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the file is never closed")
    }
}
