//! Executing programs (`selinux_bprm_creds_for_exec` and what goes before it).
//!
//! The kernel executes the path itself, so what it took may be another file than the one that was decided about: it is verified when the
//! kernel has taken it, before the new program's first instruction. What is not what was decided about does not run.

use std::os::fd::AsFd as _;

use mandate_server::{Compute, Sid};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use super::int;
use crate::access::About;
use crate::class::{Class, fd, file, process, process2};
use crate::defence::{Defence, stands};
use crate::object::{Facts, Object};
use crate::path::{Base, End, How};
use crate::supervisor::{Monitor, Reply};
use crate::sys::inject::Registers;
use crate::sys::listener::{Answer, Notification};
use crate::sys::trace;
use crate::task::{Security, error};

/// What was decided about a program before the kernel took it.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The file whose code runs: the program, or the interpreter of a script.
    program: Object,
    /// The dynamic linker, where the program names one.
    linker: Option<Object>,
    /// Of a script: the words that its interpreter is given first, and the file.
    script: Option<Script>,
    /// The context that the process gets.
    sid: Sid,
    /// The new program is to distrust its environment.
    secure: bool,
    /// It may have its code. Otherwise it ends before its first instruction: for the kernel to tell, too, it is too late by then.
    runs: bool,
}

#[derive(Debug)]
struct Script {
    words: Vec<Vec<u8>>,
    file: Object,
    path: Vec<u8>,
}

/// An address that no program has: going there is a violation whose signal can be neither blocked nor ignored.
const NOWHERE: u64 = u64::MAX - 0xfff;
/// As many interpreters may call each other (exec_binprm).
const SCRIPTS: usize = 5;
/// As much of a script's first line counts (BINPRM_BUF_SIZE).
const HEAD: usize = 256;
/// `AT_SECURE` and the end of an auxiliary vector (linux/auxvec.h).
const AT_SECURE: u64 = 23;
const AT_NULL: u64 = 0;
const AT_BASE: u64 = 7;

