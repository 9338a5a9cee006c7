//! The access vector table: type enforcement rules by source, target and class.
//!
//! Wire form from version 20: `u16` source, target, class, kind; then a `u32` (permissions or a type), or for extended
//! permissions `u8` form, `u8` driver, 8 × `u32` bits. Before 20 an entry has `u32` word count, source, target, class,
//! kinds, and a word for each kind.

use std::io;

use crate::ids::{ClassId, SymbolId, TypeId};
use crate::version::PolicyVersion;
use crate::wire::{ReadError, Reader, Writer};

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// `allow`
    Allow,
    /// `auditallow`
    AuditAllow,
    /// `dontaudit`; its permissions are those that *are* audited.
    DontAudit,
    /// `type_transition`
    TypeTransition,
    /// `type_member`
    TypeMember,
    /// `type_change`
    TypeChange,
    /// `allowxperm`
    AllowXperm,
    /// `auditallowxperm`
    AuditAllowXperm,
    /// `dontauditxperm`
    DontAuditXperm,
}

impl RuleKind {
    /// All kinds with their wire bit (`AVTAB_*` of the kernel's `avtab.h`).
    const WIRE: [(u16, Self); 9] = [
        (0x0001, Self::Allow),
        (0x0002, Self::AuditAllow),
        (0x0004, Self::DontAudit),
        (0x0010, Self::TypeTransition),
        (0x0020, Self::TypeMember),
        (0x0040, Self::TypeChange),
        (0x0100, Self::AllowXperm),
        (0x0200, Self::AuditAllowXperm),
        (0x0400, Self::DontAuditXperm),
    ];

    fn from_wire(wire: u16) -> Option<Self> {
        match wire {
            0x0001 => Some(Self::Allow),
            0x0002 => Some(Self::AuditAllow),
            0x0004 => Some(Self::DontAudit),
            0x0010 => Some(Self::TypeTransition),
            0x0020 => Some(Self::TypeMember),
            0x0040 => Some(Self::TypeChange),
            0x0100 => Some(Self::AllowXperm),
            0x0200 => Some(Self::AuditAllowXperm),
            0x0400 => Some(Self::DontAuditXperm),
            _ => None,
        }
    }

    fn wire(self) -> u16 {
        Self::WIRE.iter().find(|entry| entry.1 == self).map_or(0, |entry| entry.0)
    }

    /// `allow`, `auditallow`, `dontaudit`: its datum is a set of permissions.
    pub fn is_access_vector(self) -> bool {
        matches!(self, Self::Allow | Self::AuditAllow | Self::DontAudit)
    }

    /// `type_transition`, `type_member`, `type_change`: its datum is a type.
    pub fn is_type(self) -> bool {
        matches!(self, Self::TypeTransition | Self::TypeMember | Self::TypeChange)
    }

    /// A rule of extended permissions.
    pub fn is_xperm(self) -> bool {
        matches!(self, Self::AllowXperm | Self::AuditAllowXperm | Self::DontAuditXperm)
    }

    /// The statement's keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::AuditAllow => "auditallow",
            Self::DontAudit => "dontaudit",
            Self::TypeTransition => "type_transition",
            Self::TypeMember => "type_member",
            Self::TypeChange => "type_change",
            Self::AllowXperm => "allowxperm",
            Self::AuditAllowXperm => "auditallowxperm",
            Self::DontAuditXperm => "dontauditxperm",
        }
    }
}

/// A type enforcement rule of the binary policy: 20 bytes, kept in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvRule {
    /// The source type or attribute.
    pub source: TypeId,
    /// The target type or attribute.
    pub target: TypeId,
    /// Permissions, a type's value, or a place in [`AvTable::xperms`]: see the accessors.
    datum: u32,
    class: u16,
    /// What the rule does.
    pub kind: RuleKind,
    /// Of a conditional rule: did it apply when the policy was written? Decisions follow the booleans instead.
    pub enabled: bool,
}

impl AvRule {
    /// A rule over permissions; for `dontaudit` those that are audited.
    pub fn access(
        kind: RuleKind,
        source: TypeId,
        target: TypeId,
        class: ClassId,
        permissions: u32,
    ) -> Self {
        Self { source, target, datum: permissions, class: class_bits(class), kind, enabled: false }
    }

