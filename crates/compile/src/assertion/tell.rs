//! Violations as diagnostics: the rule and the `neverallow` side by side.

use std::collections::HashSet;

use mandate_policydb::{AvRule, PolicyDb, RuleKind, RulePlace};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::Span;

use super::{Assertion, Violation};
use crate::outcome::RuleOrigins;

/// How many statements behind one rule are shown.
const MOST_PLACES: usize = 5;

/// Tells violations, one diagnostic for each.
pub fn diagnostics(
    db: &PolicyDb,
    assertions: &[Assertion],
    violations: &[Violation],
    origins: &RuleOrigins,
) -> Vec<Diagnostic> {
    let told = violations.iter().filter_map(|violation| {
        let assertion = assertions.get(violation.assertion)?;
        Some(tell(db, assertion, violation, origins))
    });
    told.collect()
}

fn tell(
    db: &PolicyDb,
    assertion: &Assertion,
    violation: &Violation,
    origins: &RuleOrigins,
) -> Diagnostic {
    let xperm = !assertion.xperms.is_empty();
    let (code, keyword) = match xperm {
        true => (Code::NeverAllowXperm, "neverallowxperm"),
        false => (Code::NeverAllow, "neverallow"),
    };
    let mut places = places(origins, violation);
    let given = given(db, assertion, violation);
    let message = format!("`{given}` is forbidden by a {keyword}");
    let rule = violation.rule.rule(db);
    // Without a place of its own the neverallow is where it is told.
    let Some(first) = places.next() else {
        let told =
            Diagnostic::error(code, assertion.span, message).label(format!("{keyword} here"));
        return explained(db, violation, rule, told);
    };
    let mut told = Diagnostic::error(code, first, message).label("allowed here");
    for place in places.by_ref().take(MOST_PLACES - 1) {
        told = told.and(place, "allowed here too");
    }
    let more = places.count();
    told = told.and(assertion.span, format!("{keyword} here"));
    if more > 0 {
        told = told.note(format!("{more} more statements allow it"));
    }
    explained(db, violation, rule, told)
}

/// The statements of the rule that give what offends, each once.
fn places<'a>(
    origins: &'a RuleOrigins,
    violation: &'a Violation,
) -> impl Iterator<Item = Span> + 'a {
    let mut seen = HashSet::new();
    let of_rule = origins.of(violation.rule);
    of_rule
        .filter(|it| it.permissions & violation.permissions != 0)
        .map(|it| it.span)
        .filter(move |span| seen.insert(*span))
}

/// What is allowed against the assertion, as a rule between types.
fn given(db: &PolicyDb, assertion: &Assertion, violation: &Violation) -> String {
    let types = (violation.source, violation.target);
    let names = (db.types.name(types.0), db.types.name(types.1));
    let target = if types.0 == types.1 { "self" } else { &*names.1 };
    let class = db.classes.name(assertion.class);
    let (keyword, what) = match &violation.xperms {
        Some(it) => (RuleKind::AllowXperm.keyword(), it.to_statement()),
        None => {
            let names = db.permission_names(assertion.class, violation.permissions);
            (RuleKind::Allow.keyword(), format!("{{ {} }}", names.join(" ")))
        }
    };
    format!("{keyword} {} {target}:{class} {what};", names.0)
}

/// Adds how the rule comes to be about these types.
fn explained(
    db: &PolicyDb,
    violation: &Violation,
    rule: Option<&AvRule>,
    told: Diagnostic,
) -> Diagnostic {
    let Some(rule) = rule else { return told };
    let sides = [(rule.source, violation.source), (rule.target, violation.target)];
    let mut through: Vec<String> = Vec::new();
    for (named, type_) in sides {
        let text = format!("`{}` has attribute `{}`", db.types.name(type_), db.types.name(named));
        if named != type_ && !through.contains(&text) {
            through.push(text);
        }
    }
    let mut told = told;
    if !through.is_empty() {
        let rule = shortened(db, rule, violation.permissions);
        told = told.note(format!("the rule is `{rule}`: {}", through.join(" and ")));
    }
    if let Some(block) = violation.rule.block(db) {
        let condition = db.condition_to_string(block);
        let value = matches!(violation.rule, RulePlace::Conditional { when: true, .. });
        told = told.note(format!("it applies while `{condition}` is {value}"));
    }
    if violation.xperms.is_none()
        && rule.kind == RuleKind::Allow
        && told.code == Code::NeverAllowXperm
    {
        told = told.note("no allowxperm limits it, so every extended permission is allowed");
    }
    told
}

/// The rule with no more than these permissions.
fn shortened(db: &PolicyDb, rule: &AvRule, permissions: u32) -> String {
    match rule.kind.is_access_vector() {
        true => db.rule_to_string(&rule.with_permissions(rule.permissions() & permissions)),
        false => db.rule_to_string(rule),
    }
}
