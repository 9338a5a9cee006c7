//! Symbol tables: records in the order of the file, found by name or by value.
//!
//! Wire form: `u32` highest value (`nprim`), `u32` count, then the records. Values may have holes and aliases share
//! the value of the symbol they stand for.

use std::io;

use crate::ids::SymbolId;
use crate::wire::{ReadError, ReadErrorKind, Reader, Writer};

/// The highest value a symbol may have. Types and classes are 16 bits wide in the access vector table.
pub(crate) const MAX_VALUE: u32 = 0xffff;

/// A record of a symbol table.
pub trait Datum {
    /// The identifier of such a symbol.
    type Id: SymbolId;
    /// The name.
    fn name(&self) -> &str;
    /// The value; that of the symbol it stands for, if an alias.
    fn id(&self) -> Self::Id;
    /// Is this another name for a symbol?
    fn is_alias(&self) -> bool {
        false
    }
}

/// The symbols of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolTable<T> {
    nprim: u32,
    entries: Vec<T>,
    by_name: Vec<u32>,
    by_value: Vec<u32>,
}

const HOLE: u32 = u32::MAX;

impl<T: Datum> SymbolTable<T> {
    /// A table of these records. `nprim` is the highest value in use, holes included.
    ///
    /// # Errors
    /// Names or values that stand twice, or a value above `nprim`.
    pub fn new(nprim: u32, entries: Vec<T>) -> Result<Self, ReadErrorKind> {
        let by_name = index_by_name(&entries)?;
        let by_value = index_by_value(nprim, &entries)?;
        Ok(Self { nprim, entries, by_name, by_value })
    }

    /// A table without symbols.
    pub fn empty() -> Self {
        Self { nprim: 0, entries: Vec::new(), by_name: Vec::new(), by_value: Vec::new() }
    }

    /// The highest value in use, holes included.
    pub fn nprim(&self) -> u32 {
        self.nprim
    }

    /// All records, aliases too, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.entries.iter()
    }

    /// All records but aliases, by value.
    pub fn by_value(&self) -> impl Iterator<Item = &T> {
        self.by_value.iter().filter_map(|&at| self.entries.get(at as usize))
    }

    /// All records, aliases too, by name.
    pub fn by_name(&self) -> impl Iterator<Item = &T> {
        self.by_name.iter().filter_map(|&at| self.entries.get(at as usize))
    }

    /// How many records, aliases included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The symbol (not an alias of it) with this value.
    pub fn get(&self, id: T::Id) -> Option<&T> {
        let &at = self.by_value.get(id.index())?;
        self.entries.get(at as usize)
    }

    /// The name of the symbol with this value, or `#value` for a hole.
    pub fn name(&self, id: T::Id) -> std::borrow::Cow<'_, str> {
        match self.get(id) {
            Some(datum) => datum.name().into(),
            None => format!("#{}", id.value()).into(),
        }
    }

    /// The record with this name, alias or not.
    pub fn find(&self, name: &str) -> Option<&T> {
        let order = |&at: &u32| self.entries.get(at as usize).map_or("", Datum::name).cmp(name);
        let at = self.by_name.binary_search_by(order).ok()?;
        self.entries.get(*self.by_name.get(at)? as usize)
    }

    /// The value of the symbol with this name or alias.
    pub fn id(&self, name: &str) -> Option<T::Id> {
        self.find(name).map(Datum::id)
    }

    pub(crate) fn read(
        r: &mut Reader<'_>,
        mut record: impl FnMut(&mut Reader<'_>) -> Result<T, ReadError>,
    ) -> Result<Self, ReadError> {
        let at = r.offset();
        let nprim = r.u32()?;
        if nprim > MAX_VALUE {
            return Err(ReadError::expected(at, "at most 65535 symbols of a kind", nprim));
        }
        let entries = r.list(8, &mut record)?;
        Self::new(nprim, entries).map_err(|kind| ReadError::new(at, kind))
    }

    pub(crate) fn write(
        &self,
        w: &mut Writer<'_>,
        wanted: impl Fn(&T) -> bool,
        mut record: impl FnMut(&mut Writer<'_>, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        w.u32(self.nprim)?;
        w.count(self.entries.iter().filter(|&datum| wanted(datum)).count())?;
        self.entries.iter().filter(|&datum| wanted(datum)).try_for_each(|datum| record(w, datum))
    }

    /// Replace every record, keeping names and values.
    pub(crate) fn update(&mut self, mut change: impl FnMut(&mut T)) {
        self.entries.iter_mut().for_each(&mut change);
    }
}

/// The first eight bytes, ordered as the text is.
fn head(name: &str) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    u64::from_be_bytes(head)
}

fn index_by_name<T: Datum>(entries: &[T]) -> Result<Vec<u32>, ReadErrorKind> {
    let name = |at: u32| entries.get(at as usize).map_or("", Datum::name);
    let count = u32::try_from(entries.len()).unwrap_or(HOLE);
    // Most names differ in their first bytes, which compare as one number.
    let mut sorted: Vec<(u64, u32)> = (0..count).map(|at| (head(name(at)), at)).collect();
    sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| name(a.1).cmp(name(b.1))));
    let by_name: Vec<u32> = sorted.into_iter().map(|it| it.1).collect();
    let pairs = by_name.iter().zip(by_name.iter().skip(1));
    match pairs.map(|(&a, &b)| (name(a), name(b))).find(|(a, b)| a == b) {
        Some((twice, _)) => Err(ReadErrorKind::DuplicateName(twice.to_owned())),
        None => Ok(by_name),
    }
}

fn index_by_value<T: Datum>(nprim: u32, entries: &[T]) -> Result<Vec<u32>, ReadErrorKind> {
    let mut by_value = vec![HOLE; nprim as usize];
    for (at, datum) in (0..).zip(entries) {
        let value = datum.id().value();
        let Some(place) = by_value.get_mut(datum.id().index()) else {
            let what = "a symbol value up to the table's highest";
            return Err(ReadErrorKind::Expected { what, found: value.into() });
        };
        if datum.is_alias() {
            continue;
        }
        if let Some(other) = entries.get(*place as usize) {
            let (one, two) = (other.name().to_owned(), datum.name().to_owned());
            return Err(ReadErrorKind::DuplicateValue(one, two));
        }
        *place = at;
    }
    Ok(by_value)
}