    /// The same access vector rule with other permissions: for `dontaudit` those not audited.
    #[must_use]
    pub fn with_permissions(self, permissions: u32) -> Self {
        let datum = if self.kind == RuleKind::DontAudit { !permissions } else { permissions };
        Self { datum, ..self }
    }

    /// The same rule with another raw datum.
    #[must_use]
    pub fn with_datum(self, datum: u32) -> Self {
        Self { datum, ..self }
    }

    /// A rule that gives a type: `type_transition`, `type_member` or `type_change`.
    pub fn type_rule(
        kind: RuleKind,
        source: TypeId,
        target: TypeId,
        class: ClassId,
        default_type: TypeId,
    ) -> Self {
        Self::access(kind, source, target, class, default_type.value())
    }

    /// A rule over extended permissions, which are at `place` of the policy's pool: [`XpermPool::push`].
    pub fn extended(
        kind: RuleKind,
        source: TypeId,
        target: TypeId,
        class: ClassId,
        place: u32,
    ) -> Self {
        Self::access(kind, source, target, class, place)
    }

    /// The same rule as one of a conditional block that applies, or does not.
    #[must_use]
    pub fn with_enabled(self, enabled: bool) -> Self {
        Self { enabled, ..self }
    }

    /// The class.
    pub fn class(&self) -> ClassId {
        // Read and made from an identifier, so never 0.
        ClassId::from_value(self.class.into()).unwrap_or_else(|| unreachable!("class 0 in a rule"))
    }

    /// The raw datum: permissions, a type's value or the index of extended permissions, as [`RuleKind`] says.
    pub fn datum(&self) -> u32 {
        self.datum
    }

    /// The same rule for another pair.
    pub(crate) fn between(self, source: TypeId, target: TypeId) -> Self {
        Self { source, target, ..self }
    }

    pub(crate) fn set_datum(&mut self, datum: u32) {
        self.datum = datum;
    }

    /// Permissions of an access vector rule, as written in source: for `dontaudit` those not audited.
    pub fn permissions(&self) -> u32 {
        match self.kind {
            RuleKind::Allow | RuleKind::AuditAllow => self.datum,
            RuleKind::DontAudit => !self.datum,
            _ => 0,
        }
    }

    /// The type that a type rule gives.
    pub fn default_type(&self) -> Option<TypeId> {
        if self.kind.is_type() { TypeId::from_value(self.datum) } else { None }
    }
}

fn class_bits(class: ClassId) -> u16 {
    u16::try_from(class.value()).unwrap_or(u16::MAX)
}

/// What the bits of [`ExtendedPermissions`] stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum XpermForm {
    /// Command numbers of one ioctl driver: bit = low byte, `driver` = high byte.
    IoctlFunction,
    /// Whole ioctl drivers: bit = high byte of the command.
    IoctlDriver,
    /// Netlink message types: bit = low byte, `driver` = high byte.
    Nlmsg,
}

/// 256 extended permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtendedPermissions {
    /// What the bits stand for.
    pub form: XpermForm,
    /// The high byte that they share, where the form has one.
    pub driver: u8,
    /// The bits.
    pub bits: [u32; 8],
}

impl ExtendedPermissions {
    /// Is bit `low` set?
    pub fn has(&self, low: u8) -> bool {
        self.bits.get(usize::from(low >> 5)).is_some_and(|word| word >> (low & 31) & 1 == 1)
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let at = r.offset();
        let form = match r.u8()? {
            1 => XpermForm::IoctlFunction,
            2 => XpermForm::IoctlDriver,
            3 => XpermForm::Nlmsg,
            found => {
                return Err(ReadError::expected(at, "extended permissions of form 1 to 3", found));
            }
        };
        Ok(Self { form, driver: r.u8()?, bits: r.u32s()? })
    }

    fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        let form = match self.form {
            XpermForm::IoctlFunction => 1,
            XpermForm::IoctlDriver => 2,
            XpermForm::Nlmsg => 3,
        };
        w.bytes(&[form, self.driver])?;
        w.u32s(&self.bits)
    }
}

/// Extended permissions of all rules, found by [`AvRule::datum`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XpermPool(Vec<ExtendedPermissions>);

impl XpermPool {
    /// The extended permissions of a rule; `None` if it is not of such a kind.
    pub fn of(&self, rule: &AvRule) -> Option<&ExtendedPermissions> {
        if rule.kind.is_xperm() { self.get(rule.datum) } else { None }
    }

