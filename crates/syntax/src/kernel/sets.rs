//! Lists and sets of names.

use super::ast::{Ident, Idents, Set, SetForm, SetItem, Slice};
use super::lexer::TokenKind;
use super::parser::{Failed, MAX_DEPTH, Parser, Read, pool_index};
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
        let mut braces = Braces::new(self.token.span);
        self.advance();
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
    pub(super) fn braced_names(&mut self, what: &str) -> Read<()> {
        let mut braces = Braces::new(self.token.span);
        self.expect(TokenKind::Open, "`{`")?;
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

    /// Opens braces in braces.
    pub(super) fn deeper(&mut self, braces: &mut Braces) -> Read<()> {
        if braces.depth == MAX_DEPTH {
            return Err(self.braces_too_deep());
        }
        braces.depth += 1;
        braces.filled = false;
        self.advance();
        Ok(())
    }

    /// Closes braces. Were they the outermost ones?
    pub(super) fn close(&mut self, braces: &mut Braces, what: &str) -> Read<bool> {
        if !braces.filled {
            let failed = self.expected(&format!("{what} in the braces"));
            self.advance();
            return Err(failed);
        }
        self.advance();
        braces.depth -= 1;
        Ok(braces.depth == 0)
    }

    fn braces_too_deep(&mut self) -> Failed {
        let failed = self.too_deep(self.token.span, "braces");
        let mut depth = MAX_DEPTH;
        while depth > 0 && self.token.kind != TokenKind::End {
            match self.token.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth -= 1,
                _ => {}
            }
            self.advance();
        }
        failed
    }

    fn plain_only(&mut self) -> Failed {
        let help = "list the names one by one: sets are computed of types and permissions only";
        self.expected_with_help("a plain name", help)
    }

    /// Reports what stands in braces opened at `open` and should not.
    pub(super) fn not_in_braces(&mut self, open: Span) -> Failed {
        match self.token.kind {
            TokenKind::Comma | TokenKind::Semicolon if self.closes_on_line() => {
                let help = "names in braces are separated by blanks";
                let failed = self.expected_with_help("a name or `}`", help);
                self.leave_braces();
                failed
            }
            TokenKind::Star | TokenKind::Tilde => {
                let help = "`*` and `~` stand before braces, not in them";
                let failed = self.expected_with_help("a name or `}`", help);
                self.leave_braces();
                failed
            }
            TokenKind::Colon | TokenKind::Semicolon | TokenKind::End => {
                self.unclosed(open, "a name or `}`")
            }
            TokenKind::Keyword(keyword) if keyword.begins_statement() && self.on_later_line() => {
                self.unclosed(open, "a name or `}`")
            }
            _ => {
                let failed = self.expected("a name or `}`");
                if self.closes_on_line() {
                    self.leave_braces();
                }
                failed
            }
        }
    }

    /// Is there a closing brace on the rest of the line, with no other opened before it?
    fn closes_on_line(&self) -> bool {
        let rest = &self.text.bytes[self.token.start..];
        rest.iter().find(|it| matches!(it, b'{' | b'}' | b'\n')) == Some(&b'}')
    }

    /// Skips what is left up to the closing brace, unless a statement begins before it.
    fn leave_braces(&mut self) {
        loop {
            match self.token.kind {
                TokenKind::End => return,
                TokenKind::Keyword(keyword)
                    if keyword.begins_statement() && self.on_later_line() =>
                {
                    return;
                }
                TokenKind::Close => return self.advance(),
                _ => self.advance(),
            }
        }
    }

    /// Reads one name of a fixed choice.
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
    pub(super) depth: usize,
    /// Is there something in the innermost ones?
    pub(super) filled: bool,
}

impl Braces {
    pub(super) fn new(open: Span) -> Self {
        Self { open, depth: 1, filled: false }
    }
}
