//! Audit records of SELinux: read and written, searched and summarised, explained, and made into rules.
//!
//! Pure: callers hand in bytes and get values.

#![forbid(unsafe_code)]

mod access;
pub mod bound;
pub mod explain;
pub mod interfaces;
mod learn;
pub mod rules;

pub use access::{Access, Object};
pub use learn::learned;
