//! Damaged sources, by the program `hostile-sources`: a process for each format, because an abort is what must not happen.

pub mod readers;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::bench::Figure;
use crate::place::Place;
use crate::report::Report;

/// The formats, by the names that `hostile-sources` knows.
pub const FORMATS: [&str; 9] = ["m4", "conf", "te", "if", "fc", "settings", "cil", "mod", "pp"];
/// Those of labels.
pub const LABELS: [&str; 11] = [
    "file-contexts",
    "subs",
    "file-contexts-cache",
    "pattern",
    "media",
    "x-contexts",
    "sepgsql",
    "seusers",
    "default-contexts",
    "setrans",
    "homedir-template",
];
/// Mutants of each: in continuous integration, and at full size.
const MUTANTS: (usize, usize) = (50_000, 200_000);
/// A mutant that takes so long hangs; the limit that is told of is the program's own.
const STUCK: Duration = Duration::from_secs(60);

/// Feeds every format its mutants, as many formats at the same time as there are cores.
///
/// # Errors
/// When the program is not built or the report cannot be written.
pub fn run(place: &Place, full: bool, seed: u64, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    feed_all(place, &FORMATS, full, seed, report)
}

/// Feeds these formats theirs.
///
/// # Errors
/// When the program is not built or the report cannot be written.
pub fn feed_all(
    place: &Place,
    formats: &[&'static str],
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading(&format!("Damaged sources, seed {seed}"))?;
    let program = std::env::current_exe().context("finding this program")?;
    let program = program.with_file_name("hostile-sources");
    ensure!(program.is_file(), "{} is not built", program.display());
    let n = if full { MUTANTS.1 } else { MUTANTS.0 };
    let mut figures = Vec::new();
    for pair in formats.chunks(2) {
        let told: Vec<Result<String>> = std::thread::scope(|scope| {
            let feed = |format: &&'static str| {
                let (program, format) = (&program, *format);
                scope.spawn(move || feed(place, program, format, n, seed))
            };
            let running: Vec<_> = pair.iter().map(feed).collect();
            let panicked = || Err(anyhow::anyhow!("watching the mutants panicked"));
            running.into_iter().map(|it| it.join().unwrap_or_else(|_| panicked())).collect()
        });
        for (format, told) in pair.iter().zip(told) {
            let name = format!("{n} mutants, {format}, seed {seed}");
            figures.push(figure(&name, &told));
            report.case(&name, told.map_err(|why| format!("{why:#}")))?;
        }
    }
    Ok(figures)
}

fn figure(name: &str, told: &Result<String>) -> Figure {
    Figure {
        what: name.to_owned(),
        reach: "no panic, at most 1 s for 64 KiB, at most 64 MiB (512 MiB with macros)".into(),
        ours: told.as_ref().map_or_else(|why| format!("{why:#}"), Clone::clone),
        theirs: String::new(),
        ratio: String::new(),
    }
}

/// Runs one format; the last line that the program says, or how it failed.
fn feed(place: &Place, program: &Path, format: &str, n: usize, seed: u64) -> Result<String> {
    let progress = place.work.join(format!("hostile-{format}-{}", std::process::id()));
    let mut command = Command::new(program);
    command.args([format, "--mutants", &n.to_string(), "--seed", &seed.to_string()]);
    command.arg("--progress").arg(&progress).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().context("starting hostile-sources")?;
    let watched = Watched { child, progress };
    watched.wait(format, seed)
}

/// A running program and the file where it notes the mutant that it is at.
struct Watched {
    child: Child,
    progress: PathBuf,
}

impl Watched {
    fn at(&self) -> String {
        let text = std::fs::read_to_string(&self.progress).unwrap_or_default();
        text.trim().to_owned()
    }

    fn wait(mut self, format: &str, seed: u64) -> Result<String> {
        let (mut at, mut since) = (self.at(), Instant::now());
        let status = loop {
            if let Some(status) = self.child.try_wait().context("waiting for hostile-sources")? {
                break status;
            }
            std::thread::sleep(Duration::from_millis(20));
            if at != self.at() {
                (at, since) = (self.at(), Instant::now());
            } else if since.elapsed() > STUCK {
                self.child.kill().context("ending hostile-sources")?;
            }
        };
        let at = self.at();
        let output = self.child.wait_with_output().context("reading hostile-sources")?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let _gone = std::fs::remove_file(&self.progress);
        let again = format!("hostile-sources {format} --seed {seed} --from {at} --mutants 1");
        ensure!(status.success(), "{status} at mutant {at}; again: {again}\n{said}");
        Ok(said.lines().last().unwrap_or_default().to_owned())
    }
}
