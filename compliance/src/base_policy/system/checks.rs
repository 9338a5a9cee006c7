//! What is checked in the running system.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

const CHECKS: &str = include_str!("../../../cases/system/checks.toml");
const RUN: &str = include_str!("../../../cases/system/run.sh");

/// A command of root, and what has to come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    /// What holds.
    pub(super) name: String,
    run: String,
    /// It must not exit with 0.
    #[serde(default)]
    fails: bool,
    /// Parts of what it tells.
    #[serde(default)]
    says: Vec<String>,
    /// All lines that it tells.
    lines: Option<BTreeSet<String>>,
}

/// What a command told.
#[derive(Debug, Default)]
pub(super) struct Told {
    code: String,
    out: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checks {
    check: Vec<Check>,
}

/// All checks, in order; each can fail.
pub(super) fn all() -> Result<Vec<Check>> {
    let checks: Checks = toml::from_str(CHECKS).context("reading checks.toml")?;
    for it in &checks.check {
        let empty = it.says.is_empty() && it.lines.is_none();
        ensure!(!empty, "checks.toml: {} looks at nothing that is told", it.name);
    }
    Ok(checks.check)
}

/// Lays the checks and what runs them into root's home.
pub(super) fn put(checks: &[Check], tree: &Path) -> Result<()> {
    let folder = tree.join("root/checks");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("removing the last checks")?;
    }
    std::fs::create_dir_all(&folder).context("making a folder for the checks")?;
    std::fs::write(folder.join("run"), RUN).context("writing what runs the checks")?;
    for (n, check) in checks.iter().enumerate() {
        std::fs::write(folder.join(file(n)), &check.run).context("writing a check")?;
    }
    Ok(())
}

fn file(number: usize) -> String {
    format!("{number:03}")
}

/// What became of each check; one that was not run told nothing.
pub(super) fn told(folder: &Path, checks: usize) -> Result<Vec<Told>> {
    ensure!(folder.join("end").is_file(), "the checks did not come to their end");
    let read = |name: String| -> Result<String> {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let one = |n| -> Result<Told> {
        let code = read(format!("{}.code", file(n)))?.trim().to_owned();
        Ok(Told { code, out: read(format!("{}.out", file(n)))? })
    };
    (0..checks).map(one).collect()
}

impl Check {
    /// Whether it holds; if not, what was told instead.
    pub(super) fn judge(&self, told: &Told) -> Result<String, String> {
        let lines = lines(&told.out);
        let text = Vec::from_iter(&lines).into_iter().map(String::as_str).collect::<Vec<_>>();
        let as_meant = (told.code != "0") == self.fails
            && self.says.iter().all(|it| text.iter().any(|line| line.contains(it.as_str())))
            && self.lines.as_ref().is_none_or(|it| *it == lines);
        if as_meant {
            return Ok("holds".into());
        }
        Err(format!("exit code {}, told {}", told.code, text.join(" | ")))
    }
}

/// Lines without repetition, and without what only aligns them.
fn lines(text: &str) -> BTreeSet<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(words).filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Check {
        toml::from_str(text).expect("a check")
    }

    fn told(code: &str, out: &str) -> Told {
        Told { code: code.into(), out: out.into() }
    }

    #[test]
    fn all_checks_are_read() {
        assert!(all().expect("checks.toml").len() > 20);
    }

    #[test]
    fn lines_are_all_that_is_told() {
        let it = check("name = 'n'\nrun = 'r'\nlines = ['a b', 'c']");
        assert!(it.judge(&told("0", "c\r\na   b\nc\n")).is_ok());
        assert!(it.judge(&told("0", "a b\nc\nd\n")).is_err());
        assert!(it.judge(&told("0", "a b\n")).is_err());
        assert!(it.judge(&told("1", "a b\nc\n")).is_err());
    }

    #[test]
    fn what_should_fail_has_to() {
        let it = check("name = 'n'\nrun = 'r'\nfails = true\nsays = ['denied']");
        assert!(it.judge(&told("1", "cat: x: Permission denied\n")).is_ok());
        assert!(it.judge(&told("0", "denied\n")).is_err());
        assert!(it.judge(&told("1", "no such file\n")).is_err());
    }
}
