//! Why something was denied, and what would mend it: from an access and a policy, with file contexts, interfaces and bounds
//! as far as they are known.

mod asked;
mod cause;
mod constraint;
mod fix;
mod group;
mod label;
mod note;
mod tell;
#[cfg(test)]
mod tests;
mod transition;

use mandate_label::file_contexts::{FileContexts, Lookup};
use mandate_policydb::PolicyDb;
use mandate_server::{Change, Denial, Engine, PermissionExplanation, XpermBase};

use crate::bound::Bound;
use crate::interfaces::Catalogue;
use crate::rules::xperm_operation;
use crate::{Access, Object};
pub(crate) use asked::Asked;
pub(crate) use fix::MOST_EXCESS;

pub use cause::{
    BrokenConstraint, Cause, Comparison, ConstraintPart, End, Mislabel, MissingTransition, Reason,
};
pub use fix::{Fix, Refusal};
pub use group::{Group, group, group_counted};
pub use note::Note;
pub use tell::{happened, printable, quoted};

/// An access explained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Why it was denied; the likeliest reason first. None if the record asks for nothing.
    pub reasons: Vec<Reason>,
    /// What else is worth knowing.
    pub notes: Vec<Note>,
    /// What would mend it, the best first; each is enough by itself.
    pub fixes: Vec<Fix>,
    /// Fixes that a bound forbids.
    pub refused: Vec<Refusal>,
}

impl Explanation {
    /// The likeliest reason.
    pub fn cause(&self) -> Option<&Cause> {
        self.reasons.first().map(|it| &it.cause)
    }
}

/// Explains accesses by one policy.
pub struct Explainer<'a> {
    engine: &'a Engine,
    lookup: Option<Lookup<'a>>,
    catalogue: Option<&'a Catalogue>,
    bound: Option<&'a Bound>,
    transitions: transition::Transitions,
}

impl<'a> Explainer<'a> {
    /// By this policy, in the state of its booleans.
    pub fn new(engine: &'a Engine) -> Self {
        let transitions = transition::Transitions::of(engine.db());
        Self { engine, lookup: None, catalogue: None, bound: None, transitions }
    }

    /// With file contexts, to find files that are mislabelled.
    #[must_use]
    pub fn with_file_contexts(self, table: &'a FileContexts) -> Self {
        Self { lookup: Some(Lookup::new(table)), ..self }
    }

    /// With interfaces, to be offered before rules of their own.
    #[must_use]
    pub fn with_interfaces(self, catalogue: &'a Catalogue) -> Self {
        Self { catalogue: Some(catalogue), ..self }
    }

    /// With what no fix may allow.
    #[must_use]
    pub fn with_bound(self, bound: &'a Bound) -> Self {
        Self { bound: Some(bound), ..self }
    }

