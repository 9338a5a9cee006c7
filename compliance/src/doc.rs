//! Reference pages: every link of every page is walked, manual pages are read by groff and mandoc, and how long it all takes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use mandate_doc::links::{self, Walked};

use crate::bench::{Figure, note};
use crate::compile::bench::{cost, line};
use crate::compile::tree;
use crate::place::{Place, run as run_program};
use crate::report::Report;

/// Rounds of the full size; the best counts.
const ROUNDS: usize = 7;

/// Debian's tree, and times at the full size.
///
/// # Errors
/// When the pages cannot be made, or the report cannot be written.
pub fn run(place: &Place, full: bool, report: &mut Report<'_>) -> Result<Vec<Figure>> {
    report.heading("Reference pages of Debian's tree")?;
    let source = tree::pristine(place)?;
    let case = Case { place, tree: source, folder: place.work.join("doc") };
    let walked = case.compare(report)?;
    case.manuals(report)?;
    if !full {
        return Ok(Vec::new());
    }
    let figures = vec![case.time(&walked)?];
    figures.iter().try_for_each(|figure| note(figure, report))?;
    Ok(figures)
}

/// Our own tree, which needs no original tool.
///
/// # Errors
/// When the pages cannot be made, or the report cannot be written.
pub fn own_tree(place: &Place, report: &mut Report<'_>) -> Result<()> {
    report.heading("Reference pages of policies/base")?;
    let tree = place.root.join("policies/base");
    let case = Case { place, tree, folder: place.work.join("doc-base") };
    case.compare(report).map(drop)
}

struct Case<'a> {
    place: &'a Place,
    tree: PathBuf,
    folder: PathBuf,
}

impl Case<'_> {
    /// Makes the pages in the folder `to`.
    fn command(&self, to: &str) -> Result<Command> {
        let mut command = Command::new(self.place.mandate()?);
        command.arg("doc").arg(&self.tree).args(["--man", "--no-cache", "--date", "2026-11-22"]);
        command.arg("--output").arg(self.folder.join(to)).stdin(Stdio::null());
        Ok(command)
    }

    fn compare(&self, report: &mut Report<'_>) -> Result<Walked> {
        fs::create_dir_all(&self.folder).context("making a folder for pages")?;
        run_program(&mut self.command("pages")?)?;
        run_program(self.command("again")?.env("RAYON_NUM_THREADS", "1"))?;
        let (pages, again) =
            (files(&self.folder.join("pages"))?, files(&self.folder.join("again"))?);
        let same = match pages == again {
            true => Ok(format!("{} files", pages.len())),
            false => Err("one thread makes other bytes than all".to_owned()),
        };
        report.case("the same bytes on one thread", same)?;
        let walked = walk(&pages);
        let found = match walked.dead.as_slice() {
            _ if walked.links == 0 => Err("there are no links".to_owned()),
            [] => Ok(format!("{} links of {} pages", walked.links, walked.pages)),
            [first, ..] => Err(format!("{} dead links, such as {first:?}", walked.dead.len())),
        };
        report.case("every link leads somewhere", found)?;
        report.case("a page or place that is taken away is noticed", notices(&pages))?;
        Ok(walked)
    }

    /// What groff and mandoc, where it is installed, say of the manual pages.
    fn manuals(&self, report: &mut Report<'_>) -> Result<()> {
        let all = files(&self.folder.join("pages"))?;
        let pages: Vec<&String> = all.keys().filter(|it| it.starts_with("man/")).collect();
        for (name, arguments) in [
            // Addresses of pages and names of types may be longer than a line.
            ("groff", &["-man", "-Tutf8", "-ww", "-Wbreak", "-z", "-P-c"][..]),
            ("mandoc", &["-T", "lint", "-W", "warning"][..]),
        ] {
            let mut command = Command::new(name);
            command.args(arguments).args(&pages).current_dir(self.folder.join("pages"));
            let Ok(output) = command.stdin(Stdio::null()).output() else {
                report.note(&format!("{name} is not installed"))?;
                continue;
            };
            let said = [output.stdout, output.stderr].concat();
            let outcome = match String::from_utf8_lossy(&said).lines().next() {
                None => Ok(format!("{} pages", pages.len())),
                Some(first) => Err(first.to_owned()),
            };
            report.case(&format!("{name} finds nothing in manual pages"), outcome)?;
        }
        Ok(())
    }

    fn time(&self, walked: &Walked) -> Result<Figure> {
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            let command = line(&self.command("pages")?);
            best = best.min(cost(&self.folder.join("memory"), &command)?.seconds);
        }
        Ok(Figure {
            what: format!(
                "`mandate doc` of Debian's tree from nothing, with manual pages: {} pages, {} links",
                walked.pages, walked.links
            ),
            reach: "≤ 3 s on 2 cores, no dead link".to_owned(),
            ours: format!("{best:.2} s, {} dead", walked.dead.len()),
            theirs: String::new(),
            ratio: String::new(),
        })
    }
}

/// What all files of a folder hold, by their paths below it.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(path) = folders.pop() {
        for entry in fs::read_dir(&path).with_context(|| path.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
                found.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(found)
}

fn walk(files: &BTreeMap<String, Vec<u8>>) -> Walked {
    links::walk(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())))
}

/// Takes a page away, then a place on one: a walk that finds nothing then proves nothing.
fn notices(pages: &BTreeMap<String, Vec<u8>>) -> Result<String, String> {
    let first = |folder: &str| pages.keys().find(|it| it.starts_with(folder)).cloned();
    let page = first("domain/").ok_or("there is no page of a domain")?;
    let mut without = pages.clone();
    without.remove(&page);
    if walk(&without).dead.is_empty() {
        return Err(format!("without {page} no link is dead"));
    }
    let mut renamed = pages.clone();
    for (_, bytes) in renamed.iter_mut().filter(|it| it.0.starts_with("module/")) {
        let text = String::from_utf8_lossy(bytes).replace(" id=\"", " id=\"not-");
        *bytes = text.into_bytes();
    }
    match walk(&renamed).dead.len() {
        0 => Err("with other places no link is dead".to_owned()),
        count => Ok(format!("{count} dead links then")),
    }
}
