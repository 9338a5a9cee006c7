//! `aureport`: what an audit log tells of SELinux, as audit 3.0.9 counts it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mandate_audit::{
    Arch, Avc, BadLine, Event, Fields, Form, Kind, Names as _, Record, Search, Spread, visible,
};

use super::audit::{self, Wrong};
use super::aureport_heads::What;
use crate::logs::accounts::Machine;
use crate::logs::clock::Clock;
use crate::logs::times::End;
use crate::logs::{self, Feed, Visitor};

#[derive(Default)]
struct Options {
    what: Option<What>,
    summary: bool,
    interpret: bool,
    input: Option<PathBuf>,
    input_logs: bool,
    debug: bool,
    timeout: Option<u32>,
    search: Search,
}

pub(crate) fn aureport(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let options = match Options::read(words.get(1..).unwrap_or_default()) {
        Ok(options) => options,
        Err(Wrong::Asked(text)) => {
            write!(out, "{text}")?;
            return Ok(0);
        }
        Err(Wrong::Usage) => {
            write!(out, "{USAGE}")?;
            return Ok(1);
        }
        Err(Wrong::Message(message)) => {
            writeln!(err, "{message}")?;
            write!(out, "{USAGE}")?;
            return Ok(1);
        }
    };
    let Some(what) = options.what else {
        writeln!(
            err,
            "the summary of all events is an unsupported option; name a report: -a, -c, -e, -k, -m, -ma or -s"
        )?;
        return Ok(1);
    };
    let stdin = options.input.is_none() && !options.input_logs && !std::io::stdin().is_terminal();
    let files = audit::inputs(options.input.as_deref(), stdin && audit::stdin_is_pipe(), err)?;
    if let Err(message) = &files {
        writeln!(err, "{message}")?;
    }
    writeln!(out)?;
    out.write_all(what.head(options.summary, options.search.success).as_bytes())?;
    let Ok(files) = files else { return Ok(1) };
    let (start, end) = (options.search.start, options.search.end);
    let (timeout, summary) = (options.timeout, options.summary);
    let mut report = Report {
        options,
        what,
        clock: Clock::here(),
        machine: Machine::here(),
        line: 0,
        time: None,
        counts: Counts::default(),
        out,
        err,
    };
    let mut feed = Feed::new(start, end, timeout);
    for file in &files {
        feed.read(&mut *logs::open(file)?, file, &mut report)?.is_break();
    }
    feed.finish(&mut report)?;
    report.finish(summary)
}

impl Options {
    fn read(words: &[String]) -> Result<Self, Wrong> {
        let mut options = Self::default();
        let mut words = audit::Words::new(words);
        while let Some(word) = words.next() {
            options.option(&word, &mut words)?;
        }
        Ok(options)
    }

    fn option(&mut self, word: &str, words: &mut audit::Words<'_>) -> Result<(), Wrong> {
        match word {
            "-a" | "--avc" => self.choose(What::Avc)?,
            "-c" | "--config" => self.choose(What::Config)?,
            "-e" | "--event" => self.choose(What::Event)?,
            "-k" | "--key" => self.choose(What::Key)?,
            "-ma" | "--mac" => self.choose(What::Mac)?,
            "-m" | "--mods" => self.choose(What::Mods)?,
            "-s" | "--syscall" => self.choose(What::Syscall)?,
            "--summary" => self.summary = true,
            "-i" | "--interpret" => self.interpret = true,
            "--failed" => self.search.success = Some(false),
            "--success" => self.search.success = Some(true),
            "--node" => self.search.nodes.push(words.argument(word)?.into_bytes()),
            "-if" | "--input" => self.input = Some(crate::words::to_path(&words.argument(word)?)),
            "--input-logs" => self.input_logs = true,
            "--debug" => self.debug = true,
            "--eoe-timeout" => self.timeout = words.argument(word)?.parse().ok(),
            "-ts" | "--start" => self.search.start = words.time(word, End::Start)?,
            "-te" | "--end" => self.search.end = words.time(word, End::Stop)?,
            "-v" | "--version" => return Err(Wrong::Asked("aureport version 3.0.9\n".to_owned())),
            "--help" => return Err(Wrong::Asked(USAGE.to_owned())),
            _ => return Err(Wrong::Message(format!("{word} is an unsupported option"))),
        }
        Ok(())
    }

    fn choose(&mut self, what: What) -> Result<(), Wrong> {
        match self.what.replace(what) {
            Some(_) => Err(Wrong::Message("Error - only one report can be specified".to_owned())),
            None => Ok(()),
        }
    }
}

