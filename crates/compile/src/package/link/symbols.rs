//! Symbols of a module or of one of its branches: found in the base or added to it.

use mandate_syntax::codes::Code;

use super::Linker;
use crate::package::db::Db;
use crate::package::symbols::{
    Boolean, Class, Flavor, Kind, Permission, Role, Symbols, TUNABLE, Table, Type, User,
};

/// Appends a record with the next value; where it is.
fn append<T>(table: &mut Table<T>, make: impl FnOnce(u32) -> T) -> usize {
    table.nprim += 1;
    table.entries.push(make(table.nprim));
    table.entries.len() - 1
}

impl Linker {
    /// Copies what the tables say into the base, or into `added`, which a branch adds to it.
    pub(super) fn symbols(&mut self, from: &Symbols, module: &Db, added: Option<&mut Symbols>) {
        from.classes.entries.iter().for_each(|it| self.class(it));
        let mut none = Symbols::default();
        let local = added.is_some();
        let added = added.unwrap_or(&mut none);
        from.roles.entries.iter().for_each(|it| self.role(it, added));
        from.types.entries.iter().for_each(|it| self.type_(it, added));
        from.users.entries.iter().for_each(|it| self.user(it, added));
        from.booleans.entries.iter().for_each(|it| self.boolean(it));
        self.levels(from);
        from.types.entries.iter().for_each(|it| self.alias(it, module));
        self.bounds(from, added, local);
        self.fill(from, added, local);
    }

    fn is_declared(&self, kind: Kind, name: &str) -> bool {
        self.map.declared[kind as usize].contains(name)
    }

    fn class(&mut self, class: &Class) {
        let known = self.index[Kind::Classes as usize].get(&class.name).copied();
        let at = match known {
            Some(at) => at,
            None if self.is_declared(Kind::Classes, &class.name) => {
                let message = format!(
                    "module `{}` declares class `{}`, which only a base may do",
                    self.name, class.name
                );
                return self.error(Code::BadModuleSet, message);
            }
            None => {
                let name = class.name.clone();
                let at = append(&mut self.base.symbols.classes, |value| Class {
                    name,
                    value,
                    ..Class::default()
                });
                self.index[Kind::Classes as usize].insert(class.name.clone(), at);
                at
            }
        };
        self.class_defaults(class, at);
        let value = self.base.symbols.classes.entries[at].value;
        self.set(Kind::Classes, class.value, value);
        for permission in &class.permissions.list {
            self.permission(class, at, permission, known.is_none());
        }
    }

    fn permission(&mut self, class: &Class, at: usize, permission: &Permission, new: bool) {
        let known = &mut self.base.symbols.classes.entries[at];
        let common = known.common.as_deref();
        let inherited =
            || self.base.symbols.commons.find(common?)?.permissions.value(&permission.name);
        let value = known.permissions.value(&permission.name).or_else(inherited);
        let value = match value {
            Some(value) => value,
            None if new && known.permissions.nprim < 32 => {
                known.permissions.nprim += 1;
                let (name, value) = (permission.name.clone(), known.permissions.nprim);
                known.permissions.list.push(Permission { name, value });
                value
            }
            None => {
                let message = format!(
                    "module `{}` requires permission `{}` of class `{}`, which the base does not have",
                    self.name, permission.name, class.name
                );
                return self.error(Code::UnmetRequire, message);
            }
        };
        let slots = self.map.permissions.get_mut((class.value as usize).wrapping_sub(1));
        let bit = (permission.value as usize).wrapping_sub(1);
        if let Some(slot) = slots.and_then(|it| it.get_mut(bit)) {
            *slot = value;
        }
    }

    fn class_defaults(&mut self, class: &Class, at: usize) {
        let words = ["user", "role", "range", "type"];
        for (part, &new) in class.defaults.iter().enumerate() {
            let slot = &mut self.base.symbols.classes.entries[at].defaults[part];
            match *slot {
                _ if new == 0 => {}
                0 => *slot = new,
                old if old == new => {}
                _ => {
                    let message = format!(
                        "module `{}` gives class `{}` another default_{} than the base",
                        self.name, class.name, words[part]
                    );
                    self.error(Code::ConflictingRule, message);
                }
            }
        }
    }

