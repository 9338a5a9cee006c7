//! From sources to a policy and its file contexts, cold: `mandate build` beside the Makefile and the modular chain.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use super::original::make_in;
use super::ours::settings;
use super::setting::{Modules, Setting};
use super::tree::{self, Overlay};
use crate::bench::{Figure, median, note};
use crate::originals;
use crate::place::{Place, run as run_program};
use crate::reference::VERSION;
use crate::report::Report;

/// Rounds of the full size: theirs once, then ours so often.
const ROUNDS: usize = 5;
const OURS_EACH: usize = 3;

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// By our clock.
    pub seconds: f64,
    /// The largest process's.
    pub mebibytes: f64,
}

/// Times both sides in turns; at the small size once each, to see that it runs.
///
/// # Errors
/// When a build fails or the report cannot be written.
pub fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Source tree to policy and file_contexts: time and memory")?;
    let bench = Bench { place, source: tree::pristine(place)?, setting: Setting::DEBIAN };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..if full { ROUNDS } else { 1 } {
        theirs.push(bench.monolithic()?);
        for _ in 0..if full { OURS_EACH } else { 1 } {
            ours.push(bench.ours()?);
        }
    }
    let modular = if full { Some(bench.modular()?) } else { None };
    let figures = figures(&ours, &theirs, modular);
    report.case("built by both", Ok(format!("{} and {} times", ours.len(), theirs.len())))?;
    if full {
        figures.iter().try_for_each(|figure| note(figure, report))?;
    }
    Ok(figures)
}

fn figures(ours: &[Cost], theirs: &[Cost], modular: Option<Cost>) -> Vec<Figure> {
    let seconds = |costs: &[Cost]| median(costs.iter().map(|it| it.seconds).collect());
    let memory = |costs: &[Cost]| median(costs.iter().map(|it| it.mebibytes).collect());
    let figure = |what: &str, reach: &str, theirs: f64| Figure {
        what: what.to_owned(),
        reach: reach.to_owned(),
        ours: format!("{:.2} s", seconds(ours)),
        theirs: format!("{theirs:.1} s"),
        ratio: format!("{:.1} × faster", theirs / seconds(ours)),
    };
    let mut all = vec![figure(
        "source tree to policy and file_contexts, mcs, default modules; monolithic make",
        "at most 1.0 s, at least 10 ×",
        seconds(theirs),
    )];
    let chain = "the same; modular make, semodule_package and semodule -B";
    all.extend(modular.map(|cost| figure(chain, "at least 40 ×", cost.seconds)));
    all.push(Figure {
        what: "peak memory of it; largest process of the monolithic make".to_owned(),
        reach: "at most 300 MB".to_owned(),
        ours: format!("{:.0} MB", memory(ours) * 1.048_576),
        theirs: format!("{:.0} MB", memory(theirs) * 1.048_576),
        ratio: format!("{:.2} × theirs", memory(ours) / memory(theirs)),
    });
    all
}

struct Bench<'a> {
    place: &'a Place,
    source: PathBuf,
    setting: Setting,
}

