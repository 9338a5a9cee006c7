//! Joins records to events.
//!
//! Records of several events may be mixed, and nothing marks the last one for sure: `EOE` may be missing, and records may follow it. As in `ausearch`, an
//! event is complete when a record is of a time well after it, and events come in the order of their times.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::event::Event;
use crate::kind::Kind;
use crate::record::Record;
use crate::stamp::Stamp;

/// After so many seconds nothing more comes of an event: `end_of_event_timeout` of auditd.conf(5).
const TIMEOUT: i64 = 2;
/// So many events are held at once; when there are more, the earliest counts as complete.
const HELD: usize = 16_384;
/// So many records an event has; what follows is an event of its own. The longest that a kernel writes, of `execve`, has some hundred.
const RECORDS: usize = 4096;

/// Joins records to events, with bounded memory.
#[derive(Debug)]
pub struct Joiner<'a> {
    held: BTreeMap<Place, Held<'a>>,
    /// The places of events to which records may be added.
    open: HashMap<Key, Place>,
    ready: VecDeque<Event<'a>>,
    births: u64,
    timeout: i64,
    /// What was moved, for the tests.
    work: u64,
}

/// Time, number, and what came first.
type Place = (i64, u16, u64, u64);

#[derive(Debug)]
struct Held<'a> {
    event: Event<'a>,
    key: Key,
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
        let (held, open, ready) = (BTreeMap::new(), HashMap::new(), VecDeque::new());
        Self { held, open, ready, births: 0, timeout: TIMEOUT, work: 0 }
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
        let Some(key) = Key::of(&record) else {
            return self.ready.push_back(Event::new(record));
        };
        let now = key.stamp.seconds;
        match self.open.get(&key).copied() {
            Some(place) => self.add(place, record),
            None if record.kind() == Kind::EOE => {}
            None => {
                self.begin(key, record);
                self.give(now);
            }
        }
    }

    fn add(&mut self, place: Place, record: Record<'a>) {
        let Some(held) = self.held.get_mut(&place) else { return };
        held.event.push(record);
        if held.event.records().len() >= RECORDS {
            held.is_open = false;
            self.open.remove(&held.key);
        }
    }

    fn begin(&mut self, key: Key, record: Record<'a>) {
        let is_open = !is_whole(record.kind());
        let Stamp { seconds, millis, serial, .. } = key.stamp;
        let place = (seconds, millis, serial, self.births);
        self.births += 1;
        if is_open {
            self.open.insert(key.clone(), place);
        }
        self.held.insert(place, Held { event: Event::new(record), key, is_open });
        if self.held.len() > HELD {
            self.give_first();
        }
    }

    /// Gives what is complete, as far as nothing earlier is held.
    fn give(&mut self, now: i64) {
        while let Some((place, held)) = self.held.first_key_value()
            && (!held.is_open || place.0.saturating_add(self.timeout) <= now)
        {
            self.give_first();
        }
    }

    fn give_first(&mut self) {
        let Some((_, held)) = self.held.pop_first() else { return };
        self.work += 1;
        if held.is_open {
            self.open.remove(&held.key);
        }
        self.ready.push_back(held.event);
    }

    /// The next event that is complete.
    pub fn next_event(&mut self) -> Option<Event<'a>> {
        self.ready.pop_front()
    }

    /// Nothing more comes: all events are complete.
    pub fn finish(&mut self) {
        while !self.held.is_empty() {
            self.give_first();
        }
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
