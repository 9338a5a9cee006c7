//! ptrace(2) and waiting for what is traced.

#![expect(unsafe_code, reason = "no library has ptrace in a safe form")]

use std::io;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use super::inject::Registers;
use super::signals::{self, Handler};
use super::{bell, checked};
use crate::defence::{Defence, stands};

/// What a traced thread did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It made a thread or process, whose number this is.
    Born {
        /// The number.
        child: i32,
        /// The child has the maker's memory, which waits until it executes a program or ends.
        borrows: bool,
    },
    /// It executes a program now; the thread that asked for it had this number.
    Executed(i32),
    /// It stopped as a thread that has just come to be traced, after an interrupt, or with its group.
    Stopped {
        /// Its group was stopped by a signal.
        group: bool,
    },
    /// A signal is about to reach it.
    Signal(i32),
    /// It is gone, with this status as `waitpid` gives it.
    Gone(i32),
}

const OPTIONS: libc::c_int = libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC;
/// `PTRACE_EVENT_STOP` of linux/ptrace.h.
const EVENT_STOP: i32 = 128;

/// Begins to trace a process, which goes on.
pub(crate) fn seize(thread: i32) -> io::Result<()> {
    let kill = if stands(Defence::ExitKill) { libc::PTRACE_O_EXITKILL } else { 0 };
    plain(libc::PTRACE_SEIZE, thread, OPTIONS | kill)
}

/// Lets a stopped thread go on, and gives it a signal if that is not 0.
pub(crate) fn resume(thread: i32, signal: i32) -> io::Result<()> {
    plain(libc::PTRACE_CONT, thread, signal)
}

/// Leaves a thread stopped with its group, and hears of what ends that.
pub(crate) fn listen(thread: i32) -> io::Result<()> {
    plain(libc::PTRACE_LISTEN, thread, 0)
}

/// Stops a thread, soon.
pub(crate) fn interrupt(thread: i32) -> io::Result<()> {
    plain(libc::PTRACE_INTERRUPT, thread, 0)
}

fn plain(request: libc::c_uint, thread: i32, data: i32) -> io::Result<()> {
    let nothing = ptr::null_mut::<libc::c_void>();
    // SAFETY: the requests that come here take numbers, no pointers.
    checked(unsafe { libc::ptrace(request, thread, nothing, i64::from(data)) }).map(drop)
}

/// A call that a signal took back before the monitor had seen it begins again after the signal, whatever the handler is like: most calls
/// that are held never wait without a monitor, and programs do not expect that they were interrupted. Of calls that do wait nothing is changed.
pub(crate) fn begin_again(thread: i32, waits: impl Fn(i64) -> bool) -> io::Result<()> {
    /// `ERESTARTSYS` and `ERESTARTNOINTR` of linux/errno.h.
    const UNLESS_HANDLED: i64 = -512;
    const ALWAYS: i64 = -513;
    let registers = Registers::of(thread)?;
    let (number, result) = registers.call();
    if result != UNLESS_HANDLED || number < 0 || waits(number) {
        return Ok(());
    }
    registers.with_result(ALWAYS).set(thread)
}

fn message(thread: i32) -> io::Result<i32> {
    let mut message: libc::c_ulong = 0;
    let nothing = ptr::null_mut::<libc::c_void>();
    // SAFETY: the kernel writes a long, which lives through the call.
    checked(unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, thread, nothing, &raw mut message) })?;
    Ok(i32::try_from(message).unwrap_or(0))
}

/// What a thread did, if anything is to be told; of any thread for -1. `ECHILD` if nothing is traced.
pub(crate) fn next_event(thread: i32, block: bool) -> io::Result<Option<(i32, Event)>> {
    let mut status = 0;
    let options = libc::__WALL | if block { 0 } else { libc::WNOHANG };
    // SAFETY: the kernel writes an int, which lives through the call.
    let found = checked(unsafe { libc::waitpid(thread, &raw mut status, options) })?;
    let found = i32::try_from(found).unwrap_or(0);
    if found == 0 {
        return Ok(None);
    }
    if !libc::WIFSTOPPED(status) {
        return Ok(Some((found, Event::Gone(status))));
    }
    let signal = libc::WSTOPSIG(status);
    let event = match status >> 16 {
        libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_CLONE => {
            message(found).map(|child| Event::Born { child, borrows: false })
        }
        libc::PTRACE_EVENT_VFORK => {
            message(found).map(|child| Event::Born { child, borrows: true })
        }
        libc::PTRACE_EVENT_EXEC => message(found).map(Event::Executed),
        EVENT_STOP => Ok(Event::Stopped { group: signal != libc::SIGTRAP }),
        _ => Ok(Event::Signal(signal)),
    };
    match event {
        Ok(event) => Ok(Some((found, event))),
        // Killed since: its end is told next.
        Err(why) if why.raw_os_error() == Some(libc::ESRCH) => Ok(Some((found, Event::Signal(0)))),
        Err(why) => Err(why),
    }
}

