//! The web server while it runs.

use std::io::{BufRead as _, BufReader, PipeReader, Read as _};
use std::process::{Child, Stdio};

use anyhow::{Result, bail};

use super::stage::Stage;
use super::{Lacking, web};

/// Ports of web servers, by the policy, that need no privilege.
const PORTS: [u16; 5] = [8080, 8008, 8009, 8443, 3128];

/// It ends with its standard input.
pub(super) struct Server {
    child: Child,
    printed: BufReader<PipeReader>,
    pub(super) port: u16,
    /// What was printed before it listened.
    pub(super) starting: String,
    /// As it would be typed.
    pub(super) line: String,
}

impl Server {
    /// Starts it at a port that is free; `before` is what stands before it on the command line.
    pub(super) fn start(stage: &Stage, before: &str) -> Result<Self> {
        for port in PORTS {
            let line = format!("{before}./webserver demo --serve www --port {port}");
            let (child, reader) = stage.start(&format!("exec {line}"), Stdio::piped())?;
            let printed = BufReader::new(reader);
            let mut server = Self { child, printed, port, starting: String::new(), line };
            if server.listens()? {
                return Ok(server);
            }
            let printed = server.end()?;
            if !printed.contains("in use") {
                refused(&printed)?;
                bail!("the web server does not listen: {}", printed.trim_end());
            }
        }
        Err(Lacking(format!("all ports of web servers are taken: {PORTS:?}")).into())
    }

    /// Waits until it can be asked, or has ended.
    fn listens(&mut self) -> Result<bool> {
        loop {
            let mut line = String::new();
            if self.printed.read_line(&mut line)? == 0 || line.starts_with(web::LISTENS) {
                return Ok(!line.is_empty());
            }
            self.starting.push_str(&line);
        }
    }

    /// Ends it: what it and the monitor printed, but not that it listens.
    pub(super) fn end(mut self) -> Result<String> {
        drop(self.child.stdin.take());
        let mut printed = std::mem::take(&mut self.starting);
        self.printed.read_to_string(&mut printed)?;
        self.child.wait()?;
        Ok(printed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// What `mandate run` says if it could start nothing is what the machine lacks.
///
/// # Errors
/// That.
pub(super) fn refused(printed: &str) -> Result<()> {
    let mut lines = printed.lines().filter_map(|it| it.strip_prefix("mandate: "));
    // There is a summary only of programs that ran.
    if lines.clone().any(|it| it.contains(" of them different")) {
        return Ok(());
    }
    match lines.find(|it| !it.contains("denied: ")) {
        Some(why) => Err(Lacking(why.to_owned()).into()),
        None => Ok(()),
    }
}
