//! Walks that are killed at random moments and resumed: the labels are those of a walk that nobody disturbed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::tree;
use crate::place::{Place, run as run_program};
use crate::random::Random;
use crate::report::{Comparison, Report};

/// How many kills, and how large the tree: in continuous integration, and at full size.
const KILLS: (usize, usize) = (20, 200);
const FOLDERS: (usize, usize) = (60, 120);

pub(super) fn run(
    place: &Place,
    folder: &Path,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<()> {
    report.heading("Walks that are killed and resumed")?;
    let ours = place.mandate()?;
    let mut random = Random::new(seed);
    let (wanted, folders) = if full { (KILLS.1, FOLDERS.1) } else { (KILLS.0, FOLDERS.0) };
    let spec = folder.join("file_contexts");
    fs::write(&spec, "/.*\tu:r:all_t:s0\n/tree/folder[0-9]*[13579]/.*\tu:r:odd_t:s0\n")?;
    let (tree, journal) = (folder.join("tree"), folder.join("journal"));
    let command = || {
        let mut command = Command::new(&ours);
        command.args(["label", "restore", "--force", "--file-contexts"]).arg(&spec);
        command.arg("--root").arg(folder).arg("--resume").arg(&journal).arg(&tree);
        command
    };
    build(&tree, folders)?;
    let mut whole = command();
    // Files whose names differ are left alone, which it tells.
    let started = Instant::now();
    let code = whole.stderr(Stdio::null()).status().context("starting mandate")?.code();
    // Moments lie within what a whole walk takes here.
    let longest = usize::try_from(started.elapsed().as_micros()).unwrap_or(usize::MAX).max(1);
    ensure!(code == Some(1), "the undisturbed walk ended with {code:?}");
    let expected = tree::labels(&tree)?;
    let mut comparison = Comparison::new(format!("labels after kills, seed {seed}"));
    let (mut kills, mut rounds) = (0, 0);
    while kills < wanted {
        rounds += 1;
        ensure!(rounds <= 10 * wanted, "{kills} kills in {rounds} walks: they end too soon");
        build(&tree, folders)?;
        loop {
            let mut child = command().stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
            std::thread::sleep(Duration::from_micros(random.below(longest) as u64));
            if let Some(status) = child.try_wait()? {
                ensure!(status.code() == Some(1), "a resumed walk ended with {status}");
                break;
            }
            kills += 1;
            if random.chance(30) {
                run_program(Command::new("kill").args(["-INT", &child.id().to_string()]))?;
            } else {
                child.kill()?;
            }
            let status = child.wait()?;
            if status.code() == Some(1) {
                break;
            }
            ensure!(kills < 100 * wanted, "the walk never comes to its end");
        }
        let found = tree::labels(&tree)?;
        let differing = expected.iter().filter(|it| found.get(it.0) != Some(it.1)).count();
        comparison.equal(|| format!("walk {rounds}"), &differing, &0);
    }
    report.add(&comparison.done())?;
    let told = format!("{kills} in {rounds} walks of {} files", expected.len());
    Ok(report.case("kills", Ok(told))?)
}

fn build(tree: &Path, folders: usize) -> Result<()> {
    tree::empty(tree)?;
    for at in 0..folders {
        let folder = tree.join(format!("folder{at}"));
        fs::create_dir(&folder)?;
        for file in 0..100 {
            fs::write(folder.join(format!("file{file}")), b"")?;
        }
        if at > 0 {
            // Of two names in folders of a kind, and of the other.
            let other = if at % 7 == 0 { at - 1 } else { at.saturating_sub(2) };
            let name = format!("link{at}");
            fs::hard_link(tree.join(format!("folder{other}/file1")), folder.join(name))?;
        }
    }
    Ok(())
}
