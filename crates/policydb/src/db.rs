//! The policy database: all of a binary policy, in the order of its file.

use std::io;

use crate::avtab::{self, AvRule, OldEntries, XpermPool};
use crate::conditional::Conditional;
use crate::convert;
use crate::ebitmap::Ebitmap;
use crate::ids::{ClassId, PermId, SymbolId, TypeId};
use crate::object_contexts::{GenfsDatum, ObjectContexts, Target};
use crate::rules::{FilenameTransitions, RangeTransition, RoleAllow, RoleTransition};
use crate::sniff::{FileKind, POLICY_MAGIC};
use crate::symbols::{
    BooleanDatum, CategoryDatum, ClassDatum, CommonDatum, PermissionDatum, RoleDatum,
    SensitivityDatum, TypeDatum, UserDatum,
};
use crate::symtab::{Datum, SymbolTable};
use crate::version::PolicyVersion;
use crate::wire::{ReadError, ReadErrorKind, Reader, Writer};

/// What is decided of classes and permissions that the policy does not define.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandleUnknown {
    /// They are denied.
    Deny,
    /// The kernel refuses to load the policy.
    Reject,
    /// They are allowed.
    Allow,
}

/// A kernel policy. As read it is unchecked; [`Policy`](crate::Policy) is one that holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDb {
    /// Linux or Xen.
    pub target: Target,
    /// The version it was read at.
    pub version: PolicyVersion,
    /// Is MLS enabled?
    pub mls: bool,
    /// What is decided of unknown classes and permissions.
    pub handle_unknown: HandleUnknown,
    /// Bits of the policy capabilities. From version 22.
    pub policy_capabilities: Ebitmap,
    /// Permissive types: here alone the bit is the value itself. From version 23.
    pub permissive: Ebitmap,
    /// Types never audited; the bit is the value itself. From version 35.
    pub neveraudit: Ebitmap,
    /// Common permission sets.
    pub commons: SymbolTable<CommonDatum>,
    /// Object classes.
    pub classes: SymbolTable<ClassDatum>,
    /// Roles.
    pub roles: SymbolTable<RoleDatum>,
    /// Types, aliases and attributes.
    pub types: SymbolTable<TypeDatum>,
    /// Users.
    pub users: SymbolTable<UserDatum>,
    /// Booleans. From version 16.
    pub booleans: SymbolTable<BooleanDatum>,
    /// Sensitivities. From version 19.
    pub sensitivities: SymbolTable<SensitivityDatum>,
    /// Categories. From version 19.
    pub categories: SymbolTable<CategoryDatum>,
    /// Type enforcement rules outside of conditional blocks.
    pub rules: Vec<AvRule>,
    /// Extended permissions of all rules.
    pub xperms: XpermPool,
    /// Conditional blocks. From version 16.
    pub conditionals: Vec<Conditional>,
    /// Role transitions.
    pub role_transitions: Vec<RoleTransition>,
    /// Role allows.
    pub role_allows: Vec<RoleAllow>,
    /// Filename transitions. From version 25.
    pub filename_transitions: FilenameTransitions,
    /// Contexts of objects without a label.
    pub object_contexts: ObjectContexts,
    /// `genfscon`, by file system type.
    pub genfs: Vec<GenfsDatum>,
    /// Range transitions. From version 19.
    pub range_transitions: Vec<RangeTransition>,
    /// For each type, by value: bits of its attributes and of itself.
    pub type_attributes: Vec<Ebitmap>,
}

const REJECT_UNKNOWN: u32 = 2;
const ALLOW_UNKNOWN: u32 = 4;
const MLS_ENABLED: u32 = 1;

const SELINUX_NAME: &[u8] = b"SE Linux";
const XEN_NAME: &[u8] = b"XenFlask";

