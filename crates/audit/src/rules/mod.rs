//! Rules as names: what denials, or a program that is learned from, ask of a policy. Merged, in order, and printed as a module
//! of the kernel language or as CIL.

mod build;
mod cil;
mod requires;
mod te;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use build::{permissions_of, xperm_operation};
pub(crate) use build::{role_of, type_of};

use crate::Access;

/// What a rule is about: source, target, class. A target that is the source itself is `self`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleKey {
    /// The type of who acts.
    pub source: String,
    /// The type of what it acts on, or `self`.
    pub target: String,
    /// The class.
    pub class: String,
}

impl RuleKey {
    /// With `self` for a target that is the source.
    pub fn new(source: &str, target: &str, class: &str) -> Self {
        let target = if source == target { SELF } else { target };
        Self { source: source.to_owned(), target: target.to_owned(), class: class.to_owned() }
    }

    /// The type of the target, also where that is `self`.
    pub fn target_type(&self) -> &str {
        if self.target == SELF { &self.source } else { &self.target }
    }
}

/// The target that is the source.
const SELF: &str = "self";

/// `type_transition source target:class result ["name"];`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transition {
    /// Who makes the object, or executes the file.
    pub source: String,
    /// The type of the directory, or of the file.
    pub target: String,
    /// The class of what is made.
    pub class: String,
    /// The type that it gets.
    pub result: String,
    /// Only if it has this name.
    pub name: Option<String>,
}

/// A list of rules without repetitions, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Permissions by source, target and class: `allow`.
    pub allow: BTreeMap<RuleKey, BTreeSet<String>>,
    /// Commands by source, target, class and operation (`ioctl`, `nlmsg`): `allowxperm`.
    pub xperms: BTreeMap<(RuleKey, String), BTreeSet<u16>>,
    /// `type_transition`.
    pub transitions: BTreeSet<Transition>,
    /// `typeattribute type attribute;`
    pub attributes: BTreeSet<(String, String)>,
    /// `allow role role;`
    pub role_allows: BTreeSet<(String, String)>,
    /// `role role types type;`
    pub role_types: BTreeSet<(String, String)>,
    /// Lines told before the rule of this key, without their `#`.
    pub comments: BTreeMap<RuleKey, Vec<String>>,
    /// Print `dontaudit` in place of `allow`.
    pub dontaudit: bool,
}

impl Rules {
    /// The least that grants these accesses: permissions of the same source, target and class are one rule. What a policy
    /// decides of them is not asked; [`learned`](crate::learned) leaves out what it allows.
    pub fn of<'a>(accesses: impl IntoIterator<Item = &'a Access>) -> Self {
        let mut this = Self::default();
        accesses.into_iter().for_each(|it| this.add(it));
        this
    }

    /// Nothing at all?
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many statements there are.
    pub fn count(&self) -> usize {
        let more = self.xperms.len() + self.transitions.len() + self.attributes.len();
        self.allow.len() + more + self.role_allows.len() + self.role_types.len()
    }

    /// Adds permissions.
    pub fn allow<S: Into<String>>(
        &mut self,
        key: RuleKey,
        permissions: impl IntoIterator<Item = S>,
    ) {
        let all = self.allow.entry(key).or_default();
        all.extend(permissions.into_iter().map(Into::into));
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: Self) {
        for (key, permissions) in other.allow {
            self.allow(key, permissions);
        }
        for (key, commands) in other.xperms {
            self.xperms.entry(key).or_default().extend(commands);
        }
        self.transitions.extend(other.transitions);
        self.attributes.extend(other.attributes);
        self.role_allows.extend(other.role_allows);
        self.role_types.extend(other.role_types);
        for (key, lines) in other.comments {
            let all = self.comments.entry(key).or_default();
            all.extend(lines);
            all.dedup();
        }
    }
}

/// A name, or several in braces.
fn braced<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    match names.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("{{ {} }}", several.join(" ")),
    }
}

/// Numbers as ranges: `0x5401 0x5410-0x5412`.
fn ranges(numbers: &BTreeSet<u16>) -> Vec<(u16, u16)> {
    let mut found: Vec<(u16, u16)> = Vec::new();
    for &number in numbers {
        match found.last_mut() {
            Some(last) if last.1.checked_add(1) == Some(number) => last.1 = number,
            _ => found.push((number, number)),
        }
    }
    found
}
