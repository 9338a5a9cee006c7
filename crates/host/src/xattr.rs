//! Labels of files: one extended attribute, read by name in an open directory, written through a descriptor that holds the file.
//!
//! A path is never looked up again between decision and change: what is written to is held by a descriptor, reached as
//! `/proc/self/fd/N`, because the kernel has no call that sets an attribute of a symbolic link by descriptor.

#![expect(unsafe_code, reason = "getxattrat and setxattrat have no safe interface yet")]

use std::ffi::CStr;
use std::io::Write as _;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, XattrFlags};
use rustix::io::Errno;

/// Where SELinux keeps the context of a file.
pub const SELINUX: &CStr = c"security.selinux";

/// Set what is there or not.
pub const ANY: XattrFlags = XattrFlags::empty();
/// Set only what is not there yet.
pub const CREATE: XattrFlags = XattrFlags::CREATE;

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
            let flags = libc::AT_SYMLINK_NOFOLLOW;
            self.read(|value| getxattrat(directory, name, attribute, value, flags))
        } else {
            let path = [proc_path(directory).as_slice(), b"/", name.to_bytes()].concat();
            self.read(|value| rustix::fs::lgetxattr(&*path, attribute, value))
        }
    }

    /// The value of an open file; it may be open as a path only.
    ///
    /// # Errors
    /// What the kernel says; `ENOENT` also if `/proc` is not mounted.
    pub fn of(&mut self, file: BorrowedFd<'_>) -> Result<Option<&[u8]>, Errno> {
        let attribute = self.attribute;
        if let Some(descriptors) = descriptors() {
            let name = Number::new(file);
            return self
                .read(|value| getxattrat(descriptors, name.as_c_str(), attribute, value, 0));
        }
        let path = proc_path(file);
        self.read(|value| rustix::fs::getxattr(&*path, attribute, value))
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
/// What the kernel says; `EEXIST` if it is to be [`CREATE`]d and exists; `ENOENT` also if `/proc` is not mounted.
pub fn set(
    file: BorrowedFd<'_>,
    attribute: &CStr,
    value: &[u8],
    flags: XattrFlags,
) -> Result<(), Errno> {
    match descriptors() {
        Some(it) => setxattrat(it, Number::new(file).as_c_str(), attribute, value, flags),
        None => rustix::fs::setxattr(&*proc_path(file), attribute, value, flags),
    }
}

/// Sets an attribute of an open directory, which needs no `/proc`.
///
/// # Errors
/// What the kernel says.
pub fn set_open(
    file: BorrowedFd<'_>,
    attribute: &CStr,
    value: &[u8],
    flags: XattrFlags,
) -> Result<(), Errno> {
    rustix::fs::fsetxattr(file, attribute, value, flags)
}

/// A context as it is kept: with the zero byte that libselinux ends it with.
pub fn stored(context: &str) -> Vec<u8> {
    let mut value = Vec::with_capacity(context.len() + 1);
    value.extend_from_slice(context.as_bytes());
    value.push(0);
    value
}

/// The number of a descriptor, its name in `/proc/self/fd`.
struct Number([u8; 12]);

impl Number {
    fn new(file: BorrowedFd<'_>) -> Self {
        let mut bytes = [0; 12];
        // Ten digits at most, and the zero byte behind.
        let _ = write!(&mut bytes[..11], "{}", file.as_raw_fd());
        Self(bytes)
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }
}

fn proc_path(file: BorrowedFd<'_>) -> Vec<u8> {
    [b"/proc/self/fd/", Number::new(file).as_c_str().to_bytes()].concat()
}

/// `/proc/self/fd`, held so that the way there is not looked up each time; none where the calls that take it are missing.
fn descriptors() -> Option<BorrowedFd<'static>> {
    static HELD: OnceLock<Option<OwnedFd>> = OnceLock::new();
    let open = || {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(c"/proc/self/fd", flags, Mode::empty()).ok()
    };
    HELD.get_or_init(|| has_getxattrat().then(open).flatten()).as_ref().map(AsFd::as_fd)
}

/// The numbers of the calls, the same on every architecture but alpha.
const SETXATTRAT: libc::c_long = 463;
const GETXATTRAT: libc::c_long = 464;

/// `struct xattr_args` of the kernel.
#[repr(C, align(8))]
struct XattrArgs {
    value: u64,
    size: u32,
    flags: u32,
}

/// Linux 6.13 has it, and `setxattrat`; filters of system calls may keep them away.
fn has_getxattrat() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let here = rustix::fs::CWD;
        let found = getxattrat(here, c"/", c"user.mandate", &mut [0; 8], 0);
        !matches!(found, Err(Errno::NOSYS | Errno::PERM))
    })
}

fn getxattrat(
    directory: BorrowedFd<'_>,
    name: &CStr,
    attribute: &CStr,
    value: &mut [u8],
    flags: libc::c_int,
) -> Result<usize, Errno> {
    let args = XattrArgs {
        value: value.as_mut_ptr() as u64,
        size: u32::try_from(value.len()).unwrap_or(u32::MAX),
        flags: 0,
    };
    // SAFETY: `args` points to `size` bytes that are ours alone to write to, and that outlive the call.
    unsafe { xattrat(GETXATTRAT, directory, name, attribute, &args, flags) }
}

fn setxattrat(
    directory: BorrowedFd<'_>,
    name: &CStr,
    attribute: &CStr,
    value: &[u8],
    flags: XattrFlags,
) -> Result<(), Errno> {
    let args = XattrArgs {
        value: value.as_ptr() as u64,
        size: u32::try_from(value.len()).map_err(|_| Errno::TOOBIG)?,
        flags: flags.bits(),
    };
    // SAFETY: `args` points to `size` bytes, which outlive the call and are only read.
    unsafe { xattrat(SETXATTRAT, directory, name, attribute, &args, 0) }.map(drop)
}

/// # Safety
/// What `args` points to must be fit for what the call does with it.
unsafe fn xattrat(
    call: libc::c_long,
    directory: BorrowedFd<'_>,
    name: &CStr,
    attribute: &CStr,
    args: &XattrArgs,
    flags: libc::c_int,
) -> Result<usize, Errno> {
    // SAFETY: the names end with a zero byte; names and `args` outlive the call, and the caller answers for the value.
    let found = unsafe {
        libc::syscall(
            call,
            directory.as_raw_fd(),
            name.as_ptr(),
            flags,
            attribute.as_ptr(),
            std::ptr::from_ref(args),
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
        set(file.as_fd(), ATTRIBUTE, &stored("a:b:c"), CREATE).unwrap();
        let again = set(file.as_fd(), ATTRIBUTE, &stored("d:e:f"), CREATE);
        assert_eq!(again, Err(Errno::EXIST), "it is there");
        assert_eq!(reader.at(directory.as_fd(), c"file"), Ok(Some(&b"a:b:c"[..])));
        assert_eq!(reader.of(file.as_fd()), Ok(Some(&b"a:b:c"[..])));
        assert_eq!(reader.at(directory.as_fd(), c"link"), Ok(None), "not followed");
        assert_eq!(reader.at(directory.as_fd(), c"none"), Err(Errno::NOENT));
        let long = vec![b'x'; 1000];
        set_open(directory.as_fd(), ATTRIBUTE, &long, ANY).unwrap();
        assert_eq!(reader.of_open(directory.as_fd()), Ok(Some(&long[..])));
        let path = proc_path(file.as_fd());
        assert_eq!(rustix::fs::getxattr(&*path, ATTRIBUTE, &mut [0; 8]), Ok(6), "older kernels");
    }
}
