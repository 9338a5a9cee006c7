//! How fast and how large: ours and libsepol on the same policy, in the same run.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::ours::Server;
use crate::place::{Place, run as run_program};
use crate::queries::{Access, Draw, Pool};
use crate::reference::{Flavour, Reference};
use crate::report::Report;
use crate::sepol::Sepol;

/// How much work a bench does.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often a policy is loaded.
    pub loads: usize,
    /// How many decisions both sides make.
    pub decisions: usize,
    /// How often ours makes them.
    pub rounds: usize,
    /// How many times the cached decisions are asked.
    pub cached: usize,
    /// How many questions are asked before memory is read.
    pub memory: usize,
    /// Whether its times mean anything.
    pub tells: bool,
}

impl Effort {
    /// Enough to see that everything runs; its times mean nothing.
    pub const SMOKE: Self =
        Self { loads: 1, decisions: 2_000, rounds: 1, cached: 10, memory: 10_000, tells: false };
    /// Enough for docs/figures.md.
    pub const FULL: Self = Self {
        loads: 61,
        decisions: 200_000,
        rounds: 5,
        cached: 50_000,
        memory: 1_000_000,
        tells: true,
    };
}

/// How many different questions the cache is asked; they all fit.
const CACHED: usize = 256;
/// How often scaling over two threads is tried; the best counts.
const SCALING_RUNS: usize = 5;

/// Rounds of a run: long enough that starting a thread, or a neighbour on the machine, does not decide.
const SCALING_ROUNDS: usize = 10;

/// One line of docs/figures.md.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// What it is meant to reach.
    pub reach: String,
    /// Ours, with its unit.
    pub ours: String,
    /// Theirs, with its unit; empty where the original has no such thing.
    pub theirs: String,
    /// How many times better ours is.
    pub ratio: String,
}

/// Measures everything on every policy.
///
/// # Errors
/// When a side does not run to its end, or the report cannot be written.
pub fn run(
    place: &Place,
    references: &[Reference],
    effort: Effort,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading("Speed and memory")?;
    let mut figures = Vec::new();
    for reference in references {
        figures.extend(Bench::start(place, reference, effort, seed)?.figures()?);
    }
    if effort.tells {
        figures.iter().try_for_each(|figure| note(figure, report))?;
    }
    let count = figures.len();
    report.case(
        "measured",
        if count > 0 { Ok(format!("{count} figures")) } else { Err("none".into()) },
    )?;
    Ok(figures)
}

/// Writes a figure into a report.
///
/// # Errors
/// When the report cannot be written.
pub fn note(figure: &Figure, report: &mut Report<'_>) -> std::io::Result<()> {
    let Figure { what, reach, ours, theirs, ratio } = figure;
    let theirs =
        if theirs.is_empty() { String::new() } else { format!(", theirs {theirs} ({ratio})") };
    report.note(&format!("{what}: ours {ours}{theirs}; reach: {reach}"))
}

struct Bench<'a> {
    place: &'a Place,
    reference: &'a Reference,
    effort: Effort,
    sepol: Sepol,
    server: Server,
    pool: Pool,
    asked: Vec<Access>,
    for_memory: Vec<Access>,
    bytes: Vec<u8>,
}

impl<'a> Bench<'a> {
    fn start(
        place: &'a Place,
        reference: &'a Reference,
        effort: Effort,
        seed: u64,
    ) -> Result<Self> {
        let path = reference.binary();
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let mut sepol = Sepol::load(place, &path)?;
        let vocabulary = sepol.vocabulary()?;
        let pool = Pool::fill(&vocabulary, &mut sepol, seed)?;
        let mut server = Server::load(&bytes)?;
        for pooled in &pool.contexts {
            server.add_context(&pooled.text)?;
        }
        let mut draw = Draw::new(&vocabulary, &pool, seed);
        let asked = (0..effort.decisions).map(|_| draw.access()).collect();
        let for_memory = (0..effort.memory).map(|_| draw.access()).collect();
        Ok(Self { place, reference, effort, sepol, server, pool, asked, for_memory, bytes })
    }

