//! `mandate info`: what a policy holds.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use mandate_policydb::{HandleUnknown, PolicyDb, RuleKind, Target, TypeDatum};
use serde::Serialize;

use crate::{Outcome, input};

/// Arguments of `info`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Binary policy; - for standard input
    policy: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Info {
    version: u32,
    target: &'static str,
    mls: bool,
    handle_unknown: &'static str,
    policy_capabilities: Vec<String>,
    counts: serde_json::Map<String, serde_json::Value>,
    permissive_types: Vec<String>,
    neveraudit_types: Vec<String>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome> {
    let policy = input::read_policy(&args.policy)?;
    let info = summarise(policy.db());
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&info)?)?;
    } else {
        print(&info, out)?;
    }
    Ok(Outcome::Success)
}

fn summarise(db: &PolicyDb) -> Info {
    let marked = |marked: &dyn Fn(&TypeDatum) -> bool| {
        db.types.by_value().filter(|it| marked(it)).map(|it| it.name.to_string()).collect()
    };
    Info {
        version: db.version.number(),
        target: match db.target {
            Target::Selinux => "selinux",
            Target::Xen => "xen",
        },
        mls: db.mls,
        handle_unknown: match db.handle_unknown {
            HandleUnknown::Deny => "deny",
            HandleUnknown::Reject => "reject",
            HandleUnknown::Allow => "allow",
        },
        policy_capabilities: db.capability_names(),
        counts: counts(db)
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect(),
        permissive_types: marked(&|it| db.is_permissive(it.id)),
        neveraudit_types: marked(&|it| db.is_neveraudit(it.id)),
    }
}

fn counts(db: &PolicyDb) -> Vec<(&'static str, usize)> {
    let conditional =
        || db.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false));
    let rules = |kind| db.rules.iter().chain(conditional()).filter(|it| it.kind == kind).count();
    let attributes = db.types.iter().filter(|it| it.attribute).count();
    let types = db.types.by_value().count() - attributes;
    let permissions = db.commons.iter().map(|it| it.permissions.len()).sum::<usize>()
        + db.classes.iter().map(|it| it.permissions.len()).sum::<usize>();
    let constraints = db.classes.iter().map(|it| it.constraints.len()).sum();
    let validatetrans = db.classes.iter().map(|it| it.validatetrans.len()).sum();
    let objects = &db.object_contexts;
    vec![
        ("classes", db.classes.by_value().count()),
        ("permissions", permissions),
        ("types", types),
        ("attributes", attributes),
        ("type aliases", db.types.len() - types - attributes),
        ("users", db.users.len()),
        ("roles", db.roles.len()),
        ("booleans", db.booleans.len()),
        ("conditional blocks", db.conditionals.len()),
        ("sensitivities", db.sensitivities.by_value().count()),
        ("categories", db.categories.by_value().count()),
        ("allow", rules(RuleKind::Allow)),
        ("auditallow", rules(RuleKind::AuditAllow)),
        ("dontaudit", rules(RuleKind::DontAudit)),
        ("allowxperm", rules(RuleKind::AllowXperm)),
        ("auditallowxperm", rules(RuleKind::AuditAllowXperm)),
        ("dontauditxperm", rules(RuleKind::DontAuditXperm)),
        ("type_transition", rules(RuleKind::TypeTransition)),
        ("type_change", rules(RuleKind::TypeChange)),
        ("type_member", rules(RuleKind::TypeMember)),
        ("filename transitions", db.filename_transitions.len()),
        ("role allow", db.role_allows.len()),
        ("role_transition", db.role_transitions.len()),
        ("range_transition", db.range_transitions.len()),
        ("constraints", constraints),
        ("validatetrans", validatetrans),
        ("initial SIDs", objects.initial_sids.len()),
        ("fs_use", objects.fs_uses.len()),
        ("genfscon", db.genfs.iter().map(|it| it.paths.len()).sum()),
        ("portcon", objects.ports.len()),
        ("netifcon", objects.netifs.len()),
        ("nodecon", objects.nodes.len() + objects.nodes6.len()),
        ("ibpkeycon", objects.ibpkeys.len()),
        ("ibendportcon", objects.ibendports.len()),
        ("pirqcon", objects.pirqs.len()),
        ("ioportcon", objects.ioports.len()),
        ("iomemcon", objects.iomems.len()),
        ("pcidevicecon", objects.pci_devices.len()),
        ("devicetreecon", objects.device_tree.len()),
    ]
}

fn print(info: &Info, out: &mut dyn Write) -> Result<()> {
    let mls = if info.mls { "MLS" } else { "no MLS" };
    writeln!(
        out,
        "policy version {}, target {}, {mls}, unknown classes and permissions: {}",
        info.version, info.target, info.handle_unknown
    )?;
    let mut line = |name: &str, values: &[String]| {
        if values.is_empty() { Ok(()) } else { writeln!(out, "{name}: {}", values.join(" ")) }
    };
    line("capabilities", &info.policy_capabilities)?;
    line("permissive types", &info.permissive_types)?;
    line("neveraudit types", &info.neveraudit_types)?;
    writeln!(out)?;
    for (name, count) in info.counts.iter().filter(|it| it.1 != 0) {
        writeln!(out, "{:>8}  {name}", count.to_string())?;
    }
    Ok(())
}
