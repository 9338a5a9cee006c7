//! The runs of m4 over a source tree.

use std::sync::Arc;

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::m4::{Expanded, Machine, Message};
use mandate_syntax::source::{ExpansionRecorder, FileId, SourceMap, Span};
use mandate_syntax::text::Text;

use crate::outcome::SourceTree;
use crate::refpolicy::documented;
use crate::refpolicy::modules::{ModuleFile, ModuleTree};
use crate::refpolicy::settings::Settings;

/// The tree and what was read of it so far. All files are in the source map before anything is expanded.
pub(super) struct Reader<'a> {
    pub(super) tree: &'a SourceTree,
    pub(super) sources: SourceMap,
    ids: std::collections::BTreeMap<&'a str, FileId>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// Takes in all files.
    pub(super) fn new(tree: &'a SourceTree) -> Self {
        let mut reader = Self {
            tree,
            sources: SourceMap::new(),
            ids: std::collections::BTreeMap::new(),
            diagnostics: Vec::new(),
        };
        for (path, bytes) in tree {
            match reader.sources.add(path.as_str(), Arc::clone(bytes)) {
                Ok(id) => {
                    reader.ids.insert(path, id);
                }
                Err(error) => {
                    let it = Diagnostic::error(Code::MissingFile, Span::NOWHERE, error.to_string());
                    reader.diagnostics.push(it);
                    break;
                }
            }
        }
        reader
    }

    pub(super) fn file(&self, path: &str) -> Option<FileId> {
        self.ids.get(path).copied()
    }

    /// A file that may be missing, as text.
    pub(super) fn text(&self, path: &str) -> Option<Text> {
        self.file(path).map(|id| Text::of_file(self.sources.file(id)))
    }

    /// A file that a policy cannot do without.
    pub(super) fn needed(&mut self, path: &str) -> Text {
        self.text(path).unwrap_or_else(|| {
            let message = format!("`{path}` is missing from the source tree");
            let it = Diagnostic::error(Code::MissingFile, Span::NOWHERE, message);
            self.diagnostics.push(it.help("is this the root of a Reference Policy tree?"));
            Text::default()
        })
    }

    /// The support macros of the tree, and of LOCAL_ROOT.
    pub(super) fn support(&self, roots: &[&str]) -> Vec<Text> {
        let mut texts = Vec::new();
        for root in roots {
            let folder = format!("{root}policy/support/");
            let below = self.tree.range(folder.clone()..).map(|it| it.0.as_str());
            let below = below.take_while(|it| it.starts_with(&folder));
            texts.extend(below.filter(|it| it.ends_with(".spt")).filter_map(|it| self.text(it)));
        }
        texts
    }
}

/// Text of our own, which nobody wrote.
pub(super) fn plain(text: impl Into<Vec<u8>>) -> Text {
    Text { bytes: text.into(), origins: vec![(0, Span::NOWHERE)] }
}

/// m4 with a tree's support macros.
pub(super) fn machine(
    defines: &[(String, String)],
    support: &[Text],
    sources: &SourceMap,
    recorder: &mut ExpansionRecorder,
) -> (Machine, Expanded) {
    let mut machine = Machine::new();
    for (name, value) in defines {
        machine.define(name, value);
    }
    let silence = plain("divert(-1)\n");
    let inputs: Vec<&Text> = [&silence].into_iter().chain(support).collect();
    let expanded = machine.run(&inputs, sources, recorder);
    (machine, expanded)
}

/// Has every `gen_require` of a monolithic build written out, so that what it names is checked; the policy is the same.
/// (The original writes them only within optional blocks.)
pub(super) const ALWAYS_REQUIRE: &str =
    "divert(-1)define(`gen_require',` require { $1 } # end require\n')divert\n";

/// A file of a module: as it is, or made of the `.in` and `.m4` beside it.
pub(super) fn module_text(
    reader: &mut Reader<'_>,
    file: &ModuleFile,
    settings: &Settings,
    recorder: &mut ExpansionRecorder,
) -> Text {
    if !file.generated {
        return reader.needed(&file.path);
    }
    let source = reader.needed(&format!("{}.in", file.path));
    let Some(macros) = reader.text(&format!("{}.m4", file.path)) else { return source };
    let interfaces = file.path.ends_with(".if");
    let (mut text, input) = if interfaces {
        let rules = file.path.strip_suffix(".if").map(|it| format!("{it}.te.in"));
        let rules = reader.needed(&rules.unwrap_or_default());
        (source, network_lines(&rules))
    } else {
        (Text::default(), source)
    };
    let mut machine = Machine::new();
    machine.define("self_contained_policy", "");
    for (name, value) in settings.defines() {
        machine.define(&name, &value);
    }
    let (silence, speech) = (plain("divert(-1)"), plain("divert\n"));
    let inputs = [&silence, &macros, &speech, &input];
    let mut expanded = machine.run(&inputs, &reader.sources, recorder);
    reader.diagnostics.extend(report(&mut expanded, &reader.sources, recorder));
    let made = expanded.text.replaced(b"dollarsone", b"$1").replaced(b"dollarszero", b"$0");
    text.append(&made);
    text
}

/// The lines that interfaces are made of: those that declare something of the network.
fn network_lines(rules: &Text) -> Text {
    let mut out = Text::default();
    let mut start = 0;
    for line in rules.bytes.split_inclusive(|&it| it == b'\n') {
        if declares_network(line) {
            out.push(line, rules.span(start));
        }
        start += line.len();
    }
    out
}

