//! An event: records of one machine, time and number, which a call into the kernel caused together.

use std::borrow::Cow;

use crate::access::{Access, Object};
use crate::avc::Avc;
use crate::kind::Kind;
use crate::record::{Form, Record};
use crate::stamp::Stamp;

/// Records that belong together, in the order in which they were read. At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    records: Vec<Record<'a>>,
}

impl<'a> Event<'a> {
    /// An event of one record, to which others may be added.
    #[must_use]
    pub fn new(record: Record<'a>) -> Self {
        Self { records: vec![record] }
    }

    pub(crate) fn push(&mut self, record: Record<'a>) {
        self.records.push(record);
    }

    /// Its records.
    #[must_use]
    pub fn records(&self) -> &[Record<'a>] {
        &self.records
    }

    /// When, and its number; none for a bare message.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        self.records.first()?.stamp()
    }

    /// The machine, if the log tells.
    #[must_use]
    pub fn node(&self) -> Option<&[u8]> {
        self.records.first()?.node()
    }

    /// The first record of a type.
    #[must_use]
    pub fn record(&self, kind: Kind) -> Option<&Record<'a>> {
        self.records.iter().find(|it| it.kind() == kind)
    }

    /// Is any of it about SELinux?
    #[must_use]
    pub fn is_selinux(&self) -> bool {
        self.records.iter().any(|it| it.kind().is_selinux())
    }

    /// The accesses that it tells, denied and granted: one for each AVC and USER_AVC record.
    #[must_use]
    pub fn accesses(&self) -> Vec<Access> {
        self.records.iter().filter_map(|it| self.access(it)).collect()
    }

    /// The names of its PATH records, those behind the working directory put together with it.
    pub fn paths(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        let cwd = self.record(Kind::CWD).and_then(|it| it.text("cwd"));
        let paths = self.records.iter().filter(|it| it.kind() == Kind::PATH);
        paths.filter_map(move |it| {
            let name = it.text("name")?;
            Some(match &cwd {
                Some(cwd) if !name.starts_with(b"/") => Cow::Owned(join(cwd, &name)),
                _ => name,
            })
        })
    }

    fn access(&self, record: &Record<'_>) -> Option<Access> {
        let avc = record.avc()?;
        let mut access = Access {
            denied: avc.denied,
            permissions: avc.permissions().map(string).collect(),
            ..Access::default()
        };
        let decode = Decode(record.form() == Form::Interpreted);
        read_fields(&avc, decode, &mut access);
        if record.kind() == Kind::USER_AVC {
            // `exe=` there is the object manager.
            access.exe = None;
        } else {
            self.add_process(&mut access);
            self.add_path(&mut access);
        }
        Some(access)
    }

    fn add_process(&self, access: &mut Access) {
        let Some(call) = self.record(Kind::SYSCALL) else { return };
        let text = |name| call.text(name).map(Cow::into_owned);
        access.exe = access.exe.take().or_else(|| text("exe"));
        access.comm = access.comm.take().or_else(|| text("comm"));
        access.pid = access.pid.or_else(|| call.number("pid"));
    }

    /// The path from the event's other records, if the decision's own has none.
    fn add_path(&self, access: &mut Access) {
        let object = &mut access.object;
        if object.path.is_some() {
            return;
        }
        let old = self.record(Kind::AVC_PATH).and_then(|it| it.text("path"));
        let found = old.or_else(|| self.path_of(object));
        let Some(path) = found.map(Cow::into_owned) else { return };
        let path = match path.first() {
            Some(b'/') => path,
            _ => match self.record(Kind::CWD).and_then(|it| it.text("cwd")) {
                Some(cwd) => join(&cwd, &path),
                None => return,
            },
        };
        set_path(path, object);
    }

    /// The name of the `PATH` record that is of this object: by its inode, or by its last part.
    fn path_of(&self, object: &Object) -> Option<Cow<'_, [u8]>> {
        let mut paths = self.records.iter().filter(|it| it.kind() == Kind::PATH);
        let is_same = |it: &&Record<'_>| match (object.ino, it.number::<u64>("inode")) {
            (Some(ino), Some(inode)) => ino == inode,
            _ => match (&object.name, it.text("name")) {
                (Some(name), Some(path)) => last_part(&path) == name.as_slice(),
                _ => false,
            },
        };
        paths.find(is_same)?.text("name")
    }
}

/// Strings of interpreted records are as they are.
#[derive(Clone, Copy)]
struct Decode(bool);

fn read_fields(avc: &Avc<'_>, Decode(plain): Decode, access: &mut Access) {
    let mut fallback = (None, None);
    let object = &mut access.object;
    for (key, value) in avc.fields() {
        let text = || match plain {
            true => value.literal().map(<[u8]>::to_vec),
            false => value.text().map(Cow::into_owned),
        };
        match key {
            b"pid" | b"spid" => access.pid = value.number(),
            b"comm" => access.comm = text(),
            b"exe" => access.exe = text(),
            b"scontext" => access.scontext = string(value.raw.trim_ascii()),
            b"tcontext" => access.tcontext = string(value.raw.trim_ascii()),
            b"tclass" => access.tclass = string(value.raw),
            b"permissive" => access.permissive = value.number::<u8>().map(|it| it != 0),
            b"path" => text().into_iter().for_each(|it| set_path(it, object)),
            b"name" => object.name = text(),
            b"dev" => object.dev = value.literal().map(string),
            b"ino" => object.ino = value.number(),
            b"capability" => object.capability = leading_number(value.raw),
            b"ioctlcmd" => object.ioctl = hexadecimal(value.raw),
            b"src" => object.src = value.number(),
            b"dest" => object.dest = value.number(),
            b"lport" => fallback.0 = value.number(),
            b"fport" => fallback.1 = value.number(),
            _ => {}
        }
    }
    object.src = object.src.or(fallback.0);
    object.dest = object.dest.or(fallback.1);
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Interpreted: `sys_admin(21)` is not a number, `21` is.
fn leading_number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().take_while(|it| it.is_ascii_digit()).count();
    std::str::from_utf8(text.get(..digits)?).ok()?.parse().ok()
}

fn hexadecimal(text: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(text).ok()?;
    u16::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// The kernel marks a path whose file is unlinked.
fn set_path(path: Vec<u8>, object: &mut Object) {
    object.deleted = path.ends_with(DELETED);
    let length = path.len() - if object.deleted { DELETED.len() } else { 0 };
    object.path = Some(path.get(..length).unwrap_or_default().to_vec());
}

const DELETED: &[u8] = b" (deleted)";

fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|&it| it == b'/').find(|it| !it.is_empty()).unwrap_or_default()
}

/// A relative path behind its folder; `./` in front is left out.
fn join(folder: &[u8], path: &[u8]) -> Vec<u8> {
    let mut path = path;
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    let between: &[u8] = if folder.ends_with(b"/") || path.is_empty() { b"" } else { b"/" };
    let path = if path == b"." { &b""[..] } else { path };
    [folder, if path.is_empty() { b"" } else { between }, path].concat()
}
