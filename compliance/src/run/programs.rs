//! Real programs under the base policy: the same output, exit code and files as unwatched where the policy allows what they do; where it does
//! not, they are told so and go on. Nothing hangs: what takes too long fails.

mod cases;
mod terminal;
mod web;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::lab::{Entry, Lab, Way, tree};
use crate::bench::Figure;
use crate::place::Place;
use crate::report::{Comparison, Report};
use cases::Case;

pub(super) fn run(place: &Place, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Real programs, watched and unwatched")?;
    let lab = Lab::new(place, "programs")?;
    for case in cases::ALLOWED {
        let compared = Programs(&lab).compare(case);
        tell(compared, case.name, report)?;
    }
    tell(terminal::compare(&lab), "bash at a terminal", report)?;
    tell(terminal::others(&lab), "another's terminal is denied", report)?;
    tell(web::compare(&lab), "nginx", report)?;
    for case in cases::DENIED {
        let denied = Programs(&lab).deny(case);
        tell(denied, case.name, report)?;
    }
    Ok(Vec::new())
}

/// A program that could not be compared does not keep the others from it.
fn tell(compared: Result<Comparison>, name: &str, report: &mut Report<'_>) -> Result<()> {
    match compared {
        Ok(comparison) => report.add(&comparison.done())?,
        Err(why) => report.case(name, Err(format!("{why:#}")))?,
    }
    Ok(())
}

/// What a run of a program left.
#[derive(Clone, Debug)]
struct Outcome {
    code: String,
    output: String,
    /// Standard error, without the monitor's lines.
    errors: String,
    /// What the monitor told.
    told: Vec<String>,
    tree: BTreeMap<PathBuf, Entry>,
}

struct Programs<'a>(&'a Lab);

impl Programs<'_> {
    fn outcome(&self, case: &Case, way: Way<'_>) -> Result<Outcome> {
        self.0.label(case.home, case.labels)?;
        self.0.fill(case.files)?;
        let words = case.words(self.0);
        let output = self.0.command(way, &words, Some(case.seconds)).output()?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let (told, errors): (Vec<&str>, Vec<&str>) =
            errors.lines().partition(|it| it.starts_with("mandate: "));
        // What follows is explained of the same denials.
        let told = told.into_iter().take_while(|it| !it.ends_with("different"));
        let mut tree = tree(&self.0.work())?;
        for (path, entry) in &mut tree {
            if case.unsteady.iter().any(|it| path.to_string_lossy().starts_with(it)) {
                entry.content.clear();
            }
        }
        Ok(Outcome {
            code: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: errors.join("\n"),
            told: told.map(str::to_owned).collect(),
            tree,
        })
    }

    /// Watched as unwatched, but for what differs between two unwatched runs.
    fn compare(&self, case: &Case) -> Result<Comparison> {
        let mut comparison = Comparison::new(case.name);
        let plain = [self.outcome(case, None)?, self.outcome(case, None)?];
        let [one, two] = &plain;
        let same = one.code == two.code && one.output == two.output && one.errors == two.errors;
        ensure!(same, "{} does not do the same twice by itself: {one:#?} {two:#?}", case.name);
        let options = case.options;
        let exact = [options, &["--exact"]].concat();
        for way in [options, &exact].into_iter().take(1 + usize::from(case.exact)) {
            let watched = self.outcome(case, Some(way))?;
            let about = |what: &str| format!("{} {way:?}: {what}", case.name);
            comparison.equal(|| about("exit code"), &watched.code, &one.code);
            comparison.equal(|| about("output"), &watched.output, &one.output);
            comparison.equal(|| about("errors"), &watched.errors, &one.errors);
            let expected = |line: &&String| !case.told.iter().any(|it| line.contains(it));
            for line in watched.told.iter().filter(expected) {
                comparison.disagree(about("told"), line.clone(), String::new());
            }
            let mut differs = |path: &PathBuf, ours: &str, theirs: &str| {
                let name = || about(&path.display().to_string());
                comparison.equal(name, &ours.to_owned(), &theirs.to_owned());
            };
            compare_trees(&watched.tree, [&one.tree, &two.tree], &mut differs);
        }
        Ok(comparison)
    }

    /// Told of what is denied, it goes on.
    fn deny(&self, case: &Case) -> Result<Comparison> {
        let mut comparison = Comparison::new(case.name);
        let outcome = self.outcome(case, Some(case.options))?;
        let about = |what: &str| format!("{}: {what}", case.name);
        let told = outcome.told.join("\n");
        let all = format!("{}{}\n{told}\n", outcome.output, outcome.errors);
        comparison.equal(|| about("exit code"), &outcome.code, &case.code.to_owned());
        for text in case.told {
            match all.contains(text) {
                true => comparison.agree(),
                false => comparison.disagree(about("says"), all.clone(), (*text).to_owned()),
            }
        }
        Ok(comparison)
    }
}

/// Each file of one tree as in two others, as far as these agree.
fn compare_trees(
    ours: &BTreeMap<PathBuf, Entry>,
    [one, two]: [&BTreeMap<PathBuf, Entry>; 2],
    differs: &mut dyn FnMut(&PathBuf, &str, &str),
) {
    for (path, our) in ours {
        match (one.get(path), two.get(path)) {
            (None, None) => differs(path, "made", "not made"),
            (Some(one), Some(two)) => {
                if one.kind == two.kind {
                    differs(path, &our.kind, &one.kind);
                }
                if one.content == two.content {
                    differs(path, &our.content, &one.content);
                }
            }
            _ => {}
        }
    }
    for path in one.keys().filter(|it| two.contains_key(*it) && !ours.contains_key(*it)) {
        differs(path, "not made", "made");
    }
}
