//! What a build tells beyond what its parts find.

use std::collections::BTreeMap;

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Label, Severity};
use mandate_syntax::kernel::{RequireKind, UnknownCall};
use mandate_syntax::source::{Expansions, Pos, SourceMap, Span};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::backend::Unmet;
use crate::near::did_you_mean;
use crate::refpolicy::expand::in_support;

/// A call of something that is no macro; `known` are the macros there are.
pub(super) fn unknown_call(name: &str, call: UnknownCall, known: &[&str]) -> Diagnostic {
    let message = format!("no interface or macro is called `{name}`");
    let it = Diagnostic::error(Code::UnknownInterface, call.name.span, message);
    match did_you_mean(name, known.iter().copied()) {
        Some(help) => it.help(help),
        None => it.help("is the module that defines it part of the source tree?"),
    }
}

/// Knows how often names stand in the sources: a name that stands nowhere else is a slip, one that a module which is
/// not built declares is none.
pub(super) struct Words<'a> {
    sources: &'a SourceMap,
    /// For names looked for before: how often they occur, and in how many files, each up to two.
    known: FxHashMap<String, (usize, usize)>,
}

impl<'a> Words<'a> {
    pub(super) fn new(sources: &'a SourceMap) -> Self {
        Self { sources, known: FxHashMap::default() }
    }

    /// Is the whole of `name` written at `span`, and in no other file of the tree?
    pub(super) fn is_slip(&mut self, name: &str, span: Span) -> bool {
        self.is_written_at(name, span) && self.occurrences(name).1 < 2
    }

    /// Is the whole of `name` written at `span`, and nowhere else in the tree?
    pub(super) fn is_alone(&mut self, name: &str, span: Span) -> bool {
        self.is_written_at(name, span) && self.occurrences(name).0 < 2
    }

    fn is_written_at(&self, name: &str, span: Span) -> bool {
        let Some((file, offset)) = self.sources.locate(span.pos) else { return false };
        is_word_at(&self.sources.file(file).bytes, offset, name)
    }

    /// How often `name` stands in rules and interfaces, and in how many files: counted up to two files.
    fn occurrences(&mut self, name: &str) -> (usize, usize) {
        if let Some(&known) = self.known.get(name) {
            return known;
        }
        let finder = memchr::memmem::Finder::new(name);
        let rules =
            |path: &str| [".te", ".if", ".in", ".m4", ".spt"].iter().any(|it| path.ends_with(it));
        let files = self.sources.files().iter().filter(|it| rules(&it.path));
        let counts = files.map(|file| {
            let found = finder.find_iter(&file.bytes);
            found.filter(|&at| is_word_at(&file.bytes, at, name)).count()
        });
        let counts: Vec<usize> = counts.filter(|&it| it > 0).take(2).collect();
        let found = (counts.iter().sum(), counts.len());
        self.known.insert(name.to_owned(), found);
        found
    }
}

fn is_word_at(bytes: &[u8], at: usize, name: &str) -> bool {
    let word = |it: Option<&u8>| it.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_');
    let before = at.checked_sub(1).and_then(|it| bytes.get(it));
    bytes.get(at..).is_some_and(|it| it.starts_with(name.as_bytes()))
        && !word(before)
        && !word(bytes.get(at + name.len()))
}

/// A requirement that is not met, where that is probably a slip. `known` gives the names of its kind.
pub(super) fn unmet<'n>(
    unmet: &Unmet,
    words: &mut Words<'_>,
    known: impl FnOnce(RequireKind) -> Vec<&'n str>,
) -> Option<Diagnostic> {
    let optional = unmet.optional.span != Span::NOWHERE;
    let permission = unmet.permission.as_deref();
    let required = unmet.optional.required;
    let slip = permission.is_some()
        || unmet.kind == RequireKind::Class
        || words.is_slip(&unmet.name, required);
    if !slip || (unmet.declared.is_some() && permission.is_none()) {
        return None;
    }
    let missing = &unmet.optional.missing;
    let it = if optional {
        let message =
            format!("this optional block is never in the policy: nothing declares {missing}");
        Diagnostic::warning(Code::OptionalDisabled, required, message)
            .and(unmet.optional.span, "the optional block")
    } else {
        let message = format!("{missing} is required, but nothing declares it");
        Diagnostic::warning(Code::UnmetGlobalRequire, required, message)
    };
    let it = it.label("required here");
    let name = permission.unwrap_or(&unmet.name);
    Some(match did_you_mean(name, known(unmet.kind)) {
        Some(help) => it.help(help),
        None => it,
    })
}

/// Names that are used but not declared, where a name much like it is declared and used nowhere: the slip is in the
/// declaration, which is told first.
pub(super) fn misspelt_declarations<'n>(
    diagnostics: &[Diagnostic],
    words: &mut Words<'_>,
    declared: impl FnOnce() -> Vec<(&'n str, Span)>,
) -> Vec<Diagnostic> {
    let unknown: BTreeMap<&str, &Diagnostic> =
        diagnostics.iter().filter_map(|it| Some((unknown_name(it)?, it))).collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    let declared = declared();
    let mut found = Vec::new();
    for (name, used) in unknown.into_iter().take(MOST_UNKNOWN) {
        let near = declared.iter().filter(|it| strsim::damerau_levenshtein(name, it.0) <= 2);
        for &(other, span) in near {
            if words.is_alone(other, span) {
                let message = format!(
                    "`{other}` is declared but used nowhere, and `{name}` is used but not declared"
                );
                let it = Diagnostic::error(used.code, span, message).label("declared here");
                found.push(it.and(used.span, format!("`{name}` is used here")));
            }
        }
    }
    found
}

