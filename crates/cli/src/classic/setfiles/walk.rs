//! What `setfiles` and `restorecon` do with what a walk finds, in their words.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mandate_host::tree::links::Links;
use mandate_host::tree::{self, Entry, Failure, Next, Root, Visitor};
use mandate_host::xattr::Reader;
use mandate_label::file_contexts::{Answer, LineRef};
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::options::Options;
use crate::relabel::mender::{DIGEST, excluded};
use crate::relabel::{Change, Labeller, Plan, Post, resolved};

/// What became of all paths.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) failed: bool,
    pub(super) skipped_errors: u64,
    pub(super) relabeled: u64,
    /// The list of paths cannot be opened.
    pub(super) unreadable: bool,
}

/// Bytes of paths that are kept to be named in messages about files of several names.
const PATHS: usize = 8 << 20;
/// Progress is shown once for so many files.
const STARS: u64 = 1024;
/// File systems without digests: `sysfs`, and those in memory.
const SYSFS: u32 = 0x6265_6572;
const IN_MEMORY: [u32; 3] = [0x8584_58f6, 0x0102_1994, SYSFS];

/// What the threads of a walk share.
struct Shared<'a> {
    options: &'a Options,
    files: Mutex<Names>,
    visited: AtomicU64,
    digest: Option<[u8; 20]>,
    log: Option<UnixDatagram>,
}

/// Files of several names: the context of each, and the path that had it.
#[derive(Default)]
struct Names {
    links: Links,
    paths: FxHashMap<(u64, u64), Vec<u8>>,
    bytes: usize,
}

/// Labels all paths.
pub(super) fn all(
    options: &Options,
    plan: &Plan<'_>,
    stop: &Arc<AtomicBool>,
    mut post: Post,
) -> Walked {
    let all_threads = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = if options.threads == 0 { all_threads() } else { options.threads.min(256) };
    let shared = Shared {
        options,
        files: Mutex::default(),
        visited: AtomicU64::new(0),
        digest: options.digest.then(|| digest(options, plan)),
        log: options.syslog.then(syslog).flatten(),
    };
    let setter = || Setter::new(&shared, plan, post.clone());
    let mut setters: Vec<Setter<'_>> = std::iter::repeat_with(setter).take(threads).collect();
    let mut walked = Walked::default();
    let walk = tree::Options {
        one_file_system: options.one_file_system,
        recurse: options.recurse,
        skip_unlabelled: !options.ignore_mounts && crate::classic::kernel_has_selinux(),
        stop: Arc::clone(stop),
        ..tree::Options::default()
    };
    let mut log = post.clone();
    walked.unreadable = !super::paths(options, &mut log, &mut |path| {
        let taken = std::mem::take(&mut setters);
        setters = one(path, &shared, &walk, taken, &mut walked, &mut post);
        !stop.load(Ordering::Relaxed)
    });
    tell_unmatched(options, plan, &setters, &mut post);
    walked
}

