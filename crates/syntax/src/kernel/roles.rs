//! Roles and users.

use super::ast::{Ident, Slice, Statement, StatementKind};
use super::keyword::Keyword;
use super::lexer::TokenKind;
use super::parser::{MAX_DEPTH, Parser, Read};
use super::recovery::word_at;
use crate::source::Span;

impl Parser<'_> {
    pub(super) fn role_statement(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::RoleAttribute => {
                let (name, attributes) = self.name_and_list("a role", "a role attribute")?;
                Ok(StatementKind::RoleAttributeSet { name, attributes })
            }
            Keyword::AttributeRole => {
                let name = self.ident("the name of a role attribute")?;
                self.ends_with(StatementKind::RoleAttribute(name))
            }
            Keyword::RoleTransition => self.role_transition(),
            _ => self.role(),
        }
    }

    fn role(&mut self) -> Read<StatementKind> {
        let name = self.ident("the name of a role")?;
        if self.eat_keyword(Keyword::Types) {
            let types = Some(self.set("a type")?);
            let kind = StatementKind::Role { name, types, attributes: Slice::default() };
            return self.ends_with(kind);
        }
        let attributes = self.opt_attributes()?;
        self.semicolon_or(if attributes.is_empty() {
            "`types`, `,` and a role attribute, or `;`"
        } else {
            "`,` or `;`"
        })?;
        Ok(StatementKind::Role { name, types: None, attributes })
    }

    fn role_transition(&mut self) -> Read<StatementKind> {
        let source = self.set("a role")?;
        let target = self.set("a type")?;
        let classes = if self.eat(TokenKind::Colon) {
            self.names("a class after `:`")?
        } else {
            Slice::default()
        };
        let result = self.ident("the new role")?;
        self.ends_with(StatementKind::RoleTransition { source, target, classes, result })
    }

    pub(super) fn user(&mut self) -> Read<StatementKind> {
        let name = self.ident("the name of a user")?;
        if self.expanded && self.word_is(b"prefix") {
            self.advance();
            let prefix = self.ident("a prefix")?;
            return self.ends_with(StatementKind::UserPrefix { name, prefix });
        }
        if !self.eat_keyword(Keyword::Roles) {
            return Err(self.expected("`roles`"));
        }
        let roles = self.set("a role")?;
        if !self.eat_keyword(Keyword::Level) {
            self.semicolon_or("`level` or `;`")?;
            return Ok(StatementKind::User { name, roles, level: None, range: None });
        }
        let level = Some(Box::new(self.level("a level")?));
        if !self.eat_keyword(Keyword::Range) {
            return Err(self.expected("`range`"));
        }
        let range = Some(Box::new(self.mls_range("a range")?));
        self.semicolon_or("`;` or `-` and a high level")?;
        Ok(StatementKind::User { name, roles, level, range })
    }

    /// `dominance s0`, `dominance { s0 s1 }`, or roles in it. Inner roles become statements before the outer ones.
    pub(super) fn dominance(
        &mut self,
        span: Span,
        statements: &mut Vec<Statement>,
    ) -> Read<StatementKind> {
        if self.token.kind != TokenKind::Open {
            let start = self.idents_start();
            let ident = self.ident("a sensitivity or `{`")?;
            self.unit.idents.push(ident);
            return Ok(StatementKind::Dominance(self.idents_from(start)));
        }
        if word_at(self.text.bytes[self.token.end..].trim_ascii_start()) != b"role" {
            return Ok(StatementKind::Dominance(self.flat_list("a sensitivity")?));
        }
        let open = self.token.span;
        self.advance();
        self.role_dominance(span, open, statements)
    }

    fn role_dominance(
        &mut self,
        span: Span,
        open: Span,
        statements: &mut Vec<Statement>,
    ) -> Read<StatementKind> {
        // Of each role whose braces are open: its name, and where its inner roles begin in `inner`.
        let mut outer: Vec<(Ident, usize)> = Vec::new();
        let mut inner: Vec<Ident> = Vec::new();
        loop {
            self.open_braces = outer.len() + 1;
            if self.eat_keyword(Keyword::Role) {
                let name = self.ident("the name of a role")?;
                if self.token.kind == TokenKind::Open {
                    if outer.len() == MAX_DEPTH {
                        return Err(self.too_deep(self.token.span, "roles"));
                    }
                    outer.push((name, inner.len()));
                    self.advance();
                    continue;
                }
                self.semicolon_or("`;` or `{`")?;
                statements.push(self.dominating(span, name, &[]));
                inner.push(name);
            } else if self.token.kind == TokenKind::Close {
                let Some((name, first)) = outer.pop() else { break };
                self.advance();
                statements.push(self.dominating(span, name, &inner[first..]));
                inner.truncate(first);
                inner.push(name);
            } else if self.token.kind == TokenKind::End {
                return Err(self.unclosed(open, "`role` or `}`"));
            } else {
                return Err(self.expected("`role` or `}`"));
            }
        }
        self.advance();
        match statements.pop() {
            Some(last) => Ok(last.kind),
            None => Err(self.expected("`role`")),
        }
    }

    fn dominating(&mut self, span: Span, name: Ident, dominated: &[Ident]) -> Statement {
        let start = self.idents_start();
        self.unit.idents.extend_from_slice(dominated);
        let dominated = self.idents_from(start);
        Statement { span, kind: StatementKind::RoleDominance { name, dominated } }
    }
}
