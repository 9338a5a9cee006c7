//! Questions that people have about a policy, a file for each. Every answer has one sentence that says what was counted.

pub mod confinement;
pub mod identity;
pub mod levels;
pub mod memory;
pub mod ports;
pub mod wx;

mod access;

use mandate_policydb::{Datum, Ebitmap, SymbolId, TypeId};

pub use access::{Access, Granted};

use crate::lookup;
use crate::rules::{Conditions, Rule};
use crate::types::TypeSets;

/// The attribute of all types that processes run in.
pub const DOMAIN: &str = "domain";
/// The attribute of domains that are not confined.
pub const UNCONFINED: &str = "unconfined_domain_type";

/// Domains: the members of attribute `domain`; in a policy where it has none, the types that some rule allows to do something to
/// a process, or that a process may become.
pub fn domains(sets: &TypeSets<'_>) -> Ebitmap {
    let db = sets.db();
    let named = db.types.find(DOMAIN).filter(|it| it.attribute).map(|it| sets.members(it.id));
    if let Some(named) = named.filter(|it| !it.is_empty()) {
        return named.clone();
    }
    let access = Access::new(sets, &Conditions::All);
    let Some(process) = db.classes.id("process") else { return Ebitmap::new() };
    let entering = lookup::known_permissions(db, process, &["transition", "dyntransition"]);
    access.about(process).fold(Ebitmap::new(), |all, Rule { rule, .. }| {
        let all = all.union(sets.members(rule.source));
        let enters = rule.permissions() & entering != 0;
        if enters { all.union(sets.members(rule.target)) } else { all }
    })
}

/// All types, without attributes.
pub(crate) fn all_types(sets: &TypeSets<'_>) -> Ebitmap {
    let types = sets.db().types.by_value().filter(|it| !it.attribute);
    Ebitmap::from_bits(types.map(|it| it.id.bit()))
}

/// Types that are marked permissive.
pub(crate) fn permissive(sets: &TypeSets<'_>) -> Ebitmap {
    let types = sets.db().types.by_value().map(|it| it.id);
    Ebitmap::from_bits(types.filter(|it| sets.db().is_permissive(*it)).map(SymbolId::bit))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::policy_without_domains;

    #[test]
    fn without_the_attribute_domains_are_known_by_what_they_do_to_processes() {
        let db = policy_without_domains(
            "allow a_t b_t:process transition; if (off) { allow u_t self:process signal; }
            dontaudit x_t a_t:process signal; allow kernel_t y_t:file read;",
        );
        let sets = TypeSets::new(&db);
        assert_eq!(type_names(&sets, &domains(&sets)), ["a_t", "b_t", "u_t"]);
    }
}
