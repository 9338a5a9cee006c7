//! Which label a file has where the kernel keeps none: its own attribute if it has one, else what was settled when it was first seen or
//! made.
//!
//! A file is known by device, inode number and birth, so that a number that comes back is another file. A label that was
//! settled stays with the file, whatever names it gets. A file of several names that nobody has seen yet could be shown by the
//! most harmless of its names first; if its owner runs the programs, so that they or their friends may have made that
//! name, it counts as unlabeled until it is given a label.

use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::AsFd as _;

use mandate_label::FileType;
use mandate_label::file_contexts::{FileContexts, Lookup};
use mandate_policydb::{Context, FsUseBehavior, PolicyDb};
use mandate_server::{FsUse, ObjectLookup, SecurityServer, Sid};
use rustc_hash::FxHashMap;
use rustix::fs::FsWord;
use rustix::io::Errno;

use crate::class::Class;
use crate::defence::{Defence, stands};
use crate::object::{Facts, Inode, Object, magic};
use crate::state::State;

/// What is known of a file's label.
#[derive(Clone, Copy, Debug)]
struct Settled {
    born: i128,
    kind: u32,
    sid: Sid,
}

/// Where the labels of a file system's files come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Files have labels of their own: attributes, or what was settled.
    Overlay,
    /// From the policy, by path.
    Genfs,
    /// From whoever made it: pipes, sockets.
    Task,
    /// All have that of the file system.
    Whole,
}

/// A file system.
#[derive(Clone, Debug)]
struct FileSystem {
    name: &'static str,
    how: How,
    /// Its own label.
    sid: Sid,
    /// Where it is mounted, as far as a path of it was seen.
    root: Vec<u8>,
}

/// Labels of files.
pub(crate) struct Labels<'a> {
    lookup: Lookup<'a>,
    /// The context text of a line, whose address it is known by, as a SID.
    contexts: FxHashMap<*const u8, Option<Sid>>,
    settled: FxHashMap<Inode, Settled>,
    /// Files in memory that stand for others, from the oldest on.
    stand_ins: VecDeque<Inode>,
    /// What was settled in earlier runs, and is to be for later ones.
    state: Option<&'a State>,
    apart: Option<Inode>,
    file_systems: FxHashMap<u64, FileSystem>,
    /// Terminals of the programs. They are held, to be told from later ones of the same number: one that is gone has no name left.
    terminals: FxHashMap<Inode, (Object, Sid)>,
    unlabeled: Sid,
    /// Labels of what belongs to a process, by its number.
    kernel: Sid,
    /// Who may have made further names.
    owner: u32,
    /// The kernel lets nobody link a file that is not his.
    pub(crate) links_protected: bool,
}

/// As many files in memory are remembered to stand for others.
const STAND_INS: usize = 1 << 12;

/// Names of file systems by the magic number that `statfs` tells (linux/magic.h).
const NAMES: &[(FsWord, &str)] = &[
    (0xef53, "ext4"),
    (0x0102_1994, "tmpfs"),
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x1cd1, "devpts"),
    (0x6367_7270, "cgroup2"),
    (0x0027_e0eb, "cgroup"),
    (0x7372_6d78, "x"),
    (0x5846_5342, "xfs"),
    (0x9123_683e, "btrfs"),
    (0x794c_7630, "overlay"),
    (0x6969, "nfs"),
    (0x6573_5546, "fuse"),
    (0x4d44, "vfat"),
    (0x9660, "iso9660"),
    (0x7371_7368, "squashfs"),
    (0xf2f5_2010, "f2fs"),
    (0x2fc1_2fc1, "zfs"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x6265_6570, "configfs"),
    (0x7363_6673, "securityfs"),
    (0xf97c_ff8c, "selinuxfs"),
    (0x9584_58f6, "hugetlbfs"),
    (0x1980_0202, "mqueue"),
    (0xcafe_4a11, "bpf"),
    (0x6165_676c, "pstore"),
    (0xde5e_81e4, "efivarfs"),
    (0x4249_4e4d, "binfmt_misc"),
    (0x0187, "autofs"),
    (0x5346_544e, "ntfs"),
    (0x5346_4846, "9p"),
    (0x0102_1997, "9p"),
    (0xff53_4d42, "cifs"),
    (0x2011_bab0, "exfat"),
    (0x5345_434d, "securityfs"),
    (0x6e73_6673, "nsfs"),
    (0x5049_5045, "pipefs"),
    (0x534f_434b, "sockfs"),
    (0x0904_1934, "anon_inodefs"),
    (0x5049_4446, "pidfs"),
];

