//! The types of each attribute as dense bitmaps: sets that meet fast.

use mandate_policydb::{Ebitmap, PolicyDb, SymbolId, TypeId};

const NONE: u32 = u32::MAX;

/// A dense set of types: bit `n` of word `n / 64`.
pub(crate) type Dense = Vec<u64>;

/// For each attribute its types.
pub(crate) struct Members {
    numbers: Vec<u32>,
    words: usize,
    rows: Vec<u64>,
}

/// The types that a type or attribute stands for.
#[derive(Clone, Copy)]
pub(crate) enum Types<'a> {
    /// A type: the bit of itself.
    One(u32),
    /// An attribute.
    Many(&'a [u64]),
}

impl Members {
    pub(crate) fn of(db: &PolicyDb) -> Self {
        let words = (db.types.nprim() as usize).div_ceil(64);
        let mut count = 0;
        let number = |bit: u32| {
            // Before version 24 attributes have no names.
            let datum = TypeId::from_bit(bit).and_then(|id| db.types.get(id));
            let attribute = datum.is_none_or(|it| it.attribute);
            count += u32::from(attribute);
            if attribute { count - 1 } else { NONE }
        };
        let numbers: Vec<u32> = (0..db.types.nprim()).map(number).collect();
        let mut this = Self { rows: vec![0; words * count as usize], words, numbers };
        this.fill(db);
        this
    }

    fn fill(&mut self, db: &PolicyDb) {
        for ((bit, attributes), &own) in (0u32..).zip(&db.type_attributes).zip(&self.numbers) {
            if own != NONE {
                continue;
            }
            for &number in attributes.iter().filter_map(|it| self.numbers.get(it as usize)) {
                let at = (number as usize).saturating_mul(self.words) + bit as usize / 64;
                if let Some(word) = self.rows.get_mut(at).filter(|_| number != NONE) {
                    *word |= 1 << (bit % 64);
                }
            }
        }
    }

    /// How many words a dense set has.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// The types that `id` stands for.
    pub(crate) fn types(&self, id: TypeId) -> Types<'_> {
        match self.numbers.get(id.index()) {
            Some(&number) if number != NONE => {
                let from = number as usize * self.words;
                Types::Many(self.rows.get(from..from + self.words).unwrap_or_default())
            }
            _ => Types::One(id.bit()),
        }
    }

    /// A set as a dense one.
    pub(crate) fn dense(&self, set: &Ebitmap) -> Dense {
        let mut words = vec![0; self.words];
        for &(start, map) in set.runs() {
            if let Some(word) = words.get_mut(start as usize / 64) {
                *word = map;
            }
        }
        words
    }

    /// The types and attributes that stand for one of `types` at least: a bitmap over both.
    pub(crate) fn meeting(&self, types: &[u64]) -> Dense {
        let mut all = types.to_vec();
        for (bit, number) in self.numbers.iter().enumerate().filter(|it| *it.1 != NONE) {
            let from = *number as usize * self.words;
            let own = self.rows.get(from..from + self.words).unwrap_or_default();
            if let Some(word) = all.get_mut(bit / 64).filter(|_| meet(own, types)) {
                *word |= 1 << (bit % 64);
            }
        }
        all
    }
}

impl Types<'_> {
    /// Those among `types`.
    pub(crate) fn among(self, types: &[u64]) -> Dense {
        match self {
            Types::Many(own) => own.iter().zip(types).map(|(a, b)| a & b).collect(),
            Types::One(bit) => {
                let mut one = vec![0; types.len()];
                if let Some(word) = one.get_mut(bit as usize / 64).filter(|_| has(types, bit)) {
                    *word |= 1 << (bit % 64);
                }
                one
            }
        }
    }

    /// Is this type among them?
    pub(crate) fn has(self, bit: u32) -> bool {
        match self {
            Types::One(own) => own == bit,
            Types::Many(own) => has(own, bit),
        }
    }
}

/// Do two sets have a type in common?
pub(crate) fn meet(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}

/// Is this bit set?
pub(crate) fn has(set: &[u64], bit: u32) -> bool {
    set.get(bit as usize / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
}

/// The bits that are set, lowest first.
pub(crate) fn bits(set: &[u64]) -> impl Iterator<Item = u32> {
    (0u32..).step_by(64).zip(set).flat_map(|(start, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| start | rest.trailing_zeros())?;
            rest &= rest - 1;
            Some(bit)
        })
    })
}
