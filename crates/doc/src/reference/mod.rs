//! What the sources of a tree say of themselves: modules, interfaces, booleans, and who calls whom.

mod scan;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;

use mandate_compile::refpolicy::{ModuleTexts, Texts, modules::Setting};
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::{Expansions, SourceMap, Span};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::comment::{self, Block, Comment};
use scan::{Definition, Scanned};

/// A file and a line in it, from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The path within the tree.
    pub path: String,
    /// The line.
    pub line: usize,
}

/// All that the sources say.
#[derive(Debug, Default)]
pub struct Reference {
    /// Modules, by name.
    pub modules: Vec<Module>,
    /// Interfaces and templates, by module, each in the order of its file.
    pub interfaces: Vec<Interface>,
    /// Declared booleans, by module; global ones last.
    pub booleans: Vec<Boolean>,
    /// What layers are for.
    pub layers: BTreeMap<String, Vec<Block>>,
    /// Interfaces by name.
    pub by_name: FxHashMap<String, u32>,
    /// Modules by the paths of their files.
    pub by_path: FxHashMap<String, u32>,
}

/// A module.
#[derive(Debug)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// The folder it stands in.
    pub layer: String,
    /// What it says of itself.
    pub about: Comment,
    /// The paths of its files.
    pub files: Vec<String>,
    /// How it is built.
    pub setting: Setting,
    /// Of [`Reference::interfaces`].
    pub interfaces: Range<u32>,
    /// What its rules call.
    pub calls: Vec<u32>,
    /// Of [`Reference::booleans`].
    pub booleans: Range<u32>,
    /// Comments above declarations of types in its rules.
    pub notes: FxHashMap<String, String>,
}

/// An interface or a template.
#[derive(Debug)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Does it declare things, too?
    pub template: bool,
    /// Of [`Reference::modules`].
    pub module: u32,
    /// Which of the module's it is, from 0.
    pub number: usize,
    /// What it says of itself.
    pub about: Comment,
    /// Where it stands.
    pub place: Place,
    /// How many arguments its text uses.
    pub used: usize,
    /// What it calls.
    pub calls: Vec<u32>,
    /// Who calls it.
    pub callers: Vec<Caller>,
    /// Does it warn of its use?
    pub deprecated: bool,
}

/// Who calls or uses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// The rules of a module.
    Module(u32),
    /// An interface.
    Interface(u32),
}

/// A boolean as a source declares it: `gen_tunable` or `gen_bool`.
#[derive(Debug)]
pub struct Boolean {
    /// Its name; with `$1` in it, those of many.
    pub name: String,
    /// What it decides.
    pub about: Comment,
    /// Its default.
    pub default: bool,
    /// `gen_tunable`?
    pub tunable: bool,
    /// Where it stands.
    pub place: Place,
    /// The module, unless it is global.
    pub module: Option<u32>,
    /// Who has `tunable_policy` with it.
    pub uses: Vec<(Caller, Place)>,
}

impl Interface {
    /// The names of its parameters: those of the comment, and numbers for others that its text uses.
    pub fn parameters(&self) -> impl Iterator<Item = String> {
        let count = self.about.parameters.len().max(self.used);
        (0..count).map(|it| {
            let named = self.about.parameters.get(it).map(|it| it.name.as_str());
            let named = named.filter(|it| !it.is_empty());
            named.map_or_else(|| format!("${}", it + 1), str::to_owned)
        })
    }

    /// How it is called.
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (number, name) in self.parameters().enumerate() {
            let it = self.about.parameters.get(number);
            let gap = if number == 0 { "" } else { ", " };
            let optional = it.is_some_and(|it| it.optional);
            text += &if optional { format!("[{gap}{name}]") } else { format!("{gap}{name}") };
        }
        text + ")"
    }
}

/// Finds places in files, the lines of each counted once.
pub struct Places<'a> {
    sources: &'a SourceMap,
    expansions: &'a Expansions,
    starts: Vec<std::sync::OnceLock<Vec<u32>>>,
}

