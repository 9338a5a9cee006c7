//! Why a decision is as it is: the same algorithm with a recorder.

use mandate_policydb::{
    AvRule, BoolId, Constraint, Context, Datum, PermissionDatum, PolicyDb, RoleId, RuleKind,
    RulePlace, TypeId,
};

use crate::engine::{Decision, Engine, Query, compute_av};
use crate::trace::Trace;
use crate::xperm::XpermBase;

/// A decision with its reasons, permission by permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The permissions asked about.
    pub permissions: Vec<PermissionExplanation>,
    /// Was every set of up to three booleans tried? Not if very many bear on the answer.
    pub search_complete: bool,
}

/// Why a permission is allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionExplanation {
    /// The permission.
    pub permission: PermissionDatum,
    /// Is it allowed?
    pub allowed: bool,
    /// `allow` rules that grant it, even if something else denies it.
    pub grants: Vec<RulePlace>,
    /// `allow` rules that would grant it if the booleans stood otherwise.
    pub inactive: Vec<RulePlace>,
    /// What denies it; empty if it is allowed.
    pub denials: Vec<Denial>,
    /// `auditallow` rules, if it is allowed; `dontaudit` rules, if it is denied.
    pub audit: Vec<RulePlace>,
    /// Sets of booleans that would change the answer, with the values to give them: those of the smallest size, up to 3,
    /// and no more than 16 of them.
    pub changes: Vec<Change>,
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
        let wanted = permissions.iter().fold(0, |mask, it| mask | bit(&it.permission));
        let blocks = self.blocks(&recorder.level, wanted);
        let bits: Vec<u32> = permissions.iter().map(|it| bit(&it.permission)).collect();
        let ask = |engine: &Self| engine.decide(query).allowed;
        let (changes, search_complete) = self.search(blocks, &bits, ask);
        for (permission, changes) in permissions.iter_mut().zip(changes) {
            permission.changes = changes;
        }
        Explanation { decision, permissions, search_complete }
    }

    /// Sets of booleans that would change whether a command may be used: see [`PermissionExplanation::changes`].
    pub fn xperm_changes(&self, query: &Query<'_>, base: XpermBase, command: u16) -> Vec<Change> {
        let blocks = self.decide_xperm(query, base, command).blocks;
        let ask = |engine: &Self| u32::from(engine.decide_xperm(query, base, command).allowed);
        self.search(blocks, &[1], ask).0.pop().unwrap_or_default()
    }

    fn explain_permission(
        &self,
        query: &Query<'_>,
        level: &Level,
        decision: &Decision,
        permission: &PermissionDatum,
    ) -> PermissionExplanation {
        let bit = bit(permission);
        let rules = |kind, applying| self.rules(level, kind, bit, applying);
        let allowed = decision.allowed & bit != 0;
        let audit_kind = if allowed { RuleKind::AuditAllow } else { RuleKind::DontAudit };
        PermissionExplanation {
            permission: permission.clone(),
            allowed,
            grants: rules(RuleKind::Allow, true),
            inactive: rules(RuleKind::Allow, false),
            denials: if allowed { Vec::new() } else { self.denials(query, level, bit) },
            audit: rules(audit_kind, true),
            changes: Vec::new(),
        }
    }

    fn rules(&self, level: &Level, kind: RuleKind, bit: u32, applying: bool) -> Vec<RulePlace> {
        let (db, numbering) = (self.db(), &self.index.numbering);
        let matching = level.rules.iter().filter(|it| {
            let rule = numbering.rule(db, it.0);
            let wanted = |rule: AvRule| rule.kind == kind && rule.permissions() & bit != 0;
            it.1 == applying && rule.is_some_and(|it| wanted(it.0))
        });
        let mut found: Vec<_> = matching.map(|it| numbering.reference(db, it.0)).collect();
        found.sort_unstable();
        found
    }

    fn denials(&self, query: &Query<'_>, level: &Level, bit: u32) -> Vec<Denial> {
        let mut denials = Vec::new();
        if self.rules(level, RuleKind::Allow, bit, true).is_empty() {
            denials.push(Denial::NoRule);
        }
        for (constraint, holds, terms) in &level.constraints {
            if !holds && constraint.permissions & bit != 0 {
                let (constraint, terms) = (constraint.clone(), terms.clone());
                denials.push(Denial::Constraint { constraint, terms });
            }
        }
        if level.role_denied & bit != 0 {
            denials.push(Denial::RoleAllow { from: query.source.role, to: query.target.role });
        }
        if let Some((source, target, inner, denied)) = &level.bounds
            && denied & bit != 0
        {
            let (source, target) = (*source, *target);
            let denials_there = self.denials(query, inner, bit);
            denials.push(Denial::Bounds { source, target, denials: denials_there });
        }
        denials
    }

    /// Blocks that hold a rule that bears on these permissions.
    fn blocks(&self, level: &Level, wanted: u32) -> Vec<usize> {
        let (db, numbering) = (self.db(), &self.index.numbering);
        let mut blocks = Vec::new();
        let mut next = Some(level);
        while let Some(level) = next {
            for &(number, _) in &level.rules {
                let bears = numbering.rule(db, number).is_some_and(|(rule, _)| {
                    rule.kind == RuleKind::Allow && rule.permissions() & wanted != 0
                });
                if let (true, RulePlace::Conditional { block, .. }) =
                    (bears, numbering.reference(db, number))
                {
                    blocks.push(block as usize);
                }
            }
            next = level.bounds.as_ref().map(|bounds| &*bounds.2);
        }
        blocks
    }

    /// For each bit the smallest sets of booleans that change it in what `ask` answers. `false` if not all were tried.
    fn search(
        &self,
        mut blocks: Vec<usize>,
        bits: &[u32],
        ask: impl Fn(&Self) -> u32,
    ) -> (Vec<Vec<Change>>, bool) {
        blocks.sort_unstable();
        blocks.dedup();
        let candidates = Candidates::of(self.db(), &blocks);
        let now = ask(self);
        let mut changes: Vec<Vec<Change>> = vec![Vec::new(); bits.len()];
        let mut trials = 0;
        for size in 1..=MOST_FLIPS {
            let open: Vec<bool> = changes.iter().map(Vec::is_empty).collect();
            if !open.contains(&true) {
                break;
            }
            candidates.each_set(size, &mut |set| {
                trials += 1;
                let flip = |&id: &BoolId| (id, self.booleans().get(id) != Some(true));
                let change: Change = set.iter().map(flip).collect();
                let booleans = self.booleans().with_within(self.db(), &change, &blocks);
                let differs = now ^ ask(&self.with_booleans(booleans));
                for ((found, bit), _) in changes.iter_mut().zip(bits).zip(&open).filter(|it| *it.1)
                {
                    if differs & bit != 0 && found.len() < MOST_CHANGES && !found.contains(&change)
                    {
                        found.push(change.clone());
                    }
                }
                trials < MOST_TRIALS
            });
        }
        (changes, trials < MOST_TRIALS)
    }
}

