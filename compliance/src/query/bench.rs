//! Time: whole processes of `sesearch`, ours beside setools', and what either does within.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use mandate_policydb::{RuleKind, Unvalidated};
use mandate_query::name::NameCriterion;
use mandate_query::search::{Choice, End, Kind, Match, RuleQuery};
use mandate_query::{Statements, Style};

use super::setools::Setools;
use crate::bench::{Figure, median, note};
use crate::place::Place;
use crate::reference::{Flavour, Reference};
use crate::report::Report;

/// Rounds of the full size: theirs once, then ours so often.
const ROUNDS: usize = 5;
const OURS_EACH: usize = 5;

/// A question, what it is to take, and how many times less than the original.
struct Timed {
    words: &'static [&'static str],
    seconds: f64,
    times: f64,
}

const TIMED: [Timed; 3] = [
    Timed { words: &["-A"], seconds: 0.15, times: 15.0 },
    Timed { words: &["-A", "-s", "httpd_t"], seconds: 0.03, times: 50.0 },
    Timed {
        words: &["-A", "-t", "shadow_t", "-c", "file", "-p", "write"],
        seconds: 0.03,
        times: 40.0,
    },
];

/// Times both sides in turns; at the small size once each, to see that it runs.
///
/// # Errors
/// When a side fails or the report cannot be written.
pub fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Questions: time")?;
    let policy = Reference::build(place, Flavour::Mcs)?.binary();
    let mandate = place.mandate()?;
    let mut setools = Setools::start(place)?;
    let mut figures = Vec::new();
    for timed in &TIMED {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..if full { ROUNDS } else { 1 } {
            theirs.push(seconds(Path::new("/usr/bin/sesearch"), &policy, timed.words)?);
            for _ in 0..if full { OURS_EACH } else { 1 } {
                ours.push(seconds(&mandate, &policy, timed.words)?);
            }
        }
        let words: Vec<String> = [policy.display().to_string()]
            .into_iter()
            .chain(timed.words.iter().map(|it| (*it).to_owned()))
            .collect();
        // The first time, the policy is read.
        setools.ask("sesearch", &words)?;
        let within = setools.ask("sesearch", &words)?.seconds;
        let parts = our_parts(&policy, &timed.query())?;
        figures.push(figure(timed, median(ours), median(theirs), within, parts));
    }
    report.case("measured", Ok(format!("{} figures", figures.len())))?;
    if !full {
        return Ok(Vec::new());
    }
    figures.iter().try_for_each(|it| note(it, report))?;
    Ok(figures)
}

fn figure(timed: &Timed, ours: f64, theirs: f64, within: f64, (load, rest): (f64, f64)) -> Figure {
    Figure {
        what: format!("sesearch {}, whole process", timed.words.join(" ")),
        reach: format!("at most {} s, at least {} ×", timed.seconds, timed.times),
        ours: format!("{ours:.3} s, of which {load:.3} s read and {rest:.3} s search and print"),
        theirs: format!("{theirs:.2} s, of which {within:.2} s search and print"),
        ratio: format!("{:.0} × faster", theirs / ours),
    }
}

/// How long a whole process takes; its answer goes into a pipe, and is read.
fn seconds(program: &Path, policy: &Path, words: &[&str]) -> Result<f64> {
    let mut command = Command::new(program);
    command.arg0("sesearch").args(words).arg(policy);
    if program.starts_with("/usr/bin") {
        command = Command::new(program);
        command.args(words).arg(policy);
    }
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("starting {}", program.display()))?;
    let took = started.elapsed().as_secs_f64();
    ensure!(output.status.success() && !output.stdout.is_empty(), "sesearch {words:?} failed");
    Ok(took)
}

impl Timed {
    /// The same question as a value.
    fn query(&self) -> RuleQuery {
        let argument = |option: &str| {
            let at = self.words.iter().position(|it| *it == option)?;
            self.words.get(at + 1).map(|it| (*it).to_owned())
        };
        let end = |option| {
            argument(option).map(|name| End { name: NameCriterion::Exact(name), direct: false })
        };
        RuleQuery {
            kinds: vec![Kind::Te(RuleKind::Allow), Kind::Te(RuleKind::AllowXperm)],
            source: end("-s"),
            target: end("-t"),
            classes: argument("-c").map(|it| Choice::Names(vec![it])),
            permissions: argument("-p").map(|it| (vec![it], Match::Any)),
            ..RuleQuery::default()
        }
    }
}

/// Within this process: how long reading and checking the policy takes, and how long the search and its text.
fn our_parts(policy: &Path, query: &RuleQuery) -> Result<(f64, f64)> {
    let bytes = std::fs::read(policy).context("reading the policy")?;
    let (mut reading, mut searching) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let started = Instant::now();
        let policy = Unvalidated::read(&bytes)?.validate()?;
        reading.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        let mut text = Vec::new();
        let mut statements = Statements::new(policy.db(), Style::Setools);
        query.ask(policy.db())?.iter().for_each(|it| statements.push(&mut text, it));
        searching.push(started.elapsed().as_secs_f64());
        ensure!(!text.is_empty(), "no rule fits");
    }
    Ok((median(reading), median(searching)))
}
