//! Which directories of a walk are finished, on disk, so that a walk that was cut off goes on where it was.
//!
//! A directory is noted when all below it is visited and settled, by whichever threads, and only after the disk has what was
//! changed there. Only the upper directories are noted: the file stays small.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;
use rustix::fs::{Mode, OFlags};

/// Directories deeper than this are not noted by themselves.
const DEPTH: u32 = 5;
/// What is read of a journal at most; what is beyond is walked again.
const MOST: u64 = 8 << 20;
/// How often the disk is waited for.
const EVERY: Duration = Duration::from_secs(5);
const MAGIC: &str = "mandate journal 1 ";

/// Finished directories.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    before: FxHashSet<Vec<u8>>,
    stop: Arc<AtomicBool>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    waiting: Vec<u8>,
    written: Instant,
    failure: Option<io::Error>,
}

impl Journal {
    /// Opens or makes a journal. What it says counts only if it is of the same `work`: what decides about labels. While `stop` is
    /// true nothing counts as finished.
    ///
    /// # Errors
    /// If the file cannot be written to, or is none of ours.
    pub fn open(path: &Path, work: &str, stop: Arc<AtomicBool>) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened: OwnedFd = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = File::from(opened);
        let mut bytes = Vec::new();
        io::Read::by_ref(&mut file).take(MOST).read_to_end(&mut bytes)?;
        let head = format!("{MAGIC}{work}\n");
        let mut before = FxHashSet::default();
        match bytes.strip_prefix(head.as_bytes()) {
            Some(rest) => {
                let whole = rest.iter().rposition(|&it| it == 0).map_or(0, |it| it + 1);
                before.extend(rest[..whole].split(|&it| it == 0).map(<[u8]>::to_vec));
                before.remove(&b""[..]);
                // A record that was cut off goes.
                let end = u64::try_from(head.len() + whole).unwrap_or(u64::MAX);
                cut(&mut file, end)?;
            }
            None if bytes.is_empty() || bytes.starts_with(MAGIC.as_bytes()) => {
                cut(&mut file, 0)?;
                file.write_all(head.as_bytes())?;
            }
            None => return Err(io::Error::other("this is no journal; name another file")),
        }
        let state = State { file, waiting: Vec::new(), written: Instant::now(), failure: None };
        Ok(Self { path: path.to_owned(), before, stop, state: Mutex::new(state) })
    }

    /// How many directories were finished before.
    pub fn finished_before(&self) -> usize {
        self.before.len()
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// What went wrong now or at any time before.
    pub fn flush(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.write();
        state.failure.take().map_or(Ok(()), Err)
    }

    /// Removes it: all work is done.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn remove(&self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    fn note(&self, path: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.extend_from_slice(path);
        state.waiting.push(0);
        if state.written.elapsed() >= EVERY {
            state.write();
        }
    }
}

fn cut(file: &mut File, length: u64) -> io::Result<()> {
    file.set_len(length)?;
    io::Seek::seek(file, io::SeekFrom::Start(length)).map(|_| ())
}

impl State {
    fn write(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        // Labels first: a journal must never know more than the disk.
        rustix::fs::sync();
        let written = self.file.write_all(&self.waiting).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.failure = Some(error);
        }
        self.waiting.clear();
        self.written = Instant::now();
    }
}

/// A directory that is being walked, held by all that is open below it.
#[derive(Debug)]
pub(super) struct Node {
    path: Vec<u8>,
    depth: u32,
    above: Option<Arc<Self>>,
    unsettled: AtomicBool,
    journal: Arc<Journal>,
}

impl Node {
    /// The root of a walk; none if it was finished before.
    pub(super) fn root(journal: &Arc<Journal>, path: &[u8]) -> Option<Arc<Self>> {
        Self::new(Arc::clone(journal), path, 0, None)
    }

    /// A directory below; none if it was finished before.
    pub(super) fn enter(self: &Arc<Self>, path: &[u8]) -> Option<Arc<Self>> {
        if self.depth >= DEPTH {
            return Some(Arc::clone(self));
        }
        Self::new(Arc::clone(&self.journal), path, self.depth + 1, Some(Arc::clone(self)))
    }

    fn new(
        journal: Arc<Journal>,
        path: &[u8],
        depth: u32,
        above: Option<Arc<Self>>,
    ) -> Option<Arc<Self>> {
        let finished = journal.before.contains(path);
        let node = || {
            let unsettled = AtomicBool::new(false);
            Arc::new(Self { path: path.to_vec(), depth, above, unsettled, journal })
        };
        (!finished).then(node)
    }

    /// Something here has to be visited again.
    pub(super) fn unsettle(&self) {
        self.unsettled.store(true, Ordering::Relaxed);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let stopped = self.journal.stop.load(Ordering::Relaxed);
        if stopped || self.unsettled.load(Ordering::Relaxed) {
            if let Some(above) = &self.above {
                above.unsettle();
            }
        } else {
            self.journal.note(&self.path);
        }
    }
}
