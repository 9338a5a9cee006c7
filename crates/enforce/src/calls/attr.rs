//! What a program finds and sets of itself in `/proc/PID/attr` (`selinux_getprocattr`, `selinux_setprocattr`).
//!
//! What is read is a file in memory. What is written must be answered with an error number, which no file of the monitor's making could give: so the
//! program gets a descriptor of a number at which its `write` comes to the monitor. The file behind it says which attribute it is, whatever becomes of
//! the number.

use std::os::fd::{AsFd as _, OwnedFd};

use mandate_server::Sid;
use rustc_hash::FxHashMap;
use rustix::fs::{MemfdFlags, OFlags, memfd_create};
use rustix::io::Errno;

use crate::access::About;
use crate::class::{Class, process};
use crate::filter::WRITTEN;
use crate::object::{Facts, Inode, magic};
use crate::path::{Base, End};
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::{Answer, Notification};

/// An attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Current,
    Previous,
    Exec,
    FsCreate,
    KeyCreate,
    SockCreate,
}

/// Of which thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    thread: i32,
    name: Name,
}

/// Files that stand for attributes that are open to be written.
pub(crate) type Attributes = FxHashMap<Inode, Attribute>;

/// As many are remembered.
const MOST: usize = 1 << 12;

impl Attribute {
    /// By a path as programs write it.
    fn parse(path: &[u8], process: i32, thread: i32) -> Option<Self> {
        let path = std::str::from_utf8(path).ok()?.strip_prefix("/proc/")?;
        let (whose, rest) = path.split_once('/')?;
        let number = |it: &str| it.parse::<i32>().ok().filter(|it| *it > 0);
        let mut of = match whose {
            "self" => process,
            "thread-self" => thread,
            it => number(it)?,
        };
        let mut rest = rest;
        if let Some(task) = rest.strip_prefix("task/") {
            let (one, after) = task.split_once('/')?;
            (of, rest) = (number(one)?, after);
        }
        let name = match rest.strip_prefix("attr/")? {
            "current" => Name::Current,
            "prev" => Name::Previous,
            "exec" => Name::Exec,
            "fscreate" => Name::FsCreate,
            "keycreate" => Name::KeyCreate,
            "sockcreate" => Name::SockCreate,
            _ => return None,
        };
        Some(Self { thread: of, name })
    }
}

