//! Scenarios in a real enforcing kernel and under `mandate run --exact`: the same results of all calls, and the same denials.
//!
//! One guest runs all of them, and so does one `mandate run`. What differs stands with its reason in compliance/cases/run/differences.toml.

mod known;
mod policy;
mod scenario;
mod told;
mod tree;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use self::known::Known;
use self::scenario::Variant;
use self::told::{Told, told};
use self::tree::{MARK, RUNNER, Tree, end_of};
use crate::bench::Figure;
use crate::kernel::userland::{Record, Steps, Userland};
use crate::place::Place;
use crate::report::{Comparison, Report};

const LIMIT: Duration = Duration::from_secs(900);
/// Whom the scenarios belong to.
const USER: (&str, u32) = ("nobody", 65_534);
const RUNNER_CONTEXT: &str = "system_u:system_r:runner_t:s0";
/// Where the disk of a guest is.
const GUEST: &str = "/mnt/tree";
/// As many scenarios a runner of the guest is given: each has its time.
const AT_ONCE: usize = 100;

pub(super) fn run(
    place: &Place,
    full: bool,
    _seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "files are given away and devices are made by root alone"
    );
    report.heading("Scenarios under SELinux and under mandate run --exact")?;
    let work = place.work.join("run-kernel");
    fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;
    let mut known = Known::read(full)?;
    let scenarios = scenario::all()?;
    let variants = scenario::variants(&scenarios, full);
    let mut comparison = Comparison::new("scenarios, each also without each permission");
    let policy = policy::build(place, &variants, &work)?;
    let guest = Userland::prepare(&place.work.join("kernel"))?;
    let caller = Userland::caller(&place.work.join("kernel"))?;
    let theirs = in_guest(&guest, &policy, &caller, &variants)?;
    let ours = under_run(place, &policy, &caller, &variants, &work)?;
    for (variant, (theirs, ours)) in variants.iter().zip(theirs.iter().zip(&ours)) {
        known.judge(variant, theirs, ours, &mut comparison);
    }
    known.stale(&mut comparison);
    if comparison.differing() > 0 {
        report.note(&place.keep("run-kernel/differences.toml", known.seen().as_bytes())?)?;
    }
    report.add(&comparison.done())?;
    report.note(&format!(
        "{} scenarios; of {} it is known what differs",
        scenarios.len(),
        known.scenarios()
    ))?;
    Ok(Vec::new())
}

/// What the kernel does.
fn in_guest(
    guest: &Userland,
    policy: &Path,
    caller: &Path,
    variants: &[Variant<'_>],
) -> Result<Vec<Told>> {
    let tree = Tree::new(GUEST.into(), caller, variants);
    let mut steps = Steps::default();
    steps.add(["loopback"]);
    tree.steps(USER.1, &mut steps);
    steps.add(["enforce", "1"]);
    for variants in variants.chunks(AT_ONCE) {
        steps.add(["input", &tree.script(variants)]);
        steps.add(["user", &USER.1.to_string()]);
        let runner = format!("{GUEST}/{RUNNER}");
        steps.add(["run", &runner, "run", "run", &format!("{GUEST}/{MARK}")]);
        steps.add(["log", &format!("comm=\"{}\"", end_of(variants))]);
    }
    let policy = fs::read(policy).context("reading the policy")?;
    let (mut output, mut log) = (String::new(), String::new());
    for record in guest.run(&policy, &steps, LIMIT)? {
        match record {
            Record::Ran { code: 0, out, .. } => output += &String::from_utf8_lossy(&out),
            Record::Said(text) => log += &String::from_utf8_lossy(&text),
            Record::Failed(step, why) => bail!("{why} in step {step}: {}", steps.line(&step)),
            other => bail!("not expected: {other:?}"),
        }
    }
    told(variants, &output, &log)
}

/// What we do.
fn under_run(
    place: &Place,
    policy: &Path,
    caller: &Path,
    variants: &[Variant<'_>],
    work: &Path,
) -> Result<Vec<Told>> {
    let folder = Folder::new()?;
    let root = folder.0.display().to_string();
    let tree = Tree::new(root.clone(), caller, variants);
    tree.make(USER.1)?;
    let file = |name: &str| work.join(name);
    let (labels, audit) = (file("file_contexts"), file("audit"));
    let (script, out) = (folder.0.join("in"), folder.0.join("out"));
    let contexts = format!("{}{root}/(in|out) system_u:object_r:out_t:s0\n", tree.file_contexts()?);
    fs::write(&labels, contexts).context("writing file contexts")?;
    fs::write(&script, tree.script(variants)).context("writing the script")?;
    if audit.exists() {
        fs::remove_file(&audit).context("removing the last records")?;
    }
    let mut run = Command::new("timeout");
    run.arg(LIMIT.as_secs().to_string()).arg(place.mandate()?).args(["run", "--exact", "--quiet"]);
    run.arg("--policy").arg(policy).arg("--labels").arg(&labels).arg("--audit").arg(&audit);
    run.args(["--user", USER.0, "--context", RUNNER_CONTEXT, "--"]);
    run.arg(format!("{root}/{RUNNER}")).args(["run", &format!("{root}/{MARK}")]);
    run.stdin(File::open(&script)?).stdout(File::create(&out)?).stderr(Stdio::piped());
    let ended = run.current_dir(&root).spawn()?.wait_with_output()?;
    let read = |path: &Path| fs::read(path).map(|it| String::from_utf8_lossy(&it).into_owned());
    ensure!(
        ended.status.success(),
        "mandate run: {}: {}\nafter: {}",
        ended.status,
        String::from_utf8_lossy(&ended.stderr),
        read(&out)?.lines().last().unwrap_or_default()
    );
    told(variants, &read(&out)?, &read(&audit)?)
}

/// A folder that an ordinary user can reach, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("mandate-scenarios-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_already_is_fine = fs::remove_dir_all(&self.0);
    }
}
