//! File contexts (`file_contexts(5)`): which context a path has.
//!
//! A line is `PATTERN [FILE TYPE] CONTEXT`. Of the lines whose pattern matches, one without meta characters wins, else the last; `<<none>>` for a context leaves files
//! alone. The rules are those of libselinux 3.10, which differ from 3.4 in what docs/differences.md tells.

pub mod binary;
mod line;
mod lint;
mod lookup;
mod stored;
mod subs;

use rustc_hash::FxHashMap;

pub use lint::{Finding, FindingKind};
pub use lookup::{Answer, Directory, Lookup};
pub use subs::Substitutions;

pub(crate) use line::literal;

use crate::automaton::nfa::{Builder, Nfa};
use crate::line::lines;
use crate::pattern::{self, Arena, Node, NodeId, Pattern, Program};
use crate::{FileType, LineError, LineErrorKind, narrow};

/// A pattern with more states than this is left to the second engine.
const LARGE: u64 = 10_000;

/// What a line says instead of a context when files are to be left alone.
pub const NONE: &str = "<<none>>";

/// A file to read. Files that come later win over earlier ones.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// How it is called in messages.
    pub name: &'a str,
    /// What it holds.
    pub bytes: &'a [u8],
}

/// A line of a file of file contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The pattern as written: an offset into the texts, and a length.
    pattern: (u32, u32),
    file_type: Option<FileType>,
    /// Index of the context; none for `<<none>>`.
    context: Option<u32>,
    source: u8,
    number: u32,
    /// Bytes of a path that its pattern fixes before the first meta character.
    prefix: u16,
    /// Directories that libselinux sorts it by.
    depth: u8,
    how: How,
}

/// How it is known that a path matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum How {
    /// It is the path.
    Literal = 0,
    /// The automaton says so.
    Regular = 1,
    /// The automaton says where it may be, the second engine whether it is.
    Verified = 2,
}

/// File contexts, compiled.
#[derive(Clone, Debug)]
pub struct FileContexts {
    sources: Vec<Box<str>>,
    lines: Vec<Line>,
    /// All patterns, end to end.
    texts: Vec<u8>,
    contexts: Vec<Box<str>>,
    /// Of what was where, first; of what its distribution moved, second.
    subs: [Substitutions; 2],
    nfa: Nfa,
    verified: FxHashMap<u32, Verified>,
}

/// What the second engine needs.
#[derive(Clone, Debug)]
struct Verified {
    program: Program,
    stems: Vec<Vec<u8>>,
}

/// An error in one of several files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}:{error}")]
pub struct SourceError {
    /// The file.
    pub source_name: String,
    /// What is wrong with it.
    pub error: LineError,
}

impl FileContexts {
    /// Compiles files in the order in which libselinux reads them: `file_contexts`, `.homedirs`, `.local`. Lines with errors are told and left out.
    ///
    /// At most 256 files and 65,535 × 65,536 lines are read; what is beyond is left out.
    pub fn compile(sources: &[Source<'_>], subs: [Substitutions; 2]) -> (Self, Vec<SourceError>) {
        let mut reader = Reader::default();
        for (number, source) in (0..=u8::MAX).zip(sources) {
            reader.source(number, source);
        }
        reader.finish(sources, subs)
    }

    /// A line by its index.
    pub fn line(&self, index: u32) -> LineRef<'_> {
        LineRef { table: self, line: &self.lines[index as usize] }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are no lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All lines, in the order in which they were read.
    pub fn lines(&self) -> impl Iterator<Item = LineRef<'_>> {
        self.lines.iter().map(|line| LineRef { table: self, line })
    }

    fn pattern(&self, line: &Line) -> &[u8] {
        let (start, length) = (line.pattern.0 as usize, line.pattern.1 as usize);
        &self.texts[start..start + length]
    }
}

/// A line and what its table knows of it.
#[derive(Clone, Copy, Debug)]
pub struct LineRef<'a> {
    table: &'a FileContexts,
    line: &'a Line,
}

impl<'a> LineRef<'a> {
    /// The pattern as written.
    pub fn pattern(self) -> &'a str {
        std::str::from_utf8(self.table.pattern(self.line)).unwrap_or("")
    }

    /// The kind of file; none means all.
    pub fn file_type(self) -> Option<FileType> {
        self.line.file_type
    }

    /// The context; none for `<<none>>`.
    pub fn context(self) -> Option<&'a str> {
        self.line.context.map(|it| &*self.table.contexts[it as usize])
    }

    /// The file it stands in.
    pub fn source(self) -> &'a str {
        &self.table.sources[usize::from(self.line.source)]
    }

    /// Its number in the file, from 1.
    pub fn number(self) -> u32 {
        self.line.number
    }

    /// Whether the pattern is a path as it is, without meta characters.
    pub fn is_literal(self) -> bool {
        self.line.how == How::Literal
    }

    /// Bytes of a path that the pattern fixes before its first meta character.
    pub fn prefix(self) -> usize {
        self.line.prefix.into()
    }
}

impl std::fmt::Display for LineRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.file_type().map_or("", FileType::as_str);
        let space = if kind.is_empty() { "" } else { " " };
        write!(f, "{} {kind}{space}{}", self.pattern(), self.context().unwrap_or(NONE))
    }
}

