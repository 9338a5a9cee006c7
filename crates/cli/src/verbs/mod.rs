//! The verbs of `mandate`.

mod convert;
mod decide;
mod demo;
mod explain;
mod info;
mod jsonl;
mod jsonl_objects;
mod reasons;

use std::io::Write;

use anyhow::Result;
use clap::Subcommand;

use crate::Outcome;

/// What `mandate` can do.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Show decisions on the embedded policy: one allowed, two denied, each explained
    Demo(demo::Args),
    /// Summarise a binary policy
    Info(info::Args),
    /// Ask a policy what a process may do to an object; exit 0 allowed, 1 denied, 2 error
    Decide(decide::Args),
    /// Say why a policy allows or denies; exit codes as decide
    Explain(explain::Args),
    /// Write a policy at another version
    Convert(convert::Args),
}

impl Verb {
    pub(crate) fn run(&self, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
        match self {
            Self::Demo(args) => demo::run(args, out),
            Self::Info(args) => info::run(args, out),
            Self::Decide(args) => decide::run(args, out, err),
            Self::Explain(args) => explain::run(args, out),
            Self::Convert(args) => convert::run(args, err),
        }
    }
}
