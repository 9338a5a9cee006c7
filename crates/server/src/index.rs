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
    /// High half: class, or the source group. Low half: the other type or group.
    key: u32,
    /// The rule's datum: permissions, or a place in the pool of extended permissions.
    pub(crate) datum: u32,
    /// The branch that holds the rule; 0 outside of conditional blocks.
    pub(crate) branch: u32,
    /// Number of the rule: unconditional ones first, then block by block, true branch before false.
    pub(crate) rule: u32,
    pub(crate) kind: RuleKind,
}

/// Rows of postings, each sorted by key.
#[derive(Default)]
struct Rows {
    starts: Vec<u32>,
    postings: Vec<Posting>,
}

impl Rows {
    fn new(count: usize, filed: &[(u32, Posting)]) -> Self {
        let mut starts = vec![0u32; count + 1];
        for &(row, _) in filed {
            if let Some(start) = starts.get_mut(row as usize + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut postings: Vec<Posting> = filed.iter().map(|it| it.1).collect();
        for &(row, posting) in filed {
            if let Some(at) = next.get_mut(row as usize) {
                if let Some(place) = postings.get_mut(*at as usize) {
                    *place = posting;
                }
                *at += 1;
            }
        }
        for window in starts.windows(2) {
            if let &[from, to] = window
                && let Some(row) = postings.get_mut(from as usize..to as usize)
            {
                row.sort_unstable_by_key(|it| (it.key, it.rule));
            }
        }
        Self { starts, postings }
    }

    fn row(&self, row: usize) -> &[Posting] {
        let (Some(&from), Some(&to)) = (self.starts.get(row), self.starts.get(row + 1)) else {
            return &[];
        };
        self.postings.get(from as usize..to as usize).unwrap_or_default()
    }
}

/// The part of a sorted row whose keys lie in `keys`.
fn part(row: &[Posting], keys: Range<u32>) -> &[Posting] {
    let from = row.partition_point(|it| it.key < keys.start);
    let rest = row.get(from..).unwrap_or_default();
    let to = rest.iter().position(|it| it.key >= keys.end).unwrap_or(rest.len());
    rest.get(..to).unwrap_or_default()
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
    pub(crate) fn new(db: &PolicyDb, groups: &Groups, wanted: impl Fn(RuleKind) -> bool) -> Self {
        let mut filed: [Vec<(u32, Posting)>; 4] = Default::default();
        for (rule, branch, number) in numbered_rules(db).filter(|it| wanted(it.0.kind)) {
            let class = rule.class().value();
            let (source, target) = (rule.source.value(), rule.target.value());
            let (place, row, key) = match (groups.number(rule.source), groups.number(rule.target)) {
                (None, None) => (0, rule.source.bit(), class << 16 | target),
                (None, Some(group)) => (1, rule.source.bit(), class << 16 | group),
                (Some(group), None) => (2, rule.target.bit(), class << 16 | group),
                (Some(from), Some(to)) => (3, class, from << 16 | to),
            };
            debug_assert!(source <= 0xffff && target <= 0xffff, "checked by the reader");
            let posting =
                Posting { key, datum: rule.datum(), branch, rule: number, kind: rule.kind };
            if let Some(list) = filed.get_mut(place) {
                list.push((row, posting));
            }
        }
        let (types, classes) = (db.types.nprim() as usize, db.classes.nprim() as usize + 1);
        let [type_to_type, type_to_group, group_to_type, group_to_group] = filed;
        let group_to_group = Rows::new(classes, &group_to_group);
        let by_class = |class| class_groups(&group_to_group, class, groups.words);
        Self {
            type_to_type: Rows::new(types, &type_to_type),
            type_to_group: Rows::new(types, &type_to_group),
            group_to_type: Rows::new(types, &group_to_type),
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
        let exact = low | target.value();
        let own = self.type_to_type.row(source.index());
        part(own, exact..exact.saturating_add(1)).iter().for_each(&mut visit);
        let tested = |row, groups: &[u64], visit: &mut dyn FnMut(&Posting)| {
            let hits = part(row, keys.clone()).iter().filter(|it| has(groups, it.key & 0xffff));
            hits.for_each(visit);
        };
        tested(self.type_to_group.row(source.index()), to, &mut visit);
        tested(self.group_to_type.row(target.index()), from, &mut visit);
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
                let run = run.start as usize..run.end as usize;
                let postings = self.group_to_group.postings.get(run).unwrap_or_default();
                postings.iter().filter(|it| has(to, it.key & 0xffff)).for_each(&mut *visit);
            }
            before += sources.count_ones() as usize;
        }
    }
}

fn class_groups(rows: &Rows, class: usize, words: usize) -> Option<ClassGroups> {
    let row = rows.row(class);
    if row.is_empty() {
        return None;
    }
    let mut at = rows.starts.get(class).copied()?;
    let mut sources = vec![0u64; words].into_boxed_slice();
    let mut runs = Vec::new();
    for run in row.chunk_by(|a, b| a.key >> 16 == b.key >> 16) {
        let group = run.first()?.key >> 16;
        *sources.get_mut(group as usize / 64)? |= 1 << (group % 64);
        let end = at + u32::try_from(run.len()).ok()?;
        runs.push(at..end);
        at = end;
    }
    Some(ClassGroups { sources, runs })
}

/// Every rule with its branch and its number.
fn numbered_rules(db: &PolicyDb) -> impl Iterator<Item = (&AvRule, u32, u32)> {
    let unconditional = db.rules.iter().map(|rule| (rule, 0));
    let conditional = (1u32..).step_by(2).zip(&db.conditionals).flat_map(|(branch, block)| {
        let when_true = block.when_true.iter().map(move |rule| (rule, branch));
        when_true.chain(block.when_false.iter().map(move |rule| (rule, branch + 1)))
    });
    unconditional.chain(conditional).zip(0..).map(|((rule, branch), number)| (rule, branch, number))
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