/// Labels one path, and all below if that is wanted.
fn one<'a>(
    path: &[u8],
    shared: &'a Shared<'a>,
    walk: &tree::Options,
    mut setters: Vec<Setter<'a>>,
    walked: &mut Walked,
    post: &mut Post,
) -> Vec<Setter<'a>> {
    let options = shared.options;
    let name = &options.name;
    let mut path = PathBuf::from(OsStr::from_bytes(path));
    if !options.setfiles {
        match resolved(&path) {
            Ok(resolved) => path = resolved,
            Err(_) if options.ignore_missing => return setters,
            Err(why) => {
                let why = io_words(&why);
                let path = path.display();
                let text = format!(
                    "{name}: SELinux: Could not get canonical path for {path} restorecon: {why}.\n"
                );
                post.err(text.as_bytes());
                walked.failed = true;
                return setters;
            }
        }
    }
    let opened = if options.setfiles { Root::open(&path) } else { Root::open_resolved(&path) };
    let root = match opened {
        Ok(root) => root,
        Err(Errno::NOENT) if options.ignore_missing => return setters,
        Err(error) => {
            let text = format!("{name}: lstat({}) failed: {}\n", path.display(), words(error));
            post.err(text.as_bytes());
            walked.failed = true;
            return setters;
        }
    };
    if !options.recurse && excluded(&options.excludes, crate::relabel::bytes(&path)) {
        return setters;
    }
    let magic = magic(&root);
    let digests = root.identity().is_directory() && options.recurse && !IN_MEMORY.contains(&magic);
    setters.iter_mut().for_each(|it| it.begin(digests, magic == SYSFS));
    *shared.files.lock().unwrap_or_else(PoisonError::into_inner) = Names::default();
    shared.visited.store(0, Ordering::Relaxed);
    let mut setters = tree::walk(root, walk, setters);
    for setter in &mut setters {
        walked.failed |= std::mem::take(&mut setter.failed);
        walked.skipped_errors += std::mem::take(&mut setter.skipped_errors);
        walked.relabeled += std::mem::take(&mut setter.relabeled);
    }
    if options.progress && path == Path::new("/") {
        post.out(b"\r/ 100.0%\n");
    }
    setters
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "of the number only 32 bits count, whatever the machine's type is"
)]
fn magic(root: &Root) -> u32 {
    rustix::fs::fstatfs(root.file()).map_or(0, |it| it.f_type as u32)
}

/// What decides about labels, as 20 bytes: where restorecon keeps a digest of its own kind.
fn digest(options: &Options, plan: &Plan<'_>) -> [u8; 20] {
    let mut hash = Sha256::new_with_prefix("setfiles 1");
    hash.update([u8::from(options.force), u8::from(options.user_and_role)]);
    hash.update(plan.table.to_bytes());
    let whole: [u8; 32] = hash.finalize().into();
    whole.first_chunk().copied().unwrap_or_default()
}

/// The logger of the machine, if it listens.
fn syslog() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect("/dev/log").ok()?;
    Some(socket)
}

/// Lines of the file that decided about nothing.
fn tell_unmatched(options: &Options, plan: &Plan<'_>, setters: &[Setter<'_>], post: &mut Post) {
    if !options.unmatched {
        return;
    }
    for line in plan.table.lines() {
        if setters.iter().any(|it| it.matched.contains(&key(line))) {
            continue;
        }
        let kind = line.file_type().map_or(String::new(), |it| format!("{}, ", it.as_str()));
        let context = line.context().unwrap_or(mandate_label::file_contexts::NONE);
        let (name, pattern) = (&options.name, line.pattern());
        let text = format!("{name}: Warning!  No matches for ({pattern}, {kind}{context})\n");
        post.err(text.as_bytes());
    }
}

fn key(line: LineRef<'_>) -> (usize, u32) {
    (line.source().as_ptr().addr(), line.number())
}

struct Setter<'a> {
    shared: &'a Shared<'a>,
    labeller: Labeller<'a>,
    post: Post,
    failed: bool,
    skipped_errors: u64,
    relabeled: u64,
    matched: FxHashSet<(usize, u32)>,
    digests: bool,
    in_sysfs: bool,
    reader: Reader,
}

/// What a label needs beside the walk's own going on.
enum Done {
    /// It is settled, or not ours.
    Fine,
    /// It could not be done, which was told.
    Failed,
}

impl<'a> Setter<'a> {
    fn new(shared: &'a Shared<'a>, plan: &'a Plan<'a>, post: Post) -> Self {
        Self {
            shared,
            labeller: Labeller::new(plan),
            post,
            failed: false,
            skipped_errors: 0,
            relabeled: 0,
            matched: FxHashSet::default(),
            digests: false,
            in_sysfs: false,
            reader: Reader::new(DIGEST),
        }
    }

    fn begin(&mut self, digests: bool, in_sysfs: bool) {
        self.labeller.forget();
        (self.digests, self.in_sysfs) = (digests && self.shared.options.digest, in_sysfs);
    }

