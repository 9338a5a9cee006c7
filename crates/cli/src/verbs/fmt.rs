//! `mandate fmt`: sources as people like to read them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Error, Result, bail};
use mandate_syntax::format::{self, Language};
use mandate_syntax::source::{Expansions, SourceMap};
use rayon::prelude::*;
use similar::{Algorithm, TextDiff};

use crate::render::{Findings, plural, text};
use crate::replace::{replace, replace_all};
use crate::{FAINT, Outcome, sources, styled};

/// Arguments of `fmt`.
#[derive(clap::Args)]
#[command(after_help = "\
What changes is blanks: indentation by tabs, one blank between words, one empty line at most, columns of .fc files. Lines
stay as they are cut, comments where they are; the policy that is built is the same. In CIL, indented by four blanks, a list
that fits into a line takes one, and each statement of a block has its own. What is not understood stays as it is.

Examples:
  mandate fmt my.te my.if my.fc            rewrite a module
  mandate fmt refpolicy/policy/modules     all .te, .if, .fc and .cil files in a folder and below it
  mandate fmt --check policy               for CI: exit 1 and name the files that would change
  mandate fmt --diff my.te                 show what would change
  mandate fmt --kind cil - < my.cil        from standard input to standard output

Exit codes: 0 done, 1 errors in the sources or, with --check, files that would change, 2 wrong usage, or a file cannot be
read or written. A file with an error is left alone, the others are formatted.")]
pub(crate) struct Args {
    /// Files, and folders with all .te, .if, .fc and .cil files in them; - is standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Change nothing; name the files that would change, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
    /// Change nothing; show what would change
    #[arg(long)]
    diff: bool,
    /// The language of standard input [default: te], or of files whose names do not tell
    #[arg(long, value_name = "KIND", value_enum)]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Te,
    If,
    Fc,
    Cil,
}

impl From<Kind> for Language {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Te => Self::Te,
            Kind::If => Self::If,
            Kind::Fc => Self::Fc,
            Kind::Cil => Self::Cil,
        }
    }
}

/// Folders deeper within each other are refused.
const MAX_DEPTH: usize = 64;
/// After this a diff may be longer than need be.
const PATIENCE: Duration = Duration::from_secs(2);
/// Lines of context in a diff.
const CONTEXT: usize = 3;

struct Job {
    path: PathBuf,
    language: Language,
}

impl Job {
    fn name(&self) -> String {
        if self.is_standard_input() {
            "standard input".to_owned()
        } else {
            self.path.to_string_lossy().into_owned()
        }
    }

    fn is_standard_input(&self) -> bool {
        self.path == Path::new("-")
    }
}

/// What became of a file.
enum Done {
    Same(Arc<[u8]>),
    Changed {
        old: Arc<[u8]>,
        new: Vec<u8>,
    },
    /// It has an error.
    Faulty(Arc<[u8]>),
    /// It cannot be read or written.
    Failed(Error),
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let jobs = args.jobs()?;
    let writes = !args.check && !args.diff;
    let mut done: Vec<(Job, Done)> = jobs
        .into_par_iter()
        .map(|job| {
            let done = format_file(&job);
            (job, done.unwrap_or_else(Done::Failed))
        })
        .collect();
    if writes {
        write_all(&mut done);
    }
    let mut faulty: Vec<(&Job, &Arc<[u8]>)> = Vec::new();
    let (mut changed, mut failed) = (0, false);
    for (job, done) in &done {
        match done {
            Done::Same(bytes) if writes && job.is_standard_input() => out.write_all(bytes)?,
            Done::Same(_) => {}
            Done::Changed { old, new } => {
                changed += 1;
                args.show(job, old, new, out)?;
            }
            Done::Faulty(bytes) => faulty.push((job, bytes)),
            Done::Failed(error) => {
                failed = true;
                writeln!(err, "{} {error:#}", styled(crate::ERROR, "error:"))?;
            }
        }
    }
    tell(&faulty, err)?;
    let only_input = matches!(&done[..], [(job, _)] if job.is_standard_input());
    if !only_input {
        let would = if writes { "" } else { " to be" };
        let all = plural(done.len(), "file");
        writeln!(err, "{}", styled(FAINT, &format!("{changed} of {all}{would} changed")))?;
    }
    Ok(match (failed, faulty.is_empty()) {
        (true, _) => Outcome::BadInput,
        (false, false) => Outcome::Faulty,
        _ if args.check && changed != 0 => Outcome::Denied,
        _ => Outcome::Success,
    })
}

