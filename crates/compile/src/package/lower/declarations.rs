//! Symbols as statements: declarations, and what branches add to roles, types and users.

use mandate_policydb::Ebitmap;
use mandate_syntax::kernel::ast::{
    CategoryRange, ContextPart, DefaultRangeForm, DefaultSource, Ident, Idents, Level, MlsRange,
    RangePart, Slice, Statement, StatementKind,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Lowerer, small};
use crate::package::blocks::{Branch, DECLARED};
use crate::package::db::Db;
use crate::package::sets::{WrittenLevel, WrittenRange};
use crate::package::symbols::{
    EXPAND, Flavor, Kind, NEVERAUDIT, NO_EXPAND, PERMISSIVE, Record, Role, Symbols, TUNABLE, Table,
    User,
};

impl<'a> Lowerer<'a> {
    /// Classes and permissions of a base.
    pub(super) fn classes(&mut self, out: &mut Vec<Statement>) {
        let symbols = &self.db.symbols;
        let declared = declared(self.db, Kind::Classes);
        let mut classes: Vec<_> = symbols.classes.entries.iter().collect();
        classes.retain(|it| {
            declared.contains(&*it.name) && !self.is_disabled(Kind::Classes, it.value)
        });
        classes.sort_by_key(|it| it.value);
        for class in &classes {
            let name = self.word(&class.name);
            self.push(out, StatementKind::Class(name));
        }
        self.initial_sid_names(out);
        let mut commons: Vec<_> = symbols.commons.entries.iter().collect();
        commons.sort_by_key(|it| it.value);
        for common in commons {
            let name = self.word(&common.name);
            let permissions = self.permission_names(&common.permissions.list);
            self.push(out, StatementKind::Common { name, permissions });
        }
        for class in &classes {
            let name = self.word(&class.name);
            let inherits = class.common.as_deref().map(|it| self.word(it));
            if inherits.is_some() || !class.permissions.list.is_empty() {
                let permissions = self.permission_names(&class.permissions.list);
                let kind = StatementKind::AccessVector { class: name, inherits, permissions };
                self.push(out, kind);
            }
        }
        for class in &classes {
            let name = self.word(&class.name);
            self.defaults(name, class.defaults, out);
        }
    }

    fn permission_names(&mut self, list: &[crate::package::symbols::Permission]) -> Idents {
        let mut sorted: Vec<_> = list.iter().collect();
        sorted.sort_by_key(|it| it.value);
        let names: Vec<Ident> = sorted.into_iter().map(|it| self.word(&it.name)).collect();
        self.idents(names)
    }

    fn defaults(&mut self, class: Ident, defaults: [u32; 4], out: &mut Vec<Statement>) {
        let [user, role, range, type_] = defaults;
        let parts =
            [(ContextPart::User, user), (ContextPart::Role, role), (ContextPart::Type, type_)];
        for (part, number) in parts {
            let from = match number {
                1 => DefaultSource::Source,
                2 => DefaultSource::Target,
                _ => continue,
            };
            let classes = self.one(class);
            self.push(out, StatementKind::Default { part, classes, from });
        }
        let form = match range {
            1 => DefaultRangeForm::From(DefaultSource::Source, RangePart::Low),
            2 => DefaultRangeForm::From(DefaultSource::Source, RangePart::High),
            3 => DefaultRangeForm::From(DefaultSource::Source, RangePart::LowHigh),
            4 => DefaultRangeForm::From(DefaultSource::Target, RangePart::Low),
            5 => DefaultRangeForm::From(DefaultSource::Target, RangePart::High),
            6 => DefaultRangeForm::From(DefaultSource::Target, RangePart::LowHigh),
            7 => DefaultRangeForm::Glblub,
            _ => return,
        };
        let classes = self.one(class);
        self.push(out, StatementKind::DefaultRange { classes, form });
    }

