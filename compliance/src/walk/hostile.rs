//! Somebody renames, links and swaps in a tree while it is labelled: nothing that was never inside is labelled.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use rustix::fs::{CWD, Mode, OFlags, RenameFlags, open, renameat_with};

use super::tree;
use crate::place::Place;
use crate::random::Random;
use crate::report::Report;

/// How many walks: in continuous integration, and at full size.
const WALKS: (usize, usize) = (2_000, 10_000);
const FOLDERS: usize = 12;
const FILES: usize = 12;
const OUTSIDE: &str = "outside:object_r:never_t:s0";

pub(super) fn run(place: &Place, folder: &Path, full: bool, report: &mut Report<'_>) -> Result<()> {
    report.heading("Trees in which somebody renames and links during the walk")?;
    let ours = place.mandate()?;
    let (root, outside) = (folder.join("root"), folder.join("outside"));
    build(&root, &outside)?;
    let spec = folder.join("file_contexts");
    fs::write(&spec, "/.*\tsystem_u:object_r:inside_t:s0\n")?;
    let walks = if full { WALKS.1 } else { WALKS.0 };
    let (stop, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
    let walked = std::thread::scope(|scope| {
        for seed in 0..2 {
            let (root, outside, stop, swaps) = (&root, &outside, &stop, &swaps);
            scope.spawn(move || attack(root, outside, seed, stop, swaps));
        }
        let walked = (0..walks).try_for_each(|number| {
            let mut command = Command::new(&ours);
            command.args(["label", "restore", "--force", "--root"]).arg(&root);
            command.arg("--file-contexts").arg(&spec);
            command.args(["--threads", if number % 2 == 0 { "1" } else { "3" }]);
            let status = command.stdin(Stdio::null()).stderr(Stdio::null()).status();
            let code = status.context("starting mandate")?.code();
            ensure!(code.is_some_and(|it| it <= 2), "walk {number} ended with {code:?}");
            Ok(())
        });
        stop.store(true, Ordering::Relaxed);
        walked
    });
    walked?;
    let labels = tree::labels(&outside)?;
    let changed: Vec<_> =
        labels.iter().filter(|it| it.1.trim_end_matches('\0') != OUTSIDE).collect();
    let swaps = swaps.into_inner();
    let told = format!("{walks} walks, {swaps} changes meanwhile, {} files outside", labels.len());
    let outcome = if changed.is_empty() && swaps > 1000 {
        Ok(told)
    } else {
        Err(format!("{told}; labelled: {:?}", changed.first()))
    };
    Ok(report.case("nothing outside is labelled", outcome)?)
}

fn build(root: &Path, outside: &Path) -> Result<()> {
    tree::empty(root)?;
    tree::empty(outside)?;
    for at in 0..FOLDERS {
        for top in [root, outside] {
            let folder = top.join(format!("folder{at}"));
            fs::create_dir(&folder)?;
            for file in 0..FILES {
                fs::write(folder.join(format!("file{file}")), b"")?;
            }
        }
        symlink(outside.join(format!("folder{at}")), root.join(format!("trap{at}")))?;
        let file = outside.join(format!("folder{at}/file1"));
        symlink(file, root.join(format!("folder{at}/trap")))?;
    }
    for path in tree::labels(outside)?.keys() {
        tree::set_label(path, OUTSIDE)?;
    }
    Ok(())
}

/// Swaps folders and files for links to others outside, and moves folders about, as fast as it can.
fn attack(root: &Path, outside: &Path, seed: u64, stop: &AtomicBool, swaps: &AtomicU64) {
    let mut random = Random::new(seed);
    while !stop.load(Ordering::Relaxed) {
        let at = random.below(FOLDERS);
        let (folder, trap) = (root.join(format!("folder{at}")), root.join(format!("trap{at}")));
        let exchanged =
            |a: &Path, b: &Path| renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).is_ok();
        let done = match random.below(4) {
            0 => exchanged(&folder, &trap),
            1 => {
                // Held open: through a link this would bring a file in from outside.
                let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let held = open(&folder, flags, Mode::empty());
                held.is_ok_and(|it| {
                    renameat_with(&it, "file1", &it, "trap", RenameFlags::EXCHANGE).is_ok()
                })
            }
            2 => {
                let other = root.join(format!("folder{}", random.below(FOLDERS)));
                exchanged(&folder, &other)
            }
            _ => {
                let link = root.join(format!("link{seed}"));
                drop(fs::remove_file(&link));
                symlink(outside.join(format!("folder{at}/file2")), &link).is_ok()
            }
        };
        swaps.fetch_add(u64::from(done), Ordering::Relaxed);
    }
}
