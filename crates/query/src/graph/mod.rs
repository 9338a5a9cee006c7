//! Graphs whose nodes are the types of a policy, and the simple paths through them.

mod bits;
mod lightest;
mod paths;

pub use bits::Bits;
pub use lightest::Lightest;
pub use paths::{Length, Paths};

/// A directed graph. Nodes are numbered as bits of types are; no node leads to itself.
pub trait Graph {
    /// How many nodes there are.
    fn nodes(&self) -> usize;
    /// Makes `found` the nodes that `node` leads to.
    fn outward(&self, node: u32, found: &mut Bits);
    /// Makes `found` the nodes that lead to `node`.
    fn inward(&self, node: u32, found: &mut Bits);
}
