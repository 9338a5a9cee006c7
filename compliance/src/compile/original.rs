//! What the original tools make of a source tree: by its own Makefile and `checkpolicy`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::setting::{Modules, Setting};
use super::tree::{self, Overlay};
use crate::place::{Place, cached, run};
use crate::reference::VERSION;

/// The files beside the policy that a build makes, `appconfig/` aside.
pub const FILES: [&str; 5] =
    ["file_contexts", "homedir_template", "seusers", "users_extra", "customizable_types"];

/// One finished build.
#[derive(Clone, Debug)]
pub struct Original {
    /// What it is called in reports.
    pub name: String,
    mls: bool,
    folder: PathBuf,
}

impl Original {
    /// Builds Debian's tree with one setting, or finds it built.
    ///
    /// # Errors
    /// When the originals fail.
    pub fn build(place: &Place, setting: Setting) -> Result<Self> {
        let folder = tree::folder(place)?.join(setting.to_string());
        let source = tree::pristine(place)?;
        cached(&folder, |part| make(&source, setting.modules, &setting.words(), part))?;
        let mls = !setting.flavour.mls_option().is_empty();
        Ok(Self { name: setting.to_string(), mls, folder })
    }

    /// Builds any tree in a folder of its own, anew each time.
    ///
    /// # Errors
    /// When the originals fail.
    pub fn build_tree(name: &str, source: &Path, words: &[String], folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        cached(folder, |part| make(source, Modules::Full, words, part))?;
        let mls = words.iter().any(|word| word == "TYPE=mcs" || word == "TYPE=mls");
        Ok(Self { name: name.to_owned(), mls, folder: folder.to_owned() })
    }

    /// One of the files that it made.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The text that `checkpolicy` compiles.
    #[must_use]
    pub fn conf(&self) -> PathBuf {
        self.file("policy.conf")
    }

    /// The binary policy with every rule that was written.
    ///
    /// # Errors
    /// When `checkpolicy` fails.
    pub fn plain(&self) -> Result<PathBuf> {
        self.compiled("plain", &["-S", "-E"])
    }

    /// The binary policy as the Makefile lets it be made: without redundant rules.
    ///
    /// # Errors
    /// When `checkpolicy` fails.
    pub fn optimized(&self) -> Result<PathBuf> {
        self.compiled("optimized", &["-S", "-O", "-E"])
    }

    /// The policy as a modular build links it: by way of CIL. `checkpolicy` 3.4 leaves out of `role R types ATTRIBUTE` what
    /// joins the attribute in an optional block; this has it.
    ///
    /// # Errors
    /// When `checkpolicy` or `secilc` fails.
    pub fn linked(&self) -> Result<PathBuf> {
        let path = self.file(&format!("linked.{VERSION}"));
        cached(&path, |part| {
            let cil = part.with_extension("cil");
            let mut checkpolicy = Command::new("checkpolicy");
            checkpolicy.args(self.mls.then_some("-M")).args(["-C", "-U", "deny", "-E"]);
            run(checkpolicy.arg(self.conf()).arg("-o").arg(&cil))?;
            let mut secilc = Command::new("secilc");
            secilc.args(["-M", if self.mls { "true" } else { "false" }, "-U", "deny", "-N"]);
            secilc.args(["-c", &VERSION.to_string(), "-f", "/dev/null", "-o"]).arg(part);
            run(secilc.arg(&cil))?;
            fs::remove_file(&cil).with_context(|| format!("removing {}", cil.display()))
        })?;
        Ok(path)
    }

    fn compiled(&self, name: &str, options: &[&str]) -> Result<PathBuf> {
        let path = self.file(&format!("{name}.{VERSION}"));
        cached(&path, |part| {
            let mut checkpolicy = Command::new("checkpolicy");
            checkpolicy.args(self.mls.then_some("-M"));
            checkpolicy.args(["-U", "deny", "-c", &VERSION.to_string()]).args(options);
            run(checkpolicy.arg(self.conf()).arg("-o").arg(part)).map(drop)
        })?;
        Ok(path)
    }

    /// A binary policy of the same flavour as text, by `checkpolicy -b -F`.
    ///
    /// # Errors
    /// When `checkpolicy` refuses it.
    pub fn as_text(&self, binary: &Path) -> Result<String> {
        let out = binary.with_extension(format!("{}.conf", std::process::id()));
        let mut checkpolicy = Command::new("checkpolicy");
        checkpolicy.args(self.mls.then_some("-M")).args(["-b", "-F"]);
        run(checkpolicy.arg(binary).arg("-o").arg(&out))?;
        let text = fs::read(&out).with_context(|| format!("reading {}", out.display()))?;
        fs::remove_file(&out).with_context(|| format!("removing {}", out.display()))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// A `make` in a source tree, with nothing of a `make` around this program.
#[must_use]
pub fn make_in(tree: &Path, words: &[String]) -> Command {
    let mut make = Command::new("make");
    make.arg("-C").arg(tree).args(words).arg("QUIET=y");
    for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"] {
        make.env_remove(name);
    }
    make
}

/// Lets the Makefile make everything but the binary policy, and keeps it in `folder`.
fn make(source: &Path, modules: Modules, words: &[String], folder: &Path) -> Result<()> {
    let tree = Overlay::new(source, &folder.with_extension("tree"))?;
    let list = source.join(modules.file());
    tree.replace(Modules::Full.file(), &fs::read(&list).context("reading the module list")?)?;
    let root = folder.with_extension("root");
    let destination = format!("DESTDIR={}", root.display());
    let targets = ["policy.conf", "file_contexts", "homedir_template"];
    run(make_in(tree.root(), words).arg("MONOLITHIC=y").args(targets))?;
    run(make_in(tree.root(), words).args(["MONOLITHIC=y", &destination, "install-appconfig"]))?;
    run(make_in(tree.root(), words).args(["MONOLITHIC=n", "tmp/users_extra"]))?;
    keep(tree.root(), &root, folder)?;
    fs::remove_dir_all(&root).with_context(|| format!("removing {}", root.display()))
}

/// Moves what was made to the folder of the build.
fn keep(tree: &Path, root: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let installed = only_folder(&root.join("etc/selinux"))?;
    let moves = [
        (tree.join("policy.conf"), "policy.conf"),
        (tree.join("file_contexts"), "file_contexts"),
        (tree.join("homedir_template"), "homedir_template"),
        (tree.join("tmp/users_extra"), "users_extra"),
        (installed.join("seusers"), "seusers"),
        (installed.join("contexts/customizable_types"), "customizable_types"),
        (installed.join("contexts"), "appconfig"),
    ];
    for (from, to) in moves {
        fs::rename(&from, folder.join(to))
            .with_context(|| format!("keeping {}", from.display()))?;
    }
    Ok(())
}

/// `etc/selinux` has one folder, named after the policy.
fn only_folder(parent: &Path) -> Result<PathBuf> {
    let entries =
        fs::read_dir(parent).with_context(|| format!("looking into {}", parent.display()))?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.is_dir()).context("nothing was installed")
}
