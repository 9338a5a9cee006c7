//! `mandate label restore`: labels as file contexts say, on files, in a tar archive or in a manifest.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};

use super::check::tell;
use super::common::Telling;
use super::walk::{Trees, Wish};
use crate::relabel::found::Summary;
use crate::relabel::{self, manifest, tar};
use crate::{Outcome, replace};

/// Arguments of `label restore`.
#[derive(clap::Args)]
#[command(after_help = "\
User, role, range and customizable types are kept unless --force. A file with several names that want different labels is told and left
alone. Symbolic links are not followed, file systems that keep no labels are left out. Ctrl-C ends after the file at hand; with --resume
FILE the same command goes on where it ended, also after a crash.
Exit codes: 0 done, 1 files whose names differ were left alone, 2 error.
Writing labels needs CAP_SYS_ADMIN, or SELinux and its permission. --tar and --manifest need neither: extract with `tar --selinux
--xattrs-include=security.selinux`, apply with `setfattr --restore=FILE`.")]
pub(super) struct Args {
    #[command(flatten)]
    trees: Trees,
    /// Change nothing: tell what would become of which labels
    #[arg(long, short = 'n')]
    dry_run: bool,
    #[command(flatten)]
    telling: Telling,
    /// Note finished folders in this file, and leave out those that it notes
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    resume: Option<PathBuf>,
    /// Leave out folders whose digest says that nothing in file contexts changed since they were restored; set it on others
    #[arg(long)]
    digests: bool,
    /// Write the tree with its labels to a tar archive instead (pax, RHT.security.selinux)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "resume", "digests", "json"])]
    tar: Option<PathBuf>,
    /// Write the labels to a file for `setfattr --restore` instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "resume", "digests", "json", "tar"])]
    manifest: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    if let Some(path) = &args.tar {
        return collect(args, path, err, tar::Archive::new);
    }
    if let Some(path) = &args.manifest {
        return collect(args, path, err, manifest::Manifest::new);
    }
    let ours = args.trees.attribute() == mandate_host::xattr::SELINUX;
    if !args.dry_run && ours && !relabel::may_write() {
        bail!(
            "labels cannot be written here: that needs CAP_SYS_ADMIN outside of user namespaces; run as an administrator, look with \
             --dry-run, or write them elsewhere with --tar FILE or --manifest FILE"
        );
    }
    let wish = Wish {
        write: !args.dry_run,
        list: args.telling.verbose,
        resume: args.resume.as_deref(),
        digests: args.digests,
    };
    let started = Instant::now();
    let walked = args.trees.walk(&wish, out, err)?;
    let word = if args.dry_run { "would become" } else { "became" };
    if args.dry_run || args.telling.verbose || args.trees.json {
        tell(&walked, args.trees.json, word, out)?;
    }
    let summary = Summary {
        seen: walked.found.visited,
        changed: walked.found.wrong,
        failed: walked.found.failures,
        dry_run: args.dry_run,
        time: started.elapsed(),
    };
    args.telling.end(&summary, out, err)?;
    if walked.stopped {
        let hint = match &args.resume {
            Some(path) => format!("the same command goes on; {} knows where", path.display()),
            None => "what was done stays; run again for the rest".to_owned(),
        };
        bail!("ended early: {hint}");
    }
    Ok(match walked.found {
        ref it if it.failures > 0 => Outcome::BadInput,
        ref it if it.differing > 0 => Outcome::Denied,
        _ => Outcome::Success,
    })
}

/// Writes trees and labels to a file instead of to the files.
fn collect<C: manifest::Collect>(
    args: &Args,
    path: &Path,
    err: &mut dyn Write,
    make: fn(relabel::Post) -> C,
) -> Result<Outcome> {
    let loaded = args.trees.tables.open(err)?;
    let plan = relabel::Plan {
        table: &loaded.table,
        rules: args.trees.rules(),
        write: false,
        outside: args.trees.outside()?,
        attribute: args.trees.attribute(),
    };
    let (roots, excludes) = (args.trees.roots()?, args.trees.excludes()?);
    let options = args.trees.options(&Arc::default());
    let mut failures = 0;
    replace::replace(path, |to| {
        let trees = manifest::Trees { plan: &plan, roots, excludes, options, file: path };
        failures = trees.collect(make, to, err)?;
        Ok(())
    })?;
    Ok(if failures > 0 { Outcome::BadInput } else { Outcome::Success })
}