    fn info(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|it| self.post.out(it));
    }

    fn error(&mut self, parts: &[&[u8]]) {
        let mut line = format!("{}: ", self.shared.options.name).into_bytes();
        parts.iter().for_each(|it| line.extend_from_slice(it));
        self.post.err(&line);
    }

    fn could_not(&mut self, path: &[u8], why: Errno) -> Done {
        let why = words(why);
        self.error(&[b"Could not set context for ", path, b":  ", why.as_bytes(), b"\n"]);
        Done::Failed
    }

    fn heed(&mut self, done: Done) -> Next {
        match done {
            Done::Fine => Next::On,
            Done::Failed => {
                if self.shared.options.count_errors {
                    self.skipped_errors += 1;
                } else {
                    self.failed = true;
                }
                Next::Unsettled
            }
        }
    }

    fn label(&mut self, entry: &Entry<'_>) -> Done {
        let options = self.shared.options;
        if options.skip_linked && entry.identity.has_other_names() {
            self.info(&[b"Skipping ", entry.path, b": file has multiple links\n"]);
            return Done::Fine;
        }
        if let Some(root) = options.root.as_deref().filter(|it| !entry.path.starts_with(it)) {
            self.error(&[entry.path, b" is not located in alt_rootpath ", root, b"\n"]);
            return Done::Failed;
        }
        let answer = self.labeller.wanted(entry);
        if let Some(line) = answer.line().filter(|_| options.unmatched) {
            self.matched.insert(key(line));
        }
        let Answer::Context(wanted, _) = answer else {
            if entry.directory == 0 && entry.name_at == 0 {
                let path = entry.path.get(options.root.as_ref().map_or(0, Vec::len)..);
                let path = path.unwrap_or_default();
                self.info(&[b"Warning no default label for ", path, b"\n"]);
            }
            return Done::Fine;
        };
        self.show_progress();
        if options.associate && entry.identity.has_other_names() {
            match self.associate(entry, wanted) {
                Associated::First => {}
                Associated::Later => return Done::Fine,
                Associated::Failed => return Done::Failed,
            }
        }
        if options.matches {
            self.info(&[entry.path, b" matched by ", wanted.as_bytes(), b"\n"]);
        }
        match self.labeller.settle(entry, wanted) {
            Ok(change) => self.changed(entry, change),
            Err(Errno::NOENT) if options.ignore_missing => Done::Fine,
            Err(error) => self.could_not(entry.path, error),
        }
    }

    fn changed(&mut self, entry: &Entry<'_>, change: Change) -> Done {
        let options = self.shared.options;
        match change {
            Change::Right | Change::Kept(_) => {}
            Change::Customized(old) => {
                if options.verbose {
                    let text = b" not reset as customized by admin to ";
                    self.info(&[entry.path, text, &old, b"\n"]);
                }
            }
            Change::Set { old, new } => {
                self.relabeled += u64::from(!options.nochange);
                self.log(entry.path, old.as_deref(), &new);
                if options.verbose {
                    let what: &[u8] =
                        if options.nochange { b"Would relabel " } else { b"Relabeled " };
                    let old = old.as_deref().unwrap_or(b"(null)");
                    self.info(&[what, entry.path, b" from ", old, b" to ", new.as_bytes(), b"\n"]);
                }
            }
            Change::Invalid => return self.could_not(entry.path, Errno::INVAL),
            Change::Other => return self.could_not(entry.path, Errno::STALE),
        }
        Done::Fine
    }

    fn log(&mut self, path: &[u8], old: Option<&[u8]>, new: &str) {
        let Some(log) = self.shared.log.as_ref().filter(|_| !self.shared.options.nochange) else {
            return;
        };
        let head = format!("<14>{}: ", self.shared.options.name);
        let line = match old {
            Some(old) => [b"relabeling ", path, b" from ", old, b" to ", new.as_bytes()].concat(),
            None => [b"labeling ", path, b" to ", new.as_bytes()].concat(),
        };
        // A logger that does not take it is no reason to stop.
        let _ = log.send(&[head.as_bytes(), &line].concat());
    }

    fn show_progress(&mut self) {
        if self.shared.options.progress {
            let visited = self.shared.visited.fetch_add(1, Ordering::Relaxed) + 1;
            if visited.is_multiple_of(STARS) {
                let text = format!("\r{}k", visited / STARS);
                self.post.out(text.as_bytes());
            }
        }
    }

    /// The first name of a file decides; another that wants something else is told.
    fn associate(&mut self, entry: &Entry<'_>, wanted: &str) -> Associated {
        let key = (entry.identity.device, entry.identity.inode);
        let mut files = self.shared.files.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(first) = files.links.first(&entry.identity, wanted) else {
            return Associated::First;
        };
        let Some(number) = first else {
            files.keep(key, entry.path);
            return Associated::First;
        };
        let context = files.links.context(number).to_owned();
        if context == wanted {
            return Associated::Later;
        }
        let other = files.paths.get(&key).cloned().unwrap_or_else(|| b"another name".to_vec());
        files.keep(key, entry.path);
        drop(files);
        let text: [&[u8]; 7] = [
            b"conflicting specifications for ",
            entry.path,
            b" and ",
            &other,
            b", using ",
            context.as_bytes(),
            b".\n",
        ];
        self.error(&text);
        if !self.shared.options.conflict_error {
            return Associated::Later;
        }
        self.error(&[b"treating conflicting specifications as an error.\n"]);
        self.error(&[b"filespec_add error: ", entry.path, b"\n"]);
        Associated::Failed
    }
}

