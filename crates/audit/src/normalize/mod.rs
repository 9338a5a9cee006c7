//! An event in a few words: who did what to which object, by what means, and with what result.
//!
//! The words, and which fields they come from, are those that `ausearch --format csv` and `--format text` of audit 3.0.9 show
//! (auparse_normalize(3)); for events about SELinux and of system calls.

mod alone;
mod call;
mod fields;

use crate::event::Event;
use crate::interpret::{Names, word};
use crate::kind::Kind;
use crate::record::Record;

use call::Acted;
use fields::{Place, Scan, Table};

/// A user, or what stands for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// The name, or a context.
    pub name: Vec<u8>,
    /// The number, -1 for none; 0 for a context.
    pub id: i32,
}

/// What an event tells; what it does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Normalized {
    /// The group of events that it is of: `mac-decision`, `mac`.
    pub event_kind: &'static str,
    /// The number of the session, or `unset`.
    pub session: Option<Vec<u8>>,
    /// Who logged in; without a call into the kernel, a context.
    pub subject: Option<Actor>,
    /// As whom the process ran.
    pub alias: Option<Actor>,
    /// What kind of account that is.
    pub subject_kind: Option<&'static str>,
    /// The context of the process, if labels are asked for.
    pub subject_label: Option<Vec<u8>>,
    /// What was done.
    pub action: Option<&'static str>,
    /// With success?
    pub success: Option<bool>,
    /// What it was done to.
    pub object: Option<Vec<u8>>,
    /// The address alone, if `object` is that of a socket.
    pub address: Option<Vec<u8>>,
    /// The number of a file's inode.
    pub object_detail: Option<Vec<u8>>,
    /// The other file of a call that has two, or what a change makes of the object.
    pub second_object: Option<Vec<u8>>,
    /// The context of the object, if labels are asked for.
    pub object_label: Option<Vec<u8>>,
    /// What kind of object.
    pub object_kind: &'static str,
    /// The program, or for interpreters and for decisions alone the name of the process.
    pub how: Option<Vec<u8>>,
    /// The key of the audit rule.
    pub key: Option<Vec<u8>>,
}

/// Why an event is not normalized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnormalized {
    /// It is neither about SELinux nor a system call, or is in the first place about something else: a record of this type.
    Kind(Kind),
    /// Several records, and none is of a system call.
    NoCall,
}

/// An event in a few words. With `labels` also the contexts, where the object of a decision that stands alone is its context.
///
/// # Errors
/// When there are no words for such an event.
pub fn normalize(
    event: &Event<'_>,
    names: &dyn Names,
    labels: bool,
) -> Result<Normalized, Unnormalized> {
    let kind = marker(event)?;
    let table = Table::of(event);
    let words = Words { table: &table, names, labels };
    match event.records() {
        [it] if it.kind() != Kind::SYSCALL => Ok(words.alone(kind)),
        _ => words.joined(kind),
    }
}

/// The type of the record that tells what an event is about; that of the system call if no other does.
fn marker(event: &Event<'_>) -> Result<Kind, Unnormalized> {
    let kinds = || event.records().iter().map(|it| it.kind());
    let first = kinds().next().unwrap_or_default();
    let has_call = kinds().any(|it| it == Kind::SYSCALL);
    let is_single = event.records().len() == 1;
    let is_known = has_call || event.is_selinux() || is_part(first);
    if !is_single && !has_call {
        return Err(Unnormalized::NoCall);
    }
    if !is_known || matches!(first, CONFIG_CHANGE | ANOM_LINK) {
        return Err(Unnormalized::Kind(first));
    }
    match kinds().find(|it| is_marker(*it) || is_other(*it)) {
        Some(kind) if is_other(kind) => Err(Unnormalized::Kind(kind)),
        _ if is_single => Ok(first),
        kind => Ok(kind.unwrap_or(Kind::SYSCALL)),
    }
}