impl Monitor<'_> {
    /// Opens an attribute; none if the path leads to none of ours.
    pub(super) fn open_attr(
        &mut self,
        call: &Notification,
        path: &[u8],
        flags: i32,
    ) -> Option<Result<Reply, Errno>> {
        if !path.starts_with(b"/proc/") {
            return None;
        }
        let process = self.tasks.get(call.thread)?.process;
        let it = Attribute::parse(path, process, call.thread)?;
        let outside = self.tasks.get(it.thread).is_none();
        if outside && (it.name != Name::Current || flags & libc::O_ACCMODE != libc::O_RDONLY) {
            return None;
        }
        if let Err(why) = self.may_come_to_attr(call, path, flags) {
            return Some(Err(why));
        }
        Some(match flags & libc::O_ACCMODE {
            libc::O_RDONLY => self.read_attr(call, it, flags),
            _ => self.give_attr(call, it, flags),
        })
    }

    /// May a thread open the file that stands for an attribute? A kernel without SELinux may have none.
    fn may_come_to_attr(
        &mut self,
        call: &Notification,
        path: &[u8],
        flags: i32,
    ) -> Result<(), Errno> {
        let found = self.walker(call.thread)?.walk(Base::Current, path, super::FOLLOWED)?;
        match (self.may_walk(call.thread, &found), &found.end) {
            (Err(Errno::NOENT), _) => Ok(()),
            (Ok(()), End::Object(object)) => self.may_open(call.thread, object, flags),
            (done, _) => done,
        }
    }

    fn read_attr(
        &mut self,
        call: &Notification,
        it: Attribute,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let close_on_exec = flags & libc::O_CLOEXEC != 0;
        let file = file_with(&self.text_of(call, it)?)?;
        let label = self.label_of_attr(it);
        self.labels.stand_in(&Facts::of(file.as_fd())?, label);
        Ok(Answer::Descriptor { file, close_on_exec, alone: false }.into())
    }

    /// The files of a process in /proc have its context.
    fn label_of_attr(&self, it: Attribute) -> Sid {
        let own = self.tasks.get(it.thread).map(|it| it.security.sid);
        own.unwrap_or_else(|| crate::labels::initial(self.server, "kernel"))
    }

    fn text_of(&mut self, call: &Notification, it: Attribute) -> Result<Vec<u8>, Errno> {
        let Some(security) = self.tasks.get(it.thread).map(|it| it.security) else {
            return self.text_of_outsider(call, it.thread);
        };
        if it.thread != call.thread {
            let about = About::Process(it.thread);
            self.may(call.thread, security.sid, Class::Process, process::getattr, about)?;
        }
        let sid = match it.name {
            Name::Current => Some(security.sid),
            Name::Previous => Some(security.previous),
            Name::Exec => security.exec,
            Name::FsCreate => security.create,
            Name::SockCreate => security.socket,
            Name::KeyCreate => security.key,
        };
        let text = sid.map(|it| self.server.context(it)).transpose();
        let mut text = text.map_err(|_| Errno::INVAL)?.unwrap_or_default().into_bytes();
        if !text.is_empty() {
            text.push(0);
        }
        Ok(text)
    }

    /// Processes that are not watched count as the kernel.
    fn text_of_outsider(&mut self, call: &Notification, process: i32) -> Result<Vec<u8>, Errno> {
        let sid = crate::labels::initial(self.server, "kernel");
        let about = About::Process(process);
        self.may(call.thread, sid, Class::Process, process::getattr, about)?;
        let text = self.server.context(sid).map_err(|_| Errno::INVAL)?;
        Ok((text + "\0").into_bytes())
    }

    /// A descriptor at which writing comes to the monitor. To be read, too, it has what the attribute is.
    fn give_attr(
        &mut self,
        call: &Notification,
        it: Attribute,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let reads = flags & libc::O_ACCMODE == libc::O_RDWR;
        let text = if reads { self.text_of(call, it)? } else { Vec::new() };
        let file = file_with(&text)?;
        let (facts, label) = (Facts::of(file.as_fd())?, self.label_of_attr(it));
        self.labels.stand_in(&facts, label);
        let inode = facts.inode;
        if self.attributes.len() >= MOST {
            self.attributes.clear();
        }
        self.attributes.insert(inode, it);
        let number = self.give_at_number(call, &file, flags & libc::O_CLOEXEC != 0)?;
        Ok(Answer::Value(number.into()).into())
    }

    /// Hands a file over at a number at which calls come to the monitor.
    pub(super) fn give_at_number(
        &mut self,
        call: &Notification,
        file: &OwnedFd,
        close_on_exec: bool,
    ) -> Result<i32, Errno> {
        let number = self.free_number(call.thread).ok_or(Errno::MFILE)?;
        let given = self.listener.replace(call.id, file, number, close_on_exec);
        given.map_err(|it| crate::task::error(&it))?;
        Ok(number)
    }

    /// A copy of what calls come to the monitor for is such, too, where the kernel chooses its number.
    pub(super) fn duplicate(
        &mut self,
        call: &Notification,
        number: i32,
        close_on_exec: bool,
    ) -> Result<Reply, Errno> {
        let Ok(file) = self.tasks.opened(call.thread, number) else {
            return Ok(Answer::Continue.into());
        };
        let facts = Facts::of(file.as_fd())?;
        if !self.attributes.contains_key(&facts.inode) && !self.is_of_selinux(&facts) {
            return Ok(Answer::Continue.into());
        }
        let number = self.give_at_number(call, &file, close_on_exec)?;
        Ok(Answer::Value(number.into()).into())
    }

    /// A number of those at which writing is asked about that the process does not use.
    fn free_number(&self, thread: i32) -> Option<i32> {
        let used = |it: &i32| std::fs::symlink_metadata(format!("/proc/{thread}/fd/{it}")).is_ok();
        WRITTEN.filter_map(|it| i32::try_from(it).ok()).find(|it| !used(it))
    }

    /// Writing at one of those numbers: to an attribute, or to any other file.
    pub(super) fn write(
        &mut self,
        call: &Notification,
        number: i32,
        (at, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        let Ok(file) = self.tasks.opened(call.thread, number) else {
            return Ok(Answer::Continue.into());
        };
        if let Some(reply) = self.write_place(call, &file, (at, size)) {
            return reply;
        }
        let it = self.attributes.get(&Facts::of(file.as_fd())?.inode).copied();
        let Some(it) = it else { return Ok(Answer::Continue.into()) };
        if it.thread != call.thread {
            return Err(Errno::ACCESS);
        }
        let size = usize::try_from(size).ok().filter(|it| *it <= 4096).ok_or(Errno::INVAL)?;
        let text = self.tasks.bytes(call.thread, at, size)?;
        self.still(call)?;
        self.set_attr(call.thread, it.name, &text)?;
        Ok(Answer::Value(i64::try_from(size).unwrap_or(0)).into())
    }

    fn set_attr(&mut self, thread: i32, name: Name, text: &[u8]) -> Result<(), Errno> {
        let sid = self.sid(thread)?;
        let bits = match name {
            Name::Current => process::setcurrent,
            Name::Exec => process::setexec,
            Name::FsCreate => process::setfscreate,
            Name::KeyCreate => process::setkeycreate,
            Name::SockCreate => process::setsockcreate,
            Name::Previous => return Err(Errno::INVAL),
        };
        self.may(thread, sid, Class::Process, bits, About::Nothing)?;
        let text = text.split(|it| matches!(it, 0 | b'\n')).next().unwrap_or_default();
        let asked = match text {
            b"" => None,
            text => {
                let text = std::str::from_utf8(text).map_err(|_| Errno::INVAL)?;
                Some(self.server.sid(text).map_err(|_| Errno::INVAL)?)
            }
        };
        if name == Name::Current {
            return self.change_context(thread, sid, asked.ok_or(Errno::INVAL)?);
        }
        let security = &mut self.tasks.get_mut(thread).ok_or(Errno::SRCH)?.security;
        match name {
            Name::Exec => security.exec = asked,
            Name::FsCreate => security.create = asked,
            Name::SockCreate => security.socket = asked,
            _ => security.key = asked,
        }
        Ok(())
    }

    /// A thread of several may only come to what its context bounds.
    fn change_context(&mut self, thread: i32, old: Sid, new: Sid) -> Result<(), Errno> {
        if self.tasks.threads(thread).len() > 1 && !self.is_bounded(old, new) {
            return Err(Errno::PERM);
        }
        self.may(thread, new, Class::Process, process::dyntransition, About::Nothing)?;
        let security = &mut self.tasks.get_mut(thread).ok_or(Errno::SRCH)?.security;
        security.sid = new;
        Ok(())
    }

    /// `security_bounded_transition`: the old type is the new one, or bounds it.
    fn is_bounded(&self, old: Sid, new: Sid) -> bool {
        let texts = (self.server.context(old), self.server.context(new));
        let (Ok(old), Ok(new)) = texts else { return false };
        self.server.with_engine(|engine| {
            let db = engine.db();
            let (Ok(old), Ok(new)) = (db.parse_context(&old), db.parse_context(&new)) else {
                return false;
            };
            let above = |it: &_| db.types.get(*it).and_then(|it| it.bounds);
            std::iter::successors(Some(new.type_), above).any(|it| it == old.type_)
        })
    }
}

/// A file in memory that can be read from its beginning.
fn file_with(text: &[u8]) -> Result<OwnedFd, Errno> {
    let file = memfd_create(c"attr", MemfdFlags::CLOEXEC)?;
    rustix::io::write(&file, text)?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open(magic(file.as_fd()), flags, rustix::fs::Mode::empty())
}
