//! Time and memory of information flow: a whole process of ours beside setools' library, which is not charged for its start.

use std::path::Path;

use anyhow::{Context, Result};

use super::ours::Settings;
use super::setools::{self, Ask, Question};
use crate::bench::{Figure, median, note};
use crate::compile::bench::cost;
use crate::place::Place;
use crate::reference::{Flavour, Reference};
use crate::report::Report;

/// Rounds of ours; the median counts.
const ROUNDS: usize = 7;
/// Ways over which the time of one is taken.
const WAYS: usize = 1_000;
const WAYS_OF_THEIRS: usize = 200;

/// Measures at full size; otherwise sees that it runs.
pub(super) fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Information flow, httpd_t to shadow_t: time and memory")?;
    let policy = Reference::build(place, Flavour::Mcs)?.binary();
    let rounds = if full { ROUNDS } else { 1 };
    let first = ours(place, &policy, 1, rounds)?;
    let many = ours(place, &policy, WAYS, rounds)?;
    if !full {
        report.case("measured", Ok("it runs; its times mean nothing".to_owned()))?;
        return Ok(Vec::new());
    }
    let further = (many.0 - first.0) / count(WAYS - 1);
    let theirs = theirs(place, &policy)?;
    let figures = vec![
        Figure {
            what: "information flow httpd_t to shadow_t, mcs: first answer from a cold start"
                .into(),
            reach: "at most 0.5 s".into(),
            ours: format!("{:.3} s", first.0),
            theirs: format!("{:.1} s", theirs.first),
            ratio: format!("{:.0} × faster", theirs.first / first.0),
        },
        Figure {
            what: "the same, peak memory".into(),
            reach: "at most 200 MB".into(),
            ours: format!("{:.0} MiB", many.1),
            theirs: format!("{:.0} MiB", theirs.mebibytes),
            ratio: format!("{:.2} × the original's", many.1 / theirs.mebibytes),
        },
        Figure {
            what: "the same, each further path, with its rules".into(),
            reach: "at most 3 ms".into(),
            ours: format!("{:.3} ms", further * 1e3),
            theirs: format!("{:.1} ms", theirs.further * 1e3),
            ratio: format!("{:.0} × faster", theirs.further / further),
        },
    ];
    figures.iter().try_for_each(|figure| note(figure, report))?;
    report.case("measured", Ok(format!("{} figures", figures.len())))?;
    Ok(figures)
}

/// Seconds and mebibytes of a process that shows so many ways.
fn ours(place: &Place, policy: &Path, ways: usize, rounds: usize) -> Result<(f64, f64)> {
    let words =
        ["query", "flow", "--from", "httpd_t", "--to", "shadow_t", "--up-to", "5", "--limit"];
    let mut command = vec![place.mandate()?.display().to_string()];
    command.extend(words.map(str::to_owned));
    command.extend([ways.to_string(), policy.display().to_string()]);
    let told = place.work.join("reach-memory");
    let costs: Result<Vec<_>> = (0..rounds).map(|_| cost(&told, &command)).collect();
    let costs = costs?;
    let seconds = median(costs.iter().map(|it| it.seconds).collect());
    Ok((seconds, costs.iter().map(|it| it.mebibytes).fold(0.0, f64::max)))
}

struct Theirs {
    first: f64,
    mebibytes: f64,
    further: f64,
}

fn theirs(place: &Place, policy: &Path) -> Result<Theirs> {
    let question = Question {
        ask: Ask::UpTo,
        source: "httpd_t".into(),
        target: "shadow_t".into(),
        steps: 5,
        most: WAYS_OF_THEIRS,
        exclude: Vec::new(),
    };
    let (took, answers) = setools::ask(place, policy, &Settings::flows(3, None), &[question])?;
    let answer = answers.first().context("no answer")?;
    let first = answer.first.context("no way at all")?;
    let further = (answer.seconds - first) / count(answer.paths.len().saturating_sub(1));
    Ok(Theirs { first: took.seconds + first, mebibytes: took.mebibytes, further })
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n.max(1)).unwrap_or(u32::MAX))
}
