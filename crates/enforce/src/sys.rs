//! What the monitor asks of the kernel and no library has a safe form for: seccomp notifications, ptrace, starting a program
//! under both. All unsafe code of this crate is in here.

pub(crate) mod bell;
pub(crate) mod inject;
pub(crate) mod ipc;
pub(crate) mod listener;
pub(crate) mod look;
pub(crate) mod message;
pub(crate) mod page;
mod signals;
pub(crate) mod start;
pub(crate) mod trace;
pub(crate) mod user;
pub(crate) mod worker;

use std::io;

/// The answer of a call that tells errors by a negative number.
fn checked(result: impl Into<i64>) -> io::Result<i64> {
    match result.into() {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(value),
    }
}
