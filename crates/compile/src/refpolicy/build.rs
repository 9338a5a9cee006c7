//! The build: which texts are expanded in which order, what they are parsed to, and what comes out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mandate_policydb::{PolicyDb, PolicyVersion};
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::{
    self, ParseOptions, Parsed, RequireKind, SourceKind, StatementKind, Unit, UnknownCall,
};
use mandate_syntax::m4::{Machine, quotes};
use mandate_syntax::source::{ExpansionRecorder, Expansions, SourceMap, Span};
use mandate_syntax::text::Text;
use rustc_hash::FxHashSet;

use crate::backend;
use crate::file_contexts;
use crate::outcome::{Outcome, Product, SourceTree};
use crate::refpolicy::expand::{self, Reader, plain};
use crate::refpolicy::files::{self, AppConfig, CustomizableTypes};
use crate::refpolicy::modules::{self, ModuleList, ModuleTree};
use crate::refpolicy::own::{Declarations, OwnModule, check_alone};
use crate::refpolicy::settings::Settings;
use crate::refpolicy::tell::{self, Words};
use crate::refpolicy::{class_permissions, documented, interfaces};
use crate::whole::{self, Checks, Whole};

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
}

/// A text to expand and parse.
struct Job {
    /// The macros it is expanded with.
    with: With,
    text: Vec<Text>,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    /// Support macros and generated definitions.
    Support,
    /// Those and all interfaces.
    Interfaces,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Statements,
    FileContexts,
}

/// What became of a job.
#[derive(Default)]
struct Done {
    unit: Unit,
    text: Text,
    diagnostics: Vec<Diagnostic>,
    unknown_calls: Vec<UnknownCall>,
    customizable: CustomizableTypes,
}

/// What all jobs gave.
#[derive(Default)]
struct Finished {
    /// In the order of the jobs.
    done: Vec<Done>,
    /// The macros that were called.
    called: FxHashSet<String>,
}

/// m4 as far as the texts of a job need it.
struct Machines {
    /// Support macros, for the files around a policy.
    bare: Machine,
    /// Those as a policy sees them, and generated definitions.
    support: Machine,
    /// Those and all interfaces.
    interfaces: Machine,
}

/// Does all jobs, on as many threads as there are; what comes out does not depend on their number.
fn run_jobs(
    jobs: &[Job],
    machines: &Machines,
    sources: &SourceMap,
    expansions: &mut Expansions,
    first_unit: usize,
) -> Finished {
    let size = |job: &Job| job.text.iter().map(|it| it.bytes.len()).sum::<usize>();
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|&it| std::cmp::Reverse(size(&jobs[it])));
    let next = AtomicUsize::new(0);
    let finished = Mutex::new((Vec::new(), FxHashSet::default()));
    let fresh = &*expansions;
    let work = || {
        let mut support = machines.support.clone();
        let mut interfaces = machines.interfaces.clone();
        let mut mine = Vec::new();
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let job = &jobs[index];
            let mut recorder = fresh.recorder(first_unit + index);
            let machine = match job.with {
                With::Support => &mut support,
                With::Interfaces => &mut interfaces,
            };
            let done = run_job(job, machine, sources, &mut recorder);
            mine.push((index, done, recorder));
        }
        let mut finished = finished.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, called): &mut (Vec<_>, FxHashSet<String>) = &mut finished;
        done.append(&mut mine);
        called.extend(interfaces.called().map(str::to_owned));
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| work());
        }
    });
    let mut done: Vec<Done> = jobs.iter().map(|_| Done::default()).collect();
    let (all, called) = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (index, it, recorder) in all {
        done[index] = it;
        expansions.set(first_unit + index, recorder);
    }
    Finished { done, called }
}

fn run_job(
    job: &Job,
    machine: &mut Machine,
    sources: &SourceMap,
    recorder: &mut ExpansionRecorder,
) -> Done {
    let inputs: Vec<&Text> = job.text.iter().collect();
    let mut expanded = machine.run_apart(&inputs, sources, recorder);
    let mut diagnostics = expand::report(&mut expanded, sources, recorder);
    if job.what == What::FileContexts {
        return Done { text: expanded.text, diagnostics, ..Done::default() };
    }
    let mut customizable = CustomizableTypes::new();
    customizable.scan(&expanded.text.bytes);
    let parsed = parse(&expanded.text);
    diagnostics.extend(parsed.diagnostics);
    let Parsed { unit, unknown_calls, .. } = parsed;
    Done { unit, unknown_calls, diagnostics, customizable, ..Done::default() }
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

/// Tells of calls that are no macro's.
struct Callable<'a> {
    machine: &'a Machine,
    names: Option<Vec<&'a str>>,
}

impl<'a> Callable<'a> {
    fn new(machine: &'a Machine) -> Self {
        Self { machine, names: None }
    }

