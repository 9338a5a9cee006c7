//! Threads that make calls which wait, and their interruption.

#![expect(unsafe_code, reason = "no library interrupts a thread's call")]

use std::io;

use super::signals::{self, Handler};

/// Nobody else sends it to a thread, and nothing is lost if somebody sends it to the process.
const INTERRUPT: libc::c_int = libc::SIGURG;

extern "C" fn on_interrupt(_: libc::c_int) {}

/// From here on a call of a worker can be interrupted: its handler does nothing, and what it interrupts does not begin again.
pub(crate) fn catch_interrupts() -> io::Result<()> {
    signals::handle(INTERRUPT, Handler::Plain(on_interrupt), 0)
}

/// This thread is a worker: interruptions reach it. Its number.
pub(crate) fn begin() -> i32 {
    // The signal is a valid one, which is all that can be wrong.
    let _reached = signals::unblock(INTERRUPT);
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// Interrupts the call that a worker is in.
pub(crate) fn interrupt(worker: i32) {
    let process = rustix::process::getpid().as_raw_nonzero().get();
    // SAFETY: the call takes numbers.
    let _gone = unsafe { libc::syscall(libc::SYS_tgkill, process, worker, INTERRUPT) };
}