impl PolicyDb {
    /// Reads a binary policy, all of `bytes`.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut r = Reader::new(bytes);
        let db = Self::read_sections(&mut r)?;
        match r.remaining() {
            0 => Ok(db),
            rest => Err(ReadError::new(r.offset(), ReadErrorKind::TrailingBytes(rest))),
        }
    }

    fn read_sections(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let mut db = Self::read_header(r)?;
        db.read_symbols(r)?;
        db.read_rules(r)?;
        let (target, version) = (db.target, db.version);
        db.object_contexts = section("object contexts", ObjectContexts::read(r, target, version))?;
        db.genfs = section("genfs contexts", r.list(8, |r| GenfsDatum::read(r, version)))?;
        if version >= PolicyVersion::MLS {
            let list = r.list(24, |r| RangeTransition::read(r, version));
            db.range_transitions = section("range transitions", list)?;
        }
        db.type_attributes = section("type attribute map", db.read_type_attributes(r))?;
        Ok(db)
    }

    fn read_header(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let not_a_policy = ReadErrorKind::NotAPolicy(r.sniff());
        if r.u32().ok() != Some(POLICY_MAGIC) {
            return Err(ReadError::new(0, not_a_policy));
        }
        let target = read_target(r)?;
        let at = r.offset();
        let number = r.u32()?;
        let version = PolicyVersion::new(number)
            .ok_or_else(|| ReadError::expected(at, "a policy version of 15 to 35", number))?;
        let mut db = Self::empty(target, version);
        db.read_config(r)?;
        let at = r.offset();
        let [symbol_tables, context_lists] = r.u32s()?;
        if symbol_tables != symbol_table_count(version) {
            let what = "5 symbol tables at version 15, 6 up to 18, 8 from 19";
            return Err(ReadError::expected(at, what, symbol_tables));
        }
        if context_lists != ObjectContexts::lists(target, version) {
            let what = "as many lists of object contexts as the version has";
            return Err(ReadError::expected(at, what, context_lists));
        }
        if version >= PolicyVersion::POLICY_CAPABILITIES {
            db.policy_capabilities = section("policy capabilities", Ebitmap::read(r))?;
        }
        if version >= PolicyVersion::PERMISSIVE {
            db.permissive = section("permissive types", Ebitmap::read(r))?;
        }
        if version >= PolicyVersion::NEVERAUDIT {
            db.neveraudit = section("neveraudit types", Ebitmap::read(r))?;
        }
        Ok(db)
    }

    fn read_config(&mut self, r: &mut Reader<'_>) -> Result<(), ReadError> {
        let at = r.offset();
        let config = r.u32()?;
        self.mls = config & MLS_ENABLED != 0;
        self.handle_unknown = match config & !MLS_ENABLED {
            0 => HandleUnknown::Deny,
            REJECT_UNKNOWN => HandleUnknown::Reject,
            ALLOW_UNKNOWN => HandleUnknown::Allow,
            other => {
                let what = "flags 1 MLS, 2 reject unknown or 4 allow unknown";
                return Err(ReadError::expected(at, what, other));
            }
        };
        if self.mls && self.version < PolicyVersion::MLS {
            return Err(ReadError::expected(at, "no MLS before version 19", config));
        }
        Ok(())
    }

    fn read_symbols(&mut self, r: &mut Reader<'_>) -> Result<(), ReadError> {
        let version = self.version;
        self.commons = section("commons", SymbolTable::read(r, CommonDatum::read))?;
        self.classes = section("classes", SymbolTable::read(r, |r| ClassDatum::read(r, version)))?;
        self.roles = section("roles", SymbolTable::read(r, |r| RoleDatum::read(r, version)))?;
        self.types = section("types", SymbolTable::read(r, |r| TypeDatum::read(r, version)))?;
        self.users = section("users", SymbolTable::read(r, |r| UserDatum::read(r, version)))?;
        if version >= PolicyVersion::BOOL {
            self.booleans = section("booleans", SymbolTable::read(r, BooleanDatum::read))?;
        }
        if version >= PolicyVersion::MLS {
            let sensitivities = SymbolTable::read(r, SensitivityDatum::read);
            self.sensitivities = section("sensitivities", sensitivities)?;
            self.categories = section("categories", SymbolTable::read(r, CategoryDatum::read))?;
        }
        Ok(())
    }

    fn read_rules(&mut self, r: &mut Reader<'_>) -> Result<(), ReadError> {
        let version = self.version;
        let mut xperms = XpermPool::default();
        self.rules = section("access vector table", avtab::read_rules(r, version, &mut xperms))?;
        if version >= PolicyVersion::BOOL {
            let list = r.list(16, |r| Conditional::read(r, version, &mut xperms));
            self.conditionals = section("conditional rules", list)?;
        }
        self.xperms = xperms;
        let list = r.list(12, |r| RoleTransition::read(r, version));
        self.role_transitions = section("role transitions", list)?;
        self.role_allows = section("role allows", r.list(8, RoleAllow::read))?;
        self.filename_transitions =
            section("filename transitions", FilenameTransitions::read(r, version))?;
        Ok(())
    }

    fn read_type_attributes(&self, r: &mut Reader<'_>) -> Result<Vec<Ebitmap>, ReadError> {
        let types = self.types.nprim();
        if self.version < PolicyVersion::AVTAB {
            return Ok((0..types).map(|bit| Ebitmap::from_bits([bit])).collect());
        }
        r.bounded(types, 12)?;
        (0..types).map(|_| Ebitmap::read(r)).collect()
    }

    /// A policy with nothing in it.
    pub fn empty(target: Target, version: PolicyVersion) -> Self {
        Self {
            target,
            version,
            mls: false,
            handle_unknown: HandleUnknown::Deny,
            policy_capabilities: Ebitmap::new(),
            permissive: Ebitmap::new(),
            neveraudit: Ebitmap::new(),
            commons: SymbolTable::empty(),
            classes: SymbolTable::empty(),
            roles: SymbolTable::empty(),
            types: SymbolTable::empty(),
            users: SymbolTable::empty(),
            booleans: SymbolTable::empty(),
            sensitivities: SymbolTable::empty(),
            categories: SymbolTable::empty(),
            rules: Vec::new(),
            xperms: XpermPool::default(),
            conditionals: Vec::new(),
            role_transitions: Vec::new(),
            role_allows: Vec::new(),
            filename_transitions: FilenameTransitions::default(),
            object_contexts: ObjectContexts::default(),
            genfs: Vec::new(),
            range_transitions: Vec::new(),
            type_attributes: Vec::new(),
        }
    }

    /// Writes the policy at `version`. At the version it was read at this gives the bytes it was read from.
    /// Rules of versions below 20 are expanded as they are written, without being held in memory.
    ///
    /// # Errors
    /// [`WriteError::Unsupported`] before anything is written, or what the sink says.
    pub fn write(
        &self,
        version: PolicyVersion,
        sink: &mut dyn io::Write,
    ) -> Result<(), WriteError> {
        let unsupported = convert::unsupported(self, version);
        if !unsupported.is_empty() {
            return Err(WriteError::Unsupported { version, statements: unsupported });
        }
        let nameless = self.version < PolicyVersion::BOUNDARY;
        let w = &mut Writer::new(sink);
        let written = if nameless && version >= PolicyVersion::BOUNDARY {
            convert::with_attribute_names(self).write_sections(version, w)
        } else {
            self.write_sections(version, w)
        };
        written.map_err(WriteError::Io)
    }

    fn write_sections(&self, version: PolicyVersion, w: &mut Writer<'_>) -> io::Result<()> {
        self.write_header(w, version)?;
        self.write_symbols(w, version)?;
        self.write_rules(w, version)?;
        self.object_contexts.write(w, self.target, version)?;
        w.count(self.genfs.len())?;
        self.genfs.iter().try_for_each(|it| it.write(w, version))?;
        if version >= PolicyVersion::MLS {
            let process = self.classes.id("process");
            w.count(self.range_transitions.len())?;
            self.range_transitions.iter().try_for_each(|it| it.write(w, version, process))?;
        }
        if version >= PolicyVersion::AVTAB {
            self.type_attributes.iter().try_for_each(|attributes| attributes.write(w))?;
        }
        Ok(())
    }

    fn write_header(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        let name = match self.target {
            Target::Selinux => SELINUX_NAME,
            Target::Xen => XEN_NAME,
        };
        w.u32(POLICY_MAGIC)?;
        w.count(name.len())?;
        w.bytes(name)?;
        let unknown = match self.handle_unknown {
            HandleUnknown::Deny => 0,
            HandleUnknown::Reject => REJECT_UNKNOWN,
            HandleUnknown::Allow => ALLOW_UNKNOWN,
        };
        w.u32s(&[
            version.number(),
            unknown | if self.mls { MLS_ENABLED } else { 0 },
            symbol_table_count(version),
            ObjectContexts::lists(self.target, version),
        ])?;
        if version >= PolicyVersion::POLICY_CAPABILITIES {
            self.policy_capabilities.write(w)?;
        }
        if version >= PolicyVersion::PERMISSIVE {
            self.permissive.write(w)?;
        }
        if version >= PolicyVersion::NEVERAUDIT {
            self.neveraudit.write(w)?;
        }
        Ok(())
    }

    fn write_symbols(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        self.commons.write(w, |_| true, |w, it| it.write(w))?;
        self.classes.write(w, |_| true, |w, it| it.write(w, version))?;
        self.roles.write(w, |_| true, |w, it| it.write(w, version))?;
        // Attributes have an entry only from version 24; before, their values are holes.
        let named = |it: &TypeDatum| version >= PolicyVersion::BOUNDARY || !it.attribute;
        self.types.write(w, named, |w, it| it.write(w, version))?;
        self.users.write(w, |_| true, |w, it| it.write(w, version))?;
        if version >= PolicyVersion::BOOL {
            self.booleans.write(w, |_| true, |w, it| it.write(w))?;
        }
        if version >= PolicyVersion::MLS {
            self.sensitivities.write(w, |_| true, |w, it| it.write(w))?;
            self.categories.write(w, |_| true, |w, it| it.write(w))?;
        }
        Ok(())
    }

    fn write_rules(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        if version >= PolicyVersion::AVTAB {
            avtab::write_rules(w, &self.rules, &self.xperms)?;
            w.count(self.conditionals.len())?;
            self.conditionals.iter().try_for_each(|it| it.write(w, &self.xperms))?;
        } else if self.version < PolicyVersion::AVTAB {
            avtab::write_old_rules(w, &self.rules, OldEntries::Joined)?;
            if version >= PolicyVersion::BOOL {
                w.count(self.conditionals.len())?;
                self.conditionals.iter().try_for_each(|it| it.write_old(w))?;
            }
        } else {
            convert::write_expanded(self, w, version)?;
        }
        let process = self.classes.id("process");
        w.count(self.role_transitions.len())?;
        self.role_transitions.iter().try_for_each(|it| it.write(w, version, process))?;
        w.count(self.role_allows.len())?;
        self.role_allows.iter().try_for_each(|it| it.write(w))?;
        self.filename_transitions.write(w, version)
    }

    /// Is this type permissive: its denials are told but not enforced?
    pub fn is_permissive(&self, type_: TypeId) -> bool {
        self.permissive.contains(type_.value())
    }

    /// Is this type's every denial kept out of the log?
    pub fn is_neveraudit(&self, type_: TypeId) -> bool {
        self.neveraudit.contains(type_.value())
    }

    /// All permissions of a class, those of its common first.
    pub fn permissions(&self, class: ClassId) -> impl Iterator<Item = &PermissionDatum> {
        let class = self.classes.get(class);
        let common = class.and_then(|class| self.commons.find(class.common.as_deref()?));
        let shared = common.into_iter().flat_map(|common| common.permissions.by_value());
        shared.chain(class.into_iter().flat_map(|class| class.permissions.by_value()))
    }

    /// The bit of a permission in an access vector of this class.
    pub fn permission(&self, class: ClassId, name: &str) -> Option<PermId> {
        self.permissions(class).find(|it| &*it.name == name).map(Datum::id)
    }

    /// Names of the permissions in an access vector, by bit; a bit that no permission has is `#n`, counted from 1.
    pub fn permission_names(&self, class: ClassId, access_vector: u32) -> Vec<String> {
        (1..=u32::BITS)
            .filter(|bit| access_vector >> (bit - 1) & 1 == 1)
            .map(|bit| {
                let known = self.permissions(class).find(|it| it.id.value() == bit);
                known.map_or_else(|| format!("#{bit}"), |it| it.name.to_string())
            })
            .collect()
    }

    /// All bits that permissions of this class have.
    pub fn permission_mask(&self, class: ClassId) -> u32 {
        self.permissions(class).fold(0, |mask, it| mask | it.id.mask())
    }
}

