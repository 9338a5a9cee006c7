//! Rules in the kernel language.

use std::fmt::{self, Display};

use super::requires::Requires;
use super::{RuleKey, Rules, braced, ranges};

impl Rules {
    /// As a module that can be compiled: `module NAME VERSION;`, what it requires, the rules.
    pub fn to_module(&self, name: &str, version: &str) -> String {
        format!("\nmodule {name} {version};\n\n{}{self}", self.to_requires())
    }

    /// The `require` block of a module with these rules.
    pub fn to_requires(&self) -> String {
        Requires::of(self).block()
    }

    /// The statements one by one, without comments.
    pub fn statements(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for key in self.keys() {
            lines.extend(self.statements_of(key));
        }
        lines.extend(self.others());
        lines
    }

    /// Everything that rules of access are about, in order.
    fn keys(&self) -> std::collections::BTreeSet<&RuleKey> {
        self.allow.keys().chain(self.xperms.keys().map(|it| &it.0)).collect()
    }

    fn statements_of(&self, key: &RuleKey) -> Vec<String> {
        let head = format!("{} {}:{}", key.source, key.target, key.class);
        let keyword = if self.dontaudit { "dontaudit" } else { "allow" };
        let allow = self.allow.get(key);
        let allow = allow.map(|it| format!("{keyword} {head} {};", braced(it)));
        let xperms = self.xperms.iter().filter(|it| it.0.0 == *key);
        let xperms = xperms.map(|((_, operation), commands)| {
            let ranges = ranges(commands).into_iter().map(|(low, high)| match low == high {
                true => format!("{low:#06x}"),
                false => format!("{low:#06x}-{high:#06x}"),
            });
            format!("{keyword}xperm {head} {operation} {};", braced(&ranges.collect::<Vec<_>>()))
        });
        allow.into_iter().chain(xperms).collect()
    }

    /// Statements that are no rules of access.
    fn others(&self) -> Vec<String> {
        let transitions = self.transitions.iter().map(|it| {
            let name = it.name.as_ref().map_or_else(String::new, |it| format!(" \"{it}\""));
            format!("type_transition {} {}:{} {}{name};", it.source, it.target, it.class, it.result)
        });
        let attributes = self.attributes.iter();
        let attributes =
            attributes.map(|(it, attribute)| format!("typeattribute {it} {attribute};"));
        let roles = self.role_allows.iter().map(|(from, to)| format!("allow {from} {to};"));
        let types = self.role_types.iter().map(|(role, it)| format!("role {role} types {it};"));
        transitions.chain(attributes).chain(roles).chain(types).collect()
    }
}

/// The rules under a heading for each source, with their comments.
impl Display for Rules {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut source = None;
        for key in self.keys() {
            if source != Some(&key.source) {
                writeln!(to, "\n#============= {} ==============", key.source)?;
                source = Some(&key.source);
            }
            if let Some(lines) = self.comments.get(key) {
                writeln!(to)?;
                for line in lines {
                    writeln!(to, "#{line}")?;
                }
            }
            for line in self.statements_of(key) {
                writeln!(to, "{line}")?;
            }
        }
        let others = self.others();
        if !others.is_empty() {
            writeln!(to, "\n#============= ROLES AND TRANSITIONS ==============")?;
        }
        others.iter().try_for_each(|it| writeln!(to, "{it}"))
    }
}
