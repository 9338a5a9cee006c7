//! What questions have in common.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::{Ebitmap, PolicyDb, TypeId};
use mandate_query::lookup;
use mandate_query::questions::{self, Parted};
use mandate_query::rules::Conditions;
use mandate_query::types::TypeSets;
use serde_json::{Value, json};

use super::Asked;
use super::conditions::{ConditionArgs, named};
use crate::policy::Loaded;

/// The policy, its booleans, and how to tell the answer.
#[derive(clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    conditions: ConditionArgs,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Common {
    pub(super) fn load(&self, err: &mut dyn Write) -> Result<Loaded> {
        self.asked.load(err)
    }

    pub(super) fn conditions(&self, db: &PolicyDb) -> Result<Conditions> {
        self.conditions.resolve(db)
    }
}

/// Which domains count as unconfined.
#[derive(clap::Args)]
pub(super) struct UnconfinedArgs {
    /// Members of this attribute are unconfined (repeatable; without it, those of unconfined_domain_type)
    #[arg(long, value_name = "ATTRIBUTE")]
    unconfined: Vec<String>,
}

impl UnconfinedArgs {
    /// The attributes that were given.
    pub(super) fn attributes(&self, db: &PolicyDb) -> Result<Vec<TypeId>> {
        self.unconfined.iter().map(|it| named(db, lookup::attribute(db, it))).collect()
    }

    /// The unconfined types.
    pub(super) fn resolve(&self, sets: &TypeSets<'_>) -> Result<Ebitmap> {
        let given = self.attributes(sets.db())?;
        Ok(questions::members(sets, &questions::unconfined_attributes(sets, &given)))
    }
}

/// Prints an answer as JSON, its sentence first.
pub(super) fn print_json(sentence: &str, answer: Value, out: &mut dyn Write) -> Result<()> {
    let mut value = json!({ "sentence": sentence });
    if let (Some(to), Value::Object(from)) = (value.as_object_mut(), answer) {
        to.extend(from);
    }
    Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?)
}

/// Confined and unconfined types as an object.
pub(super) fn parted_json(it: &Parted) -> Value {
    json!({ "confined": it.confined, "unconfined": it.unconfined })
}
