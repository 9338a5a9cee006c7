//! Which types the policy does not confine: unconfined domains, permissive types.

use mandate_policydb::{Ebitmap, TypeId};

use crate::questions::{self, count};
use crate::types::TypeSets;

/// A type, and why it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The type.
    pub type_: TypeId,
    /// Is it a domain?
    pub domain: bool,
    /// Attributes, and marks such as `permissive`.
    pub reasons: Vec<String>,
}

/// Types with their reasons, and how many domains the policy has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListAnswer {
    /// The types, by name.
    pub types: Vec<Listed>,
    /// How many domains there are.
    pub of: usize,
    /// What was counted.
    pub sentence: String,
}

/// Types that have an attribute of unconfined ones: those given, or all whose names have the word `unconfined`.
pub fn unconfined(sets: &TypeSets<'_>, given: &[TypeId]) -> ListAnswer {
    let db = sets.db();
    let attributes: Vec<TypeId> = if given.is_empty() {
        let named = db.types.by_value().filter(|it| it.attribute && it.name.contains("unconfined"));
        named.map(|it| it.id).collect()
    } else {
        given.to_vec()
    };
    let reasons = |type_: TypeId| {
        let has = attributes.iter().filter(|&&it| sets.members(it).has(type_));
        let mut reasons: Vec<String> = has.map(|&it| db.types.name(it).into_owned()).collect();
        reasons.sort_unstable();
        reasons
    };
    let whole = questions::members(sets, &questions::unconfined_attributes(sets, given));
    let (types, of) = listed(sets, &questions::members(sets, &attributes), reasons);
    let part = types.iter().filter(|it| !whole.has(it.type_)).count();
    let whole = whole.intersection(&questions::domains(sets));
    let sentence = format!(
        "{} of {} unconfined; {part} more {} so towards some kinds of objects.",
        whole.len(),
        if of == 1 { "1 domain is".to_owned() } else { format!("{of} domains are") },
        if part == 1 { "type is" } else { "types are" },
    );
    ListAnswer { types, of, sentence }
}

/// Permissive types: what they are denied is logged, but done.
pub fn permissive(sets: &TypeSets<'_>) -> ListAnswer {
    let db = sets.db();
    let unconfined = questions::members(sets, &questions::unconfined_attributes(sets, &[]));
    let reasons = |type_: TypeId| {
        let mut reasons = vec![format!("permissive {};", db.types.name(type_))];
        if db.is_neveraudit(type_) {
            reasons.push("neveraudit: it may do all, and nothing is logged".to_owned());
        }
        if unconfined.has(type_) {
            reasons.push("unconfined as well".to_owned());
        }
        reasons
    };
    let (types, of) = listed(sets, &questions::permissive(sets), reasons);
    let domains = types.iter().filter(|it| it.domain).count();
    let among = count(of, "domain");
    let sentence = match types.len() {
        0 => format!("No type is permissive, none of {among}."),
        1 => format!("1 type is permissive, {domains} of {among}."),
        many => format!("{many} types are permissive, {domains} of {among}."),
    };
    ListAnswer { types, of, sentence }
}

fn listed(
    sets: &TypeSets<'_>,
    types: &Ebitmap,
    reasons: impl Fn(TypeId) -> Vec<String>,
) -> (Vec<Listed>, usize) {
    let domains = questions::domains(sets);
    let one = |type_| Listed { type_, domain: domains.has(type_), reasons: reasons(type_) };
    let mut listed: Vec<Listed> = types.ids().map(one).collect();
    listed.sort_by_cached_key(|it| sets.db().types.name(it.type_).into_owned());
    (listed, domains.len())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::testing::policy;

    fn check(answer: &ListAnswer, expected: Expect) {
        let types =
            answer.types.iter().map(|it| format!("\n{} {}", it.domain, it.reasons.join(", ")));
        expected.assert_eq(&(answer.sentence.clone() + &types.collect::<String>()));
    }

    #[test]
    fn types_are_listed_with_reasons() {
        let db = policy(
            "attribute files_unconfined_type; typeattribute b_t files_unconfined_type;
            typeattribute u_t files_unconfined_type; permissive a_t; permissive u_t; permissive x_t; allow a_t x_t:file read;",
        );
        let sets = TypeSets::new(&db);
        check(
            &unconfined(&sets, &[]),
            expect![[r#"
                1 of 4 domains are unconfined; 1 more type is so towards some kinds of objects.
                true files_unconfined_type
                true files_unconfined_type, unconfined_domain_type"#]],
        );
        check(
            &permissive(&sets),
            expect![[r#"
                3 types are permissive, 2 of 4 domains.
                true permissive a_t;
                true permissive u_t;, unconfined as well
                false permissive x_t;"#]],
        );
        let files = db.types.id("files").unwrap();
        check(
            &unconfined(&sets, &[files]),
            expect![[r#"
                0 of 4 domains are unconfined; 0 more types are so towards some kinds of objects.
                false files
                false files"#]],
        );
    }
}
