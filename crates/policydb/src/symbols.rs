//! The records of the symbol tables: commons, classes, types, roles, users, booleans, sensitivities, categories.
//! Each is read and written here, side by side.

use std::io;

use crate::constraint::Constraint;
use crate::ebitmap::Ebitmap;
use crate::ids::{
    BoolId, CategoryId, ClassId, CommonId, PermId, RoleId, SensitivityId, SymbolId, TypeId, UserId,
};
use crate::mls::{MlsLevel, MlsRange};
use crate::symtab::{Datum, SymbolTable};
use crate::version::PolicyVersion;
use crate::wire::{ReadError, Reader, Writer};

macro_rules! datum {
    ($($datum:ty => $id:ty $(, alias $alias:ident)?;)*) => {$(
        impl Datum for $datum {
            type Id = $id;
            fn name(&self) -> &str {
                &self.name
            }
            fn id(&self) -> $id {
                self.id
            }
            $(fn is_alias(&self) -> bool {
                self.$alias()
            })?
        }
    )*};
}

datum! {
    PermissionDatum => PermId;
    CommonDatum => CommonId;
    ClassDatum => ClassId;
    RoleDatum => RoleId;
    TypeDatum => TypeId, alias is_type_alias;
    UserDatum => UserId;
    BooleanDatum => BoolId;
    SensitivityDatum => SensitivityId, alias is_alias_name;
    CategoryDatum => CategoryId, alias is_alias_name;
}

/// A permission of a class or common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionDatum {
    /// Its name.
    pub name: Box<str>,
    /// Its bit in an access vector, counted from 1 to 32.
    pub id: PermId,
}

/// Permissions that classes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonDatum {
    /// Its name.
    pub name: Box<str>,
    /// Its value.
    pub id: CommonId,
    /// Its permissions.
    pub permissions: SymbolTable<PermissionDatum>,
}

/// An object class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassDatum {
    /// Its name.
    pub name: Box<str>,
    /// Its value.
    pub id: ClassId,
    /// Name of the common it inherits.
    pub common: Option<Box<str>>,
    /// Its own permissions, after those of the common.
    pub permissions: SymbolTable<PermissionDatum>,
    /// `constrain` and `mlsconstrain` statements.
    pub constraints: Vec<Constraint>,
    /// `validatetrans` and `mlsvalidatetrans` statements. From version 19.
    pub validatetrans: Vec<Constraint>,
    /// `default_user`. From version 27, as the next two.
    pub default_user: Option<DefaultFrom>,
    /// `default_role`.
    pub default_role: Option<DefaultFrom>,
    /// `default_range`.
    pub default_range: Option<DefaultRange>,
    /// `default_type`. From version 28.
    pub default_type: Option<DefaultFrom>,
}

/// Whose user, role or type a new object gets where no rule says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultFrom {
    /// That of the process.
    Source,
    /// That of the related object.
    Target,
}

/// Whose range a new object gets where no rule says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultRange {
    /// Low level of the process.
    SourceLow,
    /// High level of the process.
    SourceHigh,
    /// Range of the process.
    SourceLowHigh,
    /// Low level of the related object.
    TargetLow,
    /// High level of the related object.
    TargetHigh,
    /// Range of the related object.
    TargetLowHigh,
    /// From the greatest lower to the least upper bound of both. From version 32.
    Glblub,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleDatum {
    /// Its name.
    pub name: Box<str>,
    /// Its value.
    pub id: RoleId,
    /// The role that bounds it. From version 24.
    pub bounds: Option<RoleId>,
    /// Bits of the roles it dominates, itself among them.
    pub dominates: Ebitmap,
    /// Bits of the types it may have.
    pub types: Ebitmap,
}

/// A type, an alias of one, or a type attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeDatum {
    /// Its name.
    pub name: Box<str>,
    /// Its value; that of the type, if an alias.
    pub id: TypeId,
    /// Is this the type itself, not an alias?
    pub primary: bool,
    /// Is this an attribute? Attributes have names from version 24.
    pub attribute: bool,
    /// The type that bounds it (`typebounds`). From version 24.
    pub bounds: Option<TypeId>,
}

