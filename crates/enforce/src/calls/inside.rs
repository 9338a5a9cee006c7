//! What programs do in the places of SELinux that `inside` shows them.
//!
//! What is read is a file in memory. A question is written at a descriptor of a number at which `write` comes to the monitor, which leaves its answer
//! to be read in the file behind it. A folder is one without a name, of which the monitor tells what is in it.

use std::os::fd::{AsFd as _, OwnedFd};

use mandate_policydb::{ClassId, SymbolId as _, Unvalidated};
use mandate_server::{Compute, Mode, Sid};
use rustc_hash::FxHashMap;
use rustix::fs::{CWD, MemfdFlags, OFlags, memfd_create};
use rustix::io::Errno;

use super::{DONE, attributes};
use crate::access::About;
use crate::class::{Class, Vocabulary, file, filesystem, security};
use crate::inside::{Configuration, ETC, File, Node, Question, SELINUX, View, place, unescaped};
use crate::object::{Facts, Inode, join, magic};
use crate::path::{Base, above};
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::{Answer, Notification};
use crate::sys::look::{self, MadeUp};
use crate::sys::page::Page;

/// The longest question (SIMPLE_TRANSACTION_LIMIT).
const QUESTION: usize = 4096 - 8;
/// The largest policy that is loaded (SEL_POLICY_MAX_SIZE).
const POLICY: usize = 64 << 20;
/// As many open files are remembered.
const MOST: usize = 1 << 12;

/// What is open of the places of SELinux.
pub(crate) struct Inside<'a> {
    configuration: &'a Configuration,
    /// Files that stand for those that are open to be written.
    written: FxHashMap<Inode, File<'a>>,
    /// Folders without a name, by the place they stand for, and the places by their folders.
    folders: FxHashMap<Vec<u8>, OwnedFd>,
    places: FxHashMap<Inode, Vec<u8>>,
    /// How many entries of a folder were told at a process's number.
    listed: FxHashMap<(i32, i32), usize>,
    status: Option<Page>,
    /// Counts changes of mode and policy, two for each.
    sequence: u32,
    /// What is written at copies of descriptors, where no call comes to the monitor, and who opened it.
    pub(crate) copies: Vec<Copy<'a>>,
}

/// Where a file that can only be written is written to, but for its own number.
#[derive(Debug)]
pub(crate) struct Copy<'a> {
    thread: i32,
    sid: Sid,
    file: File<'a>,
    written: OwnedFd,
}

/// What is to be seen of an open file.
#[derive(Clone, Copy, Debug)]
struct Seen {
    label: Sid,
    mode: u32,
}

impl<'a> Inside<'a> {
    pub(crate) fn new(configuration: &'a Configuration) -> Self {
        Self {
            configuration,
            written: FxHashMap::default(),
            folders: FxHashMap::default(),
            places: FxHashMap::default(),
            listed: FxHashMap::default(),
            status: None,
            // As after a start: the policy was loaded, then enforced.
            sequence: 4,
            copies: Vec::new(),
        }
    }
}

