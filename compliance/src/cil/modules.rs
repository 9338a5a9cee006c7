//! Whole policies, theirs beside ours: the same answers, the same sentences, no more rules.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Size;
use super::compiler::Compiler;
use super::facts;
use super::sources::{Source, Whole};
use crate::compile::{answers, tables};
use crate::place::{Place, run as run_program};
use crate::report::{Comparison, Report};

/// How many decisions are asked of each policy.
const DECISIONS: usize = 100_000;

/// Compares each source; one that breaks off fails alone.
///
/// # Errors
/// When the report cannot be written.
pub fn run(place: &Place, size: &Size, report: &mut Report<'_>) -> Result<()> {
    report.heading("Whole policies in CIL")?;
    let sources: &[Source] = if size.full { &Source::ALL } else { &Source::CI };
    for source in sources.iter().filter(|it| it.to_string().contains(&size.only)) {
        let compared =
            source.make(place).and_then(|whole| compare(place, &whole, size.seed, report));
        if let Err(why) = compared {
            report.case(&source.to_string(), Err(format!("{why:#}")))?;
        }
    }
    Ok(())
}

fn compare(place: &Place, whole: &Whole, seed: u64, report: &mut Report<'_>) -> Result<()> {
    let theirs = whole.theirs(false)?;
    let [plain, again, optimized] = ours(place, whole)?;
    report.add(&same_bytes(&whole.name, &plain, &again)?)?;
    for it in answers::ask(place, &whole.name, &plain, &theirs, DECISIONS, seed)? {
        report.add(&it)?;
    }
    report.add(&sentences(&whole.name, &plain, &theirs)?)?;
    let name = format!("{} -O", whole.name);
    for it in answers::ask(place, &name, &optimized, &theirs, DECISIONS / 4, seed)? {
        report.add(&it)?;
    }
    report.add(&sentences(&name, &optimized, &theirs)?)?;
    let smaller = number_of_rules(&optimized, &whole.theirs(true)?)?;
    report.case(&format!("{name}: number of rules"), smaller)?;
    report.add(&file_contexts(&whole.name, &plain, &theirs)?)?;
    Ok(())
}

/// Ours twice as it is written, and once without redundant rules.
fn ours(place: &Place, whole: &Whole) -> Result<[PathBuf; 3]> {
    let folder = place.work.join("cil/modules").join(whole.name.replace(' ', "-"));
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let compiler = Compiler::ours(place)?;
    let made = ["plain", "again", "optimized"].map(|name| folder.join(name));
    for path in &made {
        let optimize = path.ends_with("optimized");
        run_program(&mut whole.command(&compiler, optimize, path))?;
    }
    Ok(made)
}

fn same_bytes(name: &str, one: &Path, other: &Path) -> Result<Comparison> {
    let mut comparison = Comparison::new(format!("{name}: compiled again, the same bytes"));
    let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
    for end in ["", "fc"] {
        let [one, other] = [one, other].map(|it| it.with_extension(end));
        if read(&one)? == read(&other)? {
            comparison.agree();
        } else {
            comparison.disagree(one.display().to_string(), "other bytes".into(), "the same".into());
        }
    }
    Ok(comparison)
}

/// All that is not a rule between types.
///
/// # Errors
/// When a policy cannot be read.
pub fn sentences(name: &str, ours: &Path, theirs: &Path) -> Result<Comparison> {
    let mut comparison = Comparison::new(format!("{name}: symbols, transitions, constraints"));
    let (ours, theirs) = (tables::read(ours)?, tables::read(theirs)?);
    let (ours, theirs) = (facts::beside_rules(&ours), facts::beside_rules(&theirs));
    answers::sets("sentence", &ours, &theirs, &mut comparison);
    Ok(comparison.done())
}

fn number_of_rules(ours: &Path, theirs: &Path) -> Result<Result<String, String>> {
    let (ours, theirs) =
        (tables::rules(&tables::read(ours)?), tables::rules(&tables::read(theirs)?));
    let told = format!("ours {ours}, theirs {theirs}");
    Ok(if ours <= theirs { Ok(told) } else { Err(told) })
}

/// The same lines, in the same order.
///
/// # Errors
/// When the text of the file contexts is not beside a policy.
pub fn file_contexts(name: &str, ours: &Path, theirs: &Path) -> Result<Comparison> {
    let mut comparison = Comparison::new(format!("{name}: file contexts"));
    let lines = |path: &Path| -> Result<Vec<String>> {
        let path = path.with_extension("fc");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(text.lines().filter(|it| !it.is_empty()).map(str::to_owned).collect())
    };
    let (ours, theirs) = (lines(ours)?, lines(theirs)?);
    let none = String::new();
    for n in 0..ours.len().max(theirs.len()) {
        let [ours, theirs] = [&ours, &theirs].map(|it| it.get(n).unwrap_or(&none));
        comparison.equal(|| format!("line {}", n + 1), ours, theirs);
    }
    // A tree as one text has no file contexts; its modules have.
    comparison.equal(|| "number of lines".into(), &ours.len(), &theirs.len());
    Ok(comparison)
}
