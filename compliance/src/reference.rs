//! The Reference Policy that Debian ships, built by the original tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::originals;
use crate::place::{Place, cached, run};

/// The version at which every policy is built first.
pub const VERSION: u32 = 33;

/// The flavours of the Reference Policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Flavour {
    /// Without MLS.
    Standard,
    /// One sensitivity, 1,024 categories.
    Mcs,
    /// 16 sensitivities, 1,024 categories.
    Mls,
}

impl Flavour {
    /// All three, the one that most people run first.
    pub const ALL: [Self; 3] = [Self::Mcs, Self::Standard, Self::Mls];

    /// The name that the Reference Policy's build has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Mcs => "mcs",
            Self::Mls => "mls",
        }
    }

    /// What `checkpolicy` must be told for it.
    #[must_use]
    pub fn mls_option(self) -> &'static [&'static str] {
        match self {
            Self::Standard => &[],
            Self::Mcs | Self::Mls => &["-M"],
        }
    }
}

/// The policies made from one flavour.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Which one.
    pub flavour: Flavour,
    folder: PathBuf,
}

impl Reference {
    /// Builds a flavour at [`VERSION`], or finds it built.
    ///
    /// # Errors
    /// When the originals fail.
    pub fn build(place: &Place, flavour: Flavour) -> Result<Self> {
        let folder = place.work.join(originals::versions()?).join(flavour.name());
        let this = Self { flavour, folder };
        cached(&this.source(), |path| write_source(flavour, path))?;
        cached(&this.binary(), |path| {
            let version = VERSION.to_string();
            this.checkpolicy(
                &["-c", &version, "-U", "deny", "-S", "-O", "-E"],
                &this.source(),
                path,
            )
        })?;
        Ok(this)
    }

    /// All flavours, built at the same time.
    ///
    /// # Errors
    /// When the originals fail for one of them.
    pub fn build_all(place: &Place) -> Result<Vec<Self>> {
        std::thread::scope(|scope| {
            let builds =
                Flavour::ALL.map(|flavour| scope.spawn(move || Self::build(place, flavour)));
            builds
                .into_iter()
                .map(|build| build.join().unwrap_or_else(|_| anyhow::bail!("the build panicked")))
                .collect()
        })
    }

    /// The text that `checkpolicy` compiles.
    #[must_use]
    pub fn source(&self) -> PathBuf {
        self.folder.join("policy.conf")
    }

    /// The binary policy at [`VERSION`].
    #[must_use]
    pub fn binary(&self) -> PathBuf {
        self.folder.join(format!("policy.{VERSION}"))
    }

    /// The same policy written by `checkpolicy -b -c VERSION`.
    ///
    /// # Errors
    /// When `checkpolicy` fails.
    pub fn downgraded(&self, version: u32) -> Result<PathBuf> {
        let path = self.folder.join(format!("downgraded.{version}"));
        cached(&path, |path| {
            self.checkpolicy(&["-b", "-c", &version.to_string()], &self.binary(), path)
        })?;
        Ok(path)
    }

    /// The same policy taken through CIL and compiled by `secilc`.
    ///
    /// # Errors
    /// When one of the two compilers fails.
    pub fn by_secilc(&self) -> Result<PathBuf> {
        let cil = self.folder.join("policy.cil");
        cached(&cil, |path| {
            self.checkpolicy(&["-C", "-U", "deny", "-S", "-O", "-E"], &self.source(), path)
        })?;
        let path = self.folder.join(format!("secilc.{VERSION}"));
        let mls = if self.flavour == Flavour::Standard { "false" } else { "true" };
        cached(&path, |path| {
            let mut secilc = Command::new("secilc");
            secilc.args(["-M", mls, "-c", &VERSION.to_string(), "-U", "deny"]);
            run(secilc.arg("-o").arg(path).args(["-f", "/dev/null"]).arg(&cil)).map(drop)
        })?;
        Ok(path)
    }

    fn checkpolicy(&self, options: &[&str], input: &Path, output: &Path) -> Result<()> {
        let mut command = Command::new("checkpolicy");
        command.args(self.flavour.mls_option()).args(options);
        run(command.arg("-o").arg(output).arg(input)).map(drop)
    }
}

/// Lets the Reference Policy's own Makefile write the monolithic `policy.conf`.
fn write_source(flavour: Flavour, path: &Path) -> Result<()> {
    let tree = path.with_extension("tree");
    fs::create_dir_all(&tree).with_context(|| format!("making {}", tree.display()))?;
    run(Command::new("tar").arg("-C").arg(&tree).arg("-xf").arg(archive()?))?;
    let sources = tree.join("selinux-policy-src");
    let name = flavour.name();
    let mut make = Command::new("make");
    make.arg("-C").arg(&sources);
    make.args([format!("TYPE={name}"), format!("NAME={name}")]);
    make.args(["DISTRO=debian", "SYSTEMD=y", "QUIET=y", "MONOLITHIC=y", "policy.conf"]);
    run(make.env_remove("MAKEFLAGS").env_remove("MFLAGS"))?;
    fs::rename(sources.join("policy.conf"), path).context("keeping policy.conf")?;
    fs::remove_dir_all(&tree).with_context(|| format!("removing {}", tree.display()))
}

/// The archive of the package `selinux-policy-src`, however it is compressed.
pub(crate) fn archive() -> Result<PathBuf> {
    let folder = Path::new("/usr/src");
    let entries = fs::read_dir(folder).context("looking for the Reference Policy in /usr/src")?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("selinux-policy-src.tar")
        })
        .context("no /usr/src/selinux-policy-src.tar.*")
}
