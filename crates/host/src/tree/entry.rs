//! What a walk shows of a file, and how it is held for a change.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, StatxFlags, XattrFlags};
use rustix::io::Errno;

use super::{BY_NAME, c_name};
use crate::xattr::{self, Reader};

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its file system.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Kind and permissions.
    pub mode: u32,
    /// How many names it has.
    pub links: u64,
}

impl Identity {
    /// A name in a directory, held.
    pub(super) fn hold(directory: BorrowedFd<'_>, name: &CStr) -> Result<(OwnedFd, Self), Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(directory, name, flags, Mode::empty())?;
        let identity = Self::of(&file)?;
        Ok((file, identity))
    }

    /// Of an open file.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn of(file: impl AsFd) -> Result<Self, Errno> {
        Ok(Self::of_stat(&rustix::fs::fstat(file)?))
    }

    fn of_stat(found: &rustix::fs::Stat) -> Self {
        #[allow(
            clippy::useless_conversion,
            clippy::unnecessary_cast,
            reason = "not on all machines"
        )]
        Self {
            device: found.st_dev as u64,
            inode: found.st_ino as u64,
            mode: found.st_mode.into(),
            links: found.st_nlink as u64,
        }
    }

    /// Of a name in a directory.
    pub(super) fn at(directory: BorrowedFd<'_>, name: &CStr) -> Result<Self, Errno> {
        let wanted = StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::INO | StatxFlags::NLINK;
        match rustix::fs::statx(directory, name, BY_NAME, wanted) {
            Ok(found) => Ok(Self {
                device: rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor),
                inode: found.stx_ino,
                mode: found.stx_mode.into(),
                links: found.stx_nlink.into(),
            }),
            // Linux before 4.11, and filters of system calls.
            Err(Errno::NOSYS | Errno::PERM) => Self::at_with_stat(directory, name),
            Err(error) => Err(error),
        }
    }

    fn at_with_stat(directory: BorrowedFd<'_>, name: &CStr) -> Result<Self, Errno> {
        Ok(Self::of_stat(&rustix::fs::statat(directory, name, BY_NAME)?))
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Whether it is a file of other names too, a directory never.
    pub fn has_other_names(&self) -> bool {
        self.links > 1 && !self.is_directory()
    }

    /// Whether it is the same file, of the same kind.
    pub fn same(&self, other: &Self) -> bool {
        let kind = |it: &Self| (it.device, it.inode, it.mode & 0o170_000);
        kind(self) == kind(other)
    }
}

/// Something that a walk came to.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its path, from the root of the walk as it was given.
    pub path: &'a [u8],
    /// Where the last name begins in it; 0 for the root of the walk.
    pub name_at: usize,
    /// What stands there.
    pub identity: Identity,
    /// How many directories of the walk are above.
    pub depth: usize,
    /// Differs from directory to directory within one visitor: the directory that it stands in.
    pub directory: u64,
    pub(super) handle: Handle<'a>,
}

