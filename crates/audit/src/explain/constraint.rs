//! Which part of two contexts a constraint fails on.

use mandate_policydb::{Comparison as Compared, Constraint, Part, PolicyDb, Term};

use super::cause::{BrokenConstraint, Comparison, ConstraintPart};

/// Parts in the order in which they are blamed: what is an exception for types is not what the rule is about.
const PARTS: [ConstraintPart; 4] =
    [ConstraintPart::Level, ConstraintPart::User, ConstraintPart::Role, ConstraintPart::Type];

/// What an explanation tells of a constraint with the value after each term.
pub(super) fn broken(
    db: &PolicyDb,
    class: mandate_policydb::ClassId,
    constraint: &Constraint,
    values: &[bool],
) -> BrokenConstraint {
    let may = |part: &ConstraintPart| can_hold(constraint, values, *part);
    let part = PARTS.into_iter().find(may).unwrap_or(ConstraintPart::Several);
    let mut comparisons: Vec<Comparison> = Vec::new();
    for (term, &holds) in constraint.expression.iter().zip(values) {
        let comparison = Comparison { text: db.term_to_string(term), holds };
        if part_of(term).is_some() && !comparisons.contains(&comparison) {
            comparisons.push(comparison);
        }
    }
    BrokenConstraint { statement: db.constraint_to_string(class, constraint), part, comparisons }
}

/// Could the constraint hold if one part of the contexts were otherwise, and all others as they are?
fn can_hold(constraint: &Constraint, values: &[bool], part: ConstraintPart) -> bool {
    // What each operand may become: true, false.
    let mut stack: Vec<(bool, bool)> = Vec::new();
    for (term, &value) in constraint.expression.iter().zip(values) {
        let outcome = match term {
            Term::Not => stack.pop().map(|(yes, no)| (no, yes)),
            Term::And => two(&mut stack).map(|(a, b)| (a.0 && b.0, a.1 || b.1)),
            Term::Or => two(&mut stack).map(|(a, b)| (a.0 || b.0, a.1 && b.1)),
            leaf if part_of(leaf) == Some(part) => Some((true, true)),
            _ => Some((value, !value)),
        };
        stack.extend(outcome);
    }
    stack.last().is_some_and(|it| it.0)
}

fn two(stack: &mut Vec<(bool, bool)>) -> Option<((bool, bool), (bool, bool))> {
    let last = stack.pop()?;
    Some((stack.pop()?, last))
}

/// What a comparison is about; nothing of an operator.
fn part_of(term: &Term) -> Option<ConstraintPart> {
    Some(match term {
        Term::Not | Term::And | Term::Or => return None,
        Term::Compare(Compared::User, _) => ConstraintPart::User,
        Term::Compare(Compared::Role, _) => ConstraintPart::Role,
        Term::Compare(Compared::Type, _) => ConstraintPart::Type,
        Term::Compare(..) => ConstraintPart::Level,
        Term::Names(set) => match set.part {
            Part::User => ConstraintPart::User,
            Part::Role => ConstraintPart::Role,
            Part::Type => ConstraintPart::Type,
        },
    })
}
