//! The modules that Debian ships: read and written, through a unit and back, linked and expanded.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use mandate_compile::backend;
use mandate_compile::package::{self, Module, ModuleOptions, Package};
use mandate_compile::whole::Checks;
use mandate_policydb::PolicyVersion;

use super::{bench, through_cil};
use crate::bench::Figure;
use crate::compile::answers::{self, Theirs};
use crate::compile::builds::{self, Questions};
use crate::kernel::{Backend, Kernel};
use crate::originals;
use crate::place::{Place, cached, run as run_program};
use crate::reference::VERSION;
use crate::report::{Comparison, Report};

/// Where Debian installs the modules of a policy.
pub const INSTALLED: &str = "/usr/share/selinux";
/// Turns a package into CIL.
pub const HLL_PP: &str = "/usr/libexec/selinux/hll/pp";
/// One module in so many goes through a unit and back, but in a full run.
const OF_MODULES: usize = 25;
/// Questions about each policy.
pub const DECISIONS: usize = 100_000;
/// Questions to a kernel that has loaded ours.
const IN_KERNEL: usize = 10_000;

/// Compares all of it; the figures of a full run.
///
/// # Errors
/// When an original does not run, or the report cannot be written.
pub fn run(place: &Place, full: bool, seed: u64, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("The packages that Debian ships")?;
    let kinds: &[&'static str] = if full { &["default", "mls"] } else { &["default"] };
    let mut figures = Vec::new();
    for &kind in kinds {
        let shipped = Shipped::find(place, kind)?;
        report.add(&shipped.identity()?)?;
        report.add(&shipped.round(place, if full { 1 } else { OF_MODULES })?)?;
        let ours = shipped.ours(place)?;
        let (plain, linked) = (shipped.expanded()?, shipped.by_cil()?);
        let theirs = Theirs { plain: &plain, linked: &linked };
        let name = format!("{kind}: {} modules linked and expanded", shipped.packages.len());
        for it in answers::compare(place, &name, &ours, theirs, DECISIONS, seed)? {
            report.add(&it)?;
        }
        report.add(&same_rules(&name, &ours, &plain)?)?;
        let kernel = Kernel::prepare(Backend::Uml, &place.work.join("kernel"))?;
        let questions = Questions { decisions: 0, kernel: IN_KERNEL, seed };
        let loaded = format!("{name}: loaded by Linux");
        report.add(&builds::loaded(place, &kernel, loaded, &ours, &linked, questions)?)?;
        report.add(&shipped.our_link(place)?)?;
        through_cil::run(place, kind, &shipped.packages, &ours, seed, report)?;
        if full && kind == "default" {
            figures = bench::run(place, &shipped.packages, report)?;
        }
    }
    Ok(figures)
}

/// The modules of one policy, decompressed.
struct Shipped {
    kind: String,
    folder: PathBuf,
    /// The base first.
    packages: Vec<PathBuf>,
}

impl Shipped {
    fn find(place: &Place, kind: &str) -> Result<Self> {
        let folder = place.work.join(originals::versions()?).join("packages").join(kind);
        let pp = folder.join("pp");
        cached(&pp, |part| decompress(&Path::new(INSTALLED).join(kind), part))?;
        let mut packages: Vec<PathBuf> =
            fs::read_dir(&pp)?.map(|it| Ok(it?.path())).collect::<Result<_>>()?;
        packages.sort_by_key(|it| (it.file_stem().is_none_or(|it| it != "base"), it.clone()));
        ensure!(packages.len() > 300, "only {} modules in {}", packages.len(), pp.display());
        Ok(Self { kind: kind.to_owned(), folder, packages })
    }

    /// Read and written again: the same bytes.
    fn identity(&self) -> Result<Comparison> {
        let mut comparison = Comparison::new(format!("{}: read and written", self.kind));
        for path in &self.packages {
            let bytes = fs::read(path)?;
            let again = Package::read(&bytes)
                .map_err(|it| it.to_string())
                .and_then(|it| it.write().map_err(|it| it.to_string()));
            let shown = || path.display().to_string();
            match again {
                Ok(again) if again == bytes => comparison.agree(),
                Ok(_) => comparison.disagree(shown(), "other bytes".into(), "bytes".into()),
                Err(why) => comparison.disagree(shown(), why, "read".into()),
            }
        }
        Ok(comparison.done())
    }

    /// As a unit and back: the original tool makes the same CIL of both.
    fn round(&self, place: &Place, step: usize) -> Result<Comparison> {
        let name = format!("{}: to a unit and back, as CIL", self.kind);
        let mut comparison = Comparison::new(name);
        for path in self.packages.iter().step_by(step) {
            let package = Package::read(&fs::read(path)?)?;
            let module = &package.module;
            let options = ModuleOptions {
                base: module.is_base(),
                mls: module.mls(),
                handle_unknown: module.handle_unknown(),
                version: module.format_version(),
            };
            let unit = module.to_unit().map_err(|it| anyhow::anyhow!("{it:?}"))?;
            let raised = Module::from_unit(&unit, &options);
            let shown = || path.display().to_string();
            let Some(module) = raised.module else {
                let why = raised.diagnostics.first().map_or("", |it| it.message.as_str());
                comparison.disagree(shown(), why.to_owned(), "made".into());
                continue;
            };
            let again = place.work.join(format!("round.{}.pp", std::process::id()));
            fs::write(&again, Package { module, ..package }.write()?)?;
            let (ours, theirs) = (cil(&again)?, cil(path)?);
            fs::remove_file(&again)?;
            match ours == theirs {
                true => comparison.agree(),
                false => {
                    let (ours, theirs) = first_difference(&ours, &theirs);
                    comparison.disagree(shown(), ours, theirs);
                }
            }
        }
        Ok(comparison.done())
    }

    /// The policy that we make.
    fn ours(&self, place: &Place) -> Result<PathBuf> {
        let files: Vec<(String, Arc<[u8]>)> = (self.packages.iter())
            .map(|it| Ok((it.display().to_string(), fs::read(it)?.into())))
            .collect::<Result<_>>()?;
        let mut options = backend::Options::default();
        options.version = PolicyVersion::new(VERSION).context("a version of binary policies")?;
        let checks = Checks { neverallow: true, optimise: false };
        let outcome = package::build(files, &options, checks);
        let messages: Vec<&str> = outcome.diagnostics.iter().map(|it| &*it.message).collect();
        let product = outcome.product.with_context(|| messages.join("\n"))?;
        let mut bytes = Vec::new();
        product.policy.write(product.policy.version, &mut bytes)?;
        let path = place.work.join(format!("packages-{}.{VERSION}", self.kind));
        fs::write(&path, bytes)?;
        Ok(path)
    }

    /// What `semodule_link` makes.
    fn linked(&self) -> Result<PathBuf> {
        let path = self.folder.join("linked.pp");
        cached(&path, |part| {
            let mut link = Command::new("semodule_link");
            run_program(link.arg("-o").arg(part).args(&self.packages)).map(drop)
        })?;
        Ok(path)
    }

    /// What `semodule_expand` makes of it.
    fn expanded(&self) -> Result<PathBuf> {
        let path = self.folder.join(format!("expanded.{VERSION}"));
        cached(&path, |part| expand(&self.linked()?, part))?;
        Ok(path)
    }

    /// The policy by way of CIL, which is right about the types of roles.
    fn by_cil(&self) -> Result<PathBuf> {
        let path = self.folder.join(format!("cil.{VERSION}"));
        cached(&path, |part| {
            let folder = part.with_extension("cil");
            fs::create_dir_all(&folder)?;
            let mut secilc = Command::new("secilc");
            secilc.args(["-M", "true", "-N", "-c", &VERSION.to_string(), "-f", "/dev/null"]);
            secilc.arg("-o").arg(part);
            for package in &self.packages {
                let name = package.file_stem().context("a package has a name")?;
                let cil = folder.join(name).with_extension("cil");
                run_program(Command::new(HLL_PP).arg(package).arg(&cil))?;
                secilc.arg(cil);
            }
            run_program(&mut secilc)?;
            Ok(fs::remove_dir_all(&folder)?)
        })?;
        Ok(path)
    }

    /// What the original expands of the package that we link.
    fn our_link(&self, place: &Place) -> Result<Comparison> {
        let name = format!("{}: linked by us, expanded by the original", self.kind);
        let mut packages = self.packages.iter().map(|it| Ok(Package::read(&fs::read(it)?)?.module));
        let base: Result<Module> = packages.next().context("there is a base")?;
        let modules: Vec<Module> = packages.collect::<Result<_>>()?;
        let linked = package::link(base?, &modules)
            .map_err(|it| anyhow::anyhow!("{}", it.first().map_or("", |it| &it.message)))?;
        let path = place.work.join(format!("linked.{}.pp", std::process::id()));
        fs::write(&path, Package::new(linked.module).write()?)?;
        let binary = path.with_extension(VERSION.to_string());
        expand(&path, &binary)?;
        let comparison = same_rules(&name, &binary, &self.expanded()?);
        fs::remove_file(&path)?;
        fs::remove_file(&binary)?;
        comparison
    }
}

fn decompress(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let entries = fs::read_dir(from).with_context(|| format!("reading {}", from.display()))?;
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|it| it.to_str()?.strip_suffix(".bz2")) else {
            continue;
        };
        let plain = run_program(Command::new("bzip2").arg("-dc").arg(&path))?.stdout;
        fs::write(to.join(name), plain)?;
    }
    Ok(())
}

