//! What a program that copies labelled files is allowed to do with labels, read from a log of `strace -f -s 300 [-y]`.
//!
//! A log says which labels were read and set, and which were asked for before files were made. It does not say which label a file had that nobody looked at:
//! that is told ([`Note`]), never guessed.

mod call;
mod process;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::context::Parts;
use call::Call;
use process::Processes;

/// Whose rules are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The domain of the program.
    pub domain: &'a str,
    /// The type of the file system that the files are on.
    pub file_system: &'a str,
    /// The type of files that were made without asking for one, and of those whose label the log does not show.
    pub before: Option<&'a str>,
}

/// An `allow` rule that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Who is allowed.
    pub source: String,
    /// To what; `self` for the domain itself.
    pub target: String,
    /// Of which class.
    pub class: &'static str,
    /// What, sorted.
    pub permissions: BTreeSet<&'static str>,
    /// The lines of the log that need it.
    pub lines: BTreeSet<u32>,
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let permissions: Vec<&str> = self.permissions.iter().copied().collect();
        let Self { source, target, class, .. } = self;
        match permissions.as_slice() {
            [one] => write!(f, "allow {source} {target}:{class} {one};"),
            all => write!(f, "allow {source} {target}:{class} {{ {} }};", all.join(" ")),
        }
    }
}

/// What the log does not say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// A line of the log.
    pub line: u32,
    /// What is missing.
    pub text: String,
}

/// What a log shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The rules, by source, target and class.
    pub rules: Vec<Rule>,
    /// What is missing, by line.
    pub notes: Vec<Note>,
    /// Calls that were understood.
    pub calls: usize,
}

/// Reads a log.
pub fn read(log: &[u8], question: &Question<'_>) -> Trace {
    let mut reader = Reader {
        question,
        processes: Processes::default(),
        files: BTreeMap::new(),
        rules: BTreeMap::new(),
        notes: BTreeSet::new(),
    };
    let mut calls = 0;
    for call in call::calls(log) {
        calls += usize::from(call.name != call::EXIT);
        reader.call(&call);
    }
    let rules = reader.rules.into_iter().map(|((source, target, class), (permissions, lines))| {
        Rule { source, target, class, permissions, lines }
    });
    Trace { rules: rules.collect(), notes: reader.notes.into_iter().collect(), calls }
}

/// What is known of a file.
#[derive(Clone, Debug, Default)]
struct File {
    type_: Option<String>,
    class: Option<&'static str>,
}

