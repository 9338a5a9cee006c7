//! What calls the monitor away from waiting for calls: news of children, and a time.
//!
//! The monitor waits in the kernel for notifications alone, for that is the fastest. A signal to its thread ends that. Anywhere else a signal would do
//! harm: a call of the monitor that is interrupted while it hands over a descriptor cannot say whether the program has it. So ringing is only left
//! for the monitor to see, unless it waits; and who rings takes from it that it waits, so that it knows whether a signal is on its way.

#![expect(unsafe_code, reason = "no library has handlers of signals or timers")]

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};
use std::{io, ptr};

use super::signals::{self, Handler};
use super::{checked, listener};

/// The monitor's thread; 0 before there is one.
static MONITOR: AtomicI32 = AtomicI32::new(0);
/// It waits, or is about to.
static WAITS: AtomicBool = AtomicBool::new(false);
/// There is news that it has not looked for.
static NEWS: AtomicBool = AtomicBool::new(false);
/// The signal reached it.
static REACHED: AtomicBool = AtomicBool::new(false);

/// Only for the monitor's thread. Nobody else uses it, and it comes however many signals programs have in their queues, which one with a number
/// above 31 would not.
const RING: libc::c_int = libc::SIGSTKFLT;
/// Comes when it is time. Nobody else sends it, as somebody may who set `alarm(2)` before this program began.
const TIME: libc::c_int = libc::SIGPWR;

/// From here on the bell calls this thread, which is the monitor's.
pub(crate) fn install() -> io::Result<()> {
    MONITOR.store(rustix::thread::gettid().as_raw_nonzero().get(), Ordering::SeqCst);
    signals::handle(RING, Handler::Plain(on_ring), libc::SA_RESTART)?;
    signals::handle(TIME, Handler::Plain(on_time), libc::SA_RESTART)?;
    signals::unblock(RING)
}

extern "C" fn on_ring(_: libc::c_int) {
    listener::prevent();
    REACHED.store(true, Ordering::SeqCst);
}

extern "C" fn on_time(_: libc::c_int) {
    ring();
}

/// Calls the monitor. Safe in a handler of signals.
pub(super) fn ring() {
    NEWS.store(true, Ordering::SeqCst);
    if WAITS.swap(false, Ordering::SeqCst) {
        let process = rustix::process::getpid().as_raw_nonzero().get();
        let monitor = MONITOR.load(Ordering::SeqCst);
        // SAFETY: the call takes numbers.
        unsafe { libc::syscall(libc::SYS_tgkill, process, monitor, RING) };
    }
}

/// Waits, unless it has rung since the last time. What does not fail comes first: it rings again then the next time.
pub(super) fn unless_it_rings<T>(wait: impl FnOnce() -> io::Result<T>) -> Option<io::Result<T>> {
    WAITS.store(true, Ordering::SeqCst);
    let waited = (!NEWS.swap(false, Ordering::SeqCst)).then(wait);
    if !WAITS.swap(false, Ordering::SeqCst) {
        while !REACHED.swap(false, Ordering::SeqCst) {
            std::thread::yield_now();
        }
        if matches!(waited, Some(Err(_))) {
            NEWS.store(false, Ordering::SeqCst);
        }
    }
    waited
}

/// Rings at a time.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: libc::timer_t,
    set: Option<Instant>,
}

impl Alarm {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: all bytes zero is such a structure.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = TIME;
        let (clock, mut timer) = (libc::CLOCK_MONOTONIC, ptr::null_mut());
        // SAFETY: both structures live through the call.
        checked(unsafe { libc::timer_create(clock, &raw mut event, &raw mut timer) })?;
        Ok(Self { timer, set: None })
    }

    /// Sets the time, unless it is set; an earlier one may ring, too.
    pub(crate) fn set(&mut self, due: Option<Instant>) -> io::Result<()> {
        let Some(due) = due.filter(|it| self.set != Some(*it)) else { return Ok(()) };
        let left = due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let it_value = libc::timespec {
            tv_sec: left.as_secs().cast_signed(),
            tv_nsec: left.subsec_nanos().into(),
        };
        let it_interval = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let time = libc::itimerspec { it_interval, it_value };
        // SAFETY: the structure lives through the call; the old time is not asked for.
        checked(unsafe { libc::timer_settime(self.timer, 0, &raw const time, ptr::null_mut()) })?;
        self.set = Some(due);
        Ok(())
    }

    /// It may have rung: the time is to be set again.
    pub(crate) fn rang(&mut self) {
        self.set = None;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // SAFETY: this timer was made, and is not used again.
        unsafe { libc::timer_delete(self.timer) };
    }
}
