//! Who may do what to whom, by the `allow` rules that count under given booleans.

use mandate_policydb::{ClassId, Ebitmap, PolicyDb, RuleKind, RulePlace, TypeId};

use crate::lookup;
use crate::rules::{Conditions, Rule};
use crate::types::TypeSets;

/// The `allow` rules that count, attributes expanded as they are asked. Constraints, roles and bounds are not looked at.
#[derive(Clone, Debug)]
pub struct Access<'a> {
    /// Types and attributes.
    pub sets: &'a TypeSets<'a>,
    rules: Vec<Rule<'a>>,
}

/// Types, and the rules that give them what was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// The types.
    pub types: Ebitmap,
    /// The rules, in the order of the policy.
    pub rules: Vec<RulePlace>,
}

impl<'a> Access<'a> {
    /// Of the rules that count under `conditions`.
    pub fn new(sets: &'a TypeSets<'a>, conditions: &Conditions) -> Self {
        let rules = conditions.rules(sets.db()).filter(|it| it.rule.kind == RuleKind::Allow);
        Self { sets, rules: rules.collect() }
    }

    /// The policy.
    pub fn db(&self) -> &'a PolicyDb {
        self.sets.db()
    }

    /// The rules about a class that give any of these permissions; none if the policy lacks the class or all of them.
    pub fn rules(&self, class: &str, permissions: &[&str]) -> impl Iterator<Item = Rule<'a>> {
        let class = self.db().classes.id(class);
        let known = class.map(|it| (it, lookup::known_permissions(self.db(), it, permissions)));
        known.filter(|it| it.1 != 0).into_iter().flat_map(|(class, wanted)| {
            self.about(class).filter(move |it| it.rule.permissions() & wanted != 0)
        })
    }

    /// The rules about a class.
    pub fn about(&self, class: ClassId) -> impl Iterator<Item = Rule<'a>> {
        self.rules.iter().copied().filter(move |it| it.rule.class() == class)
    }

    /// Which of these permissions the class lacks, all if the policy lacks the class.
    pub fn missing<'p>(&self, class: &str, permissions: &[&'p str]) -> Vec<&'p str> {
        let class = self.db().classes.id(class);
        let known = |name: &str| class.and_then(|it| lookup::known_permission(self.db(), it, name));
        permissions.iter().copied().filter(|it| known(it).is_none()).collect()
    }

    /// Who may do any of these to `target`.
    pub fn sources(&self, target: TypeId, class: &str, permissions: &[&str]) -> Granted {
        let groups = self.sets.groups(target);
        let rules = self.rules(class, permissions).filter(|it| groups.has(it.rule.target));
        self.granted(rules.map(|it| (it, it.rule.source)))
    }

    /// To what `source` may do any of these.
    pub fn targets(&self, source: TypeId, class: &str, permissions: &[&str]) -> Granted {
        let groups = self.sets.groups(source);
        let rules = self.rules(class, permissions).filter(|it| groups.has(it.rule.source));
        self.granted(rules.map(|it| (it, it.rule.target)))
    }

    /// Who may do any of these to anything.
    pub fn to_any(&self, class: &str, permissions: &[&str]) -> Granted {
        self.granted(self.rules(class, permissions).map(|it| (it, it.rule.source)))
    }

    /// Who may do any of these to itself.
    pub fn to_self(&self, class: &str, permissions: &[&str]) -> Granted {
        let mut found = Granted::default();
        for it in self.rules(class, permissions) {
            let both =
                self.sets.members(it.rule.source).intersection(self.sets.members(it.rule.target));
            if !both.is_empty() {
                found.types = found.types.union(&both);
                found.rules.push(it.place);
            }
        }
        found
    }

    fn granted(&self, rules: impl Iterator<Item = (Rule<'a>, TypeId)>) -> Granted {
        let mut found = Granted::default();
        for (it, who) in rules {
            found.types = found.types.union(self.sets.members(who));
            found.rules.push(it.place);
        }
        found
    }
}

impl Granted {
    /// Those who are in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut rules = [self.rules.clone(), other.rules.clone()].concat();
        rules.sort_unstable();
        rules.dedup();
        Self { types: self.types.intersection(&other.types), rules }
    }
}
