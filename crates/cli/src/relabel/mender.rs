//! The visitor of the verbs: compares each label with what it should be, and sets it if asked to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use mandate_host::tree::links::{Links, Resolved, Seen};
use mandate_host::tree::{Entry, Failure, Next, Visitor};
use mandate_label::file_contexts::Answer;
use rustix::io::Errno;
use serde_json::json;

use super::found::{Found, Kind, label};
use super::{Change, Labeller, Plan, Post};
use crate::verbs::label::shown;
use crate::{FAINT, styled};

/// What all threads share.
pub(crate) struct Common<'t> {
    pub(crate) plan: Plan<'t>,
    pub(crate) excludes: Vec<Vec<u8>>,
    pub(crate) links: Mutex<Links>,
    pub(crate) visited: AtomicU64,
    pub(crate) listing: Listing,
    /// Directories with this digest are not walked again; it is set on those that were.
    pub(crate) digest: Option<Vec<u8>>,
}

/// How single files are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    None,
    Text,
    Json,
}

/// Which part of the work is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// All files, but those whose other names are still to come.
    First,
    /// The files of several names that were left.
    Second,
}

/// The attribute where restorecon keeps its digests too; the two never take the other's for their own.
pub(crate) const DIGEST: &std::ffi::CStr = c"security.sehash";
/// How often the count is shared.
const BATCH: u64 = 64;

pub(crate) struct Mender<'t> {
    common: &'t Common<'t>,
    labeller: Labeller<'t>,
    pass: Pass,
    post: Post,
    pub(crate) found: Found,
}

impl<'t> Mender<'t> {
    pub(crate) fn new(common: &'t Common<'t>, post: Post) -> Self {
        let labeller = Labeller::new(&common.plan);
        Self { common, labeller, pass: Pass::First, post, found: Found::default() }
    }

    /// Goes on with another walk.
    pub(crate) fn begin(&mut self, pass: Pass) {
        self.pass = pass;
        self.labeller.forget();
    }

    fn linked(&mut self, entry: &Entry<'_>, wanted: &str) -> Next {
        let links = &self.common.links;
        let mut links = links.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = if self.pass == Pass::First {
            links.see(&entry.identity, wanted).map(|it| match it {
                Seen::More => None,
                Seen::Agreed => Some(Ok(wanted.to_owned())),
                Seen::Differ(other) => Some(Err(Some(links.context(other).to_owned()))),
            })
        } else {
            links.resolve(&entry.identity).map(|it| match it {
                Resolved::Agreed(context) => Some(Ok(links.context(context).to_owned())),
                Resolved::Differ if links.is_spilled() => Some(Err(None)),
                Resolved::Differ | Resolved::Unknown => None,
            })
        };
        drop(links);
        match seen {
            Ok(None) => Next::Unsettled,
            Ok(Some(Ok(context))) => self.settle(entry, &context),
            Ok(Some(Err(other))) => {
                self.found.differing += 1;
                let other = other.unwrap_or_else(|| "another".to_owned());
                let what = format!(
                    "its names want {wanted} and {other}: left alone; move one of them, or add a line to file_contexts.local"
                );
                self.tell_failure(entry.path, &what);
                Next::Unsettled
            }
            Err(error) => {
                self.fail(
                    entry.path,
                    &format!("noting its names: {error}; set TMPDIR to a place with room"),
                );
                Next::Unsettled
            }
        }
    }

    fn settle(&mut self, entry: &Entry<'_>, wanted: &str) -> Next {
        match self.labeller.settle(entry, wanted) {
            Ok(change) => self.settled(entry, wanted, change),
            Err(Errno::NOENT) => Next::On,
            Err(error) => {
                let what = format!("labelling it {wanted}: {}{}", words(error), advice(error));
                self.fail(entry.path, &what)
            }
        }
    }

    fn settled(&mut self, entry: &Entry<'_>, wanted: &str, change: Change) -> Next {
        match change {
            Change::Right => self.found.right += 1,
            Change::Kept(old) => self.differs(Kind::Kept, entry, Some(&old), wanted),
            Change::Customized(old) => self.differs(Kind::Customized, entry, Some(&old), wanted),
            Change::Set { old, new } => self.differs(Kind::Wrong, entry, old.as_deref(), &new),
            Change::Invalid => {
                let what = format!(
                    "its label, or {wanted}, is no context, so that nothing of it can be kept; --force sets all of it"
                );
                return self.fail(entry.path, &what);
            }
            Change::Other => {
                return self.fail(entry.path, "it was replaced while it was looked at; run again");
            }
        }
        Next::On
    }