fn section<T>(name: &'static str, result: Result<T, ReadError>) -> Result<T, ReadError> {
    result.map_err(|error| ReadError { section: name, ..error })
}

fn read_target(r: &mut Reader<'_>) -> Result<Target, ReadError> {
    let at = r.offset();
    let length = r.u32()?;
    let name = r.bytes(length.min(64))?;
    match name {
        SELINUX_NAME => Ok(Target::Selinux),
        XEN_NAME => Ok(Target::Xen),
        _ => Err(ReadError::expected(at, "the name \"SE Linux\" or \"XenFlask\"", length)),
    }
}

fn symbol_table_count(version: PolicyVersion) -> u32 {
    match version.number() {
        15 => 5,
        16..=18 => 6,
        _ => 8,
    }
}

/// Why a policy could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The version cannot hold all statements of the policy.
    #[error("policy version {version} cannot hold {}", convert::listed(statements))]
    Unsupported {
        /// The version asked for.
        version: PolicyVersion,
        /// What it cannot hold.
        statements: Vec<convert::Unsupported>,
    },
    /// The sink failed.
    #[error("writing the policy: {0}")]
    Io(#[source] io::Error),
}

impl Reader<'_> {
    fn sniff(&self) -> FileKind {
        FileKind::of(self.rest())
    }
}
