//! Which events are asked for. What is cheap is looked at first.

use std::borrow::Cow;

use memchr::memmem;

use crate::event::Event;
use crate::kind::Kind;
use crate::record::Record;

/// Text that is looked for: a part of a value, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What.
    pub text: Vec<u8>,
    /// All of the value must be it.
    pub whole: bool,
}

impl Pattern {
    /// Is it found in `value`?
    #[must_use]
    pub fn matches(&self, value: &[u8]) -> bool {
        match self.whole {
            true => self.text == value,
            false => memmem::find(value, &self.text).is_some(),
        }
    }
}

/// What an event must have; what is empty asks nothing. Of several values in a list, one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Search {
    /// A record of one of these types.
    pub kinds: Vec<Kind>,
    /// Any record about SELinux.
    pub selinux: bool,
    /// Not before this second.
    pub start: Option<i64>,
    /// Not after this second.
    pub end: Option<i64>,
    /// This number.
    pub serial: Option<u64>,
    /// One of these machines.
    pub nodes: Vec<Vec<u8>>,
    /// This process.
    pub pid: Option<i64>,
    /// Who asked: `scontext=`, `subj=`.
    pub scontext: Option<Pattern>,
    /// What was asked for: `tcontext=`, `obj=`.
    pub tcontext: Option<Pattern>,
    /// One of the two.
    pub context: Option<Pattern>,
    /// The classes of a decision.
    pub classes: Vec<String>,
    /// Permissions of a decision.
    pub permissions: Vec<String>,
    /// Decisions that deny, or that grant.
    pub denied: Option<bool>,
    /// Decisions of a permissive domain or system, or of enforcing ones.
    pub permissive: Option<bool>,
    /// The name of the process.
    pub comm: Option<Pattern>,
    /// The file that it executes.
    pub exe: Option<Pattern>,
    /// A file: by the names that records have, and with `joined_paths` also by relative ones behind the working directory.
    pub file: Option<Pattern>,
    /// See `file`.
    pub joined_paths: bool,
    /// The call succeeded, or failed; where there is none, the decision tells.
    pub success: Option<bool>,
}

impl Search {
    /// All texts that are looked for.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut Pattern> {
        let Self { scontext, tcontext, context, comm, exe, file, .. } = self;
        [scontext, tcontext, context, comm, exe, file].into_iter().flatten()
    }

    /// Is it asked for?
    #[must_use]
    pub fn matches(&self, event: &Event<'_>) -> bool {
        self.matches_stamp(event)
            && self.matches_kind(event)
            && self.pid.is_none_or(|pid| has_pid(event, pid))
            && self.matches_contexts(event)
            && self.matches_decision(event)
            && found(&self.comm, || any(event, |it| it.text("comm")))
            && found(&self.exe, || any(event, exe))
            && self.file.as_ref().is_none_or(|it| has_file(event, it, self.joined_paths))
            && self.success.is_none_or(|it| succeeded(event) == Some(it))
    }

    fn matches_stamp(&self, event: &Event<'_>) -> bool {
        let Some(stamp) = event.stamp() else {
            return self.start.or(self.end).is_none() && self.serial.is_none();
        };
        self.start.is_none_or(|it| it <= stamp.seconds)
            && self.end.is_none_or(|it| stamp.seconds <= it)
            && self.serial.is_none_or(|it| it == stamp.serial)
    }

    fn matches_kind(&self, event: &Event<'_>) -> bool {
        let is_asked = |it: &Record<'_>| self.kinds.contains(&it.kind());
        let node = || event.node().unwrap_or_default();
        (self.kinds.is_empty() || event.records().iter().any(is_asked))
            && (!self.selinux || event.is_selinux())
            && (self.nodes.is_empty() || self.nodes.iter().any(|it| it == node()))
    }

    fn matches_contexts(&self, event: &Event<'_>) -> bool {
        let has = |pattern: &Pattern, find: fn(&Record<'_>, &Pattern) -> bool| {
            event.records().iter().any(|it| find(it, pattern))
        };
        self.scontext.as_ref().is_none_or(|it| has(it, has_subject))
            && self.tcontext.as_ref().is_none_or(|it| has(it, has_object))
            && self.context.as_ref().is_none_or(|it| has(it, has_subject) || has(it, has_object))
    }

    /// One decision must have all that is asked of decisions.
    fn matches_decision(&self, event: &Event<'_>) -> bool {
        let Self { classes, permissions, denied, permissive, .. } = self;
        if classes.is_empty() && permissions.is_empty() && denied.or(*permissive).is_none() {
            return true;
        }
        event.records().iter().filter_map(Record::avc).any(|avc| {
            let class = avc.field("tclass").map_or(&b""[..], |it| it.raw);
            let names =
                |asked: &[String], it: &[u8]| asked.iter().any(|name| name.as_bytes() == it);
            let value = || avc.field("permissive").and_then(|it| it.number::<u8>());
            (classes.is_empty() || names(classes, class))
                && (permissions.is_empty() || avc.permissions().any(|it| names(permissions, it)))
                && denied.is_none_or(|it| it == avc.denied)
                && permissive.is_none_or(|it| value() == Some(u8::from(it)))
        })
    }
}

