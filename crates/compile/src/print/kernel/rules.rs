//! Rules and declarations of types, roles and users.

use mandate_syntax::kernel::ast::{
    AvKind, AvRule, Ident, Slice, StatementKind, TypeRule, TypeRuleKind, XpermKind, XpermRule,
};
use mandate_syntax::source::Span;

use super::{Layout, Printer, not_in_form};
use crate::print::hexadecimal;

impl Printer<'_> {
    /// Prints a rule; false if `kind` is something else.
    pub(super) fn rule(&mut self, span: Span, kind: &StatementKind) -> bool {
        match kind {
            StatementKind::Av(rule) => self.av_rule(rule),
            StatementKind::Xperm(rule) => self.xperm_rule(rule),
            StatementKind::TypeRule(rule) => self.type_rule(rule),
            StatementKind::RangeTransition { source, target, classes, range } => {
                self.put("range_transition ");
                self.set(source);
                self.put(" ");
                self.set(target);
                self.of_classes(*classes);
                self.put(" ");
                self.range(range);
            }
            StatementKind::RoleAllow { source, target } => {
                self.put("allow ");
                self.set(source);
                self.put(" ");
                self.set(target);
            }
            StatementKind::RoleTransition { source, target, classes, result } => {
                self.put("role_transition ");
                self.set(source);
                self.put(" ");
                self.set(target);
                self.of_classes(*classes);
                self.put(" ");
                self.name(*result);
            }
            _ => return self.type_statement(span, kind),
        }
        self.put(";");
        true
    }

    fn of_classes(&mut self, classes: Slice) {
        if !classes.is_empty() {
            self.put(":");
            self.names(classes);
        }
    }

    fn av_rule(&mut self, rule: &AvRule) {
        self.put(match rule.kind {
            AvKind::Allow => "allow ",
            AvKind::AuditAllow => "auditallow ",
            AvKind::AuditDeny => "auditdeny ",
            AvKind::DontAudit => "dontaudit ",
            AvKind::NeverAllow => "neverallow ",
        });
        self.set(&rule.source);
        self.put(" ");
        self.set(&rule.target);
        self.put(":");
        self.names(rule.classes);
        self.put(" ");
        self.set(&rule.permissions);
    }

    fn xperm_rule(&mut self, rule: &XpermRule) {
        self.put(match rule.kind {
            XpermKind::Allow => "allowxperm ",
            XpermKind::AuditAllow => "auditallowxperm ",
            XpermKind::DontAudit => "dontauditxperm ",
            XpermKind::NeverAllow => "neverallowxperm ",
        });
        self.set(&rule.source);
        self.put(" ");
        self.set(&rule.target);
        self.put(":");
        self.names(rule.classes);
        self.put(" ");
        self.raw(rule.operation);
        self.put(if rule.complement { " ~{ " } else { " { " });
        let unit = self.unit;
        for range in &unit.number_ranges[rule.ranges.range()] {
            hexadecimal(&mut self.printed.text, range.low);
            if range.low != range.high {
                self.put("-");
                hexadecimal(&mut self.printed.text, range.high);
            }
            self.put(" ");
        }
        self.put("}");
    }

    fn type_rule(&mut self, rule: &TypeRule) {
        self.put(match rule.kind {
            TypeRuleKind::Transition => "type_transition ",
            TypeRuleKind::Member => "type_member ",
            TypeRuleKind::Change => "type_change ",
        });
        self.set(&rule.source);
        self.put(" ");
        self.set(&rule.target);
        self.put(":");
        self.names(rule.classes);
        self.put(" ");
        self.name(rule.result);
        if let Some(name) = rule.name {
            let text = self.unit.text(name);
            if text.is_empty() || text.contains(['"', '\n', '/']) {
                self.bad_name(name, "anything but a quote, a slash and a new line");
            }
            self.put(" \"");
            self.raw(name);
            self.put("\"");
        }
    }

    fn type_statement(&mut self, span: Span, kind: &StatementKind) -> bool {
        match kind {
            StatementKind::Attribute(name) => self.word_and("attribute ", *name),
            StatementKind::ExpandAttribute { names, expand } => {
                self.put("expandattribute ");
                self.names(*names);
                self.put(if *expand { " true" } else { " false" });
            }
            StatementKind::Type { name, aliases, attributes } => {
                self.check_bounds(span, 0, *name);
                self.word_and("type ", *name);
                self.aliases(*aliases);
                self.attributes(*attributes);
            }
            StatementKind::TypeAlias { name, aliases } => {
                self.word_and("typealias ", *name);
                self.aliases(*aliases);
            }
            StatementKind::TypeAttribute { name, attributes } => {
                self.word_and("typeattribute ", *name);
                self.put(" ");
                self.commas(*attributes);
            }
            StatementKind::TypeBounds { parent, children } => {
                self.word_and("typebounds ", *parent);
                self.put(" ");
                self.commas(*children);
            }
            StatementKind::Permissive(name) => self.word_and("permissive ", *name),
            StatementKind::NeverAudit(name) => self.word_and("neveraudit ", *name),
            StatementKind::Boolean { name, value, tunable } => {
                self.word_and(if *tunable { "tunable " } else { "bool " }, *name);
                self.put(if *value { " true" } else { " false" });
            }
            StatementKind::PolicyCapability(name) => self.word_and("policycap ", *name),
            _ => return false,
        }
        self.put(";");
        true
    }

    pub(super) fn word_and(&mut self, word: &str, name: Ident) {
        self.put(word);
        self.name(name);
    }

    pub(super) fn aliases(&mut self, aliases: Slice) {
        if !aliases.is_empty() {
            self.put(" alias ");
            self.names(aliases);
        }
    }

    fn attributes(&mut self, attributes: Slice) {
        if !attributes.is_empty() {
            self.put(", ");
            self.commas(attributes);
        }
    }

    /// Prints what is said of roles and users; false if `kind` is something else.
    pub(super) fn declaration(&mut self, span: Span, kind: &StatementKind) -> bool {
        match kind {
            StatementKind::Role { name, types: Some(types), .. } => {
                self.word_and("role ", *name);
                self.put(" types ");
                self.set(types);
            }
            StatementKind::Role { name, types: None, attributes } => {
                self.check_bounds(span, 1, *name);
                self.word_and("role ", *name);
                self.attributes(*attributes);
            }
            StatementKind::RoleAttribute(name) => self.word_and("attribute_role ", *name),
            StatementKind::RoleAttributeSet { name, attributes } => {
                self.word_and("roleattribute ", *name);
                self.put(" ");
                self.commas(*attributes);
            }
            StatementKind::RoleDominance { name, dominated } => {
                self.word_and("dominance { role ", *name);
                let unit = self.unit;
                match &unit.idents[dominated.range()] {
                    [] => self.put("; }"),
                    dominated => {
                        self.put(" { ");
                        for &ident in dominated {
                            self.word_and("role ", ident);
                            self.put("; ");
                        }
                        self.put("} }");
                    }
                }
                return true;
            }
            StatementKind::User { name, roles, level, range } => {
                self.check_bounds(span, 2, *name);
                self.word_and("user ", *name);
                self.put(" roles ");
                self.set(roles);
                if let (Some(level), Some(range)) = (level, range) {
                    self.put(" level ");
                    self.level(level);
                    self.put(" range ");
                    self.range(range);
                }
            }
            StatementKind::UserPrefix { name, prefix } if self.layout == Layout::Expanded => {
                self.word_and("user ", *name);
                self.put(" prefix ");
                self.name(*prefix);
            }
            StatementKind::RoleBounds { parent, child } => {
                self.bounds_by_name(span, "role", *parent, *child);
                return true;
            }
            StatementKind::UserBounds { parent, child } => {
                self.bounds_by_name(span, "user", *parent, *child);
                return true;
            }
            _ => return false,
        }
        self.put(";");
        true
    }

    /// Bounds of roles and users are said by names with a dot alone.
    fn bounds_by_name(&mut self, span: Span, what: &str, parent: Ident, child: Ident) {
        let (parent, child) = (self.unit.text(parent), self.unit.text(child));
        if child.rsplit_once('.').is_some_and(|it| it.0 == parent) {
            return;
        }
        let message =
            format!("{what} `{child}` is bounded by `{parent}`, which its name does not say");
        self.tell(not_in_form(span, message).note(format!(
            "in the kernel policy language a {what} is bounded by the one that its name has before the last dot"
        )));
    }

    /// A name with a dot says bounds, whether they are meant or not.
    fn check_bounds(&mut self, span: Span, what: u8, name: Ident) {
        if !self.unit.explicit_bounds {
            return;
        }
        let text = self.unit.text(name);
        let Some((parent, _)) = text.rsplit_once('.') else { return };
        if !self.bounds.contains(&(what, text, parent)) {
            let kind = ["type", "role", "user"][usize::from(what)];
            let message =
                format!("the name of {kind} `{text}` would say that `{parent}` bounds it");
            self.tell(
                not_in_form(span, message)
                    .note("in the kernel policy language a name with a dot is bounded by what stands before its last dot")
                    .help("give it a name without a dot, or write CIL"),
            );
        }
    }
}
