//! Making, removing and moving names (`may_create`, `may_link`, `may_rename` of the kernel's hooks).

use std::os::fd::AsFd as _;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, openat};
use rustix::io::Errno;

use super::files::writable;
use super::{DONE, NAMED, word};
use crate::access::About;
use crate::class::{Class, file};
use crate::defence::{Defence, stands};
use crate::object::{Object, join};
use crate::path::{Base, End, How, Parent, is_dots, path_of};
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::{Answer, Notification};

/// A name that a call speaks of: from where, and where the text is.
pub(super) type Name = (Base, u64);

impl Monitor<'_> {
    /// A name in a directory, and what is there; the thread may search the way.
    fn name(
        &mut self,
        call: &Notification,
        (base, path): Name,
        how: How,
    ) -> Result<(Parent, Option<Object>), Errno> {
        let path = self.tasks.text(call.thread, path)?;
        if self.place(call.thread, base, &path).is_some() {
            return Err(Errno::ACCESS);
        }
        let found = self.walker(call.thread)?.walk(base, &path, how)?;
        self.may_walk(call.thread, &found)?;
        match found.end {
            End::Name(parent, object) => Ok((parent, object)),
            End::Object(_) => Err(Errno::EXIST),
            End::Nowhere(why) => Err(why),
        }
    }

    /// A name at which nothing is yet.
    fn free_name(&mut self, call: &Notification, name: Name) -> Result<Parent, Errno> {
        let (parent, object) = self.name(call, name, NAMED)?;
        if object.is_some() {
            return Err(Errno::EXIST);
        }
        writable(&parent.directory)?;
        Ok(parent)
    }

    pub(super) fn make_directory(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        mode: u64,
    ) -> Result<Reply, Errno> {
        let parent = self.free_name(call, (base, path))?;
        let mode = word(mode) & 0o7777;
        let label = self.may_create(call.thread, &parent, libc::S_IFDIR | mode)?;
        self.still(call)?;
        self.take_umask(call.thread);
        rustix::fs::mkdirat(&parent.directory, &*parent.name, Mode::from_raw_mode(mode))?;
        self.settle_name(&parent, label)
    }

    pub(super) fn make_node(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        mode: u64,
        device: u64,
    ) -> Result<Reply, Errno> {
        let mode = word(mode);
        let mode = if mode & libc::S_IFMT == 0 { mode | libc::S_IFREG } else { mode };
        let parent = self.free_name(call, (base, path))?;
        if parent.slash {
            return Err(Errno::NOENT);
        }
        let label = self.may_create(call.thread, &parent, mode)?;
        self.still(call)?;
        self.take_umask(call.thread);
        let kind = rustix::fs::FileType::from_raw_mode(mode);
        let mode = Mode::from_raw_mode(mode & 0o7777);
        rustix::fs::mknodat(&parent.directory, &*parent.name, kind, mode, device)?;
        self.settle_name(&parent, label)
    }

    pub(super) fn make_link(
        &mut self,
        call: &Notification,
        target: u64,
        base: Base,
        path: u64,
    ) -> Result<Reply, Errno> {
        let target = self.tasks.text(call.thread, target)?;
        let parent = self.free_name(call, (base, path))?;
        if parent.slash {
            return Err(Errno::NOENT);
        }
        let label = self.may_create(call.thread, &parent, libc::S_IFLNK)?;
        self.still(call)?;
        rustix::fs::symlinkat(&*target, &parent.directory, &*parent.name)?;
        self.settle_name(&parent, label)
    }

    /// Gives what was just made there its label.
    fn settle_name(&mut self, parent: &Parent, label: mandate_server::Sid) -> Result<Reply, Errno> {
        let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let made = openat(&parent.directory, &*parent.name, flags, Mode::empty());
        // Somebody outside may have removed it at once.
        if let Ok(made) = made {
            let object = Object::new(made, join(&parent.directory.path, &parent.name))?;
            self.settle_new(&parent.directory, &object, label);
        }
        Ok(DONE.into())
    }

    /// May a thread write to a directory, before it is asked which name it changes?
    fn may_write(&mut self, call: &Notification, parent: &Parent) -> Result<(), Errno> {
        writable(&parent.directory)?;
        self.may_file(call.thread, &parent.directory, file::write | file::search)
    }

    /// May a name go from a directory, or come to it, and the file with it (`may_link`)?
    fn may_change(
        &mut self,
        call: &Notification,
        parent: &Parent,
        object: &Object,
        (of_directory, of_file): (u32, u32),
    ) -> Result<(), Errno> {
        self.may_file(call.thread, &parent.directory, file::search | of_directory)?;
        self.may_file(call.thread, object, of_file)
    }

    /// May a name go, as the kernel's `may_delete` has it?
    fn may_delete(
        &mut self,
        call: &Notification,
        parent: &Parent,
        object: &Object,
        directory: bool,
    ) -> Result<(), Errno> {
        self.may_write(call, parent)?;
        match (directory, object.facts.is_directory()) {
            (true, false) => Err(Errno::NOTDIR),
            (false, true) => Err(Errno::ISDIR),
            _ => Ok(()),
        }
    }

    pub(super) fn remove(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let (parent, object) = self.name(call, (base, path), NAMED)?;
        let object = object.ok_or(Errno::NOENT)?;
        let directory = flags & libc::AT_REMOVEDIR != 0;
        if is_dots(&parent.name) {
            let empty = if parent.name == b"." { Errno::INVAL } else { Errno::NOTEMPTY };
            return Err(if directory { empty } else { Errno::ISDIR });
        }
        if !directory && parent.slash && !object.facts.is_directory() {
            return Err(Errno::NOTDIR);
        }
        self.may_delete(call, &parent, &object, directory)?;
        let of_file = if directory { file::rmdir } else { file::unlink };
        self.may_change(call, &parent, &object, (file::remove_name, of_file))?;
        self.still(call)?;
        let flags = if directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        rustix::fs::unlinkat(&parent.directory, &*parent.name, flags)?;
        if directory || object.facts.links < 2 {
            self.labels.forget(&object.facts);
        }
        if directory {
            self.forget_searches();
        }
        Ok(DONE.into())
    }

    pub(super) fn link(
        &mut self,
        call: &Notification,
        (base, path): Name,
        new: Name,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let how = How { follow: flags & libc::AT_SYMLINK_FOLLOW != 0, name: false };
        let empty = flags & libc::AT_EMPTY_PATH != 0;
        let object = self.object_or_open(call, base, path, how, empty)?;
        let parent = self.free_name(call, new)?;
        self.may_be_linked(call, &object);
        self.may_write(call, &parent)?;
        if object.facts.is_directory() {
            return Err(Errno::PERM);
        }
        // Its label is settled before it has another name.
        self.may_change(call, &parent, &object, (file::add_name, file::link))?;
        self.still(call)?;
        if !stands(Defence::Held) {
            return Ok(Answer::Continue.into());
        }
        let name = object.magic();
        let follow = AtFlags::SYMLINK_FOLLOW;
        rustix::fs::linkat(CWD, name, &parent.directory, &*parent.name, follow)?;
        Ok(DONE.into())
    }

    /// Where links are protected, who may read and write a file may link it without owning it (`safe_hardlink_source`). The owner may
    /// all the same, but the question is asked and told before.
    fn may_be_linked(&mut self, call: &Notification, object: &Object) {
        if self.labels.links_protected && object.facts.kind() == libc::S_IFREG {
            let _owner = self.may_file(call.thread, object, file::read | file::write);
        }
    }

    pub(super) fn rename(
        &mut self,
        call: &Notification,
        old: Name,
        new: Name,
        flags: u32,
    ) -> Result<Reply, Errno> {
        // What overlays leave in the place of a file would be made without being asked for.
        let flags = RenameFlags::from_bits(flags)
            .filter(|it| !it.contains(RenameFlags::WHITEOUT))
            .ok_or(Errno::INVAL)?;
        let (from, object) = self.name(call, old, NAMED)?;
        let (to, there) = self.name(call, new, NAMED)?;
        let object = object.ok_or(Errno::NOENT)?;
        if is_dots(&from.name) || is_dots(&to.name) {
            return Err(Errno::BUSY);
        }
        if (from.slash || to.slash) && !object.facts.is_directory() {
            return Err(Errno::NOTDIR);
        }
        if flags.contains(RenameFlags::NOREPLACE) && there.is_some() {
            return Err(Errno::EXIST);
        }
        let exchange = flags.contains(RenameFlags::EXCHANGE);
        if exchange && there.is_none() {
            return Err(Errno::NOENT);
        }
        if there.as_ref().is_some_and(|it| it.facts.inode == object.facts.inode) {
            return Ok(DONE.into());
        }
        if is_within(&to.directory, &object)? {
            return Err(Errno::INVAL);
        }
        if !exchange
            && let Some(there) = &there
            && is_within(&from.directory, there)?
        {
            return Err(Errno::NOTEMPTY);
        }
        for moved in std::iter::once(&object).chain(there.as_ref().filter(|_| exchange)) {
            if moved.facts.is_directory() {
                self.settle_below(call, moved)?;
            }
        }
        self.may_move(call, (&from, &object), (&to, there.as_ref()), exchange)?;
        if let Some(there) = there.as_ref().filter(|_| exchange) {
            self.may_rename(call, (&to, there), (&from, Some(&object)))?;
        }
        self.may_rename(call, (&from, &object), (&to, there.as_ref()))?;
        self.still(call)?;
        rustix::fs::renameat_with(&from.directory, &*from.name, &to.directory, &*to.name, flags)?;
        self.forget_searches();
        Ok(DONE.into())
    }

    /// What is asked before the hook is: the directories, and what goes to another one, whose `..` changes (`vfs_rename`).
    fn may_move(
        &mut self,
        call: &Notification,
        (from, object): (&Parent, &Object),
        (to, there): (&Parent, Option<&Object>),
        exchange: bool,
    ) -> Result<(), Errno> {
        let directory = object.facts.is_directory();
        self.may_delete(call, from, object, directory)?;
        match there {
            Some(there) if exchange => self.may_delete(call, to, there, there.facts.is_directory()),
            Some(there) => self.may_delete(call, to, there, directory),
            None => self.may_write(call, to),
        }?;
        if from.directory.facts.inode != to.directory.facts.inode {
            let other = there.filter(|it| exchange && it.facts.is_directory());
            for moved in directory.then_some(object).into_iter().chain(other) {
                self.may_file(call.thread, moved, file::write)?;
            }
        }
        Ok(())
    }

    /// `may_rename` of the kernel's hooks.
    fn may_rename(
        &mut self,
        call: &Notification,
        (from, object): (&Parent, &Object),
        (to, there): (&Parent, Option<&Object>),
    ) -> Result<(), Errno> {
        self.may_change(call, from, object, (file::remove_name, file::rename))?;
        let elsewhere = from.directory.facts.inode != to.directory.facts.inode;
        if object.facts.is_directory() && elsewhere {
            self.may_file(call.thread, object, file::reparent)?;
        }
        let removes = if there.is_some() { file::remove_name } else { 0 };
        let bits = file::search | file::add_name | removes;
        self.may_file(call.thread, &to.directory, bits)?;
        if let Some(there) = there {
            let bits = if there.facts.is_directory() { file::rmdir } else { file::unlink };
            self.may_file(call.thread, there, bits)?;
        }
        Ok(())
    }

    /// Settles the labels of all that lies in a directory before it gets another path. `EXDEV` if that is too much: programs copy then.
    fn settle_below(&mut self, call: &Notification, directory: &Object) -> Result<(), Errno> {
        const MOST: usize = 20_000;
        if !stands(Defence::SettledDirectories) {
            return Ok(());
        }
        let mut left = vec![crate::path::again(directory)?];
        let mut seen = 0;
        while let Some(directory) = left.pop() {
            self.label(call.thread, &directory)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            // What is in it could be reached by names that somebody knows.
            let open = openat(CWD, directory.magic(), flags, Mode::empty());
            let open = open.map_err(|_| Errno::XDEV)?;
            for entry in rustix::fs::Dir::read_from(open.as_fd())? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if matches!(name, b"." | b"..") {
                    continue;
                }
                seen += 1;
                if seen > MOST {
                    return Err(Errno::XDEV);
                }
                let hold = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                let Ok(file) = openat(&open, name, hold, Mode::empty()) else { continue };
                let object = Object::new(file, join(&directory.path, name))?;
                if object.facts.is_directory() {
                    left.push(object);
                } else {
                    self.label(call.thread, &object)?;
                }
            }
        }
        Ok(())
    }

    /// A file whose label says who may have it at an address of a socket: see `sockets`.
    pub(super) fn make_socket_file(
        &mut self,
        call: &Notification,
        path: &[u8],
    ) -> Result<(Parent, mandate_server::Sid), Errno> {
        let found = self.walker(call.thread)?.walk(Base::Current, path, NAMED)?;
        self.may_walk(call.thread, &found)?;
        let End::Name(parent, object) = found.end else { return Err(Errno::ADDRINUSE) };
        if object.is_some() {
            return Err(Errno::ADDRINUSE);
        }
        writable(&parent.directory)?;
        let label = self.may_create(call.thread, &parent, libc::S_IFSOCK)?;
        Ok((parent, label))
    }

    pub(super) fn settle_socket_file(&mut self, parent: &Parent, label: mandate_server::Sid) {
        let _gone = self.settle_name(parent, label);
    }

    /// May a thread use this file system as a whole?
    pub(super) fn may_file_system(
        &mut self,
        call: &Notification,
        object: &Object,
        bits: u32,
    ) -> Result<(), Errno> {
        let label = self.labels.of_file_system(object, self.server);
        self.may(call.thread, label, Class::Filesystem, bits, About::Object(object))
    }
}

/// Is a directory another one, or below it? The kernel looks again when it moves them.
fn is_within(directory: &Object, other: &Object) -> Result<bool, Errno> {
    if !other.facts.is_directory() {
        return Ok(false);
    }
    let (path, above) = (path_of(directory.as_fd())?, path_of(other.as_fd())?);
    let rest = path.strip_prefix(&*above);
    Ok(rest.is_some_and(|it| it.is_empty() || it.starts_with(b"/")))
}
