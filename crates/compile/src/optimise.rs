//! Leaves out rules that others make redundant, as `checkpolicy -O` does: the same answers from fewer rules.
//!
//! A rule is redundant when rules of the same kind and class on supersets of its source and target give all it gives. What they
//! give of it in part is taken from it too. An attribute's supersets are the attributes with all its types; a type's are its
//! attributes. Rules outside of conditional blocks cover those inside; inside, a branch covers only itself.

mod cover;
mod supersets;

use mandate_policydb::{AvRule, ExtendedPermissions, PolicyDb, XpermForm, XpermPool};

use crate::outcome::{RuleOrigin, RuleOrigins};
use cover::{Candidates, Slots};
use supersets::Supersets;

/// Where each rule went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remap {
    /// For each rule of before outside of conditional blocks, its index now; none if it is gone.
    pub rules: Vec<Option<u32>>,
    /// For each conditional block of before what became of it.
    pub conditionals: Vec<BlockRemap>,
}

/// Where a conditional block and its rules went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockRemap {
    /// Its index now; none if no rule is left in it.
    pub block: Option<u32>,
    /// As [`Remap::rules`], of the true branch.
    pub when_true: Vec<Option<u32>>,
    /// Of the false branch.
    pub when_false: Vec<Option<u32>>,
}

impl Remap {
    /// How many rules are gone.
    pub fn removed(&self) -> usize {
        let branches = self.conditionals.iter().flat_map(|it| [&it.when_true, &it.when_false]);
        branches.chain([&self.rules]).flatten().filter(|it| it.is_none()).count()
    }

    /// Where a rule of a conditional branch is now.
    pub fn conditional(&self, block: u32, when: bool, rule: u32) -> Option<(u32, u32)> {
        let remap = self.conditionals.get(block as usize)?;
        let branch = if when { &remap.when_true } else { &remap.when_false };
        Some((remap.block?, (*branch.get(rule as usize)?)?))
    }

    /// Names the rules of `origins` as they are now, and forgets those that are gone.
    pub fn apply(&self, origins: &mut RuleOrigins) {
        origins.rules.retain_mut(|origin| {
            let new = self.rules.get(origin.rule as usize).copied().flatten();
            new.inspect(|&rule| origin.rule = rule).is_some()
        });
        origins.conditional.retain_mut(|(block, when, origin)| {
            let new = self.conditional(*block, *when, origin.rule);
            new.inspect(|&(to, rule)| (*block, origin.rule) = (to, rule)).is_some()
        });
        let key = |it: &(u32, bool, RuleOrigin)| (it.0, it.1, it.2.rule);
        origins.conditional.sort_by_key(key);
    }
}

/// Removes redundant rules, and conditional blocks that have none left. A branch keeps its order, but for rules on attributes:
/// they come last and backwards, as `checkpolicy -O` leaves them.
pub fn optimise(db: &mut PolicyDb) -> Remap {
    let (Some(slots), Some(supersets)) = (Slots::of(db), Supersets::of(db)) else {
        return unchanged(db);
    };
    let mut remains = Remains::of(&db.rules, &db.xperms);
    let candidates = Candidates::new(&slots, &supersets, &db.rules);
    for (number, rule) in (0u32..).zip(&db.rules) {
        candidates.visit(&supersets, &slots, rule, |other| {
            other != number && remains.subtract(rule, number, other)
        });
    }
    let cover = Unconditional { slots, supersets, candidates, remains };
    let conditionals = cover.blocks(db);
    let rules = cover.remains.write(&mut db.rules, &mut db.xperms);
    Remap { rules, conditionals }
}

/// As [`optimise`], with the rules of branches in the order in which the back end leaves them, so that the policy is its own source's.
pub fn optimise_sorted(db: &mut PolicyDb) -> Remap {
    let mut remap = optimise(db);
    let PolicyDb { conditionals, xperms, .. } = db;
    let mut left = conditionals.iter_mut();
    for block in remap.conditionals.iter_mut().filter(|it| it.block.is_some()) {
        let Some(conditional) = left.next() else { break };
        sort_branch(&mut conditional.when_true, xperms, &mut block.when_true);
        sort_branch(&mut conditional.when_false, xperms, &mut block.when_false);
    }
    remap
}

