//! Programs that do nothing without SELinux, beside the originals in a guest whose kernel has it: `restorecon` above all, and
//! `setfiles`, `chcon`, `getfilecon`, `setfilecon`, `matchpathcon` and `chcat`.
//!
//! One guest runs everything. For each case and side it makes a tree anew, runs the programs, and tells their exit codes, what they
//! wrote, and all labels.

mod case;
mod draw;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use self::case::{Case, Field};
use crate::kernel::userland::{Record, Steps, Userland};
use crate::place::Place;
use crate::random::Random;
use crate::reference::{Flavour, Reference};
use crate::report::{Comparison, Report};

/// How many calls of `restorecon` are drawn: in continuous integration, and at full size.
const DRAWN: (usize, usize) = (60, 600);
/// How many cases a guest is given.
const BOOT: usize = 600;
const LIMIT: Duration = Duration::from_secs(600);

const SPEC: &str = include_str!("kernel/file_contexts");
/// Lines of a context that the policy does not have; `setfiles` takes no file with such.
const UNKNOWN: &str = "no_such_t";
const SPEC_LOCAL: &str = "/mnt/t/etc/local\t--\tsystem_u:object_r:etc_runtime_t:s0\n";
const SPEC_HOMES: &str = "/mnt/t/home/eve(/.*)?\tstaff_u:object_r:user_home_t:s0\n";
const SUBSTITUTIONS: &str = "/mnt/t/alias /mnt/t/etc\n";
const CUSTOMIZABLE: &str = "public_content_t\nmount_loopback_t\n";
const SETRANS: &str =
    "# levels\ns0=SystemLow\ns0:c1=Secret\n\ns0-s0:c0.c1023=SystemLow-SystemHigh\n";

/// A translation without a word, as chcat 3.4 wants one before it starts: its header in the form of GNU gettext, no strings.
const TRANSLATION: [u8; 28] = [
    0xde, 0x12, 0x04, 0x95, 0, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0, 0, 28, 0, 0, 0, 0, 0, 0, 0, 28, 0, 0,
    0,
];
const LOCALES: &str = "/usr/share/locale";

/// What a side did.
#[derive(Clone, Debug, Default)]
struct Outcome {
    codes: Vec<u32>,
    out: Vec<Vec<u8>>,
    err: Vec<Vec<u8>>,
    labels: BTreeMap<Vec<u8>, (Vec<u8>, bool)>,
}

pub(super) fn run(place: &Place, full: bool, seed: u64, report: &mut Report<'_>) -> Result<()> {
    report.heading("restorecon, chcon and their kin under SELinux, beside the originals")?;
    let ours = place.mandate()?.display().to_string();
    let policy = Reference::build(place, Flavour::Mcs)?.binary();
    let policy = std::fs::read(&policy).with_context(|| policy.display().to_string())?;
    let guest = Userland::prepare(&place.work.join("kernel"))?;
    let written = case::all()?;
    let mut comparison = Comparison::new("cases under SELinux: labels, exit codes, output");
    compare(&guest, &policy, &ours, &written, &mut comparison)?;
    report.add(&comparison.done())?;
    let known = written.iter().filter(|it| !it.known.is_empty()).count();
    report.note(&format!("{known} of them differ as docs/classic.md says, and must"))?;
    let number = if full { DRAWN.1 } else { DRAWN.0 };
    let drawn = draw::cases(&mut Random::new(seed), number);
    let mut comparison = Comparison::new(format!("restorecon under SELinux, seed {seed}"));
    compare(&guest, &policy, &ours, &drawn, &mut comparison)?;
    Ok(report.add(&comparison.done())?)
}

/// Lets guests run the cases, as many at a time as there are processors, and judges what they tell.
fn compare(
    guest: &Userland,
    policy: &[u8],
    ours: &str,
    cases: &[Case],
    comparison: &mut Comparison,
) -> Result<()> {
    for cases in cases.chunks(BOOT) {
        let guests = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
        let share = |n: usize| cases.iter().skip(n).step_by(guests).collect::<Vec<_>>();
        let outcomes = std::thread::scope(|scope| {
            let ask = |n| scope.spawn(move || outcomes(guest, policy, ours, &share(n)));
            let asked: Vec<_> = (0..guests).map(ask).collect();
            let told = asked.into_iter().map(|it| it.join().unwrap_or_else(|_| bail!("panicked")));
            told.collect::<Result<Vec<_>>>()
        })?;
        for (n, case) in cases.iter().enumerate() {
            let told = outcomes.get(n % guests).and_then(|it| it.get(n / guests));
            let [theirs, found] = told.context("a case was not run")?;
            judge(case, found, theirs, comparison);
        }
    }
    Ok(())
}