/// Source, target, class.
type Key = (String, String, &'static str);

struct Reader<'a> {
    question: &'a Question<'a>,
    processes: Processes,
    files: BTreeMap<Vec<u8>, File>,
    rules: BTreeMap<Key, (BTreeSet<&'static str>, BTreeSet<u32>)>,
    notes: BTreeSet<Note>,
}

impl Reader<'_> {
    fn call(&mut self, call: &Call) {
        // A forked child may be seen before the call that made it returns.
        self.processes.note(call);
        if call.result < 0 {
            return;
        }
        match call.name.as_str() {
            "getxattr" | "lgetxattr" | "fgetxattr" => self.looked_at(call),
            "setxattr" | "lsetxattr" | "fsetxattr" => self.labelled(call),
            "write" => self.wrote(call),
            "open" | "creat" | "openat" | "openat2" => self.opened(call),
            "mkdir" | "mkdirat" => self.made(call, Some("dir")),
            "mknod" | "mknodat" => self.made(call, Some(class_of_mode(call).unwrap_or("file"))),
            "symlink" | "symlinkat" => self.made(call, Some("lnk_file")),
            "link" | "linkat" | "rename" | "renameat" | "renameat2" => self.renamed(call),
            "unlink" | "unlinkat" | "rmdir" => {
                if let Some(path) = self.processes.path_at(call, 0) {
                    self.files.remove(&path);
                }
            }
            "stat" | "lstat" | "fstat" | "newfstatat" | "fstatat64" | "statx" => self.statted(call),
            _ => {}
        }
    }

    fn looked_at(&mut self, call: &Call) {
        if call.string(1) != Some(b"security.selinux") {
            return;
        }
        let Some(path) = self.processes.path(call, 0) else { return };
        if let Some(type_) = self.type_of(call, 2) {
            self.files.entry(path).or_default().type_ = Some(type_);
        }
    }

    /// `relabelfrom` the label before, `relabelto` the new one, which must be allowed on the file system.
    fn labelled(&mut self, call: &Call) {
        if call.string(1) != Some(b"security.selinux") {
            return;
        }
        let Some(path) = self.processes.path(call, 0) else {
            return self
                .note(call, "the file of a descriptor is not in the log; strace -y shows it");
        };
        let Some(new) = self.type_of(call, 2) else { return };
        let file = self.files.entry(path.clone()).or_default();
        let class = file.class;
        let old = file.type_.replace(new.clone());
        let old = old.or_else(|| self.question.before.map(str::to_owned));
        if class.is_none() {
            let name = String::from_utf8_lossy(&path);
            self.note(
                call,
                &format!("what kind of file {name} is, is not in the log; taken for a file"),
            );
        }
        let class = class.unwrap_or("file");
        match old {
            Some(old) => self.allow(call, &old, class, "relabelfrom"),
            None => {
                let name = String::from_utf8_lossy(&path);
                self.note(
                    call,
                    &format!("the label that {name} had before is not in the log; name its type with --before"),
                );
            }
        }
        self.allow(call, &new, class, "relabelto");
        self.associate(call, &new);
    }

    /// The label that new files of a thread get.
    fn wrote(&mut self, call: &Call) {
        let Some(path) = self.processes.path(call, 0) else { return };
        if !path.starts_with(b"/proc/") || !path.ends_with(b"/attr/fscreate") {
            return;
        }
        let empty = call.string(1).is_none_or(<[u8]>::is_empty);
        let type_ = if empty { None } else { self.type_of(call, 1) };
        self.processes.set_fscreate(call.pid, type_);
        let key = (self.question.domain.to_owned(), "self".to_owned(), "process");
        self.add(key, call.line, "setfscreate");
    }

    fn opened(&mut self, call: &Call) {
        let Some(path) = self.processes.opened(call) else { return };
        let creates =
            call.name == "creat" || call.mentions("O_CREAT") || call.mentions("O_TMPFILE");
        if call.mentions("O_DIRECTORY") && !call.mentions("O_TMPFILE") {
            self.files.entry(path).or_default().class = Some("dir");
        } else if creates && (call.mentions("O_EXCL") || !self.is_there(&path)) {
            self.created(call, path, "file");
        }
    }

    /// Does the log show that there is such a file already?
    fn is_there(&self, path: &[u8]) -> bool {
        self.files.get(path).is_some_and(|it| it.type_.is_some())
    }

    fn made(&mut self, call: &Call, class: Option<&'static str>) {
        let at = usize::from(call.name.starts_with("symlink"));
        let Some(path) = self.processes.path_at(call, at) else { return };
        self.created(call, path, class.unwrap_or("file"));
    }

    fn created(&mut self, call: &Call, path: Vec<u8>, class: &'static str) {
        let asked = self.processes.fscreate(call.pid);
        let file = self.files.entry(path).or_default();
        file.class = Some(class);
        let Some(type_) = asked.or_else(|| self.question.before.map(str::to_owned)) else { return };
        file.type_ = Some(type_.clone());
        self.allow(call, &type_, class, "create");
        self.associate(call, &type_);
    }

    /// Labels go with their files.
    fn renamed(&mut self, call: &Call) {
        let Some((old, new)) = self.processes.two_paths(call) else { return };
        let file = self.files.get(&old).cloned();
        if call.mentions("RENAME_EXCHANGE") {
            let other = self.files.insert(new.clone(), file.unwrap_or_default());
            self.files.insert(old, other.unwrap_or_default());
            return;
        }
        match file {
            Some(file) => drop(self.files.insert(new, file)),
            None => drop(self.files.remove(&new)),
        }
        if call.name.starts_with("rename") {
            self.files.remove(&old);
        }
    }

    fn statted(&mut self, call: &Call) {
        let path = match call.name.as_str() {
            "stat" | "lstat" | "fstat" => self.processes.path(call, 0),
            _ => self.processes.path_at(call, 0),
        };
        if let (Some(path), Some(class)) = (path, class_of_mode(call)) {
            self.files.entry(path).or_default().class = Some(class);
        }
    }

    /// The type of the context that an argument holds.
    fn type_of(&mut self, call: &Call, at: usize) -> Option<String> {
        let context = if call.is_cut_off(at) { b"" } else { call.string(at)? };
        let context = context.strip_suffix(b"\0").unwrap_or(context);
        let type_ = Parts::of(context).and_then(|it| std::str::from_utf8(it.type_).ok());
        if type_.is_none() {
            self.note(call, "the context is cut off or none; strace -s 300 shows all of it");
        }
        type_.map(str::to_owned)
    }

    fn associate(&mut self, call: &Call, type_: &str) {
        let key = (type_.to_owned(), self.question.file_system.to_owned(), "filesystem");
        self.add(key, call.line, "associate");
    }

    fn allow(&mut self, call: &Call, type_: &str, class: &'static str, permission: &'static str) {
        let key = (self.question.domain.to_owned(), type_.to_owned(), class);
        self.add(key, call.line, permission);
    }

    fn add(&mut self, key: Key, line: u32, permission: &'static str) {
        let (permissions, lines) = self.rules.entry(key).or_default();
        permissions.insert(permission);
        lines.insert(line);
    }

    fn note(&mut self, call: &Call, text: &str) {
        self.notes.insert(Note { line: call.line, text: text.to_owned() });
    }
}

/// The class that a mode in the arguments means.
fn class_of_mode(call: &Call) -> Option<&'static str> {
    const MODES: [(&str, &str); 7] = [
        ("S_IFREG", "file"),
        ("S_IFDIR", "dir"),
        ("S_IFLNK", "lnk_file"),
        ("S_IFCHR", "chr_file"),
        ("S_IFBLK", "blk_file"),
        ("S_IFIFO", "fifo_file"),
        ("S_IFSOCK", "sock_file"),
    ];
    MODES.iter().find(|it| call.mentions(it.0)).map(|it| it.1)
}
