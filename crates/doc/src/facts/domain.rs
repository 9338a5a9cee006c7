//! One domain: how it is entered, what it may do, and what booleans change.

use std::collections::{BTreeMap, BTreeSet};

use mandate_policydb::{AvRule, BoolTerm, RoleId, SymbolId, TypeId};
use rustc_hash::FxHashMap;

use super::Facts;
use super::access::{Gathering, Group};
use super::kinds::act;

/// What the policy says of a domain.
pub struct Domain {
    /// The domain.
    pub id: TypeId,
    /// Is what it is denied only logged?
    pub permissive: bool,
    /// Is it not confined?
    pub unconfined: bool,
    /// Types, or attributes, of files by whose execution it is entered.
    pub entry_points: Vec<TypeId>,
    /// Who becomes this domain by executing what.
    pub entered: Vec<(TypeId, TypeId)>,
    /// Roles that may have it.
    pub roles: Vec<RoleId>,
    /// Which roles become others as it is entered: role, file, new role.
    pub role_transitions: Vec<(RoleId, TypeId, RoleId)>,
    /// What it may do whatever the booleans say, without what every domain may.
    pub does: Vec<Group>,
    /// What booleans change.
    pub effects: Vec<Effect>,
    /// Which ports it may use.
    pub ports: Vec<PortUse>,
    /// Types of files that it may create, write and delete.
    pub manages: Vec<TypeId>,
    /// What it belongs to.
    pub attributes: Vec<TypeId>,
}

/// What is allowed while a condition holds.
pub struct Effect {
    /// Of the policy's conditionals.
    pub conditional: u32,
    /// While it holds, or while it does not?
    pub when: bool,
    /// What is allowed then.
    pub does: Vec<Group>,
}

/// A port that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortUse {
    /// Bound, or connected to?
    pub bind: bool,
    /// `tcp`, `udp` and so on.
    pub protocol: &'static str,
    /// The type or attribute of the port.
    pub port: TypeId,
    /// The condition, and whether it must hold.
    pub when: Option<(u32, bool)>,
}

impl Domain {
    /// Of this policy.
    pub fn new(facts: &Facts<'_>, id: TypeId) -> Self {
        let groups: Vec<TypeId> = facts.sets.groups(id).ids().collect();
        // What every domain may do stands on a page of its own.
        let counted = |it: &&TypeId| Some(**it) != facts.domain;
        let mut gathering = Gathering::new(facts.sets, &facts.classes, &facts.domains, Some(id));
        let mut ports = Ports::default();
        let mut entry = BTreeSet::new();
        let mut managed = Managed::default();
        for &group in groups.iter().filter(counted) {
            for rule in facts.rules_of(group) {
                gathering.add(rule);
                ports.add(facts, rule, None);
                managed.add(facts, rule);
                entry.extend(entered_by(facts, rule).then_some(rule.target));
            }
        }
        let effects = effects(facts, id, &groups, &gathering, &mut ports);
        let entry_points = by_name(facts, entry.into_iter().collect());
        let mut entered = facts.transitions.get(&id).cloned().unwrap_or_default();
        entered.sort_by_key(|it| (facts.name(it.1), facts.name(it.0)));
        entered.dedup();
        let mut attributes = groups;
        attributes.retain(|it| *it != id);
        Self {
            id,
            permissive: facts.db.is_permissive(id),
            unconfined: facts.unconfined.has(id),
            role_transitions: role_transitions(facts, &entry_points),
            entry_points,
            entered,
            roles: roles(facts, id),
            does: gathering.finish(),
            effects,
            ports: ports.finish(facts),
            manages: by_name(facts, managed.finish()),
            attributes: by_name(facts, attributes),
        }
    }
}

fn by_name(facts: &Facts<'_>, mut ids: Vec<TypeId>) -> Vec<TypeId> {
    ids.sort_by_key(|it| facts.name(*it));
    ids
}

fn entered_by(facts: &Facts<'_>, rule: &AvRule) -> bool {
    facts.classes.is_file(rule.class())
        && facts.classes.acts(rule.class(), rule.permissions()) & act::ENTRY != 0
}

/// Targets whose files may be made and removed.
#[derive(Default)]
struct Managed(FxHashMap<TypeId, u32>);

impl Managed {
    fn add(&mut self, facts: &Facts<'_>, rule: &AvRule) {
        let name = facts.classes.name(rule.class());
        if matches!(name, "file" | "dir" | "sock_file" | "fifo_file" | "lnk_file") {
            let acts = facts.classes.acts(rule.class(), rule.permissions());
            *self.0.entry(rule.target).or_default() |= acts;
        }
    }

