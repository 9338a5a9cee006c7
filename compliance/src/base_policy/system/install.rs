//! The policy in the tree, and the labels it wants.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::place::run;

/// Its folder below `etc/selinux`.
const NAME: &str = "base";
/// The policy of a system without systemd, whose administrators start services themselves.
const SETTINGS: [&str; 3] = ["TYPE=mcs", "SYSTEMD=n", "DIRECT_INITRC=y"];
const CONFIG: &str = "SELINUX=enforcing\nSELINUXTYPE=base\n";
/// What the two people of the tree become; the others log in as the policy says.
const SEUSERS: &str = "alice:user_u:s0\nbob:staff_u:s0-s0:c0.c1023\n";

/// Builds the policy, puts it where libselinux looks for it, and labels the whole tree.
pub(super) fn policy(ours: &Path, source: &Path, tree: &Path, work: &Path) -> Result<()> {
    let built = work.join("policy");
    build(ours, source, &built)?;
    let home = tree.join("etc/selinux").join(NAME);
    lay_out(&built, &home)?;
    std::fs::write(tree.join("etc/selinux/config"), CONFIG).context("writing selinux/config")?;
    homes(ours, &built, &home, tree)?;
    run(Command::new(ours).args(["label", "restore", "--force", "--quiet", "--root"]).arg(tree))
        .context("labelling the tree")
        .map(drop)
}

fn build(ours: &Path, source: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to).with_context(|| format!("removing {}", to.display()))?;
    }
    std::fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    let mut build = Command::new(ours);
    build.arg("build").arg(source).arg("--no-cache").arg("-o").arg(to);
    run(build.args(SETTINGS.map(|it| format!("--set={it}")))).map(drop)
}

/// The files of a build as they lie on a system.
fn lay_out(built: &Path, home: &Path) -> Result<()> {
    if home.exists() {
        std::fs::remove_dir_all(home).with_context(|| format!("removing {}", home.display()))?;
    }
    let contexts = home.join("contexts");
    for folder in [home.join("policy"), contexts.join("files")] {
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    }
    run(Command::new("cp").arg("-r").arg(built.join("appconfig/.")).arg(&contexts))?;
    let copies = [
        ("policy.33", home.join("policy")),
        ("customizable_types", contexts.clone()),
        ("file_contexts", contexts.join("files")),
    ];
    for (file, to) in copies {
        let from = built.join(file);
        std::fs::copy(&from, to.join(file)).with_context(|| from.display().to_string())?;
    }
    let seusers = std::fs::read_to_string(built.join("seusers")).context("reading seusers")?;
    std::fs::write(home.join("seusers"), seusers + SEUSERS).context("writing seusers")
}

/// File contexts of the homes that the tree has.
fn homes(ours: &Path, built: &Path, home: &Path, tree: &Path) -> Result<()> {
    let mut homes = Command::new(ours);
    homes.args(["label", "homedirs", "--root"]).arg(tree);
    homes.arg("--template").arg(built.join("homedir_template"));
    homes.arg("--policy").arg(built.join("policy.33"));
    homes.arg("--seusers").arg(home.join("seusers"));
    homes.arg("--users-extra").arg(built.join("users_extra"));
    homes.arg("--file-contexts").arg(built.join("file_contexts"));
    run(homes.arg("--output").arg(home.join("contexts/files/file_contexts.homedirs"))).map(drop)
}
