//! A matcher that tries one way after the other: for the few patterns that look around, refer back or do not give back.
//!
//! It keeps its own stack and counts its steps, so that no pattern and no path can exhaust it.

use super::parse::lengths;
use super::{Arena, Assert, Greed, Node, NodeId, Pattern};
use crate::pattern::ByteSet;
use crate::pattern::class::is_word;

/// Steps after which a path counts as not matched, as at PCRE2's match limit. Each may keep 24 bytes.
const STEPS: u32 = 1_000_000;

#[derive(Clone, Debug)]
enum Instruction {
    Set(ByteSet),
    /// Goes on at the first; on failure at the second.
    Split(usize, usize),
    Jump(usize),
    /// Notes the place in a slot.
    Save(usize),
    /// Ends a group: it reaches from the place noted in `opened` to here.
    Close {
        group: u16,
        opened: usize,
    },
    /// Goes back to the target unless nothing was consumed since the slot was noted.
    Again {
        slot: usize,
        target: usize,
    },
    Assert(Assert),
    Reference {
        group: u16,
        fold: bool,
    },
    /// What follows up to [`Instruction::Done`] is tried by itself; then on at `after`.
    Sub {
        kind: Sub,
        after: usize,
    },
    /// Holds where the slot was noted.
    Here(usize),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sub {
    Atomic,
    /// Begins so many bytes before, at least and at most: 0 for a look ahead.
    Look {
        negative: bool,
        least: usize,
        most: usize,
    },
}

/// A pattern, ready to be tried on paths.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    code: Vec<Instruction>,
    slots: usize,
}

impl Program {
    pub(crate) fn new(arena: &Arena, pattern: Pattern) -> Self {
        let mut it = Self { code: Vec::new(), slots: 2 * (usize::from(pattern.groups) + 1) };
        it.emit(arena, pattern.root);
        it.code.push(Instruction::Assert(Assert::End));
        it.code.push(Instruction::Done);
        it
    }

    fn emit(&mut self, arena: &Arena, id: NodeId) {
        match arena.get(id) {
            Node::Empty => {}
            Node::Set(set) => self.code.push(Instruction::Set(*set)),
            Node::Concat(parts) => parts.iter().for_each(|&it| self.emit(arena, it)),
            Node::Alternate(parts) => self.alternate(arena, parts),
            &Node::Repeat { node, min, max, greed } => {
                self.repeat(arena, node, (min, max), greed);
            }
            &Node::Capture { group, node } => {
                let opened = self.slot();
                self.code.push(Instruction::Save(opened));
                self.emit(arena, node);
                self.code.push(Instruction::Close { group, opened });
            }
            &Node::Atomic(node) => self.sub(Sub::Atomic, |it| it.emit(arena, node)),
            &Node::Look { behind: false, negative, node } => {
                let kind = Sub::Look { negative, least: 0, most: 0 };
                self.sub(kind, |it| it.emit(arena, node));
            }
            &Node::Look { behind: true, negative, node } => self.behind(arena, node, negative),
            &Node::Assert(assert) => self.code.push(Instruction::Assert(assert)),
            &Node::Reference { group, fold } => {
                self.code.push(Instruction::Reference { group, fold });
            }
        }
    }

    fn alternate(&mut self, arena: &Arena, parts: &[NodeId]) {
        let mut ends = Vec::new();
        let Some((&last, others)) = parts.split_last() else { return };
        for &part in others {
            let split = self.hole();
            self.emit(arena, part);
            ends.push(self.hole());
            self.code[split] = Instruction::Split(split + 1, self.code.len());
        }
        self.emit(arena, last);
        for end in ends {
            self.code[end] = Instruction::Jump(self.code.len());
        }
    }

    fn behind(&mut self, arena: &Arena, node: NodeId, negative: bool) {
        let slot = self.slot();
        self.code.push(Instruction::Save(slot));
        let (least, most) = lengths(arena, node).unwrap_or((0, 0));
        self.sub(Sub::Look { negative, least, most }, |it| {
            it.emit(arena, node);
            it.code.push(Instruction::Here(slot));
        });
    }

    fn sub(&mut self, kind: Sub, emit: impl FnOnce(&mut Self)) {
        let head = self.hole();
        emit(self);
        self.code.push(Instruction::Done);
        self.code[head] = Instruction::Sub { kind, after: self.code.len() };
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    /// A place for an instruction that is known later.
    fn hole(&mut self) -> usize {
        self.code.push(Instruction::Done);
        self.code.len() - 1
    }

    fn repeat(&mut self, arena: &Arena, node: NodeId, bounds: (u16, Option<u16>), greed: Greed) {
        if greed == Greed::Possessive {
            return self.sub(Sub::Atomic, |it| it.repeat(arena, node, bounds, Greed::Greedy));
        }
        let (min, max) = bounds;
        (0..min).for_each(|_| self.emit(arena, node));
        match max {
            None => self.star(arena, node, greed),
            Some(max) => {
                let holes: Vec<usize> = (min..max)
                    .map(|_| {
                        let hole = self.hole();
                        self.emit(arena, node);
                        hole
                    })
                    .collect();
                holes.into_iter().for_each(|it| self.split(it, greed));
            }
        }
    }

    fn star(&mut self, arena: &Arena, node: NodeId, greed: Greed) {
        let slot = self.slot();
        let head = self.hole();
        self.code.push(Instruction::Save(slot));
        self.emit(arena, node);
        self.code.push(Instruction::Again { slot, target: head });
        self.split(head, greed);
    }

    /// From the hole into what follows it, or to here.
    fn split(&mut self, hole: usize, greed: Greed) {
        let (into, past) = (hole + 1, self.code.len());
        self.code[hole] = match greed {
            Greed::Lazy => Instruction::Split(past, into),
            _ => Instruction::Split(into, past),
        };
    }

    /// Whether the whole path matches; a newline at its end may stay.
    pub(crate) fn matches(&self, path: &[u8]) -> bool {
        let mut run = Run { path, steps: STEPS, slots: vec![None; self.slots] };
        run.from(&self.code, 0, 0).is_some()
    }
}

struct Run<'a> {
    path: &'a [u8],
    steps: u32,
    slots: Vec<Option<usize>>,
}

