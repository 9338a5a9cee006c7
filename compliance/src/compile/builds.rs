//! Whole builds, theirs beside ours: answers, rules, files, and a kernel that loads ours.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mandate_policydb::{ClassId, PolicyDb, SymbolId};
use serde_json::Value;

use super::answers::Theirs;
use super::original::{FILES, Original};
use super::ours::Ours;
use super::setting::Setting;
use super::text::{Difference, with_role_types_of};
use super::{answers, files, tables, tree};
use crate::kernel::{Backend, Job, Kernel};
use crate::kernel_mix::{self, comparable};
use crate::ours::ask_mandate;
use crate::place::Place;
use crate::reference::VERSION;
use crate::report::{Comparison, Report};

/// How much is asked about each build.
#[derive(Clone, Copy, Debug)]
pub struct Questions {
    /// Decisions on both policies.
    pub decisions: usize,
    /// Questions to a kernel that has loaded ours.
    pub kernel: usize,
    /// Which ones.
    pub seed: u64,
}

/// Compares builds of Debian's tree; one that breaks off fails alone.
///
/// # Errors
/// When the kernel cannot be had or the report cannot be written.
pub fn run(
    place: &Place,
    settings: &[Setting],
    questions: Questions,
    report: &mut Report<'_>,
) -> Result<()> {
    report.heading("Builds of the Reference Policy")?;
    let source = tree::pristine(place)?;
    let kernel = Kernel::prepare(Backend::Uml, &place.work.join("kernel"))?;
    make_originals(place, settings);
    for setting in settings {
        let compared = Original::build(place, *setting).and_then(|original| {
            let modules = source.join(setting.modules.file());
            let built = Pair::build(place, original, &source, Some(&modules), &setting.words())?;
            built.compare(place, &kernel, questions, report)
        });
        if let Err(why) = compared {
            report.case(&setting.to_string(), Err(format!("{why:#}")))?;
        }
    }
    Ok(())
}

/// The originals take longest and use one core, so two are made at a time. What fails is tried again, and told, later.
fn make_originals(place: &Place, settings: &[Setting]) {
    for pair in settings.chunks(2) {
        std::thread::scope(|scope| {
            for setting in pair {
                scope.spawn(|| {
                    let original = Original::build(place, *setting)?;
                    original.plain()?;
                    original.linked()?;
                    original.optimized()
                });
            }
        });
    }
}

/// One tree, built by both.
pub struct Pair {
    original: Original,
    plain: Ours,
    again: Ours,
    optimized: Ours,
}

impl Pair {
    /// Builds ours twice as it is written, and once without redundant rules.
    ///
    /// # Errors
    /// When `mandate` fails.
    pub fn build(
        place: &Place,
        original: Original,
        source: &Path,
        modules: Option<&Path>,
        words: &[String],
    ) -> Result<Self> {
        let folder = place.work.join("compile").join(&original.name);
        let ours = |optimize: bool, name: &str| {
            Ours::build(place, source, modules, words, optimize, &folder.join(name))
        };
        Ok(Self {
            plain: ours(false, "plain")?,
            again: ours(false, "again")?,
            optimized: ours(true, "optimized")?,
            original,
        })
    }

    /// Ours, as it is written.
    #[must_use]
    pub fn binary(&self) -> PathBuf {
        self.plain.binary()
    }

    /// Everything that the two can be compared in.
    ///
    /// # Errors
    /// When an original fails or the report cannot be written.
    pub fn compare(
        &self,
        place: &Place,
        kernel: &Kernel,
        questions: Questions,
        report: &mut Report<'_>,
    ) -> Result<()> {
        let Questions { decisions, seed, .. } = questions;
        let name = &self.original.name;
        let (theirs, linked) = (self.original.plain()?, self.original.linked()?);
        let theirs = Theirs { plain: &theirs, linked: &linked };
        self.text(report)?;
        report.add(&self.same_again()?)?;
        for it in answers::compare(place, name, &self.plain.binary(), theirs, decisions, seed)? {
            report.add(&it)?;
        }
        let smaller = format!("{name} -O");
        let n = decisions / 4;
        for it in answers::compare(place, &smaller, &self.optimized.binary(), theirs, n, seed)? {
            report.add(&it)?;
        }
        report.case(&format!("{name} -O: number of rules"), self.number_of_rules()?)?;
        let [ours, original] = [&self.plain, &self.optimized].map(|it| |file: &str| it.file(file));
        let theirs = |file: &str| self.original.file(file);
        report.add(&files::compare(name, ours, theirs)?)?;
        report.add(&files::compare(&smaller, original, theirs)?)?;
        self.in_a_kernel(place, kernel, questions, report)
    }

