//! Threads and processes that the monitor watches, and what SELinux keeps of each.

use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mandate_server::Sid;
use rustc_hash::FxHashMap;
use rustix::io::Errno;

use crate::defence::{Defence, stands};
use crate::object::Inode;

/// What SELinux keeps of a thread (`struct task_security_struct`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Security {
    /// Its context.
    pub(crate) sid: Sid,
    /// That which it had before its last program.
    pub(crate) previous: Sid,
    /// What the next program, file, socket or key gets, where the program has asked for one.
    pub(crate) exec: Option<Sid>,
    pub(crate) create: Option<Sid>,
    pub(crate) socket: Option<Sid>,
    pub(crate) key: Option<Sid>,
}

impl Security {
    pub(crate) fn new(sid: Sid) -> Self {
        Self { sid, previous: sid, exec: None, create: None, socket: None, key: None }
    }
}

/// A thread.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// The process that it is of.
    pub(crate) process: i32,
    pub(crate) security: Security,
    /// The program has asked for it, not the monitor.
    pub(crate) no_new_privs: bool,
    pub(crate) umask: u32,
}

/// What threads of a process share.
#[derive(Debug, Default)]
struct Process {
    /// Its memory, until it executes another program.
    memory: Option<Rc<File>>,
    descriptor: Option<Rc<OwnedFd>>,
    threads: usize,
    /// Who opened the files that it did not open itself, nor any program of its context.
    openers: Rc<FxHashMap<Inode, Sid>>,
    /// Whose memory it has, and who waits for it to be given back.
    lender: Option<Lender>,
}

/// A process whose memory another one has, and its thread that waits until that is over.
#[derive(Clone, Copy, Debug)]
struct Lender {
    process: i32,
    waits: i32,
}

/// So long after a thread's first stop its birth is not told any more.
const FORLORN: Duration = Duration::from_secs(10);

/// All that are watched.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    tasks: FxHashMap<i32, Task>,
    processes: FxHashMap<i32, Process>,
    /// Stopped before their parent's birth notice came, and when.
    early: Vec<(i32, Instant)>,
}

impl Tasks {
    pub(crate) fn get(&self, thread: i32) -> Option<&Task> {
        self.tasks.get(&thread)
    }

