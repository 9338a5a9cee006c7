//! A whole system that boots from a disk of its own, enforcing the policy that lies on it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Backend, boot, setup};
use crate::place::run;

/// A kernel that boots systems.
#[derive(Clone, Debug)]
pub struct System {
    image: PathBuf,
}

impl System {
    /// Brings the kernel into `cache`, where it stays.
    ///
    /// # Errors
    /// When the download fails.
    pub fn prepare(cache: &Path) -> Result<Self> {
        let (image, _) = setup::kernel(Backend::Uml, cache)?;
        Ok(Self { image })
    }

    /// Boots a disk with ext4 until the system ends; what it wrote to its console, with all that the kernel said.
    ///
    /// # Errors
    /// When it cannot start, or does not end in time.
    pub fn boot(&self, disk: &Path, limit: Duration) -> Result<String> {
        let run = boot::Run::of_system(&self.image, disk, limit)?;
        let ending = run.wait(limit)?;
        let console = run.console();
        ensure!(
            console.contains("reboot: System halted"),
            "the system {ending}\n{}",
            run.console_tail()
        );
        Ok(console)
    }
}

/// Copies a folder of a disk that no system uses into `to`, in place of the one that it has there.
///
/// # Errors
/// When the disk has no such folder.
pub fn copy_folder(disk: &Path, from: &str, to: &Path) -> Result<PathBuf> {
    let name = Path::new(from).file_name().context("a folder has a name")?;
    let copy = to.join(name);
    if copy.exists() {
        std::fs::remove_dir_all(&copy).with_context(|| format!("removing {}", copy.display()))?;
    }
    let mut debugfs = Command::new("debugfs");
    debugfs.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
    run(debugfs.arg("-R").arg(format!("rdump {from} {}", to.display())).arg(disk))?;
    ensure!(copy.is_dir(), "the disk has no {from}");
    Ok(copy)
}
