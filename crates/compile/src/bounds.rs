//! What is bounded has no more than its bounds: `typebounds`, and roles and users with a parent.
//!
//! A bounded type may do what its parent may: to a type without bounds just that, to a bounded one what the parent may do to that
//! one's parent. What the parent has by both branches of a block counts as if it stood outside; a rule in a branch is also covered
//! by what the parent has in that branch.

use std::collections::BTreeMap;

use mandate_policydb::{
    AvRule, ClassId, Ebitmap, PolicyDb, RoleId, RuleKind, RulePlace, SymbolId, TypeId, UserId,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::Span;

use crate::members::{Members, Types, bits};
use crate::outcome::RuleOrigins;

/// Something that is bounded by another of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bounded {
    /// A type.
    Type(TypeId),
    /// A role.
    Role(RoleId),
    /// A user.
    User(UserId),
}

/// More than its bounds has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundsViolation {
    /// A rule gives a type what its parent lacks.
    Type {
        /// The bounded type.
        child: TypeId,
        /// What bounds it.
        parent: TypeId,
        /// The rule.
        rule: RulePlace,
        /// For each target what the parent lacks, in order.
        excess: Vec<(TypeId, u32)>,
    },
    /// A role has types that its parent lacks.
    Role {
        /// The bounded role.
        child: RoleId,
        /// What bounds it.
        parent: RoleId,
        /// Bits of those types.
        types: Ebitmap,
    },
    /// A user has roles that its parent lacks.
    User {
        /// The bounded user.
        child: UserId,
        /// What bounds it.
        parent: UserId,
        /// Bits of those roles.
        roles: Ebitmap,
    },
}

/// Finds what has more than its bounds: users, roles and then types, each by value.
pub fn check(db: &PolicyDb) -> Vec<BoundsViolation> {
    let mut found = Vec::new();
    for (user, parent) in db.users.by_value().filter_map(|it| Some((it, it.bounds?))) {
        let theirs = db.users.get(parent).map(|it| &it.roles);
        if let Some(roles) = excess(&user.roles, theirs) {
            found.push(BoundsViolation::User { child: user.id, parent, roles });
        }
    }
    for (role, parent) in db.roles.by_value().filter_map(|it| Some((it, it.bounds?))) {
        let theirs = db.roles.get(parent).map(|it| &it.types);
        if let Some(types) = excess(&role.types, theirs) {
            found.push(BoundsViolation::Role { child: role.id, parent, types });
        }
    }
    check_types(db, &mut found);
    found
}

/// What `own` has beyond `theirs`.
fn excess(own: &Ebitmap, theirs: Option<&Ebitmap>) -> Option<Ebitmap> {
    let more: Ebitmap =
        own.iter().filter(|&bit| theirs.is_some_and(|it| !it.contains(bit))).collect();
    (!more.is_empty()).then_some(more)
}

fn check_types(db: &PolicyDb, found: &mut Vec<BoundsViolation>) {
    let bounded = db.types.by_value().filter(|it| !it.attribute);
    let pairs: Vec<(TypeId, TypeId)> = bounded.filter_map(|it| Some((it.id, it.bounds?))).collect();
    if pairs.is_empty() {
        return;
    }
    let members = Members::of(db);
    let mut parents = vec![None; db.types.nprim() as usize];
    for &(child, parent) in &pairs {
        if let Some(entry) = parents.get_mut(child.index()) {
            *entry = Some(parent);
        }
    }
    for (child, parent) in pairs {
        let may = Rights::of(db, &members, parent);
        Child { members: &members, parents: &parents, child, parent, may }.check(db, found);
    }
}

/// What a type may do, by class: targets and permissions.
#[derive(Default)]
struct Rights {
    always: ByClass,
    branches: BTreeMap<(u32, bool), ByClass>,
}

type ByClass = BTreeMap<ClassId, Vec<(TypeId, u32)>>;

impl Rights {
    fn of(db: &PolicyDb, members: &Members, type_: TypeId) -> Self {
        let mut this = Self::default();
        for (place, rule) in allow_rules(db) {
            if !members.types(rule.source).has(type_.bit()) {
                continue;
            }
            let list = match place {
                RulePlace::Unconditional(_) => &mut this.always,
                RulePlace::Conditional { block, when, .. } => {
                    this.branches.entry((block, when)).or_default()
                }
            };
            list.entry(rule.class()).or_default().push((rule.target, rule.permissions()));
        }
        this
    }

    /// What it may do to this type in any case, and in this branch.
    fn towards(
        &self,
        members: &Members,
        target: TypeId,
        class: ClassId,
        branch: Option<(u32, bool)>,
    ) -> u32 {
        let within = |list: &ByClass| sum(members, list, target, class);
        let mut permissions = within(&self.always);
        for (&(block, when), list) in &self.branches {
            if branch == Some((block, when)) {
                permissions |= within(list);
            }
            // What both branches give, one gives always.
            if let Some(other) = self.branches.get(&(block, true)).filter(|_| !when) {
                permissions |= within(list) & within(other);
            }
        }
        permissions
    }
}

fn sum(members: &Members, list: &ByClass, target: TypeId, class: ClassId) -> u32 {
    let rules = list.get(&class).map_or(&[][..], Vec::as_slice).iter();
    let same = rules.filter(|it| members.types(it.0).has(target.bit()));
    same.fold(0, |sum, it| sum | it.1)
}

