//! Which rules break an assertion.

use mandate_policydb::{AvRule, ClassId, PolicyDb, RuleKind, RulePlace, SymbolId, TypeId};

use super::xperms::Xperms;
use super::{Assertion, Violation};
use crate::members::{Dense, Members, bits, has};

/// A rule as the checks look at it.
#[derive(Clone, Copy)]
pub(super) struct Filed {
    pub(super) source: TypeId,
    pub(super) target: TypeId,
    /// Permissions, or the place of extended ones.
    pub(super) datum: u32,
    number: u32,
}

/// `allow` and `allowxperm` rules by class.
pub(super) struct Rules {
    allow: Vec<Vec<Filed>>,
    xperms: Vec<Vec<Filed>>,
    /// Where conditional rules stand; they are numbered after the others.
    places: Vec<RulePlace>,
    unconditional: u32,
}

impl Rules {
    /// Files the rules of classes that `wanted` names.
    fn of(db: &PolicyDb, wanted: &[bool]) -> Self {
        let empty = || vec![Vec::new(); wanted.len()];
        let unconditional = u32::try_from(db.rules.len()).unwrap_or(u32::MAX);
        let mut this = Self { allow: empty(), xperms: empty(), places: Vec::new(), unconditional };
        for (number, rule) in (0..).zip(&db.rules) {
            this.file(rule, number, wanted);
        }
        for (block, it) in (0..).zip(&db.conditionals) {
            for (when, branch) in [(true, &it.when_true), (false, &it.when_false)] {
                for (index, rule) in (0..).zip(branch) {
                    let number = unconditional
                        .saturating_add(u32::try_from(this.places.len()).unwrap_or(u32::MAX));
                    this.places.push(RulePlace::Conditional { block, when, rule: index });
                    this.file(rule, number, wanted);
                }
            }
        }
        this
    }

    fn file(&mut self, rule: &AvRule, number: u32, wanted: &[bool]) {
        let class = rule.class().index();
        if !wanted.get(class).is_some_and(|it| *it) {
            return;
        }
        let lists = match rule.kind {
            RuleKind::Allow => &mut self.allow,
            RuleKind::AllowXperm => &mut self.xperms,
            _ => return,
        };
        let filed = Filed { source: rule.source, target: rule.target, datum: rule.datum(), number };
        if let Some(list) = lists.get_mut(class) {
            list.push(filed);
        }
    }

    pub(super) fn place(&self, rule: &Filed) -> RulePlace {
        match rule.number.checked_sub(self.unconditional) {
            None => RulePlace::Unconditional(rule.number),
            Some(at) => {
                let place = self.places.get(at as usize).copied();
                place.unwrap_or(RulePlace::Unconditional(rule.number))
            }
        }
    }

    fn allow(&self, class: ClassId) -> &[Filed] {
        self.allow.get(class.index()).map_or(&[], Vec::as_slice)
    }

    pub(super) fn xperms(&self, class: ClassId) -> &[Filed] {
        self.xperms.get(class.index()).map_or(&[], Vec::as_slice)
    }
}

/// The types of one assertion.
pub(super) struct Sets {
    pub(super) source: Dense,
    pub(super) target: Dense,
    /// Types and attributes that stand for one of them.
    sources: Dense,
    targets: Dense,
}

impl Sets {
    fn of(members: &Members, assertion: &Assertion) -> Self {
        let source = members.dense(&assertion.source);
        let target = members.dense(&assertion.target);
        let (sources, targets) = (members.meeting(&source), members.meeting(&target));
        Self { source, target, sources, targets }
    }
}

/// Everything a check looks at.
pub(super) struct Checker<'a> {
    pub(super) db: &'a PolicyDb,
    pub(super) members: Members,
    pub(super) rules: Rules,
}

/// A pair of types.
pub(super) type Pair = (u32, u32);

/// Finds the rules that break the assertions, by assertion and then by rule: one violation for each such pair.
pub fn check(db: &PolicyDb, assertions: &[Assertion]) -> Vec<Violation> {
    if assertions.is_empty() {
        return Vec::new();
    }
    let mut wanted = vec![false; db.classes.nprim() as usize];
    for assertion in assertions {
        if let Some(place) = wanted.get_mut(assertion.class.index()) {
            *place = true;
        }
    }
    let checker = Checker { db, members: Members::of(db), rules: Rules::of(db, &wanted) };
    let mut found = Vec::new();
    let mut before: Option<(&Assertion, Sets)> = None;
    for (number, assertion) in assertions.iter().enumerate() {
        // One statement over several classes has the same types for each.
        let same =
            |it: &Assertion| (&it.source, &it.target) == (&assertion.source, &assertion.target);
        let sets = match before.take() {
            Some((last, sets)) if same(last) => sets,
            _ => Sets::of(&checker.members, assertion),
        };
        checker.check(number, assertion, &sets, &mut found);
        before = Some((assertion, sets));
    }
    found
}

impl Checker<'_> {
    fn check(&self, number: usize, assertion: &Assertion, sets: &Sets, found: &mut Vec<Violation>) {
        if !assertion.xperms.is_empty() {
            return Xperms::new(self, assertion, sets).check(number, found);
        }
        for rule in self.allowing(assertion, sets) {
            let Some((source, target)) = self.pair(rule, assertion, sets) else { continue };
            let (Some(source), Some(target)) = (TypeId::from_bit(source), TypeId::from_bit(target))
            else {
                continue;
            };
            let permissions = rule.datum & assertion.permissions;
            let rule = self.rules.place(rule);
            found.push(Violation {
                assertion: number,
                rule,
                source,
                target,
                permissions,
                xperms: None,
            });
        }
    }

    /// The `allow` rules that may break an assertion.
    pub(super) fn allowing<'a>(
        &'a self,
        assertion: &'a Assertion,
        sets: &'a Sets,
    ) -> impl Iterator<Item = &'a Filed> {
        self.rules.allow(assertion.class).iter().filter(move |rule| {
            rule.datum & assertion.permissions != 0
                && has(&sets.sources, rule.source.bit())
                && (assertion.self_ || has(&sets.targets, rule.target.bit()))
        })
    }

    /// The sources and targets of a rule that an assertion names, `self` aside.
    pub(super) fn among(&self, rule: &Filed, sets: &Sets) -> (Dense, Dense) {
        let sources = self.members.types(rule.source).among(&sets.source);
        (sources, self.members.types(rule.target).among(&sets.target))
    }

    /// A pair of types for which the rule breaks the assertion.
    fn pair(&self, rule: &Filed, assertion: &Assertion, sets: &Sets) -> Option<Pair> {
        let (sources, targets) = self.among(rule, sets);
        let targets_of = self.members.types(rule.target);
        let itself = || bits(&sources).find(|&it| targets_of.has(it)).map(|it| (it, it));
        let other = first_pair(&sources, &targets, assertion.not_self);
        other.or_else(|| assertion.self_.then(itself).flatten())
    }
}

/// The first pair of two sets, or the first that is not of a type with itself.
pub(super) fn first_pair(sources: &[u64], targets: &[u64], not_self: bool) -> Option<Pair> {
    let first = |set| bits(set).next();
    let (source, target) = (first(sources)?, first(targets)?);
    if !not_self || source != target {
        return Some((source, target));
    }
    let another = |set| bits(set).nth(1);
    let with = |target| (source, target);
    another(targets).map(with).or_else(|| Some((another(sources)?, target)))
}
