//! Packages by way of CIL: what our `pp` prints beside what `hll/pp` prints, compiled by `secilc`; and compiled by us, beside what we
//! link and expand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::shipped::DECISIONS;
use crate::cil::compiler::Compiler;
use crate::cil::modules;
use crate::cil::sources::Source;
use crate::compile::answers;
use crate::place::{Place, run as run_program};
use crate::reference::VERSION;
use crate::report::{Comparison, Report};

/// Compares both ways. `linked` is the policy that we link and expand of the packages.
///
/// # Errors
/// When a program does not run to its end, or the report cannot be written.
pub fn run(
    place: &Place,
    kind: &'static str,
    packages: &[PathBuf],
    linked: &Path,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<()> {
    let folder = place.work.join("packages").join(kind);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let texts = printed(place, &folder, packages)?;
    let theirs = Source::Shipped(kind).make(place)?;
    let name = format!("{kind}: our CIL of {} packages, by secilc", packages.len());
    let ours = theirs.of_files(name.clone(), texts.clone());
    let by_secilc = folder.join("secilc");
    run_program(&mut ours.command(&Compiler::original(None), false, &by_secilc))?;
    let original = theirs.theirs(false)?;
    for it in answers::ask(place, &name, &by_secilc, &original, DECISIONS, seed)? {
        report.add(&it)?;
    }
    report.add(&modules::sentences(&name, &by_secilc, &original)?)?;
    report.add(&modules::file_contexts(&name, &by_secilc, &original)?)?;

    let name = format!("{kind}: our CIL of {} packages, by us", packages.len());
    let by_us = folder.join("mandate");
    build(place, &texts, &by_us)?;
    for it in answers::ask(place, &name, &by_us, linked, DECISIONS, seed)? {
        report.add(&it)?;
    }
    // Attributes that nothing uses go on the way through CIL, as with secilc, which is given what semodule gives it.
    let as_semodule = folder.join("mandate-as-semodule");
    run_program(&mut ours.command(&Compiler::ours(place)?, false, &as_semodule))?;
    report.add(&modules::sentences(&name, &as_semodule, &original)?)?;
    report.add(&mixed(place, kind, &folder, packages, &texts)?)?;
    Ok(())
}

/// Every second package as CIL, the others as they are: the same bytes as all in CIL.
fn mixed(
    place: &Place,
    kind: &str,
    folder: &Path,
    packages: &[PathBuf],
    texts: &[PathBuf],
) -> Result<Comparison> {
    let mut comparison = Comparison::new(format!("{kind}: packages among CIL, the same bytes"));
    let all = folder.join("mandate");
    for odd in 0..2 {
        let pick = |(at, (package, text)): (usize, (&PathBuf, &PathBuf))| {
            if at % 2 == odd { package.clone() } else { text.clone() }
        };
        let files: Vec<PathBuf> = packages.iter().zip(texts).enumerate().map(pick).collect();
        let made = folder.join("mixed");
        build(place, &files, &made)?;
        if fs::read(&made)? == fs::read(&all)? {
            comparison.agree();
        } else {
            let which = format!("every second one from {odd}");
            comparison.disagree(which, "other bytes".into(), "the same bytes".into());
        }
    }
    Ok(comparison.done())
}

/// The packages as our `pp` prints them, in their order.
fn printed(place: &Place, folder: &Path, packages: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let program = pp(place, folder)?;
    let print = |package: &PathBuf| {
        let name = package.file_stem().context("a package has a name")?;
        let text = folder.join(name).with_extension("cil");
        run_program(Command::new(&program).arg(package).arg(&text))?;
        Ok(text)
    };
    packages.par_iter().map(print).collect()
}

/// Our program under the name of the original.
///
/// # Errors
/// When it is not built.
pub fn pp(place: &Place, folder: &Path) -> Result<PathBuf> {
    let (mandate, program) = (place.mandate()?, folder.join("pp"));
    if fs::read_link(&program).ok().as_ref() != Some(&mandate) {
        let _absent = fs::remove_file(&program);
        std::os::unix::fs::symlink(&mandate, &program)
            .with_context(|| format!("linking {}", program.display()))?;
    }
    Ok(program)
}

fn build(place: &Place, files: &[PathBuf], to: &Path) -> Result<()> {
    let mut build = Command::new(place.mandate()?);
    build.args(["build", "--no-cache", "--policy-version", &VERSION.to_string(), "-o"]);
    run_program(build.arg(to).args(files)).map(drop)
}
