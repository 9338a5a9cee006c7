//! The micro policies: small policies that show one rule kind each.
//!
//! `policies/micro/NAME/` holds the source, the binary, queries, and the
//! answers that an original gave; `policies/README.md` explains the files. Three
//! checks, from the cheapest on: [`check_ours`] compares Mandate's answers with
//! the recorded ones, [`check_binaries`] compiles the sources anew, and
//! [`check_answers`] asks the originals again. [`bless`] records anew.

mod case;
mod compile;
mod originals;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub use case::{Case, Oracle, cases, comparable, sha256};
pub use compile::Compilers;
pub use originals::{Originals, SHARE};

use crate::report::{Comparison, Report};

/// About how many kernel cases a short run takes.
const SAMPLED: usize = 24;

/// Compiles every source anew and compares it with the binary beside it.
///
/// A binary is compared only with the compiler version that made it.
///
/// # Errors
/// When a compiler cannot be brought or a source does not compile.
pub fn check_binaries(report: &mut Report<'_>, all: &[Case], work: &Path) -> Result<()> {
    let compilers = Compilers::new(work);
    let mut comparison = Comparison::new("micro policies, compiled anew");
    let mut skipped = 0_usize;
    for case in all {
        let compiler = compilers.name(case)?;
        if compiler != case.compiler {
            skipped += 1;
            continue;
        }
        for (source, binary) in case.files()? {
            let made = compilers.compile(case, &source)?;
            let kept =
                std::fs::read(&binary).with_context(|| format!("reading {}", binary.display()))?;
            if made == kept {
                comparison.agree();
            } else {
                comparison.disagree(
                    source.display().to_string(),
                    "the binary kept".into(),
                    format!("{compiler} makes another"),
                );
            }
        }
    }
    if compilers.is_demo_compiler()? {
        let root = all.first().and_then(|case| case.folder.ancestors().nth(3));
        check_demo(&mut comparison, &compilers, root.context("the repository")?)?;
    }
    if skipped > 0 {
        report.note(&format!(
            "{skipped} micro policies were made by other compiler versions: not compared"
        ))?;
    }
    if comparison.compared() > 0 || skipped == 0 {
        report.add(&comparison)?;
    }
    Ok(())
}

/// The policy inside `mandate demo` is what its source says.
fn check_demo(comparison: &mut Comparison, compilers: &Compilers, root: &Path) -> Result<()> {
    let folder = root.join("policies/demo");
    let kept = std::fs::read(folder.join("policy.33")).context("reading the demo policy")?;
    if compilers.compile_demo(&folder.join("policy.conf"))? == kept {
        comparison.agree();
    } else {
        comparison.disagree("policies/demo".into(), "policy.33".into(), "another".into());
    }
    Ok(())
}

/// Cases for a run that must be short: those that one boot of the 6.1 kernel, the installed
/// compilers and libsepol can check, spread evenly over the names.
#[must_use]
pub fn sample(all: &[Case]) -> Vec<Case> {
    let quick = |oracle| matches!(oracle, Oracle::Kernel | Oracle::Guest);
    let (kernel, rest): (Vec<&Case>, Vec<&Case>) = all.iter().partition(|case| quick(case.oracle));
    let every = kernel.len().div_ceil(SAMPLED).max(1);
    let some = kernel.into_iter().step_by(every);
    let sepol = rest.into_iter().filter(|case| case.oracle == Oracle::Sepol);
    some.chain(sepol).cloned().collect()
}

/// Asks the originals again and compares with the recorded answers.
///
/// # Errors
/// When a kernel cannot be brought or does not answer.
pub fn check_answers(report: &mut Report<'_>, all: &[Case], work: &Path) -> Result<()> {
    let originals = Originals::new(work);
    for oracle in Oracle::ALL {
        let mine: Vec<&Case> = all.iter().filter(|case| case.oracle == oracle).collect();
        if mine.is_empty() {
            continue;
        }
        let mut comparison =
            Comparison::new(format!("micro policies, {oracle} against the record"));
        for (case, theirs) in mine.iter().zip(originals.ask(&mine)?) {
            compare(&mut comparison, case, &case.answers()?, &theirs)?;
        }
        report.add(&comparison)?;
    }
    Ok(())
}

/// Asks Mandate and compares with the recorded answers.
///
/// # Errors
/// When the program cannot be run or a case cannot be read.
pub fn check_ours(report: &mut Report<'_>, all: &[Case], mandate: &Path) -> Result<()> {
    let mut comparison = Comparison::new("micro policies, ours against the record");
    for case in all {
        match ours(case, mandate) {
            Ok(ours) => compare(&mut comparison, case, &ours, &case.answers()?)?,
            Err(error) => {
                comparison.disagree(case.name.clone(), format!("{error:#}"), "answers".into())
            }
        }
    }
    report.add(&comparison)?;
    Ok(())
}

/// What Mandate answers to the queries of a case, without what never compares.
///
/// # Errors
/// When the program fails or prints something else than one answer per query.
pub fn ours(case: &Case, mandate: &Path) -> Result<Vec<Value>> {
    let mut command = Command::new(mandate);
    command.arg("decide").arg(case.binary()).arg("--jsonl");
    if case.enforcing {
        command.arg("--enforcing");
    }
    for other in case.others()? {
        command.arg("--also").arg(other);
    }
    let queries = case.queries_text()?;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", mandate.display()))?;
    let mut input = child.stdin.take().context("its input is a pipe")?;
    // a program that refuses early closes the pipe; its status tells why
    let _closed_early = input.write_all(queries.as_bytes());
    drop(input);
    let output = child.wait_with_output().context("waiting for mandate")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "mandate decide: {}: {}", output.status, said.trim());
    let text = String::from_utf8(output.stdout).context("mandate's answers")?;
    let lines = text.lines().map(|line| serde_json::from_str(line).map(comparable));
    lines.collect::<Result<_, _>>().context("mandate's answers")
}

fn compare(
    comparison: &mut Comparison,
    case: &Case,
    ours: &[Value],
    theirs: &[Value],
) -> Result<()> {
    let queries = case.queries()?;
    for (n, query) in queries.iter().enumerate() {
        let [a, b] = [ours, theirs].map(|list| list.get(n).unwrap_or(&Value::Null));
        comparison.equal(|| format!("{}, line {}: {query}", case.name, n + 1), a, b);
    }
    if ours.len() > queries.len() || theirs.len() > queries.len() {
        comparison.disagree(case.name.clone(), ours.len().to_string(), theirs.len().to_string());
    }
    Ok(())
}

/// Compiles the sources and asks the originals anew, and records both.
///
/// Gives back one line for each case that changed.
///
/// # Errors
/// When a source does not compile or an original does not answer.
pub fn bless(all: &mut [Case], work: &Path) -> Result<Vec<String>> {
    let compilers = Compilers::new(work);
    for case in all.iter_mut() {
        compilers.record(case).with_context(|| format!("compiling {}", case.name))?;
    }
    let originals = Originals::new(work);
    let mut changed = Vec::new();
    for oracle in Oracle::ALL {
        let mine: Vec<&Case> = all.iter().filter(|case| case.oracle == oracle).collect();
        for (case, answers) in mine.iter().zip(originals.ask(&mine)?) {
            if case.record_answers(&answers)? {
                changed.push(case.name.clone());
            }
        }
    }
    Ok(changed)
}
