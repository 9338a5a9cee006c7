//! `mandate audit follow`: events as they are written.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use mandate_audit::{BadLine, Event, Search};

use super::select::Select;
use super::show::{Format, Show};
use crate::Outcome;
use crate::logs::{self, Feed, Visitor};

/// How long it sleeps when there is nothing new.
const PAUSE: Duration = Duration::from_millis(100);
/// When nothing came for so long, nothing more comes of the events that wait.
const QUIET: Duration = Duration::from_millis(400);

/// Arguments of `audit follow`.
#[derive(clap::Args)]
#[command(after_help = "\
Begins at the end of the log. When the log is renamed or cut off, goes on with the new one. An event is shown when its last record was written, or
half a second after it.

Examples:
  mandate audit follow --denied
  journalctl -f _TRANSPORT=audit -o json | mandate audit follow -")]
pub(super) struct Args {
    /// A log, or - for standard input
    #[arg(value_name = "FILE", default_value = logs::LOG)]
    file: PathBuf,
    #[command(flatten)]
    select: Select,
    /// How events are shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Begin at the beginning of the log
    #[arg(long)]
    from_start: bool,
    /// Stop after so many events
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let show = Show::new(args.format);
    show.head(out)?;
    let mut shown = Shown { search: args.select.search(), show, left: args.count, out, err };
    if args.file == Path::new("-") {
        let mut feed = Feed::default();
        let mut input = logs::open(&args.file)?;
        while feed.fill(&mut *input).context("standard input")? {
            if feed.lines(&args.file, &mut shown)?.is_break() {
                return Ok(Outcome::Success);
            }
            shown.out.flush()?;
        }
        feed.finish(&mut shown)?;
        return Ok(Outcome::Success);
    }
    follow(args, &mut shown)?;
    Ok(Outcome::Success)
}

/// Reads what is written to a file, and to the one that takes its place.
fn follow(args: &Args, shown: &mut Shown<'_>) -> Result<()> {
    let mut tail = Tail::open(&args.file, args.from_start)?;
    let mut feed = Feed::default();
    let mut changed = Instant::now();
    loop {
        let mut any = false;
        while feed.fill(&mut tail.file).with_context(|| args.file.display().to_string())? {
            any = true;
            if feed.lines(&args.file, shown)?.is_break() {
                return Ok(());
            }
        }
        if any {
            changed = Instant::now();
        } else if tail.moved(&args.file)? {
            // What was left of a line is no part of the new file.
            feed.begin_file();
            continue;
        } else if changed.elapsed() > QUIET {
            if feed.settle(shown)?.is_break() {
                return Ok(());
            }
            shown.out.flush()?;
            changed = Instant::now();
        }
        if !any {
            thread::sleep(PAUSE);
        }
    }
}

/// An open log, and which file it is.
struct Tail {
    file: File,
    inode: (u64, u64),
}

impl Tail {
    fn open(path: &Path, from_start: bool) -> Result<Self> {
        let shown = || path.display().to_string();
        let mut file = File::open(path).with_context(shown)?;
        if !from_start {
            file.seek(SeekFrom::End(0)).with_context(shown)?;
        }
        let metadata = file.metadata().with_context(shown)?;
        Ok(Self { inode: (metadata.dev(), metadata.ino()), file })
    }

    /// Opens what took the file's place, or goes back to the beginning of one that was cut off.
    fn moved(&mut self, path: &Path) -> Result<bool> {
        let position = self.file.stream_position()?;
        if self.file.metadata()?.len() < position {
            self.file.rewind()?;
            return Ok(true);
        }
        match std::fs::metadata(path) {
            Ok(now) if (now.dev(), now.ino()) != self.inode => {
                // Its last lines may have come since it was read.
                let mut rest = [0];
                if self.file.read(&mut rest)? > 0 {
                    self.file.seek(SeekFrom::Current(-1))?;
                    return Ok(false);
                }
                *self = Self::open(path, true)?;
                Ok(true)
            }
            // Between renaming and making anew there is none.
            _ => Ok(false),
        }
    }
}

struct Shown<'a> {
    search: Search,
    show: Show,
    left: Option<u64>,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl Visitor for Shown<'_> {
    fn event(&mut self, event: &Event<'static>) -> Result<ControlFlow<()>> {
        if self.search.matches(event) {
            self.show.event(event, self.out)?;
            self.out.flush()?;
            self.left = self.left.map(|it| it.saturating_sub(1));
        }
        Ok(if self.left == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn bad(&mut self, file: &Path, line: &BadLine) -> Result<()> {
        Ok(writeln!(self.err, "{}:{line}", file.display())?)
    }
}
