//! Source files, positions in them, and the macro expansions that text came through.

use std::ops::Range;
use std::sync::Arc;

use crate::cil::marks;
use crate::line_marks;

/// A place in all sources of a run, which lie end to end. 0 is nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos(pub u32);

/// A macro expansion. 0 is none: the text stands in a file as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpansionId(pub u32);

/// Where a piece of text was spelled, and the expansion that brought it here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Its first byte.
    pub pos: Pos,
    /// The expansion of the macro in whose body `pos` stands.
    pub expansion: ExpansionId,
}

impl Span {
    /// Text that nobody wrote.
    pub const NOWHERE: Self = Self { pos: Pos(0), expansion: ExpansionId(0) };

    /// The place `bytes` further on in the same text.
    #[must_use]
    pub fn forward(self, bytes: u32) -> Self {
        if self.pos == Pos(0) {
            return self;
        }
        Self { pos: Pos(self.pos.0.saturating_add(bytes)), ..self }
    }
}

/// A call of a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// Where the macro's name stands in the call. Its own expansion is the next level outwards.
    pub call: Span,
}

/// A source file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path as the user knows it.
    pub path: String,
    /// What it holds.
    pub bytes: Arc<[u8]>,
    start: u32,
    marks: Marks,
}

/// Which marks in a file say what its lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marks {
    None,
    /// `#line`
    M4,
    /// `;;*`
    Cil,
}

impl SourceFile {
    /// Do marks in it say where lines come from?
    pub fn has_marks(&self) -> bool {
        self.marks != Marks::None
    }

    /// Position of the byte at `offset`.
    pub fn pos(&self, offset: usize) -> Pos {
        Pos(self.start + u32::try_from(offset).expect("sources take less than 4 GiB"))
    }

    /// Position of the first byte.
    pub fn start(&self) -> Pos {
        Pos(self.start)
    }
}

/// All files of a run.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

/// A file in its [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// Sources beyond this size in all are refused.
pub const MAX_SOURCE_BYTES: usize = 1 << 31;

/// The sources are larger than [`MAX_SOURCE_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the sources are larger than 2 GiB in all")
    }
}

impl std::error::Error for TooLarge {}

impl SourceMap {
    /// A map without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When all files together would take more than [`MAX_SOURCE_BYTES`].
    pub fn add(
        &mut self,
        path: impl Into<String>,
        bytes: impl Into<Arc<[u8]>>,
    ) -> Result<FileId, TooLarge> {
        let bytes = bytes.into();
        // One position between files: the end of a file is not the start of the next.
        let start = self.files.last().map_or(1, |last| last.start as usize + last.bytes.len() + 1);
        if start + bytes.len() > MAX_SOURCE_BYTES {
            return Err(TooLarge);
        }
        let start = u32::try_from(start).map_err(|_| TooLarge)?;
        let id = FileId(u32::try_from(self.files.len()).map_err(|_| TooLarge)?);
        self.files.push(SourceFile { path: path.into(), bytes, start, marks: Marks::None });
        Ok(id)
    }

    /// The file of `id`.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Makes [`location`](Self::location) name places in `id` as `#line` marks in it say: it came out of m4.
    pub fn honour_line_marks(&mut self, id: FileId) {
        self.files[id.0 as usize].marks = Marks::M4;
    }

    /// Makes [`location`](Self::location) name places in `id` as `;;*` marks in it say: it is CIL.
    pub fn honour_cil_marks(&mut self, id: FileId) {
        self.files[id.0 as usize].marks = Marks::Cil;
    }

    /// The file `pos` lies in, and the offset in it.
    pub fn locate(&self, pos: Pos) -> Option<(FileId, usize)> {
        let after = self.files.partition_point(|file| file.start <= pos.0);
        let index = after.checked_sub(1)?;
        let offset = (pos.0 - self.files[index].start) as usize;
        Some((FileId(u32::try_from(index).ok()?), offset.min(self.files[index].bytes.len())))
    }

    /// The file and line that `pos` was generated from, as a `;;*` mark says.
    pub fn generated_from(&self, pos: Pos) -> Option<(&str, usize)> {
        let (id, _) = self.locate(pos)?;
        let file = self.file(id);
        let at = self.location(pos).filter(|_| file.marks == Marks::Cil)?;
        (at.path != file.path).then_some((at.path, at.line))
    }

    /// Path, line and column of `pos`.
    pub fn location(&self, pos: Pos) -> Option<Location<'_>> {
        let (id, offset) = self.locate(pos)?;
        let file = self.file(id);
        let before = &file.bytes[..offset];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |it| it + 1);
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        let lines = || before.iter().filter(|&&b| b == b'\n').count() + 1;
        let (path, line) = match file.marks {
            Marks::None => (None, lines()),
            Marks::M4 => line_marks::place(&before[..line_start]),
            Marks::Cil => {
                let found = marks::place(&marks::stretches(before), before, line_start);
                found.map_or_else(|| (None, lines()), |(path, line)| (Some(path), line as usize))
            }
        };
        Some(Location { path: path.unwrap_or(&file.path), line, column, file: id, offset })
    }
}

