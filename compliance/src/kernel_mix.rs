//! Mixed questions to a real kernel and to `mandate decide --jsonl`: the same answers, line by line.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::kernel::{Backend, Job, Kernel};
use crate::ours;
use crate::place::Place;
use crate::queries::{Draw, Pool};
use crate::reference::Reference;
use crate::report::{Comparison, Report};
use crate::sepol::Sepol;

/// Fields that belong to one side only: bookkeeping, and what a kernel counts for itself.
const IGNORED: [&str; 5] = ["kind", "n", "step", "seqno", "decided"];

/// How many of the first booleans a run sets before it starts.
const SET_FIRST: usize = 6;

/// Compares `n` answers on each policy.
///
/// # Errors
/// When the kernel or `mandate` does not run to its end, or the report cannot be written.
pub fn run(
    place: &Place,
    references: &[Reference],
    n: usize,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<()> {
    report.heading("A real kernel: decisions, transitions, contexts, booleans")?;
    let kernel = Kernel::prepare(Backend::Uml, &place.work.join("kernel"))?;
    for reference in references {
        let comparison = compare(place, &kernel, reference, n, seed)?;
        report.add(&comparison)?;
    }
    Ok(())
}

fn compare(
    place: &Place,
    kernel: &Kernel,
    reference: &Reference,
    n: usize,
    seed: u64,
) -> Result<Comparison> {
    let policy = reference.binary();
    let bytes = std::fs::read(&policy).with_context(|| format!("reading {}", policy.display()))?;
    let queries = questions(place, &policy, n, seed)?;
    let flavour = reference.flavour.name();
    let mut comparison = Comparison::new(format!("{flavour}: mandate against Linux, seed {seed}"));
    let (theirs, ours) = std::thread::scope(|scope| {
        let policies = [bytes.as_slice()];
        let queries = &queries;
        let asked = scope.spawn(move || kernel.ask(&Job::new(&policies, queries)));
        let ours = ours::ask_mandate(place, &policy, queries);
        let theirs = asked.join().map_err(|_| anyhow::anyhow!("asking the kernel panicked"));
        Ok::<_, anyhow::Error>((theirs??.answers, ours?))
    })?;
    ensure!(theirs.len() == ours.len(), "{} and {} answers", ours.len(), theirs.len());
    for ((query, ours), theirs) in queries.iter().zip(ours).zip(theirs) {
        comparison.equal(|| query.to_string(), &comparable(ours), &comparable(theirs));
    }
    Ok(comparison.done())
}

/// The questions of one run: a few booleans first, then everything mixed.
///
/// # Errors
/// When libsepol, which helps to draw them, fails.
pub fn questions(place: &Place, policy: &Path, n: usize, seed: u64) -> Result<Vec<Value>> {
    let mut sepol = Sepol::load(place, policy)?;
    let vocabulary = sepol.vocabulary()?;
    let pool = Pool::fill(&vocabulary, &mut sepol, seed)?;
    let mut draw = Draw::new(&vocabulary, &pool, seed);
    let mut queries: Vec<Value> = draw
        .booleans(SET_FIRST)
        .into_iter()
        .map(|(name, value)| serde_json::json!({"op": "setbool", "name": name, "value": u8::from(value)}))
        .collect();
    queries.push(serde_json::json!({"op": "commit"}));
    queries.resize_with(n.max(queries.len()), || draw.mixed());
    Ok(queries)
}

/// An answer without the fields that may differ.
#[must_use]
pub fn comparable(mut answer: Value) -> Value {
    if let Some(map) = answer.as_object_mut() {
        for field in IGNORED {
            map.remove(field);
        }
    }
    answer
}