/// An SELinux user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserDatum {
    /// Its name.
    pub name: Box<str>,
    /// Its value.
    pub id: UserId,
    /// The user that bounds it. From version 24.
    pub bounds: Option<UserId>,
    /// Bits of the roles it may have.
    pub roles: Ebitmap,
    /// The range it may have, in a policy with MLS.
    pub range: Option<MlsRange>,
    /// Its level at login, in a policy with MLS.
    pub default_level: Option<MlsLevel>,
}

/// A boolean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BooleanDatum {
    /// Its name.
    pub name: Box<str>,
    /// Its value as a symbol.
    pub id: BoolId,
    /// Is it on?
    pub state: bool,
}

/// A sensitivity or an alias of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensitivityDatum {
    /// Its name.
    pub name: Box<str>,
    /// Its value, which is its rank: a higher one dominates.
    pub id: SensitivityId,
    /// Is this an alias?
    pub alias: bool,
    /// Bits of the categories a level of it may have.
    pub categories: Ebitmap,
}

/// A category or an alias of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryDatum {
    /// Its name.
    pub name: Box<str>,
    /// Its value.
    pub id: CategoryId,
    /// Is this an alias?
    pub alias: bool,
}

impl TypeDatum {
    fn is_type_alias(&self) -> bool {
        !self.primary && !self.attribute
    }
}

impl SensitivityDatum {
    fn is_alias_name(&self) -> bool {
        self.alias
    }
}

impl CategoryDatum {
    fn is_alias_name(&self) -> bool {
        self.alias
    }
}

impl PermissionDatum {
    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let at = r.offset();
        let id: PermId = r.id("a permission value of 1 to 32")?;
        if id.value() > 32 {
            return Err(ReadError::expected(at, "a permission value of 1 to 32", id.value()));
        }
        Ok(Self { id, name: r.text(length)? })
    }

    fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        name_and(w, &self.name, &[self.id.value()])
    }
}

/// Length, more words, name: how nearly every record starts.
fn name_and(w: &mut Writer<'_>, name: &str, words: &[u32]) -> io::Result<()> {
    w.count(name.len())?;
    w.u32s(words)?;
    w.bytes(name.as_bytes())
}

fn write_permissions(
    w: &mut Writer<'_>,
    permissions: &SymbolTable<PermissionDatum>,
) -> io::Result<()> {
    permissions.iter().try_for_each(|permission| permission.write(w))
}

fn read_permissions(
    r: &mut Reader<'_>,
    at: usize,
    nprim: u32,
    count: u32,
) -> Result<SymbolTable<PermissionDatum>, ReadError> {
    if nprim > 32 || count > 32 {
        return Err(ReadError::expected(at, "at most 32 permissions", nprim.max(count)));
    }
    let entries = (0..count).map(|_| PermissionDatum::read(r)).collect::<Result<_, _>>()?;
    SymbolTable::new(nprim, entries).map_err(|kind| ReadError::new(at, kind))
}

