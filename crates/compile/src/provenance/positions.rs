//! Where positions lie. Interfaces are called often: few positions are behind many places, so each is looked up once, in order.

use mandate_policydb::{ProvenanceBuilder, StringId};
use mandate_syntax::source::{LineIndex, Pos, SourceFile, SourceMap};

/// A position as people name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) path: StringId,
    pub(super) line: u32,
    pub(super) column: u32,
    /// The name that is called there, where there is a call.
    pub(super) word: Option<StringId>,
}

/// A set of positions: a bit for each byte of the sources.
struct Marks(Vec<u64>);

impl Marks {
    fn of(sources: &SourceMap, marked: impl Iterator<Item = Pos>) -> Self {
        let end = sources.files().last().map_or(0, |it| it.pos(it.bytes.len()).0);
        let mut marks = vec![0u64; end as usize / 64 + 1];
        for pos in marked {
            if let Some(word) = marks.get_mut(pos.0 as usize / 64) {
                *word |= 1 << (pos.0 % 64);
            }
        }
        Self(marks)
    }

    fn has(&self, pos: Pos) -> bool {
        self.0.get(pos.0 as usize / 64).is_some_and(|it| it >> (pos.0 % 64) & 1 == 1)
    }
}

/// The positions of all statements and calls.
pub(super) struct Positions {
    marks: Marks,
    /// How many are marked before each word.
    before: Vec<u32>,
    found: Vec<Option<Position>>,
}

impl Positions {
    /// Of these statements and calls. Paths and names go to `made`.
    pub(super) fn of(
        statements: impl Iterator<Item = Pos>,
        calls: impl Iterator<Item = Pos>,
        sources: &SourceMap,
        made: &mut ProvenanceBuilder,
    ) -> Self {
        let calls = Marks::of(sources, calls);
        let mut marks = Marks::of(sources, statements);
        marks.0.iter_mut().zip(&calls.0).for_each(|(all, it)| *all |= it);
        let mut before = Vec::with_capacity(marks.0.len());
        let mut found = Vec::new();
        let mut files = Files { files: sources.files(), walk: None };
        for (at, &word) in (0u32..).zip(&marks.0) {
            before.push(u32::try_from(found.len()).unwrap_or(u32::MAX));
            let mut left = word;
            while left != 0 {
                let pos = Pos(at * 64 + left.trailing_zeros());
                left &= left - 1;
                found.push(files.position(pos, calls.has(pos), made));
            }
        }
        Self { marks, before, found }
    }

    /// One of those positions.
    pub(super) fn get(&self, pos: Pos) -> Option<Position> {
        let word = pos.0 as usize / 64;
        let marked = self.marks.0.get(word)?;
        let rank = (marked & ((1u64 << (pos.0 % 64)) - 1)).count_ones();
        if !self.marks.has(pos) {
            return None;
        }
        *self.found.get((self.before.get(word)? + rank) as usize)?
    }
}

/// Files whose positions are asked in order.
struct Files<'a> {
    /// Those that were not come to yet.
    files: &'a [SourceFile],
    walk: Option<Walk<'a>>,
}

/// A file that positions are asked of.
struct Walk<'a> {
    file: &'a SourceFile,
    path: Option<StringId>,
    /// Up to where lines are counted, their number, and where the last begins.
    at: usize,
    line: u32,
    start: usize,
    /// Where marks count.
    index: Option<LineIndex>,
}

impl<'a> Files<'a> {
    fn position(&mut self, pos: Pos, call: bool, made: &mut ProvenanceBuilder) -> Option<Position> {
        let has =
            |file: &SourceFile| (file.start().0..=file.pos(file.bytes.len()).0).contains(&pos.0);
        if !self.walk.as_ref().is_some_and(|it| has(it.file)) {
            let skip = self.files.iter().position(has)?;
            let file = &self.files[skip];
            self.files = &self.files[skip..];
            let index = file.has_marks().then(|| LineIndex::of(file));
            self.walk = Some(Walk { file, path: None, at: 0, line: 1, start: 0, index });
        }
        self.walk.as_mut()?.position(pos, call, made)
    }
}

impl Walk<'_> {
    fn position(&mut self, pos: Pos, call: bool, made: &mut ProvenanceBuilder) -> Option<Position> {
        let offset = (pos.0 - self.file.start().0) as usize;
        let bytes = &self.file.bytes[..];
        let word = call.then(|| made.string(&word(bytes.get(offset..).unwrap_or_default())));
        if let Some(index) = &mut self.index {
            let (path, line, column) = index.position(self.file, offset);
            let path = made.string(path.unwrap_or(&self.file.path));
            return Some(Position { path, line: line.max(1), column, word });
        }
        for newline in memchr::memchr_iter(b'\n', bytes.get(self.at..offset)?) {
            self.line += 1;
            self.start = self.at + newline + 1;
        }
        self.at = offset;
        let before = bytes.get(self.start..offset)?;
        let characters = match before.is_ascii() {
            true => before.len(),
            false => String::from_utf8_lossy(before).chars().count(),
        };
        let path = *self.path.get_or_insert_with(|| made.string(&self.file.path));
        let column = u32::try_from(characters + 1).unwrap_or(u32::MAX);
        Some(Position { path, line: self.line, column, word })
    }
}

/// The name at the start of a text.
fn word(text: &[u8]) -> String {
    let word = text.iter().take_while(|it| it.is_ascii_alphanumeric() || **it == b'_');
    let word: String = word.map(|&it| char::from(it)).collect();
    if word.is_empty() { UNNAMED.to_owned() } else { word }
}

/// A macro whose call begins with no name.
const UNNAMED: &str = "a macro";
