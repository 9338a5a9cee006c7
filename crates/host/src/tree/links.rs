//! Files of several names: what their names want, by device and inode, until all names were seen.
//!
//! A table of 16 bytes an entry; what does not fit is sorted and written to a temporary file that has no name, and merged at the end.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;

use rustc_hash::FxHashMap;

use super::Identity;

/// Bytes of the table before it is written away.
pub const MOST: usize = 32 << 20;
const ENTRY: usize = 16;
/// Bit of a context that says that names differ.
const DIFFER: u32 = 1 << 31;
/// More names than this are not counted.
const COUNTED: u32 = (1 << 20) - 1;
/// More file systems than this share a number, and their files are never the same.
const DEVICES: usize = (1 << 12) - 1;
/// Entries between two that the index of a merged file knows.
const STEP: usize = 256;

/// What is known once a name was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// More names are to come.
    More,
    /// This was the last name, and all want the same.
    Agreed,
    /// This name wants another context than one before: that one.
    Differ(u32),
}

/// What is known when all was walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// All names that were seen want this context.
    Agreed(u32),
    /// They want different ones.
    Differ,
    /// It is settled, or was never seen.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    /// Device number above, 20 bits of names still to come below; all zero for an empty slot.
    counted: u32,
    inode: u64,
    context: u32,
}

const EMPTY: Slot = Slot { counted: 0, inode: 0, context: 0 };

impl Slot {
    fn key(self) -> (u32, u64) {
        (self.counted >> 20, self.inode)
    }
}

/// A table of files with several names.
#[derive(Debug)]
pub struct Links {
    devices: FxHashMap<u64, u32>,
    contexts: FxHashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
    slots: Slots,
    most: usize,
    runs: Vec<File>,
    merged: Option<Merged>,
}

/// All runs as one, and every `STEP`th key of it.
#[derive(Debug)]
struct Merged {
    file: File,
    length: usize,
    index: Vec<(u32, u64)>,
}

impl Default for Links {
    fn default() -> Self {
        Self::with_room(MOST)
    }
}

impl Links {
    /// A table that keeps to so many bytes.
    pub fn with_room(bytes: usize) -> Self {
        Self {
            devices: FxHashMap::default(),
            contexts: FxHashMap::default(),
            names: Vec::new(),
            slots: Slots::default(),
            most: bytes / ENTRY,
            runs: Vec::new(),
            merged: None,
        }
    }

    /// A context by its number.
    pub fn context(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", |it| it)
    }

    /// Notes that a name of a file wants a context.
    ///
    /// # Errors
    /// If what does not fit cannot be written away.
    pub fn see(&mut self, file: &Identity, context: &str) -> io::Result<Seen> {
        let context = self.number(context);
        let Some(device) = self.device(file.device) else { return Ok(Seen::More) };
        if self.slots.used * 4 >= self.most * 3 {
            self.spill()?;
        }
        let left = u32::try_from(file.links.saturating_sub(1)).unwrap_or(COUNTED).min(COUNTED);
        let found = self.slots.find(device, file.inode);
        let Some(slot) = found else {
            let counted = device << 20 | left.max(1);
            self.slots.insert(Slot { counted, inode: file.inode, context });
            return Ok(Seen::More);
        };
        let before = slot.context;
        let differ = before & !DIFFER != context;
        if differ {
            slot.context |= DIFFER;
        }
        let left = slot.counted & COUNTED;
        // A count that has met its bound says nothing; nor has a run been counted.
        let last = left == 1 && self.runs.is_empty();
        if left > 1 && left < COUNTED {
            slot.counted -= 1;
        }
        if last {
            self.slots.remove(device, file.inode);
        }
        Ok(match before & DIFFER != 0 || differ {
            true => Seen::Differ(before & !DIFFER),
            false if last => Seen::Agreed,
            false => Seen::More,
        })
    }

    /// Notes which context a file is given if it is not known yet, else gives the one that it has: the first name counts.
    ///
    /// # Errors
    /// If what does not fit cannot be written away.
    pub fn first(&mut self, file: &Identity, context: &str) -> io::Result<Option<u32>> {
        let context = self.number(context);
        let Some(device) = self.device(file.device) else { return Ok(None) };
        if let Some(slot) = self.slots.find(device, file.inode) {
            return Ok(Some(slot.context));
        }
        if self.slots.used * 4 < self.most * 3 {
            self.slots.insert(Slot { counted: device << 20 | 1, inode: file.inode, context });
        }
        Ok(None)
    }

    /// Whether something was written away.
    pub fn is_spilled(&self) -> bool {
        self.merged.is_some() || !self.runs.is_empty()
    }

    /// Whether some files are not settled: their names have to be visited again.
    pub fn is_unsettled(&self) -> bool {
        self.slots.used > 0 || !self.runs.is_empty()
    }

