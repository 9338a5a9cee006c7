//! What processes do to each other and to themselves (`selinux_task_*`). Only registers are looked at, so the kernel may run the call.

use rustix::io::Errno;

use super::{int, word};
use crate::access::About;
use crate::class::{Class, process};
use crate::defence::{Defence, stands};
use crate::labels::initial;
use crate::path::has_thread;
use crate::supervisor::{Monitor, Reply};
use crate::sys::inject;
use crate::sys::listener::{Answer, Notification};
use crate::task::{error, field};

/// `PRIO_PROCESS`: what a priority is set of.
const PROCESS: i32 = 0;
/// `IOPRIO_WHO_PROCESS` of linux/ioprio.h.
const IO_PROCESS: i32 = 1;

impl Monitor<'_> {
    pub(super) fn processes(&mut self, call: &Notification) -> Result<Reply, Errno> {
        let [a, b, c, d, ..] = call.arguments;
        if matches!(call.number, libc::SYS_sched_getaffinity | libc::SYS_sched_setaffinity) {
            self.beside.let_go();
        }
        match call.number {
            libc::SYS_clone | libc::SYS_fork | libc::SYS_vfork => {
                let sid = self.sid(call.thread)?;
                self.may(call.thread, sid, Class::Process, process::fork, About::Nothing)?;
            }
            libc::SYS_prctl => return self.options(call),
            libc::SYS_fcntl if int(b) == libc::F_SETFL => return self.set_flags(call, int(a), c),
            libc::SYS_fcntl if int(b) == libc::F_DUPFD => {
                return self.duplicate(call, int(a), false);
            }
            libc::SYS_fcntl if int(b) == libc::F_DUPFD_CLOEXEC => {
                return self.duplicate(call, int(a), true);
            }
            libc::SYS_fcntl => self.may_own_signals(call, int(c))?,
            libc::SYS_ftruncate => return self.truncate_open(call, int(a), b),
            libc::SYS_fallocate => return self.allocate(call, int(a), int(b), (c, d)),
            libc::SYS_kill => return self.kill(call, int(a), int(b)),
            libc::SYS_tkill => self.may_signal(call, int(a), int(b))?,
            libc::SYS_tgkill | libc::SYS_rt_tgsigqueueinfo => {
                self.may_signal(call, int(b), int(c))?;
            }
            libc::SYS_rt_sigqueueinfo => self.may_signal(call, int(a), int(b))?,
            libc::SYS_pidfd_send_signal => return self.signal_by_descriptor(call, int(a), int(b)),
            libc::SYS_setpgid => {
                self.is_own(call, int(a))?;
                self.may_do(call, int(a), process::setpgid)?;
            }
            // About itself nobody asks.
            libc::SYS_getpgid | libc::SYS_getsid if int(a) == 0 => {}
            libc::SYS_getpgid => self.may_do(call, int(a), process::getpgid)?,
            libc::SYS_getsid => self.may_do(call, int(a), process::getsession)?,
            libc::SYS_sched_setparam
            | libc::SYS_sched_setscheduler
            | libc::SYS_sched_setattr
            | libc::SYS_sched_setaffinity => self.may_do(call, int(a), process::setsched)?,
            libc::SYS_sched_getparam
            | libc::SYS_sched_getscheduler
            | libc::SYS_sched_getattr
            | libc::SYS_sched_getaffinity
            | libc::SYS_sched_rr_get_interval => self.may_do(call, int(a), process::getsched)?,
            // Of a whole group or user only itself can be named soundly.
            libc::SYS_setpriority | libc::SYS_ioprio_set => match int(a) {
                PROCESS if call.number == libc::SYS_setpriority => {
                    self.may_do(call, int(b), process::setsched)?;
                }
                IO_PROCESS if call.number == libc::SYS_ioprio_set => {
                    self.may_do(call, int(b), process::setsched)?;
                }
                _ => return Err(Errno::PERM),
            },
            libc::SYS_ioprio_get if int(a) == IO_PROCESS => {
                self.may_do(call, int(b), process::getsched)?;
            }
            libc::SYS_ioprio_get => {}
            libc::SYS_prlimit64 => return self.limit(call, int(a), word(b), (c, d)),
            libc::SYS_setrlimit => return self.limit(call, 0, word(a), (b, 0)),
            _ => return Err(Errno::NOSYS),
        }
        Ok(Answer::Continue.into())
    }

    /// The context of any process: those that nobody watches are the system's.
    fn target(&self, call: &Notification, number: i32) -> Result<mandate_server::Sid, Errno> {
        if number == 0 {
            return self.sid(call.thread);
        }
        if number == self.monitor() || has_thread(self.monitor(), number) {
            return if stands(Defence::GuardedMonitor) {
                Err(Errno::PERM)
            } else {
                self.sid(call.thread)
            };
        }
        let known = self.tasks.get(number).map(|it| it.security.sid);
        Ok(known.unwrap_or_else(|| initial(self.server, "kernel")))
    }

    /// Is this the process itself, or a child of it? No other's group is set.
    fn is_own(&self, call: &Notification, number: i32) -> Result<(), Errno> {
        let own = self.tasks.get(call.thread).ok_or(Errno::SRCH)?.process;
        let status = || {
            let status = std::fs::read_to_string(format!("/proc/{number}/status")).ok()?;
            field(&status, "PPid:")?.parse().ok()
        };
        let is_own = number == 0 || number == own || status() == Some(own);
        if is_own { Ok(()) } else { Err(Errno::SRCH) }
    }

    /// Limits of a process, read and set. Whether a hard limit changes lies in memory: so the monitor sets what it has read.
    fn limit(
        &mut self,
        call: &Notification,
        number: i32,
        resource: u32,
        (new, old): (u64, u64),
    ) -> Result<Reply, Errno> {
        let itself = number == 0 || number == call.thread;
        let set = if new == 0 { 0 } else { process::setrlimit };
        let get = if old == 0 { 0 } else { process::getrlimit };
        if !itself {
            self.may_do(call, number, set | get)?;
        }
        if new == 0 {
            return Ok(Answer::Continue.into());
        }
        let target = if itself { call.thread } else { number };
        let bytes = self.tasks.bytes(call.thread, new, 16)?;
        let mut words = bytes.chunks_exact(8).map(|it| it.try_into().map_or(0, u64::from_ne_bytes));
        let wanted = [words.next().unwrap_or(0), words.next().unwrap_or(0)];
        let before = inject::limits(target, resource, None).map_err(|it| error(&it))?;
        // What the kernel refuses itself it refuses first.
        if wanted[0] > wanted[1] {
            return Err(Errno::INVAL);
        }
        if wanted[1] > before[1] {
            return Err(Errno::PERM);
        }
        if wanted[1] != before[1] {
            self.may_do(call, if itself { 0 } else { number }, process::setrlimit)?;
        }
        self.still(call)?;
        let before = inject::limits(target, resource, Some(wanted)).map_err(|it| error(&it))?;
        if old != 0 {
            let bytes = before.map(u64::to_ne_bytes).concat();
            self.tasks.write(call.thread, old, &bytes)?;
        }
        Ok(super::DONE.into())
    }

    fn may_do(&mut self, call: &Notification, number: i32, bits: u32) -> Result<(), Errno> {
        if self.has_ended(number)? {
            return Ok(());
        }
        let target = self.target(call, number)?;
        self.may(call.thread, target, Class::Process, bits, About::Process(number))
    }

    /// A process that only waits for its parent to hear of its end: nothing reaches it any more, and what it was is forgotten.
    /// `ESRCH` of one that is not there at all.
    fn has_ended(&self, number: i32) -> Result<bool, Errno> {
        if number == 0 || self.tasks.get(number).is_some() {
            return Ok(false);
        }
        let status = std::fs::read_to_string(format!("/proc/{number}/status"));
        let status = status.map_err(|_| Errno::SRCH)?;
        let is = |name, value| field(&status, name).is_some_and(|it| it.starts_with(value));
        // Of other threads somebody else's may go on.
        Ok(is("State:", "Z") && field(&status, "Threads:") == Some("1"))
    }

    fn may_signal(&mut self, call: &Notification, number: i32, signal: i32) -> Result<(), Errno> {
        self.may_do(call, number, of_signal(signal))
    }

    /// A file may send its signals to those who use it: to itself, not to others.
    fn may_own_signals(&self, call: &Notification, owner: i32) -> Result<(), Errno> {
        let own = self.tasks.get(call.thread).ok_or(Errno::SRCH)?.process;
        let itself = owner == 0 || self.tasks.get(owner).is_some_and(|it| it.process == own);
        if itself { Ok(()) } else { Err(Errno::PERM) }
    }

    /// A process, its group, or all. Of a group those who run here get the signal, one by one: the monitor is of the same group as a rule.
    /// All are too many.
    fn kill(&mut self, call: &Notification, number: i32, signal: i32) -> Result<Reply, Errno> {
        if number == -1 {
            return Err(Errno::PERM);
        }
        if number > 0 {
            self.may_signal(call, number, signal)?;
            return Ok(Answer::Continue.into());
        }
        let group = if number == 0 { group_of(call.thread)? } else { -number };
        let mut members: Vec<i32> = self.tasks.processes().collect();
        members.retain(|it| group_of(*it) == Ok(group));
        if members.is_empty() {
            let ended = self.has_ended(group)? && group_of(group) == Ok(group);
            return if ended { Ok(super::DONE.into()) } else { Err(Errno::SRCH) };
        }
        // One that may be signalled is enough, as with the kernel.
        let mut result = Err(Errno::PERM);
        for member in members {
            match self.may_signal(call, member, signal) {
                Ok(()) => {
                    self.still(call)?;
                    crate::sys::trace::kill(member, signal);
                    result = Ok(super::DONE.into());
                }
                Err(why) if result.is_err() => result = Err(why),
                Err(_) => {}
            }
        }
        result
    }

    fn signal_by_descriptor(
        &mut self,
        call: &Notification,
        number: i32,
        signal: i32,
    ) -> Result<Reply, Errno> {
        let descriptor = self.tasks.opened(call.thread, number)?;
        let info = std::fs::read_to_string(format!(
            "/proc/self/fdinfo/{}",
            std::os::fd::AsRawFd::as_raw_fd(&descriptor)
        ));
        let info = info.map_err(|_| Errno::BADF)?;
        let process = info.lines().find_map(|it| it.strip_prefix("Pid:"));
        let process = process.and_then(|it| it.trim().parse::<i32>().ok()).ok_or(Errno::BADF)?;
        if process < 1 {
            return Err(Errno::SRCH);
        }
        self.may_signal(call, process, signal)?;
        self.still(call)?;
        crate::sys::trace::signal_descriptor(&descriptor, signal)?;
        Ok(super::DONE.into())
    }
}

/// What a signal asks for (`selinux_task_kill`).
fn of_signal(signal: i32) -> u32 {
    match signal {
        0 => process::signull,
        libc::SIGCHLD => process::sigchld,
        libc::SIGKILL => process::sigkill,
        libc::SIGSTOP => process::sigstop,
        _ => process::signal,
    }
}

/// The group of a process.
fn group_of(process: i32) -> Result<i32, Errno> {
    let pid = rustix::process::Pid::from_raw(process).ok_or(Errno::SRCH)?;
    Ok(rustix::process::getpgid(Some(pid))?.as_raw_nonzero().get())
}
