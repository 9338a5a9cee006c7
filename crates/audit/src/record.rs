//! A record: a line of an audit log, of `ausearch`, of the kernel's log, of syslog, or of the journal.
//!
//! The shape is that of the kernel (`kernel/audit.c`: `audit(SECONDS.MILLIS:SERIAL): `), with what each writer puts in front: the audit daemon
//! `node=NAME type=NAME msg=`, the kernel's log `audit: type=NUMBER `. An enriched record (`log_format = ENRICHED` in auditd.conf) has names of numbers
//! after a byte 0x1D. The journal's fields are those of systemd.journal-fields(7).

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use memchr::{memchr, memmem};

use crate::avc::Avc;
use crate::fields::{Fields, Spread, Value};
use crate::journal;
use crate::kind::Kind;
use crate::stamp::Stamp;

/// Between what the kernel said and the names that the audit daemon adds.
pub const ENRICHED: u8 = 0x1d;

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// The audit daemon's log.
    Log,
    /// The same with numbers turned into words, as `ausearch -i` writes it.
    Interpreted,
    /// The kernel's log, or syslog.
    Kernel,
    /// The journal, as JSON.
    Journal,
    /// An AVC message alone, as object managers write it without an audit daemon.
    Bare,
}

/// A record, over the bytes of its line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record<'a> {
    line: Cow<'a, [u8]>,
    /// The journal's line, where `line` was made from it.
    source: Option<Cow<'a, [u8]>>,
    form: Form,
    kind: Kind,
    stamp: Option<Stamp>,
    node: Span,
    name: Span,
    body: Span,
}

/// Bytes of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Span(u32, u32);

impl Span {
    /// Lines are shorter than 4 GiB: [`Record::parse`] looks first.
    fn new(from: usize, to: usize) -> Self {
        let short = |it| u32::try_from(it).unwrap_or(u32::MAX);
        Self(short(from), short(to))
    }

    fn of(self, line: &[u8]) -> &[u8] {
        line.get(self.0 as usize..self.1 as usize).unwrap_or_default()
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The byte at which it is wrong, from 1.
    pub column: usize,
    /// What should stand there.
    pub expected: Expected,
}

/// What should stand in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// `type=`
    Type,
    /// `msg=audit(`
    Message,
    /// Seconds since 1970 and milliseconds, or a date and a time.
    Time,
    /// A colon and the number of the event.
    Serial,
    /// `):`
    Close,
    /// A JSON object with fields of the journal; why it is none.
    Journal(String),
    /// A line of less than 4 GiB.
    Shorter,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expected {
            Expected::Type => f.write_str("expected type=NAME"),
            Expected::Message => f.write_str("expected msg=audit("),
            Expected::Time => f.write_str("expected a time, SECONDS.MILLISECONDS"),
            Expected::Serial => f.write_str("expected a colon and the event's number"),
            Expected::Close => f.write_str("expected ): after the event's number"),
            Expected::Journal(why) => write!(f, "expected a line of journalctl -o json: {why}"),
            Expected::Shorter => f.write_str("expected a line of less than 4 GiB"),
        }
    }
}

impl std::error::Error for Malformed {}

/// What the parts of a line are.
#[derive(Default)]
struct Head {
    node: Span,
    name: Span,
}

impl<'a> Record<'a> {
    /// Reads a line without its end; `None` if it holds no record, as most of a kernel's log.
    ///
    /// # Errors
    /// When the line begins as a record does and does not go on as one.
    pub fn parse(line: &'a [u8]) -> Result<Option<Self>, Malformed> {
        if u32::try_from(line.len()).is_err() {
            return Err(Malformed { column: 1, expected: Expected::Shorter });
        }
        match line {
            [b't', b'y', b'p', b'e', b'=', ..] | [b'n', b'o', b'd', b'e', b'=', ..] => {
                parse_log(line, 0).map(Some)
            }
            [b'{', ..] => journal::parse(line),
            _ => parse_other(line),
        }
    }

