//! The SELinux label of one file, read and set through a descriptor that holds it.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, XattrFlags};
use rustix::io::Errno;

const ATTRIBUTE: &CStr = c"security.selinux";
/// What an attribute may hold at most.
const MOST: usize = 65_536;

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
        let mut value = vec![0; MOST];
        match rustix::fs::getxattr(self.path(), ATTRIBUTE, &mut value) {
            Ok(length) => {
                value.truncate(length);
                value.truncate(value.strip_suffix(b"\0").map_or(length, <[u8]>::len));
                Ok(Some(value))
            }
            Err(Errno::NODATA) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets its label.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set_label(&self, context: &[u8]) -> io::Result<()> {
        let value = [context, b"\0"].concat();
        Ok(rustix::fs::setxattr(self.path(), ATTRIBUTE, &value, XattrFlags::empty())?)
    }

    /// The kernel has no calls for attributes of what is open as a path; this leads to the file itself.
    fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }
}
