//! `cargo xtask test` and `cargo xtask measure`.

use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::deny;
use crate::step::{cargo, root, say, step, target, timed};

/// The exit code with which `mandate-compliance originals` says that some stay missing.
const STILL_MISSING: i32 = 3;

/// Every check; the comparison with the original tools comes last.
pub(crate) fn test(quick: bool) -> Result<ExitCode> {
    step("format", &mut cargo(&["fmt", "--all", "--check"])?)?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    step("lints", &mut cargo(&clippy)?)?;
    let program = thread::scope(|scope| {
        // cargo-deny is built beside the tests, which leave a core idle as they link and run.
        let deny = scope.spawn(deny::bring);
        step("unit tests", &mut cargo(&["test", "--workspace"])?)?;
        let kept_in = ["test", "-p", "mandate-cli", "--test", "run", "--features", "switches"];
        step(
            "programs that try to get out, without each defence and with it",
            &mut cargo(&kept_in)?,
        )?;
        deny.join().map_err(|_| anyhow::anyhow!("bringing cargo-deny panicked"))?
    })?;
    step("licences, duplicates, sources", &mut deny::check(&program)?)?;
    build()?;
    if quick {
        return without_originals(!in_ci());
    }
    if !timed("original tools", originals)? {
        return without_originals(false);
    }
    step("comparison with the originals", &mut compliance(&["ci"])?)?;
    step("hostile bytes", &mut built("hostile", &["--reference"])?)?;
    say("\nall checks passed");
    Ok(ExitCode::SUCCESS)
}

/// The full sizes of some areas; writes docs/figures.md.
pub(crate) fn measure(areas: &[&str]) -> Result<ExitCode> {
    build()?;
    if !timed("original tools", originals)? {
        bail!("measuring compares with the original tools, and some are missing");
    }
    let figures = root()?.join("docs/figures.md");
    for area in areas {
        let mut command = compliance(&["measure", area, "--figures"])?;
        step(&format!("figures: {area}"), command.arg(&figures))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Continuous integration never passes without the originals.
fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}

/// The part that needs no original; says what it left out.
fn without_originals(quick: bool) -> Result<ExitCode> {
    step("comparison without the originals", &mut compliance(&["ci", "--without-originals"])?)?;
    step("hostile bytes, small policies only", &mut built("hostile", &[])?)?;
    if quick {
        say("\nall quick checks passed; the originals were left out");
        return Ok(ExitCode::SUCCESS);
    }
    say("\nwhat needs no original passed, but the comparison above was left out: not complete");
    say("hint: install the packages named above, or call with --quick");
    Ok(ExitCode::FAILURE)
}

fn build() -> Result<()> {
    let packages = ["build", "--release", "-p", "mandate-cli", "-p", "mandate-compliance"];
    step("release build", &mut cargo(&packages)?)
}

/// Whether the original tools are here, after trying to install them.
fn originals() -> Result<bool> {
    let mut command = compliance(&["originals", "--install"])?;
    let status = command.status().context("starting mandate-compliance")?;
    match status.code() {
        Some(0) => Ok(true),
        Some(STILL_MISSING) => Ok(false),
        _ => bail!("the original tools could not be installed"),
    }
}

fn compliance(arguments: &[&str]) -> Result<Command> {
    built("mandate-compliance", arguments)
}

/// A program of this repository, built for release.
fn built(name: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(target()?.join("release").join(name));
    command.args(arguments).current_dir(root()?);
    Ok(command)
}
