//! The side of a comparison that is ours: the libraries in this process, or the `mandate` program.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::place::Place;

/// What both sides say about access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vectors {
    /// Permissions that are granted.
    pub allowed: u32,
    /// Permissions whose grant is audited.
    pub auditallow: u32,
    /// Permissions whose denial is audited.
    pub auditdeny: u32,
}

impl fmt::Display for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { allowed, auditallow, auditdeny } = self;
        write!(f, "allowed {allowed:#010x} auditallow {auditallow:#010x} auditdeny {auditdeny:#010x}")
    }
}

/// Reads a policy and writes it again at `version`.
///
/// # Errors
/// When the policy is refused or cannot be written at that version.
pub fn rewrite(_bytes: &[u8], _version: u32) -> Result<Vec<u8>> {
    bail!("the policy database is not there yet")
}

/// Asks `mandate decide --jsonl`; an answer per query.
///
/// # Errors
/// When it fails, or does not answer each query with one JSON object.
pub fn ask_mandate(place: &Place, policy: &Path, queries: &[Value]) -> Result<Vec<Value>> {
    let input = place.work.join(format!("queries.{}.jsonl", std::process::id()));
    let text: String = queries.iter().map(|query| format!("{query}\n")).collect();
    std::fs::write(&input, text).with_context(|| format!("writing {}", input.display()))?;
    let file = std::fs::File::open(&input).context("opening the queries")?;
    let output = Command::new(place.mandate()?)
        .arg("decide")
        .arg(policy)
        .arg("--jsonl")
        .stdin(file)
        .stderr(Stdio::inherit())
        .output()
        .context("starting mandate decide")?;
    std::fs::remove_file(&input).context("removing the queries")?;
    if !output.status.success() {
        bail!("mandate decide --jsonl: {}", output.status);
    }
    let answers: Result<Vec<Value>, _> =
        output.stdout.split(|&byte| byte == b'\n').filter(|l| !l.is_empty()).map(serde_json::from_slice).collect();
    let answers = answers.context("mandate decide --jsonl does not answer with JSON lines")?;
    if answers.len() != queries.len() {
        bail!("{} answers to {} queries", answers.len(), queries.len());
    }
    Ok(answers)
}
