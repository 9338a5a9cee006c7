//! Random faults: one mistake at a random statement of Debian's tree, and whether `mandate check` shows it where it is.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};

use super::ours::{self, Finding, settings};
use super::setting::Setting;
use super::statements::{self, Kind, Statement, words};
use super::tree::{self, Overlay};
use crate::bench::Figure;
use crate::place::Place;
use crate::random::Random;
use crate::report::Report;

/// So far from the fault the first report may be.
const LINES: usize = 2;
/// So many of a hundred faults must be shown in place.
const SHARE: usize = 95;
/// How many trees are checked at the same time.
const AT_ONCE: usize = 2;

/// Where faults are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Statements of `.te` files.
    Modules,
    /// Statements within interfaces, whether the build calls them or not.
    Interfaces,
    /// Entries of `.fc` files.
    Contexts,
}

impl Ground {
    fn name(self) -> &'static str {
        match self {
            Self::Modules => "statements of .te files",
            Self::Interfaces => "bodies of interfaces",
            Self::Contexts => "entries of .fc files",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Modules => "te",
            Self::Interfaces => "if",
            Self::Contexts => "fc",
        }
    }

    /// Bodies of interfaces are only looked into when asked.
    fn options(self) -> Option<&'static str> {
        (self == Self::Interfaces).then_some("--check-interfaces")
    }
}

/// A mistake that a person makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    DroppedSemicolon,
    MisspeltName,
    WrongPermission,
    UnclosedQuote,
    MissingArgument,
}

impl Fault {
    const ALL: [Self; 5] = [
        Self::DroppedSemicolon,
        Self::MisspeltName,
        Self::WrongPermission,
        Self::UnclosedQuote,
        Self::MissingArgument,
    ];
}

/// A fault in a file: this range of its text becomes something else.
#[derive(Clone, Debug)]
struct Edit {
    fault: Fault,
    file: String,
    line: usize,
    range: Range<usize>,
    new: String,
    shown: String,
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, file, line, new, shown, .. } = self;
        write!(f, "{fault:?} {file}:{line}: {shown:?} becomes {new:?}")
    }
}

