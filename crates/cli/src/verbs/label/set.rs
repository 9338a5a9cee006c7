//! `mandate label set`: a label that somebody chose.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use mandate_host::tree::{self, Entry, Failure, Next, Options, Root, Visitor};
use mandate_host::xattr::{self, Reader, SELINUX};
use mandate_host::{interrupt, tree::Identity};
use mandate_label::relabel::{Edit, is_context};
use rustix::io::Errno;

use super::common::{Telling, shown};
use crate::relabel::found::Summary;
use crate::relabel::{self, Post, drive, resolved};
use crate::{ERROR, Outcome, styled};

/// Arguments of `label set`.
#[derive(clap::Args)]
#[command(after_help = "\
A symbolic link gets the label itself. `label restore` takes the label away again, unless its type is customizable.")]
pub(super) struct Args {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The whole label
    #[arg(long, short, value_name = "CONTEXT", required_unless_present_any = ["user", "role", "type", "range"])]
    context: Option<String>,
    /// Only the user
    #[arg(long, short, value_name = "USER", conflicts_with = "context")]
    user: Option<String>,
    /// Only the role
    #[arg(long, short, value_name = "ROLE", conflicts_with = "context")]
    role: Option<String>,
    /// Only the type
    #[arg(long, short, value_name = "TYPE", conflicts_with = "context")]
    r#type: Option<String>,
    /// Only the range
    #[arg(long, short = 'l', value_name = "RANGE", conflicts_with = "context")]
    range: Option<String>,
    /// Also what is in folders
    #[arg(long, short = 'R')]
    recursive: bool,
    /// Stay on the file system of each path
    #[arg(long, short = 'x')]
    one_file_system: bool,
    /// Change nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
    #[command(flatten)]
    telling: Telling,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    if let Some(context) = args.context.as_ref().filter(|it| !is_context(it.as_bytes())) {
        bail!(
            "{context:?} is no context: expected user:role:type, and :range where policies have levels"
        );
    }
    if !args.dry_run && !relabel::may_write() {
        bail!("labels cannot be written here: that needs CAP_SYS_ADMIN outside of user namespaces");
    }
    interrupt::watch();
    let options = Options {
        recurse: args.recursive,
        one_file_system: args.one_file_system,
        stop: Arc::default(),
        ..Options::default()
    };
    let started = Instant::now();
    let did = drive(out, err, &options.stop, &mut || {}, |post| all(args, &options, post))??;
    let Did { seen, changed, failed } = did;
    let summary = Summary { seen, changed, failed, dry_run: args.dry_run, time: started.elapsed() };
    args.telling.end(&summary, out, err)?;
    if options.stop.load(std::sync::atomic::Ordering::Relaxed) {
        bail!("ended early: what was done stays");
    }
    Ok(if failed > 0 { Outcome::BadInput } else { Outcome::Success })
}

/// Counts of a run.
#[derive(Clone, Copy, Default)]
struct Did {
    seen: u64,
    changed: u64,
    failed: u64,
}

fn all(args: &Args, options: &Options, post: Post) -> Result<Did> {
    let edit = Edit {
        user: args.user.clone(),
        role: args.role.clone(),
        type_: args.r#type.clone(),
        range: args.range.clone(),
    };
    let reader = Reader::new(SELINUX);
    let mut setter = Setter { args, edit, reader, post, did: Did::default() };
    for path in &args.paths {
        let path = resolved(path)?;
        let root = Root::open_resolved(&path).map_err(std::io::Error::from);
        let root = root.with_context(|| path.display().to_string())?;
        let back = tree::walk(root, options, vec![setter]).pop();
        setter = back.context("a walk gives its visitors back")?;
    }
    Ok(setter.did)
}

struct Setter<'a> {
    args: &'a Args,
    edit: Edit,
    reader: Reader,
    post: Post,
    did: Did,
}

impl Setter<'_> {
    fn set(&mut self, entry: &Entry<'_>) -> Result<(), String> {
        let words = |error: Errno| std::io::Error::from(error).to_string();
        let replaced = "it was replaced while it was looked at; run again";
        let held = entry.pin().map_err(words)?.ok_or(replaced)?;
        let links = |it: &Identity| it.has_other_names();
        if links(held.identity()) && !links(&entry.identity) {
            return Err(replaced.to_owned());
        }
        let old = held.read(&mut self.reader).map_err(words)?;
        let new = match &self.args.context {
            Some(context) => context.clone().into_bytes(),
            None => {
                let old = old.ok_or("it has no label of which parts could be changed; give all of it with --context")?;
                self.edit
                    .apply(old)
                    .ok_or("its label is no context; give all of it with --context")?
            }
        };
        let new = String::from_utf8(new).map_err(|_| "its label is no text")?;
        if !is_context(new.as_bytes()) {
            return Err(format!("{new:?} would be no context"));
        }
        if old == Some(new.as_bytes()) {
            return Ok(());
        }
        let line = self.args.telling.verbose.then(|| {
            let old = relabel::found::label(old.unwrap_or_default());
            format!("{}\t{old} → {new}\n", shown(entry.path))
        });
        if !self.args.dry_run {
            held.set(SELINUX, &xattr::stored(&new)).map_err(words)?;
        }
        self.did.changed += 1;
        self.post.out(line.unwrap_or_default().as_bytes());
        Ok(())
    }

    fn fail(&mut self, path: &[u8], what: &str) {
        self.did.failed += 1;
        let line = format!("{} {}: {what}\n", styled(ERROR, "error:"), shown(path));
        self.post.err(line.as_bytes());
    }
}

impl Visitor for Setter<'_> {
    fn visit(&mut self, entry: &Entry<'_>) -> Next {
        self.did.seen += 1;
        if let Err(what) = self.set(entry) {
            self.fail(entry.path, &what);
        }
        Next::On
    }

    fn holds(&self) -> bool {
        true
    }

    fn failed(&mut self, path: &[u8], failure: Failure, error: Errno) -> Next {
        match failure {
            Failure::Cycle => {}
            _ => self.fail(path, &std::io::Error::from(error).to_string()),
        }
        Next::On
    }
}
