//! Levels: how they stand to each other, and who is exempt from them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use mandate_policydb::{
    ClassDatum, Comparison, Constraint, Context, Ebitmap, MlsLevel, MlsRange, Part, PolicyDb,
    RoleId, SymbolId as _, Term, TypeId, UserId, Whose,
};
use mandate_server::constraint_holds;

use crate::questions::{self, Access, count};
use crate::types::TypeSets;

/// How one level stands to another: `dominates`, `is dominated by`, `equals`, `is incomparable with`.
pub fn relation(a: &MlsLevel, b: &MlsLevel) -> &'static str {
    match a.compare(b) {
        Some(Ordering::Greater) => "dominates",
        Some(Ordering::Less) => "is dominated by",
        Some(Ordering::Equal) => "equals",
        None => "is incomparable with",
    }
}

/// What a policy without exceptions would not let a process do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Against {
    /// To read what is above its level.
    ReadUp,
    /// To read above its low level, but within its clearance.
    ReadToClearance,
    /// To write what is below its level.
    WriteDown,
}

impl Against {
    const ALL: [Self; 3] = [Self::ReadUp, Self::ReadToClearance, Self::WriteDown];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadUp => "read up",
            Self::ReadToClearance => "read up to its clearance",
            Self::WriteDown => "write down",
        }
    }

    fn permission(self) -> &'static str {
        if self == Self::WriteDown { "write" } else { "read" }
    }
}

/// Those whom the same constraints let go against the levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exempt {
    /// What they may do.
    pub against: Against,
    /// The expressions of the constraints that let them, and most others not.
    pub constraints: Vec<String>,
    /// Attributes and types that the constraints name, and that some of the domains have; `not x` of those that have it not.
    pub by: Vec<String>,
    /// Classes whose objects it is about.
    pub classes: Vec<String>,
    /// Domains that may, by the constraints and by an allow rule.
    pub domains: Ebitmap,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelsAnswer {
    /// A low level and one that dominates it, between which was asked; none if the policy has but one level.
    pub between: Option<(MlsLevel, MlsLevel)>,
    /// Who is exempt, by what they may do.
    pub exempt: Vec<Exempt>,
}

/// Asks who may read up or write down between the lowest and the highest level.
pub fn exemptions(access: &Access<'_>) -> LevelsAnswer {
    let db = access.db();
    let Some((low, high)) = extremes(db).filter(|_| db.mls) else {
        return LevelsAnswer { between: None, exempt: Vec::new() };
    };
    let domains = questions::domains(access.sets);
    let mut found: BTreeMap<(Against, Vec<String>), Exempt> = BTreeMap::new();
    for against in Against::ALL {
        for class in db.classes.by_value() {
            let asked = Asked::new(db, class, against, (&low, &high));
            let Some(asked) = asked else { continue };
            let may = access.to_any(&class.name, &[against.permission()]).types;
            for domain in may.intersection(&domains).ids() {
                asked.add(domain, &mut found);
            }
        }
    }
    let mut exempt: Vec<Exempt> = found.into_values().collect();
    leave_out_higher(&mut exempt);
    exempt.iter_mut().for_each(|it| it.finish(access.sets));
    LevelsAnswer { between: Some((low, high)), exempt }
}

/// Who may read up anyway is not told again for reading up to the clearance.
fn leave_out_higher(exempt: &mut Vec<Exempt>) {
    let anyway: Vec<(Vec<String>, Ebitmap)> = exempt
        .iter()
        .filter(|it| it.against == Against::ReadUp)
        .map(|it| (it.classes.clone(), it.domains.clone()))
        .collect();
    for it in exempt.iter_mut().filter(|it| it.against == Against::ReadToClearance) {
        for (classes, domains) in &anyway {
            if it.classes.iter().all(|name| classes.contains(name)) {
                it.domains = questions::difference(&it.domains, domains);
            }
        }
    }
    exempt.retain(|it| !it.domains.is_empty());
}

impl Exempt {
    /// Of what the constraints name, only what lets one of the domains go stays.
    fn finish(&mut self, sets: &TypeSets<'_>) {
        self.classes.sort_unstable();
        self.by.sort_unstable();
        self.by.dedup();
        let domains = &self.domains;
        self.by.retain(|name| {
            let (name, without) = match name.strip_prefix("not ") {
                Some(name) => (name, true),
                None => (name.as_str(), false),
            };
            let members = sets.db().types.id(name).map(|it| sets.members(it));
            members.is_some_and(|it| domains.ids::<TypeId>().any(|id| it.has(id) != without))
        });
    }
}

