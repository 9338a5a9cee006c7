//! The rule index: which rules match a source type, a target type and a class, without walking attribute pairs.
//!
//! A *group* is a type or attribute that other types belong to. Every type has a dense bitmap of its groups, and rules
//! are filed by what they name:
//!
//! | source | target | filed under | found by |
//! |---|---|---|---|
//! | type | type | source | binary search for class and target |
//! | type | group | source | the class's few groups, each tested in the target's bitmap |
//! | group | type | target | the class's few groups, each tested in the source's bitmap |
//! | group | group | class | bitmap of the class's source groups ∧ that of the source, then as above |

use std::ops::Range;

use mandate_policydb::{AvRule, ClassId, Conditional, PolicyDb, RuleKind, SymbolId, TypeId};

/// A rule filed in the index.
#[derive(Clone, Copy)]
pub(crate) struct Posting {
    /// The rule's datum: permissions, or a place in the pool of extended permissions.
    pub(crate) datum: u32,
    /// The branch that holds the rule; 0 outside of conditional blocks.
    pub(crate) branch: u32,
    /// Number of the rule: unconditional ones first, then block by block, true branch before false.
    pub(crate) rule: u32,
    pub(crate) kind: RuleKind,
}

/// Rows of postings, each sorted by key. High half of a key: class, or the source group; low half: the other type or
/// group. Keys stand apart from what they lead to, so that a search reads little.
#[derive(Default)]
pub(crate) struct Rows {
    starts: Vec<u32>,
    keys: Vec<u32>,
    postings: Vec<Posting>,
}

/// A rule to be filed: row, key, number.
pub(crate) type Filed = (u32, u32, u32);

impl Rows {
    pub(crate) fn new(count: usize, filed: &[Filed], rules: &AllRules<'_>) -> Self {
        let starts = row_starts(count, filed);
        let mut next = starts.clone();
        // Key and number in one word: what sorts fastest.
        let mut order = vec![0u64; filed.len()];
        for &(row, key, number) in filed {
            if let Some(at) = next.get_mut(row as usize) {
                if let Some(place) = order.get_mut(*at as usize) {
                    *place = u64::from(key) << 32 | u64::from(number);
                }
                *at += 1;
            }
        }
        for (&from, &to) in starts.iter().zip(starts.iter().skip(1)) {
            if let Some(row) = order.get_mut(from as usize..to as usize) {
                row.sort_unstable();
            }
        }
        let keys = order.iter().map(|&it| high_half(it)).collect();
        let postings = order.iter().filter_map(|&it| {
            let number = low_half(it);
            let (rule, branch) = rules.get(number)?;
            Some(Posting { datum: rule.datum(), branch, rule: number, kind: rule.kind })
        });
        Self { starts, keys, postings: postings.collect() }
    }

    fn row(&self, row: usize) -> Range<usize> {
        let start = |row| self.starts.get(row).map_or(0, |&it| it as usize);
        start(row)..start(row + 1)
    }

    /// The places in a row whose keys lie in `keys`, with their keys.
    pub(crate) fn part(&self, row: usize, keys: Range<u32>) -> (&[u32], &[Posting]) {
        let row = self.row(row);
        let all = self.keys.get(row.clone()).unwrap_or_default();
        let from = all.partition_point(|&key| key < keys.start);
        let rest = all.get(from..).unwrap_or_default();
        let length = rest.iter().position(|&key| key >= keys.end).unwrap_or(rest.len());
        self.slice(row.start + from..row.start + from + length)
    }

    /// The postings of a row that is filed by source, with keys of class and target.
    pub(crate) fn exact(&self, source: TypeId, target: TypeId, class: ClassId) -> &[Posting] {
        let key = class_and_type(class, target);
        self.part(source.index(), key..key.saturating_add(1)).1
    }

    fn slice(&self, places: Range<usize>) -> (&[u32], &[Posting]) {
        let keys = self.keys.get(places.clone()).unwrap_or_default();
        (keys, self.postings.get(places).unwrap_or_default())
    }
}

/// The key of a rule between two types.
pub(crate) fn class_and_type(class: ClassId, type_: TypeId) -> u32 {
    class.value() << 16 | type_.value()
}

fn high_half(word: u64) -> u32 {
    u32::try_from(word >> 32).unwrap_or(u32::MAX)
}

