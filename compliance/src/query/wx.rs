//! Domains that write, create and execute files of one type, beside a script over setools' library.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::setools::PYTHON;
use crate::bench::{Figure, median, note};
use crate::place::Place;
use crate::reference::{Flavour, Reference};
use crate::report::{Comparison, Report};

const ROUNDS: usize = 9;

/// What the script finds.
#[derive(Deserialize)]
struct Theirs {
    found: BTreeMap<String, BTreeSet<String>>,
    unconfined: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Ours {
    sentence: String,
    found: Vec<Domain>,
}

#[derive(Deserialize)]
struct Domain {
    domain: String,
    unconfined: bool,
    types: BTreeSet<String>,
}

/// Compares all three Reference Policies; times ours and the script on standard.
pub(super) fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Who writes, creates and executes")?;
    for flavour in Flavour::ALL {
        let policy = Reference::build(place, flavour)?.binary();
        let (ours, theirs) = (ours(place, &policy)?, theirs(place, &policy)?);
        let mut comparison = Comparison::new(format!("query wx: {}", flavour.name()));
        let confined = theirs.found.keys().filter(|it| !theirs.unconfined.contains(*it)).count();
        comparison.equal(
            || "the sentence".to_owned(),
            &numbers(&ours.sentence),
            &format!("{} {confined}", theirs.found.len()),
        );
        let mine = ours.found.iter().filter(|it| !it.types.is_empty());
        let mine: BTreeMap<_, _> =
            mine.map(|it| (&it.domain, line(&it.types, it.unconfined))).collect();
        let all = theirs
            .found
            .iter()
            .map(|(name, types)| (name, line(types, theirs.unconfined.contains(name))));
        let all: BTreeMap<_, _> = all.collect();
        let nothing = String::new();
        for name in mine.keys().chain(all.keys()).collect::<BTreeSet<_>>() {
            let [ours, theirs] = [&mine, &all].map(|it| it.get(*name).unwrap_or(&nothing));
            comparison.equal(|| (*name).clone(), ours, theirs);
        }
        report.add(&comparison)?;
    }
    if !full {
        return Ok(Vec::new());
    }
    let figure = figure(place)?;
    note(&figure, report)?;
    Ok(vec![figure])
}

fn line(types: &BTreeSet<String>, unconfined: bool) -> String {
    let types: Vec<&str> = types.iter().map(String::as_str).collect();
    format!("{} {}", if unconfined { "unconfined" } else { "confined" }, types.join(" "))
}

/// Of the sentence: how many domains, and how many of them are confined.
fn numbers(sentence: &str) -> String {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let confined = words.windows(4).find(|it| it.ends_with(&["of", "them", "confined;"]));
    format!("{} {}", words.first().unwrap_or(&""), confined.map_or("", |it| it[0]))
}

fn ours(place: &Place, policy: &Path) -> Result<Ours> {
    let mut command = Command::new(place.mandate()?);
    let output = command.args(["query", "wx"]).arg(policy).arg("--json").output();
    let output = output.context("starting mandate")?;
    ensure!(output.status.success(), "query wx: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("the answer of query wx")
}

fn theirs(place: &Place, policy: &Path) -> Result<Theirs> {
    let mut command = Command::new(PYTHON);
    command.arg("-B").arg(place.root.join("compliance/oracle/wx.py")).arg(policy);
    let output = command.output().with_context(|| format!("starting {PYTHON}"))?;
    ensure!(output.status.success(), "wx.py: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("the answer of wx.py")
}

fn figure(place: &Place) -> Result<Figure> {
    let policy = Reference::build(place, Flavour::Standard)?.binary();
    let (mut mine, mut script) = (Vec::new(), Vec::new());
    let mut sentence = String::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        sentence = ours(place, &policy)?.sentence;
        mine.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        theirs(place, &policy)?;
        script.push(started.elapsed().as_secs_f64());
    }
    let (mine, script) = (median(mine), median(script));
    Ok(Figure {
        what: format!("query wx, standard ({sentence}); a script over setools' library"),
        reach: "88 domains, 59 confined; at most 0.2 s".to_owned(),
        ours: format!("{mine:.3} s"),
        theirs: format!("{script:.2} s"),
        ratio: format!("{:.0} × faster", script / mine),
    })
}
