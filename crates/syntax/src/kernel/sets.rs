//! Lists and sets of names.

use super::ast::{Ident, Idents, Set, SetForm, SetItem, Slice};
use super::keyword::Keyword;
use super::lexer::TokenKind;
use super::parser::{Failed, MAX_DEPTH, Parser, Read, pool_index};
use super::recovery::word_at;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

impl Parser<'_> {
    /// Reads a set: `a`, `a - b`, `{ a b -c }`, `*`, `~a` or `~{ a b }`.
    pub(super) fn set(&mut self, what: &str) -> Read<Set> {
        let span = self.token.span;
        let start = pool_index(self.unit.set_items.len());
        let form = match self.token.kind {
            TokenKind::Word(_) => {
                self.single(what)?;
                SetForm::Listed
            }
            TokenKind::Open => {
                self.braced(what)?;
                SetForm::Listed
            }
            TokenKind::Star => {
                self.advance();
                SetForm::All
            }
            TokenKind::Tilde => {
                self.advance();
                self.complemented()?;
                SetForm::Complement
            }
            _ => return Err(self.expected(what)),
        };
        let items = Slice { start, end: pool_index(self.unit.set_items.len()) };
        Ok(Set { form, items, span })
    }

    /// `a` or `a - b`
    fn single(&mut self, what: &str) -> Read<()> {
        let ident = self.ident(what)?;
        self.push(ident, false);
        if self.eat(TokenKind::Minus) {
            let ident = self.ident("a name after `-`")?;
            self.push(ident, true);
        }
        Ok(())
    }

    fn complemented(&mut self) -> Read<()> {
        if self.token.kind == TokenKind::Open {
            return self.braced("a name");
        }
        let ident = self.ident("a name or `{` after `~`")?;
        self.push(ident, false);
        Ok(())
    }

    fn push(&mut self, ident: Ident, excluded: bool) {
        self.unit.set_items.push(SetItem { ident, excluded });
    }

    /// `{ a -b { c } }`, flattened.
    fn braced(&mut self, what: &str) -> Read<()> {
        let mut braces = self.open();
        loop {
            match self.token.kind {
                TokenKind::Word(_) => {
                    let ident = self.ident(what)?;
                    self.push(ident, false);
                    braces.filled = true;
                }
                TokenKind::Minus => {
                    self.advance();
                    let ident = self.ident("a name after `-`")?;
                    self.push(ident, true);
                    braces.filled = true;
                }
                TokenKind::Open => self.deeper(&mut braces)?,
                TokenKind::Close => {
                    if self.close(&mut braces, what)? {
                        return Ok(());
                    }
                }
                _ => return Err(self.not_in_braces(braces.open)),
            }
        }
    }

    /// Reads plain names, in braces or one alone.
    pub(super) fn names(&mut self, what: &str) -> Read<Idents> {
        let start = self.idents_start();
        if self.token.kind == TokenKind::Open {
            self.braced_names(what)?;
        } else {
            if matches!(self.token.kind, TokenKind::Star | TokenKind::Tilde) {
                return Err(self.plain_only());
            }
            let ident = self.ident(what)?;
            self.unit.idents.push(ident);
        }
        Ok(self.idents_from(start))
    }

    /// `{ a b { c } }`, flattened, of plain names only.
    fn braced_names(&mut self, what: &str) -> Read<()> {
        let mut braces = self.open();
        loop {
            match self.token.kind {
                TokenKind::Word(_) => {
                    let ident = self.ident(what)?;
                    self.unit.idents.push(ident);
                    braces.filled = true;
                }
                TokenKind::Open => self.deeper(&mut braces)?,
                TokenKind::Close => {
                    if self.close(&mut braces, what)? {
                        return Ok(());
                    }
                }
                TokenKind::Star | TokenKind::Tilde | TokenKind::Minus => {
                    return Err(self.plain_only());
                }
                _ => return Err(self.not_in_braces(braces.open)),
            }
        }
    }

    /// Reads names with commas between them.
    pub(super) fn comma_names(&mut self, what: &str) -> Read<Idents> {
        let start = self.idents_start();
        loop {
            let ident = self.ident(what)?;
            self.unit.idents.push(ident);
            if !self.eat(TokenKind::Comma) {
                return Ok(self.idents_from(start));
            }
        }
    }

    /// Opens the outermost braces of a list.
    pub(super) fn open(&mut self) -> Braces {
        let braces = Braces { open: self.token.span, filled: false };
        self.open_braces = 1;
        self.advance();
        braces
    }

    /// Opens braces in braces.
    pub(super) fn deeper(&mut self, braces: &mut Braces) -> Read<()> {
        if self.open_braces == MAX_DEPTH {
            return Err(self.too_deep(self.token.span, "braces"));
        }
        self.open_braces += 1;
        braces.filled = false;
        self.advance();
        Ok(())
    }

    /// Closes braces. Were they the outermost ones?
    pub(super) fn close(&mut self, braces: &mut Braces, what: &str) -> Read<bool> {
        if !braces.filled {
            let message = format!("expected {what}, found empty braces");
            return Err(self.fail(Code::UnexpectedToken, message));
        }
        self.advance();
        self.open_braces -= 1;
        Ok(self.open_braces == 0)
    }

    fn plain_only(&mut self) -> Failed {
        let help = "list the names one by one: sets are computed of types and permissions only";
        self.expected_with_help("a plain name", help)
    }

    /// Reports what stands in braces opened at `open` and should not.
    pub(super) fn not_in_braces(&mut self, open: Span) -> Failed {
        const WHAT: &str = "a name or `}`";
        match self.token.kind {
            TokenKind::Comma => {
                self.expected_with_help(WHAT, "in braces blanks stand between names, no commas")
            }
            TokenKind::Semicolon if self.braces_close() => {
                self.expected_with_help(WHAT, "in braces blanks stand between names, no semicolons")
            }
            TokenKind::Star | TokenKind::Tilde => {
                self.expected_with_help(WHAT, "`*` and `~` stand before braces, not in them")
            }
            TokenKind::Colon | TokenKind::Semicolon | TokenKind::End => self.unclosed(open, WHAT),
            TokenKind::Keyword(keyword) if keyword.begins_statement() && self.on_later_line() => {
                self.unclosed(open, WHAT)
            }
            _ => self.expected_name(WHAT),
        }
    }

    /// Is there a closing brace near, before another opening one and before a line that begins with a statement?
    fn braces_close(&self) -> bool {
        const NEAR: usize = 1 << 10;
        let mut rest = &self.text.bytes[self.token.start..];
        rest = &rest[..rest.len().min(NEAR)];
        let end = rest.iter().position(|it| matches!(it, b'{' | b'}')).unwrap_or(rest.len());
        rest.get(end) == Some(&b'}')
            && !rest[..end].split(|&it| it == b'\n').skip(1).any(|line| {
                let symbol = self.lexer.names.get_bytes(word_at(line.trim_ascii_start()));
                symbol.and_then(Keyword::of).is_some_and(Keyword::begins_statement)
            })
    }

    /// Reports a name that is none of a fixed choice.
    pub(super) fn reject(&mut self, ident: Ident, message: String) -> Failed {
        self.report(Diagnostic::error(Code::UnexpectedToken, ident.span, message));
        Failed
    }
}

/// Braces being read.
#[derive(Debug)]
pub(super) struct Braces {
    /// The outermost one.
    pub(super) open: Span,
    /// Is there something in the innermost ones?
    pub(super) filled: bool,
}
