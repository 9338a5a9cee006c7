//! The guest's file system: a cpio archive in the "newc" form.

use std::io::Write as _;

const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_000;
const CONSOLE: u32 = 0o020_600;

/// Builds an archive entry by entry.
#[derive(Debug, Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    inodes: u32,
}

impl Archive {
    /// An archive with the directories and the console that the kernel expects.
    pub(super) fn new() -> Self {
        let mut archive = Self::default();
        for name in ["dev", "proc", "sys", "modules"] {
            archive.entry(name, DIRECTORY, (0, 0), &[]);
        }
        archive.entry("dev/console", CONSOLE, (5, 1), &[]);
        archive
    }

    /// Adds a regular file.
    pub(super) fn file(&mut self, name: &str, permissions: u32, data: &[u8]) {
        self.entry(name, FILE | permissions, (0, 0), data);
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.bytes
    }

    fn entry(&mut self, name: &str, mode: u32, (major, minor): (u32, u32), data: &[u8]) {
        self.inodes += 1;
        let (size, name_size) = (data.len(), name.len() + 1);
        let _memory_takes_all = write!(
            self.bytes,
            "070701{:08X}{mode:08X}{:08X}{:08X}{:08X}{:08X}{size:08X}{:08X}{:08X}{major:08X}{minor:08X}{name_size:08X}{:08X}{name}\0",
            self.inodes, 0, 0, 1, 0, 0, 0, 0
        );
        self.pad();
        self.bytes.extend_from_slice(data);
        self.pad();
    }

    fn pad(&mut self) {
        let whole = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(whole, 0);
    }
}
