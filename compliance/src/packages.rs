//! Packages and modules beside the original tools: the same bytes, the same policy, the same refusals.
//!
//! [`shipped`] takes the modules that Debian ships; [`cases`] small modules that settle one rule of linking each.

pub mod cases;
pub mod shipped;

use anyhow::Result;

use crate::place::Place;
use crate::report::Report;

/// Runs both.
///
/// # Errors
/// When an original does not run, or the report cannot be written.
pub fn run(place: &Place, full: bool, seed: u64, report: &mut Report<'_>) -> Result<()> {
    report.suite("packages");
    cases::run(place, report)?;
    shipped::run(place, full, seed, report)
}
