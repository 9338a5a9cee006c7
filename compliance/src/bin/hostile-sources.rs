//! `hostile-sources`: damaged sources must give diagnostics, never a panic, and within bounds: a second for 64 KiB, and the
//! memory that is allowed for the format.
//! A program of its own, because its allocator counts, and because an abort ends it.
//!
//! The corpus is cut from the sources of Debian's Reference Policy (or of `policies/base` without the originals) and the
//! micro policies.

use std::alloc::System;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cap::Cap;
use clap::Parser;
use mandate_compliance::compile::{fuzz::readers, tree};
use mandate_compliance::labels::damaged;
use mandate_compliance::mutate::{damaged, mutant};
use mandate_compliance::place::Place;
use mandate_compliance::random::Random;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// No more is given out: a reader that wants it aborts, which is a failure as any other.
const CEILING: usize = 4 << 30;
/// How long a mutant of up to [`UNIT`] bytes may take.
const LIMIT: Duration = Duration::from_secs(1);
const UNIT: usize = 64 << 10;
/// A text of the corpus is at most so many lines of a file.
const LINES: usize = 60;

/// Feeds damaged sources to a reader.
#[derive(Parser)]
struct Args {
    /// Which language.
    format: readers::Format,
    /// How many mutants.
    #[arg(long, default_value_t = 50_000)]
    mutants: usize,
    /// Which mutants.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    from: usize,
    /// Note here which mutant it is at.
    #[arg(long, value_name = "FILE")]
    progress: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let place = Place::here()?;
    let corpus = corpus(&place, args.format)?;
    let mut reader = readers::Reader::new(&place, args.format)?;
    let progress = args.progress.as_ref().map(File::create).transpose().context("the progress")?;
    // A panic is told of where it is counted.
    std::panic::set_hook(Box::new(|_| ()));
    ALLOCATOR.set_limit(CEILING).map_err(|_| anyhow::anyhow!("the ceiling is too low"))?;
    let mut tally = Tally::new(args.format);
    for number in args.from..args.from + args.mutants {
        if let Some(file) = &progress {
            file.write_all_at(format!("{number:<12}").as_bytes(), 0)?;
        }
        let mut random = Random::new(args.seed ^ (number as u64).wrapping_mul(0x9e37_79b9));
        let text = match args.format.is_binary() {
            true => damaged(&mut random, &corpus),
            false => mutant(&mut random, &corpus),
        };
        if let Err(problem) = tally.feed(&mut reader, &text) {
            let name = format!("hostile-{}-{number}", args.seed);
            let kept = place.keep(&name, &text)?;
            tally.failures.push(format!("mutant {number}: {problem}; {kept}"));
        }
        // What was the most ever taken stays the most: those after it could not be told apart.
        if tally.failures.len() > 20 || tally.peak() > tally.allowance {
            break;
        }
    }
    tally.tell(args.mutants)
}

struct Tally {
    refused: usize,
    slowest: Duration,
    /// What reading may take above what stands ready before.
    allowance: usize,
    /// What stands ready: it is not the readers'.
    before: usize,
    failures: Vec<String>,
}

impl Tally {
    fn new(format: readers::Format) -> Self {
        let (allowance, before) = (format.allowance(), ALLOCATOR.allocated());
        let (refused, slowest, failures) = (0, Duration::ZERO, Vec::new());
        Self { refused, slowest, allowance, before, failures }
    }

    /// The most ever taken above what stands ready. Getting ready may have taken it: then no reader took more.
    fn peak(&self) -> usize {
        ALLOCATOR.max_allocated().saturating_sub(self.before)
    }

    /// Reads a mutant; what went wrong other than by a diagnostic.
    fn feed(&mut self, reader: &mut readers::Reader, text: &[u8]) -> Result<(), String> {
        let mut took = Duration::MAX;
        // A busy machine makes one reading slow, hardly three of them.
        for _ in 0..3 {
            let started = Instant::now();
            let read = catch_unwind(AssertUnwindSafe(|| reader.read(text)));
            took = took.min(started.elapsed());
            let told = read.map_err(|why| format!("panicked: {}", readers::panic_text(&*why)))?;
            self.refused += usize::from(told);
            if took <= allowed(text) {
                break;
            }
        }
        self.slowest = self.slowest.max(took);
        if self.peak() > self.allowance {
            let (took, allowed) = (self.peak() >> 10, self.allowance >> 10);
            return Err(format!("took {took} KiB, {allowed} allowed"));
        }
        if took > allowed(text) {
            return Err(format!("took {:.2} s for {} bytes", took.as_secs_f64(), text.len()));
        }
        Ok(())
    }

    fn tell(&self, mutants: usize) -> Result<ExitCode> {
        let mut out = io::stdout().lock();
        for failure in &self.failures {
            writeln!(out, "{failure}")?;
        }
        let (refused, slowest) = (self.refused, self.slowest.as_millis());
        let (peak, allowed) = (self.peak() >> 10, self.allowance >> 20);
        writeln!(
            out,
            "{refused} of {mutants} refused; slowest {slowest} ms; peak {peak} KiB of {allowed} MiB"
        )?;
        // An allocator that counts nothing would prove nothing.
        let measured = peak > 0 || mutants == 0;
        ensure!(measured, "no memory was counted");
        Ok(if self.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn allowed(text: &[u8]) -> Duration {
    let units = text.len().div_ceil(UNIT).max(1);
    LIMIT * u32::try_from(units).unwrap_or(u32::MAX)
}

/// Parts of real files, small enough that 50,000 mutants are quickly read.
fn corpus(place: &Place, format: readers::Format) -> Result<Vec<Vec<u8>>> {
    if format.is_of_labels() {
        return damaged::corpus(place, format);
    }
    let tree = tree::pristine(place).unwrap_or_else(|_| place.root.join("policies/base"));
    let mut texts = format.binaries();
    for (folder, ends) in format.sources() {
        let folder = if folder.starts_with("policies/") || folder.starts_with("compliance/") {
            place.root.join(folder)
        } else {
            tree.join(folder)
        };
        for path in files(&folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if ends.iter().any(|end| name.ends_with(end)) {
                let bytes =
                    fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
                texts.extend(if format.whole() { vec![bytes] } else { parts(&bytes) });
            }
        }
    }
    ensure!(!texts.is_empty(), "no corpus");
    Ok(texts)
}

/// A file in runs of lines.
fn parts(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    lines.chunks(LINES).map(<[&[u8]]>::concat).collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    if folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let entries =
        fs::read_dir(folder).with_context(|| format!("looking into {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}
