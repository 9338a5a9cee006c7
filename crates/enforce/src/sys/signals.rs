//! Handlers of signals, and which signals reach a thread.

#![expect(unsafe_code, reason = "no library installs handlers that do what they like")]

use std::{io, ptr};

use super::checked;

/// A handler, which only does what is safe in one (signal-safety(7)).
pub(super) enum Handler {
    Plain(extern "C" fn(libc::c_int)),
    /// One that learns more of the signal.
    Informed(extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void)),
}

/// Installs a handler; calls that it interrupts begin again with `SA_RESTART` among the flags.
pub(super) fn handle(signal: libc::c_int, handler: Handler, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: all bytes zero is an action, with an empty mask and no flags.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    (action.sa_sigaction, action.sa_flags) = match handler {
        Handler::Plain(it) => (it as *const () as usize, flags),
        Handler::Informed(it) => (it as *const () as usize, flags | libc::SA_SIGINFO),
    };
    // SAFETY: the action lives through the call, and its flags are those of its handler.
    checked(unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) }).map(drop)
}

/// From here on a signal reaches this thread.
pub(super) fn unblock(signal: libc::c_int) -> io::Result<()> {
    // SAFETY: all bytes zero is a set, and sigemptyset makes it whole.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set lives through the call.
    unsafe { libc::sigemptyset(&raw mut set) };
    // SAFETY: the set lives through the call.
    unsafe { libc::sigaddset(&raw mut set, signal) };
    mask(libc::SIG_UNBLOCK, &set)
}

/// From here on no signal reaches this thread that can be kept away.
pub(super) fn block_all() -> io::Result<()> {
    // SAFETY: all bytes zero is a set, and sigfillset makes it whole.
    let mut all: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set lives through the call.
    unsafe { libc::sigfillset(&raw mut all) };
    mask(libc::SIG_BLOCK, &all)
}

fn mask(how: libc::c_int, set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: the set lives through the call; the old one is not asked for.
    match unsafe { libc::pthread_sigmask(how, set, ptr::null_mut()) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
