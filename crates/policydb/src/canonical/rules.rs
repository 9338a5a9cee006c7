//! Rules sorted and joined, conditional blocks of one condition as one, transitions without repetition.

use std::collections::{HashMap, HashSet};

use super::conditions::ConditionKey;
use super::numbers::Numbers;
use crate::avtab::{self, AvRule, ExtendedPermissions, RuleKind, XpermForm, XpermPool};
use crate::conditional::{BoolTerm, Conditional};
use crate::db::PolicyDb;
use crate::ebitmap::Ebitmap;
use crate::ids::{ClassId, SymbolId, TypeId};
use crate::rules::{
    FilenameTransition, FilenameTransitionGroup, FilenameTransitions, RangeTransition, RoleAllow,
    RoleTransition,
};
use crate::version::PolicyVersion;

/// Fills rules, conditional blocks and transitions of `new`, whose symbols are there.
pub(super) fn fill(db: &PolicyDb, numbers: &Numbers, new: &mut PolicyDb) {
    let mut pool = XpermPool::default();
    let list = List { db, numbers, old: db.version < PolicyVersion::AVTAB };
    new.rules = list.rules([db.rules.as_slice()].into_iter(), false, &mut pool);
    new.conditionals = conditionals(&list, new, &mut pool);
    new.xperms = pool;
    new.role_allows = role_allows(db, numbers);
    new.role_transitions = role_transitions(db, numbers);
    if db.mls {
        new.range_transitions = range_transitions(db, numbers);
    }
    new.filename_transitions = filename_transitions(db, numbers);
}

/// How lists of rules are made anew.
struct List<'a> {
    db: &'a PolicyDb,
    numbers: &'a Numbers,
    /// Before version 20 rules of one key are one entry, in an order of its own.
    old: bool,
}

type Key = (TypeId, TypeId, ClassId, bool, usize);

impl List<'_> {
    fn key(&self, rule: &AvRule) -> Key {
        let (source, target, class) = (rule.source, rule.target, rule.class());
        if self.old {
            let place = avtab::old_place(rule.kind).unwrap_or(0);
            (source, target, class, rule.kind.is_type(), place)
        } else {
            (source, target, class, false, rule.kind as usize)
        }
    }

    /// The rules of all lists as one: plain ones, then those of extended permissions.
    fn rules<'r>(
        &self,
        lists: impl Iterator<Item = &'r [AvRule]>,
        enabled: bool,
        pool: &mut XpermPool,
    ) -> Vec<AvRule> {
        let mut plain: Vec<AvRule> = Vec::new();
        let mut extended: Vec<(AvRule, ExtendedPermissions)> = Vec::new();
        for rule in lists.flatten() {
            let Some(new) = self.rule(rule) else { continue };
            match self.db.xperms.of(rule) {
                Some(permissions) => {
                    // Whole drivers share nothing.
                    let whole = permissions.form == XpermForm::IoctlDriver;
                    let driver = if whole { 0 } else { permissions.driver };
                    extended.push((new, ExtendedPermissions { driver, ..*permissions }));
                }
                None => plain.push(new),
            }
        }
        // Most tables are sorted already, or nearly.
        plain.sort_by_cached_key(|it| self.key(it));
        let mut rules: Vec<AvRule> = Vec::with_capacity(plain.len() + extended.len());
        for rule in plain {
            match rules.last_mut() {
                Some(last) if self.key(last) == self.key(&rule) => join(last, &rule),
                _ => rules.push(rule.with_enabled(enabled)),
            }
        }
        extended.sort_by_key(|(rule, it)| (self.key(rule), it.form as u8, it.driver));
        let same = |a: &(AvRule, ExtendedPermissions), b: &(AvRule, ExtendedPermissions)| {
            self.key(&a.0) == self.key(&b.0) && (a.1.form, a.1.driver) == (b.1.form, b.1.driver)
        };
        for group in extended.chunk_by(same) {
            let Some((rule, first)) = group.first() else { continue };
            let mut all = *first;
            for (_, other) in group {
                all.bits.iter_mut().zip(other.bits).for_each(|(a, b)| *a |= b);
            }
            if all.bits != [0; 8] {
                rules.push(rule.with_datum(pool.push(all)).with_enabled(enabled));
            }
        }
        rules
    }

    /// One rule under the new values; none if it says nothing.
    fn rule(&self, old: &AvRule) -> Option<AvRule> {
        let source = self.numbers.types.id(old.source)?;
        let target = self.numbers.types.id(old.target)?;
        let class = self.numbers.classes.id(old.class())?;
        if old.kind.is_access_vector() {
            let permissions = old.permissions() & self.db.permission_mask(old.class());
            let new = AvRule::access(old.kind, source, target, class, 0);
            return (permissions != 0).then(|| new.with_permissions(permissions));
        }
        match old.default_type() {
            Some(default) => {
                let default = self.numbers.types.id(default)?;
                Some(AvRule::type_rule(old.kind, source, target, class, default))
            }
            None => Some(AvRule::access(old.kind, source, target, class, 0)),
        }
    }
}

/// Joins two access vector rules of one key; of type rules the first counts.
fn join(rule: &mut AvRule, other: &AvRule) {
    if rule.kind.is_access_vector() {
        *rule = rule.with_permissions(rule.permissions() | other.permissions());
    }
}

/// A condition with the blocks that have it, and whether their branches are the other way round.
struct Block<'a> {
    expression: Vec<BoolTerm>,
    parts: Vec<(&'a Conditional, bool)>,
}