/// `semodule_expand` without checks: Debian's modules hold neverallow rules that take it minutes.
pub fn expand(package: &Path, binary: &Path) -> Result<()> {
    let mut expand = Command::new("semodule_expand");
    expand.args(["-a", "-c", &VERSION.to_string()]);
    run_program(expand.arg(package).arg(binary)).map(drop)
}

/// The statements of a package's CIL: how often each stands there. The order within braces means nothing.
fn cil(package: &Path) -> Result<BTreeMap<String, usize>> {
    let output = run_program(Command::new(HLL_PP).arg(package))?;
    let mut lines = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let spaced = line.replace('(', " ( ").replace(')', " ) ");
        let mut words: Vec<&str> = spaced.split_whitespace().collect();
        words.sort_unstable();
        *lines.entry(words.join(" ")).or_insert(0) += 1;
    }
    Ok(lines)
}

fn first_difference(
    ours: &BTreeMap<String, usize>,
    theirs: &BTreeMap<String, usize>,
) -> (String, String) {
    let only = |a: &BTreeMap<String, usize>, b: &BTreeMap<String, usize>| {
        let found = a.iter().find(|it| b.get(it.0) != Some(it.1));
        found.map_or(String::new(), |it| format!("{} times {}", it.1, it.0))
    };
    (only(ours, theirs), only(theirs, ours))
}

