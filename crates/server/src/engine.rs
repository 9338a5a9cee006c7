//! The decision engine: a policy with its index, and access decisions.
//!
//! Source of the algorithm: `context_struct_compute_av` in the kernel's `security/selinux/ss/services.c`.

use std::sync::Arc;

use mandate_policydb::{ClassId, Context, HandleUnknown, Policy, PolicyDb, RuleKind, SymbolId};

use crate::booleans::Booleans;
use crate::constraint::{self, Contexts};
use crate::index::{Groups, Numbering, RuleIndex};
use crate::trace::Trace;
use crate::transition::Transitions;

/// May `source` do things of class `class` to `target`?
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The context of the process.
    pub source: &'a Context,
    /// The context of the object.
    pub target: &'a Context,
    /// The class of the object.
    pub class: ClassId,
}

/// The answer to a [`Query`]. Bit *n* − 1 of each vector stands for permission *n* of the class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is allowed.
    pub allowed: u32,
    /// What is logged when allowed.
    pub auditallow: u32,
    /// What is logged when denied.
    pub auditdeny: u32,
    /// Are denials only logged, not enforced?
    pub permissive: bool,
    /// Is nothing of this source logged?
    pub neveraudit: bool,
}

impl Decision {
    /// Nothing allowed, every denial logged.
    pub const DENIED: Self =
        Self { allowed: 0, auditallow: 0, auditdeny: !0, permissive: false, neveraudit: false };
    /// Everything allowed.
    pub const ALLOWED: Self = Self { allowed: !0, ..Self::DENIED };
}

/// A policy has so many attributes that it cannot be indexed within 32 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy has more types and attributes than can be indexed")]
pub struct TooManyAttributes;

/// What never changes while a policy is loaded.
pub(crate) struct Index {
    pub(crate) policy: Policy,
    pub(crate) numbering: Numbering,
    pub(crate) groups: Groups,
    pub(crate) access: RuleIndex,
    pub(crate) xperms: RuleIndex,
    pub(crate) transitions: Transitions,
    process: Option<ProcessClass>,
}

/// The class `process` and its permissions that change the role.
#[derive(Clone, Copy)]
struct ProcessClass {
    class: ClassId,
    transitions: u32,
}

/// A policy ready to decide, in one state of its booleans. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) index: Arc<Index>,
    booleans: Booleans,
}

impl Engine {
    /// Indexes the policy; booleans are as it was written.
    ///
    /// # Errors
    /// The policy is a hundred times larger than any in use.
    pub fn new(policy: Policy) -> Result<Self, TooManyAttributes> {
        let db = policy.db();
        let booleans = Booleans::of(db);
        let groups = Groups::of(db).ok_or(TooManyAttributes)?;
        let numbering = Numbering::of(db);
        let vectors = numbering.all(db).filter(|it| it.1.kind.is_access_vector());
        let access = RuleIndex::new(db, &groups, vectors.map(|(number, &rule)| (number, rule)));
        let xperms = RuleIndex::new(db, &groups, numbering.some(db, &numbering.xperms));
        let transitions = Transitions::of(db, &numbering);
        let process = process_class(db);
        let index = Index { policy, numbering, groups, access, xperms, transitions, process };
        Ok(Self { index: Arc::new(index), booleans })
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.index.policy
    }

    /// The policy's database.
    pub fn db(&self) -> &PolicyDb {
        self.index.policy.db()
    }

    /// The state of the booleans.
    pub fn booleans(&self) -> &Booleans {
        &self.booleans
    }

    /// The same policy in another state of its booleans; the index is shared.
    #[must_use]
    pub fn with_booleans(&self, booleans: Booleans) -> Self {
        Self { index: Arc::clone(&self.index), booleans }
    }

    /// The class `process`, which several rules treat apart.
    pub(crate) fn process_class(&self) -> Option<ClassId> {
        self.index.process.map(|it| it.class)
    }

    /// Decides.
    pub fn decide(&self, query: &Query<'_>) -> Decision {
        compute_av(self, query, &mut ())
    }

    /// What the rules allow, and those about the types that bound: no constraint, role or level is asked.
    pub fn allowed_by_rules(&self, query: &Query<'_>) -> u32 {
        let allowed = type_enforcement(self, query, &mut ()).allowed;
        let Some((source, target)) = bounding(self.db(), query) else { return allowed };
        let outer = Query { source: &source, target: &target, class: query.class };
        allowed & self.allowed_by_rules(&outer)
    }

    /// Decides for a class given by number, as programs ask the kernel: 0 stands for a class that the policy does not
    /// define and is answered by `handle_unknown`; any other undefined number is denied.
    pub fn decide_numbered(&self, source: &Context, target: &Context, class: u32) -> Decision {
        let db = self.db();
        let known = ClassId::from_value(class).filter(|&id| db.classes.get(id).is_some());
        match known {
            Some(class) => self.decide(&Query { source, target, class }),
            None => {
                let allowed = class == 0 && db.handle_unknown == HandleUnknown::Allow;
                let base = if allowed { Decision::ALLOWED } else { Decision::DENIED };
                self.with_source_flags(base, source)
            }
        }
    }

