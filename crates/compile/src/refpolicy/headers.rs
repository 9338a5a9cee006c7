//! A module of one's own against installed headers: a folder with the interfaces and macros of a policy without its rules,
//! as Debian and Fedora install it (`/usr/share/selinux/devel/include`), and where there is one the policy as a binary.

use std::collections::BTreeMap;

use mandate_policydb::{Datum, PolicyDb};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::{self, ParseOptions, SourceKind, Unit};
use mandate_syntax::m4::Machine;
use mandate_syntax::source::{ExpansionRecorder, Expansions, SourceMap, Span};
use mandate_syntax::text::Text;
use rustc_hash::FxHashSet;

use super::expand::{self, Reader};
use super::modules::{ModuleFile, ModuleSource, ModuleTree};
use super::own::OwnModule;
use super::settings::{PolicyType, Settings};
use super::tell;
use crate::backend;
use crate::file_contexts;
use crate::module::{self, Known, NameKind, base_statements, check_scope};
use crate::outcome::{ModuleUnit, Outcome, Product, SourceTree};

/// Where the headers are in a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// What stands before `support/`: empty, or a path with `/` at its end.
    root: String,
    /// Interface files by the name of their module.
    interfaces: BTreeMap<String, String>,
}

impl Headers {
    /// Finds the headers in `tree`: the folder with `support/*.spt`, or one that holds it.
    pub fn find(tree: &SourceTree) -> Option<Self> {
        let macros = tree.keys().filter_map(|path| {
            let (folder, file) = path.rsplit_once('/')?;
            let root = folder.strip_suffix("support")?;
            (file.ends_with(".spt") && (root.is_empty() || root.ends_with('/'))).then_some(root)
        });
        let root = macros.min_by_key(|it| it.len())?.to_owned();
        let mut found = Self { root, interfaces: BTreeMap::new() };
        for path in tree.keys() {
            if let Some(name) = found.interface(path) {
                found.interfaces.insert(name.to_owned(), path.clone());
            }
        }
        Some(found)
    }

    /// The module whose interfaces `path` has: `LAYER/NAME.if` below the root.
    fn interface<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (layer, file) = path.strip_prefix(&self.root)?.split_once('/')?;
        let name = file.strip_suffix(".if")?;
        (layer != "support" && !name.contains('/')).then_some(name)
    }
}

/// Builds `own` against the headers of `tree`: with `base` the policy with the module added, without it nothing, but what is
/// wrong is told all the same. `overrides` are settings as on make's command line.
///
/// Without a base the modules themselves are the result ([`Outcome::modules`]), to be packaged.
///
/// Of the files around a policy there is `NAME.fc`: the file contexts of the module alone, sorted.
pub fn build(
    tree: &SourceTree,
    own: &[OwnModule],
    base: Option<&PolicyDb>,
    overrides: &[(String, String)],
) -> Outcome {
    let mut tree = tree.clone();
    let Some(headers) = Headers::find(&tree) else {
        let message = "there are no policy headers: no folder `support` with macros";
        let it = Diagnostic::error(Code::MissingFile, Span::NOWHERE, message);
        let it = it.help("headers are in /usr/share/selinux/devel/include or alike");
        return Outcome { diagnostics: vec![it], ..Outcome::default() };
    };
    own.iter().for_each(|it| it.insert(&mut tree));
    let reader = Reader::new(&tree);
    Build { reader, headers, own, base, expansions: Expansions::for_units(own.len() + 1) }
        .run(overrides)
}

/// Calls `with` with the macros of the interfaces of `tree`, the support macros alone, and all files; nothing if there are no headers.
pub(super) fn with_interfaces<T>(
    tree: &SourceTree,
    overrides: &[(String, String)],
    with: impl FnOnce(&Machine, &Machine, &SourceMap) -> T,
) -> Option<T> {
    let headers = Headers::find(tree)?;
    let reader = Reader::new(tree);
    let expansions = Expansions::for_units(1);
    let mut build = Build { reader, headers, own: &[], base: None, expansions };
    let settings = build.settings(overrides);
    let mut recorder = build.expansions.recorder(0);
    let machines = build.machines(&settings, &mut recorder);
    Some(with(&machines.interfaces, &machines.support, &build.reader.sources))
}

struct Build<'a> {
    reader: Reader<'a>,
    headers: Headers,
    own: &'a [OwnModule],
    base: Option<&'a PolicyDb>,
    expansions: Expansions,
}

/// m4 as far as files need it.
struct Machines {
    /// With the support macros.
    support: Machine,
    /// And all interfaces.
    interfaces: Machine,
}

