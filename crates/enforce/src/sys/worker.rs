//! Threads that make calls which wait, and their interruption.

#![expect(unsafe_code, reason = "no library interrupts a thread's call")]

use std::ptr;

/// Nobody else sends it to a thread, and nothing is lost if somebody sends it to the process.
const INTERRUPT: libc::c_int = libc::SIGURG;

extern "C" fn on_interrupt(_: libc::c_int) {}

/// From here on a call of a worker can be interrupted: its handler does nothing, and what it interrupts does not begin again.
pub(crate) fn catch_interrupts() {
    // SAFETY: all bytes zero is an action, with an empty mask and no flags.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_interrupt as *const () as usize;
    // SAFETY: the action lives through the call, and its handler does nothing.
    unsafe { libc::sigaction(INTERRUPT, &raw const action, ptr::null_mut()) };
}

/// This thread is a worker: interruptions reach it. Its number.
pub(crate) fn begin() -> i32 {
    // SAFETY: all bytes zero is a set, and sigemptyset makes it whole.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set lives through the call.
    unsafe { libc::sigemptyset(&raw mut set) };
    // SAFETY: the set lives through the call.
    unsafe { libc::sigaddset(&raw mut set, INTERRUPT) };
    // SAFETY: the set lives through the call; the old one is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut()) };
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// Interrupts the call that a worker is in.
pub(crate) fn interrupt(worker: i32) {
    let process = rustix::process::getpid().as_raw_nonzero().get();
    // SAFETY: the call takes numbers.
    let _gone = unsafe { libc::syscall(libc::SYS_tgkill, process, worker, INTERRUPT) };
}
