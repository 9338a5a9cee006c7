//! Where the suite works, and how it runs other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};

/// The folders of one checkout.
#[derive(Clone, Debug)]
pub struct Place {
    /// The root of the repository.
    pub root: PathBuf,
    /// Where everything made at run time goes.
    pub work: PathBuf,
}

impl Place {
    /// The checkout that this program was built from.
    ///
    /// # Errors
    /// When the work folder cannot be made.
    pub fn here() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the compliance crate stands in the repository")?
            .to_owned();
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |dir| root.join(dir));
        let work = target.join("compliance");
        std::fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;
        Ok(Self { root, work })
    }

    /// Keeps a finding in the work folder; tells where without the folder itself, whose path is nobody else's.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let path = self.work.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        Ok(format!("kept in the work folder as {name}"))
    }

    /// The `mandate` program beside this one. Run by cargo, this brings it up to date first.
    ///
    /// # Errors
    /// When it cannot be built or is not there.
    pub fn mandate(&self) -> Result<PathBuf> {
        static BUILT: OnceLock<()> = OnceLock::new();
        let program = std::env::current_exe().context("finding this program")?;
        let program = program.with_file_name("mandate");
        if let (Some(cargo), None) = (std::env::var_os("CARGO"), BUILT.get()) {
            let mut build = Command::new(cargo);
            build.args(["build", "--release", "--package", "mandate-cli"]);
            run(build.current_dir(&self.root))?;
        }
        BUILT.get_or_init(|| ());
        ensure!(program.is_file(), "{} is not built", program.display());
        Ok(program)
    }
}

/// Runs a program to its end; its output, or an error that shows what it said.
///
/// # Errors
/// When it cannot start or does not exit with 0.
pub fn run(command: &mut Command) -> Result<Output> {
    let shown = show(command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("starting {shown}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<&str> = said.lines().rev().take(12).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    bail!("{shown}: {}\n{}", output.status, tail.join("\n"));
}

/// The command as one would type it.
fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Makes `path` by `make`, unless it is there already; half a file is never left under its name.
///
/// # Errors
/// Those of `make`, and of the file system.
pub fn cached(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let parent = path.parent().context("a cached file has a folder")?;
    std::fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    let mut name = path.file_name().context("a cached file has a name")?.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    make(&part)?;
    std::fs::rename(&part, path).with_context(|| format!("making {}", path.display()))
}

/// FNV-1a: tells two versions of a source apart.
#[must_use]
pub fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