impl Monitor<'_> {
    pub(super) fn execute(
        &mut self,
        call: &Notification,
        base: Base,
        path: u64,
        flags: i32,
    ) -> Result<Reply, Errno> {
        let path = self.tasks.text(call.thread, path)?;
        let plan = self.plan(call, base, &path, flags)?;
        self.still(call)?;
        self.plans.insert(call.thread, plan);
        Ok(Answer::Continue.into())
    }

    fn plan(
        &mut self,
        call: &Notification,
        base: Base,
        path: &[u8],
        flags: i32,
    ) -> Result<Plan, Errno> {
        let how = How { follow: flags & libc::AT_SYMLINK_NOFOLLOW == 0, name: false };
        let first = if path.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
            self.walker(call.thread)?.base(base)?
        } else {
            let found = self.walker(call.thread)?.walk(base, path, how)?;
            self.may_walk(call.thread, &found)?;
            let End::Object(object) = found.end else { return Err(Errno::NOENT) };
            object
        };
        self.may_execute(call, &first)?;
        let (sid, secure) = self.next_context(call, &first)?;
        // What a script is called by its interpreter.
        let called = match (base, path) {
            (_, [b'/', ..]) | (Base::Current, _) => path.to_vec(),
            (Base::Descriptor(number), b"") => format!("/dev/fd/{number}").into_bytes(),
            (Base::Descriptor(number), path) => {
                [format!("/dev/fd/{number}/").as_bytes(), path].concat()
            }
        };
        let mut words = vec![called.clone()];
        let mut program = crate::path::again(&first)?;
        let mut depth = 0;
        while let Some((interpreter, option)) = interpreter_of(&program)? {
            depth += 1;
            if depth > SCRIPTS {
                return Err(Errno::LOOP);
            }
            program = self.interpreter(call, &interpreter)?;
            // The kernel puts interpreter and option before the name by which the script was called.
            words.splice(0..0, std::iter::once(interpreter).chain(option));
        }
        let linker = match linker_of(&program)? {
            Some(path) => Some(self.interpreter(call, &path)?),
            None => None,
        };
        let mut code = std::iter::once(&program).chain(&linker);
        let runs = code.all(|it| self.may_be_code(call, sid, it).is_ok());
        let script = (depth > 0).then_some(Script { words, file: first, path: called });
        Ok(Plan { program, linker, script, sid, secure, runs })
    }

    /// May a program that gets this context have its code in a file that was opened before it got it? First of all code is read.
    fn may_be_code(&mut self, call: &Notification, sid: Sid, code: &Object) -> Result<(), Errno> {
        let (label, class, about) =
            (self.label(call.thread, code)?, code.facts.class(), About::Object(code));
        self.may_as(call.thread, sid, label, class, file::map, about)?;
        let opener = self.sid(call.thread)?;
        if opener != sid && !self.is_first {
            self.may_as(call.thread, sid, opener, Class::Fd, fd::r#use, about)?;
        }
        self.may_as(call.thread, sid, label, class, file::read, about)?;
        self.may_as(call.thread, sid, label, class, file::read | file::execute, about)
    }

    /// A file that the program's first line or header names.
    fn interpreter(&mut self, call: &Notification, path: &[u8]) -> Result<Object, Errno> {
        let how = How { follow: true, name: false };
        let found = self.walker(call.thread)?.walk(Base::Current, path, how)?;
        self.may_walk(call.thread, &found)?;
        let End::Object(object) = found.end else { return Err(Errno::NOENT) };
        self.may_execute(call, &object)?;
        Ok(object)
    }

    /// What opening a file to execute it asks for (`do_open_execat`).
    fn may_execute(&mut self, call: &Notification, object: &Object) -> Result<(), Errno> {
        use rustix::fs::{Access, AtFlags, accessat};
        if object.facts.kind() != libc::S_IFREG {
            return Err(if object.facts.is_link() { Errno::LOOP } else { Errno::ACCESS });
        }
        accessat(CWD, object.magic(), Access::EXEC_OK, AtFlags::EACCESS)?;
        // A program that cannot be read could not be watched.
        accessat(CWD, object.magic(), Access::READ_OK, AtFlags::EACCESS)?;
        if is_mounted(object, libc::ST_NOEXEC) {
            return Err(Errno::ACCESS);
        }
        self.may_file(call.thread, object, file::execute)?;
        self.may_file(call.thread, object, file::read | file::open)
    }

    /// The context that a program gets, and whether it is to distrust its environment.
    fn next_context(&mut self, call: &Notification, first: &Object) -> Result<(Sid, bool), Errno> {
        let task = self.tasks.get(call.thread).ok_or(Errno::SRCH)?.clone();
        let old = task.security.sid;
        let label = self.label(call.thread, first)?;
        let about = About::Object(first);
        if self.is_first
            && let Some(sid) = task.security.exec
        {
            // Whoever started the monitor chose the context: what is left is whether this program is a way into it.
            self.may_as(call.thread, sid, label, Class::File, file::entrypoint, about)?;
            return Ok((sid, false));
        }
        let mut new = match task.security.exec {
            Some(asked) => {
                self.may_lose_privileges(call, first, old, asked)?;
                asked
            }
            None => {
                let class = self.vocabulary.known(Class::Process).map(|it| it.class);
                let computed = self.server.compute(Compute::Create, old, label, class, None);
                computed.map_err(|_| Errno::ACCESS)?
            }
        };
        if task.security.exec.is_none()
            && new != old
            && self.may_lose_privileges(call, first, old, new).is_err()
        {
            new = old;
        }
        if new == old {
            self.may(call.thread, label, Class::File, file::execute_no_trans, about)?;
            return Ok((new, false));
        }
        self.may(call.thread, new, Class::Process, process::transition, about)?;
        self.may_as(call.thread, new, label, Class::File, file::entrypoint, about)?;
        let trusts =
            self.may(call.thread, new, Class::Process, process::noatsecure, About::Nothing);
        Ok((new, trusts.is_err()))
    }

    /// `check_nnp_nosuid`: a program that gave up privileges, or a file system without them, leads to another context only if the
    /// policy says so.
    fn may_lose_privileges(
        &mut self,
        call: &Notification,
        first: &Object,
        old: Sid,
        new: Sid,
    ) -> Result<(), Errno> {
        let no_new_privs = self.tasks.get(call.thread).is_some_and(|it| it.no_new_privs);
        let nosuid = is_mounted(first, libc::ST_NOSUID);
        if old == new || !no_new_privs && !nosuid {
            return Ok(());
        }
        let nnp = if no_new_privs { process2::nnp_transition } else { 0 };
        let mount = if nosuid { process2::nosuid_transition } else { 0 };
        let may =
            self.may_as(call.thread, old, new, Class::Process2, nnp | mount, About::Object(first));
        may.map_err(|why| if no_new_privs { Errno::PERM } else { why })
    }

    /// A program has been taken by the kernel and stands before its first instruction.
    pub(crate) fn executed(&mut self, process: i32, former: i32) {
        let Some(plan) = self.plans.remove(&former) else {
            if stands(Defence::Programs) {
                trace::kill(process, libc::SIGKILL);
            }
            return;
        };
        if !is_as_planned(process, &plan) || self.settle_program(process, plan).is_err() {
            trace::kill(process, libc::SIGKILL);
        }
        self.is_first = false;
    }

    fn settle_program(&mut self, process: i32, plan: Plan) -> Result<(), Errno> {
        if plan.secure {
            self.distrust_environment(process)?;
        }
        self.scripts.remove(&process);
        if let Some(script) = plan.script {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let file = openat(CWD, script.file.magic(), flags, Mode::empty())?;
            self.scripts.insert(process, (script.path, file));
        }
        let old = self.sid(process)?;
        if plan.sid != old && !self.is_first {
            self.inherits(process, old, plan.sid)?;
        }
        if !plan.runs {
            self.taking.remove(&process);
            let registers = Registers::of(process).map_err(|it| error(&it))?;
            registers.calling(NOWHERE, 0, [0; 4]).set(process).map_err(|it| error(&it))?;
        }
        let task = self.tasks.get_mut(process).ok_or(Errno::SRCH)?;
        task.security = Security { previous: old, ..Security::new(plan.sid) };
        Ok(())
    }

    /// The script that an interpreter opens first is the one that was decided about.
    pub(super) fn script(&mut self, thread: i32, path: &[u8]) -> Option<std::os::fd::OwnedFd> {
        if self.scripts.is_empty() || !stands(Defence::BoundScript) {
            return None;
        }
        let process = self.tasks.get(thread)?.process;
        if self.scripts.get(&process)?.0 != path {
            return None;
        }
        self.scripts.remove(&process).map(|it| it.1)
    }

    /// Writes 1 for `AT_SECURE`, as the kernel would have: what `ld.so` and libc take from the environment is less then.
    fn distrust_environment(&mut self, process: i32) -> Result<(), Errno> {
        let (at, vector) = self.auxiliary(process)?;
        let entry = vector.chunks_exact(2).position(|it| it[0] == AT_SECURE);
        let entry = entry.ok_or(Errno::FAULT)? as u64;
        self.tasks.write(process, at + entry * 16 + 8, &1_u64.to_ne_bytes())
    }

    /// Where the auxiliary vector of a program that stands at its beginning is, and what is in it.
    fn auxiliary(&mut self, process: i32) -> Result<(u64, Vec<u64>), Errno> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
        let stat = stat.map_err(|_| Errno::SRCH)?;
        // Field 28 is the address of the stack's beginning; the third stands behind the name.
        let after = stat.rsplit_once(") ").ok_or(Errno::FAULT)?.1;
        let stack = after.split(' ').nth(25).and_then(|it| it.parse().ok());
        let stack: u64 = stack.ok_or(Errno::FAULT)?;
        let words = u64::from_ne_bytes(self.word(process, stack)?);
        let mut at = stack + 8 * (words + 2);
        while self.word(process, at)? != [0; 8] {
            at += 8;
        }
        at += 8;
        let mut vector = Vec::new();
        loop {
            let next = at + 8 * vector.len() as u64;
            let key = u64::from_ne_bytes(self.word(process, next)?);
            vector.push(key);
            vector.push(u64::from_ne_bytes(self.word(process, next + 8)?));
            if key == AT_NULL || vector.len() > 128 {
                return Ok((at, vector));
            }
        }
    }

    fn word(&mut self, process: i32, at: u64) -> Result<[u8; 8], Errno> {
        self.tasks.bytes(process, at, 8)?.try_into().map_err(|_| Errno::FAULT)
    }

    /// What a program sets or asks about itself by `prctl`.
    pub(super) fn options(&mut self, call: &Notification) -> Result<Reply, Errno> {
        let [option, value, ..] = call.arguments;
        let task = self.tasks.get_mut(call.thread).ok_or(Errno::SRCH)?;
        match int(option) {
            // A program that nobody may read could not be watched.
            libc::PR_SET_DUMPABLE => Ok(super::DONE.into()),
            libc::PR_SET_NO_NEW_PRIVS if value == 1 => {
                task.no_new_privs = true;
                Ok(super::DONE.into())
            }
            libc::PR_GET_NO_NEW_PRIVS => Ok(Answer::Value(task.no_new_privs.into()).into()),
            _ => Err(Errno::INVAL),
        }
    }
}

