//! What is said of denials: a line for people or programs, a record for tools, a summary at the end.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use mandate_audit::Access;
use mandate_enforce::{News, Record, Subject};
use mandate_server::{Denial, PermissionExplanation, Query, SecurityServer};
use rustc_hash::FxHashMap;
use serde_json::json;

use super::summary::Knowledge;
use super::{Args, access};
use crate::{DENIED, FAINT, styled};

/// So many different denials are told: a program that makes more of them is not read any more.
const MOST: usize = 10_000;

/// Hears of decisions, and tells them.
pub(super) struct Told<'a> {
    args: &'a Args,
    audit: Option<File>,
    server: &'a SecurityServer,
    err: &'a mut dyn Write,
    /// All denials.
    all: usize,
    /// Those that differ, and how often each happened; the lines that were told of them.
    kinds: Vec<(Access, usize)>,
    seen: FxHashMap<String, usize>,
    serial: u64,
    /// Records that could not be written.
    lost: Option<std::io::Error>,
}

impl<'a> Told<'a> {
    pub(super) fn new(
        args: &'a Args,
        audit: Option<File>,
        server: &'a SecurityServer,
        err: &'a mut dyn Write,
    ) -> Self {
        let (kinds, seen) = (Vec::new(), FxHashMap::default());
        Self { args, audit, server, err, all: 0, kinds, seen, serial: 0, lost: None }
    }

    pub(super) fn hears(&mut self, news: News<'_>) {
        match news {
            News::Decision(record) => self.decision(record),
            News::Lack(what) if !self.args.quiet && !self.args.json => {
                let _closed = writeln!(self.err, "mandate: {what}");
            }
            _ => {}
        }
    }

    fn decision(&mut self, record: &Record) {
        self.write_record(record);
        if !record.denied || self.args.quiet {
            return;
        }
        let line = match self.args.json {
            true => json_of(record).to_string(),
            false => sentence(record),
        };
        self.all += 1;
        if let Some((_, count)) = self.seen.get(&line).and_then(|at| self.kinds.get_mut(*at)) {
            *count += 1;
            return;
        }
        if self.kinds.len() >= MOST {
            return;
        }
        self.seen.insert(line.clone(), self.kinds.len());
        self.kinds.push((access::of(record), 1));
        // A reader that went away does not end the program.
        let _closed = match self.args.json {
            true => writeln!(self.err, "{line}"),
            false => {
                let reason = self.reason(record).unwrap_or_default();
                let verdict = if record.permissive { "would be denied" } else { "denied" };
                let verdict = styled(DENIED, verdict);
                writeln!(self.err, "mandate: {verdict}: {line}{}", styled(FAINT, &reason))
            }
        };
    }

    /// To the file of `--audit`.
    pub(super) fn write_record(&mut self, record: &Record) {
        self.serial += 1;
        let Some(file) = &mut self.audit else { return };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Err(why) = file.write_all(line(record, now, self.serial).as_bytes()) {
            self.lost.get_or_insert(why);
        }
    }

    /// Why, in few words: what `explain` would say at length.
    fn reason(&self, record: &Record) -> Option<String> {
        self.server.with_engine(|engine| {
            let db = engine.db();
            let class = db.classes.id(record.class)?;
            let (source, target) =
                (db.parse_context(&record.source).ok()?, db.parse_context(&record.target).ok()?);
            let named = record.permissions.iter().filter_map(|it| db.permission(class, it));
            let wanted = named.fold(0, |all, it| all | it.mask());
            let query = Query { source: &source, target: &target, class };
            let explanation = engine.explain(&query, Some(wanted));
            let denied = explanation.permissions.iter().find(|it| !it.allowed)?;
            Some(format!(": {}", in_few_words(denied, |id| db.booleans.name(id).into_owned())))
        })
    }

    /// How many denials there were, and what could not be written; then each kind of denial explained.
    pub(super) fn summary(&mut self, knows: &Knowledge<'_>) -> Result<()> {
        if let Some(why) = &self.lost {
            let file = self.args.audit.as_ref().map(|it| it.display().to_string());
            writeln!(
                self.err,
                "mandate: {}: {why}; records are missing",
                file.unwrap_or_default()
            )?;
        }
        let (all, kinds) = (self.all, self.kinds.len());
        if self.args.json {
            let groups = knows.as_json(self.server, &self.kinds);
            let summary = json!({ "denials": all, "different": kinds, "groups": groups });
            writeln!(self.err, "{}", json!({ "summary": summary }))?;
            return Ok(());
        }
        if all == 0 {
            return Ok(());
        }
        let denials = if all == 1 { "denial" } else { "denials" };
        let told = if kinds < MOST { "" } else { "; no more were told" };
        writeln!(self.err, "mandate: {all} {denials}, {kinds} of them different{told}")?;
        knows.print(self.server, &self.kinds, self.err)
    }
}

/// A record as a line of the kernel's audit.
pub(super) fn line(record: &Record, now: Duration, serial: u64) -> String {
    let (seconds, millis) = (now.as_secs(), now.subsec_millis());
    format!("type=AVC msg=audit({seconds}.{millis:03}:{serial}): {record}\n")
}

fn in_few_words(
    denied: &PermissionExplanation,
    name: impl Fn(mandate_policydb::BoolId) -> String,
) -> String {
    if let Some(change) = denied.changes.first() {
        let settings: Vec<_> = change
            .iter()
            .map(|(id, value)| format!("--set {}={}", name(*id), if *value { "on" } else { "off" }))
            .collect();
        return format!("{} would allow it", settings.join(" "));
    }
    match denied.denials.first() {
        Some(Denial::Constraint { .. }) => "a constraint forbids it".to_owned(),
        Some(Denial::RoleAllow { .. }) => "the role may not change so".to_owned(),
        Some(Denial::Bounds { .. }) => "the domain that bounds it may not".to_owned(),
        _ => "no rule allows it".to_owned(),
    }
}

pub(super) fn type_of(context: &str) -> &str {
    context.split(':').nth(2).unwrap_or(context)
}

fn what(record: &Record) -> String {
    match &record.subject {
        Subject::File { path, .. } => format!(" {}", String::from_utf8_lossy(path).escape_debug()),
        Subject::Port(port) => format!(" port {port}"),
        Subject::Process(process) => format!(" {process}"),
        _ => String::new(),
    }
}

/// `cat (user_t) read file /etc/shadow (shadow_t)`.
fn sentence(record: &Record) -> String {
    let command = String::from_utf8_lossy(&record.command);
    format!(
        "{} ({}) {} {}{} ({})",
        command.escape_debug(),
        type_of(&record.source),
        record.permissions.join(" "),
        record.class,
        what(record),
        type_of(&record.target),
    )
}

fn json_of(record: &Record) -> serde_json::Value {
    json!({
        "denied": true,
        "permissive": record.permissive,
        "scontext": record.source,
        "tcontext": record.target,
        "tclass": record.class,
        "permissions": record.permissions,
        "comm": String::from_utf8_lossy(&record.command),
        "what": what(record).trim_start(),
    })
}
