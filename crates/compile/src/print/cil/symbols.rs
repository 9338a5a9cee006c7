//! Types, booleans, roles and users.

use mandate_policydb::OBJECT_R;
use mandate_syntax::kernel::ast::{Ident, Slice, StatementKind};
use mandate_syntax::source::Span;

use super::{ANYWHERE, ATTRIBUTE, IN_BASE, Layout, Printer, ROLE, ROLE_ATTRIBUTE, USER};
use crate::print::{left_out, not_in_form};

impl<'a> Printer<'a> {
    /// Prints what is said of symbols; false if `kind` is something else.
    pub(super) fn symbol(&mut self, span: Span, kind: &StatementKind) -> bool {
        match kind {
            StatementKind::Attribute(name) => self.once(ATTRIBUTE, "typeattribute", *name),
            StatementKind::ExpandAttribute { names, expand } => {
                let unit = self.unit;
                self.open("(expandtypeattribute ");
                self.list(unit.idents[names.range()].iter().copied());
                self.put(if *expand { " true)\n" } else { " false)\n" });
            }
            StatementKind::Type { name, aliases, attributes } => {
                let parentheses = self.declare("type", *name);
                self.close(parentheses);
                self.two("(roletype object_r ", None, *name);
                self.aliases("typealias", *name, *aliases);
                self.members("(typeattributeset ", *name, *attributes);
                self.implied_bounds("(typebounds ", *name);
            }
            StatementKind::TypeAlias { name, aliases } => {
                self.aliases("typealias", *name, *aliases);
            }
            StatementKind::TypeAttribute { name, attributes } => {
                self.members("(typeattributeset ", *name, *attributes);
            }
            StatementKind::TypeBounds { parent, children } => {
                let unit = self.unit;
                for &child in &unit.idents[children.range()] {
                    self.two("(typebounds ", Some(*parent), child);
                }
            }
            StatementKind::Permissive(name) => self.two("(typepermissive ", None, *name),
            StatementKind::NeverAudit(name) => self.two("(typeneveraudit ", None, *name),
            StatementKind::Boolean { name, value, tunable } => {
                let parentheses = self.declare(if *tunable { "tunable" } else { "boolean" }, *name);
                self.put(if *value { " true" } else { " false" });
                self.close(parentheses);
            }
            StatementKind::PolicyCapability(name) => self.two("(policycap ", None, *name),
            _ => return self.role_or_user(span, kind),
        }
        true
    }

    /// `(word a b)`
    fn two(&mut self, word: &str, first: Option<Ident>, second: Ident) {
        self.open(word);
        if let Some(first) = first {
            self.name(first);
            self.put(" ");
        }
        self.name(second);
        self.put(")\n");
    }

    /// Declares what may be declared again.
    fn once(&mut self, space: u8, word: &str, name: Ident) {
        let text = self.unit.text(name);
        // Within a block it may be that of the block alone.
        if self.depth == 0 && !self.declared.insert((space, text)) {
            return;
        }
        let parentheses = self.declare(word, name);
        self.close(parentheses);
    }

    pub(super) fn aliases(&mut self, word: &str, of: Ident, aliases: Slice) {
        let unit = self.unit;
        for &alias in &unit.idents[aliases.range()] {
            let parentheses = self.declare(word, alias);
            self.close(parentheses);
            self.open("(");
            self.put(word);
            self.put("actual ");
            self.name(alias);
            self.put(" ");
            self.name(of);
            self.put(")\n");
        }
    }

    fn members(&mut self, word: &str, name: Ident, attributes: Slice) {
        let unit = self.unit;
        for &attribute in &unit.idents[attributes.range()] {
            self.open(word);
            self.name(attribute);
            self.put(" (");
            self.name(name);
            self.put("))\n");
        }
    }

    /// A name with a dot says bounds in the kernel policy language, but not in CIL.
    fn implied_bounds(&mut self, word: &str, name: Ident) {
        let text = self.unit.text(name);
        if let Some((parent, _)) = text.rsplit_once('.').filter(|_| !self.unit.explicit_bounds) {
            self.open(word);
            self.put(parent);
            self.put(" ");
            self.name(name);
            self.put(")\n");
        }
    }

    fn role_or_user(&mut self, span: Span, kind: &StatementKind) -> bool {
        match kind {
            StatementKind::Role { name, types: Some(types), .. } => {
                let mut items = Vec::new();
                self.types(types, &mut items);
                for item in &items {
                    self.open("(roletype ");
                    self.name(*name);
                    self.put(" ");
                    self.item(item);
                    self.put(")\n");
                }
            }
            StatementKind::Role { name, types: None, attributes } => {
                if !self.is_others(self.unit.text(*name)) {
                    self.once(ROLE, "role", *name);
                }
                self.members("(roleattributeset ", *name, *attributes);
                self.implied_bounds("(rolebounds ", *name);
            }
            StatementKind::RoleAttribute(name) => {
                self.once(ROLE_ATTRIBUTE, "roleattribute", *name);
            }
            StatementKind::RoleAttributeSet { name, attributes } => {
                self.members("(roleattributeset ", *name, *attributes);
            }
            StatementKind::RoleDominance { dominated, .. } if dominated.is_empty() => {}
            StatementKind::RoleDominance { .. } => {
                self.tell(not_in_form(span, "CIL has no dominance of roles"));
            }
            StatementKind::RoleBounds { parent, child } => {
                self.two("(rolebounds ", Some(*parent), *child);
            }
            StatementKind::UserBounds { parent, child } => {
                self.two("(userbounds ", Some(*parent), *child);
            }
            StatementKind::User { .. } => self.user(kind),
            StatementKind::UserPrefix { name, prefix } => {
                if self.options.layout == Layout::Module {
                    self.two("(userprefix ", Some(*name), *prefix);
                } else {
                    let message = "a user's prefix stands in users_extra, not in a policy";
                    self.tell(left_out(span, message));
                }
            }
            _ => return false,
        }
        true
    }

    /// Is the role declared elsewhere: by all policies, or by the base of the module that declares it, too?
    fn is_others(&self, role: &str) -> bool {
        let with_base = self.options.layout == Layout::Module;
        role == OBJECT_R || with_base && (IN_BASE.contains(&role) || ANYWHERE.contains(&role))
    }

    fn user(&mut self, kind: &StatementKind) {
        let StatementKind::User { name, roles, level, range } = kind else { return };
        let text = self.unit.text(*name);
        let first = self.declared.insert((USER, text));
        if first {
            let parentheses = self.declare("user", *name);
            self.close(parentheses);
            self.open("(userrole ");
            self.name(*name);
            self.put(" object_r)\n");
        }
        for role in self.roles(roles) {
            if self.unit.text(role) != OBJECT_R {
                self.two("(userrole ", Some(*name), role);
            }
        }
        if !first {
            return;
        }
        self.open("(userlevel ");
        self.name(*name);
        self.put(" ");
        match level {
            Some(level) => self.level(level),
            None => self.put("(s0)"),
        }
        self.put(")\n");
        self.open("(userrange ");
        self.name(*name);
        self.put(" ");
        match range {
            Some(range) => self.range(range),
            None => self.put("((s0) (s0))"),
        }
        self.put(")\n");
        self.implied_bounds("(userbounds ", *name);
    }
}