impl Build<'_> {
    fn run(mut self, overrides: &[(String, String)]) -> Outcome {
        let settings = self.settings(overrides);
        let mut recorder = self.expansions.recorder(0);
        let mut machines = self.machines(&settings, &mut recorder);
        self.expansions.set(0, recorder);
        let mut units = Vec::new();
        let mut contexts = Vec::new();
        for (own, number) in self.own.iter().zip(1..) {
            let mut recorder = self.expansions.recorder(number);
            if let Some((path, _)) = &own.te {
                let unit = self.unit(path, &mut machines, &mut recorder);
                units.push((own.name.clone(), unit));
            }
            if let Some((path, _)) = &own.file_contexts {
                let text = self.reader.needed(path);
                contexts.push((own, self.expand(&text, &mut machines.support, &mut recorder)));
            }
            self.expansions.set(number, recorder);
        }
        let mut made = self.rules(units, &settings);
        for (own, text) in contexts {
            let (mut lines, found) = file_contexts::read(&text, made.policy.as_ref());
            self.reader.diagnostics.extend(found);
            file_contexts::sort(&mut lines);
            let text = file_contexts::render(&lines);
            if let Some(it) = made.modules.iter_mut().find(|it| it.name == own.name) {
                it.file_contexts.clone_from(&text);
            }
            made.files.insert(format!("{}.fc", own.name), text);
        }
        let Reader { sources, diagnostics, .. } = self.reader;
        let expansions = self.expansions;
        let diagnostics = tell::settle(diagnostics, &sources, &expansions);
        let modules = made.modules;
        let mut outcome = Outcome { sources, expansions, diagnostics, product: None, modules };
        if let (Some(policy), false) = (made.policy, outcome.failed()) {
            let disabled = made.disabled.into_iter().map(|it| it.optional).collect();
            let (origins, files) = (made.origins, made.files);
            let declarations = Vec::new();
            outcome.product = Some(Product { policy, origins, disabled, files, declarations });
        }
        outcome
    }

    fn settings(&mut self, overrides: &[(String, String)]) -> Settings {
        let path = format!("{}build.conf", self.headers.root);
        let file = self.reader.file(&path).map(|id| self.reader.sources.file(id).clone());
        let files: Vec<_> = file.iter().collect();
        let (mut settings, found) = Settings::read(&files, overrides);
        self.reader.diagnostics.extend(found);
        if let Some(base) = self.base {
            fit(&mut settings, base);
        }
        settings
    }

    fn machines(&mut self, settings: &Settings, recorder: &mut ExpansionRecorder) -> Machines {
        let support = self.support();
        let defines = defines(settings);
        let (machine, mut expanded) =
            expand::machine(&defines, &support, &self.reader.sources, recorder);
        let found = expand::report(&mut expanded, &self.reader.sources, recorder);
        self.reader.diagnostics.extend(found);
        let (modules, names) = self.modules();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (text, required) =
            expand::interfaces(&mut self.reader, &modules, &names, settings, &support, recorder);
        let mut interfaces = machine.clone();
        expand::define_interfaces(&mut self.reader, &mut interfaces, &text, &required, recorder);
        Machines { support: machine, interfaces }
    }

    fn support(&self) -> Vec<Text> {
        let folder = format!("{}support/", self.headers.root);
        let below = self.reader.tree.range(folder.clone()..).map(|it| it.0.as_str());
        let below = below.take_while(|it| it.starts_with(&folder));
        below.filter(|it| it.ends_with(".spt")).filter_map(|it| self.reader.text(it)).collect()
    }

    /// All modules with interfaces: those of the headers, then one's own, which stand in for those of their name.
    fn modules(&self) -> (ModuleTree, Vec<String>) {
        let mut tree = ModuleTree::default();
        for (name, path) in &self.headers.interfaces {
            let file = ModuleFile { path: path.clone(), generated: false };
            let source = ModuleSource { interfaces: Some(file), ..ModuleSource::default() };
            tree.modules.insert(name.clone(), source);
        }
        let mut names: Vec<String> = tree.modules.keys().cloned().collect();
        for own in self.own.iter().filter(|it| it.interfaces.is_some()) {
            names.retain(|it| *it != own.name);
            names.push(own.name.clone());
            tree.modules.insert(own.name.clone(), own.source());
        }
        (tree, names)
    }

    fn expand(
        &mut self,
        text: &Text,
        machine: &mut Machine,
        recorder: &mut ExpansionRecorder,
    ) -> Text {
        let mut expanded = machine.run_apart(&[text], &self.reader.sources, recorder);
        let found = expand::report(&mut expanded, &self.reader.sources, recorder);
        self.reader.diagnostics.extend(found);
        expanded.text
    }

    fn unit(
        &mut self,
        path: &str,
        machines: &mut Machines,
        recorder: &mut ExpansionRecorder,
    ) -> Unit {
        let text = self.reader.needed(path);
        let text = self.expand(&text, &mut machines.interfaces, recorder);
        let parsed = kernel::parse(&text, ParseOptions { kind: SourceKind::Expanded });
        self.reader.diagnostics.extend(parsed.diagnostics);
        let known: Vec<&str> = machines.interfaces.names().collect();
        for call in parsed.unknown_calls {
            let name = parsed.unit.text(call.name);
            self.reader.diagnostics.push(tell::unknown_call(name, call, &known));
        }
        parsed.unit
    }

    /// Checks the modules, each for itself, and adds them to the policy.
    fn rules(&mut self, units: Vec<(String, Unit)>, settings: &Settings) -> Made {
        let told = &mut self.reader.diagnostics;
        for (_, unit) in &units {
            told.extend(check_scope(unit, self.base.map(|it| it as &dyn Known), None));
        }
        let Some(base) = self.base else {
            let mls = settings.policy_type.mls();
            let mut modules = Vec::new();
            for (name, unit) in units {
                told_once(told, check_unit(&unit, settings));
                modules.push(ModuleUnit { name, unit, mls, file_contexts: Vec::new() });
            }
            return Made { modules, ..Made::default() };
        };
        let added = module::add(base, units.into_iter().map(|it| it.1).collect());
        told_once(told, added.diagnostics);
        let (policy, origins, disabled) = (added.policy, added.origins, added.disabled);
        Made { policy, origins, disabled, ..Made::default() }
    }
}

