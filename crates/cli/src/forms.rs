//! The forms a policy can have: read as units with what is of the whole policy, and written from them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use mandate_compile::backend::Options;
use mandate_compile::outcome::{ModuleUnit, Outcome};
use mandate_compile::package::{self, Module, ModuleOptions, ModuleVersion, Package};
use mandate_compile::print::{self, Printed, cil::Files, kernel};
use mandate_compile::whole::{self, Checks};
use mandate_compile::{cil, decompile};
use mandate_policydb::{FileKind, HandleUnknown, PolicyDb, Unvalidated};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::{self as language, ParseOptions, SourceKind, StatementKind, Unit};
use mandate_syntax::source::{FileId, SourceMap, Span};

use crate::sources::read_source;

/// What a policy can be written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// A policy that the kernel loads
    #[default]
    Binary,
    /// The kernel policy language: policy.conf, of a module NAME.te
    Conf,
    /// CIL, of a package with its file contexts
    Cil,
    /// A module or base, as checkmodule makes
    Mod,
    /// A package, as semodule_package makes
    Pp,
}

/// What was read.
pub(crate) struct Read {
    /// The statements. Of a binary policy none: it is decompiled when they are wanted.
    pub(crate) units: Vec<Unit>,
    /// What is of the whole policy and no statement.
    pub(crate) options: Options,
    /// Is it a module, to be linked with others?
    pub(crate) module: bool,
    /// Is it a module or base as binaries hold them, not text?
    compiled: bool,
    /// A binary policy as it was read.
    pub(crate) policy: Option<PolicyDb>,
    /// A package as it was read.
    package: Option<Package>,
    /// The files that go with it: `file_contexts`, `seusers`, `users_extra`.
    files: BTreeMap<String, Vec<u8>>,
    /// Where the input begins.
    start: Span,
    /// Sources and what was found.
    pub(crate) outcome: Outcome,
}

/// Reads what `path` holds, by its first bytes and, of text, by its name.
pub(crate) fn read_input(path: &Path) -> Result<Read> {
    let bytes = read_source(path)?;
    let name = path.display().to_string();
    match FileKind::of(&bytes) {
        FileKind::Module | FileKind::Package => read_package(&name, &bytes),
        FileKind::Text if path.extension().is_some_and(|it| it == "cil") => read_cil(name, bytes),
        FileKind::Text => read_text(name, bytes),
        _ => {
            let policy = Unvalidated::read(&bytes).with_context(|| name.clone())?;
            Ok(Read::of_policy(policy.validate().context(name)?.into_db()))
        }
    }
}

fn add(outcome: &mut Outcome, name: &str, bytes: Arc<[u8]>) -> Result<FileId> {
    outcome.sources.add(name, bytes).map_err(|it| anyhow!("{name}: {it}"))
}

fn start_of(sources: &SourceMap, id: FileId) -> Span {
    Span { pos: sources.file(id).start(), ..Span::NOWHERE }
}

/// The kernel policy language.
fn read_text(name: String, bytes: Arc<[u8]>) -> Result<Read> {
    let mut read = Read::default();
    let id = add(&mut read.outcome, &name, bytes)?;
    read.outcome.sources.honour_line_marks(id);
    read.start = start_of(&read.outcome.sources, id);
    let kind = ParseOptions { kind: SourceKind::Policy };
    let parsed = language::parse_file(read.outcome.sources.file(id), kind);
    read.outcome.diagnostics = parsed.diagnostics;
    lead_to_build(&name, &mut read.outcome.diagnostics);
    let has = |wanted: fn(&StatementKind) -> bool| {
        parsed.unit.statements.iter().any(|it| wanted(&it.kind))
    };
    read.options.mls = has(|it| matches!(it, StatementKind::Sensitivity { .. }));
    read.module = has(|it| matches!(it, StatementKind::Module { .. }));
    read.units.push(parsed.unit);
    Ok(read)
}

/// A module whose interfaces are calls is for `build`: that has the headers which say what they are.
fn lead_to_build(name: &str, found: &mut [Diagnostic]) {
    let Some(stem) = name.strip_suffix(".te") else { return };
    let call = found.iter_mut().find(|it| it.code == Code::UnknownStatement && !it.help.is_empty());
    if let Some(it) = call {
        it.help.push(format!("`mandate build {name} --headers DIR -o {stem}.pp` expands them"));
    }
}

