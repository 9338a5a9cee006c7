//! Lines of `journalctl -o json`.
//!
//! The journal takes audit records from the kernel and keeps their type, time and number in fields of their own
//! (`_AUDIT_TYPE_NAME`, `_SOURCE_REALTIME_TIMESTAMP` in microseconds, `_AUDIT_ID`); MESSAGE is the type and the body. What comes by other ways, such as the
//! kernel's log, stands in MESSAGE whole.

use std::borrow::Cow;

use serde::Deserialize;

use crate::record::{Expected, Malformed, Record};

/// The fields that make a record.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "MESSAGE", borrow, default)]
    message: Option<Text<'a>>,
    #[serde(rename = "_AUDIT_TYPE", borrow, default)]
    number: Option<Cow<'a, str>>,
    #[serde(rename = "_AUDIT_TYPE_NAME", borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(rename = "_AUDIT_ID", borrow, default)]
    serial: Option<Cow<'a, str>>,
    #[serde(rename = "_SOURCE_REALTIME_TIMESTAMP", borrow, default)]
    source_time: Option<Cow<'a, str>>,
    #[serde(rename = "__REALTIME_TIMESTAMP", borrow, default)]
    time: Option<Cow<'a, str>>,
    #[serde(rename = "_HOSTNAME", borrow, default)]
    host: Option<Cow<'a, str>>,
}

/// A message: text, or its bytes where it is not UTF-8.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Bytes(Vec<u8>),
}

impl Text<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// Reads a line that begins with a brace.
pub(crate) fn parse(line: &[u8]) -> Result<Option<Record<'_>>, Malformed> {
    let entry: Entry<'_> = serde_json::from_slice(line).map_err(|why| Malformed {
        column: why.column().max(1),
        expected: Expected::Journal(reason(&why)),
    })?;
    let Some(message) = &entry.message else { return Ok(None) };
    let made = match (&entry.serial, entry.name.as_ref().or(entry.number.as_ref())) {
        (Some(serial), Some(name)) => made(&entry, message.bytes(), name, serial),
        _ => message.bytes().to_vec(),
    };
    // A record is one line; a message may be several.
    let made = made.into_iter().map(|it| if it == b'\n' { b' ' } else { it }).collect();
    Record::from_journal(made, line)
}

/// Why, without the place, which is told apart.
fn reason(why: &serde_json::Error) -> String {
    let text = why.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// The line that the audit daemon would have written.
fn made(entry: &Entry<'_>, message: &[u8], name: &str, serial: &str) -> Vec<u8> {
    let time = entry.source_time.as_ref().or(entry.time.as_ref());
    let micros: u64 = time.and_then(|it| it.parse().ok()).unwrap_or(0);
    let (seconds, millis) = (micros / 1_000_000, micros / 1000 % 1000);
    let node = entry.host.as_ref().map_or_else(String::new, |it| format!("node={it} "));
    let head = format!("{node}type={name} msg=audit({seconds}.{millis:03}:{serial}): ");
    let body = message.strip_prefix(name.as_bytes()).map_or(message, <[u8]>::trim_ascii_start);
    [head.as_bytes(), body].concat()
}