impl<'a> Labels<'a> {
    pub(crate) fn new(
        table: &'a FileContexts,
        state: Option<&'a State>,
        apart: Option<&File>,
        server: &SecurityServer,
        owner: u32,
    ) -> Self {
        let protected = std::fs::read("/proc/sys/fs/protected_hardlinks");
        Self {
            lookup: Lookup::new(table),
            contexts: FxHashMap::default(),
            settled: FxHashMap::default(),
            stand_ins: VecDeque::new(),
            state,
            apart: apart.and_then(|it| Facts::of(it.as_fd()).ok()).map(|it| it.inode),
            file_systems: FxHashMap::default(),
            terminals: FxHashMap::default(),
            unlabeled: initial(server, "unlabeled"),
            kernel: initial(server, "kernel"),
            owner,
            links_protected: protected.is_ok_and(|it| it.starts_with(b"1")),
        }
    }

    /// The label of a file that `caller` reached; of what belongs to a process, `process` tells that of its number.
    pub(crate) fn of(
        &mut self,
        object: &Object,
        server: &SecurityServer,
        caller: Sid,
        process: impl Fn(i32) -> Option<Sid>,
    ) -> Sid {
        if let Some(sid) = self.known(&object.facts) {
            return sid;
        }
        let system = self.file_system(object, server);
        match system.how {
            How::Task => {
                let owner = object.path.strip_prefix(b"/proc").and_then(process_of);
                return owner.map_or(caller, |it| process(it).unwrap_or(self.kernel));
            }
            How::Whole => return system.sid,
            How::Genfs | How::Overlay => {}
        }
        if system.how == How::Genfs {
            let below = object.path.strip_prefix(&*system.root).unwrap_or(&object.path);
            if system.name == "proc"
                && let Some(owner) = process_of(below)
            {
                return process(owner).unwrap_or(self.kernel);
            }
            let below = if below.is_empty() { b"/" } else { below };
            return genfs(server, system.name, below, object.facts.class()).unwrap_or(system.sid);
        }
        let kept = self.state.and_then(|it| it.label(&object.facts));
        if let Some(context) = kept {
            let sid = server.sid(&context).unwrap_or(self.unlabeled);
            self.remember(&object.facts, sid);
            return sid;
        }
        let sid = self.first_label(object, server, system.sid);
        self.settle(&object.facts, sid, server);
        sid
    }

    /// The label of a file that was settled.
    pub(crate) fn known(&self, facts: &Facts) -> Option<Sid> {
        if facts.kind() == libc::S_IFCHR
            && let Some((_, sid)) = self.terminals.get(&facts.inode).filter(|it| is_there(&it.0))
        {
            return Some(*sid);
        }
        let settled = self.settled.get(&facts.inode)?;
        let same_birth = settled.born == facts.born || !stands(Defence::Births);
        let same = same_birth && settled.kind == facts.kind();
        (same && stands(Defence::KeptLabels)).then_some(settled.sid)
    }

    /// Gives a file its label.
    pub(crate) fn settle(&mut self, facts: &Facts, sid: Sid, server: &SecurityServer) {
        let terminal = self.terminals.get_mut(&facts.inode);
        if let Some((_, of_terminal)) = terminal.filter(|it| is_there(&it.0)) {
            *of_terminal = sid;
            return;
        }
        self.remember(facts, sid);
        if let Some(state) = self.state {
            state.settle(facts, server.context(sid).ok());
        }
    }

    fn remember(&mut self, facts: &Facts, sid: Sid) {
        let settled = Settled { born: facts.born, kind: facts.kind(), sid };
        self.settled.insert(facts.inode, settled);
    }

    /// Gives a file in memory the label of what it stands for, until too many others do.
    pub(crate) fn stand_in(&mut self, facts: &Facts, sid: Sid) {
        if !self.settled.contains_key(&facts.inode) {
            if self.stand_ins.len() >= STAND_INS
                && let Some(oldest) = self.stand_ins.pop_front()
            {
                self.settled.remove(&oldest);
            }
            self.stand_ins.push_back(facts.inode);
        }
        self.remember(facts, sid);
    }

