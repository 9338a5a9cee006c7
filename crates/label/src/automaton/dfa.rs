//! The automaton with memory: a state is a set of states of the [`Nfa`], made when a path first comes there and kept up to a bound.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};

use super::nfa::{Nfa, START, StateId};
use crate::narrow;

/// States that are kept; a table of Debian's policy has 90 classes of bytes, thus 400 bytes a state.
const MOST_STATES: usize = 65_536;
/// Members of states that are kept, four bytes each: only patterns made to harm need so many.
const MOST_MEMBERS: usize = 8 << 20;
/// Not looked at yet.
const UNKNOWN: u32 = u32::MAX;

/// A state, as the offset of its row: no use once the automaton was emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State(u32);

/// A list of lines that match at the same place, in no order.
pub(crate) type ListId = u32;

/// States as far as paths have needed them.
#[derive(Clone, Debug)]
pub(crate) struct Dfa {
    classes: [u8; 256],
    stride: usize,
    rows: Vec<u32>,
    /// Of each state the sets' end in `members`, and its list.
    states: Vec<(u32, ListId)>,
    members: Vec<StateId>,
    by_hash: Interner,
    lists: Lists,
    /// That of an automaton without lines is the dead one.
    start: State,
    /// How often all states were thrown away.
    generation: u32,
    most: usize,
    scratch: Scratch,
}

/// What building a state needs; kept to save allocations.
#[derive(Clone, Debug, Default)]
struct Scratch {
    set: Vec<StateId>,
    pending: Vec<StateId>,
    seen: Vec<u32>,
    round: u32,
    lines: Vec<u32>,
}

impl Dfa {
    pub(crate) fn new(nfa: &Nfa) -> Self {
        Self::bounded(nfa, MOST_STATES)
    }

    /// With at most so many states, three at least.
    pub(crate) fn bounded(nfa: &Nfa, most: usize) -> Self {
        let (classes, stride) = nfa.classes();
        let mut it = Self {
            classes,
            stride,
            rows: Vec::new(),
            states: Vec::new(),
            members: Vec::new(),
            by_hash: Interner::default(),
            lists: Lists::default(),
            start: State(0),
            generation: 0,
            most: most.max(3).min(UNKNOWN as usize / stride.max(1) - 1),
            scratch: Scratch { seen: vec![0; nfa.len()], ..Scratch::default() },
        };
        it.empty(nfa);
        it
    }

    /// Throws all states away but the dead one and the first.
    fn empty(&mut self, nfa: &Nfa) {
        self.rows.clear();
        self.states.clear();
        self.members.clear();
        self.by_hash = Interner::default();
        self.scratch.set.clear();
        let dead = self.intern(nfa);
        self.row(dead).fill(dead);
        self.scratch.begin();
        self.scratch.reach(nfa, START);
        self.start = State(self.intern(nfa));
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Where paths begin: without any line, where nothing matches.
    pub(crate) fn start(&self) -> State {
        self.start
    }

    pub(crate) fn list(&self, state: State) -> ListId {
        self.states.get(state.0 as usize / self.stride).map_or(0, |it| it.1)
    }

    /// The lines of a list, ascending.
    pub(crate) fn lines(&self, list: ListId) -> &[u32] {
        self.lists.get(list)
    }

    /// Which states of the [`Nfa`] a state stands for.
    pub(crate) fn members(&self, state: State) -> &[StateId] {
        let at = state.0 as usize / self.stride;
        let end = |it: usize| self.states.get(it).map_or(0, |it| it.0 as usize);
        &self.members[at.checked_sub(1).map_or(0, end)..end(at)]
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        4 * (self.rows.capacity() + self.members.capacity() + self.scratch.seen.capacity())
            + 8 * self.states.capacity()
            + self.by_hash.bytes()
            + self.lists.bytes()
    }

    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    /// Where `bytes` lead from `state`.
    pub(crate) fn walk(&mut self, nfa: &Nfa, mut state: State, bytes: &[u8]) -> State {
        for &byte in bytes {
            let at = state.0 as usize + usize::from(self.classes[usize::from(byte)]);
            let next = self.rows[at];
            state = if next == UNKNOWN { self.step(nfa, state, byte) } else { State(next) };
        }
        state
    }

    /// Makes the state that `byte` leads to.
    #[cold]
    fn step(&mut self, nfa: &Nfa, from: State, byte: u8) -> State {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.begin();
        for &member in self.members(from) {
            for edge in nfa.edges(member) {
                if (edge.low..=edge.high).contains(&byte) {
                    scratch.reach(nfa, edge.to);
                }
            }
        }
        scratch.set.sort_unstable();
        self.scratch = scratch;
        if self.states.len() < self.most && self.members.len() < MOST_MEMBERS {
            let to = self.intern(nfa);
            let class = usize::from(self.classes[usize::from(byte)]);
            self.rows[from.0 as usize + class] = to;
            return State(to);
        }
        self.start_again(nfa)
    }

    /// Keeps nothing but the set just made.
    fn start_again(&mut self, nfa: &Nfa) -> State {
        let set = std::mem::take(&mut self.scratch.set);
        self.generation = self.generation.wrapping_add(1);
        self.empty(nfa);
        self.scratch.set = set;
        State(self.intern(nfa))
    }

    /// The state of the set in `scratch`.
    fn intern(&mut self, nfa: &Nfa) -> u32 {
        let set = std::mem::take(&mut self.scratch.set);
        let hash = hash(&set);
        let known = self.by_hash.find(hash, |it| self.members(State(self.offset(it))) == set);
        let index = known.unwrap_or_else(|| self.add(nfa, &set, hash));
        self.scratch.set = set;
        self.offset(index)
    }

    fn add(&mut self, nfa: &Nfa, set: &[StateId], hash: u64) -> u32 {
        let index = self.by_hash.add(hash);
        let lines = &mut self.scratch.lines;
        lines.clear();
        set.iter().for_each(|&it| lines.extend_from_slice(nfa.accepts(it)));
        lines.sort_unstable();
        lines.dedup();
        let list = self.lists.intern(lines);
        self.members.extend_from_slice(set);
        self.states.push((narrow(self.members.len()), list));
        self.rows.resize(self.rows.len() + self.stride, UNKNOWN);
        index
    }

    fn row(&mut self, state: u32) -> &mut [u32] {
        &mut self.rows[state as usize..state as usize + self.stride]
    }

    fn offset(&self, index: u32) -> u32 {
        index * narrow(self.stride)
    }
}

impl Scratch {
    fn begin(&mut self) {
        self.set.clear();
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.seen.fill(0);
            self.round = 1;
        }
    }

