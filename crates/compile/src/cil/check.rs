//! A binary policy against the `neverallow` rules of CIL.

use std::fmt::Write as _;
use std::sync::Arc;

use mandate_policydb::{PolicyDb, SymbolId, TypeId};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;

use super::{Options, lower, read};
use crate::outcome::{Outcome, RuleOrigins};
use crate::{assertion, backend};

/// Checks the rules of `db` against the `neverallow` rules of these files, which may name what the policy declares. There is no
/// product; violations are errors.
pub fn check_neverallows(
    db: &PolicyDb,
    path: &str,
    sources: Vec<(String, Arc<[u8]>)>,
    options: &Options,
) -> Outcome {
    let mut outcome = Outcome::default();
    let declared = (path.to_owned(), Arc::from(declarations(db).into_bytes()));
    let mut files = Vec::new();
    for (path, bytes) in std::iter::once(declared).chain(sources) {
        match outcome.sources.add(path, bytes) {
            Ok(id) => files.push(id),
            Err(error) => {
                let span = mandate_syntax::source::Span::NOWHERE;
                let error = Diagnostic::error(Code::MissingFile, span, error.to_string());
                outcome.diagnostics.push(error);
                return outcome;
            }
        }
    }
    let options = Options { mls: Some(false), disable_neverallow: false, ..options.clone() };
    let parsed = read(&mut outcome.sources, &files);
    let lowered = lower(parsed, &options, &mut outcome.expansions);
    outcome.diagnostics = lowered.diagnostics;
    if outcome.failed() {
        return outcome;
    }
    let compiled = backend::compile(&lowered.units, &backend::Options::default());
    // These are no whole policy.
    let faults = compiled.diagnostics.into_iter().filter(|it| it.code != Code::Incomplete);
    outcome.diagnostics.extend(faults);
    if !outcome.failed() {
        let violations = assertion::check(db, &compiled.assertions);
        let origins = RuleOrigins::default();
        let told = assertion::diagnostics(db, &compiled.assertions, &violations, &origins);
        outcome.diagnostics.extend(told);
    }
    outcome
}

/// What the policy declares, as CIL: classes and types with the values that they have.
fn declarations(db: &PolicyDb) -> String {
    let mut out = String::from("(sid kernel)\n(sidorder (kernel))\n");
    let words = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join(" ");
    for common in db.commons.by_value() {
        let names = words(&mut common.permissions.by_value().map(|it| it.name.to_string()));
        let _ = writeln!(out, "(common {} ({names}))", common.name);
    }
    for class in db.classes.by_value() {
        let names = words(&mut class.permissions.by_value().map(|it| it.name.to_string()));
        let _ = writeln!(out, "(class {} ({names}))", class.name);
        if let Some(common) = &class.common {
            let _ = writeln!(out, "(classcommon {} {common})", class.name);
        }
    }
    let names = words(&mut db.classes.by_value().map(|it| it.name.to_string()));
    let _ = writeln!(out, "(classorder ({names}))");
    let mut members: Vec<Vec<String>> = vec![Vec::new(); db.type_attributes.len() + 1];
    for value in 1..=db.types.nprim() {
        let datum = TypeId::from_value(value).and_then(|it| db.types.get(it));
        let _ = match datum {
            Some(it) if it.attribute => writeln!(out, "(typeattribute {})", it.name),
            Some(it) => writeln!(out, "(type {})", it.name),
            // So that all others keep their values.
            None => writeln!(out, "(type no-type-{value})"),
        };
        let Some(datum) = datum.filter(|it| !it.attribute) else { continue };
        let attributes = db.type_attributes.get(value as usize - 1);
        for attribute in attributes.into_iter().flat_map(|it| it.iter()) {
            if attribute + 1 != value
                && let Some(list) = members.get_mut(attribute as usize + 1)
            {
                list.push(datum.name.to_string());
            }
        }
    }
    for (value, list) in (0u32..).zip(&members).filter(|it| !it.1.is_empty()) {
        if let Some(attribute) = TypeId::from_value(value).and_then(|it| db.types.get(it)) {
            let _ = writeln!(out, "(typeattributeset {} ({}))", attribute.name, list.join(" "));
        }
    }
    for alias in db.types.iter().filter(|it| !it.primary) {
        if let Some(actual) = db.types.get(alias.id) {
            let _ = writeln!(out, "(typealias {})", alias.name);
            let _ = writeln!(out, "(typealiasactual {} {})", alias.name, actual.name);
        }
    }
    out
}
