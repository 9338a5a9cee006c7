//! What `build` and `check` have in common: the sources, the settings, and how findings are shown.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;
use mandate_compile::outcome::{Outcome as Compiled, Product, SourceTree};
use mandate_compile::refpolicy::Texts;
use mandate_compile::refpolicy::own::OwnModule;
use mandate_policydb::{PolicyDb, PolicyVersion};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde_json::{Value, json};

use crate::cache::OnDisk;
use crate::compiler::{self, Against, Input, Options, Source};
use crate::forms::{self, Form};
use crate::output::parse_version;
use crate::progress::Progress;
use crate::render::{Findings, json, plural, sarif, text};
use crate::{FAINT, input, sources, styled};

/// Arguments of `build` and `check`.
#[derive(clap::Args)]
pub(crate) struct SourceArgs {
    /// A source tree, a policy.conf, CIL files, packages (base.pp NAME.pp ..., also .pp.bz2 and .mod), or NAME.te with its NAME.if
    /// and NAME.fc (read unasked if they stand beside it);
    /// without any, the embedded base policy
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    tree: TreeArgs,
    /// The version of the binary policy: 15 to 35
    #[arg(long, value_name = "N", value_parser = parse_version)]
    policy_version: Option<PolicyVersion>,
    /// Leave out rules that others make redundant
    #[arg(short = 'O', long)]
    optimize: bool,
    /// Compile interfaces that nothing calls, too, and warn of what is wrong in them
    #[arg(long)]
    check_interfaces: bool,
    /// Pass over neverallow rules
    #[arg(long)]
    no_neverallow: bool,
    /// Tell which optional blocks are left out, and why
    #[arg(long)]
    show_disabled: bool,
    /// With NAME.te: the source tree that the module is added to (without this and --headers, the embedded base policy);
    /// with --headers, the binary policy
    #[arg(long, value_name = "SOURCE")]
    against: Option<PathBuf>,
    /// With NAME.te: an installed headers tree, such as /usr/share/selinux/devel
    #[arg(long, value_name = "DIR")]
    headers: Option<PathBuf>,
    /// Where builds of source trees keep what the next one can use again [default: mandate in the user's folder of caches]
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,
    /// Keep nothing, and use nothing that was kept
    #[arg(long)]
    no_cache: bool,
    /// How findings are shown: text on standard error, JSON (docs/json.md) or SARIF 2.1.0 on standard output
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Show no more findings than this; 0 for all [default: 100, in JSON and SARIF all]
    #[arg(long, value_name = "N")]
    max_errors: Option<usize>,
}

/// What can be chosen of source trees.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct TreeArgs {
    /// The kind of policy: TYPE of build.conf
    #[arg(long = "type", value_name = "TYPE")]
    policy_type: Option<PolicyType>,
    /// A setting of build.conf, such as DISTRO=debian or UBAC=y (repeatable)
    #[arg(long = "set", value_name = "K=V", value_parser = parse_setting)]
    settings: Vec<(String, String)>,
    /// Use this modules.conf instead of the tree's
    #[arg(long, value_name = "FILE")]
    modules: Option<PathBuf>,
}

/// How findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PolicyType {
    Standard,
    Mcs,
    Mls,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("expected NAME=VALUE, found {text:?}")),
    }
}

/// A finished run of the compiler.
pub(crate) struct Run {
    pub(crate) outcome: Compiled,
    cache: Option<Arc<OnDisk>>,
    started: Instant,
    progress: Progress,
}

impl Run {
    /// Names what comes next on a terminal.
    pub(crate) fn stage(&self, stage: &'static str) {
        self.progress.stage(stage);
    }

    /// Ends the showing of progress, keeps what the next build can use and tells how long it all took.
    pub(crate) fn finish(self) -> (Compiled, Duration) {
        let took = self.started.elapsed();
        self.cache.iter().for_each(|it| it.finish());
        (self.outcome, took)
    }
}

/// Which interfaces of a source tree are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interfaces {
    /// Those that modules call, and what `--check-interfaces` asks for.
    Called,
    /// All.
    All,
}

impl SourceArgs {
    /// These inputs, and nothing chosen.
    pub(crate) fn of(inputs: Vec<PathBuf>) -> Self {
        Self {
            inputs,
            tree: TreeArgs::default(),
            policy_version: None,
            optimize: false,
            check_interfaces: false,
            no_neverallow: false,
            show_disabled: false,
            against: None,
            headers: None,
            cache: None,
            no_cache: false,
            format: Format::Text,
            max_errors: None,
        }
    }