    /// All was walked: what was written away is merged.
    ///
    /// # Errors
    /// If that cannot be read or written.
    pub fn finish(&mut self) -> io::Result<()> {
        if self.runs.is_empty() {
            return Ok(());
        }
        self.spill()?;
        let runs = std::mem::take(&mut self.runs);
        self.merged = Some(merge(runs)?);
        Ok(())
    }

    /// What is known of a file after [`Links::finish`].
    ///
    /// # Errors
    /// If what was written away cannot be read.
    pub fn resolve(&mut self, file: &Identity) -> io::Result<Resolved> {
        let Some(&device) = self.devices.get(&file.device) else { return Ok(Resolved::Unknown) };
        let slot = match &self.merged {
            Some(merged) => merged.find((device, file.inode))?,
            None => self.slots.find(device, file.inode).map(|it| *it),
        };
        Ok(match slot {
            None => Resolved::Unknown,
            Some(it) if it.context & DIFFER != 0 => Resolved::Differ,
            Some(it) => Resolved::Agreed(it.context),
        })
    }

    fn number(&mut self, context: &str) -> u32 {
        if let Some(&number) = self.contexts.get(context) {
            return number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(DIFFER) & !DIFFER;
        self.names.push(context.into());
        self.contexts.insert(context.into(), number);
        number
    }

    fn device(&mut self, device: u64) -> Option<u32> {
        let next = self.devices.len();
        if let Some(&number) = self.devices.get(&device) {
            return Some(number);
        }
        let number = u32::try_from(next).ok().filter(|_| next < DEVICES)?;
        self.devices.insert(device, number);
        Some(number)
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut slots = self.slots.take();
        slots.sort_unstable_by_key(|it| it.key());
        let mut file = BufWriter::new(tempfile::tempfile()?);
        slots.iter().try_for_each(|it| write(&mut file, *it))?;
        self.runs.push(file.into_inner()?);
        Ok(())
    }
}

fn write(to: &mut impl io::Write, slot: Slot) -> io::Result<()> {
    to.write_all(&slot.counted.to_ne_bytes())?;
    to.write_all(&slot.context.to_ne_bytes())?;
    to.write_all(&slot.inode.to_ne_bytes())
}

fn parse(bytes: [u8; ENTRY]) -> Slot {
    let [a, b, c, d, e, f, g, h, inode @ ..] = bytes;
    Slot {
        counted: u32::from_ne_bytes([a, b, c, d]),
        context: u32::from_ne_bytes([e, f, g, h]),
        inode: u64::from_ne_bytes(inode),
    }
}

/// Entries of a sorted run.
struct Run {
    file: BufReader<File>,
    next: Option<Slot>,
}

impl Run {
    fn new(mut file: File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut run = Self { file: BufReader::new(file), next: None };
        run.advance()?;
        Ok(run)
    }

    fn advance(&mut self) -> io::Result<()> {
        let mut bytes = [0; ENTRY];
        self.next = match self.file.read_exact(&mut bytes) {
            Ok(()) => Some(parse(bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(error),
        };
        Ok(())
    }
}

fn merge(runs: Vec<File>) -> io::Result<Merged> {
    let mut runs = runs.into_iter().map(Run::new).collect::<io::Result<Vec<_>>>()?;
    let mut file = BufWriter::new(tempfile::tempfile()?);
    let (mut length, mut index) = (0usize, Vec::new());
    let smallest = |runs: &[Run]| runs.iter().filter_map(|it| it.next).map(Slot::key).min();
    while let Some(key) = smallest(&runs) {
        let mut whole: Option<Slot> = None;
        for run in &mut runs {
            while let Some(slot) = run.next.filter(|it| it.key() == key) {
                match &mut whole {
                    None => whole = Some(slot),
                    Some(it) if it.context == slot.context => {}
                    Some(it) => it.context |= DIFFER,
                }
                run.advance()?;
            }
        }
        let Some(slot) = whole else { break };
        if length.is_multiple_of(STEP) {
            index.push(key);
        }
        write(&mut file, slot)?;
        length += 1;
    }
    Ok(Merged { file: file.into_inner()?, length, index })
}

impl Merged {
    fn find(&self, key: (u32, u64)) -> io::Result<Option<Slot>> {
        let Some(block) = self.index.partition_point(|it| *it <= key).checked_sub(1) else {
            return Ok(None);
        };
        let from = block * STEP;
        let mut bytes = vec![0; STEP.min(self.length - from) * ENTRY];
        let offset = u64::try_from(from * ENTRY).unwrap_or(u64::MAX);
        self.file.read_exact_at(&mut bytes, offset)?;
        let (entries, _) = bytes.as_chunks::<ENTRY>();
        Ok(entries.iter().map(|it| parse(*it)).find(|it| it.key() == key))
    }
}

/// Open addressing with linear steps.
#[derive(Debug, Default)]
struct Slots {
    table: Vec<Slot>,
    used: usize,
}

impl Slots {
    fn home(&self, device: u32, inode: u64) -> usize {
        let mixed = (inode ^ u64::from(device) << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mixed >> 32).unwrap_or(0) & (self.table.len() - 1)
    }

    fn find(&mut self, device: u32, inode: u64) -> Option<&mut Slot> {
        let at = self.place(device, inode)?;
        Some(&mut self.table[at])
    }

    fn place(&self, device: u32, inode: u64) -> Option<usize> {
        if self.table.is_empty() {
            return None;
        }
        let mut at = self.home(device, inode);
        while self.table[at] != EMPTY {
            if self.table[at].key() == (device, inode) {
                return Some(at);
            }
            at = (at + 1) & (self.table.len() - 1);
        }
        None
    }

    fn insert(&mut self, slot: Slot) {
        if (self.used + 1) * 4 > self.table.len() * 3 {
            let size = (self.table.len() * 2).max(64);
            let before = std::mem::replace(&mut self.table, vec![EMPTY; size]);
            before.into_iter().filter(|it| *it != EMPTY).for_each(|it| self.put(it));
        }
        self.put(slot);
        self.used += 1;
    }

    fn put(&mut self, slot: Slot) {
        let (device, inode) = slot.key();
        let mut at = self.home(device, inode);
        while self.table[at] != EMPTY {
            at = (at + 1) & (self.table.len() - 1);
        }
        self.table[at] = slot;
    }

    /// Removes an entry, and moves those behind it that would not be found any more.
    fn remove(&mut self, device: u32, inode: u64) {
        let Some(mut hole) = self.place(device, inode) else { return };
        let mask = self.table.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            if self.table[at] == EMPTY {
                break;
            }
            let (device, inode) = self.table[at].key();
            let home = self.home(device, inode);
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.table[hole] = self.table[at];
                hole = at;
            }
        }
        self.table[hole] = EMPTY;
        self.used -= 1;
    }

