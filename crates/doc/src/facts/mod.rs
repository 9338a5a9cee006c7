//! What a compiled policy says of its domains, indexed once for all pages.

pub mod access;
pub mod domain;
pub mod kinds;

use std::sync::OnceLock;

use mandate_compile::file_contexts::{self, FileContext};
use mandate_compile::outcome::{Outcome, Product};
use mandate_policydb::{AvRule, Datum as _, Ebitmap, PolicyDb, RuleKind, SymbolId, TypeId};
use mandate_query::questions;
use mandate_query::types::TypeSets;
use mandate_syntax::kernel::RequireKind;
use mandate_syntax::text::Text;
use rustc_hash::FxHashMap;

use crate::facts::access::{Gathering, Group};
use crate::facts::kinds::Classes;
use crate::reference::{Place, Places, Reference};

/// A policy, indexed.
pub struct Facts<'a> {
    /// The policy.
    pub db: &'a PolicyDb,
    /// Who belongs to what.
    pub sets: &'a TypeSets<'a>,
    /// Its classes.
    pub classes: Classes,
    /// Its domains.
    pub domains: Ebitmap,
    /// Domains that are not confined.
    pub unconfined: Ebitmap,
    /// The attribute of all domains.
    pub domain: Option<TypeId>,
    /// `allow` rules by source: places in the policy's list.
    rules: Vec<Vec<u32>>,
    /// Conditional `allow` rules by source: conditional, branch, place in the branch.
    conditional: Vec<Vec<(u32, bool, u32)>>,
    /// Transitions of processes by what they become: source, file.
    transitions: FxHashMap<TypeId, Vec<(TypeId, TypeId)>>,
    /// Patterns by the type they give.
    patterns: FxHashMap<String, Vec<FileContext>>,
    /// Ports by their type: protocol, first, last.
    ports: FxHashMap<TypeId, Vec<(&'static str, u32, u32)>>,
    /// Where names are declared.
    declared: FxHashMap<(RequireKind, String), Place>,
    /// Attributes with the same members are looked up often.
    sizes: Vec<OnceLock<usize>>,
}