    pub(crate) fn get_mut(&mut self, thread: i32) -> Option<&mut Task> {
        self.tasks.get_mut(&thread)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Processes, to end them.
    pub(crate) fn processes(&self) -> impl Iterator<Item = i32> {
        self.processes.keys().copied()
    }

    /// Other threads that have the same memory.
    pub(crate) fn siblings(&self, thread: i32) -> Vec<i32> {
        let Some(process) = self.get(thread).map(|it| it.process) else { return Vec::new() };
        let lenders = self.processes.values().any(|it| it.lender.is_some());
        if !lenders && self.processes.get(&process).is_none_or(|it| it.threads < 2) {
            return Vec::new();
        }
        let owner = self.owner(process);
        let all = self.tasks.iter().filter(|it| self.owner(it.1.process) == owner);
        all.map(|it| *it.0).filter(|it| *it != thread).collect()
    }

    /// Does a thread wait until a child with its memory gives it back? That may just be over.
    pub(crate) fn lends(&self, thread: i32) -> bool {
        self.processes.values().filter_map(|it| it.lender).any(|it| it.waits == thread)
    }

    /// Threads of the same process.
    pub(crate) fn threads(&self, thread: i32) -> Vec<i32> {
        let process = self.get(thread).map(|it| it.process);
        let all = self.tasks.iter().filter(|it| Some(it.1.process) == process);
        all.map(|it| *it.0).collect()
    }

    /// Has a process one thread?
    pub(crate) fn is_alone(&self, process: i32) -> bool {
        self.processes.get(&process).is_some_and(|it| it.threads == 1)
    }

    /// The process whose memory this one has in the end.
    fn owner(&self, mut process: i32) -> i32 {
        while let Some(lender) = self.processes.get(&process).and_then(|it| it.lender) {
            process = lender.process;
        }
        process
    }

    pub(crate) fn insert(&mut self, thread: i32, task: Task) {
        self.processes.entry(task.process).or_default().threads += 1;
        self.tasks.insert(thread, task);
    }

    /// A thread or process came to be; whether it had stopped before this was known.
    pub(crate) fn born(&mut self, parent: i32, child: i32, borrows: bool) -> bool {
        if let Some(task) = self.get(parent).cloned() {
            let process = process_of(child).unwrap_or(child);
            let lender = Lender { process: task.process, waits: parent };
            let openers = self.processes.get(&task.process).map(|it| Rc::clone(&it.openers));
            self.insert(child, Task { process, ..task });
            if let (Some(entry), Some(openers)) = (self.processes.get_mut(&process), openers) {
                entry.openers = openers;
            }
            let borrows = borrows && process != lender.process;
            if let Some(entry) = self.processes.get_mut(&process).filter(|_| borrows) {
                entry.lender = Some(lender);
            }
        }
        match self.early.iter().position(|it| it.0 == child) {
            Some(at) => {
                self.early.swap_remove(at);
                true
            }
            None => false,
        }
    }

    /// A thread that nobody knows yet has stopped.
    pub(crate) fn came_early(&mut self, thread: i32) {
        self.early.push((thread, Instant::now()));
    }

    /// Threads whose birth nobody will tell of any more: whoever made them was ended while it told. What context they have cannot be said.
    pub(crate) fn forlorn(&mut self) -> Vec<i32> {
        let is_old = |it: &mut (i32, Instant)| it.1.elapsed() > FORLORN;
        self.early.extract_if(.., is_old).map(|it| it.0).collect()
    }

    /// When it is to be looked for such threads.
    pub(crate) fn looks_for_forlorn(&self) -> Option<Instant> {
        self.early.first().map(|it| it.1 + FORLORN)
    }

    pub(crate) fn gone(&mut self, thread: i32) -> Option<Task> {
        let task = self.tasks.remove(&thread)?;
        if let Some(process) = self.processes.get_mut(&task.process) {
            process.threads -= 1;
            if process.threads == 0 {
                self.processes.remove(&task.process);
            }
        }
        Some(task)
    }

    /// A program was executed by `former`, which has its process's number now; other threads are gone.
    pub(crate) fn executed(&mut self, process: i32, former: i32) {
        if former != process {
            let task = self.gone(former);
            self.gone(process);
            if let Some(task) = task {
                self.insert(process, task);
            }
        }
        if let Some(process) = self.processes.get_mut(&process) {
            process.memory = None;
            process.lender = None;
        }
    }

    /// Who opened a file that a process has, if not it or its like.
    pub(crate) fn opener(&self, process: i32, file: Inode) -> Option<Sid> {
        self.processes.get(&process)?.openers.get(&file).copied()
    }

    /// A process has a file that somebody else opened.
    pub(crate) fn got(&mut self, process: i32, file: Inode, opener: Sid) {
        if let Some(process) = self.processes.get_mut(&process) {
            Rc::make_mut(&mut process.openers).insert(file, opener);
        }
    }

    /// The memory of a thread's process.
    pub(crate) fn memory(&mut self, thread: i32) -> Result<Rc<File>, Errno> {
        let process = self.get(thread).ok_or(Errno::SRCH)?.process;
        let shared = self.processes.get_mut(&process).ok_or(Errno::SRCH)?;
        if let Some(memory) = &shared.memory {
            return Ok(Rc::clone(memory));
        }
        let path = format!("/proc/{process}/mem");
        let opened = File::options().read(true).write(true).open(path);
        let memory = Rc::new(opened.map_err(|it| error(&it))?);
        shared.memory = Some(Rc::clone(&memory));
        Ok(memory)
    }

    /// A descriptor that stands for a thread's process.
    pub(crate) fn descriptor(&mut self, thread: i32) -> Result<Rc<OwnedFd>, Errno> {
        let process = self.get(thread).ok_or(Errno::SRCH)?.process;
        let shared = self.processes.get_mut(&process).ok_or(Errno::SRCH)?;
        if let Some(descriptor) = &shared.descriptor {
            return Ok(Rc::clone(descriptor));
        }
        let pid = rustix::process::Pid::from_raw(process).ok_or(Errno::SRCH)?;
        let opened = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?;
        let descriptor = Rc::new(opened);
        shared.descriptor = Some(Rc::clone(&descriptor));
        Ok(descriptor)
    }

    /// The same, if it was asked for before.
    pub(crate) fn known_descriptor(&self, process: i32) -> Option<BorrowedFd<'_>> {
        Some(self.processes.get(&process)?.descriptor.as_deref()?.as_fd())
    }

