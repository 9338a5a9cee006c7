//! The monitor itself: one thread that hears of calls and of births, deaths and executed programs, and answers one after the other.
//!
//! One thread is no loss: a call costs mostly the way to the monitor and back. It is a gain, because nothing that programs of the tree do with
//! names happens beside a decision. What may wait, such as opening a FIFO or connecting, is done by a thread of its own.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mandate_label::file_contexts::FileContexts;
use mandate_server::{SecurityServer, Sid};
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::event::epoll::EventFlags;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use crate::beside::Beside;
use crate::calls::attr::Attributes;
use crate::calls::exec::Plan;
use crate::calls::inherit::Taking;
use crate::calls::inside::Inside;
use crate::calls::ipc::Ipc;
use crate::calls::sockets::Sockets;
use crate::class::Vocabulary;
use crate::defence::{Defence, stands};
use crate::inside::Configuration;
use crate::labels::Labels;
use crate::path::{Places, Walker};
use crate::record::News;
use crate::state::State;
use crate::sys::bell;
use crate::sys::listener::{Answer, Listener, Notification};
use crate::sys::start::{self, Program};
use crate::sys::trace::{self, Event};
use crate::sys::user::User;
use crate::sys::worker;
use crate::task::{Security, Task, Tasks};
use crate::waiting::{Held, Waiting, lock};
use crate::{StartError, filter};

/// How programs are run.
pub struct Settings<'a> {
    /// The policy, and whether it is enforced.
    pub server: &'a SecurityServer,
    /// Labels of files that have none.
    pub file_contexts: &'a FileContexts,
    /// What programs find of SELinux.
    pub configuration: &'a Configuration,
    /// The context that the program starts in.
    pub context: &'a str,
    /// Labels of earlier runs, and of this one for later ones.
    pub state: Option<&'a State>,
    /// Another file that programs do not get at: records of what they do.
    pub apart: Option<&'a File>,
    /// The program itself gets this context, as `runcon` gives it: its file has to be a way into it. Otherwise it is executed from there, as
    /// from a shell.
    pub enter: bool,
    /// Looks at files are decided on, too.
    pub exact: bool,
    /// Denials are told that `dontaudit` rules hide, too.
    pub hidden: bool,
    /// Whom the programs, and this process from now on, belong to.
    pub user: Option<&'a User>,
    /// What programs find in their environment besides what is in this process's.
    pub environment: Vec<(OsString, OsString)>,
    /// Hears of decisions that are to be logged, and what this machine lacks.
    pub told: &'a mut dyn FnMut(News<'_>),
}

/// What a kernel without `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV` lacks.
const OLDER: &str = "this kernel is older than 5.19: a signal that reaches a program during a call makes the call happen again, so that \
                     making a directory may tell that it is there already";

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// Runs a program and everything it starts under a policy, until the last of them has ended.
///
/// # Errors
/// Nothing was started: the context is wrong, the machine does not let programs be watched, or the program cannot be executed.
pub fn run(settings: Settings<'_>, words: &[OsString]) -> Result<Ended, StartError> {
    let Settings {
        server,
        file_contexts,
        configuration,
        state,
        apart,
        context,
        enter,
        exact,
        hidden,
        user,
        environment,
        told,
    } = settings;
    let sid = server.sid(context)?;
    let program = Program::new(words, environment)?;
    let system = |what| move |it: io::Error| StartError::System(what, it);
    if let Some(user) = user {
        user.become_it().map_err(system("becoming the user"))?;
    }
    let children = trace::children().map_err(system("watching children"))?;
    let started = start::start(&program, &filter::program(exact))?;
    if !started.is_settled {
        told(News::Lack(OLDER));
    }
    trace::leave_signals_to_another_thread().map_err(system("a thread"))?;
    trace::hide_self().map_err(system("hiding the monitor"))?;
    // Two descriptors for each process that runs, and more for what it asks.
    rustix::process::setrlimit(Resource::Nofile, more_files())
        .map_err(|it| system("limits")(it.into()))?;
    trace::ignore_keys();
    worker::catch_interrupts().and_then(|()| bell::install()).map_err(system("signals"))?;
    let owner = rustix::process::getuid().as_raw();
    let mut tasks = Tasks::default();
    let umask = crate::task::umask_of(started.process).unwrap_or(0o022);
    let mut security = Security::new(sid);
    security.exec = enter.then_some(sid);
    let task = Task { process: started.process, security, no_new_privs: false, umask };
    tasks.insert(started.process, task);
    let mut monitor = Monitor {
        vocabulary: server.with_engine(|engine| Vocabulary::of(engine.db())),
        labels: Labels::new(file_contexts, state, apart, server, owner),
        server,
        told,
        tasks,
        own: rustix::process::getpid().as_raw_nonzero().get(),
        main: started.process,
        ended: None,
        listener: Arc::new(started.listener),
        searched: FxHashMap::default(),
        plain: FxHashSet::default(),
        plans: FxHashMap::default(),
        scripts: FxHashMap::default(),
        held: FxHashMap::default(),
        waiting: Waiting::new().map_err(system("watching"))?,
        sockets: Sockets::default(),
        umask: None,
        exact,
        hidden,
        is_first: true,
        is_settled: started.is_settled,
        places: Places::default(),
        attributes: Attributes::default(),
        inside: Inside::new(configuration),
        ipc: Ipc::default(),
        taking: Taking::default(),
        beside: Beside::default(),
        sweep: Sweep::default(),
    };
    monitor.take_terminals(started.process);
    monitor.watch(&children).map_err(system("watching"))?;
    let mut news = started.news;
    if monitor.is_first
        && let Some(why) = start::failure(&mut news)
    {
        return Err(why);
    }
    Ok(monitor.ended.unwrap_or(Ended::Killed(libc::SIGKILL)))
}