    /// All entries; the table is empty then.
    fn take(&mut self) -> Vec<Slot> {
        let mut table = std::mem::take(&mut self.table);
        self.used = 0;
        table.retain(|it| *it != EMPTY);
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(inode: u64, links: u64) -> Identity {
        Identity { device: 7, inode, mode: 0o100_644, links }
    }

    #[test]
    fn names_agree_or_differ() {
        let mut links = Links::default();
        assert_eq!(links.see(&file(1, 3), "a").unwrap(), Seen::More);
        assert_eq!(links.see(&file(2, 2), "a").unwrap(), Seen::More);
        assert_eq!(links.see(&file(1, 3), "a").unwrap(), Seen::More);
        assert_eq!(links.see(&file(1, 3), "a").unwrap(), Seen::Agreed);
        assert!(matches!(links.see(&file(2, 2), "b").unwrap(), Seen::Differ(_)));
        assert!(!links.is_unsettled());
        links.see(&file(3, 3), "a").unwrap();
        links.see(&file(4, 3), "a").unwrap();
        assert!(matches!(links.see(&file(4, 3), "b").unwrap(), Seen::Differ(_)));
        links.finish().unwrap();
        assert!(matches!(links.resolve(&file(3, 3)).unwrap(), Resolved::Agreed(_)));
        assert_eq!(links.resolve(&file(4, 3)).unwrap(), Resolved::Differ);
        assert_eq!(links.resolve(&file(1, 3)).unwrap(), Resolved::Unknown);
    }

    #[test]
    fn what_does_not_fit_is_found_all_the_same() {
        let mut links = Links::with_room(64 * 16);
        let wants = |inode: u64| if inode.is_multiple_of(3) { "b" } else { "a" };
        for inode in 1..2000 {
            links.see(&file(inode, 3), "a").unwrap();
        }
        for inode in (1..2000).rev() {
            links.see(&file(inode, 3), wants(inode)).unwrap();
        }
        assert!(links.runs.len() > 10);
        links.finish().unwrap();
        for inode in 1..2000 {
            let resolved = links.resolve(&file(inode, 3)).unwrap();
            let differ = resolved == Resolved::Differ;
            assert_eq!(differ, inode.is_multiple_of(3), "{inode}: {resolved:?}");
            assert!(resolved != Resolved::Unknown);
        }
        assert_eq!(links.resolve(&file(5000, 3)).unwrap(), Resolved::Unknown);
    }

    #[test]
    fn removal_keeps_the_rest() {
        let mut links = Links::default();
        for inode in 1..1000 {
            links.see(&file(inode * 64, 2), "a").unwrap();
        }
        for inode in (1..1000).step_by(2) {
            assert_eq!(links.see(&file(inode * 64, 2), "a").unwrap(), Seen::Agreed);
        }
        for inode in (2..1000).step_by(2) {
            assert_eq!(links.see(&file(inode * 64, 2), "a").unwrap(), Seen::Agreed);
        }
        assert!(!links.is_unsettled());
    }
}
