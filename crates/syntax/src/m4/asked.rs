//! What a run depends on: the words it asked for.

use std::cell::Cell;

use crate::names;

/// Words of the table: a bit for each value of half a hash.
pub(super) const WORDS: usize = 1 << 10;

/// The words that a run looked up, macros or not. The set may seem to hold a few more; it never misses one.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    bits: Vec<Cell<u64>>,
}

impl Default for Asking {
    fn default() -> Self {
        Self { bits: vec![Cell::new(0); WORDS] }
    }
}

impl Asking {
    /// Notes the word of this hash.
    pub(super) fn note(&self, hash: u32) {
        for (word, bit) in places(hash) {
            if let Some(word) = self.bits.get(word) {
                word.set(word.get() | bit);
            }
        }
    }

    pub(super) fn finish(self) -> Asked {
        Asked { bits: self.bits.into_iter().map(Cell::into_inner).collect() }
    }
}

/// What a run looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub(crate) bits: Vec<u64>,
}

impl Asked {
    /// Was `word` looked up? Yes may be wrong, no is not.
    pub fn may_hold(&self, word: &str) -> bool {
        let mut places = places(names::hash(word.as_bytes())).into_iter();
        places.all(|(at, bit)| self.bits.get(at).is_some_and(|it| it & bit != 0))
    }
}

/// The bits of a word: one for each half of its hash.
fn places(hash: u32) -> [(usize, u64); 2] {
    let place = |half: u32| (half as usize >> 6 & (WORDS - 1), 1 << (half & 63));
    [place(hash & 0xffff), place(hash >> 16)]
}
