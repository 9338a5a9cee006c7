//! Events as text, JSON, CSV, or as they were read.

use std::io::Write;

use anyhow::Result;
use mandate_audit::{Access, Event, Record, interpret};
use serde_json::{Map, Value, json};

use crate::logs::accounts::Machine;
use crate::logs::clock::Clock;

/// How events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A line for each access, or for what else happened
    Text,
    /// The lines that were read
    Raw,
    /// The records with words for numbers, as ausearch -i
    Interpreted,
    /// A JSON object for each event, a line each
    Json,
    /// A line for each access, below a line of names
    Csv,
}

/// Writes events in a format.
pub(super) struct Show {
    format: Format,
    clock: Clock,
    machine: Option<Machine>,
}

impl Show {
    pub(super) fn new(format: Format) -> Self {
        let machine = (format == Format::Interpreted).then(Machine::here);
        Self { format, clock: Clock::here(), machine }
    }

    /// What stands above all events.
    pub(super) fn head(&self, out: &mut dyn Write) -> Result<()> {
        if self.format == Format::Csv {
            writeln!(out, "{}", COLUMNS.join(","))?;
        }
        Ok(())
    }

    pub(super) fn event(&mut self, event: &Event<'_>, out: &mut dyn Write) -> Result<()> {
        match self.format {
            Format::Text => self.text(event, out),
            Format::Raw => Ok(event.records().iter().try_for_each(|it| it.write(out))?),
            Format::Interpreted => {
                writeln!(out, "----")?;
                let Some(machine) = &self.machine else { return Ok(()) };
                Ok(event.records().iter().try_for_each(|it| interpret(it, machine, out))?)
            }
            Format::Json => Ok(writeln!(out, "{}", self.json(event))?),
            Format::Csv => self.csv(event, out),
        }
    }

    /// The event's time by the local clock.
    pub(super) fn time(&mut self, event: &Event<'_>) -> String {
        match event.stamp() {
            // Its own clock's: as it stands there.
            Some(stamp) if stamp.local => {
                let mut clock = Clock::utc();
                clock.plain(stamp.seconds, stamp.millis)
            }
            Some(stamp) => self.clock.plain(stamp.seconds, stamp.millis),
            None => "-".to_owned(),
        }
    }

    fn text(&mut self, event: &Event<'_>, out: &mut dyn Write) -> Result<()> {
        let mut head = self.time(event);
        if let Some(stamp) = event.stamp() {
            head += &format!(" #{}", stamp.serial);
        }
        if let Some(node) = event.node() {
            head += &format!(" {}", printable(node));
        }
        let accesses = event.accesses();
        for access in &accesses {
            writeln!(out, "{head} {}", access_text(access))?;
        }
        if accesses.is_empty() {
            let record = main_record(event);
            let kind = record.map(|it| it.kind().to_string()).unwrap_or_default();
            let body = record.map(|it| printable(it.body())).unwrap_or_default();
            writeln!(out, "{head} {kind} {}", body.trim())?;
        }
        Ok(())
    }

    fn json(&mut self, event: &Event<'_>) -> Value {
        let records = event.records().iter().map(|record| {
            let fields = record.fields().map(|(key, value)| (lossy(key), json!(lossy(value.raw))));
            let fields: Map<String, Value> = fields.collect();
            json!({ "type": record.kind().to_string(), "fields": fields, "raw": lossy(record.bytes()) })
        });
        let stamp = event.stamp();
        let seconds = stamp.map(|it| format!("{}.{:03}", it.seconds, it.millis));
        json!({
            "time": self.time(event),
            "seconds": seconds.and_then(|it| it.parse::<f64>().ok()),
            "event": stamp.map(|it| it.serial),
            "node": event.node().map(lossy),
            "success": mandate_audit::succeeded(event),
            "accesses": event.accesses().iter().map(access_json).collect::<Vec<_>>(),
            "records": records.collect::<Vec<_>>(),
        })
    }

