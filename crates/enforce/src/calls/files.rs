//! Opening, and what else makes a name a file.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::inside::{in_memory, readable, shows_mounts};
use super::{DONE, FOLLOWED, word};
use crate::class::file;
use crate::defence::{Defence, stands};
use crate::object::{Facts, Object, join, magic};
use crate::path::{Base, End, How, Parent, above, is_dots, is_proc, path_of};
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::{Answer, Notification};

/// How often a file may come and go between two looks at its name.
const TRIES: usize = 40;
/// What the monitor adds to all it opens: nothing of it outlives an exec, and no terminal becomes its own.
const OWN: i32 = libc::O_CLOEXEC | libc::O_NOCTTY;
/// As many paths are remembered that led to files or directories.
const MOST_PLAIN: usize = 1 << 16;
/// What has been done when a file is opened again by what holds it.
const SETTLED: i32 = libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW | libc::O_DIRECTORY;

impl Monitor<'_> {
    pub(super) fn open(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        flags: i32,
        mode: u64,
        resolve: u64,
    ) -> Result<Reply, Errno> {
        let path = self.tasks.text(call.thread, path)?;
        let changes = libc::O_ACCMODE | libc::O_TRUNC | libc::O_CREAT | libc::O_PATH;
        if flags & changes == libc::O_RDONLY
            && let Some(script) = self.script(call.thread, &path)
        {
            let object = Object::new(script, path)?;
            self.may_open(call.thread, &object, flags)?;
            return Ok(given(object.file, flags).into());
        }
        if let Some(reply) = self.open_attr(call, &path, flags) {
            return reply;
        }
        if let Some(place) = self.place(call.thread, base, &path) {
            return self.open_place(call, &place, flags);
        }
        if shows_mounts(&path) && flags & (changes | libc::O_DIRECTORY) == libc::O_RDONLY {
            return self.open_mounts(call, &path, flags);
        }
        if resolve != 0 {
            return self.open_resolved(call, base, &path, flags, resolve);
        }
        if flags & libc::O_PATH != 0 {
            let how = How { follow: flags & libc::O_NOFOLLOW == 0, name: false };
            let found = self.walker(call.thread)?.walk(base, &path, how)?;
            self.may_walk(call.thread, &found)?;
            // Nothing can be done with it that is not decided on again, and seccomp cannot hand it over.
            return Ok(Answer::Continue.into());
        }
        if flags & libc::O_TMPFILE == libc::O_TMPFILE {
            return self.open_nameless(call, base, &path, flags, mode);
        }
        if flags & libc::O_CREAT != 0 {
            return self.create(call, base, &path, flags, mode);
        }
        let reads = flags & (libc::O_ACCMODE | libc::O_TRUNC) == libc::O_RDONLY;
        if reads && let Some(answer) = self.open_to_read(call, base, &path, flags)? {
            return Ok(answer.into());
        }
        let how = How { follow: flags & libc::O_NOFOLLOW == 0, name: false };
        let found = self.walker(call.thread)?.walk(base, &path, how)?;
        self.may_walk(call.thread, &found)?;
        let End::Object(object) = found.end else { return Err(Errno::NOENT) };
        if reads && matches!(object.facts.kind(), libc::S_IFREG | libc::S_IFDIR) {
            if self.plain.len() >= MOST_PLAIN {
                self.plain.clear();
            }
            self.plain.insert(object.path.as_slice().into());
        }
        self.open_object(call, &object, flags)
    }

    /// Opens a list of file systems, with SELinux's among them.
    fn open_mounts(
        &mut self,
        call: &Notification,
        path: &[u8],
        flags: i32,
    ) -> Result<Reply, Errno> {
        let object = self.object_at(call, Base::Current, path, FOLLOWED)?;
        self.may_open(call.thread, &object, flags)?;
        let shown = std::fs::read(object.magic()).map_err(|it| crate::task::error(&it))?;
        let file = in_memory(&Self::with_mount(path, shown))?;
        let label = self.label(call.thread, &object)?;
        self.labels.stand_in(&Facts::of(file.as_fd())?, label);
        Ok(given(readable(&file)?, flags).into())
    }

    /// Opens in one step what does not notice that it is opened.
    fn open_to_read(
        &mut self,
        call: &Notification,
        base: Base,
        path: &[u8],
        flags: i32,
    ) -> Result<Option<Answer>, Errno> {
        let relative = !matches!(path.first(), None | Some(b'/'));
        let start = if relative { Some(self.walker(call.thread)?.start(base)?) } else { None };
        let whole = start.as_ref().map_or_else(|| path.to_vec(), |it| join(&it.path, path));
        if self.plain.contains(&*whole) {
            let opened = self.open_plain(call, start.as_deref(), path, whole, flags)?;
            if opened.is_some() {
                return Ok(opened);
            }
        }
        let walks = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let is_name = !path.contains(&b'/') && !is_dots(path);
        match start {
            Some(start) if is_name && flags & walks == walks => {
                self.open_directory(call, &start, path, flags)
            }
            _ => Ok(None),
        }
    }

    /// Opens what was a file or directory when it was last opened by this path.
    fn open_plain(
        &mut self,
        call: &Notification,
        start: Option<&Object>,
        path: &[u8],
        whole: Vec<u8>,
        flags: i32,
    ) -> Result<Option<Answer>, Errno> {
        let wanted = OFlags::from_bits_retain(flags.unsigned_abs());
        let walker = self.walker(call.thread)?;
        let Some(object) = walker.open_at_once(start, path, whole, wanted) else {
            return Ok(None);
        };
        match start {
            Some(start) if !path.contains(&b'/') => {
                self.may_file(call.thread, start, file::search)?;
            }
            _ => {
                let from = start.map_or(1, |it| it.path.len());
                self.may_search(call.thread, above(&object.path), from)?;
            }
        }
        self.may_open(call.thread, &object, flags)?;
        Ok(Some(given(object.file, flags)))
    }

    pub(super) fn openat2(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        how: u64,
        size: u64,
    ) -> Result<Reply, Errno> {
        if !(24..=4096).contains(&size) {
            return Err(if size < 24 { Errno::INVAL } else { Errno::TOOBIG });
        }
        let bytes = self.tasks.bytes(call.thread, how, usize::try_from(size).unwrap_or(24))?;
        if bytes[24..].iter().any(|it| *it != 0) {
            return Err(Errno::TOOBIG);
        }
        let word = |at: usize| {
            bytes.get(at..at + 8).and_then(|it| it.try_into().ok()).map_or(0, u64::from_ne_bytes)
        };
        let flags = i32::try_from(word(0)).map_err(|_| Errno::INVAL)?;
        self.open(call, base, path, flags, word(8), word(16))
    }

    /// With conditions on the way, which the kernel itself keeps: what it finds is held, then decided on.
    fn open_resolved(
        &mut self,
        call: &Notification,
        base: Base,
        path: &[u8],
        flags: i32,
        resolve: u64,
    ) -> Result<Reply, Errno> {
        use rustix::fs::{ResolveFlags, openat2};
        let resolve = ResolveFlags::from_bits(resolve).ok_or(Errno::INVAL)?;
        if flags & (libc::O_CREAT | libc::O_PATH) != 0 || flags & libc::O_TMPFILE == libc::O_TMPFILE
        {
            // Programs have a way without it.
            return Err(Errno::NOSYS);
        }
        let start = self.walker(call.thread)?.base(base)?;
        let hold = OFlags::PATH | OFlags::CLOEXEC;
        let follow = if flags & libc::O_NOFOLLOW == 0 { hold } else { hold | OFlags::NOFOLLOW };
        let held = openat2(&start, path, follow, Mode::empty(), resolve)?;
        let place = path_of(held.as_fd())?;
        // What was found is reached by its own name, too: the directories of that are searched.
        let how = How { follow: false, name: false };
        let found = self.walker(call.thread)?.walk(Base::Current, &place, how)?;
        self.may_walk(call.thread, &found)?;
        let object = Object::new(held, place)?;
        match found.end {
            End::Object(same) if same.facts.inode == object.facts.inode => {
                self.open_object(call, &object, flags)
            }
            _ => Err(Errno::AGAIN),
        }
    }

    /// Opens a file that is held.
    fn open_object(
        &mut self,
        call: &Notification,
        object: &Object,
        flags: i32,
    ) -> Result<Reply, Errno> {
        if object.facts.is_link() {
            return Err(Errno::LOOP);
        }
        if flags & libc::O_DIRECTORY != 0 && !object.facts.is_directory() {
            return Err(Errno::NOTDIR);
        }
        let writes = flags & libc::O_ACCMODE != libc::O_RDONLY || flags & libc::O_TRUNC != 0;
        if object.facts.is_directory() && writes {
            return Err(Errno::ISDIR);
        }
        let (kind, settled) = (object.facts.kind(), flags & !SETTLED | OWN);
        let own = OFlags::from_bits_retain(settled.unsigned_abs());
        if !writes && matches!(kind, libc::S_IFREG | libc::S_IFDIR) && !is_proc(object) {
            // These do not notice that they are opened; whether their modes allow it comes first.
            let file = openat(CWD, object.magic(), own, Mode::empty())?;
            self.may_open(call.thread, object, flags)?;
            return Ok(given(file, flags).into());
        }
        self.may_dac(object, flags)?;
        self.may_open(call.thread, object, flags)?;
        self.may_see_memory(call.thread, object)?;
        if is_terminal(object) {
            return self.open_terminal(call, flags);
        }
        self.still(call)?;
        if object.facts.kind() == libc::S_IFIFO && flags & libc::O_NONBLOCK == 0 {
            let held = crate::path::again(object)?;
            return Ok(self.later(call, true, move || {
                let file = openat(CWD, held.magic(), own, Mode::empty())?;
                Ok(given(file, flags))
            }));
        }
        let file = openat(CWD, object.magic(), own, Mode::empty())?;
        self.has_made(call.thread, object, file.as_fd())?;
        Ok(given(file, flags).into())
    }

    /// Opens a directory by its name in another one, as walks over trees do.
    fn open_directory(
        &mut self,
        call: &Notification,
        start: &Object,
        name: &[u8],
        flags: i32,
    ) -> Result<Option<Answer>, Errno> {
        if !start.facts.is_directory() || is_proc(start) {
            return Ok(None);
        }
        let own = OFlags::from_bits_retain((flags | OWN).unsigned_abs());
        let opened = openat(start, name, own, Mode::empty());
        if opened.as_ref().err() == Some(&Errno::ACCESS) {
            // What modes forbid on the way is asked about differently.
            return Ok(None);
        }
        self.may_file(call.thread, start, file::search)?;
        let object = Object::new(opened?, join(&start.path, name))?;
        if is_proc(&object) {
            return Ok(None);
        }
        self.may_open(call.thread, &object, flags)?;
        self.places.knows(&object);
        Ok(Some(given(object.file, flags)))
    }

    /// What is asked when a file is opened: by its modes (`may_open`), as an open file (`selinux_file_open`), and when it is truncated.
    pub(super) fn may_open(
        &mut self,
        thread: i32,
        object: &Object,
        flags: i32,
    ) -> Result<(), Errno> {
        self.may_file(thread, object, wanted(flags))?;
        self.may_file(thread, object, file::open | opened(flags))?;
        let truncates = flags & libc::O_TRUNC != 0 && object.facts.kind() == libc::S_IFREG;
        if truncates { self.may_file(thread, object, file::write) } else { Ok(()) }
    }

    /// The kernel would ask whether the monitor may trace the process whose memory is opened, and it may: so only a process's own is.
    fn may_see_memory(&self, thread: i32, object: &Object) -> Result<(), Errno> {
        if !stands(Defence::OwnMemory) || !object.path.ends_with(b"/mem") || !is_proc(object) {
            return Ok(());
        }
        let own = self.tasks.get(thread).ok_or(Errno::SRCH)?.process;
        let number = |it: &[u8]| std::str::from_utf8(it).ok()?.parse::<i32>().ok();
        let path = path_of(object.as_fd())?;
        let mut owners = path.split(|it| *it == b'/').filter_map(number);
        let is_own = |it: i32| self.tasks.get(it).is_some_and(|it| it.process == own);
        if owners.all(is_own) { Ok(()) } else { Err(Errno::ACCESS) }
    }

    /// What the modes of a file say, before the policy is asked: as the kernel does, so that nothing is logged that was denied anyway.
    fn may_dac(&self, object: &Object, flags: i32) -> Result<(), Errno> {
        use rustix::fs::{Access, AtFlags, accessat};
        let wanted = match flags & libc::O_ACCMODE {
            libc::O_RDONLY => Access::READ_OK,
            libc::O_WRONLY => Access::WRITE_OK,
            _ => Access::READ_OK | Access::WRITE_OK,
        };
        let wanted = if flags & libc::O_TRUNC == 0 { wanted } else { wanted | Access::WRITE_OK };
        accessat(CWD, object.magic(), wanted, AtFlags::EACCESS)
    }

    fn create(
        &mut self,
        call: &Notification,
        base: Base,
        path: &[u8],
        flags: i32,
        mode: u64,
    ) -> Result<Reply, Errno> {
        if flags & libc::O_DIRECTORY != 0 {
            return Err(Errno::INVAL);
        }
        let exclusive = flags & libc::O_EXCL != 0;
        let how = How { follow: flags & (libc::O_NOFOLLOW | libc::O_EXCL) == 0, name: true };
        for _ in 0..TRIES {
            let found = self.walker(call.thread)?.walk(base, path, how)?;
            self.may_walk(call.thread, &found)?;
            let (parent, object) = match found.end {
                End::Name(parent, object) => (parent, object),
                End::Object(object) => return self.open_object(call, &object, flags),
                End::Nowhere(why) => return Err(why),
            };
            if let Some(object) = object {
                if exclusive {
                    return Err(Errno::EXIST);
                }
                if object.facts.is_directory() {
                    return Err(Errno::ISDIR);
                }
                return self.open_object(call, &object, flags);
            }
            if parent.slash {
                return Err(Errno::ISDIR);
            }
            match self.create_there(call, &parent, flags, mode) {
                Err(Errno::EXIST) if !exclusive => {}
                done => return done,
            }
        }
        Err(Errno::AGAIN)
    }

    fn create_there(
        &mut self,
        call: &Notification,
        parent: &Parent,
        flags: i32,
        mode: u64,
    ) -> Result<Reply, Errno> {
        writable(&parent.directory)?;
        let mode = word(mode) & 0o7777;
        let label = self.may_create(call.thread, parent, libc::S_IFREG | mode)?;
        self.still(call)?;
        self.take_umask(call.thread);
        let own = (flags | libc::O_EXCL | libc::O_NOFOLLOW | OWN) & !libc::O_TRUNC;
        let own = OFlags::from_bits_retain(own.unsigned_abs());
        let file = openat(&parent.directory, &*parent.name, own, Mode::from_raw_mode(mode))?;
        let path = join(&parent.directory.path, &parent.name);
        let object = Object::new(file, path)?;
        self.settle_new(&parent.directory, &object, label);
        self.may_file(call.thread, &object, file::open | opened(flags))?;
        Ok(given(object.file, flags).into())
    }

    /// Gives a new file its label, where files of its file system have any.
    pub(super) fn settle_new(
        &mut self,
        beside: &Object,
        object: &Object,
        label: mandate_server::Sid,
    ) {
        if self.labels.keeps_labels(beside, self.server) {
            self.labels.settle(&object.facts, label, self.server);
        }
    }

    fn open_nameless(
        &mut self,
        call: &Notification,
        base: Base,
        path: &[u8],
        flags: i32,
        mode: u64,
    ) -> Result<Reply, Errno> {
        let found = self.walker(call.thread)?.walk(base, path, FOLLOWED)?;
        self.may_walk(call.thread, &found)?;
        let End::Object(directory) = found.end else { return Err(Errno::NOENT) };
        if !directory.facts.is_directory() {
            return Err(Errno::NOTDIR);
        }
        writable(&directory)?;
        self.may_file(call.thread, &directory, file::write | file::search)?;
        let above = self.label(call.thread, &directory)?;
        // Nobody asks whether it may be made, for it has no name: what is asked is whether it may be opened.
        let label = self.new_label(call.thread, above, crate::class::Class::File, b"")?;
        self.still(call)?;
        self.take_umask(call.thread);
        let own = OFlags::from_bits_retain((flags | OWN).unsigned_abs());
        let name = directory.magic();
        let file = openat(CWD, name, own, Mode::from_raw_mode(word(mode) & 0o7777))?;
        let object = Object::new(file, directory.path.clone())?;
        self.settle_new(&directory, &object, label);
        self.may_file(call.thread, &object, file::open | opened(flags))?;
        Ok(given(object.file, flags).into())
    }

    /// The terminal that controls the program, which may be another than the monitor's.
    fn open_terminal(&mut self, call: &Notification, flags: i32) -> Result<Reply, Errno> {
        let terminal = |process: i32| {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            let after = stat.rsplit_once(") ")?.1;
            after.split(' ').nth(4)?.parse::<i32>().ok().filter(|it| *it != 0)
        };
        let wanted = terminal(call.thread).ok_or(Errno::NXIO)?;
        let own = OFlags::from_bits_retain((flags & !SETTLED | OWN).unsigned_abs());
        if terminal(self.monitor()) == Some(wanted) {
            return Ok(given(openat(CWD, c"/dev/tty", own, Mode::empty())?, flags).into());
        }
        // Majors 136 to 143 are pseudo terminals (Documentation/admin-guide/devices.txt).
        let (major, minor) = (wanted >> 8 & 0xfff, wanted & 0xff | wanted >> 12 & 0xf_ff00);
        if !(136..=143).contains(&major) {
            return Err(Errno::NXIO);
        }
        let path = format!("/dev/pts/{}", (major - 136) * (1 << 20) + minor);
        Ok(given(openat(CWD, path, own, Mode::empty())?, flags).into())
    }

    pub(super) fn truncate(
        &mut self,
        call: &Notification,
        path: u64,
        size: u64,
    ) -> Result<Reply, Errno> {
        let object = self.object(call, Base::Current, path, FOLLOWED)?;
        match object.facts.kind() {
            libc::S_IFDIR => return Err(Errno::ISDIR),
            libc::S_IFREG => {}
            _ => return Err(Errno::INVAL),
        }
        self.may_dac(&object, libc::O_WRONLY)?;
        self.may_file(call.thread, &object, file::write)?;
        self.may_file(call.thread, &object, file::write | file::open)?;
        self.still(call)?;
        let own = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file = openat(CWD, object.magic(), own, Mode::empty())?;
        rustix::fs::ftruncate(file, size)?;
        Ok(DONE.into())
    }

    /// The monitor's duplicate of an open file that is to be written otherwise than by `write`: what was opened for appending needs to be
    /// asked about.
    pub(super) fn rewritten(&mut self, call: &Notification, number: i32) -> Result<OwnedFd, Errno> {
        let file = self.tasks.opened(call.thread, number)?;
        let file = self.appended(call, file)?;
        self.still(call)?;
        Ok(file)
    }

    /// Writing anywhere asks for more than appending.
    pub(super) fn appended(
        &mut self,
        call: &Notification,
        file: OwnedFd,
    ) -> Result<OwnedFd, Errno> {
        let flags = rustix::fs::fcntl_getfl(&file)?;
        let appends =
            flags.contains(OFlags::APPEND) && flags.intersects(OFlags::WRONLY | OFlags::RDWR);
        if !appends {
            return Ok(file);
        }
        let path = path_of(file.as_fd())?;
        let object = Object::new(file, path)?;
        self.may_file(call.thread, &object, file::write)?;
        Ok(object.file)
    }

    pub(super) fn truncate_open(
        &mut self,
        call: &Notification,
        number: i32,
        size: u64,
    ) -> Result<Reply, Errno> {
        rustix::fs::ftruncate(self.rewritten(call, number)?, size)?;
        Ok(DONE.into())
    }

    pub(super) fn allocate(
        &mut self,
        call: &Notification,
        number: i32,
        mode: i32,
        (from, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        let mode = rustix::fs::FallocateFlags::from_bits_retain(mode.unsigned_abs());
        rustix::fs::fallocate(self.rewritten(call, number)?, mode, from, size)?;
        Ok(DONE.into())
    }

    /// The flags of an open file, which all descriptors of it share.
    pub(super) fn set_flags(
        &mut self,
        call: &Notification,
        number: i32,
        flags: u64,
    ) -> Result<Reply, Errno> {
        let file = self.rewritten(call, number)?;
        rustix::fs::fcntl_setfl(file, OFlags::from_bits_retain(word(flags)))?;
        Ok(DONE.into())
    }

    /// The file that a path of a call leads to, if the thread may search the way.
    pub(super) fn object(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        how: How,
    ) -> Result<Object, Errno> {
        let path = self.tasks.text(call.thread, path)?;
        self.object_at(call, base, &path, how)
    }

    pub(super) fn object_at(
        &mut self,
        call: &Notification,
        base: Base,
        path: &[u8],
        how: How,
    ) -> Result<Object, Errno> {
        // What is not answered otherwise is not done to places of SELinux.
        if let Some(place) = self.place(call.thread, base, path) {
            self.may_find_place(call.thread, &place)?;
            return Err(Errno::ACCESS);
        }
        let found = self.walker(call.thread)?.walk(base, path, how)?;
        self.may_walk(call.thread, &found)?;
        match found.end {
            End::Object(object) => Ok(object),
            End::Name(..) | End::Nowhere(_) => Err(Errno::NOENT),
        }
    }

    /// The same, or what is open under the number itself if the path is empty and that is asked for.
    pub(super) fn object_or_open(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        how: How,
        empty: bool,
    ) -> Result<Object, Errno> {
        let text =
            if empty && path == 0 { Vec::new() } else { self.tasks.text(call.thread, path)? };
        if empty && text.is_empty() {
            return self.walker(call.thread)?.base(base);
        }
        self.object_at(call, base, &text, how)
    }

    pub(super) fn chdir(&mut self, call: &Notification, path: u64) -> Result<Reply, Errno> {
        let object = self.object(call, Base::Current, path, FOLLOWED)?;
        if !object.facts.is_directory() {
            return Err(Errno::NOTDIR);
        }
        self.may_file(call.thread, &object, file::search)?;
        self.leaves(call.thread);
        // A program gains no more by another directory than paths that are decided on from there.
        Ok(Answer::Continue.into())
    }

    pub(super) fn fchdir(&mut self, call: &Notification, number: i32) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        if !object.facts.is_directory() {
            return Err(Errno::NOTDIR);
        }
        self.may_file(call.thread, &object, file::search)?;
        self.leaves(call.thread);
        Ok(Answer::Continue.into())
    }

    /// A process goes to another directory.
    fn leaves(&self, thread: i32) {
        if let Some(task) = self.tasks.get(thread) {
            self.places.leaves(task.process);
        }
    }

    pub(super) fn watch_file(
        &mut self,
        call: &Notification,
        number: i32,
        path: u64,
        mask: u64,
    ) -> Result<Reply, Errno> {
        let mask = word(mask);
        let how = How { follow: mask & libc::IN_DONT_FOLLOW == 0, name: false };
        let object = self.object(call, Base::Current, path, how)?;
        self.may_file(call.thread, &object, file::read)?;
        let reads = libc::IN_ACCESS | libc::IN_CLOSE_NOWRITE;
        let more = if mask & reads == 0 { 0 } else { file::watch_reads };
        self.may_file(call.thread, &object, file::watch | more)?;
        let watcher = self.tasks.opened(call.thread, number)?;
        self.still(call)?;
        let mask = mask & !libc::IN_DONT_FOLLOW;
        let flags = rustix::fs::inotify::WatchFlags::from_bits_retain(mask);
        let watch = rustix::fs::inotify::add_watch(watcher, object.magic(), flags)?;
        Ok(Answer::Value(watch.into()).into())
    }

    pub(super) fn set_umask(&mut self, call: &Notification, mask: u64) -> Result<Reply, Errno> {
        for thread in self.tasks.threads(call.thread) {
            if let Some(task) = self.tasks.get_mut(thread) {
                task.umask = word(mask) & 0o777;
            }
        }
        Ok(Answer::Continue.into())
    }
}

