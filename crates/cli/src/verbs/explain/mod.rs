//! `mandate explain`: why it is allowed or denied; with logs, why what they tell was.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use mandate_policydb::Provenance;
use mandate_server::{Change, Query, XpermBase, XpermDecision};
use serde_json::{Value, json};

use crate::input::{self, Question, QuestionArgs};
use crate::verbs::reasons::Subject;
use crate::{ALLOWED, DENIED, Outcome, styled};

pub(crate) mod denials;
pub(crate) mod json;

/// Arguments of `explain`.
#[derive(clap::Args)]
#[command(
    override_usage = "mandate explain [OPTIONS] POLICY SCONTEXT TCONTEXT CLASS [PERM]...\n       mandate explain [OPTIONS] --policy POLICY [LOG]...",
    after_help = "If POLICY.provenance lies beside the policy, each rule of an answer to a question is followed by where it was written. \
    One that belongs to another policy is an error (exit 2). With --policy the exit code is 0, or 2 if lines of a log could not be read. \
    docs/explain.md tells the causes and fixes."
)]
pub(crate) struct Args {
    /// Binary policy; - for standard input. With --policy this and what follows are logs
    #[arg(required_unless_present = "by")]
    policy: Option<PathBuf>,
    /// Context of the process, as user:role:type[:range]
    #[arg(required_unless_present = "by")]
    scontext: Option<String>,
    /// Context of the object
    #[arg(required_unless_present = "by")]
    tcontext: Option<String>,
    /// Object class, such as file
    #[arg(required_unless_present = "by")]
    class: Option<String>,
    /// Permissions; without any, all of the class
    #[arg(value_name = "PERM")]
    permissions: Vec<String>,
    /// One extended permission: ioctl=0x8910 or nlmsg=0x10
    #[arg(long, value_name = "KIND=NUMBER", value_parser = input::parse_xperm, conflicts_with = "by")]
    xperm: Option<(XpermBase, u16)>,
    /// Decide as if a boolean had this value (repeatable)
    #[arg(long = "bool", value_name = "NAME=VALUE", value_parser = input::parse_bool)]
    booleans: Vec<(String, bool)>,
    #[command(flatten)]
    log: denials::LogArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    if let Some(by) = &args.log.by {
        let logs = args.words();
        return denials::run(&args.log, by, &args.booleans, &logs, args.json, out, err);
    }
    let (Some(policy), Some(scontext), Some(tcontext), Some(class)) =
        (&args.policy, &args.scontext, &args.tcontext, &args.class)
    else {
        bail!("expected POLICY SCONTEXT TCONTEXT CLASS, or --policy POLICY");
    };
    let (engine, provenance) = input::read_traced(policy)?;
    let engine = input::with_booleans(engine, &args.booleans)?;
    let words = [scontext.clone(), tcontext.clone(), class.clone()];
    let question = QuestionArgs::of(words, args.permissions.clone(), args.xperm);
    explain(&question.resolve_by(engine)?, provenance.as_ref(), args.json, out)
}

impl Args {
    /// All that is no option.
    fn words(&self) -> Vec<PathBuf> {
        let more = [&self.scontext, &self.tcontext, &self.class].into_iter().flatten();
        let more = more.chain(&self.permissions).map(PathBuf::from);
        self.policy.iter().cloned().chain(more).collect()
    }
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
