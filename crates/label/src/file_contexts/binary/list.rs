//! Versions 1 to 5: directories, then lines one after the other.

use super::wire::{BinaryError, BinaryErrorKind, Cursor};
use super::{Engine, Entry, MAGIC, WITH_ARCHITECTURE, WITH_PREFIX, WriteError, context, place};
use crate::FileType;
use crate::file_contexts::LineRef;

pub(super) fn read<'a>(
    cursor: &mut Cursor<'a>,
    version: u32,
    values: u32,
) -> Result<Vec<Entry<'a>>, BinaryError> {
    for _ in 0..cursor.u32()? {
        let length = cursor.length()?;
        cursor.take(length.saturating_add(1), "a directory")?;
    }
    let count = cursor.u32()?;
    let mut entries = Vec::new();
    for number in 0..count {
        let length = cursor.length()?;
        let context = cursor.word(length, "a context")?;
        let length = cursor.length()?;
        let pattern = cursor.word(length, "a pattern")?;
        let mode = cursor.u32()?;
        let file_type = FileType::of_mode(mode);
        if file_type.is_none() && mode != 0 {
            return Err(cursor.error(BinaryErrorKind::Unknown("file type", mode)));
        }
        let (_directory, _has_meta) = (cursor.u32()?, cursor.u32()?);
        if version >= WITH_PREFIX {
            cursor.u32()?;
        }
        cursor.skip_values(values)?;
        entries.push(Entry { pattern, file_type, context, number });
    }
    Ok(entries)
}

/// Characters that libselinux below 3.8 takes for the beginning of an expression.
const META: &[u8] = b".^$?*+|[({";

/// Where the expression in a pattern begins; a backslash hides the character behind it.
fn first_meta(pattern: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 1,
            it if META.contains(it) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The directory at the root that a pattern begins with, as `/usr`; only paths in it are compared.
fn stem(pattern: &[u8]) -> Option<&[u8]> {
    let end = pattern.iter().skip(1).position(|&it| it == b'/')? + 1;
    let stem = pattern.get(..end)?;
    (!stem.iter().any(|it| META.contains(it))).then_some(stem)
}

pub(super) fn write(lines: &[LineRef<'_>], engine: &Engine) -> Result<Vec<u8>, WriteError> {
    if lines.is_empty() {
        return Err(WriteError::Empty);
    }
    let mut to = Writer(Vec::new());
    to.number(MAGIC);
    to.number(WITH_ARCHITECTURE);
    for text in [&engine.version, &engine.architecture] {
        to.length(text.len(), "bytes of a version")?;
        to.0.extend_from_slice(text.as_bytes());
    }
    let mut stems: Vec<&[u8]> = Vec::new();
    let mut numbers = rustc_hash::FxHashMap::default();
    for stem in lines.iter().filter_map(|it| stem(it.pattern().as_bytes())) {
        numbers.entry(stem).or_insert_with(|| {
            stems.push(stem);
            stems.len() - 1
        });
    }
    to.length(stems.len(), "directories")?;
    for stem in &stems {
        to.length(stem.len(), "bytes of a directory")?;
        to.0.extend_from_slice(stem);
        to.0.push(0);
    }
    to.length(lines.len(), "lines")?;
    let is_meta = |it: &&LineRef<'_>| first_meta(it.pattern().as_bytes()).is_some();
    // What comes last is asked first, and a path as it is shall win.
    let ordered = lines.iter().filter(is_meta).chain(lines.iter().filter(|it| !is_meta(it)));
    for line in ordered {
        let pattern = line.pattern().as_bytes();
        to.word(context(*line).as_bytes(), *line, "a context")?;
        to.word(pattern, *line, "a pattern")?;
        to.number(line.file_type().map_or(0, FileType::mode));
        let stem = stem(pattern).and_then(|it| numbers.get(it));
        to.number(stem.and_then(|&it| u32::try_from(it).ok()).unwrap_or(u32::MAX));
        let meta = first_meta(pattern);
        to.number(u32::from(meta.is_some()));
        to.length(meta.unwrap_or(pattern.len()), "bytes of a prefix")?;
        // no compiled expression
        to.number(0);
    }
    Ok(to.0)
}

/// Numbers in the byte order of this machine.
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_ne_bytes());
    }

    fn length(&mut self, length: usize, what: &'static str) -> Result<(), WriteError> {
        self.number(u32::try_from(length).map_err(|_| WriteError::TooMany(what))?);
        Ok(())
    }

    fn word(
        &mut self,
        word: &[u8],
        line: LineRef<'_>,
        what: &'static str,
    ) -> Result<(), WriteError> {
        let most = u32::MAX as usize - 1;
        if word.len() > most {
            let (length, place) = (word.len(), place(line));
            return Err(WriteError::TooLong { place, what, length, most });
        }
        self.length(word.len() + 1, what)?;
        self.0.extend_from_slice(word);
        self.0.push(0);
        Ok(())
    }
}
