//! `mandate query role` and `user`: what they may be.

use std::io::Write;

use anyhow::Result;
use mandate_query::lookup;
use mandate_query::questions::Access;
use mandate_query::questions::identity::{UserRole, role, user};
use mandate_query::types::TypeSets;
use serde_json::json;

use super::Asked;
use super::common::{Common, print_json};
use super::conditions::named;
use super::route::count;
use super::table;
use crate::Outcome;

/// Arguments of `query role`.
#[derive(clap::Args)]
pub(super) struct RoleArgs {
    #[command(flatten)]
    asked: Asked,
    /// The role
    role: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `query user`.
#[derive(clap::Args)]
#[command(after_help = "\
A program starts a domain if another domain of the same role may execute it and become that domain, and the domain may be entered by
it. Constraints and levels are not looked at.")]
pub(super) struct UserArgs {
    #[command(flatten)]
    common: Common,
    /// The SELinux user
    user: String,
}

pub(super) fn run_role(
    args: &RoleArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome> {
    let loaded = args.asked.load(err)?;
    let db = loaded.policy.db();
    let id = named(db, lookup::role(db, &args.role))?;
    let answer = role(&TypeSets::new(db), id);
    let sentence = answer.sentence(db);
    if args.json {
        let value = json!({
            "role": args.role,
            "types": answer.types,
            "domains": answer.domains,
            "users": answer.users,
            "from": answer.from,
            "to": answer.to,
            "transitions": answer.transitions,
        });
        print_json(&sentence, value, out)?;
        return Ok(Outcome::Success);
    }
    writeln!(out, "{sentence}")?;
    let others: Vec<String> =
        answer.types.iter().filter(|it| !answer.domains.contains(it)).cloned().collect();
    let lists = [
        ("users", &answer.users),
        ("becomes", &answer.to),
        ("comes from", &answer.from),
        ("domains", &answer.domains),
        ("other types", &others),
        ("transitions", &answer.transitions),
    ];
    writeln!(out)?;
    for (head, names) in lists.iter().filter(|it| !it.1.is_empty()) {
        writeln!(out, "{head} ({}): {}", names.len(), names.join(" "))?;
    }
    Ok(Outcome::Success)
}

pub(super) fn run_user(
    args: &UserArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome> {
    let loaded = args.common.load(err)?;
    let db = loaded.policy.db();
    let id = named(db, lookup::user(db, &args.user))?;
    let sets = TypeSets::new(db);
    let answer = user(&Access::new(&sets, &args.common.conditions(db)?), id);
    let sentence = answer.sentence(db);
    if args.common.json {
        let entry = |(domain, programs): &(String, Vec<String>)| json!({ "domain": domain, "programs": programs });
        let role = |it: &UserRole| {
            let entrypoints: Vec<_> = it.entrypoints.iter().map(entry).collect();
            json!({ "role": it.role, "domains": it.domains, "entrypoints": entrypoints })
        };
        let value = json!({
            "user": args.user,
            "range": answer.range,
            "default_level": answer.default_level,
            "roles": answer.roles.iter().map(role).collect::<Vec<_>>(),
            "domains": answer.domains,
        });
        print_json(&sentence, value, out)?;
        return Ok(Outcome::Success);
    }
    writeln!(out, "{sentence}")?;
    for it in &answer.roles {
        let (number, names) = (count(it.domains.len(), "domain"), table::names(&it.domains));
        writeln!(out, "\n{}", format!("{} ({number}): {names}", it.role).trim_end())?;
        let rows: Vec<_> = it
            .entrypoints
            .iter()
            .map(|(domain, programs)| [domain.clone(), table::names(programs)])
            .collect();
        table::print(["domain", "is started by programs of"], &rows, out)?;
    }
    Ok(Outcome::Success)
}