    /// Reads the sources and compiles them.
    pub(crate) fn compile(&self, interfaces: Interfaces) -> Result<Run> {
        let started = Instant::now();
        let progress = Progress::start("reading the sources");
        self.run(self.input()?, interfaces, started, progress)
    }

    /// Compiles what was read already, such as standard input.
    pub(crate) fn compile_input(&self, input: Input) -> Result<Run> {
        self.run(input, Interfaces::Called, Instant::now(), Progress::start("compiling"))
    }

    fn run(
        &self,
        input: Input,
        interfaces: Interfaces,
        started: Instant,
        progress: Progress,
    ) -> Result<Run> {
        let mut options = self.options()?;
        options.check_interfaces |= interfaces == Interfaces::All;
        progress.stage("compiling");
        let outcome = compiler::compile(input, &options)?;
        Ok(Run { outcome, cache: options.cache, started, progress })
    }

    /// A source tree, or the embedded base policy.
    pub(crate) fn of_tree(tree: Option<PathBuf>, chosen: TreeArgs, no_cache: bool) -> Self {
        let inputs = tree.into_iter().collect();
        // What a policy allows can be told of one that breaks its own rules, too.
        Self { tree: chosen, no_cache, no_neverallow: true, ..Self::of(inputs) }
    }

    /// Compiles a source tree, and reads the texts of its modules.
    pub(crate) fn compile_with_texts(&self) -> Result<(Run, Texts)> {
        let started = Instant::now();
        let progress = Progress::start("reading the sources");
        let Input::Tree(tree) = self.input()? else {
            bail!(
                "only a source tree has pages: its comments and modules are what they are made of"
            );
        };
        let options = self.options()?;
        progress.stage("compiling");
        let (outcome, texts) = compiler::compile_with_texts(&tree, &options);
        Ok((Run { outcome, cache: options.cache, started, progress }, texts))
    }

    /// Shall the policy have this version rather than the one it was compiled for?
    pub(crate) fn version(&self, db: &PolicyDb) -> PolicyVersion {
        self.policy_version.unwrap_or(db.version)
    }

    /// Does nothing that is shown go to standard output?
    pub(crate) fn leaves_standard_output(&self) -> bool {
        self.format == Format::Text && !self.show_disabled
    }

    /// Is there no policy that a module could be added to?
    pub(crate) fn checks_only(&self) -> bool {
        self.headers.is_some() && self.against.is_none()
    }

    /// With settings of `build.conf`.
    pub(crate) fn with_settings(mut self, settings: &[(String, String)]) -> Self {
        self.tree.settings.extend_from_slice(settings);
        self
    }

    fn options(&self) -> Result<Options> {
        let mut settings = self.tree.settings.clone();
        if let Some(it) = self.tree.policy_type.and_then(|it| it.to_possible_value()) {
            settings.push(("TYPE".to_owned(), it.get_name().to_owned()));
        }
        Ok(Options {
            settings,
            modules: self.tree.modules.as_deref().map(read).transpose()?,
            version: self.policy_version,
            optimize: self.optimize,
            check_interfaces: self.check_interfaces,
            no_neverallow: self.no_neverallow,
            cache: self.cache()?,
            ..Options::default()
        })
    }

    /// Only what is read from disk is kept: the embedded policy compiles at once.
    fn cache(&self) -> Result<Option<Arc<OnDisk>>> {
        if self.no_cache || self.inputs.is_empty() {
            return Ok(None);
        }
        OnDisk::open(self.cache.as_deref())
    }

    fn input(&self) -> Result<Input> {
        let module = self.inputs.iter().any(|it| has_ending(it, "te"));
        if !module && (self.against.is_some() || self.headers.is_some()) {
            bail!("--against and --headers are for a module: NAME.te [NAME.if] [NAME.fc]");
        }
        let tree_only = [
            (self.tree.modules.is_some(), "--modules"),
            (self.check_interfaces, "--check-interfaces"),
        ];
        let without_tree = self.headers.is_some()
            || matches!(self.inputs.as_slice(), [it] if !module && !it.is_dir());
        if let (true, Some((_, option))) = (without_tree, tree_only.iter().find(|it| it.0)) {
            bail!("{option} is for source trees");
        }
        match self.inputs.as_slice() {
            [] => Ok(Input::Tree(sources::base_policy())),
            _ if module => Ok(Input::Modules(self.own_modules()?, self.against()?)),
            [it] if it.is_dir() => Ok(Input::Tree(self.tree(it)?)),
            all if all.iter().all(|it| is_package(it)) => Ok(Input::Packages(read_all(all)?)),
            all if all.iter().all(|it| has_ending(it, "cil")) => Ok(Input::Cil(read_all(all)?)),
            all if all.iter().all(|it| is_package(it) || has_ending(it, "cil")) => {
                Ok(Input::Cil(all.par_iter().map(|it| read_as_cil(it)).collect::<Result<_>>()?))
            }
            [it] => Ok(Input::Conf(read(it)?)),
            several => bail!(
                "{} inputs: expected one source tree, one policy.conf, CIL files, packages, or NAME.te [NAME.if] [NAME.fc]",
                several.len()
            ),
        }
    }

