//! Questions beside setools: `sesearch` and `seinfo`, asked of the Reference Policy and of small policies.
//!
//! [`questions`] draws them around real rules, [`setools`] keeps setools' library in one process, [`bench`] takes the time.

pub mod bench;
mod differences;
mod policy_questions;
pub mod questions;
pub mod setools;
mod wx;

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use mandate_policydb::{Policy, Unvalidated};

use crate::bench::Figure;
use crate::place::Place;
use crate::random::Random;
use crate::reference::{Flavour, Reference};
use crate::report::{Comparison, Report};
use questions::{Draw, Question, Tally};
use setools::{Answer, Setools};

/// How many questions: in continuous integration, and at full size.
const QUESTIONS: (usize, usize) = (80, 1_000);
/// Of how many the answer must hold something, in a hundred.
const NOT_EMPTY: usize = 80;
/// How often each option must occur at full size.
const OFTEN: usize = 10;
/// The versions that setools 4.4 reads; older ones make it crash.
const VERSIONS: std::ops::RangeInclusive<u32> = 24..=33;

/// What can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// `sesearch` and `seinfo`.
    Answers,
    /// `sediff`.
    Differences,
    /// Who writes, creates and executes.
    Wx,
    /// What else people ask.
    Questions,
    /// Time.
    Bench,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Answers, Self::Differences, Self::Wx, Self::Questions, Self::Bench];

    /// What the report's comparisons belong to; also the words after `mandate-compliance`.
    #[must_use]
    pub fn suite(self) -> &'static str {
        match self {
            Self::Answers => "query answers",
            Self::Differences => "query differences",
            Self::Wx => "query wx",
            Self::Questions => "query questions",
            Self::Bench => "query bench",
        }
    }
}

/// Runs one part.
///
/// # Errors
/// When setools or `mandate` does not run, or the report cannot be written.
pub fn run(
    place: &Place,
    part: Part,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.suite(part.suite());
    match part {
        Part::Answers => answers(place, full, seed, report).map(|()| Vec::new()),
        Part::Differences => differences::compare(place, full, seed, report).map(|()| Vec::new()),
        Part::Bench => {
            let mut figures = bench::run(place, full, report)?;
            figures.extend(differences::bench(place, full, report)?);
            Ok(figures)
        }
        Part::Wx => wx::run(place, full, report),
        Part::Questions => policy_questions::run(place, full, report).map(|()| Vec::new()),
    }
}

/// A policy that both sides are asked about.
struct Asked {
    name: String,
    path: PathBuf,
    policy: Policy,
}

impl Asked {
    fn read(name: String, path: PathBuf) -> Result<Self> {
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let policy = Unvalidated::read(&bytes)?.validate()?;
        Ok(Self { name, path, policy })
    }
}

/// The micro policies that setools reads.
fn small(place: &Place) -> Result<Vec<Asked>> {
    let folder = place.root.join("policies/micro");
    let entries = std::fs::read_dir(&folder).context("reading policies/micro")?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|it| it.path()).collect();
    folders.sort();
    let mut small = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let asked = Asked::read(name, folder.join("policy.bin"))?;
        if VERSIONS.contains(&asked.policy.db().version.number()) {
            small.push(asked);
        }
    }
    ensure!(small.len() >= 30, "only {} small policies", small.len());
    Ok(small)
}

