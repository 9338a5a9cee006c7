//! Decisions about what programs do, and what is told of them.

use mandate_server::{Check, Compute, Sid};
use rustix::io::Errno;

use crate::class::{self, Class, file, filesystem};
use crate::defence::{Defence, stands};
use crate::object::{Object, class_of, join};
use crate::path::{End, Found, Parent, Searched, is_dots};
use crate::record::{News, Record, Subject};
use crate::supervisor::Monitor;

/// What an access is about, for those who read of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About<'a> {
    Object(&'a Object),
    /// Where nothing is on any disk.
    Place(&'a [u8]),
    Port(u16),
    Process(i32),
    Nothing,
}

impl Monitor<'_> {
    /// The context of a thread.
    pub(crate) fn sid(&self, thread: i32) -> Result<Sid, Errno> {
        self.tasks.get(thread).map(|it| it.security.sid).ok_or(Errno::SRCH)
    }

    /// May a thread do all of this?
    pub(crate) fn may(
        &mut self,
        thread: i32,
        target: Sid,
        class: Class,
        bits: u32,
        about: About<'_>,
    ) -> Result<(), Errno> {
        let source = self.sid(thread)?;
        self.may_as(thread, source, target, class, bits, about)
    }

    /// The same, asked for another context than the thread's own.
    pub(crate) fn may_as(
        &mut self,
        thread: i32,
        source: Sid,
        target: Sid,
        class: Class,
        bits: u32,
        about: About<'_>,
    ) -> Result<(), Errno> {
        if let About::Object(object) = about
            && self.labels.is_own(&object.facts)
        {
            return Err(Errno::ACCESS);
        }
        let Some(known) = self.vocabulary.known(class).copied() else {
            return if self.vocabulary.allows_unknown { Ok(()) } else { Err(Errno::ACCESS) };
        };
        let check = self
            .server
            .check(source, target, known.class, known.translated(bits))
            .map_err(|_| Errno::ACCESS)?;
        let unknown = bits & known.unknown;
        let granted = check.granted && (unknown == 0 || self.vocabulary.allows_unknown);
        let heard = self.heard(check);
        if heard != 0 {
            let permissions = class::names(class, known.ours(heard)).collect();
            let denied = check.denied != 0;
            self.tell(thread, source, target, class, (permissions, denied, granted), about);
        }
        if granted { Ok(()) } else { Err(Errno::ACCESS) }
    }

    /// The permissions of a decision that are to be told.
    fn heard(&self, check: Check) -> u32 {
        if self.hidden && check.denied != 0 { check.denied } else { check.audited }
    }

    fn tell(
        &mut self,
        thread: i32,
        source: Sid,
        target: Sid,
        class: Class,
        (permissions, denied, granted): (Vec<&'static str>, bool, bool),
        about: About<'_>,
    ) {
        let context = |sid| self.server.context(sid).unwrap_or_default();
        let command = std::fs::read(format!("/proc/{thread}/comm")).unwrap_or_default();
        let record = Record {
            source: context(source),
            target: context(target),
            class: class.name(),
            permissions,
            denied,
            permissive: denied && granted,
            thread,
            command: command.strip_suffix(b"\n").unwrap_or(&command).to_vec(),
            subject: match about {
                About::Object(object) => {
                    Subject::File { path: object.path.clone(), inode: object.facts.inode.number }
                }
                About::Place(path) => Subject::File { path: path.to_vec(), inode: 0 },
                About::Port(port) => Subject::Port(port),
                About::Process(process) => Subject::Process(process),
                About::Nothing => Subject::Nothing,
            },
        };
        (self.told)(News::Decision(&record));
    }

    /// The label of a file as a thread sees it.
    pub(crate) fn label(&mut self, thread: i32, object: &Object) -> Result<Sid, Errno> {
        let caller = self.sid(thread)?;
        let (tasks, monitor) = (&self.tasks, self.monitor());
        let process = |number| match tasks.get(number) {
            Some(task) => Some(task.security.sid),
            None => (number == monitor && !stands(Defence::HiddenMonitor)).then_some(caller),
        };
        Ok(self.labels.of(object, self.server, caller, process))
    }

    /// May a thread do all of this to a file?
    pub(crate) fn may_file(
        &mut self,
        thread: i32,
        object: &Object,
        bits: u32,
    ) -> Result<(), Errno> {
        let label = self.label(thread, object)?;
        self.may(thread, label, object.facts.class(), bits, About::Object(object))
    }

    /// Were the directories and links of a path there for the thread, and did it lead anywhere? A thread that may not come so far does not
    /// learn what is there.
    pub(crate) fn may_walk(&mut self, thread: i32, found: &Found) -> Result<(), Errno> {
        for searched in &found.searched {
            match searched {
                Searched::Beginnings { path, from } => self.may_search(thread, path, *from)?,
                Searched::Held(directory) => self.may_file(thread, directory, file::search)?,
                Searched::Link(link) => self.may_file(thread, link, file::read)?,
            }
        }
        match &found.end {
            End::Name(parent, _) if !is_dots(&parent.name) => {
                self.may_file(thread, &parent.directory, file::search)
            }
            End::Nowhere(why) => Err(*why),
            _ => Ok(()),
        }
    }

    /// May a thread search the directories of a path from a length on, itself too? None of them is a link.
    pub(crate) fn may_search(
        &mut self,
        thread: i32,
        path: &[u8],
        from: usize,
    ) -> Result<(), Errno> {
        let source = self.sid(thread)?;
        let of = self.searched.get(path).and_then(|it| it.get(&from));
        if let Some(labels) = of {
            let labels = labels.clone();
            let all = labels.iter().map(|it| {
                let known = self.vocabulary.known(Class::Dir)?;
                let check =
                    self.server.check(source, *it, known.class, known.translated(file::search));
                check.ok().filter(|it| it.granted && self.heard(*it) == 0)
            });
            if all.collect::<Option<Vec<_>>>().is_some() {
                return Ok(());
            }
        }
        let mut labels = Vec::new();
        for end in ends_of(path).filter(|it| *it >= from) {
            let directory = Self::held(&path[..end])?;
            let label = self.label(thread, &directory)?;
            self.may(thread, label, Class::Dir, file::search, About::Object(&directory))?;
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        if self.searched.len() >= MOST_SEARCHED {
            self.searched.clear();
        }
        self.searched.entry(path.into()).or_default().insert(from, labels.into());
        Ok(())
    }

    fn held(path: &[u8]) -> Result<Object, Errno> {
        use rustix::fs::{CWD, Mode, OFlags, openat};
        let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Object::new(openat(CWD, path, flags, Mode::empty())?, path.to_vec())
    }

    /// What directories were found to be no longer holds.
    pub(crate) fn forget_searches(&mut self) {
        self.searched.clear();
        self.places.forget();
    }

    /// The label of a new file, which the thread may make there (`may_create` in the kernel's hooks).
    pub(crate) fn may_create(
        &mut self,
        thread: i32,
        parent: &Parent,
        mode: u32,
    ) -> Result<Sid, Errno> {
        let directory = &parent.directory;
        let above = self.label(thread, directory)?;
        for bits in [file::write | file::search, file::add_name | file::search] {
            self.may(thread, above, Class::Dir, bits, About::Object(directory))?;
        }
        let class = class_of(mode);
        let label = self.new_label(thread, above, class, &parent.name)?;
        let place = join(&directory.path, &parent.name);
        self.may(thread, label, class, file::create, About::Place(&place))?;
        let system = self.labels.of_file_system(directory, self.server);
        let about = About::Object(directory);
        self.may_as(thread, label, system, Class::Filesystem, filesystem::associate, about)?;
        Ok(label)
    }

    /// The label that a new file of a thread has in a directory.
    pub(crate) fn new_label(
        &mut self,
        thread: i32,
        above: Sid,
        class: Class,
        name: &[u8],
    ) -> Result<Sid, Errno> {
        let security = self.tasks.get(thread).ok_or(Errno::SRCH)?.security;
        if let Some(asked) = security.create {
            return Ok(asked);
        }
        let class = self.vocabulary.known(class).map(|it| it.class);
        let computed = self.server.compute(Compute::Create, security.sid, above, class, Some(name));
        computed.map_err(|_| Errno::ACCESS)
    }
}

/// As many paths of directories are kept.
const MOST_SEARCHED: usize = 1 << 16;

/// Where the beginnings of an absolute path end: `/`, `/a`, `/a/b`.
fn ends_of(path: &[u8]) -> impl Iterator<Item = usize> {
    let inner = path.iter().enumerate().skip(1).filter(|(_, it)| **it == b'/').map(|it| it.0);
    let whole = (path.len() > 1).then_some(path.len());
    std::iter::once(1).chain(inner).chain(whole)
}
