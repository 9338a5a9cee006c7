//! Where the rules of a binary policy were written: a file of its own beside the policy, `docs/formats/provenance.md`.

mod wire;

use std::collections::HashMap;

use crate::avtab::AvRule;
use crate::conditional::Conditional;
use crate::db::PolicyDb;

/// What the name of the file ends with, after the name of its policy.
pub const PROVENANCE_SUFFIX: &str = ".provenance";

/// Where a type enforcement rule stands in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RulePlace {
    /// At this index of [`PolicyDb::rules`].
    Unconditional(u32),
    /// In a branch of a conditional block.
    Conditional {
        /// Index in [`PolicyDb::conditionals`].
        block: u32,
        /// In the true branch?
        when: bool,
        /// Index in the branch.
        rule: u32,
    },
}

impl RulePlace {
    /// The rule.
    pub fn rule(self, db: &PolicyDb) -> Option<&AvRule> {
        match self {
            Self::Unconditional(index) => db.rules.get(index as usize),
            Self::Conditional { when, rule, .. } => {
                let block = self.block(db)?;
                (if when { &block.when_true } else { &block.when_false }).get(rule as usize)
            }
        }
    }

    /// The block that holds the rule.
    pub fn block(self, db: &PolicyDb) -> Option<&Conditional> {
        match self {
            Self::Unconditional(_) => None,
            Self::Conditional { block, .. } => db.conditionals.get(block as usize),
        }
    }
}

/// A rule whose origin is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKey {
    /// A type enforcement rule.
    Rule(RulePlace),
    /// At this index of [`PolicyDb::role_allows`].
    RoleAllow(u32),
    /// At this index of [`PolicyDb::role_transitions`].
    RoleTransition(u32),
    /// At this index of [`PolicyDb::range_transitions`].
    RangeTransition(u32),
    /// A constraint.
    Constraint {
        /// Value of the class.
        class: u32,
        /// Index in its list.
        index: u32,
    },
}

/// The lists of a provenance file.
const LISTS: usize = 6;

impl RuleKey {
    /// List, group in it, and rule in the group.
    fn split(self) -> (usize, u32, u32) {
        match self {
            Self::Rule(RulePlace::Unconditional(rule)) => (0, 0, rule),
            Self::Rule(RulePlace::Conditional { block, when, rule }) => {
                (1, block << 1 | u32::from(when), rule)
            }
            Self::RoleAllow(index) => (2, 0, index),
            Self::RoleTransition(index) => (3, 0, index),
            Self::RangeTransition(index) => (4, 0, index),
            Self::Constraint { class, index } => (5, class, index),
        }
    }
}

/// A place of a [`Provenance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceId(u32);

impl PlaceId {
    /// The identifier after [`ProvenanceBuilder::append_places`] gave `first`.
    #[must_use]
    pub fn moved(self, first: u32) -> Self {
        Self(self.0 + first)
    }
}

/// A string of a [`Provenance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StringId(u32);

/// A place in the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file.
    pub path: &'a str,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The interface, template or macro in whose body it stands, and where that was called.
    pub within: Option<(&'a str, PlaceId)>,
}

/// A place as it is kept: indices of strings and places, one more for what may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    path: u32,
    line: u32,
    column: u32,
    parent: u32,
    name: u32,
}

/// One statement behind a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    group: u32,
    rule: u32,
    place: u32,
    mask: u32,
}

/// The places behind each rule of one binary policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    policy_hash: [u8; 32],
    strings: Vec<Box<str>>,
    places: Vec<Record>,
    lists: [Vec<Entry>; LISTS],
}

impl Provenance {
    /// SHA-256 of the bytes of the policy that this belongs to.
    pub fn policy_hash(&self) -> &[u8; 32] {
        &self.policy_hash
    }

