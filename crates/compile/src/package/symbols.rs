//! The symbol tables of a module: those of the whole module, and those of a block, which hold what the block adds to symbols.

use std::io;

use mandate_policydb::wire::{ReadError, Reader, Writer};
use mandate_policydb::{Constraint, Ebitmap, PolicyVersion};

use super::form::{Form, ModuleVersion};
use super::sets::{RoleSet, TypeSet, WrittenLevel, WrittenRange};

/// The kinds of symbols, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub(crate) enum Kind {
    Commons,
    Classes,
    Roles,
    Types,
    Users,
    Booleans,
    Levels,
    Categories,
}

impl Kind {
    pub(crate) const COUNT: usize = 8;
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Commons,
        Self::Classes,
        Self::Roles,
        Self::Types,
        Self::Users,
        Self::Booleans,
        Self::Levels,
        Self::Categories,
    ];

    /// What such a symbol is called.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Commons => "common",
            Self::Classes => "class",
            Self::Roles => "role",
            Self::Types => "type/attribute",
            Self::Users => "user",
            Self::Booleans => "bool",
            Self::Levels => "level",
            Self::Categories => "category",
        }
    }
}

/// Symbols of one kind, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table<T> {
    /// The highest value; of a block's table, how many were added.
    pub(crate) nprim: u32,
    pub(crate) entries: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { nprim: 0, entries: Vec::new() }
    }
}

/// A record of a symbol table.
pub(crate) trait Record: Sized {
    fn name(&self) -> &str;
    fn value(&self) -> u32;
    fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError>;
    fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()>;
    /// Is it left out at this version?
    fn is_left_out(&self, _form: Form) -> bool {
        false
    }
}

macro_rules! named {
    ($value:ident) => {
        fn name(&self) -> &str {
            &self.name
        }
        fn value(&self) -> u32 {
            self.$value
        }
    };
}

/// Types and classes are 16 bits wide in rules.
const MOST: u32 = 0xffff;

impl<T: Record> Table<T> {
    fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let at = r.offset();
        let nprim = r.u32()?;
        if nprim > MOST {
            return Err(ReadError::expected(at, "at most 65535 symbols of a kind", nprim));
        }
        let entries = r.list(8, |r| {
            let at = r.offset();
            let entry = T::read(r, form)?;
            match entry.value() {
                0..=MOST => Ok(entry),
                value => Err(ReadError::expected(at, "a symbol value of at most 65535", value)),
            }
        })?;
        Ok(Self { nprim, entries })
    }

    fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        w.u32(self.nprim)?;
        w.count(self.entries.iter().filter(|it| !it.is_left_out(form)).count())?;
        (self.entries.iter().filter(|it| !it.is_left_out(form)))
            .try_for_each(|it| it.write(w, form))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&T> {
        self.entries.iter().find(|it| it.name() == name)
    }

    /// Names by value − 1.
    pub(crate) fn names(&self) -> Vec<Option<&str>> {
        let mut names = vec![None; self.nprim as usize];
        for entry in &self.entries {
            let at = (entry.value() as usize).wrapping_sub(1);
            if let Some(slot) = names.get_mut(at) {
                *slot = slot.or(Some(entry.name()));
            }
        }
        names
    }
}

/// All symbol tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Symbols {
    pub(crate) commons: Table<Common>,
    pub(crate) classes: Table<Class>,
    pub(crate) roles: Table<Role>,
    pub(crate) types: Table<Type>,
    pub(crate) users: Table<User>,
    pub(crate) booleans: Table<Boolean>,
    pub(crate) levels: Table<Sensitivity>,
    pub(crate) categories: Table<Category>,
}

