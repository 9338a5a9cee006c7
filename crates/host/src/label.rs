//! The SELinux label of one file, read and set through a descriptor that holds it.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::xattr;

/// A file that is held, whatever becomes of its name.
#[derive(Debug)]
pub struct Held(OwnedFd);

impl Held {
    /// Holds a file; a symbolic link itself, unless it is to be followed.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(path: &Path, follow: bool) -> io::Result<Self> {
        let links = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::PATH | OFlags::CLOEXEC | links;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Its label, without the zero byte at the end; none if it has none.
    ///
    /// # Errors
    /// What the kernel says, as `ENOTSUP` where a file system keeps no labels; `ENOENT` also if `/proc` is not mounted.
    pub fn label(&self) -> io::Result<Option<Vec<u8>>> {
        let mut reader = xattr::Reader::new(xattr::SELINUX);
        Ok(reader.of(self.0.as_fd())?.map(<[u8]>::to_vec))
    }

    /// Sets its label.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set_label(&self, context: &[u8]) -> io::Result<()> {
        Ok(xattr::set(self.0.as_fd(), xattr::SELINUX, &[context, b"\0"].concat(), xattr::ANY)?)
    }
}
