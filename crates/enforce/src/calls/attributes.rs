//! Modes, owners, times and extended attributes.

use rustix::fs::{
    AtFlags, CWD, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, chownat, utimensat,
};
use rustix::io::Errno;

use super::{DONE, FOLLOWED, ITSELF, unless_nofollow, word};
use crate::access::About;
use crate::class::{Class, file, filesystem};
use crate::object::Object;
use crate::path::Base;
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::Notification;

/// The attribute that holds a file's context.
pub(super) const SELINUX: &[u8] = b"security.selinux";
/// Name, value, size and flags of an attribute that is set.
pub(super) type Attribute = (u64, u64, u64, i32);

impl Monitor<'_> {
    pub(super) fn chmod(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        mode: u64,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let empty = flags & libc::AT_EMPTY_PATH != 0;
        let object = self.object_or_open(call, base, path, unless_nofollow(flags), empty)?;
        self.change_mode(call, &object, mode)
    }

    pub(super) fn fchmod(
        &mut self,
        call: &Notification,
        number: i32,
        mode: u64,
    ) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        if object.facts.kind() == libc::S_IFSOCK {
            self.owned(&object)?;
            self.may_open_file(call.thread, &object, file::setattr)?;
            self.still(call)?;
            rustix::fs::chmod(object.magic(), Mode::from_raw_mode(word(mode) & 0o7777))?;
            return Ok(DONE.into());
        }
        self.change_mode(call, &object, mode)
    }

    fn change_mode(
        &mut self,
        call: &Notification,
        object: &Object,
        mode: u64,
    ) -> Result<Reply, Errno> {
        if object.facts.is_link() {
            return Err(Errno::OPNOTSUPP);
        }
        self.owned(object)?;
        self.may_file(call.thread, object, file::setattr)?;
        self.still(call)?;
        rustix::fs::chmod(object.magic(), Mode::from_raw_mode(word(mode) & 0o7777))?;
        Ok(DONE.into())
    }

    /// What the kernel says before the policy is asked: only the owner changes a file's attributes.
    fn owned(&self, object: &Object) -> Result<(), Errno> {
        let user = rustix::process::geteuid();
        if user.is_root() || user.as_raw() == object.facts.owner {
            Ok(())
        } else {
            Err(Errno::PERM)
        }
    }

    pub(super) fn chown(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        owners: (u64, u64),
        flags: i32,
    ) -> Result<Reply, Errno> {
        let empty = flags & libc::AT_EMPTY_PATH != 0;
        let object = self.object_or_open(call, base, path, unless_nofollow(flags), empty)?;
        self.change_owner(call, &object, owners)
    }

    pub(super) fn fchown(
        &mut self,
        call: &Notification,
        number: i32,
        owners: (u64, u64),
    ) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        self.change_owner(call, &object, owners)
    }

    fn change_owner(
        &mut self,
        call: &Notification,
        object: &Object,
        (user, group): (u64, u64),
    ) -> Result<Reply, Errno> {
        let known = |it: u64| (word(it) != u32::MAX).then_some(word(it));
        self.may_file(call.thread, object, file::setattr)?;
        self.still(call)?;
        let (user, group) = (known(user).map(Uid::from_raw), known(group).map(Gid::from_raw));
        chownat(object, c"", user, group, AtFlags::EMPTY_PATH)?;
        Ok(DONE.into())
    }

    pub(super) fn set_times(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        times: u64,
        flags: i32,
    ) -> Result<Reply, Errno> {
        // Without a path it is the open file itself.
        let empty = path == 0 || flags & libc::AT_EMPTY_PATH != 0;
        let object = self.object_or_open(call, base, path, unless_nofollow(flags), empty)?;
        let now = Timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW };
        let times = if times == 0 {
            [now; 2]
        } else {
            let words = self.words::<4>(call, times)?;
            [
                Timespec { tv_sec: words[0], tv_nsec: words[1] },
                Timespec { tv_sec: words[2], tv_nsec: words[3] },
            ]
        };
        self.change_times(call, &object, times)
    }

    /// As the older calls have it: whole seconds, or seconds and millionths.
    pub(super) fn set_times_by_seconds(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        times: u64,
    ) -> Result<Reply, Errno> {
        let empty = path == 0;
        let object = self.object_or_open(call, base, path, FOLLOWED, empty)?;
        let now = Timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW };
        let times = if times == 0 {
            [now; 2]
        } else if call.number == libc::SYS_utime {
            self.words::<2>(call, times)?.map(|it| Timespec { tv_sec: it, tv_nsec: 0 })
        } else {
            let words = self.words::<4>(call, times)?;
            let time = |seconds, millionths: i64| {
                let valid = (0..1_000_000).contains(&millionths);
                let tv_nsec = millionths * 1000;
                if valid { Ok(Timespec { tv_sec: seconds, tv_nsec }) } else { Err(Errno::INVAL) }
            };
            [time(words[0], words[1])?, time(words[2], words[3])?]
        };
        self.change_times(call, &object, times)
    }

    fn change_times(
        &mut self,
        call: &Notification,
        object: &Object,
        [access, modification]: [Timespec; 2],
    ) -> Result<Reply, Errno> {
        // "Now" is what writing would leave; any other time is an attribute that is set (selinux_inode_setattr).
        let now = [access, modification].iter().all(|it| it.tv_nsec == libc::UTIME_NOW);
        let bits = if now { file::write } else { file::setattr };
        self.may_file(call.thread, object, bits)?;
        self.still(call)?;
        let times = Timestamps { last_access: access, last_modification: modification };
        if object.facts.is_link() {
            utimensat(object, c"", &times, AtFlags::EMPTY_PATH)?;
        } else {
            utimensat(CWD, object.magic(), &times, AtFlags::empty())?;
        }
        Ok(DONE.into())
    }

    /// Numbers of eight bytes of a call's memory.
    fn words<const N: usize>(&mut self, call: &Notification, at: u64) -> Result<[i64; N], Errno> {
        let bytes = self.tasks.bytes(call.thread, at, 8 * N)?;
        let mut words = bytes.chunks_exact(8).map(|it| it.try_into().map_or(0, i64::from_ne_bytes));
        Ok(std::array::from_fn(|_| words.next().unwrap_or(0)))
    }

    pub(super) fn set_attribute(
        &mut self,
        call: &Notification,
        path: u64,
        follow: bool,
        attribute: Attribute,
    ) -> Result<Reply, Errno> {
        let how = if follow { FOLLOWED } else { ITSELF };
        let path = self.tasks.text(call.thread, path)?;
        if let Some(place) = self.place(call.thread, Base::Current, &path) {
            let name = self.tasks.text(call.thread, attribute.0)?;
            return self.set_at_place(call.thread, &place, &name);
        }
        let object = self.object_at(call, Base::Current, &path, how)?;
        self.give_attribute(call, &object, attribute)
    }

    pub(super) fn set_open_attribute(
        &mut self,
        call: &Notification,
        number: i32,
        attribute: Attribute,
    ) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        self.give_attribute(call, &object, attribute)
    }

    fn give_attribute(
        &mut self,
        call: &Notification,
        object: &Object,
        (name, value, size, flags): Attribute,
    ) -> Result<Reply, Errno> {
        let size = usize::try_from(size).ok().filter(|it| *it <= 65_536).ok_or(Errno::TOOBIG)?;
        let name = self.tasks.text(call.thread, name)?;
        let value = self.tasks.bytes(call.thread, value, size)?;
        if name == SELINUX {
            return self.relabel(call, object, &value);
        }
        self.may_attribute(call, object, &name, file::write)?;
        self.may_file(call.thread, object, file::setattr)?;
        self.still(call)?;
        let flags = XattrFlags::from_bits_retain(flags.unsigned_abs());
        if object.facts.is_link() {
            rustix::fs::lsetxattr(object.magic(), &*name, &value, flags)?;
        } else {
            rustix::fs::setxattr(object.magic(), &*name, &value, flags)?;
        }
        Ok(DONE.into())
    }

    /// Attributes of users are for those who may read or write the file (`xattr_permission`).
    pub(super) fn may_attribute(
        &mut self,
        call: &Notification,
        object: &Object,
        name: &[u8],
        bits: u32,
    ) -> Result<(), Errno> {
        let kind = object.facts.kind();
        if name.starts_with(b"user.") && matches!(kind, libc::S_IFREG | libc::S_IFDIR) {
            return self.may_file(call.thread, object, bits);
        }
        Ok(())
    }

    /// `selinux_inode_setxattr`: the owner gives a file another label.
    fn relabel(
        &mut self,
        call: &Notification,
        object: &Object,
        value: &[u8],
    ) -> Result<Reply, Errno> {
        if !self.labels.keeps_labels(object, self.server) {
            return Err(Errno::OPNOTSUPP);
        }
        self.owned(object)?;
        let class = object.facts.class();
        let old = self.label(call.thread, object)?;
        let about = About::Object(object);
        self.may(call.thread, old, class, file::relabelfrom, about)?;
        let text = std::str::from_utf8(value.strip_suffix(b"\0").unwrap_or(value));
        let text = text.map_err(|_| Errno::INVAL)?;
        let new = self.server.sid(text).map_err(|_| Errno::INVAL)?;
        self.may(call.thread, new, class, file::relabelto, about)?;
        if let Some(known) = self.vocabulary.known(class) {
            let process = self.sid(call.thread)?;
            let valid = self.server.validate_transition(old, new, known.class, process);
            valid.map_err(|_| Errno::PERM)?;
        }
        let system = self.labels.of_file_system(object, self.server);
        self.may_as(call.thread, new, system, Class::Filesystem, filesystem::associate, about)?;
        self.labels.settle(&object.facts, new, self.server);
        self.forget_searches();
        Ok(DONE.into())
    }

    pub(super) fn remove_attribute(
        &mut self,
        call: &Notification,
        path: u64,
        follow: bool,
        name: u64,
    ) -> Result<Reply, Errno> {
        let how = if follow { FOLLOWED } else { ITSELF };
        let object = self.object(call, Base::Current, path, how)?;
        self.take_attribute(call, &object, name)
    }

    pub(super) fn remove_open_attribute(
        &mut self,
        call: &Notification,
        number: i32,
        name: u64,
    ) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        self.take_attribute(call, &object, name)
    }

    fn take_attribute(
        &mut self,
        call: &Notification,
        object: &Object,
        name: u64,
    ) -> Result<Reply, Errno> {
        let name = self.tasks.text(call.thread, name)?;
        if name == SELINUX {
            // No one is allowed to remove a SELinux security label (selinux_inode_removexattr).
            return Err(Errno::ACCESS);
        }
        self.may_attribute(call, object, &name, file::write)?;
        self.may_file(call.thread, object, file::setattr)?;
        self.still(call)?;
        if object.facts.is_link() {
            rustix::fs::lremovexattr(object.magic(), &*name)?;
        } else {
            rustix::fs::removexattr(object.magic(), &*name)?;
        }
        Ok(DONE.into())
    }
}
