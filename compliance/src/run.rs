//! `mandate run` beside what it stands for: real programs as they are without it, a real kernel with SELinux, races by the thousand, and
//! what it costs.

mod cost;
mod inside;
mod kernel;
mod known;
mod lab;
mod learn;
mod programs;
mod races;
mod work;

pub use work::{Work, work};

use anyhow::Result;
use clap::ValueEnum;

use crate::bench::Figure;
use crate::place::Place;
use crate::report::Report;

/// What can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Scenarios in a real enforcing kernel and under `mandate run --exact`: the same results and denials.
    Kernel,
    /// Programs that know SELinux, in a real enforcing kernel and under `mandate run`: the same output, errors and exit codes.
    Inside,
    /// Real programs: the same output as without a policy.
    Programs,
    /// Modules learned from programs: the same run without a denial, and nearly every rule needed.
    Learn,
    /// Races of programs with the monitor.
    Races,
    /// Time, with few and with many programs and rules.
    Cost,
}

impl Part {
    /// All of them; in continuous integration without the races, which the tests have.
    #[must_use]
    pub fn of_size(full: bool) -> &'static [Self] {
        if full {
            &[Self::Kernel, Self::Inside, Self::Programs, Self::Learn, Self::Races, Self::Cost]
        } else {
            &[Self::Kernel, Self::Inside, Self::Programs, Self::Learn, Self::Cost]
        }
    }

    /// What the report's comparisons belong to.
    #[must_use]
    pub fn suite(self) -> &'static str {
        match self {
            Self::Kernel => "run kernel",
            Self::Inside => "run inside",
            Self::Programs => "run programs",
            Self::Learn => "run learn",
            Self::Races => "run races",
            Self::Cost => "run cost",
        }
    }
}

/// Runs one part.
///
/// # Errors
/// When something cannot be run, or the report cannot be written.
pub fn run(
    place: &Place,
    part: Part,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.suite(part.suite());
    match part {
        Part::Kernel => kernel::run(place, full, seed, report),
        Part::Inside => inside::run(place, report),
        Part::Programs => programs::run(place, report),
        Part::Learn => learn::run(place, full, seed, report),
        Part::Races => races::run(place, full, report),
        Part::Cost => cost::run(place, full, report),
    }
}
