//! The rules that count under given booleans, and those between two types.

use mandate_policydb::{AvRule, BoolId, Conditional, PolicyDb, RulePlace, SymbolId, TypeId};
use rustc_hash::FxHashMap;

use crate::types::TypeSets;

/// Which rules of conditional blocks count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Conditions {
    /// All, whatever the booleans are: what the policy could ever allow.
    #[default]
    All,
    /// Those that apply when the booleans have these values, by [`BoolId::index`](SymbolId::index).
    Booleans(Vec<bool>),
}

/// A rule, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a> {
    /// The rule.
    pub rule: &'a AvRule,
    /// Its place in the policy, conditional blocks among it.
    pub place: RulePlace,
}

impl Conditions {
    /// The booleans as the policy has them, but for `changes`.
    pub fn with(db: &PolicyDb, changes: &[(BoolId, bool)]) -> Self {
        let mut values = vec![false; db.booleans.nprim() as usize];
        let own = db.booleans.by_value().map(|it| (it.id, it.state));
        for (id, value) in own.chain(changes.iter().copied()) {
            if let Some(place) = values.get_mut(id.index()) {
                *place = value;
            }
        }
        Self::Booleans(values)
    }

    /// Does this branch count?
    fn holds(&self, block: &Conditional, when: bool) -> bool {
        match self {
            Self::All => true,
            Self::Booleans(values) => {
                block.evaluate(|id| values.get(id.index()).copied()) == Some(when)
            }
        }
    }

    /// Does the rule at this place count?
    pub(crate) fn count(&self, db: &PolicyDb, place: RulePlace) -> bool {
        match place {
            RulePlace::Conditional { block, when, .. } => {
                db.conditionals.get(block as usize).is_some_and(|it| self.holds(it, when))
            }
            RulePlace::Unconditional(_) => true,
        }
    }

    /// Does the rule at this place, which counts, do so in every state of the booleans that is meant?
    pub(crate) fn always(&self, place: RulePlace) -> bool {
        matches!(self, Self::Booleans(_)) || matches!(place, RulePlace::Unconditional(_))
    }

    /// The rules that count, in the order of the policy.
    pub fn rules<'a>(&self, db: &'a PolicyDb) -> impl Iterator<Item = Rule<'a>> {
        let always = (0u32..).zip(&db.rules);
        let always = always.map(|(at, rule)| Rule { rule, place: RulePlace::Unconditional(at) });
        let blocks = (0u32..).zip(&db.conditionals);
        let branches = blocks.flat_map(|(at, it)| [(at, it, true), (at, it, false)]);
        let branches = branches.filter(|(_, block, when)| self.holds(block, *when));
        always.chain(branches.flat_map(|(block, it, when)| {
            let rules = (0u32..).zip(if when { &it.when_true } else { &it.when_false });
            let place = move |rule| RulePlace::Conditional { block, when, rule };
            rules.map(move |(at, rule)| Rule { rule, place: place(at) })
        }))
    }
}

/// Rules by the names they have, to find those between two types, attributes expanded.
#[derive(Clone, Debug)]
pub struct Between<'a> {
    rules: Vec<Rule<'a>>,
    /// Where the rules of a pair of names start and end.
    places: FxHashMap<(TypeId, TypeId), (u32, u32)>,
}

impl<'a> Between<'a> {
    /// Of these rules.
    pub fn new(rules: impl Iterator<Item = Rule<'a>>) -> Self {
        let mut rules: Vec<_> = rules.collect();
        let pair = |it: &Rule<'_>| (it.rule.source, it.rule.target);
        rules.sort_by_key(pair);
        let mut places = FxHashMap::default();
        let mut start = 0;
        for same in rules.chunk_by(|a, b| pair(a) == pair(b)) {
            let end = start + u32::try_from(same.len()).unwrap_or(u32::MAX);
            places.extend(same.first().map(|it| (pair(it), (start, end))));
            start = end;
        }
        Self { rules, places }
    }

    /// The rules whose source is, or has, the type `source`, and whose target is, or has, `target`.
    pub fn find(
        &self,
        sets: &TypeSets<'_>,
        source: TypeId,
        target: TypeId,
    ) -> impl Iterator<Item = Rule<'a>> {
        let sources = sets.groups(source).ids::<TypeId>();
        let pairs =
            sources.flat_map(move |a| sets.groups(target).ids::<TypeId>().map(move |b| (a, b)));
        let found = pairs.filter_map(|pair| self.places.get(&pair));
        found
            .flat_map(|&(start, end)| self.rules.get(start as usize..end as usize))
            .flatten()
            .copied()
    }
}