    /// A source tree with what LOCAL_ROOT adds to it.
    fn tree(&self, root: &Path) -> Result<SourceTree> {
        let mut tree = sources::read_tree(root)?;
        if let Some(local) = compiler::local_root(&tree, &self.tree.settings) {
            let prefix = format!("{local}/");
            sources::add_tree(&root.join(&local), &prefix, &mut tree)?;
        }
        Ok(tree)
    }

    fn own_modules(&self) -> Result<Vec<OwnModule>> {
        let mut paths: Vec<PathBuf> = Vec::new();
        for input in &self.inputs {
            if !MODULE_FILES.iter().any(|it| has_ending(input, it)) {
                bail!("{}: a module is NAME.te [NAME.if] [NAME.fc]", input.display());
            }
            let beside = MODULE_FILES.iter().map(|it| input.with_extension(it));
            let beside = beside.filter(|it| has_ending(input, "te") && it.is_file());
            paths.push(input.clone());
            paths.extend(beside.filter(|it| !self.inputs.contains(it)));
        }
        let files: Vec<_> =
            paths.iter().map(|it| read(it).map(|it| (it.path, it.bytes))).collect::<Result<_>>()?;
        OwnModule::of_files(files).map_err(|found| {
            let lines: Vec<_> = found.into_iter().map(|it| it.message).collect();
            anyhow!("{}", lines.join("\n"))
        })
    }

    fn against(&self) -> Result<Against> {
        match (&self.headers, &self.against) {
            (Some(headers), policy) => {
                let base = policy.as_deref().map(input::read_policy).transpose()?;
                let base = base.map(|it| Box::new(it.into_db()));
                Ok(Against::Headers(sources::read_headers(headers)?, base))
            }
            (None, Some(tree)) if tree.is_dir() => Ok(Against::Tree(self.tree(tree)?)),
            (None, Some(policy)) => bail!(
                "{} is no source tree; with a binary policy, name its headers: --headers DIR",
                policy.display()
            ),
            (None, None) => Ok(Against::Tree(sources::base_policy())),
        }
    }

    /// After errors: what may explain them all.
    pub(crate) fn hint(&self, err: &mut dyn Write) -> Result<()> {
        let module = self.inputs.iter().any(|it| has_ending(it, "te"));
        if module && self.against.is_none() && self.headers.is_none() && self.format == Format::Text
        {
            let hint = "built against the embedded base policy; --against SOURCE or --headers DIR names another";
            writeln!(err, "{}", styled(FAINT, hint))?;
        }
        Ok(())
    }

