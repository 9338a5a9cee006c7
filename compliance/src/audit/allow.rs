//! audit2allow and audit2why beside the originals: the same rules as sets, the same reasons, and how long it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::bench::{best, cost};
use super::denials;
use super::explain::Built;
use crate::bench::{Figure, note};
use crate::place::{Place, run as run_program};
use crate::reference::Flavour;
use crate::report::{Comparison, Report};

/// Lines of the log: in CI, and at full size.
const LINES: (usize, usize) = (200, 2_000);
/// The original, as Debian installs it.
const THEIRS: &str = "/usr/bin";
const COMMANDS: [&str; 2] = ["audit2allow", "audit2why"];
/// The best of so many runs of ours.
const ROUNDS: usize = 5;

pub(super) fn run(
    place: &Place,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading("audit2allow and audit2why beside the originals")?;
    for name in COMMANDS {
        let there = Path::new(THEIRS).join(name).is_file();
        ensure!(there, "{name} is not installed: policycoreutils-python-utils has it");
    }
    let built = Built::of(place, Flavour::Mcs)?;
    let folder = place.work.join("audit-allow");
    std::fs::create_dir_all(&folder).context("making a folder for logs")?;
    let lines = if full { LINES.1 } else { LINES.0 };
    let log = folder.join("denials.log");
    std::fs::write(&log, denials::log(&built.policy, seed, lines))?;
    let tools = Tools { ours: links(place, &folder)?, policy: built.path, log };
    for options in [&[][..], &["-D"], &["-x"], &["-m", "local"], &["-t", "h"]] {
        let (ours, theirs) =
            (tools.ours(COMMANDS[0], options)?, tools.theirs(COMMANDS[0], options)?);
        let name = format!("audit2allow {}, {lines} lines", options.join(" "));
        report.add(&same(&name, &rules(&ours), &rules(&theirs)))?;
    }
    let (ours, theirs) = (tools.ours(COMMANDS[1], &[])?, tools.theirs(COMMANDS[1], &[])?);
    let name = format!("audit2why, {lines} lines");
    report.add(&same(&name, &reasons(&ours), &reasons(&theirs)))?;
    let figures = COMMANDS.map(|name| tools.figure(name, lines, full));
    let figures = figures.into_iter().collect::<Result<Vec<_>>>()?;
    if full {
        figures.iter().try_for_each(|it| note(it, report))?;
    }
    Ok(figures)
}

/// Our program under the originals' names.
fn links(place: &Place, folder: &Path) -> Result<PathBuf> {
    let ours = folder.join("ours");
    std::fs::create_dir_all(&ours).context("making a folder for links")?;
    for name in COMMANDS {
        let link = ours.join(name);
        if link.symlink_metadata().is_ok() {
            std::fs::remove_file(&link).context("removing an old link")?;
        }
        symlink(place.mandate()?, &link).context("linking our program")?;
    }
    Ok(ours)
}

struct Tools {
    ours: PathBuf,
    policy: PathBuf,
    log: PathBuf,
}

impl Tools {
    fn command(&self, folder: &Path, name: &str, options: &[&str]) -> Command {
        let mut command = Command::new(folder.join(name));
        command.args(options).arg("-p").arg(&self.policy).arg("-i").arg(&self.log);
        command.env("LC_ALL", "C");
        // A Python of one's own does not have the modules of Debian's.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    fn told(command: &mut Command) -> Result<String> {
        Ok(String::from_utf8(run_program(command)?.stdout)?)
    }

    fn ours(&self, name: &str, options: &[&str]) -> Result<String> {
        Self::told(&mut self.command(&self.ours, name, options))
    }

    fn theirs(&self, name: &str, options: &[&str]) -> Result<String> {
        Self::told(&mut self.command(Path::new(THEIRS), name, options))
    }

    fn figure(&self, name: &str, lines: usize, full: bool) -> Result<Figure> {
        let rounds = if full { ROUNDS } else { 1 };
        let ours = (0..rounds).map(|_| cost(&mut self.command(&self.ours, name, &[])));
        let ours = best(&ours.collect::<Result<Vec<_>>>()?);
        let theirs = cost(&mut self.command(Path::new(THEIRS), name, &[]))?;
        Ok(Figure {
            what: format!("`{name}` of {lines} lines"),
            reach: "≥ 30 × less processor time".to_owned(),
            ours: ours.text(),
            theirs: theirs.text(),
            // What is less than a tick of the clock counts as one.
            ratio: format!("{:.0} × less processor time", theirs.cpu / ours.cpu.max(0.01)),
        })
    }
}

/// A line of each side that the other does not have.
fn same(name: &str, ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> Comparison {
    let mut comparison = Comparison::new(name);
    ours.intersection(theirs).for_each(|_| comparison.agree());
    for it in ours.difference(theirs) {
        comparison.disagree(it.clone(), "there".to_owned(), "missing".to_owned());
    }
    for it in theirs.difference(ours) {
        comparison.disagree(it.clone(), "missing".to_owned(), "there".to_owned());
    }
    comparison.done()
}

/// Rules and requirements, permission by permission, each with what is told before it.
fn rules(text: &str) -> BTreeSet<String> {
    let (mut found, mut before) = (BTreeSet::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        if line.starts_with("#=") {
            continue;
        }
        // A constraint is printed otherwise, as docs/classic.md says.
        if line.starts_with("#!!!!") {
            before.push(line.to_owned());
        } else if line.starts_with("#     ") {
            before.extend(line.trim_start_matches('#').split(", ").map(|it| it.trim().to_owned()));
        } else if let Some(rule) = line.strip_suffix(';') {
            before.sort();
            let told = before.join(" ");
            for each in singles(rule) {
                found.insert(format!("{each} {told}"));
            }
            before.clear();
        }
    }
    found
}

/// A statement for each permission in its braces.
fn singles(rule: &str) -> Vec<String> {
    match rule.split_once('{') {
        Some((head, rest)) => {
            let names = rest.trim_end_matches('}').split_whitespace();
            names.map(|it| format!("{head}{it}")).collect()
        }
        None => vec![rule.to_owned()],
    }
}

/// Each record with the reason that is told of it, and the booleans.
fn reasons(text: &str) -> BTreeSet<String> {
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut record = "";
    for line in text.lines() {
        if line.starts_with("type=") {
            record = line;
            found.entry(record).or_default();
        } else if let Some(reason) = reason(line) {
            found.entry(record).or_default().insert(reason);
        }
    }
    found.into_iter().map(|(record, it)| format!("{record} {it:?}")).collect()
}

fn reason(line: &str) -> Option<String> {
    const TELLING: [&str; 6] = [
        "Missing type enforcement",
        "Missing role allow rule",
        "Unknown - would be allowed",
        "Unknown - should be dontaudit'd",
        "# setsebool -P",
        "Typebounds",
    ];
    let line = line.trim();
    if line.starts_with("#Constraint rule") {
        return Some("constraint".to_owned());
    }
    TELLING.iter().any(|it| line.starts_with(it)).then(|| line.to_owned())
}
