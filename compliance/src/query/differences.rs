//! `sediff` beside the original: the same lines in each section, in any order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use mandate_policydb::Target;

use super::{Asked, ours, small, with_sorted_sets};
use crate::bench::{Figure, median, note};
use crate::originals::installed_version;
use crate::place::{Place, cached, fingerprint, run as run_program};
use crate::random::Random;
use crate::reference::{Flavour, Reference};
use crate::report::{Comparison, Report};

/// Pairs of small policies: in continuous integration, and at full size.
const PAIRS: (usize, usize) = (5, 20);
/// How often ours is timed.
const OURS: usize = 9;
const ORIGINAL: &str = "/usr/bin/sediff";

/// The lines of each section, by its heading.
type Sections = BTreeMap<String, Vec<String>>;

/// Compares the Reference Policy's flavours, and small policies.
///
/// # Errors
/// When a side does not run, or the report cannot be written.
pub(super) fn compare(place: &Place, full: bool, seed: u64, report: &mut Report<'_>) -> Result<()> {
    report.heading("Questions: sediff")?;
    let mandate = place.mandate()?;
    let large = [(Flavour::Standard, Flavour::Mcs), (Flavour::Mcs, Flavour::Mls)];
    let mut comparison = Comparison::new("sediff: sections, the Reference Policy");
    for (first, second) in large.into_iter().take(if full { 2 } else { 1 }) {
        let [a, b] = [first, second].map(|it| Reference::build(place, it).map(|it| it.binary()));
        let (a, b) = (a?, b?);
        let theirs = theirs_cached(place, &a, &b)?;
        pair(
            &mandate,
            &format!("{} {}", first.name(), second.name()),
            [&a, &b],
            &theirs,
            &mut comparison,
        )?;
    }
    report.add(&comparison.done())?;
    let mut comparison = Comparison::new(format!("sediff: sections, small policies, seed {seed}"));
    let small: Vec<Asked> = small(place)?;
    let small: Vec<&Asked> =
        small.iter().filter(|it| it.policy.db().target == Target::Selinux).collect();
    let mut random = Random::new(seed);
    for _ in 0..if full { PAIRS.1 } else { PAIRS.0 } {
        let (Some(a), Some(b)) = (random.pick(&small), random.pick(&small)) else { break };
        let theirs = theirs(&a.path, &b.path)?;
        let name = format!("{} {}", a.name, b.name);
        pair(&mandate, &name, [&a.path, &b.path], &theirs, &mut comparison)?;
    }
    Ok(report.add(&comparison.done())?)
}

/// Compares one pair, section by section.
fn pair(
    mandate: &Path,
    name: &str,
    policies: [&Path; 2],
    theirs: &str,
    comparison: &mut Comparison,
) -> Result<()> {
    let words = policies.map(|it| it.display().to_string());
    let answer = ours(mandate, "sediff", &words)?;
    ensure!(answer.code == 0, "sediff {name}: {}", answer.said);
    let (mut ours, theirs) =
        (sections(answer.lines.iter().map(String::as_str)), sections(theirs.lines()));
    // The original says nothing of bounds if only the parent of some differs.
    let unsaid = "Typebounds (0 Added, 0 Removed, ";
    ours.retain(|heading, _| !heading.starts_with(unsaid) || theirs.contains_key(heading));
    let mut headings: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    headings.sort_unstable();
    headings.dedup();
    if headings.is_empty() {
        comparison.agree();
    }
    for heading in headings {
        let only = |a: &Sections, b: &Sections| {
            let other = b.get(heading);
            let lines = a.get(heading).into_iter().flatten();
            let lines = lines.filter(|it| other.is_none_or(|other| !other.contains(it)));
            let lines: Vec<&String> = lines.take(3).collect();
            format!(
                "{}, only here: {lines:?}",
                if a.contains_key(heading) { "there" } else { "missing" }
            )
        };
        if ours.get(heading) == theirs.get(heading) {
            comparison.agree();
        } else {
            let query = format!("{name}: {heading}");
            comparison.disagree(query, only(&ours, &theirs), only(&theirs, &ours));
        }
    }
    Ok(())
}

