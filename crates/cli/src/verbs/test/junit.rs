//! Results as JUnit XML, which build servers show.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::RuleKey;
use mandate_query::assertions::Verdict;

use super::{Report, Subject, title, totals};
use crate::verbs::places;

/// A suite for each file, a case for each assertion.
pub(super) fn print(reports: &[Report], subjects: &[Subject], out: &mut dyn Write) -> Result<()> {
    let (tests, failures) = totals(reports);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites tests=\"{tests}\" failures=\"{failures}\">")?;
    for report in reports {
        let (file, failures) = (escaped(&report.file), report.failures().count());
        let tests = report.verdicts.len();
        writeln!(out, "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failures}\">")?;
        let subject = subjects.get(report.subject);
        report.verdicts.iter().try_for_each(|it| print_case(it, &file, subject, out))?;
        writeln!(out, "  </testsuite>")?;
    }
    Ok(writeln!(out, "</testsuites>")?)
}

fn print_case(
    it: &Verdict,
    file: &str,
    subject: Option<&Subject>,
    out: &mut dyn Write,
) -> Result<()> {
    let (name, line) = (escaped(title(it)), it.line);
    let attributes =
        format!("classname=\"{}\" name=\"{name}\" file=\"{file}\" line=\"{line}\"", it.kind);
    let Some(first) = it.breaches.first() else {
        return Ok(writeln!(out, "    <testcase {attributes}/>")?);
    };
    writeln!(out, "    <testcase {attributes}>")?;
    let message = escaped(&first.text);
    writeln!(out, "      <failure message=\"{message}\">{}</failure>", details(it, subject)?)?;
    Ok(writeln!(out, "    </testcase>")?)
}

fn details(it: &Verdict, subject: Option<&Subject>) -> Result<String> {
    let mut text = Vec::new();
    for breach in &it.breaches {
        writeln!(text, "{}", breach.text)?;
        let rules = subject.map(|subject| (subject, &breach.rules));
        for (subject, &(rule, asked)) in
            rules.into_iter().flat_map(|(subject, rules)| rules.iter().map(move |it| (subject, it)))
        {
            writeln!(text, "  {}", places::rule(subject.engine.db(), rule))?;
            places::print(subject.provenance.as_ref(), RuleKey::Rule(rule), asked, &mut text)?;
        }
    }
    let plain = anstream::adapter::strip_bytes(&text).into_vec();
    Ok(escaped(&String::from_utf8_lossy(&plain)))
}

/// As text or as a value in quotes. Characters that XML cannot hold become `?`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' | '\t' => escaped.push(character),
            it if it.is_control() => escaped.push('?'),
            it => escaped.push(it),
        }
    }
    escaped
}
