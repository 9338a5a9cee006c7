//! Tests of a policy: what it must allow, must not allow, and must hold, kept in TOML files beside it.
//!
//! A file is a list of assertions, each a table whose key is its kind. All names are looked up before anything is answered:
//! a name that the policy does not have is an error, never a test that passes because nothing is there.

mod ask;
mod count;
mod error;
mod executables;
mod file;
mod flow;
mod relabel;
mod sets;
mod transition;
mod xperm;

use mandate_policydb::{BoolId, ClassId, PolicyDb, RuleKind, RulePlace, SymbolId};
use mandate_server::Engine;

pub use error::{AssertionError, Problem};
pub use file::AssertionFile;

use crate::lookup;
use crate::rules::{Conditions, Rule};
use crate::types::TypeSets;
use error::Fault;
use file::Settings;

/// What became of one assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Line of its table in the file, from 1.
    pub line: u32,
    /// Its kind: `can`, `cannot`, …
    pub kind: &'static str,
    /// The name that the file gives it.
    pub name: Option<String>,
    /// What it says, in short.
    pub claim: String,
    /// What breaks it; if there is nothing, it holds.
    pub breaches: Vec<Breach>,
}

/// What breaks an assertion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breach {
    /// In one sentence without a full stop.
    pub text: String,
    /// The rules behind it, each with the permissions concerned.
    pub rules: Vec<(RulePlace, u32)>,
}

impl Verdict {
    /// Does the assertion hold?
    pub fn holds(&self) -> bool {
        self.breaches.is_empty()
    }
}

/// The policy that is tested.
pub(crate) struct Tested<'a> {
    engine: &'a Engine,
    sets: TypeSets<'a>,
    /// `allow` rules.
    allows: ByClass<'a>,
    /// Rules about extended permissions.
    xperms: ByClass<'a>,
}

/// Rules by the index of their class, whatever the booleans are.
type ByClass<'a> = Vec<Vec<Rule<'a>>>;

fn by_class(db: &PolicyDb, wanted: impl Fn(RuleKind) -> bool) -> ByClass<'_> {
    let mut classes = vec![Vec::new(); db.classes.nprim() as usize];
    for it in Conditions::All.rules(db).filter(|it| wanted(it.rule.kind)) {
        if let Some(rules) = classes.get_mut(it.rule.class().index()) {
            rules.push(it);
        }
    }
    classes
}

/// An assertion of one kind.
pub(crate) trait Claim: std::fmt::Debug + Send + Sync {
    /// What it says, in short.
    fn text(&self) -> String;
    /// What breaks it.
    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault>;
}

impl<'a> Tested<'a> {
    fn new(engine: &'a Engine) -> Self {
        let db = engine.db();
        let allows = by_class(db, |it| it == RuleKind::Allow);
        let xperms = by_class(db, RuleKind::is_xperm);
        Self { engine, sets: TypeSets::new(db), allows, xperms }
    }

    /// Those of the rules that are about a class and count.
    fn about<'s>(
        &'s self,
        rules: &'s ByClass<'a>,
        class: ClassId,
        conditions: &'s Conditions,
    ) -> impl Iterator<Item = &'s Rule<'a>> {
        let rules = rules.get(class.index()).into_iter().flatten();
        rules.filter(|it| conditions.count(self.db(), it.place))
    }

    fn db(&self) -> &'a PolicyDb {
        self.engine.db()
    }

    fn settings(&self, given: Option<&Settings>) -> Result<Vec<(BoolId, bool)>, Fault> {
        let settings = given.into_iter().flatten();
        settings
            .map(|(name, &value)| {
                Ok((Fault::at(name, lookup::boolean(self.db(), name.get_ref()))?, value))
            })
            .collect()
    }

    /// The policy with these booleans, the others as it has them.
    fn engine_with(&self, given: Option<&Settings>) -> Result<Engine, Fault> {
        if given.is_none() {
            return Ok(self.engine.clone());
        }
        let settings = self.settings(given)?;
        Ok(self.engine.with_booleans(self.engine.booleans().with(self.db(), settings)))
    }

    /// All rules; if booleans are given, those that count with them.
    fn conditions(&self, given: Option<&Settings>) -> Result<Conditions, Fault> {
        if given.is_none() {
            return Ok(Conditions::All);
        }
        Ok(Conditions::with(self.db(), &self.settings(given)?))
    }
}

/// `a`, `a and b`, `a, b and c`; of many the first few.
fn listed(names: &[String]) -> String {
    const MOST: usize = 6;
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        _ if names.len() > MOST => {
            let first = names.get(..MOST).unwrap_or_default().join(", ");
            format!("{first} and {} more", names.len() - MOST)
        }
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests;
