//! The build: which texts are expanded in which order, what they are parsed to, and what comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use mandate_policydb::{PolicyDb, PolicyVersion};
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::kernel::{Parsed, RequireKind, StatementKind, Unit};
use mandate_syntax::m4::{Machine, quotes};
use mandate_syntax::source::{ExpansionRecorder, Expansions, SourceMap, Span};
use mandate_syntax::text::Text;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::backend::{self, Compiled};
use crate::cache::Cache;
use crate::file_contexts::{self, FileContext};
use crate::outcome::{Declaration, Outcome, Product, SourceTree};
use crate::refpolicy::expand::{self, Reader, plain};
use crate::refpolicy::files::{self, AppConfig, CustomizableTypes};
use crate::refpolicy::incremental::Kept;
use crate::refpolicy::jobs::{
    Callable, Done, Environment, Job, Machines, What, With, parse, run_jobs,
};
use crate::refpolicy::modules::{self, ModuleFile, ModuleList, ModuleTree};
use crate::refpolicy::own::{Declarations, OwnModule, check_alone};
use crate::refpolicy::settings::Settings;
use crate::refpolicy::tell::{self, Words};
use crate::refpolicy::{class_permissions, declarations, documented, interfaces};
use crate::whole::{self, Checks};

/// What can be chosen of a build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Settings that win over build.conf, as on make's command line.
    pub settings: Vec<(String, String)>,
    /// Stands in for `policy/modules.conf`: its path and bytes.
    pub modules: Option<(String, Arc<[u8]>)>,
    /// The version of the policy; without it that of build.conf, or 33.
    pub version: Option<PolicyVersion>,
    /// Leave `neverallow` unchecked.
    pub no_neverallow: bool,
    /// Remove rules that others make redundant.
    pub optimise: bool,
    /// Also compile the interfaces that nothing calls.
    pub check_interfaces: bool,
    /// Where the build keeps what the next one can use again.
    pub cache: Option<Arc<dyn Cache>>,
}

fn backend_options(settings: &Settings, options: &Options) -> backend::Options {
    let mut backend = backend::Options::default();
    backend.mls = settings.policy_type.mls();
    backend.handle_unknown = settings.handle_unknown;
    backend.version = options.version.or(settings.output_version).unwrap_or(backend.version);
    backend.sort_declarations = true;
    backend
}

/// The names of a kind that the units declare.
fn declared(units: &[Unit], kind: RequireKind) -> Vec<(&str, Span)> {
    let declares = |statement: &StatementKind| match (kind, statement) {
        (RequireKind::Type, StatementKind::Type { name, .. } | StatementKind::Attribute(name))
        | (RequireKind::Attribute, StatementKind::Attribute(name))
        | (RequireKind::Role, StatementKind::Role { name, .. })
        | (RequireKind::RoleAttribute, StatementKind::RoleAttribute(name))
        | (RequireKind::Class, StatementKind::Class(name))
        | (RequireKind::Boolean | RequireKind::Tunable, StatementKind::Boolean { name, .. }) => {
            Some(*name)
        }
        _ => None,
    };
    let mut names = Vec::new();
    for unit in units {
        let declared = unit.statements.iter().filter_map(|it| declares(&it.kind));
        names.extend(declared.map(|it| (unit.text(it), it.span)));
    }
    names
}

/// Builds the source tree `tree`.
pub fn build(tree: &SourceTree, options: &Options) -> Outcome {
    build_with(tree, &[], options)
}

/// Builds the source tree `tree` with modules of one's own, in place of those of the tree with their names.
pub fn build_with(tree: &SourceTree, own: &[OwnModule], options: &Options) -> Outcome {
    let tree = whole_tree(tree, own, options);
    let mut reader = Reader::new(&tree);
    let settings = read_settings(&mut reader, options);
    let root = local_root(&settings);
    let roots: Vec<&str> = std::iter::once("").chain(root.as_deref()).collect();
    let (mut found, mut list) = find_modules(&mut reader, &settings, options);
    own.iter().for_each(|it| it.join(&mut found, &mut list));
    Build { reader, settings, found, list, own, options, roots: &roots }.run()
}

