//! What a program keeps when it comes into another context: open files (`flush_unauthorized_files`), limits and signals
//! (`selinux_bprm_committing_creds`, `selinux_bprm_committed_creds`).
//!
//! The program stands before its first instruction. Of open files that it may not have, the monitor puts another in the place: it can do so only
//! while a call waits for it, so the program is made to make one.

use std::os::fd::OwnedFd;

use mandate_server::Sid;
use rustc_hash::FxHashMap;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::access::About;
use crate::class::{Class, fd, file, process};
use crate::object::Object;
use crate::path::Base;
use crate::supervisor::Monitor;
use crate::sys::inject::{self, Registers};
use crate::sys::listener::{Answer, Notification};
use crate::sys::trace;
use crate::task::{error, field};

/// A call that the monitor is always asked about, and that does nothing without a path.
const CALL: i64 = libc::SYS_creat;
/// `AT_SYSINFO_EHDR` (linux/auxvec.h): where the kernel's own library lies in the program.
const AT_SYSINFO_EHDR: u64 = 33;
/// As much of it is looked through for the instruction that makes a call.
const LIBRARY: usize = 2 * 4096;

/// Open files that a program may not keep, by number, and its registers as they are to be.
#[derive(Debug)]
pub(crate) struct Unauthorized {
    numbers: Vec<i32>,
    registers: Registers,
}

/// Programs that make a call so that open files are taken from them, by thread.
pub(crate) type Taking = FxHashMap<i32, Unauthorized>;

impl Monitor<'_> {
    /// A program comes from `old` to `new`, and stands before its first instruction.
    pub(crate) fn inherits(&mut self, thread: i32, old: Sid, new: Sid) -> Result<(), Errno> {
        let numbers = self.unauthorized(thread, old, new);
        if !self.may_inherit(thread, old, new, process::rlimitinh) {
            reset_limits(thread);
        }
        let signals = self.may_inherit(thread, old, new, process::siginh);
        if signals && numbers.is_empty() {
            return Ok(());
        }
        let registers = Registers::of(thread).map_err(|it| error(&it))?;
        let at = self.instruction(thread)?;
        // The kernel still writes 0, the result of exec, where the number of a call is: so the first call would be another, `read`.
        let nothing = registers.calling(at, libc::SYS_read, [u64::MAX, 0, 0, 0]);
        inject::call(thread, &nothing).map_err(|it| error(&it))?;
        if !signals {
            self.reset_signals(thread, &registers, at)?;
        }
        if numbers.is_empty() {
            return registers.set(thread).map_err(|it| error(&it));
        }
        let calling = registers.calling(at, CALL, [0; 4]);
        calling.set(thread).map_err(|it| error(&it))?;
        self.taking.insert(thread, Unauthorized { numbers, registers });
        Ok(())
    }

    fn may_inherit(&mut self, thread: i32, old: Sid, new: Sid, what: u32) -> bool {
        self.may_as(thread, old, new, Class::Process, what, About::Nothing).is_ok()
    }

    /// Numbers of open files that a context may not have.
    fn unauthorized(&mut self, thread: i32, old: Sid, new: Sid) -> Vec<i32> {
        let mut numbers = open_files(thread);
        numbers.retain(|number| self.may_keep(thread, *number, old, new).is_err());
        numbers
    }

    fn may_keep(&mut self, thread: i32, number: i32, old: Sid, new: Sid) -> Result<(), Errno> {
        let Ok(object) = self.walker(thread)?.base(Base::Descriptor(number)) else {
            // Closed meanwhile by a process that has the same table.
            return Ok(());
        };
        let opener = self.tasks.opener(thread, object.facts.inode).unwrap_or(old);
        let wanted = self.wanted(thread, number)?;
        self.may_have(thread, (new, opener), &object, wanted)?;
        if opener != new {
            self.tasks.got(thread, object.facts.inode, opener);
        }
        Ok(())
    }

    /// May a context have a file that somebody opened (`file_has_perm`)?
    pub(super) fn may_have(
        &mut self,
        thread: i32,
        (sid, opener): (Sid, Sid),
        object: &Object,
        wanted: u32,
    ) -> Result<(), Errno> {
        let (label, class) = self.open_label(object, opener)?;
        let about = About::Object(object);
        if sid != opener {
            self.may_as(thread, sid, opener, Class::Fd, fd::r#use, about)?;
        }
        self.may_as(thread, sid, label, class, wanted, about)
    }

    /// The label of an open file; what nobody knows yet was made by who opened it.
    fn open_label(&mut self, object: &Object, opener: Sid) -> Result<(Sid, Class), Errno> {
        if object.facts.kind() == libc::S_IFSOCK {
            return self.label_of_socket(&object.file, object.facts.inode, opener);
        }
        let tasks = &self.tasks;
        let process = |number| tasks.get(number).map(|it| it.security.sid);
        let label = self.labels.of(object, self.server, opener, process);
        if object.facts.kind() == libc::S_IFIFO {
            self.labels.settle(&object.facts, label, self.server);
        }
        Ok((label, object.facts.class()))
    }

    /// What an open file can be used for (`file_to_av`).
    fn wanted(&self, thread: i32, number: i32) -> Result<u32, Errno> {
        let about = std::fs::read_to_string(format!("/proc/{thread}/fdinfo/{number}"));
        let about = about.map_err(|it| error(&it))?;
        let flags = field(&about, "flags:").and_then(|it| i32::from_str_radix(it, 8).ok());
        Ok(usable(flags.ok_or(Errno::BADF)?))
    }

    /// Where in a program the instruction that makes a call is: in the kernel's own library.
    fn instruction(&mut self, thread: i32) -> Result<u64, Errno> {
        let library = super::exec::auxiliary_of(thread, AT_SYSINFO_EHDR).ok_or(Errno::NOEXEC)?;
        let bytes = self.tasks.bytes(thread, library, LIBRARY)?;
        let at = bytes.windows(2).position(|it| it == [0x0f, 0x05]);
        at.map(|it| library + it as u64).ok_or(Errno::NOEXEC)
    }

    /// No timers, no signals on the way, none ignored or blocked.
    fn reset_signals(&mut self, thread: i32, registers: &Registers, at: u64) -> Result<(), Errno> {
        // Below the stack's end nothing lies yet; the kernel made room there.
        let nothing = registers.stack() - 512;
        self.tasks.write(thread, nothing, &[0; 32])?;
        inject::unblock_signals(thread).map_err(|it| error(&it))?;
        let timer =
            |which: i32| (libc::SYS_setitimer, [u64::from(which.unsigned_abs()), nothing, 0, 0]);
        let timers = [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF].map(timer);
        let ignored = ignored(thread);
        let action = |signal: u64| (libc::SYS_rt_sigaction, [signal, nothing, 0, 8]);
        for (number, arguments) in timers.into_iter().chain(ignored.map(action)) {
            let calling = registers.calling(at, number, arguments);
            inject::call(thread, &calling).map_err(|it| error(&it))?;
        }
        Ok(())
    }

    /// The call that a program was made to make has come: files are taken from it, and it goes on as it was.
    pub(crate) fn take_files(&mut self, call: &Notification, it: &Unauthorized) {
        if let Ok(other) = instead() {
            for number in &it.numbers {
                // A number that is closed meanwhile, or a program that was killed, needs nothing more.
                let _gone = self.listener.replace(call.id, &other, *number, false);
            }
        } else {
            trace::kill(call.thread, libc::SIGKILL);
        }
        // It stops when the call is done, and before it is back in the program.
        let stops = trace::interrupt(call.thread).is_ok();
        let answered = self.listener.answer(call.id, Answer::Value(0));
        if !stops || answered.is_err() {
            return trace::kill(call.thread, libc::SIGKILL);
        }
        if let Ok(Some((thread, event))) = trace::next_event(call.thread, true) {
            if !matches!(event, trace::Event::Gone(_))
                && it.registers.outside_calls().set(thread).is_err()
            {
                trace::kill(thread, libc::SIGKILL);
            }
            self.happened(thread, event);
        }
    }
}