    fn tell(&mut self, done: &mut Done) -> Vec<Diagnostic> {
        let calls = std::mem::take(&mut done.unknown_calls);
        let told = calls.into_iter().map(|call| {
            let names = self.names.get_or_insert_with(|| self.machine.names().collect());
            tell::unknown_call(done.unit.text(call.name), call, names)
        });
        told.collect()
    }
}

fn parse(text: &Text) -> Parsed {
    kernel::parse(text, ParseOptions { kind: SourceKind::Expanded })
}

/// Builds the source tree `tree`.
pub fn build(tree: &SourceTree, options: &Options) -> Outcome {
    build_with(tree, &[], options)
}

/// Builds the source tree `tree` with modules of one's own, in place of those of the tree with their names.
pub fn build_with(tree: &SourceTree, own: &[OwnModule], options: &Options) -> Outcome {
    let mut tree = tree.clone();
    own.iter().for_each(|it| it.insert(&mut tree));
    let modules_conf = match &options.modules {
        Some((path, bytes)) => {
            tree.insert(path.clone(), Arc::clone(bytes));
            path.clone()
        }
        None => "policy/modules.conf".to_owned(),
    };
    let mut reader = Reader::new(&tree);
    let settings = read_settings(&mut reader, options);
    let root = settings.local_root.clone().map(|it| format!("{}/", it.trim_end_matches('/')));
    let roots: Vec<&str> = std::iter::once("").chain(root.as_deref()).collect();
    let (mut found, diagnostics) = ModuleTree::find(&tree, &roots);
    reader.diagnostics.extend(diagnostics);
    let conf = reader.file(&modules_conf).map(|id| reader.sources.file(id).clone());
    let (mut list, diagnostics) = ModuleList::read(conf.as_ref(), &settings.apps, &found, &tree);
    reader.diagnostics.extend(diagnostics);
    own.iter().for_each(|it| it.join(&mut found, &mut list));
    Build { reader, settings, found, list, own, options, roots: &roots }.run()
}

