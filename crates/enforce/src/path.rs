//! From a program's words for a file to the file itself, held.
//!
//! The monitor walks: what it decides about is what it holds, so that neither a name nor a link that changes meanwhile leads anywhere
//! else. A path without links is walked by the kernel in one step (`openat2(2)`), and the directories on it are the beginnings
//! of its text; whatever has a link, or lies in a file system of magic links, is walked part by part.

use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustc_hash::FxHashMap;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2, readlinkat};
use rustix::io::Errno;

use crate::defence::{Defence, stands};
use crate::object::{Inode, Object, join, magic};

/// As many links are followed in one path as the kernel does (MAXSYMLINKS).
const LINKS: usize = 40;

/// From where a relative path counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The directory that the thread is in.
    Current,
    /// A directory that the thread has open.
    Descriptor(i32),
}

impl Base {
    pub(crate) fn of(argument: u64) -> Self {
        match crate::calls::int(argument) {
            libc::AT_FDCWD => Self::Current,
            number => Self::Descriptor(number),
        }
    }
}

/// What a path led to.
#[derive(Debug)]
pub(crate) struct Found {
    /// What was searched and followed on the way, one after the other.
    pub(crate) searched: Vec<Searched>,
    pub(crate) end: End,
}

/// A directory that was searched, held or known by its path alone, or a link.
#[derive(Debug)]
pub(crate) enum Searched {
    /// The beginnings of this path, itself too; none of them is a link.
    Beginnings {
        path: Vec<u8>,
        /// Only those of at least so many bytes.
        from: usize,
    },
    /// This directory.
    Held(Object),
    /// This link was followed.
    Link(Object),
}

/// Where a path ended.
#[derive(Debug)]
pub(crate) enum End {
    /// At this file.
    Object(Object),
    /// At a name in this directory, where there may be this file.
    Name(Parent, Option<Object>),
    /// On the way: whoever may not come so far does not learn of it.
    Nowhere(Errno),
}

/// A name in a directory.
#[derive(Debug)]
pub(crate) struct Parent {
    pub(crate) directory: Object,
    pub(crate) name: Vec<u8>,
    /// The path ended with a slash, which only a directory may have.
    pub(crate) slash: bool,
}

/// How a path is to be walked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// A link at the end is followed.
    pub(crate) follow: bool,
    /// What is asked for is the last name, there or not.
    pub(crate) name: bool,
}

/// Who walks: what paths mean depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walker<'a> {
    pub(crate) process: i32,
    pub(crate) thread: i32,
    /// The only one of its process.
    pub(crate) alone: bool,
    /// The monitor, of which nothing is to be found.
    pub(crate) monitor: i32,
    pub(crate) places: &'a Places,
    /// Stands for the process.
    pub(crate) descriptor: Option<BorrowedFd<'a>>,
}

/// Where directories are that paths began at. What programs rename is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// By their births.
    paths: RefCell<FxHashMap<Inode, (i128, Vec<u8>)>>,
    /// Those that processes of one thread are in.
    current: RefCell<FxHashMap<i32, Rc<Object>>>,
}

/// As many are remembered.
const MOST_PLACES: usize = 1 << 14;
/// As many are held.
const MOST_CURRENT: usize = 64;

impl Places {
    pub(crate) fn forget(&self) {
        self.paths.borrow_mut().clear();
        self.current.borrow_mut().clear();
    }

    /// A process goes elsewhere, or ends.
    pub(crate) fn leaves(&self, process: i32) {
        self.current.borrow_mut().remove(&process);
    }

    fn stays(&self, process: i32, at: &Rc<Object>) {
        let mut current = self.current.borrow_mut();
        if current.len() >= MOST_CURRENT {
            current.clear();
        }
        current.insert(process, Rc::clone(at));
    }

    fn of(&self, file: OwnedFd) -> Result<Object, Errno> {
        let mut is_new = false;
        let object = Object::at(file, |file, facts| {
            let known = self.paths.borrow();
            if let Some((_, path)) = known.get(&facts.inode).filter(|it| it.0 == facts.born) {
                return Ok(path.clone());
            }
            is_new = true;
            path_of(file)
        })?;
        if is_new && !is_proc(&object) {
            self.knows(&object);
        }
        Ok(object)
    }