    /// Sensitivities and categories of a base.
    pub(super) fn levels(&mut self, out: &mut Vec<Statement>) {
        let symbols = &self.db.symbols;
        let declared_levels = declared(self.db, Kind::Levels);
        let mut levels: Vec<_> = symbols.levels.entries.iter().collect();
        levels.retain(|it| declared_levels.contains(&*it.name));
        // Their order is said of itself: they are declared as they stand in the table.
        for it in levels.iter().filter(|it| it.alias == 0) {
            let name = self.word(&it.name);
            let aliases = levels.iter().filter(|other| other.alias != 0 && other.value == it.value);
            let aliases: Vec<Ident> = aliases.map(|it| self.word(&it.name)).collect();
            let aliases = self.idents(aliases);
            self.push(out, StatementKind::Sensitivity { name, aliases });
        }
        levels.sort_by_key(|it| (it.value, it.alias));
        let order: Vec<Ident> =
            levels.iter().filter(|it| it.alias == 0).map(|it| self.word(&it.name)).collect();
        if !order.is_empty() {
            let order = self.idents(order);
            self.push(out, StatementKind::Dominance(order));
        }
        let declared_categories = declared(self.db, Kind::Categories);
        let mut categories: Vec<_> = symbols.categories.entries.iter().collect();
        categories.retain(|it| declared_categories.contains(&*it.name));
        categories.sort_by_key(|it| (it.value, it.alias));
        for group in categories.chunk_by(|a, b| a.value == b.value) {
            let Some((first, aliases)) = group.split_first() else { continue };
            let name = self.word(&first.name);
            let aliases: Vec<Ident> = aliases.iter().map(|it| self.word(&it.name)).collect();
            let aliases = self.idents(aliases);
            self.push(out, StatementKind::Category { name, aliases });
        }
        for it in levels.iter().filter(|it| it.alias == 0) {
            let level = WrittenLevel::of(it.value, &it.categories);
            if let Some(level) = self.level(&level) {
                self.push(out, StatementKind::Level(level));
            }
        }
    }

    /// What a branch declares: types, roles, booleans. Users are declared by what is said of them.
    pub(super) fn declarations(&mut self, branch: &Branch, out: &mut Vec<Statement>) {
        let declared = self.declared.remove(&branch.id).unwrap_or_default();
        let mut of: FxHashMap<Kind, Vec<&'a str>> = FxHashMap::default();
        for (kind, at) in declared {
            let scope = &self.db.scopes[kind as usize][at as usize];
            of.entry(kind).or_default().push(&scope.name);
        }
        let mut names = |kind| of.remove(&kind).unwrap_or_default();
        let (types, roles) = (names(Kind::Types), names(Kind::Roles));
        let booleans = names(Kind::Booleans);
        self.declared_types(&types, out);
        self.declared_roles(&roles, out);
        self.declared_booleans(&booleans, out);
        if let Some(values) = self.flagged.remove(&branch.id) {
            self.flags(&values, out);
        }
    }

    fn declared_types(&mut self, names: &[&str], out: &mut Vec<Statement>) {
        let table = &self.db.symbols.types.entries;
        let by_name: FxHashMap<&str, usize> = if names.is_empty() {
            return;
        } else {
            table.iter().enumerate().map(|(at, it)| (&*it.name, at)).collect()
        };
        let mut found: Vec<usize> =
            names.iter().filter_map(|it| by_name.get(it)).copied().collect();
        // Aliases have no values of their own: they stand as in the table.
        found.sort_by_key(|&at| match table[at].alias_of() {
            None => (0, table[at].value as usize),
            Some(_) => (1, at),
        });
        for it in found.into_iter().map(|at| &table[at]) {
            let name = self.word(&it.name);
            let none = Idents::default();
            match it.alias_of() {
                _ if it.flavor == Flavor::Attribute => {
                    self.push(out, StatementKind::Attribute(name));
                }
                None => {
                    let kind = StatementKind::Type { name, aliases: none, attributes: none };
                    self.push(out, kind);
                }
                Some(of) if self.is_disabled(Kind::Types, of) => {}
                Some(of) => {
                    let Some(of) = self.name(Kind::Types, of) else { continue };
                    let aliases = self.one(name);
                    self.push(out, StatementKind::TypeAlias { name: of, aliases });
                }
            }
        }
    }

