//! How two policies differ: part by part, rules by what they do and not by how they are written.
//!
//! [`names`] numbers both policies alike, [`access`] compares access vector rules, [`rules`] the other rules, [`symbols`] and [`labels`]
//! what a policy declares; [`behind`] finds the rules that make a difference.

mod access;
mod behind;
mod labels;
mod names;
mod part;
mod rules;
mod symbols;
mod text;

use std::sync::OnceLock;

use mandate_policydb::{PolicyDb, RuleKind};

pub use part::Part;
pub use text::AccessView;

use crate::statement::{Statements, Style};
use access::{AccessChange, Conditions};
use behind::{Index, Key};
use names::{Names, Side};

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct DiffQuery {
    /// The parts.
    pub parts: Vec<Part>,
    /// How statements are written.
    pub style: Style,
}

/// The differences between two policies: what has to be done to the first to get the second.
#[derive(Debug)]
pub struct Diff<'a> {
    names: Names<'a>,
    sides: [Side<'a>; 2],
    /// Were conditional rules taken as booleans stand?
    applied: bool,
    style: Style,
    /// Made when the rules behind a difference are asked for.
    index: OnceLock<[Index<'a>; 2]>,
    /// The parts that were compared, in order.
    pub sections: Vec<Section>,
}

/// The differences of one part. Each list is in order.
#[derive(Debug)]
pub struct Section {
    /// The part.
    pub part: Part,
    /// What only the second policy has.
    pub added: Vec<Change>,
    /// What only the first has.
    pub removed: Vec<Change>,
    /// What is in both, and not the same.
    pub modified: Vec<Change>,
}

/// One difference.
#[derive(Debug)]
pub enum Change {
    /// Of an access vector: see [`Diff::access`].
    Access(Access),
    /// Of anything else.
    Item(Item),
}

/// An access vector that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    kind: RuleKind,
    change: AccessChange,
}

/// A statement or name that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The statement, or the name.
    pub text: String,
    /// What of it differs, if that is not in the text.
    pub details: Vec<Detail>,
    key: Option<Key>,
}

/// What of a name differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What it is: `attributes`, `default level`, …
    pub noun: &'static str,
    /// Is it a list, of which members come and go?
    pub list: bool,
    /// What only the second policy has.
    pub added: Vec<String>,
    /// What only the first has.
    pub removed: Vec<String>,
}

impl Section {
    fn new(part: Part) -> Self {
        Self { part, added: Vec::new(), removed: Vec::new(), modified: Vec::new() }
    }

    /// Does nothing differ?
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.modified.is_empty()
    }
}

impl Change {
    /// Is it about rules, of which can be asked where they were written?
    pub fn is_rule(&self) -> bool {
        match self {
            Self::Access(_) => true,
            Self::Item(item) => item.key.is_some(),
        }
    }
}

impl Item {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn of_rule(text: String, key: Key) -> Self {
        Self { key: Some(key), ..Self::plain(text) }
    }
}

impl DiffQuery {
    /// Compares two policies.
    pub fn ask<'a>(&self, first: &'a PolicyDb, second: &'a PolicyDb) -> Diff<'a> {
        let statements = [first, second].map(|it| Statements::new(it, self.style));
        let (names, sides) = joined([first, second], self.style);
        let compared = Compared { names: &names, sides: &sides, statements: &statements };
        let sections = self.parts.iter().map(|it| compared.section(*it)).collect();
        let index = OnceLock::new();
        Diff { names, sides, applied: false, style: self.style, index, sections }
    }
}

fn joined<'a>(dbs: [&'a PolicyDb; 2], style: Style) -> (Names<'a>, [Side<'a>; 2]) {
    let conditions = |db: &PolicyDb| {
        let shown = |it| crate::statement::condition(db, style, it);
        let both = db.conditionals.iter().map(|it| (shown(it), db.condition_to_string(it)));
        both.collect::<Vec<_>>()
    };
    let [first, second] = dbs;
    names::join(dbs, [conditions(first), conditions(second)])
}

/// Both policies, laid side by side.
struct Compared<'c, 'a> {
    names: &'c Names<'a>,
    sides: &'c [Side<'a>; 2],
    statements: &'c [Statements<'a>; 2],
}

impl Compared<'_, '_> {
    fn section(&self, part: Part) -> Section {
        match part.rule_kind() {
            Some(kind) if kind.is_access_vector() => self.access(part, kind),
            Some(kind) if kind.is_xperm() => self.xperms(part, kind),
            Some(kind) => self.type_rules(part, kind),
            None => self
                .symbols(part)
                .or_else(|| self.labels(part))
                .unwrap_or_else(|| self.other_rules(part)),
        }
    }

    fn access(&self, part: Part, kind: RuleKind) -> Section {
        let mut section = Section::new(part);
        let types = self.names.types.len();
        for change in access::changes(self.sides, types, kind, Conditions::Kept) {
            let list = match change.vectors {
                [0, _] => &mut section.added,
                [_, 0] => &mut section.removed,
                _ => &mut section.modified,
            };
            list.push(Change::Access(Access { kind, change }));
        }
        section
    }
}

/// What domains newly can and no longer can, as booleans stand.
#[derive(Debug)]
pub struct Effects<'a> {
    diff: Diff<'a>,
    changes: Vec<Access>,
}

impl<'a> Effects<'a> {
    /// Compares what two policies allow.
    pub fn of(first: &'a PolicyDb, second: &'a PolicyDb, style: Style) -> Self {
        let (names, sides) = joined([first, second], style);
        let kind = RuleKind::Allow;
        let changes = access::changes(&sides, names.types.len(), kind, Conditions::Applied);
        let changes = changes.map(|change| Access { kind, change }).collect();
        let (index, sections) = (OnceLock::new(), Vec::new());
        Self { diff: Diff { names, sides, applied: true, style, index, sections }, changes }
    }

    /// By domain: its name, and what differs for it.
    pub fn domains(&self) -> impl Iterator<Item = (&str, &[Access])> {
        self.changes.chunk_by(|a, b| a.change.source == b.change.source).map(|run| {
            let source = run.first().map_or("", |it| self.diff.access(it).source);
            (source, run)
        })
    }

    /// The names and places of a change.
    pub fn diff(&self) -> &Diff<'a> {
        &self.diff
    }
}

#[cfg(test)]
mod tests;
