//! A directory on the way: what is left of it.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{FileType, RawDir, SeekFrom};
use rustix::io::Errno;

use super::Identity;
use super::journal::Node;

/// How much of a directory is read at once, and how little when memory is short.
pub(super) const PIECE: usize = 64 * 1024;
const SMALL_PIECE: usize = 4 * 1024;

/// A directory that was entered.
#[derive(Debug)]
pub(super) struct Directory {
    /// None while descriptors are short.
    pub(super) file: Option<OwnedFd>,
    pub(super) identity: Identity,
    /// Differs from directory to directory.
    pub(super) number: u64,
    /// Length of its path in that of the walk.
    pub(super) path: usize,
    /// Where its name begins there.
    pub(super) name_at: usize,
    /// The piece that was read: place behind the entry (8 bytes), kind, name, zero byte.
    entries: Vec<u8>,
    at: usize,
    /// Where the last entry that was given ends.
    consumed: u64,
    /// Where the next piece begins.
    position: u64,
    /// No more pieces.
    end: bool,
    /// The descriptor stands elsewhere than `position`.
    moved: bool,
    /// All below was done by this thread, without failure.
    pub(super) whole: bool,
    pub(super) node: Option<Arc<Node>>,
}

impl Directory {
    pub(super) fn new(
        file: OwnedFd,
        identity: Identity,
        path: usize,
        name_at: usize,
        node: Option<Arc<Node>>,
    ) -> Self {
        Self {
            file: Some(file),
            identity,
            number: 0,
            path,
            name_at,
            entries: Vec::new(),
            at: 0,
            consumed: 0,
            position: 0,
            end: false,
            moved: false,
            whole: true,
            node,
        }
    }

    /// The next entry: its kind as the directory knows it, and its name with the zero byte. None at the end.
    pub(super) fn next(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        short: bool,
    ) -> Result<Option<(FileType, &[u8])>, Errno> {
        while self.at >= self.entries.len() {
            if self.end {
                return Ok(None);
            }
            self.read(buffer, short)?;
        }
        let rest = self.entries.get(self.at..).unwrap_or(&[]);
        let Some((place, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
        let Some((kind, rest)) = rest.split_first() else { return Ok(None) };
        let length = rest.iter().position(|&it| it == 0).map_or(rest.len(), |it| it + 1);
        self.at += 9 + length;
        self.consumed = u64::from_ne_bytes(*place);
        Ok(Some((kind_of(*kind), rest.get(..length).unwrap_or(&[]))))
    }

    fn read(&mut self, buffer: &mut [MaybeUninit<u8>], short: bool) -> Result<(), Errno> {
        let Some(file) = &self.file else { return Err(Errno::BADF) };
        if self.moved {
            rustix::fs::seek(file, SeekFrom::Start(self.position))?;
            self.moved = false;
        }
        self.entries.clear();
        self.at = 0;
        let size = if short { SMALL_PIECE } else { PIECE }.min(buffer.len());
        let mut raw = RawDir::new(file, &mut buffer[..size]);
        loop {
            let Some(entry) = raw.next() else {
                self.end = true;
                return Ok(());
            };
            let entry = entry?;
            self.position = entry.next_entry_cookie();
            let name = entry.file_name().to_bytes_with_nul();
            if name != b".\0" && name != b"..\0" {
                self.entries.extend_from_slice(&self.position.to_ne_bytes());
                self.entries.push(number_of(entry.file_type()));
                self.entries.extend_from_slice(name);
            }
            if raw.is_buffer_empty() {
                return Ok(());
            }
        }
    }

    /// How much memory the piece takes.
    pub(super) fn held(&self) -> usize {
        self.entries.capacity()
    }

    /// Forgets what is left of the piece; it is read again.
    pub(super) fn forget(&mut self) {
        if self.has_piece() {
            self.position = self.consumed;
            self.end = false;
            self.moved = true;
        }
        self.entries = Vec::new();
        self.at = 0;
    }

    /// Closes it for now.
    pub(super) fn close(&mut self) -> bool {
        self.moved = true;
        self.file.take().is_some()
    }

    /// Whether nothing is left; what was not read yet counts as something.
    pub(super) fn is_done(&self) -> bool {
        self.end && !self.has_piece()
    }

    /// Ends it here.
    pub(super) fn finish(&mut self) {
        self.end = true;
        self.entries = Vec::new();
        self.at = 0;
    }

    fn has_piece(&self) -> bool {
        self.at < self.entries.len()
    }

    /// What another thread can do of it: all that is left, or, if this thread goes on with it, half of the piece.
    pub(super) fn split(&mut self, all: bool) -> Option<Self> {
        let file = self.file.as_ref()?.try_clone().ok()?;
        let mut given = Self::new(file, self.identity, self.path, self.name_at, self.node.clone());
        if all {
            given.entries = std::mem::take(&mut self.entries);
            (given.at, given.position, given.end) = (self.at, self.position, self.end);
            given.moved = self.moved;
            self.finish();
        } else {
            let middle = self.middle()?;
            given.entries = self.entries.split_off(middle);
            given.end = true;
        }
        given.whole = false;
        self.whole = false;
        Some(given)
    }

    /// Where the second half of the piece begins; none if there is little left.
    fn middle(&self) -> Option<usize> {
        let left = self.entries.len().checked_sub(self.at)?;
        let half = self.at + left / 2;
        let mut at = self.at;
        while at < half {
            let name = self.entries.get(at + 9..)?;
            at += 10 + name.iter().position(|&it| it == 0)?;
        }
        (left > SMALL_PIECE / 4 && at < self.entries.len()).then_some(at)
    }
}

const KINDS: [FileType; 8] = [
    FileType::Unknown,
    FileType::RegularFile,
    FileType::Directory,
    FileType::Symlink,
    FileType::Fifo,
    FileType::Socket,
    FileType::CharacterDevice,
    FileType::BlockDevice,
];

fn number_of(kind: FileType) -> u8 {
    (0..).zip(KINDS).find(|it| it.1 == kind).map_or(0, |it| it.0)
}

fn kind_of(number: u8) -> FileType {
    KINDS.get(usize::from(number)).copied().unwrap_or(FileType::Unknown)
}
