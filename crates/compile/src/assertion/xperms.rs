//! `neverallowxperm`: broken by an `allowxperm` that names what it forbids, where the operation is allowed, and by an `allow` of the
//! operation that no `allowxperm` limits.
//!
//! What limits, as the kernel sees it: `allowxperm` rules of whatever operation, outside of conditional blocks or by both branches
//! of a block together; and for a rule in a branch those of that branch.

use std::collections::HashMap;

use mandate_policydb::{ExtendedPermissions, RulePlace, SymbolId, TypeId, XpermForm};
use rustc_hash::FxBuildHasher;

use super::check::{Checker, Filed, Pair, Sets};
use super::{Assertion, Violation};
use crate::members::{Dense, bits, has};

/// A branch of a conditional block.
type Branch = (u32, bool);

/// The check of one assertion.
pub(super) struct Xperms<'a> {
    checker: &'a Checker<'a>,
    assertion: &'a Assertion,
    sets: &'a Sets,
    /// `allowxperm` rules of the class.
    rules: Vec<(&'a Filed, ExtendedPermissions)>,
    by_branch: HashMap<Branch, Vec<&'a Filed>, FxBuildHasher>,
    /// For a source the targets towards which it is limited whatever the booleans are.
    limited: HashMap<u32, Dense, FxBuildHasher>,
}

impl<'a> Xperms<'a> {
    pub(super) fn new(checker: &'a Checker<'a>, assertion: &'a Assertion, sets: &'a Sets) -> Self {
        let all = checker.rules.xperms(assertion.class).iter();
        let rules = all.filter_map(|it| Some((it, *checker.db.xperms.get(it.datum)?)));
        let rules: Vec<_> = rules.collect();
        let mut by_branch: HashMap<Branch, Vec<&Filed>, FxBuildHasher> = HashMap::default();
        for (rule, _) in &rules {
            if let RulePlace::Conditional { block, when, .. } = checker.rules.place(rule) {
                by_branch.entry((block, when)).or_default().push(rule);
            }
        }
        Self { checker, assertion, sets, rules, by_branch, limited: HashMap::default() }
    }

    pub(super) fn check(mut self, number: usize, found: &mut Vec<Violation>) {
        let start = found.len();
        for rule in self.checker.allowing(self.assertion, self.sets) {
            if let Some(pair) = self.unlimited(rule) {
                found.extend(self.violation(number, rule, pair, None));
            }
        }
        for (rule, own) in &self.rules {
            let offending = self.assertion.xperms.iter().find_map(|it| common(it, own));
            let Some(offending) = offending else { continue };
            if let Some(pair) = self.named(rule) {
                found.extend(self.violation(number, rule, pair, Some(offending)));
            }
        }
        if let Some(own) = found.get_mut(start..) {
            own.sort_by_key(|it| it.rule);
        }
    }

    fn violation(
        &self,
        assertion: usize,
        rule: &Filed,
        (source, target): Pair,
        xperms: Option<ExtendedPermissions>,
    ) -> Option<Violation> {
        Some(Violation {
            assertion,
            rule: self.checker.rules.place(rule),
            source: TypeId::from_bit(source)?,
            target: TypeId::from_bit(target)?,
            permissions: self.assertion.permissions,
            xperms,
        })
    }

    /// Is the pair one that the assertion names?
    fn asserted(&self, (source, target): Pair) -> bool {
        let named =
            has(&self.sets.target, target) && !(self.assertion.not_self && source == target);
        named || (self.assertion.self_ && source == target)
    }

    /// The targets that the assertion names for a source.
    fn targets(&self, source: u32) -> Dense {
        let mut targets = self.sets.target.clone();
        if let Some(word) = targets.get_mut(source as usize / 64) {
            let bit = 1 << (source % 64);
            if self.assertion.not_self {
                *word &= !bit;
            }
            if self.assertion.self_ {
                *word |= bit;
            }
        }
        targets
    }