    /// Shows what was found. `more` is told with it in JSON.
    pub(crate) fn show(
        &self,
        outcome: &Compiled,
        more: &[(&str, Value)],
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<()> {
        let mut findings = Findings::of(outcome);
        if !self.show_disabled {
            findings = findings.without_notes();
        }
        let most = self.max_errors.filter(|it| *it != 0);
        match self.format {
            Format::Text => {
                let most = self.max_errors.map_or(text::Settings::default().most, |it| {
                    if it == 0 { usize::MAX } else { it }
                });
                let settings = text::Settings { most, ..text::Settings::for_terminal() };
                text::write(&findings, settings, err)?;
                if let (true, Some(product)) = (self.show_disabled, &outcome.product) {
                    print_disabled(outcome, product, out)?;
                }
            }
            Format::Json => {
                let mut value = json::to_json(&findings, most);
                if let (true, Some(product)) = (self.show_disabled, &outcome.product) {
                    value["disabled"] = disabled_json(outcome, product);
                }
                for (name, it) in more {
                    value[*name] = it.clone();
                }
                writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
            }
            Format::Sarif => {
                let value = sarif::to_sarif(&findings, most);
                writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
            }
        }
        Ok(())
    }

    /// The closing line: what came of it, and how long it took.
    pub(crate) fn summarise(
        &self,
        what: &str,
        product: &Product,
        took: Duration,
        err: &mut dyn Write,
    ) -> Result<()> {
        if self.format != Format::Text {
            return Ok(());
        }
        writeln!(err, "{what}: {} in {:.2} s", counts(&product.policy), took.as_secs_f64())?;
        let left_out = product.disabled.len();
        if left_out != 0 && !self.show_disabled {
            let blocks = plural(left_out, "optional block");
            let hint = format!("{blocks} left out; --show-disabled tells which and why");
            writeln!(err, "{}", styled(FAINT, &hint))?;
        }
        Ok(())
    }

    /// The closing line of a module that was packaged.
    pub(crate) fn summarise_package(
        &self,
        path: &Path,
        took: Duration,
        err: &mut dyn Write,
    ) -> Result<()> {
        if self.format == Format::Text {
            writeln!(err, "{}: a package, in {:.2} s", path.display(), took.as_secs_f64())?;
        }
        Ok(())
    }

    /// The closing line of a check that makes no policy.
    pub(crate) fn summarise_checked(&self, took: Duration, err: &mut dyn Write) -> Result<()> {
        if self.format == Format::Text {
            writeln!(err, "no errors, in {:.2} s", took.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Does the name end as that of a policy package or module, compressed or not?
fn is_package(path: &Path) -> bool {
    let name = path.to_string_lossy();
    [".pp", ".mod", ".pp.bz2"].iter().any(|it| name.ends_with(it))
}

/// The files of a module, by the ends of their names.
const MODULE_FILES: [&str; 3] = ["te", "if", "fc"];

pub(crate) fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|it| it == ending)
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<Source>> {
    paths.par_iter().map(|it| read(it)).collect()
}

/// A source as CIL: packages among CIL files are printed as such, as semodule does.
fn read_as_cil(path: &Path) -> Result<Source> {
    if !is_package(path) {
        return read(path);
    }
    let mut package = forms::read_input(path)?;
    match package.text(Form::Cil, false) {
        Some(text) => {
            let path = format!("{} (as CIL)", path.display());
            Ok(Source { path, bytes: text.into() })
        }
        None => {
            let found: Vec<_> =
                package.outcome.diagnostics.iter().map(|it| it.message.as_str()).collect();
            bail!("{} has no form in CIL: {}", path.display(), found.join("; "))
        }
    }
}

fn read(path: &Path) -> Result<Source> {
    let name = if path == Path::new("-") { "standard input" } else { &path.to_string_lossy() };
    let bytes = sources::read_source(path)?;
    if bytes.starts_with(&BINARY_POLICY) {
        bail!("{name} is a binary policy, not its source: mandate info tells what it holds");
    }
    Ok(Source { path: name.to_owned(), bytes })
}

/// How every binary kernel policy begins.
const BINARY_POLICY: [u8; 4] = 0xf97c_ff8c_u32.to_le_bytes();

/// What a policy holds, in a line.
pub(crate) fn counts(db: &PolicyDb) -> String {
    let attributes = db.types.iter().filter(|it| it.attribute).count();
    let types = db.types.by_value().count() - attributes;
    let conditional: usize =
        db.conditionals.iter().map(|it| it.when_true.len() + it.when_false.len()).sum();
    [
        plural(types, "type"),
        plural(attributes, "attribute"),
        plural(db.rules.len() + conditional, "rule"),
        plural(db.booleans.len(), "boolean"),
    ]
    .join(", ")
}

fn print_disabled(outcome: &Compiled, product: &Product, out: &mut dyn Write) -> Result<()> {
    let findings = Findings::new(&outcome.sources, &outcome.expansions, &[]);
    for it in &product.disabled {
        let mut line = String::new();
        // Where the block was asked for, not the body of optional_policy.
        if let Some(place) = findings.place(outcome.expansions.outermost(it.span)) {
            write!(line, "{place}: ")?;
        }
        write!(line, "optional block left out: no {}", it.missing)?;
        if let Some(place) = findings.place(it.required) {
            write!(line, ", required at {place}")?;
        }
        for call in findings.calls(it.required) {
            write!(line, ", {} `{}` at {}", call.how, call.name, call.place)?;
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn disabled_json(outcome: &Compiled, product: &Product) -> Value {
    let findings = Findings::new(&outcome.sources, &outcome.expansions, &[]);
    let place = |span| {
        findings
            .place(span)
            .map(|it| json!({ "file": it.file, "line": it.line, "column": it.column }))
    };
    let all = product.disabled.iter();
    all.map(|it| {
        let block = place(outcome.expansions.outermost(it.span));
        json!({ "block": block, "missing": it.missing, "required": place(it.required) })
    })
    .collect()
}