/// Does a thread that is to stop wait for a child that has its memory? If it is on the way there, or back, that is over soon.
fn waits_for_child(thread: i32) -> bool {
    loop {
        let call = std::fs::read_to_string(format!("/proc/{thread}/syscall")).unwrap_or_default();
        let number = call.split_whitespace().next().unwrap_or_default();
        if number != "running" {
            let births = [libc::SYS_vfork, libc::SYS_clone];
            return number.parse().is_ok_and(|it| births.contains(&it));
        }
        std::thread::sleep(Duration::from_micros(20));
    }
}

/// As many open files as this process may have at most. The programs were started with the limit as it was.
fn more_files() -> Rlimit {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    Rlimit { current: limit.maximum, maximum: limit.maximum }
}

/// Labels of the directories on a path from a length on, by that length.
type Beginnings = FxHashMap<usize, Rc<[Sid]>>;

/// All that the monitor knows.
pub(crate) struct Monitor<'a> {
    pub(crate) server: &'a SecurityServer,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) labels: Labels<'a>,
    pub(crate) told: &'a mut dyn FnMut(News<'_>),
    pub(crate) tasks: Tasks,
    /// The number of this process.
    own: i32,
    main: i32,
    ended: Option<Ended>,
    pub(crate) listener: Arc<Listener>,
    /// Labels of the directories on a path from a length on, itself too, without repetitions.
    pub(crate) searched: FxHashMap<Box<[u8]>, Beginnings>,
    /// Paths that led to files or directories.
    pub(crate) plain: FxHashSet<Box<[u8]>>,
    /// What was decided about programs that are about to be executed, by thread.
    pub(crate) plans: FxHashMap<i32, Plan>,
    /// Scripts whose interpreter is about to open them, by process.
    pub(crate) scripts: FxHashMap<i32, (Vec<u8>, OwnedFd)>,
    /// Calls whose siblings are being stopped, by thread.
    pub(crate) held: FxHashMap<i32, Frozen>,
    pub(crate) waiting: Waiting,
    pub(crate) sockets: Sockets,
    /// The mask that this process has now.
    pub(crate) umask: Option<u32>,
    /// Looks at files are decided on, too.
    pub(crate) exact: bool,
    /// Denials that `dontaudit` rules hide are told, too.
    pub(crate) hidden: bool,
    /// The program itself has not been executed yet.
    pub(crate) is_first: bool,
    /// Only what kills a thread takes a call back that was received.
    is_settled: bool,
    pub(crate) places: Places,
    pub(crate) attributes: Attributes,
    pub(crate) inside: Inside<'a>,
    pub(crate) ipc: Ipc,
    pub(crate) taking: Taking,
    pub(crate) beside: Beside,
    sweep: Sweep,
}

/// A call that goes on once these threads have stopped, and their stops.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) call: Notification,
    pub(crate) waiting: Vec<i32>,
    /// And whether each had been stopped before, with its group.
    pub(crate) stopped: Vec<(i32, bool)>,
}

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Reply {
    Now(Answer),
    /// Somebody else answers.
    Later,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Now(answer)
    }
}

/// Signals of children are not counted: several may come as one. So all children are asked now and then; with many of them, whose number
/// each question costs, not more often than is cheap.
#[derive(Debug, Default)]
struct Sweep {
    due: Option<Instant>,
}

/// Up to so many children are all asked each time.
const FEW: usize = 64;

