//! Diagnostics for people and for programs: the same findings as text, JSON and SARIF.

mod excerpt;
pub mod json;
pub mod sarif;
pub mod text;

use std::cmp::Reverse;

use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::source::{Expansions, SourceMap, Span};

/// What a run found and where that is: errors first, then warnings, then notes, each by file and line.
#[derive(Clone, Debug)]
pub struct Findings<'a> {
    sources: &'a SourceMap,
    expansions: &'a Expansions,
    diagnostics: Vec<&'a Diagnostic>,
}

/// A place as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// Columns the word there takes; 0 at the end of a line.
    pub(crate) width: usize,
}

/// A macro call that text came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call<'a> {
    /// `in this call of macro`, or how else it brought what stands elsewhere; its name follows.
    pub(crate) how: &'static str,
    pub(crate) name: String,
    pub(crate) place: Place<'a>,
}

/// So many levels of calls are told of.
const LEVELS: usize = 200;

impl<'a> Findings<'a> {
    /// Diagnostics whose places are in `sources` and `expansions`: errors first, else as they were found.
    pub fn new(
        sources: &'a SourceMap,
        expansions: &'a Expansions,
        diagnostics: &'a [Diagnostic],
    ) -> Self {
        let mut diagnostics: Vec<&Diagnostic> = diagnostics.iter().collect();
        diagnostics.sort_by_key(|it| Reverse(it.severity));
        Self { sources, expansions, diagnostics }
    }

    /// The findings of `outcome`.
    pub fn of(outcome: &'a mandate_compile::outcome::Outcome) -> Self {
        Self::new(&outcome.sources, &outcome.expansions, &outcome.diagnostics)
    }

    /// Without notes, which are told on request.
    #[must_use]
    pub fn without_notes(mut self) -> Self {
        self.diagnostics.retain(|it| it.severity != Severity::Note);
        self
    }

    /// How many there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|it| it.severity == severity).count()
    }

    /// `3 errors, 1 warning`; nothing if there are none.
    pub fn summary(&self) -> String {
        let counted = [(Severity::Error, "error"), (Severity::Warning, "warning")];
        let some = counted.map(|(severity, word)| (self.count(severity), word));
        let some = some.into_iter().filter(|it| it.0 != 0).map(|it| plural(it.0, it.1));
        some.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn place(&self, span: Span) -> Option<Place<'a>> {
        let at = self.sources.location(span.pos)?;
        let bytes = &self.sources.file(at.file).bytes[at.offset..];
        let width = excerpt::lossy(excerpt::word(bytes)).chars().count();
        Some(Place { file: at.path, line: at.line, column: at.column, width })
    }

    /// The calls that brought `span` here, innermost first. A macro that calls itself at one place stands there once; of more than
    /// [`LEVELS`] calls the outermost alone is added.
    pub(crate) fn calls(&self, span: Span) -> Vec<Call<'a>> {
        let mut within = span;
        let mut calls = Vec::new();
        for call in self.expansions.chain(span) {
            if call.pos == within.pos {
                within = call;
                continue;
            }
            let call = if calls.len() < LEVELS { call } else { self.expansions.outermost(call) };
            if let Some(place) = self.place(call) {
                let name = self.word(call);
                calls.push(Call { how: self.how(call, within, &name), name, place });
            }
            if calls.len() > LEVELS {
                break;
            }
            within = call;
        }
        calls
    }

    /// The findings in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a Diagnostic> {
        self.diagnostics.iter().copied()
    }

    /// The word at a place, safe to show.
    pub(crate) fn word(&self, span: Span) -> String {
        let Some((file, offset)) = self.sources.locate(span.pos) else { return String::new() };
        excerpt::safe(&excerpt::lossy(excerpt::word(&self.sources.file(file).bytes[offset..])))
    }

    /// How `call` brought what stands at `within`: by the word before the name it calls, or the kind of macro that `name` is.
    fn how(&self, call: Span, within: Span, name: &str) -> &'static str {
        const MACRO: &str = "in this call of macro";
        if let Some((file, offset)) = self.sources.locate(call.pos) {
            let file = self.sources.file(file);
            let before = file.bytes[..offset].trim_ascii_end();
            let is = |word: &str| file.path.ends_with(".cil") && before.ends_with(word.as_bytes());
            if is("(blockinherit") {
                return "inherited here from block";
            } else if is("(in") || is(" before") || is(" after") {
                return "put by this `in` into";
            }
        }
        let Some((file, offset)) = self.sources.locate(within.pos) else { return MACRO };
        let file = self.sources.file(file);
        let template = format!("template(`{name}'");
        let defined =
            |bytes: &[u8]| bytes.windows(template.len()).any(|it| it == template.as_bytes());
        match file.path.rsplit_once('.') {
            Some((_, "if")) if defined(&file.bytes[..offset]) => "in this call of template",
            Some((_, "if")) => "in this call of interface",
            _ => MACRO,
        }
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", excerpt::safe(self.file), self.line, self.column)
    }
}

pub(crate) fn plural(count: usize, word: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {word}{s}")
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
