//! `mandate mls`: levels by name and number, and how they stand to each other.

mod compare;
mod translate;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mandate_label::setrans::Setrans;

use crate::{Outcome, setrans};

/// Arguments of `mls`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    question: Question,
}

/// What can be asked.
#[derive(clap::Subcommand)]
enum Question {
    /// Names of levels and ranges for raw ones, or raw ones for names, as setrans.conf has them
    Translate(translate::Args),
    /// Which of two levels dominates, or which of two ranges lies in the other; exit 0 if the first dominates or contains the second, else 1
    Compare(compare::Args),
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    match &args.question {
        Question::Translate(args) => translate::run(args, out, err),
        Question::Compare(args) => compare::run(args, out, err),
    }
}

/// Which names of levels count.
#[derive(clap::Args)]
struct Names {
    /// Names of levels; without it those of the policy in force, if it has any
    #[arg(long, short, value_name = "SETRANS.CONF")]
    file: Option<PathBuf>,
    /// Root file system whose names are meant
    #[arg(long, short = 'R', value_name = "DIR")]
    root: Option<PathBuf>,
}

impl Names {
    fn open(&self, err: &mut dyn Write) -> Result<Setrans> {
        setrans::open(self.file.as_deref(), self.root.as_deref().unwrap_or(Path::new("/")), err)
    }
}

/// Is it a context? A range has two colons at most.
fn is_context(text: &str) -> bool {
    text.bytes().filter(|&it| it == b':').count() > 2
}
