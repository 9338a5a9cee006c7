//! What rules allow, told in rows: who is acted on, grouped by what is done.

use std::collections::BTreeMap;

use mandate_policydb::{AvRule, ClassId, Ebitmap, SymbolId, TypeId};
use mandate_query::types::TypeSets;
use rustc_hash::FxHashMap;

use super::kinds::{BESIDE, Classes, Kind, LEVELS, act};

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
    /// A class, and permissions in the order of the policy.
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
        let kind = self.classes.kind(class);
        if matches!(kind, Kind::Files | Kind::Devices) && !self.is_process(rule.target) {
            let deeds = self.files.entry((kind, rule.target)).or_default();
            deeds.acts |= self.classes.acts(class, permissions);
            deeds.classes |= class_bit(self.classes.name(class));
            return;
        }
        let kind = self.kind(kind, rule);
        *self.others.entry((kind, class, rule.target)).or_default() |= permissions;
    }

    /// Files of processes are those in /proc.
    fn is_process(&self, target: TypeId) -> bool {
        self.domains.has(target)
            || (self.sets.is_attribute(target)
                && !self.sets.members(target).is_empty()
                && self.domains.is_superset(self.sets.members(target)))
    }

    fn kind(&self, kind: Kind, rule: &AvRule) -> Kind {
        let own = self.own == Some(rule.target);
        match kind {
            Kind::Files | Kind::Devices => Kind::Processes,
            Kind::Network | Kind::LocalSockets | Kind::Ipc if own => Kind::Own,
            _ => kind,
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
        // Kind and the place of the row in the tables above.
        let mut rows: BTreeMap<(Kind, usize), Vec<Target>> = BTreeMap::new();
        for (&(kind, id), deeds) in &self.files {
            let target = Target { id, only: only(deeds.classes) };
            let level = LEVELS.iter().position(|it| deeds.acts & it.1 == it.1);
            let beside = BESIDE.iter().enumerate().filter(|it| deeds.acts & it.1.1 != 0);
            let beside: Vec<usize> = beside.map(|it| LEVELS.len() + it.0).collect();
            let entry = deeds.acts & !act::LOOK == act::ENTRY;
            // Who may execute may read, and looks at all it uses.
            let weak = level.is_some_and(|it| LEVELS[it].1 == act::LOOK);
            let told = level.filter(|_| !(entry || weak && !beside.is_empty()));
            for row in told.into_iter().chain(beside) {
                rows.entry((kind, row)).or_default().push(target);
            }
        }
        let mut found: BTreeMap<Kind, Vec<Row>> = BTreeMap::new();
        for ((kind, row), targets) in rows {
            let table = LEVELS.iter().chain(BESIDE);
            let words = table.map(|it| it.0).nth(row).unwrap_or_default();
            let targets = self.sorted(targets);
            found.entry(kind).or_default().push(Row { what: What::Words(words), targets });
        }
        found
    }

    fn of_others(&self) -> BTreeMap<Kind, Vec<Row>> {
        let mut rows: BTreeMap<(Kind, What), Vec<Target>> = BTreeMap::new();
        for (&(kind, class, id), &permissions) in &self.others {
            let names = self.classes.permissions(class, permissions).map(str::to_owned);
            let class = self.classes.name(class).to_owned();
            let targets =
                rows.entry((kind, What::Permissions(class, names.collect()))).or_default();
            if self.own != Some(id) || matches!(kind, Kind::Files) {
                targets.push(Target { id, only: None });
            }
        }
        let mut found: BTreeMap<Kind, Vec<Row>> = BTreeMap::new();
        for ((kind, what), targets) in rows {
            let targets = self.sorted(targets);
            found.entry(kind).or_default().push(Row { what, targets });
        }
        found
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
