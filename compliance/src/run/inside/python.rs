//! What programs of Python need: the interpreter, and the modules and files that they open.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::place::run;

const PYTHON: &str = "/usr/bin/python3";
const OPENED: &str = include_str!("../../../programs/opened.py");

/// What those of the programs need that Python runs.
pub(super) fn needs(programs: &BTreeSet<PathBuf>) -> Result<BTreeSet<PathBuf>> {
    let mut all = BTreeSet::new();
    for script in programs.iter().filter(|it| is_script(it)) {
        all.insert(PYTHON.into());
        all.extend(opened(script)?);
    }
    Ok(all)
}

fn is_script(program: &Path) -> bool {
    let start = format!("#!{PYTHON}");
    let mut bytes = vec![0; start.len()];
    let read = File::open(program).and_then(|mut it| it.read_exact(&mut bytes));
    read.is_ok() && bytes == start.as_bytes()
}

/// A program imports all of its modules to tell of itself.
fn opened(script: &Path) -> Result<Vec<PathBuf>> {
    let mut command = Command::new(PYTHON);
    command.args(["-s", "-B", "-c", OPENED]).arg(script).arg("--help").env_clear();
    let output = run(&mut command)?;
    let text = String::from_utf8(output.stderr).context("names of Python's files")?;
    let names = text.split('\0').map(str::trim_ascii).filter(|it| it.starts_with('/'));
    Ok(names.map(PathBuf::from).collect())
}
