//! The chores of this repository: `cargo xtask test`, `cargo xtask measure`, `cargo xtask docs`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

mod checks;
mod deny;
mod docs;
mod step;

/// The chores of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Check everything: format, lints, licences, unit tests, comparison with the original tools.
    ///
    /// Installs the Debian packages of the original tools when they are missing. Where that cannot
    /// be, runs what needs none of them, names what it left out, and fails.
    Test {
        /// Leave out what needs the original tools, and do not fail for that.
        #[arg(long)]
        quick: bool,
    },
    /// Compare at full size and write the figures to docs/figures.md.
    Measure {
        /// What to measure.
        area: Area,
    },
    /// Write man pages and shell completions to target/docs, and docs/codes.md.
    Docs,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Area {
    /// Policy database and security server.
    Core,
    /// The compiler.
    Compile,
    /// CIL, packages, decompiler, formatter, incremental builds.
    Forms,
    /// Questions about policies.
    Query,
    /// Labels of files and of all else.
    Labels,
    /// Audit logs.
    Audit,
    /// Reference pages.
    Doc,
    /// The base policy and its tests.
    Base,
    /// Programs under the policy.
    Run,
    /// Every area.
    All,
}

fn main() -> ExitCode {
    match run(&Cli::parse().chore) {
        Ok(code) => code,
        Err(why) => {
            step::say(&format!("xtask: {why:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(chore: &Chore) -> Result<ExitCode> {
    match chore {
        Chore::Test { quick } => checks::test(*quick),
        Chore::Measure { area } => checks::measure(match area {
            Area::Core => &["core"],
            Area::Compile => &["compile"],
            Area::Forms => &["forms"],
            Area::Query => &["query"],
            Area::Labels => &["labels"],
            Area::Audit => &["audit"],
            Area::Doc => &["doc"],
            Area::Base => &["base"],
            Area::Run => &["run"],
            Area::All => {
                &["core", "compile", "forms", "query", "labels", "audit", "doc", "base", "run"]
            }
        }),
        Chore::Docs => docs::write().map(|()| ExitCode::SUCCESS),
    }
}
