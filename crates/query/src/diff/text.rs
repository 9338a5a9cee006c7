//! The text of differences, as sediff lays it out.

use super::access::branch;
use super::{Access, Change, Detail, Diff, Item};
use crate::statement::{Style, push_all, push_set};

/// An access vector that differs, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessView<'a> {
    /// `allow`, `auditallow` or `dontaudit`.
    pub keyword: &'static str,
    /// The source type.
    pub source: &'a str,
    /// The target type.
    pub target: &'a str,
    /// The class.
    pub class: &'a str,
    /// Permissions of both policies.
    pub kept: Vec<&'a str>,
    /// Permissions of the second only.
    pub added: Vec<&'a str>,
    /// Permissions of the first only.
    pub removed: Vec<&'a str>,
}

impl<'a> Diff<'a> {
    /// The names of an access vector that differs.
    pub fn access(&self, of: &Access) -> AccessView<'a> {
        let names = &self.names;
        let type_ = |at: u32| names.types.get(at as usize).copied().unwrap_or_default();
        let class = names.classes.get(of.change.class as usize);
        let [before, after] = of.change.vectors;
        let permissions = |vector: u64| {
            let all = class.map_or(&[][..], |it| &it.permissions).iter();
            (0..).zip(all).filter(|it| vector >> it.0 & 1 == 1).map(|it| *it.1).collect()
        };
        AccessView {
            keyword: of.kind.keyword(),
            source: type_(of.change.source),
            target: type_(of.change.target),
            class: class.map_or("", |it| it.name),
            kept: permissions(before & after),
            added: permissions(after & !before),
            removed: permissions(before & !after),
        }
    }

    /// The condition of an access vector, and its branch.
    pub fn condition(&self, of: &Access) -> Option<(&str, bool)> {
        let (condition, when) = branch(of.change.layer)?;
        Some((self.names.conditions.get(condition as usize)?, when))
    }

    /// Appends the statement of a difference; what of a name differs is behind it in parentheses.
    pub fn push(&self, to: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Access(access) => self.push_access(to, access),
            Change::Item(item) => push_item(to, item),
        }
    }

    /// Appends the rule of an access vector that differs.
    pub fn push_access(&self, to: &mut Vec<u8>, access: &Access) {
        let view = self.access(access);
        push_all(to, &[view.keyword, " ", view.source, " ", view.target, ":", view.class, " "]);
        view.push_permissions(to);
        to.push(b';');
        if let Some(condition) = self.condition(access) {
            let [before, after] = access.change.vectors;
            push_condition(to, condition, before != 0 && after != 0, self.style);
        }
    }
}

/// A condition and its branch. setools names no branch where a rule is in both policies.
pub(super) fn push_condition(
    to: &mut Vec<u8>,
    (condition, when): (&str, bool),
    modified: bool,
    style: Style,
) {
    let branch = match when {
        _ if modified && style == Style::Setools => " ]",
        true => " ]:True",
        false => " ]:False",
    };
    push_all(to, &[" [ ", condition, branch]);
}

impl AccessView<'_> {
    /// Appends the permissions: those of an added or removed rule, or those kept and then with a sign what differs.
    pub fn push_permissions(&self, to: &mut Vec<u8>) {
        match (self.kept.as_slice(), self.added.as_slice(), self.removed.as_slice()) {
            ([], only, []) | ([], [], only) => push_set(to, only.iter().copied()),
            (kept, added, removed) => {
                let kept = kept.iter().map(|it| ("", it));
                let added = added.iter().map(|it| ("+", it));
                let removed = removed.iter().map(|it| ("-", it));
                push_all(to, &["{ "]);
                kept.chain(added).chain(removed).for_each(|it| push_all(to, &[it.0, it.1, " "]));
                push_all(to, &["}"]);
            }
        }
    }
}

impl Detail {
    /// What differs, in a few words.
    pub fn summary(&self) -> Vec<String> {
        let noun = self.noun;
        match (self.added.len(), self.removed.len()) {
            (1.., 1..) if !self.list => vec![format!("Modified {noun}")],
            (1.., 0) if !self.list => vec![format!("Added {noun}")],
            (0, 1..) if !self.list => vec![format!("Removed {noun}")],
            (added, removed) => {
                let some = |count: usize, word: &str| {
                    (count > 0).then(|| format!("{count} {word} {noun}"))
                };
                some(added, "Added").into_iter().chain(some(removed, "Removed")).collect()
            }
        }
    }
}

fn push_item(to: &mut Vec<u8>, item: &Item) {
    push_all(to, &[&item.text]);
    if !item.details.is_empty() {
        let parts: Vec<String> = item.details.iter().flat_map(Detail::summary).collect();
        push_all(to, &[" (", &parts.join(", "), ")"]);
    }
}