/// Where the handler writes; -1 before there is one.
static CHILDREN: AtomicI32 = AtomicI32::new(-1);

/// Writes the child's number, which is all that is safe in a handler. A full pipe has news enough.
extern "C" fn on_child(_: libc::c_int, about: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel gives a handler of three arguments what it knows of the signal.
    let about = unsafe { &*about };
    // SAFETY: of SIGCHLD the child's number is part of it.
    let child = unsafe { about.si_pid() }.to_ne_bytes();
    let to = CHILDREN.load(Ordering::Relaxed);
    // SAFETY: four bytes that live through the call.
    unsafe { libc::write(to, child.as_ptr().cast(), child.len()) };
    bell::ring();
}

/// A pipe that brings the numbers of children that something happened to, each four bytes. The handler runs on whatever thread is there.
pub(crate) fn children() -> io::Result<OwnedFd> {
    let flags = rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK;
    let (news, to) = rustix::pipe::pipe_with(flags)?;
    // It stays for as long as the process lives, as the handler does.
    CHILDREN.store(to.into_raw_fd(), Ordering::Relaxed);
    signals::handle(libc::SIGCHLD, Handler::Informed(on_child), libc::SA_RESTART)?;
    Ok(news)
}

/// From here on signals reach this process by a thread that does nothing else. A monitor that is interrupted while it hands over a descriptor
/// could not say whether the program has it: the kernel takes a call for answered then that never was.
pub(crate) fn leave_signals_to_another_thread() -> io::Result<()> {
    let wait = || loop {
        // SAFETY: the call has no arguments.
        unsafe { libc::pause() };
    };
    std::thread::Builder::new().name("signals".into()).stack_size(64 << 10).spawn(wait)?;
    signals::block_all()
}

/// Signals that the terminal sends to all programs in front: they are for the program, not for its monitor.
pub(crate) fn ignore_keys() {
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: no handler is installed.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Nobody may read or trace this process.
pub(crate) fn hide_self() -> io::Result<()> {
    let readable = libc::c_ulong::from(!stands(Defence::UnreadableMonitor));
    // SAFETY: the option takes numbers, no pointers.
    checked(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, readable, 0, 0, 0) }).map(drop)
}

/// Writes into the memory of a process, as far as its pages may be written.
pub(crate) fn write(process: i32, at: u64, bytes: &[u8]) -> Result<(), rustix::io::Errno> {
    let from = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let at = usize::try_from(at).map_err(|_| rustix::io::Errno::FAULT)?;
    let to = libc::iovec { iov_base: ptr::without_provenance_mut(at), iov_len: bytes.len() };
    // SAFETY: only bytes of this process that live through the call are read; the others are not this process's.
    let written =
        unsafe { libc::process_vm_writev(process, &raw const from, 1, &raw const to, 1, 0) };
    if usize::try_from(written) == Ok(bytes.len()) { Ok(()) } else { Err(rustix::io::Errno::FAULT) }
}

/// Sends a signal; a process that is gone is no failure.
pub(crate) fn kill(process: i32, signal: i32) {
    // SAFETY: the call takes numbers.
    let _gone = unsafe { libc::kill(process, signal) };
}

/// Sends a signal to the process that a descriptor stands for.
pub(crate) fn signal_descriptor(process: &OwnedFd, signal: i32) -> Result<(), rustix::io::Errno> {
    // SAFETY: the call takes numbers and a null pointer.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            signal,
            ptr::null::<libc::c_void>(),
            0,
        )
    };
    checked(sent).map(drop).map_err(|it| crate::task::error(&it))
}
