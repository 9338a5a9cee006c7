//! Bounds, members and rules with the values of the base.

use mandate_syntax::codes::Code;

use mandate_policydb::Ebitmap;

use super::{Index, Linker};
use crate::package::blocks::{Branch, ScopeIndex};
use crate::package::rules::{
    Conditional, FilenameTransition, RangeTransition, RoleTransition, Rule, TYPE_RULES,
};
use crate::package::sets::{RoleSet, TypeSet, WrittenLevel, WrittenRange};
use crate::package::symbols::{Flavor, Kind, Record, Symbols, Table};

impl Linker {
    pub(super) fn bounds(&mut self, from: &Symbols, added: &mut Symbols, local: bool) {
        for it in from.types.entries.iter().filter(|it| it.bounds != 0) {
            let Some(bounds) = self.value(Kind::Types, it.bounds) else { continue };
            let base = &mut self.base.symbols.types;
            let to = record(local, &mut added.types, base, &self.index, Kind::Types, &it.name);
            let change = to.map(|to| (std::mem::replace(&mut to.bounds, bounds), bounds));
            self.bound("type", &it.name, change);
        }
        for it in from.roles.entries.iter().filter(|it| it.bounds != 0) {
            let Some(bounds) = self.value(Kind::Roles, it.bounds) else { continue };
            let base = &mut self.base.symbols.roles;
            let to = record(local, &mut added.roles, base, &self.index, Kind::Roles, &it.name);
            let change = to.map(|to| (std::mem::replace(&mut to.bounds, bounds), bounds));
            self.bound("role", &it.name, change);
        }
        for it in from.users.entries.iter().filter(|it| it.bounds != 0) {
            let Some(bounds) = self.value(Kind::Users, it.bounds) else { continue };
            let base = &mut self.base.symbols.users;
            let to = record(local, &mut added.users, base, &self.index, Kind::Users, &it.name);
            let change = to.map(|to| (std::mem::replace(&mut to.bounds, bounds), bounds));
            self.bound("user", &it.name, change);
        }
    }

    /// The bounds before and now.
    fn bound(&mut self, what: &str, name: &str, change: Option<(u32, u32)>) {
        if let Some((before, now)) = change
            && before != 0
            && before != now
        {
            let message = format!(
                "module `{}` bounds {what} `{name}` by another {what} than before",
                self.name
            );
            self.error(Code::ConflictingRule, message);
        }
    }

    /// Members of attributes, types of roles, roles and levels of users.
    pub(super) fn fill(&mut self, from: &Symbols, added: &mut Symbols, local: bool) {
        for it in &from.roles.entries {
            let dominates = self.bits(Kind::Roles, &it.dominates);
            let types = self.type_set(&it.types);
            let roles = self.bits(Kind::Roles, &it.roles);
            let base = &mut self.base.symbols.roles;
            let to = record(local, &mut added.roles, base, &self.index, Kind::Roles, &it.name);
            let Some(to) = to else { continue };
            to.dominates = to.dominates.union(&dominates);
            to.types.types = to.types.types.union(&types.types);
            to.types.excluded = to.types.excluded.union(&types.excluded);
            to.types.flags |= types.flags;
            if it.is_attribute() {
                to.roles = to.roles.union(&roles);
            }
        }
        for it in from.types.entries.iter().filter(|it| it.flavor == Flavor::Attribute) {
            let types = self.bits(Kind::Types, &it.types);
            let base = &mut self.base.symbols.types;
            let to = record(local, &mut added.types, base, &self.index, Kind::Types, &it.name);
            if let Some(to) = to {
                to.types = to.types.union(&types);
            }
        }
        for it in &from.users.entries {
            let roles = self.bits(Kind::Roles, &it.roles.roles);
            let (range, level) = (self.range(&it.range), self.level(&it.level));
            let mls = self.base.mls();
            let base = &mut self.base.symbols.users;
            let to = record(local, &mut added.users, base, &self.index, Kind::Users, &it.name);
            let Some(to) = to else { continue };
            to.roles.roles = to.roles.roles.union(&roles);
            to.roles.flags |= it.roles.flags;
            if mls {
                add_level(&mut to.range.low, range.low);
                add_level(&mut to.range.high, range.high);
                add_level(&mut to.level, level);
            }
        }
    }

    fn type_set(&mut self, set: &TypeSet) -> TypeSet {
        TypeSet {
            types: self.bits(Kind::Types, &set.types),
            excluded: self.bits(Kind::Types, &set.excluded),
            flags: set.flags,
        }
    }

    fn role_set(&mut self, set: &RoleSet) -> RoleSet {
        RoleSet { roles: self.bits(Kind::Roles, &set.roles), flags: set.flags }
    }

    fn level(&mut self, level: &WrittenLevel) -> WrittenLevel {
        if level.sensitivity == 0 || !self.base.mls() {
            return WrittenLevel::default();
        }
        let mut categories = Vec::new();
        for &[low, high] in &level.categories {
            let low = self.value(Kind::Categories, low);
            if let (Some(low), Some(high)) = (low, self.value(Kind::Categories, high)) {
                categories.push([low, high]);
            }
        }
        let sensitivity = self.value(Kind::Levels, level.sensitivity).unwrap_or(0);
        WrittenLevel { sensitivity, categories }
    }

