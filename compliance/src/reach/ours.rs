//! Our answers, as the original's are written.

use anyhow::{Context, Result};
use mandate_policydb::{PolicyDb, SymbolId as _, TypeId};
use mandate_query::flow::{FlowQuery, Flows, PermissionMap};
use mandate_query::graph::Length;
use mandate_query::reach::Transitions;
use mandate_query::rules::{Conditions, Rule};
use mandate_query::types::TypeSets;
use serde_json::{Value, json};

use super::setools::{Ask, Graph, Question};

/// What the graph is made of.
#[derive(Clone, Debug)]
pub(super) enum Settings {
    Transitions,
    Flows {
        map: PermissionMap,
        least_weight: u8,
        /// `NAME=on,…` beside those that are as they are; nothing where all rules count.
        booleans: Option<String>,
    },
}

impl Settings {
    pub(super) fn transitions() -> Self {
        Self::Transitions
    }

    /// With our own map on both sides.
    pub(super) fn flows(least_weight: u8, booleans: Option<String>) -> Self {
        Self::Flows { map: PermissionMap::ours(), least_weight, booleans }
    }

    fn make<'a>(&self, sets: &'a TypeSets<'a>, excluded: &[TypeId]) -> Made<'a> {
        match self {
            Self::Transitions => {
                Made::Transitions(Transitions::new(sets, &Conditions::All, excluded))
            }
            Self::Flows { map, least_weight, booleans } => {
                let conditions = match booleans {
                    None => Conditions::All,
                    Some(_) => Conditions::with(sets.db(), &[]),
                };
                let least_weight = *least_weight;
                let query = FlowQuery { map, least_weight, conditions, excluded };
                Made::Flows(Flows::new(sets, &query))
            }
        }
    }
}

/// A policy that is asked.
pub(super) struct Ours<'a> {
    sets: &'a TypeSets<'a>,
    settings: &'a Settings,
    /// The graph of which no type is excluded.
    whole: Made<'a>,
}

