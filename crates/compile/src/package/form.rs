//! Versions of the module format, and what each can hold.

use std::fmt;

/// A version of the module format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleVersion(u32);

impl ModuleVersion {
    /// The oldest that can be read and written.
    pub const OLDEST: Self = Self(4);
    /// MLS and `validatetrans`.
    pub const MLS: Self = Self(5);
    /// Range transitions as rules, levels of users as written.
    pub const RANGE_RULES: Self = Self(6);
    /// Policy capabilities.
    pub const CAPABILITIES: Self = Self(7);
    /// `permissive`, and what the flags of types say besides.
    pub const PERMISSIVE: Self = Self(8);
    /// Bounds of types, roles and users.
    pub const BOUNDARY: Self = Self(9);
    /// Aliases with a value of their own beside bounds.
    pub const BOUNDARY_ALIAS: Self = Self(10);
    /// Name-based type transitions.
    pub const FILENAME_TRANS: Self = Self(11);
    /// Classes of role transitions.
    pub const ROLE_TRANS: Self = Self(12);
    /// Role attributes.
    pub const ROLE_ATTRIBUTES: Self = Self(13);
    /// Tunables apart from booleans.
    pub const TUNABLES: Self = Self(14);
    /// `default_user`, `default_role`, `default_range`.
    pub const OBJECT_DEFAULTS: Self = Self(15);
    /// `default_type`.
    pub const DEFAULT_TYPE: Self = Self(16);
    /// Extended permissions.
    pub const XPERMS: Self = Self(18);
    /// `ibpkeycon`, `ibendportcon`.
    pub const INFINIBAND: Self = Self(19);
    /// `default_range … glblub`.
    pub const GLBLUB: Self = Self(20);
    /// `self` in type rules.
    pub const SELF_TYPE_RULES: Self = Self(21);
    /// Extended permissions in conditional blocks.
    pub const CONDITIONAL_XPERMS: Self = Self(22);
    /// `neveraudit`.
    pub const NEVERAUDIT: Self = Self(23);
    /// Attributes of attributes.
    pub const ATTRIBUTES_OF_ATTRIBUTES: Self = Self(24);
    /// The newest.
    pub const NEWEST: Self = Self::ATTRIBUTES_OF_ATTRIBUTES;

    /// The version of this number, if there is one.
    pub fn new(number: u32) -> Option<Self> {
        (Self::OLDEST.0..=Self::NEWEST.0).contains(&number).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How the records of one module stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) version: ModuleVersion,
    pub(crate) base: bool,
}

impl Form {
    pub(crate) fn has(self, since: ModuleVersion) -> bool {
        self.version >= since
    }

    /// Has a base of this version that?
    pub(crate) fn base_has(self, since: ModuleVersion) -> bool {
        self.base && self.has(since)
    }
}