    fn set(&mut self, kind: Kind, from: u32, to: u32) {
        let map = &mut self.map.symbols[kind as usize];
        if let Some(slot) = map.get_mut((from as usize).wrapping_sub(1)) {
            *slot = to;
        }
    }

    fn wrong_kind(&mut self, name: &str, expected: &str, is: &str) {
        let message =
            format!("module `{}` takes `{name}` for {expected}, but it is {is}", self.name);
        self.error(Code::WrongKind, message);
    }

    fn role(&mut self, role: &Role, added: &mut Symbols) {
        let known = self.index[Kind::Roles as usize].get(&role.name).copied();
        let at = match known {
            Some(at) => {
                match (role.is_attribute(), self.base.symbols.roles.entries[at].is_attribute()) {
                    (true, false) => self.wrong_kind(&role.name, "a role attribute", "a role"),
                    (false, true) => self.wrong_kind(&role.name, "a role", "a role attribute"),
                    _ => {}
                }
                at
            }
            None => {
                let (name, flavor) = (role.name.clone(), role.flavor);
                let at = append(&mut self.base.symbols.roles, |value| Role {
                    name,
                    value,
                    flavor,
                    ..Role::default()
                });
                self.index[Kind::Roles as usize].insert(role.name.clone(), at);
                at
            }
        };
        let known = &self.base.symbols.roles.entries[at];
        let (name, value, flavor) = (known.name.clone(), known.value, known.flavor);
        added.roles.nprim += 1;
        added.roles.entries.push(Role { name, value, flavor, ..Role::default() });
        self.set(Kind::Roles, role.value, value);
    }

    fn type_(&mut self, type_: &Type, added: &mut Symbols) {
        if type_.alias_of().is_some() && type_.flavor != Flavor::Attribute {
            return;
        }
        let known = self.index[Kind::Types as usize].get(&type_.name).copied();
        let at = match known {
            Some(at) => {
                let is = self.base.symbols.types.entries[at].flavor;
                match (type_.flavor == Flavor::Attribute, is == Flavor::Attribute) {
                    (true, false) => self.wrong_kind(&type_.name, "a type attribute", "a type"),
                    (false, true) => self.wrong_kind(&type_.name, "a type", "a type attribute"),
                    _ => {}
                }
                self.base.symbols.types.entries[at].flags |= type_.flags;
                at
            }
            None => {
                let (name, primary) = (type_.name.clone(), type_.primary);
                let (flags, flavor) = (type_.flags, type_.flavor);
                let at = append(&mut self.base.symbols.types, |value| Type {
                    name,
                    value,
                    primary,
                    flags,
                    flavor,
                    ..Type::default()
                });
                self.index[Kind::Types as usize].insert(type_.name.clone(), at);
                at
            }
        };
        let known = &self.base.symbols.types.entries[at];
        // What an alias stands for, not the alias itself.
        let value = known.alias_of().filter(|_| known.flavor == Flavor::Alias);
        let value = value.unwrap_or(known.value);
        let (name, primary) = (type_.name.clone(), type_.primary);
        let (flags, flavor) = (type_.flags, type_.flavor);
        added.types.nprim += 1;
        let entry = Type { name, value: known.value, primary, flags, flavor, ..Type::default() };
        added.types.entries.push(entry);
        self.set(Kind::Types, type_.value, value);
    }

