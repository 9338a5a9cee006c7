//! Semaphores, message queues and shared memory of System V (`selinux_sem_*`, `selinux_msg_queue_*`, `selinux_shm_*`, `selinux_ipc_permission`).
//!
//! They are known by numbers that do not come back soon, so that the kernel may run what was decided about. What nobody here made counts as
//! the kernel's.

use mandate_server::{Compute, Sid};
use rustc_hash::FxHashMap;
use rustix::io::Errno;

use super::int;
use crate::access::About;
use crate::class::{Class, ipc, msg, system};
use crate::labels::initial;
use crate::supervisor::{Monitor, Reply};
use crate::sys::ipc::{Kind, get, look};
use crate::sys::listener::{Answer, Notification};

/// Labels of what programs made.
#[derive(Debug, Default)]
pub(crate) struct Ipc {
    made: FxHashMap<(Kind, i32), Sid>,
    /// The labels of messages that were sent to a queue.
    messages: FxHashMap<i32, Vec<Sid>>,
}

/// Permissions of a mode that anybody may have (linux/stat.h).
const READ: i32 = 0o444;
const WRITE: i32 = 0o222;
/// Commands without `IPC_64` of linux/ipc.h.
const COMMAND: i32 = 0xff;
/// Of linux/sem.h, linux/msg.h and linux/shm.h.
const SEM_STAT_ANY: i32 = 20;
const MSG_STAT_ANY: i32 = 13;
const SHM_STAT: i32 = 13;
const SHM_INFO: i32 = 14;
const SHM_STAT_ANY: i32 = 15;

impl Kind {
    fn class(self) -> Class {
        match self {
            Self::Semaphores => Class::Sem,
            Self::Messages => Class::Msgq,
            Self::Memory => Class::Shm,
        }
    }
}

/// What a command of `semctl`, `msgctl` or `shmctl` asks for.
enum Command {
    /// As a mode, and of the object.
    Object(i32, u32),
    /// Of the system.
    System,
    Unknown,
}

