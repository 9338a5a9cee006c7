//! Records with words for numbers, as `ausearch -i` writes them.
//!
//! Names come from the record itself if it is enriched, else from who asks; the shapes are those of audit 3.0.9.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::fields::{Fields, Spread, Value, decode};
use crate::flags::{self, Identity};
use crate::kind::Kind;
use crate::record::{Form, Record};
use crate::syscalls::{Arch, error};

/// What a record does not tell itself.
pub trait Names {
    /// The name of a user.
    fn user(&self, uid: u32) -> Option<String>;
    /// The name of a group.
    fn group(&self, gid: u32) -> Option<String>;
    /// Date and time of seconds since 1970: `11/14/23 22:13:20`.
    fn time(&self, seconds: i64) -> String;
}

/// Writes a record interpreted, and the end of the line.
///
/// # Errors
/// Those of `out`.
pub fn interpret(record: &Record<'_>, names: &dyn Names, out: &mut dyn Write) -> io::Result<()> {
    if record.form() == Form::Interpreted {
        return record.write(out);
    }
    if let Some(node) = record.node() {
        out.write_all(&[b"node=", node, b" "].concat())?;
    }
    match record.kind() {
        Kind::UNKNOWN => {
            out.write_all(&[b"type=", record.kind_name()].concat())?;
        }
        kind => write!(out, "type={kind}")?,
    }
    if let Some(stamp) = record.stamp() {
        let time = if stamp.local { stamp.seconds.to_string() } else { names.time(stamp.seconds) };
        write!(out, " msg=audit({time}.{:03}:{})", stamp.millis, stamp.serial)?;
    }
    out.write_all(b" : ")?;
    if record.body().is_empty() {
        return out.write_all(b"\n\n");
    }
    let call = Call::of(record);
    Writer { record, names, call }.text(record.body(), out)?;
    let ends_with_space = record.body().ends_with(b" ");
    out.write_all(if ends_with_space { b"\n" } else { b" \n" })
}

/// The words for the value of one field, which is spelled as in the record: no control character is left in them.
pub(crate) fn word(record: &Record<'_>, names: &dyn Names, key: &[u8], spelled: &[u8]) -> Vec<u8> {
    let is_about_call = matches!(key, b"arch" | b"syscall" | [b'a', b'0'..=b'9', ..]);
    let call = if is_about_call { Call::of(record) } else { Call::default() };
    let value = match spelled {
        [b'"', rest @ ..] => {
            // Of what is cut off the original shows a space.
            let end = memchr::memchr(b'"', rest);
            Value { raw: end.and_then(|it| rest.get(..it)).unwrap_or(b" "), quoted: true }
        }
        raw => Value { raw, quoted: false },
    };
    let words = Writer { record, names, call }.value(key, value);
    visible(words.as_deref().unwrap_or(spelled))
}

/// The system call of a record.
#[derive(Clone, Copy, Default)]
struct Call {
    arch: Option<Arch>,
    name: Option<&'static str>,
    arguments: [u64; 4],
}

impl Call {
    fn of(record: &Record<'_>) -> Self {
        if record.kind() != Kind::SYSCALL {
            return Self::default();
        }
        let arch = record.field("arch").and_then(|it| Arch::parse(it.raw));
        let number = record.number::<u32>("syscall");
        let name = arch.zip(number).and_then(|(arch, number)| arch.syscall(number));
        let argument = |name| record.field(name).and_then(|it| hexadecimal(it.raw)).unwrap_or(0);
        Self { arch, name, arguments: ["a0", "a1", "a2", "a3"].map(argument) }
    }
}

fn hexadecimal(text: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
}

struct Writer<'a> {
    record: &'a Record<'a>,
    names: &'a dyn Names,
    call: Call,
}

