//! What the monitor decides on and what it does not, told as a table.

/// The same as in docs/run.md.
pub(super) const TABLE: &str = include_str!("coverage.txt");
