//! Constraints and `validatetrans`.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    CompareOp, ConstraintTerm, ContextPart, LevelName, Set, SetItem, Side, Slice, StatementKind,
};

use super::{Lowerer, Res, Stop, slice};
use crate::cil::declare::{DeclKind, Space};

/// A word that stands for a part of a context.
fn context_part(keyword: Keyword) -> Option<(ContextPart, Side)> {
    use Keyword as K;
    Some(match keyword {
        K::U1 => (ContextPart::User, Side::Source),
        K::U2 => (ContextPart::User, Side::Target),
        K::U3 => (ContextPart::User, Side::New),
        K::R1 => (ContextPart::Role, Side::Source),
        K::R2 => (ContextPart::Role, Side::Target),
        K::R3 => (ContextPart::Role, Side::New),
        K::T1 => (ContextPart::Type, Side::Source),
        K::T2 => (ContextPart::Type, Side::Target),
        K::T3 => (ContextPart::Type, Side::New),
        _ => return None,
    })
}

fn level_name(keyword: Keyword) -> Option<LevelName> {
    Some(match keyword {
        Keyword::L1 => LevelName::SourceLow,
        Keyword::L2 => LevelName::TargetLow,
        Keyword::H1 => LevelName::SourceHigh,
        Keyword::H2 => LevelName::TargetHigh,
        _ => return None,
    })
}

fn compare(keyword: Keyword) -> Option<CompareOp> {
    Some(match keyword {
        Keyword::Eq => CompareOp::Eq,
        Keyword::Neq => CompareOp::Ne,
        Keyword::Dom => CompareOp::Dom,
        Keyword::DomBy => CompareOp::DomBy,
        Keyword::Incomp => CompareOp::Incomp,
        _ => return None,
    })
}

