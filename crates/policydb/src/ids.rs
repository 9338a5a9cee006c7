//! Typed identifiers. On the wire every symbol is a `u32` value that counts from 1; bitmaps store value − 1.
//! The offset lives here and nowhere else.

use std::fmt;
use std::num::NonZeroU32;

/// An identifier of a symbol: its value in the policy, counted from 1.
pub trait SymbolId: Copy + 'static + Eq + Ord + fmt::Debug {
    /// The identifier with this value, or `None` for 0.
    fn from_value(value: u32) -> Option<Self>;
    /// The value, counted from 1.
    fn value(self) -> u32;
    /// The value − 1: the bit that stands for this symbol in a bitmap, and its place in an array.
    fn index(self) -> usize {
        self.bit() as usize
    }
    /// The bit that stands for this symbol in a bitmap.
    fn bit(self) -> u32 {
        self.value() - 1
    }
    /// The identifier that a bit of a bitmap stands for. Bit `u32::MAX` stands for none.
    fn from_bit(bit: u32) -> Option<Self> {
        Self::from_value(bit.checked_add(1)?)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(NonZeroU32);

        impl SymbolId for $name {
            fn from_value(value: u32) -> Option<Self> {
                NonZeroU32::new(value).map(Self)
            }
            fn value(self) -> u32 {
                self.0.get()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A common set of permissions.
    CommonId;
    /// An object class.
    ClassId;
    /// A role.
    RoleId;
    /// A type or a type attribute.
    TypeId;
    /// An SELinux user.
    UserId;
    /// A boolean.
    BoolId;
    /// A sensitivity.
    SensitivityId;
    /// A category.
    CategoryId;
    /// A permission within its class: 1 to 32.
    PermId;
}

impl PermId {
    /// The bit that stands for the permission in access vectors.
    pub fn mask(self) -> u32 {
        // Of 1 to 32: no value is lost, and none panics.
        1u32.rotate_left(self.bit())
    }
}

/// The role of every object, always the first: `object_r`.
pub const OBJECT_R: &str = "object_r";

impl RoleId {
    /// `object_r`: value 1 in every policy (`OBJECT_R_VAL` of the kernel's `policydb.h`).
    pub const OBJECT: Self = Self(NonZeroU32::MIN);
}