fn sections<'a>(lines: impl Iterator<Item = &'a str>) -> Sections {
    let mut sections = Sections::new();
    let mut heading = String::new();
    for line in lines.filter(|it| !it.is_empty()) {
        if line.starts_with(' ') {
            let line = comparable(line);
            sections.entry(heading.clone()).or_default().push(line);
        } else {
            heading = line.to_owned();
            sections.entry(heading.clone()).or_default();
        }
    }
    sections.values_mut().for_each(|it| it.sort_unstable());
    sections
}

/// A line that both sides write alike. Of an added or removed rule with extended permissions the original tells but some of these.
fn comparable(line: &str) -> String {
    let single = line.starts_with("      + ") || line.starts_with("      - ");
    match line.split_once(" ioctl ").or_else(|| line.split_once(" nlmsg ")) {
        Some((head, _)) if single && head.contains("xperm ") => head.to_owned(),
        _ => with_sorted_sets(line),
    }
}

fn theirs(a: &Path, b: &Path) -> Result<String> {
    let output = run_program(Command::new(ORIGINAL).args([a, b]))?;
    String::from_utf8(output.stdout).context("what sediff printed")
}

/// The original takes a minute and a gigabyte: its answer is kept for its version and these policies.
fn theirs_cached(place: &Place, a: &Path, b: &Path) -> Result<String> {
    let version = installed_version("setools").context("setools is not installed")?;
    let read = |path: &Path| std::fs::read(path).with_context(|| path.display().to_string());
    let of_both = [read(a)?, read(b)?].map(|it| fingerprint_of(&it));
    let [a_print, b_print] = of_both;
    let name =
        format!("{}-{a_print:016x}-{b_print:016x}.txt", version.replace([':', '/', ' '], "-"));
    let path = place.work.join("sediff").join(name);
    cached(&path, |to| Ok(std::fs::write(to, theirs(a, b)?)?))?;
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

fn fingerprint_of(bytes: &[u8]) -> u64 {
    // One character for each byte.
    fingerprint(&bytes.iter().map(|&it| char::from(it)).collect::<String>())
}

/// Times standard beside mcs: ours often, theirs once and only at full size.
///
/// # Errors
/// When a side fails or the report cannot be written.
pub(super) fn bench(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    let [a, b] = [Flavour::Standard, Flavour::Mcs]
        .map(|it| Reference::build(place, it).map(|it| it.binary()));
    let policies = [a?, b?];
    // The name of the link is the command.
    let link = place.work.join("sediff").join("bin").join("sediff");
    let mandate = place.mandate()?;
    std::fs::create_dir_all(link.parent().context("a folder")?)?;
    drop(std::fs::remove_file(&link));
    std::os::unix::fs::symlink(&mandate, &link).context("linking sediff")?;
    let rounds = if full { OURS } else { 1 };
    let ours: Vec<(f64, u64)> =
        (0..rounds).map(|_| timed(place, &link, &policies)).collect::<Result<_>>()?;
    let memory = ours.iter().map(|it| it.1).max().unwrap_or(0) / 1024;
    let seconds = median(ours.iter().map(|it| it.0).collect());
    let told = format!("sediff standard mcs: {seconds:.2} s, {memory} MB");
    report.case("sediff measured", Ok(told))?;
    if !full {
        return Ok(Vec::new());
    }
    let (their_seconds, their_memory) = timed(place, Path::new(ORIGINAL), &policies)?;
    let figure = Figure {
        what: "sediff standard mcs, whole process".to_owned(),
        reach: "at most 0.4 s, at most 150 MB".to_owned(),
        ours: format!("{seconds:.2} s, {memory} MB"),
        theirs: format!("{their_seconds:.1} s, {} MB", their_memory / 1024),
        ratio: format!("{:.0} × faster", their_seconds / seconds),
    };
    note(&figure, report)?;
    Ok(vec![figure])
}

/// Seconds and kilobytes of a whole process.
fn timed(place: &Place, program: &Path, policies: &[PathBuf; 2]) -> Result<(f64, u64)> {
    let told = place.work.join("sediff").join("memory");
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%M", "-o"]).arg(&told).arg(program).args(policies);
    let started = Instant::now();
    let output = run_program(&mut command)?;
    let took = started.elapsed().as_secs_f64();
    ensure!(!output.stdout.is_empty(), "{} told nothing", program.display());
    let kilobytes = std::fs::read_to_string(&told)?;
    Ok((took, kilobytes.trim().parse().context("what time told")?))
}