impl<'a> Monitor<'a> {
    fn view(&self) -> View<'a> {
        View { server: self.server, configuration: self.inside.configuration }
    }

    /// The place of SELinux that a path leads to; none if it leads elsewhere.
    pub(super) fn place(&mut self, thread: i32, base: Base, path: &[u8]) -> Option<Vec<u8>> {
        if path.starts_with(b"/") {
            return place(path);
        }
        let named = path.windows(7).any(|it| it == b"selinux");
        if path.is_empty() || !named && self.inside.places.is_empty() {
            return None;
        }
        let start = self.walker(thread).ok()?.start(base).ok()?;
        match self.inside.places.get(&start.facts.inode) {
            Some(at) => place(&join(at, path)),
            None => place(&join(&start.path, path)),
        }
    }

    /// Is this an open folder of SELinux?
    pub(super) fn is_place(&self, facts: &Facts) -> bool {
        self.inside.places.contains_key(&facts.inode)
    }

    /// Does this open file stand for one of SELinux?
    pub(super) fn is_of_selinux(&self, facts: &Facts) -> bool {
        self.is_place(facts) || self.inside.written.contains_key(&facts.inode)
    }

    fn label_of_place(&mut self, path: &[u8], node: &Node<'_>) -> Sid {
        let class = class_of(node);
        match path.strip_prefix(SELINUX) {
            Some(b"/null") => crate::labels::initial(self.server, "devnull"),
            Some(below) => {
                let below = if below.is_empty() { b"/" } else { below };
                let found = crate::labels::genfs(self.server, "selinuxfs", below, class);
                found.unwrap_or_else(|| crate::labels::initial(self.server, "security"))
            }
            None => self.labels.of_place(path, node.mode(), self.server),
        }
    }

    fn may_place(
        &mut self,
        thread: i32,
        path: &[u8],
        node: &Node<'_>,
        bits: u32,
    ) -> Result<(), Errno> {
        let label = self.label_of_place(path, node);
        self.may(thread, label, class_of(node), bits, About::Place(path))
    }

    /// May a thread search the way to a place?
    fn may_come_to(&mut self, thread: i32, path: &[u8]) -> Result<(), Errno> {
        let root = if path.starts_with(SELINUX) { SELINUX } else { ETC };
        // What is above may be missing on this machine.
        if self.may_search(thread, above(root), 1) == Err(Errno::ACCESS) {
            return Err(Errno::ACCESS);
        }
        let ends = (root.len()..path.len()).filter(|it| path.get(*it) == Some(&b'/'));
        for end in ends {
            self.may_place(thread, &path[..end], &Node::Folder, file::search)?;
        }
        Ok(())
    }

    fn node(&self, path: &[u8]) -> Result<Node<'a>, Errno> {
        let view = self.view();
        view.node(path).ok_or_else(|| match view.node(above(path)) {
            Some(Node::File(_)) => Errno::NOTDIR,
            _ => Errno::NOENT,
        })
    }

    /// May a thread do something of itself to the policy?
    fn may_security(&mut self, thread: i32, bits: u32) -> Result<(), Errno> {
        let target = crate::labels::initial(self.server, "security");
        self.may(thread, target, Class::Security, bits, About::Nothing)
    }

    pub(super) fn open_place(
        &mut self,
        call: &Notification,
        path: &[u8],
        flags: i32,
    ) -> Result<Reply, Errno> {
        self.may_come_to(call.thread, path)?;
        let node = match self.node(path) {
            // Nothing is made here.
            Err(Errno::NOENT) if flags & libc::O_CREAT != 0 => return Err(Errno::ACCESS),
            node => node?,
        };
        if flags & (libc::O_CREAT | libc::O_EXCL) == libc::O_CREAT | libc::O_EXCL {
            return Err(Errno::EXIST);
        }
        let access = flags & libc::O_ACCMODE;
        let (reads, writes) = (access != libc::O_WRONLY, access != libc::O_RDONLY);
        match &node {
            Node::Folder if writes => return Err(Errno::ISDIR),
            Node::File(_) if flags & libc::O_DIRECTORY != 0 => return Err(Errno::NOTDIR),
            _ => {}
        }
        let wanted = if reads { 0o400 } else { 0 } | if writes { 0o200 } else { 0 };
        if node.mode() & wanted != wanted {
            return Err(Errno::ACCESS);
        }
        let bits = if reads { file::read } else { 0 } | if writes { file::write } else { 0 };
        self.may_place(call.thread, path, &node, bits)?;
        self.may_place(call.thread, path, &node, file::open | bits)?;
        let seen = Seen { label: self.label_of_place(path, &node), mode: node.mode() };
        match node {
            Node::Folder => self.open_folder(call, path, flags),
            Node::File(File::Null) => {
                let close_on_exec = flags & libc::O_CLOEXEC != 0;
                Ok(Answer::Descriptor { file: null()?, close_on_exec, alone: writes }.into())
            }
            Node::File(file) if writes => self.open_written(call, file, seen, flags),
            Node::File(file) => self.open_read(call, &file, seen, flags),
        }
    }

    fn open_read(
        &mut self,
        call: &Notification,
        file: &File<'_>,
        seen: Seen,
        flags: i32,
    ) -> Result<Reply, Errno> {
        if *file == File::Policy {
            self.may_security(call.thread, security::read_policy)?;
        }
        let file = match file {
            File::Status => self.status()?.reader()?,
            file => in_memory(&self.view().content(file))?,
        };
        self.stand_in(&file, seen)?;
        let close_on_exec = flags & libc::O_CLOEXEC != 0;
        Ok(Answer::Descriptor { file: readable(&file)?, close_on_exec, alone: false }.into())
    }

    fn open_written(
        &mut self,
        call: &Notification,
        file: File<'a>,
        seen: Seen,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let behind = match flags & libc::O_ACCMODE {
            libc::O_WRONLY if file.is_number() => self.watch_copies(call.thread, &file)?,
            _ => in_memory(&self.view().content(&file))?,
        };
        let inode = self.stand_in(&behind, seen)?;
        let number = self.give_at_number(call, &behind, flags & libc::O_CLOEXEC != 0)?;
        if self.inside.written.len() >= MOST {
            self.inside.written.clear();
        }
        self.inside.written.insert(inode, file);
        Ok(Answer::Value(number.into()).into())
    }

    /// Lets a file in memory look like what it stands for.
    fn stand_in(&mut self, file: &OwnedFd, seen: Seen) -> Result<Inode, Errno> {
        rustix::fs::fchmod(file, (seen.mode & 0o777).into())?;
        let facts = Facts::of(file.as_fd())?;
        self.labels.stand_in(&facts, seen.label);
        Ok(facts.inode)
    }

    /// A pipe for a file that is written by a copy of its descriptor, as shells do.
    fn watch_copies(&mut self, thread: i32, file: &File<'a>) -> Result<OwnedFd, Errno> {
        use rustix::pipe::{PipeFlags, pipe_with};
        // Whoever writes by a copy is not told that he may not.
        self.may_security(thread, setting(file))?;
        let sid = self.sid(thread)?;
        let (written, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        if self.inside.copies.len() >= MOST {
            return Err(Errno::NFILE);
        }
        self.inside.copies.push(Copy { thread, sid, file: file.clone(), written });
        Ok(writer)
    }

    /// What was written at copies is in force before anything else is decided.
    pub(crate) fn hear_copies(&mut self) {
        let mut copies = std::mem::take(&mut self.inside.copies);
        copies.retain(|it| {
            let mut bytes = [0; 64];
            match rustix::io::read(&it.written, &mut bytes) {
                Ok(0) => false,
                Ok(length) => {
                    if let Ok(value) = number_of(&bytes[..length]) {
                        // Whoever wrote it does not wait for an answer.
                        let _untold = self.set(it.thread, it.sid, &it.file, value);
                    }
                    true
                }
                Err(why) => why == Errno::AGAIN,
            }
        });
        self.inside.copies.extend(copies);
    }

    fn open_folder(
        &mut self,
        call: &Notification,
        path: &[u8],
        flags: i32,
    ) -> Result<Reply, Errno> {
        if !self.inside.folders.contains_key(path) {
            let folder = nameless_folder()?;
            let inode = Facts::of(folder.as_fd())?.inode;
            self.inside.places.insert(inode, path.to_vec());
            self.inside.folders.insert(path.to_vec(), folder);
        }
        let folder = self.inside.folders.get(path).ok_or(Errno::NOENT)?;
        let opened = readable(folder)?;
        let number = self.give_at_number(call, &opened, flags & libc::O_CLOEXEC != 0)?;
        let process = self.tasks.get(call.thread).ok_or(Errno::SRCH)?.process;
        if self.inside.listed.len() >= MOST {
            self.inside.listed.clear();
        }
        self.inside.listed.insert((process, number), 0);
        Ok(Answer::Value(number.into()).into())
    }

    /// The place that a number of a process is open at.
    fn listed_at(&mut self, thread: i32, number: i32) -> Option<Vec<u8>> {
        let file = self.tasks.opened(thread, number).ok()?;
        let inode = Facts::of(file.as_fd()).ok()?.inode;
        self.inside.places.get(&inode).cloned()
    }

    /// What is in a folder, as far as there is room for it.
    pub(super) fn list_place(
        &mut self,
        call: &Notification,
        number: i32,
        (to, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        let Some(path) = self.listed_at(call.thread, number) else {
            return Ok(Answer::Continue.into());
        };
        let process = self.tasks.get(call.thread).ok_or(Errno::SRCH)?.process;
        let told = self.inside.listed.get(&(process, number)).copied().unwrap_or(0);
        let here = [".", ".."].map(|it| (it.to_owned(), Node::Folder));
        let entries = self.view().entries(&path).unwrap_or_default();
        let (mut bytes, mut next) = (Vec::new(), told);
        let room = usize::try_from(size & 0xffff_ffff).unwrap_or(0);
        for (name, node) in here.into_iter().chain(entries).skip(told) {
            let entry = entry(&join(&path, name.as_bytes()), &name, &node, next + 1);
            if bytes.len() + entry.len() > room {
                if bytes.is_empty() {
                    return Err(Errno::INVAL);
                }
                break;
            }
            bytes.extend(entry);
            next += 1;
        }
        self.still(call)?;
        self.tasks.write(call.thread, to, &bytes)?;
        self.inside.listed.insert((process, number), next);
        Ok(Answer::Value(i64::try_from(bytes.len()).unwrap_or(0)).into())
    }

    /// A folder is read on from elsewhere.
    pub(super) fn seek_place(
        &mut self,
        call: &Notification,
        number: i32,
        (offset, whence): (u64, i32),
    ) -> Result<Reply, Errno> {
        if whence != libc::SEEK_SET || self.listed_at(call.thread, number).is_none() {
            return Ok(Answer::Continue.into());
        }
        let process = self.tasks.get(call.thread).ok_or(Errno::SRCH)?.process;
        let at = usize::try_from(offset).map_err(|_| Errno::INVAL)?;
        self.inside.listed.insert((process, number), at);
        Ok(Answer::Value(i64::try_from(at).unwrap_or(0)).into())
    }

    /// What is written at one of the numbers, if it is to a file of SELinux.
    pub(super) fn write_place(
        &mut self,
        call: &Notification,
        file: &OwnedFd,
        (at, size): (u64, u64),
    ) -> Option<Result<Reply, Errno>> {
        let inode = Facts::of(file.as_fd()).ok()?.inode;
        let kind = self.inside.written.get(&inode)?.clone();
        Some(self.write_to(call, file, &kind, (at, size)))
    }

    fn write_to(
        &mut self,
        call: &Notification,
        file: &OwnedFd,
        kind: &File<'_>,
        (at, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        let thread = call.thread;
        let most = if *kind == File::Load {
            // Asked first: a policy is much to read.
            self.may_security(thread, security::load_policy)?;
            POLICY
        } else {
            QUESTION
        };
        let size = usize::try_from(size).ok().filter(|it| *it <= most).ok_or(Errno::INVAL)?;
        let bytes = self.tasks.bytes(thread, at, size)?;
        self.still(call)?;
        match kind {
            File::Load => self.load_policy(&bytes)?,
            File::Question(question) => {
                if rustix::fs::fstat(file)?.st_size != 0 {
                    return Err(Errno::BUSY);
                }
                let answer = self.answer(thread, *question, text_of(&bytes)?)?;
                rustix::io::pwrite(file, &answer, 0)?;
            }
            kind => self.set(thread, self.sid(thread)?, kind, number_of(&bytes)?)?,
        }
        Ok(Answer::Value(i64::try_from(size).unwrap_or(0)).into())
    }

    /// Sets what is a number.
    fn set(&mut self, thread: i32, sid: Sid, what: &File<'_>, value: i32) -> Result<(), Errno> {
        let may = |it: &mut Self, bits| {
            let target = crate::labels::initial(it.server, "security");
            it.may_as(thread, sid, target, Class::Security, bits, About::Nothing)
        };
        match what {
            File::Enforce => {
                let mode = if value == 0 { Mode::Permissive } else { Mode::Enforcing };
                if mode != self.server.mode() {
                    may(self, setting(what))?;
                    self.server.set_mode(mode);
                    self.changed();
                }
            }
            File::Boolean(name) => {
                may(self, setting(what))?;
                self.server.set_boolean(name, value != 0).map_err(|_| Errno::INVAL)?;
            }
            File::Commit => {
                may(self, setting(what))?;
                if value != 0 {
                    self.server.commit_booleans();
                    self.changed();
                }
            }
            _ => may(self, setting(what))?,
        }
        Ok(())
    }

    fn load_policy(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let policy = Unvalidated::read(bytes).map_err(|_| Errno::INVAL)?;
        let policy = policy.validate().map_err(|_| Errno::INVAL)?;
        self.server.load(policy).map_err(|_| Errno::INVAL)?;
        self.vocabulary = self.server.with_engine(|it| Vocabulary::of(it.db()));
        self.forget_searches();
        self.changed();
        Ok(())
    }

    /// Who maps the status learns that it has changed.
    fn changed(&mut self) {
        self.inside.sequence = self.inside.sequence.wrapping_add(2);
        let words = self.view().status(self.inside.sequence);
        if let Some(page) = &self.inside.status {
            page.publish(words);
        }
    }

    fn status(&mut self) -> Result<&Page, Errno> {
        if self.inside.status.is_none() {
            let words = self.view().status(self.inside.sequence);
            let page = Page::new()?;
            page.publish(words);
            self.inside.status = Some(page);
        }
        self.inside.status.as_ref().ok_or(Errno::NOMEM)
    }

    /// The answer to a question (`write_op` of selinuxfs.c).
    fn answer(&mut self, thread: i32, question: Question, text: &str) -> Result<Vec<u8>, Errno> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        self.may_security(
            thread,
            match question {
                Question::Access => security::compute_av,
                Question::Create => security::compute_create,
                Question::Relabel => security::compute_relabel,
                Question::Member => security::compute_member,
                Question::Context => security::check_context,
                Question::User => security::compute_user,
                Question::Validate => security::validate_trans,
            },
        )?;
        let sid = |it: &str| self.server.sid(it).map_err(|_| Errno::INVAL);
        let class = |it: &str| it.parse::<u16>().map_err(|_| Errno::INVAL);
        let context = |it: Sid| {
            let text = self.server.context(it).map_err(|_| Errno::INVAL)?;
            Ok((text + "\0").into_bytes())
        };
        match (question, words.as_slice()) {
            (Question::Access, [source, target, number, ..]) => {
                self.decision(sid(source)?, sid(target)?, class(number)?.into())
            }
            (Question::Context, [text]) => context(sid(text)?),
            (Question::User, [from, user]) => {
                let all = self.server.reachable(sid(from)?, user).map_err(|_| Errno::INVAL)?;
                let texts = all.iter().flat_map(|it| [it.as_bytes(), b"\0"].concat());
                Ok(format!("{}\0", all.len()).into_bytes().into_iter().chain(texts).collect())
            }
            (Question::Validate, [old, new, number, process]) => {
                let (old, new, process) = (sid(old)?, sid(new)?, sid(process)?);
                let class = ClassId::from_value(class(number)?.into()).ok_or(Errno::INVAL)?;
                let valid = self.server.validate_transition(old, new, class, process);
                valid.map(|()| Vec::new()).map_err(|_| Errno::PERM)
            }
            (
                Question::Create | Question::Relabel | Question::Member,
                [from, to, number, name @ ..],
            ) => {
                let compute = match question {
                    Question::Create => Compute::Create,
                    Question::Relabel => Compute::Relabel,
                    _ => Compute::Member,
                };
                let name = name.first().map(|it| unescaped(it).ok_or(Errno::INVAL)).transpose()?;
                let (from, to) = (sid(from)?, sid(to)?);
                let number = u32::from(class(number)?);
                let known = self.server.with_engine(|it| {
                    ClassId::from_value(number).filter(|id| it.db().classes.get(*id).is_some())
                });
                let made = self.server.compute(compute, from, to, known, name.as_deref());
                context(made.map_err(|_| Errno::INVAL)?)
            }
            _ => Err(Errno::INVAL),
        }
    }

    fn decision(&self, source: Sid, target: Sid, class: u32) -> Result<Vec<u8>, Errno> {
        let decision = self.server.decide_numbered(source, target, class);
        let it = decision.map_err(|_| Errno::INVAL)?;
        let (allowed, audit, deny) = (it.allowed, it.auditallow, it.auditdeny);
        let (number, flags) = (self.server.seqno(), u32::from(it.permissive));
        Ok(format!("{allowed:x} ffffffff {audit:x} {deny:x} {number} {flags:x}").into_bytes())
    }

    /// A place whose attributes are asked for.
    pub(super) fn look_at_place(&mut self, thread: i32, path: &[u8]) -> Result<Node<'a>, Errno> {
        if self.exact {
            self.may_come_to(thread, path)?;
        }
        let node = self.node(path)?;
        if self.exact {
            self.may_place(thread, path, &node, file::getattr)?;
        }
        Ok(node)
    }

    /// What `access(2)` says of a place: it belongs to whoever runs the programs.
    pub(super) fn access_place(
        &mut self,
        thread: i32,
        path: &[u8],
        wanted: i32,
    ) -> Result<Reply, Errno> {
        let mode = self.look_at_place(thread, path)?.mode();
        let wanted = wanted.unsigned_abs() & 0o7;
        if wanted & (mode >> 6) == wanted { Ok(DONE.into()) } else { Err(Errno::ACCESS) }
    }

    pub(super) fn stat_place(&mut self, thread: i32, path: &[u8]) -> Result<Vec<u8>, Errno> {
        Ok(look::made_stat(&self.made_up(thread, path)?))
    }

    pub(super) fn statx_place(&mut self, thread: i32, path: &[u8]) -> Result<Vec<u8>, Errno> {
        Ok(look::made_statx(&self.made_up(thread, path)?))
    }

    /// Files of /sys/fs/selinux have no size.
    fn made_up(&mut self, thread: i32, path: &[u8]) -> Result<MadeUp, Errno> {
        let node = self.look_at_place(thread, path)?;
        let size = match &node {
            Node::File(File::Text(text)) if path.starts_with(ETC) => text.len(),
            _ => 0,
        };
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        // The root of a file system has its own.
        let mode = if path == SELINUX { libc::S_IFDIR | 0o755 } else { node.mode() };
        Ok(MadeUp { mode, number: number(path), size, owner: self.owner() })
    }

    /// What `statfs(2)` says of /sys/fs/selinux; /etc/selinux lies in a file system of the machine.
    pub(super) fn stat_places(
        &mut self,
        call: &Notification,
        path: &[u8],
    ) -> Result<Option<Vec<u8>>, Errno> {
        if !path.starts_with(SELINUX) {
            return Ok(None);
        }
        self.node(path)?;
        if self.exact {
            let label = crate::labels::initial(self.server, "security");
            self.may(call.thread, label, Class::Filesystem, filesystem::getattr, About::Nothing)?;
        }
        Ok(Some(look::made_file_system(0xf97c_ff8c)))
    }

    /// The context of a place, as an attribute has it.
    pub(super) fn context_of_place(&mut self, thread: i32, path: &[u8]) -> Result<String, Errno> {
        let node = self.look_at_place(thread, path)?;
        let label = self.label_of_place(path, &node);
        self.server.context(label).map_err(|_| Errno::OPNOTSUPP)
    }

    /// May a thread come to a place, and is it there?
    pub(super) fn may_find_place(&mut self, thread: i32, path: &[u8]) -> Result<(), Errno> {
        self.may_come_to(thread, path)?;
        self.node(path).map(drop)
    }

    /// No attribute of a place can be set.
    pub(super) fn set_at_place(
        &mut self,
        thread: i32,
        path: &[u8],
        name: &[u8],
    ) -> Result<Reply, Errno> {
        self.may_find_place(thread, path)?;
        if name == attributes::SELINUX && path.starts_with(SELINUX) {
            // Labels of selinuxfs are those of the policy (selinux_inode_setxattr).
            return Err(Errno::OPNOTSUPP);
        }
        let privileged = [&b"security."[..], b"trusted."].iter().any(|it| name.starts_with(it));
        Err(if privileged { Errno::PERM } else { Errno::ACCESS })
    }

    fn owner(&self) -> (u32, u32) {
        (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw())
    }

    /// What the kernel shows of its file systems and mounts, with SELinux's beside.
    pub(super) fn with_mount(path: &[u8], shown: Vec<u8>) -> Vec<u8> {
        let line: &[u8] = match path {
            b"/proc/filesystems" => b"nodev\tselinuxfs\n",
            b"/proc/self/mountinfo" => {
                b"65535 1 0:65535 / /sys/fs/selinux rw,nosuid,noexec,relatime - selinuxfs selinuxfs rw\n"
            }
            _ => b"selinuxfs /sys/fs/selinux selinuxfs rw,nosuid,noexec,relatime 0 0\n",
        };
        let has = shown
            .split_inclusive(|it| *it == b'\n')
            .any(|it| it == line || it.windows(15).any(|it| it == b"/sys/fs/selinux"));
        if has { shown } else { [&shown, line].concat() }
    }
}