/// How the kernel is told which file is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Handle<'a> {
    /// By its name in an open directory.
    Named(BorrowedFd<'a>),
    /// An open directory.
    Open(BorrowedFd<'a>),
    /// A file that is open as a path only.
    Path(BorrowedFd<'a>),
}

impl<'a> Entry<'a> {
    /// Its name in its directory; the whole path for the root of the walk.
    pub fn name(&self) -> &'a [u8] {
        self.path.get(self.name_at..).unwrap_or(&[])
    }

    /// Whether a descriptor holds the file already.
    pub fn is_held(&self) -> bool {
        !matches!(self.handle, Handle::Named(_))
    }

    /// Reads an attribute, by name if that is how it was found.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn read<'r>(&self, reader: &'r mut Reader) -> Result<Option<&'r [u8]>, Errno> {
        match self.handle {
            Handle::Named(directory) => reader.at(directory, &c_name(self.name())?),
            Handle::Open(file) => reader.of_open(file),
            Handle::Path(file) => reader.of(file),
        }
    }

    /// Holds the file, so that it stays the same file until it is changed. None if another file stands there now.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn pin(&self) -> Result<Option<Pinned<'a>>, Errno> {
        let directory = match self.handle {
            Handle::Named(directory) => directory,
            handle => return Ok(Some(Pinned { handle, owned: None, identity: self.identity })),
        };
        let (file, identity) = Identity::hold(directory, &c_name(self.name())?)?;
        let handle = Handle::Named(directory);
        let pinned = Pinned { handle, owned: Some(file), identity };
        Ok(self.identity.same(&identity).then_some(pinned))
    }

    /// All that is known of the file, if it is still the one that was found.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn stat(&self) -> Result<Option<rustix::fs::Stat>, Errno> {
        let found = match self.handle {
            Handle::Named(directory) => {
                rustix::fs::statat(directory, &*c_name(self.name())?, BY_NAME)?
            }
            Handle::Open(file) | Handle::Path(file) => rustix::fs::fstat(file)?,
        };
        Ok(self.identity.same(&Identity::of_stat(&found)).then_some(found))
    }

    /// Opens a regular file for reading, if it is still the file that was found.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(&self) -> Result<Option<OwnedFd>, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match self.handle {
            Handle::Named(directory) => {
                rustix::fs::openat(directory, &*c_name(self.name())?, flags, Mode::empty())?
            }
            Handle::Open(file) => rustix::fs::openat(file, c".", flags, Mode::empty())?,
            Handle::Path(file) => {
                use std::os::fd::AsRawFd as _;
                let path = format!("/proc/self/fd/{}", file.as_raw_fd());
                rustix::fs::open(path, flags & !OFlags::NOFOLLOW, Mode::empty())?
            }
        };
        Ok(self.identity.same(&Identity::of(&file)?).then_some(file))
    }

    /// Where a symbolic link leads.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn target(&self) -> Result<Vec<u8>, Errno> {
        let target = match self.handle {
            Handle::Named(directory) => {
                rustix::fs::readlinkat(directory, &*c_name(self.name())?, Vec::new())?
            }
            Handle::Open(file) | Handle::Path(file) => {
                rustix::fs::readlinkat(file, c"", Vec::new())?
            }
        };
        Ok(target.into_bytes())
    }
}

/// A file that is held by a descriptor.
#[derive(Debug)]
pub struct Pinned<'a> {
    handle: Handle<'a>,
    owned: Option<OwnedFd>,
    identity: Identity,
}

impl Pinned<'_> {
    /// What is held: names may have been added or removed.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Reads an attribute of it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn read<'r>(&self, reader: &'r mut Reader) -> Result<Option<&'r [u8]>, Errno> {
        match (&self.owned, self.handle) {
            (Some(file), _) => reader.of(file.as_fd()),
            (None, Handle::Open(file)) => reader.of_open(file),
            (None, Handle::Path(file) | Handle::Named(file)) => reader.of(file),
        }
    }

    /// Sets an attribute of it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set(&self, attribute: &CStr, value: &[u8]) -> Result<(), Errno> {
        self.set_with(attribute, value, xattr::ANY)
    }

    /// Sets an attribute that it does not have yet; whether it had none.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn create(&self, attribute: &CStr, value: &[u8]) -> Result<bool, Errno> {
        match self.set_with(attribute, value, xattr::CREATE) {
            Err(Errno::EXIST) => Ok(false),
            set => set.map(|()| true),
        }
    }

    fn set_with(&self, attribute: &CStr, value: &[u8], flags: XattrFlags) -> Result<(), Errno> {
        match (&self.owned, self.handle) {
            (Some(file), _) => xattr::set(file.as_fd(), attribute, value, flags),
            (None, Handle::Open(file)) => xattr::set_open(file, attribute, value, flags),
            (None, Handle::Path(file) | Handle::Named(file)) => {
                xattr::set(file, attribute, value, flags)
            }
        }
    }
}
