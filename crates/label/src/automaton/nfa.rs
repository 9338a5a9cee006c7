//! The automaton without memory, shared to the left: what two patterns have in common from their beginning is there once.

use rustc_hash::FxHashMap;

use crate::pattern::{Arena, Node, NodeId};

/// Number of a state.
pub(crate) type StateId = u32;

/// A state from which each path starts.
pub(crate) const START: StateId = 0;

/// The arrays of an automaton. State `s` has what stands between `first[s]` and `first[s + 1]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nfa {
    /// Steps that take a byte.
    pub(crate) edges: Vec<Edge>,
    pub(crate) first_edge: Vec<u32>,
    /// Steps that take none.
    pub(crate) jumps: Vec<StateId>,
    pub(crate) first_jump: Vec<u32>,
    /// Lines whose pattern has matched here.
    pub(crate) accepts: Vec<u32>,
    pub(crate) first_accept: Vec<u32>,
}

/// A step over a byte from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) low: u8,
    pub(crate) high: u8,
    pub(crate) to: StateId,
}

impl Nfa {
    pub(crate) fn len(&self) -> usize {
        self.first_edge.len().saturating_sub(1)
    }

    pub(crate) fn edges(&self, state: StateId) -> &[Edge] {
        part(&self.edges, &self.first_edge, state)
    }

    pub(crate) fn jumps(&self, state: StateId) -> &[StateId] {
        part(&self.jumps, &self.first_jump, state)
    }

    pub(crate) fn accepts(&self, state: StateId) -> &[u32] {
        part(&self.accepts, &self.first_accept, state)
    }

    /// For each state whether some state for which `test` holds can be reached.
    pub(crate) fn leading_to(&self, test: impl Fn(StateId) -> bool) -> Vec<bool> {
        let states = || (0..).take(self.len());
        let steps = states().flat_map(|from| {
            let edges = self.edges(from).iter().map(|it| it.to);
            edges.chain(self.jumps(from).iter().copied()).map(move |to| (to, from))
        });
        let (before, first) = flatten(self.len(), steps.collect());
        let mut reached = vec![false; self.len()];
        let mut pending: Vec<StateId> = states().filter(|&it| test(it)).collect();
        while let Some(state) = pending.pop() {
            if !std::mem::replace(&mut reached[state as usize], true) {
                pending.extend_from_slice(part(&before, &first, state));
            }
        }
        reached
    }

    /// For each byte a number, the same for bytes that no edge tells apart; and how many there are.
    pub(crate) fn classes(&self) -> ([u8; 256], usize) {
        let mut begins = [false; 256];
        for edge in &self.edges {
            begins[usize::from(edge.low)] = true;
            if let Some(next) = edge.high.checked_add(1) {
                begins[usize::from(next)] = true;
            }
        }
        let mut class = 0u8;
        let classes = std::array::from_fn(|byte| {
            class += u8::from(byte > 0 && begins[byte]);
            class
        });
        (classes, usize::from(class) + 1)
    }
}

fn part<'a, T>(all: &'a [T], first: &[u32], state: StateId) -> &'a [T] {
    let at = state as usize;
    &all[first[at] as usize..first[at + 1] as usize]
}

