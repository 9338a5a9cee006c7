//! `transition`: the context of a new process or object.

use mandate_policydb::{ClassId, Context, RuleKind};
use mandate_server::{Compute, Engine, Query};
use serde::Deserialize;

use crate::assertions::ask::{self, Pair};
use crate::assertions::error::{Fault, Problem};
use crate::assertions::file::{Name, Settings};
use crate::assertions::{Breach, Claim, Tested};
use crate::lookup;

/// What a new process or object becomes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transition {
    pub(crate) name: Option<String>,
    source: Name,
    target: Name,
    kind: Option<Name>,
    class: Option<Name>,
    filename: Option<String>,
    becomes: Name,
    booleans: Option<Settings>,
}

const KINDS: [(RuleKind, Compute); 3] = [
    (RuleKind::TypeTransition, Compute::Create),
    (RuleKind::TypeMember, Compute::Member),
    (RuleKind::TypeChange, Compute::Relabel),
];

impl Transition {
    fn class(&self) -> &str {
        self.class.as_ref().map_or("process", |it| it.get_ref())
    }

    /// What is computed, by the rule that says it.
    fn compute(&self) -> Result<Compute, Fault> {
        let Some(kind) = &self.kind else { return Ok(Compute::Create) };
        let found = KINDS.iter().find(|it| it.0.keyword() == kind.get_ref());
        found.map(|it| it.1).ok_or_else(|| {
            let expected = KINDS.map(|it| it.0.keyword()).join(", ");
            Fault::new(kind, Problem::RuleKind { found: kind.get_ref().clone(), expected })
        })
    }

    fn computed(&self, engine: &Engine, pair: &Pair, class: ClassId) -> Result<Context, Fault> {
        let name = self.filename.as_deref().map(str::as_bytes);
        let (source, target) = (&pair.source, &pair.target);
        let computed = engine.compute_context(self.compute()?, source, target, Some(class), name);
        computed.map_err(|error| Fault::new(&self.source, Problem::Compute(error.to_string())))
    }
}

impl Claim for Transition {
    fn text(&self) -> String {
        let filename = self.filename.as_ref().map_or(String::new(), |it| format!(" {it:?}"));
        let (source, target) = (self.source.get_ref(), self.target.get_ref());
        let kind = self.kind.as_ref().map_or(String::new(), |it| format!("{} ", it.get_ref()));
        let becomes = self.becomes.get_ref();
        format!("{kind}{source} {target} {}{filename} becomes {becomes}", self.class())
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        let db = policy.db();
        let pair = Pair::new(db, &self.source, &self.target)?;
        let whole = ask::is_context(&self.becomes);
        if pair.by_type && whole {
            return Err(Fault::new(&self.becomes, Problem::NoContext));
        }
        let class_name = self.class.as_ref().unwrap_or(&self.source);
        let class = Fault::at(class_name, lookup::class(db, self.class()))?;
        let wanted = ask::context(db, &self.becomes)?;
        let engine = policy.engine_with(self.booleans.as_ref())?;
        let computed = self.computed(&engine, &pair, class)?;
        if computed.type_ != wanted.type_ || whole && computed != wanted {
            let found = ask::name(db, &computed, !whole);
            let text = format!("it becomes {found}, not {}", self.becomes.get_ref());
            return Ok(vec![Breach { text, rules: Vec::new() }]);
        }
        let runs = self.kind.is_none() && self.class() == "process";
        if runs { Ok(exec(&engine, &pair, &computed)) } else { Ok(Vec::new()) }
    }
}

/// What an exec needs so that the new process runs.
fn exec(engine: &Engine, pair: &Pair, new: &Context) -> Vec<Breach> {
    let (source, file) = (&pair.source, &pair.target);
    let steps = if source == new {
        vec![(source, file, "file", "execute"), (source, file, "file", "execute_no_trans")]
    } else {
        let transition = (source, new, "process", "transition");
        vec![(source, file, "file", "execute"), (new, file, "file", "entrypoint"), transition]
    };
    let db = engine.db();
    let denied = steps.into_iter().filter_map(|(source, target, class, permission)| {
        let class = db.classes.id(class)?;
        let bit = lookup::known_permission(db, class, permission)?;
        let query = Query { source, target, class };
        if ask::allowed(engine, &query, pair.by_type) & bit != 0 {
            return None;
        }
        ask::explained(engine, &query, pair.by_type, bit, ask::denied).pop()
    });
    denied.collect()
}