    /// A directory was found where its path says.
    pub(crate) fn knows(&self, directory: &Object) {
        let facts = directory.facts;
        if !facts.is_directory() || facts.born == 0 {
            return;
        }
        let mut known = self.paths.borrow_mut();
        if known.len() >= MOST_PLACES {
            known.clear();
        }
        known.insert(facts.inode, (facts.born, directory.path.clone()));
    }
}

const HOLD: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
const MAGIC: i64 = 0x9fa0;

impl Walker<'_> {
    /// Walks a path.
    pub(crate) fn walk(self, base: Base, path: &[u8], how: How) -> Result<Found, Errno> {
        if path.is_empty() {
            return Err(Errno::NOENT);
        }
        if let Some(found) = self.at_once(path, how) {
            return found;
        }
        let start = if path.starts_with(b"/") { Rc::new(root()?) } else { self.start(base)? };
        if let Some(found) = self.at_once_from(&start, path, how) {
            return Ok(found);
        }
        let mut walk = Walk { walker: self, searched: Vec::new(), followed: 0 };
        let end = walk.from(own(start)?, path, how).unwrap_or_else(End::Nowhere);
        Ok(Found { searched: walk.searched, end })
    }

    /// The directory, or any file for an empty path, that relative paths start at.
    pub(crate) fn base(self, base: Base) -> Result<Object, Errno> {
        own(self.start(base)?)
    }

    /// The same, as it was when it was first asked for: a process of one thread stays where it is until it asks to go elsewhere.
    pub(crate) fn start(self, base: Base) -> Result<Rc<Object>, Errno> {
        if base != Base::Current || !self.alone {
            return self.looked_up(base).map(Rc::new);
        }
        if let Some(known) = self.places.current.borrow().get(&self.process) {
            return Ok(Rc::clone(known));
        }
        let start = Rc::new(self.looked_up(base)?);
        if !is_proc(&start) {
            self.places.stays(self.process, &start);
        }
        Ok(start)
    }

    fn looked_up(self, base: Base) -> Result<Object, Errno> {
        let file = match base {
            Base::Current => {
                openat(CWD, format!("/proc/{}/cwd", self.thread), HOLD, Mode::empty())?
            }
            Base::Descriptor(number) if number < 0 => return Err(Errno::BADF),
            Base::Descriptor(number) => self.opened(number)?,
        };
        let object = self.places.of(file)?;
        if is_proc(&object) && self.is_of_monitor(&object, b"")? {
            return Err(Errno::NOENT);
        }
        Ok(object)
    }

    /// What is open under a number.
    fn opened(self, number: i32) -> Result<OwnedFd, Errno> {
        use rustix::process::{PidfdGetfdFlags, pidfd_getfd};
        let taken = self.descriptor.map(|it| pidfd_getfd(it, number, PidfdGetfdFlags::empty()));
        match taken {
            Some(Ok(file)) => return Ok(file),
            Some(Err(Errno::BADF)) => return Err(Errno::BADF),
            // Its first thread may have ended.
            _ => {}
        }
        let path = format!("/proc/{}/fd/{number}", self.thread);
        openat(CWD, path, HOLD, Mode::empty()).map_err(|it| match it {
            Errno::NOENT => Errno::BADF,
            it => it,
        })
    }

    /// Is this something that the monitor has in /proc? It could open all of it, as nobody else can. The directory may have been reached by
    /// a descriptor, so that the kernel is asked where it is.
    fn is_of_monitor(self, at: &Object, part: &[u8]) -> Result<bool, Errno> {
        if !stands(Defence::HiddenMonitor) {
            return Ok(false);
        }
        if is_thread_of(self.monitor, part) {
            return Ok(true);
        }
        let path = path_of(at.as_fd())?;
        Ok(path.split(|it| *it == b'/').any(|it| is_thread_of(self.monitor, it)))
    }

    /// Opens a file to be read in one step, if its path is as the kernel would write it and has no link in it. Only of use where a file or
    /// directory was before: other kinds notice that they are opened.
    pub(crate) fn open_at_once(
        self,
        start: Option<&Object>,
        path: &[u8],
        whole: Vec<u8>,
        flags: OFlags,
    ) -> Option<Object> {
        if !is_plain(&whole) || is_special(&whole) || start.is_some_and(is_proc) {
            return None;
        }
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let own = OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let start = start.map_or(CWD, AsFd::as_fd);
        let file = openat2(start, path, flags | own, Mode::empty(), resolve).ok()?;
        let object = Object::new(file, whole).ok()?;
        let plain = matches!(object.facts.kind(), libc::S_IFREG | libc::S_IFDIR);
        if !plain || is_proc(&object) {
            return None;
        }
        if !flags.contains(OFlags::NONBLOCK) {
            rustix::fs::fcntl_setfl(&object, flags).ok()?;
        }
        Some(object)
    }

    /// What stands in a link. Two of /proc mean whoever reads them.
    pub(crate) fn text_of(self, link: &Object) -> Result<Vec<u8>, Errno> {
        let Self { process, thread, .. } = self;
        let text = readlinkat(link, c"", Vec::new())?.into_bytes();
        Ok(match link.path.as_slice() {
            b"/proc/self" if is_proc(link) => process.to_string().into_bytes(),
            b"/proc/thread-self" if is_proc(link) => {
                format!("{process}/task/{thread}").into_bytes()
            }
            _ => text,
        })
    }

    /// Absolute paths that are as the kernel would write them and have no link in them.
    fn at_once(self, path: &[u8], how: How) -> Option<Result<Found, Errno>> {
        if how.name || !is_plain(path) || is_special(path) {
            return None;
        }
        let flags = if how.follow { HOLD } else { HOLD | OFlags::NOFOLLOW };
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match openat2(CWD, path, flags, Mode::empty(), resolve) {
            Ok(file) => {
                let object = match Object::new(file, path.to_vec()) {
                    Ok(object) => object,
                    Err(why) => return Some(Err(why)),
                };
                // Processes may be shown elsewhere than in /proc, too.
                if is_proc(&object) {
                    return None;
                }
                let searched = vec![Searched::Beginnings { path: above(path).to_vec(), from: 1 }];
                Some(Ok(Found { searched, end: End::Object(object) }))
            }
            // There is a link; or the kernel wants it tried again.
            Err(Errno::LOOP | Errno::AGAIN | Errno::NOSYS) => None,
            // The directories that are there have to be searched before it is said what is not.
            Err(_) => None,
        }
    }

    /// Relative paths of several parts, likewise.
    fn at_once_from(self, start: &Object, path: &[u8], how: How) -> Option<Found> {
        let whole = join(&start.path, path);
        let parts = path.contains(&b'/') && !path.starts_with(b"/");
        if how.name || !parts || !is_plain(&whole) || is_special(&whole) || is_proc(start) {
            return None;
        }
        let flags = if how.follow { HOLD } else { HOLD | OFlags::NOFOLLOW };
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let file = openat2(start, path, flags, Mode::empty(), resolve).ok()?;
        let (from, above) = (start.path.len(), above(&whole).to_vec());
        let object = Object::new(file, whole).ok()?;
        if is_proc(&object) {
            return None;
        }
        let searched = vec![Searched::Beginnings { path: above, from }];
        Some(Found { searched, end: End::Object(object) })
    }
}