/// Makes an [`Nfa`].
pub(crate) struct Builder<'a> {
    arena: &'a Arena,
    edges: Vec<(StateId, Edge)>,
    jumps: Vec<(StateId, StateId)>,
    accepts: Vec<(StateId, u32)>,
    /// Where a node leads from a state.
    known: FxHashMap<(StateId, NodeId), StateId>,
    states: StateId,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(arena: &'a Arena) -> Self {
        let known = FxHashMap::default();
        Self { arena, edges: Vec::new(), jumps: Vec::new(), accepts: Vec::new(), known, states: 1 }
    }

    /// Adds what `line` matches, or more where [`crate::pattern::Pattern::regular`] does not hold.
    pub(crate) fn pattern(&mut self, root: NodeId, line: u32) {
        let end = self.emit(START, root);
        self.accepts.push((end, line));
    }

    /// Adds a path as it is.
    pub(crate) fn literal(&mut self, path: &[u8], line: u32) {
        let end = path.iter().fold(START, |from, &byte| self.emit(from, byte.into()));
        self.accepts.push((end, line));
    }

    /// Adds what begins with `path`.
    pub(crate) fn prefix(&mut self, path: &[u8], line: u32) {
        let end = path.iter().fold(START, |from, &byte| self.emit(from, byte.into()));
        let rest = self.state();
        self.jumps.push((end, rest));
        self.edges.push((rest, Edge { low: 0, high: u8::MAX, to: rest }));
        self.accepts.push((rest, line));
    }

    fn state(&mut self) -> StateId {
        self.states += 1;
        self.states - 1
    }

    /// The state after `node` when it begins at `from`: that of the prefixes that end with it, and nothing else.
    fn emit(&mut self, from: StateId, node: NodeId) -> StateId {
        if let Some(&to) = self.known.get(&(from, node)) {
            return to;
        }
        let arena = self.arena;
        let to = match arena.get(node) {
            Node::Empty | Node::Assert(_) | Node::Look { .. } => from,
            Node::Set(set) => {
                let to = self.state();
                let edges = set.ranges().map(|(low, high)| (from, Edge { low, high, to }));
                self.edges.extend(edges);
                to
            }
            Node::Concat(parts) => parts.iter().fold(from, |from, &it| self.emit(from, it)),
            Node::Alternate(parts) => {
                let end = self.state();
                for &part in parts {
                    let to = self.emit(from, part);
                    self.jumps.push((to, end));
                }
                end
            }
            &Node::Repeat { node, min, max, .. } => self.repeat(from, node, min, max),
            &Node::Capture { node, .. } | &Node::Atomic(node) => self.emit(from, node),
            Node::Reference { .. } => self.anything(from),
        };
        self.known.insert((from, node), to);
        to
    }

    fn repeat(&mut self, from: StateId, node: NodeId, min: u16, max: Option<u16>) -> StateId {
        let mut at = (0..min).fold(from, |from, _| self.emit(from, node));
        let Some(max) = max else { return self.star(at, node) };
        if max == min {
            return at;
        }
        let end = self.state();
        self.jumps.push((at, end));
        for _ in min..max {
            at = self.emit(at, node);
            self.jumps.push((at, end));
        }
        end
    }

    fn star(&mut self, from: StateId, node: NodeId) -> StateId {
        let head = self.state();
        self.jumps.push((from, head));
        let end = self.emit(head, node);
        self.jumps.push((end, head));
        head
    }

    fn anything(&mut self, from: StateId) -> StateId {
        let head = self.state();
        self.jumps.push((from, head));
        self.edges.push((head, Edge { low: 0, high: u8::MAX, to: head }));
        head
    }

    pub(crate) fn finish(self) -> Nfa {
        let count = self.states as usize;
        let (edges, first_edge) = flatten(count, self.edges);
        let (jumps, first_jump) = flatten(count, self.jumps);
        let (accepts, first_accept) = flatten(count, self.accepts);
        Nfa { edges, first_edge, jumps, first_jump, accepts, first_accept }
    }
}

/// Sorts by state, in the order in which things came, and tells where each state's begin.
fn flatten<T: Copy>(states: usize, items: Vec<(StateId, T)>) -> (Vec<T>, Vec<u32>) {
    let mut first = vec![0u32; states + 1];
    for (state, _) in &items {
        first[*state as usize + 1] += 1;
    }
    for at in 1..first.len() {
        first[at] += first[at - 1];
    }
    let mut next = first.clone();
    let Some(&(_, filler)) = items.first() else { return (Vec::new(), first) };
    let mut flat = vec![filler; items.len()];
    for (state, item) in items {
        let place = &mut next[state as usize];
        flat[*place as usize] = item;
        *place += 1;
    }
    (flat, first)
}
