//! Where a rule was written, as text and as JSON.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::{Place, PlaceId, PolicyDb, Provenance, RuleKey, RulePlace};
use serde_json::{Value, json};

use crate::{FAINT, styled};

/// How many places of one rule are printed.
const MOST: usize = 20;

/// A rule with its condition.
pub(crate) fn rule(db: &PolicyDb, at: RulePlace) -> String {
    let Some(rule) = at.rule(db) else { return String::new() };
    let mut text = db.rule_to_string(rule);
    if let (Some(block), RulePlace::Conditional { when, .. }) = (at.block(db), at) {
        let condition = db.condition_to_string(block);
        text += &format!("  [ {condition} ]:{}", if when { "True" } else { "False" });
    }
    text
}

/// A rule as an object, with the places of the statements that give the permissions asked if they are known.
pub(crate) fn rule_json(
    db: &PolicyDb,
    provenance: Option<&Provenance>,
    at: RulePlace,
    asked: u32,
) -> Value {
    let rule = at.rule(db).map(|rule| db.rule_to_string(rule));
    let condition = at.block(db).map(|block| db.condition_to_string(block));
    let when = match at {
        RulePlace::Conditional { when, .. } => Some(when),
        RulePlace::Unconditional(_) => None,
    };
    let mut value = json!({ "rule": rule, "condition": condition, "when": when });
    if let (Some(provenance), Some(object)) = (provenance, value.as_object_mut()) {
        object.insert("places".to_owned(), to_json(provenance, RuleKey::Rule(at), asked));
    }
    value
}

/// Prints the statements of a rule that give one of the permissions asked.
pub(crate) fn print(
    provenance: Option<&Provenance>,
    rule: RuleKey,
    asked: u32,
    out: &mut dyn Write,
) -> Result<()> {
    let Some(provenance) = provenance else { return Ok(()) };
    print_all(provenance, &[(rule, asked)], out)
}

/// The same of several rules together: what one statement gave them all is told once.
pub(crate) fn print_all(
    provenance: &Provenance,
    rules: &[(RuleKey, u32)],
    out: &mut dyn Write,
) -> Result<()> {
    let places = of(provenance, rules);
    for &id in places.iter().take(MOST) {
        let place = provenance.place(id);
        writeln!(out, "      at {}", styled(FAINT, &text(&place)))?;
        for (name, inside, call) in calls(provenance, id) {
            let word = word(inside.path);
            writeln!(out, "        in {word} {name}, called at {}", styled(FAINT, &text(&call)))?;
        }
    }
    if places.len() > MOST {
        writeln!(out, "      and at {} more places", places.len() - MOST)?;
    }
    Ok(())
}

/// The same as JSON; the shape is in docs/json.md.
pub(crate) fn to_json(provenance: &Provenance, rule: RuleKey, asked: u32) -> Value {
    all_to_json(provenance, &[(rule, asked)])
}

/// The places of several rules as JSON, each once.
pub(crate) fn all_to_json(provenance: &Provenance, rules: &[(RuleKey, u32)]) -> Value {
    let place = |it: &Place<'_>| json!({ "file": it.path, "line": it.line, "column": it.column });
    let of_one = |id| {
        let calls = calls(provenance, id).map(|(name, _, call)| {
            let mut value = json!({ "macro": name });
            if let (Some(object), Value::Object(rest)) = (value.as_object_mut(), place(&call)) {
                object.extend(rest);
            }
            value
        });
        let mut value = place(&provenance.place(id));
        if let Some(object) = value.as_object_mut() {
            object.insert("expansion".to_owned(), calls.collect());
        }
        value
    };
    of(provenance, rules).into_iter().map(of_one).collect()
}

/// The places of the statements that give one of the permissions asked of each rule, each once.
fn of(provenance: &Provenance, rules: &[(RuleKey, u32)]) -> Vec<PlaceId> {
    let statements = rules
        .iter()
        .flat_map(|&(rule, asked)| provenance.places(rule).filter(move |it| it.0 & asked != 0));
    let mut places: Vec<PlaceId> = statements.map(|it| it.1).collect();
    places.sort_unstable_by_key(|&id| {
        let place = provenance.place(id);
        (place.path, place.line, place.column, id)
    });
    places.dedup();
    places
}

/// The calls that led to a place, innermost first: the macro's name, the place in its body, and where it was called.
fn calls(
    provenance: &Provenance,
    id: PlaceId,
) -> impl Iterator<Item = (&str, Place<'_>, Place<'_>)> {
    provenance.chain(id).filter_map(|inside| {
        let (name, call) = inside.within?;
        Some((name, inside, provenance.place(call)))
    })
}

fn text(place: &Place<'_>) -> String {
    format!("{}:{}", place.path, place.line)
}

/// What a macro of this file is called.
fn word(path: &str) -> &'static str {
    if path.ends_with(".if") { "interface" } else { "macro" }
}
