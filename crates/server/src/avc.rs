//! The access vector cache. Readers never wait: a slot that is being written is a miss.
//!
//! Each slot is a sequence lock over atomics. A writer makes the sequence odd, stores, and makes it even again; a reader
//! that saw two different or an odd sequence looks no further. Every entry carries the epoch of the policy state it
//! was computed in, so a new epoch empties the cache at once and a decision that was under way stays out of it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use mandate_policydb::{ClassId, SymbolId};

use crate::engine::Decision;
use crate::sid::Sid;

/// 64 bytes: no two slots share a cache line.
#[derive(Default)]
#[repr(align(64))]
struct Slot {
    sequence: AtomicU32,
    epoch: AtomicU32,
    pair: AtomicU64,
    class: AtomicU32,
    flags: AtomicU32,
    allowed: AtomicU32,
    auditallow: AtomicU32,
    auditdeny: AtomicU32,
}

/// Slots that a decision may stand in: so few decisions drive each other out.
const WAYS: usize = 4;

const PERMISSIVE: u32 = 1;
const NEVERAUDIT: u32 = 2;

/// A cache of decisions by source SID, target SID and class.
pub struct Avc {
    slots: Box<[Slot]>,
    epoch: AtomicU32,
}

impl Avc {
    /// A cache of at least so many slots, 64 bytes each, and never fewer than 4.
    pub fn with_slots(slots: usize) -> Self {
        let slots = (0..slots.next_power_of_two().max(WAYS)).map(|_| Slot::default()).collect();
        // Slots start in epoch 0, so nothing is found before the first insertion.
        Self { slots, epoch: AtomicU32::new(1) }
    }

    /// The present epoch.
    pub fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Starts an epoch, in which nothing is cached yet.
    pub(crate) fn next_epoch(&self) -> u32 {
        let next = self.epoch().wrapping_add(1).max(1);
        self.epoch.store(next, Ordering::Release);
        next
    }

    /// The slots that may hold a decision, the likeliest first.
    #[inline]
    fn set(&self, pair: u64, class: ClassId) -> impl Iterator<Item = &Slot> {
        let mixed = (pair ^ u64::from(class.value()) << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // A product's highest bits are those that depend on all of its factor.
        let place = mixed.checked_shr(u64::BITS - self.slots.len().trailing_zeros());
        let first = usize::try_from(place.unwrap_or(0)).unwrap_or(0);
        // Flipping low bits stays within an aligned group of slots.
        (0..WAYS).filter_map(move |way| self.slots.get(first ^ way))
    }

    /// The decision, if it is cached in the present epoch.
    #[inline]
    pub fn lookup(&self, source: Sid, target: Sid, class: ClassId) -> Option<Decision> {
        let (pair, epoch) = (pair(source, target), self.epoch());
        self.set(pair, class).find_map(|slot| slot.read(pair, class, epoch))
    }

    /// Caches a decision that was computed in `epoch`. Gives up rather than wait for another writer.
    pub fn insert(&self, source: Sid, target: Sid, class: ClassId, decision: Decision, epoch: u32) {
        let pair = pair(source, target);
        let stale = |slot: &&Slot| slot.epoch.load(Ordering::Relaxed) != self.epoch();
        let slot = self.set(pair, class).find(stale).or_else(|| self.victim(pair, class));
        if let Some(slot) = slot {
            slot.write(pair, class, decision, epoch);
        }
    }

    /// Of a full set the slot to be given up: another one each time.
    fn victim(&self, pair: u64, class: ClassId) -> Option<&Slot> {
        let written = |slot: &Slot| slot.sequence.load(Ordering::Relaxed) >> 1;
        let writes = self.set(pair, class).map(written).fold(0, u32::wrapping_add);
        self.set(pair, class).nth(writes as usize % WAYS)
    }
}

impl Slot {
    #[inline]
    fn read(&self, pair: u64, class: ClassId, epoch: u32) -> Option<Decision> {
        let before = self.sequence.load(Ordering::Acquire);
        let found = self.pair.load(Ordering::Relaxed) == pair
            && self.class.load(Ordering::Relaxed) == class.value()
            && self.epoch.load(Ordering::Relaxed) == epoch;
        if before & 1 == 1 || !found {
            return None;
        }
        let flags = self.flags.load(Ordering::Relaxed);
        let decision = Decision {
            allowed: self.allowed.load(Ordering::Relaxed),
            auditallow: self.auditallow.load(Ordering::Relaxed),
            auditdeny: self.auditdeny.load(Ordering::Relaxed),
            permissive: flags & PERMISSIVE != 0,
            neveraudit: flags & NEVERAUDIT != 0,
        };
        fence(Ordering::Acquire);
        (self.sequence.load(Ordering::Relaxed) == before).then_some(decision)
    }