/// What a file is wanted for, before it is opened (`file_mask_to_av`). Truncating is writing, wherever it begins.
fn wanted(flags: i32) -> u32 {
    let access = flags & libc::O_ACCMODE;
    let read = if access == libc::O_WRONLY { 0 } else { file::read };
    let writes = access != libc::O_RDONLY || flags & libc::O_TRUNC != 0;
    match (flags & libc::O_APPEND != 0, writes) {
        (true, _) => read | file::append,
        (false, true) => read | file::write,
        (false, false) => read,
    }
}

/// What is asked of an open file (`file_to_av`).
fn opened(flags: i32) -> u32 {
    let write = if flags & libc::O_APPEND == 0 { file::write } else { file::append };
    match flags & libc::O_ACCMODE {
        libc::O_RDONLY => file::read,
        libc::O_WRONLY => write,
        libc::O_RDWR => file::read | write,
        _ => file::ioctl,
    }
}

/// A file for the program. What may hold a lock, or keep a program from being executed, must be the program's alone.
pub(super) fn given(file: OwnedFd, flags: i32) -> Answer {
    let close_on_exec = flags & libc::O_CLOEXEC != 0;
    Answer::Descriptor { file, close_on_exec, alone: flags & libc::O_ACCMODE != libc::O_RDONLY }
}

/// May names be made and removed there, as the modes say?
pub(super) fn writable(directory: &Object) -> Result<(), Errno> {
    use rustix::fs::{Access, AtFlags, accessat};
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    accessat(CWD, magic(directory.as_fd()), wanted, AtFlags::EACCESS)
}

/// The name of whatever terminal controls who opens it (major 5, minor 0).
fn is_terminal(object: &Object) -> bool {
    object.facts.kind() == libc::S_IFCHR && object.path == b"/dev/tty"
}
