//! Classes, types, attributes and booleans.

use super::ast::{
    ContextPart, DefaultRangeForm, DefaultSource, Ident, Idents, RangePart, Slice, StatementKind,
};
use super::keyword::Keyword;
use super::lexer::TokenKind;
use super::parser::{Parser, Read};

impl Parser<'_> {
    pub(super) fn class_statement(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::Common => self.common(),
            Keyword::DefaultUser => self.default_part(ContextPart::User),
            Keyword::DefaultRole => self.default_part(ContextPart::Role),
            Keyword::DefaultType => self.default_part(ContextPart::Type),
            Keyword::DefaultRange => self.default_range(),
            _ => self.class(),
        }
    }

    /// `class name`, or an access vector of it.
    fn class(&mut self) -> Read<StatementKind> {
        let class = self.ident("the name of a class")?;
        let inherits = if self.eat_keyword(Keyword::Inherits) {
            Some(self.ident("the name of a common")?)
        } else {
            None
        };
        let has_own = self.token.kind == TokenKind::Open;
        if !has_own && inherits.is_none() {
            return Ok(StatementKind::Class(class));
        }
        let permissions = if has_own { self.permission_list()? } else { Slice::default() };
        Ok(StatementKind::AccessVector { class, inherits, permissions })
    }

    fn common(&mut self) -> Read<StatementKind> {
        let name = self.ident("the name of a common")?;
        let permissions = self.permission_list()?;
        Ok(StatementKind::Common { name, permissions })
    }

    /// `{ names }` that do not nest.
    pub(super) fn permission_list(&mut self) -> Read<Idents> {
        self.flat_list("a permission")
    }

    /// `{ names }` that do not nest.
    pub(super) fn flat_list(&mut self, what: &str) -> Read<Idents> {
        let start = self.idents_start();
        if self.token.kind != TokenKind::Open {
            return Err(self.expected("`{`"));
        }
        let mut braces = self.open();
        loop {
            match self.token.kind {
                TokenKind::Word(_) => {
                    let ident = self.ident(what)?;
                    self.unit.idents.push(ident);
                    braces.filled = true;
                }
                TokenKind::Close => {
                    self.close(&mut braces, what)?;
                    return Ok(self.idents_from(start));
                }
                TokenKind::Open => {
                    return Err(self.expected_with_help("a name or `}`", "here braces do not nest"));
                }
                _ => return Err(self.not_in_braces(braces.open)),
            }
        }
    }

    fn default_part(&mut self, part: ContextPart) -> Read<StatementKind> {
        let classes = self.names("a class")?;
        let from = self.default_source("`source` or `target`")?;
        self.semicolon()?;
        Ok(StatementKind::Default { part, classes, from })
    }

    fn default_source(&mut self, what: &str) -> Read<DefaultSource> {
        if self.eat_keyword(Keyword::Source) {
            Ok(DefaultSource::Source)
        } else if self.eat_keyword(Keyword::Target) {
            Ok(DefaultSource::Target)
        } else {
            Err(self.expected(what))
        }
    }

    fn default_range(&mut self) -> Read<StatementKind> {
        let classes = self.names("a class")?;
        let form = if self.eat_keyword(Keyword::Glblub) {
            DefaultRangeForm::Glblub
        } else {
            let from = self.default_source("`source`, `target` or `glblub`")?;
            DefaultRangeForm::From(from, self.range_part()?)
        };
        self.semicolon()?;
        Ok(StatementKind::DefaultRange { classes, form })
    }

    fn range_part(&mut self) -> Read<RangePart> {
        let part = match self.token.kind {
            TokenKind::Keyword(Keyword::Low) => RangePart::Low,
            TokenKind::Keyword(Keyword::High) => RangePart::High,
            TokenKind::Keyword(Keyword::LowHigh) => RangePart::LowHigh,
            _ => return Err(self.expected("`low`, `high` or `low-high`")),
        };
        self.advance();
        Ok(part)
    }

    pub(super) fn type_statement(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::Attribute => {
                let name = self.ident("the name of an attribute")?;
                self.ends_with(StatementKind::Attribute(name))
            }
            Keyword::ExpandAttribute => self.expand_attribute(),
            Keyword::TypeAlias => self.type_alias(),
            Keyword::TypeAttribute => {
                let (name, attributes) = self.name_and_list("a type", "an attribute")?;
                Ok(StatementKind::TypeAttribute { name, attributes })
            }
            Keyword::TypeBounds => {
                let (parent, children) =
                    self.name_and_list("the bounding type", "a bounded type")?;
                Ok(StatementKind::TypeBounds { parent, children })
            }
            Keyword::Bool | Keyword::Tunable => self.boolean(keyword == Keyword::Tunable),
            Keyword::Permissive => {
                let name = self.ident("a type")?;
                self.ends_with(StatementKind::Permissive(name))
            }
            Keyword::NeverAudit => {
                let name = self.ident("a type")?;
                self.ends_with(StatementKind::NeverAudit(name))
            }
            _ => self.type_declaration(),
        }
    }

    /// Takes the semicolon behind `kind`.
    pub(super) fn ends_with(&mut self, kind: StatementKind) -> Read<StatementKind> {
        self.semicolon()?;
        Ok(kind)
    }

    /// `name first, second;`
    pub(super) fn name_and_list(&mut self, name: &str, item: &str) -> Read<(Ident, Idents)> {
        let name = self.ident(name)?;
        let items = self.comma_names(item)?;
        self.semicolon_or("`,` or `;`")?;
        Ok((name, items))
    }

    fn expand_attribute(&mut self) -> Read<StatementKind> {
        let names = self.names("an attribute")?;
        let expand = self.truth()?;
        self.ends_with(StatementKind::ExpandAttribute { names, expand })
    }

    fn truth(&mut self) -> Read<bool> {
        if self.eat_keyword(Keyword::True) {
            Ok(true)
        } else if self.eat_keyword(Keyword::False) {
            Ok(false)
        } else {
            Err(self.expected("`true` or `false`"))
        }
    }

    fn boolean(&mut self, tunable: bool) -> Read<StatementKind> {
        let name =
            self.ident(if tunable { "the name of a tunable" } else { "the name of a boolean" })?;
        let value = self.truth()?;
        self.ends_with(StatementKind::Boolean { name, value, tunable })
    }

    fn type_alias(&mut self) -> Read<StatementKind> {
        let name = self.ident("a type")?;
        if !self.eat_keyword(Keyword::Alias) {
            return Err(self.expected("`alias`"));
        }
        let aliases = self.names("an alias")?;
        self.ends_with(StatementKind::TypeAlias { name, aliases })
    }

    fn type_declaration(&mut self) -> Read<StatementKind> {
        let name = self.ident("the name of a type")?;
        let aliases = self.opt_aliases()?;
        let attributes = self.opt_attributes()?;
        self.semicolon_or(if !attributes.is_empty() {
            "`,` or `;`"
        } else if !aliases.is_empty() {
            "`,` and an attribute, or `;`"
        } else {
            "`alias`, `,` and an attribute, or `;`"
        })?;
        Ok(StatementKind::Type { name, aliases, attributes })
    }

    /// `, first, second`, if it is there.
    pub(super) fn opt_attributes(&mut self) -> Read<Idents> {
        if self.eat(TokenKind::Comma) {
            self.comma_names("an attribute after `,`")
        } else {
            Ok(Slice::default())
        }
    }
}