impl Symbols {
    pub(crate) fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let section = |section: &'static str| move |it: ReadError| ReadError { section, ..it };
        Ok(Self {
            commons: Table::read(r, form).map_err(section("commons"))?,
            classes: Table::read(r, form).map_err(section("classes"))?,
            roles: Table::read(r, form).map_err(section("roles"))?,
            types: Table::read(r, form).map_err(section("types"))?,
            users: Table::read(r, form).map_err(section("users"))?,
            booleans: Table::read(r, form).map_err(section("booleans"))?,
            levels: Table::read(r, form).map_err(section("sensitivities"))?,
            categories: Table::read(r, form).map_err(section("categories"))?,
        })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        self.commons.write(w, form)?;
        self.classes.write(w, form)?;
        self.roles.write(w, form)?;
        self.types.write(w, form)?;
        self.users.write(w, form)?;
        self.booleans.write(w, form)?;
        self.levels.write(w, form)?;
        self.categories.write(w, form)
    }

    /// All symbols of a kind by name and value, without aliases that share a value.
    pub(crate) fn each<'a>(&'a self, kind: Kind, mut found: impl FnMut(&'a str, u32)) {
        match kind {
            Kind::Types => {
                let own = self.types.entries.iter().filter(|it| it.primary != 0);
                own.for_each(|it| found(&it.name, it.value));
            }
            Kind::Levels => {
                let own = self.levels.entries.iter().filter(|it| it.alias == 0);
                own.for_each(|it| found(&it.name, it.value));
            }
            Kind::Categories => {
                let own = self.categories.entries.iter().filter(|it| it.alias == 0);
                own.for_each(|it| found(&it.name, it.value));
            }
            _ => {
                for (name, value) in self.names(kind).into_iter().zip(1..) {
                    if let Some(name) = name {
                        found(name, value);
                    }
                }
            }
        }
    }

    /// Names by value − 1.
    pub(crate) fn names(&self, kind: Kind) -> Vec<Option<&str>> {
        match kind {
            Kind::Commons => self.commons.names(),
            Kind::Classes => self.classes.names(),
            Kind::Roles => self.roles.names(),
            Kind::Types => self.types.names(),
            Kind::Users => self.users.names(),
            Kind::Booleans => self.booleans.names(),
            Kind::Levels => self.levels.names(),
            Kind::Categories => self.categories.names(),
        }
    }
}

/// A permission: its bit, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) name: Box<str>,
    pub(crate) value: u32,
}

/// The permissions of a common or class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Permissions {
    pub(crate) nprim: u32,
    pub(crate) list: Vec<Permission>,
}

impl Permissions {
    fn read(&mut self, r: &mut Reader<'_>, count: u32) -> Result<(), ReadError> {
        if count > 32 {
            return Err(ReadError::expected(r.offset(), "at most 32 permissions", count));
        }
        for _ in 0..count {
            let length = r.u32()?;
            let at = r.offset();
            let value = r.u32()?;
            if !(1..=32).contains(&value) {
                return Err(ReadError::expected(at, "a permission value of 1 to 32", value));
            }
            self.list.push(Permission { name: r.text(length)?, value });
        }
        Ok(())
    }

    fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        for it in &self.list {
            w.count(it.name.len())?;
            w.u32(it.value)?;
            w.bytes(it.name.as_bytes())?;
        }
        Ok(())
    }

    pub(crate) fn value(&self, name: &str) -> Option<u32> {
        self.list.iter().find(|it| &*it.name == name).map(|it| it.value)
    }
}

/// Permissions that classes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Common {
    pub(crate) name: Box<str>,
    pub(crate) value: u32,
    pub(crate) permissions: Permissions,
}

impl Record for Common {
    named!(value);

    fn read(r: &mut Reader<'_>, _: Form) -> Result<Self, ReadError> {
        let [length, value, nprim, count] = r.u32s()?;
        let name = r.text(length)?;
        let mut permissions = Permissions { nprim, list: Vec::new() };
        permissions.read(r, count)?;
        Ok(Self { name, value, permissions })
    }

    fn write(&self, w: &mut Writer<'_>, _: Form) -> io::Result<()> {
        w.count(self.name.len())?;
        w.u32s(&[self.value, self.permissions.nprim])?;
        w.count(self.permissions.list.len())?;
        w.bytes(self.name.as_bytes())?;
        self.permissions.write(w)
    }
}