    /// The statements behind a rule: the permissions that each gives (all bits where it has none), and where it stands.
    pub fn places(&self, of: RuleKey) -> impl Iterator<Item = (u32, PlaceId)> + '_ {
        let (list, group, rule) = of.split();
        let list = self.lists.get(list).map_or(&[][..], Vec::as_slice);
        let from = list.partition_point(|it| (it.group, it.rule) < (group, rule));
        let rest = list.get(from..).unwrap_or_default();
        let same = rest.iter().take_while(move |it| (it.group, it.rule) == (group, rule));
        same.map(|it| (it.mask, PlaceId(it.place)))
    }

    /// A place.
    ///
    /// # Panics
    /// With the identifier of another provenance.
    pub fn place(&self, id: PlaceId) -> Place<'_> {
        let record = self.places.get(id.0 as usize).expect("a place of this provenance");
        let string = |index: u32| self.strings.get(index as usize).map_or("", |it| it);
        let parent = record.parent.checked_sub(1).map(PlaceId);
        let name = record.name.checked_sub(1).map_or("", string);
        let within = parent.map(|it| (name, it));
        Place { path: string(record.path), line: record.line, column: record.column, within }
    }

    /// The place, and the calls that brought it there, outwards.
    pub fn chain(&self, id: PlaceId) -> impl Iterator<Item = Place<'_>> {
        let mut next = Some(id);
        std::iter::from_fn(move || {
            let place = self.place(next?);
            next = place.within.map(|it| it.1);
            Some(place)
        })
    }

    /// How many statements are recorded.
    pub fn len(&self) -> usize {
        self.lists.iter().map(Vec::len).sum()
    }

    /// Is none recorded?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Puts a [`Provenance`] together.
#[derive(Debug, Default)]
pub struct ProvenanceBuilder {
    made: Provenance,
    strings: HashMap<Box<str>, StringId>,
}

impl ProvenanceBuilder {
    /// With nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// A path or name, kept once.
    pub fn string(&mut self, text: &str) -> StringId {
        if let Some(&known) = self.strings.get(text) {
            return known;
        }
        let id = StringId(index(self.made.strings.len()));
        self.made.strings.push(text.into());
        self.strings.insert(text.into(), id);
        id
    }

    /// A place; `within` is the name of the macro in whose body it stands, and where that was called.
    pub fn place(
        &mut self,
        path: StringId,
        line: u32,
        column: u32,
        within: Option<(StringId, PlaceId)>,
    ) -> PlaceId {
        let id = PlaceId(index(self.made.places.len()));
        let (name, parent) = within.map_or((0, 0), |(name, parent)| (name.0 + 1, parent.0 + 1));
        self.made.places.push(Record { path: path.0, line, column, parent, name });
        id
    }

    /// Takes in the places of another builder, which has no statements yet. Their identifiers grow by what this gives.
    pub fn append_places(&mut self, other: Self) -> u32 {
        let first = index(self.made.places.len());
        let strings: Vec<u32> = other.made.strings.iter().map(|it| self.string(it).0).collect();
        let string = |old: u32| strings.get(old as usize).copied().unwrap_or(old);
        self.made.places.extend(other.made.places.into_iter().map(|it| Record {
            path: string(it.path),
            name: it.name.checked_sub(1).map_or(0, |it| string(it) + 1),
            parent: if it.parent == 0 { 0 } else { it.parent + first },
            ..it
        }));
        first
    }

    /// A statement behind a rule, with the permissions it gives; all bits where it has none.
    pub fn add(&mut self, of: RuleKey, permissions: u32, place: PlaceId) {
        let (list, group, rule) = of.split();
        if let Some(list) = self.made.lists.get_mut(list) {
            list.push(Entry { group, rule, place: place.0, mask: permissions });
        }
    }

    /// All of it, of the policy whose bytes have this SHA-256.
    pub fn finish(mut self, policy_hash: [u8; 32]) -> Provenance {
        self.made.policy_hash = policy_hash;
        let key = |it: &Entry| (it.group, it.rule);
        for list in &mut self.made.lists {
            // Mostly rules come in order, and only the statements of each are to be sorted.
            if !list.is_sorted_by_key(key) {
                list.sort_unstable_by_key(key);
            }
            list.chunk_by_mut(|a, b| key(a) == key(b)).for_each(<[Entry]>::sort_unstable);
            list.dedup();
        }
        self.made
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than 2³² places and strings")
}

#[cfg(test)]
mod tests;
