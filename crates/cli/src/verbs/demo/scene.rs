//! What is played before the eyes of whoever looks: commands as they would be typed, and what they print.

use std::io::{self, BufRead as _, Write};

use anyhow::{Result, bail};
use mandate_host::interrupt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::server::{self, Server};
use super::stage::Stage;
use super::web;
use crate::{DENIED, STRONG, styled};

/// The stage, and where it is shown.
pub(super) struct Scene<'a> {
    pub(super) stage: &'a Stage,
    pub(super) out: &'a mut dyn Write,
}

/// What a denial names that every program with the allocator of this one meets, whatever it does then.
pub(super) const ALLOCATOR: &str = "(sysctl_vm_t)";

/// Denials are shown, and what programs say, but not the summary of a run: a step of its own explains.
fn is_shown(line: &str) -> bool {
    let of_monitor = line.starts_with("mandate: ");
    !of_monitor || line.contains("denied: ") && !line.contains(ALLOCATOR)
}

/// What became of a command.
pub(super) struct Done {
    pub(super) code: Option<i32>,
    pub(super) printed: String,
}

impl Done {
    pub(super) fn has(&self, words: &str) -> bool {
        self.printed.contains(words)
    }
}

impl Scene<'_> {
    /// Types a command and shows what it prints.
    pub(super) fn types(&mut self, line: &str) -> Result<Done> {
        self.command(line)?;
        let (code, printed) = self.stage.run(line)?;
        self.prints(&printed)?;
        if interrupt::asked() {
            bail!("ended by a signal");
        }
        if code == Some(2) {
            server::refused(&printed)?;
        }
        Ok(Done { code, printed })
    }

    /// Starts the web server, under what stands before it.
    pub(super) fn serves(&mut self, before: &str) -> Result<Server> {
        let server = Server::start(self.stage, before)?;
        self.command(&format!("{} &", server.line))?;
        Ok(server)
    }

    /// Asks the web server for a page.
    pub(super) fn asks(&mut self, server: &Server, path: &str) -> Result<String> {
        let port = server.port;
        let option = if path.contains("..") { "--path-as-is " } else { "" };
        self.command(&format!("curl {option}http://127.0.0.1:{port}{path}"))?;
        let page = web::get(port, path)?;
        self.prints(&page)?;
        Ok(page)
    }

    /// Ends the web server, and shows what was told of it.
    pub(super) fn ends(&mut self, server: Server) -> Result<String> {
        self.command("kill %1")?;
        let printed = server.end()?;
        self.prints(&printed)?;
        server::refused(&printed)?;
        Ok(printed)
    }

    fn command(&mut self, line: &str) -> Result<()> {
        writeln!(self.out, "$ {}", styled(STRONG, line))?;
        Ok(self.out.flush()?)
    }

    fn prints(&mut self, text: &str) -> Result<()> {
        for line in text.lines().filter(|it| is_shown(it)) {
            match line.contains("denied: ") {
                true => writeln!(self.out, "  {}", styled(DENIED, line))?,
                false => writeln!(self.out, "  {line}")?,
            }
        }
        Ok(self.out.flush()?)
    }

    /// Waits for Enter, or for a signal.
    pub(super) fn wait(&mut self) -> Result<()> {
        write!(self.out, "[Enter] ")?;
        self.out.flush()?;
        let input = io::stdin();
        // A read would go on after a signal, and one that comes before it is waited for wakes nobody.
        let moment = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        while !interrupt::asked() {
            let ready = poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&moment));
            if ready.is_ok_and(|it| it > 0) {
                input.lock().read_line(&mut String::new())?;
                break;
            }
        }
        Ok(())
    }
}
