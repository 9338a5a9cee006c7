//! Gathers diagnostics: the same fault at the same place once, and a name's fault at a few places only.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// At how many places a name's fault is told.
const PLACES: u32 = 5;
/// How many diagnostics there are at most.
const MOST: usize = 2000;

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    diagnostics: Vec<Diagnostic>,
    seen: FxHashSet<(Code, Span, Option<Symbol>)>,
    places: FxHashMap<(Code, Symbol), u32>,
    errors: bool,
}

impl Report {
    /// Adds a diagnostic, unless it has been told at this place.
    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        self.errors |= diagnostic.severity == Severity::Error;
        let new = self.seen.insert((diagnostic.code, diagnostic.span, None));
        if (new || diagnostic.span == Span::NOWHERE) && self.diagnostics.len() < MOST {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Adds an error about a name, unless it has been told at this place, or often enough.
    pub(crate) fn about(
        &mut self,
        name: Symbol,
        code: Code,
        span: Span,
        diagnostic: impl FnOnce() -> Diagnostic,
    ) {
        self.errors = true;
        if !self.seen.insert((code, span, Some(name))) {
            return;
        }
        let places = self.places.entry((code, name)).or_default();
        *places += 1;
        if *places <= PLACES && self.diagnostics.len() < MOST {
            self.diagnostics.push(diagnostic());
        }
    }

    /// Is there an error?
    pub(crate) fn failed(&self) -> bool {
        self.errors
    }

    /// All of them, in the order of places.
    pub(crate) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|it| (it.span, it.code));
        self.diagnostics
    }
}
