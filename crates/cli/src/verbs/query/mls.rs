//! `mandate query mls`: levels, and who is exempt from them.

use std::io::Write;

use anyhow::{Result, bail};
use mandate_policydb::{MlsLevel, PolicyDb};
use mandate_query::lookup::LookupError;
use mandate_query::questions::levels::{Exempt, exemptions, relation};
use mandate_query::questions::{Access, type_names};
use mandate_query::types::TypeSets;
use serde_json::json;

use super::common::{Common, print_json};
use super::conditions::named;
use super::table;
use crate::{FAINT, Outcome, STRONG, styled};

/// Arguments of `query mls`.
#[derive(clap::Args)]
#[command(after_help = "\
Without levels: which domains may read up or write down between the lowest and the highest level, by mlsconstrain, and by an allow rule
for something. Each is asked for read and write of every class, with a target that no constraint names.
With levels, two or more: how each stands to the others.")]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Levels to compare, such as s0 s0:c1,c3.c5
    levels: Vec<String>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let loaded = args.common.load(err)?;
    let db = loaded.policy.db();
    if !db.mls {
        bail!("the policy has no levels: it was built without MLS");
    }
    match args.levels.len() {
        0 => exempt(args, db, out)?,
        1 => bail!("two levels at least are compared"),
        _ => compare(args, db, out)?,
    }
    Ok(Outcome::Success)
}

fn compare(args: &Args, db: &PolicyDb, out: &mut dyn Write) -> Result<()> {
    let levels = args.levels.iter().map(|text| {
        let parsed = db.parse_level(text);
        let failed = |why| LookupError::Context { text: text.clone(), why };
        named(db, parsed.map_err(failed))
    });
    let levels: Vec<MlsLevel> = levels.collect::<Result<_>>()?;
    let text = |it: &MlsLevel| db.level_to_string(it);
    let mut rows = Vec::new();
    for (at, a) in levels.iter().enumerate() {
        rows.extend(
            levels.iter().skip(at + 1).map(|b| [text(a), relation(a, b).to_owned(), text(b)]),
        );
    }
    let of = |name: &str| rows.iter().filter(|it| it[1] == name).count();
    let incomparable = of("is incomparable with");
    let sentence = format!(
        "Of {} pairs of levels {incomparable} are incomparable; in {} the first dominates, in {} the second, {} are equal.",
        rows.len(),
        of("dominates"),
        of("is dominated by"),
        of("equals"),
    );
    if args.common.json {
        let pairs =
            rows.iter().map(|[a, relation, b]| json!({ "a": a, "relation": relation, "b": b }));
        return print_json(&sentence, json!({ "pairs": pairs.collect::<Vec<_>>() }), out);
    }
    writeln!(out, "{sentence}")?;
    table::print(["level", "", "level"], &rows, out)
}

fn exempt(args: &Args, db: &PolicyDb, out: &mut dyn Write) -> Result<()> {
    let sets = TypeSets::new(db);
    let answer = exemptions(&Access::new(&sets, &args.common.conditions(db)?));
    let sentence = answer.sentence(db);
    let domains = |it: &Exempt| type_names(&sets, &it.domains);
    if args.common.json {
        let exempt = answer.exempt.iter().map(|it| {
            json!({
                "may": it.against.name(),
                "domains": domains(it),
                "by": it.by,
                "classes": it.classes,
                "constraints": it.constraints,
            })
        });
        let levels = answer.between.iter().flat_map(|(low, high)| [low, high]);
        let value = json!({
            "between": levels.map(|it| db.level_to_string(it)).collect::<Vec<_>>(),
            "exempt": exempt.collect::<Vec<_>>(),
        });
        return print_json(&sentence, value, out);
    }
    writeln!(out, "{sentence}")?;
    for it in &answer.exempt {
        let domains = domains(it);
        let by = if it.by.is_empty() { String::new() } else { format!(" by {}", it.by.join(" ")) };
        let head = format!("{}: {}{by}", it.against.name(), domains.len());
        writeln!(out, "\n{}", styled(STRONG, &head))?;
        writeln!(out, "  domains: {}", table::names(&domains))?;
        writeln!(out, "  classes: {}", table::names(&it.classes))?;
        for constraint in &it.constraints {
            writeln!(out, "  {}", styled(FAINT, &format!("unless {constraint}")))?;
        }
    }
    Ok(())
}