fn low_half(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// Where each row starts, and where the last one ends.
fn row_starts(count: usize, filed: &[Filed]) -> Vec<u32> {
    let mut starts = vec![0u32; count + 1];
    for &(row, ..) in filed {
        if let Some(start) = starts.get_mut(row as usize + 1) {
            *start += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}

/// Group-to-group rules of a class: the source groups as a bitmap, and where each one's postings start.
struct ClassGroups {
    sources: Box<[u64]>,
    runs: Vec<Range<u32>>,
}

/// Which groups each type belongs to.
pub(crate) struct Groups {
    /// For each type, by value: number of the group, or [`NONE`].
    numbers: Vec<u32>,
    words: usize,
    bits: Vec<u64>,
}

const NONE: u32 = u32::MAX;

/// The most words that group bitmaps of all types may take: 32 MiB. A hundred times a large distribution's policy.
const MOST_WORDS: usize = 1 << 22;

impl Groups {
    /// `None` if the policy's attributes are too many to index.
    pub(crate) fn of(db: &PolicyDb) -> Option<Self> {
        let types = db.types.nprim() as usize;
        let mut numbers = vec![NONE; types];
        let mut count = 0;
        for (bit, attributes) in (0u32..).zip(&db.type_attributes) {
            for other in attributes.iter().filter(|&other| other != bit) {
                let Some(number) = numbers.get_mut(other as usize) else { continue };
                if *number == NONE {
                    *number = count;
                    count += 1;
                }
            }
        }
        let words = (count as usize).div_ceil(64).max(1);
        if words.checked_mul(types)? > MOST_WORDS {
            return None;
        }
        let mut bits = vec![0; words * types];
        for ((own, attributes), row) in
            (0u32..).zip(&db.type_attributes).zip(bits.chunks_mut(words))
        {
            for bit in attributes.iter().chain([own]) {
                let number = numbers.get(bit as usize).copied().unwrap_or(NONE);
                if let Some(word) = row.get_mut(number as usize / 64).filter(|_| number != NONE) {
                    *word |= 1 << (number % 64);
                }
            }
        }
        Some(Self { numbers, words, bits })
    }

    fn number(&self, id: TypeId) -> Option<u32> {
        self.numbers.get(id.index()).copied().filter(|&number| number != NONE)
    }

    fn row(&self, id: TypeId) -> &[u64] {
        let from = id.index() * self.words;
        self.bits.get(from..from + self.words).unwrap_or_default()
    }
}

fn has(row: &[u64], number: u32) -> bool {
    row.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
}

/// All rules of some kinds, filed.
pub(crate) struct RuleIndex {
    type_to_type: Rows,
    type_to_group: Rows,
    group_to_type: Rows,
    group_to_group: Rows,
    classes: Vec<Option<ClassGroups>>,
}

impl RuleIndex {
    /// Files the rules that `wanted` picks.
    pub(crate) fn new(
        db: &PolicyDb,
        groups: &Groups,
        rules: &AllRules<'_>,
        wanted: impl Fn(RuleKind) -> bool,
    ) -> Self {
        let mut filed: [Vec<Filed>; 4] = [const { Vec::new() }; 4];
        for (number, rule) in rules.numbered(wanted) {
            let class = rule.class().value();
            let (source, target) = (rule.source, rule.target);
            let (place, row, key) = match (groups.number(source), groups.number(target)) {
                (None, None) => (0, source.bit(), class_and_type(rule.class(), target)),
                (None, Some(group)) => (1, source.bit(), class << 16 | group),
                (Some(group), None) => (2, target.bit(), class << 16 | group),
                (Some(from), Some(to)) => (3, class, from << 16 | to),
            };
            if let Some(list) = filed.get_mut(place) {
                list.push((row, key, number));
            }
        }
        let (types, classes) = (db.types.nprim() as usize, db.classes.nprim() as usize + 1);
        let [type_to_type, type_to_group, group_to_type, group_to_group] = filed;
        let group_to_group = Rows::new(classes, &group_to_group, rules);
        let by_class = |class| class_groups(&group_to_group, class, groups.words);
        Self {
            type_to_type: Rows::new(types, &type_to_type, rules),
            type_to_group: Rows::new(types, &type_to_group, rules),
            group_to_type: Rows::new(types, &group_to_type, rules),
            classes: (0..classes).map(by_class).collect(),
            group_to_group,
        }
    }

    /// Calls `visit` with every filed rule that matches, whether its branch applies or not.
    #[inline]
    pub(crate) fn matching(
        &self,
        groups: &Groups,
        source: TypeId,
        target: TypeId,
        class: ClassId,
        mut visit: impl FnMut(&Posting),
    ) {
        let (from, to) = (groups.row(source), groups.row(target));
        let low = class.value() << 16;
        let keys = low..low.saturating_add(1 << 16);
        let own = self.type_to_type.exact(source, target, class);
        own.iter().for_each(&mut visit);
        let by_target = self.type_to_group.part(source.index(), keys.clone());
        visit_hits(by_target, to, &mut visit);
        let by_source = self.group_to_type.part(target.index(), keys);
        visit_hits(by_source, from, &mut visit);
        if let Some(Some(class)) = self.classes.get(class.value() as usize) {
            self.matching_groups(class, from, to, &mut visit);
        }
    }

    #[inline]
    fn matching_groups(
        &self,
        class: &ClassGroups,
        from: &[u64],
        to: &[u64],
        visit: &mut impl FnMut(&Posting),
    ) {
        let mut before = 0;
        for (sources, own) in class.sources.iter().zip(from) {
            let mut hits = sources & own;
            while hits != 0 {
                let below = (1u64 << hits.trailing_zeros()) - 1;
                let run = before + (sources & below).count_ones() as usize;
                hits &= hits - 1;
                let Some(run) = class.runs.get(run) else { continue };
                let places = run.start as usize..run.end as usize;
                visit_hits(self.group_to_group.slice(places), to, visit);
            }
            before += sources.count_ones() as usize;
        }
    }
}

/// Visits the postings whose group, the low half of the key, is among `groups`.
#[inline]
fn visit_hits(
    (keys, postings): (&[u32], &[Posting]),
    groups: &[u64],
    visit: &mut impl FnMut(&Posting),
) {
    let hits = keys.iter().zip(postings).filter(|(key, _)| has(groups, *key & 0xffff));
    hits.for_each(|(_, posting)| visit(posting));
}

fn class_groups(rows: &Rows, class: usize, words: usize) -> Option<ClassGroups> {
    let row = rows.row(class);
    let keys = rows.keys.get(row.clone()).filter(|it| !it.is_empty())?;
    let mut at = u32::try_from(row.start).ok()?;
    let mut sources = vec![0u64; words].into_boxed_slice();
    let mut runs = Vec::new();
    for run in keys.chunk_by(|a, b| a >> 16 == b >> 16) {
        let group = run.first()? >> 16;
        *sources.get_mut(group as usize / 64)? |= 1 << (group % 64);
        let end = at + u32::try_from(run.len()).ok()?;
        runs.push(at..end);
        at = end;
    }
    Some(ClassGroups { sources, runs })
}

/// Every rule with the number of its branch, in the order that numbers rules.
pub(crate) struct AllRules<'a> {
    unconditional: &'a [AvRule],
    conditional: Vec<(&'a AvRule, u32)>,
}

impl<'a> AllRules<'a> {
    pub(crate) fn of(db: &'a PolicyDb) -> Self {
        let mut conditional = Vec::new();
        for (branch, block) in (1u32..).step_by(2).zip(&db.conditionals) {
            conditional.extend(block.when_true.iter().map(|rule| (rule, branch)));
            conditional.extend(block.when_false.iter().map(|rule| (rule, branch + 1)));
        }
        Self { unconditional: &db.rules, conditional }
    }

    /// Numbers of the rules whose kind `wanted` picks, with the rules.
    pub(crate) fn numbered(
        &self,
        wanted: impl Fn(RuleKind) -> bool,
    ) -> impl Iterator<Item = (u32, &'a AvRule)> {
        let conditional = self.conditional.iter().map(|it| it.0);
        let all = (0..).zip(self.unconditional.iter().chain(conditional));
        all.filter(move |it| wanted(it.1.kind))
    }

    fn get(&self, number: u32) -> Option<(&'a AvRule, u32)> {
        let number = number as usize;
        match self.unconditional.get(number) {
            Some(rule) => Some((rule, 0)),
            None => self.conditional.get(number - self.unconditional.len()).copied(),
        }
    }
}

/// Where a rule stands in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleRef {
    /// In [`PolicyDb::rules`], at this index.
    Unconditional(usize),
    /// In a conditional block.
    Conditional {
        /// Index in [`PolicyDb::conditionals`].
        block: usize,
        /// In its true branch?
        when: bool,
        /// Index in the branch.
        index: usize,
    },
}

impl RuleRef {
    pub(crate) fn of_number(db: &PolicyDb, number: u32) -> Self {
        let Some(mut rest) = (number as usize).checked_sub(db.rules.len()) else {
            return Self::Unconditional(number as usize);
        };
        for (block, conditional) in db.conditionals.iter().enumerate() {
            for (when, rules) in [(true, &conditional.when_true), (false, &conditional.when_false)]
            {
                if rest < rules.len() {
                    return Self::Conditional { block, when, index: rest };
                }
                rest -= rules.len();
            }
        }
        unreachable!("rule {number} of an index over this policy")
    }

    /// The rule.
    pub fn rule(self, db: &PolicyDb) -> Option<&AvRule> {
        match self {
            Self::Unconditional(index) => db.rules.get(index),
            Self::Conditional { block, when, index } => {
                let block = db.conditionals.get(block)?;
                (if when { &block.when_true } else { &block.when_false }).get(index)
            }
        }
    }

    /// The block that holds the rule.
    pub fn block(self, db: &PolicyDb) -> Option<&Conditional> {
        match self {
            Self::Unconditional(_) => None,
            Self::Conditional { block, .. } => db.conditionals.get(block),
        }
    }
}
