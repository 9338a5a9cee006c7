//! Constraints of a base as statements.

use mandate_policydb::{Comparison, Constraint, NameSet, Operator, Part, Term, Whose};
use mandate_syntax::kernel::ast::{
    CompareOp, ConstraintTerm, ContextPart, LevelName, SetForm, SetItem, Side, Slice, Statement,
    StatementKind,
};

use super::{Lowerer, small};
use crate::package::sets::TypeSet;
use crate::package::symbols::Kind;

impl Lowerer<'_> {
    pub(super) fn constraints(&mut self, out: &mut Vec<Statement>) {
        // The newest stands first.
        for class in &self.db.symbols.classes.entries {
            for it in class.constraints.iter().rev() {
                let Some((mls, expression)) = self.expression(it) else { continue };
                let Some(name) = self.name(Kind::Classes, class.value) else { continue };
                let names = self.permissions(class.value, it.permissions);
                let (classes, permissions) = (self.one(name), self.listed(names));
                let kind = StatementKind::Constrain { mls, classes, permissions, expression };
                self.push(out, kind);
            }
            for it in class.validatetrans.iter().rev() {
                let Some((mls, expression)) = self.expression(it) else { continue };
                let Some(name) = self.name(Kind::Classes, class.value) else { continue };
                let classes = self.one(name);
                self.push(out, StatementKind::ValidateTrans { mls, classes, expression });
            }
        }
    }

    /// Does it speak of levels, and its terms.
    fn expression(&mut self, constraint: &Constraint) -> Option<(bool, Slice)> {
        let mut terms = Vec::new();
        let mut mls = false;
        for term in &constraint.expression {
            let term = match term {
                Term::Not => ConstraintTerm::Not,
                Term::And => ConstraintTerm::And,
                Term::Or => ConstraintTerm::Or,
                Term::Compare(what, operator) => comparison(*what, *operator),
                Term::Names(set) => self.name_set(set)?,
            };
            mls |= matches!(term, ConstraintTerm::Levels { .. });
            terms.push(term);
        }
        let start = small(self.unit.constraint_terms.len());
        self.unit.constraint_terms.extend(terms);
        Some((mls, Slice { start, end: small(self.unit.constraint_terms.len()) }))
    }

    fn name_set(&mut self, set: &NameSet) -> Option<ConstraintTerm> {
        let side = match set.whose {
            Whose::Source => Side::Source,
            Whose::Target => Side::Target,
            Whose::Process => Side::New,
        };
        let (part, kind) = match set.part {
            Part::User => (ContextPart::User, Kind::Users),
            Part::Role => (ContextPart::Role, Kind::Roles),
            Part::Type => (ContextPart::Type, Kind::Types),
        };
        let names = if kind == Kind::Types {
            let written = TypeSet {
                types: set.written.types.clone(),
                excluded: set.written.excluded.clone(),
                flags: set.written.flags,
            };
            let written = if written.is_empty() {
                TypeSet { types: set.names.clone(), ..written }
            } else {
                written
            };
            let all = self.type_set(&written, None);
            all.unwrap_or_else(|| self.set(SetForm::Listed, Vec::new()))
        } else {
            let names = self.bits(kind, &set.names);
            let items = names.into_iter().map(|ident| SetItem { ident, excluded: false });
            let items = items.collect();
            self.set(SetForm::Listed, items)
        };
        let op = if set.negated { CompareOp::Ne } else { CompareOp::Eq };
        Some(ConstraintTerm::Names { part, side, op, names })
    }
}

fn comparison(what: Comparison, operator: Operator) -> ConstraintTerm {
    let op = match operator {
        Operator::Equal => CompareOp::Eq,
        Operator::NotEqual => CompareOp::Ne,
        Operator::Dominates => CompareOp::Dom,
        Operator::DominatedBy => CompareOp::DomBy,
        Operator::Incomparable => CompareOp::Incomp,
    };
    let parts = |part| ConstraintTerm::Parts { part, op };
    let levels = |left, right| ConstraintTerm::Levels { left, op, right };
    use LevelName as L;
    match what {
        Comparison::User => parts(ContextPart::User),
        Comparison::Role => parts(ContextPart::Role),
        Comparison::Type => parts(ContextPart::Type),
        Comparison::L1L2 => levels(L::SourceLow, L::TargetLow),
        Comparison::L1H2 => levels(L::SourceLow, L::TargetHigh),
        Comparison::H1L2 => levels(L::SourceHigh, L::TargetLow),
        Comparison::H1H2 => levels(L::SourceHigh, L::TargetHigh),
        Comparison::L1H1 => levels(L::SourceLow, L::SourceHigh),
        Comparison::L2H2 => levels(L::TargetLow, L::TargetHigh),
    }
}
