//! Units and macros as bytes, for a cache. The form changes with the code and is read by the program that wrote it only.
//!
//! A place is written as its file's path and the offset in it, so that it is found again when the files lie elsewhere; expansions
//! as the number in their own unit. Most places lie close to the one before: what is written is the difference.

mod ast;
mod diagnostic;

use std::net::{IpAddr, Ipv6Addr};

use rustc_hash::FxHashMap;

use crate::names::{Interner, Symbol};
use crate::source::{ExpansionId, ExpansionRecorder, FileId, Pos, SourceMap, Span};
use crate::text::Text;

/// What can be written and read back.
pub trait Stored: Sized {
    /// Writes it.
    fn put(&self, to: &mut Writer<'_>);

    /// Reads it; none if the bytes are not what was written.
    fn get(from: &mut Reader<'_>) -> Option<Self>;
}

/// Writes values one after the other.
#[derive(Debug)]
pub struct Writer<'a> {
    sources: &'a SourceMap,
    /// The expansions of the unit have numbers from here on.
    first: u32,
    room: u32,
    body: Vec<u8>,
    files: Vec<FileId>,
    numbers: FxHashMap<FileId, u32>,
    last: Last,
    /// The positions of the file that was written last.
    range: (u32, u32),
    foreign: bool,
}

/// The place written or read last.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    file: u32,
    offset: u32,
    expansion: u32,
}

/// A place a little behind the last, of the same file and expansion, is its distance in one byte, below this.
const NEAR: u8 = 0xfc;
/// Any other begins with [`NEAR`] and what follows the difference of offsets.
const OTHER_FILE: u8 = 1;
const OTHER_EXPANSION: u8 = 2;

impl<'a> Writer<'a> {
    /// A writer of places in `sources`, of the unit whose expansions `recorder` numbers.
    pub fn new(sources: &'a SourceMap, recorder: &ExpansionRecorder) -> Self {
        let (first, room) = recorder.range();
        Self {
            sources,
            first,
            room,
            body: Vec::new(),
            files: Vec::new(),
            numbers: FxHashMap::default(),
            last: Last::default(),
            range: (1, 0),
            foreign: false,
        }
    }

    /// Did any place come through an expansion of another unit? Its number is written as it is.
    pub fn foreign(&self) -> bool {
        self.foreign
    }

    /// All that was written.
    pub fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 64);
        number(&mut out, self.files.len() as u64);
        for &file in &self.files {
            let path = self.sources.file(file).path.as_bytes();
            number(&mut out, path.len() as u64);
            out.extend_from_slice(path);
        }
        out.extend_from_slice(&self.body);
        out
    }

    /// Writes a number.
    pub fn number(&mut self, value: u64) {
        number(&mut self.body, value);
    }

    /// Writes eight bytes.
    pub(crate) fn word(&mut self, value: u64) {
        self.body.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.body.extend_from_slice(bytes);
    }

    fn span(&mut self, span: Span) {
        let expansion = self.expansion(span.expansion);
        let place = self.place(span.pos);
        let (file, offset) = place.map_or((0, 0), |(file, offset)| (file + 1, offset));
        let last = std::mem::replace(&mut self.last, Last { file, offset, expansion });
        let mut head = NEAR;
        head |= if file == last.file { 0 } else { OTHER_FILE };
        head |= if expansion == last.expansion { 0 } else { OTHER_EXPANSION };
        let near = offset.checked_sub(last.offset).and_then(|it| u8::try_from(it).ok());
        if let (NEAR, Some(near @ ..NEAR)) = (head, near) {
            self.body.push(near);
            return;
        }
        self.body.push(head);
        self.number(zigzag(i64::from(offset) - i64::from(last.offset)));
        if head & OTHER_FILE != 0 {
            self.number(u64::from(file));
        }
        if head & OTHER_EXPANSION != 0 {
            self.number(zigzag(i64::from(expansion) - i64::from(last.expansion)));
        }
    }

    /// 0 for none, odd for those of the unit, even for others.
    fn expansion(&mut self, id: ExpansionId) -> u32 {
        match id.0.checked_sub(self.first) {
            _ if id.0 == 0 => 0,
            Some(own @ 1..) if own <= self.room => own.wrapping_mul(2).wrapping_sub(1),
            _ => {
                self.foreign = true;
                id.0.wrapping_mul(2)
            }
        }
    }

    /// Number of the file and offset in it.
    fn place(&mut self, pos: Pos) -> Option<(u32, u32)> {
        if (self.range.0..=self.range.1).contains(&pos.0) && self.last.file > 0 {
            return Some((self.last.file - 1, pos.0 - self.range.0));
        }
        let (file, offset) = self.sources.locate(pos)?;
        let source = self.sources.file(file);
        self.range = (source.start().0, source.pos(source.bytes.len()).0);
        let next = u32::try_from(self.files.len()).ok()?;
        let number = *self.numbers.entry(file).or_insert(next);
        if number == next {
            self.files.push(file);
        }
        Some((number, u32::try_from(offset).ok()?))
    }
}

