//! What rules allow, told in rows: who is acted on, grouped by what is done.

use std::collections::BTreeMap;

use mandate_policydb::{AvRule, ClassId, Ebitmap, SymbolId, TypeId};
use mandate_query::types::TypeSets;
use rustc_hash::FxHashMap;

use super::kinds::{BESIDE, Classes, Kind, LEVELS, OF_PROCESSES, PIPES, TO_PROCESSES, act};

/// The rows of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Of which kind.
    pub kind: Kind,
    /// The rows, strongest first.
    pub rows: Vec<Row>,
}

/// One thing that is done, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is done: words for files, else the class and its permissions.
    pub what: What,
    /// To whom; empty where it is the domain itself.
    pub targets: Vec<Target>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// In words: `reads`.
    Words(&'static str),
    /// A class, and permissions in the order of the policy, of itself.
    Own(String, Vec<String>),
    /// The same, of others.
    Permissions(String, Vec<String>),
}

/// A type or attribute that something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Which.
    pub id: TypeId,
    /// Is it only of some classes?
    pub only: Option<&'static str>,
}

/// What is done to a target.
#[derive(Clone, Copy, Default)]
struct Deeds {
    acts: u32,
    classes: u32,
}

const FILE: u32 = 1;
const DIRECTORY: u32 = 2;
const LINK: u32 = 4;
const PIPE: u32 = 8;
const SOCKET: u32 = 16;

fn class_bit(name: &str) -> u32 {
    match name {
        "dir" => DIRECTORY,
        "lnk_file" => LINK,
        "fifo_file" => PIPE,
        "sock_file" => SOCKET,
        _ => FILE,
    }
}

/// What is said of a target that only some classes are allowed of.
fn only(classes: u32) -> Option<&'static str> {
    match classes {
        DIRECTORY => Some("directories"),
        LINK => Some("links"),
        PIPE => Some("pipes"),
        SOCKET => Some("sockets"),
        it if it == DIRECTORY | LINK => Some("directories and links"),
        _ => None,
    }
}

/// The rows that deeds belong to: their places and words.
fn words_of(kind: Kind, deeds: Deeds) -> Vec<(usize, &'static str)> {
    if kind == Kind::Processes {
        let (first, table) = match deeds.classes {
            PIPE => (OF_PROCESSES.len(), PIPES),
            _ => (0, OF_PROCESSES),
        };
        let row = table.iter().position(|it| deeds.acts & it.1 != 0);
        return row.map(|it| (first + it, table[it].0)).into_iter().collect();
    }
    let level = LEVELS.iter().position(|it| deeds.acts & it.1 == it.1);
    let beside = (LEVELS.len()..).zip(BESIDE).filter(|it| deeds.acts & it.1.1 != 0);
    let beside: Vec<_> = beside.map(|(at, it)| (at, it.0)).collect();
    let entry = deeds.acts & !act::LOOK == act::ENTRY;
    // Who executes looks at what it executes.
    let weak = level.is_some_and(|it| LEVELS[it].1 == act::LOOK);
    let told = level.filter(|_| !(entry || weak && !beside.is_empty()));
    told.map(|it| (it, LEVELS[it].0)).into_iter().chain(beside).collect()
}

/// Gathers rules of one source.
pub struct Gathering<'a> {
    sets: &'a TypeSets<'a>,
    classes: &'a Classes,
    domains: &'a Ebitmap,
    /// The source, to which rules about itself belong.
    own: Option<TypeId>,
    files: FxHashMap<(Kind, TypeId), Deeds>,
    others: FxHashMap<(Kind, ClassId, TypeId), u32>,
}

impl<'a> Gathering<'a> {
    /// Of the domain `own`, or of an attribute's members.
    pub fn new(
        sets: &'a TypeSets<'a>,
        classes: &'a Classes,
        domains: &'a Ebitmap,
        own: Option<TypeId>,
    ) -> Self {
        let (files, others) = (FxHashMap::default(), FxHashMap::default());
        Self { sets, classes, domains, own, files, others }
    }

    /// Adds an `allow` rule.
    pub fn add(&mut self, rule: &AvRule) {
        let (class, permissions) = (rule.class(), rule.permissions());
        let own = self.own == Some(rule.target);
        match (self.kind(rule), own) {
            (Kind::Files | Kind::Devices | Kind::Processes, _) if self.classes.is_file(class) => {
                // What is its own in /proc goes without saying.
                let kind = self.kind(rule);
                if !(own && kind == Kind::Processes) {
                    let deeds = self.files.entry((kind, rule.target)).or_default();
                    deeds.acts |= self.classes.acts(class, permissions);
                    deeds.classes |= class_bit(self.classes.name(class));
                }
            }
            (kind, _) => {
                // Ports have a table of their own.
                let permissions = permissions & !self.classes.port_mask(class);
                if permissions != 0 {
                    *self.others.entry((kind, class, rule.target)).or_default() |= permissions;
                }
            }
        }
    }

    /// Adds a conditional rule, unless all it allows is in `base` anyway.
    pub fn add_beside(&mut self, rule: &AvRule, base: &Self) {
        let (class, kind) = (rule.class(), self.kind(rule));
        let groups = || self.sets.groups(rule.target).ids::<TypeId>();
        let is_new = if self.classes.is_file(class) {
            let acts = groups().filter_map(|it| base.files.get(&(kind, it)).map(|it| it.acts));
            let known = acts.fold(0, |all, it| all | it);
            self.classes.acts(class, rule.permissions()) & !known != 0
        } else {
            let known = groups().filter_map(|it| base.others.get(&(kind, class, it)));
            rule.permissions() & !known.fold(0, |all, it| all | it) != 0
        };
        if is_new {
            self.add(rule);
        }
    }

