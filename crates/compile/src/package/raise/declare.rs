//! First pass: symbols get values, and scopes.

use mandate_policydb::{Ebitmap, OBJECT_R};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, Idents, Statement, StatementKind};
use mandate_syntax::source::Span;

use super::Raiser;
use crate::package::blocks::{DECLARED, REQUIRED};
use crate::package::symbols::{
    Boolean, Category, Class, Common, Flavor, Kind, Permission, Permissions, Role, Sensitivity,
    TUNABLE, Table, Type, User,
};

/// Adds a record with the next value.
pub(super) fn append<T>(table: &mut Table<T>, make: impl FnOnce(u32) -> T) -> usize {
    table.nprim += 1;
    table.entries.push(make(table.nprim));
    table.entries.len() - 1
}

impl<'a> Raiser<'a> {
    /// The role that every policy has.
    pub(super) fn object_r(&mut self) {
        append(&mut self.db.symbols.roles, |value| Role {
            name: OBJECT_R.into(),
            value,
            dominates: Ebitmap::from_bits([0]),
            ..Role::default()
        });
        self.index[Kind::Roles as usize].insert(OBJECT_R, 0);
        self.scope(Kind::Roles, OBJECT_R, DECLARED);
    }

    pub(super) fn declare(&mut self, statement: &'a Statement) {
        use StatementKind as S;
        let base_only = matches!(
            statement.kind,
            S::Class(_)
                | S::Common { .. }
                | S::AccessVector { .. }
                | S::Sensitivity { .. }
                | S::Category { .. }
                | S::InitialSid(_)
        );
        if base_only && !self.options.base {
            let message = "only a base module may declare classes, sensitivities and categories";
            self.error(Code::NotAllowedHere, statement.span, message.to_owned());
            return;
        }
        match &statement.kind {
            S::Module { name, version } => {
                self.db.name = self.text(*name).into();
                self.db.release = version.map_or("", |it| self.text(it)).into();
            }
            S::Class(name) => {
                self.declare_symbol(Kind::Classes, *name, |it, name| {
                    append(&mut it.db.symbols.classes, |value| Class {
                        name,
                        value,
                        ..Class::default()
                    })
                });
            }
            S::InitialSid(name) => self.initial_sid(*name),
            S::Common { name, permissions } => self.common(*name, *permissions),
            S::AccessVector { class, inherits, permissions } => {
                self.access_vector(*class, *inherits, *permissions);
            }
            S::Sensitivity { name, aliases } => self.sensitivity(*name, *aliases),
            S::Category { name, aliases } => self.category(*name, *aliases),
            S::Attribute(name) => self.declare_type(*name, Flavor::Attribute),
            S::Type { name, aliases, .. } => {
                self.declare_type(*name, Flavor::Type);
                self.declare_aliases(*name, *aliases);
            }
            S::TypeAlias { name, aliases } => self.declare_aliases(*name, *aliases),
            S::Role { name, types: None, .. } => self.declare_role(*name, 0),
            S::RoleAttribute(name) => self.declare_role(*name, 1),
            S::RoleDominance { name, dominated } => {
                self.declare_role(*name, 0);
                for &ident in self.idents(*dominated) {
                    self.declare_role(ident, 0);
                }
            }
            S::User { name, .. } => {
                self.declare_symbol(Kind::Users, *name, |it, name| {
                    append(&mut it.db.symbols.users, |value| User {
                        name,
                        value,
                        ..User::default()
                    })
                });
            }
            S::Boolean { name, value, tunable } => {
                let state = u32::from(*value);
                let flags = if *tunable { TUNABLE } else { 0 };
                let at = self.declare_symbol(Kind::Booleans, *name, |it, name| {
                    append(&mut it.db.symbols.booleans, |value| Boolean {
                        name,
                        value,
                        state,
                        flags,
                    })
                });
                if let Some(at) = at {
                    let known = &mut self.db.symbols.booleans.entries[at];
                    (known.state, known.flags) = (state, flags);
                }
            }
            S::Require(slice) => {
                if self.in_else(statement.span) {
                    return;
                }
                for require in &self.unit.requires[slice.range()] {
                    self.require(require);
                }
            }
            _ => {}
        }
    }

    fn initial_sid(&mut self, ident: Ident) {
        let name = self.text(ident);
        if self.sids.contains(&name) {
            self.error(
                Code::Redeclared,
                ident.span,
                format!("initial SID `{name}` is declared twice"),
            );
        }
        self.sids.push(name);
    }

    /// The `else` of a block can declare and require nothing.
    fn in_else(&mut self, span: Span) -> bool {
        let refused = self.at().branch > 0;
        if refused {
            let message = "the else of an optional block can neither declare nor require";
            let it = Diagnostic::error(Code::NotAllowedHere, span, message)
                .help("require it in the block around");
            self.diagnostics.push(it);
        }
        refused
    }

