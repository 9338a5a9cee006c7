//! Policy versions: what came when. Source: the kernel's `security/selinux/include/security.h` and libsepol's `policydb.h`.

use std::fmt;

/// The version of a binary policy: 15 to 35.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyVersion(u32);

macro_rules! versions {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl PolicyVersion {
            $($(#[$doc])* pub const $name: Self = Self($value);)*
        }
    };
}

versions! {
    /// The oldest.
    BASE = 15;
    /// Booleans and conditional rules.
    BOOL = 16;
    /// `nodecon` for IPv6.
    IPV6 = 17;
    /// Netlink socket classes.
    NETLINK_CLASSES = 18;
    /// MLS in every policy that enables it.
    MLS = 19;
    /// `validatetrans`.
    VALIDATETRANS = 19;
    /// Attributes stay in rules; a rule per entry of the access vector table.
    AVTAB = 20;
    /// Range transitions for any class.
    RANGETRANS = 21;
    /// Policy capabilities.
    POLICY_CAPABILITIES = 22;
    /// Permissive domains.
    PERMISSIVE = 23;
    /// Bounds of types, roles and users; names of attributes.
    BOUNDARY = 24;
    /// Filename transitions.
    FILENAME_TRANS = 25;
    /// Role transitions for any class.
    ROLETRANS = 26;
    /// `default_user`, `default_role`, `default_range`.
    NEW_OBJECT_DEFAULTS = 27;
    /// `default_type`.
    DEFAULT_TYPE = 28;
    /// Attribute names in constraints.
    CONSTRAINT_NAMES = 29;
    /// Extended permissions; on Xen, `devicetreecon` and 64-bit `iomemcon`.
    XPERMS = 30;
    /// `ibpkeycon` and `ibendportcon`.
    INFINIBAND = 31;
    /// `default_range … glblub`.
    GLBLUB = 32;
    /// Filename transitions grouped by name, target and class.
    COMPRESSED_FILENAME_TRANS = 33;
    /// Extended permissions in conditional blocks.
    CONDITIONAL_XPERMS = 34;
    /// `neveraudit` types.
    NEVERAUDIT = 35;
}

impl PolicyVersion {
    /// The lowest that is read and written.
    pub const MIN: Self = Self::BASE;
    /// The highest that is read and written.
    pub const MAX: Self = Self::NEVERAUDIT;

    /// The version of this number, if it is 15 to 35.
    pub fn new(number: u32) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// All of them, lowest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (Self::MIN.0..=Self::MAX.0).map(Self)
    }
}

impl fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
