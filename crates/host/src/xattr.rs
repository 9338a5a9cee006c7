//! Labels of files: one extended attribute, read by name in an open directory, written through a descriptor that holds the file.
//!
//! A path is never looked up again between decision and change: what is written to is held by a descriptor, reached as
//! `/proc/self/fd/N`, because the kernel has no call that sets an attribute of a symbolic link by descriptor.

#![expect(unsafe_code, reason = "getxattrat has no safe interface yet")]

use std::ffi::CStr;
use std::io::Write as _;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::OnceLock;

use rustix::fs::XattrFlags;
use rustix::io::Errno;

/// Where SELinux keeps the context of a file.
pub const SELINUX: &CStr = c"security.selinux";

/// What an attribute may hold at most.
const MOST: usize = 65_536;
/// Longer than almost all contexts.
const USUAL: usize = 256;

/// An attribute that is read again and again, and room for its value.
#[derive(Clone, Debug)]
pub struct Reader {
    attribute: &'static CStr,
    value: Vec<u8>,
}

impl Reader {
    /// Reads `attribute`.
    pub fn new(attribute: &'static CStr) -> Self {
        Self { attribute, value: vec![0; USUAL] }
    }

    /// The value of the entry `name` of a directory, links not followed; none if it has none.
    ///
    /// # Errors
    /// What the kernel says, as `ENOTSUP` where a file system keeps no attributes.
    pub fn at(&mut self, directory: BorrowedFd<'_>, name: &CStr) -> Result<Option<&[u8]>, Errno> {
        let attribute = self.attribute;
        if has_getxattrat() {
            self.read(|value| getxattrat(directory, name, attribute, value))
        } else {
            let path = below(directory, name);
            self.read(|value| rustix::fs::lgetxattr(&*path, attribute, value))
        }
    }

    /// The value of an open file; it may be open as a path only.
    ///
    /// # Errors
    /// What the kernel says; `ENOENT` also if `/proc` is not mounted.
    pub fn of(&mut self, file: BorrowedFd<'_>) -> Result<Option<&[u8]>, Errno> {
        let (attribute, path) = (self.attribute, ProcPath::new(file));
        self.read(|value| rustix::fs::getxattr(path.as_bytes(), attribute, value))
    }