    fn figures(mut self) -> Result<Vec<Figure>> {
        Ok(vec![self.load()?, self.decisions()?, self.cache_hit(), self.scaling(), self.memory()?])
    }

    fn what(&self, what: &str) -> String {
        format!("{what}, {}", self.reference.flavour.name())
    }

    /// Both in turns, so that a busy moment of the machine meets both.
    fn load(&mut self) -> Result<Figure> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..self.effort.loads {
            theirs.push(self.sepol.ask_one("read\t1")?.parse().context("libsepol's seconds")?);
            let started = Instant::now();
            let server = Server::load(black_box(&self.bytes))?;
            ours.push(started.elapsed().as_secs_f64());
            drop(server);
        }
        let theirs = median(theirs);
        let ours = median(ours);
        Ok(Figure {
            what: self.what("load, ready to decide"),
            reach: "at most 1/4 of libsepol's time".into(),
            ours: format!("{:.1} ms", ours * 1e3),
            theirs: format!("{:.1} ms", theirs * 1e3),
            ratio: format!("{:.1} × faster", theirs / ours),
        })
    }

    fn decisions(&mut self) -> Result<Figure> {
        let questions: Vec<String> = self
            .asked
            .iter()
            .map(|access| {
                crate::decisions::question(&self.pool, *access).replacen("access", "queue", 1)
            })
            .collect();
        self.sepol.ask(&questions)?;
        let theirs: f64 = self.sepol.ask_one("bench")?.parse().context("libsepol's seconds")?;
        let rounds =
            (0..self.effort.rounds).map(|_| seconds(|| self.server.decide_all(&self.asked)));
        let ours = median(rounds.collect());
        let n = count(self.asked.len());
        let reach =
            if self.reference.flavour == Flavour::Mls { "300,000/s" } else { "1,000,000/s" };
        Ok(Figure {
            what: self.what("first-time decisions, one thread"),
            reach: format!("{reach} and 40 × libsepol"),
            ours: format!("{}/s", thousands(n / ours)),
            theirs: format!("{}/s", thousands(n / theirs)),
            ratio: format!("{:.0} × faster", theirs / ours),
        })
    }

    /// Questions that the cache has answered once.
    fn warm(&self) -> Vec<crate::ours::Cached> {
        let first: Vec<Access> = self.asked.iter().copied().take(CACHED).collect();
        let cached = self.server.cached(&first);
        black_box(self.server.decide_cached(&cached));
        cached
    }

    fn ask_cached(&self, cached: &[crate::ours::Cached]) -> f64 {
        seconds(|| {
            for _ in 0..self.effort.cached {
                black_box(self.server.decide_cached(black_box(cached)));
            }
        })
    }

    fn cache_hit(&self) -> Figure {
        let cached = self.warm();
        let asked = count(cached.len()) * count(self.effort.cached);
        let runs = (0..self.effort.rounds).map(|_| self.ask_cached(&cached) / asked);
        Figure {
            what: self.what("cached decision"),
            reach: "at most 30 ns".into(),
            ours: format!("{:.1} ns", median(runs.collect()) * 1e9),
            theirs: String::new(),
            ratio: String::new(),
        }
    }

    fn scaling(&self) -> Figure {
        let cached = self.warm();
        let ask = || {
            for _ in 0..SCALING_ROUNDS {
                self.ask_cached(&cached);
            }
        };
        let best = (0..SCALING_RUNS).map(|_| {
            let one = seconds(ask);
            let two = seconds(|| {
                std::thread::scope(|scope| {
                    for _ in 0..2 {
                        scope.spawn(ask);
                    }
                });
            });
            2.0 * one / two
        });
        Figure {
            what: self.what("cached decisions, two threads over one"),
            reach: "at least 1.6 ×, best of 5".into(),
            ours: format!("{:.2} ×", best.fold(0.0, f64::max)),
            theirs: String::new(),
            ratio: String::new(),
        }
    }

    /// Peak memory of a fresh process on each side, after the same questions.
    fn memory(&self) -> Result<Figure> {
        let file = self.place.work.join(format!("memory.{}", std::process::id()));
        write_questions(&file, &self.pool, &self.for_memory)?;
        let mut child = Command::new(std::env::current_exe().context("finding this program")?);
        child.arg("memory").arg(self.reference.binary()).arg(&file);
        let output = run_program(&mut child)?;
        fs::remove_file(&file).context("removing the questions")?;
        let ours: f64 =
            String::from_utf8_lossy(&output.stdout).trim().parse().context("our memory")?;
        let theirs = self.their_memory()?;
        Ok(Figure {
            what: self.what(&format!("peak memory after {} questions", self.for_memory.len())),
            reach: "at most 40 MiB".into(),
            ours: format!("{:.1} MiB", ours / 1024.0),
            theirs: format!("{:.1} MiB", theirs / 1024.0),
            ratio: format!("{:.2} × libsepol's", ours / theirs),
        })
    }

    /// libsepol's is the same after few questions as after many: it keeps nothing between two.
    fn their_memory(&self) -> Result<f64> {
        let mut sepol = Sepol::load(self.place, &self.reference.binary())?;
        let contexts: Vec<String> =
            self.pool.contexts.iter().map(|pooled| format!("context\t{}", pooled.text)).collect();
        let numbers = sepol.ask(&contexts)?;
        if numbers.iter().any(|answer| answer == "-") {
            bail!("libsepol refuses a context that it accepted before");
        }
        let same =
            |access: &&Access| access.source < contexts.len() && access.target < contexts.len();
        let questions: Vec<String> = self
            .for_memory
            .iter()
            .filter(same)
            .take(1_000)
            .map(|it| format!("access\t{}\t{}\t{}", it.source, it.target, it.class))
            .collect();
        sepol.ask(&questions)?;
        sepol.ask_one("memory")?.parse().context("libsepol's memory")
    }
}

