//! Terminals belong to the programs that sit at them: those that the program was started at, as a login would relabel them, and those that
//! programs make. All others are the system's.

use std::os::fd::{AsFd, BorrowedFd};

use mandate_server::Compute;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::class::Class;
use crate::object::Object;
use crate::path::path_of;
use crate::supervisor::Monitor;

/// Where pseudo terminals are, and what makes one when it is opened.
const FOLDER: &[u8] = b"/dev/pts/";
const MAKERS: [&[u8]; 2] = [b"/dev/ptmx", b"/dev/pts/ptmx"];

impl Monitor<'_> {
    /// The terminals that the program, as this process, was started with.
    pub(crate) fn take_terminals(&mut self, thread: i32) {
        let (input, output, errors) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
        for file in [input.as_fd(), output.as_fd(), errors.as_fd()] {
            if rustix::termios::isatty(file) {
                // One that is not found here stays what it is.
                let _unknown = path_of(file).and_then(|it| self.take_terminal(thread, it));
            }
        }
    }

    /// A program has opened what makes terminals: a new one is its own.
    pub(super) fn has_made(
        &mut self,
        thread: i32,
        maker: &Object,
        opened: BorrowedFd<'_>,
    ) -> Result<(), Errno> {
        if maker.facts.class() != Class::ChrFile || !MAKERS.contains(&&*maker.path) {
            return Ok(());
        }
        let path = rustix::pty::ptsname(opened, Vec::new())?.into_bytes();
        self.take_terminal(thread, path)
    }

    fn take_terminal(&mut self, thread: i32, path: Vec<u8>) -> Result<(), Errno> {
        let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let object = Object::new(openat(CWD, &*path, flags, Mode::empty())?, path)?;
        let as_was = self.label(thread, &object)?;
        // The kernel labels a pseudo terminal for who makes it, a login any other for who logs in.
        let how = match object.path.starts_with(FOLDER) {
            true => Compute::Create,
            false => Compute::Relabel,
        };
        let class = self.vocabulary.known(Class::ChrFile).map(|it| it.class);
        let sid = self.sid(thread)?;
        let label = self.server.compute(how, sid, as_was, class, None);
        self.labels.keep_terminal(object, label.map_err(|_| Errno::ACCESS)?);
        Ok(())
    }
}
