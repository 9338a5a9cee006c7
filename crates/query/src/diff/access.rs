//! Access vector rules by effect, without expanding both policies.
//!
//! Rules are filed by what they name as source. A rule that both policies have, with the same types behind its names, touches nothing;
//! of one whose attributes have other types, only the types on one side are candidates. For each candidate (class and target of a
//! source) both access vectors are joined from the rules that reach it, so that what another rule gives as well is no difference.

use std::ops::Range;

use mandate_policydb::{AvRule, RuleKind};
use rayon::prelude::*;

use super::names::{Members, Side};

/// Which rules of a policy are laid side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conditions {
    /// All; conditional ones under their condition.
    Kept,
    /// Those in force, as booleans stand.
    Applied,
}

/// An access vector that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AccessChange {
    pub(super) source: u32,
    pub(super) target: u32,
    pub(super) class: u32,
    /// 0 without a condition; otherwise see [`layer`].
    pub(super) layer: u32,
    /// The joined access vectors.
    pub(super) vectors: [u64; 2],
}

/// The number of a condition's branch.
pub(super) fn layer(condition: u32, when: bool) -> u32 {
    2 + 2 * condition + u32::from(!when)
}

/// The condition and branch of a layer.
pub(super) fn branch(layer: u32) -> Option<(u32, bool)> {
    let at = layer.checked_sub(2)?;
    Some((at / 2, at.is_multiple_of(2)))
}

/// A rule in the joined numbering: handles, and the joined access vector.
#[derive(Clone, Copy, Debug)]
struct Rule {
    source: u32,
    layer: u32,
    class: u32,
    target: u32,
    vector: u64,
}

impl Rule {
    fn key(&self) -> (u32, u32, u32, u32) {
        (self.source, self.layer, self.class, self.target)
    }
}

/// The rules of one kind, by source.
struct Filed {
    rules: Vec<Rule>,
    /// By handle: where its rules start.
    starts: Vec<u32>,
}

impl Filed {
    fn new(side: &Side<'_>, kind: RuleKind, conditions: Conditions) -> Self {
        let mut rules = Vec::new();
        let mut push = |list: &[AvRule], layer| {
            let wanted = list.iter().filter(|it| it.kind == kind);
            rules.extend(wanted.map(|it| filed(side, it, layer)));
        };
        push(&side.db.rules, 0);
        for (block, &condition) in side.db.conditionals.iter().zip(&side.conditions) {
            let state = |id| side.db.booleans.get(id).map(|it| it.state);
            let active = block.evaluate(state);
            for (when, list) in [(true, &block.when_true), (false, &block.when_false)] {
                match conditions {
                    Conditions::Kept => push(list, layer(condition, when)),
                    Conditions::Applied if active == Some(when) => push(list, 0),
                    Conditions::Applied => {}
                }
            }
        }
        rules.retain(|it: &Rule| it.vector != 0);
        rules.sort_unstable_by_key(Rule::key);
        rules.dedup_by(|next, kept| {
            let same = next.key() == kept.key();
            if same {
                kept.vector |= next.vector;
            }
            same
        });
        let starts = starts(&rules, side.handles());
        Self { rules, starts }
    }

    fn range(&self, handle: u32) -> Range<usize> {
        let start = |at: usize| self.starts.get(at).map_or(0, |&it| it as usize);
        start(handle as usize)..start(handle as usize + 1)
    }

    fn of(&self, handle: u32) -> &[Rule] {
        self.rules.get(self.range(handle)).unwrap_or_default()
    }
}

fn filed(side: &Side<'_>, rule: &AvRule, layer: u32) -> Rule {
    let vector = side.joined(rule.class(), rule.permissions());
    let (source, target) = (side.handle(rule.source), side.handle(rule.target));
    Rule { source, layer, class: side.class(rule.class()), target, vector }
}

/// Where the rules of each handle start, and where the last end. Rules without a handle come last and belong to none.
fn starts(rules: &[Rule], handles: usize) -> Vec<u32> {
    let mut starts = Vec::with_capacity(handles + 1);
    let mut at = 0;
    for handle in 0..=handles {
        while rules.get(at).is_some_and(|it| (it.source as usize) < handle) {
            at += 1;
        }
        starts.push(u32::try_from(at).unwrap_or(u32::MAX));
    }
    starts
}

