//! `no_flow`: information does not come from here to there, but through those that are trusted with it.

use std::ops::RangeInclusive;

use mandate_policydb::{SymbolId, TypeId};
use serde::Deserialize;
use toml::Spanned;

use crate::assertions::error::{Fault, Problem};
use crate::assertions::file::{Name, Names, Settings};
use crate::assertions::sets::tested;
use crate::assertions::{Breach, Claim, Tested, listed};
use crate::flow::{FlowQuery, Flows, PermissionMap, WEIGHTS};
use crate::graph::Length;
use crate::lookup;

/// No information flows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFlow {
    pub(crate) name: Option<String>,
    from: Name,
    to: Name,
    except: Option<Names>,
    min_weight: Option<Spanned<u8>>,
    booleans: Option<Settings>,
}

impl NoFlow {
    fn weight(&self) -> Result<u8, Fault> {
        let Some(given) = &self.min_weight else { return Ok(*WEIGHTS.start()) };
        let allowed: RangeInclusive<u8> = WEIGHTS;
        let fault = || Fault::new(given, Problem::Weight(*given.get_ref()));
        allowed.contains(given.get_ref()).then_some(*given.get_ref()).ok_or_else(fault)
    }
}

impl Claim for NoFlow {
    fn text(&self) -> String {
        let but = self.except.as_ref().map(|it| listed(it.get_ref().as_slice()));
        let but = but.map_or(String::new(), |it| format!(", but through {it}"));
        format!("nothing from {} to {}{but}", self.from.get_ref(), self.to.get_ref())
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        let db = policy.db();
        let from = Fault::at(&self.from, lookup::type_(db, self.from.get_ref()))?;
        let to = Fault::at(&self.to, lookup::type_(db, self.to.get_ref()))?;
        let excluded = self.except.as_ref().map(|it| tested(policy, it, false)).transpose()?;
        let excluded: Vec<TypeId> = excluded.iter().flat_map(|it| it.types.ids()).collect();
        if let Some(except) =
            self.except.as_ref().filter(|_| [from, to].iter().any(|it| excluded.contains(it)))
        {
            return Err(Fault::new(except, Problem::EndExcepted));
        }
        if from == to {
            return Err(Fault::new(&self.to, Problem::OneEnd));
        }
        let query = FlowQuery {
            map: &PermissionMap::ours(),
            least_weight: self.weight()?,
            conditions: policy.conditions(self.booleans.as_ref())?,
            excluded: &excluded,
        };
        let flows = Flows::new(&policy.sets, &query);
        let path = flows.paths(from, to, Length::Shortest).next();
        Ok(path.iter().map(|it| breach(policy, &flows, it)).collect())
    }
}

/// The way, and for each step the rule that carries most.
fn breach(policy: &Tested<'_>, flows: &Flows<'_>, path: &[u32]) -> Breach {
    let types: Vec<TypeId> = path.iter().filter_map(|it| TypeId::from_bit(*it)).collect();
    let names: Vec<_> = types.iter().map(|it| policy.db().types.name(*it)).collect();
    let steps = types.iter().zip(types.iter().skip(1));
    let heaviest = |(from, to): (&TypeId, &TypeId)| {
        let carriers = flows.step(*from, *to);
        carriers.into_iter().max_by_key(|it| it.weight).map(|it| (it.rule.place, u32::MAX))
    };
    let text = format!("information flows by {}", names.join(" → "));
    Breach { text, rules: steps.filter_map(heaviest).collect() }
}
