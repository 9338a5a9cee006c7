//! Findings, each told once at its place.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::source::Pos;
use rustc_hash::FxHashSet;

/// So many are told at most.
const MOST: usize = 1000;

#[derive(Debug, Default)]
pub(crate) struct Report {
    diagnostics: Vec<Diagnostic>,
    seen: FxHashSet<(Pos, Code)>,
    failed: bool,
}

impl Report {
    /// Adds a finding, unless the same was found at this place: the body of a macro is looked at once for each call.
    pub(crate) fn add(&mut self, it: Diagnostic) {
        self.failed |= it.severity == Severity::Error;
        if self.diagnostics.len() < MOST && self.seen.insert((it.span.pos, it.code)) {
            self.diagnostics.push(it);
        }
    }

    /// How many were told.
    pub(crate) fn len(&self) -> usize {
        self.diagnostics.len()
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// All of them, in the order of places.
    pub(crate) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|it| it.span);
        self.diagnostics
    }
}
