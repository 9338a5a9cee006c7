//! From units to a policy that was checked: what every form of source goes through.

use mandate_policydb::PolicyDb;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::Unit;
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use crate::backend::{self, Unmet};
use crate::bounds::Bounded;
use crate::outcome::RuleOrigins;
use crate::{assertion, bounds, optimise};

/// What is done besides compiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// Check `neverallow` and bounds.
    pub neverallow: bool,
    /// Remove rules that others make redundant.
    pub optimise: bool,
}

impl Default for Checks {
    fn default() -> Self {
        Self { neverallow: true, optimise: false }
    }
}

/// A policy, if there is no error, and what was found.
#[derive(Debug, Default)]
pub struct Whole {
    /// The policy.
    pub policy: Option<PolicyDb>,
    /// Where its rules were written.
    pub origins: RuleOrigins,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// Optional blocks that were left out.
    pub disabled: Vec<Unmet>,
    /// Requirements outside of optional blocks that nothing meets.
    pub unmet: Vec<Unmet>,
}

/// Compiles and checks.
pub fn compile(units: &[Unit], options: &backend::Options, checks: Checks) -> Whole {
    let compiled = backend::compile(units, options);
    let mut whole = Whole {
        policy: compiled.policy,
        origins: compiled.origins,
        diagnostics: compiled.diagnostics,
        disabled: compiled.disabled,
        unmet: compiled.unmet,
    };
    let Some(db) = &mut whole.policy else { return whole };
    if checks.neverallow {
        let violations = assertion::check(db, &compiled.assertions);
        let found = assertion::diagnostics(db, &compiled.assertions, &violations, &whole.origins);
        whole.diagnostics.extend(found);
        let violations = bounds::check(db);
        let bounded: FxHashMap<Bounded, Span> = compiled.bounded.into_iter().collect();
        let declared = |it| bounded.get(&it).copied().unwrap_or(Span::NOWHERE);
        whole.diagnostics.extend(bounds::diagnostics(db, &violations, &whole.origins, &declared));
    }
    if checks.optimise {
        optimise::optimise_sorted(db).apply(&mut whole.origins);
    }
    whole
}
