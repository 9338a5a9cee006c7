//! `mandate test`: runs tests of a policy.

mod json;
mod junit;
mod text;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mandate_policydb::{PolicyDb, Provenance};
use mandate_query::assertions::{AssertionError, AssertionFile, Problem, Verdict};
use mandate_server::Engine;
use rayon::prelude::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::policy::{self, Loaded};
use crate::{ERROR, Outcome, input, styled, suggest};

/// Arguments of `test`.
#[derive(clap::Args)]
#[command(after_help = "\
A file is a list of assertions: [[can]], [[cannot]], [[transition]], [[relabel]], [[only]], [[neverallow]], [[no_flow]], [[empty_attribute]],
[[read_only_executables]], [[rule_count]]; docs/policy-tests.md shows each. The policy is the one that the file names with
policy = \"path\", seen from the file's folder; else that of --policy; else the embedded base policy.

Exit codes: 0 all assertions hold, 1 some do not, 2 a file is wrong, or names what the policy does not have.")]
pub(crate) struct Args {
    /// Files, or folders whose .toml files are all meant, also those of folders within
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The policy of files that name none: a binary, a source tree, a policy.conf, CIL or a package
    #[arg(long)]
    policy: Option<PathBuf>,
    /// How to tell the results
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How results are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each assertion, then the failures
    Text,
    /// One object; its shape is in docs/json.md
    Json,
    /// JUnit XML
    Junit,
}

/// A file that can be tested.
struct Parsed {
    name: String,
    assertions: AssertionFile,
    /// What its policy is called.
    policy: String,
    /// Which of the policies that is.
    subject: usize,
}

/// The results of one file.
struct Report {
    file: String,
    /// What the policy is called.
    policy: String,
    subject: usize,
    verdicts: Vec<Verdict>,
}

/// A policy that files test, by where it lies and how it is built; without a path the base policy.
struct Origin {
    path: Option<PathBuf>,
    settings: Vec<(String, String)>,
    /// The first file that tests it.
    file: String,
}

/// A policy that files test.
struct Subject {
    loaded: Loaded,
    engine: Engine,
    /// Read when an assertion fails.
    provenance: Option<Provenance>,
}

/// Verdicts, or what is wrong with a file as lines.
type Checked<T> = Result<T, Vec<String>>;

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let (mut origins, mut files) = (Vec::new(), Vec::new());
    for path in paths(&args.files)? {
        files.push(parse(&path, args.policy.as_deref(), &mut origins)?);
    }
    let mut subjects = load(&origins, err)?;
    let engines: Vec<Engine> = subjects.iter().map(|it| it.engine.clone()).collect();
    let check = |file: Checked<Parsed>| file.and_then(|it| check(it, &engines));
    let checked: Vec<Checked<Report>> = files.into_par_iter().map(check).collect();
    let (mut reports, mut faulty) = (Vec::new(), false);
    for it in checked {
        match it {
            Ok(report) => reports.push(report),
            Err(errors) => {
                faulty = true;
                errors
                    .iter()
                    .try_for_each(|it| writeln!(err, "{} {it}", styled(ERROR, "error:")))?;
            }
        }
    }
    for report in reports.iter().filter(|it| it.failures().next().is_some()) {
        let subject = subjects.get_mut(report.subject).context("a file has a policy")?;
        if subject.provenance.is_none() {
            subject.provenance = subject.loaded.provenance()?;
        }
    }
    match args.format {
        // Nothing was tested; the errors say why.
        Format::Text if reports.is_empty() => {}
        Format::Text => text::print(&reports, &subjects, out)?,
        Format::Json => json::print(&reports, &subjects, out)?,
        Format::Junit => junit::print(&reports, &subjects, out)?,
    }
    let fails = |it: &Report| it.failures().next().is_some();
    Ok(match (faulty, reports.iter().any(fails)) {
        (true, _) => Outcome::BadInput,
        (false, true) => Outcome::Denied,
        (false, false) => Outcome::Success,
    })
}

impl Report {
    fn failures(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|it| !it.holds())
    }
}

/// The name of an assertion, or what it says.
fn title(verdict: &Verdict) -> &str {
    verdict.name.as_deref().unwrap_or(&verdict.claim)
}

/// How many assertions there are, and how many fail.
fn totals(reports: &[Report]) -> (usize, usize) {
    let all = reports.iter().map(|it| it.verdicts.len()).sum();
    (all, reports.iter().map(|it| it.failures().count()).sum())
}