/// CIL that stands alone.
fn read_cil(name: String, bytes: Arc<[u8]>) -> Result<Read> {
    let mut read = Read::default();
    let id = add(&mut read.outcome, &name, bytes)?;
    read.start = start_of(&read.outcome.sources, id);
    let parsed = cil::read(&mut read.outcome.sources, &[id]);
    let options = cil::Options { multiple_decls: true, ..cil::Options::default() };
    let lowered = cil::lower(parsed, &options, &mut read.outcome.expansions);
    read.outcome.diagnostics = lowered.diagnostics;
    read.options.mls = lowered.mls;
    read.options.version = options.version;
    read.options.dropped_attributes = lowered.dropped_attributes;
    read.options.drop_unused_commons = true;
    if let Some(handle_unknown) = lowered.handle_unknown {
        read.options.handle_unknown = handle_unknown;
    }
    read.units = lowered.units;
    read.files.insert("file_contexts".to_owned(), lowered.file_contexts);
    read.files.insert("seusers".to_owned(), lowered.seusers);
    Ok(read)
}

/// A package or a module.
fn read_package(name: &str, bytes: &[u8]) -> Result<Read> {
    let mut read = Read::default();
    let mut package = Package::read(bytes).with_context(|| name.to_owned())?;
    let outline = package.module.outline().into_bytes();
    let id = add(&mut read.outcome, name, outline.into())?;
    read.start = start_of(&read.outcome.sources, id);
    package.module.locate(read.start);
    (read.module, read.compiled) = (!package.module.is_base(), true);
    read.options.mls = package.module.mls();
    read.options.handle_unknown = package.module.handle_unknown();
    match package.module.to_unit() {
        Ok(unit) => read.units.push(unit),
        Err(found) => read.outcome.diagnostics = found,
    }
    let files = [
        ("file_contexts", &package.file_contexts),
        ("seusers", &package.seusers),
        ("users_extra", &package.users_extra),
    ];
    let files = files.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it.clone()?)));
    read.files = files.collect();
    read.package = Some(package);
    Ok(read)
}

impl Default for Read {
    fn default() -> Self {
        Self {
            units: Vec::new(),
            options: Options::default(),
            module: false,
            compiled: false,
            policy: None,
            package: None,
            files: BTreeMap::new(),
            start: Span::NOWHERE,
            outcome: Outcome::default(),
        }
    }
}

impl Read {
    /// A policy that is there.
    pub(crate) fn of_policy(db: PolicyDb) -> Self {
        let mut options = Options::default();
        (options.version, options.target, options.mls) = (db.version, db.target, db.mls);
        options.handle_unknown = db.handle_unknown;
        Self { options, policy: Some(db), ..Self::default() }
    }

    /// A module that was read or made.
    pub(crate) fn of_module(module: &Module) -> Self {
        let mut read = Self { module: !module.is_base(), compiled: true, ..Self::default() };
        (read.options.mls, read.options.handle_unknown) = (module.mls(), module.handle_unknown());
        match module.to_unit() {
            Ok(unit) => read.units.push(unit),
            Err(found) => read.outcome.diagnostics = found,
        }
        read
    }

    /// Was it a package, or a module alone?
    pub(crate) fn is_package(&self) -> bool {
        self.package.is_some()
    }

    /// The units; a binary policy is decompiled.
    pub(crate) fn decompile(&mut self) {
        if let (Some(db), true) = (&self.policy, self.units.is_empty()) {
            let decompiled = decompile::unit(db);
            self.units.push(decompiled.unit);
            self.outcome.diagnostics.extend(decompiled.diagnostics);
        }
    }

    /// The text of a form that is one; what cannot be said in it joins the findings.
    pub(crate) fn text(&mut self, form: Form, line_marks: bool) -> Option<Vec<u8>> {
        self.decompile();
        if self.outcome.failed() {
            return None;
        }
        let printed = match form {
            Form::Conf => self.conf(),
            Form::Cil => self.cil(line_marks),
            Form::Binary | Form::Mod | Form::Pp => return None,
        };
        self.outcome.diagnostics.extend(printed.diagnostics);
        (!self.outcome.failed()).then_some(printed.text)
    }

    fn conf(&self) -> Printed {
        let whole = kernel::Layout::Policy;
        let layout = if self.module { kernel::Layout::Module } else { whole };
        let mut printed = print::kernel::print(&self.units, &kernel::Options { layout });
        if self.files.values().any(|it| !it.is_empty()) {
            let message =
                "the policy language has no file contexts, logins and prefixes: they are left out";
            let it = Diagnostic::warning(Code::LeftOut, self.start, message);
            printed.diagnostics.push(it.help("--to cil and --to pp keep them"));
        }
        printed
    }

    fn cil(&self, line_marks: bool) -> Printed {
        let (mls, handle_unknown) = (self.options.mls, self.options.handle_unknown);
        let layout = match (self.module, self.compiled) {
            (true, _) => print::cil::Layout::Module,
            (false, true) => print::cil::Layout::Base { mls, handle_unknown },
            (false, false) => print::cil::Layout::Policy { mls, handle_unknown },
        };
        let line_marks = line_marks.then_some(&self.outcome.sources);
        let mut printed =
            print::cil::print(&self.units, &print::cil::Options { layout, line_marks });
        let file = |name: &str| self.files.get(name).map_or(&[][..], Vec::as_slice);
        let files = Files {
            file_contexts: file("file_contexts"),
            seusers: file("seusers"),
            users_extra: file("users_extra"),
        };
        let files = print::cil::print_files(&files, self.start);
        printed.text.extend(files.text);
        printed.diagnostics.extend(files.diagnostics);
        printed
    }

