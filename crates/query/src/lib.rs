//! Questions about a policy: what it holds, how two differ, who reaches what, and tests of all that.
//!
//! Every question is a value of its own (`…Query`) that is asked of a [`Policy`](mandate_policydb::Policy); the answers are
//! values too. Printing is the caller's business, but for the text of statements.

#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod assertions;
pub mod diff;
mod error;
pub mod flow;
pub mod graph;
mod infix;
pub mod info;
pub mod lookup;
pub mod name;
pub mod questions;
pub mod reach;
pub mod rules;
pub mod search;
pub mod statement;
pub mod types;

pub use error::QuestionError;
pub use statement::{Statements, Style};

#[cfg(test)]
mod testing;