/// A walk that goes part by part.
struct Walk<'a> {
    walker: Walker<'a>,
    searched: Vec<Searched>,
    followed: usize,
}

impl Walk<'_> {
    /// Where a path ends. What it fails at has been noted as searched before.
    fn from(&mut self, start: Object, path: &[u8], how: How) -> Result<End, Errno> {
        let mut at = start;
        // Parts still to be walked, the next one last.
        let mut parts = parts_of(path);
        let slash = path.ends_with(b"/");
        while let Some(part) = parts.pop() {
            if !at.facts.is_directory() {
                return Err(Errno::NOTDIR);
            }
            let last = parts.is_empty();
            let named = last && how.name && !is_dots(&part);
            let next = match self.step(&at, &part) {
                Ok(next) if named && !(how.follow && next.facts.is_link()) => {
                    return Ok(End::Name(Parent { directory: at, name: part, slash }, Some(next)));
                }
                Err(Errno::NOENT) if named => {
                    return Ok(End::Name(Parent { directory: at, name: part, slash }, None));
                }
                // Where the modes of a directory forbid it, the policy is not asked.
                Err(Errno::ACCESS) => return Err(Errno::ACCESS),
                Err(why) => {
                    self.searched.push(Searched::Held(at));
                    return Err(why);
                }
                Ok(next) => next,
            };
            if !next.facts.is_link() || last && !how.follow && !slash {
                self.searched.push(Searched::Held(std::mem::replace(&mut at, next)));
                continue;
            }
            let to = self.follow(&at, &part, &next, &mut parts);
            self.searched.extend([Searched::Held(at), Searched::Link(next)]);
            at = to?;
        }
        if how.name {
            // `/`, or a path that ends with dots: it has no name that could be made or removed.
            let last = parts_of(path).into_iter().next().filter(|it| is_dots(it));
            let name = last.unwrap_or_else(|| b".".to_vec());
            let parent = Parent { directory: again(&at)?, name, slash: true };
            return Ok(End::Name(parent, Some(at)));
        }
        if slash && !at.facts.is_directory() {
            return Err(Errno::NOTDIR);
        }
        Ok(End::Object(at))
    }

    /// Where the walk goes on behind a link, whose parts are walked next.
    fn follow(
        &mut self,
        at: &Object,
        part: &[u8],
        link: &Object,
        parts: &mut Vec<Vec<u8>>,
    ) -> Result<Object, Errno> {
        self.followed += 1;
        if self.followed > LINKS {
            return Err(Errno::LOOP);
        }
        match self.target(at, part, link)? {
            Target::File(file) => Ok(file),
            Target::Text(text) if text.is_empty() => Err(Errno::NOENT),
            Target::Text(text) => {
                parts.extend(parts_of(&text));
                if text.starts_with(b"/") { root() } else { again(at) }
            }
        }
    }

    fn above(&self, at: &Object) -> Result<Object, Errno> {
        let file = openat(at, c"..", HOLD | OFlags::NOFOLLOW, Mode::empty())?;
        Object::new(file, above(&at.path).to_vec())
    }

    fn step(&self, at: &Object, part: &[u8]) -> Result<Object, Errno> {
        match part {
            b"." => return again(at),
            b".." => return self.above(at),
            _ => {}
        }
        if is_proc(at) && self.walker.is_of_monitor(at, part)? {
            return Err(Errno::NOENT);
        }
        let file = openat(at, part, HOLD | OFlags::NOFOLLOW, Mode::empty())?;
        Object::new(file, join(&at.path, part))
    }

    /// Where a link leads. In /proc, `self` is the program and not the monitor, and some links lead to files that have no name.
    fn target(&self, at: &Object, part: &[u8], link: &Object) -> Result<Target, Errno> {
        let Walker { process, thread, .. } = self.walker;
        if is_proc_root(at) && part == b"self" {
            return Ok(Target::Text(process.to_string().into_bytes()));
        }
        if is_proc_root(at) && part == b"thread-self" {
            return Ok(Target::Text(format!("{process}/task/{thread}").into_bytes()));
        }
        if is_proc(at) && !is_proc_root(at) {
            // Followed by the kernel: the text of such a link is for people.
            let file = openat(at, part, HOLD, Mode::empty())?;
            let path = path_of(file.as_fd())?;
            // What has no name is somebody's: a pipe is its owner's.
            let path = if path.starts_with(b"/") { path } else { join(&at.path, part) };
            let object = Object::new(file, path)?;
            if is_proc(&object) && self.walker.is_of_monitor(&object, b"")? {
                return Err(Errno::NOENT);
            }
            return Ok(Target::File(object));
        }
        Ok(Target::Text(readlinkat(link, c"", Vec::new())?.into_bytes()))
    }
}

