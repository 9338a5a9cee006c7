//! Notifications of seccomp (seccomp_unotify(2)): calls that wait until the monitor has answered.

#![expect(unsafe_code, reason = "no library has these ioctls")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{bell, checked};

/// A call that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notification {
    pub(crate) id: u64,
    /// The thread that made it.
    pub(crate) thread: i32,
    pub(crate) number: i64,
    pub(crate) arguments: [u64; 6],
}

/// The answer to a call.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The kernel runs the call.
    Continue,
    /// It fails with this errno.
    Fail(i32),
    /// It gives this number.
    Value(i64),
    /// It gives a descriptor of this file.
    Descriptor {
        /// The monitor's own.
        file: OwnedFd,
        /// Is it closed when a program is executed?
        close_on_exec: bool,
        /// Whether the monitor's own has to be gone before the program goes on: it would see a lock, or a busy text.
        alone: bool,
    },
}

/// Numbers of linux/seccomp.h: `_IOWR('!', n, size)`.
const fn request(n: u64, size: u64, direction: u64) -> u64 {
    direction << 30 | size << 16 | (b'!' as u64) << 8 | n
}
const READ_WRITE: u64 = 3;
const WRITE: u64 = 1;
const RECV: u64 = request(0, size_of::<libc::seccomp_notif>() as u64, READ_WRITE);
const SEND: u64 = request(1, size_of::<libc::seccomp_notif_resp>() as u64, READ_WRITE);
const ID_VALID: u64 = request(2, 8, WRITE);
const ADDFD: u64 = request(3, size_of::<libc::seccomp_notif_addfd>() as u64, WRITE);
const SET_FLAGS: u64 = request(4, 8, WRITE);
/// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`.
const SYNC_WAKE_UP: u64 = 1;
/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`.
const CONTINUE: u32 = 1;
const FLAG_SEND: u32 = 2;
/// `SECCOMP_ADDFD_FLAG_SETFD`.
const FLAG_NUMBER: u32 = 1;

/// Where notifications come in.
#[derive(Debug)]
pub(crate) struct Listener(OwnedFd);

/// The notification that is waited for (`struct seccomp_notif`), as words.
static AWAITED: [AtomicU64; size_of::<libc::seccomp_notif>() / 8] =
    [const { AtomicU64::new(0) }; size_of::<libc::seccomp_notif>() / 8];
/// The word of the thread's number and of flags, of which there are none.
const THREAD: usize = 1;
/// A mark among the flags.
const RUNG: u64 = 1 << 63;

/// Ends the waiting for a notification that is about to begin: the kernel takes only zeros.
pub(super) fn prevent() {
    AWAITED[THREAD].fetch_or(RUNG, Ordering::Relaxed);
}

/// What came, as `struct seccomp_notif` and `struct seccomp_data` lay it out.
fn awaited() -> Notification {
    let word = |at: usize| AWAITED[at].load(Ordering::Relaxed);
    let first_half = |at| {
        let bytes = word(at).to_ne_bytes();
        let (first, _) = bytes.split_first_chunk::<4>().expect("there are eight");
        i32::from_ne_bytes(*first)
    };
    Notification {
        id: word(0),
        thread: first_half(THREAD),
        number: first_half(2).into(),
        arguments: [4, 5, 6, 7, 8, 9].map(word),
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Listener {
    /// Of a descriptor that `seccomp(2)` gave.
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        // Only a hint to the scheduler, of kernels since 6.6.
        // SAFETY: the request takes a number, no pointer.
        let _older = unsafe { libc::ioctl(descriptor.as_raw_fd(), SET_FLAGS, SYNC_WAKE_UP) };
        Self(descriptor)
    }

    /// Waits for the next call; none if the bell rings, or if a call ended before it came. Only the monitor's thread waits.
    pub(crate) fn receive(&self) -> io::Result<Option<Notification>> {
        AWAITED.iter().for_each(|it| it.store(0, Ordering::Relaxed));
        let received = bell::unless_it_rings(|| {
            // SAFETY: the words are as many as the request says, live as long as the process, and are changed by nobody but the kernel and
            // whoever marks the flags.
            checked(unsafe { libc::ioctl(self.0.as_raw_fd(), RECV, AWAITED.as_ptr()) })
        });
        match received {
            None => Ok(None),
            Some(Ok(_)) => Ok(Some(awaited())),
            // Its thread died or a signal took it back; or the bell rang while this waited, or before.
            Some(Err(why)) => match why.raw_os_error() {
                Some(libc::ENOENT | libc::EINTR | libc::EINVAL) => Ok(None),
                _ => Err(why),
            },
        }
    }

    /// Whether the call still waits, so that what was read of its thread was of this thread.
    pub(crate) fn is_valid(&self, id: u64) -> bool {
        // SAFETY: the kernel reads eight bytes, which live through the call.
        checked(unsafe { libc::ioctl(self.0.as_raw_fd(), ID_VALID, &raw const id) }).is_ok()
    }

    /// Answers. `ENOENT` of a call that no longer waits is no failure.
    pub(crate) fn answer(&self, id: u64, answer: Answer) -> io::Result<()> {
        let done = match answer {
            Answer::Continue => self.send(id, 0, 0, CONTINUE),
            Answer::Fail(errno) => self.send(id, 0, -errno, 0),
            Answer::Value(value) => self.send(id, value, 0, 0),
            Answer::Descriptor { file, close_on_exec, alone: false } => {
                self.add(id, &file, close_on_exec, FLAG_SEND, 0).map(drop)
            }
            Answer::Descriptor { file, close_on_exec, alone: true } => {
                self.add(id, &file, close_on_exec, 0, 0).and_then(|number| {
                    drop(file);
                    self.send(id, number, 0, 0)
                })
            }
        };
        match done {
            Err(why) if why.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            // Its table of descriptors is full.
            Err(why) if why.raw_os_error() == Some(libc::EMFILE) => {
                self.send(id, 0, -libc::EMFILE, 0)
            }
            done => done,
        }
    }

    /// Puts a file in the place of a descriptor of a call's process; the call waits on.
    pub(crate) fn replace(
        &self,
        id: u64,
        file: &OwnedFd,
        number: i32,
        close_on_exec: bool,
    ) -> io::Result<()> {
        self.add(id, file, close_on_exec, FLAG_NUMBER, number).map(drop)
    }

    /// Gives a call's process a descriptor of a file; the call waits on.
    pub(crate) fn give(&self, id: u64, file: &OwnedFd, close_on_exec: bool) -> io::Result<i32> {
        let number = self.add(id, file, close_on_exec, 0, 0)?;
        Ok(i32::try_from(number).unwrap_or(-1))
    }

    fn send(&self, id: u64, val: i64, error: i32, flags: u32) -> io::Result<()> {
        let mut it = libc::seccomp_notif_resp { id, val, error, flags };
        // SAFETY: `it` is as long as the request says, and lives through the call.
        checked(unsafe { libc::ioctl(self.0.as_raw_fd(), SEND, &raw mut it) }).map(drop)
    }

    fn add(
        &self,
        id: u64,
        file: &OwnedFd,
        close_on_exec: bool,
        flags: u32,
        number: i32,
    ) -> io::Result<i64> {
        let newfd = number.unsigned_abs();
        let srcfd = u32::try_from(file.as_raw_fd()).unwrap_or(u32::MAX);
        let newfd_flags = if close_on_exec { libc::O_CLOEXEC.unsigned_abs() } else { 0 };
        let it = libc::seccomp_notif_addfd { id, flags, srcfd, newfd, newfd_flags };
        // SAFETY: `it` is as long as the request says, and lives through the call.
        checked(unsafe { libc::ioctl(self.0.as_raw_fd(), ADDFD, &raw const it) })
    }
}
