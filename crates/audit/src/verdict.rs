//! Why an access was denied, in one word: what audit2why(1) tells, and audit2allow(1) puts before its rules.

use mandate_policydb::PolicyDb;
use mandate_server::{Denial, Engine, PermissionExplanation};

use crate::Access;
use crate::explain::{Asked, Cause};

/// Why an access was denied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The policy allows it now.
    Allowed,
    /// It is not allowed and not to be logged.
    DontAudit,
    /// No rule allows it.
    Rule,
    /// Each of these booleans alone would allow it, with the value to give it.
    Boolean(Vec<(String, bool)>),
    /// A constraint does not hold.
    Constraint {
        /// The statement.
        statement: String,
        /// Parts of the contexts that differ: what, of the source, of the target.
        differ: Vec<(&'static str, String, String)>,
    },
    /// A role allow is missing.
    Role,
    /// A bounding type may not do it.
    Bounds,
    /// A context is none of this policy.
    BadContext,
    /// The class is none of this policy.
    BadClass,
    /// The class does not have a permission.
    BadPermission,
}

impl Verdict {
    /// Of an access by a policy in the state of its booleans.
    pub fn of(engine: &Engine, access: &Access) -> Self {
        match Asked::of(engine.db(), access) {
            Ok(asked) => Self::decided(engine, access, &asked),
            Err(reasons) => {
                let has = |of: fn(&Cause) -> bool| reasons.iter().any(|it| of(&it.cause));
                if has(|it| matches!(it, Cause::UnknownPermission { .. })) {
                    return Self::BadPermission;
                }
                let class = |it: &Cause| matches!(it, Cause::UnknownClass(_));
                if reasons.iter().all(|it| class(&it.cause)) {
                    Self::BadClass
                } else {
                    Self::BadContext
                }
            }
        }
    }

    fn decided(engine: &Engine, access: &Access, asked: &Asked) -> Self {
        // Most need no more than this.
        let decision = engine.decide(&asked.query());
        if decision.allowed & asked.wanted == asked.wanted {
            return Self::Allowed;
        }
        let explanation = engine.explain(&asked.query(), Some(asked.wanted));
        let denied: Vec<&PermissionExplanation> =
            explanation.permissions.iter().filter(|it| !it.allowed).collect();
        let denials = || denied.iter().flat_map(|it| &it.denials);
        if denials().any(|it| *it == Denial::NoRule) {
            let booleans = booleans(engine.db(), &denied);
            return if !booleans.is_empty() {
                Self::Boolean(booleans)
            } else if asked.wanted & !explanation.decision.auditdeny != 0 {
                Self::DontAudit
            } else {
                Self::Rule
            };
        }
        for denial in denials() {
            if let Denial::Constraint { constraint, .. } = denial {
                let statement = engine.db().constraint_to_string(asked.class, constraint);
                return Self::Constraint { statement, differ: differ(access) };
            }
        }
        match denials().any(|it| matches!(it, Denial::RoleAllow { .. })) {
            true => Self::Role,
            false => Self::Bounds,
        }
    }

    /// Does it leave no rule to be written, since the policy does not know the names?
    pub fn is_about_names(&self) -> bool {
        matches!(self, Self::BadContext | Self::BadPermission)
    }

    /// What stands before the rule in a list of rules, without the `#`.
    pub fn comments(&self) -> Vec<String> {
        let line = |text: &str| vec![format!("!!!! This avc {text}")];
        match self {
            Self::Allowed => line("is allowed in the current policy"),
            Self::Boolean(all) => match all.as_slice() {
                [(name, _)] => line(&format!("can be allowed using the boolean '{name}'")),
                several => {
                    let names: Vec<&str> = several.iter().map(|it| it.0.as_str()).collect();
                    let mut lines = line("can be allowed using one of the these booleans:");
                    lines.push(format!("     {}", names.join(", ")));
                    lines
                }
            },
            Self::DontAudit => line("has a dontaudit rule in the current policy"),
            Self::Constraint { statement, differ } => {
                let mut lines = line(
                    "is a constraint violation.  You would need to modify the attributes of either the source or target types to allow this access.",
                );
                lines.push("Constraint rule: ".to_owned());
                lines.push(format!("\t{statement}"));
                for (what, source, target) in differ {
                    lines.push(format!(
                        "\tPossible cause is the source {what} ({source}) and target {what} ({target}) are different."
                    ));
                }
                lines
            }
            _ => Vec::new(),
        }
    }
}

/// Booleans that alone allow all that is denied.
fn booleans(db: &PolicyDb, denied: &[&PermissionExplanation]) -> Vec<(String, bool)> {
    let Some((first, others)) = denied.split_first() else { return Vec::new() };
    let single = first.changes.iter().filter(|it| it.len() == 1);
    let common = single.filter(|it| others.iter().all(|other| other.changes.contains(it)));
    let each = common.flatten().map(|&(id, on)| (db.booleans.name(id).into_owned(), on));
    let mut all: Vec<_> = each.collect();
    all.sort_unstable();
    all
}

/// The parts of two contexts that are not the same.
fn differ(access: &Access) -> Vec<(&'static str, String, String)> {
    let part =
        |context: &str, at: usize| context.splitn(4, ':').nth(at).unwrap_or_default().to_owned();
    let parts = [("user", 0), ("role", 1), ("level", 3)];
    let all =
        parts.map(|(what, at)| (what, part(&access.scontext, at), part(&access.tcontext, at)));
    all.into_iter().filter(|it| it.1 != it.2).collect()
}
