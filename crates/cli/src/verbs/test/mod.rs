//! `mandate test`: runs tests of a policy.

mod json;
mod junit;
mod text;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mandate_policydb::{PolicyDb, Provenance};
use mandate_query::assertions::{AssertionError, AssertionFile, Problem, Verdict};
use mandate_server::Engine;

use crate::policy::{self, Loaded};
use crate::{ERROR, Outcome, input, styled, suggest};

/// Arguments of `test`.
#[derive(clap::Args)]
#[command(after_help = "\
A file is a list of assertions: [[can]], [[cannot]], [[transition]], [[only]], [[neverallow]], [[no_flow]], [[empty_attribute]],
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

/// The results of one file.
struct Report {
    file: String,
    /// What the policy is called.
    policy: String,
    verdicts: Vec<Verdict>,
}

/// A policy that files test.
struct Subject {
    loaded: Loaded,
    engine: Engine,
    /// Read when an assertion fails.
    provenance: Option<Provenance>,
}

/// All policies that are tested, by their path; none is the base policy.
type Subjects = BTreeMap<String, Subject>;

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let (mut subjects, mut reports, mut faulty) = (Subjects::new(), Vec::new(), false);
    for path in files(&args.files)? {
        let policy = args.policy.as_deref();
        match test(&path, policy, &mut subjects, err)? {
            Ok(report) => reports.push(report),
            Err(errors) => {
                faulty = true;
                errors
                    .iter()
                    .try_for_each(|it| writeln!(err, "{} {it}", styled(ERROR, "error:")))?;
            }
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

/// Tests one file; what is wrong with it as lines.
fn test(
    path: &Path,
    policy: Option<&Path>,
    subjects: &mut Subjects,
    err: &mut dyn Write,
) -> Result<Result<Report, Vec<String>>> {
    let file = path.display().to_string();
    let text = String::from_utf8(input::read_bytes(path)?).with_context(|| file.clone())?;
    let parsed = match AssertionFile::parse(&file, &text) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Err(vec![error.to_string()])),
    };
    if parsed.is_empty() {
        return Ok(Err(vec![format!("{file}: it has no assertion")]));
    }
    let beside = path.parent().unwrap_or(Path::new(""));
    let own = parsed.policy().map(|it| beside.join(it));
    let policy = own.as_deref().or(policy);
    let settings: Vec<(String, String)> =
        parsed.build().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let name = called(policy, &settings);
    if !subjects.contains_key(&name) {
        let loaded = Subject::load(policy, &settings, err);
        subjects.insert(name.clone(), loaded.with_context(|| file.clone())?);
    }
    let Some(subject) = subjects.get_mut(&name) else { bail!("{name} was not read") };
    match parsed.check(&subject.engine) {
        Ok(verdicts) => {
            if verdicts.iter().any(|it| !it.holds()) && subject.provenance.is_none() {
                subject.provenance = subject.loaded.provenance()?;
            }
            Ok(Ok(Report { file, policy: name, verdicts }))
        }
        Err(errors) => {
            let db = subject.engine.db();
            Ok(Err(errors.iter().map(|it| explained(db, it)).collect()))
        }
    }
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

impl Subject {
    fn load(
        policy: Option<&Path>,
        settings: &[(String, String)],
        err: &mut dyn Write,
    ) -> Result<Self> {
        let inputs: Vec<PathBuf> = policy.map(Path::to_owned).into_iter().collect();
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
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
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