impl Writer<'_> {
    /// The text with the values of its fields replaced.
    fn text(&self, text: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let mut fields = Fields::new(text, Spread::Contexts);
        let mut done = 0;
        while let Some((key, value, old)) = fields.next_spelled() {
            let end = text.len() - fields.rest().len();
            let start = end - old.len();
            out.write_all(text.get(done..start).unwrap_or_default())?;
            if old.starts_with(b"'") {
                out.write_all(b"'")?;
                self.text(value.raw, out)?;
                let is_closed = old.len() > value.raw.len() + 1;
                out.write_all(if is_closed { b"'" } else { b"" })?;
            } else {
                out.write_all(self.value(key, value).as_deref().unwrap_or(old))?;
            }
            done = end;
        }
        out.write_all(text.get(done..).unwrap_or_default())
    }

    /// The words for a value; `None` if it stays as it is.
    fn value(&self, key: &[u8], value: Value<'_>) -> Option<Vec<u8>> {
        let kind = self.record.kind();
        match key {
            b"proctitle" => Some(words_of(value)),
            b"comm" | b"exe" | b"path" | b"name" | b"cwd" | b"acct" | b"ocomm" | b"cmd"
            | b"data" | b"dir" | b"file" | b"invalid_context" | b"vm" => Some(string(value)),
            b"key" => Some(keys(value)),
            b"uid" | b"euid" | b"suid" | b"fsuid" | b"auid" | b"ouid" | b"oauid" | b"sauid"
            | b"old-auid" | b"iuid" | b"id" | b"inode_uid" | b"obj_uid" => self.user(key, value),
            b"gid" | b"egid" | b"sgid" | b"fsgid" | b"ogid" | b"igid" | b"obj_gid"
            | b"inode_gid" => self.group(key, value),
            b"ses" | b"old-ses" => (value.raw == b"4294967295").then(|| b"unset".to_vec()),
            b"res" => match value.raw {
                b"1" => Some(b"yes".to_vec()),
                b"0" => Some(b"no".to_vec()),
                _ => None,
            },
            b"arch" => {
                let arch = || self.call.arch.map(|it| it.name.as_bytes().to_vec());
                self.enriched(key).or_else(arch)
            }
            b"syscall" => self.enriched(key).or_else(|| Some(self.syscall(value))),
            b"exit" => exit(value),
            b"mode" => flags::mode(value.raw),
            b"capability" => value.number().and_then(flags::capability).map(Into::into),
            b"ioctlcmd" => hexadecimal(value.raw.strip_prefix(b"0x")?).map(flags::ioctl),
            b"cap_fp" | b"cap_fi" | b"cap_pp" | b"cap_pi" | b"cap_pe" => {
                hexadecimal(value.raw).map(flags::capabilities)
            }
            b"saddr" if !value.quoted && kind == Kind::SOCKADDR => flags::address(value.raw),
            b"flags" if kind == Kind::MMAP => {
                hexadecimal(value.raw.strip_prefix(b"0x")?).map(flags::map)
            }
            [b'a', rest @ ..] if is_number(rest) => self.argument(rest, value),
            _ => None,
        }
    }

    /// A name that the audit daemon wrote down, in upper case: `UID="root"`.
    fn enriched(&self, key: &[u8]) -> Option<Vec<u8>> {
        let key = key.to_ascii_uppercase();
        let mut fields = Fields::new(self.record.enriched()?, Spread::Contexts);
        fields.find(|it| it.0 == key).map(|it| it.1.raw.to_vec())
    }

    fn user(&self, key: &[u8], value: Value<'_>) -> Option<Vec<u8>> {
        self.enriched(key).or_else(|| account(value, |uid| self.names.user(uid)))
    }

    fn group(&self, key: &[u8], value: Value<'_>) -> Option<Vec<u8>> {
        self.enriched(key).or_else(|| account(value, |gid| self.names.group(gid)))
    }

    fn syscall(&self, value: Value<'_>) -> Vec<u8> {
        match (self.call.name, value.number::<u32>()) {
            (Some("socketcall"), _) => match flags::socketcall(self.call.arguments[0]) {
                Some(call) => format!("socketcall({call})").into(),
                None => b"socketcall".to_vec(),
            },
            (Some(name), _) => name.into(),
            (None, Some(number)) => format!("unknown-syscall({number})").into(),
            (None, None) => value.raw.to_vec(),
        }
    }

    fn argument(&self, digits: &[u8], value: Value<'_>) -> Option<Vec<u8>> {
        if self.record.kind() == Kind::EXECVE {
            return Some(string(value));
        }
        if self.record.kind() != Kind::SYSCALL {
            return None;
        }
        let which = usize::from(digits.first()?.checked_sub(b'0')?);
        let number = hexadecimal(value.raw)?;
        let call = self.call.name.unwrap_or_default();
        // Of a register that is wider than an id.
        let id = u32::try_from(number & 0xffff_ffff).unwrap_or(u32::MAX);
        let named = |name: Option<String>| match id {
            u32::MAX => b"unset".to_vec(),
            _ => name.unwrap_or_else(|| format!("unknown({id})")).into(),
        };
        Some(match flags::identity(call, which) {
            Some(Identity::User) => named(self.names.user(id)),
            Some(Identity::Group) => named(self.names.group(id)),
            None => flags::argument(call, which, number, &self.call.arguments),
        })
    }
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// A string, which ends before its first zero unless it begins with one.
fn string(value: Value<'_>) -> Vec<u8> {
    let Some(text) = value.text() else { return value.raw.to_vec() };
    let text = match text.strip_prefix(b"\0") {
        Some(rest) => Cow::Borrowed(rest),
        None => text.clone(),
    };
    visible(text.split(|&it| it == 0).next().unwrap_or_default())
}

/// Control characters by their number, `\\033`, so that a log cannot steer a terminal.
#[must_use]
pub fn visible(text: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            0..0x20 | 0x7f => shown.extend(format!("\\{byte:03o}").into_bytes()),
            _ => shown.push(byte),
        }
    }
    shown
}

/// Words of a program: a zero between two.
fn words_of(value: Value<'_>) -> Vec<u8> {
    let text = value.text().map_or_else(|| value.raw.to_vec(), Cow::into_owned);
    visible(&text.into_iter().map(|it| if it == 0 { b' ' } else { it }).collect::<Vec<_>>())
}

/// Keys of rules, with a byte 1 between two.
fn keys(value: Value<'_>) -> Vec<u8> {
    let text = match value.quoted {
        true => value.raw.to_vec(),
        false => decode(value.raw).unwrap_or_else(|| value.raw.to_vec()),
    };
    let keys: Vec<_> = text.split(|&it| it == 1).collect();
    keys.join(&b" key="[..])
}

fn account(value: Value<'_>, find: impl Fn(u32) -> Option<String>) -> Option<Vec<u8>> {
    match value.raw {
        b"4294967295" | b"-1" => Some(b"unset".to_vec()),
        _ => {
            let id = value.number()?;
            Some(find(id).unwrap_or_else(|| format!("unknown({id})")).into())
        }
    }
}

fn exit(value: Value<'_>) -> Option<Vec<u8>> {
    let number: i64 = value.number()?;
    let (name, text) = error(u32::try_from(number.checked_neg()?).ok().filter(|&it| it > 0)?)?;
    Some(format!("{name}({text})").into())
}
