//! Constraints and defaults of a base.

use mandate_policydb::{
    Comparison, Constraint, Ebitmap, NameSet, Operator, Part, Term, TypeSet as Written, Whose,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    CompareOp, ConstraintTerm, ContextPart, DefaultRangeForm, DefaultSource, LevelName, RangePart,
    Set, Side, Slice, Statement, StatementKind,
};

use super::Raiser;
use crate::package::symbols::Kind;

impl Raiser<'_> {
    pub(super) fn constraint(&mut self, statement: &Statement) {
        if !self.options.base {
            let message = "only a base module may have constraints and defaults".to_owned();
            return self.error(Code::NotAllowedHere, statement.span, message);
        }
        match &statement.kind {
            StatementKind::Constrain { classes, permissions, expression, .. } => {
                let Some(expression) = self.expression(*expression) else { return };
                for &ident in self.idents(*classes) {
                    let Some(at) = self.find(Kind::Classes, ident) else { continue };
                    let permissions = self.permissions(at, permissions);
                    let expression = expression.clone();
                    let it = Constraint { permissions, expression };
                    // The newest stands first.
                    self.db.symbols.classes.entries[at].constraints.insert(0, it);
                }
            }
            StatementKind::ValidateTrans { classes, expression, .. } => {
                let Some(expression) = self.expression(*expression) else { return };
                for &ident in self.idents(*classes) {
                    let Some(at) = self.find(Kind::Classes, ident) else { continue };
                    let it = Constraint { permissions: 0, expression: expression.clone() };
                    self.db.symbols.classes.entries[at].validatetrans.insert(0, it);
                }
            }
            StatementKind::Default { part, classes, from } => {
                let slot = match part {
                    ContextPart::User => 0,
                    ContextPart::Role => 1,
                    ContextPart::Type => 3,
                };
                let number = match from {
                    DefaultSource::Source => 1,
                    DefaultSource::Target => 2,
                };
                self.default(*classes, slot, number);
            }
            StatementKind::DefaultRange { classes, form } => {
                let number = match form {
                    DefaultRangeForm::Glblub => 7,
                    DefaultRangeForm::From(from, part) => {
                        let first = match from {
                            DefaultSource::Source => 1,
                            DefaultSource::Target => 4,
                        };
                        first
                            + match part {
                                RangePart::Low => 0,
                                RangePart::High => 1,
                                RangePart::LowHigh => 2,
                            }
                    }
                };
                self.default(*classes, 2, number);
            }
            _ => {}
        }
    }

    fn default(&mut self, classes: mandate_syntax::kernel::ast::Idents, slot: usize, number: u32) {
        for &ident in self.idents(classes) {
            let Some(at) = self.find(Kind::Classes, ident) else { continue };
            let value = &mut self.db.symbols.classes.entries[at].defaults[slot];
            let before = std::mem::replace(value, number);
            if before != 0 && before != number {
                let message = format!("class `{}` has another default already", self.text(ident));
                self.diagnostics.push(Diagnostic::error(
                    Code::ConflictingRule,
                    ident.span,
                    message,
                ));
            }
        }
    }

    fn expression(&mut self, terms: Slice) -> Option<Vec<Term>> {
        let mut all = Vec::new();
        for term in &self.unit.constraint_terms[terms.range()] {
            all.push(match term {
                ConstraintTerm::Not => Term::Not,
                ConstraintTerm::And => Term::And,
                ConstraintTerm::Or => Term::Or,
                ConstraintTerm::Parts { part, op } => {
                    let what = match part {
                        ContextPart::User => Comparison::User,
                        ContextPart::Role => Comparison::Role,
                        ContextPart::Type => Comparison::Type,
                    };
                    Term::Compare(what, operator(*op))
                }
                ConstraintTerm::Levels { left, op, right } => {
                    Term::Compare(levels(*left, *right)?, operator(*op))
                }
                ConstraintTerm::Names { part, side, op, names } => {
                    Term::Names(self.name_set(*part, *side, *op, names))
                }
            });
        }
        Some(all)
    }

    fn name_set(&mut self, part: ContextPart, side: Side, op: CompareOp, set: &Set) -> NameSet {
        let whose = match side {
            Side::Source => Whose::Source,
            Side::Target => Whose::Target,
            Side::New => Whose::Process,
        };
        let (part, kind) = match part {
            ContextPart::User => (Part::User, Kind::Users),
            ContextPart::Role => (Part::Role, Kind::Roles),
            ContextPart::Type => (Part::Type, Kind::Types),
        };
        let negated = op == CompareOp::Ne;
        let (mut names, mut written) = (Ebitmap::new(), Written::default());
        if kind == Kind::Types {
            let set = self.types(set);
            written = Written { types: set.types, excluded: set.excluded, flags: set.flags };
        } else {
            self.refuse_exceptions(set, true, if kind == Kind::Users { "users" } else { "roles" });
            for item in &self.unit.set_items[set.items.range()] {
                if let Some(value) = self.value(kind, item.ident) {
                    names.insert(value - 1);
                }
            }
        }
        NameSet { part, whose, negated, names, written }
    }
}

fn operator(op: CompareOp) -> Operator {
    match op {
        CompareOp::Eq => Operator::Equal,
        CompareOp::Ne => Operator::NotEqual,
        CompareOp::Dom => Operator::Dominates,
        CompareOp::DomBy => Operator::DominatedBy,
        CompareOp::Incomp => Operator::Incomparable,
    }
}

fn levels(left: LevelName, right: LevelName) -> Option<Comparison> {
    use LevelName as L;
    Some(match (left, right) {
        (L::SourceLow, L::TargetLow) => Comparison::L1L2,
        (L::SourceLow, L::TargetHigh) => Comparison::L1H2,
        (L::SourceHigh, L::TargetLow) => Comparison::H1L2,
        (L::SourceHigh, L::TargetHigh) => Comparison::H1H2,
        (L::SourceLow, L::SourceHigh) => Comparison::L1H1,
        (L::TargetLow, L::TargetHigh) => Comparison::L2H2,
        _ => return None,
    })
}
