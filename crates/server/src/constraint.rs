//! Evaluates constraint expressions. Source: `constraint_expr_eval` in the kernel's `security/selinux/ss/services.c`.

use mandate_policydb::{
    Comparison, Constraint, Context, MAX_CONSTRAINT_DEPTH, MlsLevel, NameSet, Operator, Part,
    PolicyDb, RoleId, SymbolId, Term, Whose,
};

/// The contexts that a constraint looks at.
#[derive(Clone, Copy)]
pub(crate) struct Contexts<'a> {
    pub(crate) source: &'a Context,
    pub(crate) target: &'a Context,
    /// Of a `validatetrans`: the process.
    pub(crate) process: Option<&'a Context>,
}

/// Does the constraint hold? `told` gets the value after each term.
pub(crate) fn holds(
    db: &PolicyDb,
    constraint: &Constraint,
    contexts: Contexts<'_>,
    mut told: impl FnMut(bool),
) -> bool {
    let mut stack = [false; MAX_CONSTRAINT_DEPTH];
    let mut depth = 0usize;
    for term in &constraint.expression {
        let value = match term {
            Term::Not => {
                depth -= 1;
                !at(&stack, depth)
            }
            Term::And => {
                depth -= 2;
                at(&stack, depth) & at(&stack, depth + 1)
            }
            Term::Or => {
                depth -= 2;
                at(&stack, depth) | at(&stack, depth + 1)
            }
            Term::Compare(what, operator) => compare(db, contexts, *what, *operator),
            Term::Names(set) => in_set(set, contexts),
        };
        told(value);
        let Some(place) = stack.get_mut(depth) else { return false };
        *place = value;
        depth += 1;
    }
    at(&stack, 0)
}

/// Does a constraint of a class hold between these contexts?
pub fn constraint_holds(
    db: &PolicyDb,
    constraint: &Constraint,
    source: &Context,
    target: &Context,
) -> bool {
    holds(db, constraint, Contexts { source, target, process: None }, |_| {})
}

fn at(stack: &[bool], depth: usize) -> bool {
    stack.get(depth).copied().unwrap_or(false)
}

fn in_set(set: &NameSet, contexts: Contexts<'_>) -> bool {
    let context = match set.whose {
        Whose::Source => contexts.source,
        Whose::Target => contexts.target,
        Whose::Process => contexts.process.unwrap_or(contexts.source),
    };
    let bit = match set.part {
        Part::User => context.user.bit(),
        Part::Role => context.role.bit(),
        Part::Type => context.type_.bit(),
    };
    set.names.contains(bit) != set.negated
}

fn compare(db: &PolicyDb, contexts: Contexts<'_>, what: Comparison, operator: Operator) -> bool {
    let (source, target) = (contexts.source, contexts.target);
    match what {
        Comparison::User => equal(source.user, target.user, operator),
        Comparison::Type => equal(source.type_, target.type_, operator),
        Comparison::Role => compare_roles(db, source.role, target.role, operator),
        levels => compare_levels(source, target, levels, operator),
    }
}

fn equal<T: PartialEq>(a: T, b: T, operator: Operator) -> bool {
    (a == b) == (operator == Operator::Equal)
}

fn compare_roles(db: &PolicyDb, a: RoleId, b: RoleId, operator: Operator) -> bool {
    let dominates = |a, b| db.roles.get(a).is_some_and(|role| role.dominates.has(b));
    match operator {
        Operator::Equal | Operator::NotEqual => equal(a, b, operator),
        Operator::Dominates => dominates(a, b),
        Operator::DominatedBy => dominates(b, a),
        Operator::Incomparable => !dominates(a, b) && !dominates(b, a),
    }
}

fn compare_levels(
    source: &Context,
    target: &Context,
    what: Comparison,
    operator: Operator,
) -> bool {
    let (Some(from), Some(to)) = (&source.range, &target.range) else {
        // Without MLS all levels are the same.
        return matches!(operator, Operator::Equal | Operator::Dominates | Operator::DominatedBy);
    };
    let (a, b): (&MlsLevel, &MlsLevel) = match what {
        Comparison::L1L2 => (&from.low, &to.low),
        Comparison::L1H2 => (&from.low, &to.high),
        Comparison::H1L2 => (&from.high, &to.low),
        Comparison::H1H2 => (&from.high, &to.high),
        Comparison::L1H1 => (&from.low, &from.high),
        Comparison::L2H2 => (&to.low, &to.high),
        Comparison::User | Comparison::Role | Comparison::Type => return false,
    };
    match operator {
        Operator::Equal => a == b,
        Operator::NotEqual => a != b,
        Operator::Dominates => a.dominates(b),
        Operator::DominatedBy => b.dominates(a),
        Operator::Incomparable => !a.dominates(b) && !b.dominates(a),
    }
}
