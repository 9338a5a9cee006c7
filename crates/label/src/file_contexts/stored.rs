//! Compiled file contexts as bytes, so that they need not be compiled again. Read bytes are checked, not trusted.
//!
//! All numbers are little-endian `u32`; lists and texts begin with their length. The form changes with the code: whoever keeps it keeps it by the version of the program.

use rustc_hash::FxHashMap;

use super::line::stems;
use super::subs::{Pair, Substitutions};
use super::{FileContexts, How, Line, Verified};
use crate::FileType;
use crate::automaton::nfa::{Edge, Nfa};
use crate::pattern::{self, Arena, Program};

const MAGIC: &[u8] = b"mandate file contexts 1\n";

/// A line takes so many numbers.
const LINE: usize = 7;
/// Stands for no context and no kind of file.
const NOTHING: u32 = u32::MAX;

impl FileContexts {
    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer(MAGIC.to_vec());
        to.texts(self.sources.iter().map(|it| it.as_bytes()));
        to.texts(self.contexts.iter().map(|it| it.as_bytes()));
        to.bytes(&self.texts);
        to.numbers(self.lines.iter().flat_map(numbers_of));
        for subs in &self.subs {
            to.texts(subs.pairs().iter().flat_map(|it| [&*it.source, &*it.target]));
        }
        to.numbers(self.nfa.edges.iter().map(|it| u32::from(it.low) << 8 | u32::from(it.high)));
        to.numbers(self.nfa.edges.iter().map(|it| it.to));
        for list in [
            &self.nfa.first_edge,
            &self.nfa.jumps,
            &self.nfa.first_jump,
            &self.nfa.accepts,
            &self.nfa.first_accept,
        ] {
            to.numbers(list.iter().copied());
        }
        to.0
    }

    /// From what [`FileContexts::to_bytes`] made; none if it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes.strip_prefix(MAGIC)?);
        let sources = from.strings()?;
        let contexts = from.strings()?;
        let texts = from.bytes()?.to_vec();
        let lines: Option<Vec<Line>> = from.numbers()?.chunks_exact(LINE).map(line_of).collect();
        let subs = [from.substitutions()?, from.substitutions()?];
        let nfa = from.nfa()?;
        let mut table = Self {
            sources,
            lines: lines?,
            texts,
            contexts,
            subs,
            nfa,
            verified: FxHashMap::default(),
        };
        if !from.0.is_empty() || !table.is_sound() {
            return None;
        }
        table.verified = table.programs()?;
        Some(table)
    }

    /// Whether every number names something that is there.
    fn is_sound(&self) -> bool {
        let ends = |first: &[u32], length: usize| {
            first.first() == Some(&0)
                && first.is_sorted()
                && first.last().is_some_and(|&it| it as usize == length)
                && first.len() == self.nfa.first_edge.len()
        };
        let states = self.nfa.len();
        let nfa = &self.nfa;
        states > 0
            && self.texts.is_ascii()
            && ends(&nfa.first_edge, nfa.edges.len())
            && ends(&nfa.first_jump, nfa.jumps.len())
            && ends(&nfa.first_accept, nfa.accepts.len())
            && nfa.edges.iter().all(|it| it.low <= it.high && (it.to as usize) < states)
            && nfa.jumps.iter().all(|&it| (it as usize) < states)
            && nfa.accepts.iter().all(|&it| (it as usize) < self.lines.len())
            && self.lines.iter().all(|it| self.is_sound_line(it))
    }

    fn is_sound_line(&self, line: &Line) -> bool {
        let end = u64::from(line.pattern.0) + u64::from(line.pattern.1);
        end <= self.texts.len() as u64
            && usize::from(line.source) < self.sources.len()
            && line.context.is_none_or(|it| (it as usize) < self.contexts.len())
            && line.depth <= 3
    }

    /// The second engine's programs, made again from the patterns.
    fn programs(&self) -> Option<FxHashMap<u32, Verified>> {
        let mut arena = Arena::new();
        let verified = (0..).zip(&self.lines).filter(|it| it.1.how == How::Verified);
        let programs = verified.map(|(index, line)| {
            let text = self.pattern(line);
            let pattern = pattern::parse(text, &mut arena).ok()?;
            let program = Program::new(&arena, pattern);
            Some((index, Verified { program, stems: stems(text) }))
        });
        programs.collect()
    }
}