    fn db(&self) -> &'a PolicyDb {
        self.engine.db()
    }

    /// The context that file contexts give the object of an access, if they are known and it has a whole path.
    pub fn expected(&mut self, access: &Access) -> Option<&str> {
        let (path, _) = label::path_of(&access.object)?;
        let kind = label::file_type(&access.tclass)?;
        self.lookup.as_mut()?.path(path, Some(kind)).context()
    }

    /// Explains an access that was denied, or would have been.
    pub fn explain(&mut self, access: &Access) -> Explanation {
        let mut explained = Explanation::default();
        note::of_access(access, &mut explained.notes);
        match Asked::of(self.db(), access) {
            Ok(asked) if asked.wanted != 0 => self.decided(access, &asked, &mut explained),
            Ok(_) => {}
            Err(reasons) => {
                explained.reasons = reasons;
                fix::of_context(&explained.reasons, &mut explained.fixes);
            }
        }
        explained
    }

    fn decided(&mut self, access: &Access, asked: &Asked, explained: &mut Explanation) {
        let found = self.engine.explain(&asked.query(), Some(asked.wanted));
        let denied: Vec<&PermissionExplanation> =
            found.permissions.iter().filter(|it| !it.allowed).collect();
        if found.decision.permissive {
            explained.notes.push(Note::PermissiveDomain);
        }
        if !denied.is_empty() && denied.iter().all(|it| !it.audit.is_empty()) {
            explained.notes.push(Note::DontAudit);
        }
        if denied.is_empty() {
            explained.reasons = vec![self.allowed_now(access, asked)];
        } else {
            self.denied(access, asked, &denied, explained);
        }
        if explained.cause() != Some(&Cause::Allowed) {
            self.fixes(access, asked, &denied, explained);
        }
    }

    /// All permissions are allowed; a command may be denied all the same.
    fn allowed_now(&self, access: &Access, asked: &Asked) -> Reason {
        let xperm = xperm_operation(access).filter(|&(_, command)| {
            !self.engine.decide_xperm(&asked.query(), XpermBase::Ioctl, command).allowed
        });
        match xperm {
            Some((operation, command)) => Reason {
                cause: Cause::Xperm { operation, command },
                permissions: vec![operation.to_owned()],
            },
            None => Reason { cause: Cause::Allowed, permissions: access.permissions.clone() },
        }
    }

    fn denied(
        &mut self,
        access: &Access,
        asked: &Asked,
        denied: &[&PermissionExplanation],
        explained: &mut Explanation,
    ) {
        let reasons = &mut explained.reasons;
        if let Some(it) = self.mislabelled(access, asked) {
            add(reasons, Cause::Mislabelled(it), &access.permissions);
        }
        for permission in denied {
            let name = [permission.permission.name.to_string()];
            for cause in self.causes(asked, permission) {
                add(reasons, cause, &name);
            }
        }
        if let Some(missing) = self.missing_transition(access, asked, reasons) {
            let certain = matches!(missing, MissingTransition::Process { may: true, .. });
            let permissions = access.permissions.clone();
            let reason = Reason { cause: Cause::MissingTransition(missing), permissions };
            reasons.insert(if certain { 0 } else { reasons.len() }, reason);
        }
    }

    /// What denies a permission, each with a cause of its own.
    fn causes(&self, asked: &Asked, permission: &PermissionExplanation) -> Vec<Cause> {
        let db = self.db();
        let mut causes = Vec::new();
        if !permission.changes.is_empty() {
            let sets = permission.changes.iter().map(|it| settings(db, it));
            causes.push(Cause::Boolean(sets.collect()));
        }
        for denial in &permission.denials {
            causes.push(match denial {
                // A boolean is why no rule applies.
                Denial::NoRule if !permission.changes.is_empty() => continue,
                Denial::Constraint { constraint, terms } => {
                    Cause::Constraint(constraint::broken(db, asked.class, constraint, terms))
                }
                Denial::RoleAllow { from, to } => Cause::RoleAllow {
                    from: db.roles.name(*from).into_owned(),
                    to: db.roles.name(*to).into_owned(),
                },
                Denial::Bounds { source, target, .. } => Cause::Bounds {
                    source: db.types.name(*source).into_owned(),
                    target: db.types.name(*target).into_owned(),
                },
                _ => Cause::NoRule,
            });
        }
        causes
    }

    fn mislabelled(&mut self, access: &Access, asked: &Asked) -> Option<Mislabel> {
        let (engine, class) = (self.engine, access.tclass.as_str());
        let lookup = self.lookup.as_mut()?;
        label::Asking { engine, lookup, asked, class }.mislabelled(&access.object)
    }

    /// Only where it is a rule that is missing.
    fn missing_transition(
        &self,
        access: &Access,
        asked: &Asked,
        reasons: &[Reason],
    ) -> Option<MissingTransition> {
        let without_rule = reasons.iter().find(|it| it.cause == Cause::NoRule)?;
        let (engine, transitions) = (self.engine, &self.transitions);
        let object: &Object = &access.object;
        transition::Asking { engine, transitions, asked }.missing(
            &access.tclass,
            &without_rule.permissions,
            object,
        )
    }
}

/// Adds permissions to a cause that is told already, or the cause.
fn add(reasons: &mut Vec<Reason>, cause: Cause, permissions: &[String]) {
    match reasons.iter_mut().find(|it| it.cause == cause) {
        Some(known) => known.permissions.extend_from_slice(permissions),
        None => reasons.push(Reason { cause, permissions: permissions.to_vec() }),
    }
}

/// Booleans by name.
fn settings(db: &PolicyDb, change: &Change) -> Vec<(String, bool)> {
    change.iter().map(|&(id, value)| (db.booleans.name(id).into_owned(), value)).collect()
}

/// Those permissions of an access that rules and constraints allow; none if the policy does not know its names.
pub(crate) fn allowed_permissions<'a>(engine: &Engine, access: &'a Access) -> Vec<&'a String> {
    let Ok(asked) = Asked::of(engine.db(), access) else { return Vec::new() };
    let allowed = engine.decide(&asked.query()).allowed;
    let bit = |name: &str| engine.db().permission(asked.class, name).map_or(0, |it| it.mask());
    access.permissions.iter().filter(|it| allowed & bit(it) != 0).collect()
}
