//! `only` and `neverallow`: what no rule may give.

use mandate_policydb::{ClassId, Ebitmap, TypeId};
use serde::Deserialize;

use crate::assertions::ask::{self, What};
use crate::assertions::error::{Fault, Problem};
use crate::assertions::file::{Name, Names, Settings};
use crate::assertions::xperm::Commands;
use crate::assertions::{Breach, Claim, Tested, listed};
use crate::lookup;
use crate::questions::{all_types, difference, type_names};
use crate::rules::{Conditions, Rule};

/// Only these may do any of this.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Only {
    pub(crate) name: Option<String>,
    domains: Names,
    target: Names,
    class: Name,
    permissions: Option<Names>,
    xperm: Option<Names>,
    booleans: Option<Settings>,
}

/// No rule may give this.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Neverallow {
    pub(crate) name: Option<String>,
    source: Names,
    target: Names,
    class: Names,
    permissions: Option<Names>,
    xperm: Option<Names>,
    booleans: Option<Settings>,
}

/// Types, and whether a rule of a type about itself is meant.
pub(crate) struct TypeSet {
    pub(crate) types: Ebitmap,
    itself: bool,
}

/// Types and members of attributes; `*` is all, `-name` takes away, `self` is the source.
fn type_set(policy: &Tested<'_>, names: &Names, may_be_self: bool) -> Result<TypeSet, Fault> {
    let mut set = TypeSet { types: Ebitmap::new(), itself: false };
    let mut without = Ebitmap::new();
    for name in names.get_ref().as_slice() {
        if name == "self" && may_be_self {
            set.itself = true;
        } else if name == "*" {
            set.types = set.types.union(&all_types(&policy.sets));
        } else {
            let taken = name.strip_prefix('-');
            let found = lookup::type_or_attribute(policy.db(), taken.unwrap_or(name));
            let members = policy.sets.members(Fault::at(names, found)?);
            let place = if taken.is_some() { &mut without } else { &mut set.types };
            *place = place.union(members);
        }
    }
    set.types = difference(&set.types, &without);
    Ok(set)
}

/// A set that something is said of: with nothing in it, that would hold without being tested.
pub(crate) fn tested(
    policy: &Tested<'_>,
    names: &Names,
    may_be_self: bool,
) -> Result<TypeSet, Fault> {
    let set = type_set(policy, names, may_be_self)?;
    let empty = set.types.is_empty() && !set.itself;
    if empty { Err(Fault::new(names, Problem::NothingTested)) } else { Ok(set) }
}

/// What may not be.
struct Ban<'b> {
    source: &'b Ebitmap,
    target: &'b TypeSet,
    class: ClassId,
    permissions: u32,
    /// Any of these alone, under the permission.
    commands: Option<&'b Commands>,
}

/// The rules that let sources do any of this to targets.
fn banned(
    policy: &Tested<'_>,
    (source, target): (&Ebitmap, &TypeSet),
    class: ClassId,
    what: &What,
    conditions: &Conditions,
) -> Vec<Breach> {
    let ban = Ban { source, target, class, permissions: what.bits, commands: None };
    let mut breaches = ban.breaches(policy, conditions);
    for it in &what.commands {
        let ban = Ban { permissions: it.bit, commands: Some(it), ..ban };
        breaches.extend(ban.breaches(policy, conditions));
    }
    breaches
}

