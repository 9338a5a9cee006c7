//! Which rules of either policy stand behind a difference.

use mandate_policydb::{RuleKey, RuleKind, RulePlace, TypeId};

use super::access::{AccessChange, branch};
use super::names::Side;
use super::rules::Ends;
use super::{Access, Change, Diff};
use crate::rules::{Between, Conditions, Rule};
use crate::types::TypeSets;

/// What the rules are found by that an item is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A type enforcement rule.
    Rule(RuleKind, Ends),
    /// The roles of an `allow`.
    RoleAllow(String, String),
    /// The role, type and class of a `role_transition`.
    RoleTransition(String, u32, u32),
    /// A `range_transition`.
    RangeTransition(Ends),
}

/// The rules of a policy by the types that they name.
#[derive(Debug)]
pub(super) struct Index<'a> {
    sets: TypeSets<'a>,
    rules: Between<'a>,
}

impl<'a> Index<'a> {
    fn new(side: &Side<'a>) -> Self {
        let rules = Between::new(Conditions::All.rules(side.db));
        Self { sets: TypeSets::new(side.db), rules }
    }
}

impl<'a> Diff<'a> {
    /// The rules of a side, 0 or 1, behind a difference, with the permissions concerned, as the rules have them. Of an access vector
    /// these are the rules that give what the other side does not. A `type_transition` with a file's name has no key.
    pub fn behind(&self, side: usize, change: &Change) -> Vec<(RuleKey, u32)> {
        match change {
            Change::Access(access) => {
                let rules = self.rules(side, access).into_iter();
                rules.map(|(place, given)| (RuleKey::Rule(place), given)).collect()
            }
            Change::Item(item) => {
                let keys = item.key.as_ref().map_or_else(Vec::new, |it| self.of_key(side, it));
                keys.into_iter().map(|it| (it, u32::MAX)).collect()
            }
        }
    }

    /// The rules of a side, 0 or 1, that give an access vector what the other side does not; and which permissions of it, as the
    /// rules have them.
    pub(super) fn rules(&self, side: usize, of: &Access) -> Vec<(RulePlace, u32)> {
        let Some(side_of) = self.sides.get(side) else { return Vec::new() };
        let AccessChange { source, target, class, layer, vectors: [before, after] } = of.change;
        let wanted = if side == 0 { before & !after } else { after & !before };
        let given = |it: Rule<'_>| {
            let bits = (0..u32::BITS).map(|bit| it.rule.permissions() & 1 << bit);
            let given = bits.filter(|bit| side_of.joined(it.rule.class(), *bit) & wanted != 0);
            (it.place, given.sum())
        };
        let rules = self.between(side, of.kind, (source, target, class, layer));
        rules.into_iter().map(given).filter(|it| it.1 != 0).collect()
    }

    /// The rules of a kind that reach these ends.
    fn between(
        &self,
        at: usize,
        kind: RuleKind,
        (source, target, class, layer): Ends,
    ) -> Vec<Rule<'a>> {
        let index = self.index.get_or_init(|| self.sides.each_ref().map(Index::new));
        let Some((side, index)) = self.sides.get(at).zip(index.get(at)) else { return Vec::new() };
        let id = |number: u32| -> Option<TypeId> {
            let name = self.names.types.get(number as usize)?;
            // Where it is an alias, this policy has no type of that name.
            side.db.types.id(name).filter(|it: &TypeId| side.db.types.name(*it) == *name)
        };
        let (Some(source), Some(target)) = (id(source), id(target)) else { return Vec::new() };
        let fits = |it: &Rule<'_>| {
            it.rule.kind == kind
                && side.class(it.rule.class()) == class
                && self.is_in_layer(side, it.place, layer)
        };
        let mut found: Vec<_> =
            index.rules.find(&index.sets, source, target).filter(fits).collect();
        found.sort_unstable_by_key(|it| it.place);
        found
    }

    fn is_in_layer(&self, side: &Side<'_>, place: RulePlace, layer: u32) -> bool {
        let asked = branch(layer);
        let RulePlace::Conditional { block, when, .. } = place else { return asked.is_none() };
        let applied = || {
            let state = |id| side.db.booleans.get(id).map(|it| it.state);
            let block = side.db.conditionals.get(block as usize);
            self.applied && block.is_some_and(|it| it.evaluate(state) == Some(when))
        };
        let condition = side.conditions.get(block as usize);
        asked.map_or_else(applied, |it| condition == Some(&it.0) && when == it.1)
    }

    fn of_key(&self, at: usize, key: &Key) -> Vec<RuleKey> {
        let Some(side) = self.sides.get(at) else { return Vec::new() };
        let db = side.db;
        let has = |named: TypeId, number: u32| side.types(named).has(number);
        match key {
            Key::Rule(kind, ends) => {
                let rules = self.between(at, *kind, *ends).into_iter();
                rules.map(|it| RuleKey::Rule(it.place)).collect()
            }
            Key::RoleAllow(role, new) => {
                let name = |id| db.roles.name(id);
                let all = (0..).zip(&db.role_allows);
                let all = all.filter(|(_, it)| name(it.role) == *role && name(it.new_role) == *new);
                all.map(|it| RuleKey::RoleAllow(it.0)).collect()
            }
            Key::RoleTransition(role, type_, class) => {
                let all = (0..).zip(&db.role_transitions).filter(|(_, it)| {
                    db.roles.name(it.role) == *role
                        && has(it.type_, *type_)
                        && side.class_or_process(it.class) == *class
                });
                all.map(|it| RuleKey::RoleTransition(it.0)).collect()
            }
            Key::RangeTransition((source, target, class, _)) => {
                let all = (0..).zip(&db.range_transitions).filter(|(_, it)| {
                    has(it.source, *source)
                        && has(it.target, *target)
                        && side.class_or_process(it.class) == *class
                });
                all.map(|it| RuleKey::RangeTransition(it.0)).collect()
            }
        }
    }
}
