//! Questions that people have about a policy, a file for each. Every answer has one sentence that says what was counted.

pub mod confinement;
pub mod identity;
pub mod levels;
pub mod memory;
pub mod ports;
pub mod wx;

mod access;

use mandate_policydb::{Datum, Ebitmap, TypeId};

pub use access::{Access, Granted};

use crate::types::TypeSets;

/// The attribute of all types that processes run in.
pub const DOMAIN: &str = "domain";
/// The attribute of domains that are not confined.
pub const UNCONFINED: &str = "unconfined_domain_type";

/// Domains: the members of attribute `domain`; in a policy without it, the types that are the source of a rule about processes
/// or become one by them.
pub fn domains(sets: &TypeSets<'_>) -> Ebitmap {
    let db = sets.db();
    if let Some(domain) = db.types.find(DOMAIN).filter(|it| it.attribute) {
        return sets.members(domain.id).clone();
    }
    let Some(process) = db.classes.id("process") else { return Ebitmap::new() };
    let rules = db.rules.iter().filter(|it| it.class() == process && it.kind.is_access_vector());
    rules.fold(Ebitmap::new(), |all, it| all.union(sets.members(it.source)))
}

/// The attributes whose members count as unconfined: those given, or [`UNCONFINED`] if the policy has it.
pub fn unconfined_attributes(sets: &TypeSets<'_>, given: &[TypeId]) -> Vec<TypeId> {
    if !given.is_empty() {
        return given.to_vec();
    }
    sets.db().types.find(UNCONFINED).filter(|it| it.attribute).map(Datum::id).into_iter().collect()
}

/// Types told apart by whether they are confined, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parted {
    /// The confined ones.
    pub confined: Vec<String>,
    /// The others.
    pub unconfined: Vec<String>,
}

impl Parted {
    /// These types, where members of `unconfined` are unconfined.
    pub fn new(sets: &TypeSets<'_>, types: &Ebitmap, unconfined: &Ebitmap) -> Self {
        Self {
            confined: type_names(sets, &difference(types, unconfined)),
            unconfined: type_names(sets, &types.intersection(unconfined)),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.confined.len() + self.unconfined.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// All members of these attributes.
pub fn members(sets: &TypeSets<'_>, of: &[TypeId]) -> Ebitmap {
    of.iter().fold(Ebitmap::new(), |all, &it| all.union(sets.members(it)))
}

/// The bits of `all` that are not in `without`.
pub(crate) fn difference(all: &Ebitmap, without: &Ebitmap) -> Ebitmap {
    Ebitmap::from_bits(all.iter().filter(|it| !without.contains(*it)))
}

/// Names of these types, sorted.
pub fn type_names(sets: &TypeSets<'_>, types: &Ebitmap) -> Vec<String> {
    let mut names: Vec<String> =
        types.ids::<TypeId>().map(|it| sets.db().types.name(it).into_owned()).collect();
    names.sort_unstable();
    names
}

/// `1 domain`, `2 domains`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
