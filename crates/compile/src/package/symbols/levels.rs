//! Sensitivities, categories and their aliases.

use std::io;

use mandate_policydb::Ebitmap;
use mandate_policydb::wire::{ReadError, Reader, Writer};

use super::{Record, named};
use crate::package::form::Form;

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