const CONFIG_CHANGE: Kind = Kind(1305);
const ANOM_LINK: Kind = Kind(1702);

fn is_marker(kind: Kind) -> bool {
    matches!(kind.0, 1400 | 1401 | 1403..=1405)
}

/// Records beside a system call, which stand alone if they came late.
fn is_part(kind: Kind) -> bool {
    matches!(kind.0, 1302 | 1306 | 1307 | 1309 | 1317 | 1318 | 1321..=1323 | 1327)
}

/// Records that make an event one about something else, if they come first: of firewalls, modules, fanotify, clocks, BPF.
fn is_other(kind: Kind) -> bool {
    matches!(kind.0, 1325 | 1330..=1335 | 1700)
}

struct Words<'t, 'a> {
    table: &'t Table<'a>,
    names: &'t dyn Names,
    labels: bool,
}

impl Words<'_, '_> {
    /// An event of which one record is a system call.
    fn joined(&self, kind: Kind) -> Result<Normalized, Unnormalized> {
        let kinds = || self.table.records().iter().map(Record::kind);
        let at = kinds().position(|it| it == Kind::SYSCALL).ok_or(Unnormalized::NoCall)?;
        let event_kind = event_kind(kinds().next().unwrap_or_default());
        let mut told = Normalized { event_kind, ..Normalized::default() };
        let mut scan = self.table.scan(at);
        let call = scan.find("syscall").map(|it| self.text(it)).unwrap_or_default();
        let success = scan.find_or_restart("success").map(|it| self.table.value(it));
        told.success = success.map(|it| it == b"yes");
        told.subject = scan.find_or_restart("auid").map(|it| self.actor(it));
        self.add_alias(&mut scan, &mut told);
        told.session = self.words(scan.find("ses"));
        self.add_means(at, &mut told);
        match kind {
            Kind::AVC | Kind::SYSCALL => {
                let name = String::from_utf8_lossy(&call);
                let marker = kinds().position(|it| it == Kind::AVC);
                let success = success.map(|it| it != b"no");
                let acted = call::acted(self.table, &name, success, marker);
                self.add_acted(acted, &call, &mut told);
            }
            _ => self.add_change(kind, &mut told),
        }
        if kind == Kind::AVC {
            told.action = alone::action(kind);
        }
        Ok(told)
    }

    /// As whom the process runs.
    fn add_alias(&self, scan: &mut Scan<'_, '_>, told: &mut Normalized) {
        told.alias = scan.find_or_restart("uid").map(|it| self.actor(it));
        told.subject_kind = told.alias.as_ref().map(|it| account_kind(it.id));
    }

    /// The label of the process, its program, and the key of the rule.
    fn add_means(&self, call: usize, told: &mut Normalized) {
        if self.labels {
            told.subject_label = self.words(self.table.scan(call).find("subj"));
        }
        let mut scan = self.table.scan(call);
        told.how = self.words(scan.program());
        if told.how.is_none() {
            scan.restart();
        }
        let key = scan.find("key").filter(|&it| self.table.value(it) != b"(null)");
        told.key = self.words(key.map(|it| Place { record: call, ..it }));
    }

    fn add_acted(&self, acted: Acted, call: &[u8], told: &mut Normalized) {
        told.action = Some(acted.action);
        told.object_kind = acted.kind;
        told.address = acted.object.and_then(|it| self.address(it));
        told.object = self.words(acted.object);
        told.object_detail = self.words(acted.detail);
        told.second_object = self.words(acted.second);
        if self.labels {
            told.object_label = self.words(acted.label);
        }
        if acted.by_call && told.how.is_some() {
            told.how = Some(call.to_vec());
        }
    }

