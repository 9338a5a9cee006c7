//! `mandate query wx`: who may make code.

use std::io::Write;

use anyhow::Result;
use mandate_query::questions::type_names;
use mandate_query::questions::wx::{Wx, WxDomain, WxQuery};
use mandate_query::types::TypeSets;
use serde_json::{Value, json};

use super::common::{Common, UnconfinedArgs, print_json};
use super::table;
use crate::Outcome;

/// Arguments of `query wx`.
#[derive(clap::Args)]
#[command(after_help = "\
Domains are the members of attribute domain. The allow rules of a domain count together, attributes expanded;
constraints are not looked at. The table shows eight types of files at most, and no domain that has execmod alone; --json all.")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    unconfined: UnconfinedArgs,
    /// Only confined domains
    #[arg(long)]
    confined: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let loaded = args.common.load(err)?;
    let db = loaded.policy.db();
    let unconfined = args.unconfined.attributes(db)?;
    let query = WxQuery { conditions: args.common.conditions(db)?, unconfined };
    let sets = TypeSets::new(db);
    let mut answer = query.ask(&sets);
    let sentence = answer.sentence();
    if args.confined {
        answer.domains.retain(|it| !it.unconfined);
    }
    if args.common.json {
        print_json(&sentence, to_json(&answer, &sets), out)?;
        return Ok(Outcome::Success);
    }
    writeln!(out, "{sentence}")?;
    // Every domain may change some mapped code, as the loader does; alone that is no finding.
    let told = answer.domains.iter().filter(|it| !(it.types.is_empty() && it.memory.is_empty()));
    let mut rows: Vec<_> = told.map(|it| row(it, &sets)).collect();
    // Confined domains are those to mend; what may make files comes before what may only change memory.
    rows.sort_by_key(|it| (it[1].clone(), it[3].is_empty()));
    table::print(["domain", "", "memory", "writes, creates and executes files of"], &rows, out)?;
    Ok(Outcome::Success)
}

fn row(it: &WxDomain, sets: &TypeSets<'_>) -> [String; 4] {
    let confined = if it.unconfined { "unconfined" } else { "confined" };
    let files = table::names(&type_names(sets, &it.types));
    let domain = sets.db().types.name(it.domain).into_owned();
    [domain, confined.to_owned(), it.memory.join(" "), files]
}

fn to_json(answer: &Wx, sets: &TypeSets<'_>) -> Value {
    let domains = answer.domains.iter().map(|it| {
        json!({
            "domain": sets.db().types.name(it.domain),
            "unconfined": it.unconfined,
            "types": type_names(sets, &it.types),
            "memory": it.memory,
            "execmod": type_names(sets, &it.execmod),
        })
    });
    json!({ "domains": answer.of, "found": domains.collect::<Vec<_>>() })
}
