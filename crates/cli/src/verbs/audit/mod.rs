//! `mandate audit`: records of SELinux, searched, summarised, and watched as they come.

mod allow;
mod follow;
mod report;
mod search;
mod select;
mod show;

use std::io::Write;

use anyhow::Result;

use crate::Outcome;

/// Arguments of `audit`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandate audit search --since today
  mandate audit search --type avc --comm httpd --format json
  journalctl _TRANSPORT=audit -o json | mandate audit search -
  dmesg | mandate audit report -
  mandate audit report --by tcontext --since this-week
  mandate audit follow --denied
  mandate audit allow --policy policy.33 --module local audit.log > local.te

What is read, and the shapes of json and csv: docs/audit.md")]
pub(crate) struct Args {
    #[command(subcommand)]
    question: Question,
}

/// What can be asked of a log.
#[derive(clap::Subcommand)]
enum Question {
    /// Show events that have what is asked for; exit 0 if there are any, 1 if there are none, 2 error
    Search(search::Args),
    /// Count: how much was denied and granted, to whom, and what changed; exit 0, 2 error
    Report(report::Args),
    /// Rules for what was denied: the least that would allow it, as a module or as CIL; exit 0, 2 error
    Allow(allow::Args),
    /// Show events as they are written, also after a log was rotated; exit 0 when standard input ends, 2 error
    Follow(follow::Args),
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    match &args.question {
        Question::Search(args) => search::run(args, out, err),
        Question::Report(args) => report::run(args, out, err),
        Question::Allow(args) => allow::run(args, out, err),
        Question::Follow(args) => follow::run(args, out, err),
    }
}