impl<'a> Facts<'a> {
    /// Of what a build gave.
    pub fn new(outcome: &Outcome, product: &'a Product, sets: &'a TypeSets<'a>) -> Self {
        let db = &product.policy;
        let (index, rest) = rayon::join(
            || (rules_by_source(db), conditional_by_source(db), transitions(db)),
            || (patterns(product), declared(outcome, product)),
        );
        let ((rules, conditional, transitions), (patterns, declared)) = (index, rest);
        let unconfined = questions::unconfined_attributes(sets, &[]);
        Self {
            db,
            sets,
            classes: Classes::new(db),
            domains: questions::domains(sets),
            unconfined: questions::members(sets, &unconfined),
            domain: db.types.find(questions::DOMAIN).filter(|it| it.attribute).map(|it| it.id),
            rules,
            conditional,
            transitions,
            patterns,
            ports: ports(db),
            declared,
            sizes: (0..db.types.nprim()).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The name of a type or attribute.
    pub fn name(&self, id: TypeId) -> &'a str {
        self.db.types.get(id).map_or("", |it| &it.name)
    }

    /// How many types an attribute has.
    pub fn size(&self, id: TypeId) -> usize {
        let count = || self.sets.members(id).len();
        self.sizes.get(id.index()).map_or_else(count, |it| *it.get_or_init(count))
    }

    /// Patterns of files that have this type.
    pub fn patterns(&self, name: &str) -> &[FileContext] {
        self.patterns.get(name).map_or(&[], Vec::as_slice)
    }

    /// Ports that have this type.
    pub fn ports(&self, id: TypeId) -> &[(&'static str, u32, u32)] {
        self.ports.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Where a name is declared.
    pub fn declared(&self, kind: RequireKind, name: &str) -> Option<&Place> {
        self.declared.get(&(kind, name.to_owned()))
    }

    /// The names of a kind that a module declares.
    pub fn of_modules(&self, reference: &Reference, kind: RequireKind) -> Vec<Vec<&str>> {
        let mut found = vec![Vec::new(); reference.modules.len()];
        for ((of, name), place) in &self.declared {
            let module = reference.module_of(place).and_then(|it| found.get_mut(it as usize));
            if let (true, Some(names)) = (*of == kind, module) {
                names.push(name.as_str());
            }
        }
        found.iter_mut().for_each(|it| it.sort_unstable());
        found
    }

    /// `allow` rules whose source is this type or attribute itself.
    pub fn rules_of(&self, id: TypeId) -> impl Iterator<Item = &'a AvRule> {
        let places = self.rules.get(id.index()).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|&it| self.db.rules.get(it as usize))
    }

    /// What members of an attribute may do for being its members.
    pub fn of_attribute(&self, id: TypeId) -> Vec<Group> {
        let mut gathering = Gathering::new(self.sets, &self.classes, &self.domains, None);
        self.rules_of(id).for_each(|it| gathering.add(it));
        gathering.finish()
    }

    /// Types that are not attributes, by name.
    pub fn types(&self) -> impl Iterator<Item = (TypeId, &'a str)> {
        let all = self.db.types.by_name().filter(|it| !it.is_alias() && !it.attribute);
        all.map(|it| (it.id, &*it.name))
    }

    /// Attributes, by name.
    pub fn attributes(&self) -> impl Iterator<Item = (TypeId, &'a str)> {
        self.db.types.by_name().filter(|it| it.attribute).map(|it| (it.id, &*it.name))
    }
}

fn table<T>(db: &PolicyDb) -> Vec<Vec<T>> {
    (0..db.types.nprim()).map(|_| Vec::new()).collect()
}

fn rules_by_source(db: &PolicyDb) -> Vec<Vec<u32>> {
    let mut found = table(db);
    for (at, rule) in (0..).zip(&db.rules) {
        if rule.kind == RuleKind::Allow
            && let Some(places) = found.get_mut(rule.source.index())
        {
            places.push(at);
        }
    }
    found
}

fn conditional_by_source(db: &PolicyDb) -> Vec<Vec<(u32, bool, u32)>> {
    let mut found = table(db);
    for (number, block) in (0..).zip(&db.conditionals) {
        for (when, rules) in [(true, &block.when_true), (false, &block.when_false)] {
            for (at, rule) in (0..).zip(rules) {
                if rule.kind == RuleKind::Allow
                    && let Some(places) = found.get_mut(rule.source.index())
                {
                    places.push((number, when, at));
                }
            }
        }
    }
    found
}

fn transitions(db: &PolicyDb) -> FxHashMap<TypeId, Vec<(TypeId, TypeId)>> {
    let mut found: FxHashMap<TypeId, Vec<(TypeId, TypeId)>> = FxHashMap::default();
    let Some(process) = db.classes.id("process") else { return found };
    let branches = db.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false));
    for rule in db.rules.iter().chain(branches) {
        let transition = rule.kind == RuleKind::TypeTransition && rule.class() == process;
        if let Some(to) = rule.default_type().filter(|_| transition) {
            found.entry(to).or_default().push((rule.source, rule.target));
        }
    }
    found
}

/// Lines of both files of file contexts by the type they give.
fn patterns(product: &Product) -> FxHashMap<String, Vec<FileContext>> {
    let mut found: FxHashMap<String, Vec<FileContext>> = FxHashMap::default();
    for name in ["file_contexts", "homedir_template"] {
        let Some(bytes) = product.files.get(name) else { continue };
        let text = Text { bytes: bytes.clone(), origins: Vec::new() };
        for line in file_contexts::read(&text, None).0 {
            let type_ = line.context.as_deref().and_then(|it| it.split(':').nth(2));
            let Some(type_) = type_.map(str::to_owned) else { continue };
            found.entry(type_).or_default().push(line);
        }
    }
    for lines in found.values_mut() {
        lines.sort_by(|a, b| (&a.path, a.file_type).cmp(&(&b.path, b.file_type)));
    }
    found
}

fn ports(db: &PolicyDb) -> FxHashMap<TypeId, Vec<(&'static str, u32, u32)>> {
    let mut found: FxHashMap<TypeId, Vec<(&'static str, u32, u32)>> = FxHashMap::default();
    for port in &db.object_contexts.ports {
        let protocol = match port.protocol {
            6 => "tcp",
            17 => "udp",
            33 => "dccp",
            132 => "sctp",
            _ => continue,
        };
        found.entry(port.context.type_).or_default().push((protocol, port.low, port.high));
    }
    found.values_mut().for_each(|it| it.sort_unstable());
    found
}

fn declared(outcome: &Outcome, product: &Product) -> FxHashMap<(RequireKind, String), Place> {
    let places = Places::new(&outcome.sources, &outcome.expansions);
    let mut found = FxHashMap::default();
    for it in &product.declarations {
        if let Some(place) = places.outermost(it.span) {
            // The first counts: roles are declared wherever they are used.
            found.entry((it.kind, it.name.clone())).or_insert(place);
        }
    }
    found
}