/// What is there in place of a file that was taken.
fn instead() -> Result<OwnedFd, Errno> {
    openat(CWD, c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())
}

/// What an open file can be used for.
pub(super) fn usable(flags: i32) -> u32 {
    let write = if flags & libc::O_APPEND == 0 { file::write } else { file::append };
    if flags & libc::O_PATH != 0 {
        // Neither read nor written, as the kernel has it.
        return file::ioctl;
    }
    match flags & libc::O_ACCMODE {
        libc::O_RDONLY => file::read,
        libc::O_WRONLY => write,
        _ => file::read | write,
    }
}

fn open_files(thread: i32) -> Vec<i32> {
    let entries = std::fs::read_dir(format!("/proc/{thread}/fd")).into_iter().flatten().flatten();
    entries.filter_map(|it| it.file_name().to_str()?.parse().ok()).collect()
}

/// Signals that a program ignores.
fn ignored(thread: i32) -> impl Iterator<Item = u64> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    let set = field(&status, "SigIgn:").and_then(|it| u64::from_str_radix(it, 16).ok());
    let set = set.unwrap_or(0);
    (1..=64).filter(move |signal| set >> (signal - 1) & 1 == 1)
}

/// Soft limits as the system's first program has them (asm-generic/resource.h).
fn reset_limits(thread: i32) {
    let threads = std::fs::read_to_string("/proc/sys/kernel/threads-max").ok();
    let processes = threads.and_then(|it| it.trim().parse::<u64>().ok()).map_or(0, |it| it / 2);
    for resource in 0..=libc::RLIMIT_RTTIME {
        let first = match resource {
            libc::RLIMIT_STACK | libc::RLIMIT_MEMLOCK => 8 << 20,
            libc::RLIMIT_NOFILE => 1024,
            libc::RLIMIT_MSGQUEUE => 819_200,
            libc::RLIMIT_NPROC | libc::RLIMIT_SIGPENDING => processes,
            libc::RLIMIT_CORE | libc::RLIMIT_NICE | libc::RLIMIT_RTPRIO => 0,
            _ => libc::RLIM_INFINITY,
        };
        // What the kernel does not let be set stays.
        let _stays = inject::limit(thread, resource, first);
    }
}
