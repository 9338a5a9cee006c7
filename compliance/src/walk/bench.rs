//! Time of dry runs and real ones beside `setfiles`, and memory of large trees.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::tree;
use crate::bench::{Figure, median, note};
use crate::later::Later;
use crate::originals::installed_version;
use crate::place::{Place, run as run_program};
use crate::report::Report;

/// Entries of the tree: in continuous integration, and at full size.
const ENTRIES: (usize, usize) = (3_000, 122_000);
/// Entries of the trees whose memory is compared.
const MEMORY: (usize, usize) = (5_000, 100_000);
const LARGER: usize = 10;
const ROUNDS: usize = 5;
const TEN_MILLION: usize = 10_000_000;
/// Entries of it that are directories in each other, and of each directory otherwise.
const DEEP: usize = 1_000_000;
const WIDE: usize = 1_000_000;
/// Files of several names whose table takes more than 32 MiB.
const SPILLED: usize = 2_400_000;
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
    let mut figures = bench.time(place, full)?;
    figures.iter().try_for_each(|figure| note(figure, report))?;
    let timed = figures.len();
    for deep in [false, true] {
        figures.push(bench.memory(full, deep, report)?);
    }
    figures.push(bench.links(full, report)?);
    if full {
        figures.extend(bench.most(report)?);
    }
    figures[timed..].iter().try_for_each(|figure| note(figure, report))?;
    Ok(if full { figures } else { Vec::new() })
}

/// A program that labels a tree.
struct Side {
    name: String,
    words: Vec<OsString>,
    /// It is run in all rounds.
    is_quick: bool,
}

/// Places of the sides among all: ours twice, the original that is installed, and the later one.
const ONE: usize = 0;
const TWO: usize = 1;
const INSTALLED: usize = 2;
const LATER: usize = 3;

impl Side {
    /// Options stand right behind the verb or the program.
    fn words(&self, options: &[&str]) -> Vec<OsString> {
        let at = self.words.iter().position(|it| it == "-F").unwrap_or(self.words.len());
        let mut words = self.words.clone();
        words.splice(at..at, options.iter().map(OsString::from));
        words
    }
}

/// What each side took, in their order.
struct Costs<'a> {
    sides: &'a [Side],
    costs: Vec<Vec<Cost>>,
}

impl<'a> Costs<'a> {
    fn new(sides: &'a [Side]) -> Self {
        Self { sides, costs: vec![Vec::new(); sides.len()] }
    }

    fn median(&self, side: usize) -> Cost {
        let of = &self.costs[side];
        let middle = |what: fn(&Cost) -> f64| median(of.iter().map(what).collect());
        Cost {
            processor: middle(|it| it.processor),
            seconds: middle(|it| it.seconds),
            mebibytes: middle(|it| it.mebibytes),
        }
    }

    /// One thread beside both originals, and two beside one.
    fn figures(&self, what: &str, reach: [&str; 2]) -> Vec<Figure> {
        let told = |it: Cost| format!("{:.2} s of processor, {:.2} s", it.processor, it.seconds);
        let figure = |beside: usize, reach: &str| {
            let (ours, theirs) = (self.median(ONE), self.median(beside));
            let (processor, wall) =
                (theirs.processor / ours.processor, theirs.seconds / ours.seconds);
            Figure {
                what: format!(
                    "{what}, {}, beside {}",
                    self.sides[ONE].name, self.sides[beside].name
                ),
                reach: reach.to_owned(),
                ours: told(ours),
                theirs: told(theirs),
                ratio: format!("{processor:.1} × processor, {wall:.1} × time"),
            }
        };
        let two = Figure {
            what: format!("{what}, {}", self.sides[TWO].name),
            reach: String::new(),
            ours: told(self.median(TWO)),
            theirs: String::new(),
            ratio: String::new(),
        };
        vec![figure(INSTALLED, reach[0]), figure(LATER, reach[1]), two]
    }
}

/// Mounts a file system for ten million files, and lets this program make and walk them there.
const MOUNTED: &str =
    r#"mount -t tmpfs -o nr_inodes=0,size=90% most "$0" && exec "$1" walk-most "$0" "$2""#;

/// Makes ten million entries in a folder, and walks them with the program `ours`; then more files of several names than its table
/// holds. Mebibytes and seconds of each.
///
/// # Errors
/// When there is no room, or a walk fails.
pub fn most(folder: &Path, ours: &Path) -> Result<[f64; 4]> {
    let bench = Bench { ours: ours.to_owned(), folder: folder.to_owned() };
    let tree = folder.join("tree");
    let deep = tree.join("deep");
    fs::create_dir_all(&deep)?;
    build_deep(&deep, DEEP)?;
    for at in 0..(TEN_MILLION - DEEP) / WIDE {
        let wide = tree.join(format!("wide{at}"));
        fs::create_dir(&wide)?;
        build_wide(&wide, WIDE)?;
    }
    let entries = bench.check(&tree)?;
    tree::empty(&tree)?;
    build_links(&tree, SPILLED)?;
    let links = bench.check(&tree)?;
    Ok([entries.mebibytes, entries.seconds, links.mebibytes, links.seconds])
}

/// The sides that run in a round: slow ones only in the first.
fn in_round(sides: &[Side], round: usize) -> impl Iterator<Item = (usize, &Side)> {
    sides.iter().enumerate().filter(move |(_, it)| it.is_quick || round == 0)
}

