//! `mandate label mounts`: what mounts allow, what would stop if they did not, and which labels they give.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use mandate_host::mounts;
use mandate_label::mounts::{Mount, executable_mappings};
use mandate_policydb::{FsUseBehavior, PolicyDb};
use mandate_server::{FsUse, ObjectLookup as _};
use serde_json::json;

use super::common::shown;
use crate::verbs::query::table;
use crate::{Outcome, STRONG, input, relabel, styled};

/// Arguments of `label mounts`.
#[derive(clap::Args)]
#[command(after_help = "\
Shown are mounts for writing that allow exec, dev or suid and have folders which everybody may write to; --all shows all. Folders are looked for --depth levels
below each mount point. noexec would stop the processes that have files of these folders mapped to be executed, or any file of a mount that has no such
folder; processes that this user may not see are missing.")]
pub(super) struct Args {
    /// Only mounts in this folder, as of a root file system
    #[arg(long, short = 'R', value_name = "DIR")]
    root: Option<PathBuf>,
    /// Mounts as in this file, instead of /proc/self/mountinfo; nothing of the machine is looked at
    #[arg(long, value_name = "FILE")]
    mountinfo: Option<PathBuf>,
    /// Say which label a mount gives new files under this policy
    #[arg(long, short, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How deep folders are looked at
    #[arg(long, value_name = "N", default_value_t = 2)]
    depth: usize,
    /// All mounts
    #[arg(long, short)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A mount, and what was found out.
struct Row {
    mount: Mount,
    writable: Vec<PathBuf>,
    /// Processes by number and name that execute what lies in the folders, or anywhere if there are none.
    executes: BTreeSet<(u32, String)>,
    label: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let policy = args.policy.as_deref().map(input::read_policy).transpose()?;
    let name = args.mountinfo.clone().unwrap_or_else(|| "/proc/self/mountinfo".into());
    let bytes = match &args.mountinfo {
        Some(path) => input::read_bytes(path),
        None => mounts::mountinfo().context("/proc/self/mountinfo: is /proc mounted?"),
    }?;
    let (all, errors) = Mount::parse(&bytes);
    for error in errors {
        writeln!(err, "{}:{error}; the line is left out", name.display())?;
    }
    let root = args.root.as_deref().map(Path::canonicalize).transpose().context("--root")?;
    let inside = |it: &Mount| root.as_ref().is_none_or(|root| path(it).starts_with(root));
    let label = |it: &Mount| policy.as_ref().map(|policy| label(it, policy.db()));
    let mut rows: Vec<Row> = uncovered(all)
        .into_iter()
        .filter(inside)
        .map(|mount| Row {
            label: label(&mount),
            writable: Vec::new(),
            executes: BTreeSet::new(),
            mount,
        })
        .collect();
    if args.mountinfo.is_none() {
        look(&mut rows, args.depth, err)?;
    }
    rows.retain(|it| args.all || it.is_loose(args.mountinfo.is_some()));
    if args.json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
    } else {
        text(&rows, out)?;
    }
    Ok(Outcome::Success)
}

fn path(mount: &Mount) -> &Path {
    Path::new(OsStr::from_bytes(&mount.point))
}

/// Of mounts on the same place only the last can be seen.
fn uncovered(mut all: Vec<Mount>) -> Vec<Mount> {
    let mut seen = BTreeSet::new();
    all.reverse();
    all.retain(|it| seen.insert(it.point.clone()));
    all.reverse();
    all
}

/// Looks at folders and processes.
fn look(rows: &mut [Row], depth: usize, err: &mut dyn Write) -> Result<()> {
    for row in rows.iter_mut().filter(|it| it.mount.allows().write) {
        row.writable = mounts::world_writable(path(&row.mount), depth);
    }
    let (processes, hidden) = mounts::processes();
    if hidden > 0 {
        writeln!(err, "{hidden} processes may not be looked at; an administrator sees all")?;
    }
    let points: Vec<PathBuf> = rows.iter().map(|it| path(&it.mount).to_owned()).collect();
    for process in processes {
        for mapping in executable_mappings(&process.maps) {
            let file = Path::new(OsStr::from_bytes(mapping));
            // The mount whose point is the longest beginning of the path.
            let place = points.iter().enumerate().filter(|it| file.starts_with(it.1));
            let place = place.max_by_key(|it| it.1.components().count()).map(|it| it.0);
            if let Some(row) = place.and_then(|it| rows.get_mut(it)) {
                let there = |it: &PathBuf| file.starts_with(it);
                if row.writable.is_empty() || row.writable.iter().any(there) {
                    row.executes.insert((process.pid, process.name.clone()));
                }
            }
        }
    }
    Ok(())
}

