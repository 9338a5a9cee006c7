//! Broken sources: the first report names the right file and line, and is rendered as it is checked in.
//!
//! A case is a folder in `compliance/cases/broken`:
//!
//! | file | what |
//! |-|-|
//! | `at` | written by hand: the places, one per line, at one of which the first report must be |
//! | `expect.txt` | what `mandate check` shows; recorded by `compile broken --bless` |
//! | `policy.conf` | the source, or `policy.cil`, or else |
//! | `tree/` | files that are laid over `policies/base`; one that ends in `.append` is added to another |
//! | `generate` | or else: what kind of a source too big to check in |
//!
//! In `at`, `FILE:+3` is the third line that was added. A module that the base does not have is added to its list.

mod generated;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::ours::{self, Finding};
use super::tree::Overlay;
use crate::place::Place;
use crate::report::{Comparison, Report};

const LIST: &str = "policy/modules.conf";

/// Judges all cases; with `bless`, records what is shown instead of comparing it.
///
/// # Errors
/// When a case is not as described above, or the report cannot be written.
pub fn run(place: &Place, only: &str, bless: bool, report: &mut Report<'_>) -> Result<()> {
    report.heading("Broken sources")?;
    let mut places = Comparison::new("broken sources, file and line of the first report");
    let mut texts = Comparison::new("broken sources, rendering");
    untouched(place, &mut places)?;
    let mut wrong = Vec::new();
    for case in Case::all(place)?.into_iter().filter(|case| case.name.contains(only)) {
        match case.ask(place) {
            Ok(told) => {
                let misplaced = case.judge(&told, &mut places);
                // Nothing that points to the wrong place is recorded as right.
                case.compare(&told, bless && misplaced.is_none(), &mut texts)?;
                wrong.extend(misplaced);
            }
            Err(why) => {
                wrong.push(format!("{}: {why:#}", case.name));
                places.disagree(case.name, format!("{why:#}"), "a report".into());
            }
        }
    }
    report.add(&places)?;
    wrong.iter().try_for_each(|line| report.note(line))?;
    report.add(&texts)?;
    Ok(())
}

/// About the base tree itself there is nothing to tell, or every case that stands on it would mean nothing.
fn untouched(place: &Place, to: &mut Comparison) -> Result<()> {
    let (findings, good) = ours::check(place, &[&base(place)], &[])?;
    let told: Vec<String> = findings.iter().map(Finding::place).collect();
    to.equal(|| "policies/base".into(), &format!("{good} {told:?}"), &"true []".to_owned());
    // What the CIL cases begin with.
    let cil = place.root.join("compliance/cases/cil/base/mls.cil");
    let (findings, good) = ours::check(place, &[&cil], &[])?;
    let told: Vec<String> = findings.iter().map(Finding::place).collect();
    to.equal(|| "base/mls.cil".into(), &format!("{good} {told:?}"), &"true []".to_owned());
    Ok(())
}

fn base(place: &Place) -> PathBuf {
    place.root.join("policies/base")
}

struct Case {
    name: String,
    folder: PathBuf,
    /// Where the first report may be.
    at: Vec<String>,
}

/// What `mandate check` says of a case.
struct Told {
    findings: Vec<Finding>,
    good: bool,
    text: String,
    at: Vec<String>,
}

