//! Calls that may wait: each is made by a thread of its own, which answers when it is done, or comes again when its socket is ready.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};
use rustix::event::epoll;
use rustix::io::Errno;

use crate::supervisor::Reply;
use crate::sys::listener::{Answer, Listener, Notification};
use crate::sys::worker;
use crate::task::field;

/// How soon it is looked whether a signal has come for a program that waits; the longer it has waited the later.
/// At least the first, at most the second.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// `ERESTARTSYS` of linux/errno.h: begin again after the signal, or `EINTR`, as its handler has it.
const RESTART: i32 = 512;

/// A call that somebody else answers.
#[derive(Debug)]
pub(crate) struct Held {
    id: u64,
    /// When it is looked for a signal next. None if it must not be done in vain, or twice.
    look: Option<Look>,
    /// None while nobody makes it.
    worker: Option<Worker>,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    since: Instant,
    next: Instant,
}

impl Look {
    fn first() -> Self {
        let since = Instant::now();
        Self { since, next: since + PATIENCE.0 }
    }

    fn again(&mut self, now: Instant) {
        self.next = now + (now.duration_since(self.since) / 8).clamp(PATIENCE.0, PATIENCE.1);
    }
}

/// A call that comes again when its socket is ready.
#[derive(Debug)]
struct Reader {
    call: Notification,
    socket: OwnedFd,
    until: Option<Instant>,
}

/// The number of the thread that makes a call.
type Worker = Arc<AtomicI32>;
/// It has not begun.
const TO_COME: i32 = -1;
/// It has the answer, or needs none.
const DONE: i32 = 0;

/// The calls that wait, by their threads, which run nothing until they are answered.
#[derive(Debug)]
pub(crate) struct Waiting {
    calls: Arc<Mutex<FxHashMap<i32, Held>>>,
    /// Threads whose calls were given up for a signal.
    interrupted: FxHashSet<i32>,
    readers: FxHashMap<i32, Reader>,
    /// Their sockets.
    sockets: OwnedFd,
    /// Those whose calls nobody waits for. As long as one opens a FIFO, it would be taken for a reader or writer.
    abandoned: Vec<Worker>,
    /// When these are told again.
    tell: Option<Instant>,
}