fn declares_network(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let declares = |text: &str| {
        ["interface", "node", "port", "packet"].iter().any(|kind| text.starts_with(kind))
    };
    let network =
        text.trim_start_matches([' ', '\t']).strip_prefix("network_").is_some_and(declares);
    let infiniband = ["ib_pkey(", "ib_endport("]
        .iter()
        .any(|it| text.find(it).is_some_and(|at| text[at..].contains(')')));
    network || infiniband
}

/// All interfaces of the tree, as definitions that m4 reads before the rules.
pub(super) fn interfaces(
    reader: &mut Reader<'_>,
    modules: &ModuleTree,
    names: &[&str],
    settings: &Settings,
    support: &[Text],
    recorder: &mut ExpansionRecorder,
) -> (Text, Vec<(String, u16, u16)>) {
    let mut texts = Vec::new();
    for name in names {
        if let Some(file) = modules.modules.get(*name).and_then(|it| it.interfaces.as_ref()) {
            texts.push(module_text(reader, file, settings, recorder));
        }
    }
    let required = texts.iter().flat_map(|text| {
        documented::required_arguments(&text.bytes)
            .into_iter()
            .map(|(it, least, all)| (it.to_owned(), least, all))
    });
    let required = required.collect();
    let (mut machine, _) = machine(&[], support, &reader.sources, recorder);
    let inputs: Vec<&Text> = texts.iter().collect();
    let mut expanded = machine.run(&inputs, &reader.sources, recorder);
    reader.diagnostics.extend(report(&mut expanded, &reader.sources, recorder));
    (expanded.text.replaced(b"dollarsstar", b"$*"), required)
}

/// Has `machine` read interfaces, and watch how many arguments they are given.
pub(super) fn define_interfaces(
    reader: &mut Reader<'_>,
    machine: &mut Machine,
    text: &Text,
    arities: &[(String, u16, u16)],
    recorder: &mut ExpansionRecorder,
) {
    let mut expanded = machine.run(&[text], &reader.sources, recorder);
    let found = report(&mut expanded, &reader.sources, recorder);
    reader.diagnostics.extend(found);
    reader.diagnostics.extend(stray(&expanded.text));
    for (name, least, all) in arities {
        // Documentation may name parameters that the text does not use, and leave out some that it does.
        let used = u16::try_from(machine.parameters(name).unwrap_or(0)).unwrap_or(u16::MAX);
        let most = if *all == 0 { u16::MAX } else { (*all).max(used) };
        machine.require_arguments(name, (*least).min(used), most);
    }
}

/// Text outside of interfaces, which nobody ever sees: a warning at its first word on each line.
pub(super) fn stray(text: &Text) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.bytes.split_inclusive(|&it| it == b'\n') {
        let blank = line.iter().take_while(|it| it.is_ascii_whitespace()).count();
        if !matches!(line.get(blank), None | Some(b'#')) {
            let message = "this stands outside of any interface and is not part of the policy";
            let it = Diagnostic::warning(Code::Suspicious, text.span(start + blank), message);
            found.push(it.help("move it into an interface, or into the .te file of the module"));
        }
        start += line.len();
    }
    found
}

/// What m4 found, and what the source itself reported.
pub(super) fn report(
    expanded: &mut Expanded,
    sources: &SourceMap,
    recorder: &ExpansionRecorder,
) -> Vec<Diagnostic> {
    let mut found = std::mem::take(&mut expanded.diagnostics);
    for it in &expanded.messages {
        let chain = std::iter::once(it.span).chain(recorder.chain(it.span));
        // The macros that report lie in the support files: who called them is meant.
        let caller = chain.take(64).find(|&it| !in_support(it, sources)).unwrap_or(it.span);
        found.extend(message(it, sources).map(|it| Diagnostic { span: caller, ..it }));
    }
    found
}

/// Is it spelled in a support macro?
pub(super) fn in_support(span: Span, sources: &SourceMap) -> bool {
    let file = sources.locate(span.pos).map(|it| sources.file(it.0));
    file.is_some_and(|it| it.path.ends_with(".spt"))
}

/// A report of the source: `m4:FILE:LINE: Error: TEXT`.
fn message(message: &Message, sources: &SourceMap) -> Option<Diagnostic> {
    let text = message.text.trim();
    let (code, severity, what) = if let Some((_, what)) = text.split_once(": Error: ") {
        (Code::RaisedBySource, Severity::Error, what)
    } else if let Some((_, what)) = text.split_once(": Warning: ") {
        (Code::SourceWarning, Severity::Warning, what)
    } else if text.is_empty() {
        return None;
    } else {
        (Code::SourceWarning, Severity::Warning, text)
    };
    let what = what.trim_end_matches('.');
    let Some((name, rest)) =
        what.strip_prefix("duplicate definition of ").and_then(|it| it.split_once('('))
    else {
        return Some(Diagnostic { severity, ..Diagnostic::error(code, message.span, what) });
    };
    let text = format!("interface `{name}` is defined twice");
    let it = Diagnostic::error(Code::DuplicateInterface, message.span, text);
    Some(match first_definition(rest, sources) {
        Some(span) => it.label("defined again here").and(span, "first defined here"),
        None => it,
    })
}

/// The place that the source names: `). Original definition on FILE:LINE`.
fn first_definition(text: &str, sources: &SourceMap) -> Option<Span> {
    let (_, place) = text.split_once("Original definition on ")?;
    let (path, line) = place.trim_end_matches('.').rsplit_once(':')?;
    let line: usize = line.parse().ok()?;
    let file = sources.files().iter().find(|it| it.path == path)?;
    let before = file.bytes.split_inclusive(|&it| it == b'\n').take(line.checked_sub(1)?);
    let offset = before.map(<[u8]>::len).sum();
    Some(Span { pos: file.pos(offset), ..Span::NOWHERE })
}
