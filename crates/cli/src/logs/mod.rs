//! Audit logs as commands read them: files in the order in which they were written, event by event.

pub(crate) mod accounts;
pub(crate) mod clock;
pub(crate) mod times;

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mandate_audit::{BadLine, Event, Joiner, Record};
use memchr::memchr_iter;

/// Where the audit daemon writes.
pub(crate) const LOG: &str = "/var/log/audit/audit.log";
/// How much is read at once.
const CHUNK: usize = 1 << 20;
/// Lines longer than this are malformed; the kernel's have 8970 bytes at most.
const LONGEST: usize = 1 << 26;

/// The files that were named, or the audit daemon's, the oldest first.
pub(crate) fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let all = rotated(Path::new(LOG));
    if all.is_empty() {
        bail!(
            "{LOG}: no such file; name a log, or - for standard input, such as `journalctl _TRANSPORT=audit -o json | mandate audit search -`"
        );
    }
    Ok(all)
}

/// A log and those that it was renamed to (`.1`, `.2`, …), the oldest first.
pub(crate) fn rotated(log: &Path) -> Vec<PathBuf> {
    let older = (1u32..).map(|it| {
        let mut name = log.as_os_str().to_owned();
        name.push(format!(".{it}"));
        PathBuf::from(name)
    });
    let mut all: Vec<_> =
        [log.to_owned()].into_iter().chain(older).take_while(|it| it.exists()).collect();
    all.reverse();
    all
}

/// Opens a file, or standard input for `-`.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    if path.is_dir() {
        bail!(
            "{} is a folder; name a log, such as {}",
            path.display(),
            path.join("audit.log").display()
        );
    }
    let file = File::open(path).with_context(|| path.display().to_string())?;
    Ok(Box::new(file))
}

/// What is done with events and with lines that are none.
pub(crate) trait Visitor {
    /// An event that is complete.
    fn event(&mut self, event: &Event<'static>) -> Result<ControlFlow<()>>;
    /// A line that begins as a record and is none.
    fn bad(&mut self, file: &Path, line: &BadLine) -> Result<()>;
}

/// Reads files one after the other.
pub(crate) fn visit(files: &[PathBuf], visitor: &mut dyn Visitor) -> Result<()> {
    let mut feed = Feed::default();
    for file in files {
        let mut reader = open(file)?;
        if feed.read(&mut *reader, file, visitor)?.is_break() {
            return Ok(());
        }
    }
    feed.finish(visitor)
}

/// Bytes in pieces, turned into events.
#[derive(Default)]
pub(crate) struct Feed {
    joiner: Joiner<'static>,
    /// What was read, of which the first bytes are done.
    bytes: Vec<u8>,
    line: u64,
    /// Records of other seconds are passed over before they are joined.
    start: Option<i64>,
    end: Option<i64>,
}

impl Feed {
    /// Records of a range of time alone; events end as many seconds after their time as is said.
    pub(crate) fn new(start: Option<i64>, end: Option<i64>, timeout: Option<u32>) -> Self {
        let joiner = match timeout {
            Some(seconds) => Joiner::new().with_timeout(seconds),
            None => Joiner::new(),
        };
        Self { joiner, start, end, ..Self::default() }
    }

    fn is_meant(&self, record: &Record<'_>) -> bool {
        let Some(stamp) = record.stamp() else { return true };
        self.start.is_none_or(|it| it <= stamp.seconds)
            && self.end.is_none_or(|it| stamp.seconds <= it)
    }

    /// Reads to the end; a last line without an end counts as one.
    pub(crate) fn read(
        &mut self,
        reader: &mut dyn Read,
        file: &Path,
        visitor: &mut dyn Visitor,
    ) -> Result<ControlFlow<()>> {
        self.line = 0;
        while self.fill(reader).with_context(|| file.display().to_string())? {
            if self.lines(file, visitor)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if !self.bytes.is_empty() {
            self.bytes.push(b'\n');
            return self.lines(file, visitor);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Reads more; is there any?
    pub(crate) fn fill(&mut self, reader: &mut dyn Read) -> io::Result<bool> {
        let old = self.bytes.len();
        self.bytes.resize(old + CHUNK, 0);
        let read = loop {
            match reader.read(self.bytes.get_mut(old..).unwrap_or_default()) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.bytes.truncate(old + read.as_ref().copied().unwrap_or(0));
        Ok(read? > 0)
    }

    /// Works off all whole lines.
    pub(crate) fn lines(
        &mut self,
        file: &Path,
        visitor: &mut dyn Visitor,
    ) -> Result<ControlFlow<()>> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut done = 0;
        for end in memchr_iter(b'\n', &bytes) {
            let line = bytes.get(done..end).unwrap_or_default();
            done = end + 1;
            self.line += 1;
            match Record::parse(line) {
                Ok(None) => continue,
                Ok(Some(record)) if !self.is_meant(&record) => continue,
                Ok(Some(record)) => self.joiner.push(record.into_owned()),
                Err(why) => visitor.bad(file, &BadLine { line: self.line, why })?,
            }
            if self.give(visitor)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let rest = bytes.len() - done;
        if rest > LONGEST {
            bail!("{}:{}: a line of more than {LONGEST} bytes", file.display(), self.line + 1);
        }
        self.bytes = bytes;
        self.bytes.drain(..done);
        Ok(ControlFlow::Continue(()))
    }

    fn give(&mut self, visitor: &mut dyn Visitor) -> Result<ControlFlow<()>> {
        while let Some(event) = self.joiner.next_event() {
            if visitor.event(&event)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Another file begins: lines count from 1, and what was left of a line is no part of it.
    pub(crate) fn begin_file(&mut self) {
        self.bytes.clear();
        self.line = 0;
    }

    /// All that waits is complete, though more may be read.
    pub(crate) fn settle(&mut self, visitor: &mut dyn Visitor) -> Result<ControlFlow<()>> {
        self.joiner.finish();
        self.give(visitor)
    }

    /// All that waits is complete.
    pub(crate) fn finish(&mut self, visitor: &mut dyn Visitor) -> Result<()> {
        self.settle(visitor).map(drop)
    }
}
