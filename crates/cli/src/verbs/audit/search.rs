//! `mandate audit search`: events that have what is asked for.

use std::collections::HashMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use mandate_audit::{Access, BadLine, Event, Search};
use serde_json::json;

use super::select::Select;
use super::show::{Format, Show, access_json, access_text, cell};
use crate::Outcome;
use crate::logs::{self, Visitor};

/// Arguments of `audit search`.
#[derive(clap::Args)]
#[command(after_help = "\
Logs of the audit daemon (raw, enriched, interpreted), lines of the kernel's log and of syslog, and journalctl -o json are read, mixed if need be.
A line that begins as a record and is none is told with file, line and column; all others are read.

Examples:
  mandate audit search --since recent
  mandate audit search -m avc -s httpd_t -c file -p write
  mandate audit search --event 4711 --format interpreted /var/log/audit/audit.log.1
  mandate audit search --unique --since boot")]
pub(super) struct Args {
    /// Logs, - for standard input; without any, /var/log/audit/audit.log and those it was rotated to
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    select: Select,
    /// How events are shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Stop after the first event
    #[arg(long, short = '1')]
    just_one: bool,
    /// Show what was denied and granted once each, with how many times, and when last; the most frequent first
    #[arg(long, conflicts_with = "just_one")]
    unique: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    if args.unique && matches!(args.format, Format::Raw | Format::Interpreted) {
        bail!("--unique tells accesses, not records: --format text, json or csv");
    }
    let mut found = Found {
        search: args.select.search(),
        show: Show::new(args.format),
        just_one: args.just_one,
        unique: args.unique.then(Unique::default),
        any: false,
        out,
        err,
    };
    if !args.unique {
        found.show.head(found.out)?;
    }
    logs::visit(&logs::files(&args.files)?, &mut found)?;
    let Found { any, unique, .. } = found;
    if let Some(unique) = unique {
        unique.write(args.format, out)?;
    }
    Ok(if any { Outcome::Success } else { Outcome::Denied })
}

struct Found<'a> {
    search: Search,
    show: Show,
    just_one: bool,
    unique: Option<Unique>,
    any: bool,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl Visitor for Found<'_> {
    fn event(&mut self, event: &Event<'static>) -> Result<ControlFlow<()>> {
        if !self.search.matches(event) {
            return Ok(ControlFlow::Continue(()));
        }
        self.any = true;
        match &mut self.unique {
            Some(unique) => {
                let time = self.show.time(event);
                event.accesses().into_iter().for_each(|it| unique.add(it, &time));
            }
            None => self.show.event(event, self.out)?,
        }
        Ok(if self.just_one { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn bad(&mut self, file: &Path, line: &BadLine) -> Result<()> {
        Ok(writeln!(self.err, "{}:{line}", file.display())?)
    }
}

/// Accesses that differ in more than the process, and how often each was told.
#[derive(Default)]
pub(super) struct Unique {
    places: HashMap<Access, usize>,
    counted: Vec<Counted>,
}

struct Counted {
    access: Access,
    count: u64,
    first: String,
    last: String,
}

impl Unique {
    pub(super) fn add(&mut self, access: Access, time: &str) {
        let mut access = Access { pid: None, ..access };
        access.object.ino = None;
        let new = self.counted.len();
        let place = *self.places.entry(access.clone()).or_insert(new);
        match self.counted.get_mut(place) {
            Some(counted) => {
                counted.count += 1;
                time.clone_into(&mut counted.last);
            }
            None => {
                let (first, last) = (time.to_owned(), time.to_owned());
                self.counted.push(Counted { access, count: 1, first, last });
            }
        }
    }

    pub(super) fn write(mut self, format: Format, out: &mut dyn Write) -> Result<()> {
        self.counted.sort_by_key(|it| std::cmp::Reverse(it.count));
        if format == Format::Csv {
            writeln!(out, "count,first,last,access")?;
        }
        for Counted { access, count, first, last } in &self.counted {
            match format {
                Format::Json => {
                    let access = access_json(access);
                    let line =
                        json!({ "count": count, "first": first, "last": last, "access": access });
                    writeln!(out, "{line}")?;
                }
                Format::Csv => {
                    let cells = [&count.to_string(), first, last, &access_text(access)];
                    writeln!(out, "{}", cells.map(|it| cell(it)).join(","))?;
                }
                _ => writeln!(out, "{count:6}  last {last}  {}", access_text(access))?,
            }
        }
        Ok(())
    }
}