    fn csv(&mut self, event: &Event<'_>, out: &mut dyn Write) -> Result<()> {
        let (time, kind) = (self.time(event), main_record(event).map(|it| it.kind().to_string()));
        let serial = event.stamp().map(|it| it.serial.to_string()).unwrap_or_default();
        let start =
            [time, serial, event.node().map(lossy).unwrap_or_default(), kind.unwrap_or_default()];
        let accesses = event.accesses();
        let rest: Vec<[String; 13]> = match accesses.is_empty() {
            true => vec![[const { String::new() }; 13]],
            false => accesses.iter().map(access_columns).collect(),
        };
        for rest in rest {
            let cells: Vec<_> = start.iter().chain(&rest).map(|it| cell(it)).collect();
            writeln!(out, "{}", cells.join(","))?;
        }
        Ok(())
    }
}

/// The names of CSV's columns.
const COLUMNS: [&str; 17] = [
    "time",
    "event",
    "node",
    "type",
    "decision",
    "permissions",
    "scontext",
    "tcontext",
    "tclass",
    "permissive",
    "pid",
    "comm",
    "exe",
    "path",
    "name",
    "port",
    "capability",
];

/// The record that says what happened: one about SELinux, or else the first.
fn main_record<'a>(event: &'a Event<'_>) -> Option<&'a Record<'a>> {
    let records = event.records();
    records.iter().find(|it| it.kind().is_selinux()).or(records.first())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Text for a terminal: what is no letter is shown by its number, so that a log cannot steer it.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_control() {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    shown
}

fn decision(access: &Access) -> &'static str {
    if access.denied { "denied" } else { "granted" }
}

/// `denied { read } scontext tcontext file path=/x`
pub(super) fn access_text(access: &Access) -> String {
    let or_unknown =
        |it: &str| if it.is_empty() { "?".to_owned() } else { printable(it.as_bytes()) };
    let mut text = format!(
        "{} {{ {} }} {} {} {}",
        decision(access),
        printable(access.permissions.join(" ").as_bytes()),
        or_unknown(&access.scontext),
        or_unknown(&access.tcontext),
        or_unknown(&access.tclass)
    );
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &format!(" {name}={value}");
        }
    };
    let object = &access.object;
    let bytes = |it: &Option<Vec<u8>>| it.as_deref().map(printable);
    add("path", bytes(&object.path));
    if object.path.is_none() {
        add("name", bytes(&object.name));
    }
    add("capability", object.capability.map(|it| it.to_string()));
    add("ioctlcmd", object.ioctl.map(|it| format!("{it:#x}")));
    add("src", object.src.map(|it| it.to_string()));
    add("dest", object.dest.map(|it| it.to_string()));
    add("comm", bytes(&access.comm));
    add("exe", bytes(&access.exe));
    add("pid", access.pid.map(|it| it.to_string()));
    if access.permissive == Some(true) {
        text += " (permissive)";
    }
    text
}

/// The object of docs/audit.md.
pub(super) fn access_json(access: &Access) -> Value {
    let text = |it: &Option<Vec<u8>>| it.as_deref().map(lossy);
    let object = &access.object;
    json!({
        "decision": decision(access),
        "permissions": access.permissions,
        "scontext": access.scontext,
        "tcontext": access.tcontext,
        "tclass": access.tclass,
        "permissive": access.permissive,
        "pid": access.pid,
        "comm": text(&access.comm),
        "exe": text(&access.exe),
        "path": text(&object.path),
        "name": text(&object.name),
        "deleted": object.deleted,
        "dev": object.dev,
        "ino": object.ino,
        "capability": object.capability,
        "ioctlcmd": object.ioctl,
        "src": object.src,
        "dest": object.dest,
    })
}

fn access_columns(access: &Access) -> [String; 13] {
    let text = |it: &Option<Vec<u8>>| it.as_deref().map(lossy).unwrap_or_default();
    let number = |it: Option<String>| it.unwrap_or_default();
    let object = &access.object;
    [
        decision(access).to_owned(),
        access.permissions.join(" "),
        access.scontext.clone(),
        access.tcontext.clone(),
        access.tclass.clone(),
        number(access.permissive.map(|it| u8::from(it).to_string())),
        number(access.pid.map(|it| it.to_string())),
        text(&access.comm),
        text(&access.exe),
        text(&object.path),
        text(&object.name),
        number(object.dest.or(object.src).map(|it| it.to_string())),
        number(object.capability.map(|it| it.to_string())),
    ]
}

/// A cell of RFC 4180: in quotes if it must be; control characters by their numbers.
pub(super) fn cell(text: &str) -> String {
    let text = printable(text.as_bytes());
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}
