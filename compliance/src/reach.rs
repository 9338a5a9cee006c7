//! Domain transitions and information flow beside setools' library: the same or shorter ways, none missed, and the same rules.

mod bench;
mod ours;
mod setools;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use mandate_policydb::{Datum as _, Policy, Unvalidated};
use mandate_query::flow::PermissionMap;
use mandate_query::types::TypeSets;

use crate::bench::Figure;
use crate::place::{Place, run as run_program};
use crate::random::Random;
use crate::reference::{Flavour, Reference};
use crate::report::{Comparison, Report};

use self::ours::{Ours, Settings};
use self::setools::{Answer, Ask, Graph, Question};

/// What can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Answers beside answers.
    Paths,
    /// Time and memory.
    Bench,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Paths, Self::Bench];

    /// What the report's comparisons belong to; also the words after `mandate-compliance`.
    #[must_use]
    pub fn suite(self) -> &'static str {
        match self {
            Self::Paths => "reach paths",
            Self::Bench => "reach bench",
        }
    }
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// The sizes that docs/figures.md tells, or those of continuous integration.
    pub full: bool,
    /// How many questions of each graph, if not as many as that size has.
    pub queries: Option<usize>,
    /// Which questions.
    pub seed: u64,
}

/// Questions of each graph: in CI, and at full size.
const QUESTIONS: (usize, usize) = (20, 200);
/// Of one question's ways the original is asked for so many: its own pace is 3.5 ms a way.
const MOST: usize = 200;

/// Runs one part.
///
/// # Errors
/// When setools does not run to its end, or the report cannot be written.
pub fn run(place: &Place, part: Part, size: &Size, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.suite(part.suite());
    match part {
        Part::Paths => compare_all(place, size, report).map(|()| Vec::new()),
        Part::Bench => bench::run(place, size.full, report),
    }
}

fn compare_all(place: &Place, size: &Size, report: &mut Report<'_>) -> Result<()> {
    report.heading("Domain transitions and information flow beside setools")?;
    let own = if size.full { QUESTIONS.1 } else { QUESTIONS.0 };
    let number = size.queries.unwrap_or(own);
    let reference = Reference::build(place, Flavour::Mcs)?.binary();
    let base = base_policy(place)?;
    covers(&reference, report)?;
    let mut case = Case { place, number, random: Random::new(size.seed) };
    for (name, path) in [("Debian's mcs", &reference), ("policies/base", &base)] {
        let settings = Settings::transitions();
        case.compare(&format!("domain transitions, {name}"), path, &settings, report)?;
    }
    let flows = [
        ("every rule, weight 3", Settings::flows(3, None)),
        ("every rule, weight 1", Settings::flows(1, None)),
        ("booleans as they are, weight 1", Settings::flows(1, Some(String::new()))),
    ];
    for (name, settings) in &flows {
        let name = format!("information flow, policies/base, {name}");
        case.compare(&name, &base, settings, report)?;
    }
    if size.full {
        let (_, settings) = &flows[0];
        case.compare("information flow, Debian's mcs", &reference, settings, report)?;
    }
    Ok(())
}

/// The base policy, built here.
fn base_policy(place: &Place) -> Result<PathBuf> {
    let folder = place.work.join("reach");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let path = folder.join("base.33");
    let mut build = Command::new(place.mandate()?);
    build.arg("build").arg(place.root.join("policies/base")).args(["--policy-version", "33", "-o"]);
    run_program(build.arg(&path))?;
    Ok(path)
}

fn read(path: &Path) -> Result<Policy> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(Unvalidated::read(&bytes)?.validate()?)
}

/// Our permission map knows all that the policy has.
fn covers(path: &Path, report: &mut Report<'_>) -> Result<()> {
    let mut known = Comparison::new("permissions of Debian's mcs in our permission map");
    let (policy, map) = (read(path)?, PermissionMap::ours());
    let db = policy.db();
    for class in db.classes.by_value() {
        for permission in db.permissions(class.id) {
            match map.mapping(&class.name, permission.name()) {
                Some(_) => known.agree(),
                None => {
                    let query = format!("{} {}", class.name, permission.name());
                    known.disagree(query, "not known".into(), "known to the policy".into());
                }
            }
        }
    }
    Ok(report.add(&known)?)
}

