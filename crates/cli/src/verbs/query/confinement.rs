//! `mandate query unconfined` and `permissive`: what the policy does not confine.

use std::io::Write;

use anyhow::Result;
use mandate_query::questions::confinement::{ListAnswer, permissive, unconfined};
use mandate_query::types::TypeSets;
use serde_json::json;

use super::Asked;
use super::common::{UnconfinedArgs, print_json};
use super::table;
use crate::Outcome;

/// Arguments of `query unconfined`.
#[derive(clap::Args)]
pub(super) struct UnconfinedListArgs {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    unconfined: UnconfinedArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `query permissive`.
#[derive(clap::Args)]
pub(super) struct PermissiveArgs {
    #[command(flatten)]
    asked: Asked,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run_unconfined(
    args: &UnconfinedListArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome> {
    let loaded = args.asked.load(err)?;
    let sets = TypeSets::new(loaded.policy.db());
    let given = args.unconfined.attributes(sets.db())?;
    print(&unconfined(&sets, &given), &sets, args.json, out)
}

pub(super) fn run_permissive(
    args: &PermissiveArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome> {
    let loaded = args.asked.load(err)?;
    let sets = TypeSets::new(loaded.policy.db());
    print(&permissive(&sets), &sets, args.json, out)
}

fn print(
    answer: &ListAnswer,
    sets: &TypeSets<'_>,
    json: bool,
    out: &mut dyn Write,
) -> Result<Outcome> {
    let name = |it| sets.db().types.name(it).into_owned();
    if json {
        let types = answer.types.iter().map(
            |it| json!({ "type": name(it.type_), "domain": it.domain, "reasons": it.reasons }),
        );
        let value = json!({ "domains": answer.of, "types": types.collect::<Vec<_>>() });
        print_json(&answer.sentence, value, out)?;
        return Ok(Outcome::Success);
    }
    writeln!(out, "{}", answer.sentence)?;
    let rows: Vec<_> = answer
        .types
        .iter()
        .map(|it| {
            let domain = if it.domain { "domain" } else { "" };
            [name(it.type_), domain.to_owned(), it.reasons.join(", ")]
        })
        .collect();
    table::print(["type", "", "because of"], &rows, out)?;
    Ok(Outcome::Success)
}
