//! Looks at files, which are decided on with `--exact`; else only looks at what SELinux shows are the monitor's.

use std::os::fd::AsFd as _;

use rustix::fs::{AtFlags, CWD};
use rustix::io::Errno;

use super::attributes::SELINUX;
use super::inside::no_attribute;
use super::{DONE, FOLLOWED, ITSELF, int, unless_nofollow, word};
use crate::class::{file, filesystem};
use crate::defence::pause;
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
            libc::SYS_flistxattr => self.list_open(call, int(a), (b, c)),
            libc::SYS_listxattr => self.list(call, a, FOLLOWED, (b, c)),
            libc::SYS_llistxattr => self.list(call, a, ITSELF, (b, c)),
            _ => return None,
        })
    }

    /// What a path leads to whose attributes are asked for; nothing if that is not decided on.
    fn looked_at(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        flags: i32,
    ) -> Result<Option<Seen>, Errno> {
        let empty = flags & libc::AT_EMPTY_PATH != 0;
        let path =
            if empty && path == 0 { Vec::new() } else { self.tasks.text(call.thread, path)? };
        if let Some(place) = self.place(call.thread, base, &path) {
            return Ok(Some(Seen::Place(place)));
        }
        if !self.exact {
            return Ok(None);
        }
        let object = if empty && path.is_empty() {
            let object = self.walker(call.thread)?.base(base)?;
            if self.is_place(&object.facts) {
                return Ok(None);
            }
            object
        } else {
            self.object_at(call, base, &path, unless_nofollow(flags))?
        };
        Ok(Some(Seen::Object(object)))
    }

    fn stat(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        to: u64,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let answer = match self.looked_at(call, base, path, flags)? {
            None => return Ok(Answer::Continue.into()),
            Some(Seen::Place(place)) => self.stat_place(call.thread, &place)?,
            Some(Seen::Object(object)) => {
                self.may_file(call.thread, &object, file::getattr)?;
                look::stat(&object.told)
            }
        };
        self.tell_bytes(call, to, &answer)
    }

    /// What the monitor found out, written where the program wants it.
    fn tell_bytes(&mut self, call: &Notification, to: u64, bytes: &[u8]) -> Result<Reply, Errno> {
        self.still(call)?;
        if !self.plans.is_empty() {
            pause();
        }
        self.tasks.write(call.thread, to, bytes)?;
        Ok(DONE.into())
    }

    fn stat_open(&mut self, call: &Notification, number: i32, to: u64) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        if self.is_place(&object.facts) {
            return Ok(Answer::Continue.into());
        }
        self.may_open_file(call.thread, &object, file::getattr)?;
        let answer = look::stat(&object.told);
        self.tell_bytes(call, to, &answer)
    }

    fn statx(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        (flags, mask, to): (i32, u64, u64),
    ) -> Result<Reply, Errno> {
        let answer = match self.looked_at(call, base, path, flags)? {
            None => return Ok(Answer::Continue.into()),
            Some(Seen::Place(place)) => self.statx_place(call.thread, &place)?,
            Some(Seen::Object(object)) => {
                self.may_file(call.thread, &object, file::getattr)?;
                look::statx(object.as_fd(), flags, word(mask))?
            }
        };
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
        let object = match self.looked_at(call, base, path, flags)? {
            None => return Ok(Answer::Continue.into()),
            Some(Seen::Place(place)) => return self.access_place(call.thread, &place, wanted),
            Some(Seen::Object(object)) => object,
        };
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
        if let Some(place) = self.place(call.thread, base, &name) {
            self.look_at_place(call.thread, &place)?;
            return Err(Errno::INVAL);
        }
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
        let path = self.tasks.text(call.thread, path)?;
        let place = self.place(call.thread, Base::Current, &path);
        if let Some(answer) = place.map(|it| self.stat_places(call, &it)).transpose()?.flatten() {
            return self.tell_bytes(call, to, &answer);
        }
        if !self.exact {
            return Ok(Answer::Continue.into());
        }
        let object = self.object_at(call, Base::Current, &path, FOLLOWED)?;
        self.may_file_system(call, &object, filesystem::getattr)?;
        let answer = look::stat_file_system(object.as_fd())?;
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
        (name, to, size): (u64, u64, u64),
    ) -> Result<Reply, Errno> {
        let how = if follow { FOLLOWED } else { ITSELF };
        let name = self.tasks.text(call.thread, name)?;
        let path = self.tasks.text(call.thread, path)?;
        if let Some(place) = self.place(call.thread, Base::Current, &path) {
            let text = self.context_of_place(call.thread, &place)?;
            if name != SELINUX {
                return Err(no_attribute(&place));
            }
            return self.tell_context(call, text, (to, size));
        }
        if !self.exact && name != SELINUX {
            return Ok(Answer::Continue.into());
        }
        let object = self.object_at(call, Base::Current, &path, how)?;
        self.tell_attribute(call, &object, &name, (to, size))
    }

    fn open_attribute(
        &mut self,
        call: &Notification,
        number: i32,
        (name, to, size): (u64, u64, u64),
    ) -> Result<Reply, Errno> {
        let name = self.tasks.text(call.thread, name)?;
        if !self.exact && name != SELINUX {
            return Ok(Answer::Continue.into());
        }
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        self.tell_attribute(call, &object, &name, (to, size))
    }

    fn tell_attribute(
        &mut self,
        call: &Notification,
        object: &Object,
        name: &[u8],
        (to, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        if self.exact {
            self.may_attribute(call, object, name, file::read)?;
            self.may_file(call.thread, object, file::getattr)?;
        }
        if name == SELINUX {
            let label = self.label(call.thread, object)?;
            let text = self.server.context(label).map_err(|_| Errno::OPNOTSUPP)?;
            return self.tell_context(call, text, (to, size));
        }
        if object.facts.is_link() {
            return Err(Errno::NODATA);
        }
        let mut value = vec![0; usize::try_from(size).unwrap_or(0).min(65_536)];
        let read = rustix::fs::getxattr(object.magic(), name, &mut value)?;
        self.give_bytes(call, to, &value, read)
    }

    /// A context as an attribute has it, with the zero byte at its end.
    fn tell_context(
        &mut self,
        call: &Notification,
        text: String,
        (to, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        self.give_whole(call, (text + "\0").as_bytes(), (to, size))
    }

    /// Bytes for which there has to be room; how many there are, if none is offered.
    fn give_whole(
        &mut self,
        call: &Notification,
        bytes: &[u8],
        (to, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        if size != 0 && usize::try_from(size).is_ok_and(|it| it < bytes.len()) {
            return Err(Errno::RANGE);
        }
        let room = if size == 0 { &[][..] } else { bytes };
        self.give_bytes(call, to, room, bytes.len())
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

    /// Names of attributes; all files have a context.
    fn list(
        &mut self,
        call: &Notification,
        path: u64,
        how: How,
        to: (u64, u64),
    ) -> Result<Reply, Errno> {
        let path = self.tasks.text(call.thread, path)?;
        if let Some(place) = self.place(call.thread, Base::Current, &path) {
            self.look_at_place(call.thread, &place)?;
            return self.tell_names(call, Vec::new(), to);
        }
        let object = self.object_at(call, Base::Current, &path, how)?;
        if self.exact {
            self.may_file(call.thread, &object, file::getattr)?;
        }
        self.tell_names(call, names_of(&object)?, to)
    }

    fn list_open(
        &mut self,
        call: &Notification,
        number: i32,
        to: (u64, u64),
    ) -> Result<Reply, Errno> {
        let object = self.walker(call.thread)?.base(Base::Descriptor(number))?;
        if self.exact {
            self.may_open_file(call.thread, &object, file::getattr)?;
        }
        let names =
            if object.facts.kind() == libc::S_IFSOCK { Vec::new() } else { names_of(&object)? };
        self.tell_names(call, names, to)
    }

    fn tell_names(
        &mut self,
        call: &Notification,
        mut names: Vec<u8>,
        to: (u64, u64),
    ) -> Result<Reply, Errno> {
        if !names.split(|it| *it == 0).any(|it| it == SELINUX) {
            names.extend(SELINUX);
            names.push(0);
        }
        self.give_whole(call, &names, to)
    }
}

/// What the file system keeps of a file.
fn names_of(object: &Object) -> Result<Vec<u8>, Errno> {
    if object.facts.is_link() {
        return Ok(Vec::new());
    }
    let mut names = vec![0; 65_536];
    let listed = rustix::fs::listxattr(object.magic(), &mut names);
    let length = match listed {
        Err(Errno::OPNOTSUPP) => 0,
        length => length?,
    };
    names.truncate(length);
    Ok(names)
}

/// What a path led to.
enum Seen {
    Object(Object),
    /// A place of SELinux.
    Place(Vec<u8>),
}
