//! Time of dry runs and real ones beside `setfiles`, and memory of large trees.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::tree;
use crate::bench::{Figure, median, note};
use crate::place::Place;
use crate::report::Report;

/// Entries of the tree: in continuous integration, and at full size.
const ENTRIES: (usize, usize) = (3_000, 122_000);
/// Entries of the trees whose memory is compared.
const MEMORY: (usize, usize) = (5_000, 100_000);
const LARGER: usize = 10;
const ROUNDS: usize = 5;
/// What memory may grow by, and reach, in mebibytes.
const GROWTH: f64 = 8.0;
const MOST: f64 = 64.0;
const SPEC: &str = "/etc/selinux/default/contexts/files/file_contexts";

/// What one run took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    processor: f64,
    seconds: f64,
    mebibytes: f64,
}

pub(super) fn run(
    place: &Place,
    folder: &Path,
    full: bool,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading("Time and memory of walks")?;
    let bench = Bench { ours: place.mandate()?, folder: folder.to_owned() };
    ensure!(Path::new(SPEC).is_file(), "{SPEC} is missing: install selinux-policy-default");
    let mut figures = bench.time(full)?;
    for deep in [false, true] {
        figures.push(bench.memory(full, deep, report)?);
    }
    figures.push(bench.links(full, report)?);
    figures.iter().try_for_each(|figure| note(figure, report))?;
    Ok(if full { figures } else { Vec::new() })
}

struct Bench {
    ours: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn time(&self, full: bool) -> Result<Vec<Figure>> {
        let tree = self.folder.join("tree");
        let entries = if full { ENTRIES.1 } else { ENTRIES.0 };
        let number = copy(Path::new("/usr"), &tree, entries)?;
        let (root, spec) = (tree.display().to_string(), SPEC.to_owned());
        let theirs = |dry: &str| {
            let words = ["-F", "-r", &root, &spec, &root].map(str::to_owned);
            let words = std::iter::once("/sbin/setfiles".to_owned())
                .chain((!dry.is_empty()).then(|| dry.to_owned()))
                .chain(words);
            self.cost(&words.collect::<Vec<_>>())
        };
        let ours = |dry: &str| {
            let words = ["label", "restore", "-F", "--root", &root, "-f", &spec].map(str::to_owned);
            let words = std::iter::once(self.ours.display().to_string())
                .chain(words)
                .chain((!dry.is_empty()).then(|| dry.to_owned()));
            self.cost(&words.collect::<Vec<_>>())
        };
        let rounds = if full { ROUNDS } else { 1 };
        let dry: Vec<Cost> = (0..rounds).map(|_| ours("-n")).collect::<Result<_>>()?;
        let their_dry = theirs("-n")?;
        let mut real = Vec::new();
        for _ in 0..rounds {
            copy(Path::new("/usr"), &tree, entries)?;
            real.push(ours("")?);
        }
        let expected = tree::labels(&tree)?;
        copy(Path::new("/usr"), &tree, entries)?;
        let their_real = theirs("")?;
        let labels = tree::labels(&tree)?;
        ensure!(labels == expected, "labels are not those of setfiles");
        let figure = |what: &str, reach: &str, ours: &[Cost], theirs: Cost| {
            let processor = median(ours.iter().map(|it| it.processor).collect());
            let seconds = median(ours.iter().map(|it| it.seconds).collect());
            Figure {
                what: format!("{what} of {number} files"),
                reach: reach.to_owned(),
                ours: format!("{processor:.2} s of processor, {seconds:.2} s"),
                theirs: format!("{:.2} s of processor, {:.2} s", theirs.processor, theirs.seconds),
                ratio: format!("{:.1} ×", theirs.processor / processor.max(0.01)),
            }
        };
        Ok(vec![
            figure("dry run", "≤ 0.5 s of processor, ≥ 40 × setfiles 3.4", &dry, their_dry),
            figure("relabelling", "≥ 25 × setfiles 3.4", &real, their_real),
        ])
    }

    /// A tree ten times as large takes no more memory.
    fn memory(&self, full: bool, deep: bool, report: &mut Report<'_>) -> Result<Figure> {
        let entries = if full { MEMORY.1 } else { MEMORY.0 };
        let tree = self.folder.join("memory");
        let mut peaks = Vec::new();
        for entries in [entries, entries * LARGER] {
            tree::empty(&tree)?;
            if deep {
                build_deep(&tree, entries)?
            } else {
                build_wide(&tree, entries)?
            }
            peaks.push(self.check(&tree)?.mebibytes);
        }
        tree::empty(&tree)?;
        let what = if deep { "memory, a deep tree" } else { "memory, a wide tree" };
        figure_of_memory(what, entries, &peaks, report)
    }

