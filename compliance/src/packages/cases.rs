//! Small modules, compiled, linked and expanded by both: accepted or refused alike, and the same policy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use mandate_compile::backend;
use mandate_compile::package::{self, Module, ModuleOptions, ModuleVersion, Package};
use mandate_compile::whole::Checks;
use mandate_policydb::{HandleUnknown, PolicyVersion};
use mandate_syntax::diagnostic::Severity;
use mandate_syntax::kernel::{self, ParseOptions, SourceKind};
use mandate_syntax::source::SourceMap;

use crate::compile::tables;
use crate::place::{Place, run as run_program};
use crate::reference::VERSION;
use crate::report::{Comparison, Report};

const BASE: &str = include_str!("base.conf");
const CASES: &str = include_str!("cases.txt");
/// Where a case's own statements of the base go.
const MARK: &str = "@TE@";
/// The module version that the originals of Debian 12 read.
const MODULE_VERSION: u32 = 20;

/// Modules under a name.
#[derive(Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Does linking or expanding have to refuse it? So that a slip in a case does not pass for agreement.
    pub refused: bool,
    /// Name and source of each file; that of the base first.
    pub files: Vec<(String, String)>,
}

/// All cases: `== what it shows` (with `(refused)` behind it where both refuse it), then `-- NAME` before each module. What stands before the first module, and in `-- base`, is
/// added to the base.
#[must_use]
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for text in CASES.split("\n== ").skip(1) {
        let (name, text) = text.split_once('\n').unwrap_or((text, ""));
        let (name, refused) = match name.strip_suffix(" (refused)") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let mut parts = text.split("-- ");
        let mut own = parts.next().unwrap_or_default().to_owned();
        let mut modules = Vec::new();
        for part in parts {
            let (module, source) = part.split_once('\n').unwrap_or((part, ""));
            if module == "base" {
                own += source;
            } else {
                modules.push((module.to_owned(), format!("module {module} 1.0;\n{source}")));
            }
        }
        let mut files = vec![("base".to_owned(), BASE.replace(MARK, &own))];
        files.append(&mut modules);
        cases.push(Case { name: name.to_owned(), refused, files });
    }
    cases
}

/// Compares every case.
///
/// # Errors
/// When the report cannot be written.
pub fn run(place: &Place, report: &mut Report<'_>) -> Result<()> {
    report.heading("Small modules, linked and expanded")?;
    let folder = place.work.join(format!("package-cases.{}", std::process::id()));
    let mut comparison = Comparison::new("modules: refused alike, or the same policy");
    let mut refused = 0;
    for case in all() {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let (ours, theirs) = (ours(&case, &folder), theirs(&case, &folder));
        match (ours, theirs) {
            (Ok(_), Ok(_)) if case.refused => {
                comparison.disagree(case.name, "accepted".into(), "accepted, unexpectedly".into());
            }
            (Ok(ours), Ok(theirs)) => same_policy(&case.name, &ours, &theirs, &mut comparison)?,
            (Err(_), Err(_)) if case.refused => {
                refused += 1;
                comparison.agree();
            }
            (Err(ours), Err(theirs)) => {
                comparison.disagree(case.name, format!("{ours:#}"), format!("{theirs:#}"));
            }
            (Ok(_), Err(why)) => {
                comparison.disagree(case.name, "accepted".into(), format!("{why:#}"));
            }
            (Err(why), Ok(_)) => {
                comparison.disagree(case.name, format!("{why:#}"), "accepted".into());
            }
        }
    }
    fs::remove_dir_all(&folder)?;
    report.add(&comparison.done())?;
    report.note(&format!("{} cases, {refused} of them refused by both", all().len()))?;
    Ok(())
}

/// The packages of all cases, as we make them: small ones for readers to be fed with. Bases stand first.
#[must_use]
pub fn binaries() -> Vec<Vec<u8>> {
    let mut all: Vec<(bool, Vec<u8>)> = Vec::new();
    for case in self::all() {
        for (name, source) in &case.files {
            let base = name == "base";
            if let Ok(module) = compile(source, base) {
                all.extend(Package::new(module).write().ok().map(|it| (!base, it)));
            }
        }
    }
    all.sort();
    all.dedup();
    all.into_iter().map(|it| it.1).collect()
}

