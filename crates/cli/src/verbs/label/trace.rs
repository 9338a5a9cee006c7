//! `mandate label trace`: the rules that a program which copies labelled files needs, by a log of strace.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use mandate_label::trace::{self, Question, Rule};
use serde_json::{Value, json};

use super::common::shown;
use crate::{FAINT, Outcome, input, styled};

/// Arguments of `label trace`.
#[derive(clap::Args)]
#[command(after_help = "\
Make the log with: strace -f -s 300 -y -o FILE PROGRAM. Rules are about labels only: relabelfrom, relabelto, create, associate, setfscreate. What the log does
not show is said in comments at the end.")]
pub(super) struct Args {
    /// The log; - is standard input
    #[arg(value_name = "FILE")]
    log: PathBuf,
    /// The domain of the program
    #[arg(long, value_name = "TYPE")]
    domain: String,
    /// The type of the file system that the files are on
    #[arg(long, value_name = "TYPE", default_value = "fs_t")]
    fs: String,
    /// The type that files have before they are labelled, where the log does not show it
    #[arg(long, value_name = "TYPE")]
    before: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lines of the log that are quoted above a rule.
const QUOTED: usize = 3;
/// Letters of a line that are quoted.
const WIDTH: usize = 120;

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome> {
    for (option, word) in [
        ("--domain", Some(&args.domain)),
        ("--fs", Some(&args.fs)),
        ("--before", args.before.as_ref()),
    ] {
        let is_letter = |it: char| it.is_ascii_alphanumeric() || "_.-".contains(it);
        if word.is_some_and(|it| it.is_empty() || !it.chars().all(is_letter)) {
            bail!("{option}: expected the name of a type, such as backup_t");
        }
    }
    let log = input::read_bytes(&args.log)?;
    let question =
        Question { domain: &args.domain, file_system: &args.fs, before: args.before.as_deref() };
    let trace = trace::read(&log, &question);
    if trace.calls == 0 {
        bail!(
            "{} holds no calls; make it with strace -f -s 300 -o FILE PROGRAM",
            args.log.display()
        );
    }
    if args.json {
        let notes = trace.notes.iter().map(|it| json!({ "line": it.line, "text": it.text }));
        let value = json!({
            "domain": args.domain,
            "rules": trace.rules.iter().map(json_of).collect::<Vec<_>>(),
            "notes": notes.collect::<Vec<_>>(),
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
        return Ok(Outcome::Success);
    }
    let lines: Vec<&[u8]> = log.split(|&it| it == b'\n').collect();
    let mut comment = |text: &str| writeln!(out, "{}", styled(FAINT, &format!("# {text}")));
    if trace.rules.is_empty() {
        comment("no label was set or asked for")?;
    }
    for note in &trace.notes {
        comment(&format!("line {}: {}", note.line, note.text))?;
    }
    for rule in &trace.rules {
        for &number in rule.lines.iter().take(QUOTED) {
            let line = usize::try_from(number).ok().and_then(|it| lines.get(it.checked_sub(1)?));
            let text: String = shown(line.unwrap_or(&&b""[..])).chars().take(WIDTH).collect();
            writeln!(out, "{}", styled(FAINT, &format!("# {number}: {text}")))?;
        }
        if let Some(more) = rule.lines.len().checked_sub(QUOTED).filter(|&it| it > 0) {
            writeln!(out, "{}", styled(FAINT, &format!("# and {more} more")))?;
        }
        writeln!(out, "{rule}")?;
    }
    Ok(Outcome::Success)
}

fn json_of(rule: &Rule) -> Value {
    json!({
        "source": rule.source,
        "target": rule.target,
        "class": rule.class,
        "permissions": rule.permissions,
        "rule": rule.to_string(),
        "lines": rule.lines,
    })
}