    /// Declares a symbol; where it is.
    fn declare_symbol(
        &mut self,
        kind: Kind,
        ident: Ident,
        make: impl FnOnce(&mut Self, Box<str>) -> usize,
    ) -> Option<usize> {
        if self.in_else(ident.span) {
            return None;
        }
        let name = self.text(ident);
        let at = match self.index[kind as usize].get(name) {
            Some(&at) => at,
            None => {
                let at = make(self, name.into());
                self.index[kind as usize].insert(name, at);
                at
            }
        };
        if !self.scope(kind, name, DECLARED) {
            let message = format!("`{name}` is declared twice");
            self.error(Code::Redeclared, ident.span, message);
            return None;
        }
        let value = self.value_at(kind, at);
        self.branch().declared.of_mut(kind).insert(value - 1);
        Some(at)
    }

    pub(super) fn require_symbol(
        &mut self,
        kind: Kind,
        ident: Ident,
        make: impl FnOnce(&mut Self, Box<str>) -> usize,
    ) -> usize {
        let name = self.text(ident);
        let at = match self.index[kind as usize].get(name) {
            Some(&at) => at,
            None => {
                let at = make(self, name.into());
                self.index[kind as usize].insert(name, at);
                at
            }
        };
        self.scope(kind, name, REQUIRED);
        let value = self.value_at(kind, at);
        self.branch().required.of_mut(kind).insert(value - 1);
        at
    }

    pub(super) fn value_at(&self, kind: Kind, at: usize) -> u32 {
        let symbols = &self.db.symbols;
        match kind {
            Kind::Commons => symbols.commons.entries[at].value,
            Kind::Classes => symbols.classes.entries[at].value,
            Kind::Roles => symbols.roles.entries[at].value,
            Kind::Types => symbols.types.entries[at].value,
            Kind::Users => symbols.users.entries[at].value,
            Kind::Booleans => symbols.booleans.entries[at].value,
            Kind::Levels => symbols.levels.entries[at].value,
            Kind::Categories => symbols.categories.entries[at].value,
        }
    }

    fn common(&mut self, ident: Ident, permissions: Idents) {
        let name = self.text(ident);
        let permissions = self.permission_list(permissions, 0);
        let value = self.db.symbols.commons.nprim + 1;
        let common = Common { name: name.into(), value, permissions };
        let at = append(&mut self.db.symbols.commons, |_| common);
        if self.index[Kind::Commons as usize].insert(name, at).is_some() {
            self.error(Code::Redeclared, ident.span, format!("`{name}` is declared twice"));
        }
    }

    fn permission_list(&mut self, permissions: Idents, after: u32) -> Permissions {
        let mut found = Permissions { nprim: after, list: Vec::new() };
        for &ident in self.idents(permissions) {
            if found.nprim == 32 {
                let message = "more than 32 permissions".to_owned();
                self.error(Code::TooMany, ident.span, message);
                break;
            }
            found.nprim += 1;
            found.list.push(Permission { name: self.text(ident).into(), value: found.nprim });
        }
        found
    }

    fn access_vector(&mut self, class: Ident, inherits: Option<Ident>, permissions: Idents) {
        let Some(at) = self.find(Kind::Classes, class) else { return };
        let mut common = None;
        let mut after = 0;
        if let Some(ident) = inherits {
            let name = self.text(ident);
            match self.db.symbols.commons.find(name) {
                Some(found) => (common, after) = (Some(name.into()), found.permissions.nprim),
                None => self.error(Code::UnknownCommon, ident.span, format!("no common `{name}`")),
            }
        }
        let permissions = self.permission_list(permissions, after);
        let class = &mut self.db.symbols.classes.entries[at];
        (class.common, class.permissions) = (common, permissions);
    }

    fn sensitivity(&mut self, ident: Ident, aliases: Idents) {
        let at = self.declare_symbol(Kind::Levels, ident, |it, name| {
            append(&mut it.db.symbols.levels, |value| Sensitivity {
                name,
                value,
                ..Sensitivity::default()
            })
        });
        let Some(at) = at else { return };
        for &alias in self.idents(aliases) {
            let (name, text) = (self.text(alias).into(), self.text(alias));
            let value = self.db.symbols.levels.entries[at].value;
            let level = Sensitivity { name, alias: 1, value, ..Sensitivity::default() };
            self.db.symbols.levels.entries.push(level);
            let at = self.db.symbols.levels.entries.len() - 1;
            self.index[Kind::Levels as usize].insert(text, at);
            self.scope(Kind::Levels, text, DECLARED);
        }
    }

    fn category(&mut self, ident: Ident, aliases: Idents) {
        let at = self.declare_symbol(Kind::Categories, ident, |it, name| {
            append(&mut it.db.symbols.categories, |value| Category { name, value, alias: 0 })
        });
        let Some(at) = at else { return };
        for &alias in self.idents(aliases) {
            let (name, text) = (self.text(alias).into(), self.text(alias));
            let value = self.db.symbols.categories.entries[at].value;
            self.db.symbols.categories.entries.push(Category { name, value, alias: 1 });
            let at = self.db.symbols.categories.entries.len() - 1;
            self.index[Kind::Categories as usize].insert(text, at);
            self.scope(Kind::Categories, text, DECLARED);
        }
    }

