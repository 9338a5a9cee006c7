//! Small policies with every kind of statement, for the versions and targets that no
//! Reference Policy is built for.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::originals;
use crate::place::{Place, cached, fingerprint, run};

/// Where a policy is to be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A Linux kernel.
    Selinux,
    /// The Xen hypervisor.
    Xen,
}

impl Target {
    /// The word that `checkpolicy -t` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Selinux => "selinux",
            Self::Xen => "xen",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Selinux => include_str!("../oracle/small/selinux.conf"),
            Self::Xen => include_str!("../oracle/small/xen.conf"),
        }
    }

    /// The versions that exist for this target, up to the newest one of `checkpolicy`.
    fn versions(self, mls: bool, newest: u32) -> Vec<u32> {
        match (self, mls) {
            (Self::Xen, _) => vec![24, 30],
            (Self::Selinux, false) => (15..=newest).collect(),
            (Self::Selinux, true) => (19..=newest).collect(),
        }
    }
}

/// One small policy.
#[derive(Clone, Copy, Debug)]
pub struct Small {
    /// Where it is to be loaded.
    pub target: Target,
    /// Whether its contexts have a range.
    pub mls: bool,
    /// The version of the binary policy.
    pub version: u32,
}

impl Small {
    /// Every combination that `checkpolicy` up to version `newest` can write.
    #[must_use]
    pub fn all(newest: u32) -> Vec<Self> {
        let mut all = Vec::new();
        for target in [Target::Selinux, Target::Xen] {
            for mls in [false, true] {
                let versions = target.versions(mls, newest).into_iter();
                all.extend(versions.map(|version| Self { target, mls, version }));
            }
        }
        all
    }

    /// What a report calls it.
    #[must_use]
    pub fn name(self) -> String {
        let mls = if self.mls { "MLS" } else { "no MLS" };
        format!("small {} policy, {mls}, version {}", self.target.name(), self.version)
    }

    /// The source: the statements that this version has.
    #[must_use]
    pub fn source(self) -> String {
        self.target.text().lines().filter_map(|line| self.line(line)).collect()
    }

    /// A line without its marks, or nothing when it does not count here.
    fn line(self, line: &str) -> Option<String> {
        if line.starts_with('#') {
            return None;
        }
        let mut rest = line;
        while let Some(marked) = rest.strip_prefix('%') {
            let (mark, statement) = marked.split_once(' ')?;
            let counts = match mark {
                "mls" => self.mls,
                "plain" => !self.mls,
                version => self.version >= version.parse().ok()?,
            };
            if !counts {
                return None;
            }
            rest = statement;
        }
        Some(rest.replace("%r", if self.mls { ":s0" } else { "" }) + "\n")
    }

    /// Compiles it with `checkpolicy`, once.
    ///
    /// # Errors
    /// When `checkpolicy` refuses it.
    pub fn build(self, place: &Place) -> Result<PathBuf> {
        let source = self.source();
        let mls = if self.mls { "mls" } else { "plain" };
        let name = format!("{}.{mls}.{:016x}", self.target.name(), fingerprint(&source));
        let folder = place.work.join(originals::versions()?).join("small");
        let path = folder.join(format!("{name}.{}", self.version));
        cached(&path, |part| {
            let conf = part.with_extension("conf");
            std::fs::write(&conf, &source)
                .with_context(|| format!("writing {}", conf.display()))?;
            let mut checkpolicy = Command::new("checkpolicy");
            checkpolicy.args(["-t", self.target.name(), "-U", "allow"]);
            checkpolicy.args(self.mls.then_some("-M"));
            checkpolicy.args(["-c", &self.version.to_string(), "-o"]).arg(part).arg(&conf);
            run(&mut checkpolicy).map(drop)
        })?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_lose_the_newer_statements() {
        let source = |version, mls| Small { target: Target::Selinux, mls, version }.source();
        assert!(
            source(33, true).contains("type_transition user_t home_t:file data_t \"notes.txt\";")
        );
        assert!(!source(24, true).contains("notes.txt"));
        assert!(!source(33, false).contains("s0"));
        assert!(!source(33, true).contains('%'));
    }
}
