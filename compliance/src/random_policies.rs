//! Random small policies with every kind of rule: a real kernel answers, and so does `mandate`.
//!
//! The same seed and number always draw the same policy and questions. One on which the two differ is kept in the
//! work folder, `random/SEED-NUMBER/`, with its source, binary and questions.

mod dice;
mod draft;
mod expressions;
mod levels;
mod questions;
mod rules;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::kernel::{Backend, Job, Kernel, tail};
use crate::kernel_mix::comparable;
use crate::micro::SHARE;
use crate::ours;
use crate::place::{Place, run as run_program};
use crate::random::Random;
use crate::report::{Comparison, Report};
use draft::Draft;

/// How often a draft is drawn anew because checkpolicy refuses it: two rules may contradict each other.
const ATTEMPTS: u64 = 40;
/// Loaded at boot and between policies: it has no booleans, whose values a kernel would carry over.
const BETWEEN: &str = "policies/micro/empty/policy.bin";

/// A random policy, compiled.
struct Drawn {
    folder: PathBuf,
    binary: Vec<u8>,
    questions: Vec<Value>,
}

/// Compares the answers to the questions about `policies` policies.
///
/// # Errors
/// When checkpolicy or the kernel does not run to its end, or the report cannot be written.
pub fn run(place: &Place, policies: usize, seed: u64, report: &mut Report<'_>) -> Result<()> {
    report.heading("Random policies: a real kernel")?;
    let kernel = Kernel::prepare(Backend::Uml, &place.work.join("kernel"))?;
    let name = format!("{policies} random policies: mandate against Linux, seed {seed}");
    let mut comparison = Comparison::new(name);
    for first in (0..policies).step_by(SHARE) {
        let last = policies.min(first + SHARE);
        let drawn: Result<Vec<Drawn>> =
            (first..last).map(|number| Drawn::make(place, seed, number)).collect();
        compare(place, &kernel, &drawn?, &mut comparison)?;
    }
    report.add(&comparison)?;
    Ok(())
}

/// Asks both sides about the policies of one boot.
fn compare(
    place: &Place,
    kernel: &Kernel,
    drawn: &[Drawn],
    comparison: &mut Comparison,
) -> Result<()> {
    let (theirs, ours) = std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask_kernel(place, kernel, drawn));
        let ours: Vec<Result<Vec<Value>>> = drawn.iter().map(|it| it.ask_mandate(place)).collect();
        let theirs = asked.join().map_err(|_| anyhow::anyhow!("asking the kernel panicked"));
        Ok::<_, anyhow::Error>((theirs??, ours))
    })?;
    for ((policy, ours), theirs) in drawn.iter().zip(ours).zip(theirs) {
        policy.compare(ours, theirs, comparison)?;
    }
    Ok(())
}

/// The kernel's answers for each policy, or what it said when it refused to load one.
fn ask_kernel(place: &Place, kernel: &Kernel, drawn: &[Drawn]) -> Result<Vec<Result<Vec<Value>>>> {
    let between = std::fs::read(place.root.join(BETWEEN)).context("reading the empty policy")?;
    let binaries = drawn.iter().map(|policy| policy.binary.as_slice());
    let policies: Vec<&[u8]> = std::iter::once(between.as_slice()).chain(binaries).collect();
    let mut queries = Vec::new();
    for (number, policy) in (1..).zip(drawn) {
        queries.push(json!({"op": "load", "policy": number}));
        queries.extend(policy.questions.iter().cloned());
        queries.push(json!({"op": "setenforce", "value": 0}));
        queries.push(json!({"op": "load", "policy": 0}));
    }
    let told = kernel.ask(&Job::new(&policies, &queries))?;
    let mut answers = told.answers.into_iter().map(comparable);
    let part = |policy: &Drawn| {
        let loaded = answers.next().unwrap_or_default();
        let part: Vec<Value> = answers.by_ref().take(policy.questions.len()).collect();
        let _back_to_empty = answers.nth(1);
        ensure!(loaded.get("ok").is_some(), "refused: {loaded}\n{}", tail(&told.log));
        Ok(part)
    };
    Ok(drawn.iter().map(part).collect())
}

impl Drawn {
    /// Draws until checkpolicy takes it.
    fn make(place: &Place, seed: u64, number: usize) -> Result<Self> {
        let folder = place.work.join("random").join(format!("{seed}-{number}"));
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let mut refused = None;
        for attempt in 0..ATTEMPTS {
            let mut draft = Draft::new(mix(&[seed, number as u64, attempt]));
            match compile(&mut draft, &folder) {
                Ok(binary) => return Ok(Self { folder, binary, questions: draft.questions() }),
                Err(why) => refused = Some(why),
            }
        }
        let refused = refused.context("no attempt")?;
        Err(refused.context(format!("drawing {}", folder.display())))
    }

    fn ask_mandate(&self, place: &Place) -> Result<Vec<Value>> {
        let answers = ours::ask_mandate(place, &self.binary_path(), &self.questions)?;
        Ok(answers.into_iter().map(comparable).collect())
    }

    fn binary_path(&self) -> PathBuf {
        self.folder.join("policy.bin")
    }

    /// Counts what differs; only then the files stay.
    fn compare(
        &self,
        ours: Result<Vec<Value>>,
        theirs: Result<Vec<Value>>,
        comparison: &mut Comparison,
    ) -> Result<()> {
        let agree = matches!((&ours, &theirs), (Ok(ours), Ok(theirs)) if ours == theirs);
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => self.compare_answers(&ours, &theirs, comparison),
            (ours, theirs) => {
                let [ours, theirs] = [ours, theirs].map(|it| match it {
                    Ok(_) => "loads it".to_owned(),
                    Err(why) => format!("{why:#}"),
                });
                comparison.disagree(self.folder.display().to_string(), ours, theirs);
            }
        }
        if agree {
            return std::fs::remove_dir_all(&self.folder).context("removing a random policy");
        }
        let text: String = self.questions.iter().map(|query| format!("{query}\n")).collect();
        std::fs::write(self.folder.join("queries.jsonl"), text).context("keeping the questions")
    }

    fn compare_answers(&self, ours: &[Value], theirs: &[Value], comparison: &mut Comparison) {
        for (n, query) in self.questions.iter().enumerate() {
            let [ours, theirs] = [ours, theirs].map(|list| list.get(n).unwrap_or(&Value::Null));
            let place = || format!("{}, line {}: {query}", self.folder.display(), n + 1);
            comparison.equal(place, ours, theirs);
        }
    }
}

/// Writes the source and compiles it.
fn compile(draft: &mut Draft, folder: &Path) -> Result<Vec<u8>> {
    let (source, binary) = (folder.join("policy.conf"), folder.join("policy.bin"));
    std::fs::write(&source, draft.source())
        .with_context(|| format!("writing {}", source.display()))?;
    let mut checkpolicy = Command::new("checkpolicy");
    checkpolicy.args(draft.mls.then_some("-M"));
    checkpolicy.args(["-c", &draft.version.to_string(), "-U", draft.handle_unknown()]);
    run_program(checkpolicy.arg("-o").arg(&binary).arg(&source))?;
    std::fs::read(&binary).with_context(|| format!("reading {}", binary.display()))
}

/// One seed of several numbers.
fn mix(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |seed, &number| Random::new(seed ^ number).bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let draw = |seed| {
            let mut draft = Draft::new(seed);
            (draft.source(), draft.questions())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn every_number_counts() {
        assert_ne!(mix(&[1, 0, 2]), mix(&[1, 2, 0]));
        assert_ne!(mix(&[1, 1, 0]), mix(&[2, 2, 0]));
    }
}