/// Draws `n` faults on a ground and judges the reports about them.
///
/// # Errors
/// When `mandate` does not run or the report cannot be written.
pub fn run(
    place: &Place,
    ground: Ground,
    n: usize,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Figure> {
    let sources = Sources::read(place, ground)?;
    let edits = sources.draw(n, seed);
    ensure!(edits.len() == n, "{} faults drawn of {n}", edits.len());
    let missed = sources.judge(place, &edits)?;
    let good = n - missed.len();
    let name = format!("random faults, {}, seed {seed}", ground.name());
    let told = format!("{good} of {n} shown in the right file within {LINES} lines");
    let enough = good * 100 >= n * SHARE;
    report.case(&name, if enough { Ok(told.clone()) } else { Err(told) })?;
    for line in &missed {
        report.note(line)?;
    }
    Ok(Figure {
        what: name,
        reach: format!("at least {SHARE} % in the right file within {LINES} lines"),
        ours: format!("{good} of {n}"),
        theirs: "a line of a temporary file".into(),
        ratio: String::new(),
    })
}

/// The files that faults are drawn in, with their statements.
struct Sources {
    ground: Ground,
    tree: PathBuf,
    modules: PathBuf,
    files: Vec<(String, String, Vec<Statement>)>,
    names: BTreeSet<String>,
}

impl Sources {
    fn read(place: &Place, ground: Ground) -> Result<Self> {
        let setting = Setting::DEBIAN;
        let tree = tree::pristine(place)?;
        let modules = tree.join(setting.modules.file());
        let listed = listed(&modules)?;
        let defined = defined(setting);
        let mut names = BTreeSet::new();
        let mut files = Vec::new();
        for path in module_files(&tree)? {
            let text =
                fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            names.extend(words(&text, &(0..text.len())).into_iter().map(|it| text[it].to_owned()));
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (module, kind) = name.split_once('.').unwrap_or((&name, ""));
            let wanted = kind.trim_end_matches(".in") == ground.kind();
            if wanted && listed.contains(module) && !is_generated(&path) {
                let statements = match ground {
                    Ground::Contexts => statements::of_contexts(&text, &defined),
                    _ => statements::of_module(&text, &defined),
                };
                files.push((path.strip_prefix(&tree)?.display().to_string(), text, statements));
            }
        }
        Ok(Self { ground, tree, modules, files, names })
    }

    /// Every statement of every file is as likely as any other.
    fn draw(&self, n: usize, seed: u64) -> Vec<Edit> {
        let mut random = Random::new(seed);
        let all: Vec<(usize, usize)> = (0..self.files.len())
            .flat_map(|file| {
                let statements = self.files.get(file).map_or(0, |it| it.2.len());
                (0..statements).map(move |statement| (file, statement))
            })
            .collect();
        let mut edits = Vec::new();
        for _ in 0..n * 100 {
            if edits.len() == n {
                break;
            }
            let drawn = random.pick(&all).and_then(|&(file, statement)| {
                let (file, text, statements) = self.files.get(file)?;
                self.fault(file, text, statements.get(statement)?, &mut random)
            });
            edits.extend(drawn);
        }
        edits
    }

    /// One of the faults that this statement can have.
    fn fault(
        &self,
        file: &str,
        text: &str,
        statement: &Statement,
        random: &mut Random,
    ) -> Option<Edit> {
        let make = |fault: Fault, random: &mut Random| match fault {
            Fault::DroppedSemicolon => dropped_semicolon(text, statement),
            Fault::MisspeltName => self.misspelt_name(text, statement, random),
            Fault::WrongPermission => wrong_permission(text, statement, random),
            Fault::UnclosedQuote => unclosed_quote(text, statement, random),
            Fault::MissingArgument => missing_argument(text, statement),
        };
        let possible: Vec<(Fault, (Range<usize>, String))> = Fault::ALL
            .into_iter()
            .filter_map(|fault| Some((fault, make(fault, random)?)))
            .collect();
        let (fault, (range, new)) = random.pick(&possible)?.clone();
        let line = text[..range.start].matches('\n').count() + 1;
        let shown = text[range.clone()].to_owned();
        Some(Edit { fault, file: file.to_owned(), line, range, new, shown })
    }

    /// A name with a letter too many, too few, or two that changed places; never one that exists.
    fn misspelt_name(
        &self,
        text: &str,
        statement: &Statement,
        random: &mut Random,
    ) -> Option<(Range<usize>, String)> {
        let mut names: Vec<Range<usize>> = words(text, &statement.range);
        if statement.kind != Kind::Call && !names.is_empty() {
            // The word that says what statement it is, or where an entry's path begins.
            names.remove(0);
        }
        if statement.kind == Kind::Entry {
            let context = text[statement.range.clone()].find("gen_context")?;
            names.retain(|it| it.start >= statement.range.start + context);
        }
        names.retain(|it| is_name(&text[it.clone()]));
        let range = random.pick(&names)?.clone();
        let name = &text[range.clone()];
        let new = (0..10).map(|_| misspelt(name, random)).find(|it| !self.names.contains(it))?;
        Some((range, new))
    }

    /// The faults that are not shown where they are.
    fn judge(&self, place: &Place, edits: &[Edit]) -> Result<Vec<String>> {
        let (known, good) = self.check(place, &self.tree)?;
        // Nobody's build looks into all interfaces, so some of Debian's may be wrong; the rest is not.
        ensure!(
            good || self.ground == Ground::Interfaces,
            "the tree is refused as it is, at {}",
            known.first().map(Finding::place).unwrap_or_default()
        );
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let work = |worker: usize| {
                let (known, next) = (&known, &next);
                move || self.worker(place, worker, edits, known, next)
            };
            let workers: Vec<_> = (0..AT_ONCE).map(|worker| scope.spawn(work(worker))).collect();
            let mut missed = Vec::new();
            for worker in workers {
                let panicked = |_| anyhow::anyhow!("judging a fault panicked");
                missed.extend(worker.join().map_err(panicked)??);
            }
            missed.sort();
            Ok(missed)
        })
    }

    fn worker(
        &self,
        place: &Place,
        worker: usize,
        edits: &[Edit],
        known: &[Finding],
        next: &AtomicUsize,
    ) -> Result<Vec<String>> {
        let copy = tree::folder(place)?.join(format!("faults-{}-{worker}", std::process::id()));
        let overlay = Overlay::new(&self.tree, &copy)?;
        let mut missed = Vec::new();
        while let Some(edit) = edits.get(next.fetch_add(1, Ordering::Relaxed)) {
            let text = self.files.iter().find(|it| it.0 == edit.file).map(|it| it.1.as_str());
            let mut text = text.context("the file of a fault")?.to_owned();
            text.replace_range(edit.range.clone(), &edit.new);
            overlay.replace(&edit.file, text.as_bytes())?;
            let told = self.check(place, overlay.root()).map(|told| told.0);
            overlay.restore(&edit.file)?;
            if let Some(why) = wrong(edit, &told, known) {
                missed.push(format!("{edit}: {why}"));
            }
        }
        Ok(missed)
    }

    fn check(&self, place: &Place, tree: &Path) -> Result<(Vec<Finding>, bool)> {
        let mut options = settings(Some(&self.modules), &Setting::DEBIAN.words());
        options.extend(self.ground.options().map(str::to_owned));
        ours::check(place, &[tree], &options)
    }
}

