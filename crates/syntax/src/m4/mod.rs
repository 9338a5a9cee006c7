//! m4 as GNU m4 1.4 expands it, except that every byte keeps its origin and that nothing reaches outside: no files are read and no
//! commands run. Traps it reproduces: `#` comments count only outside quotes; words and arguments may span expansions;
//! a macro's expansion is scanned again.
//!
//! Budgets, after which there is an error instead of a result: [`Budget`].

mod asked;
mod builtins;
mod eval;
mod format;
mod input;
mod machine;
mod macros;
mod pattern;
pub mod quotes;
mod stored;

pub use asked::Asked;
pub use machine::{Budget, Expanded, Machine, Message};

#[cfg(test)]
mod tests;
