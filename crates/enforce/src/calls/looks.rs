//! Looks at files, which are decided on with `--exact`.

use rustix::fs::{AtFlags, CWD};
use rustix::io::Errno;

use super::attributes::SELINUX;
use super::{DONE, FOLLOWED, ITSELF, int, unless_nofollow, word};
use crate::class::{file, filesystem};
use crate::object::Object;
use crate::path::{Base, End, How};
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::{Answer, Notification};
use crate::sys::look;

impl Monitor<'_> {
    /// Decides a look; none if the call is none.
    pub(super) fn looks(&mut self, call: &Notification) -> Option<Result<Reply, Errno>> {
        let [a, b, c, d, e, _] = call.arguments;
        let here = Base::Current;
        Some(match call.number {
            libc::SYS_stat => self.stat(call, here, a, b, 0),
            libc::SYS_lstat => self.stat(call, here, a, b, libc::AT_SYMLINK_NOFOLLOW),
            libc::SYS_fstat => self.stat_open(call, int(a), b),
            libc::SYS_newfstatat => self.stat(call, Base::of(a), b, c, int(d)),
            libc::SYS_statx => self.statx(call, Base::of(a), b, (int(c), d, e)),
            libc::SYS_access => self.access(call, here, a, int(b), 0),
            libc::SYS_faccessat => self.access(call, Base::of(a), b, int(c), 0),
            libc::SYS_faccessat2 => self.access(call, Base::of(a), b, int(c), int(d)),
            libc::SYS_readlink => self.read_link(call, here, a, (b, c)),
            libc::SYS_readlinkat => self.read_link(call, Base::of(a), b, (c, d)),
            libc::SYS_statfs => self.stat_file_system(call, a, b),
            libc::SYS_fstatfs => self.stat_open_file_system(call, int(a)),
            libc::SYS_getxattr => self.attribute(call, a, true, (b, c, d)),
            libc::SYS_lgetxattr => self.attribute(call, a, false, (b, c, d)),
            libc::SYS_fgetxattr => self.open_attribute(call, int(a), (b, c, d)),
            libc::SYS_flistxattr => self.list_open(call, int(a)),
            libc::SYS_listxattr => self.list(call, a, FOLLOWED, (b, c)),
            libc::SYS_llistxattr => self.list(call, a, ITSELF, (b, c)),
            _ => return None,
        })
    }

    /// A file whose attributes are asked for.
    fn looked_at(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        flags: i32,
    ) -> Result<Object, Errno> {
        let empty = flags & libc::AT_EMPTY_PATH != 0;
        let object = self.object_or_open(call, base, path, unless_nofollow(flags), empty)?;
        self.may_file(call.thread, &object, file::getattr)?;
        Ok(object)
    }

    fn stat(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        to: u64,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let object = self.looked_at(call, base, path, flags)?;
        let answer = look::stat(std::os::fd::AsFd::as_fd(&object))?;
        self.tell_bytes(call, to, &answer)
    }

    /// What the monitor found out, written where the program wants it.
    fn tell_bytes(&mut self, call: &Notification, to: u64, bytes: &[u8]) -> Result<Reply, Errno> {
        self.still(call)?;
        self.tasks.write(call.thread, to, bytes)?;
        Ok(DONE.into())
    }

    fn stat_open(&mut self, call: &Notification, number: i32, to: u64) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        self.may_open_file(call.thread, &object, file::getattr)?;
        let answer = look::stat(std::os::fd::AsFd::as_fd(&object))?;
        self.tell_bytes(call, to, &answer)
    }

    /// The descriptor may be another one meanwhile; then the program learns what it could have asked anyway.
    fn list_open(&mut self, call: &Notification, number: i32) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        self.may_open_file(call.thread, &object, file::getattr)?;
        Ok(Answer::Continue.into())
    }

    fn statx(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        (flags, mask, to): (i32, u64, u64),
    ) -> Result<Reply, Errno> {
        let object = self.looked_at(call, base, path, flags)?;
        let answer = look::statx(std::os::fd::AsFd::as_fd(&object), flags, word(mask))?;
        self.tell_bytes(call, to, &answer)
    }

    fn access(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        wanted: i32,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let empty = flags & libc::AT_EMPTY_PATH != 0;
        let object = self.object_or_open(call, base, path, unless_nofollow(flags), empty)?;
        let access = rustix::fs::Access::from_bits(wanted.unsigned_abs()).ok_or(Errno::INVAL)?;
        if object.facts.is_link() {
            rustix::fs::accessat(&object, c"", access, AtFlags::EMPTY_PATH)?;
        } else {
            rustix::fs::accessat(CWD, object.magic(), access, AtFlags::empty())?;
        }
        let directory = object.facts.is_directory();
        let execute = if directory { file::search } else { file::execute };
        let bits = [(libc::R_OK, file::read), (libc::W_OK, file::write), (libc::X_OK, execute)];
        let bits = bits.iter().filter(|it| wanted & it.0 != 0).fold(0, |all, it| all | it.1);
        if bits != 0 {
            self.may_file(call.thread, &object, bits)?;
        }
        Ok(DONE.into())
    }

    fn read_link(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        (to, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        let name = self.tasks.text(call.thread, path)?;
        let size = usize::try_from(int(size)).ok().filter(|it| *it > 0);
        let size = size.ok_or(Errno::INVAL)?;
        let object = if name.is_empty() {
            self.walker(call.thread)?.base(base)?
        } else {
            let found = self.walker(call.thread)?.walk(base, &name, ITSELF)?;
            self.may_walk(call.thread, &found)?;
            let End::Object(object) = found.end else { return Err(Errno::NOENT) };
            object
        };
        if !object.facts.is_link() {
            return Err(if name.is_empty() { Errno::NOENT } else { Errno::INVAL });
        }
        self.may_file(call.thread, &object, file::read)?;
        let text = self.walker(call.thread)?.text_of(&object)?;
        let text = &text[..text.len().min(size)];
        self.still(call)?;
        self.tasks.write(call.thread, to, text)?;
        Ok(Answer::Value(i64::try_from(text.len()).unwrap_or(0)).into())
    }

    fn stat_file_system(
        &mut self,
        call: &Notification,
        path: u64,
        to: u64,
    ) -> Result<Reply, Errno> {
        let object = self.object(call, Base::Current, path, FOLLOWED)?;
        self.may_file_system(call, &object, filesystem::getattr)?;
        let answer = look::stat_file_system(std::os::fd::AsFd::as_fd(&object))?;
        self.tell_bytes(call, to, &answer)
    }

    fn stat_open_file_system(&mut self, call: &Notification, number: i32) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        self.may_file_system(call, &object, filesystem::getattr)?;
        Ok(Answer::Continue.into())
    }

    fn attribute(
        &mut self,
        call: &Notification,
        path: u64,
        follow: bool,
        to: (u64, u64, u64),
    ) -> Result<Reply, Errno> {
        let how = if follow { FOLLOWED } else { ITSELF };
        let object = self.object(call, Base::Current, path, how)?;
        self.tell_attribute(call, &object, to)
    }

    fn open_attribute(
        &mut self,
        call: &Notification,
        number: i32,
        to: (u64, u64, u64),
    ) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        self.tell_attribute(call, &object, to)
    }

    fn tell_attribute(
        &mut self,
        call: &Notification,
        object: &Object,
        (name, to, size): (u64, u64, u64),
    ) -> Result<Reply, Errno> {
        let name = self.tasks.text(call.thread, name)?;
        self.may_attribute(call, object, &name, file::read)?;
        self.may_file(call.thread, object, file::getattr)?;
        if name == SELINUX {
            let label = self.label(call.thread, object)?;
            let text = self.server.context(label).map_err(|_| Errno::OPNOTSUPP)? + "\0";
            if size != 0 && usize::try_from(size).is_ok_and(|it| it < text.len()) {
                return Err(Errno::RANGE);
            }
            let room = if size == 0 { &[][..] } else { text.as_bytes() };
            return self.give_bytes(call, to, room, text.len());
        }
        let mut value = vec![0; usize::try_from(size).unwrap_or(0).min(65_536)];
        let read = if object.facts.is_link() {
            return Err(Errno::NODATA);
        } else {
            rustix::fs::getxattr(object.magic(), &*name, &mut value)?
        };
        self.give_bytes(call, to, &value, read)
    }

    /// Bytes as far as there is room for them, and how many there are.
    fn give_bytes(
        &mut self,
        call: &Notification,
        to: u64,
        value: &[u8],
        read: usize,
    ) -> Result<Reply, Errno> {
        self.still(call)?;
        if let Some(bytes) = value.get(..read) {
            self.tasks.write(call.thread, to, bytes)?;
        }
        Ok(Answer::Value(i64::try_from(read).unwrap_or(0)).into())
    }

    fn list(
        &mut self,
        call: &Notification,
        path: u64,
        how: How,
        (to, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        let object = self.object(call, Base::Current, path, how)?;
        self.may_file(call.thread, &object, file::getattr)?;
        if object.facts.is_link() {
            return Ok(DONE.into());
        }
        let mut names = vec![0; usize::try_from(size).unwrap_or(0).min(65_536)];
        let read = rustix::fs::listxattr(object.magic(), &mut names)?;
        self.give_bytes(call, to, &names, read)
    }
}
