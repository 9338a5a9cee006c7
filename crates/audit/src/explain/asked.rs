//! An access with every name looked up.

use mandate_policydb::{ClassId, Context, ContextError, PolicyDb, RoleId};
use mandate_server::Query;

use super::cause::{Cause, End, Reason};
use crate::Access;
use crate::rules::{role_of, type_of};

/// An access in terms of a policy.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) source: Context,
    pub(crate) target: Context,
    pub(crate) class: ClassId,
    /// Bits of the permissions.
    pub(crate) wanted: u32,
}

impl Asked {
    /// As a question to the engine.
    pub(crate) fn query(&self) -> Query<'_> {
        Query { source: &self.source, target: &self.target, class: self.class }
    }

    /// Of an access; or the reasons why this policy cannot be asked.
    pub(crate) fn of(db: &PolicyDb, access: &Access) -> Result<Self, Vec<Reason>> {
        let mut wrong = Vec::new();
        let mut context = |end, text: &str| {
            db.parse_context(text).map_err(|why| wrong.push(of_context(db, end, text, why))).ok()
        };
        let source = context(End::Source, &access.scontext);
        let target = context(End::Target, &access.tcontext);
        let class = db.classes.id(&access.tclass);
        if class.is_none() {
            wrong.push(Cause::UnknownClass(access.tclass.clone()));
        }
        let mut wanted = 0;
        for permission in access.permissions.iter().filter(|_| class.is_some()) {
            match class.and_then(|it| db.permission(it, permission)) {
                Some(id) => wanted |= id.mask(),
                None => wrong.push(Cause::UnknownPermission {
                    class: access.tclass.clone(),
                    permission: permission.clone(),
                }),
            }
        }
        match (source, target, class) {
            (Some(source), Some(target), Some(class)) if wrong.is_empty() => {
                Ok(Self { source, target, class, wanted })
            }
            _ => {
                let reason = |cause| Reason { cause, permissions: access.permissions.clone() };
                Err(wrong.into_iter().map(reason).collect())
            }
        }
    }
}

/// Why a context is none of the policy's.
fn of_context(db: &PolicyDb, end: End, text: &str, why: ContextError) -> Cause {
    let invalid = |why: String| Cause::InvalidContext { end, context: text.to_owned(), why };
    match why {
        ContextError::Unknown { kind, name } => Cause::UnknownName { end, kind, name },
        ContextError::Invalid(why) => {
            parts_that_clash(db, end, text).unwrap_or_else(|| invalid(why))
        }
        other => invalid(other.to_string()),
    }
}

/// A role that may not have the type, or a user that may not have the role.
fn parts_that_clash(db: &PolicyDb, end: End, text: &str) -> Option<Cause> {
    let user = text.split(':').next()?;
    let (role, type_) = (role_of(text)?, type_of(text)?);
    let datum = db.roles.find(role).filter(|it| it.id != RoleId::OBJECT)?;
    let (user, role, type_) = (user.to_owned(), role.to_owned(), type_.to_owned());
    if !datum.types.has(db.types.id(&type_)?) {
        return Some(Cause::RoleType { end, role, type_ });
    }
    let has = db.users.find(&user)?.roles.has(datum.id);
    (!has).then_some(Cause::UserRole { end, user, role })
}
