//! Which conditional rules a question counts.

use anyhow::{Result, anyhow};
use mandate_policydb::PolicyDb;
use mandate_query::lookup;
use mandate_query::rules::Conditions;

use crate::input::parse_bool;
use crate::suggest;

/// The booleans of a question.
#[derive(clap::Args)]
pub(crate) struct ConditionArgs {
    /// Answer as if a boolean had this value; the others are as in the policy (repeatable)
    #[arg(long = "bool", value_name = "NAME=VALUE", value_parser = parse_bool)]
    booleans: Vec<(String, bool)>,
    /// Count every conditional rule, whatever the booleans are
    #[arg(long, conflicts_with = "booleans")]
    any_booleans: bool,
}

impl ConditionArgs {
    /// Looks the booleans up.
    pub(crate) fn resolve(&self, db: &PolicyDb) -> Result<Conditions> {
        if self.any_booleans {
            return Ok(Conditions::All);
        }
        let set = |(name, value): &(String, bool)| {
            named(db, lookup::boolean(db, name)).map(|id| (id, *value))
        };
        let changes: Vec<_> = self.booleans.iter().map(set).collect::<Result<_>>()?;
        Ok(Conditions::with(db, &changes))
    }
}

/// What was looked up, or an error with near misses.
pub(crate) fn named<T>(db: &PolicyDb, found: Result<T, lookup::LookupError>) -> Result<T> {
    found.map_err(|error| anyhow!(suggest::lookup(db, &error)))
}