/// Why the reports about a fault are no good.
fn wrong(edit: &Edit, told: &Result<Vec<Finding>>, known: &[Finding]) -> Option<String> {
    let told = match told {
        Ok(told) => told,
        Err(why) => return Some(format!("{why:#}")),
    };
    // What is said of the tree as it is, is said at another line when lines come or go.
    let same = |one: &Finding, other: &Finding| {
        (&one.code, &one.file, &one.message) == (&other.code, &other.file, &other.message)
    };
    let new = told.iter().find(|it| !known.iter().any(|other| same(it, other)));
    let Some(first) = new else { return Some("nothing is reported".to_owned()) };
    let same_file = first.file.as_deref() == Some(&edit.file);
    let near = same_file && first.line.is_some_and(|line| line.abs_diff(edit.line) <= LINES);
    let (code, message, place) = (&first.code, &first.message, first.place());
    (!near).then(|| format!("the first report is {code} at {place}: {message}"))
}

fn dropped_semicolon(text: &str, statement: &Statement) -> Option<(Range<usize>, String)> {
    let end = statement.range.end;
    let ends = statement.kind == Kind::Plain && text[statement.range.clone()].ends_with(';');
    ends.then(|| (end - 1..end, String::new()))
}

/// A permission that belongs to classes that the statement does not speak of.
fn wrong_permission(
    text: &str,
    statement: &Statement,
    random: &mut Random,
) -> Option<(Range<usize>, String)> {
    let whole = &text[statement.range.clone()];
    let rules = ["allow ", "dontaudit ", "auditallow ", "neverallow "];
    if statement.kind != Kind::Plain || !rules.iter().any(|rule| whole.starts_with(rule)) {
        return None;
    }
    let colon = statement.range.start + whole.find(':')?;
    let after = &text[colon + 1..statement.range.end];
    let class = match after.trim_start().strip_prefix('{') {
        Some(_) => after.find('}')? + 1,
        None => {
            after.len()
                - after.trim_start_matches(|it: char| it.is_alphanumeric() || it == '_').len()
        }
    };
    let permissions = words(text, &(colon + 1 + class..statement.range.end));
    let range = random.pick(&permissions)?.clone();
    let other = if whole.contains("netlink") { "swapon" } else { "nlmsg_write" };
    is_name(&text[range.clone()]).then(|| (range, other.to_owned()))
}

/// A closing quote that is gone or, where none is, an opening one too many.
fn unclosed_quote(
    text: &str,
    statement: &Statement,
    random: &mut Random,
) -> Option<(Range<usize>, String)> {
    let closing: Vec<usize> = text[statement.range.clone()]
        .match_indices('\'')
        .map(|(at, _)| statement.range.start + at)
        .collect();
    if let Some(&at) = random.pick(&closing) {
        return Some((at..at + 1, String::new()));
    }
    let words = words(text, &statement.range);
    let at = random.pick(&words)?.start;
    Some((at..at, "`".to_owned()))
}

