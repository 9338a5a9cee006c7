//! How threads share a walk: one that has nothing to do is given what is left of the topmost directory of another.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::directory::Directory;
use super::mounts::Mounts;
use super::{Options, Root};

/// What a thread can begin with.
pub(super) enum Task {
    Root(Root),
    /// What is left of a directory.
    Rest(Box<Rest>),
}

/// A directory, and where it stands.
pub(super) struct Rest {
    pub(super) directory: Directory,
    pub(super) path: Vec<u8>,
    /// Device and number of all directories above.
    pub(super) above: Vec<(u64, u64)>,
}

/// What all threads of a walk see.
pub(super) struct Shared<'o> {
    pub(super) options: &'o Options,
    pub(super) threads: usize,
    pub(super) root_device: u64,
    pub(super) mounts: Mounts,
    state: Mutex<State>,
    changed: Condvar,
    /// Threads that wait, less what waits for them.
    hungry: AtomicUsize,
}

struct State {
    tasks: VecDeque<Task>,
    waiting: usize,
    done: bool,
}

impl<'o> Shared<'o> {
    pub(super) fn new(threads: usize, root: Root, options: &'o Options) -> Self {
        let root_device = root.identity().device;
        let tasks = VecDeque::from([Task::Root(root)]);
        Self {
            options,
            threads,
            root_device,
            mounts: Mounts::default(),
            state: Mutex::new(State { tasks, waiting: 0, done: false }),
            changed: Condvar::new(),
            hungry: AtomicUsize::new(0),
        }
    }

    /// Something to do; none when the walk is over.
    pub(super) fn take(&self) -> Option<Task> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        loop {
            if let Some(task) = state.tasks.pop_front() {
                state.waiting -= 1;
                self.note(&state);
                return Some(task);
            }
            if state.waiting == self.threads {
                state.done = true;
                self.changed.notify_all();
            }
            if state.done {
                return None;
            }
            self.note(&state);
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether some thread has nothing to do.
    pub(super) fn is_hungry(&self) -> bool {
        self.hungry.load(Ordering::Relaxed) > 0
    }

    pub(super) fn give(&self, task: Task) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tasks.push_back(task);
        self.note(&state);
        self.changed.notify_one();
    }

    fn note(&self, state: &State) {
        let hungry = state.waiting.saturating_sub(state.tasks.len());
        self.hungry.store(hungry, Ordering::Relaxed);
    }
}
