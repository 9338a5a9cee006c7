//! `setfiles` beside the original, with options drawn at random, on small trees of every kind.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::tree::{self, Kind, SPEC};
use crate::place::Place;
use crate::random::Random;
use crate::report::{Comparison, Report};

/// How many combinations: in continuous integration, and at full size.
const COMBINATIONS: (usize, usize) = (160, 1500);
const THEIRS: &str = "/sbin/setfiles";

/// Options without an argument; some are no options at all.
const PLAIN: [&str; 17] = [
    "-n", "-v", "-p", "-F", "-d", "-W", "-i", "-q", "-m", "-E", "-C", "-l", "-I", "-D", "-h", "-z",
    "-x",
];

/// One call, and the tree that it works on.
struct Case {
    words: Vec<String>,
    input: Option<Vec<u8>>,
    kind: Kind,
    seed: u64,
}

/// What a side did.
#[derive(PartialEq)]
struct Outcome {
    code: Option<i32>,
    out: Vec<String>,
    err: Vec<String>,
    labels: Vec<String>,
}

pub(super) fn run(
    place: &Place,
    folder: &Path,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<()> {
    report.heading("setfiles beside the original")?;
    let ours = place.mandate()?;
    let root = folder.join("root");
    let spec = folder.join("file_contexts");
    fs::write(&spec, SPEC)?;
    let mut random = Random::new(seed);
    let number = if full { COMBINATIONS.1 } else { COMBINATIONS.0 };
    let mut comparison = Comparison::new(format!("labels, exit codes, output, seed {seed}"));
    for _ in 0..number {
        let case = draw(&mut random, &root, &spec, folder)?;
        let theirs = outcome(Path::new(THEIRS), &case, &root)?;
        let found = outcome(&ours, &case, &root)?;
        let query =
            || format!("tree {} {:?}: setfiles {}", case.seed, case.kind, case.words.join(" "));
        if found == theirs {
            comparison.agree();
        } else {
            comparison.disagree(query(), found.apart(&theirs), theirs.apart(&found));
        }
    }
    Ok(report.add(&comparison.done())?)
}

fn draw(random: &mut Random, root: &Path, spec: &Path, folder: &Path) -> Result<Case> {
    let text = |it: &Path| it.display().to_string();
    let mut words = Vec::new();
    for _ in 0..random.below(5) {
        // What ends in a usage message is rare.
        let last = if random.chance(8) { PLAIN.len() } else { PLAIN.len() - 3 };
        words.extend(PLAIN.get(random.below(last)).map(|it| (*it).to_owned()));
    }
    let digests = words.iter().any(|it| it == "-I" || it == "-D");
    if digests {
        // Digests make the original count lines as matched that decided about nothing.
        words.retain(|it| it != "-W");
    }
    // With several threads digests are set where a thread was alone.
    let threads = !digests && random.chance(20);
    if threads {
        let kinds = if random.chance(10) { 4 } else { 3 };
        let number = ["0", "2", "3", "x"][random.below(kinds)];
        words.extend(["-T".to_owned(), number.to_owned()]);
    }
    if random.chance(25) {
        let excluded = ["a", "b/c", "d/", "nowhere", "none"][random.below(5)];
        words.extend(["-e".to_owned(), text(&root.join(excluded))]);
    }
    if random.chance(3) {
        words.extend(["-e".to_owned(), ".".to_owned()]);
    }
    if random.chance(85) {
        words.extend(["-r".to_owned(), text(root)]);
    } else if random.chance(30) {
        words.extend(["-r".to_owned(), text(&root.join("a"))]);
    }
    let (mut operands, mut input) = (Vec::new(), None);
    for _ in 0..random.between(1, 2) {
        let below =
            ["", "a", "b", "none", "a/x.conf", "missing", "d", "[ab]", "*"][random.below(9)];
        operands.push(text(&if below.is_empty() { root.to_owned() } else { root.join(below) }));
    }
    match random.below(6) {
        0 => {
            words.push("-s".to_owned());
            input = Some((operands.join("\n") + "\n").into_bytes());
            operands.clear();
        }
        1 => {
            let list = folder.join("list");
            fs::write(&list, operands.join("\0") + "\0")?;
            words.extend(["-0".to_owned(), "-f".to_owned(), text(&list)]);
            operands.clear();
        }
        _ => {}
    }
    words.push(match random.below(40) {
        0 => text(&folder.join("no-such-file")),
        1 => text(folder),
        _ => text(spec),
    });
    words.extend(operands);
    // With several threads the first name of a file is anybody's.
    let kind = Kind { differing: !threads && random.chance(50), invalid: random.chance(30) };
    Ok(Case { words, input, kind, seed: random.bits() })
}

fn outcome(program: &Path, case: &Case, root: &Path) -> Result<Outcome> {
    tree::make(root, case.kind, case.seed)?;
    let mut command = Command::new(program);
    command.arg0("setfiles").args(&case.words).env("LC_ALL", "C");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), &case.input) {
        // One that does not read is told by its exit code.
        drop(stdin.write_all(input));
    }
    let output = child.wait_with_output()?;
    let labels = tree::labels(root)?;
    let labels = labels.into_iter().map(|(path, label): (PathBuf, String)| {
        format!("{} {label}", String::from_utf8_lossy(path.as_os_str().as_bytes()))
    });
    Ok(Outcome {
        code: output.status.code(),
        out: lines(&output.stdout, !output.status.success()),
        err: lines(&output.stderr, false),
        labels: labels.collect(),
    })
}

/// Lines in order of their text: threads tell them as they come. The usage is each side's own, and so is where digests stand after errors.
fn lines(bytes: &[u8], failed: bool) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let own = |it: &str| {
        it.starts_with("usage:") || failed && it.starts_with("Skipping restorecon on directory")
    };
    let mut lines: Vec<String> = text.lines().filter(|it| !own(it)).map(str::to_owned).collect();
    lines.sort_unstable();
    if failed {
        // So is what is looked at twice.
        lines.dedup();
    }
    lines
}

impl Outcome {
    /// What only this side has.
    fn apart(&self, other: &Self) -> String {
        let only = |a: &[String], b: &[String]| {
            let only: Vec<&String> = a.iter().filter(|it| !b.contains(it)).take(4).collect();
            format!("{only:?}")
        };
        format!(
            "exit {:?}, labels {}, out {}, err {}",
            self.code,
            only(&self.labels, &other.labels),
            only(&self.out, &other.out),
            only(&self.err, &other.err)
        )
    }
}