/// An object class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) name: Box<str>,
    pub(crate) value: u32,
    pub(crate) common: Option<Box<str>>,
    pub(crate) permissions: Permissions,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) validatetrans: Vec<Constraint>,
    /// User, role, range, type: numbers as on the wire, 0 is none.
    pub(crate) defaults: [u32; 4],
}

/// The constraints of modules hold the sets as written at every version.
const CONSTRAINTS: PolicyVersion = PolicyVersion::CONSTRAINT_NAMES;

impl Record for Class {
    named!(value);

    fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let [length, common_length, value, nprim, count, constraints] = r.u32s()?;
        let name = r.text(length)?;
        let common = (common_length != 0).then(|| r.text(common_length)).transpose()?;
        let mut class = Self { name, value, common, ..Self::default() };
        class.permissions.nprim = nprim;
        class.permissions.read(r, count)?;
        class.constraints = Constraint::read_list(r, constraints, CONSTRAINTS)?;
        if form.base_has(ModuleVersion::MLS) {
            let count = r.u32()?;
            class.validatetrans = Constraint::read_list(r, count, CONSTRAINTS)?;
        }
        let at = r.offset();
        if form.base_has(ModuleVersion::OBJECT_DEFAULTS) {
            let [user, role, range] = r.u32s()?;
            class.defaults = [user, role, range, 0];
        }
        if form.base_has(ModuleVersion::DEFAULT_TYPE) {
            class.defaults[3] = r.u32()?;
        }
        let [user, role, range, type_] = class.defaults;
        if user > 2 || role > 2 || type_ > 2 || range > 7 {
            let found = user.max(role).max(type_).max(range);
            return Err(ReadError::expected(at, "a default of an object class", found));
        }
        Ok(class)
    }

    fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        let common = self.common.as_deref().unwrap_or_default();
        w.count(self.name.len())?;
        w.count(common.len())?;
        w.u32s(&[self.value, self.permissions.nprim])?;
        w.count(self.permissions.list.len())?;
        w.count(self.constraints.len())?;
        w.bytes(self.name.as_bytes())?;
        w.bytes(common.as_bytes())?;
        self.permissions.write(w)?;
        Constraint::write_list(w, &self.constraints, CONSTRAINTS)?;
        if form.base_has(ModuleVersion::MLS) {
            w.count(self.validatetrans.len())?;
            Constraint::write_list(w, &self.validatetrans, CONSTRAINTS)?;
        }
        if form.base_has(ModuleVersion::OBJECT_DEFAULTS) {
            w.u32s(&self.defaults[..3])?;
        }
        if form.base_has(ModuleVersion::DEFAULT_TYPE) {
            w.u32(self.defaults[3])?;
        }
        Ok(())
    }
}

/// A role or role attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) name: Box<str>,
    pub(crate) value: u32,
    pub(crate) bounds: u32,
    pub(crate) dominates: Ebitmap,
    pub(crate) types: TypeSet,
    /// 1: an attribute.
    pub(crate) flavor: u32,
    /// The roles of an attribute.
    pub(crate) roles: Ebitmap,
}

impl Role {
    pub(crate) fn is_attribute(&self) -> bool {
        self.flavor == 1
    }
}

impl Record for Role {
    named!(value);

    fn is_left_out(&self, form: Form) -> bool {
        self.is_attribute() && !form.has(ModuleVersion::ROLE_ATTRIBUTES)
    }

    fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let [length, value] = r.u32s()?;
        let bounds = if form.has(ModuleVersion::BOUNDARY) { r.u32()? } else { 0 };
        let name = r.text(length)?;
        let (dominates, types) = (Ebitmap::read(r)?, TypeSet::read(r)?);
        let mut role = Self { name, value, bounds, dominates, types, ..Self::default() };
        if form.has(ModuleVersion::ROLE_ATTRIBUTES) {
            role.flavor = r.u32()?;
            role.roles = Ebitmap::read(r)?;
        }
        Ok(role)
    }

    fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        w.count(self.name.len())?;
        w.u32(self.value)?;
        if form.has(ModuleVersion::BOUNDARY) {
            w.u32(self.bounds)?;
        }
        w.bytes(self.name.as_bytes())?;
        self.dominates.write(w)?;
        self.types.write(w)?;
        if form.has(ModuleVersion::ROLE_ATTRIBUTES) {
            w.u32(self.flavor)?;
            self.roles.write(w)?;
        }
        Ok(())
    }
}