    fn declared_roles(&mut self, names: &[&str], out: &mut Vec<Statement>) {
        if names.is_empty() {
            return;
        }
        let table = by_name(&self.db.symbols.roles);
        let mut found: Vec<&Role> = names.iter().filter_map(|it| table.get(it).copied()).collect();
        found.sort_by_key(|it| it.value);
        for it in found.into_iter().filter(|it| &*it.name != mandate_policydb::OBJECT_R) {
            let name = self.word(&it.name);
            let kind = if it.is_attribute() {
                StatementKind::RoleAttribute(name)
            } else {
                StatementKind::Role { name, types: None, attributes: Idents::default() }
            };
            self.push(out, kind);
        }
    }

    fn declared_booleans(&mut self, names: &[&str], out: &mut Vec<Statement>) {
        if names.is_empty() {
            return;
        }
        let table = by_name(&self.db.symbols.booleans);
        let mut found: Vec<_> = names.iter().filter_map(|it| table.get(it).copied()).collect();
        found.sort_by_key(|it| it.value);
        for it in found {
            let name = self.word(&it.name);
            let (value, tunable) = (it.state != 0, it.flags & TUNABLE != 0);
            self.push(out, StatementKind::Boolean { name, value, tunable });
        }
    }

    /// What is said of a type wherever it is declared.
    fn flags(&mut self, values: &[u32], out: &mut Vec<Statement>) {
        let table = &self.db.symbols.types.entries;
        let wanted: Ebitmap = values.iter().filter_map(|it| it.checked_sub(1)).collect();
        let has = |it: &&crate::package::symbols::Type| it.flags != 0 && it.value > 0;
        for it in table.iter().filter(has).filter(|it| wanted.contains(it.value - 1)) {
            let value = it.alias_of().unwrap_or(it.value);
            if self.is_disabled(Kind::Types, value) || it.alias_of().is_some() {
                continue;
            }
            let name = self.word(&it.name);
            if it.flags & PERMISSIVE != 0 {
                self.push(out, StatementKind::Permissive(name));
            }
            if it.flags & NEVERAUDIT != 0 {
                self.push(out, StatementKind::NeverAudit(name));
            }
            if it.flags & (EXPAND | NO_EXPAND) != 0 {
                let (names, expand) = (self.one(name), it.flags & EXPAND != 0);
                self.push(out, StatementKind::ExpandAttribute { names, expand });
            }
        }
    }

    /// What a symbol table says beyond declarations.
    pub(super) fn additions(&mut self, symbols: &Symbols, out: &mut Vec<Statement>) {
        let entries = &symbols.types.entries;
        let attributes = entries.iter().filter(|it| it.flavor == Flavor::Attribute);
        let members = self.members(Kind::Types, attributes.map(|it| (it.value, &it.types)));
        for (name, attributes) in members {
            let attributes = self.idents(attributes);
            self.push(out, StatementKind::TypeAttribute { name, attributes });
        }
        let child = entries.iter().filter(|it| it.bounds != 0).map(|it| (it.value, it.bounds));
        for (child, parent) in self.bounds(Kind::Types, child) {
            let children = self.one(child);
            self.push(out, StatementKind::TypeBounds { parent, children });
        }
        self.added_roles(symbols, out);
        for user in &symbols.users.entries {
            self.user(user, out);
        }
        let users = symbols.users.entries.iter().filter(|it| it.bounds != 0);
        for (child, parent) in self.bounds(Kind::Users, users.map(|it| (it.value, it.bounds))) {
            self.push(out, StatementKind::UserBounds { parent, child });
        }
    }

