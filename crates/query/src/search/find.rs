//! The walk over the rules.

use mandate_policydb::{
    AvRule, ClassId, Datum, FilenameTransitions, PolicyDb, RuleKey, RuleKind, RulePlace, SymbolId,
    SymbolTable, TypeId,
};

use super::sets::{RangeSets, RoleSets, TeSets};
use super::{FilenameRule, Found, Kind};
use crate::statement::{Statements, Style, xperm_subject};

/// For each symbol its place among the names.
fn ranks<T: Datum>(table: &SymbolTable<T>) -> Vec<u16> {
    let mut ranks = vec![0; table.nprim() as usize];
    let names = table.by_name().filter(|it| !it.is_alias());
    for (rank, datum) in (0..=u16::MAX).zip(names) {
        if let Some(place) = ranks.get_mut(datum.id().index()) {
            *place = rank;
        }
    }
    ranks
}

/// The order of the answers: a number for each rule.
struct Order {
    types: Vec<u16>,
    classes: Vec<u16>,
}

impl Order {
    fn key(&self, kind: u16, source: TypeId, target: TypeId, class: ClassId) -> u64 {
        let rank = |ranks: &[u16], at: usize| u64::from(ranks.get(at).copied().unwrap_or(u16::MAX));
        let types = rank(&self.types, source.index()) << 16 | rank(&self.types, target.index());
        u64::from(kind) << 48 | types << 16 | rank(&self.classes, class.index())
    }
}

fn kind_rank(kind: RuleKind) -> u16 {
    (0..).zip(Kind::TE).find(|it| it.1 == kind).map_or(u16::MAX, |it| it.0)
}

pub(super) fn te_rules<'a>(db: &'a PolicyDb, sets: &TeSets, found: &mut Vec<Found<'a>>) {
    let order = Order { types: ranks(&db.types), classes: ranks(&db.classes) };
    let mut walk = Walk { db, sets, order, found: Vec::new() };
    if sets.any_condition() {
        walk.rules(&db.rules, RulePlace::Unconditional);
        walk.filenames();
    }
    for (block, conditional) in (0..).zip(&db.conditionals) {
        if !sets.fits_condition(conditional.booleans()) {
            continue;
        }
        for (when, rules) in [(true, &conditional.when_true), (false, &conditional.when_false)] {
            walk.rules(rules, |rule| RulePlace::Conditional { block, when, rule });
        }
    }
    walk.found.sort_unstable_by_key(|it| it.0);
    order_ties(db, &mut walk.found);
    found.extend(walk.found.into_iter().map(|it| it.1));
}