impl CommonDatum {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let id = r.id("the value of a common")?;
        let at = r.offset();
        let [nprim, count] = r.u32s()?;
        let name = r.text(length)?;
        Ok(Self { name, id, permissions: read_permissions(r, at, nprim, count)? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        w.count(self.name.len())?;
        w.u32s(&[self.id.value(), self.permissions.nprim()])?;
        w.count(self.permissions.len())?;
        w.bytes(self.name.as_bytes())?;
        write_permissions(w, &self.permissions)
    }
}

impl ClassDatum {
    pub(crate) fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let [length, common_length] = r.u32s()?;
        let id = r.id("the value of a class")?;
        let at = r.offset();
        let [nprim, count, constraints] = r.u32s()?;
        let name = r.text(length)?;
        let common = (common_length != 0).then(|| r.text(common_length)).transpose()?;
        let permissions = read_permissions(r, at, nprim, count)?;
        let constraints = Constraint::read_list(r, constraints, version)?;
        let validatetrans = if version >= PolicyVersion::VALIDATETRANS {
            let count = r.u32()?;
            Constraint::read_list(r, count, version)?
        } else {
            Vec::new()
        };
        let mut class = Self {
            name,
            id,
            common,
            permissions,
            constraints,
            validatetrans,
            default_user: None,
            default_role: None,
            default_range: None,
            default_type: None,
        };
        if version >= PolicyVersion::NEW_OBJECT_DEFAULTS {
            class.default_user = DefaultFrom::read(r)?;
            class.default_role = DefaultFrom::read(r)?;
            class.default_range = DefaultRange::read(r, version)?;
        }
        if version >= PolicyVersion::DEFAULT_TYPE {
            class.default_type = DefaultFrom::read(r)?;
        }
        Ok(class)
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        let common = self.common.as_deref().unwrap_or_default();
        w.count(self.name.len())?;
        w.count(common.len())?;
        w.u32s(&[self.id.value(), self.permissions.nprim()])?;
        w.count(self.permissions.len())?;
        w.count(self.constraints.len())?;
        w.bytes(self.name.as_bytes())?;
        w.bytes(common.as_bytes())?;
        write_permissions(w, &self.permissions)?;
        Constraint::write_list(w, &self.constraints, version)?;
        if version >= PolicyVersion::VALIDATETRANS {
            w.count(self.validatetrans.len())?;
            Constraint::write_list(w, &self.validatetrans, version)?;
        }
        if version >= PolicyVersion::NEW_OBJECT_DEFAULTS {
            w.u32(self.default_user.map_or(0, DefaultFrom::wire))?;
            w.u32(self.default_role.map_or(0, DefaultFrom::wire))?;
            w.u32(self.default_range.map_or(0, DefaultRange::wire))?;
        }
        if version >= PolicyVersion::DEFAULT_TYPE {
            w.u32(self.default_type.map_or(0, DefaultFrom::wire))?;
        }
        Ok(())
    }
}

impl DefaultFrom {
    fn read(r: &mut Reader<'_>) -> Result<Option<Self>, ReadError> {
        let at = r.offset();
        match r.u32()? {
            0 => Ok(None),
            1 => Ok(Some(Self::Source)),
            2 => Ok(Some(Self::Target)),
            found => Err(ReadError::expected(at, "a default: 0 none, 1 source, 2 target", found)),
        }
    }

    fn wire(self) -> u32 {
        match self {
            Self::Source => 1,
            Self::Target => 2,
        }
    }
}

impl DefaultRange {
    const ALL: [Self; 7] = [
        Self::SourceLow,
        Self::SourceHigh,
        Self::SourceLowHigh,
        Self::TargetLow,
        Self::TargetHigh,
        Self::TargetLowHigh,
        Self::Glblub,
    ];

    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Option<Self>, ReadError> {
        let at = r.offset();
        let found = r.u32()?;
        let Some(index) = found.checked_sub(1) else { return Ok(None) };
        let known = Self::ALL.get(index as usize).copied();
        match known.filter(|&it| it != Self::Glblub || version >= PolicyVersion::GLBLUB) {
            None => Err(ReadError::expected(at, "a default range of 0 to 7 (6 before 32)", found)),
            some => Ok(some),
        }
    }

    fn wire(self) -> u32 {
        (1..).zip(Self::ALL).find(|&(_, it)| it == self).map_or(0, |(wire, _)| wire)
    }
}

/// A bound: the value of a symbol of the same kind, or 0. From version 24.
fn read_bounds<I: SymbolId>(
    r: &mut Reader<'_>,
    version: PolicyVersion,
) -> Result<Option<I>, ReadError> {
    if version < PolicyVersion::BOUNDARY {
        return Ok(None);
    }
    r.u32().map(I::from_value)
}

fn write_named_with_bounds<I: SymbolId>(
    w: &mut Writer<'_>,
    name: &str,
    id: I,
    bounds: Option<I>,
    version: PolicyVersion,
) -> io::Result<()> {
    let bounds = bounds.map_or(0, SymbolId::value);
    if version >= PolicyVersion::BOUNDARY {
        name_and(w, name, &[id.value(), bounds])
    } else {
        name_and(w, name, &[id.value()])
    }
}

