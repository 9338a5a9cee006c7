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

use mandate_policydb::{AvRule, ClassId, PolicyDb, RulePlace, SymbolId, TypeId};

/// Rows of filed rules, each sorted. An entry is the key in the high half and the number of the rule in the low half: one
/// word, which sorts fast; the rule itself is looked at only on a match. High half of a key: class, or the source
/// group; low half: the other type or group.
#[derive(Default)]
pub(crate) struct Rows {
    starts: Vec<u32>,
    entries: Vec<u64>,
}

/// A rule to be filed: row, key, number.
pub(crate) type Filed = (usize, u32, u32);

impl Rows {
    /// Files by counting, so the iterator is run twice.
    pub(crate) fn new(count: usize, filed: impl Iterator<Item = Filed> + Clone) -> Self {
        let starts = row_starts(count, filed.clone());
        let mut next = starts.clone();
        let mut entries = vec![0u64; starts.last().map_or(0, |&end| end as usize)];
        // Chained iterators run fastest from within.
        filed.for_each(|(row, key, number)| {
            if let Some(at) = next.get_mut(row) {
                if let Some(place) = entries.get_mut(*at as usize) {
                    *place = u64::from(key) << 32 | u64::from(number);
                }
                *at += 1;
            }
        });
        for (&from, &to) in starts.iter().zip(starts.iter().skip(1)) {
            if let Some(row) = entries.get_mut(from as usize..to as usize) {
                row.sort_unstable();
            }
        }
        Self { starts, entries }
    }

    fn row(&self, row: usize) -> Range<usize> {
        let start = |row| self.starts.get(row).map_or(0, |&it| it as usize);
        start(row)..start(row + 1)
    }

    /// The entries of a row whose keys lie in `keys`.
    fn part(&self, row: usize, keys: Range<u32>) -> &[u64] {
        let all = self.entries.get(self.row(row)).unwrap_or_default();
        let from = all.partition_point(|&entry| key(entry) < keys.start);
        let rest = all.get(from..).unwrap_or_default();
        let length = rest.iter().position(|&entry| key(entry) >= keys.end).unwrap_or(rest.len());
        rest.get(..length).unwrap_or_default()
    }

    /// Numbers of the rules of a row that is filed by source, with keys of class and target.
    pub(crate) fn exact(
        &self,
        source: TypeId,
        target: TypeId,
        class: ClassId,
    ) -> impl Iterator<Item = u32> {
        let key = class_and_type(class, target);
        self.part(source.index(), key..key.saturating_add(1)).iter().map(|&entry| number(entry))
    }
}

/// The key of a rule between two types.
pub(crate) fn class_and_type(class: ClassId, type_: TypeId) -> u32 {
    class.value() << 16 | type_.value()
}

fn key(entry: u64) -> u32 {
    u32::try_from(entry >> 32).unwrap_or(u32::MAX)
}

fn number(entry: u64) -> u32 {
    u32::try_from(entry & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// Where each row starts, and where the last one ends.
fn row_starts(count: usize, filed: impl Iterator<Item = Filed>) -> Vec<u32> {
    let mut starts = vec![0u32; count + 1];
    filed.for_each(|(row, ..)| {
        if let Some(start) = starts.get_mut(row + 1) {
            *start += 1;
        }
    });
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}

/// Group-to-group rules of a class: the source groups as a bitmap, and where each one's entries are.
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
    /// Rows of source types for rules between types; of source types for rules on groups; of target types for rules of
    /// groups; of classes for rules between groups.
    rows: Rows,
    types: usize,
    classes: Vec<Option<ClassGroups>>,
}

impl RuleIndex {
    /// Files these rules.
    pub(crate) fn new(
        db: &PolicyDb,
        groups: &Groups,
        rules: impl Iterator<Item = (u32, AvRule)> + Clone,
    ) -> Self {
        let (types, classes) = (db.types.nprim() as usize, db.classes.nprim() as usize + 1);
        let filed = rules.map(|(number, rule)| {
            let (class, source, target) = (rule.class(), rule.source, rule.target);
            match (groups.number(source), groups.number(target)) {
                (None, None) => (source.index(), class_and_type(class, target), number),
                (None, Some(to)) => (types + source.index(), class.value() << 16 | to, number),
                (Some(from), None) => {
                    (2 * types + target.index(), class.value() << 16 | from, number)
                }
                (Some(from), Some(to)) => {
                    (3 * types + class.value() as usize, from << 16 | to, number)
                }
            }
        });
        let rows = Rows::new(3 * types + classes, filed);
        let by_class = |class| class_groups(&rows, 3 * types + class, groups.words);
        Self { classes: (0..classes).map(by_class).collect(), types, rows }
    }

    /// Calls `visit` with the number of every filed rule that matches, whether its branch applies or not.
    #[inline]
    pub(crate) fn matching(
        &self,
        groups: &Groups,
        source: TypeId,
        target: TypeId,
        class: ClassId,
        mut visit: impl FnMut(u32),
    ) {
        let (from, to) = (groups.row(source), groups.row(target));
        let low = class.value() << 16;
        let keys = low..low.saturating_add(1 << 16);
        self.rows.exact(source, target, class).for_each(&mut visit);
        let on_groups = self.rows.part(self.types + source.index(), keys.clone());
        visit_hits(on_groups, to, &mut visit);
        let of_groups = self.rows.part(2 * self.types + target.index(), keys);
        visit_hits(of_groups, from, &mut visit);
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
        visit: &mut impl FnMut(u32),
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
                visit_hits(self.rows.entries.get(run).unwrap_or_default(), to, visit);
            }
            before += sources.count_ones() as usize;
        }
    }
}