    /// A record of its own, as the audit daemon would write it.
    #[must_use]
    pub fn new(kind: Kind, stamp: Stamp, body: &[u8]) -> Record<'static> {
        let mut line = format!("type={kind} msg=audit({stamp}): ").into_bytes();
        line.extend(body.iter().map(|&it| if it == b'\n' { b' ' } else { it }));
        let parsed = parse_log(&line, 0).map(Record::into_owned);
        // What was just put together has the shape that is read.
        parsed.unwrap_or_else(|_| Record::bare(Cow::Owned(line)))
    }

    /// A message with no more around it.
    fn bare(line: Cow<'a, [u8]>) -> Self {
        let body = Span::new(0, line.strip_suffix(b"\r").unwrap_or(&line).len());
        let (node, name) = (Span::default(), Span::default());
        let (form, kind) = (Form::Bare, Kind::AVC);
        Self { line, source: None, form, kind, stamp: None, node, name, body }
    }

    pub(crate) fn from_journal(made: Vec<u8>, source: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let Some(record) = Record::parse(&made).map_err(|why| in_journal(&why))? else {
            return Ok(None);
        };
        let record = record.into_owned();
        Ok(Some(Self { source: Some(Cow::Borrowed(source)), form: Form::Journal, ..record }))
    }

    /// The same, of its own bytes.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        let own = |it: Cow<'a, [u8]>| Cow::Owned(it.into_owned());
        let Self { line, source, form, kind, stamp, node, name, body } = self;
        Record { line: own(line), source: source.map(own), form, kind, stamp, node, name, body }
    }

    /// The bytes that were read, without the end of the line.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.source.as_ref().unwrap_or(&self.line)
    }

    /// The line of an audit log: for a record of the journal, that which the audit daemon would have written.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// Writes what was read, and the end of a line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.bytes())?;
        out.write_all(b"\n")
    }

    /// Where it comes from.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its type as it is spelled; empty if it is not.
    #[must_use]
    pub fn kind_name(&self) -> &[u8] {
        self.name.of(&self.line)
    }

    /// When, and which event; none in a bare message.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// The machine (`node=`), if the log tells.
    #[must_use]
    pub fn node(&self) -> Option<&[u8]> {
        let node = self.node.of(&self.line);
        (!node.is_empty()).then_some(node)
    }

    /// What stands before the body: node, type, time.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        self.line.get(..self.body.0 as usize).unwrap_or_default()
    }

    /// What the kernel or the program said, without the names that the audit daemon adds.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.of(&self.line)
    }

    /// The names of numbers that the audit daemon adds: `UID="root"`.
    #[must_use]
    pub fn enriched(&self) -> Option<&[u8]> {
        let rest = self.line.get(self.body.1 as usize..)?.strip_prefix(&[ENRICHED])?;
        Some(rest.strip_suffix(b"\r").unwrap_or(rest))
    }

    fn spread(&self) -> Spread {
        if self.form == Form::Interpreted { Spread::All } else { Spread::Contexts }
    }

    /// The fields of the body, in their order.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields::new(self.body(), self.spread())
    }

    /// The first field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Value<'_>> {
        self.fields().find(|it| it.0 == name.as_bytes()).map(|it| it.1)
    }

    /// The first field of a name, as text that the kernel may have written in hexadecimal.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self.decode(self.field(name)?)
    }

    /// The first field of a name, as a number.
    #[must_use]
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.field(name)?.number()
    }

    fn decode<'b>(&self, value: Value<'b>) -> Option<Cow<'b, [u8]>> {
        match self.form {
            Form::Interpreted => value.literal().map(Cow::Borrowed),
            _ => value.text(),
        }
    }

    /// The words of a program, which stand in `msg='…'`.
    #[must_use]
    pub fn message(&self) -> Option<Value<'_>> {
        self.field("msg")
    }

    /// The decision that it tells, of the kernel or of an object manager.
    #[must_use]
    pub fn avc(&self) -> Option<Avc<'_>> {
        match self.kind {
            Kind::AVC => Avc::parse(self.body(), self.spread()),
            Kind::USER_AVC => match self.message() {
                Some(message) => Avc::parse(message.raw, self.spread()),
                None => Avc::parse(self.body(), self.spread()),
            },
            _ => None,
        }
    }
}

