//! `mandate label package`: labels of the files that packages have.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use mandate_host::links;

use super::check::tell;
use super::common::{Tables, shown};
use super::walk::{Trees, Wish};
use crate::{Outcome, packages, relabel, words};

/// Arguments of `label package`.
#[derive(clap::Args)]
#[command(after_help = "\
File lists are those of dpkg, rpm (which is run) and Portage, with diversions, and through links in the folders above, as /bin. Files that are not there are
counted. A link is labelled itself. User, role, range and customizable types are kept unless --force.
Exit codes: 0 done, 1 files whose names differ were left alone, 2 error; with --dry-run 1 if a label is wrong.")]
pub(super) struct Args {
    /// Names of packages; of Portage with category and version or without
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    tables: Tables,
    /// Change nothing: tell what would become of which labels
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// List each file that differs
    #[arg(long, short)]
    verbose: bool,
    /// Set the whole context: user, role and range too, and customizable types
    #[arg(long, short = 'F')]
    force: bool,
    /// JSON: a line for each file that differs, then one for the whole
    #[arg(long)]
    json: bool,
    /// Only list the files
    #[arg(long, conflicts_with_all = ["dry_run", "verbose", "force", "json"])]
    list: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let job = Job {
        tables: args.tables.clone(),
        dry_run: args.dry_run,
        list: args.verbose || args.dry_run,
        force: args.force,
        json: args.json,
    };
    if args.list {
        for path in packages::files(job.root(), &args.names, err)? {
            writeln!(out, "{}", shown(relabel::bytes(&path)))?;
        }
        return Ok(Outcome::Success);
    }
    relabel(job, &args.names, out, err)
}

/// How the files of packages are labelled.
#[derive(Default)]
pub(crate) struct Job {
    tables: Tables,
    pub(crate) dry_run: bool,
    pub(crate) list: bool,
    pub(crate) force: bool,
    pub(crate) json: bool,
}

impl Job {
    /// By the file contexts and packages of a root file system.
    pub(crate) fn at(root: Option<&str>) -> Self {
        let tables = Tables { root: root.map(words::to_path), ..Tables::default() };
        Self { tables, ..Self::default() }
    }

    fn root(&self) -> &Path {
        self.tables.root.as_deref().unwrap_or(Path::new("/"))
    }
}

/// Labels the files of packages.
///
/// # Errors
/// A package that is not there, file contexts that cannot be read, and no right to write labels.
pub(crate) fn relabel(
    job: Job,
    names: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome> {
    if !job.dry_run && !relabel::may_write() {
        bail!("labels cannot be written here: run as an administrator, or look with --dry-run");
    }
    let files = packages::files(job.root(), names, err)?;
    let files = files.iter().map(|it| links::below(job.root(), it)).collect();
    let Job { tables, dry_run, list, force, json } = job;
    let wish = Wish { write: !dry_run, list, ..Wish::default() };
    let walked = Trees::of_files(files, tables, force, json).walk(&wish, out, err)?;
    tell(&walked, json, if dry_run { "would become" } else { "became" }, out)?;
    if dry_run {
        return Ok(super::check::outcome(&walked));
    }
    Ok(match walked.found {
        ref it if it.failures > 0 || walked.stopped => Outcome::BadInput,
        ref it if it.differing > 0 => Outcome::Denied,
        _ => Outcome::Success,
    })
}
