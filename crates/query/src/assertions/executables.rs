//! `read_only_executables`: what is run is not written.

use std::collections::BTreeMap;

use mandate_policydb::{Ebitmap, TypeId};
use serde::Deserialize;

use crate::assertions::error::Fault;
use crate::assertions::file::{Names, Settings};
use crate::assertions::sets::{members, type_name};
use crate::assertions::{Breach, Claim, Tested, listed};
use crate::lookup;
use crate::questions::{Access, difference, type_names};

/// No file that somebody executes may be written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadOnlyExecutables {
    pub(crate) name: Option<String>,
    except_writers: Option<Names>,
    except_executors: Option<Names>,
    except_types: Option<Names>,
    booleans: Option<Settings>,
}

/// Who executes and who writes files of a type.
#[derive(Default)]
struct Users {
    executors: Ebitmap,
    writers: Breach,
    names: Ebitmap,
}

impl Claim for ReadOnlyExecutables {
    fn text(&self) -> String {
        "files that are executed are not written".to_owned()
    }

    fn breaches(&self, policy: &Tested<'_>) -> Result<Vec<Breach>, Fault> {
        // A policy without files, one for Xen for instance, would pass untested.
        let file = lookup::class(policy.db(), "file").map_err(Fault::of_all)?;
        let not_writers = members(policy, self.except_writers.as_ref())?;
        let not_executors = members(policy, self.except_executors.as_ref())?;
        let not_types = members(policy, self.except_types.as_ref())?;
        let access = Access::new(&policy.sets, &policy.conditions(self.booleans.as_ref())?);
        let mut types: BTreeMap<TypeId, Users> = BTreeMap::new();
        for it in access.rules("file", &["execute", "execute_no_trans"]) {
            let who = difference(policy.sets.members(it.rule.source), &not_executors);
            let what = difference(policy.sets.members(it.rule.target), &not_types);
            for type_ in what.ids().filter(|_| !who.is_empty()) {
                let users = types.entry(type_).or_default();
                users.executors = users.executors.union(&who);
            }
        }
        let write = lookup::known_permissions(policy.db(), file, &["write", "append"]);
        for it in access.rules("file", &["write", "append"]) {
            let who = difference(policy.sets.members(it.rule.source), &not_writers);
            for type_ in policy.sets.members(it.rule.target).ids().filter(|_| !who.is_empty()) {
                if let Some(users) = types.get_mut(&type_) {
                    users.names = users.names.union(&who);
                    users.writers.rules.push((it.place, it.rule.permissions() & write));
                }
            }
        }
        let written = types.into_iter().filter(|it| !it.1.names.is_empty());
        Ok(written.map(|(type_, users)| users.breach(policy, type_)).collect())
    }
}

impl Users {
    fn breach(self, policy: &Tested<'_>, type_: TypeId) -> Breach {
        let executors = listed(&type_names(&policy.sets, &self.executors));
        let writers = listed(&type_names(&policy.sets, &self.names));
        let type_ = type_name(policy, type_);
        let text = format!("{type_} is written by {writers} and executed by {executors}");
        Breach { text, ..self.writers }
    }
}