    /// A pair for which nothing limits the operation that `rule` allows.
    fn unlimited(&mut self, rule: &Filed) -> Option<Pair> {
        let members = &self.checker.members;
        let sources = members.types(rule.source).among(&self.sets.source);
        let branch = match self.checker.rules.place(rule) {
            RulePlace::Conditional { block, when, .. } => Some((block, when)),
            RulePlace::Unconditional(_) => None,
        };
        for source in bits(&sources) {
            let mut targets = members.types(rule.target).among(&self.targets(source));
            self.limit(source);
            take(&mut targets, self.limited.get(&source).map_or(&[], Vec::as_slice));
            if let Some(branch) = branch {
                take(&mut targets, &self.towards(self.branch(branch), source));
            }
            if let Some(target) = bits(&targets).next() {
                return Some((source, target));
            }
        }
        None
    }

    fn branch(&self, branch: Branch) -> impl Iterator<Item = &'a Filed> {
        self.by_branch.get(&branch).into_iter().flatten().copied()
    }

    /// The targets of those of `rules` that have this source.
    fn towards(&self, rules: impl Iterator<Item = &'a Filed>, source: u32) -> Dense {
        let members = &self.checker.members;
        let all = vec![u64::MAX; members.words()];
        let mut targets = vec![0; members.words()];
        for rule in rules.filter(|it| members.types(it.source).has(source)) {
            add(&mut targets, &members.types(rule.target).among(&all));
        }
        targets
    }

    fn limit(&mut self, source: u32) {
        if self.limited.contains_key(&source) {
            return;
        }
        let place = |rule| self.checker.rules.place(rule);
        let everywhere = self.rules.iter().map(|it| it.0);
        let everywhere = everywhere.filter(|it| matches!(place(it), RulePlace::Unconditional(_)));
        let mut limited = self.towards(everywhere, source);
        for &(block, when) in self.by_branch.keys() {
            if when && self.by_branch.contains_key(&(block, false)) {
                let one = self.towards(self.branch((block, true)), source);
                let other = self.towards(self.branch((block, false)), source);
                let both: Dense = one.iter().zip(&other).map(|(a, b)| a & b).collect();
                add(&mut limited, &both);
            }
        }
        self.limited.insert(source, limited);
    }

    /// A pair for which an `allowxperm` applies and the operation is allowed.
    fn named(&self, rule: &Filed) -> Option<Pair> {
        let members = &self.checker.members;
        let sources = members.types(rule.source).among(&self.sets.source);
        self.checker.allowing(self.assertion, self.sets).find_map(|allow| {
            let both = members.types(allow.source).among(&sources);
            bits(&both).find_map(|source| {
                let targets = members.types(rule.target).among(&self.targets(source));
                let targets = members.types(allow.target).among(&targets);
                bits(&targets).map(|it| (source, it)).find(|&it| self.asserted(it))
            })
        })
    }
}

fn take(from: &mut [u64], what: &[u64]) {
    from.iter_mut().zip(what).for_each(|(from, what)| *from &= !what);
}

fn add(to: &mut [u64], what: &[u64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to |= what);
}

/// What two sets have in common.
fn common(
    forbidden: &ExtendedPermissions,
    given: &ExtendedPermissions,
) -> Option<ExtendedPermissions> {
    use XpermForm::{IoctlDriver, IoctlFunction};
    match (forbidden.form, given.form) {
        (IoctlFunction, IoctlDriver) => given.has(forbidden.driver).then_some(*forbidden),
        (IoctlDriver, IoctlFunction) => forbidden.has(given.driver).then_some(*given),
        (a, b) if a == b && (a == IoctlDriver || forbidden.driver == given.driver) => {
            let mut common = *given;
            common.bits.iter_mut().zip(forbidden.bits).for_each(|(own, other)| *own &= other);
            (common.bits != [0; 8]).then_some(common)
        }
        _ => None,
    }
}
