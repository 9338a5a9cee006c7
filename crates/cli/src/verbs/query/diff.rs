//! `mandate query diff`: how two policies differ.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use mandate_policydb::Provenance;
use mandate_query::Style;
use mandate_query::diff::{Access, Change, Detail, Diff, DiffQuery, Effects, Part, Section};
use serde_json::{Map, Value, json};

use crate::verbs::places;
use crate::{Outcome, differences, policy};

/// Arguments of `query diff`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The policy before: a binary, a source tree, a policy.conf, CIL or a package
    policy1: PathBuf,
    /// The policy after
    policy2: PathBuf,
    /// Only these parts, called as their statements
    #[arg(long = "part", value_name = "PART", value_delimiter = ',', value_parser = part_parser())]
    parts: Vec<Part>,
    /// Tell for each domain what rules newly allow it and no longer allow it, as booleans stand; constraints are not asked
    #[arg(long, conflicts_with_all = ["parts", "stats"])]
    effective: bool,
    /// Numbers only
    #[arg(long)]
    stats: bool,
    /// Say below each rule where the statements behind it were written
    #[arg(long)]
    places: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "stats")]
    json: bool,
}

fn part_parser() -> impl TypedValueParser<Value = Part> {
    PossibleValuesParser::new(Part::all().map(Part::keyword))
        .try_map(|text| Part::of_keyword(&text).ok_or("no part"))
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let inputs = [&args.policy1, &args.policy2].map(|it| [it.clone()]);
    let [first, second] = &inputs;
    let (first, second) = policy::load_both(first, second, err)?;
    let places = match args.places {
        true => [first.provenance()?, second.provenance()?],
        false => [None, None],
    };
    if args.places && places.iter().all(Option::is_none) {
        writeln!(err, "nothing says where the rules of these policies were written")?;
    }
    let (first, second) = (first.policy.db(), second.policy.db());
    if args.effective {
        let effects = Effects::of(first, second, Style::Policy);
        return print_effects(&effects, &places, args.json, out).map(|()| Outcome::Success);
    }
    let parts = if args.parts.is_empty() { Part::all().collect() } else { args.parts.clone() };
    let diff = DiffQuery { parts, style: Style::Policy }.ask(first, second);
    if args.json {
        let value: Map<String, Value> = diff
            .sections
            .iter()
            .filter(|it| !it.is_empty())
            .map(|it| section_to_json(&diff, &places, it))
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
        return Ok(Outcome::Success);
    }
    differences::print(&diff, args.stats, false, out, |change, text| {
        print_places(&diff, &places, change, text)
    })?;
    if diff.sections.iter().all(Section::is_empty) {
        writeln!(err, "nothing differs")?;
    }
    Ok(Outcome::Success)
}

type Places = [Option<Provenance>; 2];

/// Prints where the rules behind a difference were written.
fn print_places(
    diff: &Diff<'_>,
    places: &Places,
    change: &Change,
    out: &mut dyn Write,
) -> Result<()> {
    for (side, provenance) in places.iter().enumerate() {
        let Some(provenance) = provenance else { continue };
        places::print_all(provenance, &diff.behind(side, change), out)?;
    }
    Ok(())
}

fn access_to_json(diff: &Diff<'_>, access: &Access) -> Value {
    let view = diff.access(access);
    let mut value = json!({
        "kind": view.keyword,
        "source": view.source,
        "target": view.target,
        "class": view.class,
        "kept": view.kept,
        "added": view.added,
        "removed": view.removed,
    });
    if let Some((condition, when)) = diff.condition(access) {
        value["condition"] = condition.into();
        value["when"] = when.into();
    }
    value
}

/// Adds where the rules behind a difference were written, to one that is a rule.
fn add_places(value: &mut Value, diff: &Diff<'_>, places: &Places, change: &Change) {
    if !change.is_rule() {
        return;
    }
    let keys = ["places_before", "places_after"];
    for ((side, provenance), key) in places.iter().enumerate().zip(keys) {
        let Some(provenance) = provenance else { continue };
        value[key] = places::all_to_json(provenance, &diff.behind(side, change));
    }
}

fn section_to_json(diff: &Diff<'_>, places: &Places, section: &Section) -> (String, Value) {
    let change = |it: &Change| {
        let mut value = match it {
            Change::Access(access) => {
                let mut text = Vec::new();
                diff.push_access(&mut text, access);
                let mut value = access_to_json(diff, access);
                value["text"] = String::from_utf8_lossy(&text).into();
                value
            }
            Change::Item(item) if item.details.is_empty() => json!({ "text": item.text }),
            Change::Item(item) => {
                let details: Map<String, Value> = item.details.iter().map(detail_to_json).collect();
                json!({ "text": item.text, "details": details })
            }
        };
        add_places(&mut value, diff, places, it);
        value
    };
    let list = |changes: &[Change]| changes.iter().map(change).collect::<Value>();
    let value = json!({
        "added": list(&section.added),
        "removed": list(&section.removed),
        "modified": list(&section.modified),
    });
    (section.part.keyword().to_owned(), value)
}

fn detail_to_json(detail: &Detail) -> (String, Value) {
    let noun = detail.noun.to_lowercase().replace(' ', "_");
    (noun, json!({ "added": detail.added, "removed": detail.removed }))
}

/// Prints by domain what it newly can, and what it no longer can.
fn print_effects(
    effects: &Effects<'_>,
    places: &Places,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let diff = effects.diff();
    if as_json {
        let value = |(domain, list): (&str, &[Access])| {
            let change = |it: &Access| {
                let mut value = access_to_json(diff, it);
                add_places(&mut value, diff, places, &Change::Access(*it));
                value
            };
            (domain.to_owned(), list.iter().map(change).collect())
        };
        let value: Map<String, Value> = effects.domains().map(value).collect();
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?);
    }
    let mut text = Vec::new();
    for (domain, changes) in effects.domains() {
        writeln!(text, "{domain}")?;
        for access in changes {
            let view = diff.access(access);
            for (sign, permissions) in [('+', &view.added), ('-', &view.removed)] {
                if !permissions.is_empty() {
                    let names = permissions.join(" ");
                    writeln!(text, "   {sign} {}:{} {{ {names} }}", view.target, view.class)?;
                }
            }
            print_places(diff, places, &Change::Access(*access), &mut text)?;
        }
        out.write_all(&text)?;
        text.clear();
    }
    Ok(())
}
