//! Labels that are written to a file instead of to the files, for somebody who may not set them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use mandate_host::interrupt;
use mandate_host::tree::{self, Entry, Failure, Next, Options, Root, Visitor};
use mandate_label::relabel::Decision;
use rustix::io::Errno;

use super::mender::excluded;
use super::{Labeller, Plan, Post, bytes, drive};
use crate::verbs::label::shown;

/// Takes entries with their labels.
pub(crate) trait Collect: Send {
    /// Adds an entry; `path` is relative to the root, empty for the root itself.
    fn add(&mut self, entry: &Entry<'_>, path: &[u8], label: Option<&str>) -> io::Result<()>;

    /// All was added.
    fn end(&mut self) -> io::Result<()>;
}

/// What is collected, and the file that it goes to, which is not part of it.
pub(crate) struct Trees<'a> {
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) excludes: Vec<Vec<u8>>,
    pub(crate) options: Options,
    pub(crate) file: &'a Path,
}

impl Trees<'_> {
    /// Walks on one thread, since order matters; gives how many files failed.
    pub(crate) fn collect<C: Collect>(
        &self,
        make: fn(Post) -> C,
        to: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<u64> {
        interrupt::watch();
        let work = |post: Post| self.walk(make(post.clone()), post);
        let failures = drive(to, err, &self.options.stop, &mut || {}, work)??;
        if self.options.stop.load(std::sync::atomic::Ordering::Relaxed) {
            anyhow::bail!("ended early: nothing was written");
        }
        Ok(failures)
    }

    fn walk<C: Collect>(&self, collect: C, post: Post) -> Result<u64> {
        let file = super::resolved(self.file)?;
        // As `replace` names what it writes first.
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(file.file_name().unwrap_or_default());
        temporary.push(format!(".{}", std::process::id()));
        let own = [bytes(&file).to_vec(), bytes(&file.with_file_name(temporary)).to_vec()];
        let labeller = Labeller::new(self.plan);
        let excludes = &self.excludes;
        let mut collector =
            Collector { labeller, collect, post, excludes, own, failures: 0, failed: None };
        for path in &self.roots {
            collector.labeller.forget();
            let root = Root::open_resolved(path).map_err(io::Error::from);
            let root = root.with_context(|| path.display().to_string())?;
            let back = tree::walk(root, &self.options, vec![collector]).pop();
            collector = back.context("a walk gives its visitors back")?;
        }
        if let Some(error) = collector.failed {
            return Err(error.into());
        }
        collector.collect.end()?;
        Ok(collector.failures)
    }
}

struct Collector<'a, C> {
    labeller: Labeller<'a>,
    collect: C,
    post: Post,
    excludes: &'a [Vec<u8>],
    own: [Vec<u8>; 2],
    failures: u64,
    failed: Option<io::Error>,
}

impl<C> Collector<'_, C> {
    fn label(&mut self, entry: &Entry<'_>) -> Result<Option<String>, String> {
        let wanted = self.labeller.wanted(entry).context();
        let plan = self.labeller.plan;
        // What cannot be read is not there.
        let current = self.labeller.label(entry).unwrap_or_default();
        let kept = || current.map(|it| String::from_utf8_lossy(it).into_owned());
        let Some(wanted) = wanted else { return Ok(kept()) };
        match plan.rules.decide(current, wanted) {
            Decision::Right | Decision::Kept | Decision::Customized => Ok(kept()),
            Decision::Set(new) => Ok(Some(new.into_owned())),
            Decision::Invalid => {
                Err(format!("its label is no context to keep parts of; --force takes {wanted}"))
            }
        }
    }

    fn fail(&mut self, path: &[u8], what: &str) {
        self.failures += 1;
        let head = crate::styled(crate::ERROR, "error:");
        self.post.err(format!("{head} {}: {what}\n", shown(path)).as_bytes());
    }
}

impl<C: Collect> Visitor for Collector<'_, C> {
    fn visit(&mut self, entry: &Entry<'_>) -> Next {
        if self.own.iter().any(|it| it == entry.path) {
            return Next::On;
        }
        match self.label(entry) {
            Err(what) => self.fail(entry.path, &what),
            Ok(label) => {
                let path = self.labeller.inner(entry.path);
                let path = path.strip_prefix(b"/").unwrap_or(path);
                if let Err(error) = self.collect.add(entry, path, label.as_deref()) {
                    self.fail(entry.path, &error.to_string());
                }
            }
        }
        Next::On
    }

    fn failed(&mut self, path: &[u8], failure: Failure, error: Errno) -> Next {
        match failure {
            Failure::NoLabels | Failure::Cycle => {}
            _ => self.fail(path, &io::Error::from(error).to_string()),
        }
        Next::On
    }

    fn excludes(&mut self, path: &[u8]) -> bool {
        excluded(self.excludes, path)
    }
}

/// Labels as `getfattr --dump` writes them, and `setfattr --restore` takes them.
pub(crate) struct Manifest {
    to: Post,
}

impl Manifest {
    pub(crate) fn new(to: Post) -> Self {
        Self { to }
    }
}

impl Collect for Manifest {
    fn add(&mut self, _entry: &Entry<'_>, path: &[u8], label: Option<&str>) -> io::Result<()> {
        let Some(label) = label else { return Ok(()) };
        let mut line = b"# file: ".to_vec();
        quoted(if path.is_empty() { b"." } else { path }, b"\\\n\r", &mut line);
        line.extend_from_slice(b"\nsecurity.selinux=\"");
        quoted(label.as_bytes(), b"\\\n\r\"", &mut line);
        line.extend_from_slice(b"\\000\"\n\n");
        self.to.write_all(&line)
    }

    fn end(&mut self) -> io::Result<()> {
        Write::flush(&mut self.to)
    }
}

fn quoted(text: &[u8], special: &[u8], to: &mut Vec<u8>) {
    for &byte in text {
        if special.contains(&byte) {
            to.extend_from_slice(format!("\\{byte:03o}").as_bytes());
        } else {
            to.push(byte);
        }
    }
}
