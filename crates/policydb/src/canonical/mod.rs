//! A policy in the one form that stands for all that say the same: values without gaps, tables in the order in which the compiler fills
//! them from the decompiled source, nothing in it that no decision sees.
//!
//! What a source does not show is made the same: the order of symbol tables and rules, gaps between values, bits of permissions that no
//! class has, rules without permissions, conditional blocks of one condition. What it shows stays: values in ascending order, the order of
//! attributes and types, constraints, transitions, ports.

mod conditions;
mod contexts;
mod numbers;
mod rules;
mod symbols;

pub use conditions::ConditionKey;
use numbers::Numbers;

use crate::convert;
use crate::db::PolicyDb;
use crate::ebitmap::Ebitmap;
use crate::ids::{SymbolId, TypeId};
use crate::version::PolicyVersion;

/// The canonical form of a policy, at the same version. Of a canonical policy it is the policy itself.
pub fn canonical(policy: &PolicyDb) -> PolicyDb {
    let named;
    let db = if policy.version < PolicyVersion::BOUNDARY {
        // The attributes of rules and types have values but no names.
        named = convert::with_attribute_names(policy);
        &named
    } else {
        policy
    };
    let numbers = Numbers::of(db);
    let mut new = PolicyDb::empty(db.target, db.version);
    (new.mls, new.handle_unknown) = (db.mls, db.handle_unknown);
    new.policy_capabilities = db.policy_capabilities.clone();
    new.permissive = by_value(db, &db.permissive, &numbers);
    new.neveraudit = by_value(db, &db.neveraudit, &numbers);
    symbols::fill(db, &numbers, &mut new);
    rules::fill(db, &numbers, &mut new);
    contexts::fill(db, &numbers, &mut new);
    symbols::type_attributes(db, &numbers, &mut new);
    new
}

/// Types whose bit is their value.
fn by_value(db: &PolicyDb, bits: &Ebitmap, numbers: &Numbers) -> Ebitmap {
    let types = bits.iter().filter_map(TypeId::from_value);
    let types = types.filter(|&it| db.types.get(it).is_some_and(|it| !it.attribute));
    types.filter_map(|it| numbers.types.id(it)).map(SymbolId::value).collect()
}
