//! `mandate label`: labels of files, a file for each question.

mod check;
mod common;
mod drift;
mod homedirs;
mod lint;
mod login;
mod lookup;
mod restore;
mod set;
mod walk;

use std::io::Write;

use anyhow::Result;

pub(crate) use common::shown;

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
    /// Compare the labels of files with file contexts; exit 0 all are right, 1 some are wrong, 2 error
    Check(check::Args),
    /// Set the labels of files to what file contexts say
    Restore(restore::Args),
    /// Set a label, or parts of it, whatever file contexts say
    Set(set::Args),
    /// Sum up where labels differ from file contexts: wrong ones, and those that restoring keeps; exit codes as check
    Drift(drift::Args),
    /// Which SELinux user a login becomes, and with which contexts it may log in; exit 1 if with none
    Login(login::Args),
    /// Make file_contexts.homedirs of a policy's template and the accounts of a root file system
    Homedirs(homedirs::Args),
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    match &args.question {
        Question::Lookup(args) => lookup::run(args, out, err),
        Question::Lint(args) => lint::run(args, out),
        Question::Check(args) => check::run(args, out, err),
        Question::Restore(args) => restore::run(args, out, err),
        Question::Set(args) => set::run(args, out, err),
        Question::Drift(args) => drift::run(args, out, err),
        Question::Login(args) => login::run(args, out, err),
        Question::Homedirs(args) => homedirs::run(args, out, err),
    }
}
