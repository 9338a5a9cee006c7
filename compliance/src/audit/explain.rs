//! `mandate explain` of denials whose cause is known, and how long it takes for many.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use mandate_policydb::{Policy, Unvalidated};
use rayon::prelude::*;
use serde_json::Value;

use super::bench::{best, cost};
use super::changes::{Case, Changes, EACH};
use super::denials;
use crate::bench::{Figure, note};
use crate::compile::original::Original;
use crate::compile::setting::Setting;
use crate::compile::tree;
use crate::place::{Place, run as run_program};
use crate::reference::Flavour;
use crate::report::{Comparison, Report};

/// Lines that are explained at once.
const LINES: usize = 5_000;
/// The best of so many runs.
const ROUNDS: usize = 5;

/// A policy on disk, and what it holds.
pub(super) struct Built {
    pub(super) path: PathBuf,
    pub(super) file_contexts: PathBuf,
    pub(super) policy: Policy,
}

impl Built {
    pub(super) fn of(place: &Place, flavour: Flavour) -> Result<Self> {
        let built = Original::build(place, Setting { flavour, ..Setting::DEBIAN })?;
        let path = built.optimized()?;
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let policy = Unvalidated::read(&bytes)?.validate()?;
        Ok(Self { path, file_contexts: built.file("file_contexts"), policy })
    }
}

pub(super) fn run(
    place: &Place,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading("Explanations: one thing was changed, and is to be told")?;
    let folder = place.work.join("audit-explain");
    std::fs::create_dir_all(&folder).context("making a folder for policies")?;
    let mcs = Built::of(place, Flavour::Mcs)?;
    let mls = Built::of(place, Flavour::Mls)?;
    let mut changes = Changes::new(&mcs.policy, seed)?;
    let files = literal(&mcs.file_contexts)?;
    let kinds = [
        ("a rule is taken away", &mcs, changes.rules(EACH)?),
        ("a boolean is changed", &mcs, changes.booleans(EACH)?),
        ("a file is mislabelled", &mcs, changes.labels(EACH, &files)?),
        ("a level is changed", &mls, Changes::new(&mls.policy, seed)?.levels(EACH)?),
        ("a role is restricted", &mcs, changes.roles(EACH)?),
    ];
    let mandate = place.mandate()?;
    for (name, built, cases) in &kinds {
        report.add(&compare(name, &mandate, built, cases, &folder)?)?;
    }
    bench(place, &mcs, &mandate, full, seed, report)
}

/// Paths of plain files without meta characters, with their contexts.
fn literal(file_contexts: &Path) -> Result<Vec<(String, String)>> {
    let text = std::fs::read_to_string(file_contexts)?;
    let lines = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[path, "--", context] = words.as_slice() else { return None };
        let plain = |it: char| it.is_ascii_alphanumeric() || "/_-".contains(it);
        path.chars().all(plain).then(|| (path.to_owned(), context.to_owned()))
    });
    Ok(lines.collect())
}

fn compare(
    name: &str,
    mandate: &Path,
    built: &Built,
    cases: &[Case],
    folder: &Path,
) -> Result<Comparison> {
    let comparison = Mutex::new(Comparison::new(name));
    cases.par_iter().enumerate().try_for_each(|(at, case)| -> Result<()> {
        let told = ask(mandate, built, case, &folder.join(format!("{at}.policy")))?;
        let wanted = format!("{} {}", case.cause, case.words.join(", "));
        let mut comparison = comparison.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match right(case, &told) {
            true => comparison.agree(),
            false => comparison.disagree(case.name.clone(), told.to_string(), wanted),
        }
        Ok(())
    })?;
    Ok(comparison.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).done())
}

fn ask(mandate: &Path, built: &Built, case: &Case, place: &Path) -> Result<Value> {
    let log = place.with_extension("log");
    std::fs::write(&log, &case.line)?;
    let mut policy = built.path.clone();
    if let Some(db) = &case.policy {
        let mut bytes = Vec::new();
        db.write(db.version, &mut bytes)?;
        std::fs::write(place, bytes)?;
        place.clone_into(&mut policy);
    }
    let mut command = Command::new(mandate);
    command.args(["explain", "--json", "--file-contexts"]).arg(&built.file_contexts);
    command.arg("--policy").arg(&policy).arg(&log);
    let told = serde_json::from_slice(&run_program(&mut command)?.stdout)?;
    std::fs::remove_file(&log)?;
    if case.policy.is_some() {
        std::fs::remove_file(place)?;
    }
    Ok(told)
}

/// Is the first cause the right one, and is the fix among those offered?
fn right(case: &Case, told: &Value) -> bool {
    let reason = &told[0]["reasons"][0];
    let sentence = reason["sentence"].as_str().unwrap_or_default();
    let lines = told[0]["fixes"].as_array().into_iter().flatten();
    let mut lines = lines.filter_map(|it| it["lines"].as_array()).flatten();
    reason["cause"] == case.cause
        && case.words.iter().all(|it| sentence.contains(it.as_str()))
        && case.fix.as_ref().is_none_or(|fix| lines.any(|it| it == fix.as_str()))
}

fn bench(
    place: &Place,
    built: &Built,
    mandate: &Path,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    let log = place.work.join("audit-explain").join("many.log");
    std::fs::write(&log, denials::log(&built.policy, seed, LINES))?;
    let command = |more: &[&OsStr]| {
        let mut command = Command::new(mandate);
        command.args(["explain", "--file-contexts"]).arg(&built.file_contexts).args(more);
        command.arg("--policy").arg(&built.path).arg(&log).stdin(Stdio::null());
        command
    };
    let tree = tree::pristine(place)?;
    let interfaces = [OsStr::new("--source"), tree.as_os_str()];
    // What interfaces grant is kept from here on.
    run_program(&mut command(&interfaces))?;
    let rounds = if full { ROUNDS } else { 1 };
    let figure = |what: &str, more: &[&OsStr]| -> Result<Figure> {
        let costs = (0..rounds).map(|_| cost(&mut command(more))).collect::<Result<Vec<_>>>()?;
        Ok(Figure {
            what: format!("`mandate explain` of {LINES} different denials, with {what}"),
            reach: "≤ 0.5 s".to_owned(),
            ours: best(&costs).text(),
            theirs: String::new(),
            ratio: String::new(),
        })
    };
    let figures = vec![
        figure("file contexts", &[])?,
        figure("file contexts and the interfaces of the policy's sources", &interfaces)?,
    ];
    if full {
        figures.iter().try_for_each(|it| note(it, report))?;
    }
    Ok(figures)
}
