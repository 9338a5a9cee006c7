//! Which attributes hold all types of a type or attribute.

use mandate_policydb::{AvRule, PolicyDb, SymbolId, TypeId};

const NONE: u32 = u32::MAX;

/// The most words that all bitmaps may take: 32 MiB. A hundred times a large distribution's policy.
const MOST_WORDS: usize = 1 << 22;

/// For each type and attribute, a bitmap of the attributes around it. Attributes are numbered.
pub(super) struct Supersets {
    numbers: Vec<u32>,
    pub(super) words: usize,
    rows: Vec<u64>,
}

impl Supersets {
    /// None if there are too many attributes to look at.
    pub(super) fn of(db: &PolicyDb) -> Option<Self> {
        let (numbers, count) = number_attributes(db);
        let words = (count as usize).div_ceil(64).max(1);
        if words.checked_mul(numbers.len())? > MOST_WORDS || count > u32::from(u16::MAX) {
            return None;
        }
        let rows = vec![0; words * numbers.len()];
        let mut this = Self { numbers, words, rows };
        this.fill_types(db);
        this.fill_attributes(db, count);
        Some(this)
    }

    fn fill_types(&mut self, db: &PolicyDb) {
        for (row, attributes) in self.rows.chunks_mut(self.words).zip(&db.type_attributes) {
            for number in attributes.iter().filter_map(|bit| self.numbers.get(bit as usize)) {
                if let Some(word) = row.get_mut(*number as usize / 64).filter(|_| *number != NONE) {
                    *word |= 1 << (number % 64);
                }
            }
        }
    }

    /// What surrounds an attribute is what all its types have in common; one without types lies in every other.
    fn fill_attributes(&mut self, db: &PolicyDb, count: u32) {
        let mut common = vec![u64::MAX; self.words * count as usize];
        for (type_, attributes) in self.types(db) {
            let row = self.row(type_);
            for number in attributes.ids().filter_map(|it| self.number(it)) {
                let from = number as usize * self.words;
                let common = common.get_mut(from..from + self.words).unwrap_or_default();
                common.iter_mut().zip(row).for_each(|(common, own)| *common &= own);
            }
        }
        for (&number, row) in self.numbers.iter().zip(self.rows.chunks_mut(self.words)) {
            let from = (number as usize).saturating_mul(self.words);
            if let Some(common) = common.get(from..from.saturating_add(self.words)) {
                row.copy_from_slice(common);
            }
        }
    }

    fn types<'a>(
        &'a self,
        db: &'a PolicyDb,
    ) -> impl Iterator<Item = (TypeId, &'a mandate_policydb::Ebitmap)> {
        let all = (0u32..).zip(&db.type_attributes);
        let all = all.filter_map(|(bit, attributes)| Some((TypeId::from_bit(bit)?, attributes)));
        all.filter(|it| !self.is_attribute(it.0))
    }

    /// How many types and attributes there are.
    pub(super) fn types_len(&self) -> usize {
        self.numbers.len()
    }

    /// The number of an attribute.
    pub(super) fn number(&self, id: TypeId) -> Option<u32> {
        self.numbers.get(id.index()).copied().filter(|&number| number != NONE)
    }

    pub(super) fn is_attribute(&self, id: TypeId) -> bool {
        self.number(id).is_some()
    }

    /// The attributes around `id`, itself among them if it is one.
    pub(super) fn row(&self, id: TypeId) -> &[u64] {
        let from = id.index() * self.words;
        self.rows.get(from..from + self.words).unwrap_or_default()
    }

    /// Do source and target of `outer` hold those of `inner`?
    pub(super) fn holds(&self, outer: &AvRule, inner: &AvRule) -> bool {
        self.holds_one(outer.source, inner.source) && self.holds_one(outer.target, inner.target)
    }

    fn holds_one(&self, outer: TypeId, inner: TypeId) -> bool {
        outer == inner || self.number(outer).is_some_and(|it| has(self.row(inner), it))
    }
}

/// Is `number` in the bitmap?
pub(super) fn has(row: &[u64], number: u32) -> bool {
    row.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
}

fn number_attributes(db: &PolicyDb) -> (Vec<u32>, u32) {
    let mut count = 0;
    let number = |bit: u32| {
        let datum = TypeId::from_bit(bit).and_then(|id| db.types.get(id));
        // Before version 24 attributes have no names.
        if datum.is_none_or(|it| it.attribute) {
            count += 1;
            count - 1
        } else {
            NONE
        }
    };
    let numbers = (0..db.types.nprim()).map(number).collect();
    (numbers, count)
}
