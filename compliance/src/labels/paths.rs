//! Paths to ask about: those of a real tree, those that patterns describe, and hostile ones.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use mandate_label::FileType;

use super::oracle::Record;
use crate::random::Random;

/// A directory of a real tree.
pub(super) struct Directory {
    pub(super) path: Vec<u8>,
    pub(super) entries: Vec<(Vec<u8>, FileType)>,
}

/// All directories below `root`, in the order in which a walk meets them. What cannot be read is left out.
pub(super) fn walk(root: &Path) -> Vec<Directory> {
    let mut all = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&path) else { continue };
        let mut directory =
            Directory { path: path.as_os_str().as_bytes().to_owned(), entries: Vec::new() };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let kind = file_type(kind);
            if kind == FileType::Directory {
                pending.push(entry.path());
            }
            directory.entries.push((entry.file_name().as_bytes().to_owned(), kind));
        }
        all.push(directory);
    }
    all
}

fn file_type(kind: std::fs::FileType) -> FileType {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        it if it.is_dir() => FileType::Directory,
        it if it.is_symlink() => FileType::SymbolicLink,
        it if it.is_char_device() => FileType::Character,
        it if it.is_block_device() => FileType::Block,
        it if it.is_fifo() => FileType::Pipe,
        it if it.is_socket() => FileType::Socket,
        _ => FileType::Regular,
    }
}

/// The paths of a walk.
pub(super) fn records(walk: &[Directory]) -> Vec<Record> {
    let paths = walk.iter().flat_map(|directory| {
        directory.entries.iter().map(|(name, kind)| {
            let path = [&directory.path, name.as_slice()].join(&b'/');
            Record { kind: Some(*kind), path }
        })
    });
    paths.collect()
}

/// About `most` of them, from everywhere.
pub(super) fn sample(records: &[Record], most: usize) -> Vec<Record> {
    let step = records.len().div_ceil(most.max(1)).max(1);
    records.iter().step_by(step).cloned().collect()
}

/// A kind of file, or none.
pub(super) fn any_kind(random: &mut Random) -> Option<FileType> {
    let kind = random.pick(&FileType::ALL).map(|it| it.1);
    kind.filter(|_| !random.chance(12))
}

/// So many paths that patterns describe, each with one beside it that may be described no more.
pub(super) fn made(
    random: &mut Random,
    patterns: &[(Option<FileType>, String)],
    many: usize,
) -> Vec<Record> {
    let mut records = Vec::new();
    for (kind, pattern) in patterns.iter().cycle() {
        if records.len() >= many || pattern.is_empty() {
            break;
        }
        let path = Maker { pattern: pattern.as_bytes(), at: 0, random }.alternatives();
        let kind = kind.or_else(|| any_kind(random));
        let beside = [&b""[..], b".bak", b"/", b"/a", b"2"];
        let end = random.pick(&beside).copied().unwrap_or_default();
        let near = Record { kind: any_kind(random), path: [&path, end].concat() };
        records.extend([Record { kind, path }, near]);
    }
    records.truncate(many);
    records
}

/// Reads a pattern and makes a path of it as it goes.
struct Maker<'a> {
    pattern: &'a [u8],
    at: usize,
    random: &'a mut Random,
}

impl Maker<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.pattern.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn alternatives(&mut self) -> Vec<u8> {
        let mut all = vec![Vec::new()];
        while let Some(byte) = self.next() {
            match byte {
                b')' => break,
                b'|' => all.push(Vec::new()),
                _ => {
                    let piece = self.piece(byte);
                    let piece = self.repeated(piece);
                    if let Some(last) = all.last_mut() {
                        last.extend(piece);
                    }
                }
            }
        }
        self.random.pick(&all).cloned().unwrap_or_default()
    }

    fn piece(&mut self, byte: u8) -> Vec<u8> {
        match byte {
            b'(' => self.alternatives(),
            b'[' => vec![self.class()],
            b'.' => vec![*self.random.pick(b"abz9_-.").unwrap_or(&b'a')],
            b'^' | b'$' => Vec::new(),
            b'\\' => self.next().into_iter().collect(),
            _ => vec![byte],
        }
    }

    fn repeated(&mut self, piece: Vec<u8>) -> Vec<u8> {
        let times = match self.pattern.get(self.at) {
            Some(b'?') => self.random.below(2),
            Some(b'*') => self.random.below(3),
            Some(b'+') => self.random.between(1, 3),
            _ => return piece,
        };
        self.at += 1;
        piece.repeat(times)
    }

    /// A byte of a set, or of none when that is simpler.
    fn class(&mut self) -> u8 {
        let start = self.at;
        self.at += usize::from(self.pattern.get(self.at) == Some(&b'^'));
        let negated = self.at > start;
        let first = self.at;
        self.at += usize::from(self.pattern.get(self.at) == Some(&b']'));
        while self.next().is_some_and(|it| it != b']') {}
        let inside = self.pattern.get(first..self.at.saturating_sub(1)).unwrap_or_default();
        let (own, any) = (self.random.pick(inside), b'q');
        if negated { any } else { own.copied().unwrap_or(any) }
    }
}

/// Names and parts of names that patterns hold without meta characters.
pub(super) fn words(patterns: &[(Option<FileType>, String)]) -> Vec<Vec<u8>> {
    let is_plain = |it: &u8| it.is_ascii_alphanumeric() || b"_-/".contains(it);
    let mut words = BTreeSet::new();
    for (_, pattern) in patterns {
        for run in pattern.as_bytes().chunk_by(|one, other| is_plain(one) && is_plain(other)) {
            if run.first().is_some_and(is_plain) {
                words.insert(run.to_owned());
            }
        }
    }
    words.into_iter().collect()
}

/// Names that nobody gives a file: white space and newlines at the end, bytes that are no text, slashes in a row, no slash at all, nothing.
pub(super) fn hostile(random: &mut Random, words: &[Vec<u8>], many: usize) -> Vec<Record> {
    (0..many)
        .map(|_| Record { kind: any_kind(random), path: hostile_path(random, words) })
        .collect()
}

fn hostile_path(random: &mut Random, words: &[Vec<u8>]) -> Vec<u8> {
    const ODD: [&[u8]; 16] = [
        b"/",
        b"//",
        b"///",
        b".",
        b"..",
        b"/.",
        b"/..",
        b"/./",
        b"/../",
        b"\n",
        b"\xff",
        b"\xc3\xa9",
        b" ",
        b"\\",
        b"*",
        b"\x01",
    ];
    if random.chance(1) {
        let whole: [&[u8]; 6] = [b"", b"/", b"//", b".", b"..", b"\n"];
        return random.pick(&whole).copied().unwrap_or_default().to_owned();
    }
    let mut path = Vec::new();
    for _ in 0..random.between(1, 4) {
        match random.chance(75) {
            true => path.extend_from_slice(random.pick(words).map_or(b"/a", Vec::as_slice)),
            false => path.extend_from_slice(random.pick(&ODD).copied().unwrap_or_default()),
        }
        if random.chance(30) {
            path.push(b'/');
        }
    }
    let ends: [&[u8]; 8] = [b"", b"", b"", b"", b"\n", b"/", b"//", b"\n\n"];
    path.extend_from_slice(random.pick(&ends).copied().unwrap_or_default());
    if random.chance(90) && path.first() != Some(&b'/') {
        path.insert(0, b'/');
    }
    path
}
