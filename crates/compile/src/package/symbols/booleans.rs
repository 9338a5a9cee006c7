//! Booleans and tunables.

use std::io;

use mandate_policydb::wire::{ReadError, Reader, Writer};

use super::{Record, named};
use crate::package::form::{Form, ModuleVersion};

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