    fn finish(self) -> Vec<TypeId> {
        let all = act::CREATE | act::DELETE;
        self.0.into_iter().filter(|it| it.1 & all == all).map(|it| it.0).collect()
    }
}

fn roles(facts: &Facts<'_>, id: TypeId) -> Vec<RoleId> {
    let roles = facts.db.roles.by_name().filter(|it| it.id != RoleId::OBJECT);
    roles.filter(|it| it.types.has(id)).map(|it| it.id).collect()
}

fn role_transitions(facts: &Facts<'_>, entry: &[TypeId]) -> Vec<(RoleId, TypeId, RoleId)> {
    let all = facts.db.role_transitions.iter().filter(|it| entry.contains(&it.type_));
    let mut found: Vec<_> = all.map(|it| (it.role, it.type_, it.new_role)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn effects(
    facts: &Facts<'_>,
    id: TypeId,
    groups: &[TypeId],
    base: &Gathering<'_>,
    ports: &mut Ports,
) -> Vec<Effect> {
    let mut parts: BTreeMap<(u32, bool), Gathering<'_>> = BTreeMap::new();
    for group in groups {
        let Some(places) = facts.conditional.get(group.index()) else { continue };
        for &(number, when, at) in places {
            let Some(block) = facts.db.conditionals.get(number as usize) else { continue };
            let rules = if when { &block.when_true } else { &block.when_false };
            let Some(rule) = rules.get(at as usize) else { continue };
            let new = || Gathering::new(facts.sets, &facts.classes, &facts.domains, Some(id));
            parts.entry((number, when)).or_insert_with(new).add_beside(rule, base);
            ports.add(facts, rule, Some((number, when)));
        }
    }
    let effects = parts.into_iter().map(|((conditional, when), it)| Effect {
        conditional,
        when,
        does: it.finish(),
    });
    let mut effects: Vec<Effect> = effects.collect();
    effects.sort_by_cached_key(|it| (condition(facts, it.conditional, true), !it.when));
    effects
}

/// A condition as text, or its opposite.
pub fn condition(facts: &Facts<'_>, number: u32, when: bool) -> String {
    let Some(block) = facts.db.conditionals.get(number as usize) else { return String::new() };
    let text = facts.db.condition_to_string(block);
    match (when, block.expression.as_slice()) {
        (true, _) => text,
        (false, [BoolTerm::Bool(_)]) => format!("!{text}"),
        (false, _) => format!("!({text})"),
    }
}

/// A condition as people say it: `httpd_can_network_connect is on`.
pub fn condition_words(facts: &Facts<'_>, number: u32, when: bool) -> String {
    let text = condition(facts, number, when);
    let (name, state) = match text.strip_prefix('!') {
        Some(name) => (name, "off"),
        None => (text.as_str(), "on"),
    };
    match facts.db.booleans.find(name) {
        Some(_) => format!("{name} is {state}"),
        None => text,
    }
}

#[derive(Default)]
struct Ports(BTreeSet<PortUse>);

impl Ports {
    fn add(&mut self, facts: &Facts<'_>, rule: &AvRule, when: Option<(u32, bool)>) {
        let protocol = match facts.classes.name(rule.class()) {
            "tcp_socket" => "tcp",
            "udp_socket" => "udp",
            "dccp_socket" => "dccp",
            "sctp_socket" => "sctp",
            _ => return,
        };
        for name in facts.classes.permissions(rule.class(), rule.permissions()) {
            let bind = match name {
                "name_bind" => true,
                "name_connect" => false,
                _ => continue,
            };
            self.0.insert(PortUse { bind, protocol, port: rule.target, when });
        }
    }

    /// Without what is allowed anyway, or by an attribute that holds the port.
    fn finish(self, facts: &Facts<'_>) -> Vec<PortUse> {
        let covers = |wide: &PortUse, it: &PortUse| {
            let same = wide.bind == it.bind && wide.protocol == it.protocol;
            let port = wide.port == it.port
                || (facts.sets.is_attribute(wide.port)
                    && facts.sets.members(wide.port).is_superset(facts.sets.members(it.port)));
            same && port && wide != it && (wide.when.is_none() || wide.when == it.when)
        };
        let kept = self.0.iter().filter(|it| {
            let wider = |wide: &&PortUse| {
                // Of two attributes with the same members the first counts.
                covers(wide, it) && !(covers(it, wide) && **wide > **it)
            };
            !self.0.iter().any(|wide| wider(&wide))
        });
        let mut kept: Vec<PortUse> = kept.copied().collect();
        kept.sort_by_cached_key(|it| {
            let attribute = facts.sets.is_attribute(it.port);
            let when = it.when.map(|it| condition(facts, it.0, it.1));
            (!it.bind, it.protocol, when, !attribute, facts.name(it.port))
        });
        kept
    }
}
