//! The commands in a kernel with SELinux.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::super::lab::Lab;
use super::{Domain, PATIENCE, Told, told, tree};
use crate::kernel::userland::{Record, Steps, Userland};
use crate::place::{Place, run as run_program};

const LIMIT: Duration = Duration::from_secs(900);
/// Where the disk of a guest is.
const DISK: &str = "/mnt";
/// What has labels there, but for /.
const TREE: &str = "/bin /dev /etc /home /lib /lib64 /mnt /root /run /sbin /tmp /usr /var";

/// What becomes of the commands of each domain.
pub(super) fn run(place: &Place, lab: &Lab) -> Result<Vec<Vec<Told>>> {
    let folder = place.work.join("run-inside");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let root = folder.join("root");
    tree::make(&root, lab)?;
    for domain in Domain::ALL {
        put_work(domain, lab, &root)?;
    }
    let policy = folder.join("policy");
    lab.mandate(&["build", "--no-cache", "-o"], &[&policy])?;
    let policy = fs::read(&policy).context("reading the policy")?;
    let guest = Userland::prepare(&place.work.join("kernel"))?;
    let records = guest.run_on(Some(&root), &policy, &steps(lab), LIMIT)?;
    outputs(&steps(lab), records)
}

/// The work folder of a domain, beside where it will be.
fn put_work(domain: Domain, lab: &Lab, root: &Path) -> Result<()> {
    domain.fill(lab)?;
    let to = root.join(domain.name());
    run_program(Command::new("cp").arg("-a").arg(lab.work()).arg(&to))?;
    let owner = domain.user().to_string();
    run_program(Command::new("chown").arg("-R").arg(owner).arg(&to)).map(drop)
}

/// The original labels everything; then the driver runs in each domain.
fn steps(lab: &Lab) -> Steps {
    let mut steps = Steps::default();
    // Who starts the drivers may end that the kernel enforces.
    steps.add(["be", Domain::Unconfined.context()]);
    for (kind, at) in [("proc", "proc"), ("sysfs", "sys"), ("devtmpfs", "dev")] {
        steps.add(["mount", kind, &format!("{DISK}/{at}")]);
    }
    steps.add(["mount", "selinuxfs", &format!("{DISK}/sys/fs/selinux")]);
    // What begins with / itself is reported to the audit system, which is not there.
    steps.add(["label", DISK, "system_u:object_r:root_t:s0"]);
    let work = lab.work().display().to_string();
    let above = work.trim_end_matches("/work");
    steps.add(["run", "/bin/mkdir", "mkdir", "-p", &format!("{DISK}{above}")]);
    let contexts = "/etc/selinux/mandate/contexts/files/file_contexts";
    for domain in Domain::ALL {
        let script = format!("rm -rf {DISK}{work}; mv {DISK}/{} {DISK}{work}", domain.name());
        steps.add(["run", "/bin/sh", "sh", "-ec", &script]);
        steps.add(["seconds", "300"]);
        steps.add(["root", DISK]);
        let folders = if domain == Domain::User { TREE } else { above };
        let words = ["run", "/usr/sbin/setfiles", "setfiles", "-F", contexts];
        steps.add(words.into_iter().chain(folders.split(' ')));
        steps.add(["root", DISK]);
        steps.add(["cwd", &work]);
        steps.add(["context", domain.context()]);
        steps.add(["user", &domain.user().to_string()]);
        steps.add(["seconds", &PATIENCE.to_string()]);
        steps.add(["run", "/bin/sh", "sh", "driver"]);
        steps.add(["enforce", "0"]);
    }
    steps
}

/// What the drivers told.
fn outputs(steps: &Steps, records: Vec<Record>) -> Result<Vec<Vec<Told>>> {
    let mut ran = Vec::new();
    for record in records {
        match record {
            Record::Ran { code: 0, out, .. } => {
                ran.push(String::from_utf8_lossy(&out).into_owned())
            }
            Record::Ran { code, out, err } => bail!(
                "program {} of the guest ended with {code}: {}{}",
                ran.len(),
                String::from_utf8_lossy(&out),
                String::from_utf8_lossy(&err)
            ),
            Record::Failed(step, why) => bail!("{why} in step {step}: {}", steps.line(&step)),
            other => bail!("not expected: {other:?}"),
        }
    }
    // Of each domain, a shell, what labels, and the driver, behind what is done once.
    let drivers = ran.iter().skip(3).step_by(3).collect::<Vec<_>>();
    ensure!(ran.len() == 1 + 3 * Domain::ALL.len(), "{} programs of the guest ended", ran.len());
    Domain::ALL.into_iter().zip(drivers).map(|(domain, out)| told(domain, out)).collect()
}