    fn range(&mut self, range: &WrittenRange) -> WrittenRange {
        WrittenRange { low: self.level(&range.low), high: self.level(&range.high) }
    }

    /// The rules of a branch.
    pub(super) fn rules(&mut self, from: &Branch) -> Branch {
        let list = |this: &mut Self, rules: &[Rule]| -> Vec<Rule> {
            rules.iter().map(|it| this.rule(it)).collect()
        };
        let rules = list(self, &from.rules);
        let conditionals = (from.conditionals.iter())
            .map(|it| Conditional {
                state: it.state,
                expression: it.expression.iter().map(|&term| self.term(term)).collect(),
                then: list(self, &it.then),
                otherwise: list(self, &it.otherwise),
                flags: it.flags,
            })
            .collect();
        let role_transitions = (from.role_transitions.iter())
            .map(|it| RoleTransition {
                roles: self.role_set(&it.roles),
                types: self.type_set(&it.types),
                classes: self.role_transition_classes(&it.classes),
                result: self.value(Kind::Roles, it.result).unwrap_or(0),
            })
            .collect();
        let role_allows =
            from.role_allows.iter().map(|it| it.each_ref().map(|it| self.role_set(it))).collect();
        let filename_transitions = (from.filename_transitions.iter())
            .map(|it| FilenameTransition {
                name: it.name.clone(),
                source: self.type_set(&it.source),
                target: self.type_set(&it.target),
                class: self.value(Kind::Classes, it.class).unwrap_or(0),
                result: self.value(Kind::Types, it.result).unwrap_or(0),
                flags: it.flags,
            })
            .collect();
        let range_transitions = (from.range_transitions.iter())
            .map(|it| RangeTransition {
                source: self.type_set(&it.source),
                target: self.type_set(&it.target),
                classes: self.bits(Kind::Classes, &it.classes),
                range: self.range(&it.range),
            })
            .collect();
        Branch {
            rules,
            conditionals,
            role_transitions,
            role_allows,
            filename_transitions,
            range_transitions,
            ..Branch::default()
        }
    }

    /// Old versions name none and mean `process`.
    fn role_transition_classes(&mut self, classes: &Ebitmap) -> Ebitmap {
        if !classes.is_empty() {
            return self.bits(Kind::Classes, classes);
        }
        let process = self.base.symbols.classes.find("process");
        process.and_then(|it| it.value.checked_sub(1)).into_iter().collect()
    }

    fn term(&mut self, [kind, boolean]: [u32; 2]) -> [u32; 2] {
        match kind {
            1 => [kind, self.value(Kind::Booleans, boolean).unwrap_or(0)],
            _ => [kind, boolean],
        }
    }

    fn rule(&mut self, rule: &Rule) -> Rule {
        let mut classes = Vec::with_capacity(rule.classes.len());
        for &[class, data] in &rule.classes {
            let Some(to) = self.value(Kind::Classes, class) else { continue };
            let data = match rule.kind & TYPE_RULES {
                0 => self.permissions(class, data),
                _ => self.value(Kind::Types, data).unwrap_or(0),
            };
            classes.push([to, data]);
        }
        Rule {
            kind: rule.kind,
            flags: rule.flags,
            source: self.type_set(&rule.source),
            target: self.type_set(&rule.target),
            classes,
            xperms: rule.xperms.clone(),
        }
    }

    fn permissions(&self, class: u32, bits: u32) -> u32 {
        let map = self.map.permissions.get((class as usize).wrapping_sub(1));
        let Some(map) = map else { return 0 };
        let set = (0..32).filter(|bit| bits >> bit & 1 == 1);
        set.filter_map(|bit| map[bit].checked_sub(1)).fold(0, |all, bit| all | 1 << bit)
    }

    pub(super) fn scope_index(&mut self, from: &ScopeIndex) -> ScopeIndex {
        let mut to = ScopeIndex::default();
        for kind in Kind::ALL.into_iter().filter(|&it| it != Kind::Commons) {
            *to.of_mut(kind) = self.bits(kind, from.of(kind));
        }
        let last = to.of(Kind::Classes).last().map_or(0, |it| it as usize + 1);
        to.permissions = vec![Default::default(); last];
        for (bits, class) in from.permissions.iter().zip(0usize..) {
            if bits.is_empty() {
                continue;
            }
            let at = self.map.symbols[Kind::Classes as usize].get(class).copied().unwrap_or(0);
            let Some(slot) = to.permissions.get_mut((at as usize).wrapping_sub(1)) else {
                continue;
            };
            let Some(map) = self.map.permissions.get(class) else { continue };
            let values = bits.iter().filter_map(|bit| map.get(bit as usize)?.checked_sub(1));
            *slot = values.collect();
        }
        to
    }
}

/// The record of a name: among those that a branch adds, or of the base.
fn record<'a, T: Record>(
    local: bool,
    added: &'a mut Table<T>,
    base: &'a mut Table<T>,
    index: &[Index; Kind::COUNT],
    kind: Kind,
    name: &str,
) -> Option<&'a mut T> {
    if local {
        return added.entries.iter_mut().rev().find(|it| it.name() == name);
    }
    let at = index[kind as usize].get(name).copied()?;
    base.entries.get_mut(at)
}

fn add_level(to: &mut WrittenLevel, from: WrittenLevel) {
    if from.sensitivity != 0 {
        to.sensitivity = from.sensitivity;
        to.categories.extend(from.categories);
    }
}
