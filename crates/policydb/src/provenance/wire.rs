//! The bytes of a provenance file. Numbers are LEB128; columns stand one after the other, each as differences to the entry before.

use std::io;

use super::{Entry, LISTS, Provenance, Record};
use crate::wire::{ReadError, ReadErrorKind, Reader};

const MAGIC: &[u8; 8] = b"mandprov";
const VERSION: u32 = 1;

/// A number of a place or entry takes one byte at least, in each of its columns.
const PLACE_BYTES: u64 = 5;
const ENTRY_BYTES: u64 = 4;

impl Provenance {
    /// Reads a provenance file, all of `bytes`.
    ///
    /// # Errors
    /// Bytes that are none, with the offset.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let r = &mut Reader::new(bytes);
        read_head(r)?;
        let policy_hash = read_hash(r)?;
        let strings = section("strings", read_strings(r))?;
        let places = section("places", read_places(r, strings.len()))?;
        let mut lists = std::array::from_fn(|_| Vec::new());
        for (list, name) in lists.iter_mut().zip(NAMES) {
            *list = section(name, read_list(r, places.len()))?;
        }
        match r.remaining() {
            0 => Ok(Self { policy_hash, strings, places, lists }),
            _ => {
                let next = r.rest().first().copied().unwrap_or_default();
                Err(ReadError::expected(r.offset(), "the end of the file", next))
            }
        }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write(&self, sink: &mut dyn io::Write) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(64 + 8 * self.places.len() + 8 * self.len());
        bytes.extend_from_slice(MAGIC);
        number(&mut bytes, VERSION);
        bytes.extend_from_slice(&self.policy_hash);
        write_strings(&mut bytes, &self.strings);
        write_places(&mut bytes, &self.places);
        self.lists.iter().for_each(|list| write_list(&mut bytes, list));
        sink.write_all(&bytes)
    }
}

const NAMES: [&str; LISTS] = [
    "rules",
    "conditional rules",
    "role allows",
    "role transitions",
    "range transitions",
    "constraints",
];

fn section<T>(name: &'static str, result: Result<T, ReadError>) -> Result<T, ReadError> {
    result.map_err(|error| ReadError { section: name, ..error })
}

fn read_head(r: &mut Reader<'_>) -> Result<(), ReadError> {
    let magic = r.bytes(8)?;
    if magic != MAGIC {
        let found = magic.first_chunk().map_or(0, |it| u64::from_be_bytes(*it));
        return Err(ReadError::expected(0, "the bytes \"mandprov\" of a provenance file", found));
    }
    let at = r.offset();
    match read_number(r)? {
        VERSION => Ok(()),
        other => Err(ReadError::expected(at, "version 1 of the provenance format", other)),
    }
}

fn read_hash(r: &mut Reader<'_>) -> Result<[u8; 32], ReadError> {
    let mut hash = [0; 32];
    hash.copy_from_slice(r.bytes(32)?);
    Ok(hash)
}

fn read_strings(r: &mut Reader<'_>) -> Result<Vec<Box<str>>, ReadError> {
    let count = read_number(r)?;
    r.bounded(count, 2)?;
    let string = |_| {
        let length = read_number(r)?;
        r.text(length)
    };
    (0..count).map(string).collect()
}

/// A column of `count` numbers.
fn column(
    r: &mut Reader<'_>,
    count: usize,
    mut take: impl FnMut(usize, u32) -> Result<(), &'static str>,
) -> Result<(), ReadError> {
    for index in 0..count {
        let at = r.offset();
        let value = read_number(r)?;
        take(index, value).map_err(|what| ReadError::expected(at, what, value))?;
    }
    Ok(())
}

fn read_places(r: &mut Reader<'_>, strings: usize) -> Result<Vec<Record>, ReadError> {
    let count = read_number(r)?;
    let count = r.bounded(count, PLACE_BYTES)?;
    let empty = Record { path: 0, line: 0, column: 0, parent: 0, name: 0 };
    let mut places = vec![empty; count];
    difference_column(r, &mut places, |it| &mut it.path, |_, path| (path as usize) < strings)?;
    difference_column(r, &mut places, |it| &mut it.line, |_, line| line > 0)?;
    column(r, count, |index, value| {
        let place = places.get_mut(index).filter(|_| value > 0).ok_or("a column from 1")?;
        place.column = value;
        Ok(())
    })?;
    // A parent stands before its children, so that no chain is a circle.
    difference_column(r, &mut places, |it| &mut it.parent, |index, it| it as usize <= index)?;
    difference_column(r, &mut places, |it| &mut it.name, |_, it| it as usize <= strings)?;
    Ok(places)
}

