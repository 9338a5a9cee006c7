//! Version 6: contexts, then a tree by the first three directories.

use std::collections::BTreeMap;

use super::wire::{BinaryError, BinaryErrorKind, Cursor};
use super::{Engine, Entry, MAGIC, TREE, WriteError, context, place};
use crate::FileType;
use crate::file_contexts::LineRef;
use crate::file_contexts::line::{literal, stems};

/// What libselinux takes.
const DEEPEST: u32 = 32;
/// Directories by which it is sorted.
const SORTED: usize = 3;

pub(super) fn read<'a>(
    cursor: &mut Cursor<'a>,
    values: u32,
) -> Result<Vec<Entry<'a>>, BinaryError> {
    let _count = cursor.u64()?;
    let mut contexts = Vec::new();
    for _ in 0..cursor.u32()? {
        let length = cursor.u16()?;
        let error = cursor.error(BinaryErrorKind::NotText("a context"));
        let context = cursor.take(length.into(), "a context")?;
        if !super::wire::is_word(context) {
            return Err(error);
        }
        contexts.push(context);
    }
    let mut reader = Reader { cursor, values, contexts, entries: Vec::new() };
    reader.node(0)?;
    Ok(reader.entries)
}

struct Reader<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    values: u32,
    contexts: Vec<&'a [u8]>,
    entries: Vec<Entry<'a>>,
}

impl<'a> Reader<'_, 'a> {
    fn node(&mut self, depth: u32) -> Result<(), BinaryError> {
        if depth >= DEEPEST {
            return Err(self.cursor.error(BinaryErrorKind::Deep(DEEPEST)));
        }
        let length = self.cursor.u16()?;
        self.cursor.take(length.into(), "a directory")?;
        for _ in 0..self.cursor.u32()? {
            let context = self.context()?;
            let pattern = self.word("a pattern")?;
            self.word("a path")?;
            let file_type = self.file_type()?;
            self.entries.push(Entry { pattern, file_type, context, number: u32::MAX });
        }
        for _ in 0..self.cursor.u32()? {
            let context = self.context()?;
            let number = self.cursor.u32()?;
            let pattern = self.word("a pattern")?;
            let _prefix = self.cursor.u16()?;
            let file_type = self.file_type()?;
            self.cursor.skip_values(self.values)?;
            self.entries.push(Entry { pattern, file_type, context, number });
        }
        for _ in 0..self.cursor.u32()? {
            self.node(depth + 1)?;
        }
        Ok(())
    }

    fn context(&mut self) -> Result<&'a [u8], BinaryError> {
        let number = self.cursor.u32()?;
        let index = usize::try_from(number).ok().and_then(|it| it.checked_sub(1));
        let found = index.and_then(|it| self.contexts.get(it)).copied();
        found.ok_or_else(|| self.cursor.error(BinaryErrorKind::Unknown("context", number)))
    }

    fn word(&mut self, what: &'static str) -> Result<&'a [u8], BinaryError> {
        let length = self.cursor.u16()?;
        self.cursor.word(length.into(), what)
    }

    fn file_type(&mut self) -> Result<Option<FileType>, BinaryError> {
        let number = self.cursor.u8()?;
        let kind = FileType::ALL.iter().find(|it| it.1 as u8 == number).map(|it| it.1);
        match (kind, number) {
            (None, 1..) => {
                Err(self.cursor.error(BinaryErrorKind::Unknown("file type", number.into())))
            }
            (kind, _) => Ok(kind),
        }
    }
}

/// A directory, and the lines that lie directly in it.
#[derive(Default)]
struct Node<'a> {
    literals: Vec<(Vec<u8>, LineRef<'a>)>,
    patterns: Vec<LineRef<'a>>,
    children: BTreeMap<Vec<u8>, Self>,
}

