//! Security identifiers: small numbers that stand for contexts and outlive policies.

use std::collections::HashMap;
use std::num::NonZeroU32;

use mandate_policydb::{Context, PolicyDb};

use crate::objects::ObjectLookup;

/// A number that stands for a security context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid(NonZeroU32);

/// The last number that is kept for initial SIDs (`SECINITSID_NUM` of the kernel).
const LAST_INITIAL: u32 = 27;

impl Sid {
    /// The SID of this number, if it is not 0.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

/// What a SID stands for.
#[derive(Clone, Debug)]
enum Entry {
    Valid(Context),
    /// A context that an earlier policy allowed; it counts as unlabeled until a policy allows it again.
    Invalid(Box<str>),
    /// An initial SID that the policy does not define.
    Unused,
}

/// Contexts by SID and SIDs by context.
#[derive(Clone, Debug)]
pub(crate) struct SidTable {
    /// The context that stands in for those that are not valid.
    unlabeled: Option<Context>,
    entries: Vec<Entry>,
    by_context: HashMap<Context, Sid>,
}

impl SidTable {
    pub(crate) fn of(db: &PolicyDb) -> Self {
        let unlabeled = db.lookup_initial_sid_by_name("unlabeled").cloned();
        let mut table = Self { unlabeled, entries: Vec::new(), by_context: HashMap::new() };
        for number in 1..=LAST_INITIAL {
            let context = db.lookup_initial_sid(number).cloned();
            table.entries.push(context.map_or(Entry::Unused, Entry::Valid));
        }
        table
    }

    /// The same SIDs under another policy. Initial SIDs take its contexts, others keep theirs where it allows them.
    pub(crate) fn converted(&self, old: &PolicyDb, new: &PolicyDb) -> Self {
        let mut table = Self::of(new);
        for (place, entry) in self.entries.iter().enumerate().skip(LAST_INITIAL as usize) {
            let text = match entry {
                Entry::Valid(context) => old.context_to_string(context).into(),
                Entry::Invalid(text) => text.clone(),
                Entry::Unused => continue,
            };
            let entry = match new.parse_context(&text) {
                Ok(context) => {
                    if let Some(sid) = sid_at(place) {
                        // Of contexts that became the same, the first SID is found from now on.
                        table.by_context.entry(context.clone()).or_insert(sid);
                    }
                    Entry::Valid(context)
                }
                Err(_) => Entry::Invalid(text),
            };
            table.entries.push(entry);
        }
        table
    }

    /// The context of a SID; that of `unlabeled` if the SID's own is not valid now.
    pub(crate) fn context(&self, sid: Sid) -> Option<&Context> {
        match self.entries.get(sid.number() as usize - 1)? {
            Entry::Valid(context) => Some(context),
            Entry::Invalid(_) | Entry::Unused => self.unlabeled.as_ref(),
        }
    }

    pub(crate) fn find(&self, context: &Context) -> Option<Sid> {
        self.by_context.get(context).copied()
    }

    /// The SID of a context, a new one if it has none. `None` when all 2³² are in use.
    pub(crate) fn intern(&mut self, context: Context) -> Option<Sid> {
        if let Some(sid) = self.find(&context) {
            return Some(sid);
        }
        let sid = sid_at(self.entries.len())?;
        self.entries.push(Entry::Valid(context.clone()));
        self.by_context.insert(context, sid);
        Some(sid)
    }
}

fn sid_at(place: usize) -> Option<Sid> {
    Sid::new(u32::try_from(place).ok()?.checked_add(1)?)
}
