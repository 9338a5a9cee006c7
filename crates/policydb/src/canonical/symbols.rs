//! Symbol tables by value, aliases behind what they stand for.

use super::numbers::{Map, Numbers};
use crate::constraint::{Constraint, NameSet, Part, Term, TypeSet};
use crate::db::PolicyDb;
use crate::ebitmap::Ebitmap;
use crate::ids::{RoleId, SymbolId, TypeId};
use crate::symbols::{
    BooleanDatum, CategoryDatum, ClassDatum, CommonDatum, PermissionDatum, RoleDatum,
    SensitivityDatum, TypeDatum, UserDatum,
};
use crate::symtab::{Datum, SymbolTable};
use crate::version::PolicyVersion;

/// Fills all symbol tables of `new`.
pub(super) fn fill(db: &PolicyDb, numbers: &Numbers, new: &mut PolicyDb) {
    let commons = db.commons.by_value().filter_map(|it| {
        let permissions = permissions(&it.permissions, 0);
        Some(CommonDatum { id: numbers.commons.id(it.id)?, permissions, ..it.clone() })
    });
    new.commons = table(&numbers.commons, commons.collect());
    new.classes = table(
        &numbers.classes,
        db.classes.by_value().filter_map(|it| class(db, numbers, it)).collect(),
    );
    new.roles =
        table(&numbers.roles, db.roles.by_value().filter_map(|it| role(db, numbers, it)).collect());
    new.types = table(&numbers.types, types(db, numbers));
    let users = db.users.by_value().filter_map(|it| user(db, numbers, it));
    new.users = table(&numbers.users, users.collect());
    let booleans = db
        .booleans
        .by_value()
        .filter_map(|it| Some(BooleanDatum { id: numbers.booleans.id(it.id)?, ..it.clone() }));
    new.booleans = table(&numbers.booleans, booleans.collect());
    if db.mls {
        levels(db, numbers, new);
    }
}

/// A table of records whose names and values are those of a table there was.
fn table<T: Datum>(map: &Map, entries: Vec<T>) -> SymbolTable<T> {
    SymbolTable::new(map.count(), entries).unwrap_or_else(|_| SymbolTable::empty())
}

fn permissions(old: &SymbolTable<PermissionDatum>, shared: u32) -> SymbolTable<PermissionDatum> {
    let list: Vec<PermissionDatum> = old.by_value().cloned().collect();
    let most = list.iter().map(|it| it.id.value()).max().unwrap_or(0).max(shared);
    SymbolTable::new(most, list).unwrap_or_else(|_| SymbolTable::empty())
}

fn class(db: &PolicyDb, numbers: &Numbers, old: &ClassDatum) -> Option<ClassDatum> {
    let common = old.common.as_deref().and_then(|it| db.commons.find(it));
    let shared = common.map_or(0, |it| it.permissions.len());
    let mask = db.permission_mask(old.id);
    let constraints = old.constraints.iter().filter(|it| it.permissions & mask != 0);
    let constraint = |it: &Constraint| Constraint {
        permissions: it.permissions & mask,
        expression: it.expression.iter().map(|it| term(db, numbers, it)).collect(),
    };
    Some(ClassDatum {
        id: numbers.classes.id(old.id)?,
        permissions: permissions(&old.permissions, u32::try_from(shared).unwrap_or(0)),
        constraints: constraints.map(constraint).collect(),
        validatetrans: old.validatetrans.iter().map(constraint).collect(),
        ..old.clone()
    })
}

fn term(db: &PolicyDb, numbers: &Numbers, term: &Term) -> Term {
    let Term::Names(old) = term else { return term.clone() };
    let names = match old.part {
        Part::User => numbers.users.set(&old.names),
        Part::Role => numbers.roles.set(&old.names),
        Part::Type => numbers.types.set(&only_types(db, &old.names)),
    };
    let written = if old.part == Part::Type && db.version >= PolicyVersion::CONSTRAINT_NAMES {
        let types = written(db, old);
        TypeSet { types: numbers.types.set(&types), ..TypeSet::default() }
    } else {
        TypeSet::default()
    };
    Term::Names(NameSet { names, written, ..*old })
}

/// The set as written, if it says the same as the names and has no exceptions; else the names.
fn written(db: &PolicyDb, set: &NameSet) -> Ebitmap {
    let plain = set.written.flags == 0 && set.written.excluded.is_empty();
    let names = only_types(db, &set.names);
    if plain && members(db, &set.written.types) == names && !set.written.types.is_empty() {
        set.written.types.clone()
    } else {
        names
    }
}

/// The types of a set of types and attributes.
fn members(db: &PolicyDb, set: &Ebitmap) -> Ebitmap {
    let is_attribute = |id: TypeId| db.types.get(id).is_none_or(|it| it.attribute);
    let attributes: Ebitmap = set.ids().filter(|&it| is_attribute(it)).map(TypeId::bit).collect();
    if attributes.is_empty() {
        return set.clone();
    }
    let all = db.types.by_value().filter(|it| !it.attribute).map(|it| it.id);
    let belongs = |id: &TypeId| {
        set.has(*id)
            || db
                .type_attributes
                .get(id.index())
                .is_some_and(|row| !row.intersection(&attributes).is_empty())
    };
    all.filter(belongs).map(TypeId::bit).collect()
}

