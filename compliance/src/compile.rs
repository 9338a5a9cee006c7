//! The compiler beside the original tools: the same policies, the same words out of m4, mistakes shown where they are.
//!
//! [`builds`] compares whole builds of Debian's tree, [`m4`] the macro expander, [`broken`] and
//! [`faults`] what is said of mistakes, [`finished`] what is done to and asked of a finished policy, [`fuzz`] what damaged
//! sources do, and [`bench`] how long it all takes.

pub mod answers;
pub mod bench;
pub mod broken;
pub mod builds;
pub mod faults;
pub mod files;
pub mod finished;
pub mod fuzz;
pub mod m4;
pub mod original;
pub mod ours;
pub mod setting;
pub mod statements;
pub mod tables;
pub mod text;
pub mod tree;

use anyhow::Result;
use clap::ValueEnum;

use crate::bench::Figure;
use crate::place::Place;
use crate::reference::Flavour;
use crate::report::Report;
use builds::Questions;
use faults::Ground;
use setting::Setting;

/// What can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Builds of Debian's tree.
    Builds,
    /// The macro expander.
    M4,
    /// Sources with mistakes.
    Broken,
    /// One mistake at a random place.
    Faults,
    /// What is done to and asked of finished policies.
    Finished,
    /// Damaged sources.
    Fuzz,
    /// Time and memory.
    Bench,
}

impl Part {
    /// All of them, the quickest to tell that something is wrong first.
    pub const ALL: [Self; 7] = [
        Self::M4,
        Self::Broken,
        Self::Finished,
        Self::Builds,
        Self::Faults,
        Self::Fuzz,
        Self::Bench,
    ];

    /// What the report's comparisons belong to; also the words after `mandate-compliance`.
    #[must_use]
    pub fn suite(self) -> &'static str {
        match self {
            Self::Builds => "compile builds",
            Self::M4 => "compile m4",
            Self::Broken => "compile broken",
            Self::Faults => "compile faults",
            Self::Finished => "compile finished",
            Self::Fuzz => "compile fuzz",
            Self::Bench => "compile bench",
        }
    }
}

/// How much is done.
#[derive(Clone, Debug)]
pub struct Size {
    /// The sizes that docs/figures.md tells, or those of continuous integration.
    pub full: bool,
    /// Which questions, faults and mutants.
    pub seed: u64,
    /// Only cases and settings whose name contains this.
    pub only: String,
    /// Record what is shown of broken sources instead of comparing it.
    pub bless: bool,
}

impl Size {
    /// A size without anything special.
    #[must_use]
    pub fn new(full: bool, seed: u64) -> Self {
        Self { full, seed, only: String::new(), bless: false }
    }

    fn flavours(&self) -> &'static [Flavour] {
        if self.full { &Flavour::ALL } else { &[Flavour::Mcs] }
    }

    fn settings(&self) -> Vec<Setting> {
        let all = if self.full { Setting::all() } else { Setting::CI.to_vec() };
        all.into_iter().filter(|it| it.to_string().contains(&self.only)).collect()
    }

    fn questions(&self) -> Questions {
        let kernel = if self.full { 20_000 } else { 2_000 };
        Questions { decisions: 200_000, kernel, seed: self.seed }
    }

    fn faults(&self) -> [(Ground, usize); 3] {
        let few = |full, small| if self.full { full } else { small };
        [
            (Ground::Modules, few(200, 40)),
            (Ground::Interfaces, few(100, 20)),
            (Ground::Contexts, few(50, 10)),
        ]
    }
}

/// Runs one part.
///
/// # Errors
/// When an original or `mandate` does not run to its end, or the report cannot be written.
pub fn run(place: &Place, part: Part, size: &Size, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.suite(part.suite());
    match part {
        Part::Builds => builds::run(place, &size.settings(), size.questions(), report)?,
        Part::M4 => m4::run(place, size.flavours(), report)?,
        Part::Broken => broken::run(place, &size.only, size.bless, report)?,
        Part::Faults => {
            report.heading("Random faults in Debian's tree")?;
            let mut figures = Vec::new();
            for (ground, n) in size.faults() {
                figures.push(faults::run(place, ground, n, size.seed, report)?);
            }
            return Ok(figures);
        }
        Part::Finished => finished::run(place, report)?,
        Part::Fuzz => return fuzz::run(place, size.full, size.seed, report),
        Part::Bench => return bench::run(place, size.full, report),
    }
    Ok(Vec::new())
}