enum Target {
    Text(Vec<u8>),
    File(Object),
}

fn root() -> Result<Object, Errno> {
    Object::new(openat(CWD, c"/", HOLD, Mode::empty())?, b"/".to_vec())
}

/// A file for whoever changes it: as it is now, if somebody else holds it, too.
fn own(object: Rc<Object>) -> Result<Object, Errno> {
    Rc::try_unwrap(object).or_else(|it| {
        let file: OwnedFd = rustix::io::fcntl_dupfd_cloexec(&*it, 3)?;
        Object::new(file, it.path.clone())
    })
}

/// The same file, held a second time.
pub(crate) fn again(object: &Object) -> Result<Object, Errno> {
    let file: OwnedFd = rustix::io::fcntl_dupfd_cloexec(object, 3)?;
    Ok(Object { file, facts: object.facts, told: object.told.clone(), path: object.path.clone() })
}

/// Where the kernel says that an open file is.
pub(crate) fn path_of(file: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let path = rustix::fs::readlink(magic(file), Vec::new())?.into_bytes();
    Ok(path.strip_suffix(b" (deleted)").map_or_else(|| path.clone(), <[u8]>::to_vec))
}

/// Does a file show a process, or the system as /proc does?
pub(crate) fn is_proc(at: &Object) -> bool {
    // It has no device, as file systems on disks have.
    rustix::fs::major(at.facts.inode.device) == 0
        && rustix::fs::fstatfs(at).is_ok_and(|it| it.f_type == MAGIC)
}

