//! Joins records to events.
//!
//! Records of several events may be mixed, so that an event is complete when nothing more can come: its last record has been read, or a record of a time
//! well after it. An event that is complete waits until it is asked for, the one in the lowest place first; that is the order of `ausearch`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::event::Event;
use crate::kind::Kind;
use crate::record::Record;
use crate::stamp::Stamp;

/// After so many seconds nothing more comes of an event: `end_of_event_timeout` of auditd.conf(5).
const TIMEOUT: i64 = 2;
/// So many events are open at once; when another begins, the oldest counts as complete.
const OPEN: usize = 1024;
/// So many records an event has; what follows is an event of its own. The longest that a kernel writes, of `execve`, has some hundred.
const RECORDS: usize = 4096;

/// Joins records to events, with bounded memory.
#[derive(Debug)]
pub struct Joiner<'a> {
    places: Vec<Option<Open<'a>>>,
    /// The places of open events.
    open: HashMap<Key, usize>,
    /// Open events by their time, and some that are open no longer.
    waiting: BinaryHeap<Reverse<Waiting>>,
    ready: BinaryHeap<Reverse<usize>>,
    free: BinaryHeap<Reverse<usize>>,
    births: u64,
    timeout: i64,
    /// What was compared and moved, for the tests.
    work: u64,
}

/// Time, when it was opened, place.
type Waiting = (i64, u64, usize);

#[derive(Debug)]
struct Open<'a> {
    event: Event<'a>,
    birth: u64,
    is_open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    stamp: Stamp,
    /// Empty if the log does not tell.
    node: Box<[u8]>,
}

impl Key {
    fn of(record: &Record<'_>) -> Option<Self> {
        Some(Self { stamp: record.stamp()?, node: record.node().unwrap_or_default().into() })
    }
}

impl Default for Joiner<'_> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            open: HashMap::new(),
            waiting: BinaryHeap::new(),
            ready: BinaryHeap::new(),
            free: BinaryHeap::new(),
            births: 0,
            timeout: TIMEOUT,
            work: 0,
        }
    }
}

impl<'a> Joiner<'a> {
    /// No records yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many seconds after it an event is complete; 2 unless told.
    #[must_use]
    pub fn with_timeout(self, seconds: u32) -> Self {
        Self { timeout: seconds.into(), ..self }
    }

    /// How much was done, in steps that each take bounded time.
    #[doc(hidden)]
    #[must_use]
    pub fn work(&self) -> u64 {
        self.work
    }

    /// Takes a record; events that are complete now are given by [`Self::next_event`].
    pub fn push(&mut self, record: Record<'a>) {
        self.work += 1;
        let kind = record.kind();
        let Some(key) = Key::of(&record) else {
            let place = self.place(Event::new(record));
            return self.complete(place);
        };
        match self.open.get(&key).copied() {
            Some(place) => self.add(place, record, &key),
            None if kind == Kind::EOE => {}
            None => self.begin(key.clone(), record),
        }
        self.expire(key.stamp.seconds);
    }

    fn add(&mut self, place: usize, record: Record<'a>, key: &Key) {
        let ends = matches!(record.kind(), Kind::EOE | Kind::PROCTITLE);
        let Some(Some(open)) = self.places.get_mut(place) else { return };
        open.event.push(record);
        if ends || open.event.records().len() >= RECORDS {
            self.open.remove(key);
            self.complete(place);
        }
    }

    fn begin(&mut self, key: Key, record: Record<'a>) {
        let ends = is_whole(record.kind());
        let place = self.place(Event::new(record));
        if ends {
            return self.complete(place);
        }
        self.waiting.push(Reverse((key.stamp.seconds, self.births, place)));
        self.open.insert(key, place);
        if self.open.len() > OPEN {
            self.close_first();
        }
        if self.waiting.len() > 2 * OPEN {
            self.forget_closed();
        }
    }

    /// The lowest free place, with an event in it.
    fn place(&mut self, event: Event<'a>) -> usize {
        self.births += 1;
        let open = Some(Open { event, birth: self.births, is_open: true });
        match self.free.pop() {
            Some(Reverse(place)) => {
                if let Some(free) = self.places.get_mut(place) {
                    *free = open;
                }
                place
            }
            None => {
                self.places.push(open);
                self.places.len() - 1
            }
        }
    }

    fn complete(&mut self, place: usize) {
        if let Some(Some(open)) = self.places.get_mut(place) {
            open.is_open = false;
            self.ready.push(Reverse(place));
        }
    }

    fn is_open(&self, &(_, birth, place): &Waiting) -> bool {
        let open = self.places.get(place).and_then(Option::as_ref);
        open.is_some_and(|it| it.is_open && it.birth == birth)
    }

    /// Completes events that are so old that nothing more comes of them.
    fn expire(&mut self, now: i64) {
        while let Some(Reverse(first)) = self.waiting.peek()
            && first.0.saturating_add(self.timeout) <= now
        {
            self.close_first();
        }
    }

    /// Completes the open event of the earliest time.
    fn close_first(&mut self) {
        while let Some(Reverse(first)) = self.waiting.pop() {
            self.work += 1;
            if self.is_open(&first) {
                return self.close(first.2);
            }
            if self.waiting.peek().is_some_and(|next| next.0.0 > first.0) {
                return;
            }
        }
    }

    fn close(&mut self, place: usize) {
        let open = self.places.get(place).and_then(Option::as_ref);
        let key = open.and_then(|it| it.event.records().first()).and_then(Key::of);
        if let Some(key) = key {
            self.open.remove(&key);
        }
        self.complete(place);
    }

    fn forget_closed(&mut self) {
        let all = std::mem::take(&mut self.waiting).into_vec();
        self.work += all.len() as u64;
        self.waiting = all.into_iter().filter(|it| self.is_open(&it.0)).collect();
    }

    /// The next event that is complete.
    pub fn next_event(&mut self) -> Option<Event<'a>> {
        let Reverse(place) = self.ready.pop()?;
        self.free.push(Reverse(place));
        self.places.get_mut(place)?.take().map(|it| it.event)
    }

    /// Nothing more comes: all events are complete.
    pub fn finish(&mut self) {
        self.waiting.clear();
        self.open.clear();
        let open = self.places.iter().enumerate();
        let open = open.filter(|(_, it)| it.as_ref().is_some_and(|it| it.is_open));
        let places: Vec<usize> = open.map(|it| it.0).collect();
        places.into_iter().for_each(|it| self.complete(it));
    }
}

/// Nothing follows in its event.
fn is_whole(kind: Kind) -> bool {
    kind.stands_alone() || kind == Kind::PROCTITLE || (1406..=1419).contains(&kind.0)
}

/// The events of records, one by one.
#[derive(Debug)]
pub struct Events<'a, I> {
    records: Option<I>,
    joiner: Joiner<'a>,
}

impl<'a, I> Events<'a, I> {
    /// Joins what `records` gives.
    #[must_use]
    pub fn new(records: I) -> Self {
        Self { records: Some(records), joiner: Joiner::new() }
    }
}

impl<'a, E, I: Iterator<Item = Result<Record<'a>, E>>> Iterator for Events<'a, I> {
    type Item = Result<Event<'a>, E>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.joiner.next_event() {
                return Some(Ok(event));
            }
            // After the last record, what is ready was given above.
            match self.records.as_mut()?.next() {
                Some(Ok(record)) => self.joiner.push(record),
                Some(Err(why)) => return Some(Err(why)),
                None => {
                    self.records = None;
                    self.joiner.finish();
                }
            }
        }
    }
}