    fn write(&self, pair: u64, class: ClassId, decision: Decision, epoch: u32) {
        let before = self.sequence.load(Ordering::Relaxed);
        let odd = before.wrapping_add(1);
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        if before & 1 == 1 || self.sequence.compare_exchange(before, odd, success, failure).is_err()
        {
            return;
        }
        fence(Ordering::Release);
        let permissive = if decision.permissive { PERMISSIVE } else { 0 };
        let neveraudit = if decision.neveraudit { NEVERAUDIT } else { 0 };
        self.pair.store(pair, Ordering::Relaxed);
        self.class.store(class.value(), Ordering::Relaxed);
        self.epoch.store(epoch, Ordering::Relaxed);
        self.flags.store(permissive | neveraudit, Ordering::Relaxed);
        self.allowed.store(decision.allowed, Ordering::Relaxed);
        self.auditallow.store(decision.auditallow, Ordering::Relaxed);
        self.auditdeny.store(decision.auditdeny, Ordering::Relaxed);
        self.sequence.store(before.wrapping_add(2), Ordering::Release);
    }
}

fn pair(source: Sid, target: Sid) -> u64 {
    u64::from(source.number()) << 32 | u64::from(target.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither the classes of one pair nor the pairs of one class may drive each other out.
    #[test]
    fn neighbours_stay_cached() {
        let avc = Avc::with_slots(1 << 14);
        let mut asked = Vec::new();
        for (source, target, class) in (1..=8).flat_map(|s| (1..=8).map(move |t| (s, t, 1))) {
            asked.push((source, target, class));
        }
        asked.extend((1..=64).map(|class| (9, 9, class)));
        let ids = |&(source, target, class): &(u32, u32, u32)| {
            let class = ClassId::from_value(class).unwrap();
            (Sid::new(source).unwrap(), Sid::new(target).unwrap(), class)
        };
        for (source, target, class) in asked.iter().map(ids) {
            avc.insert(source, target, class, Decision::ALLOWED, avc.epoch());
        }
        assert!(asked.iter().map(ids).all(|(s, t, c)| avc.lookup(s, t, c).is_some()));
    }

    /// More decisions than slots: the last ones asked are there.
    #[test]
    fn a_full_cache_takes_more() {
        let avc = Avc::with_slots(WAYS);
        let (sid, epoch) = (Sid::new(1).unwrap(), avc.epoch());
        for class in (1..=100).map(|class| ClassId::from_value(class).unwrap()) {
            avc.insert(sid, sid, class, Decision::ALLOWED, epoch);
            assert_eq!(avc.lookup(sid, sid, class), Some(Decision::ALLOWED));
        }
    }

    #[test]
    fn an_epoch_empties_the_cache() {
        let avc = Avc::with_slots(1);
        let (sid, class) = (Sid::new(1).unwrap(), ClassId::from_value(1).unwrap());
        assert_eq!(avc.lookup(sid, sid, class), None);
        let old = avc.epoch();
        avc.insert(sid, sid, class, Decision::ALLOWED, old);
        assert_eq!(avc.lookup(sid, sid, class), Some(Decision::ALLOWED));
        avc.next_epoch();
        assert_eq!(avc.lookup(sid, sid, class), None);
        avc.insert(sid, sid, class, Decision::ALLOWED, old);
        assert_eq!(avc.lookup(sid, sid, class), None, "computed in an epoch that is over");
    }
}
