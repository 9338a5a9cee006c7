//! Rules and conditionals of a block.

use std::io;

use mandate_policydb::Ebitmap;
use mandate_policydb::wire::{ReadError, Reader, Writer};

use super::form::{Form, ModuleVersion};
use super::sets::{RoleSet, TypeSet, WrittenRange};

/// `self` stands in the target.
pub(crate) const SELF: u32 = 1;
/// `-self` stands in the target.
pub(crate) const NOT_SELF: u32 = 2;

/// Access vector rules; the numbers of [`Rule::kind`].
pub(crate) const ALLOW: u32 = 1;
pub(crate) const AUDITALLOW: u32 = 2;
pub(crate) const AUDITDENY: u32 = 4;
pub(crate) const DONTAUDIT: u32 = 8;
pub(crate) const NEVERALLOW: u32 = 0x80;
pub(crate) const TRANSITION: u32 = 0x10;
pub(crate) const MEMBER: u32 = 0x20;
pub(crate) const CHANGE: u32 = 0x40;
pub(crate) const XPERM_ALLOW: u32 = 0x100;
pub(crate) const XPERM_AUDITALLOW: u32 = 0x200;
pub(crate) const XPERM_DONTAUDIT: u32 = 0x400;
pub(crate) const XPERM_NEVERALLOW: u32 = 0x800;
/// All type rules.
pub(crate) const TYPE_RULES: u32 = TRANSITION | MEMBER | CHANGE;
/// All rules of extended permissions.
pub(crate) const XPERMS: u32 = 0xf00;

/// Extended permissions: one driver's functions, or drivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Xperms {
    pub(crate) form: u8,
    pub(crate) driver: u8,
    pub(crate) bits: [u32; 8],
}

/// Functions of one ioctl driver.
pub(crate) const IOCTL_FUNCTIONS: u8 = 1;
/// Whole ioctl drivers.
pub(crate) const IOCTL_DRIVERS: u8 = 2;
/// Netlink messages.
pub(crate) const NLMSG: u8 = 3;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) source: TypeSet,
    pub(crate) target: TypeSet,
    /// Class, and permissions or type.
    pub(crate) classes: Vec<[u32; 2]>,
    pub(crate) xperms: Option<Box<Xperms>>,
}

impl Rule {
    fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let at = r.offset();
        let [kind, flags] = r.u32s()?;
        if !kind.is_power_of_two() || kind > XPERM_NEVERALLOW {
            return Err(ReadError::expected(at, "a kind of rule", kind));
        }
        let (source, target) = (TypeSet::read(r)?, TypeSet::read(r)?);
        let classes = r.list(8, |r| r.u32s())?;
        let xperms = if kind & XPERMS == 0 {
            None
        } else if form.has(ModuleVersion::XPERMS) {
            Some(Box::new(Xperms { form: r.u8()?, driver: r.u8()?, bits: r.u32s()? }))
        } else {
            return Err(ReadError::expected(at, "a rule of this module version", kind));
        };
        Ok(Self { kind, flags, source, target, classes, xperms })
    }

    fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        w.u32s(&[self.kind, self.flags])?;
        self.source.write(w)?;
        self.target.write(w)?;
        w.count(self.classes.len())?;
        self.classes.iter().try_for_each(|it| w.u32s(it))?;
        if let Some(xperms) = &self.xperms {
            w.bytes(&[xperms.form, xperms.driver])?;
            w.u32s(&xperms.bits)?;
        }
        Ok(())
    }

    pub(crate) fn read_list(r: &mut Reader<'_>, form: Form) -> Result<Vec<Self>, ReadError> {
        r.list(68, |r| Self::read(r, form))
    }

    pub(crate) fn write_list(w: &mut Writer<'_>, list: &[Self]) -> io::Result<()> {
        w.count(list.len())?;
        list.iter().try_for_each(|it| it.write(w))
    }
}

/// An `if`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditional {
    pub(crate) state: u32,
    /// Kind (1 is a boolean, 2 `!`, 3 `||`, 4 `&&`, 5 `^`, 6 `==`, 7 `!=`) and boolean.
    pub(crate) expression: Vec<[u32; 2]>,
    pub(crate) then: Vec<Rule>,
    pub(crate) otherwise: Vec<Rule>,
    /// 1: of tunables.
    pub(crate) flags: u32,
}

impl Conditional {
    pub(crate) fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let state = r.u32()?;
        let expression = r.list(8, |r| r.u32s())?;
        let (then, otherwise) = (Rule::read_list(r, form)?, Rule::read_list(r, form)?);
        let flags = if form.has(ModuleVersion::TUNABLES) { r.u32()? } else { 0 };
        Ok(Self { state, expression, then, otherwise, flags })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        w.u32(self.state)?;
        w.count(self.expression.len())?;
        self.expression.iter().try_for_each(|it| w.u32s(it))?;
        Rule::write_list(w, &self.then)?;
        Rule::write_list(w, &self.otherwise)?;
        if form.has(ModuleVersion::TUNABLES) { w.u32(self.flags) } else { Ok(()) }
    }
}

/// `role_transition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleTransition {
    pub(crate) roles: RoleSet,
    pub(crate) types: TypeSet,
    /// Empty before versions that hold them: `process`.
    pub(crate) classes: Ebitmap,
    pub(crate) result: u32,
}

impl RoleTransition {
    pub(crate) fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let (roles, types) = (RoleSet::read(r)?, TypeSet::read(r)?);
        let classed = form.has(ModuleVersion::ROLE_TRANS);
        let classes = if classed { Ebitmap::read(r)? } else { Ebitmap::new() };
        Ok(Self { roles, types, classes, result: r.u32()? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        self.roles.write(w)?;
        self.types.write(w)?;
        if form.has(ModuleVersion::ROLE_TRANS) {
            self.classes.write(w)?;
        }
        w.u32(self.result)
    }
}

/// `type_transition … "name"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilenameTransition {
    pub(crate) name: Box<str>,
    pub(crate) source: TypeSet,
    pub(crate) target: TypeSet,
    pub(crate) class: u32,
    pub(crate) result: u32,
    pub(crate) flags: u32,
}

impl FilenameTransition {
    pub(crate) fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let name = r.text(length)?;
        let (source, target) = (TypeSet::read(r)?, TypeSet::read(r)?);
        let [class, result] = r.u32s()?;
        let flags = if form.has(ModuleVersion::SELF_TYPE_RULES) { r.u32()? } else { 0 };
        Ok(Self { name, source, target, class, result, flags })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        w.count(self.name.len())?;
        w.bytes(self.name.as_bytes())?;
        self.source.write(w)?;
        self.target.write(w)?;
        w.u32s(&[self.class, self.result])?;
        if form.has(ModuleVersion::SELF_TYPE_RULES) { w.u32(self.flags) } else { Ok(()) }
    }
}

/// `range_transition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RangeTransition {
    pub(crate) source: TypeSet,
    pub(crate) target: TypeSet,
    pub(crate) classes: Ebitmap,
    pub(crate) range: WrittenRange,
}

impl RangeTransition {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let (source, target) = (TypeSet::read(r)?, TypeSet::read(r)?);
        Ok(Self { source, target, classes: Ebitmap::read(r)?, range: WrittenRange::read(r)? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        self.source.write(w)?;
        self.target.write(w)?;
        self.classes.write(w)?;
        self.range.write(w)
    }
}
