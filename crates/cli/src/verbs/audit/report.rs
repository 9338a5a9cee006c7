//! `mandate audit report`: how much there is of what.

use std::collections::HashMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mandate_audit::{Access, BadLine, Event, Search, Stamp};
use serde_json::{Map, Value, json};

use super::select::Select;
use super::show::{cell, printable};
use crate::logs::clock::Clock;
use crate::logs::{self, Visitor};
use crate::{Outcome, STRONG, styled};

/// Arguments of `audit report`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandate audit report
  mandate audit report --by scontext --since today
  mandate audit report --by path --denied --format csv audit.log")]
pub(super) struct Args {
    /// Logs, - for standard input; without any, /var/log/audit/audit.log and those it was rotated to
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    select: Select,
    /// Count accesses by this alone
    #[arg(long, value_enum)]
    by: Option<Key>,
    /// At most so many lines for each key; 0 for all
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// How the report is shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// Key, value and count, a line each
    Csv,
}

/// By what accesses are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Key {
    /// The context of who asked
    Scontext,
    /// The context of what was asked for
    Tcontext,
    /// The class
    Class,
    /// Each permission
    Perm,
    /// The name of the process
    Comm,
    /// The file that it executes
    Exe,
    /// The path, or the name if there is none
    Path,
}

impl Key {
    const ALL: [Self; 7] = [
        Self::Scontext,
        Self::Tcontext,
        Self::Class,
        Self::Perm,
        Self::Comm,
        Self::Exe,
        Self::Path,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Scontext => "scontext",
            Self::Tcontext => "tcontext",
            Self::Class => "class",
            Self::Perm => "permission",
            Self::Comm => "comm",
            Self::Exe => "exe",
            Self::Path => "path",
        }
    }

    fn add(self, access: &Access, counts: &mut Counts) {
        let object = &access.object;
        match self {
            Self::Scontext => counts.add(access.scontext.as_bytes()),
            Self::Tcontext => counts.add(access.tcontext.as_bytes()),
            Self::Class => counts.add(access.tclass.as_bytes()),
            Self::Perm => access.permissions.iter().for_each(|it| counts.add(it.as_bytes())),
            Self::Comm => access.comm.iter().for_each(|it| counts.add(it)),
            Self::Exe => access.exe.iter().for_each(|it| counts.add(it)),
            Self::Path => object
                .path
                .as_ref()
                .or(object.name.as_ref())
                .into_iter()
                .for_each(|it| counts.add(it)),
        }
    }
}

#[derive(Default)]
struct Counts(HashMap<Vec<u8>, u64>);

impl Counts {
    fn add(&mut self, value: &[u8]) {
        match self.0.get_mut(value) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(value.to_vec(), 1)),
        }
    }

    /// The most frequent first, then by the alphabet.
    fn sorted(&self, top: usize) -> Vec<(&[u8], u64)> {
        let mut all: Vec<_> = self.0.iter().map(|it| (it.0.as_slice(), *it.1)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        all.truncate(if top == 0 { all.len() } else { top });
        all
    }
}

#[derive(Default)]
struct Report {
    search: Search,
    keys: Vec<(Key, Counts)>,
    kinds: Counts,
    events: u64,
    denied: u64,
    permissive: u64,
    granted: u64,
    bad: u64,
    first: Option<Stamp>,
    last: Option<Stamp>,
    told: Vec<String>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let keys = args.by.map_or(Key::ALL.to_vec(), |it| vec![it]);
    let keys = keys.into_iter().map(|it| (it, Counts::default())).collect();
    let mut report = Report { search: args.select.search(), keys, ..Report::default() };
    logs::visit(&logs::files(&args.files)?, &mut report)?;
    report.told.iter().try_for_each(|it| writeln!(err, "{it}"))?;
    match args.format {
        Format::Text => report.text(args.by.is_none(), args.top, out)?,
        Format::Json => {
            writeln!(out, "{}", serde_json::to_string_pretty(&report.json(args.top))?)?;
        }
        Format::Csv => report.csv(args.top, out)?,
    }
    Ok(Outcome::Success)
}

impl Visitor for Report {
    fn event(&mut self, event: &Event<'static>) -> Result<ControlFlow<()>> {
        if !self.search.matches(event) {
            return Ok(ControlFlow::Continue(()));
        }
        self.events += 1;
        if let Some(stamp) = event.stamp() {
            self.first = self.first.into_iter().chain([stamp]).min();
            self.last = self.last.into_iter().chain([stamp]).max();
        }
        for record in
            event.records().iter().filter(|it| !self.search.selinux || it.kind().is_selinux())
        {
            self.kinds.add(record.kind().to_string().as_bytes());
        }
        for access in event.accesses() {
            *(if access.denied { &mut self.denied } else { &mut self.granted }) += 1;
            self.permissive += u64::from(access.denied && access.permissive == Some(true));
            self.keys.iter_mut().for_each(|(key, counts)| key.add(&access, counts));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn bad(&mut self, file: &Path, line: &BadLine) -> Result<()> {
        self.bad += 1;
        self.told.push(format!("{}:{line}", file.display()));
        Ok(())
    }
}

impl Report {
    fn text(&self, whole: bool, top: usize, out: &mut dyn Write) -> Result<()> {
        if whole {
            let mut clock = Clock::here();
            let mut time = |it: Option<Stamp>| {
                it.map_or_else(|| "-".to_owned(), |it| clock.plain(it.seconds, it.millis))
            };
            writeln!(out, "{} events, {} to {}", self.events, time(self.first), time(self.last))?;
            let enforced = self.denied - self.permissive;
            writeln!(
                out,
                "{} denied ({enforced} enforced, {} permissive), {} granted",
                self.denied, self.permissive, self.granted
            )?;
            if self.bad > 0 {
                writeln!(out, "{} lines that are no records", self.bad)?;
            }
            table("type", &self.kinds, top, out)?;
        }
        self.keys.iter().try_for_each(|(key, counts)| table(key.name(), counts, top, out))
    }

    fn json(&self, top: usize) -> Value {
        let list = |counts: &Counts| -> Value {
            let one = |it: &(&[u8], u64)| json!({ "value": String::from_utf8_lossy(it.0), "count": it.1 });
            counts.sorted(top).iter().map(one).collect()
        };
        let by: Map<String, Value> =
            self.keys.iter().map(|(key, counts)| (key.name().to_owned(), list(counts))).collect();
        let seconds = |it: Option<Stamp>| it.map(|it| it.seconds);
        json!({
            "events": self.events,
            "first": seconds(self.first),
            "last": seconds(self.last),
            "denied": self.denied,
            "permissive": self.permissive,
            "granted": self.granted,
            "malformed": self.bad,
            "types": list(&self.kinds),
            "by": by,
        })
    }

    fn csv(&self, top: usize, out: &mut dyn Write) -> Result<()> {
        writeln!(out, "key,value,count")?;
        for (key, counts) in &self.keys {
            for (value, count) in counts.sorted(top) {
                writeln!(out, "{},{},{count}", key.name(), cell(&String::from_utf8_lossy(value)))?;
            }
        }
        Ok(())
    }
}

fn table(name: &str, counts: &Counts, top: usize, out: &mut dyn Write) -> Result<()> {
    let rows = counts.sorted(top);
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", styled(STRONG, name))?;
    for (value, count) in &rows {
        let shown = if value.is_empty() { "?".to_owned() } else { printable(value) };
        writeln!(out, "{count:8}  {shown}")?;
    }
    match counts.0.len() - rows.len() {
        0 => Ok(()),
        more => Ok(writeln!(out, "          … and {more} more")?),
    }
}