/// Lines as they are read.
#[derive(Default)]
struct Reader {
    lines: Vec<Line>,
    /// Of each line, what its pattern is.
    patterns: Vec<Parsed>,
    texts: Vec<u8>,
    contexts: Vec<Box<str>>,
    context_ids: FxHashMap<Box<str>, u32>,
    arena: Arena,
    errors: Vec<(u8, LineError)>,
}

enum Parsed {
    Literal(Vec<u8>),
    Pattern(Pattern),
}

impl Reader {
    fn source(&mut self, source: u8, file: &Source<'_>) {
        for (number, text) in lines(file.bytes) {
            if let Err((column, kind)) = self.line(source, number, text) {
                self.errors.push((source, LineError { line: number, column, kind }));
            }
        }
    }

    fn line(&mut self, source: u8, number: u32, text: &[u8]) -> Result<(), (u32, LineErrorKind)> {
        let written = line::read(text)?;
        let pattern = written.pattern.bytes;
        let literal = line::literal(pattern);
        let prefix = literal.as_ref().map_or_else(|it| *it, Vec::len);
        let mut line = Line {
            pattern: (0, 0),
            file_type: written.file_type,
            context: None,
            source,
            number,
            prefix: u16::try_from(prefix).unwrap_or(u16::MAX),
            depth: 0,
            how: How::Literal,
        };
        let parsed = match literal {
            Ok(path) => Parsed::Literal(path),
            Err(_) => {
                let parsed = pattern::parse(pattern, &mut self.arena)
                    .map_err(|it| line::pattern_failure(written.pattern, it))?;
                let stems = line::stems(pattern);
                line.depth = u8::try_from(stems.len()).unwrap_or(u8::MAX);
                line.how = how(&self.arena, &parsed, &stems);
                Parsed::Pattern(parsed)
            }
        };
        line.pattern = self.text(pattern);
        line.context = self.context(written.context.bytes);
        self.lines.push(line);
        self.patterns.push(parsed);
        Ok(())
    }

    fn text(&mut self, pattern: &[u8]) -> (u32, u32) {
        let start = self.texts.len();
        self.texts.extend_from_slice(pattern);
        (narrow(start), narrow(pattern.len()))
    }

    fn context(&mut self, context: &[u8]) -> Option<u32> {
        // lines are ASCII
        let context = std::str::from_utf8(context).unwrap_or("");
        if context == NONE {
            return None;
        }
        if let Some(&id) = self.context_ids.get(context) {
            return Some(id);
        }
        let id = narrow(self.contexts.len());
        self.contexts.push(context.into());
        self.context_ids.insert(context.into(), id);
        Some(id)
    }

    fn finish(
        self,
        sources: &[Source<'_>],
        subs: [Substitutions; 2],
    ) -> (FileContexts, Vec<SourceError>) {
        let mut builder = Builder::new(&self.arena);
        for (index, parsed) in (0..).zip(&self.patterns) {
            match parsed {
                Parsed::Literal(path) => builder.literal(path, index),
                Parsed::Pattern(it) if self.arena.size(it.root) > LARGE => {
                    builder.prefix(&beginning(&self.arena, it.root), index);
                }
                Parsed::Pattern(it) => builder.pattern(it.root, index),
            }
        }
        let nfa = builder.finish();
        let verified = (0..).zip(&self.patterns).filter_map(|(index, parsed)| match parsed {
            Parsed::Pattern(it) if self.lines[index as usize].how == How::Verified => {
                let (start, length) = self.lines[index as usize].pattern;
                let text = &self.texts[start as usize..][..length as usize];
                let program = Program::new(&self.arena, *it);
                Some((index, Verified { program, stems: line::stems(text) }))
            }
            _ => None,
        });
        let verified = verified.collect();
        let errors = self.errors.into_iter().map(|(source, error)| SourceError {
            source_name: sources[usize::from(source)].name.to_owned(),
            error,
        });
        let errors = errors.collect();
        let sources = sources.iter().map(|it| it.name.into()).collect();
        let (lines, texts, contexts) = (self.lines, self.texts, self.contexts);
        (FileContexts { sources, lines, texts, contexts, subs, nfa, verified }, errors)
    }
}

/// Who decides about a pattern: the automaton alone if the pattern is regular and keeps below its directories by itself.
fn how(arena: &Arena, pattern: &Pattern, stems: &[Vec<u8>]) -> How {
    let mut needed = Vec::new();
    for stem in stems {
        needed.push(b'/');
        needed.extend_from_slice(stem);
    }
    needed.push(b'/');
    let below = stems.is_empty() || beginning(arena, pattern.root).starts_with(&needed);
    if pattern.regular && below && arena.size(pattern.root) <= LARGE {
        How::Regular
    } else {
        How::Verified
    }
}

/// The bytes with which all that a node matches begins.
fn beginning(arena: &Arena, root: NodeId) -> Vec<u8> {
    let byte = |it: NodeId| u8::try_from(it).ok();
    match arena.get(root) {
        Node::Concat(parts) => parts.iter().map_while(|&it| byte(it)).collect(),
        _ => byte(root).into_iter().collect(),
    }
}