/// A rule that one policy has, or that reaches other keys in the other.
type Pair<'a> = [Option<&'a Rule>; 2];

/// Everything that is the same for every source.
struct Laid<'a> {
    sides: &'a [Side<'a>; 2],
    filed: [Filed; 2],
    /// By handle: does it mean other types in the other policy?
    moved: Vec<bool>,
}

impl Laid<'_> {
    /// The rules of a source handle that do not reach the same on both sides.
    fn unlike(&self, handle: u32) -> Vec<Pair<'_>> {
        let [first, second] =
            [0, 1].map(|at: usize| self.filed.get(at).map_or(&[][..], |it| it.of(handle)));
        let (mut first, mut second) = (first.iter().peekable(), second.iter().peekable());
        let mut unlike = Vec::new();
        loop {
            let order = match (first.peek(), second.peek()) {
                (None, None) => return unlike,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.key().cmp(&b.key()),
            };
            let a = if order.is_le() { first.next() } else { None };
            let b = if order.is_ge() { second.next() } else { None };
            if !self.is_alike(a, b) {
                unlike.push([a, b]);
            }
        }
    }

    fn is_alike(&self, a: Option<&Rule>, b: Option<&Rule>) -> bool {
        let (Some(a), Some(b)) = (a, b) else { return false };
        let moved = self.moved.get(a.target as usize).copied().unwrap_or(false);
        a.vector == b.vector && !moved
    }

    /// The rules that reach a source, on one side.
    fn rules(&self, at: usize, source: u32) -> impl Iterator<Item = (&Rule, &Members)> {
        let both = self.sides.get(at).zip(self.filed.get(at));
        both.into_iter().flat_map(move |(side, filed)| {
            let handles = side.groups(source).iter();
            let rules = handles.flat_map(move |&it| filed.of(it));
            rules.map(move |it| (it, side.members(it.target)))
        })
    }
}

/// What is asked about a source: layer, class and target.
type Key = (u32, u32, u32);

fn push_all(keys: &mut Vec<Key>, rule: &Rule, targets: impl Iterator<Item = u32>) {
    keys.extend(targets.map(|target| (rule.layer, rule.class, target)));
}

