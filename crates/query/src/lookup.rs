//! Names that a question is asked with, looked up.

use std::ops::RangeInclusive;

use mandate_policydb::{BoolId, ClassId, Context, ContextError, PolicyDb, RoleId, TypeId, UserId};
use mandate_server::XpermBase;

/// A name that means nothing in the policy. A question with one is never answered as if the answer were "no".
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The policy does not define it.
    #[error("the policy has no {kind} {name:?}")]
    Unknown {
        /// What kind of name: `type`, `role`, `class`, `boolean`, …
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// It is an attribute where a type is needed, or the other way round.
    #[error("{name} is {is}, not {expected}")]
    Other {
        /// The name.
        name: String,
        /// What it is.
        is: &'static str,
        /// What is needed.
        expected: &'static str,
    },
    /// The class does not have it.
    #[error("class {class_name} has no permission {name:?}")]
    Permission {
        /// The class.
        class: ClassId,
        /// Its name.
        class_name: String,
        /// The permission.
        name: String,
    },
    /// It is no context, range or level of this policy.
    #[error("{text:?}: {why}")]
    Context {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: ContextError,
    },
}

pub(crate) fn unknown(kind: &'static str, name: &str) -> LookupError {
    LookupError::Unknown { kind, name: name.to_owned() }
}

fn other(name: &str, is: &'static str, expected: &'static str) -> LookupError {
    LookupError::Other { name: name.to_owned(), is, expected }
}

/// A type or an attribute.
///
/// # Errors
/// The policy has neither.
pub fn type_or_attribute(db: &PolicyDb, name: &str) -> Result<TypeId, LookupError> {
    db.types.id(name).ok_or_else(|| unknown("type or attribute", name))
}

/// A type that is no attribute.
///
/// # Errors
/// The policy has no such type.
pub fn type_(db: &PolicyDb, name: &str) -> Result<TypeId, LookupError> {
    let found = db.types.find(name).ok_or_else(|| unknown("type", name))?;
    let other = || other(name, "an attribute", "a type");
    if found.attribute { Err(other()) } else { Ok(found.id) }
}

/// An attribute.
///
/// # Errors
/// The policy has no such attribute.
pub fn attribute(db: &PolicyDb, name: &str) -> Result<TypeId, LookupError> {
    let found = db.types.find(name).ok_or_else(|| unknown("attribute", name))?;
    let other = || other(name, "a type", "an attribute");
    if found.attribute { Ok(found.id) } else { Err(other()) }
}

/// A class.
///
/// # Errors
/// The policy has no such class.
pub fn class(db: &PolicyDb, name: &str) -> Result<ClassId, LookupError> {
    db.classes.id(name).ok_or_else(|| unknown("class", name))
}

/// A role.
///
/// # Errors
/// The policy has no such role.
pub fn role(db: &PolicyDb, name: &str) -> Result<RoleId, LookupError> {
    db.roles.id(name).ok_or_else(|| unknown("role", name))
}

/// A user.
///
/// # Errors
/// The policy has no such user.
pub fn user(db: &PolicyDb, name: &str) -> Result<UserId, LookupError> {
    db.users.id(name).ok_or_else(|| unknown("user", name))
}

/// A boolean.
///
/// # Errors
/// The policy has no such boolean.
pub fn boolean(db: &PolicyDb, name: &str) -> Result<BoolId, LookupError> {
    db.booleans.id(name).ok_or_else(|| unknown("boolean", name))
}

/// The bit of a permission.
///
/// # Errors
/// The class has no such permission.
pub fn permission(db: &PolicyDb, class: ClassId, name: &str) -> Result<u32, LookupError> {
    known_permission(db, class, name).ok_or_else(|| LookupError::Permission {
        class,
        class_name: db.classes.name(class).into_owned(),
        name: name.to_owned(),
    })
}

/// The bit of a permission; nothing if the class does not have it.
pub fn known_permission(db: &PolicyDb, class: ClassId, name: &str) -> Option<u32> {
    db.permission(class, name).map(|it| it.mask())
}

/// The bits of those permissions that the class has.
pub fn known_permissions(db: &PolicyDb, class: ClassId, names: &[&str]) -> u32 {
    names.iter().filter_map(|name| known_permission(db, class, name)).fold(0, |all, it| all | it)
}

/// Single ioctl commands and netlink messages, as people write them: `ioctl=0x5412`, `nlmsg=16`, `ioctl=0x8910-0x8927`.
///
/// # Errors
/// What is none, in words.
pub fn commands(text: &str) -> Result<(XpermBase, RangeInclusive<u16>), String> {
    let (kind, numbers) = text.split_once('=').ok_or("expected ioctl=NUMBER or nlmsg=NUMBER")?;
    let base = match kind {
        "ioctl" => XpermBase::Ioctl,
        "nlmsg" => XpermBase::Nlmsg,
        other => return Err(format!("expected ioctl or nlmsg before =, found {other:?}")),
    };
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let numbers = number(first)?..=number(last)?;
    if numbers.is_empty() {
        Err(format!("{text:?} is an empty range"))
    } else {
        Ok((base, numbers))
    }
}

fn number(text: &str) -> Result<u16, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u16::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("expected a number up to 0xffff, found {text:?}"))
}

/// A context.
///
/// # Errors
/// It is none, or the policy does not allow it.
pub fn context(db: &PolicyDb, text: &str) -> Result<Context, LookupError> {
    db.parse_context(text).map_err(|why| LookupError::Context { text: text.to_owned(), why })
}