impl Waiting {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            calls: Arc::default(),
            interrupted: FxHashSet::default(),
            readers: FxHashMap::default(),
            abandoned: Vec::new(),
            tell: None,
            sockets: epoll::create(epoll::CreateFlags::CLOEXEC)?,
        })
    }

    /// The call comes again when its socket has something to read, or room to write, and fails after some time.
    pub(crate) fn until_ready(
        &mut self,
        call: &Notification,
        socket: OwnedFd,
        wanted: epoll::EventFlags,
        patience: Option<Duration>,
    ) -> Result<Reply, Errno> {
        let thread = call.thread;
        let data = epoll::EventData::new_u64(u64::from(thread.unsigned_abs()));
        let flags = wanted | epoll::EventFlags::ONESHOT;
        epoll::add(&self.sockets, &socket, data, flags)?;
        let until = patience.map(|it| Instant::now() + it);
        self.readers.insert(thread, Reader { call: *call, socket, until });
        self.lock().insert(thread, Held { id: call.id, look: Some(Look::first()), worker: None });
        Ok(Reply::Later)
    }

    /// What is readable when calls are to come again; none if none waits for that.
    pub(crate) fn readers(&self) -> Option<BorrowedFd<'_>> {
        (!self.readers.is_empty()).then(|| self.sockets.as_fd())
    }

    /// Calls that come again.
    pub(crate) fn come_again(&mut self) -> Vec<Notification> {
        let mut events = Vec::with_capacity(16);
        let none = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        let spare = rustix::buffer::spare_capacity(&mut events);
        if epoll::wait(&self.sockets, spare, Some(&none)).is_err() {
            return Vec::new();
        }
        let threads = events.iter().filter_map(|it| i32::try_from(it.data.u64()).ok());
        let threads: Vec<_> = threads.collect();
        let readers: Vec<_> = threads.iter().filter_map(|it| self.stop_reading(*it)).collect();
        let mut calls = self.lock();
        for call in &readers {
            calls.remove(&call.thread);
        }
        drop(calls);
        readers
    }

    fn stop_reading(&mut self, thread: i32) -> Option<Notification> {
        let reader = self.readers.remove(&thread)?;
        // Others have the socket, too, so that it does not end with this descriptor.
        let _gone = epoll::delete(&self.sockets, &reader.socket);
        Some(reader.call)
    }

    /// Does something that may wait, and answers then. With `gives_up`, a signal that comes meanwhile ends the call.
    pub(crate) fn start(
        &self,
        listener: &Arc<Listener>,
        call: &Notification,
        gives_up: bool,
        work: impl FnOnce() -> Result<Answer, Errno> + Send + 'static,
    ) -> Reply {
        let (listener, calls) = (Arc::clone(listener), Arc::clone(&self.calls));
        let (id, thread) = (call.id, call.thread);
        let worker = Arc::new(AtomicI32::new(TO_COME));
        let look = gives_up.then(Look::first);
        self.lock().insert(thread, Held { id, look, worker: Some(Arc::clone(&worker)) });
        let work = move || {
            worker.store(worker::begin(), Ordering::SeqCst);
            let is_held = lock(&calls).get(&thread).is_some_and(|it| it.id == id);
            let answer = if is_held { work() } else { Err(Errno::INTR) };
            worker.store(DONE, Ordering::SeqCst);
            let answer = answer.unwrap_or_else(|why| Answer::Fail(why.raw_os_error()));
            // Not while another thread of its process counts on it to stand still.
            let mut calls = lock(&calls);
            if calls.get(&thread).is_some_and(|it| it.id == id) {
                calls.remove(&thread);
                // Its thread may have been killed meanwhile.
                let _gone = listener.answer(id, answer);
            }
        };
        match std::thread::Builder::new().stack_size(64 << 10).spawn(work) {
            Ok(_) => Reply::Later,
            Err(_) => {
                self.lock().remove(&thread);
                Reply::Now(Answer::Fail(libc::ENOMEM))
            }
        }
    }

    /// Nobody answers while the lock of this is held.
    pub(crate) fn gate(&self) -> Arc<Mutex<FxHashMap<i32, Held>>> {
        Arc::clone(&self.calls)
    }

    fn lock(&self) -> MutexGuard<'_, FxHashMap<i32, Held>> {
        lock(&self.calls)
    }

    /// When it is to be looked for a signal next.
    pub(crate) fn due(&self) -> Option<Instant> {
        let calls = self.lock();
        if calls.is_empty() && self.tell.is_none() {
            return None;
        }
        calls.values().filter_map(|it| it.look).map(|it| it.next).chain(self.tell).min()
    }

    /// Gives up calls whose threads have a signal to take, or whose time is over.
    pub(crate) fn give_up(&mut self, listener: &Listener) {
        let now = Instant::now();
        let mut calls = lock(&self.calls);
        let mut over = Vec::new();
        for (thread, held) in calls.iter_mut() {
            let Some(look) = held.look.as_mut().filter(|it| it.next <= now) else { continue };
            look.again(now);
            let until = self.readers.get(thread).and_then(|it| it.until);
            if let Some(errno) = pending(*thread) {
                self.interrupted.insert(*thread);
                over.push((*thread, held.id, errno));
            } else if until.is_some_and(|it| it <= now) {
                over.push((*thread, held.id, libc::EAGAIN));
            }
        }
        for (thread, ..) in &over {
            self.abandoned.extend(calls.remove(thread).and_then(|it| it.worker));
        }
        drop(calls);
        for (thread, id, errno) in over {
            self.stop_reading(thread);
            let _gone = listener.answer(id, Answer::Fail(errno));
        }
        // One that was about to wait has not heard of it: it is told again until it is done.
        self.abandoned.retain(|it| {
            let number = it.load(Ordering::SeqCst);
            if number > DONE {
                worker::interrupt(number);
            }
            number != DONE
        });
        self.tell = (!self.abandoned.is_empty()).then(|| now + PATIENCE.0);
    }

    /// Was the call that this thread comes from given up?
    pub(crate) fn was_given_up(&mut self, thread: i32) -> bool {
        self.interrupted.remove(&thread)
    }

    pub(crate) fn gone(&mut self, thread: i32) {
        self.interrupted.remove(&thread);
        self.stop_reading(thread);
        let left = self.lock().remove(&thread);
        if let Some(worker) = left.and_then(|it| it.worker) {
            self.abandoned.push(worker);
            self.tell.get_or_insert_with(Instant::now);
        }
    }
}

/// What a thread's call fails with because of a signal. One for the whole process may be taken by another thread: then the kernel would not
/// understand that this one is to begin again.
fn pending(thread: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let set = |name| field(&status, name).and_then(|it| u64::from_str_radix(it, 16).ok());
    let blocked = set("SigBlk:")?;
    let (own, shared) = (set("SigPnd:")? & !blocked, set("ShdPnd:")? & !blocked);
    let alone = field(&status, "Threads:") == Some("1");
    match (own, shared) {
        (0, 0) => None,
        (0, _) if !alone => Some(libc::EINTR),
        _ => Some(RESTART),
    }
}

/// What a thread that panicked left is whole.
pub(crate) fn lock(calls: &Mutex<FxHashMap<i32, Held>>) -> MutexGuard<'_, FxHashMap<i32, Held>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}
