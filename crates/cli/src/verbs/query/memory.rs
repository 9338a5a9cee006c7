//! `mandate query memory`: who can read a domain's memory.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::HandleUnknown;
use mandate_query::lookup;
use mandate_query::questions::memory::{Channel, memory};
use mandate_query::questions::{Access, Parted};
use mandate_query::types::TypeSets;
use serde_json::json;

use super::common::{Common, UnconfinedArgs, parted_json, print_json};
use super::conditions::named;
use super::table;
use crate::{FAINT, Outcome, STRONG, styled};

/// Arguments of `query memory`.
#[derive(clap::Args)]
#[command(after_help = "\
Ways are told apart by what the kernel asks for each; rules are looked at with attributes expanded, constraints, roles and levels are
not. Raw devices are found by the names that Reference Policy gives them. --rules shows the rules behind each way.")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// The domain whose memory it is
    domain: String,
    #[command(flatten)]
    unconfined: UnconfinedArgs,
    /// Show the rules of each way
    #[arg(long)]
    rules: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let loaded = args.common.load(err)?;
    let db = loaded.policy.db();
    let domain = named(db, lookup::type_(db, &args.domain))?;
    let sets = TypeSets::new(db);
    let unconfined = args.unconfined.resolve(&sets)?;
    let answer = memory(&Access::new(&sets, &args.common.conditions(db)?), domain);
    let sentence = answer.sentence(&sets, &unconfined);
    let who = |it: &Channel| Parted::new(&sets, &it.granted.types, &unconfined);
    let rules = |it: &Channel| -> Vec<String> {
        it.granted.rules.iter().map(|&at| crate::verbs::places::rule(db, at)).collect()
    };
    if args.common.json {
        let channels = answer.channels.iter().map(|it| {
            json!({
                "name": it.name,
                "what": it.what,
                "who": parted_json(&who(it)),
                "unknown": it.unknown,
                "no_types": it.no_types,
                "rules": rules(it),
            })
        });
        let answer = json!({ "domain": args.domain, "channels": channels.collect::<Vec<_>>() });
        print_json(&sentence, answer, out)?;
        return Ok(Outcome::Success);
    }
    writeln!(out, "{sentence}")?;
    for it in &answer.channels {
        writeln!(out, "\n{}  {}", styled(STRONG, it.name), it.what)?;
        let who = who(it);
        if !it.unknown.is_empty() {
            let unknown = it.unknown.join(", ");
            writeln!(out, "  the policy has no {unknown}: {}", decided(db.handle_unknown))?;
        }
        if !it.no_types.is_empty() {
            writeln!(out, "  the policy has no type {}", it.no_types.join(", "))?;
        }
        if who.is_empty() && it.unknown.is_empty() {
            writeln!(out, "  nobody")?;
        }
        for (part, names) in [("confined", &who.confined), ("unconfined", &who.unconfined)] {
            if !names.is_empty() {
                writeln!(out, "  {:<12}{}  {}", part, names.len(), table::names(names))?;
            }
        }
        if args.rules {
            rules(it).iter().try_for_each(|it| writeln!(out, "    {}", styled(FAINT, it)))?;
        }
    }
    Ok(Outcome::Success)
}

/// What a kernel does where the policy says nothing.
fn decided(unknown: HandleUnknown) -> &'static str {
    match unknown {
        HandleUnknown::Allow => {
            "a kernel that asks for it allows it to all, for the policy allows what it does not know"
        }
        HandleUnknown::Deny => {
            "a kernel that asks for it denies it to all, for the policy denies what it does not know"
        }
        HandleUnknown::Reject => "a kernel that asks for it does not load the policy",
    }
}
