//! The verbs of `mandate`.

mod audit;
mod build;
mod check;
mod convert;
mod decide;
mod demo;
mod doc;
mod explain;
mod fmt;
mod help;
mod info;
mod jsonl;
mod jsonl_objects;
pub(crate) mod label;
mod m4;
mod mls;
mod places;
pub(crate) mod query;
mod reasons;
mod run;
pub(crate) mod sources;
mod test;

use std::io::Write;

use anyhow::Result;
use clap::Subcommand;

use crate::Outcome;

/// What `mandate` can do.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Show in ten steps what mandatory access control does, on this machine and without root; exit 0 shown, 1 not, 2 not possible here
    Demo(demo::Args),
    /// Compile policy sources to a policy that the kernel loads, with file contexts and the rest
    Build(build::Args),
    /// Check policy sources: build without its output; exit 0 fine, 1 errors in the sources, 2 error
    Check(check::Args),
    /// Summarise a binary policy
    Info(info::Args),
    /// Ask a policy what a process may do to an object; exit 0 allowed, 1 denied, 2 error
    Decide(decide::Args),
    /// Say why a policy allows or denies, exit codes as decide; or why what logs tell was denied, and what would mend it
    Explain(explain::Args),
    /// Run a program and all it starts under a policy, on any kernel and without root; exit as the program
    Run(run::Args),
    /// Ask what a policy holds, how two differ, who reaches what
    Query(query::Args),
    /// Run tests of a policy: TOML files that say what it must allow, deny and hold; exit 0 all hold, 1 some fail, 2 error
    Test(test::Args),
    /// Labels of files: look them up, find errors in file contexts
    Label(label::Args),
    /// Audit records of SELinux: search them, count them, watch them come
    Audit(audit::Args),
    /// Levels: names for them, and which dominates which
    Mls(mls::Args),
    /// Format sources: .te, .if, .fc and .cil files
    Fmt(fmt::Args),
    /// Write a policy in another form or version: binary, policy.conf, CIL
    Convert(convert::Args),
    /// Write reference pages of a source tree: interfaces, domains and booleans, as HTML and manual pages
    Doc(doc::Args),
    /// Say what the code of a finding means, such as E0301, or what a verb does
    Help(help::Args),
    /// Expand macros as m4 does
    #[command(hide = true)]
    M4(m4::Args),
}

impl Verb {
    pub(crate) fn run(&self, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
        match self {
            Self::Demo(args) => demo::run(args, out),
            Self::Build(args) => build::run(args, out, err),
            Self::Check(args) => check::run(args, out, err),
            Self::Info(args) => info::run(args, out),
            Self::Decide(args) => decide::run(args, out, err),
            Self::Explain(args) => explain::run(args, out, err),
            Self::Run(args) => run::run(args, out, err),
            Self::Query(args) => query::run(args, out, err),
            Self::Test(args) => test::run(args, out, err),
            Self::Label(args) => label::run(args, out, err),
            Self::Audit(args) => audit::run(args, out, err),
            Self::Mls(args) => mls::run(args, out, err),
            Self::Fmt(args) => fmt::run(args, out, err),
            Self::Convert(args) => convert::run(args, err),
            Self::Doc(args) => doc::run(args, out, err),
            Self::Help(args) => help::run(args, out),
            Self::M4(args) => m4::run(args, out, err),
        }
    }
}