impl<'t> Lowerer<'_, 't> {
    pub(super) fn constraint(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        let [about, expression] = self.parts(statement, keyword)?;
        let mls = matches!(keyword, Keyword::MlsConstrain | Keyword::MlsValidateTrans);
        let start = self.unit.constraint_terms.len();
        if matches!(keyword, Keyword::ValidateTrans | Keyword::MlsValidateTrans) {
            let classes = self.classes(about)?;
            self.expression(expression, true)?;
            let expression = self.terms(start);
            if mls && !self.tables.mls {
                return Ok(());
            }
            for class in classes {
                let classes = self.idents([class]);
                let kind = StatementKind::ValidateTrans { mls, classes, expression };
                self.push(statement, kind);
            }
            return Ok(());
        }
        let permissions = self.class_permissions(about)?;
        self.expression(expression, false)?;
        let expression = self.terms(start);
        if mls && !self.tables.mls {
            return Ok(());
        }
        for (class, permissions) in self.permission_sets(&permissions, statement) {
            let classes = self.idents([class]);
            let kind = StatementKind::Constrain { mls, classes, permissions, expression };
            self.push(statement, kind);
        }
        Ok(())
    }

    fn terms(&self, start: usize) -> Slice {
        slice(start, self.unit.constraint_terms.len())
    }

    fn malformed(&mut self, element: Element<'_>, wrong: &str) -> Stop {
        let message = format!("a malformed constraint: {wrong}");
        let span = self.span(element);
        let error = Diagnostic::error(Code::BadExpression, span, message);
        self.tell(error.help("a comparison is `(eq t1 t2)`, `(dom l1 l2)` or `(eq t1 (a_t b_t))`"))
    }

    fn expression(&mut self, element: Element<'t>, transition: bool) -> Res {
        let parts: Vec<Element<'t>> = element.children().collect();
        let first = parts.first().and_then(|it| Keyword::of(it.word()?));
        let (term, operands) = match first {
            Some(Keyword::And) => (ConstraintTerm::And, 2),
            Some(Keyword::Or) => (ConstraintTerm::Or, 2),
            Some(Keyword::Not) => (ConstraintTerm::Not, 1),
            Some(keyword) => match compare(keyword) {
                Some(op) => return self.comparison(element, op, &parts[1..], transition),
                None => return Err(self.malformed(element, "no operator of constraints")),
            },
            None => return Err(self.malformed(element, "an operator is expected")),
        };
        if parts.len() != operands + 1 {
            let wrong =
                if operands == 1 { "`not` takes one operand" } else { "it takes two operands" };
            return Err(self.malformed(element, wrong));
        }
        for operand in &parts[1..] {
            self.expression(*operand, transition)?;
        }
        self.unit.constraint_terms.push(term);
        Ok(())
    }

    fn comparison(
        &mut self,
        element: Element<'t>,
        op: CompareOp,
        operands: &[Element<'t>],
        transition: bool,
    ) -> Res {
        let [left, right] = operands else {
            return Err(self.malformed(element, "a comparison has two sides"));
        };
        let Some(left) = left.word().and_then(Keyword::of) else {
            return Err(self.malformed(element, "left stands a part of a context, as `t1`"));
        };
        let right_word = right.word().and_then(Keyword::of);
        if let Some(left) = level_name(left) {
            let Some(right) = right_word.and_then(level_name) else {
                return Err(self.malformed(element, "a level is compared with a level"));
            };
            use LevelName as L;
            let fits = matches!(
                (left, right),
                (L::SourceLow | L::SourceHigh, L::TargetLow)
                    | (L::SourceLow | L::TargetLow | L::SourceHigh, L::TargetHigh)
                    | (L::SourceLow, L::SourceHigh)
            );
            if !fits {
                return Err(self.malformed(element, "these levels cannot be compared"));
            }
            self.unit.constraint_terms.push(ConstraintTerm::Levels { left, op, right });
            return Ok(());
        }
        let Some((part, side)) = context_part(left) else {
            return Err(self.malformed(element, "left stands a part of a context, as `t1`"));
        };
        if side == Side::New && !transition {
            return Err(self.malformed(element, "`u3`, `r3` and `t3` belong into `validatetrans`"));
        }
        let ordered = !matches!(op, CompareOp::Eq | CompareOp::Ne);
        if let Some((other, other_side)) = right_word.and_then(context_part) {
            let fits = side == Side::Source && other_side == Side::Target && part == other;
            if !fits || ordered && part != ContextPart::Role {
                return Err(self.malformed(element, "these parts cannot be compared"));
            }
            self.unit.constraint_terms.push(ConstraintTerm::Parts { part, op });
            return Ok(());
        }
        if right_word.and_then(level_name).is_some() || ordered {
            return Err(self.malformed(element, "names are compared with `eq` and `neq` alone"));
        }
        let names = self.names(part, *right)?;
        self.unit.constraint_terms.push(ConstraintTerm::Names { part, side, op, names });
        Ok(())
    }

    fn names(&mut self, part: ContextPart, element: Element<'t>) -> Res<Set> {
        let single = (!element.is_list()).then_some(element);
        let mut items = Vec::new();
        for name in single.into_iter().chain(element.children()) {
            let ident = match part {
                ContextPart::Role => self.role_or_attribute(name)?,
                ContextPart::Type => {
                    let decl = self.type_or_attribute(name)?;
                    self.ident(decl, name)
                }
                ContextPart::User => {
                    let kinds = &[DeclKind::User, DeclKind::UserAttribute];
                    let decl = self.declared_as(name, Space::Users, kinds)?;
                    if self.world.decl(decl).kind == DeclKind::UserAttribute {
                        for user in self.members_of_user_attribute(decl) {
                            let ident = self.ident(user, name);
                            items.push(SetItem { ident, excluded: false });
                        }
                        continue;
                    }
                    self.ident(decl, name)
                }
            };
            items.push(SetItem { ident, excluded: false });
        }
        let span = self.span(element);
        Ok(self.listed(&items, span))
    }
}
