//! A reference monitor in user space: a program and everything it starts run under an SELinux policy, without root and without SELinux in
//! the kernel.
//!
//! System calls that reach something are held by seccomp until the monitor has decided ([`run`]); births, deaths and executed programs are
//! told by ptrace, which also ends all programs when the monitor dies. The monitor resolves paths to files that it holds, decides about these,
//! and hands them over or acts itself: no decision rests on memory, a path or a descriptor that could still change.
//! docs/threat-model.md says what is defended and how.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod access;
mod beside;
mod calls;
mod class;
mod defence;
mod filter;
mod inside;
mod labels;
mod object;
mod path;
mod record;
mod state;
mod supervisor;
mod sys;
mod task;
mod waiting;

use std::ffi::OsString;
use std::io;

pub use inside::Configuration;
pub use record::{News, Record, Subject};
pub use state::{State, StateError};
pub use supervisor::{Ended, Settings, run};
pub use sys::user::User;

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No program was named.
    #[error("no program is named")]
    NoProgram,
    /// A word cannot be given to a program.
    #[error("{} has a zero byte in it", .0.display())]
    ZeroByte(OsString),
    /// The context is none of the policy.
    #[error(transparent)]
    Context(#[from] mandate_server::ServerError),
    /// The kernel gives no notifications.
    #[error(
        "this kernel or container does not let a program be watched by seccomp notifications, which needs Linux 5.14 or later: {0}"
    )]
    Filter(io::Error),
    /// The kernel does not let a child be traced.
    #[error(
        "this system does not let a program be traced: {0}; see kernel.yama.ptrace_scope, which has to be 0 or 1, and what the container allows"
    )]
    Trace(io::Error),
    /// The kernel does not let descriptors of a child be taken.
    #[error(
        "this system does not let descriptors of a program be copied (pidfd_getfd): {0}; a container has to be started with the capability SYS_PTRACE, \
         as with --cap-add=SYS_PTRACE"
    )]
    Copy(io::Error),
    /// The program cannot be executed.
    #[error("executing the program: {0}")]
    Exec(io::Error),
    /// Another call failed.
    #[error("{0}: {1}")]
    System(&'static str, io::Error),
    /// The child ended and told nothing.
    #[error("the program's process ended before it could be started")]
    Silent,
}