/// Booleans with the values to give them.
pub type Change = Vec<(BoolId, bool)>;

/// Booleans that may have to be flipped together.
const MOST_FLIPS: usize = 3;
/// Changes that are told of one permission.
const MOST_CHANGES: usize = 16;
/// Sets that are tried: about a twentieth of a second on a large policy.
const MOST_TRIALS: usize = 20_000;

fn bit(permission: &PermissionDatum) -> u32 {
    permission.id().mask()
}

/// Booleans that bear on an answer.
struct Candidates {
    /// Those of each block: to allow something mostly takes booleans that stand together.
    blocks: Vec<Vec<BoolId>>,
    all: Vec<BoolId>,
}

impl Candidates {
    fn of(db: &PolicyDb, blocks: &[usize]) -> Self {
        let distinct = |mut booleans: Vec<BoolId>| {
            booleans.sort_unstable();
            booleans.dedup();
            booleans
        };
        let conditionals = blocks.iter().filter_map(|&block| db.conditionals.get(block));
        let mut blocks: Vec<_> = conditionals.map(|it| distinct(it.booleans().collect())).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let all = distinct(blocks.iter().flatten().copied().collect());
        Self { blocks, all }
    }

    /// Calls `visit` with every set of this size until it says stop, those within a block first.
    fn each_set(&self, size: usize, visit: &mut dyn FnMut(&[BoolId]) -> bool) {
        let lists = self.blocks.iter().filter(|_| size > 1).chain([&self.all]);
        for list in lists {
            if !extend_set(list, size, &mut Vec::new(), visit) {
                return;
            }
        }
    }
}

fn extend_set(
    items: &[BoolId],
    size: usize,
    chosen: &mut Vec<BoolId>,
    visit: &mut dyn FnMut(&[BoolId]) -> bool,
) -> bool {
    if chosen.len() == size {
        return visit(chosen);
    }
    for (at, &item) in items.iter().enumerate() {
        chosen.push(item);
        let rest = items.get(at + 1..).unwrap_or_default();
        let go_on = extend_set(rest, size, chosen, visit);
        chosen.pop();
        if !go_on {
            return false;
        }
    }
    true
}
