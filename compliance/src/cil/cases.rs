//! Judges the cases: what is recorded, what `secilc` says now, and what ours says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::Size;
use super::case::{self, Case, Outcome};
use super::compiler::{Compiler, Verdict};
use super::facts::{self, Facts};
use crate::place::Place;
use crate::report::{Comparison, Report};

/// How many sentences a difference shows.
const SHOWN: usize = 8;

/// Judges all cases.
///
/// # Errors
/// When a case is not well formed, `secilc` is missing, or the report cannot be written.
pub fn run(place: &Place, size: &Size, report: &mut Report<'_>) -> Result<()> {
    report.heading("CIL, case by case")?;
    let folder = place.root.join("compliance/cases/cil");
    let mut files = case::files(&folder)?;
    let mut bench = Bench::new(place, &folder)?;
    if size.bless {
        return bench.bless(&mut files, size, report);
    }
    let cases: Vec<&Case> = files.iter().flat_map(|it| &it.cases).collect();
    let cases: Vec<&Case> = cases.into_iter().filter(|it| it.name.contains(&size.only)).collect();
    ensure!(!cases.is_empty(), "no case is called {:?}", size.only);
    if !size.without_originals {
        let settled: Vec<&Case> =
            cases.iter().copied().filter(|it| it.is_settled_by_secilc()).collect();
        bench.judge("secilc", &Compiler::original(None), &settled, report)?;
    }
    if let Some(newer) = &size.newer {
        let documented: Vec<&Case> = cases.iter().copied().filter(|it| it.doc.is_some()).collect();
        bench.judge("a newer secilc", &Compiler::original(Some(newer)), &documented, report)?;
    }
    bench.judge("ours", &Compiler::ours(place)?, &cases, report)
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.work);
    }
}

struct Bench {
    cases: PathBuf,
    work: PathBuf,
    /// What the bases say, by name.
    bases: BTreeMap<String, Facts>,
}

/// A case, and how what was told of it is wrong.
type Judged<'a> = (&'a Case, Option<String>);

impl Bench {
    fn new(place: &Place, cases: &Path) -> Result<Self> {
        // Of its own: two of these may run at once.
        let work = place.work.join(format!("cil/cases-{}", std::process::id()));
        let mut this = Self { cases: cases.to_owned(), work, bases: BTreeMap::new() };
        for base in this.base_files()? {
            if let Ok(text) = fs::read_to_string(base.with_extension("facts")) {
                this.bases.insert(stem(&base), text.lines().map(str::to_owned).collect());
            }
        }
        Ok(this)
    }

