//! `mandate query search`: the rules of a policy that fit.

use std::io::Write;

use anyhow::{Result, anyhow};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use mandate_policydb::{PolicyDb, Provenance, RuleKey, RulePlace};
use mandate_query::name::NameCriterion;
use mandate_query::search::{Choice, End, Found, Kind, Match, RuleQuery, parse_xperms};
use mandate_query::{Statements, Style};
use serde_json::{Value, json};

use super::Asked;
use crate::answers::print_rules;
use crate::verbs::places;
use crate::{Outcome, suggest};

/// Arguments of `query search`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    asked: Asked,
    /// Kinds of rules; without this, all that name types
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',', value_parser = kind_parser())]
    kinds: Vec<Kind>,
    /// The source: a type or attribute, or for rules between roles a role. Here and below, a name between slashes is a regular
    /// expression: /^httpd_/
    #[arg(long, short, value_name = "NAME")]
    source: Option<String>,
    /// The target
    #[arg(long, short, value_name = "NAME")]
    target: Option<String>,
    /// Only rules that say the source itself, not through attributes
    #[arg(long)]
    direct_source: bool,
    /// Only rules that say the target itself, not through attributes
    #[arg(long)]
    direct_target: bool,
    /// One of these classes
    #[arg(long = "class", short, value_name = "CLASS", value_delimiter = ',')]
    classes: Vec<String>,
    /// One of these permissions
    #[arg(long = "permission", short, value_name = "PERMISSION", value_delimiter = ',')]
    permissions: Vec<String>,
    /// All of these permissions
    #[arg(long, requires = "permissions", conflicts_with = "exact_permissions")]
    all_permissions: bool,
    /// These permissions and no others
    #[arg(long, requires = "permissions")]
    exact_permissions: bool,
    /// One of these extended permissions: 0x8910, 0x8910-0x8920
    #[arg(long = "xperm", short = 'x', value_name = "RANGE")]
    xperms: Option<String>,
    /// These extended permissions and no others
    #[arg(long, requires = "xperms")]
    exact_xperms: bool,
    /// What the rule gives: a type, role or range
    #[arg(long, value_name = "NAME")]
    default: Option<String>,
    /// One of these booleans in the condition
    #[arg(long = "boolean", short, value_name = "BOOLEAN", value_delimiter = ',')]
    booleans: Vec<String>,
    /// These booleans and no others
    #[arg(long, requires = "booleans")]
    exact_booleans: bool,
    /// Say below each rule where it was written
    #[arg(long)]
    places: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// All kinds of rules that a policy can have, by keyword.
fn kinds() -> impl Iterator<Item = (&'static str, Kind)> {
    let others = [
        ("role_allow", Kind::RoleAllow),
        ("role_transition", Kind::RoleTransition),
        ("range_transition", Kind::RangeTransition),
    ];
    Kind::TE.into_iter().map(|it| (it.keyword(), Kind::Te(it))).chain(others)
}

fn kind_parser() -> impl TypedValueParser<Value = Kind> {
    let find = |text: String| kinds().find(|it| it.0 == text).map(|it| it.1);
    PossibleValuesParser::new(kinds().map(|it| it.0))
        .try_map(move |text| find(text).ok_or("no kind of rule"))
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let query = args.query()?;
    let loaded = args.asked.load(err)?;
    let db = loaded.policy.db();
    let found = query.ask(db).map_err(|error| anyhow!(suggest::question(db, &error)))?;
    let provenance = if args.places { loaded.provenance()? } else { None };
    if args.places && provenance.is_none() {
        writeln!(err, "nothing says where the rules of this policy were written")?;
    }
    let mut statements = Statements::new(db, Style::Policy);
    if args.json {
        print_json(&mut statements, &found, provenance.as_ref(), out)?;
    } else if let Some(provenance) = &provenance {
        print_with_places(&mut statements, &found, provenance, out)?;
    } else {
        print_rules(&mut statements, &found, out)?;
    }
    if found.is_empty() && !args.json {
        writeln!(err, "no rule fits")?;
    }
    Ok(Outcome::Success)
}

/// A name, or a regular expression between slashes.
fn criterion(text: &str) -> Result<NameCriterion> {
    let pattern = text.strip_prefix('/').and_then(|it| it.strip_suffix('/'));
    Ok(NameCriterion::new(pattern.unwrap_or(text), pattern.is_some())?)
}

fn choice(names: &[String]) -> Result<Option<Choice>> {
    Ok(match names {
        [] => None,
        [one] if one.starts_with('/') => Some(Choice::Pattern(criterion(one)?)),
        names => Some(Choice::Names(names.to_vec())),
    })
}