impl Bench<'_> {
    fn folder(&self, name: &str) -> PathBuf {
        self.place.work.join("compile/bench").join(name)
    }

    /// A fresh process that finds nothing of an earlier one.
    fn ours(&self) -> Result<Cost> {
        let out = self.folder("ours");
        empty(&out)?;
        let modules = self.source.join(self.setting.modules.file());
        let mut build = vec![self.place.mandate()?.display().to_string()];
        build.extend(["build", "--no-cache"].map(str::to_owned));
        build.push(self.source.display().to_string());
        build.extend(settings(Some(&modules), &self.setting.words()));
        build.extend(["--policy-version".to_owned(), VERSION.to_string(), "-o".to_owned()]);
        // With the slash at its end it is a folder to `mandate`.
        build.push(out.join("").display().to_string());
        self.cost(&build)
    }

    /// What the Makefile does for a policy and its `file_contexts`, in a tree where nothing is made yet.
    fn monolithic(&self) -> Result<Cost> {
        let tree = self.fresh("monolithic")?;
        let policy = format!("policy.{}", originals::newest_policy_version()?);
        let words = [self.setting.words(), vec!["MONOLITHIC=y".to_owned()]].concat();
        let mut make = make_in(tree.root(), &words);
        self.cost(&line(make.args([&policy, "file_contexts"])))
    }

    /// Base and modules, packaged, put into a store of their own and built from there.
    fn modular(&self) -> Result<Cost> {
        let tree = self.fresh("modular")?;
        let root = self.folder("root");
        let name = self.setting.flavour.name();
        let words = [self.setting.words(), vec!["MONOLITHIC=n".to_owned()]].concat();
        store(&root, name)?;
        let destination = format!("DESTDIR={}", root.display());
        let made = self.cost(&line(make_in(tree.root(), &words).args(["base", "modules"])))?;
        run_program(make_in(tree.root(), &words).args([&destination, "install-appconfig"]))?;
        let mut semodule = Command::new("semodule");
        semodule.arg("-p").arg(&root).args(["-s", name, "-N"]);
        for package in packages(tree.root())? {
            semodule.arg("-i").arg(package);
        }
        let built = self.cost(&line(&semodule))?;
        Ok(Cost {
            seconds: made.seconds + built.seconds,
            mebibytes: made.mebibytes.max(built.mebibytes),
        })
    }

    /// A copy of the tree with the module list of the setting.
    fn fresh(&self, name: &str) -> Result<Overlay> {
        let overlay = Overlay::copy(&self.source, &self.folder(name))?;
        let list = self.source.join(self.setting.modules.file());
        overlay.replace(Modules::Full.file(), &fs::read(&list).context("the module list")?)?;
        Ok(overlay)
    }

    fn cost(&self, command: &[String]) -> Result<Cost> {
        fs::create_dir_all(self.folder("")).context("making the folder of the bench")?;
        cost(&self.folder("memory"), command)
    }
}

/// Runs a command on two cores; its time by our clock, its memory by the kernel's count, which goes by way of the file `told`.
///
/// # Errors
/// When the command fails.
pub fn cost(told: &Path, command: &[String]) -> Result<Cost> {
    let mut timed = Command::new("taskset");
    timed.args(["-c", "0,1", "/usr/bin/time", "-f", "%M", "-o"]).arg(told).args(command);
    for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"] {
        timed.env_remove(name);
    }
    let started = Instant::now();
    run_program(&mut timed)?;
    let seconds = started.elapsed().as_secs_f64();
    let text = fs::read_to_string(told).context("reading the memory")?;
    let kibibytes: f64 = text.trim().parse().with_context(|| format!("memory {text:?}"))?;
    Ok(Cost { seconds, mebibytes: kibibytes / 1024.0 })
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))
}

/// The folders that `semodule` wants to find under another root.
///
/// # Errors
/// When they cannot be made.
pub fn store(root: &Path, name: &str) -> Result<()> {
    empty(root)?;
    for folder in ["contexts/files", "policy"] {
        fs::create_dir_all(root.join("etc/selinux").join(name).join(folder))?;
    }
    fs::create_dir_all(root.join("var/lib/selinux"))?;
    let config = format!("SELINUX=permissive\nSELINUXTYPE={name}\n");
    fs::write(root.join("etc/selinux/config"), config).context("writing the store's config")
}

/// The packages of a modular build, base first.
///
/// # Errors
/// When the folder cannot be read.
pub fn packages(tree: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(tree).context("looking for the packages")?;
    let mut all: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    all.retain(|path| path.extension().is_some_and(|end| end == "pp"));
    all.sort_by_key(|path| (!path.ends_with("base.pp"), path.clone()));
    Ok(all)
}

/// A command as the words that start it.
#[must_use]
pub fn line(command: &Command) -> Vec<String> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}
