//! Memory that is executed (`selinux_mmap_file`, `selinux_file_mprotect`).
//!
//! The kernel makes the mapping itself, on registers that nobody can change and on a descriptor that other threads could: so these
//! stand still from the decision until the mapping is there.

use std::os::fd::AsFd as _;

use mandate_server::Compute;
use rustix::io::Errno;

use super::{LOW, int};
use crate::access::About;
use crate::class::{Class, file, memprotect, process};
use crate::object::{Facts, Object};
use crate::path::path_of;
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::{Answer, Notification};

/// What is shown of shared memory that no file is behind (`shmem_zero_setup`).
const SHARED: &str = "/dev/zero (deleted)";

/// A part of a process's memory, as /proc/PID/smaps tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    from: u64,
    to: u64,
    /// The device as its file system has it; some show files another one.
    device: (u32, u32),
    /// 0 where there is no file.
    inode: u64,
    executable: bool,
    shared: bool,
    name: String,
    /// Pages of it were written and are no longer the file's.
    changed: bool,
}

impl Monitor<'_> {
    pub(super) fn map(&mut self, call: &Notification) -> Result<Reply, Errno> {
        if self.freeze(call) {
            return Ok(Reply::Later);
        }
        self.may_map(call).map(Reply::Now)
    }

    /// While nobody of the process runs.
    pub(super) fn may_map(&mut self, call: &Notification) -> Result<Answer, Errno> {
        let [address, _, protection, flags, number, _] = call.arguments;
        let (protection, flags) = (int(protection), int(flags));
        let fixed = flags & (libc::MAP_FIXED | libc::MAP_FIXED_NOREPLACE) != 0;
        if address < LOW.into() && (fixed || address != 0 && is_low_free()) {
            self.may_be_low(call)?;
        }
        let shared = flags & libc::MAP_TYPE != libc::MAP_PRIVATE;
        if flags & libc::MAP_ANONYMOUS != 0 {
            self.may_use(call, None, protection, shared)?;
            return Ok(Answer::Continue);
        }
        let mut opened = self.tasks.opened(call.thread, int(number))?;
        if shared {
            opened = self.appended(call, opened)?;
        }
        if !self.exact && protection & libc::PROT_EXEC == 0 {
            return Ok(Answer::Continue);
        }
        let path = path_of(opened.as_fd())?;
        let object = Object::new(opened, path)?;
        self.settle_memory(call.thread, &object)?;
        self.may_file(call.thread, &object, file::map)?;
        self.may_use(call, Some(&object), protection, shared)?;
        Ok(Answer::Continue)
    }

    /// A file in memory belongs to who made it, that is who has it (`inode_doinit_with_dentry`): what came with a message or was kept was
    /// given its label then.
    fn settle_memory(&mut self, thread: i32, object: &Object) -> Result<(), Errno> {
        if self.labels.known(&object.facts).is_none()
            && let Some(above) = self.labels.of_memory(object, self.server)
        {
            let class = self.vocabulary.known(Class::File).map(|it| it.class);
            let made = self.server.compute(Compute::Create, self.sid(thread)?, above, class, None);
            let label = made.map_err(|_| Errno::ACCESS)?;
            self.labels.stand_in(&object.facts, label);
        }
        Ok(())
    }

    /// Memory moves to a low address.
    pub(super) fn remap(&mut self, call: &Notification) -> Result<Reply, Errno> {
        self.may_be_low(call)?;
        Ok(Answer::Continue.into())
    }

    fn may_be_low(&mut self, call: &Notification) -> Result<(), Errno> {
        let sid = self.sid(call.thread)?;
        self.may(call.thread, sid, Class::Memprotect, memprotect::mmap_zero, About::Nothing)
    }

    /// `file_map_prot_check`.
    fn may_use(
        &mut self,
        call: &Notification,
        object: Option<&Object>,
        protection: i32,
        shared: bool,
    ) -> Result<(), Errno> {
        let executes = protection & libc::PROT_EXEC != 0;
        let writes = protection & libc::PROT_WRITE != 0;
        let nameless = object.is_none_or(|it| is_nameless(&it.facts));
        if executes && (nameless || !shared && writes) {
            self.may_process(call, process::execmem)?;
        }
        let Some(object) = object else { return Ok(()) };
        let write = if shared && writes { file::write } else { 0 };
        let execute = if executes { file::execute } else { 0 };
        self.may_file(call.thread, object, file::read | write | execute)
    }

    fn may_process(&mut self, call: &Notification, bits: u32) -> Result<(), Errno> {
        let sid = self.sid(call.thread)?;
        self.may(call.thread, sid, Class::Process, bits, About::Nothing)
    }

    pub(super) fn protect(&mut self, call: &Notification) -> Result<Reply, Errno> {
        if self.freeze(call) {
            return Ok(Reply::Later);
        }
        self.may_protect(call).map(Reply::Now)
    }

    /// While nobody of the process runs.
    pub(super) fn may_protect(&mut self, call: &Notification) -> Result<Answer, Errno> {
        let [address, size, protection, ..] = call.arguments;
        let to = address.checked_add(size).ok_or(Errno::NOMEM)?;
        let process = self.tasks.get(call.thread).ok_or(Errno::SRCH)?.process;
        let table = std::fs::read_to_string(format!("/proc/{process}/smaps"));
        let table = table.map_err(|_| Errno::ACCESS)?;
        let touched = areas(&table).filter(|it| it.from < to && address < it.to);
        for area in touched {
            self.may_change_area(call, &area, int(protection))?;
        }
        Ok(Answer::Continue)
    }

    fn may_change_area(
        &mut self,
        call: &Notification,
        area: &Area,
        protection: i32,
    ) -> Result<(), Errno> {
        let nameless = area.inode == 0 || area.name == SHARED;
        let object = if nameless { None } else { Some(mapped(area)?) };
        if !area.executable {
            if area.name == "[heap]" {
                self.may_process(call, process::execheap)?;
            } else if area.name.starts_with("[stack") {
                self.may_process(call, process::execstack)?;
            } else if area.changed
                && let Some(object) = &object
            {
                self.may_file(call.thread, object, file::execmod)?;
            }
        }
        self.may_use(call, object.as_ref(), protection, area.shared)
    }
}

