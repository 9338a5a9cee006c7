//! What `neverallow` statements forbid in a binary policy, which has forgotten its own.

use mandate_policydb::PolicyDb;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::kernel::{StatementKind, Unit};
use mandate_syntax::source::Span;

use super::map::Map;
use super::world;
use crate::assertion::Assertion;
use crate::backend::{self, Options};
use mandate_syntax::codes::Code;

/// The assertions of a unit of `neverallow` and `neverallowxperm` statements over the names of `base`.
///
/// # Errors
/// What is wrong with them; other statements among it.
pub fn forbidden(base: &PolicyDb, unit: Unit) -> Result<Vec<Assertion>, Vec<Diagnostic>> {
    let foreign = unit.statements.iter().filter(|it| !is_assertion(&it.kind));
    let mut found: Vec<Diagnostic> = foreign.map(|it| not_here(it.span)).collect();
    let options =
        Options { target: base.target, mls: base.mls, version: base.version, ..Options::default() };
    let compiled = backend::compile(&[world::of_policy(base), unit], &options);
    found.extend(compiled.diagnostics);
    found.retain(|it| it.severity == Severity::Error);
    match compiled.policy.filter(|_| found.is_empty()) {
        Some(db) => {
            let map = Map::new(&db, base);
            Ok(compiled.assertions.iter().map(|it| map.assertion(it)).collect())
        }
        None => Err(found),
    }
}

fn is_assertion(kind: &StatementKind) -> bool {
    use mandate_syntax::kernel::{AvKind, XpermKind};
    match kind {
        StatementKind::Av(rule) => rule.kind == AvKind::NeverAllow,
        StatementKind::Xperm(rule) => rule.kind == XpermKind::NeverAllow,
        StatementKind::Require(_) | StatementKind::Module { .. } => true,
        _ => false,
    }
}

fn not_here(span: Span) -> Diagnostic {
    let message = "only neverallow statements can stand here";
    Diagnostic::error(Code::NotAllowedHere, span, message)
}