/// All rules of both policies, as `checkpolicy -b -F` writes them. The types of roles are compared elsewhere.
pub fn same_rules(name: &str, ours: &Path, theirs: &Path) -> Result<Comparison> {
    let mut comparison = Comparison::new(format!("{name}: canonical text, sorted"));
    let (ours, theirs) = (text(ours)?, text(theirs)?);
    for line in &ours {
        match theirs.contains_key(line.0) {
            true => comparison.agree(),
            false => comparison.disagree(line.0.clone(), "there".into(), "not there".into()),
        }
    }
    for line in theirs.keys().filter(|it| !ours.contains_key(*it)) {
        comparison.disagree(line.clone(), "not there".into(), "there".into());
    }
    Ok(comparison.done())
}

fn text(binary: &Path) -> Result<BTreeMap<String, usize>> {
    let out = binary.with_extension(format!("{}.conf", std::process::id()));
    let mls = crate::compile::tables::read(binary)?.mls;
    let mut checkpolicy = Command::new("checkpolicy");
    checkpolicy.args(mls.then_some("-M")).args(["-b", "-F"]).arg(binary).arg("-o").arg(&out);
    run_program(&mut checkpolicy)?;
    let text = String::from_utf8_lossy(&fs::read(&out)?).into_owned();
    fs::remove_file(&out)?;
    let mut lines = BTreeMap::new();
    for line in text.lines().filter(|it| !it.starts_with("role ")) {
        *lines.entry(line.trim().to_owned()).or_insert(0) += 1;
    }
    Ok(lines)
}
