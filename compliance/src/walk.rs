//! Walks that label: `setfiles` beside the original, hostile trees, walks that are cut off, memory and time.
//!
//! Labels are set for real, in the work folder, which needs an administrator but no SELinux; or on the disk of a guest with SELinux,
//! which needs neither.

mod bench;
mod combinations;
mod hostile;
mod kernel;
mod resume;
mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

use crate::bench::Figure;
use crate::place::Place;
use crate::report::Report;

pub use bench::most;

/// What can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// `setfiles` with many combinations of options: labels, exit codes, output.
    Combinations,
    /// Trees in which somebody renames and links during the walk.
    Hostile,
    /// Walks that are killed and resumed.
    Resume,
    /// Programs that do nothing without SELinux, in a guest that has it.
    Kernel,
    /// Time and memory.
    Bench,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Combinations, Self::Hostile, Self::Resume, Self::Kernel, Self::Bench];

    /// What the report's comparisons belong to.
    #[must_use]
    pub fn suite(self) -> &'static str {
        match self {
            Self::Combinations => "labels-walk combinations",
            Self::Hostile => "labels-walk hostile",
            Self::Resume => "labels-walk resume",
            Self::Kernel => "labels-walk kernel",
            Self::Bench => "labels-walk bench",
        }
    }
}

/// Runs one part.
///
/// # Errors
/// When labels cannot be set here, a side does not run, or the report cannot be written.
pub fn run(
    place: &Place,
    part: Part,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.suite(part.suite());
    let none = |()| Vec::new();
    match part {
        Part::Combinations => on_this_machine(place.work.join("walk"), |it| {
            combinations::run(place, it, full, seed, report)
        })
        .map(none),
        Part::Hostile => {
            on_this_machine(place.work.join("walk"), |it| hostile::run(place, it, full, report))
                .map(none)
        }
        Part::Resume => {
            on_this_machine(roomy(place), |it| resume::run(place, it, full, seed, report)).map(none)
        }
        Part::Kernel => kernel::run(place, full, seed, report).map(none),
        Part::Bench => {
            let folder = if full { roomy(place) } else { place.work.join("walk") };
            on_this_machine(folder, |it| bench::run(place, it, full, report))
        }
    }
}

/// Does something in an empty folder whose files can be labelled, and removes it.
fn on_this_machine<T>(folder: PathBuf, work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    tree::empty(&folder)?;
    let probe = folder.join("probe");
    std::fs::write(&probe, b"").context("writing into the work folder")?;
    let set = tree::set_label(&probe, "a:b:c:s0");
    ensure!(
        set.is_ok(),
        "security.selinux cannot be set in {}: run this part as an administrator",
        folder.display()
    );
    let done = work(&folder);
    std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    done
}

/// Where many files are made in seconds and a disk is not measured along: the file system in memory, if it has room.
fn roomy(place: &Place) -> PathBuf {
    let mut df = Command::new("df");
    let told = df.args(["--output=avail", "-B1", MEMORY]).output();
    let told = told.map(|it| String::from_utf8_lossy(&it.stdout).into_owned()).unwrap_or_default();
    let room = told.lines().nth(1).and_then(|it| it.trim().parse::<u64>().ok()).unwrap_or(0);
    if room < ROOM { place.work.join("walk") } else { Path::new(MEMORY).join("mandate-walk") }
}

/// A file system in memory, and the bytes that a million files take there.
const MEMORY: &str = "/dev/shm";
const ROOM: u64 = 4 << 30;