/// What a type symbol is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Flavor {
    #[default]
    Type,
    Attribute,
    /// A name with a value of its own for another type.
    Alias,
}

/// `permissive`.
pub(crate) const PERMISSIVE: u32 = 1;
/// `expandattribute … true`.
pub(crate) const EXPAND: u32 = 2;
/// `expandattribute … false`.
pub(crate) const NO_EXPAND: u32 = 4;
/// `neveraudit`.
pub(crate) const NEVERAUDIT: u32 = 8;

/// A type, attribute or alias.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) name: Box<str>,
    pub(crate) value: u32,
    /// Of an alias the value of its type; else 1, or 0 for an alias that shares its type's value.
    pub(crate) primary: u32,
    pub(crate) flavor: Flavor,
    pub(crate) flags: u32,
    pub(crate) bounds: u32,
    /// The members of an attribute.
    pub(crate) types: Ebitmap,
}

impl Type {
    /// The value of the type that this is another name of.
    pub(crate) fn alias_of(&self) -> Option<u32> {
        match self.flavor {
            Flavor::Alias => Some(self.primary),
            Flavor::Type if self.primary == 0 => Some(self.value),
            _ => None,
        }
    }

    fn properties(&self, form: Form) -> u32 {
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        let neveraudit = self.flags & NEVERAUDIT != 0 && form.has(ModuleVersion::NEVERAUDIT);
        bit(self.primary != 0, 1)
            | bit(self.flavor == Flavor::Attribute, 2)
            | bit(self.flavor == Flavor::Alias, 4)
            | bit(self.flags & PERMISSIVE != 0, 8)
            | bit(neveraudit, 16)
    }

    fn set_properties(&mut self, properties: u32) {
        self.flavor = match properties & 6 {
            0 => Flavor::Type,
            2 => Flavor::Attribute,
            _ => Flavor::Alias,
        };
        let flag = |bit: u32, flag: u32| if properties & bit != 0 { flag } else { 0 };
        self.flags = flag(8, PERMISSIVE) | flag(16, NEVERAUDIT);
    }
}

impl Record for Type {
    named!(value);

    fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let mut type_ = Self { value: r.u32()?, ..Self::default() };
        if form.has(ModuleVersion::BOUNDARY) {
            let primary = form.has(ModuleVersion::BOUNDARY_ALIAS).then(|| r.u32()).transpose()?;
            let properties = r.u32()?;
            type_.set_properties(properties);
            type_.primary = primary.unwrap_or(properties & 1);
            type_.bounds = r.u32()?;
        } else {
            type_.primary = r.u32()?;
            let at = r.offset();
            type_.flavor = match r.u32()? {
                0 => Flavor::Type,
                1 => Flavor::Attribute,
                2 => Flavor::Alias,
                other => return Err(ReadError::expected(at, "a kind of type of 0 to 2", other)),
            };
            if form.has(ModuleVersion::PERMISSIVE) {
                type_.flags = r.u32()?;
            }
        }
        type_.types = Ebitmap::read(r)?;
        type_.name = r.text(length)?;
        Ok(type_)
    }

    fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        w.count(self.name.len())?;
        w.u32(self.value)?;
        if form.has(ModuleVersion::BOUNDARY) {
            if form.has(ModuleVersion::BOUNDARY_ALIAS) {
                w.u32(self.primary)?;
            }
            w.u32s(&[self.properties(form), self.bounds])?;
        } else {
            let flavor = match self.flavor {
                Flavor::Type => 0,
                Flavor::Attribute => 1,
                Flavor::Alias => 2,
            };
            w.u32s(&[self.primary, flavor])?;
            if form.has(ModuleVersion::PERMISSIVE) {
                w.u32(self.flags & !NEVERAUDIT)?;
            }
        }
        self.types.write(w)?;
        w.bytes(self.name.as_bytes())
    }
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: Box<str>,
    pub(crate) value: u32,
    pub(crate) bounds: u32,
    pub(crate) roles: RoleSet,
    pub(crate) range: WrittenRange,
    pub(crate) level: WrittenLevel,
}

