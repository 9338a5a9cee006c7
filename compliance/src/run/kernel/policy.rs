//! The policy of all scenarios: what they have in common, and of each variant its own domains, types and rules.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::scenario::Variant;
use crate::place::{Place, run};

const COMMON: &str = include_str!("../../../cases/run/common.te");
const CONTEXTS: &str = include_str!("../../../cases/run/contexts");
/// What the kernel of the guest reads.
const VERSION: &str = "33";

/// Compiles the policy by the original compiler.
pub(super) fn build(place: &Place, variants: &[Variant<'_>], folder: &Path) -> Result<PathBuf> {
    let (source, binary) = (folder.join("policy.conf"), folder.join("policy"));
    fs::write(&source, text(place, variants)?).context("writing the policy")?;
    let mut checkpolicy = Command::new("checkpolicy");
    checkpolicy.args(["-M", "-U", "deny", "-c", VERSION, "-o"]).arg(&binary).arg(&source);
    run(&mut checkpolicy)?;
    Ok(binary)
}

fn text(place: &Place, variants: &[Variant<'_>]) -> Result<String> {
    let flask = place.root.join("policies/base/policy/flask");
    let read = |name: &str| {
        let path = flask.join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let (classes, sids, vectors) =
        (read("security_classes")?, read("initial_sids")?, read("access_vectors")?);
    let mut text = [&*classes, &sids, &vectors, COMMON].join("\n");
    text += &all_of(&classes);
    for variant in variants {
        add(&mut text, variant)?;
    }
    text += "user system_u roles { system_r } level s0 range s0 - s0:c0.c3;\n";
    for sid in sids.lines().filter_map(|it| it.strip_prefix("sid ")) {
        writeln!(text, "sid {sid} {}", initial(sid))?;
    }
    text += CONTEXTS;
    Ok(text)
}

/// Who sets everything up may do everything.
fn all_of(classes: &str) -> String {
    let names = classes.lines().filter_map(|it| it.strip_prefix("class "));
    let names: Vec<&str> = names.map(|it| it.split('#').next().unwrap_or(it).trim()).collect();
    format!("allow trusted everything:{{ {} }} *;\n", names.join(" "))
}

fn initial(sid: &str) -> String {
    let (role, label) = match sid {
        "kernel" | "init" | "kmod" => ("system_r", "kernel_t"),
        "unlabeled" => ("object_r", "unlabeled_t"),
        "port" => ("object_r", "port_t"),
        "node" => ("object_r", "node_t"),
        "netif" => ("object_r", "netif_t"),
        "fs" | "file" => ("object_r", "fs_t"),
        _ => ("object_r", "other_t"),
    };
    format!("system_u:{role}:{label}:s0")
}

fn add(text: &mut String, variant: &Variant<'_>) -> Result<()> {
    for domain in variant.domains() {
        let domain = variant.named(domain);
        writeln!(text, "type {domain}, everything, domain;")?;
        writeln!(text, "type {domain}_start, everything, start;")?;
        writeln!(text, "role system_r types {domain};")?;
        writeln!(text, "type_transition runner_t {domain}_start:process {domain};")?;
    }
    for name in variant.types() {
        writeln!(text, "type {}, everything;", variant.named(&name))?;
    }
    // What is there before has to be able to be there.
    for label in variant.labels() {
        writeln!(text, "allow {label} fs_t:filesystem associate;")?;
    }
    for statement in variant.statements() {
        writeln!(text, "{statement}")?;
    }
    Ok(())
}
