//! Fields as the audit tools count them: every word of a record that has a value, and a search that goes on into the records behind.

use std::borrow::Cow;

use memchr::memchr;

use crate::event::Event;
use crate::fields::{decode, encode};
use crate::kind::Kind;
use crate::record::Record;

/// A word with a value, which is spelled as in the record.
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Cow<'a, [u8]>,
}

/// The fields of a record, from its type on.
fn split<'a>(record: &'a Record<'_>) -> Vec<Field<'a>> {
    let words = [record.head(), record.body()].into_iter();
    let words = words.flat_map(|it| it.split(|&byte| byte == b' ')).filter(|it| !it.is_empty());
    let decides = matches!(record.kind(), Kind::AVC | Kind::USER_AVC);
    let mut fields = Vec::new();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if memchr(b'=', word).is_some() {
            named(word, &mut fields);
            continue;
        }
        let before = fields.len().saturating_sub(usize::from(record.node().is_some()));
        match (before, word) {
            (1, [b'a', b'v', b'c', ..]) => {}
            (1, _) if decides => {
                fields.push(Field { name: b"seresult", value: Cow::Borrowed(word) })
            }
            (2, [b'{', ..]) if decides => {
                let mut permissions = Vec::new();
                while let Some(word) = words.next_if(|it| !it.starts_with(b"}")) {
                    permissions.push(word);
                }
                let value = Cow::Owned(permissions.join(&b','));
                fields.push(Field { name: b"seperms", value });
            }
            _ => {}
        }
    }
    fields
}

/// `name=value`, without what closes a message or a list behind it.
fn named<'a>(word: &'a [u8], fields: &mut Vec<Field<'a>>) {
    let word = match word.strip_prefix(b"msg=") {
        Some([b'a', ..]) => return,
        Some([b'\'', rest @ ..]) => rest,
        _ => word,
    };
    let Some(at) = memchr(b'=', word) else { return };
    let (name, value) = (word.get(..at).unwrap_or_default(), word.get(at + 1..));
    let Some(mut value) = value.filter(|it| !it.is_empty()) else { return };
    let name = name.strip_prefix(b"(").unwrap_or(name);
    for closing in [b":", b",", b"'", b")"] {
        if !matches!(value, b"(none)" | b"(null)") {
            value = value.strip_suffix(closing).unwrap_or(value);
        }
    }
    match (name, value) {
        (b"key", [b'"' | b'(', ..]) => {}
        // Keys of several rules, each a field.
        (b"key", _) => {
            let Some(keys) = decode(value) else { return };
            let keys = keys.split(|&it| it == 1).filter(|it| !it.is_empty());
            fields.extend(keys.map(|it| Field { name, value: Cow::Owned(encode(it)) }));
            return;
        }
        _ => {}
    }
    fields.push(Field { name, value: Cow::Borrowed(value) });
}

/// A field by the number of its record and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) record: usize,
    pub(super) field: usize,
}

/// The fields of all records of an event.
pub(super) struct Table<'a> {
    records: &'a [Record<'a>],
    fields: Vec<Vec<Field<'a>>>,
}

impl<'a> Table<'a> {
    pub(super) fn of(event: &'a Event<'a>) -> Self {
        let records = event.records();
        Self { records, fields: records.iter().map(split).collect() }
    }

    pub(super) fn records(&self) -> &'a [Record<'a>] {
        self.records
    }

    pub(super) fn kind(&self, record: usize) -> Option<Kind> {
        self.records.get(record).map(Record::kind)
    }

    pub(super) fn count(&self, record: usize) -> usize {
        self.fields.get(record).map_or(0, Vec::len)
    }

    pub(super) fn field(&self, place: Place) -> Option<&Field<'a>> {
        self.fields.get(place.record)?.get(place.field)
    }

    pub(super) fn value(&self, place: Place) -> &[u8] {
        self.field(place).map_or(b"", |it| &it.value)
    }

    /// A search from the first field of a record on.
    pub(super) fn scan(&self, record: usize) -> Scan<'_, 'a> {
        Scan { table: self, home: record, at: Some(Place { record, field: 0 }) }
    }

    /// The first field of a name at a place or behind it. A search that begins at the last field of a record ends there.
    fn find(&self, from: Place, name: &[u8]) -> Option<Place> {
        let first = self.fields.get(from.record)?;
        let in_record = |record: usize, start: usize| {
            let fields = self.fields.get(record)?.get(start..)?;
            let field = start + fields.iter().position(|it| it.name == name)?;
            Some(Place { record, field })
        };
        let here = in_record(from.record, from.field);
        if here.is_some() || from.field + 1 >= first.len() {
            return here;
        }
        (from.record + 1..self.fields.len()).find_map(|it| in_record(it, 0))
    }
}

/// Searches one after the other: each begins where the one before found something, and finds nothing once one did not.
pub(super) struct Scan<'t, 'a> {
    table: &'t Table<'a>,
    home: usize,
    at: Option<Place>,
}

impl Scan<'_, '_> {
    pub(super) fn find(&mut self, name: &str) -> Option<Place> {
        self.at = self.table.find(self.at?, name.as_bytes());
        self.at
    }

    /// The same, and from the start again if nothing is found.
    pub(super) fn find_or_restart(&mut self, name: &str) -> Option<Place> {
        let found = self.find(name);
        if found.is_none() {
            self.restart();
        }
        found
    }

    pub(super) fn restart(&mut self) {
        self.at = Some(Place { record: self.home, field: 0 });
    }

    /// The program, which for an interpreter is the name of its process.
    pub(super) fn program(&mut self) -> Option<Place> {
        let exe = self.find("exe")?;
        let path = self.table.value(exe);
        if !INTERPRETERS.iter().any(|it| path.starts_with(it)) {
            return Some(exe);
        }
        self.at = Some(Place { field: exe.field.saturating_sub(1), ..exe });
        Some(self.find("comm").unwrap_or(exe))
    }
}

const INTERPRETERS: [&[u8]; 4] =
    [b"\"/usr/bin/python", b"\"/usr/bin/sh", b"\"/usr/bin/bash", b"\"/usr/bin/perl"];