impl Laid<'_> {
    /// Where the access vectors of a source may differ, in order.
    fn candidates(&self, source: u32, unlike: &[Vec<Pair<'_>>]) -> Vec<Key> {
        let [first, second] = self.sides;
        let (mine, theirs) = (first.groups(source), second.groups(source));
        let mut keys = Vec::new();
        for &handle in mine {
            if theirs.binary_search(&handle).is_ok() {
                let pairs = unlike.get(handle as usize).map_or(&[][..], Vec::as_slice);
                pairs.iter().for_each(|it| self.push_pair(&mut keys, *it));
            } else {
                self.push_side(&mut keys, 0, handle);
            }
        }
        for &handle in theirs.iter().filter(|it| mine.binary_search(it).is_err()) {
            self.push_side(&mut keys, 1, handle);
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn push_side(&self, keys: &mut Vec<Key>, at: usize, handle: u32) {
        let (Some(side), Some(filed)) = (self.sides.get(at), self.filed.get(at)) else { return };
        for rule in filed.of(handle) {
            push_all(keys, rule, side.members(rule.target).list().iter().copied());
        }
    }

    fn push_pair(&self, keys: &mut Vec<Key>, pair: Pair<'_>) {
        let [first, second] = self.sides;
        match pair {
            [Some(a), Some(b)] => {
                let (a_types, b_types) = (first.members(a.target), second.members(b.target));
                let other = a.vector != b.vector;
                let kept = |list: &Members, it: u32| other || !list.has(it);
                let mine = a_types.list().iter().copied();
                push_all(keys, a, mine.filter(|it| kept(b_types, *it)));
                let theirs = b_types.list().iter().copied();
                push_all(keys, b, theirs.filter(|it| !a_types.has(*it)));
            }
            [Some(a), None] => push_all(keys, a, first.members(a.target).list().iter().copied()),
            [None, Some(b)] => push_all(keys, b, second.members(b.target).list().iter().copied()),
            [None, None] => {}
        }
    }

    /// What a conditional rule gives counts only beyond what is given anyway: adds the keys that this makes candidates.
    fn add_conditional(&self, source: u32, keys: &mut Vec<Key>) {
        let plain: Vec<Key> =
            keys.iter().filter(|it| it.0 != 0).map(|it| (0, it.1, it.2)).collect();
        keys.extend(plain);
        keys.sort_unstable();
        keys.dedup();
        let unconditional = keys.partition_point(|it| it.0 == 0);
        let mut more = Vec::new();
        for at in [0, 1] {
            for (rule, targets) in self.rules(at, source).filter(|it| it.0.layer != 0) {
                let asked = keys.get(..unconditional).unwrap_or_default();
                for &(_, class, target) in run(asked, 0, rule.class).1 {
                    if targets.has(target) {
                        more.push((rule.layer, class, target));
                    }
                }
            }
        }
        keys.extend(more);
        keys.sort_unstable();
        keys.dedup();
    }

    /// The joined access vectors of the keys, on both sides.
    fn vectors(&self, source: u32, keys: &[Key]) -> Vec<[u64; 2]> {
        let mut vectors = vec![[0; 2]; keys.len()];
        for at in [0, 1] {
            let mut join = |place: usize, vector: u64| {
                if let Some(word) = vectors.get_mut(place).and_then(|it| it.get_mut(at)) {
                    *word |= vector;
                }
            };
            for (rule, targets) in self.rules(at, source) {
                let (from, asked) = run(keys, rule.layer, rule.class);
                if let Members::One(target) = targets {
                    if let Ok(place) = asked.binary_search_by_key(target, |it| it.2) {
                        join(from + place, rule.vector);
                    }
                    continue;
                }
                for (place, _) in asked.iter().enumerate().filter(|it| targets.has(it.1.2)) {
                    join(from + place, rule.vector);
                }
            }
        }
        vectors
    }

    fn changes(&self, source: u32, unlike: &[Vec<Pair<'_>>]) -> Vec<AccessChange> {
        let mut keys = self.candidates(source, unlike);
        if keys.is_empty() {
            return Vec::new();
        }
        self.add_conditional(source, &mut keys);
        let vectors = self.vectors(source, &keys);
        let unconditional = keys.partition_point(|it| it.0 == 0);
        let mut changes = Vec::new();
        for (&(layer, class, target), &[a, b]) in keys.iter().zip(&vectors) {
            let mut own = [a, b];
            if layer != 0 {
                let asked = keys.get(..unconditional).unwrap_or_default();
                let place = asked.binary_search(&(0, class, target));
                let [plain_a, plain_b] =
                    place.ok().and_then(|it| vectors.get(it)).copied().unwrap_or_default();
                own = [a & !plain_a, b & !plain_b];
            }
            let [before, after] = own;
            if before != after {
                changes.push(AccessChange { source, target, class, layer, vectors: own });
            }
        }
        changes.sort_unstable();
        changes
    }
}

/// The keys of a layer and class, and where they start.
fn run(keys: &[Key], layer: u32, class: u32) -> (usize, &[Key]) {
    let from = keys.partition_point(|it| (it.0, it.1) < (layer, class));
    let rest = keys.get(from..).unwrap_or_default();
    let length = rest.partition_point(|it| (it.0, it.1) == (layer, class));
    (from, rest.get(..length).unwrap_or_default())
}

/// The access vectors of this kind that differ, by source, target, class and condition.
pub(super) fn changes(
    sides: &[Side<'_>; 2],
    types: usize,
    kind: RuleKind,
    conditions: Conditions,
) -> impl Iterator<Item = AccessChange> {
    let [first, second] = sides;
    let (a, b) = rayon::join(
        || Filed::new(first, kind, conditions),
        || Filed::new(second, kind, conditions),
    );
    let handles = u32::try_from(first.handles()).unwrap_or(u32::MAX);
    let moved = (0..handles).map(|it| first.members(it) != second.members(it)).collect();
    let laid = Laid { sides, filed: [a, b], moved };
    let unlike: Vec<Vec<Pair<'_>>> =
        (0..handles).into_par_iter().map(|it| laid.unlike(it)).collect();
    let sources = 0..u32::try_from(types).unwrap_or(u32::MAX);
    let found: Vec<Vec<AccessChange>> =
        sources.into_par_iter().map(|it| laid.changes(it, &unlike)).collect();
    found.into_iter().flatten()
}