    /// Adds what the source's type is marked with. The kernel (since 6.17) logs nothing of a type that is neveraudit,
    /// and allows all to one that is permissive as well.
    fn with_source_flags(&self, decision: Decision, source: &Context) -> Decision {
        let permissive = self.db().is_permissive(source.type_);
        let neveraudit = self.db().is_neveraudit(source.type_);
        let mut decision = Decision { permissive, neveraudit, ..decision };
        if neveraudit {
            (decision.auditallow, decision.auditdeny) = (0, 0);
            if permissive {
                decision.allowed = !0;
            }
        }
        decision
    }
}

fn process_class(db: &PolicyDb) -> Option<ProcessClass> {
    let class = db.classes.id("process")?;
    let bit = |name| db.permission(class, name).map_or(0, |it| it.mask());
    Some(ProcessClass { class, transitions: bit("transition") | bit("dyntransition") })
}

/// Decides, and tells `trace` each step.
pub fn compute_av<T: Trace>(engine: &Engine, query: &Query<'_>, trace: &mut T) -> Decision {
    let decision = compute_vectors(engine, query, trace);
    engine.with_source_flags(decision, query.source)
}

fn compute_vectors<T: Trace>(engine: &Engine, query: &Query<'_>, trace: &mut T) -> Decision {
    let mut decision = type_enforcement(engine, query, trace);
    constrain(engine.db(), query, &mut decision, trace);
    check_role(engine, query, &mut decision, trace);
    check_bounds(engine, query, &mut decision, trace);
    decision
}

fn type_enforcement<T: Trace>(engine: &Engine, query: &Query<'_>, trace: &mut T) -> Decision {
    let mut decision = Decision::DENIED;
    let (index, booleans) = (&*engine.index, &engine.booleans);
    let (source, target) = (query.source.type_, query.target.type_);
    let db = index.policy.db();
    index.access.matching(&index.groups, source, target, query.class, |number| {
        let Some((rule, branch)) = index.numbering.rule(db, number) else { return };
        let applies = booleans.applies(branch);
        trace.rule(number, applies);
        if applies {
            match rule.kind {
                RuleKind::Allow => decision.allowed |= rule.datum(),
                RuleKind::AuditAllow => decision.auditallow |= rule.datum(),
                _ => decision.auditdeny &= rule.datum(),
            }
        }
    });
    decision
}

fn constrain<T: Trace>(db: &PolicyDb, query: &Query<'_>, decision: &mut Decision, trace: &mut T) {
    let Some(class) = db.classes.get(query.class) else { return };
    let contexts = Contexts { source: query.source, target: query.target, process: None };
    let mut terms = Vec::new();
    for constraint in &class.constraints {
        if !T::THOROUGH && constraint.permissions & decision.allowed == 0 {
            continue;
        }
        terms.clear();
        let holds = constraint::holds(db, constraint, contexts, |value| {
            if T::THOROUGH {
                terms.push(value);
            }
        });
        trace.constraint(constraint, holds, &terms);
        if !holds {
            decision.allowed &= !constraint.permissions;
        }
    }
}

fn check_role<T: Trace>(
    engine: &Engine,
    query: &Query<'_>,
    decision: &mut Decision,
    trace: &mut T,
) {
    let Some(process) = engine.index.process.filter(|it| it.class == query.class) else { return };
    let (from, to) = (query.source.role, query.target.role);
    let denied = process.transitions;
    let concerned = T::THOROUGH || decision.allowed & denied != 0;
    if !concerned || from == to {
        return;
    }
    let role_allows = &engine.db().role_allows;
    if !role_allows.iter().any(|it| it.role == from && it.new_role == to) {
        trace.role_denied(denied);
        decision.allowed &= !denied;
    }
}

/// A bounded type may do no more than the type that bounds it. The chain is short: the policy was validated.
fn check_bounds<T: Trace>(
    engine: &Engine,
    query: &Query<'_>,
    decision: &mut Decision,
    trace: &mut T,
) {
    let Some((source, target)) = bounding(engine.db(), query) else { return };
    trace.enter_bounds(&source, &target);
    let outer = Query { source: &source, target: &target, class: query.class };
    let denied = !compute_vectors(engine, &outer, trace).allowed;
    trace.leave_bounds(denied);
    decision.allowed &= !denied;
}

/// Source and target with the types that bound theirs, if one bounds the source.
fn bounding(db: &PolicyDb, query: &Query<'_>) -> Option<(Context, Context)> {
    let bounds = |context: &Context| db.types.get(context.type_).and_then(|it| it.bounds);
    let source = Context { type_: bounds(query.source)?, ..query.source.clone() };
    let target = match bounds(query.target) {
        Some(upper) => Context { type_: upper, ..query.target.clone() },
        None => query.target.clone(),
    };
    Some((source, target))
}
