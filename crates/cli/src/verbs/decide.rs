//! `mandate decide`: allowed or not.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use mandate_server::{Decision, Query};
use serde_json::json;

use crate::input::{PolicyArgs, Question, QuestionArgs};
use crate::verbs::jsonl;
use crate::{ALLOWED, DENIED, Outcome, styled};

/// Arguments of `decide`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    question: Option<QuestionArgs>,
    /// Print JSON
    #[arg(long, conflicts_with = "jsonl")]
    json: bool,
    /// Answer queries from standard input, one JSON object a line; the format is in docs/jsonl.md
    #[arg(long, conflicts_with = "QuestionArgs")]
    jsonl: bool,
    /// With --jsonl: refuse computed contexts that the policy does not allow, as an enforcing kernel does
    #[arg(long, requires = "jsonl")]
    enforcing: bool,
    /// With --jsonl: one more policy for {"op":"load","policy":1}, and so on (repeatable)
    #[arg(long, requires = "jsonl", value_name = "POLICY")]
    also: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    if args.jsonl {
        return jsonl::run(&args.policy, &args.also, args.enforcing, out, err);
    }
    let Some(question) = &args.question else {
        bail!("a question is SCONTEXT TCONTEXT CLASS [PERM...]; or use --jsonl for many");
    };
    let answer = answer(&question.resolve(&args.policy)?);
    if args.json {
        writeln!(out, "{}", answer.to_json())?;
    } else {
        answer.print(out)?;
    }
    Ok(if answer.granted() { Outcome::Success } else { Outcome::Denied })
}

struct Answer {
    decision: Decision,
    allowed: Vec<String>,
    denied: Vec<String>,
    auditallow: Vec<String>,
    dontaudit: Vec<String>,
    /// Were permissions named? Else every permission of the class is told.
    named: bool,
    xperm_denied: Option<String>,
}

fn answer(question: &Question) -> Answer {
    let (engine, class) = (&question.engine, question.class);
    let query = Query { source: &question.source, target: &question.target, class };
    let decision = engine.decide(&query);
    let mask = engine.db().permission_mask(class);
    let requested = question.requested.unwrap_or(mask);
    let names = |bits: u32| engine.db().permission_names(class, bits & mask);
    let xperm_denied = question.xperm.and_then(|(base, number)| {
        let denied = !engine.decide_xperm(&query, base, number).allowed;
        denied.then(|| format!("{}={number:#06x}", base.permission()))
    });
    Answer {
        decision,
        allowed: names(decision.allowed & requested),
        denied: names(!decision.allowed & requested),
        auditallow: names(decision.auditallow & requested),
        dontaudit: names(!decision.auditdeny & requested),
        named: question.requested.is_some(),
        xperm_denied,
    }
}

impl Answer {
    fn granted(&self) -> bool {
        let granted = if self.named { self.denied.is_empty() } else { !self.allowed.is_empty() };
        granted && self.xperm_denied.is_none()
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "granted": self.granted(),
            "allowed": self.allowed,
            "denied": self.denied,
            "xperm_denied": self.xperm_denied,
            "auditallow": self.auditallow,
            "dontaudit": self.dontaudit,
            "permissive": self.decision.permissive,
            "neveraudit": self.decision.neveraudit,
        })
    }

    fn print(&self, out: &mut dyn Write) -> Result<()> {
        let mut line = |head: String, names: &[String]| {
            if names.is_empty() { Ok(()) } else { writeln!(out, "{head} {}", names.join(" ")) }
        };
        line(styled(ALLOWED, "allowed:"), &self.allowed)?;
        line(styled(DENIED, "denied:"), &self.denied)?;
        line(styled(DENIED, "denied:"), self.xperm_denied.as_slice())?;
        // What a rule says of the other answer is left to JSON: it would read as if it were about this one.
        line("logged:".to_owned(), &among(&self.auditallow, &self.allowed))?;
        line("not logged:".to_owned(), &among(&self.dontaudit, &self.denied))?;
        if self.decision.permissive {
            writeln!(out, "the source type is permissive: denials are logged, not enforced")?;
        }
        if self.decision.neveraudit {
            writeln!(out, "the source type is neveraudit: nothing is logged")?;
        }
        Ok(())
    }
}

/// Those names that are among the others.
fn among(names: &[String], others: &[String]) -> Vec<String> {
    names.iter().filter(|it| others.contains(it)).cloned().collect()
}
