//! Packages to a policy, and to CIL: time and memory, the originals beside ours in the same run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::shipped::{HLL_PP, INSTALLED};
use super::through_cil::pp;
use crate::bench::{Figure, median, note};
use crate::compile::bench::{Cost, cost, line};
use crate::place::Place;
use crate::reference::VERSION;
use crate::report::Report;

/// Rounds: theirs once, then ours so often.
const ROUNDS: usize = 5;
const OURS_EACH: usize = 3;

/// Times both sides in turns.
///
/// # Errors
/// When a program fails or the report cannot be written.
pub fn run(place: &Place, packages: &[PathBuf], report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Packages to a policy: time and memory")?;
    let folder = place.work.join("packages/bench");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let n = packages.len();
    let mut figures = measured(
        &format!("{n} packages to a policy: link, expand, without neverallow rules"),
        &folder,
        &ours(place, &folder, packages)?,
        &linked_and_expanded(&folder, packages),
    )?;
    let [ours, theirs] = [pp(place, &folder)?, PathBuf::from(HLL_PP)].map(|it| {
        let each = r#"to=$1; program=$2; shift 2; for it; do "$program" "$it" "$to" || exit; done"#;
        let mut words = vec!["sh".to_owned(), "-c".into(), each.into(), "sh".into()];
        words.extend([folder.join("cil").display().to_string(), it.display().to_string()]);
        words.extend(packages.iter().map(|it| it.display().to_string()));
        words
    });
    figures.extend(measured(&format!("{n} packages to CIL, one by one"), &folder, &ours, &theirs)?);
    figures.iter().try_for_each(|figure| note(figure, report))?;
    Ok(figures)
}

/// Also decompressed, as they are installed.
fn ours(place: &Place, folder: &Path, packages: &[PathBuf]) -> Result<Vec<String>> {
    let mut build = Command::new(place.mandate()?);
    build.args(["build", "--no-cache", "--no-neverallow"]);
    build.args(["--policy-version", &VERSION.to_string(), "-o"]).arg(folder.join("ours"));
    for package in packages {
        let mut name = package.file_name().context("a package has a name")?.to_owned();
        name.push(".bz2");
        build.arg(Path::new(INSTALLED).join("default").join(name));
    }
    Ok(line(&build))
}

/// The originals take no compressed packages: theirs is without that work.
fn linked_and_expanded(folder: &Path, packages: &[PathBuf]) -> Vec<String> {
    let script = r#"to=$1; shift; semodule_link -o "$to.pp" "$@" && semodule_expand -a -c "$VERSION" "$to.pp" "$to""#;
    let script = script.replace("$VERSION", &VERSION.to_string());
    let mut words = vec!["sh".to_owned(), "-c".into(), script, "sh".into()];
    words.push(folder.join("theirs").display().to_string());
    words.extend(packages.iter().map(|it| it.display().to_string()));
    words
}

fn measured(what: &str, folder: &Path, ours: &[String], theirs: &[String]) -> Result<Vec<Figure>> {
    let once = |command: &[String]| cost(&folder.join("memory"), command);
    let (mut our, mut their) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        their.push(once(theirs)?);
        for _ in 0..OURS_EACH {
            our.push(once(ours)?);
        }
    }
    let middle = |costs: &[Cost], of: fn(&Cost) -> f64| median(costs.iter().map(of).collect());
    let [ours, theirs] = [&our, &their].map(|it| middle(it, |cost| cost.seconds));
    let [our_memory, their_memory] =
        [&our, &their].map(|it| middle(it, |cost| cost.mebibytes * 1.048_576));
    Ok(vec![
        Figure {
            what: what.to_owned(),
            reach: "faster".to_owned(),
            ours: format!("{ours:.2} s"),
            theirs: format!("{theirs:.2} s"),
            ratio: format!("{:.1} × faster", theirs / ours),
        },
        Figure {
            what: format!("peak memory: {what}"),
            reach: "told".to_owned(),
            ours: format!("{our_memory:.0} MB"),
            theirs: format!("{their_memory:.0} MB"),
            ratio: format!("{:.2} × theirs", our_memory / their_memory),
        },
    ])
}
