//! `mandate query`: questions about a policy, a file for each.

mod common;
mod conditions;
mod confinement;
mod diff;
mod flow;
mod identity;
mod info;
mod memory;
mod mls;
mod ports;
mod reach;
pub(crate) mod route;
mod search;
pub(crate) mod table;
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
    /// Tell how two policies differ: what only one has and what is not the same, rules by what they do
    Diff(diff::Args),
    /// Tell what a policy holds: how much of each, or the types, roles, classes, contexts and the rest by name
    Info(info::Args),
    /// Find rules by kind, source, target, class, permissions and whatever else they say
    Search(search::Args),
    /// Which domain becomes which, by what transitions
    Reach(reach::Args),
    /// From which type information can come to which other
    Flow(flow::Args),
    /// Which domains may write, create and execute files of one type, or make memory executable
    Wx(wx::Args),
    /// Who can read the memory of a domain, and in what way
    Memory(memory::Args),
    /// The label of a port, who may bind it and connect to it; which ports could be taken from others
    Ports(ports::Args),
    /// Domains that are not confined, and why
    Unconfined(confinement::UnconfinedListArgs),
    /// Permissive types: what they are denied is done all the same
    Permissive(confinement::PermissiveArgs),
    /// Types, domains and users of a role, and the roles that it may become
    Role(identity::RoleArgs),
    /// Roles, range and domains of an SELinux user, and the programs that start them
    User(identity::UserArgs),
    /// How levels stand to each other; who may read up or write down, and by which constraint
    Mls(mls::Args),
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
        Question::Diff(args) => diff::run(args, out, err),
        Question::Info(args) => info::run(args, out, err),
        Question::Search(args) => search::run(args, out, err),
        Question::Reach(args) => reach::run(args, out, err),
        Question::Flow(args) => flow::run(args, out, err),
        Question::Wx(args) => wx::run(args, out, err),
        Question::Memory(args) => memory::run(args, out, err),
        Question::Ports(args) => ports::run(args, out, err),
        Question::Unconfined(args) => confinement::run_unconfined(args, out, err),
        Question::Permissive(args) => confinement::run_permissive(args, out, err),
        Question::Role(args) => identity::run_role(args, out, err),
        Question::User(args) => identity::run_user(args, out, err),
        Question::Mls(args) => mls::run(args, out, err),
    }
}
