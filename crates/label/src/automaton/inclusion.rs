//! Does one pattern match all that another matches?

use rustc_hash::FxHashSet;

use super::dfa::Dfa;
use super::nfa::{Builder, Nfa, START, StateId};
use crate::pattern::{Arena, NodeId};

/// More states than this are not looked at.
const MOST: usize = 4096;

/// Whether `outer` matches all paths that `inner` matches; none if that takes too long to find out. Both must be regular.
pub(crate) fn includes(arena: &Arena, outer: NodeId, inner: NodeId) -> Option<bool> {
    let mut builder = Builder::new(arena);
    builder.pattern(inner, 0);
    builder.pattern(outer, 1);
    let nfa = builder.finish();
    let mut dfa = Dfa::bounded(&nfa, MOST + 2);
    let hopeful = nfa.leading_to(|it| nfa.accepts(it).contains(&0));
    let bytes = nfa.representatives();
    let mut seen = FxHashSet::default();
    let mut pending = vec![dfa.start()];
    while let Some(state) = pending.pop() {
        let lines = dfa.lines(dfa.list(state));
        if lines.contains(&0) && !lines.contains(&1) {
            return Some(false);
        }
        for &byte in &bytes {
            let next = dfa.walk(&nfa, state, &[byte]);
            if dfa.generation() > 0 {
                return None;
            }
            let worth = |it| dfa.members(it).iter().any(|&it| hopeful[it as usize]);
            if seen.insert(next) && worth(next) {
                pending.push(next);
            }
        }
    }
    Some(true)
}

/// A shortest path that a pattern matches.
pub(crate) fn shortest(arena: &Arena, root: NodeId) -> Option<Vec<u8>> {
    let mut builder = Builder::new(arena);
    builder.pattern(root, 0);
    let nfa = builder.finish();
    // breadth first: how each state was reached
    let mut from: Vec<Option<(StateId, Option<u8>)>> = vec![None; nfa.len()];
    let mut level = vec![START];
    while !level.is_empty() {
        let mut next = Vec::new();
        let mut at = 0;
        while let Some(&state) = level.get(at) {
            at += 1;
            if !nfa.accepts(state).is_empty() {
                return Some(spell(&from, state));
            }
            let fresh = |to: StateId| to != START && from[to as usize].is_none();
            let jumps: Vec<_> = nfa.jumps(state).iter().copied().filter(|&it| fresh(it)).collect();
            let edges: Vec<_> = nfa.edges(state).iter().filter(|it| fresh(it.to)).collect();
            for to in jumps {
                from[to as usize] = Some((state, None));
                level.push(to);
            }
            for edge in edges {
                from[edge.to as usize] = Some((state, Some(plain(edge.low, edge.high))));
                next.push(edge.to);
            }
        }
        level = next;
    }
    None
}

/// A letter of a range if it has one.
fn plain(low: u8, high: u8) -> u8 {
    (b'a'..=b'z').find(|it| (low..=high).contains(it)).unwrap_or(low)
}

fn spell(from: &[Option<(StateId, Option<u8>)>], mut state: StateId) -> Vec<u8> {
    let mut path = Vec::new();
    while let Some((before, byte)) = from[state as usize] {
        path.extend(byte);
        state = before;
    }
    path.reverse();
    path
}

impl Nfa {
    /// A byte of each class.
    fn representatives(&self) -> Vec<u8> {
        let (classes, count) = self.classes();
        let first =
            |class: usize| (0..=u8::MAX).find(|&it| usize::from(classes[usize::from(it)]) == class);
        (0..count).filter_map(first).collect()
    }
}