pub(super) fn write(lines: &[LineRef<'_>], engine: &Engine) -> Result<Vec<u8>, WriteError> {
    let mut root = Node::default();
    for &line in lines {
        root.insert(line);
    }
    let mut to = Writer { bytes: Vec::new(), contexts: rustc_hash::FxHashMap::default() };
    to.u32(MAGIC);
    to.u32(TREE);
    for text in [&engine.version, &engine.architecture] {
        to.count(text.len(), "bytes of a version")?;
        to.bytes.extend_from_slice(text.as_bytes());
    }
    to.bytes.extend_from_slice(&(lines.len() as u64).to_be_bytes());
    root.sort();
    to.contexts(&root)?;
    to.node(b"", &root)?;
    Ok(to.bytes)
}

impl<'a> Node<'a> {
    fn insert(&mut self, line: LineRef<'a>) {
        let pattern = line.pattern().as_bytes();
        match literal(pattern) {
            Ok(path) => {
                let directories = directories(&path);
                self.at(directories).literals.push((path, line));
            }
            Err(_) => self.at(stems(pattern)).patterns.push(line),
        }
    }

    /// Paths by their bytes; lines of one path stay in order.
    fn sort(&mut self) {
        self.literals.sort_by(|one, other| one.0.cmp(&other.0));
        self.children.values_mut().for_each(Self::sort);
    }

    fn each(&self, tell: &mut impl FnMut(LineRef<'a>)) {
        self.literals.iter().for_each(|it| tell(it.1));
        self.patterns.iter().for_each(|&it| tell(it));
        self.children.values().for_each(|it| it.each(tell));
    }

    fn at(&mut self, directories: Vec<Vec<u8>>) -> &mut Self {
        directories.into_iter().fold(self, |node, name| node.children.entry(name).or_default())
    }
}

/// The first directories of a path.
fn directories(path: &[u8]) -> Vec<Vec<u8>> {
    let Some(path) = path.strip_prefix(b"/") else { return Vec::new() };
    let mut parts: Vec<&[u8]> = path.split(|&it| it == b'/').collect();
    parts.pop();
    let named = parts.into_iter().filter(|it| !it.is_empty());
    named.take(SORTED).map(<[u8]>::to_vec).collect()
}

/// Numbers in network byte order.
struct Writer<'a> {
    bytes: Vec<u8>,
    /// Numbers of contexts, from 1.
    contexts: rustc_hash::FxHashMap<&'a str, u32>,
}

impl<'a> Writer<'a> {
    fn u32(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }

    fn count(&mut self, count: usize, what: &'static str) -> Result<(), WriteError> {
        // libselinux keeps the greatest number for itself
        let count = u32::try_from(count).ok().filter(|&it| it < u32::MAX);
        self.u32(count.ok_or(WriteError::TooMany(what))?);
        Ok(())
    }

    /// A text behind its length, and with the zero byte that this may count.
    fn text(
        &mut self,
        text: &[u8],
        zero: bool,
        what: &'static str,
        line: Option<LineRef<'_>>,
    ) -> Result<(), WriteError> {
        let most = usize::from(u16::MAX) - 2;
        let length = u16::try_from(text.len()).ok().filter(|&it| usize::from(it) <= most);
        let length = length.ok_or_else(|| WriteError::TooLong {
            place: line.map_or_else(String::new, place),
            what,
            length: text.len(),
            most,
        })?;
        self.bytes.extend_from_slice(&(length + u16::from(zero)).to_be_bytes());
        self.bytes.extend_from_slice(text);
        self.bytes.extend(zero.then_some(0));
        Ok(())
    }

    /// The contexts of a tree, in the order in which they are first met.
    fn contexts(&mut self, root: &Node<'a>) -> Result<(), WriteError> {
        let mut lines = Vec::new();
        root.each(&mut |line| {
            let next = crate::narrow(lines.len()).saturating_add(1);
            self.contexts.entry(context(line)).or_insert_with(|| {
                lines.push(line);
                next
            });
        });
        self.count(lines.len(), "contexts")?;
        for line in lines {
            self.text(context(line).as_bytes(), false, "a context", Some(line))?;
        }
        Ok(())
    }

    fn node(&mut self, name: &[u8], node: &Node<'a>) -> Result<(), WriteError> {
        self.text(name, true, "a directory", None)?;
        self.count(node.literals.len(), "paths")?;
        for (path, line) in &node.literals {
            self.context(*line);
            self.text(line.pattern().as_bytes(), true, "a pattern", Some(*line))?;
            self.text(path, true, "a path", Some(*line))?;
            self.bytes.push(line.file_type().map_or(0, |it| it as u8));
        }
        self.count(node.patterns.len(), "patterns")?;
        for &line in &node.patterns {
            self.context(line);
            self.u32(line.number());
            self.text(line.pattern().as_bytes(), true, "a pattern", Some(line))?;
            let prefix = u16::try_from(line.prefix()).unwrap_or(u16::MAX);
            self.bytes.extend_from_slice(&prefix.to_be_bytes());
            self.bytes.push(line.file_type().map_or(0, |it| it as u8));
            // no compiled expression
            self.u32(0);
        }
        self.count(node.children.len(), "directories")?;
        for (name, child) in &node.children {
            self.node(name, child)?;
        }
        Ok(())
    }

    fn context(&mut self, line: LineRef<'_>) {
        let number = self.contexts.get(context(line)).copied().unwrap_or_default();
        self.u32(number);
    }
}
