//! Calls that may wait: each is made by a thread of its own, which answers when it is done.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;

use crate::supervisor::Reply;
use crate::sys::listener::{Answer, Listener, Notification};
use crate::sys::worker;
use crate::task::field;

/// How often it is looked whether a signal has come for a program that waits.
pub(crate) const PATIENCE: Duration = Duration::from_millis(5);

/// `ERESTARTSYS` of linux/errno.h: begin again after the signal, or `EINTR`, as its handler has it.
const RESTART: i32 = 512;

/// A call that somebody else answers.
#[derive(Debug)]
pub(crate) struct Held {
    id: u64,
    /// Without harm it may be done in vain, or twice.
    gives_up: bool,
    worker: Worker,
}

/// The number of the thread that makes a call.
type Worker = Arc<AtomicI32>;
/// It has not begun.
const TO_COME: i32 = -1;
/// It has the answer, or needs none.
const DONE: i32 = 0;

/// The calls that wait, by their threads, which run nothing until they are answered.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    calls: Arc<Mutex<FxHashMap<i32, Held>>>,
    /// Threads whose calls were given up for a signal.
    interrupted: FxHashSet<i32>,
    /// Those whose calls nobody waits for. As long as one opens a FIFO, it would be taken for a reader or writer.
    abandoned: Vec<Worker>,
}

impl Waiting {
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
        self.lock().insert(thread, Held { id, gives_up, worker: Arc::clone(&worker) });
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

    /// Whether some call may be given up.
    pub(crate) fn may_give_up(&self) -> bool {
        !self.abandoned.is_empty() || self.lock().values().any(|it| it.gives_up)
    }

    /// Gives up calls whose threads have a signal to take.
    pub(crate) fn give_up(&mut self, listener: &Listener) {
        let mut calls = lock(&self.calls);
        let mut interrupted = Vec::new();
        for (thread, held) in calls.iter().filter(|it| it.1.gives_up) {
            if let Some(errno) = pending(*thread) {
                interrupted.push((*thread, held.id, errno));
            }
        }
        for (thread, id, errno) in interrupted {
            self.abandoned.extend(calls.remove(&thread).map(|it| it.worker));
            self.interrupted.insert(thread);
            let _gone = listener.answer(id, Answer::Fail(errno));
        }
        drop(calls);
        // One that was about to wait has not heard of it: it is told again until it is done.
        self.abandoned.retain(|it| {
            let number = it.load(Ordering::SeqCst);
            if number > DONE {
                worker::interrupt(number);
            }
            number != DONE
        });
    }

    /// Was the call that this thread comes from given up?
    pub(crate) fn was_given_up(&mut self, thread: i32) -> bool {
        self.interrupted.remove(&thread)
    }

    pub(crate) fn gone(&mut self, thread: i32) {
        self.interrupted.remove(&thread);
        let left = self.lock().remove(&thread);
        self.abandoned.extend(left.map(|it| it.worker));
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
