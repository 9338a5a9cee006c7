//! docs/figures.md: what a full run measured, on what kind of machine, by which command.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::bench::Figure;
use crate::place::run;
use crate::report::Summary;

const HEAD: &str = "# Figures\n\n\
    Written by `cargo xtask measure`; do not edit. Ours and theirs were measured in the same run on the same machine.\n";

/// Rewrites the section of one area and leaves the others as they are. Each figure comes with the suite that measures it.
///
/// # Errors
/// When the file cannot be read or written.
pub fn write(
    path: &Path,
    area: &str,
    summaries: &[Summary],
    figures: &[(&str, Figure)],
) -> Result<()> {
    let section = section(area, summaries, figures)?;
    let old = fs::read_to_string(path).unwrap_or_default();
    let mut text = HEAD.to_owned();
    for other in old.split("\n## ").skip(1).filter(|other| other.lines().next() != Some(area)) {
        write!(text, "\n## {}\n", other.trim_end())?;
    }
    write!(text, "\n## {section}")?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn section(area: &str, summaries: &[Summary], figures: &[(&str, Figure)]) -> Result<String> {
    let mut text = format!("{area}\n\n{} on {}.\n", date()?, machine());
    writeln!(
        text,
        "Command: `cargo xtask measure {area}`; one suite alone by the command beside it.\n"
    )?;
    writeln!(text, "| compared | answers | differing | command |\n|---|--:|--:|---|")?;
    for Summary { suite, name, compared, differing } in summaries {
        writeln!(text, "| {name} | {compared} | {differing} | {} |", command(suite))?;
    }
    writeln!(
        text,
        "\n| measured | reach | ours | original | ratio | command |\n|---|---|--:|--:|--:|---|"
    )?;
    for (suite, Figure { what, reach, ours, theirs, ratio }) in figures {
        writeln!(text, "| {what} | {reach} | {ours} | {theirs} | {ratio} | {} |", command(suite))?;
    }
    Ok(text)
}

fn command(suite: &str) -> String {
    format!("`cargo run --release -p mandate-compliance -- {suite} --full`")
}

fn date() -> Result<String> {
    let output = run(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Cores, memory and processor: what a reader needs to compare, and no name.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor =
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib: u64 = memory.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0);
    format!("{cores} cores of {processor}, {} GiB of memory", kib.div_ceil(1 << 20))
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