/// Sorts rules by key, those of extended permissions last.
fn sort_branch(rules: &mut Vec<AvRule>, pool: &XpermPool, places: &mut [Option<u32>]) {
    let key = |rule: &AvRule| {
        let extended = pool.of(rule).map(|it| (it.form as u8, it.driver));
        (rule.kind.is_xperm(), rule.source, rule.target, rule.class(), rule.kind, extended)
    };
    let mut sorted: Vec<(u32, AvRule)> = (0..).zip(rules.iter().copied()).collect();
    sorted.sort_by_key(|it| key(&it.1));
    let mut now = vec![0; sorted.len()];
    for (new, &(old, _)) in (0u32..).zip(&sorted) {
        if let Some(place) = now.get_mut(old as usize) {
            *place = new;
        }
    }
    *rules = sorted.into_iter().map(|it| it.1).collect();
    for place in places.iter_mut().flatten() {
        *place = now.get(*place as usize).copied().unwrap_or(*place);
    }
}

fn unchanged(db: &PolicyDb) -> Remap {
    let same = |rules: &Vec<AvRule>| (0u32..).zip(rules).map(|it| Some(it.0)).collect();
    let blocks = (0u32..).zip(&db.conditionals).map(|(block, it)| BlockRemap {
        block: Some(block),
        when_true: same(&it.when_true),
        when_false: same(&it.when_false),
    });
    Remap { rules: same(&db.rules), conditionals: blocks.collect() }
}

/// What is left of the rules of a list.
struct Remains {
    /// Permissions of access vector rules; places in `xperms` of the others.
    values: Vec<u32>,
    xperms: Vec<ExtendedPermissions>,
    gone: Vec<bool>,
}

impl Remains {
    fn of(rules: &[AvRule], pool: &XpermPool) -> Self {
        let mut xperms = Vec::new();
        let value = |rule: &AvRule| match pool.of(rule) {
            Some(it) => {
                xperms.push(*it);
                u32::try_from(xperms.len() - 1).unwrap_or(u32::MAX)
            }
            None => rule.permissions(),
        };
        let values = rules.iter().map(value).collect();
        Self { values, xperms, gone: vec![false; rules.len()] }
    }

    fn value(&self, number: u32) -> u32 {
        self.values.get(number as usize).copied().unwrap_or_default()
    }

    fn xperms(&self, number: u32) -> Option<ExtendedPermissions> {
        let gone = self.gone.get(number as usize).copied().unwrap_or(true);
        self.xperms.get(self.value(number) as usize).copied().filter(|_| !gone)
    }

    /// Takes what rule `other` gives from rule `number`. Is it gone then?
    fn subtract(&mut self, rule: &AvRule, number: u32, other: u32) -> bool {
        if rule.kind.is_xperm() {
            return self.xperms(other).is_some_and(|it| self.subtract_xperms(number, &it));
        }
        let permissions = self.value(other);
        self.subtract_permissions(number, permissions)
    }

    fn subtract_permissions(&mut self, number: u32, permissions: u32) -> bool {
        let at = number as usize;
        let (Some(value), Some(gone)) = (self.values.get_mut(at), self.gone.get_mut(at)) else {
            return true;
        };
        *value &= !permissions;
        *gone = *value == 0;
        *gone
    }

    fn subtract_xperms(&mut self, number: u32, other: &ExtendedPermissions) -> bool {
        let at = number as usize;
        let own = self.values.get(at).and_then(|&it| self.xperms.get_mut(it as usize));
        let (Some(own), Some(gone)) = (own, self.gone.get_mut(at)) else { return true };
        *gone = minus(own, other);
        *gone
    }

    /// Writes what is left into the list, and tells where each rule went.
    fn write(&self, rules: &mut Vec<AvRule>, pool: &mut XpermPool) -> Vec<Option<u32>> {
        let mut next = 0;
        let places = self.gone.iter().map(|gone| {
            next += u32::from(!gone);
            (!gone).then(|| next - 1)
        });
        let places: Vec<Option<u32>> = places.collect();
        let mut number = 0u32;
        rules.retain_mut(|rule| {
            self.rewrite(rule, number, pool);
            number += 1;
            !self.gone.get(number as usize - 1).copied().unwrap_or_default()
        });
        places
    }