/// So many names are looked at: more are another trouble.
const MOST_UNKNOWN: usize = 20;

/// The name that a diagnostic says is not declared.
fn unknown_name(it: &Diagnostic) -> Option<&str> {
    let names = matches!(
        it.code,
        Code::UnknownType | Code::UnknownAttribute | Code::UnknownRole | Code::UnknownBoolean
    );
    it.message.split('`').nth(1).filter(|_| names)
}

/// Puts diagnostics in order: errors first, each at the place where it can be mended, and once however often its text was
/// expanded.
pub(super) fn settle(
    diagnostics: Vec<Diagnostic>,
    sources: &SourceMap,
    expansions: &Expansions,
) -> Vec<Diagnostic> {
    let places = Places { sources, expansions };
    let mut settled: Vec<Diagnostic> = Vec::new();
    let mut known: FxHashMap<(Code, Pos, String), (usize, usize)> = FxHashMap::default();
    let faulty: FxHashSet<Span> =
        diagnostics.iter().filter(|it| lacks_argument(it)).map(|it| it.span).collect();
    for mut it in diagnostics {
        // What goes wrong within a call that lacks an argument follows from that.
        if places.chain(it.span).any(|call| faulty.contains(&call)) {
            continue;
        }
        places.mend(&mut it);
        let key = (it.code, it.span.pos, it.message.clone());
        match known.get_mut(&key) {
            Some((_, more)) if it.span != Span::NOWHERE => *more += 1,
            _ => {
                known.insert(key, (settled.len(), 0));
                settled.push(it);
            }
        }
    }
    for (index, more) in known.into_values() {
        if more > 0 {
            let times =
                if more == 1 { "once more".to_owned() } else { format!("{more} more times") };
            settled[index].notes.push(format!("the same text is expanded {times}"));
        }
    }
    settled.sort_by_key(|it| (std::cmp::Reverse(it.severity), stage(it.code)));
    settled
}

fn lacks_argument(it: &Diagnostic) -> bool {
    it.code == Code::ArgumentCount && it.severity == Severity::Error
}

/// A call that lacks an argument is no error if what it stands for reads without: m4 takes the argument as empty, and trees leave out the name at the end of a
/// transition in this way.
pub(super) fn forgive(diagnostics: &mut [Diagnostic], expansions: &Expansions) {
    let errors =
        diagnostics.iter().filter(|it| it.severity == Severity::Error && !lacks_argument(it));
    let faulty: FxHashSet<Span> =
        errors.flat_map(|it| expansions.chain(it.span).take(Places::DEPTH)).collect();
    for it in diagnostics.iter_mut().filter(|it| lacks_argument(it) && !faulty.contains(&it.span)) {
        it.severity = Severity::Warning;
        it.notes.push("it is empty, and the text reads all the same".to_owned());
    }
}

/// Finds the places where faults are to be mended.
struct Places<'a> {
    sources: &'a SourceMap,
    expansions: &'a Expansions,
}

impl Places<'_> {
    /// Deep enough for all but recursive macros.
    const DEPTH: usize = 64;

    fn chain(&self, span: Span) -> impl Iterator<Item = Span> {
        self.expansions.chain(span).take(Self::DEPTH)
    }

    fn mend(&self, it: &mut Diagnostic) {
        if it.code == Code::OptionalDisabled {
            // The word `optional` stands in a support macro; the block is where that is called.
            for label in it.labels.iter_mut().filter(|it| in_support(it.span, self.sources)) {
                let mut chain = self.chain(label.span);
                label.span = chain.find(|at| !in_support(*at, self.sources)).unwrap_or(label.span);
            }
        }
        if it.code == Code::MissingSemicolon {
            self.to_statement(it);
        }
        if it.span.pos == Span::NOWHERE.pos {
            it.span = self.chain(it.span).find(|at| at.pos != Span::NOWHERE.pos).unwrap_or(it.span);
        }
        let meaning = ["E03", "E04", "E05"].iter().any(|group| it.code.as_str().starts_with(group));
        // A set or pattern of the support macros is used with what it does not fit.
        if meaning
            && in_support(it.span, self.sources)
            && let Some(caller) = self.chain(it.span).find(|at| !in_support(*at, self.sources))
        {
            it.labels.push(Label { span: it.span, text: "it comes from here".to_owned() });
            it.span = caller;
        }
    }

    /// A statement may end in a macro's text: the semicolon belongs behind the macro's name, where the statement was written.
    fn to_statement(&self, it: &mut Diagnostic) {
        let Some(start) = it.labels.first().map(|it| it.span) else { return };
        let mut levels = std::iter::once(it.span).chain(self.chain(it.span));
        if let Some(level) = levels.find(|at| at.expansion == start.expansion) {
            it.span = level;
        }
    }
}

/// Faults of the text come before what follows from them.
fn stage(code: Code) -> u8 {
    match code {
        Code::UnclosedQuote | Code::ArgumentCount => 0,
        _ => 1,
    }
}

/// Only the errors, if there are any that make all others meaningless.
pub(super) fn fatal(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|it| it.severity == Severity::Error)
}
