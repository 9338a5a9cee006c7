//! What verbs that walk trees have in common: which trees, how, and what is told at the end.

use std::ffi::CStr;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mandate_host::tree::journal::Journal;
use mandate_host::tree::links::Links;
use mandate_host::tree::{self, Options, Root};
use mandate_host::{interrupt, xattr};
use mandate_label::relabel::Rules;
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::common::Tables;
use crate::labels::Loaded;
use crate::policy;
use crate::relabel::found::Found;
use crate::relabel::mender::{Common, Listing, Mender, Pass};
use crate::relabel::{Plan, Post, bytes, customizable, drive, resolved};

/// Which trees, and by which file contexts.
#[derive(clap::Args)]
pub(super) struct Trees {
    /// Files and folders, folders with all that is in them; with --root and no path, all of that root
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) tables: Tables,
    /// Leave out this folder (repeatable)
    #[arg(long, short, value_name = "DIR")]
    exclude: Vec<PathBuf>,
    /// Stay on the file system of each path
    #[arg(long, short = 'x')]
    one_file_system: bool,
    /// Folders by themselves, without what is in them
    #[arg(long)]
    no_recurse: bool,
    /// Compare and set the whole context: user, role and range too, and customizable types
    #[arg(long, short = 'F')]
    force: bool,
    /// Compare and set user and role too
    #[arg(long, short = 'U', conflicts_with = "force")]
    user_and_role: bool,
    /// Number of threads; without it, that of the processors
    #[arg(long, short = 'j', value_name = "N")]
    threads: Option<usize>,
    /// Another attribute than security.selinux: users may set those that begin with user.
    #[arg(long, value_name = "NAME", hide = true, value_parser = attribute)]
    attribute: Option<&'static CStr>,
    /// JSON: a line for each file that differs, then one for the whole
    #[arg(long)]
    pub(super) json: bool,
}

/// The name of an attribute; it lives as long as the program, as that of SELinux does.
fn attribute(name: &str) -> Result<&'static CStr, String> {
    let name = std::ffi::CString::new(name).map_err(|it| it.to_string())?;
    Ok(Box::leak(name.into_boxed_c_str()))
}

/// What a verb wants beside.
#[derive(Default)]
pub(super) struct Wish<'a> {
    pub(super) write: bool,
    pub(super) list: bool,
    pub(super) resume: Option<&'a Path>,
    pub(super) digests: bool,
}

/// What a walk came to.
pub(super) struct Walked {
    pub(super) found: Found,
    pub(super) stopped: bool,
}

impl Trees {
    /// These files by themselves, whatever is in them.
    pub(super) fn of_files(paths: Vec<PathBuf>, tables: Tables, force: bool, json: bool) -> Self {
        Self {
            paths,
            tables,
            exclude: Vec::new(),
            one_file_system: false,
            no_recurse: true,
            force,
            user_and_role: false,
            threads: Some(1),
            json,
            attribute: None,
        }
    }

    /// The paths, without links in the folders above; each lies in the root.
    pub(super) fn roots(&self) -> Result<Vec<PathBuf>> {
        let root = self.tables.root.as_deref().map(Path::canonicalize);
        let root = root.transpose().context("--root")?;
        if self.paths.is_empty() {
            return match root {
                Some(root) => Ok(vec![root]),
                None => bail!("name the files and folders, / for all of them"),
            };
        }
        let paths: Vec<_> = self.paths.iter().map(|it| resolved(it)).collect::<Result<_>>()?;
        if let Some(root) = root
            && let Some(other) = paths.iter().find(|it| !it.starts_with(&root))
        {
            bail!("{} does not lie in {}", other.display(), root.display());
        }
        Ok(paths)
    }

    /// Bytes of each path that file contexts do not see.
    pub(super) fn outside(&self) -> Result<usize> {
        let Some(root) = &self.tables.root else { return Ok(0) };
        let root = root.canonicalize().with_context(|| root.display().to_string())?;
        Ok(if root == Path::new("/") { 0 } else { bytes(&root).len() })
    }

