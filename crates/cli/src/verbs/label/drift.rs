//! `mandate label drift`: how far labels are from file contexts, summed up.

use std::io::Write;

use anyhow::Result;

use super::check::outcome;
use super::walk::{Trees, Wish};
use crate::Outcome;
use crate::relabel::found::Kind;

/// Arguments of `label drift`.
#[derive(clap::Args)]
#[command(after_help = "\
Nothing is changed. Labels that `label restore` keeps are told too: other users, roles and ranges, and customizable types.")]
pub(super) struct Args {
    #[command(flatten)]
    trees: Trees,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let walked = args.trees.walk(&Wish::default(), out, err)?;
    let found = &walked.found;
    if args.trees.json {
        let kinds = [Kind::Wrong, Kind::Kept, Kind::Customized];
        writeln!(out, "{}", found.json(&kinds))?;
    } else {
        let kept = found.kept + found.customized;
        writeln!(
            out,
            "{} files: {} as file contexts say, {} wrong, {kept} that restoring keeps",
            found.visited, found.right, found.wrong
        )?;
        found.tell(Kind::Wrong, "wrong", out)?;
        found.tell(Kind::Kept, "other user, role or range, kept without --force", out)?;
        found.tell(Kind::Customized, "customizable types, kept without --force", out)?;
    }
    Ok(outcome(&walked))
}
