//! One automaton over all patterns of a table. Its states are shared by all that begin alike; sets of them become states of a [`dfa::Dfa`] when a path first
//! needs them, since all of them together are far too many.

pub(crate) mod dfa;
pub(crate) mod inclusion;
pub(crate) mod nfa;
#[cfg(test)]
mod tests;
