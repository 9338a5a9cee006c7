//! A module of one's own: is it complete by itself, and what is a binary policy with it?

mod forbidden;
mod map;
mod merge;
mod names;
mod scope;
#[cfg(test)]
mod tests;
mod world;

pub use forbidden::forbidden;
pub use merge::{Added, add};
pub(crate) use names::base_statements;
pub use names::{NameKind, declared};
pub use scope::{Ambient, Known, check_scope};
pub(crate) use world::of_requires;