/// The lines of a file, to look up many places in it: what [`SourceMap::location`] says, fast where places come in order.
#[derive(Clone, Debug)]
pub struct LineIndex {
    /// How many lines end before each block of the file; nothing where marks count.
    before: Vec<u32>,
    /// The paths that marks give, and where the lines begin that lie in them.
    paths: Vec<(usize, Range<usize>)>,
    /// Where marks count: the line asked for last, its offset and number.
    last: (usize, u32),
    /// What marks of CIL speak of.
    stretches: Vec<marks::Stretch>,
}

/// Bytes that are counted at once: a count of them fits into a byte.
const BLOCK: usize = 128;

impl LineIndex {
    /// Of this file.
    pub fn of(file: &SourceFile) -> Self {
        let (before, paths, stretches) = (Vec::new(), Vec::new(), Vec::new());
        let mut this = Self { before, paths, last: (0, 1), stretches };
        if file.marks == Marks::M4 {
            this.paths = line_marks::paths(&file.bytes);
            return this;
        }
        if file.marks == Marks::Cil {
            this.stretches = marks::stretches(&file.bytes);
        }
        let mut sum = 0;
        for block in file.bytes.chunks(BLOCK) {
            this.before.push(sum);
            sum += newlines(block);
        }
        this
    }

    /// Path, if a mark gives another than that of the file, line and column of the byte at `offset`.
    pub fn position<'a>(
        &mut self,
        file: &'a SourceFile,
        offset: usize,
    ) -> (Option<&'a str>, u32, u32) {
        let bytes = &file.bytes[..];
        let offset = offset.min(bytes.len());
        let start = memchr::memrchr(b'\n', &bytes[..offset]).map_or(0, |it| it + 1);
        let column = u32::try_from(characters(&bytes[start..offset]) + 1).unwrap_or(u32::MAX);
        if file.marks == Marks::M4 {
            return (self.path(bytes, start), self.number(bytes, start), column);
        }
        if let Some((path, line)) = marks::place(&self.stretches, bytes, start) {
            return (Some(path), line, column);
        }
        let block = (offset / BLOCK).min(self.before.len().saturating_sub(1));
        let whole = self.before.get(block).copied().unwrap_or_default();
        (None, whole + newlines(&bytes[block * BLOCK..offset]) + 1, column)
    }

    /// The path that marks give the line at `start`.
    fn path<'a>(&self, bytes: &'a [u8], start: usize) -> Option<&'a str> {
        let behind = self.paths.partition_point(|it| it.0 <= start);
        let (_, path) = self.paths.get(behind.checked_sub(1)?)?;
        std::str::from_utf8(bytes.get(path.clone())?).ok()
    }

    /// The number that marks give the line at `start`.
    fn number(&mut self, bytes: &[u8], start: usize) -> u32 {
        let known = if start < self.last.0 { (0, 1) } else { self.last };
        self.last = (start, line_marks::number(&bytes[..start], known));
        self.last.1
    }
}

/// How many lines end in a block.
fn newlines(block: &[u8]) -> u32 {
    debug_assert!(block.len() <= BLOCK, "more than a byte can count");
    u32::from(block.iter().fold(0u8, |sum, &byte| sum.wrapping_add(u8::from(byte == b'\n'))))
}

fn characters(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { String::from_utf8_lossy(text).chars().count() }
}

/// A place as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The file's path, or the one that a `#line` mark names.
    pub path: &'a str,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The file.
    pub file: FileId,
    /// Byte in the file, from 0.
    pub offset: usize,
}

/// The expansions of a run. Units of work that run side by side number theirs apart: unit `u` of `n` has the ids from
/// `u * stride`.
#[derive(Clone, Debug)]
pub struct Expansions {
    units: Vec<Vec<Expansion>>,
    stride: u32,
}

impl Default for Expansions {
    fn default() -> Self {
        Self::for_units(1)
    }
}

impl Expansions {
    /// Room for the expansions of `units` units.
    pub fn for_units(units: usize) -> Self {
        let count = u32::try_from(units.max(1)).unwrap_or(u32::MAX);
        Self { units: vec![Vec::new(); units.max(1)], stride: u32::MAX / count }
    }

    /// How many units there is room for.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// Where the expansions of `unit` are to be written.
    pub fn recorder(&self, unit: usize) -> ExpansionRecorder {
        let first = u32::try_from(unit).unwrap_or(u32::MAX).saturating_mul(self.stride);
        ExpansionRecorder { first, room: self.stride, expansions: Vec::new() }
    }

    /// Takes back what [`recorder`](Self::recorder) gave for `unit`.
    pub fn set(&mut self, unit: usize, recorder: ExpansionRecorder) {
        self.units[unit] = recorder.expansions;
    }

    /// The unit that numbered `id`; none for text that stands in a file as it is.
    pub fn unit_of(&self, id: ExpansionId) -> Option<usize> {
        id.0.checked_sub(1).map(|wanted| (wanted / self.stride) as usize)
    }