    pub(super) fn rules(&self) -> Rules {
        let root = self.tables.root.as_deref().unwrap_or(Path::new("/"));
        Rules {
            force: self.force,
            user_and_role: self.user_and_role,
            customizable: customizable(&policy::folder_in_force(root)),
        }
    }

    pub(super) fn excludes(&self) -> Result<Vec<Vec<u8>>> {
        let bytes = |it: &PathBuf| Ok(bytes(&resolved(it)?).to_vec());
        self.exclude.iter().map(bytes).collect()
    }

    /// Where labels are.
    pub(super) fn attribute(&self) -> &'static CStr {
        self.attribute.unwrap_or(xattr::SELINUX)
    }

    fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.threads.unwrap_or_else(all).clamp(1, 256)
    }

    /// How to walk.
    pub(super) fn options(&self, stop: &Arc<AtomicBool>) -> Options {
        Options {
            one_file_system: self.one_file_system,
            recurse: !self.no_recurse,
            skip_unlabelled: true,
            stop: Arc::clone(stop),
            ..Options::default()
        }
    }

    /// What decides about labels, as one number: a journal and digests of other work count for nothing.
    fn work(&self, loaded: &Loaded, roots: &[PathBuf]) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix("labels 1");
        hash.update([u8::from(self.force), u8::from(self.user_and_role)]);
        hash.update(loaded.table.to_bytes());
        for path in roots.iter().chain(&self.exclude) {
            hash.update(bytes(path));
            hash.update([0]);
        }
        hash.finalize().into()
    }

    /// Walks, and tells what single files there are if it is wished.
    pub(super) fn walk(
        &self,
        wish: &Wish<'_>,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<Walked> {
        let loaded = self.tables.open(err)?;
        let roots = self.roots()?;
        let stop = Arc::<AtomicBool>::default();
        let mut options = self.options(&stop);
        let needs_key = wish.resume.is_some() || wish.digests;
        let work = needs_key.then(|| self.work(&loaded, &roots));
        if let (Some(path), Some(work)) = (wish.resume, &work) {
            options.journal = Some(Arc::new(self.journal(path, work, &stop, err)?));
        }
        let common = Common {
            plan: Plan {
                table: &loaded.table,
                rules: self.rules(),
                write: wish.write,
                outside: self.outside()?,
                attribute: self.attribute(),
            },
            excludes: self.excludes()?,
            links: Mutex::new(Links::default()),
            visited: AtomicU64::new(0),
            listing: match (wish.list, self.json) {
                (false, _) => Listing::None,
                (true, false) => Listing::Text,
                (true, true) => Listing::Json,
            },
            digest: work.filter(|_| wish.digests).map(|it| it[..20].to_vec()),
        };
        let walked = self.drive(&roots, &common, &options, out, err)?;
        if let Some(journal) = &options.journal {
            let path = wish.resume.unwrap_or(Path::new(""));
            journal.flush().with_context(|| path.display().to_string())?;
            if !walked.stopped && walked.found.failures == 0 {
                journal.remove().with_context(|| path.display().to_string())?;
            }
        }
        Ok(walked)
    }

    fn journal(
        &self,
        path: &Path,
        work: &[u8; 32],
        stop: &Arc<AtomicBool>,
        err: &mut dyn Write,
    ) -> Result<Journal> {
        let work: String = work.iter().map(|it| format!("{it:02x}")).collect();
        let journal = Journal::open(path, &work, Arc::clone(stop));
        let journal = journal.with_context(|| path.display().to_string())?;
        if journal.finished_before() > 0 {
            let finished = journal.finished_before();
            writeln!(err, "{}: {finished} folders are finished already", path.display())?;
        }
        Ok(journal)
    }

    /// About how many files there are, where file systems know: of folders nobody does, nor of what is left of a walk.
    fn expected(&self, roots: &[PathBuf], options: &Options) -> Option<u64> {
        let goes_on = options.journal.as_ref().is_some_and(|it| it.finished_before() > 0);
        if self.no_recurse || goes_on {
            return None;
        }
        roots.iter().map(|it| tree::estimate(&Root::open(it).ok()?)).sum()
    }

    fn drive(
        &self,
        roots: &[PathBuf],
        common: &Common<'_>,
        options: &Options,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<Walked> {
        interrupt::watch();
        let bar = Bar::new(self.expected(roots, options));
        let stop = &options.stop;
        let threads = self.threads();
        let mut tick = || bar.show(common.visited.load(Ordering::Relaxed));
        let walk = |post: Post| both_passes(roots, common, options, threads, &post);
        let found = drive(out, err, stop, &mut tick, walk)?;
        bar.finish();
        Ok(Walked { found: found?, stopped: stop.load(Ordering::Relaxed) })
    }
}