    /// Gives a terminal its label, for as long as it is there.
    pub(crate) fn keep_terminal(&mut self, terminal: Object, sid: Sid) {
        self.terminals.retain(|_, it| is_there(&it.0));
        self.settled.remove(&terminal.facts.inode);
        self.terminals.insert(terminal.facts.inode, (terminal, sid));
    }

    /// A name of a file is gone. Where its number cannot be told from that of a later file, its label goes, too.
    pub(crate) fn forget(&mut self, facts: &Facts) {
        if facts.born == 0 {
            self.settled.remove(&facts.inode);
        }
        if let Some(state) = self.state.filter(|_| facts.links <= 1 || facts.is_directory()) {
            state.settle(facts, None);
        }
    }

    /// Is this where labels or records are kept? Programs do not get at it.
    pub(crate) fn is_own(&self, facts: &Facts) -> bool {
        self.apart == Some(facts.inode) || self.state.is_some_and(|it| it.is_own(facts.inode))
    }

    /// The label of the file system that a file is on.
    pub(crate) fn of_file_system(&mut self, object: &Object, server: &SecurityServer) -> Sid {
        self.file_system(object, server).sid
    }

    /// The label of the file system, if a file is in memory and has no name that could say what it is.
    pub(crate) fn of_memory(&mut self, object: &Object, server: &SecurityServer) -> Option<Sid> {
        if object.facts.kind() != libc::S_IFREG {
            return None;
        }
        let system = self.file_system(object, server);
        (system.how == How::Whole && system.name == "tmpfs").then_some(system.sid)
    }

    /// Whether a file's label can be changed, and a new one made beside it gets one.
    pub(crate) fn keeps_labels(&mut self, object: &Object, server: &SecurityServer) -> bool {
        self.file_system(object, server).how == How::Overlay
    }

    fn file_system(&mut self, object: &Object, server: &SecurityServer) -> FileSystem {
        if let Some(known) = self.file_systems.get(&object.facts.mount) {
            return known.clone();
        }
        let magic_number = rustix::fs::fstatfs(object).map_or(0, |it| it.f_type);
        let name = NAMES.iter().find(|it| it.0 == magic_number).map_or("unknown", |it| it.1);
        let (how, sid) = behaviour(server, name);
        let root = mount_root(object.facts.mount);
        // A file in memory that is mounted nowhere has no path that could say what it is.
        let how = if root.is_none() && how == How::Overlay { How::Whole } else { how };
        let root = root.unwrap_or_default();
        let system = FileSystem { name, how, sid: sid.unwrap_or(self.unlabeled), root };
        self.file_systems.insert(object.facts.mount, system.clone());
        system
    }

    fn first_label(&mut self, object: &Object, server: &SecurityServer, system: Sid) -> Sid {
        if let Some(sid) = attribute(object, server, self.unlabeled) {
            return sid;
        }
        let Facts { links, owner, .. } = object.facts;
        let several = links > 1 && object.facts.kind() == libc::S_IFREG;
        if several
            && stands(Defence::SeveralNames)
            && (owner == self.owner || !self.links_protected)
        {
            return self.unlabeled;
        }
        self.by_path(&object.path, object.facts.mode, server).unwrap_or(system)
    }

    /// The label of what is on no disk.
    pub(crate) fn of_place(&mut self, path: &[u8], mode: u32, server: &SecurityServer) -> Sid {
        self.by_path(path, mode, server).unwrap_or(self.unlabeled)
    }

    /// What file contexts say of a path, or of the directories above it where they leave it alone.
    fn by_path(&mut self, path: &[u8], mode: u32, server: &SecurityServer) -> Option<Sid> {
        let mut answer = self.lookup.path(path, FileType::of_mode(mode)).context();
        let mut above = path;
        while answer.is_none() && above.len() > 1 {
            let end = above.iter().rposition(|it| *it == b'/').unwrap_or(0);
            above = if end == 0 { b"/" } else { &above[..end] };
            answer = self.lookup.path(above, Some(FileType::Directory)).context();
        }
        let context = answer?;
        let parse = || server.sid(context).ok();
        *self.contexts.entry(context.as_ptr()).or_insert_with(parse)
    }
}