/// What is said of an attribute that is no context: selinuxfs knows no others, and files of /etc have none.
pub(super) fn no_attribute(place: &[u8]) -> Errno {
    if place.starts_with(SELINUX) { Errno::OPNOTSUPP } else { Errno::NODATA }
}

/// Files of /proc in which SELinux is to be seen.
pub(super) fn shows_mounts(path: &[u8]) -> bool {
    matches!(
        path,
        b"/proc/filesystems" | b"/proc/mounts" | b"/proc/self/mounts" | b"/proc/self/mountinfo"
    )
}

/// What is asked for to set what is a number.
fn setting(file: &File<'_>) -> u32 {
    match file {
        File::Enforce => security::setenforce,
        File::Boolean(_) | File::Commit => security::setbool,
        _ => security::setcheckreqprot,
    }
}

fn class_of(node: &Node<'_>) -> Class {
    crate::object::class_of(node.mode())
}

/// A number for a place: the same one as long as programs may compare it.
fn number(path: &[u8]) -> u64 {
    use std::hash::{BuildHasher as _, BuildHasherDefault};
    BuildHasherDefault::<rustc_hash::FxHasher>::default().hash_one(path) >> 32 | 1
}

/// `struct linux_dirent64`: inode, the offset of the next one, length, kind, name.
fn entry(path: &[u8], name: &str, node: &Node<'_>, next: usize) -> Vec<u8> {
    let length = (19 + name.len() + 1).next_multiple_of(8);
    let kind = match node.mode() & libc::S_IFMT {
        libc::S_IFDIR => libc::DT_DIR,
        libc::S_IFCHR => libc::DT_CHR,
        _ => libc::DT_REG,
    };
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(number(path).to_ne_bytes());
    bytes.extend(i64::try_from(next).unwrap_or(i64::MAX).to_ne_bytes());
    bytes.extend(u16::try_from(length).unwrap_or(u16::MAX).to_ne_bytes());
    bytes.push(kind);
    bytes.extend(name.as_bytes());
    bytes.resize(length, 0);
    bytes
}

