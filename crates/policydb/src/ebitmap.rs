//! The extensible bitmap of the policy format: sorted runs of 64 bits, none of them empty.
//!
//! Wire form: `u32` map size (64), `u32` high bit (end of the last run), `u32` count, then for each run
//! `u32` start bit (a multiple of 64) and `u64` map.

use std::io;

use crate::ids::SymbolId;
use crate::wire::{ReadError, Reader, Writer};

const RUN: u32 = u64::BITS;

/// A sparse set of bits 0 to 2³² − 1.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ebitmap {
    runs: Vec<(u32, u64)>,
}

impl Ebitmap {
    /// The empty set.
    pub const fn new() -> Self {
        Self { runs: Vec::new() }
    }

    /// The set of all bits in `bits`, in whatever order they come.
    pub fn from_bits(bits: impl IntoIterator<Item = u32>) -> Self {
        let mut set = Self::new();
        for bit in bits {
            set.insert(bit);
        }
        set
    }

    /// Is no bit set?
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many bits are set.
    pub fn len(&self) -> usize {
        self.runs.iter().map(|&(_, map)| map.count_ones() as usize).sum()
    }

    /// The runs in order: start bit (a multiple of 64) and the 64 bits from there.
    pub fn runs(&self) -> &[(u32, u64)] {
        &self.runs
    }

    /// The highest set bit.
    pub fn last(&self) -> Option<u32> {
        self.runs.last().map(|&(start, map)| start | (RUN - 1 - map.leading_zeros()))
    }

    /// Is `bit` set?
    pub fn contains(&self, bit: u32) -> bool {
        let start = bit & !(RUN - 1);
        match self.runs.binary_search_by_key(&start, |run| run.0) {
            Ok(at) => self.runs.get(at).is_some_and(|run| run.1 >> (bit % RUN) & 1 == 1),
            Err(_) => false,
        }
    }

    /// Is the bit of this symbol set?
    pub fn has(&self, id: impl SymbolId) -> bool {
        self.contains(id.bit())
    }

    /// Set `bit`.
    pub fn insert(&mut self, bit: u32) {
        let start = bit & !(RUN - 1);
        let mask = 1u64 << (bit % RUN);
        // Most sets are filled from their lowest bit upwards.
        match self.runs.last_mut() {
            Some(last) if last.0 == start => {
                last.1 |= mask;
                return;
            }
            Some(last) if last.0 > start => {}
            _ => {
                self.runs.push((start, mask));
                return;
            }
        }
        match self.runs.binary_search_by_key(&start, |run| run.0) {
            Ok(at) => {
                if let Some(run) = self.runs.get_mut(at) {
                    run.1 |= mask;
                }
            }
            Err(at) => self.runs.insert(at, (start, mask)),
        }
    }

    /// Set every bit from `first` to `last`, both included.
    pub fn insert_range(&mut self, first: u32, last: u32) {
        let mut bit = first;
        while bit <= last {
            let run_last = bit | (RUN - 1);
            let end = run_last.min(last);
            let map = (u64::MAX >> (RUN - 1 - (end - bit))) << (bit % RUN);
            self.union_run(bit & !(RUN - 1), map);
            let Some(next) = end.checked_add(1) else { return };
            bit = next;
        }
    }

    fn union_run(&mut self, start: u32, map: u64) {
        match self.runs.binary_search_by_key(&start, |run| run.0) {
            Ok(at) => {
                if let Some(run) = self.runs.get_mut(at) {
                    run.1 |= map;
                }
            }
            Err(at) => self.runs.insert(at, (start, map)),
        }
    }

    /// Does this set hold every bit of `other`?
    pub fn is_superset(&self, other: &Self) -> bool {
        let mut mine = self.runs.iter();
        other.runs.iter().all(|&(start, map)| {
            mine.by_ref()
                .find(|run| run.0 >= start)
                .is_some_and(|run| run.0 == start && map & !run.1 == 0)
        })
    }

