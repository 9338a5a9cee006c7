//! Starting a program that is traced from its first instruction and whose calls are notified.
//!
//! The child is this process's own copy until it executes the program, so it may do nothing that takes a lock: it makes plain system
//! calls on memory that was made ready before.

#![expect(unsafe_code, reason = "fork, and what a child does before it executes a program")]

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::ptr;

use libc::{c_char, c_int};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::listener::Listener;
use super::{checked, trace};
use crate::StartError;
use crate::defence::{Defence, stands};

/// A program as `execve` takes it.
#[derive(Debug)]
pub(crate) struct Program {
    paths: Vec<CString>,
    words: Vec<CString>,
    environment: Vec<CString>,
}

/// What a child tells its parent, a byte and a number at a time.
mod told {
    pub(super) const READY: u8 = b'r';
    pub(super) const LISTENER: u8 = b'l';
    pub(super) const FAILED: u8 = b'f';
}

/// Steps of a child that may fail, as they are told.
const STEPS: [&str; 3] = ["setting no_new_privs", "installing the filter", "executing the program"];

impl Program {
    /// Looks for a word without a slash along `PATH`, as shells do.
    ///
    /// # Errors
    /// A word has a zero byte in it.
    pub(crate) fn new(
        words: &[OsString],
        environment: Vec<(OsString, OsString)>,
    ) -> Result<Self, StartError> {
        let text = |it: &OsStr| {
            CString::new(it.as_bytes()).map_err(|_| StartError::ZeroByte(it.to_owned()))
        };
        let first = words.first().ok_or(StartError::NoProgram)?;
        let paths = if first.as_bytes().contains(&b'/') {
            vec![text(first)?]
        } else {
            let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
            let folders = path.as_bytes().split(|it| *it == b':');
            let path = |folder: &[u8]| match folder {
                b"" => text(first),
                folder => text(OsStr::from_bytes(&[folder, b"/", first.as_bytes()].concat())),
            };
            folders.map(path).collect::<Result<_, _>>()?
        };
        let kept = std::env::vars_os().filter(|it| environment.iter().all(|new| new.0 != it.0));
        let all: Vec<_> = kept.chain(environment.iter().cloned()).collect();
        let environment = all.into_iter().map(|(name, value)| {
            text(&OsString::from_vec([name.as_bytes(), b"=", value.as_bytes()].concat()))
        });
        Ok(Self {
            paths,
            words: words.iter().map(|it| text(it)).collect::<Result<_, _>>()?,
            environment: environment.collect::<Result<_, _>>()?,
        })
    }
}

/// A started program: its process waits to execute it.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) process: i32,
    pub(crate) listener: Listener,
    /// A signal does not take back a call that the monitor has seen.
    pub(crate) is_settled: bool,
    /// Hears why the program could not be executed; closed if it could.
    pub(crate) news: File,
}

/// Forks; traces the child; lets it install the filter; takes the listener.
///
/// # Errors
/// What is missing on this machine.
pub(crate) fn start(
    program: &Program,
    filter: &[libc::sock_filter],
) -> Result<Started, StartError> {
    let (news, tell) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|it| StartError::System("a pipe", it.into()))?;
    let (hear, go) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|it| StartError::System("a pipe", it.into()))?;
    let child = Child::new(program, filter, &tell, &hear);
    // SAFETY: the child only makes system calls on what `child` holds, takes no lock, and never returns.
    let process = match unsafe { libc::fork() } {
        -1 => return Err(StartError::System("fork", io::Error::last_os_error())),
        0 => child.run(),
        process => process,
    };
    drop((tell, hear));
    let started = attach(process, File::from(news), File::from(go));
    if started.is_err() {
        trace::kill(process, libc::SIGKILL);
        // SAFETY: nothing is written.
        let _reaped = unsafe { libc::waitpid(process, ptr::null_mut(), libc::__WALL) };
    }
    started
}

fn attach(process: i32, mut news: File, mut go: File) -> Result<Started, StartError> {
    expect(&mut news, told::READY)?;
    trace::seize(process).map_err(StartError::Trace)?;
    go.write_all(b"g").map_err(|it| StartError::System("a pipe", it))?;
    let (number, older) = expect(&mut news, told::LISTENER)?;
    let listener = take(process, number)?;
    go.write_all(b"g").map_err(|it| StartError::System("a pipe", it))?;
    Ok(Started { process, listener: Listener::new(listener), is_settled: older == 0, news })
}

/// Why the program could not be executed, once its process is gone.
pub(crate) fn failure(news: &mut File) -> Option<StartError> {
    expect(news, told::READY).err().filter(|it| !matches!(it, StartError::Silent))
}

fn expect(news: &mut File, kind: u8) -> Result<(i32, i32), StartError> {
    let mut message = [0; 9];
    if news.read_exact(&mut message).is_err() {
        return Err(StartError::Silent);
    }
    let [tag, a, b, c, d, e, f, g, h] = message;
    let (value, more) = (i32::from_ne_bytes([a, b, c, d]), i32::from_ne_bytes([e, f, g, h]));
    if tag == kind {
        return Ok((value, more));
    }
    let errno = io::Error::from_raw_os_error(more);
    let step = usize::try_from(value).ok().and_then(|it| STEPS.get(it)).unwrap_or(&"starting");
    Err(match value {
        1 => StartError::Filter(errno),
        2 => StartError::Exec(errno),
        _ => StartError::System(step, errno),
    })
}

