//! How long both sides take for the same log.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::Tools;
use super::logs::Log;
use crate::bench::{Figure, note};
use crate::report::Report;

/// AVC records of the log; another quarter are of system calls. In CI, and at full size.
const AVCS: (usize, usize) = (10_000, 100_000);
/// `aureport --avc --summary` of the original takes time by the square of the objects: it gets a tenth.
const TENTH: usize = 10;
/// The best of so many counts.
const ROUNDS: usize = 5;

/// Seconds, by the clock and of processors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) wall: f64,
    pub(super) cpu: f64,
}

impl Cost {
    pub(super) fn text(self) -> String {
        format!("{:.3} s, {:.3} s of processors", self.wall, self.cpu)
    }
}

/// The least of several runs.
pub(super) fn best(all: &[Cost]) -> Cost {
    let least = |of: fn(&Cost) -> f64| all.iter().map(of).fold(f64::MAX, f64::min);
    Cost { wall: least(|it| it.wall), cpu: least(|it| it.cpu) }
}

pub(super) fn run(
    tools: &Tools,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading("Audit logs: time")?;
    let avcs = if full { AVCS.1 } else { AVCS.0 };
    let (log, tenth) = (tools.folder.join("large.log"), tools.folder.join("tenth.log"));
    std::fs::write(&log, Log::large(seed, avcs)).context("writing a log")?;
    std::fs::write(&tenth, distinct(seed, avcs / TENTH)).context("writing a log")?;
    let rounds = if full { ROUNDS } else { 1 };
    let lines = avcs + avcs / 4;
    let figures = vec![
        figure(
            tools,
            &format!("`ausearch -m avc` of {lines} lines"),
            "≤ 0.1 s",
            ("ausearch", "-m avc"),
            (&log, &log),
            rounds,
        )?,
        figure(
            tools,
            &format!("`aureport --avc` of {lines} lines"),
            "no slower than the original",
            ("aureport", "--avc"),
            (&log, &log),
            rounds,
        )?,
        figure(
            tools,
            &format!(
                "`aureport --avc --summary` of {lines} lines; the original of a tenth, because it takes time by the square"
            ),
            "≤ 0.15 s",
            ("aureport", "--avc --summary"),
            (&log, &tenth),
            rounds,
        )?,
    ];
    if full {
        figures.iter().try_for_each(|figure| note(figure, report))?;
    }
    report.case("measured", Ok(format!("{} figures", figures.len())))?;
    Ok(figures)
}

/// A log of which nearly all objects differ.
fn distinct(seed: u64, avcs: usize) -> String {
    let text = Log::large(seed, avcs);
    let mut n = 0;
    let line = |line: &str| {
        n += 1;
        line.replacen("tcontext=", &format!("tcontext=u{n}_"), 1) + "\n"
    };
    text.lines().map(line).collect()
}

fn figure(
    tools: &Tools,
    what: &str,
    reach: &str,
    (name, options): (&str, &str),
    (log, for_theirs): (&Path, &Path),
    rounds: usize,
) -> Result<Figure> {
    let command = |mut command: Command, log: &Path| {
        command.args(options.split_whitespace()).arg("-if").arg(log);
        command
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(cost(&mut command(tools.ours(name), log))?);
        theirs.push(cost(&mut command(tools.theirs(name), for_theirs))?);
    }
    let (ours, theirs) = (best(&ours), best(&theirs));
    Ok(Figure {
        what: what.to_owned(),
        reach: reach.to_owned(),
        ours: ours.text(),
        theirs: theirs.text(),
        ratio: format!("{:.1} ×", theirs.wall / ours.wall),
    })
}

/// Runs a command whose output goes to a file.
pub(super) fn cost(command: &mut Command) -> Result<Cost> {
    let null = std::fs::File::create("/dev/null").context("opening /dev/null")?;
    command.stdout(null).stderr(std::process::Stdio::null());
    let (before, started) = (children(), Instant::now());
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    let wall = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{command:?}: {status}");
    }
    Ok(Cost { wall, cpu: children() - before })
}

/// Seconds that children used so far which have ended.
fn children() -> f64 {
    // Fields of /proc/self/stat behind the name in parentheses: cutime and cstime are the 14th and 15th.
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = text.rsplit_once(") ").map_or("", |it| it.1);
    let ticks: f64 = rest.split(' ').skip(13).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
    ticks / TICKS
}

/// `sysconf(_SC_CLK_TCK)` on every Linux of today.
const TICKS: f64 = 100.0;
