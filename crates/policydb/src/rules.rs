//! Role and range transitions, role allows, filename transitions.

use std::collections::HashMap;
use std::io;

use crate::ebitmap::Ebitmap;
use crate::ids::{ClassId, RoleId, SymbolId, TypeId};
use crate::mls::MlsRange;
use crate::version::PolicyVersion;
use crate::wire::{ReadError, Reader, Writer};

/// `role_transition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleTransition {
    /// The current role.
    pub role: RoleId,
    /// The type of the related object, such as an entry point.
    pub type_: TypeId,
    /// The class; `None` before version 26, where it is `process`.
    pub class: Option<ClassId>,
    /// The new role.
    pub new_role: RoleId,
}

/// `allow role new_role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleAllow {
    /// The current role.
    pub role: RoleId,
    /// The role it may change to.
    pub new_role: RoleId,
}

/// `range_transition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeTransition {
    /// The type of the process.
    pub source: TypeId,
    /// The type of the related object.
    pub target: TypeId,
    /// The class; `None` before version 21, where it is `process`.
    pub class: Option<ClassId>,
    /// The new range.
    pub range: MlsRange,
}

/// `type_transition` with an object name, for one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilenameTransition {
    /// The type of the process.
    pub source: TypeId,
    /// The type of the directory.
    pub target: TypeId,
    /// The class of the new object.
    pub class: ClassId,
    /// The last component of its name. Bytes: file names need not be text.
    pub name: Box<[u8]>,
    /// The type it gets.
    pub default_type: TypeId,
}

/// Filename transitions of one name, target and class, as version 33 keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilenameTransitionGroup {
    /// The last component of the object's name.
    pub name: Box<[u8]>,
    /// The type of the directory.
    pub target: TypeId,
    /// The class of the new object.
    pub class: ClassId,
    /// Bits of the sources, and the type that the object gets from them.
    pub defaults: Vec<(Ebitmap, TypeId)>,
}

/// All filename transitions, in the form and order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilenameTransitions {
    /// One by one: versions 25 to 32.
    Single(Vec<FilenameTransition>),
    /// Grouped: from version 33.
    Grouped(Vec<FilenameTransitionGroup>),
}

impl RoleTransition {
    pub(crate) fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let role = r.id("the role of a role transition")?;
        let type_ = r.id("the type of a role transition")?;
        let new_role = r.id("the new role of a role transition")?;
        let class = if version >= PolicyVersion::ROLETRANS {
            Some(r.id("the class of a role transition")?)
        } else {
            None
        };
        Ok(Self { role, type_, class, new_role })
    }

    /// `process` stands in for a class that was never written.
    pub(crate) fn write(
        &self,
        w: &mut Writer<'_>,
        version: PolicyVersion,
        process: Option<ClassId>,
    ) -> io::Result<()> {
        w.u32s(&[self.role.value(), self.type_.value(), self.new_role.value()])?;
        if version >= PolicyVersion::ROLETRANS {
            w.u32(self.class.or(process).map_or(0, SymbolId::value))?;
        }
        Ok(())
    }
}

impl RoleAllow {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let role = r.id("the role of a role allow")?;
        Ok(Self { role, new_role: r.id("the new role of a role allow")? })
    }

    pub(crate) fn write(self, w: &mut Writer<'_>) -> io::Result<()> {
        w.u32s(&[self.role.value(), self.new_role.value()])
    }
}

impl RangeTransition {
    pub(crate) fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let source = r.id("the source of a range transition")?;
        let target = r.id("the target of a range transition")?;
        let class = if version >= PolicyVersion::RANGETRANS {
            Some(r.id("the class of a range transition")?)
        } else {
            None
        };
        let at = r.offset();
        let range = MlsRange::read(r)?;
        let range = range.ok_or_else(|| ReadError::expected(at, "a range with levels", 0u32))?;
        Ok(Self { source, target, class, range })
    }

    pub(crate) fn write(
        &self,
        w: &mut Writer<'_>,
        version: PolicyVersion,
        process: Option<ClassId>,
    ) -> io::Result<()> {
        w.u32s(&[self.source.value(), self.target.value()])?;
        if version >= PolicyVersion::RANGETRANS {
            w.u32(self.class.or(process).map_or(0, SymbolId::value))?;
        }
        MlsRange::write(w, Some(&self.range))
    }
}

fn read_name(r: &mut Reader<'_>) -> Result<Box<[u8]>, ReadError> {
    let at = r.offset();
    let length = r.u32()?;
    if length == 0 {
        return Err(ReadError::expected(at, "a file name that is not empty", length));
    }
    r.bytes(length).map(Into::into)
}