impl LevelsAnswer {
    /// What was counted.
    pub fn sentence(&self, db: &PolicyDb) -> String {
        let Some((low, high)) = &self.between else {
            return "The policy has no two levels of which one dominates the other.".to_owned();
        };
        let of = |against| {
            let exempt = self.exempt.iter().filter(|it| it.against == against);
            exempt.fold(Ebitmap::new(), |all, it| all.union(&it.domains)).len()
        };
        format!(
            "Between {} and {}, {} may read up, {} more up to their clearance, {} may write down.",
            db.level_to_string(low),
            db.level_to_string(high),
            count(of(Against::ReadUp), "domain"),
            of(Against::ReadToClearance),
            of(Against::WriteDown),
        )
    }
}

/// The lowest and the highest level.
fn extremes(db: &PolicyDb) -> Option<(MlsLevel, MlsLevel)> {
    let low = db.sensitivities.by_value().map(|it| it.id).min()?;
    let high = db.sensitivities.by_value().map(|it| it.id).max()?;
    let categories = db.sensitivities.get(high)?.categories.clone();
    let low = MlsLevel { sensitivity: low, categories: Ebitmap::new() };
    let high = MlsLevel { sensitivity: high, categories };
    (low != high).then_some((low, high))
}

/// The constraints of a class that stand between a process and something above or below it.
struct Asked<'a> {
    db: &'a PolicyDb,
    class: &'a ClassDatum,
    against: Against,
    /// All constraints on levels for the permission.
    constraints: Vec<&'a Constraint>,
    /// Those that forbid it to a type that none of them names; all, if none does.
    telling: Vec<&'a Constraint>,
    source: Context,
    target: Context,
}

impl<'a> Asked<'a> {
    fn new(
        db: &'a PolicyDb,
        class: &'a ClassDatum,
        against: Against,
        (low, high): (&MlsLevel, &MlsLevel),
    ) -> Option<Self> {
        let bit = crate::lookup::known_permission(db, class.id, against.permission())?;
        let concerned = |it: &&Constraint| it.permissions & bit != 0 && looks_at_levels(it);
        let constraints: Vec<_> = class.constraints.iter().filter(concerned).collect();
        if constraints.is_empty() {
            // Levels do not govern this.
            return None;
        }
        let user: UserId = db.users.by_value().next()?.id;
        let context = |whose, range| {
            let type_ = plain_type(db, &constraints, whose)?;
            Some(Context { user, role: RoleId::OBJECT, type_, range: Some(range) })
        };
        let single = |level: &MlsLevel| MlsRange::single(level.clone());
        let (source, target) = match against {
            Against::ReadUp => (single(low), single(high)),
            Against::ReadToClearance => {
                (MlsRange { low: low.clone(), high: high.clone() }, single(high))
            }
            Against::WriteDown => (single(high), single(low)),
        };
        let (source, target) = (context(Whose::Source, source)?, context(Whose::Target, target)?);
        let forbids = |it: &&Constraint| !constraint_holds(db, it, &source, &target);
        let forbidding: Vec<_> = constraints.iter().copied().filter(forbids).collect();
        let telling = if forbidding.is_empty() { constraints.clone() } else { forbidding };
        Some(Self { db, class, against, constraints, telling, source, target })
    }

    fn add(&self, domain: TypeId, to: &mut BTreeMap<(Against, Vec<String>), Exempt>) {
        let source = Context { type_: domain, ..self.source.clone() };
        let holds = |it: &&Constraint| constraint_holds(self.db, it, &source, &self.target);
        if !self.constraints.iter().all(holds) {
            return;
        }
        let text = |it: &&Constraint| self.db.expression_to_string(it);
        let constraints: Vec<String> = self.telling.iter().map(text).collect();
        let exempt = to.entry((self.against, constraints.clone())).or_insert_with(|| Exempt {
            against: self.against,
            constraints,
            by: self.telling.iter().flat_map(|it| named(self.db, it)).collect(),
            classes: Vec::new(),
            domains: Ebitmap::new(),
        });
        exempt.domains.insert(domain.bit());
        if !exempt.classes.iter().any(|it| **it == *self.class.name) {
            exempt.classes.push(self.class.name.to_string());
        }
    }
}