impl Record for User {
    named!(value);

    fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let [length, value] = r.u32s()?;
        let bounds = if form.has(ModuleVersion::BOUNDARY) { r.u32()? } else { 0 };
        let name = r.text(length)?;
        let roles = RoleSet::read(r)?;
        let mut user = Self { name, value, bounds, roles, ..Self::default() };
        if form.has(ModuleVersion::RANGE_RULES) {
            user.range = WrittenRange::read(r)?;
            user.level = WrittenLevel::read(r)?;
        } else if form.has(ModuleVersion::MLS) {
            user.range = WrittenRange::read_expanded(r)?;
            user.level = WrittenLevel::of(r.u32()?, &Ebitmap::read(r)?);
        }
        Ok(user)
    }

    fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        w.count(self.name.len())?;
        w.u32(self.value)?;
        if form.has(ModuleVersion::BOUNDARY) {
            w.u32(self.bounds)?;
        }
        w.bytes(self.name.as_bytes())?;
        self.roles.write(w)?;
        if form.has(ModuleVersion::RANGE_RULES) {
            self.range.write(w)?;
            self.level.write(w)?;
        } else if form.has(ModuleVersion::MLS) {
            self.range.write_expanded(w)?;
            w.u32(self.level.sensitivity)?;
            self.level.bits(0xffff).write(w)?;
        }
        Ok(())
    }
}

/// `tunable`.
pub(crate) const TUNABLE: u32 = 1;

/// A boolean or tunable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Boolean {
    pub(crate) name: Box<str>,
    pub(crate) value: u32,
    pub(crate) state: u32,
    pub(crate) flags: u32,
}

impl Record for Boolean {
    named!(value);

    fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let [value, state, length] = r.u32s()?;
        let name = r.text(length)?;
        let flags = if form.has(ModuleVersion::TUNABLES) { r.u32()? } else { 0 };
        Ok(Self { name, value, state, flags })
    }

    fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        w.u32s(&[self.value, self.state])?;
        w.count(self.name.len())?;
        w.bytes(self.name.as_bytes())?;
        if form.has(ModuleVersion::TUNABLES) { w.u32(self.flags) } else { Ok(()) }
    }
}

/// A sensitivity, or an alias of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sensitivity {
    pub(crate) name: Box<str>,
    pub(crate) alias: u32,
    pub(crate) value: u32,
    pub(crate) categories: Ebitmap,
}

impl Record for Sensitivity {
    named!(value);

    fn read(r: &mut Reader<'_>, _: Form) -> Result<Self, ReadError> {
        let [length, alias] = r.u32s()?;
        let name = r.text(length)?;
        Ok(Self { name, alias, value: r.u32()?, categories: Ebitmap::read(r)? })
    }

    fn write(&self, w: &mut Writer<'_>, _: Form) -> io::Result<()> {
        w.count(self.name.len())?;
        w.u32(self.alias)?;
        w.bytes(self.name.as_bytes())?;
        w.u32(self.value)?;
        self.categories.write(w)
    }
}

/// A category, or an alias of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) name: Box<str>,
    pub(crate) value: u32,
    pub(crate) alias: u32,
}

impl Record for Category {
    named!(value);

    fn read(r: &mut Reader<'_>, _: Form) -> Result<Self, ReadError> {
        let [length, value, alias] = r.u32s()?;
        Ok(Self { name: r.text(length)?, value, alias })
    }

    fn write(&self, w: &mut Writer<'_>, _: Form) -> io::Result<()> {
        w.count(self.name.len())?;
        w.u32s(&[self.value, self.alias])?;
        w.bytes(self.name.as_bytes())
    }
}
