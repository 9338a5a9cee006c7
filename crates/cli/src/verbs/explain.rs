//! `mandate explain`: why it is allowed or denied.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::PolicyDb;
use mandate_server::{Query, XpermBase, XpermDecision};
use serde_json::{Value, json};

use crate::input::{PolicyArgs, Question, QuestionArgs};
use crate::verbs::reasons::Subject;
use crate::{ALLOWED, DENIED, Outcome, styled};

/// Arguments of `explain`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    question: QuestionArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome> {
    let question = args.question.resolve(&args.policy)?;
    explain(&question, args.json, out)
}

/// Explains one question and says whether all that was asked is allowed.
pub(crate) fn explain(question: &Question, json: bool, out: &mut dyn Write) -> Result<Outcome> {
    let Question { engine, source, target, class, requested, xperm } = question;
    let query = Query { source, target, class: *class };
    let explanation = engine.explain(&query, *requested);
    let subject = Subject { db: engine.db(), source, target, class: *class };
    let xperm =
        xperm.map(|(base, number)| (base, number, engine.decide_xperm(&query, base, number)));
    if json {
        let mut value = subject.to_json(&explanation);
        if let (Some(it), Some(object)) = (&xperm, value.as_object_mut()) {
            object.insert("xperm".to_owned(), xperm_json(engine.db(), it));
        }
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
    } else {
        subject.print(&explanation, out)?;
        if let Some(it) = &xperm {
            print_xperm(engine.db(), it, out)?;
        }
    }
    let allowed =
        |mut all: std::slice::Iter<'_, mandate_server::PermissionExplanation>| match requested {
            Some(_) => all.all(|it| it.allowed),
            None => all.any(|it| it.allowed),
        };
    let granted = allowed(explanation.permissions.iter()) && xperm.is_none_or(|it| it.2.allowed);
    Ok(if granted { Outcome::Success } else { Outcome::Denied })
}

type Xperm = (XpermBase, u16, XpermDecision);

fn xperm_json(db: &PolicyDb, (base, number, decision): &Xperm) -> Value {
    let rules = decision.rules(db).map(|rule| db.rule_to_string(rule));
    json!({
        "kind": base.permission(),
        "number": number,
        "allowed": decision.allowed,
        "ruled": decision.ruled,
        "rules": rules.collect::<Vec<_>>(),
    })
}

fn print_xperm(db: &PolicyDb, (base, number, decision): &Xperm, out: &mut dyn Write) -> Result<()> {
    let verdict =
        if decision.allowed { styled(ALLOWED, "allowed") } else { styled(DENIED, "denied ") };
    writeln!(out, "{verdict}  {} {number:#06x}", base.permission())?;
    if !decision.ruled {
        writeln!(out, "  no extended permission rule: the permission alone decides")?;
    } else if !decision.allowed {
        writeln!(out, "  other extended permissions are ruled, so this one needs an allowxperm")?;
    }
    for rule in decision.rules(db) {
        writeln!(out, "    {}", db.rule_to_string(rule))?;
    }
    Ok(())
}