struct Report<'a> {
    options: Options,
    what: What,
    clock: Clock,
    machine: Machine,
    line: u64,
    /// The last second, and how it is written.
    time: Option<(i64, String)>,
    counts: Counts,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

/// How often each was seen, in the order in which they were first seen.
#[derive(Default)]
struct Counts {
    places: HashMap<Vec<u8>, usize>,
    all: Vec<(Vec<u8>, u64)>,
}

impl Counts {
    fn add(&mut self, value: &[u8]) {
        if let Some(counted) = self.places.get(value).and_then(|&it| self.all.get_mut(it)) {
            counted.1 += 1;
            return;
        }
        self.places.insert(value.to_vec(), self.all.len());
        self.all.push((value.to_vec(), 1));
    }
}

impl Report<'_> {
    fn avcs(&mut self, event: &Event<'_>) -> Result<()> {
        let call = event.record(Kind::SYSCALL);
        for record in event.records() {
            let told = match record.kind() {
                Kind::USER_AVC => Told::of_program(record),
                Kind::AVC => match record.avc() {
                    Some(avc) => Told::of_kernel(record, avc),
                    None => continue,
                },
                _ => continue,
            };
            self.line += 1;
            if self.options.summary {
                told.tcontext.into_iter().for_each(|it| self.counts.add(it));
                continue;
            }
            let comm = told.comm.or_else(|| call?.text("comm"));
            let permissions = told.avc.map(|it| it.permissions().collect::<Vec<_>>().join(&b' '));
            let syscall = self.syscall(call);
            let row: [&[u8]; 7] = [
                comm.as_deref().unwrap_or(b"?"),
                or_null(told.scontext),
                &syscall,
                or_null(told.tclass),
                or_null(permissions.as_deref()),
                or_null(told.tcontext),
                result(told.avc),
            ];
            self.row(event, &row)?;
        }
        Ok(())
    }

    /// Events of which a record is asked for, by their type.
    fn types(&mut self, event: &Event<'_>, is_asked: fn(Kind) -> bool) -> Result<()> {
        let Some(record) = event.records().iter().find(|it| is_asked(it.kind())) else {
            return Ok(());
        };
        self.line += 1;
        if self.options.summary {
            self.counts.add(&record.kind().0.to_be_bytes());
            return Ok(());
        }
        let (kind, auid, success) =
            (record.kind().to_string(), self.auid(event), success(event).as_bytes());
        let (kind, auid) = (kind.as_bytes(), auid.as_bytes());
        match self.what {
            What::Config => self.row(event, &[kind, auid, success]),
            What::Mods => {
                let cells = ["hostname", "terminal", "exe", "acct"].map(|it| said(record, it));
                let [host, terminal, exe, account] = cells;
                self.row(event, &[auid, &host, &terminal, &exe, &account, success])
            }
            _ => self.row(event, &[auid, kind, success]),
        }
    }

    /// All events. Here their number stands first.
    fn events(&mut self, event: &Event<'_>) -> Result<()> {
        let kind = event.records().first().map(Record::kind).unwrap_or_default();
        self.line += 1;
        if self.options.summary {
            self.counts.add(&kind.0.to_be_bytes());
            return Ok(());
        }
        self.begin(event)?;
        let serial = event.stamp().unwrap_or_default().serial;
        Ok(writeln!(self.out, "{serial} {kind} {} {}", self.auid(event), success(event))?)
    }

    fn syscalls(&mut self, event: &Event<'_>) -> Result<()> {
        let Some(call) = event.record(Kind::SYSCALL) else { return Ok(()) };
        self.line += 1;
        let name = self.syscall(Some(call));
        if self.options.summary {
            self.counts.add(&name);
            return Ok(());
        }
        let (comm, auid) = (call.text("comm"), self.auid(event));
        let pid = call.field("pid").map_or(&b"-1"[..], |it| it.raw);
        self.row(event, &[&name, pid, comm.as_deref().unwrap_or(b"?"), auid.as_bytes()])
    }

    /// Of an event with several keys, the first.
    fn keys(&mut self, event: &Event<'_>) -> Result<()> {
        let keys: Vec<_> = event.records().iter().filter_map(|it| it.text("key")).collect();
        let mut keys = keys.iter().flat_map(|it| it.split(|&byte| byte == 1)).peekable();
        let Some(first) = keys.peek().copied() else { return Ok(()) };
        self.line += 1;
        if self.options.summary {
            keys.for_each(|it| self.counts.add(it));
            return Ok(());
        }
        let exe = event.record(Kind::SYSCALL).and_then(|it| it.field("exe"));
        let exe = exe.map(|it| it.text().unwrap_or(Cow::Borrowed(it.raw)));
        let (auid, exe) = (self.auid(event), exe.as_deref().unwrap_or(b"?"));
        self.row(event, &[first, success(event).as_bytes(), exe, auid.as_bytes()])
    }

    /// Who logged in; -2 if nothing tells.
    fn auid(&self, event: &Event<'_>) -> String {
        let call = event.record(Kind::SYSCALL);
        let mut records = call.into_iter().chain(event.records());
        let auid = records.find_map(|it| it.number::<u32>("auid"));
        match (self.options.interpret, auid) {
            (true, Some(u32::MAX)) => "unset".to_owned(),
            (true, Some(auid)) => {
                self.machine.user(auid).unwrap_or_else(|| format!("unknown({auid})"))
            }
            (true, None) => "unknown(-2)".to_owned(),
            (false, Some(u32::MAX)) => "-1".to_owned(),
            (false, Some(auid)) => auid.to_string(),
            (false, None) => "-2".to_owned(),
        }
    }

    /// The number of a row, and the time.
    fn begin(&mut self, event: &Event<'_>) -> Result<()> {
        let stamp = event.stamp().unwrap_or_default();
        let time = match &mut self.time {
            Some((seconds, time)) if *seconds == stamp.seconds => time,
            time => {
                let (date, clock) = self.clock.short(stamp.seconds);
                &mut time.insert((stamp.seconds, format!("{date} {clock}"))).1
            }
        };
        Ok(write!(self.out, "{}. {time} ", self.line)?)
    }

    fn row(&mut self, event: &Event<'_>, cells: &[&[u8]]) -> Result<()> {
        self.begin(event)?;
        for cell in cells {
            self.out.write_all(&visible(cell))?;
            self.out.write_all(b" ")?;
        }
        Ok(writeln!(self.out, "{}", event.stamp().unwrap_or_default().serial)?)
    }

    fn syscall(&self, call: Option<&Record<'_>>) -> Vec<u8> {
        let number = call.and_then(|it| it.number::<u32>("syscall"));
        match (self.options.interpret, number) {
            (false, number) => number.unwrap_or(0).to_string().into_bytes(),
            (true, None) => b"?".to_vec(),
            (true, Some(number)) => {
                let arch = call.and_then(|it| it.field("arch")).and_then(|it| Arch::parse(it.raw));
                arch.and_then(|it| it.syscall(number)).unwrap_or("?").into()
            }
        }
    }

    fn finish(mut self, summary: bool) -> Result<u8> {
        if summary {
            self.summary()?;
        }
        if self.line > 0 {
            return Ok(0);
        }
        writeln!(self.out, "<no events of interest were found>\n")?;
        Ok(u8::from(!summary))
    }

    /// The most frequent first; then contexts as they came, types by their numbers.
    fn summary(&mut self) -> Result<()> {
        let mut all = std::mem::take(&mut self.counts.all);
        if self.what.counts_types() {
            all.sort();
        }
        all.sort_by_key(|it| std::cmp::Reverse(it.1));
        for (value, count) in all {
            let value = match (self.what.counts_types(), value.as_slice()) {
                (true, &[high, low]) => {
                    let kind = Kind(u16::from_be_bytes([high, low]));
                    let name = kind.name().filter(|_| self.options.interpret);
                    name.map_or_else(|| kind.0.to_string().into_bytes(), Into::into)
                }
                _ => value,
            };
            write!(self.out, "{count}  ")?;
            self.out.write_all(&visible(&value))?;
            writeln!(self.out)?;
        }
        Ok(())
    }
}