    /// The policy; what is wrong joins the findings.
    pub(crate) fn policy(&mut self) -> Result<Option<PolicyDb>> {
        if let Some(db) = self.policy.take() {
            return Ok(Some(db));
        }
        if self.module {
            bail!("a module alone is no policy: build it together with its base, by mandate build");
        }
        if self.outcome.failed() {
            return Ok(None);
        }
        let whole = match self.package.take() {
            // As libsepol does: linked, then expanded.
            Some(package) => match package::link(package.module, &[]) {
                Ok(linked) => package::expand(&linked.module, &self.options, Checks::default()),
                Err(found) => {
                    self.outcome.diagnostics.extend(found);
                    return Ok(None);
                }
            },
            None => whole::compile(&self.units, &self.options, Checks::default()),
        };
        self.outcome.diagnostics.extend(whole.diagnostics);
        Ok(whole.policy.filter(|_| !self.outcome.failed()))
    }

    /// The package; what is wrong joins the findings.
    pub(crate) fn package(&mut self) -> Option<Package> {
        if let Some(package) = self.package.take() {
            return Some(package);
        }
        self.decompile();
        let unit = self.one_unit()?;
        let options = ModuleOptions {
            base: !self.module,
            mls: self.options.mls,
            handle_unknown: self.options.handle_unknown,
            version: ModuleVersion::NEWEST,
        };
        let raised = Module::from_unit(&unit, &options);
        self.outcome.diagnostics.extend(raised.diagnostics);
        let mut package = Package::new(raised.module.filter(|_| !self.outcome.failed())?);
        let mut file = |name: &str| self.files.remove(name).filter(|it| !it.is_empty());
        package.file_contexts = file("file_contexts");
        package.seusers = file("seusers");
        package.users_extra = file("users_extra");
        Some(package)
    }

    /// All units as one: those of CIL are several, and go by way of their text.
    fn one_unit(&mut self) -> Option<Unit> {
        if self.outcome.failed() {
            return None;
        }
        if self.units.len() == 1 {
            return self.units.pop();
        }
        let layout = kernel::Layout::Policy;
        let printed = print::kernel::print(&self.units, &kernel::Options { layout });
        self.outcome.diagnostics.extend(printed.diagnostics);
        let mut sources = SourceMap::new();
        let id = sources.add("policy.conf", printed.text).ok()?;
        let kind = ParseOptions { kind: SourceKind::Policy };
        let parsed = language::parse_file(sources.file(id), kind);
        let found = parsed.diagnostics.into_iter();
        self.outcome.diagnostics.extend(found.map(|it| Diagnostic { span: self.start, ..it }));
        (!self.outcome.failed()).then_some(parsed.unit)
    }
}

/// The package of a module that was checked by itself; what is wrong joins the findings.
pub(crate) fn package_of(module: ModuleUnit, outcome: &mut Outcome) -> Option<Package> {
    let options = ModuleOptions {
        base: false,
        mls: module.mls,
        handle_unknown: HandleUnknown::Deny,
        version: ModuleVersion::NEWEST,
    };
    let raised = Module::from_unit(&module.unit, &options);
    outcome.diagnostics.extend(raised.diagnostics);
    let mut package = Package::new(raised.module.filter(|_| !outcome.failed())?);
    package.file_contexts = Some(module.file_contexts).filter(|it| !it.is_empty());
    Some(package)
}

/// A package as bytes; the version is its module's.
pub(crate) fn package_bytes(
    mut package: Package,
    version: Option<ModuleVersion>,
) -> Result<Vec<u8>> {
    let (bytes, version) = module_bytes(&package.module, version)?;
    if package.module.format_version() != version {
        package.module = Module::read(&bytes)?;
    }
    Ok(package.write()?)
}

/// A module as bytes, at this version or at the oldest of those that programs of 2022 and later read which can hold it.
pub(crate) fn module_bytes(
    module: &Module,
    version: Option<ModuleVersion>,
) -> Result<(Vec<u8>, ModuleVersion)> {
    let Some(version) = version else {
        let common = ModuleVersion::SELF_TYPE_RULES.number();
        let versions = (common..=ModuleVersion::NEWEST.number()).filter_map(ModuleVersion::new);
        let mut last = None;
        for version in versions {
            match module.write(version) {
                Ok(bytes) => return Ok((bytes, version)),
                Err(error) => last = Some(error),
            }
        }
        return Err(last.map_or_else(|| anyhow!("there is no module version"), Into::into));
    };
    Ok((module.write(version)?, version))
}