/// Rules between the same names stand in the order of their text.
fn order_ties(db: &PolicyDb, found: &mut [(u64, Found<'_>)]) {
    let mut statements = Statements::new(db, Style::Setools);
    let runs = found.chunk_by_mut(|a, b| a.0 == b.0).filter(|it| it.len() > 1);
    for run in runs {
        run.sort_by_cached_key(|(_, rule)| {
            let mut text = Vec::new();
            statements.push(&mut text, rule);
            text
        });
    }
}

struct Walk<'a, 's> {
    db: &'a PolicyDb,
    sets: &'s TeSets,
    order: Order,
    found: Vec<(u64, Found<'a>)>,
}

impl<'a> Walk<'a, '_> {
    fn rules(&mut self, rules: &[AvRule], place: impl Fn(u32) -> RulePlace) {
        for (at, rule) in (0..).zip(rules) {
            if self.fits(rule) {
                let kind = kind_rank(rule.kind);
                let key = self.order.key(kind, rule.source, rule.target, rule.class());
                self.found.push((key, Found::Key(RuleKey::Rule(place(at)))));
            }
        }
    }

    fn fits(&self, rule: &AvRule) -> bool {
        let sets = self.sets;
        sets.wants(rule.kind)
            && sets.source.has(rule.source)
            && sets.target.has(rule.target)
            && sets.classes.has(rule.class())
            && self.fits_datum(rule)
    }

    fn fits_datum(&self, rule: &AvRule) -> bool {
        let sets = self.sets;
        if let Some(type_) = rule.default_type() {
            return sets.default.has(type_);
        }
        let Some(xperms) = self.db.xperms.of(rule) else {
            return sets.fits_permissions(rule.class(), rule.permissions());
        };
        let subject = || self.db.permission(rule.class(), xperm_subject(xperms));
        let bit = || subject().map_or(0, |it| it.mask());
        let permitted = !sets.asks_permissions() || sets.fits_permissions(rule.class(), bit());
        permitted && sets.fits_xperms(xperms)
    }

    fn filenames(&mut self) {
        if !self.sets.wants(RuleKind::TypeTransition) {
            return;
        }
        match &self.db.filename_transitions {
            FilenameTransitions::Single(singles) => {
                for it in singles {
                    self.filename(FilenameRule {
                        source: it.source,
                        target: it.target,
                        class: it.class,
                        name: &it.name,
                        default_type: it.default_type,
                    });
                }
            }
            FilenameTransitions::Grouped(groups) => {
                for group in groups {
                    for (sources, default_type) in &group.defaults {
                        sources.ids().for_each(|source| {
                            self.filename(FilenameRule {
                                source,
                                target: group.target,
                                class: group.class,
                                name: &group.name,
                                default_type: *default_type,
                            });
                        });
                    }
                }
            }
        }
    }

    fn filename(&mut self, rule: FilenameRule<'a>) {
        let sets = self.sets;
        let fits = sets.source.has(rule.source)
            && sets.target.has(rule.target)
            && sets.classes.has(rule.class)
            && sets.default.has(rule.default_type);
        if fits {
            let kind = kind_rank(RuleKind::TypeTransition);
            let key = self.order.key(kind, rule.source, rule.target, rule.class);
            self.found.push((key, Found::Filename(rule)));
        }
    }
}

/// The class of a rule that may name none: `process`.
fn class_or_process(db: &PolicyDb, class: Option<ClassId>) -> Option<ClassId> {
    class.or_else(|| db.classes.id("process"))
}

pub(super) fn role_rules(db: &PolicyDb, sets: &RoleSets, found: &mut Vec<Found<'_>>) {
    let (roles, types) = (ranks(&db.roles), ranks(&db.types));
    let rank = |ranks: &[u16], id: usize| ranks.get(id).copied();
    let mut keyed = Vec::new();
    for (at, rule) in (0..).zip(&db.role_allows) {
        if sets.fits_allow(rule.role, rule.new_role) {
            let key = (0, rank(&roles, rule.role.index()), rank(&roles, rule.new_role.index()));
            keyed.push((key, RuleKey::RoleAllow(at)));
        }
    }
    for (at, rule) in (0..).zip(&db.role_transitions) {
        let fits = sets.transitions
            && sets.source.has(rule.role)
            && sets.target_type.has(rule.type_)
            && sets.default.has(rule.new_role)
            && class_or_process(db, rule.class).is_none_or(|it| sets.classes.has(it));
        if fits {
            let key = (1, rank(&roles, rule.role.index()), rank(&types, rule.type_.index()));
            keyed.push((key, RuleKey::RoleTransition(at)));
        }
    }
    keyed.sort_by_key(|it| it.0);
    found.extend(keyed.into_iter().map(|it| Found::Key(it.1)));
}

pub(super) fn range_rules(db: &PolicyDb, sets: &RangeSets, found: &mut Vec<Found<'_>>) {
    let types = ranks(&db.types);
    let rank = |id: TypeId| types.get(id.index()).copied();
    let mut keyed = Vec::new();
    for (at, rule) in (0..).zip(&db.range_transitions) {
        let fits = sets.source.has(rule.source)
            && sets.target.has(rule.target)
            && class_or_process(db, rule.class).is_none_or(|it| sets.classes.has(it))
            && sets.range.as_ref().is_none_or(|it| *it == rule.range);
        if fits {
            keyed.push(((rank(rule.source), rank(rule.target)), RuleKey::RangeTransition(at)));
        }
    }
    keyed.sort_by_key(|it| it.0);
    found.extend(keyed.into_iter().map(|it| Found::Key(it.1)));
}