    /// The bits that both sets hold.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut theirs = other.runs.iter().peekable();
        let mut runs = Vec::new();
        for &(start, map) in &self.runs {
            while theirs.next_if(|run| run.0 < start).is_some() {}
            if let Some(run) = theirs.peek().filter(|run| run.0 == start && map & run.1 != 0) {
                runs.push((start, map & run.1));
            }
        }
        Self { runs }
    }

    /// The bits that either set holds.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for &(start, map) in &other.runs {
            all.union_run(start, map);
        }
        all
    }

    /// The set bits, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.runs.iter().flat_map(|&(start, map)| {
            let mut rest = map;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = start | rest.trailing_zeros();
                rest &= rest - 1;
                Some(bit)
            })
        })
    }

    /// The symbols whose bits are set, lowest first.
    pub fn ids<I: SymbolId>(&self) -> impl Iterator<Item = I> + '_ {
        self.iter().filter_map(I::from_bit)
    }

    /// Reads the wire form.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let at = r.offset();
        let [size, high, count] = r.u32s()?;
        if size != RUN {
            return Err(ReadError::expected(at, "a bitmap of 64-bit runs", size));
        }
        if high == 0 && count == 0 {
            return Ok(Self::new());
        }
        let mut runs = Vec::with_capacity(r.bounded(count, 12)?);
        let mut least = 0;
        for _ in 0..count {
            let at = r.offset();
            let start = r.u32()?;
            let map = r.u64()?;
            if start % RUN != 0 || u64::from(start) < least {
                return Err(ReadError::expected(at, "a bitmap run after the one before", start));
            }
            if map == 0 {
                return Err(ReadError::expected(at, "a bitmap run with a bit set", 0u32));
            }
            least = u64::from(start) + u64::from(RUN);
            runs.push((start, map));
        }
        if u64::from(high) != least {
            return Err(ReadError::expected(at, "a bitmap whose high bit ends its last run", high));
        }
        Ok(Self { runs })
    }

    /// Writes the wire form.
    pub fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        let high = self.runs.last().map_or(0, |run| run.0.wrapping_add(RUN));
        w.u32s(&[RUN, high])?;
        w.count(self.runs.len())?;
        for &(start, map) in &self.runs {
            w.u32(start)?;
            w.u64(map)?;
        }
        Ok(())
    }
}

impl FromIterator<u32> for Ebitmap {
    fn from_iter<T: IntoIterator<Item = u32>>(bits: T) -> Self {
        Self::from_bits(bits)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn bits() -> impl Strategy<Value = BTreeSet<u32>> {
        prop::collection::btree_set(prop_oneof![0..400u32, any::<u32>()], 0..60)
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(a in bits(), b in bits(), probe in any::<u32>()) {
            let (x, y) = (Ebitmap::from_bits(a.clone()), Ebitmap::from_bits(b.clone()));
            prop_assert_eq!(x.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!(x.len(), a.len());
            prop_assert_eq!(x.last(), a.last().copied());
            prop_assert_eq!(x.contains(probe), a.contains(&probe));
            prop_assert_eq!(x.is_superset(&y), a.is_superset(&b));
            prop_assert!(x.union(&y).is_superset(&y));
            prop_assert_eq!(x.intersection(&y), a.intersection(&b).copied().collect());
            prop_assert_eq!(x.union(&y), a.union(&b).copied().collect());
        }

        #[test]
        fn ranges_set_each_bit(first in 0..300u32, length in 0..300u32) {
            let mut set = Ebitmap::from_bits([7]);
            set.insert_range(first, first + length);
            let expected: Ebitmap = (first..=first + length).chain([7]).collect();
            prop_assert_eq!(set, expected);
        }

        #[test]
        fn reads_what_it_writes(a in prop::collection::btree_set(0..5000u32, 0..60)) {
            let set = Ebitmap::from_bits(a);
            let mut bytes = Vec::new();
            set.write(&mut Writer::new(&mut bytes)).unwrap();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(Ebitmap::read(&mut reader).unwrap(), set);
            prop_assert_eq!(reader.remaining(), 0);
        }
    }
}
