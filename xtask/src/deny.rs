//! cargo-deny: found on the machine, or built beside the other builds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step::{cargo, root, target};

const VERSION: &str = "0.20.2";

/// Brings cargo-deny at the wanted version, with no output unless it fails.
///
/// It is built without optimisation, which is enough for what it does here and takes a third of
/// the time, and without its advisory database, which these checks do not ask.
pub(crate) fn bring() -> Result<PathBuf> {
    let tools = target()?.join("tools");
    let own = tools.join("bin/cargo-deny");
    if let Some(found) = [own.clone(), PathBuf::from("cargo-deny")].into_iter().find(|p| fits(p)) {
        return Ok(found);
    }
    let mut install = cargo(&["install", "cargo-deny", "--locked", "--version", VERSION])?;
    install.args(["--debug", "--no-default-features", "--root"]).arg(&tools);
    install.env("CARGO_TARGET_DIR", tools.join("build")).env("CARGO_PROFILE_DEV_DEBUG", "false");
    let output = install.output().context("starting cargo install")?;
    if !output.status.success() {
        bail!("installing cargo-deny: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::remove_dir_all(tools.join("build")).context("removing the build of cargo-deny")?;
    Ok(own)
}

fn fits(program: &Path) -> bool {
    let asked = Command::new(program).arg("--version").stderr(Stdio::null()).output();
    asked.is_ok_and(|output| output.stdout.trim_ascii_end().ends_with(VERSION.as_bytes()))
}

/// The check itself.
pub(crate) fn check(program: &Path) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(["check", "bans", "licenses", "sources"]).current_dir(root()?);
    Ok(command)
}