    fn rewrite(&self, rule: &mut AvRule, number: u32, pool: &mut XpermPool) {
        if rule.kind.is_access_vector() {
            *rule = rule.with_permissions(self.value(number));
        } else if let (Some(old), Some(new)) = (pool.of(rule).copied(), self.xperms(number)) {
            // A pool's entry may have more than one rule.
            if old != new {
                *rule = rule.with_datum(pool.push(new));
            }
        }
    }
}

/// Takes what `other` gives from `own`. Is nothing left?
fn minus(own: &mut ExtendedPermissions, other: &ExtendedPermissions) -> bool {
    match (own.form, other.form) {
        (XpermForm::IoctlFunction, XpermForm::IoctlDriver) => other.has(own.driver),
        (XpermForm::IoctlFunction, XpermForm::IoctlFunction)
        | (XpermForm::Nlmsg, XpermForm::Nlmsg)
            if own.driver != other.driver =>
        {
            false
        }
        (a, b) if a == b => {
            own.bits.iter_mut().zip(other.bits).for_each(|(own, other)| *own &= !other);
            own.bits == [0; 8]
        }
        _ => false,
    }
}

/// The rules outside of conditional blocks, as they cover those inside.
struct Unconditional {
    slots: Slots,
    supersets: Supersets,
    candidates: Candidates,
    remains: Remains,
}

impl Unconditional {
    fn blocks(&self, db: &mut PolicyDb) -> Vec<BlockRemap> {
        let mut remaps = Vec::with_capacity(db.conditionals.len());
        let mut next = 0;
        let pool = &mut db.xperms;
        db.conditionals.retain_mut(|block| {
            let when_true = self.branch(&mut block.when_true, pool);
            let when_false = self.branch(&mut block.when_false, pool);
            let keep = !block.when_true.is_empty() || !block.when_false.is_empty();
            remaps.push(BlockRemap { block: keep.then_some(next), when_true, when_false });
            next += u32::from(keep);
            keep
        });
        remaps
    }

    fn branch(&self, rules: &mut Vec<AvRule>, pool: &mut XpermPool) -> Vec<Option<u32>> {
        let (order, plain) = self.attributes_last(rules);
        *rules = order.iter().filter_map(|&at| rules.get(at as usize).copied()).collect();
        let mut remains = Remains::of(rules, pool);
        for (number, rule) in (0u32..).zip(&*rules) {
            if !self.covers(rule, number, &mut remains) {
                self.covered_within(rules, plain, number, &mut remains);
            }
        }
        let places = remains.write(rules, pool);
        let mut remap = vec![None; order.len()];
        for (&old, place) in order.iter().zip(places) {
            if let Some(entry) = remap.get_mut(old as usize) {
                *entry = place;
            }
        }
        remap
    }

    /// The order of a branch's rules, and how many of them are on types alone.
    fn attributes_last(&self, rules: &[AvRule]) -> (Vec<u32>, usize) {
        let on_attribute = |rule: &AvRule| {
            self.supersets.is_attribute(rule.source) || self.supersets.is_attribute(rule.target)
        };
        let numbered = (0u32..).zip(rules);
        let (attributes, mut order): (Vec<_>, Vec<_>) =
            numbered.partition(|(_, rule)| on_attribute(rule));
        let plain = order.len();
        order.extend(attributes.into_iter().rev());
        (order.into_iter().map(|it| it.0).collect(), plain)
    }

    /// Takes from a rule of a branch what unconditional rules give. Is it gone then?
    fn covers(&self, rule: &AvRule, number: u32, remains: &mut Remains) -> bool {
        let take = |other| match rule.kind.is_xperm() {
            true => {
                self.remains.xperms(other).is_some_and(|it| remains.subtract_xperms(number, &it))
            }
            false => remains.subtract_permissions(number, self.remains.value(other)),
        };
        self.candidates.visit(&self.supersets, &self.slots, rule, take)
    }

    /// Takes from a rule of a branch what the branch's rules on attributes give.
    fn covered_within(&self, rules: &[AvRule], plain: usize, number: u32, remains: &mut Remains) {
        let Some(rule) = rules.get(number as usize) else { return };
        if self.slots.of_rule(rule).is_none() {
            return;
        }
        for (other, by) in (0u32..).zip(rules).skip(plain) {
            let same = other != number && by.kind == rule.kind && by.class() == rule.class();
            if same && self.supersets.holds(by, rule) && remains.subtract(rule, number, other) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