/// What the originals and what ours do, case by case, in one guest.
fn outcomes(
    guest: &Userland,
    policy: &[u8],
    ours: &str,
    cases: &[&Case],
) -> Result<Vec<[Outcome; 2]>> {
    let mut steps = set_up();
    for case in cases {
        case.steps(&mut steps, &|name| original(name))?;
        case.steps(&mut steps, &|_| Ok(ours.to_owned()))?;
    }
    let records = guest.run(policy, &steps, LIMIT)?;
    let mut records = Records { records: records.into_iter(), steps: &steps };
    let mut outcomes = Vec::new();
    for case in cases {
        let mut side = || records.outcome(case).with_context(|| case.name.clone());
        outcomes.push([side()?, side()?]);
    }
    ensure!(records.records.next().is_none(), "the guest told more than it was asked");
    Ok(outcomes)
}

/// Where an original is; one that is missing is an error.
fn original(name: &str) -> Result<String> {
    let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
    let mut paths = folders.iter().map(|it| Path::new(it).join(name));
    let path = paths.find(|it| it.exists()).with_context(|| format!("{name} is missing"))?;
    Ok(path.display().to_string())
}

/// What `/etc/selinux` holds in the guest, and what chcat needs.
fn set_up() -> Steps {
    let mut steps = Steps::default();
    let folder = "/etc/selinux/mandate";
    for below in ["", "/contexts", "/contexts/files"] {
        steps.add(["dir", &format!("{folder}{below}")]);
    }
    let known: Vec<&str> = SPEC.lines().filter(|it| !it.contains(UNKNOWN)).collect();
    let good = known.join("\n") + "\n";
    let files = [
        ("../config", "SELINUX=permissive\nSELINUXTYPE=mandate\n"),
        ("setrans.conf", SETRANS),
        ("contexts/customizable_types", CUSTOMIZABLE),
        ("contexts/files/file_contexts", SPEC),
        ("contexts/files/file_contexts.local", SPEC_LOCAL),
        ("contexts/files/file_contexts.homedirs", SPEC_HOMES),
        ("contexts/files/file_contexts.subs_dist", SUBSTITUTIONS),
        ("contexts/files/good", &good),
    ];
    for (name, text) in files {
        steps.add(["file", &format!("{folder}/{name}"), text]);
    }
    steps.add(["mount", "tmpfs", LOCALES]);
    for below in ["/en_GB", "/en_GB/LC_MESSAGES"] {
        steps.add(["dir", &format!("{LOCALES}{below}")]);
    }
    let file = format!("{LOCALES}/en_GB/LC_MESSAGES/selinux-python.mo");
    steps.add([&b"file"[..], file.as_bytes(), &TRANSLATION]);
    steps
}

/// What the guest told, taken case by case.
struct Records<'a> {
    records: std::vec::IntoIter<Record>,
    steps: &'a Steps,
}

impl Records<'_> {
    fn outcome(&mut self, case: &Case) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        while outcome.codes.len() < case.runs.len() {
            match self.records.next().context("the guest told too little")? {
                Record::Ran { code, out, err } => {
                    outcome.codes.push(code);
                    outcome.out.push(out);
                    outcome.err.push(err);
                }
                other => self.refuse(&other)?,
            }
        }
        loop {
            match self.records.as_slice().first() {
                Some(Record::Label { path, label, digest }) => {
                    outcome.labels.insert(path.clone(), (label.clone(), *digest));
                    self.records.next();
                }
                Some(Record::Failed(..)) => {
                    let failed = self.records.next();
                    failed.map_or(Ok(()), |it| self.refuse(&it))?;
                }
                _ => break,
            }
        }
        ensure!(!outcome.labels.is_empty(), "no labels");
        Ok(outcome)
    }

    /// A tree that is not what it should be proves nothing.
    fn refuse(&self, record: &Record) -> Result<()> {
        match record {
            Record::Failed(step, error) => {
                bail!("{error} in step {step}: {}", self.steps.line(step))
            }
            other => bail!("not expected: {other:?}"),
        }
    }
}

