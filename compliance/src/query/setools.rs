//! setools' library in one process: see `compliance/oracle/ask_setools.py`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;

use crate::place::Place;

/// The interpreter that Debian's packages are for.
pub(super) const PYTHON: &str = "/usr/bin/python3";

/// An answer of either side.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    /// The exit code.
    pub code: i32,
    /// What was printed.
    pub lines: Vec<String>,
    /// What was said on standard error.
    pub said: String,
    /// How long it took, without reading the policy.
    pub seconds: f64,
}

/// The process.
#[derive(Debug)]
pub struct Setools {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Setools {
    /// Starts it.
    ///
    /// # Errors
    /// When there is no python3 or no setools.
    pub fn start(place: &Place) -> Result<Self> {
        let mut command = Command::new(PYTHON);
        command.arg("-B").arg(place.root.join("compliance/oracle/ask_setools.py"));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("starting {PYTHON}"))?;
        let to = child.stdin.take().context("the standard input of python3")?;
        let from = BufReader::new(child.stdout.take().context("the output of python3")?);
        Ok(Self { child, to, from })
    }

    /// Runs `sesearch` or `seinfo` with these words.
    ///
    /// # Errors
    /// When setools came down.
    pub fn ask(&mut self, tool: &str, words: &[String]) -> Result<Answer> {
        let asking = || format!("asking setools {tool} {}", words.join(" "));
        writeln!(self.to, "{}", json!({ "tool": tool, "words": words })).with_context(asking)?;
        let mut line = String::new();
        self.from.read_line(&mut line).with_context(asking)?;
        ensure!(!line.is_empty(), "{}: it came down", asking());
        serde_json::from_str(&line).with_context(asking)
    }
}

impl Drop for Setools {
    fn drop(&mut self) {
        // It is idle: nothing is lost.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
