//! A Debian system under the base policy: it boots, enforcing, its services do their work in their domains, and what the kernel denies
//! on the way is known.
//!
//! The tree is Debian's, with the scripts of sysvinit, whose first program loads the policy by itself. Built and labelled by `mandate`,
//! it becomes a disk that user-mode Linux boots. Root logs in at the terminal, and the login shell runs `cases/system/checks.toml`.

mod checks;
mod denials;
mod install;
mod labels;
mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use self::checks::{Check, Told};
use crate::bench::{Figure, note};
use crate::kernel::system::{System, copy_folder};
use crate::place::{Place, run as run_program};
use crate::report::Report;

/// How long a boot with its checks may take; a few minutes are enough.
const LIMIT: Duration = Duration::from_secs(900);
/// The size of the disk; what is not written takes no room.
const DISK: &str = "1100M";

pub(super) fn run(place: &Place, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "labels are set and nodes are made by root alone"
    );
    report.heading("A Debian system under the base policy")?;
    let folder = place.work.join("base-policy/system");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let tree = tree::debian(&folder)?;
    let checks = checks::all()?;
    checks::put(&checks, &tree)?;
    install::policy(&place.mandate()?, &place.root.join("policies/base"), &tree, &folder)?;
    let labelled = labels::count(&tree)?.report(report)?;
    let disk = folder.join("disk");
    make_disk(&tree, &disk)?;
    let (console, told) = boot(place, &folder, &disk, checks.len(), report)?;
    let held = judge(&checks, &told, report)?;
    let remaining = denials::judge(&place.root, &console, report)?;
    let figures = vec![held, labelled, remaining];
    figures.iter().try_for_each(|it| note(it, report))?;
    Ok(figures)
}

/// ext4 with everything below `tree`, labels with it.
fn make_disk(tree: &Path, disk: &PathBuf) -> Result<()> {
    if disk.exists() {
        std::fs::remove_file(disk).context("removing the last disk")?;
    }
    let mut make = Command::new("mkfs.ext4");
    make.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").args(["-q", "-F", "-d"]);
    run_program(make.arg(tree).arg(disk).arg(DISK)).map(drop)
}

/// The console of a boot, and what the checks told.
fn boot(
    place: &Place,
    folder: &Path,
    disk: &Path,
    checks: usize,
    report: &mut Report<'_>,
) -> Result<(String, Vec<Told>)> {
    let started = Instant::now();
    let console = System::prepare(&place.work.join("kernel"))?.boot(disk, LIMIT)?;
    std::fs::write(folder.join("console"), &console).context("keeping the console")?;
    let told = checks::told(&copy_folder(disk, "/root/told", folder)?, checks)?;
    let took = started.elapsed().as_secs();
    report.case("it boots, and ends as it should", Ok(format!("{took} s")))?;
    Ok((console, told))
}

fn judge(checks: &[Check], told: &[Told], report: &mut Report<'_>) -> Result<Figure> {
    let mut held = 0;
    for (check, told) in checks.iter().zip(told) {
        let outcome = check.judge(told);
        held += usize::from(outcome.is_ok());
        report.case(&check.name, outcome)?;
    }
    Ok(Figure {
        what: "a Debian system with nginx, PostgreSQL, openssh and cron, enforcing: checks".into(),
        reach: "all hold".into(),
        ours: format!("{held} of {}", checks.len()),
        theirs: String::new(),
        ratio: String::new(),
    })
}
