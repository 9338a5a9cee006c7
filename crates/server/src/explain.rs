//! Why a decision is as it is: the same algorithm with a recorder.

use mandate_policydb::{
    BoolId, Constraint, Context, Datum, PermissionDatum, PolicyDb, RoleId, RuleKind, SymbolId,
    TypeId,
};

use crate::engine::{Decision, Engine, Query, compute_av};
use crate::index::RuleRef;
use crate::trace::Trace;

/// A decision with its reasons, permission by permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The permissions asked about.
    pub permissions: Vec<PermissionExplanation>,
}

/// Why a permission is allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionExplanation {
    /// The permission.
    pub permission: PermissionDatum,
    /// Is it allowed?
    pub allowed: bool,
    /// `allow` rules that grant it, even if something else denies it.
    pub grants: Vec<RuleRef>,
    /// `allow` rules that would grant it if the booleans stood otherwise.
    pub inactive: Vec<RuleRef>,
    /// What denies it; empty if it is allowed.
    pub denials: Vec<Denial>,
    /// `auditallow` rules, if it is allowed; `dontaudit` rules, if it is denied.
    pub audit: Vec<RuleRef>,
    /// Sets of booleans that would change the answer, with the values to give them: all of the smallest size, up to 3.
    pub changes: Vec<Vec<(BoolId, bool)>>,
}

/// What denies a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// No `allow` rule grants it.
    NoRule,
    /// A constraint does not hold.
    Constraint {
        /// The constraint.
        constraint: Constraint,
        /// The value after each of its terms.
        terms: Vec<bool>,
    },
    /// No role allow lets one role change to the other.
    RoleAllow {
        /// The role of the source.
        from: RoleId,
        /// The role of the target.
        to: RoleId,
    },
    /// The bounding types may not do it either.
    Bounds {
        /// The type that bounds the source.
        source: TypeId,
        /// The type that bounds the target, or the target's own.
        target: TypeId,
        /// What denies it to them.
        denials: Vec<Self>,
    },
}

/// What was recorded for one pair of types.
#[derive(Default)]
struct Level {
    rules: Vec<(u32, bool)>,
    constraints: Vec<(Constraint, bool, Vec<bool>)>,
    role_denied: u32,
    /// Source and target of the bounding types, what happened there, and what they took away.
    bounds: Option<(TypeId, TypeId, Box<Self>, u32)>,
}

/// Records a decision. The innermost level is last.
#[derive(Default)]
struct Recorder {
    level: Level,
    outer: Vec<(Level, TypeId, TypeId)>,
}

impl Trace for Recorder {
    fn rule(&mut self, number: u32, applies: bool) {
        self.level.rules.push((number, applies));
    }

    fn constraint(&mut self, constraint: &Constraint, holds: bool, terms: &[bool]) {
        self.level.constraints.push((constraint.clone(), holds, terms.to_vec()));
    }

    fn role_denied(&mut self, permissions: u32) {
        self.level.role_denied |= permissions;
    }

    fn enter_bounds(&mut self, source: &Context, target: &Context) {
        let level = std::mem::take(&mut self.level);
        self.outer.push((level, source.type_, target.type_));
    }

    fn leave_bounds(&mut self, permissions: u32) {
        if let Some((outer, source, target)) = self.outer.pop() {
            let inner = std::mem::replace(&mut self.level, outer);
            self.level.bounds = Some((source, target, Box::new(inner), permissions));
        }
    }
}

impl Engine {
    /// Decides and says why, for these permissions or for all of the class.
    pub fn explain(&self, query: &Query<'_>, wanted: Option<u32>) -> Explanation {
        let mut recorder = Recorder::default();
        let decision = compute_av(self, query, &mut recorder);
        let wanted = wanted.unwrap_or(!0);
        let asked = self.db().permissions(query.class).filter(|it| wanted & bit(it) != 0);
        let mut permissions: Vec<PermissionExplanation> = asked
            .map(|permission| {
                self.explain_permission(query, &recorder.level, &decision, permission)
            })
            .collect();
        self.add_changes(query, &recorder.level, &decision, &mut permissions);
        Explanation { decision, permissions }
    }

    fn explain_permission(
        &self,
        query: &Query<'_>,
        level: &Level,
        decision: &Decision,
        permission: &PermissionDatum,
    ) -> PermissionExplanation {
        let db = self.db();
        let bit = bit(permission);
        let allowed = decision.allowed & bit != 0;
        let audit_kind = if allowed { RuleKind::AuditAllow } else { RuleKind::DontAudit };
        PermissionExplanation {
            permission: permission.clone(),
            allowed,
            grants: rules(db, level, RuleKind::Allow, bit, true),
            inactive: rules(db, level, RuleKind::Allow, bit, false),
            denials: if allowed { Vec::new() } else { denials(db, query, level, bit) },
            audit: rules(db, level, audit_kind, bit, true),
            changes: Vec::new(),
        }
    }