    /// So do ten times as many files of several names.
    fn links(&self, full: bool, report: &mut Report<'_>) -> Result<Figure> {
        let entries = if full { MEMORY.1 } else { MEMORY.0 };
        let tree = self.folder.join("memory");
        let mut peaks = Vec::new();
        for entries in [entries, entries * LARGER] {
            tree::empty(&tree)?;
            build_links(&tree, entries)?;
            peaks.push(self.check(&tree)?.mebibytes);
        }
        tree::empty(&tree)?;
        let (small, large) = (peaks[0], peaks[1]);
        let told = format!("{small:.1} MiB for {entries}, {large:.1} MiB for ten times as many");
        let good = large <= MOST;
        report.case("memory, files of two names", if good { Ok(told) } else { Err(told) })?;
        Ok(Figure {
            what: format!("memory, {} files of two names", entries * LARGER),
            reach: format!("≤ {MOST} MiB"),
            ours: format!("{large:.1} MiB"),
            theirs: String::new(),
            ratio: String::new(),
        })
    }

    fn check(&self, tree: &Path) -> Result<Cost> {
        let ours = self.ours.display().to_string();
        let tree = tree.display().to_string();
        let words = ["label", "restore", "-n", "--root", &tree, "-f", SPEC].map(str::to_owned);
        self.cost(&std::iter::once(ours).chain(words).collect::<Vec<_>>())
    }

    fn cost(&self, words: &[String]) -> Result<Cost> {
        let told = self.folder.join("cost");
        let mut command = Command::new("/usr/bin/time");
        command.args(["-f", "%U %S %M", "-o"]).arg(&told).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = Instant::now();
        command.status().context("starting /usr/bin/time")?;
        let seconds = started.elapsed().as_secs_f64();
        let text = fs::read_to_string(&told).context("reading the cost")?;
        // A line about the exit code may stand before.
        let line = text.lines().last().unwrap_or_default();
        let numbers: Vec<f64> = line.split(' ').filter_map(|it| it.parse().ok()).collect();
        let [user, system, kibibytes] = numbers[..] else {
            anyhow::bail!("{} told {text:?}", words.join(" "));
        };
        Ok(Cost { processor: user + system, seconds, mebibytes: kibibytes / 1024.0 })
    }
}

fn figure_of_memory(
    what: &str,
    entries: usize,
    peaks: &[f64],
    report: &mut Report<'_>,
) -> Result<Figure> {
    let (small, large) = (peaks[0], peaks[1]);
    let told = format!("{small:.1} MiB for {entries}, {large:.1} MiB for ten times as many");
    let good = large - small <= GROWTH && large <= MOST;
    report.case(what, if good { Ok(told) } else { Err(told) })?;
    Ok(Figure {
        what: format!("{what}: {} files beside {entries}", entries * LARGER),
        reach: format!("≤ {GROWTH} MiB more, ≤ {MOST} MiB"),
        ours: format!("{large:.1} MiB, {:.1} more", large - small),
        theirs: String::new(),
        ratio: String::new(),
    })
}

/// Copies names and kinds, not what is in files, until there are enough; how many there are.
fn copy(from: &Path, to: &Path, entries: usize) -> Result<usize> {
    tree::empty(to)?;
    let mut number = 1;
    let mut folders = vec![from.to_owned()];
    while let Some(folder) = folders.pop() {
        let target = to.join(folder.strip_prefix("/").unwrap_or(&folder));
        fs::create_dir_all(&target)?;
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if number >= entries {
                return Ok(number);
            }
            let (kind, path) = (entry.file_type()?, target.join(entry.file_name()));
            if kind.is_dir() {
                folders.push(entry.path());
                fs::create_dir_all(&path)?;
            } else if kind.is_symlink() {
                symlink(fs::read_link(entry.path())?, &path)?;
            } else {
                fs::write(&path, b"")?;
            }
            number += 1;
        }
    }
    Ok(number)
}

fn build_wide(tree: &Path, entries: usize) -> Result<()> {
    (0..entries).try_for_each(|at| Ok(fs::write(tree.join(format!("file{at}")), b"")?))
}

/// Chains of folders, each with a few files and folders beside.
fn build_deep(tree: &Path, entries: usize) -> Result<()> {
    let mut number = 0;
    for chain in 0.. {
        let mut folder = tree.join(format!("chain{chain}"));
        for _ in 0..400 {
            fs::create_dir(&folder)?;
            for beside in ["x", "y", "z"] {
                fs::create_dir(folder.join(beside))?;
            }
            number += 4;
            if number >= entries {
                return Ok(());
            }
            folder.push("deeper");
        }
    }
    Ok(())
}

/// Each file has a second name outside of what is walked first, so that all are remembered.
fn build_links(tree: &Path, entries: usize) -> Result<()> {
    let (first, second) = (tree.join("first"), tree.join("second"));
    fs::create_dir(&first)?;
    fs::create_dir(&second)?;
    for at in 0..entries {
        let name = format!("file{at}");
        fs::write(first.join(&name), b"")?;
        fs::hard_link(first.join(&name), second.join(&name))?;
    }
    Ok(())
}
