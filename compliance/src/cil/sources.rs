//! CIL of whole policies, made by the originals and kept: modules that Debian ships, modules built here, and a tree as text.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::compiler::Compiler;
use crate::compile::bench::packages;
use crate::compile::original::{Original, make_in};
use crate::compile::setting::Setting;
use crate::compile::tree::{self, Overlay};
use crate::place::{Place, cached, run};
use crate::reference::Flavour;

/// What `semodule` makes CIL of packages with.
const HLL: &str = "/usr/libexec/selinux/hll/pp";
/// Where Debian's policies install their modules.
const SHIPPED: &str = "/usr/share/selinux";
/// Fewer modules would not be what Debian ships.
const FEWEST: usize = 100;

/// Where CIL comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The packages of `selinux-policy-NAME`.
    Shipped(&'static str),
    /// Debian's tree, built as modules by its Makefile.
    Built(Flavour),
    /// Debian's tree as one `policy.conf`, by `checkpolicy -C`.
    Conf(Flavour),
}

/// CIL files and what goes with them.
#[derive(Clone, Debug)]
pub struct Whole {
    /// In reports.
    pub name: String,
    /// In the order in which they are given to a compiler.
    pub files: Vec<PathBuf>,
    folder: PathBuf,
    mls: bool,
}

impl Source {
    /// The sources of continuous integration.
    pub const CI: [Self; 2] = [Self::Shipped("default"), Self::Conf(Flavour::Mcs)];
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Shipped("default"),
        Self::Shipped("mls"),
        Self::Built(Flavour::Mcs),
        Self::Conf(Flavour::Mcs),
        Self::Conf(Flavour::Mls),
        Self::Conf(Flavour::Standard),
    ];

    fn mls(self) -> bool {
        !matches!(self, Self::Conf(Flavour::Standard) | Self::Built(Flavour::Standard))
    }

    /// Makes the CIL, or finds it made.
    ///
    /// # Errors
    /// When an original fails.
    pub fn make(self, place: &Place) -> Result<Whole> {
        let name = self.to_string();
        let folder = tree::folder(place)?.join("cil").join(name.replace(' ', "-"));
        cached(&folder.join("modules"), |part| {
            fs::create_dir_all(part).with_context(|| format!("making {}", part.display()))?;
            match self {
                Self::Shipped(flavour) => shipped(flavour, part),
                Self::Built(flavour) => built(place, flavour, part),
                Self::Conf(flavour) => conf(place, flavour, part),
            }
        })?;
        let files = files(&folder.join("modules"), "cil")?;
        Ok(Whole { name, files, folder, mls: self.mls() })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped(name) => write!(f, "modules shipped {name}"),
            Self::Built(flavour) => write!(f, "modules built {}", flavour.name()),
            Self::Conf(flavour) => write!(f, "checkpolicy -C {}", flavour.name()),
        }
    }
}

impl Whole {
    /// Other files in place of these.
    #[must_use]
    pub fn of_files(&self, name: String, files: Vec<PathBuf>) -> Self {
        Self { name, files, ..self.clone() }
    }

    /// The options that `semodule` compiles with; with `-O`, without redundant rules.
    #[must_use]
    pub fn options(&self, optimize: bool) -> Vec<String> {
        let mls = if self.mls { "true" } else { "false" };
        let mut all = vec!["-m", "-N", "-M", mls, "-U", "deny"];
        all.extend(optimize.then_some("-O"));
        all.into_iter().map(str::to_owned).collect()
    }

    /// A compiler's command for these files, which writes to `to` and beside it.
    #[must_use]
    pub fn command(&self, compiler: &Compiler, optimize: bool, to: &Path) -> Command {
        let files: Vec<&Path> = self.files.iter().map(PathBuf::as_path).collect();
        compiler.command(&self.options(optimize), &files, to, &to.with_extension("fc"))
    }

    /// What `secilc` makes of it, kept.
    ///
    /// # Errors
    /// When it fails.
    pub fn theirs(&self, optimize: bool) -> Result<PathBuf> {
        let path = self.folder.join(if optimize { "optimized" } else { "plain" });
        cached(&path, |part| {
            run(&mut self.command(&Compiler::original(None), optimize, part))?;
            let (from, to) = (part.with_extension("fc"), path.with_extension("fc"));
            fs::rename(&from, to).with_context(|| format!("keeping {}", from.display()))
        })?;
        Ok(path)
    }
}

/// Files of a folder that end so, by name.
fn files(folder: &Path, end: &str) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("looking into {}", folder.display()))?;
    let mut all: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    all.retain(|path| path.extension().is_some_and(|it| it == end));
    all.sort();
    ensure!(!all.is_empty(), "{} has no .{end}", folder.display());
    Ok(all)
}

fn shipped(flavour: &str, to: &Path) -> Result<()> {
    let packed = files(&Path::new(SHIPPED).join(flavour), "bz2")?;
    ensure!(packed.len() >= FEWEST, "only {} modules are shipped", packed.len());
    for path in packed {
        let package = to.join(path.file_stem().context("a module has a name")?);
        let mut bzip2 = Command::new("bzip2");
        let unpacked = run(bzip2.arg("-dc").arg(&path))?.stdout;
        fs::write(&package, unpacked).with_context(|| format!("writing {}", package.display()))?;
        convert(&package, to)?;
        fs::remove_file(&package).with_context(|| format!("removing {}", package.display()))?;
    }
    Ok(())
}

fn built(place: &Place, flavour: Flavour, to: &Path) -> Result<()> {
    let source = tree::pristine(place)?;
    let overlay = Overlay::copy(&source, &to.with_extension("tree"))?;
    let setting = Setting { flavour, ..Setting::DEBIAN };
    let list = fs::read(source.join(setting.modules.file())).context("reading the module list")?;
    overlay.replace("policy/modules.conf", &list)?;
    let words = [setting.words(), vec!["MONOLITHIC=n".to_owned()]].concat();
    run(make_in(overlay.root(), &words).args(["base", "modules"]))?;
    for package in packages(overlay.root())? {
        convert(&package, to)?;
    }
    fs::remove_dir_all(overlay.root()).context("removing the tree of modules")
}

/// A package as CIL, under the name of the package.
fn convert(package: &Path, to: &Path) -> Result<()> {
    let name = package.file_stem().context("a package has a name")?;
    let cil = to.join(name).with_extension("cil");
    run(Command::new(HLL).arg(package).arg(&cil)).map(drop)
}

fn conf(place: &Place, flavour: Flavour, to: &Path) -> Result<()> {
    let original = Original::build(place, Setting { flavour, ..Setting::DEBIAN })?;
    let mut checkpolicy = Command::new("checkpolicy");
    checkpolicy
        .args((flavour != Flavour::Standard).then_some("-M"))
        .args(["-C", "-U", "deny", "-E"]);
    checkpolicy.arg(original.conf()).arg("-o").arg(to.join("policy.cil"));
    let status = checkpolicy.stdin(Stdio::null()).stdout(Stdio::null()).status();
    if !status.context("starting checkpolicy")?.success() {
        bail!("checkpolicy -C fails");
    }
    Ok(())
}