/// A call without its last argument.
fn missing_argument(text: &str, statement: &Statement) -> Option<(Range<usize>, String)> {
    if statement.kind == Kind::Entry {
        let start = statement.range.start + text[statement.range.clone()].find("gen_context(")?;
        let end = statement.range.start + text[statement.range.clone()].rfind(')')?;
        return Some((start + "gen_context(".len()..end, String::new()));
    }
    let last = statement.arguments.last()?;
    if text[last.clone()].trim().is_empty() {
        return None;
    }
    let comma = usize::from(statement.arguments.len() > 1);
    Some((last.start - comma..last.end, String::new()))
}

fn is_name(word: &str) -> bool {
    word.len() > 2
        && word.starts_with(|it: char| it.is_ascii_alphabetic())
        && word.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
        && !matches!(word, "self" | "types" | "alias" | "roles" | "range" | "level" | "tcp" | "udp")
}

fn misspelt(name: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = random.below(letters.len().saturating_sub(1));
    match random.below(3) {
        0 => letters.swap(at, at + 1),
        1 => drop(letters.remove(at)),
        _ => letters.insert(at, *random.pick(&letters.clone()).unwrap_or(&'x')),
    }
    letters.into_iter().collect()
}

/// The modules that a list puts into a build.
fn listed(list: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(list).with_context(|| format!("reading {}", list.display()))?;
    let fields = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let on = |fields: &Vec<&str>| matches!(fields.as_slice(), [_, "=", "base" | "module", ..]);
    Ok(fields.filter(on).filter_map(|fields| Some((*fields.first()?).to_owned())).collect())
}

/// The names that a build defines.
fn defined(setting: Setting) -> BTreeSet<String> {
    let flags = super::m4::flags(setting);
    let names = flags.iter().filter(|word| *word != "-D");
    names.map(|word| word.trim_end_matches("=true").to_owned()).collect()
}

/// What is made from another file is made anew by a build.
fn is_generated(path: &Path) -> bool {
    let mut source = path.as_os_str().to_owned();
    source.push(".in");
    Path::new(&source).exists()
}

fn module_files(tree: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for layer in fs::read_dir(tree.join("policy/modules")).context("looking for the layers")? {
        let layer = layer?.path();
        if layer.is_dir() {
            for file in fs::read_dir(&layer).context("looking into a layer")? {
                let path = file?.path();
                let name = path.display().to_string();
                let kind = name.trim_end_matches(".in").rsplit('.').next().unwrap_or_default();
                all.extend(matches!(kind, "te" | "if" | "fc").then_some(path));
            }
        }
    }
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Statement {
        statements::of_module(text, &BTreeSet::new()).remove(0)
    }

    fn edited(text: &str, edit: Option<(Range<usize>, String)>) -> Option<String> {
        let (range, new) = edit?;
        let mut text = text.to_owned();
        text.replace_range(range, &new);
        Some(text)
    }

    #[test]
    fn faults_are_what_they_are_called() {
        let rule = "allow a_t b_t:{ file dir } read;";
        let call = "reads(a_t, `b')";
        let random = &mut Random::new(1);
        let dropped = dropped_semicolon(rule, &only(rule));
        assert_eq!(edited(rule, dropped).as_deref(), Some("allow a_t b_t:{ file dir } read"));
        let wrong = wrong_permission(rule, &only(rule), random);
        assert_eq!(edited(rule, wrong).as_deref(), Some("allow a_t b_t:{ file dir } nlmsg_write;"));
        let unclosed = unclosed_quote(call, &only(call), random);
        assert_eq!(edited(call, unclosed).as_deref(), Some("reads(a_t, `b)"));
        let missing = missing_argument(call, &only(call));
        assert_eq!(edited(call, missing).as_deref(), Some("reads(a_t)"));
        assert!(dropped_semicolon(call, &only(call)).is_none());
    }

    #[test]
    fn a_report_two_lines_off_is_near() {
        let edit = |line| Edit {
            fault: Fault::MisspeltName,
            file: "a.te".into(),
            line,
            range: 0..0,
            new: String::new(),
            shown: String::new(),
        };
        let finding =
            |line| Finding { file: Some("a.te".into()), line: Some(line), ..Finding::default() };
        assert_eq!(wrong(&edit(5), &Ok(vec![finding(7)]), &[]), None);
        assert!(wrong(&edit(5), &Ok(vec![finding(8)]), &[]).is_some());
        assert!(wrong(&edit(5), &Ok(vec![finding(5)]), &[finding(5)]).is_some());
    }
}
