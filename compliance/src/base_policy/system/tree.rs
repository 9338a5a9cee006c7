//! The tree: Debian packages, and the little that makes a system of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::place::{cached, fingerprint, run};
use crate::suite::Suite;

const SUITE: &str = "bookworm";
/// Besides those that every Debian system has. `orphan-sysvinit-scripts` has the script of rsyslog.
const PACKAGES: [&str; 25] = [
    "cron",
    "curl",
    "e2fsprogs",
    "ifupdown",
    "initscripts",
    "iproute2",
    "kmod",
    "login",
    "logrotate",
    "mount",
    "nginx-light",
    "openssh-client",
    "openssh-server",
    "orphan-sysvinit-scripts",
    "passwd",
    "policycoreutils",
    "postgresql",
    "postgresql-15",
    "procps",
    "rsyslog",
    "selinux-utils",
    "sudo",
    "sysv-rc",
    "sysvinit-core",
    "util-linux",
];
const PREPARE: &str = include_str!("../../../cases/system/prepare.sh");

/// A tree of the packages as the mirror has them now; made once for each of their versions.
pub(super) fn debian(folder: &Path) -> Result<PathBuf> {
    let suite = Suite::named(SUITE, &folder.join("apt"))?;
    let made_of = format!("{}{PREPARE}", suite.versions(&PACKAGES)?);
    let tree = folder.join(format!("tree-{:016x}", fingerprint(&made_of)));
    cached(&tree, |part| {
        forget_others(folder, part)?;
        bring(part)?;
        prepare(part)
    })?;
    Ok(tree)
}

/// Removes trees of other versions, which nobody asks for again.
fn forget_others(folder: &Path, but: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let is_tree = entry.file_name().to_string_lossy().starts_with("tree-");
        if is_tree && entry.path() != but {
            std::fs::remove_dir_all(entry.path()).context("removing an old tree")?;
        }
    }
    Ok(())
}

/// In a mount namespace, so that nothing stays mounted whatever happens.
fn bring(tree: &Path) -> Result<()> {
    let mut bring = Command::new("unshare");
    bring.args(["--mount", "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"]);
    bring.args(["--format=directory", "--aptopt=APT::Install-Recommends \"false\""]);
    bring.arg(format!("--include={}", PACKAGES.join(",")));
    run(bring.arg(SUITE).arg(tree).arg(crate::suite::mirror()))
        .context("making a Debian tree; the package mmdebstrap has the tool")
        .map(drop)
}

fn prepare(tree: &Path) -> Result<()> {
    let script = tree.join("root/prepare");
    std::fs::write(&script, PREPARE).context("writing into the tree")?;
    let mut chroot = Command::new("chroot");
    chroot.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    run(chroot.arg(tree).args(["/bin/sh", "/root/prepare"]))?;
    std::fs::remove_file(&script).context("removing what prepared the tree")
}
