//! What a system call acts on: which of the event's records tell it.

use crate::kind::Kind;

use super::fields::{Place, Scan, Table};

/// What a call is about.
#[derive(Clone, Copy)]
enum Subject {
    /// A file, whose PATH record is looked for from this record on.
    File(usize),
    /// The same, whatever kind of file it is.
    Opened,
    /// A file whose kind nothing tells but its mode.
    Node,
    /// A file and this argument.
    Changed(usize, &'static str),
    /// A file, and another whose PATH record is this one.
    Pair(usize, usize),
    /// A filesystem.
    FileSystem,
    /// A filesystem and where it goes.
    Mount,
    /// An address.
    Socket,
    /// Processes that get a signal.
    Signal,
    /// The process itself, and the first of so many identities that changes.
    Identity(usize),
    /// The process itself.
    Process,
    /// The memory of the process.
    Memory,
    /// A module of the kernel.
    Module,
    /// A module that is taken out.
    ModuleGone,
    /// Its clock or its name.
    System,
}

/// What a call does, in the past tense, and to what. Of some the words depend on more than its name: see [`Seek::action`].
fn deed(call: &str) -> Option<(&'static str, Subject)> {
    use Subject::{
        Changed, File, FileSystem, Identity, Memory, Module, ModuleGone, Mount, Node, Opened, Pair,
        Process, Signal, Socket, System,
    };
    Some(match call {
        "access" | "faccessat" | "faccessat2" | "newfstatat" | "stat" | "fstat" | "lstat"
        | "stat64" | "statx" => ("checked-metadata-of", File(2)),
        "creat" | "fallocate" | "truncate" | "ftruncate" | "memfd_create" | "open" | "openat"
        | "openat2" | "readlink" | "readlinkat" => ("opened-file", Opened),
        "setxattr" | "lsetxattr" | "removexattr" | "fremovexattr" | "lremovexattr" => {
            ("changed-file-attributes-of", File(2))
        }
        "fsetxattr" => ("changed-file-attributes-of", File(1)),
        "rmdir" | "unlink" | "unlinkat" => ("deleted", File(2)),
        "utime" | "utimes" | "futimesat" | "utimensat" => ("changed-timestamp-of", File(2)),
        "mkdir" | "mkdirat" => ("created-directory", File(3)),
        "execve" | "execveat" => ("executed", File(3)),
        "mknod" | "mknodat" => ("make-device", Node),
        "chmod" => ("changed-file-permissions-of", Changed(2, "a1")),
        "fchmod" => ("changed-file-permissions-of", Changed(1, "a1")),
        "fchmodat" => ("changed-file-permissions-of", Changed(2, "a2")),
        "chown" | "lchown" => ("changed-file-ownership-of", Changed(2, "a1")),
        "fchown" => ("changed-file-ownership-of", Changed(1, "a1")),
        "fchownat" => ("changed-file-ownership-of", Changed(2, "a2")),
        "rename" | "renameat" | "renameat2" => ("renamed", Pair(4, 6)),
        "symlink" | "symlinkat" => ("symlinked", Pair(4, 2)),
        "statfs" | "fstatfs" => ("checked-filesystem-metadata-of", FileSystem),
        "umount" | "umount2" => ("unmounted", FileSystem),
        "mount" | "move_mount" | "fsmount" | "fspick" => ("mounted", Mount),
        "accept" | "accept4" => ("accepted-connection-from", Socket),
        "bind" => ("bound-socket", Socket),
        "connect" => ("connected-to", Socket),
        "recvfrom" | "recvmsg" => ("received-from", Socket),
        "sendmsg" | "sendto" => ("sent-to", Socket),
        "kill" | "tkill" | "tgkill" => ("killed-pid", Signal),
        "setuid" | "setgid" => ("changed-identity-of", Identity(1)),
        "setreuid" | "setregid" => ("changed-identity-of", Identity(2)),
        "setresuid" | "setresgid" => ("changed-identity-of", Identity(3)),
        "seteuid" | "setfsuid" | "setegid" | "setfsgid" => ("changed-identity-of", Identity(0)),
        "sched_setparam" | "sched_setscheduler" | "sched_setattr" => {
            ("adjusted-scheduling-policy-of", Process)
        }
        "mmap" | "brk" => ("allocated-memory", Memory),
        "finit_module" | "init_module" => ("loaded-kernel-module", Module),
        "delete_module" => ("unloaded-kernel-module", ModuleGone),
        "settimeofday" | "clock_settime" | "stime" | "adjtimex" => ("changed-system-time", System),
        "sethostname" | "setdomainname" => ("changed-system-name", System),
        _ => return None,
    })
}

/// What a call acted on, by the places of the fields that tell it.
#[derive(Default)]
pub(super) struct Acted {
    pub(super) action: &'static str,
    pub(super) kind: &'static str,
    pub(super) object: Option<Place>,
    pub(super) detail: Option<Place>,
    pub(super) second: Option<Place>,
    pub(super) label: Option<Place>,
    /// The call itself is the means.
    pub(super) by_call: bool,
}

/// What the call of this name did, and to what; `marker` is the record of the decision about it, if there is one.
pub(super) fn acted(
    table: &Table<'_>,
    call: &str,
    success: Option<bool>,
    marker: Option<usize>,
) -> Acted {
    let seek = Seek { table, success, current: marker };
    let Some((action, subject)) = deed(call) else {
        let key = table.scan(0).find("key").filter(|&it| table.value(it) != b"(null)");
        let action =
            if key.is_some() { "triggered-audit-rule" } else { "triggered-unknown-audit-rule" };
        return Acted { action, kind: "admin-defined-rule", object: key, ..Acted::default() };
    };
    let acted = seek.acted(subject);
    Acted { action: seek.action(action, subject, acted.kind), ..acted }
}

#[derive(Clone, Copy)]
struct Seek<'t, 'a> {
    table: &'t Table<'a>,
    success: Option<bool>,
    /// Where a search begins that should begin at a record that the event does not have.
    current: Option<usize>,
}

impl<'t, 'a> Seek<'t, 'a> {
    fn action(&self, action: &'static str, subject: Subject, kind: &str) -> &'static str {
        match (subject, kind) {
            (Subject::Node, "character-device") => "made-character-device",
            (Subject::Node, "block-device") => "made-block-device",
            (Subject::Signal, _) if self.table.records().len() > 2 => "killed-list-of-pids",
            (Subject::Memory, _) if self.success == Some(true) => "allocated-memory-in",
            _ => action,
        }
    }

    fn acted(&self, subject: Subject) -> Acted {
        let table = self.table;
        let plain = |kind, object| Acted { kind, object, ..Acted::default() };
        // The record behind the first is taken for the object's, though another may come between.
        let in_second = |name| Some(Place { record: 1, ..self.from(1)?.find(name)? });
        match subject {
            Subject::File(from) => self.file(from, "file"),
            Subject::Opened => Acted { kind: "file", ..self.file(2, "file") },
            Subject::Node => self.file(2, "unknown"),
            Subject::Changed(from, argument) => {
                let found = table.scan(0).find(argument);
                let second = found.map(|it| Place { record: 0, ..it });
                let seek = Self { current: found.map(|it| it.record), ..*self };
                Acted { second, ..seek.file(from, "file") }
            }
            Subject::Pair(from, to) => {
                let (second, seek) = self.second(to);
                Acted { second, ..seek.file(from, "file") }
            }
            Subject::FileSystem => self.file(2, "file-system"),
            Subject::Mount => self.mount(),
            Subject::Socket => plain("socket", in_second("saddr")),
            Subject::Signal => plain("process", self.from(1).and_then(|mut it| it.find("saddr"))),
            Subject::Identity(limit) => Acted { second: self.identity(limit), ..self.process() },
            Subject::Process => self.process(),
            Subject::Memory if self.success == Some(true) => {
                plain("memory", table.scan(0).find("comm"))
            }
            Subject::Memory => plain("memory", None),
            Subject::Module => plain("file", in_second("name")),
            Subject::ModuleGone => plain("file", None),
            Subject::System => plain("system", None),
        }
    }

    /// From a record on.
    fn from(&self, record: usize) -> Option<Scan<'t, 'a>> {
        let record = if record < self.table.records().len() { Some(record) } else { self.current };
        record.map(|it| self.table.scan(it))
    }

    fn process(&self) -> Acted {
        let object = self.table.scan(0).program();
        Acted { kind: "process", object, by_call: true, ..Acted::default() }
    }

    fn file(&self, from: usize, kind: &'static str) -> Acted {
        let label = self.label();
        let Some(record) = self.path(from) else {
            return Acted { kind, label, ..Acted::default() };
        };
        let (acted, _) = self.of_path(record, kind);
        Acted { label, ..acted }
    }

    fn mount(&self) -> Acted {
        let (second, seek) =
            if self.success == Some(true) { self.second(2) } else { (None, *self) };
        let from = match self.success {
            Some(success) => 2 + usize::from(success),
            None => 1,
        };
        let Some(record) = seek.path(from) else {
            return Acted { kind: "file-system", second, ..Acted::default() };
        };
        let (acted, mode) = self.of_path(record, "file-system");
        let label = mode.and_then(|it| self.label_of(it.record));
        Acted { second, label, ..acted }
    }

    /// The first PATH record from this one on that is not of the folder around the file; else that of the folder.
    fn path(&self, from: usize) -> Option<usize> {
        let (mut scan, mut folder) = (self.from(from)?, None);
        let record = loop {
            let Some(found) = scan.find("nametype") else { break folder? };
            if self.table.value(found) != b"PARENT" {
                break found.record;
            }
            folder = folder.or(Some(found.record));
            // Nothing behind the folder's: not even that is taken.
            self.table.kind(found.record + 1)?;
            scan = self.table.scan(found.record + 1);
        };
        (self.table.kind(record) == Some(Kind::PATH)).then_some(record)
    }

    /// What a PATH record tells, and where it tells the mode.
    fn of_path(&self, record: usize, kind: &'static str) -> (Acted, Option<Place>) {
        let mut scan = self.table.scan(record);
        let own = |at: Place| Place { record, ..at };
        let object = scan.find_or_restart("name").map(own);
        let detail = scan.find("inode").map(own);
        let mode = scan.find("mode");
        let by_mode = mode.and_then(|it| kind_of_mode(self.table.value(it)));
        let kind = by_mode.unwrap_or(kind);
        (Acted { kind, object, detail, ..Acted::default() }, mode)
    }

    /// The name in this record, of which only the number of the field counts; and searches that begin where it was found.
    fn second(&self, record: usize) -> (Option<Place>, Self) {
        let name = self.from(record).and_then(|mut it| it.find("name"));
        let second = name.filter(|_| record < self.table.records().len());
        let seek = Self { current: name.map(|it| it.record), ..*self };
        (second.map(|it| Place { record, ..it }), seek)
    }

    /// The label in the first PATH record that is not of a folder; else in that of the folder.
    fn label(&self) -> Option<Place> {
        let is_path = |it: &usize| self.table.kind(*it) == Some(Kind::PATH);
        let is_folder = |it: &usize| {
            let places = (0..self.table.count(*it)).map(|field| Place { record: *it, field });
            let mut fields = places.filter_map(|it| self.table.field(it));
            fields.any(|it| it.name == b"nametype" && *it.value == *b"PARENT")
        };
        let paths = || (0..self.table.records().len()).filter(is_path);
        let record = paths().find(|it| !is_folder(it)).or_else(|| paths().next())?;
        self.label_of(record)
    }

    fn label_of(&self, record: usize) -> Option<Place> {
        let mode = self.table.scan(record).find("mode")?;
        let behind = mode.field..self.table.count(mode.record);
        let mut places = behind.map(|field| Place { record, field });
        places.find(|&it| self.table.field(it).is_some_and(|it| it.name == b"obj"))
    }

    /// The first argument that is an identity, and not "leave it".
    fn identity(&self, limit: usize) -> Option<Place> {
        let first = self.table.scan(0).find("a0")?;
        let mut fields = (0..limit).map(|it| Place { field: first.field + it, ..first });
        let changed = fields.find(|&it| !is_unset(self.table.value(it)))?;
        Some(Place { record: 0, ..changed })
    }
}

/// -1 of a word of the machine, in hexadecimal.
fn is_unset(text: &[u8]) -> bool {
    matches!(text, b"ffffffff" | b"ffffffffffffffff")
}

fn kind_of_mode(text: &[u8]) -> Option<&'static str> {
    let mode = u32::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()?;
    Some(match mode & 0o170_000 {
        0o100_000 => "file",
        0o040_000 => "directory",
        0o020_000 => "character-device",
        0o060_000 => "block-device",
        0o010_000 => "fifo",
        0o120_000 => "symlink",
        0o140_000 => "socket",
        _ => return None,
    })
}
