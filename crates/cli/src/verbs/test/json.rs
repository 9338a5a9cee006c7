//! Results as JSON; the shape is in docs/json.md.

use std::io::Write;

use anyhow::Result;
use mandate_query::assertions::{Breach, Verdict};
use serde_json::{Value, json};

use super::{Report, Subject, totals};
use crate::verbs::places;

/// One object.
pub(super) fn print(reports: &[Report], subjects: &[Subject], out: &mut dyn Write) -> Result<()> {
    let (assertions, failed) = totals(reports);
    let files: Vec<Value> = reports.iter().map(|it| report(it, subjects)).collect();
    let value = json!({ "assertions": assertions, "failed": failed, "files": files });
    Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?)
}

fn report(it: &Report, subjects: &[Subject]) -> Value {
    let subject = subjects.get(it.subject);
    let verdicts: Vec<Value> = it.verdicts.iter().map(|it| verdict(it, subject)).collect();
    json!({ "file": it.file, "policy": it.policy, "assertions": verdicts })
}

fn verdict(it: &Verdict, subject: Option<&Subject>) -> Value {
    let breaches: Vec<Value> = it.breaches.iter().map(|it| breach(it, subject)).collect();
    json!({
        "kind": it.kind,
        "name": it.name,
        "line": it.line,
        "claim": it.claim,
        "holds": it.holds(),
        "breaches": breaches,
    })
}

fn breach(it: &Breach, subject: Option<&Subject>) -> Value {
    let rule = |subject: &Subject, (rule, asked)| {
        places::rule_json(subject.engine.db(), subject.provenance.as_ref(), rule, asked)
    };
    let rules =
        subject.into_iter().flat_map(|subject| it.rules.iter().map(move |&at| rule(subject, at)));
    json!({ "text": it.text, "rules": rules.collect::<Vec<_>>() })
}