fn answers(place: &Place, full: bool, seed: u64, report: &mut Report<'_>) -> Result<()> {
    report.heading("Questions: sesearch and seinfo")?;
    let number = if full { QUESTIONS.1 } else { QUESTIONS.0 };
    let mcs = Reference::build(place, Flavour::Mcs)?;
    let large = [Asked::read("mcs".to_owned(), mcs.binary())?];
    let small = small(place)?;
    let mut random = Random::new(seed);
    let mut setools = Setools::start(place)?;
    let mut tally = Tally::default();
    for (title, policies) in [("the Reference Policy, mcs", &large[..]), ("small policies", &small)]
    {
        let name = format!("sesearch and seinfo: {title}, seed {seed}");
        let mut comparison = Comparison::new(name);
        let draws: Vec<Draw<'_>> = policies.iter().map(|it| Draw::of(it.policy.db())).collect();
        for at in 0..number / 2 {
            // Every second question is about what few policies have.
            let wanted = (at % 2 == 1).then(|| tally.least());
            let (at, wanted) = choose(&mut random, &draws, at, wanted);
            let (Some(asked), Some(draw)) = (policies.get(at), draws.get(at)) else { continue };
            let question = draw.question(&mut random, &tally, wanted);
            compare(place, &mut setools, asked, &question, &mut tally, &mut comparison)?;
        }
        report.add(&comparison.done())?;
    }
    let share = tally.share_of_answers();
    let enough = format!("{share} % of {} answers hold something", tally.asked);
    report.case("not empty", if share >= NOT_EMPTY { Ok(enough) } else { Err(enough) })?;
    if full {
        let rare = tally.rarer_than(OFTEN);
        let told = format!("each at least {OFTEN} times");
        report.case("options", if rare.is_empty() { Ok(told) } else { Err(rare.join(" ")) })?;
    }
    Ok(())
}

/// A policy that has something for the option, and the option; any policy if none has.
fn choose<'a>(
    random: &mut Random,
    draws: &[Draw<'_>],
    at: usize,
    wanted: Option<(&'a str, &'a str)>,
) -> (usize, Option<(&'a str, &'a str)>) {
    let offers = |(tool, option)| {
        let offering = draws.iter().enumerate().filter(|it| it.1.offers(tool, option));
        offering.map(|it| it.0).collect::<Vec<_>>()
    };
    let offering = wanted.map(offers).unwrap_or_default();
    match random.pick(&offering) {
        Some(&at) => (at, wanted),
        None => (at % draws.len().max(1), None),
    }
}

fn compare(
    place: &Place,
    setools: &mut Setools,
    asked: &Asked,
    question: &Question,
    tally: &mut Tally,
    comparison: &mut Comparison,
) -> Result<()> {
    let words = question.words(&asked.path);
    let theirs = setools.ask(question.tool, &words)?;
    let ours = ours(&place.mandate()?, question.tool, &words)?;
    tally.count(question, &theirs);
    let (ours_told, theirs_told) = (told(&ours), told(&theirs));
    if ours_told == theirs_told && ours.code == theirs.code {
        comparison.agree();
        return Ok(());
    }
    let only = |a: &[String], b: &[String], answer: &Answer| {
        let lines: Vec<&String> = a.iter().filter(|it| !b.contains(it)).take(3).collect();
        format!("exit {}, {} lines, only here: {lines:?} {}", answer.code, a.len(), answer.said)
    };
    comparison.disagree(
        format!("{}: {} {}", asked.name, question.tool, question.options.join(" ")),
        only(&ours_told, &theirs_told, &ours),
        only(&theirs_told, &ours_told, &theirs),
    );
    Ok(())
}

/// Asks ours, under the name of the original.
fn ours(mandate: &Path, tool: &str, words: &[String]) -> Result<Answer> {
    let mut command = Command::new(mandate);
    let output = command.arg0(tool).args(words).output().context("starting mandate")?;
    Ok(Answer {
        code: output.status.code().unwrap_or(-1),
        lines: String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
        seconds: 0.0,
    })
}

/// The lines in order, and the names within braces too. What a failure prints is each side's own.
fn told(answer: &Answer) -> Vec<String> {
    if answer.code != 0 {
        return Vec::new();
    }
    let mut lines: Vec<String> = answer.lines.iter().map(|it| with_sorted_sets(it)).collect();
    lines.sort_unstable();
    lines
}

fn with_sorted_sets(line: &str) -> String {
    let mut parts = line.split("{ ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, rest) = part.split_once('}').unwrap_or((part, ""));
        let mut names: Vec<&str> = inside.split_whitespace().collect();
        names.sort_unstable();
        text += &format!("{{ {} }}{rest}", names.join(" "));
    }
    text
}