/// The contexts, an empty line, then a question per line.
fn write_questions(path: &Path, pool: &Pool, asked: &[Access]) -> Result<()> {
    let file = fs::File::create(path).with_context(|| format!("making {}", path.display()))?;
    let mut out = BufWriter::new(file);
    for pooled in &pool.contexts {
        writeln!(out, "{}", pooled.text)?;
    }
    writeln!(out)?;
    for access in asked {
        writeln!(out, "{} {} {}", access.source, access.target, access.class)?;
    }
    Ok(out.flush()?)
}

/// What the child process of the memory bench does; its peak resident size in kB.
///
/// # Errors
/// When a file cannot be read or is not as [`run`] writes it.
pub fn memory(policy: &Path, questions: &Path) -> Result<u64> {
    let mut server = Server::load(&fs::read(policy).context("reading the policy")?)?;
    let file = fs::File::open(questions).context("opening the questions")?;
    let mut lines = BufReader::new(file).lines();
    for line in lines.by_ref() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        server.add_context(&line)?;
    }
    for line in lines {
        let line = line?;
        let numbers: Vec<&str> = line.split(' ').collect();
        let &[source, target, class] = numbers.as_slice() else { bail!("a question {line:?}") };
        let access =
            Access { source: source.parse()?, target: target.parse()?, class: class.parse()? };
        black_box(server.decide_cached(&server.cached(&[access])));
    }
    let status = fs::read_to_string("/proc/self/status").context("reading /proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = peak.and_then(|text| text.split_whitespace().next());
    number.context("no VmHWM")?.parse().context("VmHWM")
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    black_box(work());
    started.elapsed().max(Duration::from_nanos(1)).as_secs_f64()
}

/// The number in the middle.
#[must_use]
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// A rate to three digits, with commas.
pub(crate) fn thousands(rate: f64) -> String {
    let digits = format!("{rate:.0}");
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_commas() {
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!(thousands(999.0), "999");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
    }
}