    fn added_roles(&mut self, symbols: &Symbols, out: &mut Vec<Statement>) {
        let entries = &symbols.roles.entries;
        let attributes = entries.iter().filter(|it| it.is_attribute());
        let members = self.members(Kind::Roles, attributes.map(|it| (it.value, &it.roles)));
        for (name, attributes) in members {
            let attributes = self.idents(attributes);
            self.push(out, StatementKind::RoleAttributeSet { name, attributes });
        }
        for role in entries {
            if self.is_disabled(Kind::Roles, role.value) || role.value == 0 {
                continue;
            }
            let others = role.dominates.iter().filter(|&it| it != role.value - 1).collect();
            let dominated = self.bits(Kind::Roles, &others);
            let types = self.type_set(&role.types, None);
            if dominated.is_empty() && types.is_none() {
                continue;
            }
            let Some(name) = self.name(Kind::Roles, role.value) else { continue };
            if types.is_some() {
                let attributes = Idents::default();
                self.push(out, StatementKind::Role { name, types, attributes });
            }
            if !dominated.is_empty() {
                let dominated = self.idents(dominated);
                self.push(out, StatementKind::RoleDominance { name, dominated });
            }
        }
        let bounded = entries.iter().filter(|it| it.bounds != 0);
        for (child, parent) in self.bounds(Kind::Roles, bounded.map(|it| (it.value, it.bounds))) {
            self.push(out, StatementKind::RoleBounds { parent, child });
        }
    }

    /// The attributes of each member, in the order of the members' values.
    fn members<'b>(
        &mut self,
        kind: Kind,
        attributes: impl Iterator<Item = (u32, &'b Ebitmap)>,
    ) -> Vec<(Ident, Vec<Ident>)> {
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for (attribute, members) in attributes {
            if !self.is_disabled(kind, attribute) {
                pairs.extend(members.iter().filter_map(|it| Some((it.checked_add(1)?, attribute))));
            }
        }
        pairs.retain(|it| !self.is_disabled(kind, it.0));
        pairs.sort_unstable();
        let mut list = Vec::new();
        for group in pairs.chunk_by(|a, b| a.0 == b.0) {
            let Some(name) = self.name(kind, group[0].0) else { continue };
            let attributes = group.iter().filter_map(|it| self.name(kind, it.1)).collect();
            list.push((name, attributes));
        }
        list
    }

    /// Child and parent, where both are there.
    fn bounds(
        &mut self,
        kind: Kind,
        pairs: impl Iterator<Item = (u32, u32)>,
    ) -> Vec<(Ident, Ident)> {
        let mut list = Vec::new();
        for (child, parent) in pairs {
            if self.is_disabled(kind, child) || self.is_disabled(kind, parent) {
                continue;
            }
            if let (Some(child), Some(parent)) = (self.name(kind, child), self.name(kind, parent)) {
                list.push((child, parent));
            }
        }
        list
    }

    fn user(&mut self, user: &User, out: &mut Vec<Statement>) {
        if self.is_disabled(Kind::Users, user.value) {
            return;
        }
        let Some(roles) = self.role_set(&user.roles) else { return };
        let Some(name) = self.name(Kind::Users, user.value) else { return };
        let mls = self.db.mls();
        let level = if mls { self.level(&user.level).map(Box::new) } else { None };
        let range = if mls { self.range(&user.range).map(Box::new) } else { None };
        self.push(out, StatementKind::User { name, roles, level, range });
    }

    /// A level; none without a sensitivity.
    pub(super) fn level(&mut self, level: &WrittenLevel) -> Option<Level> {
        if level.sensitivity == 0 {
            return None;
        }
        let sensitivity = self.name(Kind::Levels, level.sensitivity)?;
        let start = small(self.unit.category_ranges.len());
        let mut ranges = Vec::new();
        for &[low, high] in &level.categories {
            let low = self.name(Kind::Categories, low)?;
            let high = self.name(Kind::Categories, high)?;
            ranges.push(CategoryRange { low, high });
        }
        self.unit.category_ranges.extend(ranges);
        let end = small(self.unit.category_ranges.len());
        Some(Level { sensitivity, categories: Slice { start, end } })
    }

    pub(super) fn range(&mut self, range: &WrittenRange) -> Option<MlsRange> {
        let (low, high) = (self.level(&range.low)?, self.level(&range.high)?);
        Some(MlsRange { low, high, span: self.span })
    }
}

fn by_name<T: Record>(table: &Table<T>) -> FxHashMap<&str, &T> {
    table.entries.iter().map(|it| (it.name(), it)).collect()
}

/// The names that some branch declares: a base may require what it does not declare.
fn declared(db: &Db, kind: Kind) -> FxHashSet<&str> {
    let scopes = db.scopes[kind as usize].iter().filter(|it| it.scope == DECLARED);
    scopes.map(|it| &*it.name).collect()
}
