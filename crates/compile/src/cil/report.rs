//! Findings, each told once at its place.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::source::Pos;
use rustc_hash::FxHashSet;

/// So many are told at most.
const MOST: usize = 1000;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) faults: Vec<Diagnostic>,
    /// Statements that are missing, which may be so for a fault.
    pub(crate) missing: Vec<Diagnostic>,
}

impl Told {
    pub(crate) fn append(&mut self, mut other: Self) {
        self.faults.append(&mut other.faults);
        self.missing.append(&mut other.missing);
    }

    /// In the order of places, each once. What is missing beside another fault has not been forgotten.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let Self { faults: mut all, missing } = self;
        if all.iter().all(|it| it.severity != Severity::Error) {
            all.extend(missing);
        }
        all.sort_by_key(|it| it.span);
        all.dedup_by(|a, b| a.span == b.span && a.code == b.code);
        all
    }
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    told: Told,
    seen: FxHashSet<(Pos, Code)>,
    failed: bool,
}

impl Report {
    /// Adds a finding, unless the same was found at this place: the body of a macro is looked at once for each call.
    pub(crate) fn add(&mut self, it: Diagnostic) {
        if self.is_new(&it) {
            self.told.faults.push(it);
        }
    }

    /// The same of a statement that is missing.
    pub(crate) fn add_missing(&mut self, it: Diagnostic) {
        if self.is_new(&it) {
            self.told.missing.push(it);
        }
    }

    fn is_new(&mut self, it: &Diagnostic) -> bool {
        self.failed |= it.severity == Severity::Error;
        self.len() < MOST && self.seen.insert((it.span.pos, it.code))
    }

    /// How many were told.
    pub(crate) fn len(&self) -> usize {
        self.told.faults.len() + self.told.missing.len()
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// All of them, in the order of places.
    pub(crate) fn into_told(mut self) -> Told {
        self.told.faults.sort_by_key(|it| it.span);
        self.told.missing.sort_by_key(|it| it.span);
        self.told
    }
}
