//! `rule_count` and `empty_attribute`: how much there is of something.

use mandate_policydb::{AvRule, ClassId, PolicyDb, RuleKind, TypeId};
use serde::Deserialize;

use crate::assertions::error::{Fault, Problem};
use crate::assertions::file::Name;
use crate::assertions::{Breach, Claim, Tested, listed};
use crate::lookup;
use crate::questions::type_names;

/// So many rules of a kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleCount {
    pub(crate) name: Option<String>,
    kind: Name,
    source: Option<Name>,
    target: Option<Name>,
    class: Option<Name>,
    exactly: Option<usize>,
    at_least: Option<usize>,
    at_most: Option<usize>,
}

/// An attribute that no type has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmptyAttribute {
    pub(crate) name: Option<String>,
    attribute: Name,
}

const KINDS: [RuleKind; 9] = [
    RuleKind::Allow,
    RuleKind::AuditAllow,
    RuleKind::DontAudit,
    RuleKind::TypeTransition,
    RuleKind::TypeMember,
    RuleKind::TypeChange,
    RuleKind::AllowXperm,
    RuleKind::AuditAllowXperm,
    RuleKind::DontAuditXperm,
];

/// What rules have to have, as they are written: an attribute stands for itself.
struct Filter {
    kind: RuleKind,
    source: Option<TypeId>,
    target: Option<TypeId>,
    class: Option<ClassId>,
}

impl Filter {
    fn matches(&self, rule: &AvRule) -> bool {
        rule.kind == self.kind
            && self.source.is_none_or(|it| it == rule.source)
            && self.target.is_none_or(|it| it == rule.target)
            && self.class.is_none_or(|it| it == rule.class())
    }

    fn count(&self, db: &PolicyDb) -> usize {
        let blocks =
            db.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false));
        db.rules.iter().chain(blocks).filter(|it| self.matches(it)).count()
    }
}

impl RuleCount {
    fn kind(&self) -> Result<RuleKind, Fault> {
        let wanted = self.kind.get_ref();
        KINDS.into_iter().find(|it| it.keyword() == wanted).ok_or_else(|| {
            let expected = KINDS.map(RuleKind::keyword).join(", ");
            Fault::new(&self.kind, Problem::RuleKind { found: wanted.clone(), expected })
        })
    }

    fn filter(&self, db: &PolicyDb) -> Result<Filter, Fault> {
        let type_ = |name: &Option<Name>| {
            let found = |it: &Name| Fault::at(it, lookup::type_or_attribute(db, it.get_ref()));
            name.as_ref().map(found).transpose()
        };
        let class = |it: &Name| Fault::at(it, lookup::class(db, it.get_ref()));
        Ok(Filter {
            kind: self.kind()?,
            source: type_(&self.source)?,
            target: type_(&self.target)?,
            class: self.class.as_ref().map(class).transpose()?,
        })
    }

    /// The limits with their words.
    fn limits(&self) -> Vec<String> {
        let limits =
            [("exactly ", self.exactly), ("at least ", self.at_least), ("at most ", self.at_most)];
        limits.iter().filter_map(|it| Some(format!("{}{}", it.0, it.1?))).collect()
    }
}

impl Claim for RuleCount {
    fn text(&self) -> String {
        let names =
            [Some(&self.kind), self.source.as_ref(), self.target.as_ref(), self.class.as_ref()];
        let names: Vec<&str> =
            names.into_iter().flatten().map(|it| it.get_ref().as_str()).collect();
        format!("{} rules {}", self.limits().join(" and "), names.join(" "))
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        if self.limits().is_empty() {
            return Err(Fault::new(&self.kind, Problem::NoLimit));
        }
        let found = self.filter(policy.db())?.count(policy.db());
        let holds = self.exactly.is_none_or(|it| it == found)
            && self.at_least.is_none_or(|it| it <= found)
            && self.at_most.is_none_or(|it| it >= found);
        let text = format!("there are {found} rules, not {}", self.limits().join(" and "));
        Ok(if holds { Vec::new() } else { vec![Breach { text, rules: Vec::new() }] })
    }
}

impl Claim for EmptyAttribute {
    fn text(&self) -> String {
        self.attribute.get_ref().clone()
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        let name = self.attribute.get_ref();
        let attribute = Fault::at(&self.attribute, lookup::attribute(policy.db(), name))?;
        let members = policy.sets.members(attribute);
        let names = type_names(&policy.sets, members);
        let text = format!("{name} has {}", listed(&names));
        let rules = Vec::new();
        Ok(if members.is_empty() { Vec::new() } else { vec![Breach { text, rules }] })
    }
}