impl Monitor<'_> {
    /// Decides a call of System V; none if the call is none.
    pub(super) fn ipc(&mut self, call: &Notification) -> Option<Result<Reply, Errno>> {
        use Kind::{Memory, Messages, Semaphores};
        let [a, b, c, ..] = call.arguments.map(int);
        let size = call.arguments[1];
        let done = match call.number {
            libc::SYS_semget => return Some(self.get(call, Semaphores, a, size, c)),
            libc::SYS_msgget => return Some(self.get(call, Messages, a, 0, b)),
            libc::SYS_shmget => return Some(self.get(call, Memory, a, size, c)),
            // Which of them only wait lies in memory.
            libc::SYS_semop | libc::SYS_semtimedop => {
                self.may_use_ipc(call, (Semaphores, a), WRITE, ipc::read | ipc::write)
            }
            libc::SYS_semctl => self.control(call, (Semaphores, a), c & COMMAND),
            libc::SYS_msgctl => self.control(call, (Messages, a), b & COMMAND),
            libc::SYS_shmctl => self.control(call, (Memory, a), b & COMMAND),
            libc::SYS_msgsnd => self.may_send_ipc(call, a),
            libc::SYS_msgrcv => self.may_take(call, a),
            libc::SYS_shmat if c & libc::SHM_RDONLY == 0 => {
                self.may_use_ipc(call, (Memory, a), READ | WRITE, ipc::read | ipc::write)
            }
            libc::SYS_shmat => self.may_use_ipc(call, (Memory, a), READ, ipc::read),
            _ => return None,
        };
        Some(done.map(|()| Answer::Continue.into()))
    }

    /// Makes one, or finds it by its key. The monitor does that: it knows then which of the two it was.
    fn get(
        &mut self,
        call: &Notification,
        kind: Kind,
        key: i32,
        size: u64,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let answer = |id: i32| Ok(Answer::Value(id.into()).into());
        let sid = self.sid(call.thread)?;
        self.still(call)?;
        let new = key == libc::IPC_PRIVATE || flags & libc::IPC_CREAT != 0;
        let only_new =
            flags & (libc::IPC_CREAT | libc::IPC_EXCL) == libc::IPC_CREAT | libc::IPC_EXCL;
        if key != libc::IPC_PRIVATE {
            let none = flags & !(libc::IPC_CREAT | libc::IPC_EXCL);
            match get(kind, key, size, none) {
                Ok(_) if only_new => return Err(Errno::EXIST),
                Ok(id) => {
                    self.may_use_ipc(call, (kind, id), flags, ipc::associate)?;
                    return answer(id);
                }
                Err(Errno::NOENT) if new => {}
                Err(why) => return Err(why),
            }
        }
        self.may(call.thread, sid, kind.class(), ipc::create, About::Nothing)?;
        let id = get(kind, key, size, flags | libc::IPC_CREAT | libc::IPC_EXCL)?;
        self.ipc.made.insert((kind, id), sid);
        answer(id)
    }

    fn label_of_ipc(&self, object: (Kind, i32)) -> Result<Sid, Errno> {
        if let Some(made) = self.ipc.made.get(&object) {
            return Ok(*made);
        }
        match look(object.0, object.1) {
            Ok(()) | Err(Errno::ACCESS) => Ok(initial(self.server, "kernel")),
            Err(why) => Err(why),
        }
    }

    /// May a thread use one so: first by a mode (`ipcperms`), then as the call has it?
    fn may_use_ipc(
        &mut self,
        call: &Notification,
        object: (Kind, i32),
        mode: i32,
        bits: u32,
    ) -> Result<(), Errno> {
        let label = self.label_of_ipc(object)?;
        let read = if mode & READ == 0 { 0 } else { ipc::unix_read };
        let write = if mode & WRITE == 0 { 0 } else { ipc::unix_write };
        for bits in [read | write, bits] {
            if bits != 0 {
                self.may(call.thread, label, object.0.class(), bits, About::Nothing)?;
            }
        }
        Ok(())
    }

    fn control(
        &mut self,
        call: &Notification,
        object: (Kind, i32),
        command: i32,
    ) -> Result<(), Errno> {
        match asked(object.0, command) {
            Command::Object(mode, bits) => self.may_use_ipc(call, object, mode, bits)?,
            Command::System => {
                let kernel = initial(self.server, "kernel");
                let bits = system::ipc_info;
                self.may(call.thread, kernel, Class::System, bits, About::Nothing)?;
            }
            Command::Unknown => return Err(Errno::INVAL),
        }
        Ok(())
    }

    /// The label that a thread's message has in a queue.
    fn message_label(&mut self, thread: i32, queue: Sid) -> Result<Sid, Errno> {
        let sid = self.sid(thread)?;
        let class = self.vocabulary.known(Class::Msg).map(|it| it.class);
        self.server.compute(Compute::Create, sid, queue, class, None).map_err(|_| Errno::ACCESS)
    }

    fn may_send_ipc(&mut self, call: &Notification, id: i32) -> Result<(), Errno> {
        self.may_use_ipc(call, (Kind::Messages, id), WRITE, ipc::write)?;
        let queue = self.label_of_ipc((Kind::Messages, id))?;
        let message = self.message_label(call.thread, queue)?;
        self.may(call.thread, message, Class::Msg, msg::send, About::Nothing)?;
        let about = About::Nothing;
        self.may_as(call.thread, message, queue, Class::Msgq, ipc::enqueue, about)?;
        let sent = self.ipc.messages.entry(id).or_default();
        if !sent.contains(&message) {
            sent.push(message);
        }
        Ok(())
    }

    /// Which message it will be is not known: it has to be allowed all that may be there.
    fn may_take(&mut self, call: &Notification, id: i32) -> Result<(), Errno> {
        self.may_use_ipc(call, (Kind::Messages, id), READ, ipc::read)?;
        for message in self.ipc.messages.get(&id).cloned().unwrap_or_default() {
            self.may(call.thread, message, Class::Msg, msg::receive, About::Nothing)?;
        }
        Ok(())
    }
}

fn asked(kind: Kind, command: i32) -> Command {
    use Command::{Object, System, Unknown};
    match (kind, command) {
        (_, libc::IPC_RMID) => Object(0, ipc::destroy),
        (_, libc::IPC_SET) => Object(0, ipc::setattr),
        (_, libc::IPC_STAT)
        | (Kind::Semaphores, libc::SEM_STAT | SEM_STAT_ANY)
        | (Kind::Messages, libc::MSG_STAT | MSG_STAT_ANY)
        | (Kind::Memory, SHM_STAT | SHM_STAT_ANY) => Object(READ, ipc::getattr | ipc::associate),
        (_, libc::IPC_INFO)
        | (Kind::Semaphores, libc::SEM_INFO)
        | (Kind::Messages, libc::MSG_INFO)
        | (Kind::Memory, SHM_INFO) => System,
        (Kind::Semaphores, libc::GETPID | libc::GETNCNT | libc::GETZCNT) => {
            Object(READ, ipc::getattr)
        }
        (Kind::Semaphores, libc::GETVAL | libc::GETALL) => Object(READ, ipc::read),
        (Kind::Semaphores, libc::SETVAL | libc::SETALL) => Object(WRITE, ipc::write),
        (Kind::Memory, libc::SHM_LOCK | libc::SHM_UNLOCK) => Object(0, ipc::lock),
        _ => Unknown,
    }
}
