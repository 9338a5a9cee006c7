//! Sensitivities, categories, levels and ranges.

use super::ast::{CategoryRange, Ident, Idents, Level, MlsRange, Slice, StatementKind};
use super::keyword::Keyword;
use super::lexer::TokenKind;
use super::parser::{Parser, Read, pool_index};

impl Parser<'_> {
    pub(super) fn mls_statement(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::Level => {
                let level = self.level("a sensitivity")?;
                self.semicolon_or("`:` and categories, or `;`")?;
                Ok(StatementKind::Level(level))
            }
            Keyword::Category => {
                let name = self.ident("the name of a category")?;
                let aliases = self.opt_aliases()?;
                self.semicolon_or("`alias` or `;`")?;
                Ok(StatementKind::Category { name, aliases })
            }
            _ => {
                let name = self.ident("the name of a sensitivity")?;
                let aliases = self.opt_aliases()?;
                self.semicolon_or("`alias` or `;`")?;
                Ok(StatementKind::Sensitivity { name, aliases })
            }
        }
    }

    /// `alias names`, if it is there.
    pub(super) fn opt_aliases(&mut self) -> Read<Idents> {
        if self.eat_keyword(Keyword::Alias) { self.names("an alias") } else { Ok(Slice::default()) }
    }

    /// `s0` or `s0:c0.c5,c7`
    pub(super) fn level(&mut self, what: &str) -> Read<Level> {
        let sensitivity = self.ident(what)?;
        let start = pool_index(self.unit.category_ranges.len());
        if self.eat(TokenKind::Colon) {
            loop {
                self.category_range()?;
                if !self.eat(TokenKind::Comma) {
                    break;
                }
            }
        }
        let categories = Slice { start, end: pool_index(self.unit.category_ranges.len()) };
        Ok(Level { sensitivity, categories })
    }

    /// `c0` or `c0.c5`. The first dot of a name divides it.
    fn category_range(&mut self) -> Read<()> {
        let (token, bytes) = (self.token, self.token_bytes());
        let whole = self.ident("a category")?;
        let range = match bytes.iter().position(|&it| it == b'.') {
            None => CategoryRange { low: whole, high: whole },
            Some(dot) => {
                let low = self.intern(token.start, token.start + dot, token.span)?;
                let high_span = self.text.span(token.start + dot + 1);
                let high: Ident = self.intern(token.start + dot + 1, token.end, high_span)?;
                CategoryRange { low, high }
            }
        };
        self.unit.category_ranges.push(range);
        Ok(())
    }

    /// `s0` or `s0 - s1:c0`
    pub(super) fn mls_range(&mut self, what: &str) -> Read<MlsRange> {
        let span = self.token.span;
        let low = self.level(what)?;
        let high =
            if self.eat(TokenKind::Minus) { self.level("a high level after `-`")? } else { low };
        Ok(MlsRange { low, high, span })
    }
}
