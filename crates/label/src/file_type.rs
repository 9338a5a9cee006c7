//! Kinds of files, as file contexts tell them apart.

/// A kind of file. Numbers are those of compiled file contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FileType {
    /// `-d`.
    Directory = 1,
    /// `-c`.
    Character = 2,
    /// `-b`.
    Block = 3,
    /// `-s`.
    Socket = 4,
    /// `-p`.
    Pipe = 5,
    /// `-l`.
    SymbolicLink = 6,
    /// `--`.
    Regular = 7,
}

impl FileType {
    /// All kinds, with how file contexts write them.
    pub const ALL: [(&'static str, Self); 7] = [
        ("-d", Self::Directory),
        ("-c", Self::Character),
        ("-b", Self::Block),
        ("-s", Self::Socket),
        ("-p", Self::Pipe),
        ("-l", Self::SymbolicLink),
        ("--", Self::Regular),
    ];

    /// As it is written in file contexts.
    pub fn as_str(self) -> &'static str {
        Self::ALL[usize::from(self as u8) - 1].0
    }

    /// The kind that `text` names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|it| it.0 == text).map(|it| it.1)
    }

    /// The kind of a file with this `st_mode`; none for a mode without a kind.
    pub fn of_mode(mode: u32) -> Option<Self> {
        Some(match mode & 0o170_000 {
            0o040_000 => Self::Directory,
            0o020_000 => Self::Character,
            0o060_000 => Self::Block,
            0o140_000 => Self::Socket,
            0o010_000 => Self::Pipe,
            0o120_000 => Self::SymbolicLink,
            0o100_000 => Self::Regular,
            _ => return None,
        })
    }

    /// The kind as bits of `st_mode`.
    pub fn mode(self) -> u32 {
        match self {
            Self::Directory => 0o040_000,
            Self::Character => 0o020_000,
            Self::Block => 0o060_000,
            Self::Socket => 0o140_000,
            Self::Pipe => 0o010_000,
            Self::SymbolicLink => 0o120_000,
            Self::Regular => 0o100_000,
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Character => "character device",
            Self::Block => "block device",
            Self::Socket => "socket",
            Self::Pipe => "pipe",
            Self::SymbolicLink => "symbolic link",
            Self::Regular => "file",
        }
    }

    /// The class of objects that such files are.
    pub fn class(self) -> &'static str {
        match self {
            Self::Directory => "dir",
            Self::Character => "chr_file",
            Self::Block => "blk_file",
            Self::Socket => "sock_file",
            Self::Pipe => "fifo_file",
            Self::SymbolicLink => "lnk_file",
            Self::Regular => "file",
        }
    }
}
