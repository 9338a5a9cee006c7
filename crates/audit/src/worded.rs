//! Rules in a policy's own words: calls of interfaces that grant what is wanted and little besides, plain rules for the rest.

use std::collections::BTreeMap;

use mandate_policydb::{ClassId, PolicyDb, SymbolId as _, TypeId};

use crate::interfaces::{Catalogue, Found, Wanted};
use crate::rules::{RuleKey, Rules};

/// Of so many interfaces that grant a rule it is seen what else of the wanted they grant.
const TRIED: usize = 8;

/// What a call may grant that nobody wants: looks, and what goes with having a file open. Nothing more is changed or executed.
const HARMLESS: [&str; 12] = [
    "getattr",
    "read",
    "open",
    "search",
    "lock",
    "ioctl",
    "map",
    "watch",
    "watch_reads",
    "use",
    "getopt",
    "signull",
];

/// Rules as calls, and what no call grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worded {
    /// Calls of interfaces, in order.
    pub calls: Vec<String>,
    /// What is left.
    pub rest: Rules,
}

/// A call, and which of the wanted it grants.
struct Call {
    found: Found,
    grants: Vec<usize>,
    excess: u64,
}

/// Says rules by calls of which each grants no more than `excess` permissions, over all types, that nobody wants; and of those none
/// that changes or executes something.
pub fn worded(rules: Rules, catalogue: &Catalogue, db: &PolicyDb, excess: u64) -> Worded {
    let wanted: Vec<(RuleKey, Wanted)> =
        rules.allow.keys().filter_map(|it| Some((it.clone(), wanted(&rules, it, db)?))).collect();
    let all: Vec<Wanted> = wanted.iter().map(|it| it.1).collect();
    let mut calls = candidates(&all, catalogue, db);
    calls.retain(|it| it.excess <= excess);
    let chosen = cover(calls, all.len());
    let mut rest = rules;
    for at in chosen.iter().flat_map(|it| &it.grants) {
        if let Some((key, _)) = wanted.get(*at) {
            rest.allow.remove(key);
        }
    }
    let mut calls: Vec<String> = chosen.into_iter().map(|it| it.found.call).collect();
    calls.sort_unstable();
    Worded { calls, rest }
}

fn wanted(rules: &Rules, key: &RuleKey, db: &PolicyDb) -> Option<Wanted> {
    let class = db.classes.id(&key.class)?;
    let bits = rules.allow.get(key)?.iter().map(|it| Some(db.permission(class, it)?.mask()));
    Some(Wanted {
        source: db.types.id(&key.source)?,
        target: db.types.id(key.target_type())?,
        class,
        permissions: bits.sum::<Option<u32>>()?,
    })
}

fn candidates(all: &[Wanted], catalogue: &Catalogue, db: &PolicyDb) -> Vec<Call> {
    let mut found: BTreeMap<String, Call> = BTreeMap::new();
    for wanted in all {
        for it in catalogue.granting(db, *wanted).into_iter().take(TRIED) {
            if found.contains_key(&it.call) {
                continue;
            }
            let Some(grants) = granted(&it, wanted, all, catalogue, db) else { continue };
            // What the call grants besides this one may be wanted, too.
            let others = grants.iter().filter_map(|at| all.get(*at));
            let others: u64 = others.map(|it| u64::from(it.permissions.count_ones())).sum();
            let own = u64::from(wanted.permissions.count_ones());
            let excess = (it.excess + own).saturating_sub(others);
            found.insert(it.call.clone(), Call { found: it, grants, excess });
        }
    }
    found.into_values().collect()
}

/// Which of the wanted a call grants whole; nothing if it grants what is not harmless.
fn granted(
    found: &Found,
    of: &Wanted,
    all: &[Wanted],
    catalogue: &Catalogue,
    db: &PolicyDb,
) -> Option<Vec<usize>> {
    let mut harmless = true;
    let mut got: Vec<u32> = vec![0; all.len()];
    catalogue.granted(found, of.source, |source, target, class, permissions| {
        let mut surplus = permissions;
        for (wanted, got) in all.iter().zip(&mut got) {
            if wanted.source == source && wanted.class == class && is_of(db, wanted.target, target)
            {
                *got |= permissions;
                surplus &= !wanted.permissions;
            }
        }
        harmless &= surplus & !harmless_of(db, class) == 0;
    });
    if !harmless {
        return None;
    }
    let whole = all.iter().zip(&got).enumerate();
    Some(whole.filter(|(_, (it, got))| it.permissions & !**got == 0).map(|it| it.0).collect())
}

fn harmless_of(db: &PolicyDb, class: ClassId) -> u32 {
    let bits = HARMLESS.iter().filter_map(|it| Some(db.permission(class, it)?.mask()));
    bits.fold(0, |all, it| all | it)
}

/// Is it this type, or one of this attribute?
fn is_of(db: &PolicyDb, it: TypeId, group: TypeId) -> bool {
    it == group || db.type_attributes.get(it.index()).is_some_and(|of| of.has(group))
}

/// The calls that grant the most, as long as one grants something new; those that others make needless are left out.
fn cover(mut calls: Vec<Call>, count: usize) -> Vec<Call> {
    let mut open = vec![true; count];
    let mut chosen: Vec<Call> = Vec::new();
    loop {
        let news = |it: &Call| it.grants.iter().filter(|at| open.get(**at) == Some(&true)).count();
        let best = calls.iter().enumerate().max_by_key(|(at, it)| {
            (news(it), std::cmp::Reverse(it.excess), std::cmp::Reverse(*at))
        });
        let Some((at, _)) = best.filter(|it| news(it.1) > 0) else { break };
        let call = calls.swap_remove(at);
        call.grants.iter().filter_map(|it| open.get_mut(*it).map(|it| *it = false)).count();
        chosen.push(call);
    }
    let mut at = 0;
    while let Some(call) = chosen.get(at) {
        let by_others = |it: &usize| {
            chosen.iter().enumerate().any(|(other, call)| other != at && call.grants.contains(it))
        };
        if call.grants.iter().all(by_others) {
            chosen.remove(at);
        } else {
            at += 1;
        }
    }
    chosen
}
