//! Types, attributes and their aliases.

use std::io;

use mandate_policydb::Ebitmap;
use mandate_policydb::wire::{ReadError, Reader, Writer};

use super::{Record, named};
use crate::package::form::{Form, ModuleVersion};

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
