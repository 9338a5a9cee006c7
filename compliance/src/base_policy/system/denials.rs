//! What the kernel denied, and which of it is known and meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::bench::Figure;
use crate::report::Report;

const KNOWN: &str = include_str!("../../../cases/system/denials.toml");
/// What the kernel says when records were lost.
const LOST: [&str; 3] =
    ["audit_lost=", "audit: backlog limit exceeded", "audit: rate limit exceeded"];
/// A context came about that the policy does not know.
const INVALID: &str = "invalid_context=";

/// Who may not do what to what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Access {
    source: String,
    target: String,
    class: String,
}

/// Permissions that were denied, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Denied {
    permissions: BTreeSet<String>,
    count: usize,
}

/// A denial that is meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    source: String,
    target: String,
    class: String,
    permissions: BTreeSet<String>,
    /// Why it is denied, and why nothing breaks.
    why: String,
    /// A check asks for it.
    #[serde(default)]
    asked: bool,
    /// Some boots do without it.
    #[serde(default)]
    sometimes: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    denial: Vec<Known>,
}

fn known() -> Result<Vec<Known>> {
    let list: List = toml::from_str(KNOWN).context("reading denials.toml")?;
    Ok(list.denial)
}

/// Compares what a console shows with what is known: neither more nor less.
pub(super) fn judge(root: &Path, console: &str, report: &mut Report<'_>) -> Result<Figure> {
    let known = known()?;
    report.case("docs/base-policy.md lists them", shown(root, &known))?;
    let denied = denials(console)?;
    let mut remaining = 0;
    for (access, it) in &denied {
        let expected = known.iter().find(|known| known.covers(access, it));
        remaining += usize::from(expected.is_none_or(|it| !it.asked));
        let told = format!("{} times", it.count);
        let name = format!("denied: {}", show(access, &it.permissions));
        report
            .case(&name, expected.map(|_| told.clone()).ok_or(format!("{told}, and not known")))?;
    }
    for it in known.iter().filter(|it| !it.sometimes && !denied.contains_key(&it.access())) {
        report.case(
            &show(&it.access(), &it.permissions),
            Err("known, but not denied any more".into()),
        )?;
    }
    for (name, words) in
        [("no record of a denial was lost", &LOST[..]), ("all contexts are valid", &[INVALID])]
    {
        let found = console.lines().find(|line| words.iter().any(|it| line.contains(it)));
        report.case(name, found.map_or(Ok("none".into()), |line| Err(line.to_owned())))?;
    }
    Ok(Figure {
        what: "kinds of denials from its boot to its end, besides those that a check asks for"
            .into(),
        reach: "none breaks anything: docs/base-policy.md".into(),
        ours: remaining.to_string(),
        theirs: String::new(),
        ratio: String::new(),
    })
}

/// Whether the docs have the list as it is.
fn shown(root: &Path, known: &[Known]) -> Result<String, String> {
    let docs = std::fs::read_to_string(root.join("docs/base-policy.md")).unwrap_or_default();
    let table = table(known);
    if docs.contains(&table) {
        return Ok(format!("{} kinds", known.len()));
    }
    Err(format!("it should have\n{table}"))
}

fn show(access: &Access, permissions: &BTreeSet<String>) -> String {
    let Access { source, target, class } = access;
    let permissions = Vec::from_iter(permissions.iter().map(String::as_str)).join(" ");
    format!("{source} {target}:{class} {{ {permissions} }}")
}

impl Known {
    fn access(&self) -> Access {
        let Self { source, target, class, .. } = self;
        Access { source: source.clone(), target: target.clone(), class: class.clone() }
    }

    fn covers(&self, access: &Access, denied: &Denied) -> bool {
        self.access() == *access && denied.permissions.is_subset(&self.permissions)
    }
}

/// All denials that a console shows. A line may begin with what a program wrote.
fn denials(console: &str) -> Result<BTreeMap<Access, Denied>> {
    let mut denials = BTreeMap::<Access, Denied>::new();
    for record in
        console.lines().filter_map(|line| line.split_once("avc:  denied  {")).map(|it| it.1)
    {
        let read = || format!("reading the denial {record:?}");
        let (permissions, rest) = record.split_once('}').with_context(read)?;
        let source = context(rest, " scontext=").with_context(read)?;
        let target = context(rest, " tcontext=").with_context(read)?;
        let class = field(rest, " tclass=").with_context(read)?.to_owned();
        let denied = denials.entry(Access { source, target, class }).or_default();
        denied.permissions.extend(permissions.split_whitespace().map(str::to_owned));
        denied.count += 1;
    }
    Ok(denials)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split_once(name)?.1.split_whitespace().next()
}

/// The type of a context.
fn context(text: &str, name: &str) -> Option<String> {
    field(text, name)?.split(':').nth(2).map(str::to_owned)
}

/// The list as docs/base-policy.md shows it.
fn table(known: &[Known]) -> String {
    let mut text = "| who | to what | denied | why |\n|-|-|-|-|\n".to_owned();
    for Known { source, target, class, permissions, why, asked, .. } in known {
        let permissions = Vec::from_iter(permissions.iter().map(String::as_str)).join(" ");
        let why = if *asked { format!("a check: {why}") } else { why.clone() };
        let _never_fails =
            writeln!(text, "| `{source}` | `{target}` | {class}: {permissions} | {why} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "login: audit: type=1400 audit(1.2:3): avc:  denied  { read write } for  pid=1 comm=\"init\" \
        path=\"/dev/console\" scontext=system_u:system_r:init_t:s0-s0:c0.c1023 tcontext=system_u:object_r:root_t:s0 \
        tclass=chr_file permissive=0";

    #[test]
    fn records_are_read() {
        let denials = denials(&format!("{RECORD}\nnothing\n{RECORD}\n")).expect("denials");
        let told: Vec<_> =
            denials.iter().map(|(it, of)| (show(it, &of.permissions), of.count)).collect();
        assert_eq!(told, [("init_t root_t:chr_file { read write }".to_owned(), 2)]);
        assert!(super::denials("avc:  denied  { read } for pid=1").is_err());
    }

    #[test]
    fn docs_show_the_list() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        assert_eq!(shown(root, &known().expect("denials.toml")).err(), None);
    }
}