fn conditionals(list: &List<'_>, new: &PolicyDb, pool: &mut XpermPool) -> Vec<Conditional> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut places: HashMap<ConditionKey, usize> = HashMap::new();
    // A block that stands last is the first one written.
    for block in list.db.conditionals.iter().rev() {
        let mut expression: Vec<BoolTerm> = block.expression.clone();
        for term in &mut expression {
            if let BoolTerm::Bool(id) = term {
                *id = list.numbers.booleans.id(*id).unwrap_or(*id);
            }
        }
        let mut swapped = false;
        while expression.last() == Some(&BoolTerm::Not) {
            expression.pop();
            swapped = !swapped;
        }
        let at = *places.entry(ConditionKey::of(&expression)).or_insert(blocks.len());
        match blocks.get_mut(at) {
            Some(known) => known.parts.push((block, swapped)),
            None => blocks.push(Block { expression, parts: vec![(block, swapped)] }),
        }
    }
    let mut made: Vec<Conditional> = Vec::with_capacity(blocks.len());
    for block in blocks {
        let mut conditional = Conditional {
            state: None,
            expression: block.expression,
            when_true: Vec::new(),
            when_false: Vec::new(),
        };
        conditional.state = conditional.evaluate(|id| new.booleans.get(id).map(|it| it.state));
        let branch = |when: bool| {
            let parts = block.parts.iter();
            parts.map(move |&(it, swapped)| {
                if when == swapped { it.when_false.as_slice() } else { it.when_true.as_slice() }
            })
        };
        let state = conditional.state;
        conditional.when_true = list.rules(branch(true), state == Some(true), pool);
        conditional.when_false = list.rules(branch(false), state == Some(false), pool);
        if !conditional.when_true.is_empty() || !conditional.when_false.is_empty() {
            made.push(conditional);
        }
    }
    made.reverse();
    made
}

fn role_allows(db: &PolicyDb, numbers: &Numbers) -> Vec<RoleAllow> {
    let mut seen = HashSet::new();
    let allows = db.role_allows.iter().filter_map(|it| {
        let role = numbers.roles.id(it.role)?;
        Some(RoleAllow { role, new_role: numbers.roles.id(it.new_role)? })
    });
    allows.filter(|it| seen.insert((it.role, it.new_role))).collect()
}

fn role_transitions(db: &PolicyDb, numbers: &Numbers) -> Vec<RoleTransition> {
    let process = db.classes.id("process");
    let mut seen = HashSet::new();
    let transitions = db.role_transitions.iter().filter_map(|it| {
        Some(RoleTransition {
            role: numbers.roles.id(it.role)?,
            type_: numbers.types.id(it.type_)?,
            class: Some(numbers.classes.id(it.class.or(process)?)?),
            new_role: numbers.roles.id(it.new_role)?,
        })
    });
    transitions.filter(|it| seen.insert((it.role, it.type_, it.class))).collect()
}

fn range_transitions(db: &PolicyDb, numbers: &Numbers) -> Vec<RangeTransition> {
    let process = db.classes.id("process");
    let mut seen = HashSet::new();
    let transitions = db.range_transitions.iter().filter_map(|it| {
        Some(RangeTransition {
            source: numbers.types.id(it.source)?,
            target: numbers.types.id(it.target)?,
            class: Some(numbers.classes.id(it.class.or(process)?)?),
            range: numbers.range(&it.range)?,
        })
    });
    transitions.filter(|it| seen.insert((it.source, it.target, it.class))).collect()
}

fn filename_transitions(db: &PolicyDb, numbers: &Numbers) -> FilenameTransitions {
    let singles = db.filename_transitions.to_singles();
    let mut list: Vec<FilenameTransition> = singles
        .iter()
        .filter_map(|it| {
            Some(FilenameTransition {
                source: numbers.types.id(it.source)?,
                target: numbers.types.id(it.target)?,
                class: numbers.classes.id(it.class)?,
                name: it.name.clone(),
                default_type: numbers.types.id(it.default_type)?,
            })
        })
        .collect();
    list.sort_by(|a, b| {
        let rest = |it: &FilenameTransition| (it.target, it.class, it.source);
        a.name.cmp(&b.name).then_with(|| rest(a).cmp(&rest(b)))
    });
    list.dedup_by(|a, b| {
        (&a.name, a.target, a.class, a.source) == (&b.name, b.target, b.class, b.source)
    });
    if db.version < PolicyVersion::COMPRESSED_FILENAME_TRANS {
        return FilenameTransitions::Single(list);
    }
    let same = |a: &FilenameTransition, b: &FilenameTransition| {
        (&a.name, a.target, a.class) == (&b.name, b.target, b.class)
    };
    FilenameTransitions::Grouped(list.chunk_by(same).filter_map(group).collect())
}

fn group(singles: &[FilenameTransition]) -> Option<FilenameTransitionGroup> {
    let first = singles.first()?;
    let mut defaults: Vec<(Ebitmap, TypeId)> = Vec::new();
    for it in singles {
        match defaults.iter_mut().find(|default| default.1 == it.default_type) {
            Some((sources, _)) => sources.insert(it.source.bit()),
            None => defaults.push((Ebitmap::from_bits([it.source.bit()]), it.default_type)),
        }
    }
    let (name, target, class) = (first.name.clone(), first.target, first.class);
    Some(FilenameTransitionGroup { name, target, class, defaults })
}

const _: () = assert!(RuleKind::Allow as usize == 0, "rules sort by kind");
