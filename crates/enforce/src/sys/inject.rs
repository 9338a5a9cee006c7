//! Calls that a stopped thread is made to make, by its registers (ptrace(2)).

#![expect(unsafe_code, reason = "no library has ptrace in a safe form")]

use std::io;
use std::ptr;

use super::checked;

/// A thread's registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers(libc::user_regs_struct);

impl Registers {
    /// Those of a stopped thread.
    pub(crate) fn of(thread: i32) -> io::Result<Self> {
        let nothing = ptr::null_mut::<libc::c_void>();
        // SAFETY: all bytes zero is a value of this type.
        let mut it: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes the registers, which live through the call.
        checked(unsafe { libc::ptrace(libc::PTRACE_GETREGS, thread, nothing, &raw mut it) })?;
        Ok(Self(it))
    }

    /// Gives them to a stopped thread.
    pub(crate) fn set(&self, thread: i32) -> io::Result<()> {
        let nothing = ptr::null_mut::<libc::c_void>();
        // SAFETY: the kernel reads the registers, which live through the call.
        checked(unsafe { libc::ptrace(libc::PTRACE_SETREGS, thread, nothing, &raw const self.0) })
            .map(drop)
    }

    /// The call that the thread is in, and what it gives so far.
    pub(crate) fn call(&self) -> (i64, i64) {
        (self.0.orig_rax.cast_signed(), self.0.rax.cast_signed())
    }

    pub(crate) fn with_result(mut self, result: i64) -> Self {
        self.0.rax = result.cast_unsigned();
        self
    }

    /// Where its stack ends.
    pub(crate) fn stack(&self) -> u64 {
        self.0.rsp
    }

    /// Those of a thread that makes a call next, by the instruction at `at`.
    pub(crate) fn calling(mut self, at: u64, number: i64, arguments: [u64; 4]) -> Self {
        let it = &mut self.0;
        it.rip = at;
        it.rax = number.cast_unsigned();
        [it.rdi, it.rsi, it.rdx, it.r10] = arguments;
        self.outside_calls()
    }

    /// Those of a thread that is in no call: nothing is to begin again.
    pub(crate) fn outside_calls(mut self) -> Self {
        self.0.orig_rax = u64::MAX;
        self
    }
}

/// Makes a stopped thread make a call that waits for nobody. Signals that reach it meanwhile are dropped. `ESRCH` of one that ended, whose end is
/// still to be told.
pub(crate) fn call(thread: i32, registers: &Registers) -> io::Result<i64> {
    registers.set(thread)?;
    loop {
        step(thread)?;
        let status = stop_of(thread)?;
        if status == libc::SIGTRAP {
            return Ok(Registers::of(thread)?.0.rax.cast_signed());
        }
    }
}

/// What a thread stops with next: a signal, and what happened in the bits above.
fn stop_of(thread: i32) -> io::Result<i32> {
    let id = libc::id_t::try_from(thread).unwrap_or(0);
    let options = libc::WSTOPPED | libc::WEXITED | libc::__WALL;
    // SAFETY: all bytes zero is a value of this type.
    let mut about: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let wait = |about: &mut libc::siginfo_t, options| {
        // SAFETY: the kernel writes what it knows, which lives through the call.
        checked(unsafe { libc::waitid(libc::P_PID, id, about, options) })
    };
    wait(&mut about, options | libc::WNOWAIT)?;
    if !matches!(about.si_code, libc::CLD_TRAPPED | libc::CLD_STOPPED) {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    wait(&mut about, options)?;
    // SAFETY: of a child's news the status is part.
    Ok(unsafe { about.si_status() })
}

fn step(thread: i32) -> io::Result<()> {
    let nothing = ptr::null_mut::<libc::c_void>();
    // SAFETY: the request takes numbers.
    checked(unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, thread, nothing, 0) }).map(drop)
}

/// Lets every signal reach a stopped thread.
pub(crate) fn unblock_signals(thread: i32) -> io::Result<()> {
    let none = 0_u64;
    // SAFETY: the kernel reads the eight bytes of a set, which live through the call.
    let done = unsafe { libc::ptrace(libc::PTRACE_SETSIGMASK, thread, 8_u64, &raw const none) };
    checked(done).map(drop)
}

/// Sets a process's soft limit of a resource, as far as the hard one lets.
pub(crate) fn limit(
    process: i32,
    resource: libc::__rlimit_resource_t,
    soft: u64,
) -> io::Result<()> {
    let mut it = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes a limit, which lives through the call.
    checked(unsafe { libc::prlimit(process, resource, ptr::null(), &raw mut it) })?;
    it.rlim_cur = soft.min(it.rlim_max);
    // SAFETY: the kernel reads a limit, which lives through the call.
    checked(unsafe { libc::prlimit(process, resource, &raw const it, ptr::null_mut()) }).map(drop)
}

/// Sets a process's limits of a resource, soft and hard, if there are new ones; what they were.
pub(crate) fn limits(process: i32, resource: u32, new: Option<[u64; 2]>) -> io::Result<[u64; 2]> {
    let new = new.map(|[rlim_cur, rlim_max]| libc::rlimit { rlim_cur, rlim_max });
    let from = new.as_ref().map_or(ptr::null(), ptr::from_ref);
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel reads one limit, if there is one, and writes another; both live through the call.
    checked(unsafe { libc::prlimit(process, resource, from, &raw mut old) })?;
    Ok([old.rlim_cur, old.rlim_max])
}
