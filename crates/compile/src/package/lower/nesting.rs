//! Which blocks stood within others. A module holds all blocks side by side, each with the requirements of those around it; but
//! what the block around declared and the inner one uses is told nowhere else.

use mandate_policydb::Ebitmap;
use mandate_syntax::kernel::MAX_DEPTH;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::package::blocks::Branch;
use crate::package::db::Db;
use crate::package::rules::{Rule, TYPE_RULES};
use crate::package::sets::{RoleSet, TypeSet};
use crate::package::symbols::Kind;

/// Types, roles and booleans that a branch uses.
#[derive(Default)]
struct Used {
    types: Ebitmap,
    roles: Ebitmap,
    booleans: Ebitmap,
}

/// Which branches name a symbol themselves: kind, value − 1, branch.
pub(super) struct Named {
    all: FxHashSet<(Kind, u32, u32)>,
}

impl Named {
    pub(super) fn of(db: &Db) -> Self {
        let mut all = FxHashSet::default();
        for kind in Kind::ALL {
            let scopes: FxHashMap<&str, &[u32]> =
                db.scopes[kind as usize].iter().map(|it| (&*it.name, &*it.branches)).collect();
            db.symbols.each(kind, |name, value| {
                let branches = scopes.get(name).copied().unwrap_or_default();
                let bit = value.wrapping_sub(1);
                all.extend(branches.iter().map(|&it| (kind, bit, it)));
            });
        }
        Self { all }
    }

    /// Does the branch require it itself, not for a block around it?
    pub(super) fn by(&self, kind: Kind, bit: u32, branch: u32) -> bool {
        self.all.contains(&(kind, bit, branch))
    }
}

/// For each block the one around it; 0 is the top level.
pub(super) fn parents(db: &Db, named: &Named) -> Vec<usize> {
    // The last block that requires a symbol itself.
    let mut requiring: FxHashMap<(Kind, u32), usize> = FxHashMap::default();
    let mut home: [FxHashMap<u32, usize>; 3] = Default::default();
    let mut parents = vec![0; db.blocks.len()];
    let mut depths = vec![0usize; db.blocks.len()];
    for (at, block) in db.blocks.iter().enumerate().filter(|it| !it.1.top) {
        for branch in &block.branches {
            let used = Used::of(branch);
            let sets = [
                (&used.types, Kind::Types),
                (&used.roles, Kind::Roles),
                (&used.booleans, Kind::Booleans),
            ];
            for ((bits, kind), home) in sets.into_iter().zip(&home) {
                let own = |bit| {
                    branch.required.of(kind).contains(bit) || branch.declared.of(kind).contains(bit)
                };
                let found = bits.iter().filter(|&bit| !own(bit)).filter_map(|bit| home.get(&bit));
                let found = found.copied().max().unwrap_or(0);
                parents[at] = found.max(parents[at]);
            }
        }
        if let Some(branch) = block.branches.first() {
            for kind in Kind::ALL {
                for bit in branch.required.of(kind).iter() {
                    if named.by(kind, bit, branch.id) {
                        continue;
                    }
                    let found = requiring.get(&(kind, bit)).copied().unwrap_or(0);
                    if found > parents[at] && requires_all(db, branch, found) {
                        parents[at] = found;
                    }
                }
            }
            for kind in Kind::ALL {
                for bit in branch.required.of(kind).iter() {
                    if named.by(kind, bit, branch.id) {
                        requiring.insert((kind, bit), at);
                    }
                }
            }
        }
        depths[at] = depths[parents[at]] + 1;
        if depths[at] > MAX_DEPTH / 2 {
            (parents[at], depths[at]) = (0, 0);
        }
        let first = block.branches.iter().take(1);
        for branch in first {
            let kinds = [Kind::Types, Kind::Roles, Kind::Booleans];
            for (kind, home) in kinds.into_iter().zip(&mut home) {
                for bit in branch.declared.of(kind).iter() {
                    home.entry(bit).or_insert(at);
                }
            }
        }
    }
    parents
}

/// Does the branch require all that the block does?
fn requires_all(db: &Db, branch: &Branch, block: usize) -> bool {
    let Some(around) = db.blocks[block].branches.first() else { return false };
    Kind::ALL.into_iter().all(|it| branch.required.of(it).is_superset(around.required.of(it)))
}

impl Used {
    fn of(branch: &Branch) -> Self {
        let mut used = Self::default();
        branch.rules.iter().for_each(|it| used.rule(it));
        for it in &branch.conditionals {
            it.then.iter().chain(&it.otherwise).for_each(|it| used.rule(it));
            let booleans = it.expression.iter().filter(|it| it[0] == 1);
            booleans.filter_map(|it| it[1].checked_sub(1)).for_each(|it| used.booleans.insert(it));
        }
        for it in &branch.role_transitions {
            used.role_set(&it.roles);
            used.set(&it.types);
            it.result.checked_sub(1).into_iter().for_each(|it| used.roles.insert(it));
        }
        branch.role_allows.iter().flatten().for_each(|it| used.role_set(it));
        for it in &branch.filename_transitions {
            used.set(&it.source);
            used.set(&it.target);
            it.result.checked_sub(1).into_iter().for_each(|it| used.types.insert(it));
        }
        for it in &branch.range_transitions {
            used.set(&it.source);
            used.set(&it.target);
        }
        for it in &branch.symbols.types.entries {
            it.types.iter().for_each(|bit| used.types.insert(bit));
            let also = [it.value, it.bounds].into_iter().filter_map(|it| it.checked_sub(1));
            also.for_each(|it| used.types.insert(it));
        }
        for it in &branch.symbols.roles.entries {
            used.set(&it.types);
            it.roles.iter().for_each(|bit| used.roles.insert(bit));
            it.value.checked_sub(1).into_iter().for_each(|it| used.roles.insert(it));
        }
        branch.symbols.users.entries.iter().for_each(|it| used.role_set(&it.roles));
        used
    }

    fn set(&mut self, set: &TypeSet) {
        set.types.iter().chain(set.excluded.iter()).for_each(|bit| self.types.insert(bit));
    }

    fn role_set(&mut self, set: &RoleSet) {
        set.roles.iter().for_each(|bit| self.roles.insert(bit));
    }

    fn rule(&mut self, rule: &Rule) {
        self.set(&rule.source);
        self.set(&rule.target);
        if rule.kind & TYPE_RULES != 0 {
            let results = rule.classes.iter().filter_map(|it| it[1].checked_sub(1));
            results.for_each(|it| self.types.insert(it));
        }
    }
}