    fn add_changes(
        &self,
        query: &Query<'_>,
        level: &Level,
        decision: &Decision,
        permissions: &mut [PermissionExplanation],
    ) {
        let wanted = permissions.iter().fold(0, |mask, it| mask | bit(&it.permission));
        let candidates = candidates(self.db(), level, wanted);
        for size in 1..=MOST_FLIPS {
            let mut open = permissions.iter_mut().filter(|it| it.changes.is_empty()).peekable();
            if open.peek().is_none() {
                return;
            }
            let mut open: Vec<_> = open.collect();
            each_subset(&candidates, size, &mut |subset| {
                let flips = subset.iter().map(|&id| (id, self.booleans().get(id) != Some(true)));
                let flips: Vec<_> = flips.collect();
                let changed = self.booleans().with(self.db(), flips.iter().copied());
                let allowed = self.with_booleans(changed).decide(query).allowed;
                for it in &mut open {
                    let differs = (allowed ^ decision.allowed) & bit(&it.permission) != 0;
                    if differs && it.changes.len() < MOST_CHANGES {
                        it.changes.push(flips.clone());
                    }
                }
            });
        }
    }
}

/// Booleans that may have to be flipped together.
const MOST_FLIPS: usize = 3;
/// Changes that are told of one permission.
const MOST_CHANGES: usize = 16;
/// Booleans that are tried in sets of two and three; more take too long.
const MOST_CANDIDATES: usize = 48;

fn bit(permission: &PermissionDatum) -> u32 {
    1u32.rotate_left(permission.id().bit())
}

fn rules(db: &PolicyDb, level: &Level, kind: RuleKind, bit: u32, applying: bool) -> Vec<RuleRef> {
    let numbers = level.rules.iter().filter(|it| it.1 == applying).map(|it| it.0);
    let refs = numbers.map(|number| RuleRef::of_number(db, number));
    let mut found: Vec<RuleRef> = refs
        .filter(|it| {
            it.rule(db).is_some_and(|rule| rule.kind == kind && rule.permissions() & bit != 0)
        })
        .collect();
    found.sort_unstable();
    found
}

fn denials(db: &PolicyDb, query: &Query<'_>, level: &Level, bit: u32) -> Vec<Denial> {
    if rules(db, level, RuleKind::Allow, bit, true).is_empty() {
        return vec![Denial::NoRule];
    }
    let broken = level.constraints.iter().filter(|it| !it.1 && it.0.permissions & bit != 0);
    let mut denials: Vec<Denial> = broken
        .map(|(constraint, _, terms)| Denial::Constraint {
            constraint: constraint.clone(),
            terms: terms.clone(),
        })
        .collect();
    if level.role_denied & bit != 0 {
        denials.push(Denial::RoleAllow { from: query.source.role, to: query.target.role });
    }
    if let Some((source, target, inner, denied)) = &level.bounds
        && denied & bit != 0
    {
        let denials_there = self::denials(db, query, inner, bit);
        denials.push(Denial::Bounds { source: *source, target: *target, denials: denials_there });
    }
    denials
}

/// Booleans whose blocks hold a rule that bears on these permissions.
fn candidates(db: &PolicyDb, level: &Level, wanted: u32) -> Vec<BoolId> {
    let mut found = Vec::new();
    let mut next = Some(level);
    while let Some(level) = next {
        for &(number, _) in &level.rules {
            let rule = RuleRef::of_number(db, number);
            let bears = rule
                .rule(db)
                .is_some_and(|it| it.kind == RuleKind::Allow && it.permissions() & wanted != 0);
            if let Some(block) = rule.block(db).filter(|_| bears) {
                found.extend(block.booleans());
            }
        }
        next = level.bounds.as_ref().map(|bounds| &*bounds.2);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Calls `visit` with every subset of this size, in order.
fn each_subset(items: &[BoolId], size: usize, visit: &mut dyn FnMut(&[BoolId])) {
    let items = if size > 1 { items.get(..MOST_CANDIDATES).unwrap_or(items) } else { items };
    extend_subset(items, size, &mut Vec::new(), visit);
}

fn extend_subset(
    items: &[BoolId],
    size: usize,
    chosen: &mut Vec<BoolId>,
    visit: &mut dyn FnMut(&[BoolId]),
) {
    if chosen.len() == size {
        return visit(chosen);
    }
    for (at, &item) in items.iter().enumerate() {
        chosen.push(item);
        extend_subset(items.get(at + 1..).unwrap_or_default(), size, chosen, visit);
        chosen.pop();
    }
}