fn number(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    to.push(value.to_le_bytes()[0]);
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// First position and length of each file.
    files: Vec<(u32, u32)>,
    first: u32,
    room: u32,
    last: Last,
    /// First position and length of the file read last.
    span: (u32, u32),
    /// The expansion read last.
    expansion: ExpansionId,
    /// How many names there are: symbols are below.
    names: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`. `file` finds the files of places, `recorder` numbers the expansions of the unit. None if a file is
    /// not there.
    pub fn new(
        bytes: &'a [u8],
        sources: &SourceMap,
        file: impl Fn(&str) -> Option<FileId>,
        recorder: &ExpansionRecorder,
    ) -> Option<Self> {
        let (first, room) = recorder.range();
        let files = Vec::new();
        let mut this = Self {
            rest: bytes,
            files,
            first,
            room,
            last: Last::default(),
            span: (0, 0),
            expansion: ExpansionId(0),
            names: 0,
        };
        for _ in 0..this.count()? {
            let path = std::str::from_utf8(this.bytes()?).ok()?;
            let source = sources.file(file(path)?);
            this.files.push((source.start().0, u32::try_from(source.bytes.len()).ok()?));
        }
        Some(this)
    }

    /// Was all of it read?
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads a number.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        match self.rest {
            [byte @ ..0x80, rest @ ..] => {
                self.rest = rest;
                Some(u64::from(*byte))
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for (at, &byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (at * 7);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Some(value);
            }
        }
        None
    }

    /// Reads eight bytes.
    pub(crate) fn word(&mut self) -> Option<u64> {
        let (word, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*word))
    }

    /// The symbol of this number, if there is a name for it.
    #[inline]
    fn symbol(&self, number: u64) -> Option<Symbol> {
        let index = u32::try_from(number).ok()?;
        ((index as usize) < self.names).then(|| Symbol::from_index(index))
    }

    /// How many values follow: each takes a byte at least.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.rest.len()).then_some(count)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    #[inline]
    fn span(&mut self) -> Option<Span> {
        let (&head, rest) = self.rest.split_first()?;
        self.rest = rest;
        if head >= NEAR {
            return self.far_span(head);
        }
        let offset = self.last.offset.checked_add(u32::from(head))?;
        self.last.offset = (offset <= self.span.1).then_some(offset)?;
        let pos = if self.last.file == 0 { 0 } else { self.span.0 + offset };
        Some(Span { pos: Pos(pos), expansion: self.expansion })
    }

    fn far_span(&mut self, head: u8) -> Option<Span> {
        let step = unzigzag(self.number()?);
        let offset = i64::from(self.last.offset).checked_add(step)?;
        self.last.offset = u32::try_from(offset).ok()?;
        if head & OTHER_FILE != 0 {
            self.last.file = u32::try_from(self.number()?).ok()?;
            self.span = match self.last.file.checked_sub(1) {
                None => (0, 0),
                Some(file) => *self.files.get(file as usize)?,
            };
        }
        if head & OTHER_EXPANSION != 0 {
            let step = unzigzag(self.number()?);
            let expansion = i64::from(self.last.expansion).checked_add(step)?;
            self.last.expansion = u32::try_from(expansion).ok()?;
            self.expansion = self.expansion_of(self.last.expansion)?;
        }
        let (start, length) = self.span;
        let offset = (self.last.offset <= length).then_some(self.last.offset)?;
        let pos = if self.last.file == 0 { 0 } else { start + offset };
        Some(Span { pos: Pos(pos), expansion: self.expansion })
    }

    fn expansion_of(&self, written: u32) -> Option<ExpansionId> {
        Some(ExpansionId(match written {
            0 => 0,
            own if own % 2 == 1 => {
                let own = own / 2 + 1;
                self.first.checked_add((own <= self.room).then_some(own)?)?
            }
            other => other / 2,
        }))
    }
}

impl Stored for Span {
    fn put(&self, to: &mut Writer<'_>) {
        to.span(*self);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        from.span()
    }
}

macro_rules! numbers {
    ($($type:ty),*) => {
        $(impl Stored for $type {
            fn put(&self, to: &mut Writer<'_>) {
                to.number(*self as u64);
            }

            #[inline]
            fn get(from: &mut Reader<'_>) -> Option<Self> {
                Self::try_from(from.number()?).ok()
            }
        })*
    };
}

numbers!(u8, u16, u32, u64, usize);

impl Stored for bool {
    fn put(&self, to: &mut Writer<'_>) {
        to.number(u64::from(*self));
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        match from.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Stored for String {
    fn put(&self, to: &mut Writer<'_>) {
        to.bytes(self.as_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(std::str::from_utf8(from.bytes()?).ok()?.to_owned())
    }
}

impl<T: Stored> Stored for Option<T> {
    fn put(&self, to: &mut Writer<'_>) {
        self.is_some().put(to);
        self.iter().for_each(|it| it.put(to));
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(if bool::get(from)? { Some(T::get(from)?) } else { None })
    }
}

impl<T: Stored> Stored for Box<T> {
    fn put(&self, to: &mut Writer<'_>) {
        self.as_ref().put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        T::get(from).map(Self::new)
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn put(&self, to: &mut Writer<'_>) {
        to.number(self.len() as u64);
        self.iter().for_each(|it| it.put(to));
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let count = from.count()?;
        let mut all = Self::with_capacity(count);
        for _ in 0..count {
            all.push(T::get(from)?);
        }
        Some(all)
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn put(&self, to: &mut Writer<'_>) {
        self.0.put(to);
        self.1.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::get(from)?, B::get(from)?))
    }
}

impl Stored for Ipv6Addr {
    fn put(&self, to: &mut Writer<'_>) {
        to.bytes(&self.octets());
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        <[u8; 16]>::try_from(from.bytes()?).ok().map(Self::from)
    }
}

impl Stored for IpAddr {
    fn put(&self, to: &mut Writer<'_>) {
        match self {
            Self::V4(it) => to.bytes(&it.octets()),
            Self::V6(it) => to.bytes(&it.octets()),
        }
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let bytes = from.bytes()?;
        let four = <[u8; 4]>::try_from(bytes).ok().map(Self::from);
        four.or_else(|| <[u8; 16]>::try_from(bytes).ok().map(Self::from))
    }
}

impl Stored for Symbol {
    fn put(&self, to: &mut Writer<'_>) {
        to.number(self.index() as u64);
    }

    #[inline]
    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let number = from.number()?;
        from.symbol(number)
    }
}

impl Stored for Interner {
    fn put(&self, to: &mut Writer<'_>) {
        let lengths: Vec<usize> = self.iter().map(|it| it.1.len()).collect();
        lengths.put(to);
        to.number(lengths.iter().sum::<usize>() as u64);
        self.iter().for_each(|it| to.body.extend_from_slice(it.1.as_bytes()));
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let lengths: Vec<usize> = Stored::get(from)?;
        let names = Self::of_names(String::get(from)?, &lengths)?;
        from.names = names.len();
        Some(names)
    }
}

impl Stored for Text {
    fn put(&self, to: &mut Writer<'_>) {
        to.bytes(&self.bytes);
        self.origins.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { bytes: from.bytes()?.to_vec(), origins: Vec::get(from)? })
    }
}

impl Stored for ExpansionRecorder {
    fn put(&self, to: &mut Writer<'_>) {
        to.number(self.len() as u64);
        self.calls().for_each(|it| it.put(to));
    }

    /// Appended to nothing: the expansions of the reader's unit from the first on.
    fn get(from: &mut Reader<'_>) -> Option<Self> {
        let count = from.count()?;
        let mut recorder = Self::numbered(from.first, from.room);
        for _ in 0..count {
            recorder.record(Span::get(from)?);
        }
        Some(recorder)
    }
}

#[cfg(test)]
mod tests;
