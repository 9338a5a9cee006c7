//! Roles and users.

use std::io;

use mandate_policydb::Ebitmap;
use mandate_policydb::wire::{ReadError, Reader, Writer};

use super::{Record, named};
use crate::package::form::{Form, ModuleVersion};
use crate::package::sets::{RoleSet, TypeSet, WrittenLevel, WrittenRange};

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
