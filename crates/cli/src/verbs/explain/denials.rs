//! Denials of logs, explained.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use mandate_audit::bound::Bound;
use mandate_audit::explain::{Explainer, Explanation, Fix, Group, group, happened, printable};
use mandate_audit::interfaces::Catalogue;
use mandate_audit::{Access, Events, Reader};
use mandate_server::Engine;

use super::json;
use crate::interfaces::InterfaceArgs;
use crate::{DENIED, FAINT, Outcome, STRONG, input, labels, policy, styled};

/// What denials are explained with.
#[derive(clap::Args)]
pub(crate) struct LogArgs {
    /// Explain the denials in LOG files (- for standard input, which is read without any) by this policy; it may have any form
    #[arg(long = "policy", value_name = "POLICY", id = "by")]
    pub(crate) by: Option<PathBuf>,
    /// File contexts of the policy, to find files that are mislabelled
    #[arg(long, value_name = "FILE", requires = "by")]
    file_contexts: Option<PathBuf>,
    #[command(flatten)]
    interfaces: InterfaceArgs,
    /// Offer nothing that these neverallow statements forbid
    #[arg(long, value_name = "FILE", requires = "by")]
    never_allow: Option<PathBuf>,
}

/// Explains all denials of logs, each group once, and how many there were.
pub(super) fn run(
    args: &LogArgs,
    by: &PathBuf,
    booleans: &[(String, bool)],
    logs: &[PathBuf],
    as_json: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome> {
    let engine = Engine::new(policy::load(std::slice::from_ref(by), err)?.policy)?;
    let engine = input::with_booleans(engine, booleans)?;
    let (accesses, bad) = read(logs, err)?;
    let table = args.file_contexts.as_deref().map(labels::open).transpose()?;
    for error in table.iter().flat_map(|it| &it.errors) {
        writeln!(err, "{error}; the line is left out")?;
    }
    let listing = args.interfaces.listing()?;
    let catalogue = listing.map(|it| Catalogue::new(&it, engine.db()));
    let bound = args.never_allow.as_deref().map(|path| {
        let bytes = input::read_bytes(path)?;
        Bound::parse(&path.display().to_string(), &bytes, engine.db()).map_err(|it| anyhow!(it))
    });
    let bound = bound.transpose()?;
    let mut explainer = Explainer::new(&engine);
    if let Some(it) = &table {
        explainer = explainer.with_file_contexts(&it.table);
    }
    if let Some(it) = &catalogue {
        explainer = explainer.with_interfaces(it);
    }
    if let Some(it) = &bound {
        explainer = explainer.with_bound(it);
    }
    let denied = accesses.iter().filter(|it| it.denied);
    let groups = group(denied, &mut explainer);
    let told = groups.iter().map(|it| (it, explainer.explain(it.first)));
    if as_json {
        let all: Vec<_> = told.map(|(group, it)| json::group(group, &it)).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
    } else {
        for (at, (group, explanation)) in told.enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            print(group, &explanation, out)?;
        }
    }
    Ok(if bad { Outcome::BadInput } else { Outcome::Success })
}

/// The accesses of logs, and whether there were lines that could not be read, which are told.
pub(crate) fn read(logs: &[PathBuf], err: &mut dyn Write) -> Result<(Vec<Access>, bool)> {
    let standard = [PathBuf::from("-")];
    let logs = if logs.is_empty() { &standard[..] } else { logs };
    let (mut accesses, mut bad) = (Vec::new(), false);
    for path in logs {
        let bytes = input::read_bytes(path).context("reading the log")?;
        for event in Events::new(Reader::new(&bytes)) {
            match event {
                Ok(event) => accesses.extend(event.accesses()),
                Err(why) => {
                    bad = true;
                    writeln!(err, "{}:{why}", path.display())?;
                }
            }
        }
    }
    Ok((accesses, bad))
}

fn print(group: &Group<'_>, explanation: &Explanation, out: &mut dyn Write) -> Result<()> {
    let count = styled(STRONG, &format!("{}×", group.count));
    writeln!(out, "{count} {}", happened(group.first))?;
    for (at, reason) in explanation.reasons.iter().enumerate() {
        let head = if at == 0 { styled(DENIED, "cause") } else { "also ".to_owned() };
        writeln!(out, "  {head}  {}", reason.cause.sentence())?;
    }
    for note in &explanation.notes {
        writeln!(out, "  {}   {}", styled(FAINT, "note"), note.sentence())?;
    }
    for (at, fix) in explanation.fixes.iter().enumerate() {
        let head = if at == 0 { "fix  " } else { "or   " };
        print_fix(head, fix, out)?;
    }
    for refusal in &explanation.refused {
        let what = refusal.fix.lines().join(" ");
        writeln!(out, "  not    {what}: {} forbids it", refusal.place)?;
    }
    let others = group.objects.get(1..).unwrap_or_default();
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|it| printable(it)).collect();
        writeln!(out, "  {}  {}", styled(FAINT, "on too"), names.join(" "))?;
    }
    Ok(())
}

fn print_fix(head: &str, fix: &Fix, out: &mut dyn Write) -> Result<()> {
    for (at, line) in fix.lines().iter().enumerate() {
        let head = if at == 0 { head } else { "     " };
        writeln!(out, "  {head}  {}", styled(STRONG, line))?;
    }
    Ok(())
}