/// Reads a file, and notes the policy that it tests.
fn parse(path: &Path, policy: Option<&Path>, origins: &mut Vec<Origin>) -> Result<Checked<Parsed>> {
    let name = path.display().to_string();
    let text = String::from_utf8(input::read_bytes(path)?).with_context(|| name.clone())?;
    let assertions = match AssertionFile::parse(&name, &text) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(vec![error.to_string()])),
    };
    if assertions.is_empty() {
        return Ok(Err(vec![format!("{name}: it has no assertion")]));
    }
    let beside = path.parent().unwrap_or(Path::new(""));
    let own = assertions.policy().map(|it| beside.join(it));
    let policy = own.as_deref().or(policy);
    let build = assertions.build().iter();
    let settings: Vec<_> = build.map(|(key, value)| (key.clone(), value.clone())).collect();
    let called = called(policy, &settings);
    let known = origins.iter().position(|it| it.is(policy, &settings));
    let subject = known.unwrap_or(origins.len());
    if known.is_none() {
        let path = policy.map(Path::to_owned);
        origins.push(Origin { path, settings, file: name.clone() });
    }
    Ok(Ok(Parsed { name, assertions, policy: called, subject }))
}

/// Reads or builds all policies, side by side.
fn load(origins: &[Origin], err: &mut dyn Write) -> Result<Vec<Subject>> {
    let load = |it: &Origin| {
        let mut said = Vec::new();
        (Subject::load(it, &mut said).with_context(|| it.file.clone()), said)
    };
    let loaded: Vec<_> = origins.par_iter().map(load).collect();
    let mut subjects = Vec::new();
    for (subject, said) in loaded {
        err.write_all(&said)?;
        subjects.push(subject?);
    }
    Ok(subjects)
}

/// Tests one file.
fn check(file: Parsed, engines: &[Engine]) -> Checked<Report> {
    let Parsed { name, assertions, policy, subject } = file;
    let Some(engine) = engines.get(subject) else { return Err(Vec::new()) };
    let explain = |it: &AssertionError| explained(engine.db(), it);
    let verdicts = assertions.check(engine);
    let verdicts = verdicts.map_err(|it| it.iter().map(explain).collect::<Vec<_>>())?;
    Ok(Report { file: name, policy, subject, verdicts })
}

/// What a policy is called where results are told, with how it was built.
fn called(policy: Option<&Path>, settings: &[(String, String)]) -> String {
    let mut name = policy.map_or("the base policy".to_owned(), |it| it.display().to_string());
    for (at, (key, value)) in settings.iter().enumerate() {
        name += if at == 0 { " with " } else { ", " };
        name += &format!("{key}={value}");
    }
    name
}

impl Origin {
    /// Is it this policy? Files of several folders name the same tree in several ways.
    fn is(&self, path: Option<&Path>, settings: &[(String, String)]) -> bool {
        let whole = |it: &Path| std::fs::canonicalize(it).unwrap_or_else(|_| it.to_owned());
        self.settings == settings && self.path.as_deref().map(whole) == path.map(whole)
    }
}

impl Subject {
    fn load(Origin { path, settings, .. }: &Origin, err: &mut dyn Write) -> Result<Self> {
        let inputs: Vec<PathBuf> = path.iter().cloned().collect();
        let loaded = policy::load_built(&inputs, settings, err)?;
        let engine = Engine::new(loaded.policy.clone())?;
        Ok(Self { loaded, engine, provenance: None })
    }
}

/// An error with near misses of a name.
fn explained(db: &PolicyDb, error: &AssertionError) -> String {
    let AssertionError { file, line, column, problem } = error;
    match problem {
        Problem::Lookup(error) => format!("{file}:{line}:{column}: {}", suggest::lookup(db, error)),
        _ => error.to_string(),
    }
}

/// All files that are meant, each folder's by name.
fn paths(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        add_folder(path, &mut files)?;
        if files.len() == before {
            bail!("{} holds no .toml file", path.display());
        }
    }
    Ok(files)
}

fn add_folder(path: &Path, to: &mut Vec<PathBuf>) -> Result<()> {
    let name = || path.display().to_string();
    let entries = std::fs::read_dir(path).with_context(name)?;
    let mut entries: Vec<PathBuf> =
        entries.map(|it| Ok(it?.path())).collect::<Result<_>>().with_context(name)?;
    entries.sort();
    for entry in entries {
        // A link to a folder may lead back here.
        if entry.is_dir() && !entry.is_symlink() {
            add_folder(&entry, to)?;
        } else if entry.extension().is_some_and(|it| it == "toml") {
            to.push(entry);
        }
    }
    Ok(())
}