    fn declare_type(&mut self, ident: Ident, flavor: Flavor) {
        let at = self.declare_symbol(Kind::Types, ident, |it, name| {
            append(&mut it.db.symbols.types, |value| Type {
                name,
                value,
                primary: 1,
                flavor,
                ..Type::default()
            })
        });
        self.expect_flavor(at, ident, flavor);
    }

    pub(super) fn expect_flavor(&mut self, at: Option<usize>, ident: Ident, flavor: Flavor) {
        let Some(at) = at else { return };
        let is = self.db.symbols.types.entries[at].flavor;
        if (is == Flavor::Attribute) != (flavor == Flavor::Attribute) {
            let name = self.text(ident);
            let message = format!("`{name}` is both a type and a type attribute");
            self.error(Code::WrongKind, ident.span, message);
        }
    }

    fn declare_aliases(&mut self, of: Ident, aliases: Idents) {
        if aliases.is_empty() {
            return;
        }
        let Some(primary) = self.type_value(of) else { return };
        for &alias in self.idents(aliases) {
            let known = self.index[Kind::Types as usize].contains_key(self.text(alias));
            // It shares the value of its type.
            let make = |it: &mut Self, name| {
                let alias = Type { name, value: primary, ..Type::default() };
                it.db.symbols.types.entries.push(alias);
                it.db.symbols.types.entries.len() - 1
            };
            if let (Some(at), true) = (self.declare_symbol(Kind::Types, alias, make), known) {
                // It was required before, as a type, and has a value of its own.
                let it = &mut self.db.symbols.types.entries[at];
                (it.flavor, it.primary) = (Flavor::Alias, primary);
            }
        }
    }

    fn declare_role(&mut self, ident: Ident, flavor: u32) {
        let at = self.declare_symbol(Kind::Roles, ident, |it, name| {
            append(&mut it.db.symbols.roles, |value| Role {
                name,
                value,
                flavor,
                ..Role::default()
            })
        });
        let Some(at) = at else { return };
        let name = self.text(ident);
        let role = &self.db.symbols.roles.entries[at];
        let (value, is) = (role.value, role.flavor);
        if is != flavor {
            let message = format!("`{name}` is both a role and a role attribute");
            return self.error(Code::WrongKind, ident.span, message);
        }
        let dominates = Ebitmap::from_bits([value - 1]);
        let role = self.local_role(name, value, flavor);
        role.dominates = role.dominates.union(&dominates);
    }

    pub(super) fn local_role(&mut self, name: &str, value: u32, flavor: u32) -> &mut Role {
        let new = || Role { name: name.into(), value, flavor, ..Role::default() };
        super::local_record(&mut self.local().roles, name, new)
    }

    /// Sensitivities have the values of their order in `dominance`.
    pub(super) fn number_levels(&mut self) {
        let mut rank = 0;
        let mut new: Vec<(u32, u32)> = Vec::new();
        for statement in &self.unit.statements {
            let StatementKind::Dominance(idents) = statement.kind else { continue };
            for &ident in self.idents(idents) {
                let Some(old) = self.value(Kind::Levels, ident) else { continue };
                if new.iter().any(|it| it.0 == old) {
                    let name = self.text(ident);
                    let message = format!("sensitivity `{name}` stands twice in the dominance");
                    self.error(Code::Redeclared, ident.span, message);
                    continue;
                }
                rank += 1;
                new.push((old, rank));
            }
        }
        self.check_ranks(&new);
        for level in &mut self.db.symbols.levels.entries {
            if let Some(it) = new.iter().find(|it| it.0 == level.value) {
                level.value = it.1;
            }
        }
    }

    /// All sensitivities that a base declares have a rank.
    fn check_ranks(&mut self, ranks: &[(u32, u32)]) {
        let declared = self.db.blocks[0].branches[0].declared.of(Kind::Levels);
        let missing = (self.db.symbols.levels.entries.iter())
            .filter(|it| {
                it.alias == 0 && it.value.checked_sub(1).is_some_and(|it| declared.contains(it))
            })
            .find(|level| ranks.iter().all(|it| it.0 != level.value));
        let Some(level) = missing else { return };
        let message = format!("sensitivity `{}` is missing in the dominance", level.name);
        let name = self.unit.names.get(&level.name);
        let of = |it: &&Statement| matches!(it.kind, StatementKind::Sensitivity { name: ident, .. } if Some(ident.name) == name);
        let span = self.unit.statements.iter().find(of).map_or(Span::NOWHERE, |it| it.span);
        let it = Diagnostic::error(Code::Incomplete, span, message);
        self.diagnostics.push(it.help("name it in the `dominance` statement, at its rank"));
    }
}
