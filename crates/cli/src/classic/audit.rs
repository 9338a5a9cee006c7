//! What `ausearch` and `aureport` have in common: words, times, where logs are.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::civil::{DateTime, Time};

use crate::logs::clock::Clock;
use crate::logs::times::{self, End};
use crate::logs::{LOG, rotated};

/// Why words are not worked off.
pub(super) enum Wrong {
    /// Help or a version was asked for.
    Asked(String),
    /// No word at all.
    Usage,
    /// One is wrong.
    Message(String),
}

/// Words of a command line, one after the other.
pub(super) struct Words<'a> {
    rest: std::slice::Iter<'a, String>,
}

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a [String]) -> Self {
        Self { rest: words.iter() }
    }

    pub(super) fn next(&mut self) -> Option<String> {
        self.rest.next().cloned()
    }

    /// The argument of an option.
    pub(super) fn argument(&mut self, option: &str) -> Result<String, Wrong> {
        let argument = self.value();
        argument.ok_or_else(|| Wrong::Message(format!("Argument is required for {option}")))
    }

    /// The next word, if it is no option.
    fn value(&mut self) -> Option<String> {
        let next = self.rest.as_slice().first().filter(|it| !it.starts_with('-'))?;
        self.rest.next();
        Some(next.clone())
    }

    /// A date, a time, or both.
    pub(super) fn time(&mut self, option: &str, end: End) -> Result<Option<i64>, Wrong> {
        let Some(first) = self.value() else {
            return Err(Wrong::Message(format!("{option} requires either date and/or time")));
        };
        let second = self.value();
        seconds(&first, second.as_deref(), end)
    }
}

fn seconds(first: &str, second: Option<&str>, end: End) -> Result<Option<i64>, Wrong> {
    let mut clock = Clock::here();
    if first == "checkpoint" {
        return Err(Wrong::Message("checkpoint is an unsupported option".to_owned()));
    }
    let now = times::now(&mut clock);
    if second.is_none()
        && let Some(seconds) = times::word(first, end, &mut clock, Clock::now())
    {
        return Ok(Some(seconds));
    }
    let (date, time) = match second {
        None if first.contains(':') => (now.date(), clock_time(first, end)?),
        None => (
            date(first, end, &mut clock)?,
            if end == End::Start { Time::midnight() } else { now.time() },
        ),
        Some(second) => (date(first, end, &mut clock)?, clock_time(second, end)?),
    };
    Ok(clock.seconds(DateTime::from_parts(date, time)))
}

fn which(end: End) -> &'static str {
    if end == End::Start { "start" } else { "end" }
}

/// `11/14/23`, the date of C's locale, or that of a word.
fn date(text: &str, end: End, clock: &mut Clock) -> Result<jiff::civil::Date, Wrong> {
    if let Some(seconds) = times::word(text, end, clock, Clock::now()) {
        return Ok(clock.local(seconds).date());
    }
    let which = which(end);
    let wrong = || {
        Wrong::Message(format!("Invalid {which} date ({text}). Month, Day, and Year are required."))
    };
    let (_, year) = text.rsplit_once('/').ok_or_else(wrong)?;
    if text.split('/').count() == 3 && year.len() > 2 {
        return Err(Wrong::Message(format!("Error parsing {which} date ({text})")));
    }
    times::date(text).ok_or_else(wrong)
}

fn clock_time(text: &str, end: End) -> Result<Time, Wrong> {
    times::time(text).ok_or_else(|| {
        let which = which(end);
        let message =
            format!("Invalid {which} time ({text}). Hour, Minute, and Second are required.");
        Wrong::Message(message)
    })
}

/// Is standard input a pipe? Then it is read instead of the logs.
pub(super) fn stdin_is_pipe() -> bool {
    use std::os::fd::AsFd as _;
    let kind = rustix::fs::fstat(std::io::stdin().as_fd())
        .map(|it| rustix::fs::FileType::from_raw_mode(it.st_mode));
    kind.is_ok_and(|it| it == rustix::fs::FileType::Fifo)
}

/// The files that are read, or what is wrong.
pub(super) fn inputs(
    input: Option<&Path>,
    stdin: bool,
    err: &mut dyn Write,
) -> Result<std::result::Result<Vec<PathBuf>, String>> {
    let log = match input {
        None if stdin => return Ok(Ok(vec![PathBuf::from("-")])),
        None => PathBuf::from(LOG),
        Some(path) => match path.metadata() {
            Err(why) => return Ok(Err(format!("stat: {}", super::system_words(&why)))),
            Ok(it) if it.is_dir() => {
                let log = path.join("audit.log");
                writeln!(err, "NOTE - using logs in {}", log.display())?;
                log
            }
            Ok(_) => return Ok(Ok(vec![path.to_owned()])),
        },
    };
    let files = rotated(&log);
    match (files.is_empty(), std::fs::File::open(&log)) {
        (true, Err(why)) => {
            Ok(Err(format!("Error opening {} ({})", log.display(), super::system_words(&why))))
        }
        _ => Ok(Ok(files)),
    }
}
