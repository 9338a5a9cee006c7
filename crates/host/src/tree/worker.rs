//! A thread's part of a walk: a stack of directories, the innermost on top.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::directory::{Directory, PIECE};
use super::entry::Handle;
use super::journal::Node;
use super::share::{Rest, Shared, Task};
use super::{Entry, Failure, Identity, LONGEST_PATH, Next, Root, Visitor, c_name, stopped};

/// Pieces of directories that a thread holds before it reads smaller ones, and reads them again on the way back.
const HELD: usize = 2 << 20;
/// Descriptors that are left to all others.
const SPARED: usize = 64;
/// Fewer would hardly save any.
const FEWEST: usize = 4;

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Walks until nothing is left.
pub(super) fn run<V: Visitor>(shared: &Shared<'_>, visitor: V) -> V {
    let limit = shared.options.descriptors.unwrap_or_else(|| descriptors(shared.threads));
    let mut worker = Worker {
        shared,
        visitor,
        path: Vec::new(),
        above: Vec::new(),
        stack: Vec::new(),
        buffer: vec![MaybeUninit::uninit(); PIECE],
        numbers: 0,
        limit,
        open: 0,
        lowest_open: 1,
        held: 0,
    };
    while let Some(task) = shared.take() {
        match task {
            Task::Root(root) => worker.root(&root),
            Task::Rest(rest) => worker.rest(*rest),
        }
        worker.all();
    }
    worker.visitor
}

/// How many directories a thread may hold open.
fn descriptors(threads: usize) -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(1024);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(1 << 16);
    (limit.saturating_sub(SPARED) / (threads.max(1) * 2)).max(FEWEST)
}

struct Worker<'s, 'o, V> {
    shared: &'s Shared<'o>,
    visitor: V,
    /// Of the entry at hand.
    path: Vec<u8>,
    /// Directories above the stack.
    above: Vec<(u64, u64)>,
    stack: Vec<Directory>,
    buffer: Vec<MaybeUninit<u8>>,
    numbers: u64,
    limit: usize,
    /// Directories of the stack that are open, and the first of those behind the first.
    open: usize,
    lowest_open: usize,
    held: usize,
}

impl<V: Visitor> Worker<'_, '_, V> {
    fn root(&mut self, root: &Root) {
        self.path.clone_from(&root.path);
        self.above.clear();
        if root.identity.is_directory() && self.visitor.excludes(&self.path) {
            return;
        }
        let node = self.shared.options.journal.as_ref().and_then(|it| Node::root(it, &root.path));
        if self.shared.options.journal.is_some() && node.is_none() {
            return;
        }
        let recurse = self.shared.options.recurse && root.identity.is_directory();
        let opened = recurse.then(|| root.open_directory());
        match opened {
            Some(Ok(file)) => self.directory(file, 0, node),
            Some(Err(error)) => {
                self.visit(Handle::Path(root.file.as_fd()), root.identity, 0, node.as_ref());
                self.failed(Failure::Read, error, node.as_ref());
            }
            None => {
                self.visit(Handle::Path(root.file.as_fd()), root.identity, 0, node.as_ref());
            }
        }
    }

    fn rest(&mut self, rest: Rest) {
        self.path = rest.path;
        self.above = rest.above;
        self.push(rest.directory);
    }

    fn all(&mut self) {
        while !self.stack.is_empty() {
            if stopped(self.shared.options) {
                self.stack.clear();
                break;
            }
            if self.shared.is_hungry() {
                self.share();
            }
            self.step();
        }
        (self.open, self.lowest_open, self.held) = (0, 1, 0);
    }

