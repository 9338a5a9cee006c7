//! The command line of the compliance suite.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use mandate_compliance::originals::{self, PACKAGES};
use mandate_compliance::place::Place;
use mandate_compliance::reference::{Flavour, Reference};
use mandate_compliance::report::Report;
use mandate_compliance::{kernel_mix, roundtrip};

/// How many questions a kernel is asked about each policy: in CI, and at full size.
const KERNEL: (usize, usize) = (20_000, 100_000);

/// Compares Mandate with the original SELinux tools and a real kernel.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    suite: Suite,
}

#[derive(Debug, Subcommand)]
enum Suite {
    /// Name the original tools that are missing, or install them; exits with 3 when some stay missing.
    Originals {
        /// Install the missing ones.
        #[arg(long)]
        install: bool,
    },
    /// Read and write every policy that the original tools make.
    Roundtrip(Size),
    /// Ask a real kernel.
    Kernel(Size),
    /// Print the questions that `kernel` asks about one policy.
    Questions {
        /// Which Reference Policy.
        flavour: Flavour,
        /// How many, and which.
        #[command(flatten)]
        size: Size,
    },
}

#[derive(Clone, Copy, Debug, Args)]
struct Size {
    /// The full sizes, which docs/figures.md tells.
    #[arg(long)]
    full: bool,
    /// How many questions for each policy.
    #[arg(long, value_name = "N")]
    queries: Option<usize>,
    /// Which questions.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

impl Size {
    fn queries(self, small: usize, full: usize) -> usize {
        self.queries.unwrap_or(if self.full { full } else { small })
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::stdout().lock();
    match run(&cli.suite, &mut out) {
        Ok(code) => code,
        Err(why) => {
            let _closed = writeln!(io::stderr(), "mandate-compliance: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(suite: &Suite, out: &mut dyn Write) -> Result<ExitCode> {
    let place = Place::here()?;
    let mut report = Report::new(&mut *out);
    match suite {
        Suite::Originals { .. } => {}
        Suite::Roundtrip(size) => {
            roundtrip::run(&place, &Reference::build_all(&place)?, size.full, &mut report)?;
        }
        Suite::Questions { flavour, size } => {
            let reference = Reference::build(&place, *flavour)?;
            let n = size.queries(KERNEL.0, KERNEL.1);
            for question in kernel_mix::questions(&place, &reference, n, size.seed)? {
                writeln!(out, "{question}")?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        Suite::Kernel(size) => {
            let references = Reference::build_all(&place)?;
            let n = size.queries(KERNEL.0, KERNEL.1);
            kernel_mix::run(&place, &references, n, size.seed, &mut report)?;
        }
    }
    let good = report.finish()?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
