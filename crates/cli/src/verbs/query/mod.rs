//! `mandate query`: questions about a policy, a file for each.

mod conditions;
mod table;
mod wx;

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
    /// Which domains may write, create and execute files of one type, or make memory executable
    Wx(wx::Args),
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
        Question::Wx(args) => wx::run(args, out, err),
    }
}
