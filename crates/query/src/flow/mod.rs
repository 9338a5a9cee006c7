//! Information flow: from which type information can come to which other, by what rules.
//!
//! A rule lets information move between its source and its target as a [permission map](PermissionMap) says: writing from the source
//! to the target, reading the other way. Nearly every type of a real policy reaches nearly every other that way, so that the edges,
//! twenty million of them, are never written down. What is kept is a row of bits for each *name* that rules use, type or attribute:
//! the types that its rules lead to. The row of a type is the union of those of the type and its attributes.

mod map;

use std::cmp::Reverse;
use std::sync::OnceLock;

use mandate_policydb::{Ebitmap, RuleKind, SymbolId, TypeId};

pub use map::{Direction, MapError, MapErrorKind, Mapping, PermissionMap, WEIGHTS};

use crate::graph::{Bits, Graph, Length, Paths};
use crate::rules::{Between, Conditions, Rule};
use crate::types::TypeSets;

/// What is asked.
#[derive(Clone, Debug)]
pub struct FlowQuery<'q> {
    /// What permissions do.
    pub map: &'q PermissionMap,
    /// Flows of a lower weight do not count.
    pub least_weight: u8,
    /// Which rules count.
    pub conditions: Conditions,
    /// Types through which nothing flows.
    pub excluded: &'q [TypeId],
}

/// The information flows of a policy as a graph of types.
#[derive(Debug)]
pub struct Flows<'a> {
    sets: &'a TypeSets<'a>,
    weights: map::Weights,
    conditions: Conditions,
    excluded: Bits,
    outward: Rows,
    inward: Rows,
    rules: OnceLock<Between<'a>>,
}

/// A rule by which information flows.
#[derive(Clone, Copy, Debug)]
pub struct Carrier<'a> {
    /// The rule.
    pub rule: Rule<'a>,
    /// The highest weight among its permissions.
    pub weight: u8,
}

/// For each name of a type or attribute the types that its rules lead to.
#[derive(Debug)]
struct Rows {
    nodes: usize,
    of: Vec<Option<Bits>>,
}

impl Rows {
    fn new(nodes: usize) -> Self {
        Self { nodes, of: vec![None; nodes] }
    }

    fn add(&mut self, name: TypeId, types: &Ebitmap) {
        if let Some(row) = self.of.get_mut(name.index()) {
            row.get_or_insert_with(|| Bits::new(self.nodes)).add_ebitmap(types);
        }
    }

    /// Adds the rows of all these names.
    fn gather(&self, names: &Ebitmap, found: &mut Bits) {
        for name in names.iter() {
            if let Some(Some(row)) = self.of.get(name as usize) {
                found.add(row);
            }
        }
    }
}

impl<'a> Flows<'a> {
    /// Gathers them.
    pub fn new(sets: &'a TypeSets<'a>, query: &FlowQuery<'_>) -> Self {
        let db = sets.db();
        let nodes = db.type_attributes.len();
        let weights = map::Weights::new(db, query.map);
        let (mut outward, mut inward) = (Rows::new(nodes), Rows::new(nodes));
        for Rule { rule, .. } in query.conditions.rules(db) {
            if rule.kind != RuleKind::Allow {
                continue;
            }
            let (read, written) = weights.of(rule.class(), rule.permissions());
            let least = query.least_weight.max(1);
            if read < least && written < least {
                continue;
            }
            let (sources, targets) = (sets.members(rule.source), sets.members(rule.target));
            if written >= least {
                outward.add(rule.source, targets);
                inward.add(rule.target, sources);
            }
            if read >= least {
                outward.add(rule.target, sources);
                inward.add(rule.source, targets);
            }
        }
        let mut excluded = Bits::new(nodes);
        query.excluded.iter().for_each(|it| excluded.insert(it.bit()));
        let conditions = query.conditions.clone();
        Self { sets, weights, conditions, excluded, outward, inward, rules: OnceLock::new() }
    }