/// A column of signed differences to the value before.
fn difference_column<T>(
    r: &mut Reader<'_>,
    items: &mut [T],
    field: impl Fn(&mut T) -> &mut u32,
    fits: impl Fn(usize, u32) -> bool,
) -> Result<(), ReadError> {
    let mut last = 0u32;
    let items_len = items.len();
    column(r, items_len, |index, value| {
        last = last.wrapping_add(unfolded(value));
        let item = items.get_mut(index).filter(|_| fits(index, last));
        *field(item.ok_or("a difference that leads to a value in range")?) = last;
        Ok(())
    })
}

fn read_list(r: &mut Reader<'_>, places: usize) -> Result<Vec<Entry>, ReadError> {
    let count = read_number(r)?;
    let count = r.bounded(count, ENTRY_BYTES)?;
    let mut list = vec![Entry { group: 0, rule: 0, place: 0, mask: 0 }; count];
    let mut group = 0u32;
    column(r, count, |index, value| {
        group = group.checked_add(value).ok_or("a group in range")?;
        list.get_mut(index).ok_or("an entry")?.group = group;
        Ok(())
    })?;
    let mut last = (0, 0u32);
    column(r, count, |index, value| {
        let entry = list.get_mut(index).ok_or("an entry")?;
        let before = if entry.group == last.0 { last.1 } else { 0 };
        entry.rule = before.checked_add(value).ok_or("a rule in range")?;
        last = (entry.group, entry.rule);
        Ok(())
    })?;
    difference_column(r, &mut list, |it| &mut it.place, |_, it| (it as usize) < places)?;
    column(r, count, |index, value| {
        list.get_mut(index).ok_or("an entry")?.mask = value.wrapping_sub(1);
        Ok(())
    })?;
    if list.is_sorted_by(|a, b| a < b) {
        Ok(list)
    } else {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        Err(ReadError::expected(r.offset(), "entries in order, none twice", count))
    }
}

fn read_number(r: &mut Reader<'_>) -> Result<u32, ReadError> {
    let at = r.offset();
    let mut value = 0u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = r.u8()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let shortest = byte != 0 || shift == 0;
            let what = "a number of 32 bits in its shortest form";
            let fits = u32::try_from(value).ok().filter(|_| shortest);
            return fits.ok_or_else(|| ReadError::expected(at, what, value));
        }
    }
    Err(ReadError::new(
        at,
        ReadErrorKind::Expected { what: "a number of at most five bytes", found: value },
    ))
}

fn number(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

/// A signed difference, small numbers for small differences of either sign.
fn folded(difference: u32) -> u32 {
    let negative = if difference >> 31 == 1 { u32::MAX } else { 0 };
    difference << 1 ^ negative
}

fn unfolded(value: u32) -> u32 {
    let negative = if value & 1 == 1 { u32::MAX } else { 0 };
    value >> 1 ^ negative
}

fn write_strings(bytes: &mut Vec<u8>, strings: &[Box<str>]) {
    number(bytes, super::index(strings.len()));
    for string in strings {
        number(bytes, super::index(string.len()));
        bytes.extend_from_slice(string.as_bytes());
    }
}

fn differences(bytes: &mut Vec<u8>, values: impl Iterator<Item = u32>) {
    let mut last = 0u32;
    for value in values {
        number(bytes, folded(value.wrapping_sub(last)));
        last = value;
    }
}

fn write_places(bytes: &mut Vec<u8>, places: &[Record]) {
    number(bytes, super::index(places.len()));
    differences(bytes, places.iter().map(|it| it.path));
    differences(bytes, places.iter().map(|it| it.line));
    places.iter().for_each(|it| number(bytes, it.column));
    differences(bytes, places.iter().map(|it| it.parent));
    differences(bytes, places.iter().map(|it| it.name));
}

fn write_list(bytes: &mut Vec<u8>, list: &[Entry]) {
    number(bytes, super::index(list.len()));
    let mut last = 0;
    for entry in list {
        number(bytes, entry.group - last);
        last = entry.group;
    }
    let mut last = (0, 0);
    for entry in list {
        let before = if entry.group == last.0 { last.1 } else { 0 };
        number(bytes, entry.rule - before);
        last = (entry.group, entry.rule);
    }
    differences(bytes, list.iter().map(|it| it.place));
    // All bits, the mask of rules without permissions, takes one byte.
    list.iter().for_each(|it| number(bytes, it.mask.wrapping_add(1)));
}