    /// The monitor's copy of a descriptor that a process has open.
    pub(crate) fn opened(&mut self, thread: i32, number: i32) -> Result<OwnedFd, Errno> {
        let descriptor = self.descriptor(thread)?;
        let flags = rustix::process::PidfdGetfdFlags::empty();
        rustix::process::pidfd_getfd(&*descriptor, number, flags)
    }

    /// Bytes of a process.
    pub(crate) fn bytes(&mut self, thread: i32, at: u64, size: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; size];
        let memory = self.memory(thread)?;
        memory.read_exact_at(&mut bytes, at).map_err(|_| Errno::FAULT)?;
        Ok(bytes)
    }

    /// Writes into a process, where it could write itself: its memory as a file would take all, its code, too.
    pub(crate) fn write(&mut self, thread: i32, at: u64, bytes: &[u8]) -> Result<(), Errno> {
        if !stands(Defence::PlainWrites) {
            return self.memory(thread)?.write_all_at(bytes, at).map_err(|_| Errno::FAULT);
        }
        let process = self.get(thread).ok_or(Errno::SRCH)?.process;
        crate::sys::trace::write(process, at, bytes)
    }

    /// Text of a process that ends with a zero byte; `ENAMETOOLONG` beyond what a path may have.
    pub(crate) fn text(&mut self, thread: i32, at: u64) -> Result<Vec<u8>, Errno> {
        const PAGE: u64 = 4096;
        const MOST: usize = 4096;
        if at == 0 {
            return Err(Errno::FAULT);
        }
        let memory = self.memory(thread)?;
        let mut text = Vec::new();
        let mut buffer = [0; 256];
        while text.len() < MOST {
            let from = at + text.len() as u64;
            // The next page may not be there.
            let room = usize::try_from(PAGE - from % PAGE).unwrap_or(1).min(buffer.len());
            let read = memory.read_at(&mut buffer[..room], from).map_err(|_| Errno::FAULT)?;
            let Some(part) = buffer.get(..read).filter(|it| !it.is_empty()) else {
                return Err(Errno::FAULT);
            };
            match part.iter().position(|it| *it == 0) {
                Some(end) => {
                    text.extend_from_slice(&part[..end]);
                    return Ok(text);
                }
                None => text.extend_from_slice(part),
            }
        }
        Err(Errno::NAMETOOLONG)
    }
}

/// The errno of an error.
pub(crate) fn error(error: &std::io::Error) -> Errno {
    Errno::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EIO))
}

/// The process that a thread is of.
fn process_of(thread: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    field(&status, "Tgid:")?.parse().ok()
}

/// The mask of a process at its start.
pub(crate) fn umask_of(thread: i32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    u32::from_str_radix(field(&status, "Umask:")?, 8).ok()
}

/// What stands behind a name in /proc/PID/status.
pub(crate) fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|it| it.strip_prefix(name)).map(str::trim)
}