struct Bench {
    ours: PathBuf,
    folder: PathBuf,
}

impl Bench {
    /// Dry runs first, then real ones, each on a fresh copy; all sides in turns.
    fn time(&self, place: &Place, full: bool) -> Result<Vec<Figure>> {
        let entries = if full { ENTRIES.1 } else { ENTRIES.0 };
        let tree = self.folder.join("tree");
        let number = copy(Path::new("/usr"), &tree, entries)?;
        let sides = self.sides(place, &tree)?;
        let rounds = if full { ROUNDS } else { 1 };
        let mut dry = Costs::new(&sides);
        for round in 0..rounds {
            for (at, side) in in_round(&sides, round) {
                dry.costs[at].push(self.cost(&side.words(&["-n"]))?);
            }
        }
        let mut real = Costs::new(&sides);
        let mut labels = None;
        for round in 0..rounds {
            for (at, side) in in_round(&sides, round) {
                copy(Path::new("/usr"), &tree, entries)?;
                real.costs[at].push(self.cost(&side.words(&[]))?);
                let found = tree::labels(&tree)?;
                let expected = labels.get_or_insert_with(|| found.clone());
                ensure!(*expected == found, "{} sets other labels", side.name);
            }
        }
        let what = format!("dry run of {number} files");
        let mut figures = dry.figures(&what, ["≤ 0.5 s of processor; ≥ 40 ×", "≥ 3 ×"]);
        let what = format!("relabelling of {number} files");
        figures.extend(real.figures(&what, ["≥ 25 ×", "≥ 2 ×"]));
        Ok(figures)
    }

    /// Ours with one thread and two, and both originals.
    fn sides(&self, place: &Place, tree: &Path) -> Result<Vec<Side>> {
        let tree = tree.display().to_string();
        let ours = |name: &str, threads: &str| {
            let words = ["label", "restore", "-F", "-j", threads, "--root", &tree, "-f", SPEC];
            let words = std::iter::once(self.ours.clone().into()).chain(words.map(OsString::from));
            Side { name: name.to_owned(), words: words.collect(), is_quick: true }
        };
        let theirs = |name, program: Vec<OsString>| {
            let words = ["-F", "-r", &tree, SPEC, &tree].map(OsString::from);
            let is_quick = program.len() > 1;
            Side { name, words: program.into_iter().chain(words).collect(), is_quick }
        };
        let later = Later::unpacked(place)?;
        let installed =
            installed_version("policycoreutils").context("policycoreutils is missing")?;
        let installed = installed.split('-').next().unwrap_or_default();
        Ok(vec![
            ours("one thread", "1"),
            ours("two threads", "2"),
            theirs(format!("setfiles {installed}"), vec!["/sbin/setfiles".into()]),
            theirs(
                format!("setfiles with libselinux {}", later.version()?),
                later.words("usr/sbin/setfiles"),
            ),
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

    /// Files of several names, all of which are remembered until the end.
    fn links(&self, full: bool, report: &mut Report<'_>) -> Result<Figure> {
        let entries = LARGER * if full { MEMORY.1 } else { MEMORY.0 };
        let tree = self.folder.join("memory");
        tree::empty(&tree)?;
        build_links(&tree, entries)?;
        let cost = self.check(&tree)?;
        tree::empty(&tree)?;
        let what = format!("memory, {entries} files of two names");
        figure_of_peak(&what, [cost.mebibytes, cost.seconds], report)
    }

    /// Trees that no usual file system in memory holds: on one that goes with the process which makes them.
    fn most(&self, report: &mut Report<'_>) -> Result<Vec<Figure>> {
        let folder = self.folder.join("most");
        fs::create_dir(&folder)?;
        let this = std::env::current_exe().context("finding this program")?;
        let mut child = Command::new("unshare");
        child.args(["--mount", "--propagation", "private", "sh", "-c", MOUNTED]);
        child.arg(&folder).arg(this).arg(&self.ours);
        let told = run_program(&mut child)?;
        let text = String::from_utf8_lossy(&told.stdout);
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
        let [entries, entries_took, links, links_took] = numbers[..] else {
            anyhow::bail!("told {text:?}")
        };
        let most = format!("memory, {TEN_MILLION} entries");
        let spilled = format!("memory, {SPILLED} files of two names, beyond the table of 32 MiB");
        Ok(vec![
            figure_of_peak(&most, [entries, entries_took], report)?,
            figure_of_peak(&spilled, [links, links_took], report)?,
        ])
    }

    fn check(&self, tree: &Path) -> Result<Cost> {
        let tree = tree.display().to_string();
        let words = ["label", "restore", "-n", "--root", &tree, "-f", SPEC].map(OsString::from);
        self.cost(&std::iter::once(self.ours.clone().into()).chain(words).collect::<Vec<_>>())
    }

    fn cost(&self, words: &[OsString]) -> Result<Cost> {
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
            anyhow::bail!("{} told {text:?}", words[0].display());
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

fn figure_of_peak(
    what: &str,
    [mebibytes, seconds]: [f64; 2],
    report: &mut Report<'_>,
) -> Result<Figure> {
    let told = format!("{mebibytes:.1} MiB, {seconds:.1} s");
    report.case(what, if mebibytes <= MOST { Ok(told.clone()) } else { Err(told.clone()) })?;
    Ok(Figure {
        what: what.to_owned(),
        reach: format!("≤ {MOST} MiB"),
        ours: told,
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
