//! `constrain`, `validatetrans` and their MLS kin.

use super::ast::{
    CompareOp, ConstraintTerm, ContextPart, LevelName, Set, SetForm, SetItem, Side, Slice,
    StatementKind,
};
use super::expressions::{Grammar, Operator};
use super::keyword::Keyword;
use super::lexer::TokenKind;
use super::parser::{Parser, Read, pool_index};
use crate::codes::Code;

impl Parser<'_> {
    pub(super) fn constrain(&mut self, mls: bool) -> Read<StatementKind> {
        let classes = self.names("a class")?;
        let permissions = self.set("a permission")?;
        let expression = self.constraint_expression()?;
        Ok(StatementKind::Constrain { mls, classes, permissions, expression })
    }

    pub(super) fn validate_trans(&mut self, mls: bool) -> Read<StatementKind> {
        let classes = self.names("a class")?;
        let expression = self.constraint_expression()?;
        Ok(StatementKind::ValidateTrans { mls, classes, expression })
    }

    /// An expression and its semicolon.
    fn constraint_expression(&mut self) -> Read<Slice> {
        let start = pool_index(self.unit.constraint_terms.len());
        self.expression(&Grammar {
            operand: Self::constraint_operand,
            emit: Self::constraint_operator,
            comparisons: false,
        })?;
        let end = pool_index(self.unit.constraint_terms.len());
        self.semicolon_or("`and`, `or` or `;`")?;
        Ok(Slice { start, end })
    }

    fn constraint_operator(&mut self, operator: Operator) {
        self.unit.constraint_terms.push(match operator {
            Operator::Not => ConstraintTerm::Not,
            Operator::Or => ConstraintTerm::Or,
            _ => ConstraintTerm::And,
        });
    }

    fn constraint_operand(&mut self) -> Read<()> {
        const WHAT: &str = "an operand such as `u1`, `r1`, `t1` or `l1`";
        let TokenKind::Keyword(keyword) = self.token.kind else { return Err(self.expected(WHAT)) };
        let term = match keyword {
            Keyword::U1 => self.part_term(ContextPart::User, Side::Source)?,
            Keyword::U2 => self.part_term(ContextPart::User, Side::Target)?,
            Keyword::U3 => self.part_term(ContextPart::User, Side::New)?,
            Keyword::R1 => self.part_term(ContextPart::Role, Side::Source)?,
            Keyword::R2 => self.part_term(ContextPart::Role, Side::Target)?,
            Keyword::R3 => self.part_term(ContextPart::Role, Side::New)?,
            Keyword::T1 => self.part_term(ContextPart::Type, Side::Source)?,
            Keyword::T2 => self.part_term(ContextPart::Type, Side::Target)?,
            Keyword::T3 => self.part_term(ContextPart::Type, Side::New)?,
            Keyword::L1 => self.level_term(LevelName::SourceLow)?,
            Keyword::L2 => self.level_term(LevelName::TargetLow)?,
            Keyword::H1 => self.level_term(LevelName::SourceHigh)?,
            Keyword::SameUser | Keyword::Role | Keyword::Source | Keyword::Target => {
                self.old_term(keyword)?
            }
            _ => return Err(self.expected(WHAT)),
        };
        self.unit.constraint_terms.push(term);
        Ok(())
    }

    /// `sameuser`, `role dom`, `source role names` and so on: the ways of old.
    fn old_term(&mut self, keyword: Keyword) -> Read<ConstraintTerm> {
        self.advance();
        let side = match keyword {
            Keyword::SameUser => {
                let (part, op) = (ContextPart::User, CompareOp::Eq);
                return Ok(ConstraintTerm::Parts { part, op });
            }
            Keyword::Role => {
                let (part, op) = (ContextPart::Role, self.compare_op(true)?);
                return Ok(ConstraintTerm::Parts { part, op });
            }
            Keyword::Source => Side::Source,
            _ => Side::Target,
        };
        let part = if self.eat_keyword(Keyword::Role) {
            ContextPart::Role
        } else if self.eat_keyword(Keyword::Type) {
            ContextPart::Type
        } else {
            return Err(self.expected("`role` or `type`"));
        };
        let names = self.constraint_names()?;
        Ok(ConstraintTerm::Names { part, side, op: CompareOp::Eq, names })
    }

    /// `t1 == t2` or `t1 == names`
    fn part_term(&mut self, part: ContextPart, side: Side) -> Read<ConstraintTerm> {
        self.advance();
        let op_token = self.token;
        let op = self.compare_op(side == Side::Source && part == ContextPart::Role)?;
        let other = match part {
            ContextPart::User => Keyword::U2,
            ContextPart::Role => Keyword::R2,
            ContextPart::Type => Keyword::T2,
        };
        if side == Side::Source && self.eat_keyword(other) {
            return Ok(ConstraintTerm::Parts { part, op });
        }
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            let message = "roles are compared with names by `==` or `!=` only";
            self.report(crate::diagnostic::Diagnostic::error(
                Code::UnexpectedToken,
                op_token.span,
                message,
            ));
            return Err(super::parser::Failed);
        }
        let names = self.constraint_names()?;
        Ok(ConstraintTerm::Names { part, side, op, names })
    }

    fn level_term(&mut self, left: LevelName) -> Read<ConstraintTerm> {
        self.advance();
        let op = self.compare_op(true)?;
        let right = match (left, self.token.kind) {
            (LevelName::SourceLow | LevelName::SourceHigh, TokenKind::Keyword(Keyword::L2)) => {
                LevelName::TargetLow
            }
            (_, TokenKind::Keyword(Keyword::H2)) => LevelName::TargetHigh,
            (LevelName::SourceLow, TokenKind::Keyword(Keyword::H1)) => LevelName::SourceHigh,
            _ => {
                return Err(self.expected(match left {
                    LevelName::SourceLow => "`l2`, `h2` or `h1`",
                    LevelName::SourceHigh => "`l2` or `h2`",
                    _ => "`h2`",
                }));
            }
        };
        self.advance();
        Ok(ConstraintTerm::Levels { left, op, right })
    }

    fn compare_op(&mut self, ordered: bool) -> Read<CompareOp> {
        let op = match self.token.kind {
            TokenKind::Equal | TokenKind::Keyword(Keyword::Eq) => CompareOp::Eq,
            TokenKind::NotEqual => CompareOp::Ne,
            TokenKind::Keyword(Keyword::Dom) if ordered => CompareOp::Dom,
            TokenKind::Keyword(Keyword::DomBy) if ordered => CompareOp::DomBy,
            TokenKind::Keyword(Keyword::Incomp) if ordered => CompareOp::Incomp,
            _ if ordered => return Err(self.expected("`==`, `!=`, `dom`, `domby` or `incomp`")),
            _ => return Err(self.expected("`==` or `!=`")),
        };
        self.advance();
        Ok(op)
    }

    /// Names of a constraint: neither nested nor with exceptions.
    fn constraint_names(&mut self) -> Read<Set> {
        let span = self.token.span;
        let start = pool_index(self.unit.set_items.len());
        let form = if self.eat(TokenKind::Star) {
            SetForm::All
        } else {
            let form =
                if self.eat(TokenKind::Tilde) { SetForm::Complement } else { SetForm::Listed };
            self.listed_names()?;
            form
        };
        let items = Slice { start, end: pool_index(self.unit.set_items.len()) };
        Ok(Set { form, items, span })
    }

    fn listed_names(&mut self) -> Read<()> {
        const WHAT: &str = "a name";
        if self.token.kind != TokenKind::Open {
            let ident = self.ident(WHAT)?;
            self.unit.set_items.push(SetItem { ident, excluded: false });
            return Ok(());
        }
        let first = self.unit.idents.len();
        self.flat_list(WHAT)?;
        // The list is wanted as items of a set.
        let items = self.unit.idents.drain(first..);
        self.unit.set_items.extend(items.map(|ident| SetItem { ident, excluded: false }));
        Ok(())
    }
}