/// Is what the kernel took what was decided about?
fn is_as_planned(process: i32, plan: &Plan) -> bool {
    let is = |path: String, object: &Object| {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let taken = openat(CWD, path, flags, Mode::empty()).and_then(|it| Facts::of(it.as_fd()));
        taken.is_ok_and(|it| it.inode == object.facts.inode)
    };
    if stands(Defence::VerifiedProgram) && !is(format!("/proc/{process}/exe"), &plan.program) {
        return false;
    }
    if stands(Defence::VerifiedLinker) && !is_linked_by(process, plan.linker.as_ref()) {
        return false;
    }
    let script = plan.script.as_ref().filter(|_| stands(Defence::VerifiedScript));
    script.is_none_or(|script| {
        let words = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = words.split(|it| *it == 0).collect();
        words.iter().zip(&script.words).all(|(a, b)| a == b) && words.len() > script.words.len()
    })
}

/// Is this file, or none, mapped where the kernel put the dynamic linker?
fn is_linked_by(process: i32, linker: Option<&Object>) -> bool {
    match (auxiliary_of(process, AT_BASE), linker) {
        (Some(0), None) => true,
        (Some(base), Some(linker)) => {
            let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
            let start = format!("{base:x}-");
            let line = maps.lines().find(|it| it.starts_with(&start));
            line.and_then(super::memory::area).is_some_and(|it| it.shows(linker))
        }
        _ => false,
    }
}

