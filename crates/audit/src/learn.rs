//! The least that a program needs besides what a policy allows, from what it did while nothing was denied.

use mandate_server::{Engine, XpermBase};

use crate::Access;
use crate::explain::allowed_permissions;
use crate::rules::{Rules, permissions_of, xperm_operation};

/// Rules for those of `accesses` that `engine` does not allow: merged by source, target and class, with `self` for a target that
/// is the source, and only the permissions that are missing. Commands of ioctls get rules of their own where the policy has such
/// for the pair; else the permission alone decides. What the policy does not know at all (a type that is to be made) is taken as
/// it is.
pub fn learned<'a>(accesses: impl IntoIterator<Item = &'a Access>, engine: &Engine) -> Rules {
    let mut rules = Rules::default();
    for access in accesses {
        let Some((key, permissions)) = permissions_of(access) else { continue };
        let allowed = allowed_permissions(engine, access);
        let missing: Vec<String> =
            permissions.iter().filter(|it| !allowed.contains(it)).cloned().collect();
        if !missing.is_empty() {
            rules.allow(key, missing);
        }
        if xperm_is_ruled(engine, access) {
            rules.add_xperm(access);
        }
    }
    rules
}

/// Do rules of extended permissions deny the command of an access?
fn xperm_is_ruled(engine: &Engine, access: &Access) -> bool {
    let db = engine.db();
    let contexts = (db.parse_context(&access.scontext), db.parse_context(&access.tcontext));
    let (Ok(source), Ok(target)) = contexts else { return false };
    let Some(class) = db.classes.id(&access.tclass) else { return false };
    let query = mandate_server::Query { source: &source, target: &target, class };
    xperm_operation(access)
        .is_some_and(|(_, command)| !engine.decide_xperm(&query, XpermBase::Ioctl, command).allowed)
}