impl Row {
    /// Is there something to be mended, as far as is known?
    fn is_loose(&self, only_options: bool) -> bool {
        let allows = self.mount.allows();
        let lets = allows.exec || allows.dev || allows.suid;
        allows.write && lets && (only_options || !self.writable.is_empty())
    }

    fn allowed(&self) -> Vec<&'static str> {
        let allows = self.mount.allows();
        let all = [
            (allows.write, "write"),
            (allows.exec, "exec"),
            (allows.dev, "dev"),
            (allows.suid, "suid"),
        ];
        all.into_iter().filter(|it| it.0).map(|it| it.1).collect()
    }

    fn json(&self) -> serde_json::Value {
        let contexts = self.mount.contexts();
        let executes = self.executes.iter().map(|it| json!({ "pid": it.0, "name": it.1 }));
        json!({
            "mount": shown(&self.mount.point),
            "type": self.mount.kind,
            "source": shown(&self.mount.source),
            "allows": self.allowed(),
            "world_writable": self.writable.iter().map(|it| shown(relabel::bytes(it))).collect::<Vec<_>>(),
            "executed_by": executes.collect::<Vec<_>>(),
            "context": contexts.all,
            "fscontext": contexts.file_system,
            "rootcontext": contexts.root,
            "defcontext": contexts.default,
            "new_files": self.label,
        })
    }
}

fn text(rows: &[Row], out: &mut dyn Write) -> Result<()> {
    let cells: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            let writable: Vec<String> =
                row.writable.iter().map(|it| shown(relabel::bytes(it))).collect();
            let names: BTreeSet<&str> = row.executes.iter().map(|it| it.1.as_str()).collect();
            let names: Vec<String> = names.into_iter().map(shown_name).collect();
            [
                shown(&row.mount.point),
                row.mount.kind.clone(),
                row.allowed().join(","),
                table::names(&writable),
                table::names(&names),
            ]
        })
        .collect();
    if cells.is_empty() {
        return Ok(writeln!(
            out,
            "no mount lets everybody write what may be executed, a device or setuid"
        )?);
    }
    let head = ["MOUNT", "TYPE", "ALLOWS", "WORLD-WRITABLE", "NOEXEC WOULD STOP"];
    table::print(head, &cells, out)?;
    if rows.iter().any(|it| it.label.is_some()) {
        writeln!(out, "\n{}", styled(STRONG, "Labels of new files"))?;
    }
    for row in rows {
        if let Some(label) = &row.label {
            writeln!(out, "{}: {label}", shown(&row.mount.point))?;
        }
    }
    Ok(())
}

fn shown_name(name: &str) -> String {
    shown(name.as_bytes())
}

/// Which label new files of a mount get, in words.
fn label(mount: &Mount, db: &PolicyDb) -> String {
    let contexts = mount.contexts();
    let unknown = |it: &str| {
        if db.parse_context(it).is_ok() { "" } else { ", which the policy does not have" }
    };
    if let Some(context) = contexts.all {
        return format!("{context}{}, all of them, by context=", unknown(context));
    }
    let text = |it| db.context_to_string(it);
    let mut label = match db.lookup_fs_use(mount.kind.as_bytes()) {
        FsUse::Behavior(FsUseBehavior::Xattr, context) => format!(
            "the type of their folder, or by type_transition, kept as attributes; the file system is {}",
            text(context)
        ),
        FsUse::Behavior(FsUseBehavior::Trans, context) => {
            format!(
                "the type of their folder, or by type_transition; the topmost folder is {}",
                text(context)
            )
        }
        FsUse::Behavior(FsUseBehavior::Task, context) => {
            format!("that of the process; the file system is {}", text(context))
        }
        FsUse::Behavior(FsUseBehavior::Other(number), context) => {
            format!(
                "as behaviour {number} of the kernel says; the file system is {}",
                text(context)
            )
        }
        FsUse::Genfs(context) => format!("{}, by genfscon", text(context)),
        FsUse::None => {
            format!("unlabeled: the policy has neither fs_use nor genfscon for {}", mount.kind)
        }
    };
    for (option, context) in [("rootcontext", contexts.root), ("defcontext", contexts.default)] {
        if let Some(context) = context {
            label += &format!("; {option}={context}{}", unknown(context));
        }
    }
    label
}