/// What the kernel told a program at its start.
pub(super) fn auxiliary_of(process: i32, key: u64) -> Option<u64> {
    let vector = std::fs::read(format!("/proc/{process}/auxv")).ok()?;
    let word = |it: &[u8]| it.try_into().map_or(0, u64::from_ne_bytes);
    let mut pairs = vector.chunks_exact(16).map(|it| (word(&it[..8]), word(&it[8..])));
    pairs.find(|it| it.0 == key).map(|it| it.1)
}

fn is_mounted(object: &Object, flag: libc::c_ulong) -> bool {
    rustix::fs::fstatvfs(object).is_ok_and(|it| it.f_flag.bits() & flag != 0)
}

/// The path of an interpreter, and an option.
type Interpreter = (Vec<u8>, Option<Vec<u8>>);

/// The interpreter of a script and its one option, as its first line names them.
fn interpreter_of(object: &Object) -> Result<Option<Interpreter>, Errno> {
    let file = openat(CWD, object.magic(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut head = [0; HEAD];
    let read = rustix::io::pread(&file, &mut head, 0)?;
    let Some(line) = head[..read].strip_prefix(b"#!") else { return Ok(None) };
    let end = line.iter().position(|it| matches!(it, b'\n' | 0));
    let line = &line[..end.unwrap_or(line.len())];
    let blank = |it: &u8| matches!(it, b' ' | b'\t');
    let trimmed = |line: &[u8]| {
        let from = line.iter().position(|it| !blank(it)).unwrap_or(line.len());
        let to = line.iter().rposition(|it| !blank(it)).map_or(from, |it| it + 1);
        line[from..to].to_vec()
    };
    let line = trimmed(line);
    if line.is_empty() {
        return Err(Errno::NOEXEC);
    }
    let split = line.iter().position(blank);
    // A name that does not end in what was read could be another one (load_script).
    if split.is_none() && end.is_none() && read == HEAD {
        return Err(Errno::NOEXEC);
    }
    Ok(Some(match split {
        None => (line, None),
        Some(at) => (line[..at].to_vec(), Some(trimmed(&line[at..])).filter(|it| !it.is_empty())),
    }))
}

/// The dynamic linker that an ELF file names (`PT_INTERP`).
fn linker_of(object: &Object) -> Result<Option<Vec<u8>>, Errno> {
    const PT_INTERP: u32 = 3;
    let file = openat(CWD, object.magic(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut header = [0; 64];
    let read = rustix::io::pread(&file, &mut header, 0)?;
    if read < 64 || !header.starts_with(b"\x7fELF") || header[4] != 2 {
        // Neither a script nor a program of this machine: the kernel says what it thinks of it.
        return Err(Errno::NOEXEC);
    }
    let word = |bytes: &[u8], at: usize| {
        bytes.get(at..at + 8).and_then(|it| it.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    let (table, size, number) =
        (word(&header, 32), 56, u64::from(header[56]) | u64::from(header[57]) << 8);
    for n in 0..number.min(512) {
        let mut entry = [0; 56];
        rustix::io::pread(&file, &mut entry, table + n * size)?;
        if u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]) == PT_INTERP {
            let length =
                usize::try_from(word(&entry, 32)).ok().filter(|it| (2..=4096).contains(it));
            let mut path = vec![0; length.ok_or(Errno::NOEXEC)?];
            let read = rustix::io::pread(&file, &mut path[..], word(&entry, 8))?;
            path.truncate(read);
            let end = path.iter().position(|it| *it == 0).ok_or(Errno::NOEXEC)?;
            path.truncate(end);
            return Ok(Some(path));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::path_of;

    fn object(path: &str) -> Object {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let file = openat(CWD, path, flags, Mode::empty()).unwrap();
        let path = path_of(file.as_fd()).unwrap();
        Object::new(file, path).unwrap()
    }

    #[test]
    fn the_linker_of_a_program_is_found() {
        let linker = linker_of(&object("/bin/sh")).unwrap().unwrap();
        assert!(linker.starts_with(b"/lib"), "{}", String::from_utf8_lossy(&linker));
        assert_eq!(linker_of(&object("/etc/passwd")).err(), Some(Errno::NOEXEC));
    }
}