    /// Files of processes are those in /proc.
    fn is_process(&self, target: TypeId) -> bool {
        self.domains.has(target)
            || (self.sets.is_attribute(target)
                && !self.sets.members(target).is_empty()
                && self.domains.is_superset(self.sets.members(target)))
    }

    fn kind(&self, rule: &AvRule) -> Kind {
        let own = self.own == Some(rule.target);
        match self.classes.kind(rule.class()) {
            Kind::Files | Kind::Devices if self.is_process(rule.target) => Kind::Processes,
            Kind::Network | Kind::LocalSockets | Kind::Ipc if own => Kind::Own,
            kind => kind,
        }
    }

    /// What came together.
    pub fn finish(self) -> Vec<Group> {
        let mut groups: BTreeMap<Kind, Vec<Row>> = BTreeMap::new();
        for (kind, rows) in self.of_files() {
            groups.entry(kind).or_default().extend(rows);
        }
        for (kind, rows) in self.of_others() {
            groups.entry(kind).or_default().extend(rows);
        }
        groups.into_iter().map(|(kind, rows)| Group { kind, rows }).collect()
    }

    fn of_files(&self) -> BTreeMap<Kind, Vec<Row>> {
        let mut found: BTreeMap<Kind, Vec<Row>> = BTreeMap::new();
        let mut rows: BTreeMap<(Kind, usize), (&'static str, Vec<Target>)> = BTreeMap::new();
        for (&(kind, id), deeds) in &self.files {
            for (row, words) in words_of(kind, *deeds) {
                let only = if kind == Kind::Files { only(deeds.classes) } else { None };
                let target = Target { id, only };
                rows.entry((kind, row)).or_insert_with(|| (words, Vec::new())).1.push(target);
            }
        }
        // Attributes of stronger rows hold what need not be told in weaker ones.
        let mut stronger: Vec<TypeId> = Vec::new();
        let mut last = None;
        for ((kind, row), (words, mut targets)) in rows {
            if last.replace(kind) != Some(kind) {
                stronger.clear();
            }
            if row < LEVELS.len() && kind != Kind::Processes {
                targets.retain(|it| !stronger.iter().any(|of| self.holds(*of, it.id)));
                let wide = targets.iter().filter(|it| it.only.is_none());
                let wide = wide.map(|it| it.id).filter(|it| self.sets.is_attribute(*it));
                stronger.extend(wide);
            }
            let targets = self.sorted(targets);
            if !targets.is_empty() {
                found.entry(kind).or_default().push(Row { what: What::Words(words), targets });
            }
        }
        found
    }

    fn of_others(&self) -> BTreeMap<Kind, Vec<Row>> {
        let mut rows: BTreeMap<(Kind, What), Vec<Target>> = BTreeMap::new();
        for (&(kind, class, id), &permissions) in &self.others {
            for what in self.deeds_to(class, id, permissions) {
                let own = matches!(what, What::Own(..));
                let targets = rows.entry((kind, what)).or_default();
                targets.extend((!own).then_some(Target { id, only: None }));
            }
        }
        let mut found: BTreeMap<Kind, Vec<Row>> = BTreeMap::new();
        for ((kind, what), targets) in rows {
            let targets = self.sorted(targets);
            found.entry(kind).or_default().push(Row { what, targets });
        }
        found
    }

    /// What permissions of a class that is none of files let one do to `id`.
    fn deeds_to(&self, class: ClassId, id: TypeId, permissions: u32) -> Vec<What> {
        let classes = self.classes;
        let names = |mask| classes.permissions(class, mask).map(str::to_owned).collect();
        let name = classes.name(class).to_owned();
        if self.own == Some(id) {
            return vec![What::Own(name, names(permissions))];
        }
        let mut rest = permissions;
        let mut deeds = Vec::new();
        for (words, wanted) in TO_PROCESSES.iter().filter(|_| classes.is_process(class)) {
            let mask = classes.mask(class, wanted);
            if rest & mask != 0 {
                deeds.push(What::Words(words));
                rest &= !mask;
            }
        }
        deeds.extend((rest != 0).then(|| What::Permissions(name, names(rest))));
        deeds
    }

    /// Attributes first, then by name; without what an attribute among them holds already.
    fn sorted(&self, mut targets: Vec<Target>) -> Vec<Target> {
        let attributes: Vec<TypeId> = targets
            .iter()
            .filter(|it| it.only.is_none() && self.sets.is_attribute(it.id))
            .map(|it| it.id)
            .collect();
        targets.retain(|it| {
            let within = |of: &&TypeId| **of != it.id && self.holds(**of, it.id);
            !attributes.iter().any(|of| within(&of))
        });
        let types = &self.sets.db().types;
        let key = |it: &Target| {
            let name = types.get(it.id).map_or("", |it| &*it.name);
            (!self.sets.is_attribute(it.id), name)
        };
        targets.sort_by(|a, b| key(a).cmp(&key(b)).then(a.only.cmp(&b.only)));
        targets.dedup();
        targets
    }

    /// Has the attribute `of` more members than `id`, and all of them?
    fn holds(&self, of: TypeId, id: TypeId) -> bool {
        let all = self.sets.members(of);
        if !self.sets.is_attribute(id) {
            return all.contains(id.bit());
        }
        let some = self.sets.members(id);
        some.len() < all.len() && all.is_superset(some)
    }
}