/// Compares field by field; what is known to differ must.
fn judge(case: &Case, ours: &Outcome, theirs: &Outcome, comparison: &mut Comparison) {
    let wrong: Vec<Field> = Field::ALL
        .into_iter()
        .filter(|field| {
            let known = case.known.iter().any(|(it, _)| it == field);
            known == (ours.field(*field, case.unordered) == theirs.field(*field, case.unordered))
        })
        .collect();
    if wrong.is_empty() {
        comparison.agree();
        return;
    }
    let runs: Vec<String> = case.runs.iter().map(case::Run::shown).collect();
    let query = format!("{}: {}", case.name, runs.join("; "));
    let told = |a: &Outcome, b: &Outcome| {
        let fields = wrong.iter().map(|it| {
            let (a, b) = (a.field(*it, case.unordered), b.field(*it, case.unordered));
            match a == b {
                true => format!("{} is the same, though it is known to differ", it.name()),
                false => format!("{} {}", it.name(), apart(&a, &b)),
            }
        });
        fields.collect::<Vec<_>>().join(", ")
    };
    comparison.disagree(query, told(ours, theirs), told(theirs, ours));
}

/// The lines that only the first has; all of them if it is their order that differs.
fn apart(a: &[String], b: &[String]) -> String {
    let only: Vec<&String> = a.iter().filter(|it| !b.contains(it)).take(6).collect();
    match only.is_empty() && a != b && a.len() == b.len() {
        true => format!("{a:?}"),
        false => format!("{only:?}"),
    }
}

impl Outcome {
    fn field(&self, field: Field, unordered: bool) -> Vec<String> {
        let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
        let lines = |runs: &[Vec<u8>]| {
            let mut lines: Vec<String> = Vec::new();
            for (number, run) in runs.iter().enumerate() {
                let run = run.split_inclusive(|it| *it == b'\n');
                lines.extend(run.map(|it| format!("{number} {}", without_options(&text(it)))));
            }
            if unordered {
                lines.sort_unstable();
            }
            lines
        };
        match field {
            Field::Code => self.codes.iter().map(u32::to_string).collect(),
            Field::Out => lines(&self.out),
            Field::Err => lines(&self.err),
            Field::Labels => {
                let labels = self.labels.iter();
                let labels = labels.map(|(path, (label, digest))| {
                    let digest = if *digest { " digest" } else { "" };
                    format!("{} {}{digest}", text(path), text(label))
                });
                labels.collect()
            }
        }
    }
}

/// A usage names the options of a version: those of ours are more.
fn without_options(line: &str) -> &str {
    if line.starts_with("usage:") { "usage:" } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(code: u32, out: &str) -> Outcome {
        let labels = BTreeMap::from([(b"/mnt/t".to_vec(), (b"a:b:c".to_vec(), false))]);
        Outcome { codes: vec![code], out: vec![out.into()], err: vec![Vec::new()], labels }
    }

    fn differing(case: &Case, ours: &Outcome, theirs: &Outcome) -> usize {
        let mut comparison = Comparison::new("");
        judge(case, ours, theirs, &mut comparison);
        comparison.differing()
    }

    #[test]
    fn what_differs_is_found() {
        let case = Case::default();
        let one = outcome(0, "a\nb\n");
        assert_eq!(differing(&case, &one, &one), 0);
        assert_eq!(differing(&case, &one, &outcome(1, "a\nb\n")), 1);
        assert_eq!(differing(&case, &one, &outcome(0, "b\na\n")), 1);
        assert_eq!(differing(&case, &one, &outcome(0, "a\nb")), 1);
        let mut other = one.clone();
        other.labels.insert(b"/mnt/t".to_vec(), (b"a:b:c".to_vec(), true));
        assert_eq!(differing(&case, &one, &other), 1);
        let unordered = Case { unordered: true, ..Case::default() };
        assert_eq!(differing(&unordered, &one, &outcome(0, "b\na\n")), 0);
        assert_eq!(differing(&unordered, &one, &outcome(0, "b\n")), 1);
    }

    #[test]
    fn what_is_known_to_differ_must() {
        let known = vec![(Field::Code, "why".to_owned())];
        let case = Case { known, ..Case::default() };
        assert_eq!(differing(&case, &outcome(1, ""), &outcome(0, "")), 0);
        assert_eq!(differing(&case, &outcome(0, ""), &outcome(0, "")), 1);
        assert_eq!(differing(&case, &outcome(1, "x"), &outcome(0, "")), 1);
    }
}
