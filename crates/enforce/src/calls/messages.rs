//! Messages of sockets and the open files that go along with them (`selinux_socket_sendmsg`, `selinux_file_receive`).
//!
//! The monitor sends and receives itself, on its duplicate of the socket: what lies in the program's memory is copied once.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::sockopt;

use super::inherit::usable;
use super::sockets::MOST;
use crate::access::About;
use crate::class::socket;
use crate::defence::{Defence, stands};
use crate::labels::initial;
use crate::object::{Facts, Object};
use crate::path::path_of;
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::{Answer, Notification};
use crate::sys::message::{self, Control};

/// As many are sent at once (`UIO_MAXIOV`).
const MOST_AT_ONCE: u64 = 1024;

impl Monitor<'_> {
    pub(super) fn send_to(
        &mut self,
        call: &Notification,
        number: i32,
        (data, length): (u64, u64),
        flags: i32,
        (at, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        let raw = self.address(call, at, size)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(message::MOST);
        let data = self.tasks.bytes(call.thread, data, length)?;
        self.send(call, number, message::Message { address: raw, data, control: Vec::new() }, flags)
    }

    pub(super) fn send_message(
        &mut self,
        call: &Notification,
        number: i32,
        at: u64,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let message = self.message(call, at)?;
        self.send(call, number, message, flags)
    }

    /// Several messages, as far as they go without waiting; the first one waits.
    pub(super) fn send_messages(
        &mut self,
        call: &Notification,
        number: i32,
        (at, count): (u64, u64),
        flags: i32,
    ) -> Result<Reply, Errno> {
        let mut sent = 0;
        while sent < count.min(MOST_AT_ONCE) {
            let from = at + sent * message::SEVERAL;
            let one = self.message(call, from)?;
            let (file, ready, _held) = self.may_send(call, number, one)?;
            let own = flags | libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
            let waits = flags & libc::MSG_DONTWAIT == 0 && !message::is_nonblocking(file.as_fd());
            match ready.send(file.as_fd(), own) {
                Ok(size) => {
                    let size = u32::try_from(size).unwrap_or(u32::MAX).to_ne_bytes();
                    self.tasks.write(call.thread, from + message::SIZE, &size)?;
                    sent += 1;
                }
                Err(Errno::AGAIN) if sent == 0 && waits => {
                    return self.waiting.until_ready(call, file, EventFlags::OUT, None);
                }
                Err(why) if sent == 0 => return Err(why),
                Err(_) => break,
            }
        }
        Ok(Answer::Value(i64::try_from(sent).unwrap_or(0)).into())
    }

    /// A copy of a message that is to be sent.
    fn message(&mut self, call: &Notification, at: u64) -> Result<message::Message, Errno> {
        let header = self.tasks.bytes(call.thread, at, message::HEADER)?;
        let parts = message::Parts::parse(&header)?;
        let address = self.address(call, parts.address.0, parts.address.1)?;
        let vectors = self.tasks.bytes(call.thread, parts.vectors.0, parts.vectors.1)?;
        let mut data = Vec::new();
        for (from, size) in message::vectors(&vectors) {
            let size = size.min(message::MOST.saturating_sub(data.len()));
            data.extend(self.tasks.bytes(call.thread, from, size)?);
        }
        let control = self.tasks.bytes(call.thread, parts.control.0, parts.control.1)?;
        let open = |number| self.tasks.opened(call.thread, number);
        let control = message::controls(&control, open)?;
        self.note_sent(call.thread, &control)?;
        Ok(message::Message { address, data, control })
    }

    /// May a thread send this? The socket, the message in a form that leads to what was decided about, and what that rests on.
    fn may_send(
        &mut self,
        call: &Notification,
        number: i32,
        mut message: message::Message,
    ) -> Result<(OwnedFd, message::Message, Option<OwnedFd>), Errno> {
        let (file, label, class) = self.open_socket(call.thread, number)?;
        self.may(call.thread, label, class, socket::write, About::Nothing)?;
        let mut held = None;
        if !message.address.is_empty() {
            (message.address, held) = self.reached(call, label, class, message.address)?;
        }
        self.still(call)?;
        Ok((file, message, held))
    }

    fn send(
        &mut self,
        call: &Notification,
        number: i32,
        message: message::Message,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let (file, message, held) = self.may_send(call, number, message)?;
        if !stands(Defence::Held) {
            return Ok(Answer::Continue.into());
        }
        // Who is to hear of a broken pipe is the program, not the monitor.
        let own = flags | libc::MSG_NOSIGNAL;
        let waits = flags & libc::MSG_DONTWAIT == 0 && !message::is_nonblocking(file.as_fd());
        let thread = call.thread;
        let told = move |done: Result<usize, Errno>| {
            if done == Err(Errno::PIPE) && flags & libc::MSG_NOSIGNAL == 0 {
                crate::sys::trace::kill(thread, libc::SIGPIPE);
            }
            done.map(|sent| Answer::Value(i64::try_from(sent).unwrap_or(i64::MAX)))
        };
        match message.send(file.as_fd(), own | libc::MSG_DONTWAIT) {
            Err(Errno::AGAIN) if waits => Ok(self.later(call, false, move || {
                let done = message.send(file.as_fd(), own);
                drop(held);
                told(done)
            })),
            done => told(done).map(Reply::Now),
        }
    }

    /// Keeps in mind who opened what is sent.
    fn note_sent(&mut self, thread: i32, control: &[Control]) -> Result<(), Errno> {
        let task = self.tasks.get(thread).ok_or(Errno::SRCH)?;
        let (process, sid) = (task.process, task.security.sid);
        for control in control {
            let Control::Descriptors { files, .. } = control else { continue };
            for file in files {
                let inode = Facts::of(file.as_fd())?.inode;
                let opener = self.tasks.opener(process, inode).unwrap_or(sid);
                if self.sockets.sent.len() >= MOST {
                    self.sockets.sent.clear();
                }
                self.sockets.sent.insert(inode, opener);
            }
        }
        Ok(())
    }

    pub(super) fn receive_message(
        &mut self,
        call: &Notification,
        number: i32,
        at: u64,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let header = self.tasks.bytes(call.thread, at, message::HEADER)?;
        let parts = message::Parts::parse(&header)?;
        let vectors = self.tasks.bytes(call.thread, parts.vectors.0, parts.vectors.1)?;
        let vectors: Vec<_> = message::vectors(&vectors).collect();
        let (file, label, class) = self.open_socket(call.thread, number)?;
        self.may(call.thread, label, class, socket::read, About::Nothing)?;
        self.still(call)?;
        let room = vectors.iter().fold(0, |all: usize, it| all.saturating_add(it.1));
        let room = message::Room {
            address: parts.room_for_address,
            data: room.min(message::MOST),
            control: parts.control.1,
        };
        let waits = flags & libc::MSG_DONTWAIT == 0 && !message::is_nonblocking(file.as_fd());
        match message::receive(file.as_fd(), &room, flags) {
            Err(Errno::AGAIN) if waits => self.when_readable(call, file),
            Err(why) => Err(why),
            Ok(received) => self.hand_over(call, (at, &parts, &vectors), received, flags),
        }
    }

    /// Gives a program what was received.
    fn hand_over(
        &mut self,
        call: &Notification,
        (at, parts, vectors): (u64, &message::Parts, &[(u64, usize)]),
        received: message::Received,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let mut rest = &*received.data;
        for (to, size) in vectors {
            let (part, after) = rest.split_at((*size).min(rest.len()));
            self.tasks.write(call.thread, *to, part)?;
            rest = after;
        }
        let address = received.address.len().min(parts.room_for_address);
        self.tasks.write(call.thread, parts.address.0, &received.address[..address])?;
        let mut told = received.flags & !libc::MSG_CMSG_CLOEXEC;
        let mut control = Vec::new();
        for it in received.control {
            let whole = match it {
                Control::Other { level, kind, bytes } => {
                    message::push_control(&mut control, (level, kind), &bytes);
                    true
                }
                Control::Descriptors { kind, files } => {
                    let all = files.len();
                    let numbers = self.give_files(call, files, kind, flags);
                    let bytes: Vec<u8> = numbers.iter().flat_map(|it| it.to_ne_bytes()).collect();
                    if !numbers.is_empty() {
                        message::push_control(&mut control, (libc::SOL_SOCKET, kind), &bytes);
                    }
                    numbers.len() == all
                }
            };
            told |= if whole { 0 } else { libc::MSG_CTRUNC };
        }
        control.truncate(parts.control.1);
        self.tasks.write(call.thread, parts.control.0, &control)?;
        let size = u32::try_from(received.address.len()).unwrap_or(0);
        if parts.address.0 != 0 {
            self.tasks.write(call.thread, at + message::ADDRESS_SIZE, &size.to_ne_bytes())?;
        }
        let size = control.len() as u64;
        self.tasks.write(call.thread, at + message::CONTROL_SIZE, &size.to_ne_bytes())?;
        self.tasks.write(call.thread, at + message::FLAGS, &told.to_ne_bytes())?;
        Ok(Answer::Value(i64::try_from(received.length).unwrap_or(i64::MAX)).into())
    }

    /// Gives a program files that it may have, up to the first that it may not, as the kernel does.
    fn give_files(
        &mut self,
        call: &Notification,
        files: Vec<OwnedFd>,
        kind: i32,
        flags: i32,
    ) -> Vec<i32> {
        let mut numbers = Vec::new();
        for file in files {
            let given = self.may_receive(call.thread, file, kind).and_then(|file| {
                let close_on_exec = flags & libc::MSG_CMSG_CLOEXEC != 0;
                let given = self.listener.give(call.id, &file, close_on_exec);
                given.map_err(|it| crate::task::error(&it))
            });
            match given {
                Ok(number) => numbers.push(number),
                Err(_) => break,
            }
        }
        numbers
    }

    /// A file that came with a message, if the program may have it.
    fn may_receive(&mut self, thread: i32, file: OwnedFd, kind: i32) -> Result<OwnedFd, Errno> {
        if kind != libc::SCM_RIGHTS {
            // What stands for the sender can be had without it (`pidfd_open`).
            return Ok(file);
        }
        let flags = rustix::fs::fcntl_getfl(&file)?.bits().cast_signed();
        let path = path_of(file.as_fd())?;
        let object = Object::new(file, path)?;
        let task = self.tasks.get(thread).ok_or(Errno::SRCH)?;
        let (process, sid) = (task.process, task.security.sid);
        let inode = object.facts.inode;
        // Somebody outside counts as the kernel.
        let opener = self.sockets.sent.get(&inode).copied();
        let opener = opener.unwrap_or_else(|| initial(self.server, "kernel"));
        self.may_have(thread, (sid, opener), &object, usable(flags))?;
        if opener != sid {
            self.tasks.got(process, inode, opener);
        }
        Ok(object.file)
    }

    /// The call comes again when there is something to receive.
    fn when_readable(&mut self, call: &Notification, file: OwnedFd) -> Result<Reply, Errno> {
        let patience = sockopt::socket_timeout(&file, sockopt::Timeout::Recv)?;
        self.waiting.until_ready(call, file, EventFlags::IN, patience)
    }
}