    /// A change of policy, mode or booleans, or an error of the policy.
    fn add_change(&self, kind: Kind, told: &mut Normalized) {
        let at = self.table.records().iter().position(|it| it.kind() == kind).unwrap_or_default();
        let field = |name| self.words(self.table.scan(at).find(name));
        told.object_kind = "mac-config";
        told.action = alone::action(kind);
        match kind {
            Kind::MAC_STATUS => told.object = field("enforcing"),
            Kind::MAC_CONFIG_CHANGE => told.object = field("bool"),
            Kind::SELINUX_ERR => {
                (told.action, told.object_kind) = (Some("caused-mac-policy-error"), "system");
            }
            _ => {}
        }
    }

    fn actor(&self, place: Place) -> Actor {
        Actor { name: self.text(place), id: leading_number(self.table.value(place)) }
    }

    fn words(&self, place: Option<Place>) -> Option<Vec<u8>> {
        let place = place.filter(|&it| self.table.field(it).is_some())?;
        Some(self.text(place))
    }

    /// The words for a value.
    fn text(&self, place: Place) -> Vec<u8> {
        let record = self.table.records().get(place.record);
        let Some((record, field)) = record.zip(self.table.field(place)) else { return Vec::new() };
        let text = word(record, self.names, field.name, &field.value);
        match field.name {
            b"name" => self.whole_path(text),
            _ => text,
        }
    }

    /// A path behind the working directory, without steps back.
    fn whole_path(&self, path: Vec<u8>) -> Vec<u8> {
        let mut cwds =
            (0..self.table.records().len()).filter(|&it| self.table.kind(it) == Some(Kind::CWD));
        let cwd = cwds.next_back().and_then(|it| self.table.scan(it).find("cwd"));
        let Some(cwd) = cwd else { return path };
        let joined = match path.first() {
            Some(b'/') if memchr::memmem::find(&path, b"..").is_none() => return path,
            Some(b'/') => path,
            _ => [&self.text(cwd), &b"/"[..], &path].concat(),
        };
        if joined.starts_with(b".") {
            return joined;
        }
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in joined.split(|&it| it == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()),
                _ => parts.push(part),
            }
        }
        [b"/", parts.join(&b'/').as_slice()].concat()
    }

    /// The address of a socket: where it is, or else of which family.
    fn address(&self, place: Place) -> Option<Vec<u8>> {
        let is_decision = self.table.kind(place.record) == Some(Kind::AVC);
        if is_decision || self.table.field(place)?.name != b"saddr" {
            return None;
        }
        let text = self.text(place);
        ["laddr=", "fam="].into_iter().find_map(|it| {
            let at = memchr::memmem::find(&text, it.as_bytes())? + it.len();
            let rest = text.get(at..)?;
            Some(rest.get(..memchr::memchr(b' ', rest)?)?.to_vec())
        })
    }
}

/// A number at the start of a text, as C reads it: 0 for none, -1 for one that is too large.
fn leading_number(text: &[u8]) -> i32 {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        _ => (1, text),
    };
    let mut digits = digits.iter().take_while(|it| it.is_ascii_digit());
    let number =
        digits.try_fold(0_i64, |all, &it| all.checked_mul(10)?.checked_add(i64::from(it - b'0')));
    let Some(number) = number else { return -1 };
    // The low half, as an `int` has it.
    let low = u32::try_from((sign * number) & 0xffff_ffff).unwrap_or(u32::MAX);
    low.cast_signed()
}

fn account_kind(uid: i32) -> &'static str {
    match uid {
        0 => "privileged-acct",
        -1 => "unset-acct",
        ..1000 => "service-acct",
        1000..60000 => "user-acct",
        _ => "unknown-acct",
    }
}

/// The group that an event is of by the type of its first record.
fn event_kind(kind: Kind) -> &'static str {
    match kind.0 {
        1107 | 1122 | 1400..=1402 => "mac-decision",
        1403..=1499 | 2300..=2399 => "mac",
        1300..=1304 | 1306..=1315 | 1317..=1318 | 1321..=1324 => "audit-rule",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests;
