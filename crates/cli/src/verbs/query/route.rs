//! What `reach` and `flow` have in common: arguments, and ways as text, JSON or DOT, each shown as soon as it is found.

use std::collections::HashSet;
use std::io::Write;

use anyhow::{Result, bail};
use mandate_policydb::{
    Conditional, PolicyDb, Provenance, RuleKey, RulePlace, SymbolId as _, TypeId,
};
use mandate_query::graph::{Graph, Length, Lightest, Paths};
use mandate_query::lookup;
use mandate_query::rules::{Conditions, Rule};
use mandate_query::types::TypeSets;
use serde_json::{Value, json};

use super::conditions::named;
use crate::verbs::places;
use crate::{FAINT, Outcome, STRONG, input, styled};

/// Rules of one step that are printed without `--full`: between attributes there can be one for each class.
const MOST: usize = 10;

/// What is asked of a graph of types.
#[derive(clap::Args)]
pub(super) struct RouteArgs {
    /// The type to start from; alone, each single step away from it is shown
    #[arg(long, value_name = "TYPE", required_unless_present = "to")]
    from: Option<String>,
    /// The type to arrive at; alone, each single step to it is shown
    #[arg(long, value_name = "TYPE")]
    to: Option<String>,
    /// Show all ways of at most this many steps, the shortest first, and not only the shortest
    #[arg(long, value_name = "STEPS", requires = "from", requires = "to")]
    up_to: Option<usize>,
    /// Stop after this many ways
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Types that no way may pass, or attributes for all their types but the ends (repeatable, or separated by commas)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Which rules of conditional blocks count
    #[arg(long, value_name = "WHICH", default_value = "any")]
    booleans: Booleans,
    /// Count the rules that apply when a boolean has this value and the others are as they are (repeatable)
    #[arg(long = "bool", value_name = "NAME=VALUE", value_parser = input::parse_bool)]
    changes: Vec<(String, bool)>,
    /// Show all rules of a step, not only the first ten
    #[arg(long)]
    full: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "dot")]
    json: bool,
    /// Print a graph for Graphviz
    #[arg(long)]
    dot: bool,
}

/// Which rules of conditional blocks count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Booleans {
    /// All, whatever the booleans are
    Any,
    /// Those that apply as the booleans are
    Current,
}

/// The arguments, names found in the policy.
pub(super) struct Route<'r> {
    args: &'r RouteArgs,
    db: &'r PolicyDb,
    from: Option<TypeId>,
    to: Option<TypeId>,
    pub(super) excluded: Vec<TypeId>,
    pub(super) conditions: Conditions,
}

/// A graph of types that can say what makes its steps.
pub(super) trait Routes {
    type Graph: Graph;
    /// The word of the question.
    const NAME: &'static str;
    fn graph(&self) -> &Self::Graph;
    /// The same with lengths, if the lightest ways are wanted instead of those of the fewest steps.
    fn levels(&self) -> Option<&[Self::Graph]> {
        None
    }
    fn out_of(&self, from: TypeId) -> Vec<TypeId>;
    fn towards(&self, to: TypeId) -> Vec<TypeId>;
    /// What is found between these types, or that nothing is.
    fn sentence(from: Option<&str>, to: Option<&str>, any: bool) -> String;
    /// What was counted, as the end of a sentence, and as JSON.
    fn counted(&self) -> (String, Value);
    /// Rules under headings.
    fn step(&self, from: TypeId, to: TypeId) -> Step<'_>;
}

/// What makes a step.
pub(super) struct Step<'a> {
    /// Said beside its types.
    pub(super) remark: String,
    pub(super) groups: Vec<(String, Vec<Rule<'a>>)>,
    /// Fields that the JSON has besides `from` and `to`, but for the rules.
    pub(super) more: Value,
}