/// Visits the entries whose group, the low half of the key, is among `groups`.
#[inline]
fn visit_hits(entries: &[u64], groups: &[u64], visit: &mut impl FnMut(u32)) {
    let hits = entries.iter().filter(|&&entry| has(groups, key(entry) & 0xffff));
    hits.for_each(|&entry| visit(number(entry)));
}

fn class_groups(rows: &Rows, row: usize, words: usize) -> Option<ClassGroups> {
    let row = rows.row(row);
    let entries = rows.entries.get(row.clone()).filter(|it| !it.is_empty())?;
    let mut at = u32::try_from(row.start).ok()?;
    let mut sources = vec![0u64; words].into_boxed_slice();
    let mut runs = Vec::new();
    for run in entries.chunk_by(|&a, &b| key(a) >> 16 == key(b) >> 16) {
        let group = key(*run.first()?) >> 16;
        *sources.get_mut(group as usize / 64)? |= 1 << (group % 64);
        let end = at + u32::try_from(run.len()).ok()?;
        runs.push(at..end);
        at = end;
    }
    Some(ClassGroups { sources, runs })
}

/// Numbers for all rules of a policy: those outside of blocks first, then block by block, true branch before false.
/// Branches have numbers too: 0 outside of blocks, then two for each block.
pub(crate) struct Numbering {
    conditional: Vec<(AvRule, u32)>,
    /// Where each branch starts in `conditional`; branch 1 is the first.
    branches: Vec<usize>,
    /// Numbers of the type rules.
    pub(crate) types: Vec<u32>,
    /// Numbers of the extended permission rules.
    pub(crate) xperms: Vec<u32>,
}

impl Numbering {
    pub(crate) fn of(db: &PolicyDb) -> Self {
        let (mut conditional, mut branches) = (Vec::new(), Vec::new());
        for (branch, block) in (1u32..).step_by(2).zip(&db.conditionals) {
            branches.push(conditional.len());
            conditional.extend(block.when_true.iter().map(|&rule| (rule, branch)));
            branches.push(conditional.len());
            conditional.extend(block.when_false.iter().map(|&rule| (rule, branch + 1)));
        }
        let (types, xperms) = (Vec::new(), Vec::new());
        let mut numbering = Self { conditional, branches, types, xperms };
        let (mut types, mut xperms) = (Vec::new(), Vec::new());
        numbering.all(db).filter(|it| !it.1.kind.is_access_vector()).for_each(|(number, rule)| {
            if rule.kind.is_type() { types.push(number) } else { xperms.push(number) }
        });
        (numbering.types, numbering.xperms) = (types, xperms);
        numbering
    }

    /// All rules by number.
    pub(crate) fn all<'a>(
        &'a self,
        db: &'a PolicyDb,
    ) -> impl Iterator<Item = (u32, &'a AvRule)> + Clone {
        (0..).zip(db.rules.iter().chain(self.conditional.iter().map(|it| &it.0)))
    }

    /// Rules of these numbers.
    pub(crate) fn some<'a>(
        &'a self,
        db: &'a PolicyDb,
        numbers: &'a [u32],
    ) -> impl Iterator<Item = (u32, AvRule)> + Clone {
        numbers.iter().filter_map(|&number| Some((number, self.rule(db, number)?.0)))
    }

    /// The rule of this number, with its branch.
    #[inline]
    pub(crate) fn rule(&self, db: &PolicyDb, number: u32) -> Option<(AvRule, u32)> {
        let number = number as usize;
        match db.rules.get(number) {
            Some(&rule) => Some((rule, 0)),
            None => self.conditional.get(number - db.rules.len()).copied(),
        }
    }
}

impl Numbering {
    /// Where the rule of this number stands.
    pub(crate) fn reference(&self, db: &PolicyDb, number: u32) -> RulePlace {
        let Some(at) = (number as usize).checked_sub(db.rules.len()) else {
            return RulePlace::Unconditional(number);
        };
        let branch = self.conditional.get(at).map_or(1, |it| it.1);
        let start = self.branches.get(branch as usize - 1).copied().unwrap_or(at);
        // The numbers of rules fit: theirs did.
        let rule = u32::try_from(at - start).unwrap_or(u32::MAX);
        RulePlace::Conditional { block: (branch - 1) / 2, when: branch % 2 == 1, rule }
    }
}