fn write_name(w: &mut Writer<'_>, name: &[u8]) -> io::Result<()> {
    w.count(name.len())?;
    w.bytes(name)
}

impl FilenameTransition {
    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            name: read_name(r)?,
            source: r.id("the source of a filename transition")?,
            target: r.id("the target of a filename transition")?,
            class: r.id("the class of a filename transition")?,
            default_type: r.id("the type of a filename transition")?,
        })
    }

    fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        write_name(w, &self.name)?;
        let ids = [self.source.value(), self.target.value(), self.class.value()];
        w.u32s(&ids)?;
        w.u32(self.default_type.value())
    }
}

impl FilenameTransitionGroup {
    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let name = read_name(r)?;
        let target = r.id("the target of a filename transition")?;
        let class = r.id("the class of a filename transition")?;
        let defaults = r.list(16, |r| {
            let sources = Ebitmap::read(r)?;
            Ok((sources, r.id("the type of a filename transition")?))
        })?;
        Ok(Self { name, target, class, defaults })
    }

    fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        write_name(w, &self.name)?;
        w.u32s(&[self.target.value(), self.class.value()])?;
        w.count(self.defaults.len())?;
        for (sources, default_type) in &self.defaults {
            sources.write(w)?;
            w.u32(default_type.value())?;
        }
        Ok(())
    }

    fn singles(&self) -> impl Iterator<Item = FilenameTransition> + '_ {
        self.defaults.iter().flat_map(move |(sources, default_type)| {
            sources.ids().map(move |source| FilenameTransition {
                source,
                target: self.target,
                class: self.class,
                name: self.name.clone(),
                default_type: *default_type,
            })
        })
    }
}

impl Default for FilenameTransitions {
    fn default() -> Self {
        Self::Grouped(Vec::new())
    }
}

impl FilenameTransitions {
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Single(singles) => singles.is_empty(),
            Self::Grouped(groups) => groups.is_empty(),
        }
    }

    /// How many there are, each source counted.
    pub fn len(&self) -> usize {
        match self {
            Self::Single(singles) => singles.len(),
            Self::Grouped(groups) => {
                groups.iter().flat_map(|group| &group.defaults).map(|it| it.0.len()).sum()
            }
        }
    }

    /// Grouped by name, target and class; groups in the order in which they first appear.
    pub fn to_groups(&self) -> std::borrow::Cow<'_, [FilenameTransitionGroup]> {
        match self {
            Self::Grouped(groups) => groups.into(),
            Self::Single(singles) => group(singles).into(),
        }
    }

    /// One by one.
    pub fn to_singles(&self) -> std::borrow::Cow<'_, [FilenameTransition]> {
        match self {
            Self::Single(singles) => singles.into(),
            Self::Grouped(groups) => {
                groups.iter().flat_map(FilenameTransitionGroup::singles).collect()
            }
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        if version < PolicyVersion::FILENAME_TRANS {
            Ok(Self::default())
        } else if version < PolicyVersion::COMPRESSED_FILENAME_TRANS {
            r.list(21, FilenameTransition::read).map(Self::Single)
        } else {
            r.list(17, FilenameTransitionGroup::read).map(Self::Grouped)
        }
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        if version < PolicyVersion::FILENAME_TRANS {
            Ok(())
        } else if version < PolicyVersion::COMPRESSED_FILENAME_TRANS {
            let singles = self.to_singles();
            w.count(singles.len())?;
            singles.iter().try_for_each(|single| single.write(w))
        } else {
            let groups = self.to_groups();
            w.count(groups.len())?;
            groups.iter().try_for_each(|group| group.write(w))
        }
    }
}

fn group(singles: &[FilenameTransition]) -> Vec<FilenameTransitionGroup> {
    let mut groups: Vec<FilenameTransitionGroup> = Vec::new();
    let mut places: HashMap<(&[u8], TypeId, ClassId), usize> = HashMap::new();
    for single in singles {
        let key = (&*single.name, single.target, single.class);
        let at = *places.entry(key).or_insert_with(|| {
            groups.push(FilenameTransitionGroup {
                name: single.name.clone(),
                target: single.target,
                class: single.class,
                defaults: Vec::new(),
            });
            groups.len() - 1
        });
        let Some(group) = groups.get_mut(at) else { continue };
        match group.defaults.iter_mut().find(|it| it.1 == single.default_type) {
            Some((sources, _)) => sources.insert(single.source.bit()),
            None => {
                group
                    .defaults
                    .push((Ebitmap::from_bits([single.source.bit()]), single.default_type));
            }
        }
    }
    groups
}