    /// Puts `state` in, and what jumps from it lead to; states that only jump are not worth keeping.
    fn reach(&mut self, nfa: &Nfa, state: StateId) {
        self.pending.push(state);
        while let Some(state) = self.pending.pop() {
            let seen = &mut self.seen[state as usize];
            if *seen == self.round {
                continue;
            }
            *seen = self.round;
            self.pending.extend_from_slice(nfa.jumps(state));
            if !nfa.edges(state).is_empty() || !nfa.accepts(state).is_empty() {
                self.set.push(state);
            }
        }
    }
}

/// Numbers for what is told apart by a hash and a comparison.
#[derive(Clone, Debug, Default)]
struct Interner {
    /// The last with this hash.
    last: FxHashMap<u64, u32>,
    /// The one before with the same hash, or itself.
    before: Vec<u32>,
}

impl Interner {
    fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = *self.last.get(&hash)?;
        loop {
            if same(at) {
                return Some(at);
            }
            let before = self.before[at as usize];
            if before == at {
                return None;
            }
            at = before;
        }
    }

    fn add(&mut self, hash: u64) -> u32 {
        let index = narrow(self.before.len());
        let before = self.last.insert(hash, index).unwrap_or(index);
        self.before.push(before);
        index
    }

    fn bytes(&self) -> usize {
        self.last.capacity() * 17 + self.before.capacity() * 4
    }
}

/// Lists of lines, each different one once; they outlive the states.
#[derive(Clone, Debug, Default)]
struct Lists {
    lines: Vec<u32>,
    ends: Vec<u32>,
    by_hash: Interner,
}

impl Lists {
    fn get(&self, list: ListId) -> &[u32] {
        let end = |it: usize| self.ends.get(it).map_or(0, |&it| it as usize);
        let at = list as usize;
        &self.lines[at.checked_sub(1).map_or(0, end)..end(at)]
    }

    fn intern(&mut self, lines: &[u32]) -> ListId {
        let hash = hash(lines);
        if let Some(list) = self.by_hash.find(hash, |it| self.get(it) == lines) {
            return list;
        }
        self.lines.extend_from_slice(lines);
        self.ends.push(narrow(self.lines.len()));
        self.by_hash.add(hash)
    }

    fn bytes(&self) -> usize {
        4 * (self.lines.capacity() + self.ends.capacity()) + self.by_hash.bytes()
    }
}

fn hash(items: &[u32]) -> u64 {
    let mut hasher = FxHasher::default();
    items.iter().for_each(|&it| hasher.write_u32(it));
    hasher.finish()
}