impl RoleDatum {
    pub(crate) fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let id = r.id("the value of a role")?;
        let bounds = read_bounds(r, version)?;
        let name = r.text(length)?;
        let dominates = Ebitmap::read(r)?;
        Ok(Self { name, id, bounds, dominates, types: Ebitmap::read(r)? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        write_named_with_bounds(w, &self.name, self.id, self.bounds, version)?;
        self.dominates.write(w)?;
        self.types.write(w)
    }
}

const PRIMARY: u32 = 1;
const ATTRIBUTE: u32 = 2;

impl TypeDatum {
    pub(crate) fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let id = r.id("the value of a type")?;
        let at = r.offset();
        let properties = r.u32()?;
        let known = if version >= PolicyVersion::BOUNDARY { PRIMARY | ATTRIBUTE } else { PRIMARY };
        if properties & !known != 0 {
            return Err(ReadError::expected(
                at,
                "type properties 1 primary, 2 attribute",
                properties,
            ));
        }
        let bounds = read_bounds(r, version)?;
        let (primary, attribute) = (properties & PRIMARY != 0, properties & ATTRIBUTE != 0);
        Ok(Self { name: r.text(length)?, id, primary, attribute, bounds })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        let primary = if self.primary { PRIMARY } else { 0 };
        let attribute = if self.attribute { ATTRIBUTE } else { 0 };
        let bounds = self.bounds.map_or(0, SymbolId::value);
        if version >= PolicyVersion::BOUNDARY {
            name_and(w, &self.name, &[self.id.value(), primary | attribute, bounds])
        } else {
            name_and(w, &self.name, &[self.id.value(), primary])
        }
    }
}

impl UserDatum {
    pub(crate) fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let id = r.id("the value of a user")?;
        let bounds = read_bounds(r, version)?;
        let name = r.text(length)?;
        let roles = Ebitmap::read(r)?;
        let mut user = Self { name, id, bounds, roles, range: None, default_level: None };
        if version >= PolicyVersion::MLS {
            user.range = MlsRange::read(r)?;
            user.default_level = MlsLevel::read(r)?;
        }
        Ok(user)
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        write_named_with_bounds(w, &self.name, self.id, self.bounds, version)?;
        self.roles.write(w)?;
        if version >= PolicyVersion::MLS {
            MlsRange::write(w, self.range.as_ref())?;
            MlsLevel::write(w, self.default_level.as_ref())?;
        }
        Ok(())
    }
}

fn read_flag(r: &mut Reader<'_>, what: &'static str) -> Result<bool, ReadError> {
    let at = r.offset();
    match r.u32()? {
        0 => Ok(false),
        1 => Ok(true),
        found => Err(ReadError::expected(at, what, found)),
    }
}

impl BooleanDatum {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let id = r.id("the value of a boolean")?;
        let state = read_flag(r, "a boolean's state of 0 or 1")?;
        let length = r.u32()?;
        Ok(Self { name: r.text(length)?, id, state })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        w.u32s(&[self.id.value(), self.state.into()])?;
        w.count(self.name.len())?;
        w.bytes(self.name.as_bytes())
    }
}

impl SensitivityDatum {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let alias = read_flag(r, "an alias flag of 0 or 1")?;
        let name = r.text(length)?;
        let id = r.id("the value of a sensitivity")?;
        Ok(Self { name, id, alias, categories: Ebitmap::read(r)? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        name_and(w, &self.name, &[self.alias.into()])?;
        w.u32(self.id.value())?;
        self.categories.write(w)
    }
}

impl CategoryDatum {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let id = r.id("the value of a category")?;
        let alias = read_flag(r, "an alias flag of 0 or 1")?;
        Ok(Self { name: r.text(length)?, id, alias })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        name_and(w, &self.name, &[self.id.value(), self.alias.into()])
    }
}
