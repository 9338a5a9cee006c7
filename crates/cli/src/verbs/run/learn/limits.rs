//! What no learned rule may grant, whatever a program did.

use anyhow::Result;
use mandate_audit::Access;
use mandate_audit::bound::Bound;
use mandate_audit::explain::{Cause, Explainer};
use mandate_audit::rules::{Rules, permissions_of};
use mandate_policydb::PolicyDb;

use super::super::goals;
use super::super::told::type_of;
use crate::sources;

/// Types of which nothing is granted without somebody having thought about it.
const SENSITIVE: [(&str, &str); 6] = [
    ("shadow_t", "passwords"),
    ("sshd_key_t", "keys of the machine"),
    ("memory_device_t", "memory of the machine"),
    ("fixed_disk_device_t", "disks as a whole"),
    ("security_t", "the policy in force"),
    ("policy_config_t", "the policy as it is kept"),
];

/// Permissions of domains over others and themselves that are given by hand.
const POWERS: [(&str, &str); 4] = [
    ("process", "ptrace"),
    ("process", "dyntransition"),
    ("process", "setcurrent"),
    ("security", "setenforce"),
];

/// The goals of the base policy, and those of ours.
pub(super) struct Limits(Bound);

impl Limits {
    pub(super) fn of(db: &PolicyDb) -> Result<Self> {
        Ok(Self(goals::of(&sources::base_policy(), db)?))
    }

    /// Takes from an access what may not be granted: each permission with the reason.
    pub(super) fn take(
        &self,
        access: &mut Access,
        explainer: &mut Explainer<'_>,
        db: &PolicyDb,
    ) -> Vec<(String, String)> {
        if let Some(why) = blocked(access, explainer) {
            return access.permissions.drain(..).map(|it| (it, why.clone())).collect();
        }
        let mut taken = Vec::new();
        let whole = access.clone();
        access.permissions.retain(|it| match self.forbids(&whole, it, db) {
            Some(why) => {
                taken.push((it.clone(), why));
                false
            }
            None => true,
        });
        taken
    }

    fn forbids(&self, access: &Access, permission: &str, db: &PolicyDb) -> Option<String> {
        let (target, class) = (type_of(&access.tcontext), access.tclass.as_str());
        if let Some((_, what)) = SENSITIVE.iter().find(|it| it.0 == target) {
            return Some(format!("{what}: such rules are written by hand"));
        }
        if POWERS.contains(&(class, permission)) {
            return Some("such rules are written by hand".to_owned());
        }
        let (key, _) = permissions_of(access)?;
        let mut rules = Rules::default();
        rules.allow(key, [permission]);
        let (_, place) = self.0.forbidden(db, &rules).pop()?;
        Some(format!("a neverallow rule at {place} forbids it"))
    }
}

/// Why no rule would allow an access.
fn blocked(access: &Access, explainer: &mut Explainer<'_>) -> Option<String> {
    let explanation = explainer.explain(access);
    let helpless = |it: &&Cause| {
        matches!(
            it,
            Cause::Constraint(_)
                | Cause::RoleAllow { .. }
                | Cause::RoleType { .. }
                | Cause::UserRole { .. }
                | Cause::Bounds { .. }
                | Cause::InvalidContext { .. }
        )
    };
    let cause = explanation.reasons.iter().map(|it| &it.cause).find(helpless)?;
    Some(cause.sentence())
}