impl Args {
    fn query(&self) -> Result<RuleQuery> {
        let end = |name: &Option<String>, direct| {
            let name = name.as_deref().map(criterion).transpose()?;
            Ok::<_, anyhow::Error>(name.map(|name| End { name, direct }))
        };
        let exactly = |exact| if exact { Match::Exactly } else { Match::Any };
        let permissions =
            if self.all_permissions { Match::All } else { exactly(self.exact_permissions) };
        let xperms = self.xperms.as_deref().map(parse_xperms).transpose()?;
        let named = !self.permissions.is_empty();
        let all = || Kind::TE.into_iter().map(Kind::Te).collect();
        Ok(RuleQuery {
            kinds: if self.kinds.is_empty() { all() } else { self.kinds.clone() },
            source: end(&self.source, self.direct_source)?,
            target: end(&self.target, self.direct_target)?,
            classes: choice(&self.classes)?,
            permissions: named.then(|| (self.permissions.clone(), permissions)),
            xperms: xperms.map(|it| (it, exactly(self.exact_xperms))),
            default: self.default.as_deref().map(criterion).transpose()?,
            booleans: choice(&self.booleans)?.map(|it| (it, exactly(self.exact_booleans))),
        })
    }
}

/// Prints each rule, and below it where it was written.
fn print_with_places(
    statements: &mut Statements<'_>,
    found: &[Found<'_>],
    provenance: &Provenance,
    out: &mut dyn Write,
) -> Result<()> {
    for rule in found {
        print_rules(statements, std::slice::from_ref(rule), out)?;
        if let Found::Key(key) = rule {
            places::print(Some(provenance), *key, u32::MAX, out)?;
        }
    }
    Ok(())
}

/// Prints rules as JSON, a line for each; the shape is in docs/json.md.
fn print_json(
    statements: &mut Statements<'_>,
    found: &[Found<'_>],
    provenance: Option<&Provenance>,
    out: &mut dyn Write,
) -> Result<()> {
    let db = statements.db();
    writeln!(out, "{{\"rules\": [")?;
    for (at, rule) in found.iter().enumerate() {
        let mut text = Vec::new();
        statements.push(&mut text, rule);
        let mut value = to_json(db, rule);
        value["text"] = String::from_utf8_lossy(&text).into();
        if let (Some(provenance), Found::Key(key)) = (provenance, rule) {
            value["places"] = places::to_json(provenance, *key, u32::MAX);
        }
        let comma = if at + 1 < found.len() { "," } else { "" };
        writeln!(out, "{value}{comma}")?;
    }
    Ok(writeln!(out, "]}}")?)
}

/// The parts of a rule.
fn to_json(db: &PolicyDb, rule: &Found<'_>) -> Value {
    match rule {
        Found::Filename(it) => json!({
            "kind": "type_transition",
            "source": db.types.name(it.source),
            "target": db.types.name(it.target),
            "class": db.classes.name(it.class),
            "default": db.types.name(it.default_type),
            "file_name": String::from_utf8_lossy(it.name),
        }),
        Found::Key(RuleKey::Rule(place)) => te_rule_to_json(db, *place),
        Found::Key(RuleKey::RoleAllow(at)) => {
            db.role_allows.get(*at as usize).map_or(Value::Null, |it| {
                json!({
                    "kind": "role_allow",
                    "source": db.roles.name(it.role),
                    "target": db.roles.name(it.new_role),
                })
            })
        }
        Found::Key(RuleKey::RoleTransition(at)) => {
            db.role_transitions.get(*at as usize).map_or(Value::Null, |it| {
                json!({
                    "kind": "role_transition",
                    "source": db.roles.name(it.role),
                    "target": db.types.name(it.type_),
                    "class": it.class.map_or("process".into(), |it| db.classes.name(it)),
                    "default": db.roles.name(it.new_role),
                })
            })
        }
        Found::Key(RuleKey::RangeTransition(at)) => {
            db.range_transitions.get(*at as usize).map_or(Value::Null, |it| {
                json!({
                    "kind": "range_transition",
                    "source": db.types.name(it.source),
                    "target": db.types.name(it.target),
                    "class": it.class.map_or("process".into(), |it| db.classes.name(it)),
                    "default": db.range_to_string(&it.range),
                })
            })
        }
        Found::Key(RuleKey::Constraint { .. }) => Value::Null,
    }
}

fn te_rule_to_json(db: &PolicyDb, place: RulePlace) -> Value {
    let Some(rule) = place.rule(db) else { return Value::Null };
    let mut value = json!({
        "kind": rule.kind.keyword(),
        "source": db.types.name(rule.source),
        "target": db.types.name(rule.target),
        "class": db.classes.name(rule.class()),
    });
    if let Some(type_) = rule.default_type() {
        value["default"] = db.types.name(type_).into();
    } else if let Some(xperms) = db.xperms.of(rule) {
        value["xperms"] = xperms.to_statement().into();
    } else {
        let mask = db.permission_mask(rule.class());
        value["permissions"] = db.permission_names(rule.class(), rule.permissions() & mask).into();
    }
    if let (RulePlace::Conditional { when, .. }, Some(block)) = (place, place.block(db)) {
        value["condition"] = db.condition_to_string(block).into();
        value["when"] = when.into();
    }
    value
}