impl<'a> Places<'a> {
    /// In these sources.
    pub fn new(sources: &'a SourceMap, expansions: &'a Expansions) -> Self {
        let starts = sources.files().iter().map(|_| std::sync::OnceLock::new()).collect();
        Self { sources, expansions, starts }
    }

    /// Where the outermost call stands that brought `span` about.
    pub fn outermost(&self, span: Span) -> Option<Place> {
        self.place(self.expansions.outermost(span))
    }

    /// Where `span` was spelled.
    pub fn place(&self, span: Span) -> Option<Place> {
        let (id, offset) = self.sources.locate(span.pos)?;
        let file = self.sources.file(id);
        let starts = self.starts.get(id.0 as usize)?.get_or_init(|| line_starts(&file.bytes));
        let line = starts.partition_point(|&it| it as usize <= offset);
        Some(Place { path: file.path.clone(), line })
    }
}

fn line_starts(bytes: &[u8]) -> Vec<u32> {
    let ends = bytes.iter().enumerate().filter(|it| *it.1 == b'\n');
    let starts = ends.filter_map(|it| u32::try_from(it.0 + 1).ok());
    std::iter::once(0).chain(starts).collect()
}

/// Reads all texts.
pub fn read(texts: &Texts) -> (Reference, Vec<Diagnostic>) {
    let places = Places::new(&texts.sources, &texts.expansions);
    let scanned: Vec<Scanned> =
        texts.modules.par_iter().map(|it| scan::module(it, &places)).collect();
    let globals = texts.globals.iter().map(|(path, text)| scan::rules(path, text, &places));
    let globals: Vec<Scanned> = globals.collect();
    let mut told = Vec::new();
    let mut reference = Reference::default();
    let mut bodies = Vec::new();
    for (texts, mut scanned) in texts.modules.iter().zip(scanned) {
        told.append(&mut scanned.told);
        reference.add_module(texts, scanned, &mut bodies);
    }
    for mut scanned in globals {
        told.append(&mut scanned.told);
        reference.add_booleans(scanned.booleans, None);
    }
    reference.layers = layers(texts, &mut told);
    reference.link(texts, &bodies, &places);
    (reference, told)
}

/// The part of a module's interfaces that is the text of one.
struct Body {
    module: usize,
    range: Range<usize>,
}

impl Reference {
    fn add_module(&mut self, texts: &ModuleTexts, scanned: Scanned, bodies: &mut Vec<Body>) {
        let number = small(self.modules.len());
        let files = [
            texts.interfaces.as_ref().map(|it| &it.0),
            texts.rules.as_ref().map(|it| &it.0),
            texts.file_contexts.as_ref(),
        ];
        let files: Vec<String> = files.into_iter().flatten().cloned().collect();
        let layer = files.first().and_then(|it| it.rsplit('/').nth(1)).unwrap_or_default();
        let first = small(self.interfaces.len());
        for (at, definition) in scanned.interfaces.into_iter().enumerate() {
            self.add_interface(definition, (number, at), bodies);
        }
        let booleans = self.add_booleans(scanned.booleans, Some(number));
        for path in &files {
            self.by_path.insert(path.clone(), number);
            // Places in what is generated stand in what it is made from.
            for made_from in ["in", "m4"] {
                self.by_path.insert(format!("{path}.{made_from}"), number);
            }
        }
        self.modules.push(Module {
            name: texts.name.clone(),
            layer: layer.to_owned(),
            about: scanned.about,
            files,
            setting: texts.setting,
            interfaces: first..small(self.interfaces.len()),
            calls: Vec::new(),
            booleans,
            notes: scanned.notes,
        });
    }

    fn add_interface(
        &mut self,
        it: Definition,
        (module, number): (u32, usize),
        bodies: &mut Vec<Body>,
    ) {
        let place = small(self.interfaces.len());
        self.by_name.entry(it.name.clone()).or_insert(place);
        bodies.push(Body { module: module as usize, range: it.body });
        self.interfaces.push(Interface {
            name: it.name,
            template: it.template,
            module,
            number,
            about: it.about,
            place: it.place,
            used: it.used,
            calls: Vec::new(),
            callers: Vec::new(),
            deprecated: it.deprecated,
        });
    }