struct Case<'p> {
    place: &'p Place,
    number: usize,
    random: Random,
}

impl Case<'_> {
    fn compare(
        &mut self,
        name: &str,
        path: &Path,
        settings: &Settings,
        report: &mut Report<'_>,
    ) -> Result<()> {
        let policy = read(path)?;
        let sets = TypeSets::new(policy.db());
        let ours = Ours::new(&sets, settings);
        let questions = self.draw(&ours);
        let (_, answers) = setools::ask(self.place, path, settings, &questions)?;
        let mut comparison = Comparison::new(name);
        let mut ways = 0;
        for (question, theirs) in questions.iter().zip(&answers) {
            ways += theirs.paths.len();
            match judge(&ours, question, theirs)? {
                None => comparison.agree(),
                Some((ours, theirs)) => comparison.disagree(question.to_string(), ours, theirs),
            }
        }
        report.add(&comparison.done())?;
        let empty = answers.iter().filter(|it| it.paths.is_empty()).count();
        Ok(report.note(&format!("{ways} ways; {empty} questions without one"))?)
    }

    /// Questions between types that have something: sources that lead somewhere, targets that something leads to.
    fn draw(&mut self, ours: &Ours<'_>) -> Vec<Question> {
        let (sources, targets) = ours.ends();
        let mut questions = Vec::new();
        let pick =
            |random: &mut Random, from: &[String]| random.pick(from).cloned().unwrap_or_default();
        while questions.len() < self.number {
            let random = &mut self.random;
            let source = pick(random, &sources);
            let target = match random.chance(70) {
                true => walk(random, ours, &source),
                false => pick(random, &targets),
            };
            if source == target {
                continue;
            }
            let ask = match random.below(10) {
                0 => Ask::Out,
                1 => Ask::In,
                2 | 3 => Ask::UpTo,
                _ => Ask::Shortest,
            };
            // The original makes its graph of flows anew for each list.
            let percent = if ours.graph() == Graph::Flow { 10 } else { 30 };
            let excluded = if random.chance(percent) { random.between(1, 3) } else { 0 };
            let mut exclude: Vec<String> = (0..excluded).map(|_| pick(random, &targets)).collect();
            exclude.retain(|it| *it != source && *it != target);
            exclude.dedup();
            let source = if ask == Ask::In { target.clone() } else { source };
            let steps = if ours.graph() == Graph::Flow { 2 } else { random.between(2, 4) };
            let most = if matches!(ask, Ask::Out | Ask::In) { usize::MAX >> 12 } else { MOST };
            questions.push(Question { ask, source, target, steps, most, exclude });
        }
        questions
    }
}

/// Where some steps lead to, so that most questions have an answer.
fn walk(random: &mut Random, ours: &Ours<'_>, source: &str) -> String {
    let mut at = source.to_owned();
    for _ in 0..random.between(1, 4) {
        match random.pick(&ours.beside(&at)) {
            Some(next) => at.clone_from(next),
            None => break,
        }
    }
    at
}

/// What differs, if anything does: both sides as text.
fn judge(
    ours: &Ours<'_>,
    question: &Question,
    theirs: &Answer,
) -> Result<Option<(String, String)>> {
    let found = ours.paths(question)?;
    let mut expected = theirs.paths.clone();
    expected.sort();
    let complete = expected.len() < question.most;
    let missed = expected.iter().find(|it| found.binary_search(it).is_err());
    if let Some(missed) = missed {
        return Ok(Some((format!("{} ways without it", found.len()), missed.join(" > "))));
    }
    if complete && found.len() != expected.len() {
        let more = found.iter().find(|it| expected.binary_search(it).is_err());
        let more = more.map(|it| it.join(" > ")).unwrap_or_default();
        return Ok(Some((more, format!("{} ways without it", expected.len()))));
    }
    let (Some(path), Some(made)) = (theirs.paths.first(), &theirs.made) else { return Ok(None) };
    let own = ours.made(path)?;
    let (own, made) = (own.as_array().into_iter().flatten(), made.as_array().into_iter().flatten());
    let differing = own.zip(made).find(|(own, made)| !ours.same_step(own, made));
    Ok(differing.map(|(own, made)| (own.to_string(), made.to_string())))
}
