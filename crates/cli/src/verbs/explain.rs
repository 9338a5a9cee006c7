//! `mandate explain`: why it is allowed or denied.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::Provenance;
use mandate_server::{Change, Query, XpermBase, XpermDecision};
use serde_json::{Value, json};

use crate::input::{self, PolicyArgs, Question, QuestionArgs};
use crate::verbs::reasons::Subject;
use crate::{ALLOWED, DENIED, Outcome, styled};

/// Arguments of `explain`.
#[derive(clap::Args)]
#[command(
    after_help = "If POLICY.provenance lies beside the policy, each rule is followed by where it was written. \
    One that belongs to another policy is an error (exit 2)."
)]
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
    let (engine, provenance) = input::read_traced(&args.policy.policy)?;
    let question = args.question.resolve_in(engine, &args.policy)?;
    explain(&question, provenance.as_ref(), args.json, out)
}

/// Explains one question and says whether all that was asked is allowed.
pub(crate) fn explain(
    question: &Question,
    provenance: Option<&Provenance>,
    json: bool,
    out: &mut dyn Write,
) -> Result<Outcome> {
    let Question { engine, source, target, class, requested, xperm } = question;
    let query = Query { source, target, class: *class };
    let explanation = engine.explain(&query, *requested);
    let subject = Subject { db: engine.db(), provenance, source, target, class: *class };
    let xperm = xperm.map(|(base, number)| {
        let decision = engine.decide_xperm(&query, base, number);
        let changes = engine.xperm_changes(&query, base, number);
        Xperm { base, number, decision, changes }
    });
    if json {
        let mut value = subject.to_json(&explanation);
        if let (Some(it), Some(object)) = (&xperm, value.as_object_mut()) {
            object.insert("xperm".to_owned(), it.to_json(&subject));
        }
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
    } else {
        subject.print(&explanation, out)?;
        if let Some(it) = &xperm {
            it.print(&subject, out)?;
        }
    }
    let allowed =
        |mut all: std::slice::Iter<'_, mandate_server::PermissionExplanation>| match requested {
            Some(_) => all.all(|it| it.allowed),
            None => all.any(|it| it.allowed),
        };
    let granted =
        allowed(explanation.permissions.iter()) && xperm.is_none_or(|it| it.decision.allowed);
    Ok(if granted { Outcome::Success } else { Outcome::Denied })
}

/// What is decided of one command, beside the decision about the permission.
struct Xperm {
    base: XpermBase,
    number: u16,
    decision: XpermDecision,
    changes: Vec<Change>,
}

impl Xperm {
    fn to_json(&self, subject: &Subject<'_>) -> Value {
        json!({
            "kind": self.base.permission(),
            "number": self.number,
            "allowed": self.decision.allowed,
            "ruled": self.decision.ruled,
            "rules": subject.rules_json(&self.decision.rules, u32::MAX),
            "inactive": subject.rules_json(&self.decision.inactive, u32::MAX),
            "changed_by_booleans": subject.changes_json(&self.changes),
        })
    }

    fn print(&self, subject: &Subject<'_>, out: &mut dyn Write) -> Result<()> {
        let Self { base, number, decision, changes } = self;
        let allowed = decision.allowed;
        let verdict = if allowed { styled(ALLOWED, "allowed") } else { styled(DENIED, "denied ") };
        writeln!(out, "{verdict}  {} {number:#06x}", base.permission())?;
        if !decision.ruled {
            writeln!(out, "  no extended permission rule applies: the permission alone decides")?;
        } else if !allowed {
            writeln!(
                out,
                "  other extended permissions are ruled, so this one needs an allowxperm"
            )?;
        }
        for (head, rules) in [("named by", &decision.rules), ("inactive", &decision.inactive)] {
            subject.print_rules(head, rules, u32::MAX, out)?;
        }
        subject.print_settings(allowed, changes, out)
    }
}
