//! `mandate query flow`: from where information can come to where.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use mandate_policydb::TypeId;
use mandate_query::flow::{FlowQuery, Flows, PermissionMap};
use mandate_query::types::TypeSets;
use serde_json::{Value, json};

use super::Asked;
use super::route::{RouteArgs, Routes, Step, count};
use crate::{Outcome, input};

/// Arguments of `query flow`.
#[derive(clap::Args)]
#[command(
    after_help = "A permission map says which way information moves when a permission is used, and how much of it: a weight from 1, \
    a single bit, to 10, contents. Constraints, roles and levels are not looked at. Exit codes: 0 there is a way, 1 there is none, 2 error."
)]
pub(super) struct Args {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    route: RouteArgs,
    /// Show the ways of the least length, where a step counts 11 less its weight, instead of those of the fewest steps
    #[arg(long, conflicts_with = "up_to", requires = "from", requires = "to")]
    lightest: bool,
    /// Count only flows of this weight and above
    #[arg(long, value_name = "WEIGHT", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=10))]
    min_weight: u8,
    /// Permission map, as setools has them; without it our own
    #[arg(short, long, value_name = "FILE")]
    map: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let map = match &args.map {
        None => PermissionMap::ours(),
        Some(path) => {
            let text = String::from_utf8_lossy(&input::read_bytes(path)?).into_owned();
            PermissionMap::parse(&text).with_context(|| path.display().to_string())?
        }
    };
    let loaded = args.asked.load(err)?;
    let sets = TypeSets::new(loaded.policy.db());
    let route = args.route.resolve(&sets)?;
    let query = FlowQuery {
        map: &map,
        least_weight: args.min_weight,
        conditions: route.conditions.clone(),
        excluded: &route.excluded,
    };
    let flows = Flows::new(&sets, &query);
    let levels = if args.lightest { Flows::by_length(&sets, &query) } else { Vec::new() };
    let provenance = loaded.provenance()?;
    let routes = Information { flows: &flows, levels, least: args.min_weight };
    route.answer(&routes, provenance.as_ref(), out)
}

struct Information<'a> {
    flows: &'a Flows<'a>,
    /// By length; empty where steps are counted.
    levels: Vec<Flows<'a>>,
    least: u8,
}

impl<'a> Routes for Information<'a> {
    type Graph = Flows<'a>;
    const NAME: &'static str = "flow";

    fn graph(&self) -> &Self::Graph {
        self.flows
    }

    fn levels(&self) -> Option<&[Self::Graph]> {
        (!self.levels.is_empty()).then_some(&self.levels)
    }

    fn out_of(&self, from: TypeId) -> Vec<TypeId> {
        self.flows.out_of(from)
    }

    fn towards(&self, to: TypeId) -> Vec<TypeId> {
        self.flows.towards(to)
    }

    fn sentence(from: Option<&str>, to: Option<&str>, any: bool) -> String {
        match (from, to) {
            (Some(from), Some(to)) if any => format!("Information can flow from {from} to {to}"),
            (Some(from), Some(to)) => format!("No information can flow from {from} to {to}"),
            (Some(from), None) if any => {
                format!("Where information can flow from {from} in one step")
            }
            (Some(from), None) => format!("No information can flow from {from}"),
            (None, to) if any => {
                format!("From where information can flow to {} in one step", to.unwrap_or_default())
            }
            (None, to) => format!("No information can flow to {}", to.unwrap_or_default()),
        }
    }

    fn counted(&self) -> (String, Value) {
        let (types, flows) = self.flows.count();
        let unmapped = self.flows.unmapped();
        let mut text = format!(
            "{} of weight {} and above between {types} types",
            count(flows, "flow"),
            self.least
        );
        if let Some((class, permission)) = unmapped.first() {
            let number = unmapped.len();
            text += &format!(
                ", without {number} permissions that the map lacks, such as {class} {permission}"
            );
        }
        let unmapped: Vec<_> = unmapped.iter().map(|it| format!("{} {}", it.0, it.1)).collect();
        let value = json!({ "flows": flows, "types": types, "min_weight": self.least, "unmapped": unmapped });
        (text, value)
    }

    fn step(&self, from: TypeId, to: TypeId) -> Step<'_> {
        let mut carriers = self.flows.step(from, to);
        carriers.retain(|it| it.weight >= self.least);
        let weight = carriers.first().map_or(0, |it| it.weight);
        let rules = carriers.into_iter().map(|it| it.rule).collect();
        let groups = vec![(String::new(), rules)];
        Step { remark: format!(", weight {weight}"), groups, more: json!({ "weight": weight }) }
    }
}
