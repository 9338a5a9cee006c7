//! `ausearch`: events of an audit log, as audit 3.0.9 shows them.

use std::io::{IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mandate_audit::{BadLine, Event, Kind, Pattern, Search, interpret};

use super::audit::{self, Wrong};
use super::ausearch_lines::{Extra, Lines, Shape};
use crate::logs::accounts::Machine;
use crate::logs::clock::Clock;
use crate::logs::times::End;
use crate::logs::{self, Feed, Visitor};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Default,
    Raw,
    Interpreted,
    Csv,
    Text,
}

#[derive(Default)]
struct Options {
    search: Search,
    format: Option<Format>,
    input: Option<PathBuf>,
    input_logs: bool,
    just_one: bool,
    line_buffered: bool,
    debug: bool,
    whole: bool,
    timeout: Option<u32>,
    extra: Extra,
}

pub(crate) fn ausearch(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let words = words.get(1..).unwrap_or_default();
    let options = match Options::read(words) {
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
            return Ok(1);
        }
    };
    let stdin = options.input.is_none() && !options.input_logs && !std::io::stdin().is_terminal();
    let files = match audit::inputs(options.input.as_deref(), stdin && audit::stdin_is_pipe(), err)?
    {
        Ok(files) => files,
        Err(message) => {
            writeln!(err, "{message}")?;
            return Ok(1);
        }
    };
    let (start, end, timeout) = (options.search.start, options.search.end, options.timeout);
    let mut found = Found {
        options,
        clock: Clock::here(),
        machine: Machine::here(),
        any: false,
        time: None,
        lines: Lines::default(),
        out,
        err,
    };
    let mut feed = Feed::new(start, end, timeout);
    for file in &files {
        if feed.read(&mut *logs::open(file)?, file, &mut found)?.is_break() {
            return Ok(0);
        }
    }
    if feed.settle(&mut found)?.is_break() || found.any {
        return Ok(0);
    }
    writeln!(found.err, "<no matches>")?;
    Ok(1)
}

impl Options {
    fn read(words: &[String]) -> Result<Self, Wrong> {
        if words.is_empty() {
            return Err(Wrong::Usage);
        }
        let mut options = Self::default();
        let mut words = audit::Words::new(words);
        while let Some(word) = words.next() {
            options.option(&word, &mut words)?;
        }
        let extra = options.extra;
        if (extra.time || extra.labels || extra.keys) && options.format != Some(Format::Csv) {
            let message = "--extra options requires format to be csv";
            return Err(Wrong::Message(message.to_owned()));
        }
        options.search.texts_mut().for_each(|it| it.whole = options.whole);
        Ok(options)
    }

    fn option(&mut self, word: &str, words: &mut audit::Words<'_>) -> Result<(), Wrong> {
        let search = &mut self.search;
        match word {
            "-a" | "--event" => {
                search.serial = Some(number(&words.argument(word)?, "Audit event id")?)
            }
            "-c" | "--comm" => search.comm = Some(pattern(&words.argument(word)?)),
            "-f" | "--file" => search.file = Some(pattern(&words.argument(word)?)),
            "-x" | "--executable" => search.exe = Some(pattern(&words.argument(word)?)),
            "-se" | "--context" => search.context = Some(pattern(&words.argument(word)?)),
            "-su" | "--subject" => search.scontext = Some(pattern(&words.argument(word)?)),
            "-o" | "--object" => search.tcontext = Some(pattern(&words.argument(word)?)),
            "-p" | "--pid" => search.pid = Some(number(&words.argument(word)?, "Process id")?),
            "-n" | "--node" => search.nodes.push(words.argument(word)?.into_bytes()),
            "-sv" | "--success" => search.success = Some(success(&words.argument(word)?)?),
            "-m" | "--message" => match words.argument(word) {
                Ok(names) => add_kinds(&names, &mut search.kinds)?,
                Err(_) => {
                    return Err(Wrong::Message(format!(
                        "Argument is required for {word}\n{}",
                        kinds()
                    )));
                }
            },
            "-ts" | "--start" => search.start = words.time(word, End::Start)?,
            "-te" | "--end" => search.end = words.time(word, End::Stop)?,
            "-w" | "--word" => self.whole = true,
            _ => return self.other(word, words),
        }
        Ok(())
    }

