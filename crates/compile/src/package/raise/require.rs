//! What a module requires: symbols that another declares.

use mandate_policydb::Ebitmap;
use mandate_syntax::codes::Code;
use mandate_syntax::kernel::ast::{Ident, Idents, Require, RequireKind};

use super::Raiser;
use super::declare::append;
use crate::package::symbols::{
    Boolean, Category, Class, Flavor, Kind, Permission, Role, Sensitivity, TUNABLE, Type, User,
};

impl Raiser<'_> {
    pub(super) fn require(&mut self, require: &Require) {
        let ident = require.name;
        match require.kind {
            RequireKind::Class => self.require_class(ident, require.permissions),
            RequireKind::Role | RequireKind::RoleAttribute => {
                let flavor = u32::from(require.kind == RequireKind::RoleAttribute);
                let at = self.require_symbol(Kind::Roles, ident, |it, name| {
                    append(&mut it.db.symbols.roles, |value| Role {
                        name,
                        value,
                        flavor,
                        ..Role::default()
                    })
                });
                if self.db.symbols.roles.entries[at].flavor != flavor {
                    let name = self.text(ident);
                    let message = format!("`{name}` is both a role and a role attribute");
                    self.error(Code::WrongKind, ident.span, message);
                }
            }
            RequireKind::Type | RequireKind::Attribute => {
                let flavor = match require.kind {
                    RequireKind::Attribute => Flavor::Attribute,
                    _ => Flavor::Type,
                };
                let at = self.require_symbol(Kind::Types, ident, |it, name| {
                    append(&mut it.db.symbols.types, |value| Type {
                        name,
                        value,
                        primary: 1,
                        flavor,
                        ..Type::default()
                    })
                });
                self.expect_flavor(Some(at), ident, flavor);
            }
            RequireKind::User => {
                self.require_symbol(Kind::Users, ident, |it, name| {
                    append(&mut it.db.symbols.users, |value| User {
                        name,
                        value,
                        ..User::default()
                    })
                });
            }
            RequireKind::Boolean | RequireKind::Tunable => {
                let flags = if require.kind == RequireKind::Tunable { TUNABLE } else { 0 };
                self.require_symbol(Kind::Booleans, ident, |it, name| {
                    append(&mut it.db.symbols.booleans, |value| Boolean {
                        name,
                        value,
                        state: 0,
                        flags,
                    })
                });
            }
            RequireKind::Sensitivity => {
                self.require_symbol(Kind::Levels, ident, |it, name| {
                    append(&mut it.db.symbols.levels, |value| Sensitivity {
                        name,
                        value,
                        ..Sensitivity::default()
                    })
                });
            }
            RequireKind::Category => {
                self.require_symbol(Kind::Categories, ident, |it, name| {
                    append(&mut it.db.symbols.categories, |value| Category {
                        name,
                        value,
                        alias: 0,
                    })
                });
            }
        }
    }

    fn require_class(&mut self, ident: Ident, permissions: Idents) {
        let at = self.require_symbol(Kind::Classes, ident, |it, name| {
            append(&mut it.db.symbols.classes, |value| Class { name, value, ..Class::default() })
        });
        let mut bits = Ebitmap::new();
        for &permission in self.idents(permissions) {
            let name = self.text(permission);
            let symbols = &mut self.db.symbols;
            let class = &mut symbols.classes.entries[at];
            let common = class.common.as_deref().and_then(|it| symbols.commons.find(it));
            let known = class.permissions.value(name);
            let known = known.or_else(|| common?.permissions.value(name));
            let value = match known {
                Some(value) => value,
                None if self.options.base => {
                    let message = format!("class `{}` has no permission `{name}`", class.name);
                    self.error(Code::UnknownPermission, permission.span, message);
                    continue;
                }
                None if class.permissions.nprim == 32 => {
                    let message = format!("class `{}` has more than 32 permissions", class.name);
                    self.error(Code::TooMany, permission.span, message);
                    continue;
                }
                None => {
                    class.permissions.nprim += 1;
                    let (name, value) = (name.into(), class.permissions.nprim);
                    class.permissions.list.push(Permission { name, value });
                    value
                }
            };
            bits.insert(value - 1);
        }
        let class = self.db.symbols.classes.entries[at].value as usize;
        let required = &mut self.branch().required.permissions;
        if required.len() < class {
            required.resize(class, Ebitmap::new());
        }
        required[class - 1] = required[class - 1].union(&bits);
    }
}