impl Area {
    /// Does this part of memory show that file? Where devices of a file system and of its files differ, the path has to be the
    /// same, too.
    pub(super) fn shows(&self, object: &Object) -> bool {
        let device = rustix::fs::makedev(self.device.0, self.device.1);
        let same_device = device == object.facts.inode.device;
        let same_path = self.name.as_bytes() == object.path;
        self.inode == object.facts.inode.number && (same_device || self.device.0 == 0 && same_path)
    }
}

/// The file that a part of memory shows, by its path: only administrators can have it by the mapping itself. One that is gone, or
/// another by now, cannot be judged.
fn mapped(area: &Area) -> Result<Object, Errno> {
    use rustix::fs::{CWD, Mode, OFlags, openat};
    let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let path = area.name.clone().into_bytes();
    let held = openat(CWD, &*path, flags, Mode::empty()).map_err(|_| Errno::ACCESS)?;
    let object = Object::new(held, path)?;
    if area.shows(&object) { Ok(object) } else { Err(Errno::ACCESS) }
}

/// Files of memory that no name leads to (S_PRIVATE inodes): shared memory, hugetlb. A memfd has a label of its own.
fn is_nameless(facts: &Facts) -> bool {
    facts.links == 0 && facts.kind() == 0
}

/// The areas of a table.
fn areas(table: &str) -> impl Iterator<Item = Area> {
    let mut lines = table.lines().peekable();
    std::iter::from_fn(move || {
        let mut area = area(lines.next()?)?;
        // What follows, up to the next area, begins with a name and a colon.
        while let Some(line) = lines.next_if(|it| self::area(it).is_none()) {
            // What was changed may have been swapped out since.
            let changed = line.strip_prefix("Anonymous:").or_else(|| line.strip_prefix("Swap:"));
            area.changed |= changed.is_some_and(|it| it.trim() != "0 kB");
        }
        Some(area)
    })
}

pub(super) fn area(line: &str) -> Option<Area> {
    let mut words = line.splitn(6, ' ');
    let (from, to) = words.next()?.split_once('-')?;
    let number = |it| u64::from_str_radix(it, 16).ok();
    let (from, to) = (number(from)?, number(to)?);
    let modes = words.next()?.as_bytes();
    let mut words = words.skip(1);
    let (major, minor) = words.next()?.split_once(':')?;
    let device = |it| u32::from_str_radix(it, 16).ok();
    let device = (device(major)?, device(minor)?);
    let inode = words.next()?.parse().ok()?;
    Some(Area {
        from,
        to,
        device,
        inode,
        executable: modes.get(2) == Some(&b'x'),
        shared: modes.get(3) == Some(&b's'),
        name: words.next().unwrap_or_default().trim().to_owned(),
        changed: false,
    })
}

/// May memory be mapped low on this system without being asked for so? Otherwise the kernel takes another address.
fn is_low_free() -> bool {
    let least = std::fs::read_to_string("/proc/sys/vm/mmap_min_addr").unwrap_or_default();
    least.trim().parse::<u32>().is_ok_and(|it| it < LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_read_as_the_kernel_writes_them() {
        let table = "\
            559d00000000-559d00002000 r--p 00000000 fe:00 1234 /usr/bin/my cat\n\
            Size:                  8 kB\n\
            Anonymous:             4 kB\n\
            VmFlags: rd mr mw me\n\
            7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0                          [stack]\n\
            Anonymous:             0 kB\n";
        let all: Vec<_> = areas(table).collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].name, "/usr/bin/my cat");
        assert!(all[0].changed && all[0].inode == 1234 && !all[0].executable && !all[0].shared);
        assert_eq!((all[1].name.as_str(), all[1].inode), ("[stack]", 0));
    }
}