/// What is undone or tried next when a way fails.
enum Retry {
    At(usize, usize),
    Slot(usize, Option<usize>),
}

impl Run<'_> {
    /// Runs up to the next [`Instruction::Done`] and tells where in the path that was.
    fn from(&mut self, code: &[Instruction], mut pc: usize, mut at: usize) -> Option<usize> {
        let mut stack: Vec<Retry> = Vec::new();
        loop {
            self.steps = self.steps.checked_sub(1)?;
            let next = match &code[pc] {
                Instruction::Done => return Some(at),
                &Instruction::Split(first, second) => {
                    stack.push(Retry::At(second, at));
                    Some((first, at))
                }
                &Instruction::Save(slot) => {
                    self.note(slot, Some(at), &mut stack);
                    Some((pc + 1, at))
                }
                &Instruction::Close { group, opened } => {
                    let start = self.slots[opened];
                    self.note(2 * usize::from(group), start, &mut stack);
                    self.note(2 * usize::from(group) + 1, Some(at), &mut stack);
                    Some((pc + 1, at))
                }
                &Instruction::Sub { kind, after } => {
                    self.sub(code, (pc, at), kind, &mut stack).map(|it| (after, it))
                }
                simple => self.simple(simple, pc, at),
            };
            (pc, at) = match next {
                Some(next) => next,
                None => self.retry(&mut stack)?,
            };
        }
    }

    fn note(&mut self, slot: usize, value: Option<usize>, stack: &mut Vec<Retry>) {
        stack.push(Retry::Slot(slot, self.slots[slot]));
        self.slots[slot] = value;
    }

    fn simple(&self, instruction: &Instruction, pc: usize, at: usize) -> Option<(usize, usize)> {
        let path = self.path;
        match *instruction {
            Instruction::Set(set) => {
                path.get(at).is_some_and(|&it| set.contains(it)).then_some((pc + 1, at + 1))
            }
            Instruction::Jump(target) => Some((target, at)),
            Instruction::Again { slot, target } => {
                Some((if self.slots[slot] == Some(at) { pc + 1 } else { target }, at))
            }
            Instruction::Assert(assert) => holds(assert, path, at).then_some((pc + 1, at)),
            Instruction::Reference { group, fold } => {
                let slot = 2 * usize::from(group);
                let text = &path[self.slots[slot]?..self.slots[slot + 1]?];
                let here = path.get(at..at + text.len())?;
                let same = if fold { here.eq_ignore_ascii_case(text) } else { here == text };
                same.then_some((pc + 1, at + text.len()))
            }
            Instruction::Here(slot) => (self.slots[slot] == Some(at)).then_some((pc + 1, at)),
            _ => None,
        }
    }

    /// Tries what an assertion or an atomic group holds; slots are kept where it stands, and undone when it fails.
    fn sub(
        &mut self,
        code: &[Instruction],
        (pc, at): (usize, usize),
        kind: Sub,
        stack: &mut Vec<Retry>,
    ) -> Option<usize> {
        let (negative, least, most) = match kind {
            Sub::Atomic => (false, 0, 0),
            Sub::Look { negative, least, most } => (negative, least, most),
        };
        let before = self.slots.clone();
        let found = (least..=most).find_map(|it| {
            self.slots.clone_from(&before);
            self.from(code, pc + 1, at.checked_sub(it)?)
        });
        if found.is_none() || negative {
            self.slots = before;
        } else {
            let changed = before.into_iter().enumerate().filter(|it| self.slots[it.0] != it.1);
            stack.extend(changed.map(|(slot, value)| Retry::Slot(slot, value)));
        }
        match kind {
            Sub::Atomic => found,
            Sub::Look { .. } => (found.is_some() != negative).then_some(at),
        }
    }

    fn retry(&mut self, stack: &mut Vec<Retry>) -> Option<(usize, usize)> {
        loop {
            match stack.pop()? {
                Retry::At(pc, at) => return Some((pc, at)),
                Retry::Slot(slot, value) => self.slots[slot] = value,
            }
        }
    }
}

fn holds(assert: Assert, path: &[u8], at: usize) -> bool {
    let left = path.len() - at;
    let word = |it: Option<usize>| it.and_then(|it| path.get(it)).is_some_and(|&it| is_word(it));
    let boundary = word(at.checked_sub(1)) != word(Some(at));
    match assert {
        Assert::Start => at == 0,
        Assert::End => left == 0 || left == 1 && path.last() == Some(&b'\n'),
        Assert::VeryEnd => left == 0,
        Assert::Boundary => boundary,
        Assert::NoBoundary => !boundary,
    }
}