    fn add_booleans(&mut self, found: Vec<Boolean>, module: Option<u32>) -> Range<u32> {
        let first = small(self.booleans.len());
        self.booleans.extend(found.into_iter().map(|it| Boolean { module, ..it }));
        first..small(self.booleans.len())
    }

    /// Finds who calls whom, and who asks which boolean.
    fn link(&mut self, texts: &Texts, bodies: &[Body], places: &Places<'_>) {
        let of_interface = |body: &Body| match &texts.modules[body.module].interfaces {
            Some((_, text)) => words::of(text, body.range.clone(), &self.by_name, places),
            None => words::Words::default(),
        };
        let of_module = |module: &ModuleTexts| match &module.rules {
            Some((_, text)) => words::of(text, 0..text.bytes.len(), &self.by_name, places),
            None => words::Words::default(),
        };
        let of_interfaces: Vec<_> = bodies.par_iter().map(of_interface).collect();
        let of_modules: Vec<_> = texts.modules.par_iter().map(of_module).collect();
        let mut uses: FxHashMap<String, Vec<(Caller, Place)>> = FxHashMap::default();
        let mut called: Vec<(Caller, Vec<u32>)> = Vec::new();
        let modules = (0..).zip(of_modules).map(|(at, it)| (Caller::Module(at), it));
        let interfaces = (0..).zip(of_interfaces).map(|(at, it)| (Caller::Interface(at), it));
        for (caller, words) in modules.chain(interfaces) {
            for (name, place) in words.booleans {
                uses.entry(name).or_default().push((caller, place));
            }
            called.push((caller, words.calls));
        }
        for (caller, calls) in called {
            for &it in &calls {
                self.interfaces[it as usize].callers.push(caller);
            }
            match caller {
                Caller::Module(at) => self.modules[at as usize].calls = calls,
                Caller::Interface(at) => self.interfaces[at as usize].calls = calls,
            }
        }
        for boolean in &mut self.booleans {
            boolean.uses = uses.get(&boolean.name).cloned().unwrap_or_default();
        }
    }

    /// The module that a path belongs to.
    pub fn module_of(&self, place: &Place) -> Option<u32> {
        self.by_path.get(&place.path).copied()
    }

    /// Modules of a layer, by name.
    pub fn of_layer<'a>(&'a self, layer: &'a str) -> impl Iterator<Item = &'a Module> {
        self.modules.iter().filter(move |it| it.layer == layer)
    }

    /// The layers, with those that do not say what they are for.
    pub fn layer_names(&self) -> Vec<&str> {
        let names: FxHashSet<&str> = self.modules.iter().map(|it| it.layer.as_str()).collect();
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        names
    }

    /// The declaration of a boolean of the policy: by its name, or by one with `$1` that fits it.
    pub fn boolean(&self, name: &str) -> Option<&Boolean> {
        let exact = self.booleans.iter().find(|it| it.name == name);
        exact.or_else(|| self.booleans.iter().find(|it| fits(&it.name, name)))
    }
}

/// Is `name` what comes of `pattern` once its `$1` and so on are put in?
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('$') else { return false };
    let tail = rest.trim_start_matches(|it: char| it.is_ascii_digit());
    let tail = tail
        .rsplit_once('$')
        .map_or(tail, |(_, it)| it.trim_start_matches(|it: char| it.is_ascii_digit()));
    head.len() + tail.len() > 2
        && name.len() > head.len() + tail.len()
        && name.starts_with(head)
        && name.ends_with(tail)
}

/// `policy/modules/LAYER/metadata.xml`.
fn layers(texts: &Texts, told: &mut Vec<Diagnostic>) -> BTreeMap<String, Vec<Block>> {
    let mut found = BTreeMap::new();
    for file in texts.sources.files() {
        let Some(folder) = file.path.strip_suffix("/metadata.xml") else { continue };
        let Some(layer) = folder.rsplit('/').next() else { continue };
        let span = Span { pos: file.start(), ..Span::NOWHERE };
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        let (about, mut diagnostics) = comment::read(&[comment::Line { text, span }]);
        told.append(&mut diagnostics);
        found.insert(layer.to_owned(), about.summary);
    }
    found
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