fn read_settings(reader: &mut Reader<'_>, options: &Options) -> Settings {
    let files: Vec<_> =
        reader.file("build.conf").into_iter().map(|id| reader.sources.file(id).clone()).collect();
    let files: Vec<_> = files.iter().collect();
    let (settings, diagnostics) = Settings::read(&files, &options.settings);
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
        let (machines, head) = self.prepare(&mut recorder);
        let jobs = self.jobs(&built, &mut recorder);
        expansions.set(0, recorder);
        if tell::fatal(&self.reader.diagnostics) {
            return self.stop(expansions);
        }
        let finished = run_jobs(&jobs, &machines, &self.reader.sources, &mut expansions, 1);
        self.finish(head, finished, &jobs, expansions, &machines)
    }

    /// Quotes that do not pair up make all that follows meaningless.
    fn check_quotes(&mut self) {
        let rules = |path: &str| [".te", ".if", ".spt"].iter().any(|it| path.ends_with(it));
        for file in self.reader.sources.files().iter().filter(|it| rules(&it.path)) {
            self.reader.diagnostics.extend(quotes::unbalanced(&Text::of_file(file)));
        }
    }

    fn stop(self, expansions: Expansions) -> Outcome {
        let sources = self.reader.sources;
        let diagnostics = tell::settle(self.reader.diagnostics, &sources, &expansions);
        Outcome { sources, expansions, diagnostics, product: None }
    }

    /// The machines that know the macros, and the head of the policy: classes, vectors, MLS and capabilities.
    fn prepare(&mut self, recorder: &mut ExpansionRecorder) -> (Machines, Parsed) {
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
                machine.require_arguments(name, count);
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
        let mut expanded = machine.run(&[&text], &self.reader.sources, recorder);
        let found = expand::report(&mut expanded, &self.reader.sources, recorder);
        self.reader.diagnostics.extend(found);
        for (name, count) in required {
            // Documentation may name parameters that the text does not use.
            let used = machine.parameters(&name).unwrap_or(0);
            machine.require_arguments(&name, count.min(u16::try_from(used).unwrap_or(u16::MAX)));
        }
        (Machines { bare, support: support_machine, interfaces: machine }, head)
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
        let Some(id) = self.reader.file("policy/booleans.conf") else { return };
        let (booleans, found) = modules::read_booleans(self.reader.sources.file(id));
        self.reader.diagnostics.extend(found);
        for boolean in booleans {
            let (name, value) = boolean.define();
            machine.define(&name, &value);
        }
    }

    fn jobs(&mut self, built: &[String], recorder: &mut ExpansionRecorder) -> Vec<Job> {
        let mut jobs = Vec::new();
        let globals = ["policy/global_booleans", "policy/global_tunables"];
        let text = globals.iter().filter_map(|it| self.reader.text(it)).collect();
        jobs.push(Job { with: With::Support, text, what: What::Statements });
        let mut contexts = Vec::new();
        for name in built {
            let Some(module) = self.found.modules.get(name).cloned() else { continue };
            if let Some(file) = &module.te {
                let text = expand::module_text(&mut self.reader, file, &self.settings, recorder);
                jobs.push(Job { with: With::Interfaces, text: vec![text], what: What::Statements });
            }
            if let Some(file) = &module.file_contexts {
                contexts.push(expand::module_text(
                    &mut self.reader,
                    file,
                    &self.settings,
                    recorder,
                ));
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
        mut finished: Finished,
        jobs: &[Job],
        mut expansions: Expansions,
        machines: &Machines,
    ) -> Outcome {
        self.reader.diagnostics.extend(head.diagnostics);
        let mut units = vec![head.unit];
        let mut customizable = CustomizableTypes::new();
        let mut contexts = Text::default();
        let mut callable = Callable::new(&machines.interfaces);
        for (job, done) in jobs.iter().zip(&mut finished.done) {
            self.reader.diagnostics.append(&mut done.diagnostics);
            self.reader.diagnostics.extend(callable.tell(done));
            customizable.merge(std::mem::take(&mut done.customizable));
            if job.what == What::FileContexts {
                contexts = std::mem::take(&mut done.text);
            } else {
                units.push(std::mem::take(&mut done.unit));
            }
        }
        self.check_own(&units);
        let files = self.small_files(machines, &mut expansions, customizable);
        if tell::fatal(&self.reader.diagnostics) {
            return self.stop(expansions);
        }
        let checks =
            Checks { neverallow: !self.options.no_neverallow, optimise: self.options.optimise };
        let options = backend_options(&self.settings, self.options);
        let whole = whole::compile(&units, &options, checks);
        self.tell_unmet(&units, &whole);
        self.tell_misspelt(&units, &whole.diagnostics);
        drop(units);
        if let (true, Some(db)) = (self.options.check_interfaces, &whole.policy) {
            self.check_interfaces(db, &finished.called, machines, &mut expansions, jobs.len() + 1);
        }
        self.product(whole, &contexts, files, expansions)
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

    fn tell_unmet(&mut self, units: &[Unit], whole: &Whole) {
        let mut words = Words::new(&self.reader.sources);
        for unmet in whole.disabled.iter().chain(&whole.unmet) {
            let known = |kind| declared(units, kind).into_iter().map(|it| it.0).collect();
            self.reader.diagnostics.extend(tell::unmet(unmet, &mut words, known));
        }
    }

    /// Compiles interfaces that no module called.
    fn check_interfaces(
        &mut self,
        db: &PolicyDb,
        called: &FxHashSet<String>,
        machines: &Machines,
        expansions: &mut Expansions,
        first_unit: usize,
    ) {
        let mut jobs = Vec::new();
        for file in self.found.modules.values().filter_map(|it| it.interfaces.as_ref()) {
            let Some(text) = self.reader.text(&file.path) else { continue };
            let mut calls = String::new();
            for (name, required) in documented::required_arguments(&text.bytes) {
                if !called.contains(name) {
                    let used = machines.interfaces.parameters(name).unwrap_or(0);
                    let count = if required == 0 { used } else { used.min(usize::from(required)) };
                    calls.push_str(&interfaces::call(name, count));
                }
            }
            jobs.push(Job {
                with: With::Interfaces,
                text: vec![plain(calls)],
                what: What::Statements,
            });
        }
        let finished = run_jobs(&jobs, machines, &self.reader.sources, expansions, first_unit);
        let mut words = Words::new(&self.reader.sources);
        let mut callable = Callable::new(&machines.interfaces);
        for mut done in finished.done {
            let mut found = std::mem::take(&mut done.diagnostics);
            found.extend(callable.tell(&mut done));
            self.reader.diagnostics.extend(interfaces::faults(found));
            self.reader.diagnostics.extend(interfaces::check(&done.unit, db, &mut words));
        }
    }

    /// The outcome: the policy, and the file contexts that are checked against it.
    fn product(
        mut self,
        whole: Whole,
        contexts: &Text,
        mut files: BTreeMap<String, Vec<u8>>,
        expansions: Expansions,
    ) -> Outcome {
        self.reader.diagnostics.extend(whole.diagnostics);
        let (mut contexts, found) = file_contexts::read(contexts, whole.policy.as_ref());
        self.reader.diagnostics.extend(found);
        let mut outcome = self.stop(expansions);
        if let (Some(policy), false) = (whole.policy, outcome.failed()) {
            file_contexts::sort(&mut contexts);
            let (plain, templates) = file_contexts::render_split(&contexts);
            files.insert("file_contexts".to_owned(), plain);
            files.insert("homedir_template".to_owned(), templates);
            let disabled = whole.disabled.into_iter().map(|it| it.optional).collect();
            outcome.product = Some(Product { policy, origins: whole.origins, disabled, files });
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