    fn differs(&mut self, kind: Kind, entry: &Entry<'_>, old: Option<&[u8]>, new: &str) {
        self.found.pair(kind, old, new.as_bytes());
        match self.common.listing {
            Listing::Text if kind == Kind::Wrong => {
                let old = label(old.unwrap_or_default());
                let arrow = styled(FAINT, "→");
                let line = format!("{}\t{old} {arrow} {new}\n", shown(entry.path));
                self.post.out(line.as_bytes());
            }
            Listing::Json => {
                let value = json!({
                    "path": shown(entry.path),
                    "kind": kind.name(),
                    "old": old.map(shown),
                    "new": new,
                });
                self.post.out(format!("{value}\n").as_bytes());
            }
            _ => {}
        }
    }

    fn fail(&mut self, path: &[u8], what: &str) -> Next {
        self.found.failures += 1;
        self.tell_failure(path, what);
        Next::Unsettled
    }

    fn tell_failure(&mut self, path: &[u8], what: &str) {
        let head = styled(crate::ERROR, "error:");
        self.post.err(format!("{head} {}: {what}\n", shown(path)).as_bytes());
    }

    fn has_digest(&mut self, entry: &Entry<'_>) -> bool {
        let Some(digest) = &self.common.digest else { return false };
        let mut reader = mandate_host::xattr::Reader::new(DIGEST);
        entry.identity.is_directory()
            && entry.read(&mut reader).is_ok_and(|it| it == Some(digest.as_slice()))
    }
}

impl Visitor for Mender<'_> {
    fn visit(&mut self, entry: &Entry<'_>) -> Next {
        if self.pass == Pass::Second && !entry.identity.has_other_names() {
            return Next::On;
        }
        self.found.visited += 1;
        if self.found.visited.is_multiple_of(BATCH) {
            self.common.visited.fetch_add(BATCH, Ordering::Relaxed);
        }
        if self.has_digest(entry) {
            return Next::Skip;
        }
        match self.labeller.wanted(entry) {
            Answer::Context(wanted, _) if entry.identity.has_other_names() => {
                self.linked(entry, wanted)
            }
            Answer::Context(wanted, _) => self.settle(entry, wanted),
            Answer::None(_) | Answer::Unknown => {
                self.found.without += 1;
                Next::On
            }
        }
    }

    fn failed(&mut self, path: &[u8], failure: Failure, error: Errno) -> Next {
        if self.pass == Pass::Second {
            return Next::On;
        }
        let what = match failure {
            // It went away meanwhile.
            Failure::Open | Failure::Stat | Failure::Read if error == Errno::NOENT => {
                return Next::On;
            }
            Failure::NoLabels => {
                let line = format!("{}: its file system keeps no labels; left out\n", shown(path));
                self.post.err(line.as_bytes());
                return Next::On;
            }
            Failure::Cycle => {
                let line = format!("{}: mounted within itself; left out\n", shown(path));
                self.post.err(line.as_bytes());
                return Next::On;
            }
            Failure::Moved => "it was moved while it was walked; run again".to_owned(),
            Failure::TooLong => "the path is too long; nothing below is labelled".to_owned(),
            Failure::Read => format!("reading the directory: {}{}", words(error), advice(error)),
            _ => format!("looking at it: {}{}", words(error), advice(error)),
        };
        self.fail(path, &what)
    }

    fn holds(&self) -> bool {
        self.labeller.expects_change()
    }

    fn excludes(&mut self, path: &[u8]) -> bool {
        excluded(&self.common.excludes, path)
    }

    fn leave(&mut self, directory: &Entry<'_>) {
        let Some(digest) = self.common.digest.as_ref().filter(|_| self.common.plan.write) else {
            return;
        };
        if let Ok(Some(held)) = directory.pin() {
            // Without it the directory is walked the next time, no more.
            let _ = held.set(DIGEST, digest);
        }
    }
}

/// Whether a path is one of these or lies below.
pub(crate) fn excluded(excludes: &[Vec<u8>], path: &[u8]) -> bool {
    excludes.iter().any(|it| {
        path.strip_prefix(&**it).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    })
}

fn words(error: Errno) -> String {
    crate::classic::system_words(&error.into())
}

fn advice(error: Errno) -> &'static str {
    match error {
        Errno::PERM | Errno::ACCESS => "; run as an administrator",
        Errno::ROFS => "; mount it for writing",
        Errno::NOTSUP => "; its file system keeps no labels",
        Errno::INVAL => "; the policy that runs may not know this context: load it first",
        Errno::NOSPC => "; make room",
        _ => "",
    }
}