    fn other(&mut self, word: &str, words: &mut audit::Words<'_>) -> Result<(), Wrong> {
        match word {
            "-i" | "--interpret" => self.set_format(Format::Interpreted, word)?,
            "-r" | "--raw" => self.set_format(Format::Raw, word)?,
            "--format" => {
                let format = match words.argument(word)?.as_str() {
                    "raw" => Format::Raw,
                    "default" => Format::Default,
                    "interpret" => Format::Interpreted,
                    "csv" => Format::Csv,
                    "text" => Format::Text,
                    name => return Err(Wrong::Message(format!("Unknown option ({name})"))),
                };
                if self.format.replace(format).is_some() {
                    return Err(Wrong::Message("Multiple output formats, use only 1".to_owned()));
                }
            }
            "--extra-keys" => self.extra.keys = true,
            "--extra-labels" => self.extra.labels = true,
            "--extra-obj2" => self.extra.second_object = true,
            "--extra-time" => self.extra.time = true,
            "-if" | "--input" => self.input = Some(crate::words::to_path(&words.argument(word)?)),
            "--input-logs" => self.input_logs = true,
            "--just-one" => self.just_one = true,
            "-l" | "--line-buffered" => self.line_buffered = true,
            "--debug" => self.debug = true,
            "--eoe-timeout" => {
                self.timeout = Some(number(&words.argument(word)?, "End of Event timeout")?)
            }
            "-v" | "--version" => return Err(Wrong::Asked("ausearch version 3.0.9\n".to_owned())),
            "-h" | "--help" => return Err(Wrong::Asked(USAGE.to_owned())),
            _ => return Err(Wrong::Message(format!("{word} is an unsupported option"))),
        }
        Ok(())
    }

    fn set_format(&mut self, format: Format, word: &str) -> Result<(), Wrong> {
        match self.format.replace(format) {
            Some(_) => {
                let word = if word.starts_with("--") {
                    word
                } else if word == "-r" {
                    "--raw"
                } else {
                    "--interpret"
                };
                Err(Wrong::Message(format!("Conflicting output format {word}")))
            }
            None => Ok(()),
        }
    }
}

/// A part of a text, unless `-w` stands anywhere.
fn pattern(text: &str) -> Pattern {
    Pattern { text: text.as_bytes().to_vec(), whole: false }
}

fn number<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, Wrong> {
    let wrong = || Wrong::Message(format!("{what} must be a numeric value, was {text}"));
    text.parse().map_err(|_| wrong())
}

fn success(text: &str) -> Result<bool, Wrong> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(Wrong::Message("Success must be 'yes' or 'no'.".to_owned())),
    }
}

/// `all` alone asks for nothing; beside others it adds nothing.
fn add_kinds(names: &str, kinds_asked: &mut Vec<Kind>) -> Result<(), Wrong> {
    for name in names.split(',') {
        if name.eq_ignore_ascii_case("all") {
            continue;
        }
        let digits = name.bytes().take_while(u8::is_ascii_digit).count();
        let kind = match digits {
            0 => Kind::parse(name.to_ascii_uppercase().as_bytes()),
            _ => Kind(name[..digits].parse().unwrap_or(0)),
        };
        if kind == Kind::UNKNOWN {
            return Err(Wrong::Message(kinds()));
        }
        kinds_asked.push(kind);
    }
    Ok(())
}

fn kinds() -> String {
    let names: String = Kind::all().map(|it| format!("{} ", it.1)).collect();
    format!("Valid message types are: ALL {names}")
}

struct Found<'a> {
    options: Options,
    clock: Clock,
    machine: Machine,
    any: bool,
    /// The last second, and how it is written.
    time: Option<(i64, String)>,
    lines: Lines,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

