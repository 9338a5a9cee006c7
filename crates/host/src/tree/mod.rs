//! Walks trees of files by directory descriptors: no path is looked up from the top, no symbolic link is followed.
//!
//! Somebody may rename and link in the tree while it is walked. An entry is looked at by name in its open directory; whoever
//! wants to change it gets a descriptor that holds what was looked at ([`Entry::pin`]), or is told that it is another file now.
//!
//! Memory is bounded by depth, not by width: a directory is read in pieces, and its subdirectories are entered on the way. Threads
//! that have nothing to do are given what is left of the topmost directory of another. Descriptors are bounded too: of a deep chain
//! the ones above are closed, and opened again on the way back.

mod directory;
mod entry;
pub mod journal;
pub mod links;
mod mounts;
mod share;
mod worker;

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

pub use entry::{Entry, Identity, Pinned};
pub use mounts::estimate;

use journal::Journal;

/// Longer paths are not entered: `PATH_MAX` sixteen times. It bounds the depth, and thus memory.
pub const LONGEST_PATH: usize = 65_536;

/// What a visitor wants after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on, into the entry if it is a directory.
    On,
    /// As [`Next::On`], but what stands here is not settled: a walk that resumes has to come here again.
    Unsettled,
    /// Do not enter this directory.
    Skip,
    /// End the whole walk.
    Stop,
}

/// Why an entry or what is below it is not visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// It cannot be opened.
    Open,
    /// It cannot be looked at.
    Stat,
    /// The directory cannot be opened for reading, or read.
    Read,
    /// The directory stands in itself, by a mount.
    Cycle,
    /// The path is longer than [`LONGEST_PATH`].
    TooLong,
    /// The directory was moved while it was walked, and what is left of it is not visited.
    Moved,
    /// Its file system keeps no labels.
    NoLabels,
}

/// Looks at what a walk finds. Each thread has its own.
pub trait Visitor: Send {
    /// An entry, a directory before what is in it.
    fn visit(&mut self, entry: &Entry<'_>) -> Next;

    /// Something could not be visited.
    fn failed(&mut self, path: &[u8], failure: Failure, error: Errno) -> Next;

    /// Whether the next file is held before it is looked at, which is cheaper if it will be changed.
    fn holds(&self) -> bool {
        false
    }

    /// Whether the directory with this path, not yet visited, is left out with all below.
    fn excludes(&mut self, _path: &[u8]) -> bool {
        false
    }

    /// All that is in a directory was visited by this thread, and all went well.
    fn leave(&mut self, _directory: &Entry<'_>) {}
}

/// How to walk.
#[derive(Debug)]
pub struct Options {
    /// Stay on the file system of the root.
    pub one_file_system: bool,
    /// Enter directories.
    pub recurse: bool,
    /// Leave out file systems that keep no labels.
    pub skip_unlabelled: bool,
    /// Ends the walk soon when it becomes true.
    pub stop: Arc<AtomicBool>,
    /// Finished directories are noted here, and those that are noted are left out.
    pub journal: Option<Arc<Journal>>,
    /// For tests: how many descriptors of directories a thread may hold.
    pub descriptors: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            one_file_system: false,
            recurse: true,
            skip_unlabelled: false,
            stop: Arc::default(),
            journal: None,
            descriptors: None,
        }
    }
}

/// Where a walk begins.
#[derive(Debug)]
pub struct Root {
    path: Vec<u8>,
    file: OwnedFd,
    identity: Identity,
}

impl Root {
    /// Opens a path; its last part is not followed if it is a symbolic link.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(path: &Path) -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty())?;
        Self::of(path, file)
    }

    /// As [`Root::open`], but no part of the path may be a symbolic link: for paths that were resolved before.
    ///
    /// # Errors
    /// What the kernel says; `ELOOP` for a link.
    pub fn open_resolved(path: &Path) -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(rustix::fs::CWD, path, flags, Mode::empty(), resolve) {
            // Linux before 5.6.
            Err(Errno::NOSYS | Errno::PERM) => Self::open(path),
            found => Self::of(path, found?),
        }
    }

    fn of(path: &Path, file: OwnedFd) -> Result<Self, Errno> {
        let identity = Identity::of(&file)?;
        Ok(Self { path: path.as_os_str().as_bytes().to_vec(), file, identity })
    }

    /// What stands there.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its descriptor, open as a path only.
    pub fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// For reading, if it is a directory; the flags forbid it to be anything else.
    fn open_directory(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.file, c".", flags, Mode::empty())
    }
}

/// Visits `root` and all below on as many threads as there are visitors, and gives the visitors back.
pub fn walk<V: Visitor>(root: Root, options: &Options, visitors: Vec<V>) -> Vec<V> {
    let threads = visitors.len();
    let shared = share::Shared::new(threads, root, options);
    if threads == 1 {
        return visitors.into_iter().map(|it| worker::run(&shared, it)).collect();
    }
    std::thread::scope(|scope| {
        let shared = &shared;
        let start = |visitor| scope.spawn(move || worker::run(shared, visitor));
        let threads: Vec<_> = visitors.into_iter().map(start).collect();
        let join = |it: std::thread::ScopedJoinHandle<'_, V>| match it.join() {
            Ok(visitor) => visitor,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        threads.into_iter().map(join).collect()
    })
}

fn stopped(options: &Options) -> bool {
    options.stop.load(Ordering::Relaxed)
}

/// A name as the kernel wants it.
fn c_name(name: &[u8]) -> Result<CString, Errno> {
    CString::new(name).map_err(|_| Errno::INVAL)
}

/// By name, in an open directory, links not followed, nothing mounted by looking.
const BY_NAME: AtFlags = AtFlags::SYMLINK_NOFOLLOW.union(AtFlags::NO_AUTOMOUNT);

#[cfg(test)]
mod tests;