impl Visitor for Report<'_> {
    fn event(&mut self, event: &Event<'static>) -> Result<ControlFlow<()>> {
        if self.options.search.matches(event) {
            match self.what {
                What::Avc => self.avcs(event)?,
                What::Config => self.types(event, is_config)?,
                What::Event => self.events(event)?,
                What::Key => self.keys(event)?,
                What::Mac => self.types(event, is_mac)?,
                What::Mods => self.types(event, is_account)?,
                What::Syscall => self.syscalls(event)?,
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn bad(&mut self, file: &Path, line: &BadLine) -> Result<()> {
        match self.options.debug {
            true => Ok(writeln!(self.err, "{}:{line}", file.display())?),
            false => Ok(()),
        }
    }
}

/// Changes of policy, mode, booleans and labels.
fn is_mac(kind: Kind) -> bool {
    matches!(kind.0, 1403..=1499 | 2300..=2399)
}

/// Changes of what is configured: of the audit system, of firewalls, and those of the kernel's policy.
fn is_config(kind: Kind) -> bool {
    matches!(kind.0, 1111 | 1203 | 1305 | 1325 | 1328 | 1403..=1417 | 2312)
}

/// Changes of accounts, groups and roles.
fn is_account(kind: Kind) -> bool {
    matches!(kind.0, 1102 | 1108 | 1114..=1117 | 1132 | 2301..=2302)
}

/// What a program says in `msg='…'`; `?` for nothing.
fn said(record: &Record<'_>, name: &str) -> Vec<u8> {
    let message = record.message().map_or(&b""[..], |it| it.raw);
    let mut fields = Fields::new(message, Spread::Contexts);
    let value = fields.find(|it| it.0 == name.as_bytes()).and_then(|it| it.1.text());
    value.map_or_else(|| b"?".to_vec(), Cow::into_owned)
}

fn success(event: &Event<'_>) -> &'static str {
    match mandate_audit::succeeded(event) {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unset",
    }
}

fn or_null(value: Option<&[u8]>) -> &[u8] {
    value.filter(|it| !it.is_empty()).unwrap_or(b"(null)")
}

/// What a row tells of a decision.
struct Told<'a> {
    avc: Option<Avc<'a>>,
    comm: Option<Cow<'a, [u8]>>,
    scontext: Option<&'a [u8]>,
    tcontext: Option<&'a [u8]>,
    tclass: Option<&'a [u8]>,
}

impl<'a> Told<'a> {
    fn of_kernel(record: &'a Record<'a>, avc: Avc<'a>) -> Self {
        let (scontext, tcontext, tclass) = (None, None, None);
        let mut told = Self { avc: Some(avc), comm: None, scontext, tcontext, tclass };
        for (key, value) in avc.fields() {
            match key {
                b"comm" if record.form() == Form::Interpreted => {
                    told.comm = value.literal().map(Cow::Borrowed)
                }
                b"comm" => told.comm = value.text(),
                b"scontext" => told.scontext = Some(value.raw),
                b"tcontext" => told.tcontext = Some(value.raw),
                b"tclass" => told.tclass = Some(value.raw),
                _ => {}
            }
        }
        told
    }

    /// Of what programs decide, the context of the program.
    fn of_program(record: &'a Record<'a>) -> Self {
        let avc = record.avc();
        let field = |name| avc.and_then(|it| it.field(name)).map(|it| it.raw);
        let scontext = record.field("subj").map(|it| it.raw);
        let comm = record.text("comm");
        Self { avc, comm, scontext, tcontext: field("tcontext"), tclass: field("tclass") }
    }
}

fn result(avc: Option<Avc<'_>>) -> &'static [u8] {
    match avc {
        Some(avc) if avc.permissions().next().is_none() => b"unset",
        Some(Avc { denied: true, .. }) => b"denied",
        Some(_) => b"granted",
        None => b"unset",
    }
}

const USAGE: &str = "\
usage: aureport [options]
\t-a,--avc\t\t\tAvc report
\t-c,--config\t\t\tConfig change report
\t--debug\t\t\t\tWrite malformed events that are skipped to stderr
\t--eoe-timeout secs\t\tEnd of Event Timeout
\t-e,--event\t\t\tEvent report
\t--failed\t\t\tonly failed events in report
\t--help\t\t\t\thelp
\t-i,--interpret\t\t\tInterpretive mode
\t-if,--input <Input File name>\tuse this file as input
\t--input-logs\t\t\tUse the logs even if stdin is a pipe
\t-k,--key\t\t\tKey report
\t-ma,--mac\t\t\tMandatory Access Control (MAC) report
\t-m,--mods\t\t\tModification to accounts report
\t--node <node name>\t\tOnly events from a specific node
\t-s,--syscall\t\t\tSyscall report
\t--success\t\t\tonly success events in report
\t--summary\t\t\tsorted totals for main object in report
\t-te,--end [end date] [end time]\tending date & time for reports
\t-ts,--start [start date] [start time]\tstarting data & time for reports
\t-v,--version\t\t\tVersion
";