fn text_of(bytes: &[u8]) -> Result<&str, Errno> {
    let end = bytes.iter().position(|it| *it == 0).unwrap_or(bytes.len());
    std::str::from_utf8(&bytes[..end]).map_err(|_| Errno::INVAL)
}

fn number_of(bytes: &[u8]) -> Result<i32, Errno> {
    text_of(bytes)?.trim().parse().map_err(|_| Errno::INVAL)
}

/// A file in memory.
pub(super) fn in_memory(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let file = memfd_create(c"selinux", MemfdFlags::CLOEXEC)?;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|it| !it.is_empty()) {
        at += rustix::io::pwrite(&file, rest, u64::try_from(at).unwrap_or(0))?;
    }
    Ok(file)
}

/// A file as it is opened to be read from its beginning.
pub(super) fn readable(file: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open(magic(file.as_fd()), flags, rustix::fs::Mode::empty())
}

fn null() -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    rustix::fs::open(c"/dev/null", flags, rustix::fs::Mode::empty())
}

/// A folder that is empty and has no name any more, so that nothing of it stays behind.
fn nameless_folder() -> Result<OwnedFd, Errno> {
    let own = rustix::process::getpid().as_raw_nonzero();
    let mut failed = Errno::NOENT;
    for above in [std::env::temp_dir(), "/dev/shm".into(), "/var/tmp".into()] {
        let path = above.join(format!(".mandate-{own}-{}", number(b"folder")));
        let made = rustix::fs::mkdir(&path, rustix::fs::Mode::RWXU);
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = made.and_then(|()| {
            let opened = rustix::fs::openat(CWD, &path, flags, rustix::fs::Mode::empty());
            rustix::fs::rmdir(&path)?;
            rustix::fs::fchmod(opened.as_ref().map_err(|it| *it)?, 0o555.into())?;
            opened
        });
        match folder {
            Ok(folder) => return Ok(folder),
            Err(why) => failed = why,
        }
    }
    Err(failed)
}