fn looks_at_levels(constraint: &Constraint) -> bool {
    let other =
        |it: &Comparison| matches!(it, Comparison::User | Comparison::Role | Comparison::Type);
    constraint.expression.iter().any(|it| matches!(it, Term::Compare(what, _) if !other(what)))
}

/// A type that no constraint names there; any, if all are named.
fn plain_type(db: &PolicyDb, constraints: &[&Constraint], whose: Whose) -> Option<TypeId> {
    let sets = constraints.iter().flat_map(|it| &it.expression).filter_map(|it| match it {
        Term::Names(set) if set.part == Part::Type && set.whose == whose => Some(&set.names),
        _ => None,
    });
    let sets: Vec<&Ebitmap> = sets.collect();
    let types = || db.types.by_value().filter(|it| !it.attribute).map(|it| it.id);
    types().find(|&id| !sets.iter().any(|it| it.has(id))).or_else(|| types().next())
}

/// What a constraint names for the source: attributes as they are written, else types.
fn named(db: &PolicyDb, constraint: &Constraint) -> Vec<String> {
    let sets = constraint.expression.iter().filter_map(|it| match it {
        Term::Names(set) if set.part == Part::Type && set.whose == Whose::Source => Some(set),
        _ => None,
    });
    let written = |set: &mandate_policydb::NameSet| {
        let types = if set.written.types.is_empty() { &set.names } else { &set.written.types };
        let not = if set.negated { "not " } else { "" };
        let names = types.ids::<TypeId>().map(|it| format!("{not}{}", db.types.name(it)));
        names.collect::<Vec<_>>()
    };
    sets.flat_map(written).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::rules::Conditions;
    use crate::testing::policy_with_levels;

    #[test]
    fn levels_stand_to_each_other_by_sensitivity_and_categories() {
        let db = policy_with_levels("", "allow a_t x_t:file read;");
        let level = |text| db.parse_level(text).unwrap();
        let told = |a, b| relation(&level(a), &level(b));
        assert_eq!(told("s1", "s0"), "dominates");
        assert_eq!(told("s0:c0", "s0:c0.c1"), "is dominated by");
        assert_eq!(told("s1", "s0:c1"), "is incomparable with");
        assert_eq!(told("s0:c0.c2", "s0:c0,c1,c2"), "equals");
    }

    #[test]
    fn exceptions_are_found_by_the_constraint_that_makes_them() {
        let db = policy_with_levels(
            "mlsconstrain { file dir } { read } ( l1 dom l2 or (t1 == mlsfileread and h1 dom l2) or t1 == unconfined_domain_type );
            mlsconstrain file { write append } ( l1 eq l2 or t1 == mlsfilewrite );",
            "typeattribute a_t mlsfileread; typeattribute a_t mlsfilewrite; typeattribute b_t mlsfilewrite;
            allow { a_t b_t u_t } x_t:{ file dir } { read write };",
        );
        let sets = TypeSets::new(&db);
        let answer = exemptions(&Access::new(&sets, &Conditions::All));
        let mut text = answer.sentence(&db) + "\n";
        for it in &answer.exempt {
            let (classes, by) = (it.classes.join(" "), it.by.join(" "));
            let domains = questions::type_names(&sets, &it.domains).join(" ");
            let what = it.against.name();
            text += &format!("{what}: {domains} ({classes}; {by}) {}\n", it.constraints.join("; "));
        }
        expect![[r#"
            Between s0 and s1:c0.c2, 1 domain may read up, 1 more up to their clearance, 2 may write down.
            read up: u_t (dir file; unconfined_domain_type) ((l1 dom l2) or ((t1 == mlsfileread) and (h1 dom l2))) or (t1 == unconfined_domain_type)
            read up to its clearance: a_t (dir file; mlsfileread) ((l1 dom l2) or ((t1 == mlsfileread) and (h1 dom l2))) or (t1 == unconfined_domain_type)
            write down: a_t b_t (file; mlsfilewrite) (l1 eq l2) or (t1 == mlsfilewrite)
        "#]].assert_eq(&text);
    }
}
