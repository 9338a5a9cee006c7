//! `mandate query`: questions about a policy, a file for each.

mod flow;
mod info;
mod reach;
pub(crate) mod route;
mod search;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;

use crate::Outcome;
use crate::policy::{self, Loaded};

/// Arguments of `query`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    question: Question,
}

/// What can be asked.
#[derive(clap::Subcommand)]
enum Question {
    /// Tell what a policy holds: how much of each, or the types, roles, classes, contexts and the rest by name
    Info(info::Args),
    /// Find rules by kind, source, target, class, permissions and whatever else they say
    Search(search::Args),
    /// Which domain becomes which, by what transitions
    Reach(reach::Args),
    /// From which type information can come to which other
    Flow(flow::Args),
}

/// The policy that is asked.
#[derive(clap::Args)]
pub(crate) struct Asked {
    /// A binary policy, a source tree, a policy.conf, CIL or a package; - for standard input
    policy: PathBuf,
    /// More files of the same policy: packages or CIL (repeatable)
    #[arg(long = "with", value_name = "FILE")]
    with: Vec<PathBuf>,
}

impl Asked {
    /// Reads or compiles it.
    pub(crate) fn load(&self, err: &mut dyn Write) -> Result<Loaded> {
        let inputs: Vec<PathBuf> =
            std::iter::once(&self.policy).chain(&self.with).cloned().collect();
        policy::load(&inputs, err)
    }
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    match &args.question {
        Question::Info(args) => info::run(args, out, err),
        Question::Search(args) => search::run(args, out, err),
        Question::Reach(args) => reach::run(args, out, err),
        Question::Flow(args) => flow::run(args, out, err),
    }
}