/// Every sentence of both policies.
fn same_policy(name: &str, ours: &Path, theirs: &Path, to: &mut Comparison) -> Result<()> {
    let (a, b) = (tables::read(ours)?, tables::read(theirs)?);
    for (what, table) in tables::TABLES {
        let (ours, theirs) = (table(&a), table(&b));
        let only: Vec<&String> = ours.symmetric_difference(&theirs).collect();
        match only.first() {
            None => to.agree(),
            Some(first) => {
                let side =
                    if ours.contains(*first) { ("told", "not told") } else { ("not told", "told") };
                to.disagree(format!("{name}: {what}: {first}"), side.0.into(), side.1.into());
            }
        }
    }
    let rules = super::shipped::same_rules(name, ours, theirs)?;
    match rules.differing() {
        0 => to.agree(),
        n => to.disagree(format!("{name}: rules"), format!("{n} lines differ"), String::new()),
    }
    Ok(())
}

/// Our binary policy.
fn ours(case: &Case, folder: &Path) -> Result<PathBuf> {
    let mut modules = Vec::new();
    for (name, source) in &case.files {
        let module = compile(source, name == "base").with_context(|| name.clone())?;
        // What is written and read again is what was made.
        let bytes = Package::new(module).write()?;
        modules.push(Package::read(&bytes)?.module);
    }
    let base = modules.remove(0);
    let linked = package::link(base, &modules)
        .map_err(|it| anyhow::anyhow!("{}", it.first().map_or("", |it| &it.message)))?;
    let mut options = backend::Options::default();
    options.version = PolicyVersion::new(VERSION).context("a version of binary policies")?;
    let checks = Checks { neverallow: true, optimise: false };
    let whole = package::expand(&linked.module, &options, checks);
    let error = whole.diagnostics.iter().find(|it| it.severity == Severity::Error);
    if let Some(error) = error {
        anyhow::bail!("{}", error.message);
    }
    let policy = whole.policy.context("no policy")?;
    let mut bytes = Vec::new();
    policy.write(policy.version, &mut bytes)?;
    let path = folder.join("ours.bin");
    fs::write(&path, bytes)?;
    Ok(path)
}

fn compile(source: &str, base: bool) -> Result<Module> {
    let mut sources = SourceMap::new();
    let id = sources.add("source", source.as_bytes())?;
    let options = ParseOptions { kind: SourceKind::Policy };
    let parsed = kernel::parse_file(sources.file(id), options);
    let version = ModuleVersion::new(MODULE_VERSION).context("a module version")?;
    let handle_unknown = HandleUnknown::Deny;
    let options = ModuleOptions { base, mls: false, handle_unknown, version };
    let raised = Module::from_unit(&parsed.unit, &options);
    let mut found = parsed.diagnostics.iter().chain(&raised.diagnostics);
    if let Some(error) = found.find(|it| it.severity == Severity::Error) {
        anyhow::bail!("{}", error.message);
    }
    raised.module.context("no module")
}

/// Theirs.
fn theirs(case: &Case, folder: &Path) -> Result<PathBuf> {
    let mut packages = Vec::new();
    for (name, source) in &case.files {
        let text = folder.join(format!("{name}.te"));
        fs::write(&text, source)?;
        let (module, package) =
            (folder.join(format!("{name}.mod")), folder.join(format!("{name}.pp")));
        let mut checkmodule = Command::new("checkmodule");
        checkmodule.args(["-c", &MODULE_VERSION.to_string()]);
        checkmodule.args((name != "base").then_some("-m"));
        run_program(checkmodule.arg("-o").arg(&module).arg(&text))?;
        let mut wrap = Command::new("semodule_package");
        run_program(wrap.arg("-o").arg(&package).arg("-m").arg(&module))?;
        packages.push(package);
    }
    let linked = match &packages[..] {
        [base] => base.clone(),
        _ => {
            let linked = folder.join("linked.pp");
            run_program(Command::new("semodule_link").arg("-o").arg(&linked).args(&packages))?;
            linked
        }
    };
    let binary = folder.join("theirs.bin");
    let mut expand = Command::new("semodule_expand");
    run_program(expand.args(["-c", &VERSION.to_string()]).arg(&linked).arg(&binary))?;
    Ok(binary)
}
