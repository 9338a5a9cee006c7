//! `policies/base`: is it to the original tools what it is to ours, do its tests notice when a rule is taken away or given too much and
//! when a goal is given up, and does a system work under it?
//!
//! For the tests, each change is made in a copy of the tree without its `neverallow` rules, so that tests alone have to notice it.

mod builds;
mod effect;
mod goals;
mod mutations;
mod statements;
mod system;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

use crate::bench::Figure;
use crate::compile::tree::Overlay;
use crate::place::Place;
use crate::report::Report;
use effect::Effect;
use statements::Statement;

/// What can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Built by the original tools too: the same answers.
    Builds,
    /// An allow, a transition or a constraint is removed or widened.
    Mutations,
    /// A `neverallow` is removed, and a rule that it forbade is added.
    Goals,
    /// A Debian system boots under the policy and does its work; takes minutes, and root.
    System,
}

impl Part {
    /// All of them, or those that need no system to boot.
    #[must_use]
    pub fn of_size(full: bool) -> &'static [Self] {
        if full {
            &[Self::Builds, Self::Mutations, Self::Goals, Self::System]
        } else {
            &[Self::Builds, Self::Mutations, Self::Goals]
        }
    }

    /// What the report's comparisons belong to.
    #[must_use]
    pub fn suite(self) -> &'static str {
        match self {
            Self::Builds => "base-policy builds",
            Self::Mutations => "base-policy mutations",
            Self::Goals => "base-policy goals",
            Self::System => "base-policy system",
        }
    }
}

/// Runs one part.
///
/// # Errors
/// When the tree does not pass its tests as it is, or the report cannot be written.
pub fn run(
    place: &Place,
    part: Part,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.suite(part.suite());
    let tree = || {
        let folder = place.work.join("base-policy").join(part.suite().replace(' ', "-"));
        Tree::copy(place, &folder)
    };
    match part {
        Part::Builds => builds::run(place, full, seed, report),
        Part::Mutations => mutations::run(&tree()?, full, seed, report),
        Part::Goals => goals::run(&tree()?, full, seed, report),
        Part::System => system::run(place, report),
    }
}

/// A copy of the tree without goals, which is changed and tested.
struct Tree {
    ours: PathBuf,
    source: PathBuf,
    overlay: Overlay,
    /// All `neverallow` rules that were taken out.
    goals: Vec<Statement>,
}

/// What the tests of a changed tree say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// An assertion about accesses, transitions or flows fails.
    Caught,
    /// All of these hold.
    Missed,
    /// It is no policy any more.
    Broken,
}

impl Tree {
    fn copy(place: &Place, folder: &Path) -> Result<Self> {
        let source = place.root.join("policies/base");
        let overlay = Overlay::copy(&source, folder)?;
        let mut goals = Vec::new();
        for file in statements::files(&source)? {
            let text = read(&source, &file)?;
            let found = statements::neverallows(&file, &text);
            if !found.is_empty() {
                overlay.replace(&file, statements::without(&text, &found).as_bytes())?;
            }
            goals.extend(found);
        }
        let tree = Self { ours: place.mandate()?, source, overlay, goals };
        ensure!(
            tree.test()? == Verdict::Missed,
            "policies/base without its goals does not pass its tests: mandate test policies/base/tests"
        );
        Ok(tree)
    }

    /// The text of a file, without goals.
    fn text(&self, file: &str) -> Result<String> {
        read(self.overlay.root(), file)
    }

    /// Runs the tests. Counts do not count.
    fn test(&self) -> Result<Verdict> {
        let mut command = Command::new(&self.ours);
        command.arg("test").arg(self.overlay.root().join("tests")).args(["--format", "json"]);
        let output = command.stdin(Stdio::null()).output().context("starting mandate test")?;
        if output.status.code() == Some(2) {
            return Ok(Verdict::Broken);
        }
        let told: serde_json::Value =
            serde_json::from_slice(&output.stdout).context("reading what mandate test says")?;
        let files = told["files"].as_array().context("mandate test tells no files")?;
        let assertions = files.iter().filter_map(|it| it["assertions"].as_array()).flatten();
        let caught = assertions
            .filter(|it| it["kind"] != "rule_count")
            .any(|it| it["holds"] == serde_json::Value::Bool(false));
        Ok(if caught { Verdict::Caught } else { Verdict::Missed })
    }

    /// What the builds that tests look at give.
    fn effects(&self) -> Result<Vec<Effect>> {
        self.builds()?.iter().map(|it| Effect::of(it)).collect()
    }

    /// The policies of the builds that tests look at.
    fn builds(&self) -> Result<Vec<Vec<u8>>> {
        let policy = self.overlay.root().with_extension("policy");
        let build = |settings: [&str; 2]| {
            let mut command = Command::new(&self.ours);
            command.arg("build").arg(self.overlay.root()).arg("--no-cache").arg("-o").arg(&policy);
            command.args(settings.map(|it| format!("--set={it}"))).stdin(Stdio::null());
            crate::place::run(&mut command)?;
            std::fs::read(&policy).with_context(|| format!("reading {}", policy.display()))
        };
        let wanted = [["TYPE=mcs", "UBAC=n"], ["TYPE=mcs", "UBAC=y"], ["TYPE=mls", "UBAC=y"]];
        wanted.into_iter().map(build).collect()
    }
}

fn read(root: &Path, file: &str) -> Result<String> {
    let path = root.join(file);
    std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}
