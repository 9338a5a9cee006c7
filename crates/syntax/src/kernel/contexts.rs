//! Security contexts.

use super::ast::Context;
use super::lexer::TokenKind;
use super::parser::{Parser, Read};

impl Parser<'_> {
    /// `user:role:type[:range]`
    pub(super) fn context(&mut self) -> Read<Box<Context>> {
        let user = self.ident("a context")?;
        self.expect(TokenKind::Colon, "`:` and a role")?;
        let role = self.ident("a role after `:`")?;
        self.expect(TokenKind::Colon, "`:` and a type")?;
        let type_ = self.ident("a type after `:`")?;
        let range = if self.eat(TokenKind::Colon) {
            Some(self.mls_range("a level after `:`")?)
        } else {
            None
        };
        Ok(Box::new(Context { user, role, type_, range }))
    }
}
