//! setools' library in a process of its own: `oracle/paths.py`.

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ours::Settings;
use crate::place::{Place, run as run_program};

const SCRIPT: &str = "compliance/oracle/paths.py";
/// The interpreter that Debian's packages are for.
const PYTHON: &str = "/usr/bin/python3";

/// Which graph is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Graph {
    Reach,
    Flow,
}

/// What is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    Shortest,
    UpTo,
    Out,
    In,
}

/// One question.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Question {
    pub(super) ask: Ask,
    pub(super) source: String,
    pub(super) target: String,
    pub(super) steps: usize,
    /// Ways after which the original stops.
    pub(super) most: usize,
    pub(super) exclude: Vec<String>,
}

impl fmt::Display for Question {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ask, source, target, steps, exclude, .. } = self;
        write!(to, "{ask:?} {source} {target}, {steps} steps, without {exclude:?}")
    }
}

/// What the original says.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) paths: Vec<Vec<String>>,
    /// What makes the steps of the first path.
    pub(super) made: Option<Value>,
    pub(super) seconds: f64,
    pub(super) first: Option<f64>,
}

/// What the graph took.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Took {
    pub(super) seconds: f64,
    pub(super) mebibytes: f64,
}

/// Asks all questions of one policy.
pub(super) fn ask(
    place: &Place,
    policy: &Path,
    settings: &Settings,
    questions: &[Question],
) -> Result<(Took, Vec<Answer>)> {
    let folder = place.work.join("reach");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let lines: Result<Vec<String>, _> = questions.iter().map(serde_json::to_string).collect();
    let asked = folder.join(format!("questions.{}", std::process::id()));
    std::fs::write(&asked, lines?.join("\n")).context("writing the questions")?;
    let mut command = Command::new(PYTHON);
    command.arg(place.root.join(SCRIPT));
    match settings {
        Settings::Transitions => drop(command.arg("reach").arg(policy).arg(&asked)),
        Settings::Flows { map, least_weight, booleans } => {
            let written = folder.join("perm_map");
            std::fs::write(&written, map.to_string()).context("writing the permission map")?;
            command.arg("flow").arg(policy).arg(&asked).arg(written).arg(least_weight.to_string());
            command.args(booleans);
        }
    }
    let output = run_program(&mut command)?;
    std::fs::remove_file(&asked).context("removing the questions")?;
    let text = String::from_utf8(output.stdout).context("what setools says")?;
    let mut lines = text.lines();
    let took = serde_json::from_str(lines.next().context("setools said nothing")?)?;
    let answers: Result<Vec<Answer>, _> = lines.map(serde_json::from_str).collect();
    let answers = answers.context("what setools says")?;
    ensure!(answers.len() == questions.len(), "{} answers", answers.len());
    Ok((took, answers))
}
