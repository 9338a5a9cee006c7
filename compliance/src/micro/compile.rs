//! Compiles the sources of the micro policies with the original compilers.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::Case;
use crate::place::{cached, run};
use crate::suite::{PACKAGE_LIST, Suite};

/// The newest version that the installed checkpolicy writes.
const INSTALLED_WRITES: u32 = 33;
const DEMO_COMPILER: &str = "checkpolicy 3.4";
/// A suite whose checkpolicy writes version 35.
const LATER_SUITE: &str = "forky";

/// The installed compilers, and a newer checkpolicy that is only unpacked.
#[derive(Clone, Debug)]
pub struct Compilers {
    work: PathBuf,
}

impl Compilers {
    /// Compilers that keep what they need in `work`.
    #[must_use]
    pub fn new(work: &Path) -> Self {
        Self { work: work.to_owned() }
    }

    /// The name and version of the compiler for a case.
    ///
    /// # Errors
    /// When it is not installed, or cannot be brought.
    pub fn name(&self, case: &Case) -> Result<String> {
        let program = if is_cil(&case.files()?[0].0) { "secilc" } else { "checkpolicy" };
        let version = if case.version <= INSTALLED_WRITES {
            installed_version(program)?
        } else {
            let list = std::fs::read_to_string(self.later()?.join(PACKAGE_LIST))?;
            let deb = list.lines().find(|line| line.starts_with(program));
            deb.and_then(|line| line.split('_').nth(1)).context("the package's version")?.to_owned()
        };
        Ok(named(program, &version))
    }

    /// Is the installed checkpolicy the one that made the demo's policy?
    ///
    /// # Errors
    /// When none is installed.
    pub fn is_demo_compiler(&self) -> Result<bool> {
        Ok(named("checkpolicy", &installed_version("checkpolicy")?) == DEMO_COMPILER)
    }

    /// The demo's binary, made anew.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn compile_demo(&self, source: &Path) -> Result<Vec<u8>> {
        let mut command = Command::new("checkpolicy");
        command.args(["-M", "-c", "33", "-U", "deny"]);
        self.output_of(command, source)
    }

    /// The binary made of a source.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn compile(&self, case: &Case, source: &Path) -> Result<Vec<u8>> {
        let command = if is_cil(source) { secilc(case) } else { self.checkpolicy(case)? };
        self.output_of(command, source)
    }

    fn output_of(&self, mut command: Command, source: &Path) -> Result<Vec<u8>> {
        std::fs::create_dir_all(&self.work)?;
        let out = self.work.join(format!("micro-{}.bin", std::process::id()));
        run(command.arg("-o").arg(&out).arg(source))?;
        let made = std::fs::read(&out).with_context(|| format!("reading {}", out.display()))?;
        std::fs::remove_file(&out)?;
        Ok(made)
    }

    /// Compiles every source of a case and notes hash and compiler.
    pub(super) fn record(&self, case: &mut Case) -> Result<()> {
        for (source, binary) in case.files()? {
            let made = self.compile(case, &source)?;
            std::fs::write(&binary, made)
                .with_context(|| format!("writing {}", binary.display()))?;
        }
        case.compiler = self.name(case)?;
        case.sha256 = case.sources_hash()?;
        case.record()
    }

    fn checkpolicy(&self, case: &Case) -> Result<Command> {
        let mut command = if case.version <= INSTALLED_WRITES {
            Command::new("checkpolicy")
        } else {
            let root = self.later()?;
            // with its own libc, which the installed one may be too old for
            let libraries = root.join("usr/lib/x86_64-linux-gnu");
            let mut loader = Command::new(libraries.join("ld-linux-x86-64.so.2"));
            loader.arg("--library-path").arg(&libraries).arg(root.join("usr/bin/checkpolicy"));
            loader
        };
        let version = case.version.to_string();
        command.args(["-c", &version, "-t", &case.target, "-U", &case.handle_unknown]);
        if case.mls {
            command.arg("-M");
        }
        Ok(command)
    }

    fn later(&self) -> Result<PathBuf> {
        let folder = self.work.join("later-checkpolicy");
        cached(&folder, |part| {
            let suite = Suite::named(LATER_SUITE, &self.work.join("later-apt"))?;
            suite.unpack(&["checkpolicy", "libc6"], part)
        })?;
        Ok(folder)
    }
}

fn installed_version(program: &str) -> Result<String> {
    let query = run(Command::new("dpkg-query").args(["-W", "-f", "${Version}", program]))?;
    Ok(String::from_utf8_lossy(&query.stdout).into_owned())
}

/// A program with its upstream version, which decides what it writes.
fn named(program: &str, version: &str) -> String {
    format!("{program} {}", version.split('-').next().unwrap_or_default())
}

fn is_cil(source: &Path) -> bool {
    source.extension().is_some_and(|kind| kind == "cil")
}

/// Without neverallow checks, because these also refuse types that exceed their bounds.
fn secilc(case: &Case) -> Command {
    let mut command = Command::new("secilc");
    command.args(["-N", "-M", if case.mls { "true" } else { "false" }]);
    command.args(["-c", &case.version.to_string(), "-t", &case.target]);
    command.args(["-U", &case.handle_unknown, "-f", "/dev/null"]);
    command
}