    fn base_files(&self) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(self.cases.join("base")).context("looking for the bases")?;
        let paths = entries.filter_map(|it| Some(it.ok()?.path()));
        Ok(paths.filter(|path| path.extension().is_some_and(|end| end == "cil")).collect())
    }

    fn judge(
        &self,
        who: &str,
        compiler: &Compiler,
        cases: &[&Case],
        report: &mut Report<'_>,
    ) -> Result<()> {
        if cases.is_empty() {
            return Ok(());
        }
        let mut comparison = Comparison::new(format!("CIL cases: {who} and what is recorded"));
        let mut wrong = Vec::new();
        for (case, told) in self.judged(compiler, cases)? {
            let Some(told) = told else {
                comparison.agree();
                continue;
            };
            let (first, _) = told.split_once('\n').unwrap_or((&told, ""));
            comparison.disagree(case.name.clone(), first.to_owned(), "as recorded".into());
            wrong.push(format!("{}: {told}", case.name));
        }
        report.add(&comparison)?;
        wrong.iter().try_for_each(|line| report.note(line))?;
        Ok(())
    }

    /// The cases in their order; as many at a time as there are processors.
    fn judged<'a>(&self, compiler: &Compiler, cases: &[&'a Case]) -> Result<Vec<Judged<'a>>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = cases.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let shares: Vec<_> = cases.chunks(share).enumerate().collect();
            let running: Vec<_> = shares
                .into_iter()
                .map(|(n, share)| {
                    scope.spawn(move || {
                        let folder = self.folder(&n.to_string())?;
                        let one =
                            |case: &&'a Case| Ok((*case, self.judge_one(compiler, case, &folder)?));
                        share.iter().map(one).collect::<Result<Vec<Judged<'a>>>>()
                    })
                })
                .collect();
            let mut all = Vec::new();
            for share in running {
                let share = share.join();
                all.extend(share.map_err(|_| anyhow!("a thread that judges cases panicked"))??);
            }
            Ok(all)
        })
    }

    /// How what a compiler makes of a case is not what is recorded.
    fn judge_one(&self, compiler: &Compiler, case: &Case, folder: &Path) -> Result<Option<String>> {
        let Some(record) = &case.record else { bail!("{}: nothing is recorded", case.name) };
        let (outcome, said) = match self.ask(compiler, case, folder) {
            Ok(told) => told,
            Err(why) => return Ok(Some(format!("{why:#}"))),
        };
        let original = compiler.is_original();
        // Where the original names no line, the line of a record is for ours.
        if original && outcome.names_no_line() && matches!(record, Outcome::Refused(_)) {
            return Ok(None);
        }
        let as_well = case.or.as_ref().filter(|_| !original);
        let wrong = differ(&outcome, record)
            .filter(|_| as_well.is_none_or(|it| differ(&outcome, it).is_some()));
        Ok(wrong.map(|it| format!("{it}{said}")))
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.work.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(folder)
    }

    fn bless(
        &mut self,
        files: &mut [case::File],
        size: &Size,
        report: &mut Report<'_>,
    ) -> Result<()> {
        let original = Compiler::original(None);
        let folder = self.folder("bless")?;
        self.bless_bases(&original, &folder)?;
        let newer = size.newer.as_deref().map(|it| Compiler::original(Some(it)));
        let mut recorded = Comparison::new("CIL cases: recorded");
        for file in files {
            for case in file.cases.iter_mut().filter(|it| it.name.contains(&size.only)) {
                if case.differs.is_some() {
                    continue;
                }
                let compiler = if case.doc.is_some() { newer.as_ref() } else { Some(&original) };
                let Some(compiler) = compiler else { continue };
                match self.ask(compiler, case, &folder) {
                    Ok((outcome, said)) => {
                        recorded.agree();
                        if let Some(newer) = newer.as_ref().filter(|_| case.doc.is_none()) {
                            let (later, _) = self.ask(newer, case, &folder)?;
                            let both = matches!(
                                (&later, &outcome),
                                (Outcome::Refused(_), Outcome::Refused(_))
                            );
                            let differs = differ(&later, &outcome).filter(|_| !both);
                            // What a person allowed besides stays.
                            case.or = differs.map(|_| later).or(case.or.take());
                        }
                        if outcome.names_no_line() {
                            report.note(&format!("{}: no line: {said}", case.name))?;
                        }
                        case.record = Some(merged(outcome, case.record.take()));
                    }
                    Err(why) => {
                        recorded.disagree(case.name.clone(), String::new(), format!("{why:#}"))
                    }
                }
            }
            file.write()?;
        }
        report.add(&recorded)?;
        Ok(())
    }

    fn bless_bases(&mut self, original: &Compiler, folder: &Path) -> Result<()> {
        for base in self.base_files()? {
            let facts = match original.compile(&[], &[&base], folder)? {
                Verdict::Made(it) => facts::of(&it.policy, &it.file_contexts)?,
                Verdict::Refused(_, said) => bail!("{} is refused: {said}", base.display()),
            };
            let text: String = facts.iter().map(|fact| format!("{fact}\n")).collect();
            let path = base.with_extension("facts");
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            self.bases.insert(stem(&base), facts);
        }
        Ok(())
    }

    /// What a compiler makes of a case, and what it says of it.
    fn ask(&self, compiler: &Compiler, case: &Case, folder: &Path) -> Result<(Outcome, String)> {
        let file = folder.join("case.cil");
        fs::write(&file, &case.text).with_context(|| format!("writing {}", file.display()))?;
        let base = self.cases.join("base").join(format!("{}.cil", case.base));
        let alone = case.base == "none";
        let files: Vec<&Path> = if alone { vec![&file] } else { vec![&base, &file] };
        match compiler.compile(&case.options, &files, folder)? {
            Verdict::Refused(lines, said) => Ok((Outcome::Refused(lines), format!("\n{said}"))),
            Verdict::Made(it) => {
                let facts = match facts::of(&it.policy, &it.file_contexts) {
                    // The original writes some policies that no kernel takes; ours has to refuse the text.
                    Err(why) if compiler.is_original() => {
                        return Ok((Outcome::Refused(Vec::new()), format!("\n{why:#}")));
                    }
                    facts => facts?,
                };
                let none = Facts::new();
                let base = if alone { Some(&none) } else { self.bases.get(&case.base) };
                let base = base.with_context(|| format!("nothing is recorded of {}", case.base))?;
                Ok((Outcome::Accepted(beyond(&facts, base)), String::new()))
            }
        }
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is said more (`+`) and less (`-`) than by the base.
fn beyond(facts: &Facts, base: &Facts) -> Facts {
    let more = facts.difference(base).map(|fact| format!("+ {fact}"));
    more.chain(base.difference(facts).map(|fact| format!("- {fact}"))).collect()
}

/// What is recorded anew; lines that a person added to those of `secilc` stay.
fn merged(outcome: Outcome, old: Option<Outcome>) -> Outcome {
    match (outcome, old) {
        (Outcome::Refused(mut lines), Some(Outcome::Refused(old))) => {
            let more: Vec<usize> = old.into_iter().filter(|it| !lines.contains(it)).collect();
            lines.extend(more);
            Outcome::Refused(lines)
        }
        (outcome, _) => outcome,
    }
}

/// How an outcome is not what is recorded.
fn differ(outcome: &Outcome, record: &Outcome) -> Option<String> {
    match (outcome, record) {
        (Outcome::Accepted(is), Outcome::Accepted(should)) => {
            let more = is.difference(should).map(|fact| format!("\n       unexpected: {fact}"));
            let less = should.difference(is).map(|fact| format!("\n       missing:    {fact}"));
            let all: String = more.take(SHOWN).chain(less.take(SHOWN)).collect();
            (!all.is_empty()).then(|| format!("another policy{all}"))
        }
        (Outcome::Refused(is), Outcome::Refused(should)) => {
            // Of several lines that one names, one must be right, and the first is what a reader looks at.
            let right = should.is_empty() || is.first().is_some_and(|it| should.contains(it));
            (!right).then(|| format!("blames {is:?}, not {should:?}"))
        }
        (Outcome::Accepted(_), Outcome::Refused(_)) => Some("accepted".to_owned()),
        (Outcome::Refused(_), Outcome::Accepted(_)) => Some("refused".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_blamed_must_be_one_of_those_recorded() {
        let refused = |lines: &[usize]| Outcome::Refused(lines.to_vec());
        assert_eq!(differ(&refused(&[3, 9]), &refused(&[4, 3])), None);
        assert_eq!(
            differ(&refused(&[1, 3]), &refused(&[4, 3])).as_deref(),
            Some("blames [1, 3], not [4, 3]")
        );
        assert!(differ(&refused(&[]), &refused(&[3])).is_some());
        assert!(differ(&Outcome::Accepted(Facts::new()), &refused(&[])).is_some());
    }

    #[test]
    fn policies_are_told_apart_by_what_they_say_beyond_their_base() {
        let base = Facts::from(["a".to_owned(), "b".to_owned()]);
        let facts = Facts::from(["b".to_owned(), "c".to_owned()]);
        assert_eq!(beyond(&facts, &base), Facts::from(["+ c".to_owned(), "- a".to_owned()]));
    }
}