/// Calls `with` with the macros of the interfaces of `tree`, the support macros alone, and all files.
pub(super) fn with_interfaces<T>(
    tree: &SourceTree,
    options: &Options,
    with: impl FnOnce(&Machine, &Machine, &SourceMap) -> T,
) -> T {
    let tree = whole_tree(tree, &[], options);
    let mut reader = Reader::new(&tree);
    let settings = read_settings(&mut reader, options);
    let root = local_root(&settings);
    let roots: Vec<&str> = std::iter::once("").chain(root.as_deref()).collect();
    let (found, list) = find_modules(&mut reader, &settings, options);
    let mut build = Build { reader, settings, found, list, own: &[], options, roots: &roots };
    let mut recorder = Expansions::for_units(1).recorder(0);
    let Machines { support, interfaces, .. } = build.prepare(&[], &mut recorder).machines;
    with(&interfaces, &support, &build.reader.sources)
}

/// What is read: the tree, what stands in for its modules.conf, and modules of one's own.
pub(super) fn whole_tree(tree: &SourceTree, own: &[OwnModule], options: &Options) -> SourceTree {
    let mut tree = tree.clone();
    own.iter().for_each(|it| it.insert(&mut tree));
    if let Some((path, bytes)) = &options.modules {
        tree.insert(path.clone(), Arc::clone(bytes));
    }
    tree
}

/// The path before the files of LOCAL_ROOT, with `/` at its end.
fn local_root(settings: &Settings) -> Option<String> {
    settings.local_root.as_deref().map(|it| format!("{}/", it.trim_end_matches('/')))
}

/// The modules there are, and which of them are built.
pub(super) fn find_modules(
    reader: &mut Reader<'_>,
    settings: &Settings,
    options: &Options,
) -> (ModuleTree, ModuleList) {
    let root = local_root(settings);
    let modules_conf = match (&options.modules, &root) {
        (Some((path, _)), _) => path.clone(),
        (None, Some(root)) => format!("{root}policy/modules.conf"),
        (None, None) => "policy/modules.conf".to_owned(),
    };
    let roots: Vec<&str> = std::iter::once("").chain(root.as_deref()).collect();
    let (found, diagnostics) = ModuleTree::find(reader.tree, &roots);
    reader.diagnostics.extend(diagnostics);
    let conf = reader.file(&modules_conf).map(|id| reader.sources.file(id).clone());
    let (list, diagnostics) = ModuleList::read(conf.as_ref(), &settings.apps, &found, reader.tree);
    reader.diagnostics.extend(diagnostics);
    (found, list)
}

/// Those of build.conf and of that in the LOCAL_ROOT it names, and of the command line.
pub(super) fn read_settings(reader: &mut Reader<'_>, options: &Options) -> Settings {
    let conf = |path: &str| reader.file(path).map(|id| reader.sources.file(id).clone());
    let tree = conf("build.conf");
    let (settings, _) = Settings::read(&tree.iter().collect::<Vec<_>>(), &options.settings);
    let root = settings.local_root.as_deref().map(|it| it.trim_end_matches('/'));
    let local = root.and_then(|it| conf(&format!("{it}/build.conf")));
    let files: Vec<_> = tree.iter().chain(&local).collect();
    let (mut settings, diagnostics) = Settings::read(&files, &options.settings);
    if let Some(makefile) = conf("Makefile") {
        settings.add_defines_of(&makefile.bytes);
    }
    reader.diagnostics.extend(diagnostics);
    settings
}

struct Build<'a> {
    reader: Reader<'a>,
    settings: Settings,
    found: ModuleTree,
    list: ModuleList,
    own: &'a [OwnModule],
    options: &'a Options,
    roots: &'a [&'a str],
}