fn take(process: i32, number: i32) -> Result<OwnedFd, StartError> {
    let failed = |it: rustix::io::Errno| StartError::Copy(it.into());
    let pid = Pid::from_raw(process).ok_or(StartError::Silent)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(failed)?;
    pidfd_getfd(&pidfd, number, PidfdGetfdFlags::empty()).map_err(failed)
}

/// All that the child touches, made before the fork.
struct Child {
    paths: Vec<*const c_char>,
    words: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    filter: libc::sock_fprog,
    tell: c_int,
    hear: c_int,
}

impl Child {
    fn new(
        program: &Program,
        filter: &[libc::sock_filter],
        tell: &OwnedFd,
        hear: &OwnedFd,
    ) -> Self {
        let pointers = |all: &[CString]| {
            all.iter().map(|it| it.as_ptr()).chain([ptr::null()]).collect::<Vec<_>>()
        };
        Self {
            paths: program.paths.iter().map(|it| it.as_ptr()).collect(),
            words: pointers(&program.words),
            environment: pointers(&program.environment),
            filter: libc::sock_fprog {
                len: u16::try_from(filter.len()).unwrap_or(u16::MAX),
                filter: filter.as_ptr().cast_mut(),
            },
            tell: tell.as_raw_fd(),
            hear: hear.as_raw_fd(),
        }
    }

    fn run(&self) -> ! {
        // What the monitor ignores or blocks for itself is the program's again.
        // SAFETY: the call takes numbers.
        unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) };
        // SAFETY: as above. The monitor may do with small pages; programs inherit that, and are to have what they would have had.
        unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 0, 0, 0, 0) };
        for signal in [libc::SIGINT, libc::SIGQUIT, libc::SIGPIPE] {
            // SAFETY: no handler is installed.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        // SAFETY: all bytes zero is the empty set.
        let none: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: the set lives through the call.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut()) };
        if stands(Defence::NoCores) {
            // The kernel would write what is left of a program that breaks wherever that is, and ask nobody.
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: the limit lives through the call.
            unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
        }
        self.say(told::READY, 0, 0);
        self.wait();
        // SAFETY: the option takes numbers.
        if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } == -1 {
            self.fail(0);
        }
        let (listener, older) = self.install();
        self.say(told::LISTENER, listener, older);
        self.wait();
        // SAFETY: the monitor has its own by now; a program that had one could answer for itself.
        unsafe { libc::close(listener) };
        let mut worst = libc::ENOENT;
        for path in &self.paths {
            // SAFETY: paths, words and environment end with zero bytes, the lists with null.
            unsafe { libc::execve(*path, self.words.as_ptr(), self.environment.as_ptr()) };
            let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
            match errno {
                libc::ENOENT | libc::ENOTDIR => {}
                libc::EACCES => worst = errno,
                errno => {
                    worst = errno;
                    break;
                }
            }
        }
        self.say(told::FAILED, 2, worst);
        // SAFETY: nothing of Rust's is to be cleaned up in a copy of the monitor.
        unsafe { libc::_exit(127) }
    }

    /// Installs the filter; signals do not take back a call that the monitor has seen, where the kernel knows of that (5.19): else the second number is 1.
    fn install(&self) -> (c_int, c_int) {
        let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        for (flags, older) in
            [(flags | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0), (flags, 1)]
        {
            // SAFETY: the kernel reads the program, which lives as long as the parent's copy of it.
            let listener = unsafe {
                libc::syscall(
                    libc::SYS_seccomp,
                    libc::SECCOMP_SET_MODE_FILTER,
                    flags,
                    &raw const self.filter,
                )
            };
            match checked(listener) {
                Ok(listener) => return (c_int::try_from(listener).unwrap_or(-1), older),
                Err(why) if why.raw_os_error() == Some(libc::EINVAL) => {}
                Err(_) => break,
            }
        }
        self.fail(1)
    }

    fn say(&self, kind: u8, value: i32, more: i32) {
        let mut message = [kind; 9];
        message[1..5].copy_from_slice(&value.to_ne_bytes());
        message[5..].copy_from_slice(&more.to_ne_bytes());
        // SAFETY: nine bytes that live through the call. A parent that is gone has ended this process, too.
        unsafe { libc::write(self.tell, message.as_ptr().cast(), message.len()) };
    }

    /// Waits for the parent; without one there is nothing to do.
    fn wait(&self) {
        let mut byte = 0_u8;
        // SAFETY: one byte that lives through the call.
        if unsafe { libc::read(self.hear, (&raw mut byte).cast(), 1) } != 1 {
            // SAFETY: as above.
            unsafe { libc::_exit(127) }
        }
    }

    fn fail(&self, step: i32) -> ! {
        self.say(told::FAILED, step, io::Error::last_os_error().raw_os_error().unwrap_or(0));
        // SAFETY: as above.
        unsafe { libc::_exit(127) }
    }
}