    /// The extended permissions at a place that [`AvRule::datum`] gives.
    pub fn get(&self, datum: u32) -> Option<&ExtendedPermissions> {
        self.0.get(datum as usize)
    }

    /// Adds extended permissions and gives their place, the [`AvRule::datum`] of a rule.
    ///
    /// # Panics
    /// At the 2³²nd.
    pub fn push(&mut self, permissions: ExtendedPermissions) -> u32 {
        let index = u32::try_from(self.0.len()).expect("fewer than 2³² extended permissions");
        self.0.push(permissions);
        index
    }

    fn add(&mut self, at: usize, permissions: ExtendedPermissions) -> Result<u32, ReadError> {
        u32::try_from(self.0.len())
            .map_err(|_| ReadError::expected(at, "fewer extended permissions", u32::MAX))?;
        Ok(self.push(permissions))
    }
}

const ENABLED: u16 = 0x8000;
const ENABLED_OLD: u32 = 0x8000_0000;

/// Kinds in the order in which the words of an entry before version 20 follow.
const OLD_ORDER: [RuleKind; 6] = [
    RuleKind::Allow,
    RuleKind::DontAudit,
    RuleKind::AuditAllow,
    RuleKind::TypeTransition,
    RuleKind::TypeChange,
    RuleKind::TypeMember,
];

/// Reads a counted list of rules.
pub(crate) fn read_rules(
    r: &mut Reader<'_>,
    version: PolicyVersion,
    pool: &mut XpermPool,
) -> Result<Vec<AvRule>, ReadError> {
    let count = r.u32()?;
    let old = version < PolicyVersion::AVTAB;
    let capacity = r.bounded(count, if old { 24 } else { 12 })?;
    let mut rules = Vec::with_capacity(capacity);
    if old {
        for _ in 0..count {
            read_old(r, &mut rules)?;
        }
        return Ok(rules);
    }
    while rules.len() < capacity {
        read_plain(r, &mut rules, capacity);
        if rules.len() < capacity {
            rules.push(read_rule(r, version, pool)?);
        }
    }
    Ok(rules)
}

/// Reads rules of 12 bytes up to the first that needs a closer look: most of a policy is read here.
fn read_plain(r: &mut Reader<'_>, rules: &mut Vec<AvRule>, most: usize) {
    let mut rest = r.rest();
    while rules.len() < most {
        let Some((&[s0, s1, t0, t1, c0, c1, k0, k1, d @ ..], tail)) =
            rest.split_first_chunk::<12>()
        else {
            break;
        };
        let half = |bytes| u16::from_le_bytes(bytes);
        let (class, specified) = (half([c0, c1]), half([k0, k1]));
        let kind = RuleKind::from_wire(specified & !ENABLED).filter(|kind| !kind.is_xperm());
        let source = TypeId::from_value(half([s0, s1]).into());
        let target = TypeId::from_value(half([t0, t1]).into());
        let (Some(kind), Some(source), Some(target), 1..) = (kind, source, target, class) else {
            break;
        };
        let (datum, enabled) = (u32::from_le_bytes(d), specified & ENABLED != 0);
        rules.push(AvRule { source, target, datum, class, kind, enabled });
        rest = tail;
    }
    r.skip_to(rest);
}

fn read_rule(
    r: &mut Reader<'_>,
    version: PolicyVersion,
    pool: &mut XpermPool,
) -> Result<AvRule, ReadError> {
    let at = r.offset();
    // Four halves at once: this is where most of a policy is read.
    let [source, target, class, specified] = r.u16s()?;
    let source = type_id(at, source.into())?;
    let target = type_id(at, target.into())?;
    let class = nonzero_class(at, class)?;
    let kind = RuleKind::from_wire(specified & !ENABLED)
        .filter(|kind| !kind.is_xperm() || version >= PolicyVersion::XPERMS)
        .ok_or_else(|| ReadError::expected(at, "one known kind of rule", specified))?;
    let datum =
        if kind.is_xperm() { pool.add(at, ExtendedPermissions::read(r)?)? } else { r.u32()? };
    Ok(AvRule { source, target, datum, class, kind, enabled: specified & ENABLED != 0 })
}

