//! How fast labels are found, and how much memory that takes: ours and both libselinux in the same run.

use std::hint::black_box;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use mandate_label::file_contexts::{FileContexts, Lookup};

use super::oracle::{Oracle, Record};
use super::paths::{self, Directory};
use super::table::Table;
use crate::bench::{Figure, count, median, note, thousands};
use crate::place::Place;
use crate::random::Random;
use crate::reference::Flavour;
use crate::report::Report;

/// Rounds of ours; the best counts.
const ROUNDS: usize = 5;
/// Whole processes of each side.
const PROCESSES: usize = 41;
/// Paths that patterns describe.
const MADE: usize = 21_000;
/// The slow libselinux is asked about so many.
const SLOW: usize = 3_000;
/// Otherwise only so many are asked.
const SMOKE: usize = 500;

/// Seconds, best of [`ROUNDS`], of a pass by a lookup that knows nothing, and of the one after it.
#[derive(Clone, Copy)]
struct Passes {
    first: f64,
    later: f64,
}

/// Measures at full size; otherwise sees that it runs.
pub(super) fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Labels: time and memory, one thread")?;
    let table = Table::debian(place, Flavour::Mcs)?;
    let mut walk = paths::walk(Path::new("/usr"));
    walk.truncate(if full { usize::MAX } else { SMOKE });
    let mut made = paths::made(&mut Random::new(1), &table.patterns(), MADE);
    made.truncate(if full { usize::MAX } else { SMOKE });
    let bench = Bench {
        ours: table.compile_all()?,
        path: table.write(&place.work.join("labels").join("bench"))?,
        records: paths::records(&walk),
        installed: Oracle::installed(place)?,
        later: Oracle::later(place)?,
        program: place.mandate()?,
        table,
        walk,
        made,
    };
    let figures = bench.figures()?;
    if !full {
        report.case("measured", Ok("it runs; its times mean nothing".to_owned()))?;
        return Ok(Vec::new());
    }
    figures.iter().try_for_each(|figure| note(figure, report))?;
    report.case("measured", Ok(format!("{} figures", figures.len())))?;
    Ok(figures)
}

struct Bench {
    program: PathBuf,
    table: Table,
    path: PathBuf,
    ours: FileContexts,
    walk: Vec<Directory>,
    records: Vec<Record>,
    made: Vec<Record>,
    installed: Oracle,
    later: Oracle,
}

impl Bench {
    fn figures(&self) -> Result<Vec<Figure>> {
        let mut figures = self.walk()?;
        figures.extend(self.made()?);
        figures.extend(self.opening()?);
        figures.push(self.memory());
        Ok(figures)
    }

    /// `/usr` in the order of a walk.
    fn walk(&self) -> Result<Vec<Figure>> {
        let n = count(self.records.len());
        let entries = self.passes(|lookup| self.walk_with(lookup));
        let whole = self.passes(|lookup| ask_all(lookup, &self.records));
        let slow = paths::sample(&self.records, SLOW);
        let slow = seconds(&self.installed, &self.path, &slow)? / count(slow.len());
        let fast = seconds(&self.later, &self.path, &self.records)? / n;
        let what = format!("{} paths of /usr in the order of a walk", self.records.len());
        let (old, new) = (&self.installed.name, &self.later.name);
        let over = |name: &str| format!("{what}, against {name}");
        Ok(vec![
            rate(format!("{what}: first pass, by entry"), "2,000,000/s", n / entries.first, None),
            rate(over(old), "400 × the original", n / entries.later, Some(1.0 / slow)),
            rate(over(new), "25 × the original", n / entries.later, Some(1.0 / fast)),
            rate(format!("{what}: first pass, whole paths"), "", n / whole.first, None),
            rate(format!("{what}: later passes, whole paths"), "", n / whole.later, None),
        ])
    }

    fn made(&self) -> Result<Vec<Figure>> {
        let n = count(self.made.len());
        let passes = self.passes(|lookup| ask_all(lookup, &self.made));
        let later = n / seconds(&self.later, &self.path, &self.made)?;
        let slow = paths::sample(&self.made, SLOW);
        let installed = count(slow.len()) / seconds(&self.installed, &self.path, &slow)?;
        let what = format!("{} paths that patterns describe", self.made.len());
        let (old, new) = (&self.installed.name, &self.later.name);
        Ok(vec![
            rate(
                format!("{what}: first pass, against {new}"),
                "200,000/s",
                n / passes.first,
                Some(later),
            ),
            rate(
                format!("{what}: later passes, against {new}"),
                "1,000,000/s",
                n / passes.later,
                Some(later),
            ),
            rate(
                format!("{what}: later passes, against {old}"),
                "",
                n / passes.later,
                Some(installed),
            ),
        ])
    }

