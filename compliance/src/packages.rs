//! Packages and modules beside the original tools: the same bytes, the same policy, the same refusals.
//!
//! [`shipped`] takes the modules that Debian ships; [`through_cil`] the same by way of CIL; [`cases`] small modules that settle one
//! rule of linking each; [`bench`] is about time and memory.

pub mod bench;
pub mod cases;
pub mod shipped;
pub mod through_cil;

use anyhow::Result;

use crate::bench::Figure;
use crate::place::Place;
use crate::report::Report;

/// Runs all; the figures of a full run.
///
/// # Errors
/// When an original does not run, or the report cannot be written.
pub fn run(place: &Place, full: bool, seed: u64, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.suite("packages");
    cases::run(place, report)?;
    shipped::run(place, full, seed, report)
}