    /// The value of an open directory, which needs no `/proc`.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn of_open(&mut self, file: BorrowedFd<'_>) -> Result<Option<&[u8]>, Errno> {
        let attribute = self.attribute;
        self.read(|value| rustix::fs::fgetxattr(file, attribute, value))
    }

    fn read(
        &mut self,
        get: impl Fn(&mut [u8]) -> Result<usize, Errno>,
    ) -> Result<Option<&[u8]>, Errno> {
        loop {
            match get(&mut self.value) {
                Ok(length) => {
                    let value = self.value.get(..length).unwrap_or(&[]);
                    return Ok(Some(value.strip_suffix(b"\0").unwrap_or(value)));
                }
                Err(Errno::NODATA) => return Ok(None),
                Err(Errno::RANGE) if self.value.len() < MOST => self.value.resize(MOST, 0),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Sets an attribute of an open file; it may be open as a path only.
///
/// # Errors
/// What the kernel says; `ENOENT` also if `/proc` is not mounted.
pub fn set(file: BorrowedFd<'_>, attribute: &CStr, value: &[u8]) -> Result<(), Errno> {
    let path = ProcPath::new(file);
    rustix::fs::setxattr(path.as_bytes(), attribute, value, XattrFlags::empty())
}

/// Sets an attribute of an open directory, which needs no `/proc`.
///
/// # Errors
/// What the kernel says.
pub fn set_open(file: BorrowedFd<'_>, attribute: &CStr, value: &[u8]) -> Result<(), Errno> {
    rustix::fs::fsetxattr(file, attribute, value, XattrFlags::empty())
}

/// A context as it is kept: with the zero byte that libselinux ends it with.
pub fn stored(context: &str) -> Vec<u8> {
    let mut value = Vec::with_capacity(context.len() + 1);
    value.extend_from_slice(context.as_bytes());
    value.push(0);
    value
}

/// `/proc/self/fd/N`, on the stack.
struct ProcPath {
    bytes: [u8; 32],
    length: usize,
}

impl ProcPath {
    fn new(file: BorrowedFd<'_>) -> Self {
        let mut bytes = [0; 32];
        let mut rest = &mut bytes[..];
        // A number of ten digits at most fits.
        let _ = write!(rest, "/proc/self/fd/{}", file.as_raw_fd());
        let length = 32 - rest.len();
        Self { bytes, length }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn below(directory: BorrowedFd<'_>, name: &CStr) -> Vec<u8> {
    let path = ProcPath::new(directory);
    [path.as_bytes(), b"/", name.to_bytes()].concat()
}

/// The number of the call, the same on every architecture but alpha.
const GETXATTRAT: libc::c_long = 464;

/// `struct xattr_args` of the kernel.
#[repr(C, align(8))]
struct XattrArgs {
    value: u64,
    size: u32,
    flags: u32,
}

/// Linux 6.13 has it; filters of system calls may keep it away.
fn has_getxattrat() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let here = rustix::fs::CWD;
        let found = getxattrat(here, c"/", c"user.mandate", &mut [0; 8]);
        !matches!(found, Err(Errno::NOSYS | Errno::PERM))
    })
}

fn getxattrat(
    directory: BorrowedFd<'_>,
    name: &CStr,
    attribute: &CStr,
    value: &mut [u8],
) -> Result<usize, Errno> {
    let args = XattrArgs {
        value: value.as_mut_ptr() as u64,
        size: u32::try_from(value.len()).unwrap_or(u32::MAX),
        flags: 0,
    };
    // SAFETY: the names end with a zero byte, `args` points to `size` bytes that are ours alone to write to, and all of them
    // outlive the call.
    let found = unsafe {
        libc::syscall(
            GETXATTRAT,
            directory.as_raw_fd(),
            name.as_ptr(),
            libc::AT_SYMLINK_NOFOLLOW,
            attribute.as_ptr(),
            &raw const args,
            size_of::<XattrArgs>(),
        )
    };
    usize::try_from(found).map_err(|_| {
        let error = std::io::Error::last_os_error();
        Errno::from_io_error(&error).unwrap_or(Errno::IO)
    })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use rustix::fs::{Mode, OFlags};

    use super::*;

    /// Users may set it on a file, not on a symbolic link.
    const ATTRIBUTE: &CStr = c"user.mandate";

    #[test]
    fn what_is_set_is_read_each_way() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), b"").unwrap();
        std::os::unix::fs::symlink("file", folder.path().join("link")).unwrap();
        let open = |name: &str, flags| {
            rustix::fs::open(folder.path().join(name), flags, Mode::empty()).unwrap()
        };
        let (directory, file) = (open("", OFlags::DIRECTORY), open("file", OFlags::PATH));
        let mut reader = Reader::new(ATTRIBUTE);
        assert_eq!(reader.at(directory.as_fd(), c"file"), Ok(None));
        set(file.as_fd(), ATTRIBUTE, &stored("a:b:c")).unwrap();
        assert_eq!(reader.at(directory.as_fd(), c"file"), Ok(Some(&b"a:b:c"[..])));
        assert_eq!(reader.of(file.as_fd()), Ok(Some(&b"a:b:c"[..])));
        assert_eq!(reader.at(directory.as_fd(), c"link"), Ok(None), "not followed");
        assert_eq!(reader.at(directory.as_fd(), c"none"), Err(Errno::NOENT));
        let long = vec![b'x'; 1000];
        set_open(directory.as_fd(), ATTRIBUTE, &long).unwrap();
        assert_eq!(reader.of_open(directory.as_fd()), Ok(Some(&long[..])));
        let path = below(directory.as_fd(), c"file");
        assert_eq!(rustix::fs::lgetxattr(&*path, ATTRIBUTE, &mut [0; 8]), Ok(6), "older kernels");
    }
}