/// The directory of all processes, whose inode has number 1 (PROC_ROOT_INO).
fn is_proc_root(at: &Object) -> bool {
    at.facts.inode.number == 1 && is_proc(at)
}

/// The directory that a path lies in.
pub(crate) fn above(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|it| *it == b'/') {
        None | Some(0) => b"/",
        Some(end) => &path[..end],
    }
}

/// The parts of a path, the first one last.
fn parts_of(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|it| *it == b'/').filter(|it| !it.is_empty()).rev().map(<[u8]>::to_vec).collect()
}

/// A part that means where the walk is, or what is above it.
pub(crate) fn is_dots(part: &[u8]) -> bool {
    matches!(part, b"." | b"..")
}

/// Absolute, without empty parts and dots.
fn is_plain(path: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(b"/") else { return false };
    rest.split(|it| *it == b'/').all(|it| !matches!(it, b"" | b"." | b".."))
}

/// Where names mean something else to each process.
fn is_special(path: &[u8]) -> bool {
    let below = |folder: &[u8]| {
        path.strip_prefix(folder).is_some_and(|it| it.is_empty() || it.starts_with(b"/"))
    };
    below(b"/proc") || below(b"/dev/fd") || path == b"/dev/tty"
}

/// Has a process this thread?
pub(crate) fn has_thread(process: i32, thread: i32) -> bool {
    std::path::Path::new(&format!("/proc/{process}/task/{thread}")).exists()
}

/// Is a name the number of a thread of this process?
fn is_thread_of(process: i32, name: &[u8]) -> bool {
    let number = std::str::from_utf8(name).ok().and_then(|it| it.parse::<i32>().ok());
    number.is_some_and(|it| has_thread(process, it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walker() -> Walker<'static> {
        let this = std::process::id().cast_signed();
        Walker {
            process: this,
            thread: this,
            alone: false,
            monitor: 1,
            places: Box::leak(Box::default()),
            descriptor: None,
        }
    }

    fn ends(path: &str, how: How) -> Result<Vec<u8>, Errno> {
        let found = walker().walk(Base::Current, path.as_bytes(), how)?;
        Ok(match found.end {
            End::Object(object) => object.path,
            End::Name(parent, _) => join(&parent.directory.path, &parent.name),
            End::Nowhere(why) => return Err(why),
        })
    }

    const FOLLOW: How = How { follow: true, name: false };

    #[test]
    fn paths_lead_where_the_kernel_says() {
        for path in
            ["/", "/usr/bin", "/bin/sh", "/usr/bin/../lib/.", "/proc/self/exe", "/etc//passwd"]
        {
            let expected = std::fs::canonicalize(path).unwrap();
            let found = ends(path, FOLLOW).unwrap();
            assert_eq!(String::from_utf8_lossy(&found), expected.to_string_lossy(), "{path}");
        }
    }

    #[test]
    fn what_is_not_there_is_told_as_the_kernel_does() {
        assert_eq!(ends("/etc/passwd/x", FOLLOW), Err(Errno::NOTDIR));
        assert_eq!(ends("/etc/nothing/x", FOLLOW), Err(Errno::NOENT));
        assert_eq!(ends("", FOLLOW), Err(Errno::NOENT));
        assert_eq!(ends("/etc/passwd/", FOLLOW), Err(Errno::NOTDIR));
    }

    #[test]
    fn nothing_is_found_of_the_monitor() {
        let mut walker = walker();
        walker.monitor = walker.process;
        for path in [format!("/proc/{}/fd", walker.monitor), "/proc/self/exe".to_owned()] {
            let found = walker.walk(Base::Current, path.as_bytes(), FOLLOW).unwrap();
            assert!(matches!(found.end, End::Nowhere(Errno::NOENT)), "{path}");
        }
    }
}
