//! Programs that are handed one file after the other run where the monitor runs.
//!
//! Each such call goes to the monitor and back. To wake another processor for each of these ways costs several times what the call does, and the kernel
//! has no hint for handing over descriptors as it has for other answers (`SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`). So a thread that gets many files is kept on the
//! monitor's processor, and let go a moment after the last.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// Files that come faster than this are many.
const OFTEN: Duration = Duration::from_micros(300);
/// A thread that got no file for so long is let go.
const MOMENT: Duration = Duration::from_millis(5);

/// The threads that are kept.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// The monitor's processor, and where it may run otherwise.
    own: Option<(usize, CpuSet)>,
    /// Where these threads may run otherwise, and whether they got a file since the last look.
    kept: FxHashMap<i32, (CpuSet, bool)>,
    /// The last thread that got a file, and when.
    last: Option<(i32, Instant)>,
    due: Option<Instant>,
}

impl Beside {
    /// A thread is about to be handed a file.
    pub(crate) fn hands(&mut self, thread: i32) {
        if let Some(kept) = self.kept.get_mut(&thread) {
            kept.1 = true;
            return;
        }
        let now = Instant::now();
        let last = self.last.replace((thread, now));
        if last.is_some_and(|it| it.0 == thread && now - it.1 < OFTEN) {
            // What cannot be kept runs as it did.
            let _slower = self.keep(thread, now);
        }
    }

    fn keep(&mut self, thread: i32, now: Instant) -> rustix::io::Result<()> {
        let allowed = sched_getaffinity(Pid::from_raw(thread))?;
        let place = match &self.own {
            Some((place, _)) => *place,
            None => self.settle()?,
        };
        if allowed.is_set(place) && allowed.count() > 1 {
            sched_setaffinity(Pid::from_raw(thread), &only(place))?;
            self.kept.insert(thread, (allowed, true));
            self.due.get_or_insert(now + MOMENT);
        }
        self.free_self();
        Ok(())
    }

    /// The monitor stays where it is: the last call's thread was there.
    fn settle(&mut self) -> rustix::io::Result<usize> {
        let (place, allowed) = (sched_getcpu(), sched_getaffinity(None)?);
        sched_setaffinity(None, &only(place))?;
        self.own = Some((place, allowed));
        Ok(place)
    }

    /// When there is somebody to let go at the latest.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Lets those go that got no file lately.
    pub(crate) fn look(&mut self, now: Instant) {
        if self.due.is_none_or(|it| it > now) {
            return;
        }
        self.kept.retain(|thread, (allowed, got)| {
            let stays = std::mem::take(got);
            if !stays {
                free(*thread, allowed);
            }
            stays
        });
        self.due = (!self.kept.is_empty()).then_some(now + MOMENT);
        self.free_self();
    }

    /// Lets all go, for somebody looks at where they may run.
    pub(crate) fn let_go(&mut self) {
        for (thread, (allowed, _)) in self.kept.drain() {
            free(thread, &allowed);
        }
        self.due = None;
        self.free_self();
    }

    fn free_self(&mut self) {
        if self.kept.is_empty()
            && let Some((_, allowed)) = self.own.take()
        {
            let _stays = sched_setaffinity(None, &allowed);
        }
    }

    /// A child is kept as its parent is.
    pub(crate) fn born(&mut self, parent: i32, child: i32) {
        if let Some(kept) = self.kept.get(&parent).copied() {
            self.kept.insert(child, kept);
        }
    }

    /// A thread has the number `process` now.
    pub(crate) fn executed(&mut self, process: i32, former: i32) {
        if let Some(kept) = self.kept.remove(&former) {
            self.kept.insert(process, kept);
        }
    }

    pub(crate) fn gone(&mut self, thread: i32) {
        self.kept.remove(&thread);
    }
}

fn only(place: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(place);
    set
}

/// A thread that has ended needs nothing.
fn free(thread: i32, allowed: &CpuSet) {
    let _gone = sched_setaffinity(Pid::from_raw(thread), allowed);
}