    /// The rules, as `checkpolicy -b -F` writes both.
    fn text(&self, report: &mut Report<'_>) -> Result<()> {
        let name = format!("{}: canonical text, sorted", self.original.name);
        let theirs = self.original.as_text(&self.original.plain()?)?;
        let linked = self.original.as_text(&self.original.linked()?)?;
        let theirs = with_role_types_of(&theirs, &linked);
        let ours = self.original.as_text(&self.plain.binary()).context("ours as text")?;
        let difference = Difference::of(&ours, &theirs);
        let mut comparison = Comparison::new(name);
        (0..difference.same).for_each(|_| comparison.agree());
        for line in &difference.ours {
            comparison.disagree(line.clone(), "has it".into(), "-".into());
        }
        for line in &difference.theirs {
            comparison.disagree(line.clone(), "-".into(), "has it".into());
        }
        report.add(&comparison)?;
        if difference.ours.is_empty() && difference.theirs.is_empty() {
            return Ok(());
        }
        for line in difference.shown() {
            report.note(&line)?;
        }
        Ok(())
    }

    /// The same sources give the same bytes, in whatever order threads get on.
    fn same_again(&self) -> Result<Comparison> {
        let name = format!("{}: built again, the same bytes", self.original.name);
        let mut comparison = Comparison::new(name);
        let policy = format!("policy.{VERSION}");
        for file in FILES.iter().copied().chain([policy.as_str()]) {
            let read = |it: &Ours| std::fs::read(it.file(file)).with_context(|| file.to_owned());
            if read(&self.plain)? == read(&self.again)? {
                comparison.agree();
            } else {
                comparison.disagree(file.to_owned(), "other bytes".into(), "the same".into());
            }
        }
        Ok(comparison)
    }

    fn number_of_rules(&self) -> Result<Result<String, String>> {
        let ours = tables::rules(&tables::read(&self.optimized.binary())?);
        let theirs = tables::rules(&tables::read(&self.original.optimized()?)?);
        let told = format!("ours {ours}, theirs {theirs}");
        Ok(if ours <= theirs { Ok(told) } else { Err(told) })
    }

    /// A kernel that has loaded ours answers as `mandate` does about theirs.
    fn in_a_kernel(
        &self,
        place: &Place,
        kernel: &Kernel,
        questions: Questions,
        report: &mut Report<'_>,
    ) -> Result<()> {
        let theirs = self.original.plain()?;
        for (what, ours) in [("", &self.plain), (" -O", &self.optimized)] {
            let name = format!("{}{what}: loaded by Linux", self.original.name);
            report.add(&loaded(place, kernel, name, &ours.binary(), &theirs, questions)?)?;
        }
        Ok(())
    }
}

/// A kernel that has loaded `ours` answers as `mandate` does about `theirs`.
///
/// # Errors
/// When the kernel refuses the policy, or a question cannot be put.
pub fn loaded(
    place: &Place,
    kernel: &Kernel,
    name: String,
    ours: &Path,
    theirs: &Path,
    questions: Questions,
) -> Result<Comparison> {
    let db = tables::read(theirs)?;
    let queries = kernel_mix::questions(place, theirs, questions.kernel, questions.seed)?;
    let answers = in_kernel(kernel, ours, &queries)?;
    let mut comparison = Comparison::new(name);
    let expected = ask_mandate(place, theirs, &queries)?;
    for ((query, ours), theirs) in queries.iter().zip(answers).zip(expected) {
        let mask = permissions(&db, query);
        let (ours, theirs) = (telling(ours, mask), telling(theirs, mask));
        comparison.equal(|| query.to_string(), &ours, &theirs);
    }
    Ok(comparison)
}

/// An answer without what may differ between two compilers: contexts that a user can reach come in the order of their
/// types' numbers, and bits may be set for which the class has no permission.
fn telling(answer: Value, permissions: u64) -> Value {
    let mut answer = comparable(answer);
    for name in ["allowed", "auditallow", "auditdeny"] {
        if let Some(vector) = answer.get_mut(name) {
            *vector = vector.as_u64().map_or(Value::Null, |bits| (bits & permissions).into());
        }
    }
    if let Some(contexts) = answer.get_mut("contexts").and_then(Value::as_array_mut) {
        contexts.sort_by_key(ToString::to_string);
    }
    answer
}

/// The bits that stand for a permission of the class that a query is about, which it names or numbers.
fn permissions(db: &PolicyDb, query: &Value) -> u64 {
    let asked = query.get("tclass").and_then(Value::as_str).unwrap_or_default();
    let number = || ClassId::from_value(asked.parse().ok()?);
    let class = db.classes.id(asked).or_else(number);
    class.map_or(u64::MAX, |class| u64::from(db.permission_mask(class)))
}

fn in_kernel(kernel: &Kernel, policy: &Path, queries: &[Value]) -> Result<Vec<Value>> {
    let bytes = std::fs::read(policy).with_context(|| format!("reading {}", policy.display()))?;
    Ok(kernel.ask(&Job::new(&[&bytes], queries))?.answers)
}