impl RouteArgs {
    /// Finds the names in the policy.
    pub(super) fn resolve<'r>(&'r self, sets: &TypeSets<'r>) -> Result<Route<'r>> {
        let db = sets.db();
        let end = |name: &Option<String>| {
            name.as_deref().map(|it| named(db, lookup::type_(db, it))).transpose()
        };
        let change =
            |(name, value): &(String, bool)| Ok((named(db, lookup::boolean(db, name))?, *value));
        let changes: Vec<_> = self.changes.iter().map(change).collect::<Result<_>>()?;
        let any = self.booleans == Booleans::Any && changes.is_empty();
        let conditions = if any { Conditions::All } else { Conditions::with(db, &changes) };
        let (from, to) = (end(&self.from)?, end(&self.to)?);
        let excluded = self.excluded(sets, [from, to])?;
        Ok(Route { args: self, db, from, to, excluded, conditions })
    }

    fn excluded(&self, sets: &TypeSets<'_>, ends: [Option<TypeId>; 2]) -> Result<Vec<TypeId>> {
        let mut excluded = Vec::new();
        for name in &self.exclude {
            let id = named(sets.db(), lookup::type_or_attribute(sets.db(), name))?;
            let is_end = |it: &TypeId| ends.contains(&Some(*it));
            // Without its end there is no way, which would look like an answer.
            if is_end(&id) {
                bail!("{name} is an end of the way: only what lies between can be excluded");
            }
            excluded.extend(sets.members(id).ids().filter(|it| !is_end(it)));
        }
        Ok(excluded)
    }
}

impl Route<'_> {
    /// Answers the question.
    pub(super) fn answer<R: Routes>(
        &self,
        routes: &R,
        provenance: Option<&Provenance>,
        out: &mut dyn Write,
    ) -> Result<Outcome> {
        let mut paths = Found::of(self, routes);
        let limit = self.args.limit.unwrap_or(usize::MAX);
        let head = self.head(routes, &paths);
        let most = if self.args.full { usize::MAX } else { MOST };
        let printer = Printer { db: self.db, routes, provenance, most };
        let (shown, complete) = if self.args.json {
            printer.json(&self.json_head(routes, &paths), &mut paths, limit, out)?
        } else if self.args.dot {
            printer.dot(&head, &mut paths, limit, out)?
        } else {
            writeln!(out, "{head}")?;
            printer.text(&mut paths, limit, out)?
        };
        if !complete && !self.args.json && !self.args.dot {
            writeln!(out, "\nthere are more (--limit)")?;
        }
        Ok(if shown > 0 { Outcome::Success } else { Outcome::Denied })
    }

    fn name(&self, id: TypeId) -> String {
        self.db.types.name(id).into_owned()
    }

    /// The sentence that says what was found, and what was counted.
    fn head<R: Routes>(&self, routes: &R, found: &Found<'_, R::Graph>) -> String {
        let name = |it: Option<TypeId>| it.map(|it| self.name(it));
        let (from, to) = (name(self.from), name(self.to));
        let sentence = R::sentence(from.as_deref(), to.as_deref(), found.shortest().is_some());
        let ways = match (found, found.shortest(), self.args.up_to) {
            (Found::Steps(_), ..) | (_, None, _) => String::new(),
            (Found::Lightest(_), Some(length), _) => {
                format!(
                    " by these ways of the least length, {length}, where a step counts 11 less its weight"
                )
            }
            (_, Some(steps), None) => {
                format!(" by these shortest ways, of {}", count(steps, "step"))
            }
            (_, _, Some(most)) => format!(" by these ways, of at most {}", count(most, "step")),
        };
        format!("{sentence}{ways}. Counted: {}, {}.", routes.counted().0, self.conditions_text())
    }

    fn conditions_text(&self) -> String {
        if self.conditions == Conditions::All {
            return "all rules whatever the booleans are".to_owned();
        }
        let changes = self
            .args
            .changes
            .iter()
            .map(|(name, value)| format!("{name}={}", if *value { "on" } else { "off" }));
        let changes: Vec<_> = changes.collect();
        let but =
            if changes.is_empty() { String::new() } else { format!(" but {}", changes.join(" ")) };
        format!("the rules that apply with the booleans as the policy has them{but}")
    }

    fn json_head<R: Routes>(&self, routes: &R, found: &Found<'_, R::Graph>) -> Value {
        let name = |it: Option<TypeId>| it.map(|it| self.name(it));
        json!({
            "question": R::NAME,
            "from": name(self.from),
            "to": name(self.to),
            "excluded": self.args.exclude,
            "booleans": match self.conditions {
                Conditions::All => Value::Null,
                Conditions::Booleans(_) => {
                    self.args.changes.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
                }
            },
            "counted": routes.counted().1,
            "shortest": found.shortest(),
        })
    }
}