/// What came of the modules.
#[derive(Default)]
struct Made {
    policy: Option<PolicyDb>,
    origins: crate::outcome::RuleOrigins,
    disabled: Vec<backend::Unmet>,
    files: BTreeMap<String, Vec<u8>>,
    modules: Vec<ModuleUnit>,
}

/// Adds what is not about a place that an error stands at already.
fn told_once(told: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    let places: FxHashSet<Span> =
        told.iter().map(|it| it.span).filter(|it| *it != Span::NOWHERE).collect();
    told.extend(more.into_iter().filter(|it| !places.contains(&it.span)));
}

/// Checks a module of which the policy is not known: what it requires is taken to be there.
fn check_unit(unit: &Unit, settings: &Settings) -> Vec<Diagnostic> {
    let mut refused = Vec::new();
    base_statements(&unit.statements, &mut refused);
    if !refused.is_empty() {
        return refused;
    }
    let mls = settings.policy_type.mls();
    let version = mandate_policydb::PolicyVersion::MAX;
    let options = backend::Options { mls, version, ..backend::Options::default() };
    let world = module::of_requires(unit, mls);
    let mut found = backend::compile(&[world, unit.clone()], &options).diagnostics;
    // Names that are not there are not in scope either, which was told.
    found.retain(|it| !UNKNOWN.contains(&it.code));
    found
}

const UNKNOWN: [Code; 9] = [
    Code::UnknownType,
    Code::UnknownAttribute,
    Code::UnknownRole,
    Code::UnknownUser,
    Code::UnknownClass,
    Code::UnknownPermission,
    Code::UnknownBoolean,
    Code::UnknownSensitivity,
    Code::UnknownCategory,
];

/// What Debian's and Fedora's Makefile for modules defines.
fn defines(settings: &Settings) -> Vec<(String, String)> {
    let mut defines = settings.defines();
    defines.retain(|it| it.0 != "use_alsa");
    defines
}

/// The headers of one build serve policies of several types: what the policy is counts.
fn fit(settings: &mut Settings, base: &PolicyDb) {
    let levels = base.sensitivities.by_value().count();
    settings.policy_type = match (base.mls, levels) {
        (false, _) => PolicyType::Standard,
        (true, 1) => PolicyType::Mcs,
        (true, _) => PolicyType::Mls,
    };
    let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX).max(1);
    if base.mls {
        settings.mls_sensitivities = count(levels);
        settings.mls_categories = count(base.categories.by_value().count());
        settings.mcs_categories = settings.mls_categories;
    }
}

impl Known for PolicyDb {
    fn has(&self, kind: NameKind, name: &str) -> bool {
        match kind {
            NameKind::Type => self.types.find(name).is_some(),
            NameKind::Role => self.roles.find(name).is_some(),
            NameKind::User => self.users.find(name).is_some(),
            NameKind::Boolean => self.booleans.find(name).is_some(),
            NameKind::Class => self.classes.find(name).is_some(),
            NameKind::Sensitivity => self.sensitivities.find(name).is_some(),
            NameKind::Category => self.categories.find(name).is_some(),
        }
    }

    fn has_permission(&self, class: &str, permission: &str) -> bool {
        let class = self.classes.find(class).map(Datum::id);
        class.is_some_and(|it| self.permission(it, permission).is_some())
    }
}
