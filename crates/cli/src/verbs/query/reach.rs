//! `mandate query reach`: which domain becomes which.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::{PolicyDb, TypeId};
use mandate_query::reach::Transitions;
use mandate_query::types::TypeSets;
use serde_json::{Value, json};

use super::Asked;
use super::route::{RouteArgs, Routes, Step, count};
use crate::Outcome;

/// Arguments of `query reach`.
#[derive(clap::Args)]
#[command(
    after_help = "A step needs transition, an entry point that the old domain may execute, and a type_transition or setexec; or \
    dyntransition and setcurrent. Constraints, roles and levels are not looked at. Exit codes: 0 there is a way, 1 there is none, 2 error."
)]
pub(super) struct Args {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    route: RouteArgs,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let loaded = args.asked.load(err)?;
    let sets = TypeSets::new(loaded.policy.db());
    let route = args.route.resolve(&sets)?;
    let transitions = Transitions::new(&sets, &route.conditions, &route.excluded);
    let provenance = loaded.provenance()?;
    let routes = Domains { db: loaded.policy.db(), transitions: &transitions };
    route.answer(&routes, provenance.as_ref(), out)
}

struct Domains<'a> {
    db: &'a PolicyDb,
    transitions: &'a Transitions<'a>,
}

impl<'a> Routes for Domains<'a> {
    type Graph = Transitions<'a>;
    const NAME: &'static str = "reach";

    fn graph(&self) -> &Self::Graph {
        self.transitions
    }

    fn out_of(&self, from: TypeId) -> Vec<TypeId> {
        self.transitions.out_of(from).collect()
    }

    fn towards(&self, to: TypeId) -> Vec<TypeId> {
        self.transitions.towards(to).collect()
    }

    fn sentence(from: Option<&str>, to: Option<&str>, any: bool) -> String {
        match (from, to) {
            (Some(from), Some(to)) if any => format!("{from} can become {to}"),
            (Some(from), Some(to)) => format!("{from} cannot become {to}"),
            (Some(from), None) if any => format!("What {from} can become in one step"),
            (Some(from), None) => format!("{from} can become nothing else"),
            (None, to) if any => format!("What can become {} in one step", to.unwrap_or_default()),
            (None, to) => format!("Nothing can become {}", to.unwrap_or_default()),
        }
    }

    fn counted(&self) -> (String, Value) {
        let (transitions, domains) = (self.transitions.count(), self.transitions.domains());
        let text = format!("{} between {domains} domains", count(transitions, "transition"));
        (text, json!({ "transitions": transitions, "domains": domains }))
    }

    fn step(&self, from: TypeId, to: TypeId) -> Step<'_> {
        let step = self.transitions.step(from, to);
        let entrypoints: Vec<_> =
            step.entrypoints.iter().map(|it| self.db.types.name(it.type_)).collect();
        let more = json!({
            "entrypoints": entrypoints,
            "setexec": !step.setexec.is_empty(),
            "dyntransition": !step.dyntransition.is_empty(),
        });
        let mut groups =
            vec![("transition".to_owned(), step.transition), ("setexec".to_owned(), step.setexec)];
        for it in step.entrypoints {
            let rules = [it.entrypoint, it.execute, it.type_transition].concat();
            groups.push((format!("through {}", self.db.types.name(it.type_)), rules));
        }
        groups.push(("dyntransition".to_owned(), step.dyntransition));
        groups.push(("setcurrent".to_owned(), step.setcurrent));
        groups.retain(|it| !it.1.is_empty());
        Step { remark: String::new(), groups, more }
    }
}