impl Found<'_> {
    fn show(&mut self, event: &Event<'_>) -> Result<()> {
        let format = self.options.format.unwrap_or(Format::Default);
        if format == Format::Raw {
            return Ok(event.records().iter().try_for_each(|it| {
                self.out.write_all(it.line())?;
                self.out.write_all(b"\n")
            })?);
        }
        let shape = match format {
            Format::Csv => Some(Shape::Csv(self.options.extra)),
            Format::Text => Some(Shape::Text),
            _ => None,
        };
        if let Some(shape) = shape {
            let (names, clock) = (&self.machine, &mut self.clock);
            return self.lines.show(shape, event, names, clock, self.out, self.err);
        }
        self.out.write_all(b"----\n")?;
        if format == Format::Interpreted {
            let records = event.records().iter().rev();
            return Ok(records
                .into_iter()
                .try_for_each(|it| interpret(it, &self.machine, self.out))?);
        }
        if let Some(stamp) = event.stamp() {
            let time = match &mut self.time {
                Some((seconds, time)) if *seconds == stamp.seconds => time,
                time => {
                    let written = self.clock.long(stamp.seconds);
                    &mut time.insert((stamp.seconds, written)).1
                }
            };
            writeln!(self.out, "time->{time}")?;
        }
        for record in event.records().iter().rev() {
            self.out.write_all(record.head())?;
            self.out.write_all(record.body())?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl Visitor for Found<'_> {
    fn event(&mut self, event: &Event<'static>) -> Result<ControlFlow<()>> {
        if !self.options.search.matches(event) {
            return Ok(ControlFlow::Continue(()));
        }
        self.any = true;
        self.show(event)?;
        if self.options.line_buffered {
            self.out.flush()?;
        }
        Ok(if self.options.just_one { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn bad(&mut self, file: &Path, line: &BadLine) -> Result<()> {
        match self.options.debug {
            true => Ok(writeln!(self.err, "{}:{line}", file.display())?),
            false => Ok(()),
        }
    }
}

const USAGE: &str = "\
usage: ausearch [options]
\t-a,--event <Audit event id>\tsearch based on audit event id
\t-c,--comm  <Comm name>\t\tsearch based on command line name
\t--debug\t\t\tWrite malformed events that are skipped to stderr
\t--eoe-timeout secs\t\tEnd of Event timeout
\t--extra-keys\t\t\tadd a final column with key information
\t--extra-labels\t\t\tadd columns of information about subject and object labels
\t--extra-obj2\t\t\tadd columns of information about a second object
\t--extra-time\t\t\tadd columns of information about broken down time
\t-f,--file  <File name>\t\tsearch based on file name
\t--format [raw|default|interpret|csv|text] results format options
\t-h,--help\t\t\thelp
\t-i,--interpret\t\t\tInterpret results to be human readable
\t-if,--input <Input File name>\tuse this file instead of current logs
\t--input-logs\t\t\tUse the logs even if stdin is a pipe
\t--just-one\t\t\tEmit just one event
\t-l, --line-buffered\t\tFlush output on every line
\t-m,--message  <Message type>\tsearch based on message type
\t-n,--node  <Node name>\t\tsearch based on machine's name
\t-o,--object  <SE Linux Object context> search based on context of object
\t-p,--pid  <Process id>\t\tsearch based on process id
\t-r,--raw\t\t\toutput is completely unformatted
\t-se,--context <SE Linux context> search based on either subject or
\t\t\t\t\t object
\t-su,--subject <SE Linux context> search based on context of the Subject
\t-sv,--success <Success Value>\tsearch based on syscall or event
\t\t\t\t\tsuccess value
\t-te,--end [end date] [end time]\tending date & time for search
\t-ts,--start [start date] [start time]\tstarting date & time for search
\t-v,--version\t\t\tversion
\t-w,--word\t\t\tstring matches are whole word
\t-x,--executable <executable name>  search based on executable name
";
