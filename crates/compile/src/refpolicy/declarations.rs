//! What the units of a tree declare, and where.

use mandate_syntax::kernel::{Ident, RequireKind, Statement, StatementKind, Unit};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::outcome::Declaration;

/// The types, attributes, roles and booleans that the units declare, in their order.
pub(super) fn of(units: &[Unit]) -> Vec<Declaration> {
    let found: Vec<Vec<Declaration>> = units.par_iter().map(of_unit).collect();
    found.into_iter().flatten().collect()
}

fn of_unit(unit: &Unit) -> Vec<Declaration> {
    let mut found = Vec::new();
    gather(unit, &unit.statements, &mut found);
    found
}

fn gather(unit: &Unit, statements: &[Statement], found: &mut Vec<Declaration>) {
    for statement in statements {
        if let StatementKind::Optional { then, otherwise } = &statement.kind {
            gather(unit, then, found);
            gather(unit, otherwise.as_deref().unwrap_or_default(), found);
        } else if let Some((kind, name)) = declared(&statement.kind) {
            let (name, span) = (unit.text(name).to_owned(), name.span);
            found.push(Declaration { kind, name, span });
        }
    }
}

fn declared(kind: &StatementKind) -> Option<(RequireKind, Ident)> {
    match kind {
        StatementKind::Type { name, .. } => Some((RequireKind::Type, *name)),
        StatementKind::Attribute(name) => Some((RequireKind::Attribute, *name)),
        StatementKind::Role { name, .. } => Some((RequireKind::Role, *name)),
        StatementKind::Boolean { name, .. } => Some((RequireKind::Boolean, *name)),
        _ => None,
    }
}
