//! From units to a policy that was checked: what every form of source goes through.

use mandate_syntax::kernel::Unit;
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use crate::backend::{self, Compiled};
use crate::bounds::Bounded;
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

/// Compiles and checks.
pub fn compile(units: &[Unit], options: &backend::Options, checks: Checks) -> Compiled {
    let mut compiled = backend::compile(units, options);
    let Some(db) = &mut compiled.policy else { return compiled };
    let (assertions, origins) = (&compiled.assertions, &mut compiled.origins);
    if checks.neverallow {
        let violations = assertion::check(db, assertions);
        let found = assertion::diagnostics(db, assertions, &violations, origins);
        compiled.diagnostics.extend(found);
        let violations = bounds::check(db);
        let bounded: FxHashMap<Bounded, Span> = compiled.bounded.iter().copied().collect();
        let declared = |it| bounded.get(&it).copied().unwrap_or(Span::NOWHERE);
        compiled.diagnostics.extend(bounds::diagnostics(db, &violations, origins, &declared));
    }
    if checks.optimise {
        optimise::optimise_sorted(db).apply(origins);
    }
    compiled
}