impl Case {
    fn all(place: &Place) -> Result<Vec<Self>> {
        let folder = place.root.join("compliance/cases/broken");
        let entries =
            fs::read_dir(&folder).with_context(|| format!("looking into {}", folder.display()))?;
        let mut all = Vec::new();
        for entry in entries {
            let folder = entry?.path();
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let at = fs::read_to_string(folder.join("at"))
                .with_context(|| format!("{name}: reading where the mistake is"))?;
            all.push(Self { name, folder, at: at.lines().map(str::to_owned).collect() });
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    fn ask(&self, place: &Place) -> Result<Told> {
        let folder = place.work.join("compile/broken").join(&self.name);
        let tree = self.folder.join("tree");
        if tree.is_dir() {
            let overlay = Overlay::copy(&base(place), &folder)?;
            let at = self.lay(&tree, &overlay, place)?;
            return told(place, overlay.root(), at);
        }
        if let Ok(kind) = fs::read_to_string(self.folder.join("generate")) {
            return self.generated(place, kind.trim(), &folder);
        }
        let sources = ["policy.cil", "policy.conf"].map(|name| self.folder.join(name));
        let source = sources.into_iter().find(|it| it.exists());
        told(place, &source.context("a case has a source")?, self.at.clone())
    }

    fn generated(&self, place: &Place, kind: &str, folder: &Path) -> Result<Told> {
        let (file, content) = generated::source(place, kind)?;
        if file == "policy.conf" {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
            let path = folder.join(file);
            fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
            return told(place, &path, self.at.clone());
        }
        let overlay = Overlay::copy(&base(place), folder)?;
        overlay.replace(file, content.as_bytes())?;
        list(&overlay, file)?;
        told(place, overlay.root(), self.at.clone())
    }

    /// Lays the files over the base; the places, with lines counted from the top of their files.
    fn lay(&self, tree: &Path, overlay: &Overlay, place: &Place) -> Result<Vec<String>> {
        for path in files(tree)? {
            let content = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            let name = path.strip_prefix(tree)?.display().to_string();
            match name.strip_suffix(".append") {
                Some(name) => overlay.append(name, &content)?,
                None => {
                    overlay.replace(&name, &content)?;
                    list(overlay, &name)?;
                }
            }
        }
        self.at.iter().map(|at| resolved(at, &base(place))).collect()
    }

    /// Counts the case; what is wrong with the report about it.
    fn judge(&self, told: &Told, to: &mut Comparison) -> Option<String> {
        let first = told.findings.first().map_or_else(|| "nothing".to_owned(), Finding::place);
        let severe = told.findings.iter().any(|it| it.severity == "error");
        let (ours, wanted) = if severe == told.good {
            let exit = if told.good { "accepted" } else { "refused" };
            (exit.to_owned(), format!("an error: {severe}"))
        } else if told.at.contains(&first) {
            to.agree();
            return None;
        } else {
            let message = told.findings.first().map_or("", |it| &it.message);
            (format!("{first}: {message}"), told.at.join(" or "))
        };
        let wrong = format!("{}: {ours}; wanted: {wanted}", self.name);
        to.disagree(self.name.clone(), ours, wanted);
        Some(wrong)
    }

    fn compare(&self, told: &Told, bless: bool, to: &mut Comparison) -> Result<()> {
        let file = self.folder.join("expect.txt");
        if bless {
            fs::write(&file, &told.text).with_context(|| format!("writing {}", file.display()))?;
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        to.equal(|| self.name.clone(), &told.text, &expected);
        Ok(())
    }
}

/// Asks for both forms. Where the input stands on this machine is no part of what is compared.
fn told(place: &Place, input: &Path, at: Vec<String>) -> Result<Told> {
    let (findings, good) = ours::check(place, &[input], &[])?;
    let text = ours::check_as_text(place, &[input], &[])?;
    let folder = if input.is_dir() { input } else { input.parent().context("a file's folder")? };
    let here = format!("{}/", folder.display());
    let relative = |mut finding: Finding| {
        finding.file = finding.file.map(|file| file.trim_start_matches(&here).to_owned());
        finding
    };
    let findings = findings.into_iter().map(relative).collect();
    // What was built, and how fast, is no part of it either.
    let said = text.lines().filter(|line| !line.starts_with("no errors: "));
    let text: String = said.map(|line| format!("{line}\n")).collect();
    Ok(Told { findings, good, text: text.replace(&here, ""), at })
}

/// Puts the module of a file on the list, unless it is there.
fn list(overlay: &Overlay, file: &str) -> Result<()> {
    let Some(module) = file.strip_prefix("policy/modules/").and_then(|it| it.strip_suffix(".te"))
    else {
        return Ok(());
    };
    let name = module.rsplit('/').next().unwrap_or(module);
    let listed = fs::read_to_string(overlay.root().join(LIST)).unwrap_or_default();
    if listed.lines().any(|line| line.split_whitespace().next() == Some(name)) {
        return Ok(());
    }
    overlay.append(LIST, format!("{name} = module\n").as_bytes())
}

/// `FILE:+3` is the third line below what the base has of that file.
fn resolved(at: &str, base: &Path) -> Result<String> {
    let Some((file, added)) = at.split_once(":+") else { return Ok(at.to_owned()) };
    let path = base.join(file);
    let text = if path.exists() {
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?
    } else {
        String::new()
    };
    ensure!(text.is_empty() || text.ends_with('\n'), "{file} does not end with a line");
    let added: usize = added.parse().with_context(|| format!("in the place {at:?}"))?;
    Ok(format!("{file}:{}", text.lines().count() + added))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("looking into {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else {
            all.push(path);
        }
    }
    if all.is_empty() {
        bail!("{} is empty", folder.display());
    }
    all.sort();
    Ok(all)
}