fn type_id(at: usize, value: u32) -> Result<TypeId, ReadError> {
    TypeId::from_value(value).ok_or_else(|| ReadError::expected(at, "a type in a rule", value))
}

fn nonzero_class(at: usize, class: u16) -> Result<u16, ReadError> {
    if class == 0 { Err(ReadError::expected(at, "a class in a rule", class)) } else { Ok(class) }
}

fn read_old(r: &mut Reader<'_>, rules: &mut Vec<AvRule>) -> Result<(), ReadError> {
    let at = r.offset();
    let words = r.u32()?;
    let source = type_id(at, r.u32()?)?;
    let target = type_id(at, r.u32()?)?;
    let class = nonzero_class(at, r.narrow("a class of 16 bits")?)?;
    let kinds_at = r.offset();
    let specified = r.u32()?;
    let kinds = OLD_ORDER.iter().filter(|kind| specified & u32::from(kind.wire()) != 0);
    let known = kinds.clone().fold(0, |bits, kind| bits | u32::from(kind.wire()));
    let mixed = known & 0x7 != 0 && known & 0x70 != 0;
    if known == 0 || mixed || specified & !ENABLED_OLD != known {
        return Err(ReadError::expected(kinds_at, "access vectors or type rules", specified));
    }
    if words != 4 + known.count_ones() {
        return Err(ReadError::expected(at, "as many words as kinds of rules", words));
    }
    for &kind in kinds {
        let (datum, enabled) = (r.u32()?, specified & ENABLED_OLD != 0);
        rules.push(AvRule { source, target, datum, class, kind, enabled });
    }
    Ok(())
}

/// Writes a counted list of rules at version 20 or later.
pub(crate) fn write_rules(
    w: &mut Writer<'_>,
    rules: &[AvRule],
    pool: &XpermPool,
) -> io::Result<()> {
    w.count(rules.len())?;
    for rule in rules {
        let enabled = if rule.enabled { ENABLED } else { 0 };
        for half in [rule.source.value(), rule.target.value()] {
            w.u16(u16::try_from(half).map_err(|_| too_wide())?)?;
        }
        w.u16(rule.class)?;
        w.u16(rule.kind.wire() | enabled)?;
        match pool.of(rule) {
            Some(permissions) => permissions.write(w)?,
            None => w.u32(rule.datum)?,
        }
    }
    Ok(())
}

fn too_wide() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "a type above 65535 does not fit a rule")
}

/// Are `a` and `b` parts of one entry before version 20? Conditional lists keep theirs apart, as checkpolicy does.
fn one_old_entry(a: &AvRule, b: &AvRule) -> bool {
    let key = |rule: &AvRule| (rule.source, rule.target, rule.class, rule.kind.is_type());
    let place = |rule: &AvRule| OLD_ORDER.iter().position(|&kind| kind == rule.kind);
    key(a) == key(b) && place(a) < place(b)
}

/// How a list of rules before version 20 joins rules of one key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OldEntries {
    /// Into one entry: the unconditional table.
    Joined,
    /// Not at all: conditional lists.
    Single,
}

/// Writes a counted list of rules before version 20.
pub(crate) fn write_old_rules(
    w: &mut Writer<'_>,
    rules: &[AvRule],
    entries: OldEntries,
) -> io::Result<()> {
    let joins = |a: &AvRule, b: &AvRule| entries == OldEntries::Joined && one_old_entry(a, b);
    w.count(rules.chunk_by(joins).count())?;
    rules.chunk_by(joins).try_for_each(|entry| write_old_entry(w, entry))
}

pub(crate) fn write_old_entry(w: &mut Writer<'_>, entry: &[AvRule]) -> io::Result<()> {
    let Some(first) = entry.first() else { return Ok(()) };
    let kinds = entry.iter().fold(0, |bits, rule| bits | u32::from(rule.kind.wire()));
    let enabled = if first.enabled { ENABLED_OLD } else { 0 };
    w.count(4 + entry.len())?;
    w.u32s(&[first.source.value(), first.target.value(), first.class.into(), kinds | enabled])?;
    entry.iter().try_for_each(|rule| w.u32(rule.datum))
}

/// Place of a kind among the words of an entry before version 20.
pub(crate) fn old_place(kind: RuleKind) -> Option<usize> {
    OLD_ORDER.iter().position(|&it| it == kind)
}
