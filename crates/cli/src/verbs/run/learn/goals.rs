//! What no learned rule may grant, whatever a program did.

use anyhow::{Result, anyhow};
use mandate_audit::Access;
use mandate_audit::bound::Bound;
use mandate_audit::explain::{Cause, Explainer};
use mandate_audit::rules::{Rules, permissions_of};
use mandate_compile::outcome::SourceTree;
use mandate_policydb::PolicyDb;

use super::super::told::type_of;

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

/// The goals of a source tree.
pub(super) struct Goals(Vec<Bound>);

impl Goals {
    /// The `neverallow` rules of a tree, over the names of a policy.
    pub(super) fn of(tree: &SourceTree, db: &PolicyDb) -> Result<Self> {
        let files = tree.iter().filter(|(path, _)| path.ends_with(".te"));
        let bounds = files.filter_map(|(path, bytes)| {
            let text = goals_of(&String::from_utf8_lossy(bytes))?;
            Some(Bound::parse(path, text.as_bytes(), db).map_err(|it| anyhow!(it)))
        });
        Ok(Self(bounds.collect::<Result<_>>()?))
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
        let place = self.0.iter().find_map(|it| it.forbidden(db, &rules).pop())?.1;
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

/// The `neverallow` lines of a module where they stand; nothing if there are none.
fn goals_of(text: &str) -> Option<String> {
    let is_goal = |it: &str| it.trim_start().starts_with("neverallow ");
    text.lines().any(is_goal).then(|| {
        let lines = text.lines().map(|it| if is_goal(it) { it } else { "" });
        lines.collect::<Vec<_>>().join("\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A goal of several lines would be read in part.
    #[test]
    fn each_goal_of_the_base_policy_is_a_line() {
        let tree = crate::sources::base_policy();
        let texts = tree.iter().filter(|it| it.0.ends_with(".te")).map(|it| it.1);
        let goals = texts.filter_map(|it| goals_of(&String::from_utf8_lossy(it)));
        let lines: Vec<String> =
            goals.flat_map(|it| it.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let goals: Vec<_> = lines.iter().filter(|it| !it.is_empty()).collect();
        assert!(goals.len() > 20, "{goals:?}");
        assert!(goals.iter().all(|it| it.ends_with(';')), "{goals:?}");
    }
}
