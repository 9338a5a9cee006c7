//! Commons, classes and permissions.

use std::io;

use mandate_policydb::wire::{ReadError, Reader, Writer};
use mandate_policydb::{Constraint, PolicyVersion};

use super::{Record, named};
use crate::package::form::{Form, ModuleVersion};

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
