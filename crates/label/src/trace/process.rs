//! What threads have: descriptors, the directory they are in, the label they asked for.

use std::collections::BTreeMap;

use super::call::{Argument, Call, EXIT};

#[derive(Clone, Debug, Default)]
struct Process {
    descriptors: BTreeMap<u32, Vec<u8>>,
    /// Empty as long as the log does not say it: names stay relative then.
    directory: Vec<u8>,
    /// The type for new files.
    fscreate: Option<String>,
}

/// All threads of a log.
#[derive(Debug, Default)]
pub(super) struct Processes {
    processes: BTreeMap<u32, Process>,
    /// Threads that share descriptors with another.
    shares: BTreeMap<u32, u32>,
    /// The first thread of the log.
    first: Option<u32>,
}

impl Processes {
    /// What a call does to the thread itself.
    pub(super) fn note(&mut self, call: &Call) {
        let first = *self.first.get_or_insert(call.pid);
        if call.pid != first
            && !self.processes.contains_key(&call.pid)
            && !self.shares.contains_key(&call.pid)
        {
            // A child that runs before the log shows that it was made.
            let parent = self.processes.get(&first).cloned().unwrap_or_default();
            self.processes.insert(call.pid, parent);
        }
        if call.result < 0 {
            return;
        }
        match call.name.as_str() {
            EXIT => {
                self.processes.remove(&call.pid);
                self.shares.remove(&call.pid);
            }
            "clone" | "clone3" | "fork" | "vfork" => self.forked(call),
            "execve" | "execveat" => self.of(call.pid).fscreate = None,
            "chdir" | "fchdir" => {
                if let Some(path) = self.path(call, 0) {
                    self.of(call.pid).directory = path;
                }
            }
            "close" => {
                if let Some(&Argument::Descriptor(Some(number), _)) = call.arguments.first() {
                    self.owner(call.pid).descriptors.remove(&number);
                }
            }
            "dup" | "dup2" | "dup3" => self.duplicated(call),
            "fcntl" if call.mentions("F_DUPFD") => self.duplicated(call),
            _ => {}
        }
    }

    fn forked(&mut self, call: &Call) {
        let Ok(child) = u32::try_from(call.result) else { return };
        if child == 0 {
            return;
        }
        let mut process = self.of(call.pid).clone();
        if call.mentions("CLONE_FILES") {
            let owner = self.shares.get(&call.pid).copied().unwrap_or(call.pid);
            self.shares.insert(child, owner);
        } else {
            process.descriptors = self.owner(call.pid).descriptors.clone();
        }
        // What the child did already stays.
        self.processes.entry(child).or_insert(process);
    }

    fn duplicated(&mut self, call: &Call) {
        let path = self.path(call, 0);
        if let (Some(path), Ok(number)) = (path, u32::try_from(call.result)) {
            self.owner(call.pid).descriptors.insert(number, path);
        }
    }

    fn of(&mut self, pid: u32) -> &mut Process {
        self.processes.entry(pid).or_default()
    }

    /// Whose descriptors a thread has.
    fn owner(&mut self, pid: u32) -> &mut Process {
        let owner = self.shares.get(&pid).copied().unwrap_or(pid);
        self.of(owner)
    }

    pub(super) fn fscreate(&mut self, pid: u32) -> Option<String> {
        self.of(pid).fscreate.clone()
    }

    pub(super) fn set_fscreate(&mut self, pid: u32, type_: Option<String>) {
        self.of(pid).fscreate = type_;
    }

    /// The file of an argument: a path, or a descriptor.
    pub(super) fn path(&mut self, call: &Call, at: usize) -> Option<Vec<u8>> {
        match call.arguments.get(at)? {
            Argument::String(path) => Some(self.absolute(call.pid, None, path)),
            Argument::Descriptor(number, path) => {
                self.descriptor(call.pid, *number, path.as_deref())
            }
            Argument::CutOff | Argument::Other(_) => None,
        }
    }

    /// The path at an argument, or below the directory there if it is a descriptor.
    pub(super) fn path_at(&mut self, call: &Call, at: usize) -> Option<Vec<u8>> {
        let Some(Argument::Descriptor(number, path)) = call.arguments.get(at) else {
            return self.path(call, at);
        };
        let name = call.string(at + 1)?;
        let folder = self.descriptor(call.pid, *number, path.as_deref());
        Some(self.absolute(call.pid, folder, name))
    }

    /// Old and new of a link or a new name.
    pub(super) fn two_paths(&mut self, call: &Call) -> Option<(Vec<u8>, Vec<u8>)> {
        let second = if call.name.contains("at") { 2 } else { 1 };
        Some((self.path_at(call, 0)?, self.path_at(call, second)?))
    }

    /// Remembers the descriptor that a call opened; its path.
    pub(super) fn opened(&mut self, call: &Call) -> Option<Vec<u8>> {
        let path = call.result_path.clone().or_else(|| self.path_at(call, 0))?;
        let number = u32::try_from(call.result).ok()?;
        self.owner(call.pid).descriptors.insert(number, path.clone());
        Some(path)
    }

    fn descriptor(
        &mut self,
        pid: u32,
        number: Option<u32>,
        path: Option<&[u8]>,
    ) -> Option<Vec<u8>> {
        match (path, number) {
            (Some(path), _) => Some(path.to_vec()),
            (None, Some(number)) => self.owner(pid).descriptors.get(&number).cloned(),
            (None, None) => Some(self.of(pid).directory.clone()),
        }
    }

    /// A path below a folder, without `.` and double slashes; `/proc/self/fd/N` is what the descriptor has open.
    fn absolute(&mut self, pid: u32, folder: Option<Vec<u8>>, path: &[u8]) -> Vec<u8> {
        for prefix in [&b"/proc/self/fd/"[..], b"/proc/thread-self/fd/"] {
            let number = path.strip_prefix(prefix).and_then(|it| std::str::from_utf8(it).ok());
            let number = number.and_then(|it| it.parse().ok());
            if let Some(path) = number.and_then(|it| self.descriptor(pid, Some(it), None)) {
                return path;
            }
        }
        if path.starts_with(b"/") {
            return clean(path);
        }
        let folder = folder.unwrap_or_else(|| self.of(pid).directory.clone());
        if path.is_empty() {
            return folder;
        }
        if folder.is_empty() {
            clean(path)
        } else {
            clean(&[&folder, path].map(|it: &[u8]| it).join(&b'/'))
        }
    }
}

fn clean(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|&it| it == b'/').filter(|it| !it.is_empty() && *it != b".");
    let joined = parts.collect::<Vec<_>>().join(&b'/');
    if path.starts_with(b"/") { [b"/", joined.as_slice()].concat() } else { joined }
}