fn numbers_of(line: &Line) -> [u32; LINE] {
    [
        line.pattern.0,
        line.pattern.1,
        line.file_type.map_or(NOTHING, |it| u32::from(it as u8)),
        line.context.unwrap_or(NOTHING),
        u32::from(line.source) << 8 | u32::from(line.depth) << 4 | line.how as u32,
        line.number,
        line.prefix.into(),
    ]
}

fn line_of(numbers: &[u32]) -> Option<Line> {
    let &[start, length, kind, context, small, number, prefix] = numbers else { return None };
    let byte = |it: u32| u8::try_from(it).ok();
    Some(Line {
        pattern: (start, length),
        file_type: match kind {
            NOTHING => None,
            _ => Some(FileType::ALL.iter().find(|it| u32::from(it.1 as u8) == kind)?.1),
        },
        context: (context != NOTHING).then_some(context),
        source: byte(small >> 8)?,
        depth: byte(small >> 4 & 0xf)?,
        how: match small & 0xf {
            0 => How::Literal,
            1 => How::Regular,
            2 => How::Verified,
            _ => return None,
        },
        number,
        prefix: u16::try_from(prefix).ok()?,
    })
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(crate::narrow(length));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn numbers(&mut self, numbers: impl Iterator<Item = u32>) {
        let start = self.0.len();
        self.number(0);
        numbers.for_each(|it| self.number(it));
        let count = crate::narrow((self.0.len() - start) / 4 - 1);
        self.0[start..start + 4].copy_from_slice(&count.to_le_bytes());
    }

    fn texts<'a>(&mut self, texts: impl Iterator<Item = &'a [u8]>) {
        let texts: Vec<&[u8]> = texts.collect();
        self.length(texts.len());
        texts.into_iter().for_each(|it| self.bytes(it));
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn numbers(&mut self) -> Option<Vec<u32>> {
        let length = (self.number()? as usize).checked_mul(4)?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let (words, _) = bytes.as_chunks::<4>();
        Some(words.iter().map(|it| u32::from_le_bytes(*it)).collect())
    }

    /// Reads as many texts as it says; each takes four bytes at least, which bounds what is kept.
    fn texts(&mut self) -> Option<Vec<&'a [u8]>> {
        let count = self.number()?;
        (0..count).map(|_| self.bytes()).collect()
    }

    fn strings(&mut self) -> Option<Vec<Box<str>>> {
        let texts = self.texts()?;
        texts.into_iter().map(|it| Some(std::str::from_utf8(it).ok()?.into())).collect()
    }

    fn substitutions(&mut self) -> Option<Substitutions> {
        let texts = self.texts()?;
        let (pairs, rest) = texts.as_chunks::<2>();
        let pairs = pairs
            .iter()
            .map(|[source, target]| Pair { source: (*source).into(), target: (*target).into() });
        rest.is_empty().then(|| Substitutions::from_pairs(pairs.collect()))
    }

    fn nfa(&mut self) -> Option<Nfa> {
        let (bytes, to) = (self.numbers()?, self.numbers()?);
        let edges = bytes.iter().zip(&to).map(|(&bytes, &to)| {
            let [low, high] = u16::try_from(bytes).ok()?.to_be_bytes();
            Some(Edge { low, high, to })
        });
        let edges: Option<Vec<Edge>> = edges.collect();
        Some(Nfa {
            edges: edges.filter(|it| it.len() == to.len() && it.len() == bytes.len())?,
            first_edge: self.numbers()?,
            jumps: self.numbers()?,
            first_jump: self.numbers()?,
            accepts: self.numbers()?,
            first_accept: self.numbers()?,
        })
    }
}
