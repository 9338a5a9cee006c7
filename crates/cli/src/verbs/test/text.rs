//! Results as a test runner prints them.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::RuleKey;
use mandate_query::assertions::{Breach, Verdict};

use super::{Report, Subject, title, totals};
use crate::verbs::places;
use crate::{ALLOWED, DENIED, STRONG, styled};

/// How much of what breaks an assertion is shown.
const MOST: usize = 10;
/// How many rules of each.
const MOST_RULES: usize = 4;

/// A line for each assertion, the failures, a summary.
pub(super) fn print(reports: &[Report], subjects: &[Subject], out: &mut dyn Write) -> Result<()> {
    for report in reports {
        let head = format!("{}, of {}", report.file, report.policy);
        writeln!(out, "{}", styled(STRONG, &head))?;
        report.verdicts.iter().try_for_each(|it| print_line(it, out))?;
    }
    for report in reports {
        let Some(subject) = subjects.get(report.subject) else { continue };
        for verdict in report.failures() {
            let head = format!("{}:{}: {}", report.file, verdict.line, verdict.kind);
            writeln!(out, "\n{}  {}", styled(STRONG, &head), title(verdict))?;
            print_breaches(&verdict.breaches, subject, out)?;
        }
    }
    let (all, failed) = totals(reports);
    let assertions = if all == 1 { "1 assertion".to_owned() } else { format!("{all} assertions") };
    let style = if failed == 0 { ALLOWED } else { DENIED };
    let summary = format!("{} hold, {failed} fail", all - failed);
    writeln!(out, "\n{assertions}: {}", styled(style, &summary))?;
    Ok(())
}

fn print_line(it: &Verdict, out: &mut dyn Write) -> Result<()> {
    let verdict = if it.holds() { styled(ALLOWED, "ok  ") } else { styled(DENIED, "FAIL") };
    Ok(writeln!(out, "  {verdict}  {:<21}  {}", it.kind, title(it))?)
}

fn print_breaches(breaches: &[Breach], subject: &Subject, out: &mut dyn Write) -> Result<()> {
    for breach in breaches.iter().take(MOST) {
        writeln!(out, "  {}", breach.text)?;
        for &(rule, asked) in breach.rules.iter().take(MOST_RULES) {
            writeln!(out, "    {}", places::rule(subject.engine.db(), rule))?;
            places::print(subject.provenance.as_ref(), RuleKey::Rule(rule), asked, out)?;
        }
        print_rest(breach.rules.len().saturating_sub(MOST_RULES), "rules", 4, out)?;
    }
    print_rest(breaches.len().saturating_sub(MOST), "such", 2, out)
}

fn print_rest(rest: usize, what: &str, indent: usize, out: &mut dyn Write) -> Result<()> {
    match rest {
        0 => Ok(()),
        rest => Ok(writeln!(out, "{:indent$}and {rest} more {what}", "")?),
    }
}
