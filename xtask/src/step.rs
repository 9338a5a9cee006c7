//! Steps: a heading, a program, how long it took.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Writes a line to standard error, where everything goes that is not data.
pub(crate) fn say(text: &str) {
    let mut err = std::io::stderr().lock();
    // A reader that has gone does not change what the checks find.
    let _gone = writeln!(err, "{text}");
}

/// The root of the repository.
pub(crate) fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_owned).context("xtask stands in the repository")
}

/// Where builds go.
pub(crate) fn target() -> Result<PathBuf> {
    let root = root()?;
    Ok(std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |dir| root.join(dir)))
}

/// The cargo that runs this, started in the root of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Result<Command> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()?);
    Ok(command)
}

/// Runs one step to its end.
pub(crate) fn step(heading: &str, command: &mut Command) -> Result<()> {
    timed(heading, || {
        let status = command.status().with_context(|| format!("starting {command:?}"))?;
        if !status.success() {
            bail!("{heading}: {status}");
        }
        Ok(())
    })
}

/// Runs one step that is more than a program.
pub(crate) fn timed<T>(heading: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say(&format!("\n== {heading}"));
    let started = Instant::now();
    let result = work();
    let word = if result.is_ok() { "done" } else { "failed" };
    say(&format!("== {heading}: {word} in {:.1} s", started.elapsed().as_secs_f64()));
    result
}