impl Build<'_> {
    fn run(mut self) -> Outcome {
        self.check_quotes();
        if tell::fatal(&self.reader.diagnostics) {
            return self.stop(Expansions::default());
        }
        let built: Vec<String> = self.list.built().map(str::to_owned).collect();
        // One unit for the macros, one for each module and each file of interfaces, and room for the files around them.
        let mut expansions = Expansions::for_units(built.len() + self.found.modules.len() + 16);
        let mut recorder = expansions.recorder(0);
        let options = self.options;
        let sources = self.reader.sources.clone();
        let names: Vec<String> = self.list.all().map(str::to_owned).collect();
        let mut kept = options
            .cache
            .as_deref()
            .map(|it| Kept::new(it, &sources, &self.settings.defines(), &names));
        let Environment { machines, head, generated } =
            self.environment(kept.as_mut(), &built, &mut recorder);
        let jobs = self.jobs(&built, generated, &mut recorder);
        expansions.set(0, recorder);
        if tell::fatal(&self.reader.diagnostics) {
            return self.stop(expansions);
        }
        let done = run_jobs(&jobs, &machines, &sources, kept.as_ref(), &mut expansions, 1);
        let outcome = self.finish(head, done, &jobs, expansions, &machines);
        // To free them takes long, and nobody waits for it.
        rayon::spawn(move || drop((jobs, machines)));
        outcome
    }

    /// What all modules see, as an earlier build kept it or made anew.
    fn environment(
        &mut self,
        kept: Option<&mut Kept<'_>>,
        built: &[String],
        recorder: &mut ExpansionRecorder,
    ) -> Environment {
        let Some(kept) = kept else { return self.prepare(built, recorder) };
        if let Some(found) = kept.recall_environment(recorder) {
            self.reader.diagnostics.extend(found.diagnostics);
            *recorder = found.recorder;
            return found.environment;
        }
        let before = self.reader.diagnostics.len();
        let environment = self.prepare(built, recorder);
        let found = &self.reader.diagnostics[before..];
        if !tell::fatal(found) {
            kept.keep_environment(&environment, found, recorder);
        }
        environment
    }

    /// Quotes that do not pair up make all that follows meaningless. Rules of modules that are off are not read.
    fn check_quotes(&mut self) {
        let off = self.list.off.iter().filter_map(|it| self.found.modules.get(it)?.te.as_ref());
        let off: FxHashSet<&str> = off.map(|it| it.path.as_str()).collect();
        let rules = |path: &str| {
            [".te", ".if", ".spt"].iter().any(|it| path.ends_with(it)) && !off.contains(path)
        };
        let files = self.reader.sources.files().par_iter().filter(|it| rules(&it.path));
        let found: Vec<Diagnostic> = files.filter_map(quotes::unbalanced).collect();
        self.reader.diagnostics.extend(found);
    }

    fn stop(self, expansions: Expansions) -> Outcome {
        let sources = self.reader.sources;
        let mut diagnostics = tell::settle(self.reader.diagnostics, &sources, &expansions);
        if !self.own.is_empty() {
            // Who builds a module of their own is not told of slips in the tree.
            let own = |span| {
                let path = sources.location(span).map(|it| it.path);
                path.is_some_and(|path| self.own.iter().any(|it| it.has(path)))
            };
            diagnostics.retain(|it| {
                it.severity == Severity::Error
                    || own(it.span.pos)
                    || own(expansions.outermost(it.span).pos)
            });
        }
        Outcome { sources, expansions, diagnostics, ..Outcome::default() }
    }

    fn prepare(&mut self, built: &[String], recorder: &mut ExpansionRecorder) -> Environment {
        let support = self.reader.support(self.roots);
        let mut defines = self.settings.defines();
        let (bare, _) = expand::machine(&defines, &support, &self.reader.sources, recorder);
        defines.push(("self_contained_policy".to_owned(), String::new()));
        let (mut machine, mut expanded) =
            expand::machine(&defines, &support, &self.reader.sources, recorder);
        let found = expand::report(&mut expanded, &self.reader.sources, recorder);
        self.reader.diagnostics.extend(found);
        let head = self.head(&mut machine, recorder);
        for text in &support {
            let used = |name: &str| machine.parameters(name);
            for (name, count) in documented::required_by_support(&text.bytes, used) {
                machine.require_arguments(name, count, u16::MAX);
            }
        }
        let classes = self.reader.text("policy/flask/security_classes").unwrap_or_default();
        let mut generated = plain(class_permissions::definitions(&head.unit, &classes.bytes));
        generated.append(&plain(expand::ALWAYS_REQUIRE));
        machine.run(&[&generated], &self.reader.sources, recorder);
        self.define_booleans(&mut machine);
        let support_machine = machine.clone();
        let names: Vec<String> = self.list.all().map(str::to_owned).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (text, required) = expand::interfaces(
            &mut self.reader,
            &self.found,
            &names,
            &self.settings,
            &support,
            recorder,
        );
        expand::define_interfaces(&mut self.reader, &mut machine, &text, &required, recorder);
        let machines = Machines { bare, support: support_machine, interfaces: machine };
        let generated = self.generated(built, recorder);
        Environment { machines, head, generated }
    }

    /// The rules of modules that are generated, with their paths.
    fn generated(
        &mut self,
        built: &[String],
        recorder: &mut ExpansionRecorder,
    ) -> Vec<(String, Text)> {
        let rules = built.iter().filter_map(|it| self.found.modules.get(it)?.te.as_ref());
        let (reader, settings) = (&mut self.reader, &self.settings);
        let text = |it: &ModuleFile| {
            (it.path.clone(), expand::module_text(reader, it, settings, recorder))
        };
        rules.filter(|it| it.generated).map(text).collect()
    }

    fn head(&mut self, machine: &mut Machine, recorder: &mut ExpansionRecorder) -> Parsed {
        let vectors = [
            "policy/flask/security_classes",
            "policy/flask/initial_sids",
            "policy/flask/access_vectors",
        ];
        let mut texts: Vec<Text> = vectors.iter().map(|it| self.reader.needed(it)).collect();
        for path in ["context_defaults", "mls", "mcs", "policy_capabilities"] {
            texts.extend(self.reader.text(&format!("policy/{path}")));
        }
        let inputs: Vec<&Text> = texts.iter().collect();
        let mut expanded = machine.run(&inputs, &self.reader.sources, recorder);
        let found = expand::report(&mut expanded, &self.reader.sources, recorder);
        self.reader.diagnostics.extend(found);
        parse(&expanded.text)
    }

    fn define_booleans(&mut self, machine: &mut Machine) {
        let root = self.roots.last().copied().unwrap_or_default();
        let Some(id) = self.reader.file(&format!("{root}policy/booleans.conf")) else { return };
        let (booleans, found) = modules::read_booleans(self.reader.sources.file(id));
        self.reader.diagnostics.extend(found);
        for boolean in booleans {
            let (name, value) = boolean.define();
            machine.define(&name, &value);
        }
    }

    fn jobs(
        &mut self,
        built: &[String],
        generated: Vec<(String, Text)>,
        recorder: &mut ExpansionRecorder,
    ) -> Vec<Job> {
        let mut generated: FxHashMap<String, Text> = generated.into_iter().collect();
        let mut jobs = Vec::new();
        let globals = ["policy/global_booleans", "policy/global_tunables"];
        let text = globals.iter().filter_map(|it| self.reader.text(it)).collect();
        jobs.push(Job { with: With::Support, text, what: What::Statements });
        let mut contexts = Vec::new();
        for name in built {
            let Some(module) = self.found.modules.get(name).cloned() else { continue };
            if let Some(file) = &module.te {
                let made = generated.remove(&file.path);
                let text = made.unwrap_or_else(|| self.reader.needed(&file.path));
                jobs.push(Job { with: With::Interfaces, text: vec![text], what: What::Statements });
            }
            if let Some(file) = &module.file_contexts {
                let text = expand::module_text(&mut self.reader, file, &self.settings, recorder);
                // else the first line of the next module is part of its last
                let whole = text.bytes.is_empty() || text.bytes.ends_with(b"\n");
                contexts.push(text);
                contexts.extend((!whole).then(|| expand::plain("\n")));
            }
        }
        let text =
            ["policy/users", "policy/constraints"].iter().filter_map(|it| self.reader.text(it));
        jobs.push(Job { with: With::Support, text: text.collect(), what: What::Statements });
        jobs.push(Job { with: With::Support, text: contexts, what: What::FileContexts });
        jobs
    }

    fn finish(
        mut self,
        head: Parsed,
        mut done: Vec<Done>,
        jobs: &[Job],
        mut expansions: Expansions,
        machines: &Machines,
    ) -> Outcome {
        self.reader.diagnostics.extend(head.diagnostics);
        let mut units = vec![head.unit];
        let mut customizable = CustomizableTypes::new();
        let mut contexts = Text::default();
        let mut callable = Callable::new(&machines.interfaces);
        for (job, done) in jobs.iter().zip(&mut done) {
            self.reader.diagnostics.append(&mut done.diagnostics);
            self.reader.diagnostics.extend(callable.tell(done));
            customizable.merge(std::mem::take(&mut done.customizable));
            if job.what == What::FileContexts {
                contexts = std::mem::take(&mut done.text);
            } else {
                units.push(std::mem::take(&mut done.unit));
            }
        }
        tell::forgive(&mut self.reader.diagnostics, &expansions);
        self.check_own(&units);
        let files = self.small_files(machines, &mut expansions, customizable);
        if tell::fatal(&self.reader.diagnostics) {
            return self.stop(expansions);
        }
        let checks =
            Checks { neverallow: !self.options.no_neverallow, optimise: self.options.optimise };
        let options = backend_options(&self.settings, self.options);
        let whole = whole::compile(&units, &options, checks);
        let (unmet, contexts) = rayon::join(
            || self.unmet(&units, &whole),
            || file_contexts::read(&contexts, whole.policy.as_ref()),
        );
        self.reader.diagnostics.extend(unmet);
        self.tell_misspelt(&units, &whole.diagnostics);
        let declarations = declarations::of(&units);
        // To free them takes long, and nobody waits for it.
        rayon::spawn(move || drop(units));
        if let (true, Some(db)) = (self.options.check_interfaces, &whole.policy) {
            let called = done.iter().flat_map(|it| it.used.lines()).collect();
            self.check_interfaces(db, &called, machines, &mut expansions, jobs.len() + 1);
        }
        self.product(whole, contexts, (files, declarations), expansions)
    }

    fn tell_misspelt(&mut self, units: &[Unit], found: &[Diagnostic]) {
        let mut words = Words::new(&self.reader.sources);
        let kinds = [RequireKind::Type, RequireKind::Role, RequireKind::Boolean];
        let declared = || kinds.iter().flat_map(|&it| declared(units, it)).collect();
        let told = tell::misspelt_declarations(found, &mut words, declared);
        self.reader.diagnostics.extend(told);
    }

    /// A module of one's own is to hold wherever it is installed: it says what it needs of others.
    fn check_own(&mut self, units: &[Unit]) {
        if self.own.is_empty() {
            return;
        }
        let classes = self.reader.text("policy/flask/security_classes").unwrap_or_default();
        let known = Declarations::of(units);
        let has_rules =
            |name: &&str| self.found.modules.get(*name).is_some_and(|it| it.te.is_some());
        // The units of modules stand after the head of the policy and the global booleans.
        let modules = self.list.built().filter(has_rules).zip(units.iter().skip(2));
        for (_, unit) in modules.filter(|it| self.own.iter().any(|own| own.name == it.0)) {
            let mls = self.settings.policy_type.mls();
            let found = check_alone(unit, &known, &classes.bytes, mls);
            self.reader.diagnostics.extend(found);
        }
    }

    fn unmet(&self, units: &[Unit], whole: &Compiled) -> Vec<Diagnostic> {
        let mut words = Words::new(&self.reader.sources);
        let told = whole.disabled.iter().chain(&whole.unmet).map(|unmet| {
            let known = |kind| declared(units, kind).into_iter().map(|it| it.0).collect();
            tell::unmet(unmet, &mut words, known)
        });
        told.flatten().collect()
    }

    /// Compiles interfaces that no module called.
    fn check_interfaces(
        &mut self,
        db: &PolicyDb,
        called: &FxHashSet<&str>,
        machines: &Machines,
        expansions: &mut Expansions,
        first_unit: usize,
    ) {
        let mut jobs = Vec::new();
        let mut built = Vec::new();
        let names: FxHashSet<&str> = self.list.built().collect();
        for (module, source) in &self.found.modules {
            let Some(file) = &source.interfaces else { continue };
            let Some(text) = self.reader.text(&file.path) else { continue };
            let mut calls = String::new();
            for (name, required, _) in documented::required_arguments(&text.bytes) {
                if !called.contains(name) {
                    let used = machines.interfaces.parameters(name).unwrap_or(0);
                    let count = if required == 0 { used } else { used.min(usize::from(required)) };
                    calls.push_str(&interfaces::call(name, count));
                }
            }
            let text = vec![plain(calls)];
            jobs.push(Job { with: With::Interfaces, text, what: What::Statements });
            built.push(names.contains(module.as_str()));
        }
        let done = run_jobs(&jobs, machines, &self.reader.sources, None, expansions, first_unit);
        let mut words = Words::new(&self.reader.sources);
        let mut callable = Callable::new(&machines.interfaces);
        for (mut done, built) in done.into_iter().zip(built) {
            let mut found = std::mem::take(&mut done.diagnostics);
            found.extend(callable.tell(&mut done));
            self.reader.diagnostics.extend(interfaces::faults(found));
            // What a module that is not built declares is not known: its templates were not expanded.
            if built {
                self.reader.diagnostics.extend(interfaces::check(&done.unit, db, &mut words));
            }
        }
    }

    /// The outcome: the policy, and the file contexts that are checked against it.
    fn product(
        mut self,
        whole: Compiled,
        (mut contexts, found): (Vec<FileContext>, Vec<Diagnostic>),
        (mut files, declarations): (BTreeMap<String, Vec<u8>>, Vec<Declaration>),
        expansions: Expansions,
    ) -> Outcome {
        self.reader.diagnostics.extend(whole.diagnostics);
        self.reader.diagnostics.extend(found);
        let mut outcome = self.stop(expansions);
        if let (Some(policy), false) = (whole.policy, outcome.failed()) {
            file_contexts::sort(&mut contexts);
            let (plain, templates) = file_contexts::render_split(&contexts);
            files.insert("file_contexts".to_owned(), plain);
            files.insert("homedir_template".to_owned(), templates);
            let disabled = whole.disabled.into_iter().map(|it| it.optional).collect();
            let origins = whole.origins;
            outcome.product = Some(Product { policy, origins, disabled, files, declarations });
        }
        outcome
    }

    /// All files but the policy and the file contexts.
    fn small_files(
        &mut self,
        machines: &Machines,
        expansions: &mut Expansions,
        customizable: CustomizableTypes,
    ) -> BTreeMap<String, Vec<u8>> {
        let unit = expansions.units() - 1;
        let mut recorder = expansions.recorder(unit);
        let mut machine = machines.bare.clone();
        let mut found = Vec::new();
        let mut run = |machine: &mut Machine, path: &str| {
            let text = self.reader.text(path).unwrap_or_default();
            let mut expanded = machine.run_apart(&[&text], &self.reader.sources, &mut recorder);
            found.extend(expand::report(&mut expanded, &self.reader.sources, &recorder));
            expanded.text.bytes
        };
        let config = AppConfig::find(self.reader.tree, self.settings.policy_type);
        let mut made = BTreeMap::new();
        for file in &config.expanded {
            made.insert(file.output.clone(), run(&mut machine, &file.source));
        }
        if let Some(path) = &config.seusers {
            made.insert("seusers".to_owned(), files::seusers(&run(&mut machine, path)));
        }
        machine.define("users_extra", "");
        made.insert(
            "users_extra".to_owned(),
            files::users_extra(&run(&mut machine, "policy/users")),
        );
        for file in config.copied {
            let bytes = self.reader.tree.get(&file.source).map(|it| it.to_vec());
            made.insert(file.output, bytes.unwrap_or_default());
        }
        made.insert("customizable_types".to_owned(), customizable.render());
        expansions.set(unit, recorder);
        self.reader.diagnostics.extend(found);
        made
    }
}