fn only_types(db: &PolicyDb, set: &Ebitmap) -> Ebitmap {
    let is_type = |id: &TypeId| db.types.get(*id).is_some_and(|it| !it.attribute);
    set.ids().filter(is_type).map(TypeId::bit).collect()
}

fn role(db: &PolicyDb, numbers: &Numbers, old: &RoleDatum) -> Option<RoleDatum> {
    let mut dominates = numbers.roles.set(&old.dominates);
    let id = numbers.roles.id(old.id)?;
    if old.id != RoleId::OBJECT {
        dominates.insert(id.bit());
    }
    Some(RoleDatum {
        name: old.name.clone(),
        id,
        bounds: old.bounds.and_then(|it| numbers.roles.id(it)),
        dominates,
        types: numbers.types.set(&only_types(db, &old.types)),
    })
}

fn types(db: &PolicyDb, numbers: &Numbers) -> Vec<TypeDatum> {
    let aliases = db.types.iter().filter(|it| it.is_alias());
    let all = db.types.by_value().chain(aliases);
    all.filter_map(|it| {
        Some(TypeDatum {
            id: numbers.types.id(it.id)?,
            primary: !it.is_alias(),
            bounds: if it.is_alias() {
                None
            } else {
                it.bounds.and_then(|it| numbers.types.id(it))
            },
            ..it.clone()
        })
    })
    .collect()
}

fn user(db: &PolicyDb, numbers: &Numbers, old: &UserDatum) -> Option<UserDatum> {
    let level = old.default_level.as_ref().filter(|_| db.mls);
    let range = old.range.as_ref().filter(|_| db.mls);
    Some(UserDatum {
        name: old.name.clone(),
        id: numbers.users.id(old.id)?,
        bounds: old.bounds.and_then(|it| numbers.users.id(it)),
        roles: numbers.roles.set(&old.roles),
        range: range.and_then(|it| numbers.range(it)),
        default_level: level.and_then(|it| numbers.level(it)),
    })
}

/// Sensitivities and categories in their order, each with its aliases.
fn levels(db: &PolicyDb, numbers: &Numbers, new: &mut PolicyDb) {
    let sensitivities = with_aliases(&db.sensitivities).filter_map(|it| {
        let own = db.sensitivities.get(it.id).unwrap_or(it);
        Some(SensitivityDatum {
            id: numbers.sensitivities.id(it.id)?,
            categories: numbers.categories.set(&own.categories),
            ..it.clone()
        })
    });
    new.sensitivities = table(&numbers.sensitivities, sensitivities.collect());
    let categories = with_aliases(&db.categories)
        .filter_map(|it| Some(CategoryDatum { id: numbers.categories.id(it.id)?, ..it.clone() }));
    // Categories are numbered as they are declared.
    let mut categories: Vec<CategoryDatum> = categories.collect();
    categories.sort_by_key(|it| it.id);
    new.categories = table(&numbers.categories, categories);
}

fn with_aliases<T: Datum>(table: &SymbolTable<T>) -> impl Iterator<Item = &T> {
    let mut aliases: Vec<&T> = table.iter().filter(|it| it.is_alias()).collect();
    aliases.sort_by_key(|it| it.id());
    table.iter().filter(|it| !it.is_alias()).flat_map(move |it| {
        let from = aliases.partition_point(|alias| alias.id() < it.id());
        let to = aliases.partition_point(|alias| alias.id() <= it.id());
        let own: Vec<&T> = aliases.get(from..to).unwrap_or_default().to_vec();
        std::iter::once(it).chain(own)
    })
}

/// For each type its attributes and itself; for an attribute itself, unless no type and no rule knows it and it did not have its bit.
pub(super) fn type_attributes(db: &PolicyDb, numbers: &Numbers, new: &mut PolicyDb) {
    let mut rows = vec![Ebitmap::new(); numbers.types.count() as usize];
    let mut known = Ebitmap::new();
    for old in db.types.by_value() {
        let Some(id) = numbers.types.id(old.id) else { continue };
        let row = db.type_attributes.get(old.id.index()).cloned().unwrap_or_default();
        if old.attribute {
            if row.has(old.id) {
                known.insert(id.bit());
            }
            continue;
        }
        let attributes = row
            .ids()
            .filter(|&it: &TypeId| it == old.id || db.types.get(it).is_some_and(|it| it.attribute));
        let mut bits: Ebitmap =
            attributes.filter_map(|it| numbers.types.id(it)).map(TypeId::bit).collect();
        for bit in bits.iter().filter(|&bit| bit != id.bit()) {
            known.insert(bit);
        }
        bits.insert(id.bit());
        if let Some(row) = rows.get_mut(id.index()) {
            *row = bits;
        }
    }
    let conditional =
        new.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false));
    for rule in new.rules.iter().chain(conditional) {
        known.insert(rule.source.bit());
        known.insert(rule.target.bit());
    }
    for attribute in new.types.by_value().filter(|it| it.attribute && known.has(it.id)) {
        if let Some(row) = rows.get_mut(attribute.id.index()) {
            *row = Ebitmap::from_bits([attribute.id.bit()]);
        }
    }
    new.type_attributes = rows;
}