    /// The graph as [`Lightest`](crate::graph::Lightest) wants it: a step of weight *w* has the length 11 − *w*.
    pub fn by_length(sets: &'a TypeSets<'a>, query: &FlowQuery<'_>) -> Vec<Self> {
        let weights = query.least_weight.max(*WEIGHTS.start())..=*WEIGHTS.end();
        let at = |least_weight| Self::new(sets, &FlowQuery { least_weight, ..query.clone() });
        weights.rev().map(at).collect()
    }

    /// Classes and permissions that the map does not have, and which therefore do not count.
    pub fn unmapped(&self) -> &[(String, String)] {
        &self.weights.unmapped
    }

    /// How many types have a flow, and how many flows there are.
    pub fn count(&self) -> (usize, usize) {
        let types = self.sets.db().types.by_value().filter(|it| !it.attribute);
        let (mut linked, mut flows) = (Bits::new(self.nodes()), 0);
        let mut row = linked.clone();
        for type_ in types {
            self.outward(type_.id.bit(), &mut row);
            flows += row.len();
            if !row.is_empty() {
                linked.insert(type_.id.bit());
                linked.add(&row);
            }
        }
        (linked.len(), flows)
    }

    /// The types that information flows to from this one, in one step.
    pub fn out_of(&self, from: TypeId) -> Vec<TypeId> {
        let mut row = Bits::new(self.nodes());
        self.outward(from.bit(), &mut row);
        row.iter().filter_map(TypeId::from_bit).collect()
    }

    /// The types from which information flows to this one, in one step.
    pub fn towards(&self, to: TypeId) -> Vec<TypeId> {
        let mut row = Bits::new(self.nodes());
        self.inward(to.bit(), &mut row);
        row.iter().filter_map(TypeId::from_bit).collect()
    }

    /// The ways that information takes from one type to another.
    pub fn paths(&self, from: TypeId, to: TypeId, wanted: Length) -> Paths<'_, Self> {
        Paths::new(self, from.bit(), to.bit(), wanted)
    }

    /// The rules by which information flows in one step, those of too low a weight too; the heaviest first.
    pub fn step(&self, from: TypeId, to: TypeId) -> Vec<Carrier<'a>> {
        let rules = self.rules.get_or_init(|| self.all_rules());
        let weigh = |it: &Rule<'_>| self.weights.of(it.rule.class(), it.rule.permissions());
        let written = rules.find(self.sets, from, to).map(|rule| (weigh(&rule).1, rule));
        let read = rules.find(self.sets, to, from).map(|rule| (weigh(&rule).0, rule));
        let carriers = written.chain(read).filter(|it| it.0 > 0);
        let mut found: Vec<_> = carriers.map(|(weight, rule)| Carrier { rule, weight }).collect();
        // A rule between attributes may do both; what weighs more counts.
        found.sort_by_key(|it| (it.rule.place, Reverse(it.weight)));
        found.dedup_by_key(|it| it.rule.place);
        found.sort_by_key(|it| Reverse(it.weight));
        found
    }

    fn all_rules(&self) -> Between<'a> {
        let rules = self.conditions.rules(self.sets.db());
        Between::new(rules.filter(|it| it.rule.kind == RuleKind::Allow))
    }

    /// Leaves the node itself and what is excluded out of its row.
    fn clean(&self, node: u32, found: &mut Bits) {
        found.remove(node);
        if self.excluded.has(node) {
            found.clear();
        } else {
            found.take_out(&self.excluded);
        }
    }

    fn names(&self, node: u32) -> Option<&'a Ebitmap> {
        TypeId::from_bit(node).map(|it| self.sets.groups(it))
    }
}

impl Graph for Flows<'_> {
    fn nodes(&self) -> usize {
        self.outward.nodes
    }

    fn outward(&self, node: u32, found: &mut Bits) {
        found.clear();
        self.names(node).into_iter().for_each(|it| self.outward.gather(it, found));
        self.clean(node, found);
    }

    fn inward(&self, node: u32, found: &mut Bits) {
        found.clear();
        self.names(node).into_iter().for_each(|it| self.inward.gather(it, found));
        self.clean(node, found);
    }
}
