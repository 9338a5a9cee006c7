//! `mandate label check`: labels that are not what file contexts say.

use std::io::Write;

use anyhow::Result;

use super::walk::{Trees, Walked, Wish};
use crate::Outcome;
use crate::relabel::found::Kind;

/// Arguments of `label check`.
#[derive(clap::Args)]
#[command(after_help = "\
Prints PATH, a tab, and old → new of each file that `label restore` would change, then how often each change would happen. User, role and
range count only with --force, customizable types as well: those, restoring keeps. Symbolic links are not followed.")]
pub(super) struct Args {
    #[command(flatten)]
    trees: Trees,
    /// Only how often each change would happen
    #[arg(long, short)]
    summary: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let wish = Wish { list: !args.summary, ..Wish::default() };
    let walked = args.trees.walk(&wish, out, err)?;
    tell(&walked, args.trees.json, "would become", out)?;
    Ok(outcome(&walked))
}

/// Tells which labels became which.
pub(super) fn tell(walked: &Walked, json: bool, word: &str, out: &mut dyn Write) -> Result<()> {
    let found = &walked.found;
    if json {
        return Ok(writeln!(out, "{}", found.json(&[Kind::Wrong]))?);
    }
    found.tell(Kind::Wrong, &format!("labels that {word} others"), out)?;
    let files = |number: u64| if number == 1 { "file" } else { "files" };
    let mut line = format!("{} {}: {} right", found.visited, files(found.visited), found.right);
    for (number, what) in [
        (found.wrong, "wrong"),
        (found.kept, "differ in user, role or range, which are kept"),
        (found.customized, "customized"),
        (found.without, "without a label in file contexts"),
        (found.differing, "left alone because their names differ"),
        (found.failures, "failed"),
    ] {
        if number > 0 {
            line += &format!(", {number} {what}");
        }
    }
    Ok(writeln!(out, "{line}")?)
}

/// The exit code of a comparison.
pub(super) fn outcome(walked: &Walked) -> Outcome {
    let found = &walked.found;
    if walked.stopped || found.failures > 0 {
        Outcome::BadInput
    } else if found.wrong + found.differing > 0 {
        Outcome::Denied
    } else {
        Outcome::Success
    }
}