/// What is wrong with the message of a journal's line: columns there are not those of the line.
fn in_journal(why: &Malformed) -> Malformed {
    Malformed { column: 1, expected: Expected::Journal(format!("MESSAGE: {why}")) }
}

/// `node=N type=T msg=audit(…): body`, from `start` on.
fn parse_log(line: &[u8], start: usize) -> Result<Record<'_>, Malformed> {
    let rest = |at: usize| line.get(at..).unwrap_or_default();
    let word_end = |at: usize| memchr(b' ', rest(at)).map_or(line.len(), |it| at + it);
    let (mut at, mut head) = (start, Head::default());
    if rest(at).starts_with(b"node=") {
        let end = word_end(at);
        head.node = Span::new(at + 5, end);
        at = end + 1;
    }
    if !rest(at).starts_with(b"type=") {
        return Err(Malformed { column: at.min(line.len()) + 1, expected: Expected::Type });
    }
    let end = word_end(at);
    head.name = Span::new(at + 5, end);
    at = end + 1;
    if !rest(at).starts_with(b"msg=audit(") {
        return Err(Malformed { column: at.min(line.len()) + 1, expected: Expected::Message });
    }
    parse_stamped(line, head, at + 10, Form::Log)
}

/// From the time in the parentheses on.
fn parse_stamped(line: &[u8], head: Head, at: usize, form: Form) -> Result<Record<'_>, Malformed> {
    let text = line.get(at..).unwrap_or_default();
    let (stamp, length) = Stamp::parse(text).map_err(|why| why.shifted(at))?;
    let form = if stamp.local && form == Form::Log { Form::Interpreted } else { form };
    let mut at = at + length;
    for step in [&b")"[..], b" ", b":", b" "] {
        match line.get(at..).unwrap_or_default().starts_with(step) {
            true => at += 1,
            false if step == b" " => {}
            false => return Err(Malformed { column: at + 1, expected: Expected::Close }),
        }
    }
    let text = line.get(at..).unwrap_or_default();
    let length = line.strip_suffix(b"\r").unwrap_or(line).len();
    let end = memchr(ENRICHED, text).map_or(length.max(at), |it| at + it);
    let body = Span::new(at, end);
    let kind = match head.name.of(line) {
        b"" => Kind::AVC,
        name => Kind::parse(name),
    };
    let Head { node, name } = head;
    let stamp = Some(stamp);
    Ok(Record { line: Cow::Borrowed(line), source: None, form, kind, stamp, node, name, body })
}

/// Lines of the kernel's log and of syslog, which begin with anything.
fn parse_other(line: &[u8]) -> Result<Option<Record<'_>>, Malformed> {
    let Some(at) = memmem::find(line, b"audit(") else {
        return Ok(is_message(line).then(|| Record::bare(Cow::Borrowed(line))));
    };
    let before = line.get(..at).unwrap_or_default();
    if before.ends_with(b" msg=") {
        let starts = [&b"node="[..], b"type="].map(|it| memmem::find(before, it));
        let Some(start) = starts.into_iter().flatten().min() else { return Ok(None) };
        return parse_log(line, start).map(Some);
    }
    let mut head = Head::default();
    let word = before.strip_suffix(b" ").unwrap_or(before);
    let start = memchr::memrchr(b' ', word).map_or(0, |it| it + 1);
    match word.get(start..).unwrap_or_default().starts_with(b"type=") {
        true => head.name = Span::new(start + 5, word.len()),
        // Some program speaks of audit(2); or a kernel before 2.6.30, which did not tell the type.
        false if !is_message(line) => return Ok(None),
        false => {}
    }
    parse_stamped(line, head, at + 6, Form::Kernel).map(Some)
}

/// Does it tell a decision?
fn is_message(line: &[u8]) -> bool {
    let Some(at) = memmem::find(line, b"avc:") else { return false };
    let rest = line.get(at + 4..).unwrap_or_default().trim_ascii_start();
    rest.starts_with(b"denied") || rest.starts_with(b"granted")
}
