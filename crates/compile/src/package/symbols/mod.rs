//! The symbol tables of a module: those of the whole module, and those of a block, which hold what the block adds to symbols.

mod booleans;
mod classes;
mod levels;
mod people;
mod types;

use std::io;

use mandate_policydb::wire::{ReadError, Reader, Writer};

use super::form::Form;

pub(crate) use booleans::{Boolean, TUNABLE};
pub(crate) use classes::{Class, Common, Permission, Permissions};
pub(crate) use levels::{Category, Sensitivity};
pub(crate) use people::{Role, User};
pub(crate) use types::{EXPAND, Flavor, NEVERAUDIT, NO_EXPAND, PERMISSIVE, Type};

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
use named;

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
