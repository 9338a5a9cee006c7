//! The texts of a tree's modules as a build reads them, for who reads their comments.

use mandate_syntax::source::{Expansions, SourceMap};
use mandate_syntax::text::Text;
use rustc_hash::FxHashMap;

use crate::outcome::SourceTree;
use crate::refpolicy::build::{Options, find_modules, read_settings, whole_tree};
use crate::refpolicy::expand::{self, Reader};
use crate::refpolicy::modules::{ModuleFile, ModuleList, Setting};

/// The texts of a tree's modules.
#[derive(Debug, Default)]
pub struct Texts {
    /// All files; the places in the texts are in it, and the same as in the outcome of a build.
    pub sources: SourceMap,
    /// The macro expansions that made generated texts.
    pub expansions: Expansions,
    /// The modules, by name.
    pub modules: Vec<ModuleTexts>,
    /// The files of global booleans and tunables, with their paths.
    pub globals: Vec<(String, Text)>,
}

/// The texts of a module.
#[derive(Debug)]
pub struct ModuleTexts {
    /// Its name.
    pub name: String,
    /// Path and text of the rules.
    pub rules: Option<(String, Text)>,
    /// Path and text of the interfaces.
    pub interfaces: Option<(String, Text)>,
    /// The path of the file contexts.
    pub file_contexts: Option<String>,
    /// How it is built.
    pub setting: Setting,
}

/// The texts of all modules of `tree` as a build reads them, with those that are generated, for who reads comments.
pub fn texts(tree: &SourceTree, options: &Options) -> Texts {
    let tree = whole_tree(tree, &[], options);
    let mut reader = Reader::new(&tree);
    let settings = read_settings(&mut reader, options);
    let (found, list) = find_modules(&mut reader, &settings, options);
    let mut expansions = Expansions::for_units(1);
    let mut recorder = expansions.recorder(0);
    let mut text = |file: &Option<ModuleFile>| {
        let file = file.as_ref()?;
        let text = expand::module_text(&mut reader, file, &settings, &mut recorder);
        Some((file.path.clone(), text))
    };
    let settings_of = settings_of(&list);
    let modules = found.modules.iter().map(|(name, it)| ModuleTexts {
        name: name.clone(),
        rules: text(&it.te),
        interfaces: text(&it.interfaces),
        file_contexts: it.file_contexts.as_ref().map(|it| it.path.clone()),
        setting: settings_of.get(name.as_str()).copied().unwrap_or(Setting::Off),
    });
    let modules = modules.collect();
    let globals = ["policy/global_booleans", "policy/global_tunables"];
    let globals = globals.iter().filter_map(|it| Some(((*it).to_owned(), reader.text(it)?)));
    let globals = globals.collect();
    expansions.set(0, recorder);
    Texts { sources: reader.sources, expansions, modules, globals }
}

/// How each module is built.
fn settings_of(list: &ModuleList) -> FxHashMap<&str, Setting> {
    let lists =
        [(&list.base, Setting::Base), (&list.modules, Setting::Module), (&list.off, Setting::Off)];
    let named = lists.into_iter().flat_map(|(names, it)| names.iter().map(move |name| (name, it)));
    named.map(|(name, it)| (name.as_str(), it)).collect()
}