impl Args {
    /// The files, each once and in order.
    fn jobs(&self) -> Result<Vec<Job>> {
        let mut paths: Vec<PathBuf> = Vec::new();
        for path in &self.paths {
            if path != Path::new("-") && path.is_dir() {
                walk(path, 1, &mut paths)?;
            } else {
                paths.push(path.clone());
            }
        }
        paths.sort();
        paths.dedup();
        if paths.is_empty() {
            bail!("no .te, .if, .fc or .cil file in the folders named");
        }
        paths.into_iter().map(|path| self.job(path)).collect()
    }

    fn job(&self, path: PathBuf) -> Result<Job> {
        let told = self.kind.map(Language::from);
        let language = match language_of(&path) {
            Some(it) => it,
            None if path == Path::new("-") => told.unwrap_or(Language::Te),
            None => told.with_context(|| {
                format!("{}: not .te, .if, .fc or .cil: --kind tells what it is", path.display())
            })?,
        };
        Ok(Job { path, language })
    }

    fn show(&self, job: &Job, old: &[u8], new: &[u8], out: &mut dyn Write) -> Result<()> {
        if self.diff {
            let name = job.name();
            // Both are UTF-8, else they would not have been formatted.
            let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
            let mut config = TextDiff::configure();
            config.algorithm(Algorithm::Myers).timeout(PATIENCE);
            let diff = config.diff_lines(&*old, &*new);
            let mut unified = diff.unified_diff();
            write!(out, "{}", unified.context_radius(CONTEXT).header(&name, &name))?;
        } else if self.check {
            writeln!(out, "{}", job.name())?;
        } else if job.is_standard_input() {
            out.write_all(new)?;
        }
        Ok(())
    }
}

fn language_of(path: &Path) -> Option<Language> {
    Language::of_ending(path.extension()?.to_str()?)
}

/// The sources in a folder. Links and names that begin with a dot are passed over.
fn walk(folder: &Path, depth: usize, to: &mut Vec<PathBuf>) -> Result<()> {
    if depth > MAX_DEPTH {
        bail!("{}: folders are more than {MAX_DEPTH} deep", folder.display());
    }
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let entry = entry.with_context(|| folder.display().to_string())?;
        let kind = entry.file_type().with_context(|| entry.path().display().to_string())?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), depth + 1, to)?;
        } else if kind.is_file() && language_of(&entry.path()).is_some() {
            to.push(entry.path());
        }
    }
    Ok(())
}

fn format_file(job: &Job) -> Result<Done> {
    let old = sources::read_source(&job.path)?;
    let mut map = SourceMap::new();
    let id = map.add(job.name(), old.clone())?;
    let Ok(new) = format::format(map.file(id), job.language) else { return Ok(Done::Faulty(old)) };
    if new[..] == old[..] {
        return Ok(Done::Same(old));
    }
    Ok(Done::Changed { old, new })
}

/// Writes what has changed: all at once, which is quicker, or if that fails each file that can be written.
fn write_all(done: &mut [(Job, Done)]) {
    let mut files = Vec::new();
    for (job, done) in done.iter_mut().filter(|it| !it.0.is_standard_input()) {
        if let Done::Changed { new, .. } = done {
            files.push((job.path.clone(), std::mem::take(new)));
        }
    }
    if replace_all(&files).is_ok() {
        return;
    }
    let mut files = files.into_iter();
    for (job, done) in done.iter_mut().filter(|it| !it.0.is_standard_input()) {
        if let Done::Changed { .. } = done
            && let Some((_, bytes)) = files.next()
            && let Err(error) = replace(&job.path, |to| Ok(to.write_all(&bytes)?))
        {
            *done = Done::Failed(error);
        }
    }
}

/// Says what is wrong with the files that were left alone.
fn tell(faulty: &[(&Job, &Arc<[u8]>)], err: &mut dyn Write) -> Result<()> {
    let mut map = SourceMap::new();
    let mut found = Vec::new();
    for (job, bytes) in faulty {
        let id = map.add(job.name(), Arc::clone(bytes))?;
        // Once more, for a place among all of them.
        found.extend(format::format(map.file(id), job.language).err().map(|it| *it));
    }
    let expansions = Expansions::default();
    let findings = Findings::new(&map, &expansions, &found);
    Ok(text::write(&findings, text::Settings::for_terminal(), err)?)
}
