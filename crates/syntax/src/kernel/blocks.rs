//! `module`, `require`, `optional` and `if`.

use super::ast::{Ident, Require, RequireKind, Slice, Statement, StatementKind};
use super::keyword::Keyword;
use super::lexer::TokenKind;
use super::order::Order;
use super::parser::{Block, Failed, MAX_DEPTH, Parser, Place, Read, pool_index};
use crate::codes::Code;

impl Parser<'_> {
    /// The header of a module, behind `module`.
    pub(super) fn module(&mut self) -> Read<StatementKind> {
        let name = self.ident("the name of the module")?;
        // policy_module of Reference Policy leaves the version out since 2022.
        let version = if self.expanded && self.token.kind == TokenKind::Semicolon {
            None
        } else {
            Some(self.version()?)
        };
        self.ends_with(StatementKind::Module { name, version })
    }

    fn version(&mut self) -> Read<Ident> {
        let token = self.token;
        let before_dot = self.token_bytes().split(|&it| it == b'.').next().unwrap_or_default();
        match token.kind {
            TokenKind::Number => {}
            TokenKind::Odd if before_dot.iter().all(u8::is_ascii_digit) => {}
            TokenKind::Odd => {
                return Err(self.fail(Code::BadNumber, "a version is digits, with dots between"));
            }
            _ => return Err(self.expected("the version of the module")),
        }
        let ident = self.intern(token.start, token.end, token.span)?;
        self.advance();
        Ok(ident)
    }

    pub(super) fn require(&mut self) -> Read<StatementKind> {
        let open = self.token.span;
        self.expect(TokenKind::Open, "`{`")?;
        let start = pool_index(self.unit.requires.len());
        let mut filled = false;
        loop {
            match self.token.kind {
                TokenKind::Close if filled => break,
                TokenKind::Close => {
                    self.expected("a requirement in the braces");
                    break;
                }
                TokenKind::End => return Err(self.unclosed(open, "a requirement or `}`")),
                TokenKind::Keyword(keyword) if require_kind(keyword).is_some() => {
                    self.requirement(keyword);
                }
                TokenKind::Keyword(keyword)
                    if keyword.begins_statement() && self.on_later_line() =>
                {
                    return Err(self.unclosed(open, "a requirement or `}`"));
                }
                _ => {
                    self.no_requirement();
                }
            }
            filled = true;
        }
        self.advance();
        let end = pool_index(self.unit.requires.len());
        Ok(StatementKind::Require(Slice { start, end }))
    }

    fn no_requirement(&mut self) {
        if self.token.kind == TokenKind::Semicolon {
            self.expected_with_help("a requirement or `}`", "remove the semicolon");
            return self.advance();
        }
        let help = "a requirement begins with `type`, `attribute`, `class`, `role`, `attribute_role`, \
                    `bool`, `tunable`, `user`, `sensitivity` or `category`";
        self.expected_with_help("a requirement or `}`", help);
        if self.token.kind != TokenKind::Open {
            self.advance();
        }
        self.resynchronise();
    }

    fn requirement(&mut self, keyword: Keyword) {
        self.open_braces = 0;
        self.advance();
        let read = match require_kind(keyword) {
            None | Some(RequireKind::Class) => self.require_class(),
            Some(kind) => self.require_names(kind),
        };
        if let Err(Failed) = read {
            self.resynchronise();
        }
    }

    fn require_class(&mut self) -> Read<()> {
        let name = self.ident("the name of a class")?;
        let permissions = self.names("a permission")?;
        self.unit.requires.push(Require { kind: RequireKind::Class, name, permissions });
        self.semicolon()
    }

    fn require_names(&mut self, kind: RequireKind) -> Read<()> {
        loop {
            let name = self.ident("a name")?;
            self.unit.requires.push(Require { kind, name, permissions: Slice::default() });
            if !self.eat(TokenKind::Comma) {
                return self.semicolon_or("`,` or `;`");
            }
        }
    }

    pub(super) fn optional(&mut self) -> Read<StatementKind> {
        let then = self.block(Place::Optional)?;
        let otherwise =
            if self.eat_keyword(Keyword::Else) { Some(self.block(Place::Optional)?) } else { None };
        Ok(StatementKind::Optional { then, otherwise })
    }

    pub(super) fn conditional(&mut self) -> Read<StatementKind> {
        let expression = self.condition();
        if expression.is_err() && !self.find_block() {
            return Err(Failed);
        }
        let then = self.block(Place::Conditional)?;
        let otherwise = if self.eat_keyword(Keyword::Else) {
            self.block(Place::Conditional)?
        } else {
            Vec::new()
        };
        Ok(StatementKind::Conditional { expression: expression?, then, otherwise })
    }

    /// `{ statements }`
    fn block(&mut self, place: Place) -> Read<Vec<Statement>> {
        let open = self.token.span;
        if self.token.kind == TokenKind::Open && self.depth == MAX_DEPTH {
            self.too_deep(open, "blocks");
            self.skip_block();
            return Ok(Vec::new());
        }
        self.expect(TokenKind::Open, "`{`")?;
        self.depth += 1;
        let mut block = Block::new(place);
        let mut statements = Vec::new();
        self.statements(&mut block, &mut Order::default(), &mut statements);
        self.depth -= 1;
        if self.token.kind == TokenKind::End {
            // The blocks around are not closed either: one report is enough.
            if !self.reported_unclosed {
                self.reported_unclosed = true;
                self.unclosed(open, "`}`");
            }
            return Ok(statements);
        }
        if place == Place::Optional && !block.filled {
            self.expected("a statement in the block");
        }
        self.advance();
        Ok(statements)
    }
}

fn require_kind(keyword: Keyword) -> Option<RequireKind> {
    Some(match keyword {
        Keyword::Class => RequireKind::Class,
        Keyword::Role => RequireKind::Role,
        Keyword::Type => RequireKind::Type,
        Keyword::Attribute => RequireKind::Attribute,
        Keyword::AttributeRole => RequireKind::RoleAttribute,
        Keyword::User => RequireKind::User,
        Keyword::Bool => RequireKind::Boolean,
        Keyword::Tunable => RequireKind::Tunable,
        Keyword::Sensitivity => RequireKind::Sensitivity,
        Keyword::Category => RequireKind::Category,
        _ => return None,
    })
}