enum Associated {
    First,
    Later,
    Failed,
}

impl Names {
    fn keep(&mut self, key: (u64, u64), path: &[u8]) {
        if self.bytes < PATHS {
            self.bytes += path.len();
            self.paths.insert(key, path.to_vec());
        }
    }
}

impl Visitor for Setter<'_> {
    fn visit(&mut self, entry: &Entry<'_>) -> Next {
        if entry.identity.is_directory() && self.shared.options.recurse {
            if self.in_sysfs && !self.labeller.partial(entry.path) {
                return Next::Skip;
            }
            let digest = self.shared.digest.filter(|_| self.digests);
            if let Some(digest) = digest.filter(|_| !self.shared.options.ignore_digest)
                && entry.read(&mut self.reader).is_ok_and(|it| it == Some(&digest[..]))
            {
                self.info(&[b"Skipping restorecon on directory(", entry.path, b")\n"]);
                return Next::Skip;
            }
        }
        let done = self.label(entry);
        self.heed(done)
    }

    fn holds(&self) -> bool {
        self.labeller.expects_change()
    }

    fn failed(&mut self, path: &[u8], failure: Failure, error: Errno) -> Next {
        let why = words(error);
        let text: &[u8] = match failure {
            Failure::NoLabels => return Next::On,
            Failure::Cycle => {
                self.error(&[b"Directory cycle on ", path, b".\n"]);
                return Next::On;
            }
            _ if error == Errno::NOENT && self.shared.options.ignore_missing => return Next::On,
            Failure::Read => b"Could not read ",
            Failure::Stat => b"Could not stat ",
            _ => b"Could not open ",
        };
        self.error(&[text, path, b": ", why.as_bytes(), b".\n"]);
        self.heed(Done::Failed)
    }

    fn excludes(&mut self, path: &[u8]) -> bool {
        self.shared.options.recurse && excluded(&self.shared.options.excludes, path)
    }

    fn leave(&mut self, directory: &Entry<'_>) {
        let Some(digest) = self.shared.digest.filter(|_| self.digests) else { return };
        if self.labeller.plan.write
            && !self.failed
            && self.skipped_errors == 0
            && self.labeller.partial(directory.path)
            && let Ok(Some(held)) = directory.pin()
            && let Err(error) = held.set(DIGEST, &digest)
        {
            let why = words(error);
            self.error(&[b"setxattr failed: ", directory.path, b": ", why.as_bytes(), b"\n"]);
        }
    }
}

fn words(error: Errno) -> String {
    crate::classic::system_words(&error.into())
}

fn io_words(error: &anyhow::Error) -> String {
    match error.downcast_ref::<std::io::Error>() {
        Some(error) => crate::classic::system_words(error),
        None => error.root_cause().to_string(),
    }
}
