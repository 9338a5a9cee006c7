//! Ctrl-C, for work that ends in an orderly way.

#![expect(unsafe_code, reason = "a signal's handler has no safe interface")]

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether somebody asked to end since [`watch`].
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// From here on the first `SIGINT`, `SIGTERM` or `SIGHUP` is noted; a second one ends the program as ever.
pub fn watch() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: all fields of this structure may be zero, which means no flags and no mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = note as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESETHAND | libc::SA_RESTART;
        let mut before = action;
        // SAFETY: the handler only stores to an atomic, and both structures outlive the call.
        unsafe { libc::sigaction(signal, &raw const action, &raw mut before) };
        if before.sa_sigaction == libc::SIG_IGN {
            // `nohup` and shells want it ignored.
            // SAFETY: the structure outlives the call.
            unsafe { libc::sigaction(signal, &raw const before, std::ptr::null_mut()) };
        }
    }
}

extern "C" fn note(_signal: libc::c_int) {
    ASKED.store(true, Ordering::Relaxed);
}
