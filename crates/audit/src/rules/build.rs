//! Rules made of accesses.

use super::{RuleKey, Rules};
use crate::Access;

/// The permissions that an access asks for, and the type of each context.
pub fn permissions_of(access: &Access) -> Option<(RuleKey, &[String])> {
    let (source, target) = (type_of(&access.scontext)?, type_of(&access.tcontext)?);
    let known = !access.tclass.is_empty() && !access.permissions.is_empty();
    known.then(|| (RuleKey::new(source, target, &access.tclass), &*access.permissions))
}

/// The operation whose command a record tells.
pub fn xperm_operation(access: &Access) -> Option<(&'static str, u16)> {
    let command = access.object.ioctl?;
    access.permissions.iter().any(|it| it == IOCTL).then_some((IOCTL, command))
}

const IOCTL: &str = "ioctl";

/// The type of a context.
pub(crate) fn type_of(context: &str) -> Option<&str> {
    context.split(':').nth(2).filter(|it| !it.is_empty())
}

/// The role of a context.
pub(crate) fn role_of(context: &str) -> Option<&str> {
    context.split(':').nth(1).filter(|it| !it.is_empty())
}

impl Rules {
    /// Adds what grants an access; nothing if its contexts or class are not told.
    pub fn add(&mut self, access: &Access) {
        if let Some((key, permissions)) = permissions_of(access) {
            self.allow(key, permissions.iter().cloned());
        }
    }

    /// Adds the command of an ioctl, beside the permission.
    pub fn add_xperm(&mut self, access: &Access) {
        if let (Some((key, _)), Some((operation, command))) =
            (permissions_of(access), xperm_operation(access))
        {
            let commands = self.xperms.entry((key, operation.to_owned())).or_default();
            commands.insert(command);
        }
    }
}