    /// Aliases come once all types are there.
    fn alias(&mut self, alias: &Type, module: &Db) {
        let Some(of) = alias.alias_of().filter(|_| alias.flavor != Flavor::Attribute) else {
            return;
        };
        let target =
            (of as usize).checked_sub(1).and_then(|at| self.map.primaries.get(at).copied());
        let target = target.and_then(|at| module.symbols.types.entries.get(at));
        let target = target.and_then(|it| self.index[Kind::Types as usize].get(&it.name));
        let Some(&target) = target else {
            let message = format!(
                "module `{}` has an alias `{}` of a type that it does not have",
                self.name, alias.name
            );
            return self.error(Code::BadPackage, message);
        };
        let target = &mut self.base.symbols.types.entries[target];
        target.flags |= alias.flags;
        let (primary, flags) = (target.value, target.flags);
        match self.index[Kind::Types as usize].get(&alias.name).copied() {
            None => {
                let (name, flavor) = (alias.name.clone(), Flavor::Alias);
                let at = append(&mut self.base.symbols.types, |value| Type {
                    name,
                    value,
                    primary,
                    flags,
                    flavor,
                    ..Type::default()
                });
                self.index[Kind::Types as usize].insert(alias.name.clone(), at);
            }
            Some(at) => {
                let known = &mut self.base.symbols.types.entries[at];
                match known.flavor {
                    Flavor::Attribute => {
                        return self.wrong_kind(&alias.name, "a type", "a type attribute");
                    }
                    // Another module required it as a type.
                    Flavor::Type => {
                        known.flavor = Flavor::Alias;
                        known.primary = primary;
                        known.flags |= flags;
                    }
                    Flavor::Alias => {}
                }
            }
        }
        if alias.flavor == Flavor::Alias {
            self.set(Kind::Types, alias.value, primary);
        }
    }

    fn user(&mut self, user: &User, added: &mut Symbols) {
        let known = self.index[Kind::Users as usize].get(&user.name).copied();
        let at = known.unwrap_or_else(|| {
            let name = user.name.clone();
            let at = append(&mut self.base.symbols.users, |value| User {
                name,
                value,
                ..User::default()
            });
            self.index[Kind::Users as usize].insert(user.name.clone(), at);
            at
        });
        let value = self.base.symbols.users.entries[at].value;
        added.users.nprim += 1;
        added.users.entries.push(User { name: user.name.clone(), value, ..User::default() });
        self.set(Kind::Users, user.value, value);
    }

    fn boolean(&mut self, boolean: &Boolean) {
        let known = self.index[Kind::Booleans as usize].get(&boolean.name).copied();
        let at = match known {
            Some(at) => {
                let is = self.base.symbols.booleans.entries[at].flags & TUNABLE != 0;
                match (boolean.flags & TUNABLE != 0, is) {
                    (true, false) => self.wrong_kind(&boolean.name, "a tunable", "a boolean"),
                    (false, true) => self.wrong_kind(&boolean.name, "a boolean", "a tunable"),
                    _ => {}
                }
                at
            }
            None => {
                let at = append(&mut self.base.symbols.booleans, |value| Boolean {
                    value,
                    ..boolean.clone()
                });
                self.index[Kind::Booleans as usize].insert(boolean.name.clone(), at);
                at
            }
        };
        let declared = self.is_declared(Kind::Booleans, &boolean.name);
        let known = &mut self.base.symbols.booleans.entries[at];
        if declared {
            (known.state, known.flags) = (boolean.state, boolean.flags);
        }
        let value = known.value;
        self.set(Kind::Booleans, boolean.value, value);
    }

    /// A module can require levels, but not declare them.
    fn levels(&mut self, from: &Symbols) {
        for it in &from.levels.entries {
            match self.index[Kind::Levels as usize].get(&it.name) {
                Some(&at) => {
                    let value = self.base.symbols.levels.entries[at].value;
                    self.set(Kind::Levels, it.value, value);
                }
                None => self.no_level("sensitivity", &it.name),
            }
        }
        for it in &from.categories.entries {
            match self.index[Kind::Categories as usize].get(&it.name) {
                Some(&at) => {
                    let value = self.base.symbols.categories.entries[at].value;
                    self.set(Kind::Categories, it.value, value);
                }
                None => self.no_level("category", &it.name),
            }
        }
    }

    fn no_level(&mut self, what: &str, name: &str) {
        let message = format!(
            "module `{}` requires {what} `{name}`, which the base does not declare",
            self.name
        );
        self.error(Code::UnmetRequire, message);
    }
}