type Text<'a> = Option<Cow<'a, [u8]>>;

fn found<'a, I: Iterator<Item = Cow<'a, [u8]>>>(
    pattern: &Option<Pattern>,
    values: impl FnOnce() -> I,
) -> bool {
    pattern.as_ref().is_none_or(|pattern| values().any(|it| pattern.matches(&it)))
}

fn any<'a>(
    event: &'a Event<'a>,
    find: impl Fn(&'a Record<'a>) -> Text<'a>,
) -> impl Iterator<Item = Cow<'a, [u8]>> {
    event.records().iter().filter_map(find)
}

fn exe<'a>(record: &'a Record<'a>) -> Text<'a> {
    match record.field("exe") {
        Some(value) => value.text(),
        None => inner(record, "exe"),
    }
}

/// A field of what a program says in `msg='…'`.
fn inner<'a>(record: &'a Record<'a>, name: &str) -> Text<'a> {
    let message = record.message()?;
    let mut fields = crate::Fields::new(message.raw, crate::Spread::Contexts);
    fields.find(|it| it.0 == name.as_bytes())?.1.text()
}

fn has_pid(event: &Event<'_>, pid: i64) -> bool {
    event.records().iter().any(|it| it.number::<i64>("pid") == Some(pid))
}

fn has_subject(record: &Record<'_>, pattern: &Pattern) -> bool {
    let subject = record.field("subj").is_some_and(|it| pattern.matches(it.raw));
    subject || has_context(record, "scontext", pattern)
}

fn has_object(record: &Record<'_>, pattern: &Pattern) -> bool {
    let object = record.field("obj").is_some_and(|it| pattern.matches(it.raw));
    object || has_context(record, "tcontext", pattern)
}

fn has_context(record: &Record<'_>, name: &str, pattern: &Pattern) -> bool {
    let value = match record.kind() {
        Kind::USER_AVC => record.avc().and_then(|it| it.field(name)),
        _ => record.field(name),
    };
    value.is_some_and(|it| pattern.matches(it.raw))
}

/// Names of files: of decisions, PATH and CWD records, and paths put together of the last two.
fn has_file(event: &Event<'_>, pattern: &Pattern, joined: bool) -> bool {
    let named = event.records().iter().any(|record| {
        ["path", "name", "cwd"]
            .iter()
            .filter_map(|it| record.text(it))
            .any(|it| pattern.matches(&it))
    });
    named || joined && event.paths().any(|it| pattern.matches(&it))
}

/// Did the call succeed, or what is told instead of a call?
#[must_use]
pub fn succeeded(event: &Event<'_>) -> Option<bool> {
    let call = event.record(Kind::SYSCALL).and_then(|it| it.field("success"));
    if let Some(call) = call {
        return word(call.raw);
    }
    event.records().iter().find_map(|record| match record.avc() {
        Some(avc) if avc.permissions().next().is_some() => Some(!avc.denied),
        Some(_) => None,
        None => record
            .field("res")
            .map(|it| it.raw)
            .and_then(word)
            .or_else(|| inner(record, "res").and_then(|it| word(&it))),
    })
}

fn word(text: &[u8]) -> Option<bool> {
    match text {
        b"yes" | b"success" | b"1" => Some(true),
        b"no" | b"failed" | b"0" => Some(false),
        _ => None,
    }
}