    /// The expansion of `id`; none for text that stands in a file as it is.
    pub fn get(&self, id: ExpansionId) -> Option<Expansion> {
        let wanted = id.0.checked_sub(1)?;
        let unit = self.units.get((wanted / self.stride) as usize)?;
        unit.get((wanted % self.stride) as usize).copied()
    }

    /// All calls.
    pub fn calls(&self) -> impl Iterator<Item = Span> {
        self.units.iter().flatten().map(|it| it.call)
    }

    /// The calls that brought `span` here, innermost first.
    pub fn chain(&self, span: Span) -> impl Iterator<Item = Span> {
        let mut at = span;
        std::iter::from_fn(move || {
            let call = self.get(at.expansion)?.call;
            at = call;
            Some(call)
        })
    }

    /// Where the outermost call of `span`'s chain stands: a place written as it is.
    pub fn outermost(&self, span: Span) -> Span {
        self.chain(span).last().unwrap_or(span)
    }
}

/// Numbers the expansions of one unit.
#[derive(Clone, Debug)]
pub struct ExpansionRecorder {
    first: u32,
    room: u32,
    expansions: Vec<Expansion>,
}

impl Default for ExpansionRecorder {
    fn default() -> Self {
        Self { first: 0, room: u32::MAX, expansions: Vec::new() }
    }
}

impl ExpansionRecorder {
    /// Records a call at `call`. Without room the call itself is as far as the chain goes.
    pub fn record(&mut self, call: Span) -> ExpansionId {
        match u32::try_from(self.expansions.len()) {
            Ok(index) if index < self.room => {
                self.expansions.push(Expansion { call });
                ExpansionId(self.first + index + 1)
            }
            _ => call.expansion,
        }
    }

    /// The calls that brought `span` here, innermost first, as far as they were recorded here.
    pub fn chain(&self, span: Span) -> impl Iterator<Item = Span> {
        let mut at = span;
        std::iter::from_fn(move || {
            let index = at.expansion.0.checked_sub(self.first + 1)?;
            at = self.expansions.get(index as usize)?.call;
            Some(at)
        })
    }

    /// For the expansions of a unit whose first has the number after `first`, with room for so many.
    pub(crate) fn numbered(first: u32, room: u32) -> Self {
        Self { first, room, expansions: Vec::new() }
    }

    /// The number before the first expansion, and how many there is room for.
    pub(crate) fn range(&self) -> (u32, u32) {
        (self.first, self.room)
    }

    /// The calls, in the order they were recorded.
    pub(crate) fn calls(&self) -> impl Iterator<Item = Span> {
        self.expansions.iter().map(|it| it.call)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.expansions.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.expansions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_again() {
        let mut map = SourceMap::new();
        let a = map.add("a", *b"one\ntwo\n").unwrap();
        let b = map.add("b", *b"x\xc3\xa4y\n").unwrap();
        let at = map.location(map.file(a).pos(5)).unwrap();
        assert_eq!((at.path, at.line, at.column), ("a", 2, 2));
        let at = map.location(map.file(b).pos(3)).unwrap();
        assert_eq!((at.path, at.line, at.column), ("b", 1, 3));
        assert_eq!(map.location(Pos(0)), None);
    }

    #[test]
    fn an_index_says_what_the_map_says() {
        let mut text = String::new();
        for line in 0..80 {
            text += &"x\u{e4}y".repeat(line % 7);
            text += match line {
                20 => "\n#line 7\n",
                21 | 40 => "\n#line 9 \"x.te\"\n",
                50 => "; #line 3\n#line 4 \"\"\n",
                60 => "\n#line 8\n#line 5\n\"#line 1\n",
                _ => "\n",
            };
        }
        let mut map = SourceMap::new();
        let (plain, marked) = (map.add("a", text.as_bytes()), map.add("b", text.as_bytes()));
        let (plain, marked) = (plain.unwrap(), marked.unwrap());
        map.honour_line_marks(marked);
        for id in [plain, marked] {
            let file = map.file(id);
            let mut index = LineIndex::of(file);
            for offset in (0..=text.len()).chain((0..text.len()).rev()) {
                let at = map.location(file.pos(offset)).unwrap();
                let (path, line, column) = index.position(file, offset);
                let found = (path.unwrap_or(&file.path), line as usize, column as usize);
                assert_eq!((at.path, at.line, at.column), found, "byte {offset}");
            }
        }
        let empty = map.add("c", *b"").unwrap();
        let empty = map.file(empty);
        assert_eq!(LineIndex::of(empty).position(empty, 0), (None, 1, 1));
    }

    #[test]
    fn units_number_their_expansions_apart() {
        let mut all = Expansions::for_units(3);
        let mut unit = all.recorder(2);
        let outer = unit.record(Span { pos: Pos(7), expansion: ExpansionId(0) });
        let inner = unit.record(Span { pos: Pos(9), expansion: outer });
        all.set(2, unit);
        let span = Span { pos: Pos(11), expansion: inner };
        let chain: Vec<u32> = all.chain(span).map(|it| it.pos.0).collect();
        assert_eq!(chain, [9, 7]);
        assert_eq!(all.outermost(span).pos, Pos(7));
    }
}
