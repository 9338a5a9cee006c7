//! Audit logs: ausearch and aureport beside the originals on made logs, and how fast; denials explained, and made into rules.

mod allow;
mod bench;
mod changes;
mod denials;
mod explain;
mod logs;
mod records;
mod wide;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::bench::Figure;
use crate::place::{Place, cached};
use crate::report::Report;
use crate::suite::Suite;

/// The Debian release whose audit 3.0.9 is the original.
const SUITE: &str = "bookworm";
const PACKAGES: [&str; 5] = ["auditd", "libaudit1", "libauparse0", "libaudit-common", "libcap-ng0"];

/// Parts of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The same records, the same counts as ausearch and aureport.
    Records,
    /// The right cause of denials that were made by changing one thing, and the time of many.
    Explain,
    /// The same rules and reasons as audit2allow and audit2why, and their time.
    Allow,
    /// Speed.
    Bench,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Records, Self::Explain, Self::Allow, Self::Bench];

    /// The command of a part, as docs/figures.md tells it.
    #[must_use]
    pub fn suite(self) -> &'static str {
        match self {
            Self::Records => "audit records",
            Self::Explain => "audit explain",
            Self::Allow => "audit allow",
            Self::Bench => "audit bench",
        }
    }
}

/// Runs one part.
///
/// # Errors
/// When a tool does not start, or the report cannot be written.
pub fn run(
    place: &Place,
    part: Part,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.suite(part.suite());
    match part {
        Part::Records => {
            records::run(&Tools::find(place)?, full, seed, report).map(|()| Vec::new())
        }
        Part::Explain => explain::run(place, full, seed, report),
        Part::Allow => allow::run(place, full, seed, report),
        Part::Bench => bench::run(&Tools::find(place)?, full, seed, report),
    }
}

/// Both sides' commands.
struct Tools {
    /// The original's package, unpacked.
    theirs: PathBuf,
    /// Our program under the original's names.
    ours: PathBuf,
    /// For logs.
    folder: PathBuf,
}

impl Tools {
    fn find(place: &Place) -> Result<Self> {
        let folder = place.work.join("audit");
        std::fs::create_dir_all(&folder).context("making a folder for logs")?;
        let theirs = place.work.join("audit-3.0.9");
        cached(&theirs, |part| {
            Suite::named(SUITE, &place.work.join("audit-apt"))?.unpack(&PACKAGES, part)
        })?;
        let ours = folder.join("ours");
        std::fs::create_dir_all(&ours).context("making a folder for links")?;
        for name in ["ausearch", "aureport"] {
            let link = ours.join(name);
            if link.symlink_metadata().is_ok() {
                std::fs::remove_file(&link).context("removing an old link")?;
            }
            symlink(place.mandate()?, &link).context("linking our program")?;
        }
        Ok(Self { theirs, ours, folder })
    }

    fn theirs(&self, name: &str) -> Command {
        let mut command = Command::new(self.theirs.join("sbin").join(name));
        let libraries = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];
        let libraries = libraries.map(|it| self.theirs.join(it).display().to_string());
        command.env("LD_LIBRARY_PATH", libraries.join(":"));
        Self::common(command)
    }

    fn ours(&self, name: &str) -> Command {
        Self::common(Command::new(self.ours.join(name)))
    }

    fn common(mut command: Command) -> Command {
        command.env("TZ", "UTC").env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// Output and exit code of one side.
    fn told(mut command: Command, words: &[&str], log: &Path) -> Result<String> {
        let output = command.args(words).arg("-if").arg(log).output();
        let output = output.with_context(|| format!("starting {command:?}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(format!("{text}exit code {}\n", output.status.code().unwrap_or(-1)))
    }
}