    fn opening(&self) -> Result<Vec<Figure>> {
        let bytes = self.ours.to_bytes();
        let text = best(|| drop(black_box(self.table.compile())));
        let cache = best(|| {
            let table = FileContexts::from_bytes(black_box(&bytes));
            table.map(|it| black_box(Lookup::new(&it).size()));
        });
        ensure!(FileContexts::from_bytes(&bytes).is_some(), "what was written is not read");
        let some = paths::sample(&self.made, 1);
        let later = self.later.ask("lookup", &self.path, &some)?.open;
        let time = |what: &str, reach: &str, ours: f64, theirs: Option<f64>| Figure {
            what: what.to_owned(),
            reach: reach.to_owned(),
            ours: format!("{:.2} ms", ours * 1e3),
            theirs: theirs.map_or_else(String::new, |it| format!("{:.2} ms", it * 1e3)),
            ratio: theirs.map_or_else(String::new, |it| format!("{:.2} ×", it / ours)),
        };
        let lines = format!("{} lines", self.ours.len());
        let (ours, theirs) = self.processes()?;
        Ok(vec![
            time(
                "matchpathcon of one path, the whole process",
                "at most the original",
                ours,
                Some(theirs),
            ),
            time(
                &format!(
                    "{lines}: opened from text, all patterns compiled (the original compiles them later)"
                ),
                "at most 60 ms",
                text,
                Some(later),
            ),
            time(
                &format!("{lines}: opened from the form that is kept, {} KiB", bytes.len() >> 10),
                "at most 2 ms",
                cache,
                None,
            ),
        ])
    }

    /// Seconds of `matchpathcon` of one path, ours with its cache and the original, in turns.
    fn processes(&self) -> Result<(f64, f64)> {
        let ours = self.program.as_path();
        let run = |program: &Path, ours: bool| {
            let mut command = Command::new(program);
            if ours {
                command.arg0("matchpathcon");
            }
            command.arg("-f").arg(&self.path).arg("/usr/bin/passwd").stdout(Stdio::null());
            let started = Instant::now();
            let status = command.status().with_context(|| program.display().to_string())?;
            ensure!(status.success(), "{}: {status}", program.display());
            Ok(started.elapsed().as_secs_f64())
        };
        let original = Path::new("/usr/sbin/matchpathcon");
        let mut seconds = (Vec::new(), Vec::new());
        for _ in 0..PROCESSES {
            seconds.0.push(run(ours, true)?);
            seconds.1.push(run(original, false)?);
        }
        Ok((median(seconds.0), median(seconds.1)))
    }

    fn memory(&self) -> Figure {
        let mut lookup = Lookup::new(&self.ours);
        self.walk_with(&mut lookup);
        let (states, bytes) = lookup.size();
        ask_all(&mut lookup, &self.made);
        let (more_states, more) = lookup.size();
        let mebibytes = |it: usize| count(it) / f64::from(1 << 20);
        Figure {
            what: "memory of the automaton after /usr, and after the described paths as well"
                .into(),
            reach: String::new(),
            ours: format!(
                "{:.1} MiB ({states} states), {:.1} MiB ({more_states} states)",
                mebibytes(bytes),
                mebibytes(more)
            ),
            theirs: String::new(),
            ratio: String::new(),
        }
    }

    fn passes(&self, ask: impl Fn(&mut Lookup<'_>)) -> Passes {
        let mut passes = Passes { first: f64::MAX, later: f64::MAX };
        for _ in 0..ROUNDS {
            let mut lookup = Lookup::new(&self.ours);
            passes.first = passes.first.min(time(|| ask(&mut lookup)));
            passes.later = passes.later.min(time(|| ask(&mut lookup)));
        }
        passes
    }

    fn walk_with(&self, lookup: &mut Lookup<'_>) {
        for Directory { path, entries } in &self.walk {
            let mut directory = lookup.directory(path);
            for (name, kind) in entries {
                black_box(lookup.entry(&mut directory, name, Some(*kind)));
            }
        }
    }
}

fn ask_all(lookup: &mut Lookup<'_>, records: &[Record]) {
    for record in records {
        black_box(lookup.path(&record.path, record.kind));
    }
}

fn time(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

fn best(work: impl Fn()) -> f64 {
    (0..ROUNDS).map(|_| time(&work)).fold(f64::MAX, f64::min)
}

/// Seconds of the original's second round: the first compiles patterns.
fn seconds(oracle: &Oracle, table: &Path, records: &[Record]) -> Result<f64> {
    let told = oracle.ask_rounds("lookup", table, records, 2)?;
    told.rounds.last().copied().context("no round was timed")
}

fn rate(what: String, reach: &str, ours: f64, theirs: Option<f64>) -> Figure {
    Figure {
        what,
        reach: reach.to_owned(),
        ours: format!("{}/s", thousands(ours)),
        theirs: theirs.map_or_else(String::new, |it| format!("{}/s", thousands(it))),
        ratio: theirs.map_or_else(String::new, |it| format!("{:.0} × faster", ours / it)),
    }
}