/// A number of things.
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The ways, one by one.
enum Found<'g, G> {
    Paths(Paths<'g, G>),
    Lightest(Lightest<'g, G>),
    Steps(std::vec::IntoIter<Vec<u32>>),
}

impl<'g, G: Graph> Found<'g, G> {
    fn of<R: Routes<Graph = G>>(route: &Route<'_>, routes: &'g R) -> Self {
        let steps = |types: Vec<TypeId>, step: &dyn Fn(TypeId) -> Vec<u32>| {
            let mut types: Vec<_> =
                types.into_iter().map(|it| (route.name(it), step(it))).collect();
            types.sort();
            let steps: Vec<_> = types.into_iter().map(|it| it.1).collect();
            Self::Steps(steps.into_iter())
        };
        match (route.from, route.to) {
            (Some(from), Some(to)) => match routes.levels() {
                Some(levels) => Self::Lightest(Lightest::new(levels, from.bit(), to.bit())),
                None => {
                    let wanted = route.args.up_to.map_or(Length::Shortest, Length::UpTo);
                    Self::Paths(Paths::new(routes.graph(), from.bit(), to.bit(), wanted))
                }
            },
            (Some(from), None) => steps(routes.out_of(from), &|it| vec![from.bit(), it.bit()]),
            (None, Some(to)) => steps(routes.towards(to), &|it| vec![it.bit(), to.bit()]),
            (None, None) => Self::Steps(Vec::new().into_iter()),
        }
    }

    fn shortest(&self) -> Option<usize> {
        match self {
            Self::Paths(paths) => paths.shortest(),
            Self::Lightest(paths) => paths.length(),
            Self::Steps(steps) => (steps.len() > 0).then_some(1),
        }
    }
}

impl<G: Graph> Iterator for Found<'_, G> {
    type Item = Vec<TypeId>;

    fn next(&mut self) -> Option<Vec<TypeId>> {
        let path = match self {
            Self::Paths(paths) => paths.next(),
            Self::Lightest(paths) => paths.next(),
            Self::Steps(steps) => steps.next(),
        };
        Some(path?.into_iter().filter_map(TypeId::from_bit).collect())
    }
}

struct Printer<'p, R> {
    db: &'p PolicyDb,
    routes: &'p R,
    provenance: Option<&'p Provenance>,
    /// Rules that are printed under one heading.
    most: usize,
}

