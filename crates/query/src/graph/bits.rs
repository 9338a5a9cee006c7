//! A set of nodes as one bit for each.

use mandate_policydb::Ebitmap;

const WORD: usize = u64::BITS as usize;

/// A dense set of small numbers. What lies beyond its size is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// The empty set of numbers below `size`.
    pub fn new(size: usize) -> Self {
        Self { words: vec![0; size.div_ceil(WORD)] }
    }

    /// Takes out all.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }

    /// Is nothing in it?
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|it| *it == 0)
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        self.words.iter().map(|it| it.count_ones() as usize).sum()
    }

    /// Is `bit` in it?
    pub fn has(&self, bit: u32) -> bool {
        self.words.get(place(bit)).is_some_and(|it| it & mask(bit) != 0)
    }

    /// Puts `bit` in.
    pub fn insert(&mut self, bit: u32) {
        if let Some(word) = self.words.get_mut(place(bit)) {
            *word |= mask(bit);
        }
    }

    /// Takes `bit` out.
    pub fn remove(&mut self, bit: u32) {
        if let Some(word) = self.words.get_mut(place(bit)) {
            *word &= !mask(bit);
        }
    }

    /// Puts all of `other` in.
    pub fn add(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(to, from)| *to |= from);
    }

    /// Puts all of `set` in.
    pub fn add_ebitmap(&mut self, set: &Ebitmap) {
        for &(start, map) in set.runs() {
            if let Some(word) = self.words.get_mut(place(start)) {
                *word |= map;
            }
        }
    }

    /// Keeps what is in `other` too.
    pub fn keep(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(to, from)| *to &= from);
    }

    /// Takes out what is in `other`.
    pub fn take_out(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(to, from)| *to &= !from);
    }

    /// Do both hold something?
    pub fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// Takes out the lowest.
    pub fn pop(&mut self) -> Option<u32> {
        let bit = self.iter().next()?;
        self.remove(bit);
        Some(bit)
    }

    /// What is in it, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).step_by(WORD).zip(&self.words).filter(|it| *it.1 != 0).flat_map(|(start, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| start | rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(bit)
            })
        })
    }
}

fn place(bit: u32) -> usize {
    bit as usize / WORD
}

fn mask(bit: u32) -> u64 {
    1 << (bit as usize % WORD)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn agrees_with_a_plain_set() {
        let numbers = [3, 64, 65, 127, 128, 199];
        let mut bits = Bits::new(200);
        bits.add_ebitmap(&Ebitmap::from_bits(numbers));
        assert_eq!(bits.iter().collect::<BTreeSet<_>>(), numbers.into());
        let mut other = Bits::new(200);
        [64, 199, 7, 900].into_iter().for_each(|it| other.insert(it));
        assert!(bits.meets(&other) && other.has(7) && !other.has(900));
        bits.keep(&other);
        assert_eq!(bits.iter().collect::<Vec<_>>(), [64, 199]);
        other.take_out(&bits);
        assert_eq!((other.pop(), other.pop(), other.len()), (Some(7), None, 0));
    }
}
