//! The micro policies are whole, and Mandate answers them as the originals did. Needs no original.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use mandate_compliance::micro::{self, Case};
use mandate_compliance::report::Report;

fn all() -> Result<Vec<Case>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("a repository")?;
    micro::cases(root)
}

/// `target/PROFILE/mandate`, brought up to date.
fn mandate() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test.parent().and_then(Path::parent).context("target/PROFILE/deps")?;
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "mandate-cli"]);
    if profile.ends_with("release") {
        build.arg("--release");
    }
    ensure!(build.status()?.success(), "building mandate");
    Ok(profile.join("mandate"))
}

#[test]
fn every_case_is_whole() -> Result<()> {
    let all = all()?;
    assert!(all.len() >= 60, "only {} micro policies", all.len());
    for case in &all {
        let name = &case.name;
        let (queries, answers) = (case.queries()?, case.answers()?);
        assert!(!queries.is_empty(), "{name} asks nothing");
        assert_eq!(queries.len(), answers.len(), "{name}: queries and answers");
        for (_, binary) in case.files()? {
            assert!(
                binary.exists(),
                "{} is missing: run mandate-compliance bless",
                binary.display()
            );
        }
    }
    Ok(())
}

#[test]
fn no_source_was_changed_without_recording_it() -> Result<()> {
    for case in all()? {
        assert!(case.is_current()?, "{}: run mandate-compliance bless {0}", case.name);
    }
    Ok(())
}

#[test]
fn mandate_answers_as_the_originals_did() -> Result<()> {
    let mut out = Vec::new();
    let mut report = Report::new(&mut out);
    micro::check_ours(&mut report, &all()?, &mandate()?)?;
    let good = report.finish()?;
    assert!(good, "{}", String::from_utf8_lossy(&out));
    Ok(())
}