    /// One entry of the innermost directory, or its end.
    fn step(&mut self) {
        if self.stack.last().is_some_and(|it| it.file.is_none() && !it.is_done()) {
            self.reopen();
        }
        let short = self.held > HELD;
        let Some(top) = self.stack.last_mut() else { return };
        self.path.truncate(top.path);
        let held = top.held();
        let found = match top.next(&mut self.buffer, short) {
            Ok(Some((kind, name))) => {
                if self.path.last() != Some(&b'/') {
                    self.path.push(b'/');
                }
                let name_at = self.path.len();
                self.path.extend_from_slice(name);
                self.path.pop();
                Ok(Some((kind, name_at)))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        self.held = self.held + top.held() - held;
        match found {
            Ok(Some((kind, name_at))) => self.entry(kind, name_at),
            Ok(None) => self.pop(),
            Err(error) => {
                top.finish();
                let node = top.node.clone();
                self.failed(Failure::Read, error, node.as_ref());
            }
        }
    }

    fn entry(&mut self, kind: FileType, name_at: usize) {
        let Some(top) = self.stack.len().checked_sub(1) else { return };
        let node = self.stack[top].node.clone();
        let Ok(name) = c_name(&self.path[name_at..]) else { return };
        match kind {
            FileType::Directory => self.named_directory(top, name_at, &name, node),
            _ => self.named_file(top, name_at, &name, node),
        }
    }

    fn named_file(&mut self, top: usize, at: usize, name: &CStr, node: Option<Arc<Node>>) {
        let Some(directory) = &self.stack[top].file else { return };
        let found = match self.visitor.holds() {
            true => Identity::hold(directory.as_fd(), name).map(|(file, it)| (Some(file), it)),
            false => Identity::at(directory.as_fd(), name).map(|it| (None, it)),
        };
        let (held, identity) = match found {
            Ok(found) => found,
            Err(error) => return self.failed(Failure::Stat, error, node.as_ref()),
        };
        if identity.is_directory() {
            return self.named_directory(top, at, name, node);
        }
        if self.shared.options.one_file_system && identity.device != self.shared.root_device {
            return;
        }
        match held {
            Some(file) => {
                self.visit(Handle::Path(file.as_fd()), identity, at, node.as_ref());
            }
            None => self.visit_named(top, identity, at, node.as_ref()),
        }
    }

    fn named_directory(&mut self, top: usize, at: usize, name: &CStr, node: Option<Arc<Node>>) {
        if self.visitor.excludes(&self.path) {
            return;
        }
        let Some(parent) = &self.stack[top].file else { return };
        match rustix::fs::openat(parent, name, DIRECTORY, Mode::empty()) {
            Ok(file) => {
                let node = match &node {
                    Some(node) => match node.enter(&self.path) {
                        Some(node) => Some(node),
                        None => return,
                    },
                    None => None,
                };
                self.directory(file, at, node);
            }
            // Something else stands there now.
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let found = Identity::at(parent.as_fd(), name);
                match found {
                    Ok(found) if !found.is_directory() => {
                        self.visit_named(top, found, at, node.as_ref());
                    }
                    Ok(_) => self.failed(Failure::Moved, Errno::AGAIN, node.as_ref()),
                    Err(error) => self.failed(Failure::Stat, error, node.as_ref()),
                }
            }
            Err(error) => {
                let found = Identity::at(parent.as_fd(), name);
                match found {
                    Ok(found) => {
                        self.visit_named(top, found, at, node.as_ref());
                        self.failed(Failure::Read, error, node.as_ref());
                    }
                    Err(_) => self.failed(Failure::Open, error, node.as_ref()),
                }
            }
        }
    }

    /// Visits a directory that is open, and enters it.
    fn directory(&mut self, file: OwnedFd, name_at: usize, node: Option<Arc<Node>>) {
        let identity = match Identity::of(&file) {
            Ok(identity) => identity,
            Err(error) => return self.failed(Failure::Stat, error, node.as_ref()),
        };
        let (shared, device) = (self.shared, identity.device);
        if shared.options.one_file_system && device != shared.root_device {
            return;
        }
        let here = (device, identity.inode);
        let inside = |it: &Directory| (it.identity.device, it.identity.inode) == here;
        if self.above.contains(&here) || self.stack.iter().any(inside) {
            return self.failed(Failure::Cycle, Errno::LOOP, node.as_ref());
        }
        let other = self.stack.last().is_none_or(|it| it.identity.device != device);
        if shared.options.skip_unlabelled && other && !shared.mounts.keep_labels(device, &file) {
            return self.failed(Failure::NoLabels, Errno::NOTSUP, None);
        }
        match self.visit(Handle::Open(file.as_fd()), identity, name_at, node.as_ref()) {
            Next::On | Next::Unsettled if self.path.len() >= LONGEST_PATH => {
                self.failed(Failure::TooLong, Errno::NAMETOOLONG, node.as_ref());
            }
            Next::On | Next::Unsettled => {
                if self.held > HELD
                    && let Some(top) = self.stack.last_mut()
                {
                    self.held -= top.held();
                    top.forget();
                }
                self.push(Directory::new(file, identity, self.path.len(), name_at, node));
            }
            Next::Skip | Next::Stop => {}
        }
    }

    fn visit_named(&mut self, top: usize, identity: Identity, at: usize, node: Option<&Arc<Node>>) {
        // The descriptor stays in the stack; it is taken out for the visit, which needs the visitor alone.
        let Some(file) = self.stack[top].file.take() else { return };
        self.visit(Handle::Named(file.as_fd()), identity, at, node);
        self.stack[top].file = Some(file);
    }

    fn visit(
        &mut self,
        handle: Handle<'_>,
        identity: Identity,
        name_at: usize,
        node: Option<&Arc<Node>>,
    ) -> Next {
        let depth = self.above.len() + self.stack.len();
        let directory = self.stack.last().map_or(0, |it| it.number);
        let entry = Entry { path: &self.path, name_at, identity, depth, directory, handle };
        let next = self.visitor.visit(&entry);
        self.heed(next, node);
        next
    }

    fn failed(&mut self, failure: Failure, error: Errno, node: Option<&Arc<Node>>) {
        let next = self.visitor.failed(&self.path, failure, error);
        self.heed(next, node);
    }

    fn heed(&mut self, next: Next, node: Option<&Arc<Node>>) {
        match next {
            Next::On | Next::Skip => return,
            Next::Unsettled => {}
            Next::Stop => {
                self.shared.options.stop.store(true, std::sync::atomic::Ordering::Relaxed)
            }
        }
        if let Some(node) = node {
            node.unsettle();
        }
        if let Some(top) = self.stack.last_mut() {
            top.whole = false;
        }
    }

    fn push(&mut self, mut directory: Directory) {
        self.numbers += 1;
        directory.number = self.numbers;
        self.held += directory.held();
        self.stack.push(directory);
        self.open += 1;
        while self.open > self.limit && self.lowest_open + 1 < self.stack.len() {
            let closed = self.stack[self.lowest_open].close();
            self.open -= usize::from(closed);
            self.lowest_open += 1;
        }
    }

    fn pop(&mut self) {
        let Some(mut directory) = self.stack.pop() else { return };
        self.held -= directory.held();
        self.open -= usize::from(directory.file.is_some());
        self.lowest_open = self.lowest_open.clamp(1, self.stack.len().max(1));
        if directory.whole {
            self.leave(&directory);
        } else if let Some(parent) = self.stack.last_mut() {
            parent.whole = false;
        }
        let wanted = self.stack.last().is_some_and(|it| it.file.is_none() && !it.is_done());
        if let Some(file) = directory.file.take().filter(|_| wanted) {
            self.reopen_from(&file);
        }
    }

    fn leave(&mut self, directory: &Directory) {
        let Some(file) = &directory.file else { return };
        self.path.truncate(directory.path);
        let depth = self.above.len() + self.stack.len();
        let number = self.stack.last().map_or(0, |it| it.number);
        let entry = Entry {
            path: &self.path,
            name_at: directory.name_at,
            identity: directory.identity,
            depth,
            directory: number,
            handle: Handle::Open(file.as_fd()),
        };
        self.visitor.leave(&entry);
    }

    /// Opens the innermost directory again, as the parent of a directory in it.
    fn reopen_from(&mut self, inside: &OwnedFd) {
        if let Ok(file) = rustix::fs::openat(inside, c"..", DIRECTORY, Mode::empty()) {
            self.reopened(file);
        }
    }

    /// Opens the innermost directory again, by the names below the next one that is open.
    fn reopen(&mut self) {
        let found = self.open_by_names();
        if !found.is_ok_and(|file| self.reopened(file)) {
            self.give_up();
        }
    }

    fn open_by_names(&self) -> Result<OwnedFd, Errno> {
        let from = self.stack.iter().rposition(|it| it.file.is_some()).ok_or(Errno::NOENT)?;
        let base = self.stack[from].file.as_ref().ok_or(Errno::NOENT)?;
        let mut file: Option<OwnedFd> = None;
        for directory in &self.stack[from + 1..] {
            let name = self.path.get(directory.name_at..directory.path).ok_or(Errno::NOENT)?;
            let parent = file.as_ref().unwrap_or(base);
            file = Some(rustix::fs::openat(parent, &*c_name(name)?, DIRECTORY, Mode::empty())?);
        }
        file.ok_or(Errno::NOENT)
    }

    /// Takes a directory back, if it is the one that was closed.
    fn reopened(&mut self, file: OwnedFd) -> bool {
        let same = |it: &Directory| Identity::of(&file).is_ok_and(|found| found.same(&it.identity));
        let at = self.stack.len();
        match self.stack.last_mut() {
            Some(top) if same(top) => {
                top.file = Some(file);
                self.open += 1;
                self.lowest_open = self.lowest_open.min(at.saturating_sub(1)).max(1);
                true
            }
            _ => false,
        }
    }

    fn give_up(&mut self) {
        let Some(top) = self.stack.last_mut() else { return };
        top.finish();
        self.path.truncate(top.path);
        let node = top.node.clone();
        self.failed(Failure::Moved, Errno::AGAIN, node.as_ref());
    }

    /// Gives what is left of the outermost directory to a thread that has nothing to do.
    fn share(&mut self) {
        let Some(at) = self.stack.iter().position(|it| !it.is_done()) else { return };
        let all = at + 1 < self.stack.len();
        let directory = &mut self.stack[at];
        let held = directory.held();
        let Some(given) = directory.split(all) else { return };
        self.held = self.held + directory.held() - held;
        let path = self.path.get(..given.path).unwrap_or(&self.path).to_vec();
        let identity = |it: &Directory| (it.identity.device, it.identity.inode);
        let above = self.above.iter().copied().chain(self.stack[..at].iter().map(identity));
        let above = above.collect();
        let rest = Rest { directory: given, path, above };
        self.shared.give(Task::Rest(Box::new(rest)));
    }
}