/// All trees, then once more those files of several names of which not all were seen.
fn both_passes(
    roots: &[PathBuf],
    common: &Common<'_>,
    options: &Options,
    threads: usize,
    post: &Post,
) -> Result<Found> {
    let mender = || Mender::new(common, post.clone());
    let mut menders: Vec<Mender<'_>> = std::iter::repeat_with(mender).take(threads).collect();
    menders = pass(Pass::First, roots, options, menders)?;
    let unsettled = {
        let mut links = common.links.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        links.finish().context("merging files of several names")?;
        links.is_unsettled() || links.is_spilled()
    };
    if unsettled && !options.stop.load(Ordering::Relaxed) {
        menders = pass(Pass::Second, roots, options, menders)?;
    }
    let mut found = Found::default();
    menders.into_iter().for_each(|it| found.add(it.found));
    Ok(found)
}

fn pass<'t>(
    pass: Pass,
    roots: &[PathBuf],
    options: &Options,
    mut menders: Vec<Mender<'t>>,
) -> Result<Vec<Mender<'t>>> {
    for path in roots {
        menders.iter_mut().for_each(|it| it.begin(pass));
        let root = Root::open_resolved(path).map_err(|error| explain(path, error))?;
        menders = tree::walk(root, options, menders);
    }
    Ok(menders)
}

fn explain(path: &Path, error: Errno) -> anyhow::Error {
    let hint = if error == Errno::LOOP { "; a folder became a link meanwhile" } else { "" };
    anyhow::Error::from(std::io::Error::from(error)).context(format!("{}{hint}", path.display()))
}

/// How far the walk is, on a terminal.
struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// Shorter walks show nothing.
    const PATIENCE: Duration = Duration::from_millis(500);

    /// With how much is left and how long that takes.
    const OF_ALL: &str =
        "{spinner} {human_pos} of about {human_len} files  {bar:24}  {per_sec}, {eta} left";
    /// Where nobody knows how many there are.
    const COUNT: &str = "{spinner} {human_pos} files  {per_sec}  {elapsed:.dim}";

    fn new(expected: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(expected, ProgressDrawTarget::hidden());
        let bar = Self { bar };
        bar.style(if expected.is_some() { Self::OF_ALL } else { Self::COUNT });
        bar
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    fn show(&self, visited: u64) {
        if self.bar.is_hidden()
            && self.bar.elapsed() > Self::PATIENCE
            && std::io::stderr().is_terminal()
        {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if self.bar.length().is_some_and(|it| visited > it) {
            // Other file systems are mounted below: the number was not that of all.
            self.bar.unset_length();
            self.style(Self::COUNT);
        }
        self.bar.set_position(visited);
        self.bar.tick();
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Bar;

    #[test]
    fn a_number_that_was_wrong_is_not_shown_on() {
        let bar = Bar::new(Some(10));
        bar.show(10);
        assert_eq!(bar.bar.length(), Some(10));
        bar.show(11);
        assert_eq!((bar.bar.length(), bar.bar.position()), (None, 11));
        assert_eq!(Bar::new(None).bar.length(), None);
    }
}
