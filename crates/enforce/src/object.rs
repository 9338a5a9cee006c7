//! Files as the monitor holds them: by descriptor, so that what was decided about is what is used.

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Statx, StatxFlags, statx};
use rustix::io::Errno;

use crate::class::Class;

/// What a file is to the file system: the same number may come back for another file, but not with the same birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Inode {
    pub(crate) device: u64,
    pub(crate) number: u64,
}

/// What is known of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) inode: Inode,
    /// When it came to be, in nanoseconds; 0 where the file system does not keep it.
    pub(crate) born: i128,
    pub(crate) mode: u32,
    pub(crate) links: u32,
    pub(crate) owner: u32,
    pub(crate) mount: u64,
}

impl Facts {
    /// Of an open file.
    pub(crate) fn of(file: BorrowedFd<'_>) -> Result<Self, Errno> {
        told(file).map(|it| Self::from(&it))
    }

    fn from(it: &Statx) -> Self {
        let device = rustix::fs::makedev(it.stx_dev_major, it.stx_dev_minor);
        // A file of an image may have none although its file system keeps it: then those that come later do not have 0.
        let kept = it.stx_mask & StatxFlags::BTIME.bits() != 0;
        let born = it.stx_btime;
        let born = i128::from(born.tv_sec) * 1_000_000_000 + i128::from(born.tv_nsec);
        Self {
            inode: Inode { device, number: it.stx_ino },
            born: if kept { born.max(1) } else { 0 },
            mode: u32::from(it.stx_mode),
            links: it.stx_nlink,
            owner: it.stx_uid,
            mount: it.stx_mnt_id,
        }
    }

    pub(crate) fn kind(&self) -> u32 {
        self.mode & libc::S_IFMT
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.kind() == libc::S_IFDIR
    }

    pub(crate) fn is_link(&self) -> bool {
        self.kind() == libc::S_IFLNK
    }

    pub(crate) fn class(&self) -> Class {
        class_of(self.mode)
    }
}

/// What the file system tells of an open file.
fn told(file: BorrowedFd<'_>) -> Result<Statx, Errno> {
    let flags = StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID;
    statx(file, c"", AtFlags::EMPTY_PATH, flags)
}

/// The class of a kind of file.
pub(crate) fn class_of(mode: u32) -> Class {
    match mode & libc::S_IFMT {
        libc::S_IFDIR => Class::Dir,
        libc::S_IFLNK => Class::LnkFile,
        libc::S_IFCHR => Class::ChrFile,
        libc::S_IFBLK => Class::BlkFile,
        libc::S_IFSOCK => Class::SockFile,
        libc::S_IFIFO => Class::FifoFile,
        _ => Class::File,
    }
}

/// A file that is held.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) file: OwnedFd,
    pub(crate) facts: Facts,
    /// What its file system told of it then.
    pub(crate) told: Box<Statx>,
    /// Where it was found: absolute, without links, dots or doubled slashes. A name for labels and people; never opened again.
    pub(crate) path: Vec<u8>,
}

impl AsFd for Object {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Object {
    pub(crate) fn new(file: OwnedFd, path: Vec<u8>) -> Result<Self, Errno> {
        Self::at(file, |_, _| Ok(path))
    }

    /// Whose path comes from what is known of it.
    pub(crate) fn at(
        file: OwnedFd,
        path: impl FnOnce(BorrowedFd<'_>, &Facts) -> Result<Vec<u8>, Errno>,
    ) -> Result<Self, Errno> {
        let told = Box::new(told(file.as_fd())?);
        let facts = Facts::from(&told);
        let path = path(file.as_fd(), &facts)?;
        Ok(Self { file, facts, told, path })
    }

    /// The name by which it can be opened again, whatever its path leads to meanwhile.
    pub(crate) fn magic(&self) -> String {
        magic(self.as_fd())
    }
}

/// The name by which an open file can be opened again.
pub(crate) fn magic(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// A path and a name below it.
pub(crate) fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if path.ends_with(b"/") { b"" } else { b"/" };
    [path, slash, name].concat()
}
