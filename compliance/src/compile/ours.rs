//! `mandate build`, `check` and `m4`, run as anybody runs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::place::{Place, run};
use crate::reference::VERSION;

/// Hostile sources must not take the machine along if `mandate` fails to bound itself: a minute, 4 GiB.
const LIMITS: [&str; 3] = ["60", "prlimit", "--as=4294967296"];

/// What `mandate build` made.
#[derive(Clone, Debug)]
pub struct Ours {
    folder: PathBuf,
}

impl Ours {
    /// Builds a source tree into a folder, anew each time.
    ///
    /// # Errors
    /// When `mandate` fails.
    pub fn build(
        place: &Place,
        source: &Path,
        modules: Option<&Path>,
        words: &[String],
        optimize: bool,
        folder: &Path,
    ) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)
                .with_context(|| format!("removing {}", folder.display()))?;
        }
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let mut build = Command::new(place.mandate()?);
        build.args(["build", "--no-cache"]).arg(source).args(settings(modules, words));
        build.args(["--policy-version", &VERSION.to_string()]).args(optimize.then_some("-O"));
        // Neither m4 nor make nor anything else is found: none is needed.
        build.env("PATH", "");
        // With the slash at its end it is a folder to `mandate`.
        run(build.arg("-o").arg(folder.join("")))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The binary policy.
    #[must_use]
    pub fn binary(&self) -> PathBuf {
        self.file(&format!("policy.{VERSION}"))
    }

    /// One of the files that it made.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The arguments that `build` and `check` have in common.
#[must_use]
pub fn settings(modules: Option<&Path>, words: &[String]) -> Vec<String> {
    let mut all: Vec<String> =
        words.iter().flat_map(|word| ["--set".to_owned(), word.clone()]).collect();
    if let Some(modules) = modules {
        all.extend(["--modules".to_owned(), modules.display().to_string()]);
    }
    all
}

/// One finding of `mandate check --format json`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Finding {
    /// Its code.
    pub code: String,
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// What it says.
    pub message: String,
    /// The file, from the source tree's root; some findings have no place.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
}

impl Finding {
    /// `FILE:LINE`.
    #[must_use]
    pub fn place(&self) -> String {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            _ => "no place".to_owned(),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Findings {
    diagnostics: Vec<Finding>,
}

/// Asks `mandate check`; what it finds that is more than a note, and whether it calls the sources good.
///
/// # Errors
/// When it neither accepts nor refuses the sources, or does not answer in JSON.
pub fn check(place: &Place, input: &[&Path], options: &[String]) -> Result<(Vec<Finding>, bool)> {
    let output = checked(place, input, options, "json")?;
    let findings: Findings = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("mandate check answers {:?}", head(&output.stdout)))?;
    let told = findings.diagnostics.into_iter().filter(|it| it.severity != "note").collect();
    Ok((told, output.status.success()))
}

/// What `mandate check` shows a reader.
///
/// # Errors
/// When it neither accepts nor refuses the sources.
pub fn check_as_text(place: &Place, input: &[&Path], options: &[String]) -> Result<String> {
    let output = checked(place, input, options, "text")?;
    let both = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&both).into_owned())
}

fn checked(place: &Place, input: &[&Path], options: &[String], format: &str) -> Result<Output> {
    let mut check = Command::new("timeout");
    check
        .args(LIMITS)
        .arg(place.mandate()?)
        .arg("check")
        .args(input)
        .args(options)
        .args(["--format", format]);
    check.env("NO_COLOR", "1").stdin(Stdio::null());
    let output = check.output().context("starting mandate check")?;
    match output.status.code() {
        Some(0 | 1) => Ok(output),
        _ => bail!("mandate check: {}: {}", output.status, head(&output.stderr)),
    }
}

/// The start of what a program said.
fn head(said: &[u8]) -> String {
    String::from_utf8_lossy(said).lines().take(5).collect::<Vec<_>>().join(" | ")
}