/// Has a held file still a name?
fn is_there(held: &Object) -> bool {
    Facts::of(held.as_fd()).is_ok_and(|it| it.links > 0)
}

/// The SID of an initial context by its name; of `unlabeled` where the policy leaves it out.
pub(crate) fn initial(server: &SecurityServer, name: &str) -> Sid {
    let named = |name: &str| found(server, |db| db.lookup_initial_sid_by_name(name));
    named(name).or_else(|| named("unlabeled")).unwrap_or(LAST_RESORT)
}

/// The number that the kernel has for `unlabeled` (SECINITSID_UNLABELED).
const LAST_RESORT: Sid = match Sid::new(3) {
    Some(sid) => sid,
    None => unreachable!(),
};

/// A context of the policy as a SID.
pub(crate) fn found(
    server: &SecurityServer,
    look: impl FnOnce(&PolicyDb) -> Option<&Context>,
) -> Option<Sid> {
    let text = server.with_engine(|engine| {
        let db = engine.db();
        look(db).map(|it| db.context_to_string(it))
    });
    server.sid(&text?).ok()
}

pub(crate) fn genfs(
    server: &SecurityServer,
    name: &str,
    below: &[u8],
    class: Class,
) -> Option<Sid> {
    found(server, |db| db.lookup_genfs(name.as_bytes(), below, db.classes.id(class.name())))
}

/// Where labels come from, and that of the file system.
fn behaviour(server: &SecurityServer, name: &str) -> (How, Option<Sid>) {
    let (how, text) = server.with_engine(|engine| {
        let db = engine.db();
        let (how, context) = match db.lookup_fs_use(name.as_bytes()) {
            FsUse::Behavior(FsUseBehavior::Task, context) => (How::Task, Some(context)),
            FsUse::Behavior(_, context) => (How::Overlay, Some(context)),
            FsUse::Genfs(context) => (How::Genfs, Some(context)),
            FsUse::None => (How::Overlay, None),
        };
        (how, context.map(|it| db.context_to_string(it)))
    });
    (how, text.and_then(|it| server.sid(&it).ok()))
}

/// Where a file system is mounted, by the number that statx(2) and mountinfo have for it.
fn mount_root(mount: u64) -> Option<Vec<u8>> {
    let table = std::fs::read("/proc/self/mountinfo").ok()?;
    let mut lines = table.split(|it| *it == b'\n');
    let number = mount.to_string();
    let line = lines.find(|it| it.split(|it| *it == b' ').next() == Some(number.as_bytes()))?;
    let path = line.split(|it| *it == b' ').nth(4)?;
    Some(unescaped(path))
}

/// Blanks and backslashes stand in the table as octal numbers.
fn unescaped(path: &[u8]) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::with_capacity(path.len()), path);
    while let [first, tail @ ..] = rest {
        rest = tail;
        let octal = tail.get(..3).and_then(|it| std::str::from_utf8(it).ok());
        match octal.and_then(|it| u8::from_str_radix(it, 8).ok()).filter(|_| *first == b'\\') {
            Some(byte) => {
                plain.push(byte);
                rest = &tail[3..];
            }
            None => plain.push(*first),
        }
    }
    plain
}

/// The number of the process that something below /proc belongs to.
fn process_of(below: &[u8]) -> Option<i32> {
    let first = below.split(|it| *it == b'/').find(|it| !it.is_empty())?;
    std::str::from_utf8(first).ok()?.parse().ok()
}

/// What `security.selinux` says of a file; a context that the policy does not have is unlabeled.
fn attribute(object: &Object, server: &SecurityServer, unlabeled: Sid) -> Option<Sid> {
    let mut value = [0; 4096];
    let size = if object.facts.is_link() {
        let path = magic(object.as_fd());
        rustix::fs::lgetxattr(path, "security.selinux", &mut value).ok()?
    } else {
        // By a descriptor that is only a place nothing can be asked.
        match rustix::fs::fgetxattr(object, "security.selinux", &mut value) {
            Err(Errno::BADF) => {
                rustix::fs::getxattr(object.magic(), "security.selinux", &mut value).ok()?
            }
            size => size.ok()?,
        }
    };
    let text = value.get(..size)?;
    let text = std::str::from_utf8(text.strip_suffix(b"\0").unwrap_or(text)).ok()?;
    Some(server.sid(text).unwrap_or(unlabeled))
}
