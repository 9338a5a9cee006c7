//! Labels: which context belongs to a path, a device, a window, a database object; who logs in with which one.
//!
//! The files are those of libselinux (`file_contexts(5)` and its neighbours). Callers hand their bytes and get tables and [`LineError`]s: a
//! line that is wrong is told and left out, all others count. Paths are bytes.

#![forbid(unsafe_code)]

mod automaton;
pub mod chcat;
mod context;
pub mod customizable;
pub mod default_contexts;
pub mod default_type;
pub mod failsafe;
pub mod file_contexts;
mod file_type;
mod glob;
pub mod homedirs;
pub mod levels;
mod line;
pub mod media;
pub mod mounts;
pub mod packages;
pub mod pattern;
pub mod relabel;
pub mod sepgsql;
pub mod setrans;
pub mod seusers;
pub mod trace;
pub mod x;

pub use file_type::FileType;
pub use glob::matches as glob_matches;
pub use line::{LineError, LineErrorKind};
pub use pattern::{PatternError, PatternErrorKind};

/// A length or offset as tables keep it. What is read is bounded so that it stays far below 2³².
fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Bytes that a table keeps: a name, a pattern, a context.
type Bytes = Box<[u8]>;
