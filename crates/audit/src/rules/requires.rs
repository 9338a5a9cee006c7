//! What a module with rules requires.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{RuleKey, Rules, braced};

/// Names that rules use, by kind.
#[derive(Default)]
pub(super) struct Requires<'a> {
    types: BTreeSet<&'a str>,
    attributes: BTreeSet<&'a str>,
    roles: BTreeSet<&'a str>,
    classes: BTreeMap<&'a str, BTreeSet<String>>,
}

impl<'a> Requires<'a> {
    pub(super) fn of(rules: &'a Rules) -> Self {
        let mut this = Self::default();
        for (key, permissions) in &rules.allow {
            this.key(key, permissions.iter().cloned());
        }
        for (key, operation) in rules.xperms.keys() {
            this.key(key, [operation.clone()]);
        }
        for it in &rules.transitions {
            this.types.extend([&*it.source, &*it.target, &*it.result]);
            // A class cannot be required without a permission: one that every such class has.
            let permission = if it.class == "process" { "transition" } else { "create" };
            this.classes.entry(&it.class).or_default().insert(permission.to_owned());
        }
        for (type_, attribute) in &rules.attributes {
            this.types.insert(type_);
            this.attributes.insert(attribute);
        }
        for (from, to) in &rules.role_allows {
            this.roles.extend([&**from, &**to]);
        }
        for (role, type_) in &rules.role_types {
            this.roles.insert(role);
            this.types.insert(type_);
        }
        this
    }

    fn key(&mut self, key: &'a RuleKey, permissions: impl IntoIterator<Item = String>) {
        self.types.extend([&*key.source, key.target_type()]);
        self.classes.entry(&key.class).or_default().extend(permissions);
    }

    /// As a `require` block.
    pub(super) fn block(&self) -> String {
        let mut text = "require {\n".to_owned();
        let lists = [("type", &self.types), ("attribute", &self.attributes), ("role", &self.roles)];
        for (keyword, names) in lists {
            for name in names {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "\t{keyword} {name};");
            }
        }
        for (class, permissions) in &self.classes {
            let _ = writeln!(text, "\tclass {class} {};", braced(permissions));
        }
        text.push_str("}\n");
        text
    }
}