/// The graph for one list of excluded types.
enum Made<'a> {
    Transitions(Transitions<'a>),
    Flows(Flows<'a>),
}

impl<'a> Ours<'a> {
    pub(super) fn new(sets: &'a TypeSets<'a>, settings: &'a Settings) -> Self {
        let whole = settings.make(sets, &[]);
        Self { sets, settings, whole }
    }

    pub(super) fn graph(&self) -> Graph {
        match self.settings {
            Settings::Transitions => Graph::Reach,
            Settings::Flows { .. } => Graph::Flow,
        }
    }

    fn db(&self) -> &'a PolicyDb {
        self.sets.db()
    }

    /// The types from which something leads away, and those to which something leads.
    pub(super) fn ends(&self) -> (Vec<String>, Vec<String>) {
        let made = &self.whole;
        let types = || self.db().types.by_value().filter(|it| !it.attribute);
        let name = |id: TypeId| self.db().types.name(id).into_owned();
        let sources = types().filter(|it| !made.out_of(it.id).is_empty()).map(|it| name(it.id));
        let targets = types().filter(|it| !made.towards(it.id).is_empty()).map(|it| name(it.id));
        (sources.collect(), targets.collect())
    }

    /// The types that one step leads to.
    pub(super) fn beside(&self, type_: &str) -> Vec<String> {
        let Ok(id) = self.type_(type_) else { return Vec::new() };
        let found = self.whole.out_of(id);
        found.into_iter().map(|it| self.db().types.name(it).into_owned()).collect()
    }

    /// Is a step made by the same rules? Where the original is known to say too much (docs/differences.md), ours must be part of it:
    /// it takes `setexec` and `setcurrent` for any target, shows some entry points that nobody chooses, and weighs rules that do not apply.
    pub(super) fn same_step(&self, ours: &Value, theirs: &Value) -> bool {
        let own = |key: &str| matches!(key, "setexec" | "setcurrent");
        let of_state = matches!(self.settings, Settings::Flows { booleans: Some(_), .. });
        let fields = |it: &Value| it.as_object().cloned().unwrap_or_default();
        let (ours, theirs) = (fields(ours), fields(theirs));
        ours.len() == theirs.len()
            && ours.iter().all(|(key, value)| match theirs.get(key) {
                Some(other) if own(key) => part_of(value, other),
                Some(other) if key == "entrypoints" => same_entrypoints(value, other),
                Some(other) => value == other || (of_state && key == "weight"),
                None => false,
            })
    }

    fn type_(&self, name: &str) -> Result<TypeId> {
        self.db().types.id(name).with_context(|| format!("no type {name}"))
    }

    /// The ways, in the order of their names.
    pub(super) fn paths(&self, question: &Question) -> Result<Vec<Vec<String>>> {
        let excluded: Result<Vec<_>> = question.exclude.iter().map(|it| self.type_(it)).collect();
        let made = self.settings.make(self.sets, &excluded?);
        let (source, target) = (self.type_(&question.source)?, self.type_(&question.target)?);
        let ids = match question.ask {
            Ask::Shortest => made.paths(source, target, Length::Shortest),
            Ask::UpTo => made.paths(source, target, Length::UpTo(question.steps)),
            Ask::Out => made.out_of(source).into_iter().map(|it| vec![source, it]).collect(),
            Ask::In => made.towards(source).into_iter().map(|it| vec![it, source]).collect(),
        };
        let name = |id: &TypeId| self.db().types.name(*id).into_owned();
        let mut paths: Vec<Vec<String>> =
            ids.iter().map(|path| path.iter().map(name).collect()).collect();
        paths.sort();
        Ok(paths)
    }

    /// What makes the steps of a path.
    pub(super) fn made(&self, path: &[String]) -> Result<Value> {
        let types: Result<Vec<TypeId>> = path.iter().map(|it| self.type_(it)).collect();
        Ok(types?.windows(2).map(|it| self.step(&self.whole, it[0], it[1])).collect())
    }

    fn step(&self, made: &Made<'_>, from: TypeId, to: TypeId) -> Value {
        let db = self.db();
        let rules = |rules: &[Rule<'_>]| statements(db, rules);
        match made {
            Made::Flows(flows) => {
                let step = flows.step(from, to);
                let found: Vec<_> = step.iter().map(|it| it.rule).collect();
                json!({ "weight": step.first().map(|it| it.weight), "rules": rules(&found) })
            }
            Made::Transitions(transitions) => {
                let step = transitions.step(from, to);
                let entrypoints = step.entrypoints.iter().map(|it| {
                    let made = [&it.entrypoint, &it.execute, &it.type_transition];
                    (db.types.name(it.type_).into_owned(), json!(made.map(|it| rules(it))))
                });
                let mut entrypoints: Vec<_> = entrypoints.collect();
                entrypoints.sort_by(|a, b| a.0.cmp(&b.0));
                json!({
                    "transition": rules(&step.transition),
                    "setexec": rules(&step.setexec),
                    "dyntransition": rules(&step.dyntransition),
                    "setcurrent": rules(&step.setcurrent),
                    "entrypoints": entrypoints.into_iter().collect::<serde_json::Map<_, _>>(),
                })
            }
        }
    }
}

/// Are they the same, but for those that no `type_transition` chooses?
fn same_entrypoints(ours: &Value, theirs: &Value) -> bool {
    let (Some(ours), Some(theirs)) = (ours.as_object(), theirs.as_object()) else { return false };
    let unchosen = |it: &Value| it.get(2).and_then(Value::as_array).is_some_and(Vec::is_empty);
    ours.iter().all(|(name, made)| theirs.get(name) == Some(made))
        && theirs.iter().all(|(name, made)| ours.contains_key(name) || unchosen(made))
}

/// Is one list part of the other, and empty only if that is?
fn part_of(part: &Value, whole: &Value) -> bool {
    let (Some(part), Some(whole)) = (part.as_array(), whole.as_array()) else { return false };
    part.is_empty() == whole.is_empty() && part.iter().all(|it| whole.contains(it))
}

impl Made<'_> {
    fn out_of(&self, from: TypeId) -> Vec<TypeId> {
        match self {
            Self::Transitions(it) => it.out_of(from).collect(),
            Self::Flows(it) => it.out_of(from),
        }
    }

    fn towards(&self, to: TypeId) -> Vec<TypeId> {
        match self {
            Self::Transitions(it) => it.towards(to).collect(),
            Self::Flows(it) => it.towards(to),
        }
    }

    fn paths(&self, from: TypeId, to: TypeId, wanted: Length) -> Vec<Vec<TypeId>> {
        let ids = |path: Vec<u32>| path.into_iter().filter_map(TypeId::from_bit).collect();
        match self {
            Self::Transitions(it) => it.paths(from, to, wanted).map(ids).collect(),
            Self::Flows(it) => it.paths(from, to, wanted).map(ids).collect(),
        }
    }
}

/// Rules as setools writes them, without their conditions, in order.
fn statements(db: &PolicyDb, rules: &[Rule<'_>]) -> Vec<String> {
    let statement = |it: &Rule<'_>| {
        let text = db.rule_to_string(it.rule);
        if !it.rule.kind.is_access_vector() {
            return text;
        }
        let class = it.rule.class();
        let mut names = db.permission_names(class, it.rule.permissions());
        names.sort();
        let names = match names.as_slice() {
            [only] => only.clone(),
            several => format!("{{ {} }}", several.join(" ")),
        };
        let (source, target) = (db.types.name(it.rule.source), db.types.name(it.rule.target));
        format!("allow {source} {target}:{} {names};", db.classes.name(class))
    };
    let mut lines: Vec<_> = rules.iter().map(statement).collect();
    lines.sort();
    lines.dedup();
    lines
}
