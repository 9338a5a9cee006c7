//! libselinux and setfiles of a later Debian suite, unpacked beside the installed ones and run with their own libc.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::place::{Place, cached};
use crate::suite::{PACKAGE_LIST, Suite};

/// Where libselinux 3.11 is.
const SUITE: &str = "forky";
const PACKAGES: [&str; 9] = [
    "libselinux1",
    "libpcre2-8-0",
    "libc6",
    "policycoreutils",
    "libsepol2",
    "libsemanage2",
    "libaudit1",
    "libcap-ng0",
    "libbz2-1.0",
];

/// The folder that they are unpacked in.
pub(crate) struct Later {
    folder: PathBuf,
}

impl Later {
    /// Brings the packages, the first time.
    ///
    /// # Errors
    /// When they cannot be brought.
    pub(crate) fn unpacked(place: &Place) -> Result<Self> {
        let folder = place.work.join("later-selinux");
        cached(&folder, |part| {
            let suite = Suite::named(SUITE, &place.work.join("later-apt"))?;
            suite.unpack(&PACKAGES, part)
        })?;
        Ok(Self { folder })
    }

    /// The version of libselinux.
    pub(crate) fn version(&self) -> Result<String> {
        let packages = std::fs::read_to_string(self.folder.join(PACKAGE_LIST));
        let packages = packages.context("which libselinux this is")?;
        let version = packages.lines().find_map(|it| it.strip_prefix("libselinux1_"));
        let version = version.and_then(|it| it.split(['-', '_']).next());
        version.map(str::to_owned).context("no libselinux was unpacked")
    }

    /// How a program is started with these libraries: one of theirs, below the folder, or one of ours by its whole path.
    pub(crate) fn words(&self, program: impl Into<PathBuf>) -> Vec<OsString> {
        let libraries = self.folder.join("usr/lib/x86_64-linux-gnu");
        let loader = libraries.join("ld-linux-x86-64.so.2");
        let program = self.folder.join(program.into());
        vec![loader.into(), "--library-path".into(), libraries.into(), program.into()]
    }
}