impl Monitor<'_> {
    /// Nothing reaches a program as fast as an answer to who waits for nothing but calls. So that is the rule, and the bell tells of
    /// all else; only while sockets are waited for, too, all is polled.
    fn watch(&mut self, children: &OwnedFd) -> io::Result<()> {
        let mut alarm = bell::Alarm::new()?;
        let mut rang = false;
        while !self.tasks.is_empty() {
            let listener = Arc::clone(&self.listener);
            let (forlorn, waiting) = (self.tasks.looks_for_forlorn(), self.waiting.due());
            let due = [self.sweep.due, self.beside.due(), waiting, forlorn];
            let due = due.into_iter().flatten().min();
            if self.waiting.readers().is_none() && !rang {
                alarm.set(due)?;
                if let Some(call) = listener.receive()? {
                    self.serve(&call)?;
                    continue;
                }
                alarm.rang();
                rang = true;
            }
            let due = if std::mem::take(&mut rang) { Some(Instant::now()) } else { due };
            let [calls, births, readable] = self.poll(&listener, children, due)?;
            if births.contains(PollFlags::IN) {
                self.hear(children)?;
            }
            let now = Instant::now();
            if waiting.is_some_and(|it| it <= now) {
                self.waiting.give_up(&listener);
            }
            if self.sweep.due.is_some_and(|it| it <= now) {
                self.hear_all()?;
            }
            if forlorn.is_some_and(|it| it <= now) {
                self.tasks.forlorn().into_iter().for_each(|it| trace::kill(it, libc::SIGKILL));
            }
            self.beside.look(now);
            if readable.contains(PollFlags::IN) {
                let mut calls = self.waiting.come_again();
                // Its thread may have been killed, and its number be that of a new program.
                calls.retain(|it| listener.is_valid(it.id));
                for call in calls {
                    self.serve(&call)?;
                }
            }
            if calls.contains(PollFlags::IN) {
                match listener.receive()? {
                    Some(call) => self.serve(&call)?,
                    None => rang = true,
                }
            } else if calls.contains(PollFlags::HUP) && !births.contains(PollFlags::IN) {
                // All programs are gone; what ptrace has to tell of that comes.
                self.hear_all()?;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }

    /// Looks for calls, for news of children, and for what calls wait for; waits until something is due.
    fn poll(
        &self,
        listener: &Listener,
        children: &OwnedFd,
        due: Option<Instant>,
    ) -> io::Result<[PollFlags; 3]> {
        let left = due.map(|it| it.saturating_duration_since(Instant::now()));
        let left = left.and_then(|it| Timespec::try_from(it).ok());
        let readers = self.waiting.readers();
        let mut files = [
            PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(children.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(readers.unwrap_or(children.as_fd()), PollFlags::IN),
        ];
        let polled = if readers.is_some() { 3 } else { 2 };
        match poll(&mut files[..polled], left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(files.map(|it| it.revents())),
            Err(why) => Err(why.into()),
        }
    }

    /// Hears those children whose signals came.
    fn hear(&mut self, children: &OwnedFd) -> io::Result<()> {
        let few = self.tasks.len() <= FEW;
        let mut numbers = [0; 1024];
        loop {
            let read = match rustix::io::read(children, &mut numbers) {
                Ok(read) if read > 0 => read,
                Ok(_) | Err(Errno::AGAIN | Errno::INTR) => break,
                Err(why) => return Err(why.into()),
            };
            for child in numbers[..read].chunks_exact(4).filter(|_| !few) {
                self.hear_of(child.try_into().map_or(-1, i32::from_ne_bytes))?;
            }
        }
        if few {
            return self.hear_all();
        }
        let soon = Instant::now() + Duration::from_millis(1);
        self.sweep.due.get_or_insert(soon);
        Ok(())
    }

    fn hear_all(&mut self) -> io::Result<()> {
        self.sweep.due = None;
        self.hear_of(-1)
    }

    fn hear_of(&mut self, child: i32) -> io::Result<()> {
        loop {
            match trace::next_event(child, false) {
                Ok(Some((thread, event))) => self.happened(thread, event),
                Ok(None) => return Ok(()),
                Err(why) if why.raw_os_error() == Some(libc::ECHILD) => return Ok(()),
                Err(why) => return Err(why),
            }
        }
    }

    /// Takes note of what a thread did, and lets it go on. One that was killed meanwhile is told as gone later.
    pub(crate) fn happened(&mut self, thread: i32, event: Event) {
        match event {
            Event::Born { child, borrows } => {
                self.beside.born(thread, child);
                if self.tasks.born(thread, child, borrows) {
                    let _killed = trace::resume(child, 0);
                }
                self.resume(thread, 0);
            }
            Event::Executed(former) => {
                self.tasks.executed(thread, former);
                self.places.leaves(thread);
                self.waiting.gone(thread);
                self.beside.executed(thread, former);
                self.executed(thread, former);
                self.resume(thread, 0);
            }
            Event::Stopped { group } => {
                // What it was about to execute came to nothing.
                self.plans.remove(&thread);
                if self.tasks.get(thread).is_none() {
                    self.tasks.came_early(thread);
                } else if self.has_frozen(thread, group) {
                    // It stays until the call that waited for it is answered.
                } else if group {
                    let _killed = trace::listen(thread);
                } else {
                    let _killed = trace::resume(thread, 0);
                }
            }
            Event::Signal(signal) => {
                self.plans.remove(&thread);
                let given_up = self.waiting.was_given_up(thread);
                let waits = |number| given_up || !filter::is_held(number);
                if stands(Defence::Restarts) {
                    let _killed = trace::begin_again(thread, waits);
                }
                self.resume(thread, signal);
            }
            Event::Gone(status) => self.gone(thread, status),
        }
    }

    /// Lets a thread go on from a stop of its own. That took the place of one that a call waits for (`ptrace_stop` in the kernel), so it is to
    /// stop again.
    fn resume(&self, thread: i32, signal: i32) {
        if self.held.values().any(|it| it.waiting.contains(&thread)) {
            let _killed = trace::interrupt(thread);
        }
        let _killed = trace::resume(thread, signal);
    }

    fn gone(&mut self, thread: i32, status: i32) {
        self.has_frozen(thread, false);
        self.tasks.gone(thread);
        self.places.leaves(thread);
        self.beside.gone(thread);
        self.waiting.gone(thread);
        self.plans.remove(&thread);
        self.taking.remove(&thread);
        self.scripts.remove(&thread);
        if thread == self.main && self.ended.is_none() {
            self.ended = Some(if libc::WIFSIGNALED(status) {
                Ended::Killed(libc::WTERMSIG(status))
            } else {
                Ended::Exited(libc::WEXITSTATUS(status))
            });
        }
    }

    fn serve(&mut self, call: &Notification) -> io::Result<()> {
        if !self.inside.copies.is_empty() {
            self.hear_copies();
        }
        if let Some(unauthorized) = self.taking.remove(&call.thread) {
            self.take_files(call, &unauthorized);
            return Ok(());
        }
        if self.may_be_replaced(call) {
            return match self.comes_again(call) {
                Ok(()) => Ok(()),
                Err(why) => self.listener.answer(call.id, Answer::Fail(why.raw_os_error())),
            };
        }
        let reply =
            self.decide(call).unwrap_or_else(|why| Reply::Now(Answer::Fail(why.raw_os_error())));
        match reply {
            Reply::Now(answer) => {
                if matches!(answer, Answer::Descriptor { .. }) {
                    self.beside.hands(call.thread);
                }
                self.listener.answer(call.id, answer)
            }
            Reply::Later => Ok(()),
        }
    }

    /// Another thread executes a program, it may be. Of a first thread the number is the new program's then, even before ptrace tells, and
    /// what is written for it would be written into that. Of all others ptrace tells first (`de_thread` in the kernel).
    fn may_be_replaced(&mut self, call: &Notification) -> bool {
        if self.plans.is_empty() {
            return false;
        }
        // It came to nothing.
        self.plans.remove(&call.thread);
        let is_first = self.tasks.get(call.thread).is_some_and(|it| it.process == call.thread);
        if !is_first || !stands(Defence::OneMemory) {
            return false;
        }
        let mut executing = self.tasks.siblings(call.thread);
        executing.retain(|it| self.plans.contains_key(it));
        // One that has come to nothing stops, and is known then.
        executing.iter().for_each(|it| drop(trace::interrupt(*it)));
        !executing.is_empty()
    }

    /// The call comes again in a moment.
    fn comes_again(&mut self, call: &Notification) -> Result<(), Errno> {
        let none = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, none)?;
        let time = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
        let moment = Itimerspec { it_interval: time(0), it_value: time(500_000) };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &moment)?;
        self.waiting.until_ready(call, timer, EventFlags::IN, None).map(drop)
    }

    /// Does something that may wait, and answers then. With `gives_up`, a signal that comes meanwhile ends the call.
    pub(crate) fn later(
        &self,
        call: &Notification,
        gives_up: bool,
        work: impl FnOnce() -> Result<Answer, Errno> + Send + 'static,
    ) -> Reply {
        self.waiting.start(&self.listener, call, gives_up, work)
    }

    /// Whether a call still waits: only then does what was read of its memory count.
    pub(crate) fn still(&self, call: &Notification) -> Result<(), Errno> {
        // The only thread of a process can but have been killed, and its number is nobody else's before ptrace has told.
        if self.is_settled && self.tasks.is_alone(call.thread) {
            return Ok(());
        }
        if self.listener.is_valid(call.id) { Ok(()) } else { Err(Errno::SRCH) }
    }

    pub(crate) fn walker(&mut self, thread: i32) -> Result<Walker<'_>, Errno> {
        let process = self.tasks.get(thread).ok_or(Errno::SRCH)?.process;
        // Without it, what is open is found in /proc.
        let _missing = self.tasks.descriptor(thread);
        let descriptor = self.tasks.known_descriptor(process);
        let (alone, monitor) = (self.tasks.is_alone(process), self.own);
        Ok(Walker { process, thread, alone, monitor, places: &self.places, descriptor })
    }

    pub(crate) fn monitor(&self) -> i32 {
        self.own
    }

    /// Gives this process the mask that a thread's files are made with.
    pub(crate) fn take_umask(&mut self, thread: i32) {
        let Some(mask) = self.tasks.get(thread).map(|it| it.umask) else { return };
        if self.umask != Some(mask) {
            rustix::process::umask(rustix::fs::Mode::from_bits_truncate(mask));
            self.umask = Some(mask);
        }
    }

    /// Stops the other threads of a call's process before it is decided; the call comes again then. False if there are none.
    pub(crate) fn freeze(&mut self, call: &Notification) -> bool {
        if !stands(Defence::Frozen) {
            return false;
        }
        if self.tasks.siblings(call.thread).is_empty() {
            return false;
        }
        let gate = self.waiting.gate();
        let waiting = self.to_stop(call.thread, &[], &lock(&gate));
        let frozen = Frozen { call: *call, waiting, stopped: Vec::new() };
        if frozen.waiting.is_empty() {
            self.thaw(frozen);
        } else {
            self.held.insert(call.thread, frozen);
        }
        true
    }

    /// Threads of a process that run, and will stop.
    fn to_stop(
        &self,
        thread: i32,
        stopped: &[(i32, bool)],
        away: &FxHashMap<i32, Held>,
    ) -> Vec<i32> {
        let mut running = self.tasks.siblings(thread);
        // Those whose own calls wait for this run nothing either.
        running.retain(|it| {
            stopped.iter().all(|stop| stop.0 != *it)
                && !away.contains_key(it)
                && !self.held.contains_key(it)
        });
        if !stands(Defence::FrozenParent) {
            running.retain(|it| !self.tasks.lends(*it));
        }
        running.retain(|it| trace::interrupt(*it).is_ok());
        // One that waits for a child with its memory stops when that is over, before it runs anything.
        running.retain(|it| !(self.tasks.lends(*it) && waits_for_child(*it)));
        running
    }

    /// A thread stopped, or ended: whether a call waits for that. The last one lets the call be decided.
    fn has_frozen(&mut self, thread: i32, group: bool) -> bool {
        let found = self.held.iter_mut().find(|it| it.1.waiting.contains(&thread));
        let Some((&caller, frozen)) = found else { return false };
        frozen.waiting.retain(|it| *it != thread);
        frozen.stopped.push((thread, group));
        if frozen.waiting.is_empty()
            && let Some(frozen) = self.held.remove(&caller)
        {
            self.thaw(frozen);
        }
        true
    }

    /// Decides the call of a process whose other threads stand still, waits until the call is done, and lets them go on.
    fn thaw(&mut self, mut frozen: Frozen) {
        let gate = self.waiting.gate();
        let away = lock(&gate);
        frozen.waiting = self.to_stop(frozen.call.thread, &frozen.stopped, &away);
        if !frozen.waiting.is_empty() {
            // Answered meanwhile, or born.
            self.held.insert(frozen.call.thread, frozen);
            return;
        }
        let answer = self.decide_frozen(&frozen.call);
        let goes_on = matches!(answer, Answer::Continue);
        // The caller stops on its way back to the program, when the call is done.
        let stops = goes_on && trace::interrupt(frozen.call.thread).is_ok();
        let answered = self.listener.answer(frozen.call.id, answer);
        let stopped = match stops && answered.is_ok() {
            true => trace::next_event(frozen.call.thread, true).ok().flatten(),
            false => None,
        };
        drop(away);
        if let Some((thread, event)) = stopped {
            self.happened(thread, event);
        }
        for (thread, group) in &frozen.stopped {
            let _killed = if *group { trace::listen(*thread) } else { trace::resume(*thread, 0) };
        }
    }
}
