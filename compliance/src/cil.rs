//! CIL beside `secilc`: statements and rules case by case, whole module stores, and how long it takes.

pub mod bench;
pub mod case;
pub mod cases;
pub mod compiler;
pub mod facts;
pub mod modules;
pub mod sources;

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::bench::Figure;
use crate::place::Place;
use crate::report::Report;

/// What can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Statements and rules, accepted and refused.
    Cases,
    /// Whole policies: modules, and a tree as one text.
    Modules,
    /// Time and memory.
    Bench,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cases, Self::Modules, Self::Bench];

    /// What the report's comparisons belong to; also the words after `mandate-compliance`.
    #[must_use]
    pub fn suite(self) -> &'static str {
        match self {
            Self::Cases => "cil cases",
            Self::Modules => "cil modules",
            Self::Bench => "cil bench",
        }
    }
}

/// How much is done.
#[derive(Clone, Debug, Default)]
pub struct Size {
    /// The sizes that docs/figures.md tells, or those of continuous integration.
    pub full: bool,
    /// Which questions.
    pub seed: u64,
    /// Only cases and modules whose name contains this.
    pub only: String,
    /// Record what `secilc` says instead of comparing it.
    pub bless: bool,
    /// A newer `secilc`, to judge the cases that the documentation settles.
    pub newer: Option<PathBuf>,
    /// No original is asked.
    pub without_originals: bool,
}

impl Size {
    /// A size without anything special.
    #[must_use]
    pub fn new(full: bool, seed: u64) -> Self {
        Self { full, seed, ..Self::default() }
    }
}

/// Runs one part.
///
/// # Errors
/// When an original or `mandate` does not run to its end, or the report cannot be written.
pub fn run(place: &Place, part: Part, size: &Size, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.suite(part.suite());
    match part {
        Part::Cases => cases::run(place, size, report)?,
        Part::Modules => modules::run(place, size, report)?,
        Part::Bench => return bench::run(place, size, report),
    }
    Ok(Vec::new())
}
