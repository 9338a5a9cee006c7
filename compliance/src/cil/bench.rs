//! CIL modules to a policy: time and memory, `secilc` beside ours in the same run.

use std::path::Path;

use anyhow::{Context, Result};

use super::Size;
use super::compiler::Compiler;
use super::sources::{Source, Whole};
use crate::bench::{Figure, median, note};
use crate::compile::bench::{Cost, cost, line};
use crate::place::Place;
use crate::report::Report;

/// Rounds of the full size: theirs once, then ours so often.
const ROUNDS: usize = 5;
const OURS_EACH: usize = 3;

/// Times both sides in turns; at the small size once each, to see that it runs.
///
/// # Errors
/// When a compiler fails or the report cannot be written.
pub fn run(place: &Place, size: &Size, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("CIL to a policy: time and memory")?;
    let mut figures = Vec::new();
    for source in [Source::Shipped("default"), Source::Conf(crate::reference::Flavour::Mcs)] {
        let whole = source.make(place)?;
        for optimize in [false, true] {
            figures.extend(measured(place, &whole, optimize, size.full, report)?);
        }
    }
    if !size.full {
        return Ok(Vec::new());
    }
    figures.iter().try_for_each(|figure| note(figure, report))?;
    Ok(figures)
}

fn measured(
    place: &Place,
    whole: &Whole,
    optimize: bool,
    full: bool,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    let folder = place.work.join("cil/bench");
    std::fs::create_dir_all(&folder).context("making the folder of the bench")?;
    let (original, ours) = (Compiler::original(None), Compiler::ours(place)?);
    let once = |compiler: &Compiler| one(&folder, compiler, whole, optimize);
    let (mut our, mut their) = (Vec::new(), Vec::new());
    for _ in 0..if full { ROUNDS } else { 1 } {
        their.push(once(&original)?);
        for _ in 0..if full { OURS_EACH } else { 1 } {
            our.push(once(&ours)?);
        }
    }
    let what = format!(
        "{}, {} files{}",
        whole.name,
        whole.files.len(),
        if optimize { ", -O" } else { "" }
    );
    report.case(&what, Ok(format!("{} and {} times", our.len(), their.len())))?;
    Ok(rows(&what, whole.files.len() > 1, &our, &their))
}

fn one(folder: &Path, compiler: &Compiler, whole: &Whole, optimize: bool) -> Result<Cost> {
    let command = whole.command(compiler, optimize, &folder.join("policy"));
    cost(&folder.join("memory"), &line(&command))
}

/// Of modules it is said how far to reach; a policy in one file is there to see what changes.
fn rows(what: &str, modules: bool, ours: &[Cost], theirs: &[Cost]) -> Vec<Figure> {
    let reach = |of_modules: &str| if modules { of_modules } else { "–" }.to_owned();
    let middle = |costs: &[Cost], of: fn(&Cost) -> f64| median(costs.iter().map(of).collect());
    let seconds = [ours, theirs].map(|it| middle(it, |cost| cost.seconds));
    let memory = [ours, theirs].map(|it| middle(it, |cost| cost.mebibytes * 1.048_576));
    let [our_seconds, their_seconds] = seconds;
    let [our_memory, their_memory] = memory;
    vec![
        Figure {
            what: format!("CIL to a policy: {what}"),
            reach: reach("at most 0.5 s, at least 12 ×"),
            ours: format!("{our_seconds:.2} s"),
            theirs: format!("{their_seconds:.2} s"),
            ratio: format!("{:.1} × faster", their_seconds / our_seconds),
        },
        Figure {
            what: format!("peak memory: {what}"),
            reach: reach("at most 150 MB"),
            ours: format!("{our_memory:.0} MB"),
            theirs: format!("{their_memory:.0} MB"),
            ratio: format!("{:.2} × theirs", our_memory / their_memory),
        },
    ]
}
