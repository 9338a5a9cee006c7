//! Names as small numbers.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

/// A name in its [`Interner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// The symbol at this place.
    pub(crate) fn new(index: u32) -> Self {
        Self(index)
    }

    /// Place in tables by symbol, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    pub(crate) fn from_index(index: u32) -> Self {
        Self(index)
    }
}

/// Gives equal names equal symbols, counted from 0 in the order they were first seen.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    /// All names end to end.
    text: String,
    /// Where each name ends.
    ends: Vec<u32>,
    hashes: Vec<u32>,
    /// Open addressing: symbol + 1, or 0.
    slots: Vec<u32>,
}

impl Interner {
    /// An interner without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// With these names end to end, of these lengths; they must be different from one another.
    pub(crate) fn of_names(text: String, lengths: &[usize]) -> Option<Self> {
        let mut end = 0usize;
        let mut made = Self { text, ..Self::default() };
        for length in lengths {
            let name = made.text.get(end..end.checked_add(*length)?)?;
            made.hashes.push(hash(name.as_bytes()));
            end += length;
            made.ends.push(u32::try_from(end).ok()?);
        }
        made.slots = vec![0; (lengths.len() * 2 + 1).next_power_of_two().max(64)];
        made.fill();
        (end == made.text.len()).then_some(made)
    }

    /// The symbol of `name`, new if it has none.
    pub fn intern(&mut self, name: &str) -> Symbol {
        self.intern_hashed(hash(name.as_bytes()), name)
    }

    /// The symbols of another's names, new for those that have none.
    pub fn intern_all(&mut self, other: &Self) -> Vec<Symbol> {
        let names = other.iter().zip(&other.hashes);
        names.map(|((_, name), &hash)| self.intern_hashed(hash, name)).collect()
    }

    fn intern_hashed(&mut self, hash: u32, name: &str) -> Symbol {
        if self.slots.len() <= self.ends.len() * 2 {
            self.grow();
        }
        let mut slot = self.first_slot(hash);
        loop {
            match self.slots[slot] {
                0 => break,
                taken if self.is(taken - 1, hash, name.as_bytes()) => return Symbol(taken - 1),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
        let symbol = small(self.ends.len());
        self.text.push_str(name);
        self.ends.push(small(self.text.len()));
        self.hashes.push(hash);
        self.slots[slot] = symbol + 1;
        Symbol(symbol)
    }

    /// The symbol of `name`, if it has one.
    pub fn get(&self, name: &str) -> Option<Symbol> {
        self.get_bytes(name.as_bytes())
    }

    /// The symbol of a name given as bytes, if it has one.
    pub fn get_bytes(&self, name: &[u8]) -> Option<Symbol> {
        self.get_hashed(hash(name), name)
    }

    /// As [`get_bytes`](Self::get_bytes), where the hash of the name is known.
    pub(crate) fn get_hashed(&self, hash: u32, name: &[u8]) -> Option<Symbol> {
        if self.slots.is_empty() {
            return None;
        }
        let mut slot = self.first_slot(hash);
        loop {
            match self.slots[slot] {
                0 => return None,
                taken if self.is(taken - 1, hash, name) => return Some(Symbol(taken - 1)),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// The name behind `symbol`, which is one of this interner's.
    pub fn name(&self, symbol: Symbol) -> &str {
        let start = symbol.index().checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[symbol.index()] as usize]
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Is there no name?
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All names, in the order of their symbols.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, &str)> {
        (0..small(self.ends.len())).map(|it| (Symbol(it), self.name(Symbol(it))))
    }

    fn is(&self, symbol: u32, hash: u32, name: &[u8]) -> bool {
        self.hashes[symbol as usize] == hash && self.name(Symbol(symbol)).as_bytes() == name
    }

    fn first_slot(&self, hash: u32) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(64);
        self.slots = vec![0; size];
        self.fill();
    }

    fn fill(&mut self) {
        let last = self.slots.len() - 1;
        for (symbol, &hash) in self.hashes.iter().enumerate() {
            let mut slot = hash as usize & last;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & last;
            }
            self.slots[slot] = small(symbol) + 1;
        }
    }
}

/// The hash by which a name is found.
pub(crate) fn hash(name: &[u8]) -> u32 {
    let wide = FxBuildHasher.hash_one(name);
    #[expect(clippy::cast_possible_truncation, reason = "the fold keeps what both halves hold")]
    let folded = (wide ^ (wide >> 32)) as u32;
    folded
}

fn small(count: usize) -> u32 {
    u32::try_from(count).expect("names take less than 4 GiB: sources do")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_have_one_symbol() {
        let mut names = Interner::new();
        let symbols: Vec<Symbol> = (0..1000).map(|it| names.intern(&format!("t{it}"))).collect();
        for (number, &symbol) in symbols.iter().enumerate() {
            assert_eq!(names.name(symbol), format!("t{number}"));
            assert_eq!(names.intern(&format!("t{number}")), symbol);
            assert_eq!(names.get(&format!("t{number}")), Some(symbol));
        }
        assert_eq!(names.len(), 1000);
        assert_eq!(names.get("absent"), None);
    }
}
