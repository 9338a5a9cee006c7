//! `mandate label`: labels of files, a file for each question.

mod common;
mod homedirs;
mod lint;
mod login;
mod lookup;

use std::io::Write;

use anyhow::Result;

use crate::Outcome;

/// Arguments of `label`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    question: Question,
}

/// What can be asked and done.
#[derive(clap::Subcommand)]
enum Question {
    /// Which context a path should have, which line says so and which lines it beats
    Lookup(lookup::Args),
    /// Find lines of file contexts that are wrong, doubled, without effect or not of the policy; exit 1 if there are any
    Lint(lint::Args),
    /// Which SELinux user a login becomes, and with which contexts it may log in; exit 1 if with none
    Login(login::Args),
    /// Make file_contexts.homedirs of a policy's template and the accounts of a root file system
    Homedirs(homedirs::Args),
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    match &args.question {
        Question::Lookup(args) => lookup::run(args, out, err),
        Question::Lint(args) => lint::run(args, out),
        Question::Login(args) => login::run(args, out, err),
        Question::Homedirs(args) => homedirs::run(args, out, err),
    }
}