fn allow_rules(db: &PolicyDb) -> impl Iterator<Item = (RulePlace, &AvRule)> {
    let plain = (0u32..).zip(&db.rules).map(|(at, rule)| (RulePlace::Unconditional(at), rule));
    let blocks = (0u32..).zip(&db.conditionals).flat_map(|(block, it)| {
        [(true, &it.when_true), (false, &it.when_false)].into_iter().flat_map(
            move |(when, list)| {
                let place = move |rule| RulePlace::Conditional { block, when, rule };
                (0u32..).zip(list).map(move |(at, rule)| (place(at), rule))
            },
        )
    });
    plain.chain(blocks).filter(|it| it.1.kind == RuleKind::Allow)
}

/// The check of one bounded type.
struct Child<'a> {
    members: &'a Members,
    /// For each type what bounds it.
    parents: &'a [Option<TypeId>],
    child: TypeId,
    parent: TypeId,
    may: Rights,
}

impl Child<'_> {
    fn check(&self, db: &PolicyDb, found: &mut Vec<BoundsViolation>) {
        for (place, rule) in allow_rules(db) {
            if !self.members.types(rule.source).has(self.child.bit()) {
                continue;
            }
            let excess = self.excess(place, rule);
            if !excess.is_empty() {
                let (child, parent) = (self.child, self.parent);
                found.push(BoundsViolation::Type { child, parent, rule: place, excess });
            }
        }
    }

    fn excess(&self, place: RulePlace, rule: &AvRule) -> Vec<(TypeId, u32)> {
        let branch = match place {
            RulePlace::Conditional { block, when, .. } => Some((block, when)),
            RulePlace::Unconditional(_) => None,
        };
        let shared = self.members.types(rule.source).has(self.parent.bit());
        let excess = |target: TypeId| {
            let bounds = self.parents.get(target.index()).copied().flatten();
            // A rule that the parent has too covers itself.
            if shared && bounds.is_none() {
                return None;
            }
            let target_of_parent = bounds.unwrap_or(target);
            let may = self.may.towards(self.members, target_of_parent, rule.class(), branch);
            Some((target, rule.permissions() & !may)).filter(|it| it.1 != 0)
        };
        match self.members.types(rule.target) {
            Types::One(_) => excess(rule.target).into_iter().collect(),
            Types::Many(all) => bits(all).filter_map(TypeId::from_bit).filter_map(excess).collect(),
        }
    }
}

/// How many targets, types or roles are named.
const MOST_NAMES: usize = 4;

/// Tells violations. `declared` knows where something was given its bounds; [`Span::NOWHERE`] if nobody does.
pub fn diagnostics(
    db: &PolicyDb,
    violations: &[BoundsViolation],
    origins: &RuleOrigins,
    declared: &dyn Fn(Bounded) -> Span,
) -> Vec<Diagnostic> {
    violations.iter().map(|it| tell(db, it, origins, declared)).collect()
}

fn tell(
    db: &PolicyDb,
    violation: &BoundsViolation,
    origins: &RuleOrigins,
    declared: &dyn Fn(Bounded) -> Span,
) -> Diagnostic {
    match violation {
        BoundsViolation::Type { child, parent, rule, excess } => {
            let place = declared(Bounded::Type(*child));
            let (child, parent) = (db.types.name(*child), db.types.name(*parent));
            tell_type(db, (&child, &parent), *rule, excess, (origins, place))
        }
        BoundsViolation::Role { child, parent, types } => {
            let place = declared(Bounded::Role(*child));
            let (child, parent) = (db.roles.name(*child), db.roles.name(*parent));
            let types = types.ids().map(|id| db.types.name(id).into_owned());
            let message = format!(
                "role `{child}` may enter {}, which its bounds `{parent}` may not",
                listed(types.collect())
            );
            Diagnostic::error(Code::Bounds, place, message)
                .help(format!("give `{parent}` these types too, or take them from `{child}`"))
        }
        BoundsViolation::User { child, parent, roles } => {
            let place = declared(Bounded::User(*child));
            let (child, parent) = (db.users.name(*child), db.users.name(*parent));
            let roles = roles.ids().map(|id| db.roles.name(id).into_owned());
            let message = format!(
                "user `{child}` has {}, which its bounds `{parent}` has not",
                listed(roles.collect())
            );
            Diagnostic::error(Code::Bounds, place, message)
                .help(format!("give `{parent}` these roles too, or take them from `{child}`"))
        }
    }
}

fn tell_type(
    db: &PolicyDb,
    (child, parent): (&str, &str),
    rule: RulePlace,
    excess: &[(TypeId, u32)],
    (origins, place): (&RuleOrigins, Span),
) -> Diagnostic {
    let all = excess.iter().fold(0, |all, it| all | it.1);
    let class = rule.rule(db).map(AvRule::class);
    let what = class.map(|class| {
        let names = db.permission_names(class, all).join(" ");
        (db.classes.name(class), names)
    });
    let (class, names) = what.unwrap_or_default();
    let targets = excess.iter().map(|it| db.types.name(it.0).into_owned()).collect();
    let message = format!(
        "`{child}` may {{ {names} }} {class} of {}, which its bounds `{parent}` may not",
        listed(targets)
    );
    let mut statements = origins.of(rule).filter(|it| it.permissions & all != 0).map(|it| it.span);
    let first = statements.next().unwrap_or(place);
    let mut told = Diagnostic::error(Code::Bounds, first, message).label("allowed here");
    if place != Span::NOWHERE && place != first {
        told = told.and(place, format!("`{child}` is bounded by `{parent}` here"));
    }
    if let Some(rule) = rule.rule(db) {
        told = told.note(format!("the rule is `{}`", db.rule_to_string(rule)));
    }
    told.help(format!("allow it to `{parent}` too: the kernel denies it to `{child}` otherwise"))
}

/// A few names in backquotes, and how many more there are.
fn listed(names: Vec<String>) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|it| format!("`{it}`")).collect();
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