impl Ban<'_> {
    /// The rules that break it, joined by whom they let do it to what.
    fn breaches(&self, policy: &Tested<'_>, conditions: &Conditions) -> Vec<Breach> {
        let rules = policy.about(&policy.allows, self.class, conditions);
        rules.filter_map(|it| self.breach(policy, it, conditions)).collect()
    }

    fn breach(
        &self,
        policy: &Tested<'_>,
        it: &Rule<'_>,
        conditions: &Conditions,
    ) -> Option<Breach> {
        let (db, rule) = (policy.db(), it.rule);
        let given = rule.permissions() & self.permissions;
        if given == 0 {
            return None;
        }
        let source = policy.sets.members(rule.source).intersection(self.source);
        if source.is_empty() {
            return None;
        }
        let targets = policy.sets.members(rule.target);
        let target = targets.intersection(&self.target.types);
        let both = source.intersection(targets);
        let (mut to_others, mut to_itself) =
            (!target.is_empty(), self.target.itself && !both.is_empty());
        if let Some(commands) = self.commands {
            let usable =
                |source, target| commands.usable(policy, (source, target, self.class), conditions);
            to_others &= source.ids().any(|source| target.ids().any(|it| usable(source, it)));
            to_itself &= both.ids().any(|it| usable(it, it));
        }
        if !to_others && !to_itself {
            return None;
        }
        let (source, mut names) = match to_others {
            true => (source, type_names(&policy.sets, &target)),
            false => (both, Vec::new()),
        };
        if to_itself {
            names.push("itself".to_owned());
        }
        let who = listed(&type_names(&policy.sets, &source));
        let what = match self.commands {
            Some(commands) => commands.told(&commands.numbers),
            None => listed(&db.permission_names(self.class, given)),
        };
        let class = db.classes.name(self.class);
        let text = format!("{who} may {what} {class} of {}", listed(&names));
        Some(Breach { text, rules: vec![(it.place, given)] })
    }
}

impl Claim for Only {
    fn text(&self) -> String {
        let Self { domains, target, class, permissions, xperm, .. } = self;
        let [domains, target] = [domains, target].map(|it| listed(it.get_ref().as_slice()));
        let what = listed(&ask::asked(permissions.as_ref(), xperm.as_ref()));
        format!("{domains}: {what} {} of {target}", class.get_ref())
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        let db = policy.db();
        let class = Fault::at(&self.class, lookup::class(db, self.class.get_ref()))?;
        let allowed = type_set(policy, &self.domains, false)?.types;
        let source = difference(&all_types(&policy.sets), &allowed);
        let target = tested(policy, &self.target, true)?;
        let what = What::new(db, class, self.permissions.as_ref(), self.xperm.as_ref())?;
        let conditions = policy.conditions(self.booleans.as_ref())?;
        Ok(banned(policy, (&source, &target), class, &what, &conditions))
    }
}

impl Claim for Neverallow {
    fn text(&self) -> String {
        let Self { source, target, class, permissions, xperm, .. } = self;
        let what = ask::asked(permissions.as_ref(), xperm.as_ref()).join(" ");
        let [source, target, class] =
            [source, target, class].map(|it| it.get_ref().as_slice().join(" "));
        format!("{source} {target}:{class} {{ {what} }}")
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        let db = policy.db();
        let conditions = policy.conditions(self.booleans.as_ref())?;
        let (source, target) =
            (tested(policy, &self.source, false)?.types, tested(policy, &self.target, true)?);
        let mut breaches = Vec::new();
        if self.class.get_ref().as_slice().is_empty() {
            return Err(Fault::new(&self.class, Problem::NoNames));
        }
        for name in self.class.get_ref().as_slice() {
            let class = Fault::at(&self.class, lookup::class(db, name))?;
            let what = What::new(db, class, self.permissions.as_ref(), self.xperm.as_ref())?;
            breaches.extend(banned(policy, (&source, &target), class, &what, &conditions));
        }
        Ok(breaches)
    }
}

/// The members of all these types and attributes.
pub(crate) fn members(policy: &Tested<'_>, names: Option<&Names>) -> Result<Ebitmap, Fault> {
    let Some(names) = names else { return Ok(Ebitmap::new()) };
    Ok(type_set(policy, names, false)?.types)
}

/// The names of one type.
pub(crate) fn type_name(policy: &Tested<'_>, id: TypeId) -> String {
    policy.db().types.name(id).into_owned()
}