impl<R: Routes> Printer<'_, R> {
    fn name(&self, id: TypeId) -> String {
        self.db.types.name(id).into_owned()
    }

    /// How many were shown, and whether these are all.
    fn text(
        &self,
        found: &mut impl Iterator<Item = Vec<TypeId>>,
        limit: usize,
        out: &mut dyn Write,
    ) -> Result<(usize, bool)> {
        let mut shown = 0;
        for path in found.by_ref().take(limit) {
            shown += 1;
            let names: Vec<_> = path.iter().map(|it| self.name(*it)).collect();
            writeln!(out, "\n{}", styled(STRONG, &format!("{shown}. {}", names.join(" > "))))?;
            for step in path.windows(2) {
                self.step(step[0], step[1], path.len() > 2, out)?;
            }
            out.flush()?;
        }
        Ok((shown, shown < limit || found.next().is_none()))
    }

    fn step(&self, from: TypeId, to: TypeId, several: bool, out: &mut dyn Write) -> Result<()> {
        let step = self.routes.step(from, to);
        let remark = &step.remark;
        match several {
            true => writeln!(out, "  {} > {}{remark}", self.name(from), self.name(to))?,
            false if remark.is_empty() => {}
            false => writeln!(out, "  {}", remark.trim_start_matches([',', ' ']))?,
        }
        for (head, rules) in &step.groups {
            if !head.is_empty() {
                writeln!(out, "  {}", styled(FAINT, head))?;
            }
            for rule in rules.iter().take(self.most) {
                writeln!(out, "    {}", places::rule(self.db, rule.place))?;
                places::print(self.provenance, RuleKey::Rule(rule.place), u32::MAX, out)?;
            }
            if rules.len() > self.most {
                writeln!(out, "    and {} more rules (--full)", rules.len() - self.most)?;
            }
        }
        Ok(())
    }

    fn json(
        &self,
        head: &Value,
        found: &mut impl Iterator<Item = Vec<TypeId>>,
        limit: usize,
        out: &mut dyn Write,
    ) -> Result<(usize, bool)> {
        writeln!(out, "{{")?;
        for (key, value) in head.as_object().into_iter().flatten() {
            writeln!(out, "  {}: {value},", json!(key))?;
        }
        write!(out, "  \"ways\": [")?;
        let mut shown = 0;
        for path in found.by_ref().take(limit) {
            let comma = if shown == 0 { "" } else { "," };
            let steps: Value = path.windows(2).map(|it| self.step_json(it[0], it[1])).collect();
            write!(out, "{comma}\n    {steps}")?;
            shown += 1;
            out.flush()?;
        }
        let complete = shown < limit || found.next().is_none();
        writeln!(out, "\n  ],\n  \"complete\": {complete}\n}}")?;
        Ok((shown, complete))
    }

    fn step_json(&self, from: TypeId, to: TypeId) -> Value {
        let step = self.routes.step(from, to);
        let mut value = json!({ "from": self.name(from), "to": self.name(to) });
        if let (Some(object), Value::Object(more)) = (value.as_object_mut(), step.more) {
            object.extend(more);
            let rules = step.groups.iter().flat_map(|it| &it.1).map(|it| self.rule_json(it));
            object.insert("rules".to_owned(), rules.collect());
        }
        value
    }

    fn rule_json(&self, rule: &Rule<'_>) -> Value {
        let branch = branch(self.db, rule);
        let mut value = json!({
            "rule": self.db.rule_to_string(rule.rule),
            "condition": branch.map(|it| self.db.condition_to_string(it.0)),
            "when": branch.map(|it| it.1),
        });
        if let (Some(provenance), Some(object)) = (self.provenance, value.as_object_mut()) {
            object.insert(
                "places".to_owned(),
                places::to_json(provenance, RuleKey::Rule(rule.place), u32::MAX),
            );
        }
        value
    }

    fn dot(
        &self,
        head: &str,
        found: &mut impl Iterator<Item = Vec<TypeId>>,
        limit: usize,
        out: &mut dyn Write,
    ) -> Result<(usize, bool)> {
        writeln!(out, "// {head}\ndigraph {} {{\n  rankdir=LR;", R::NAME)?;
        let (mut shown, mut drawn) = (0, HashSet::new());
        for path in found.by_ref().take(limit) {
            shown += 1;
            for step in path.windows(2).filter(|it| drawn.insert((it[0], it[1]))) {
                let label = self.label(step[0], step[1]);
                let (from, to) = (self.name(step[0]), self.name(step[1]));
                writeln!(out, "  \"{from}\" -> \"{to}\" [label=\"{label}\"];")?;
            }
            out.flush()?;
        }
        let complete = shown < limit || found.next().is_none();
        if !complete {
            writeln!(out, "  // there are more ways (--limit)")?;
        }
        writeln!(out, "}}")?;
        Ok((shown, complete))
    }

    fn label(&self, from: TypeId, to: TypeId) -> String {
        let step = self.routes.step(from, to);
        match step.remark.is_empty() {
            true => step.groups.iter().map(|it| it.0.as_str()).collect::<Vec<_>>().join("\\n"),
            false => step.remark.trim_start_matches([',', ' ']).to_owned(),
        }
    }
}

/// The block of a conditional rule, and whether it applies while its expression is true.
pub(crate) fn branch<'a>(db: &'a PolicyDb, rule: &Rule<'_>) -> Option<(&'a Conditional, bool)> {
    match rule.place {
        RulePlace::Unconditional(_) => None,
        RulePlace::Conditional { when, .. } => Some((rule.place.block(db)?, when)),
    }
}
