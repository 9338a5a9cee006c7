//! What a policy gives, attributes of `allow` rules written out: where two have the same effect, no assertion can tell them apart.

use std::collections::HashMap;

use anyhow::{Result, anyhow};
use mandate_policydb::{AvRule, ClassId, PolicyDb, RuleKind, SymbolTable, TypeId, Unvalidated};
use mandate_query::types::TypeSets;

/// What is given to each pair of types in each class.
type Given = HashMap<(TypeId, TypeId, ClassId), u32>;

/// Of a whole policy.
#[derive(PartialEq, Eq)]
pub(super) struct Effect {
    always: Given,
    /// What each branch of each conditional block gives besides.
    branches: Vec<Given>,
    /// The policy without these rules, and without constraints on what they give nobody.
    rest: Vec<u8>,
}

impl Effect {
    pub(super) fn of(policy: &[u8]) -> Result<Self> {
        let policy = Unvalidated::read(policy)?.validate()?;
        let db = policy.db();
        let sets = TypeSets::new(db);
        let always = given(&sets, &db.rules, &Given::new());
        let branches = db.conditionals.iter().flat_map(|it| [&it.when_true, &it.when_false]);
        let branches: Vec<Given> = branches.map(|it| given(&sets, it, &always)).collect();
        let mut used: HashMap<ClassId, u32> = HashMap::new();
        for (&(_, _, class), given) in branches.iter().chain([&always]).flatten() {
            *used.entry(class).or_default() |= given;
        }
        Ok(Self { rest: rest(db, &used)?, always, branches })
    }
}

fn given(sets: &TypeSets<'_>, rules: &[AvRule], without: &Given) -> Given {
    let mut given = Given::new();
    for rule in rules.iter().filter(|it| it.kind == RuleKind::Allow) {
        for source in sets.members(rule.source).ids() {
            for target in sets.members(rule.target).ids() {
                let key = (source, target, rule.class());
                let more = rule.permissions() & !without.get(&key).copied().unwrap_or(0);
                if more != 0 {
                    *given.entry(key).or_default() |= more;
                }
            }
        }
    }
    given
}

fn rest(db: &PolicyDb, used: &HashMap<ClassId, u32>) -> Result<Vec<u8>> {
    let mut db = db.clone();
    let other = |it: &AvRule| it.kind != RuleKind::Allow;
    db.rules.retain(other);
    for it in &mut db.conditionals {
        it.when_true.retain(other);
        it.when_false.retain(other);
    }
    let classes = db.classes.iter().cloned().map(|mut class| {
        let used = used.get(&class.id).copied().unwrap_or(0);
        class.constraints.iter_mut().for_each(|it| it.permissions &= used);
        class.constraints.retain(|it| it.permissions != 0);
        class
    });
    db.classes = SymbolTable::new(db.classes.nprim(), classes.collect())
        .map_err(|why| anyhow!("the classes cannot be numbered: {why}"))?;
    let mut bytes = Vec::new();
    db.write(db.version, &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mandate_compile::backend::Options;
    use mandate_compile::conf;
    use mandate_compile::whole::Checks;

    use super::*;

    const POLICY: [&str; 3] = [
        "class process class file class dir sid kernel
         class process { fork } class file { read write } class dir { search }
         attribute a; type x_t, a; type y_t; bool b false;
         allow x_t y_t:file read;",
        "role r; role r types x_t; user u roles r;",
        "sid kernel u:r:x_t\n",
    ];

    fn effect(constraint: &str, rules: &str) -> Effect {
        let [before, identities, contexts] = POLICY;
        let text = [before, rules, identities, constraint, contexts].join("\n");
        let options = Options::default();
        let outcome =
            conf::build("t.conf", Arc::from(text.as_bytes()), &options, Checks::default());
        let Some(product) = outcome.product else { panic!("{:#?}", outcome.diagnostics) };
        let mut bytes = Vec::new();
        product.policy.write(product.policy.version, &mut bytes).unwrap();
        Effect::of(&bytes).unwrap()
    }

    #[test]
    fn what_is_given_already_makes_no_difference() {
        let constraint = "constrain dir search (u1 == u2);";
        let plain = effect(constraint, "if (b) { allow x_t self:file write; }");
        let again = "allow a y_t:file read; if (b) { allow a self:file write; }";
        assert!(plain == effect(constraint, again));
        assert!(plain == effect("", again), "nobody searches");
        for more in
            ["allow a y_t:file write;", "allow a self:dir search;", "dontaudit a y_t:file write;"]
        {
            assert!(plain != effect(constraint, &format!("{again} {more}")), "{more}");
        }
    }
}
