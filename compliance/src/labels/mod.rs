//! Labels beside libselinux: the installed one, and a later one that is not installed.

mod bench;
pub mod damaged;
mod explained;
mod hostile_tables;
mod lookup;
mod oracle;
mod paths;
mod patterns;
mod table;
mod tables;

use anyhow::Result;
use clap::ValueEnum;

use crate::bench::Figure;
use crate::compile::fuzz;
use crate::place::Place;
use crate::report::Report;

/// What can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Paths on whole tables.
    Lookup,
    /// Random patterns.
    Patterns,
    /// Devices, X, databases, logins.
    Tables,
    /// Damaged files.
    Hostile,
    /// Time and memory.
    Bench,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Lookup, Self::Patterns, Self::Tables, Self::Hostile, Self::Bench];

    /// What the report's comparisons belong to; also the words after `mandate-compliance`.
    #[must_use]
    pub fn suite(self) -> &'static str {
        match self {
            Self::Lookup => "labels lookup",
            Self::Patterns => "labels patterns",
            Self::Tables => "labels tables",
            Self::Hostile => "labels hostile",
            Self::Bench => "labels bench",
        }
    }
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// The sizes that docs/figures.md tells, or those of continuous integration.
    pub full: bool,
    /// Which questions.
    pub seed: u64,
}

impl Size {
    fn of(self, (small, full): (usize, usize)) -> usize {
        if self.full { full } else { small }
    }
}

/// Runs one part.
///
/// # Errors
/// When libselinux cannot be asked, or the report cannot be written.
pub fn run(place: &Place, part: Part, size: &Size, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.suite(part.suite());
    match part {
        Part::Lookup => lookup::run(place, size, report).map(|()| Vec::new()),
        Part::Patterns => patterns::run(place, size, report).map(|()| Vec::new()),
        Part::Tables => tables::run(place, size, report).map(|()| Vec::new()),
        Part::Hostile => fuzz::feed_all(place, &fuzz::LABELS, size.full, size.seed, report),
        Part::Bench => bench::run(place, size.full, report),
    }
}
