//! Our m4 against `m4`: the same words for every file of the Reference Policy, and the same bytes for small cases.
//!
//! A file of the tree means nothing alone, so both sides read what the Makefile lets m4 read, in its order and with its
//! flags. Between two files stands one with a mark that no macro touches; the words between two marks belong to one file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::original::make_in;
use super::setting::Setting;
use super::tree::{self, Overlay};
use crate::place::{Place, cached, run as run_program};
use crate::reference::Flavour;
use crate::report::{Comparison, Report};

/// How many files go through one m4: what it may do in one run is bounded in ours.
const BATCH: usize = 80;
/// How many words of the place where two outputs part are shown.
const SHOWN: usize = 6;

/// Compares every file under each flavour, and the cases.
///
/// # Errors
/// When `m4` or `make` fails, or the report cannot be written.
pub fn run(place: &Place, flavours: &[Flavour], report: &mut Report<'_>) -> Result<()> {
    report.heading("m4: the same words")?;
    report.add(&cases(place)?)?;
    for flavour in flavours {
        let setting = Setting { flavour: *flavour, ..Setting::DEBIAN };
        let tree = prepared(place, setting)?;
        for pass in passes(&tree, setting)? {
            report.add(&pass.compare(place, *flavour, &tree)?)?;
        }
    }
    Ok(())
}

/// The tree with everything that the Makefile generates before it expands modules.
fn prepared(place: &Place, setting: Setting) -> Result<PathBuf> {
    let path = tree::folder(place)?.join(format!("m4-{setting}"));
    cached(&path, |part| {
        let source = tree::pristine(place)?;
        let overlay = Overlay::new(&source, &part.with_extension("tree"))?;
        let targets = ["generate", "tmp/generated_definitions.conf", "tmp/all_interfaces.conf"];
        run_program(make_in(overlay.root(), &setting.words()).arg("MONOLITHIC=y").args(targets))?;
        fs::rename(overlay.root(), part).context("keeping the prepared tree")
    })?;
    Ok(path)
}

/// What the Makefile gives to one `m4`.
struct Pass {
    name: &'static str,
    flags: Vec<String>,
    before: Vec<String>,
    /// The files that are compared, each for itself.
    files: Vec<String>,
    after: Vec<String>,
}

/// The expansions of the Makefile that together read every file.
fn passes(tree: &Path, setting: Setting) -> Result<Vec<Pass>> {
    let definitions = "tmp/generated_definitions.conf".to_owned();
    let support = matching(tree, "policy/support", "spt")?;
    let mut preamble = vec!["support/divert.m4".to_owned()];
    preamble.extend(support.iter().cloned());
    preamble.push("support/undivert.m4".to_owned());
    let defined = [preamble.clone(), vec![definitions]].concat();
    let with_interfaces = [defined.clone(), vec!["tmp/all_interfaces.conf".to_owned()]].concat();
    let modules = |kind: &str| matching(tree, "policy/modules", kind);
    let after = |file: &str| vec![file.to_owned()];
    let pass = |name, flags: Vec<String>, before: &[String], files: Vec<String>, after| Pass {
        name,
        flags,
        before: before.to_vec(),
        files,
        after,
    };
    let flags = flags(setting);
    let appconfig = matching(tree, &format!("config/appconfig-{}", setting.flavour.name()), "")?;
    let corenetwork = |ends: [&str; 4]| {
        let file = |end: &str| match end {
            "divert" | "undivert" => format!("support/{end}.m4"),
            end => format!("policy/modules/kernel/corenetwork.{end}"),
        };
        ends.map(file).to_vec()
    };
    Ok(vec![
        pass(".spt", Vec::new(), &[], support, Vec::new()),
        pass(".if", Vec::new(), &preamble, modules("if")?, after("support/iferror.m4")),
        pass(
            ".te",
            flags.clone(),
            &with_interfaces,
            modules("te")?,
            after("support/fatal_error.m4"),
        ),
        pass(".fc", flags.clone(), &defined, modules("fc")?, Vec::new()),
        pass(
            "corenetwork.te",
            flags.clone(),
            &[],
            corenetwork(["divert", "te.m4", "undivert", "te.in"]),
            Vec::new(),
        ),
        pass("the rest of policy/", flags.clone(), &defined, rest(tree), Vec::new()),
        pass("appconfig", flags, &preamble, appconfig, Vec::new()),
    ])
}

/// The files of `policy/` that stand in no module.
fn rest(tree: &Path) -> Vec<String> {
    let names = [
        "flask/security_classes",
        "flask/initial_sids",
        "flask/access_vectors",
        "context_defaults",
        "mls",
        "mcs",
        "policy_capabilities",
        "global_booleans",
        "global_tunables",
        "users",
        "constraints",
    ];
    let there = names.map(|name| format!("policy/{name}")).into_iter();
    there.filter(|file| tree.join(file).exists()).collect()
}

/// The Makefile's `M4PARAM` of a monolithic build.
#[must_use]
pub fn flags(setting: Setting) -> Vec<String> {
    let mut names = match setting.flavour {
        Flavour::Standard => Vec::new(),
        Flavour::Mcs => vec!["enable_mcs=true"],
        Flavour::Mls => vec!["enable_mls=true"],
    };
    names.extend(["distro_debian=true", "init_systemd=true"]);
    names.extend(setting.direct_initrc.then_some("direct_sysadm_daemon=true"));
    names.extend(setting.ubac.then_some("enable_ubac=true"));
    names.extend(["mls_num_sens=16", "mls_num_cats=1024", "mcs_num_cats=1024", "use_alsa"]);
    names.push("self_contained_policy");
    names.into_iter().flat_map(|name| ["-D".to_owned(), name.to_owned()]).collect()
}

/// The files of a folder and of the folders in it whose names end so, in order; all if nothing is given.
fn matching(tree: &Path, folder: &str, kind: &str) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let path = tree.join(folder);
    let entries =
        fs::read_dir(&path).with_context(|| format!("looking into {}", path.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.strip_prefix(tree)?.display().to_string();
        if path.is_dir() {
            files.extend(matching(tree, &name, kind)?);
        } else if kind.is_empty() || path.extension().is_some_and(|end| end == kind) {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}

impl Pass {
    fn compare(&self, place: &Place, flavour: Flavour, tree: &Path) -> Result<Comparison> {
        let name = format!("m4, {}, {}", self.name, flavour.name());
        let mut comparison = Comparison::new(name);
        ensure!(!self.files.is_empty(), "no {} files", self.name);
        let marks = Marks::write(place, BATCH)?;
        for files in self.files.chunks(BATCH) {
            self.batch(place, tree, files, &marks, &mut comparison)?;
        }
        Ok(comparison.done())
    }

    fn batch(
        &self,
        place: &Place,
        tree: &Path,
        files: &[String],
        marks: &Marks,
        comparison: &mut Comparison,
    ) -> Result<()> {
        let mut theirs = Command::new("m4");
        theirs.args(["-E", "-E"]);
        let mut ours = Command::new(place.mandate()?);
        ours.arg("m4");
        let ours = self.expanded(&mut ours, tree, files, marks)?;
        let theirs = self.expanded(&mut theirs, tree, files, marks)?;
        if !theirs.status.success() {
            bail!("m4 refuses the {} files: {}", self.name, said(&theirs));
        }
        let words = |output: &Output| words_by_file(&output.stdout, files.len());
        let both = words(&ours).into_iter().zip(words(&theirs));
        for (file, (ours, theirs)) in files.iter().zip(both) {
            file_by_file(file, &ours, &theirs, comparison);
        }
        if !ours.status.success() {
            comparison.disagree(self.name.to_owned(), said(&ours), "expanded".into());
        }
        Ok(())
    }

    fn expanded(
        &self,
        program: &mut Command,
        tree: &Path,
        files: &[String],
        marks: &Marks,
    ) -> Result<Output> {
        program.args(&self.flags).args(&self.before);
        for (file, mark) in files.iter().zip(&marks.files) {
            program.arg(mark).arg(file);
        }
        program.args(&self.after).current_dir(tree).stdin(Stdio::null());
        program.output().context("starting m4")
    }
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    format!("{}: {}", output.status, text.lines().take(3).collect::<Vec<_>>().join(" | "))
}

/// Compares the words of one file.
fn file_by_file(file: &str, ours: &[String], theirs: &[String], to: &mut Comparison) {
    let Some(at) = first_difference(ours, theirs) else {
        return to.agree();
    };
    let shown = |words: &[String]| {
        let from = at.saturating_sub(SHOWN);
        words.iter().skip(from).take(2 * SHOWN).cloned().collect::<Vec<_>>().join(" ")
    };
    to.disagree(format!("{file}: word {at}"), shown(ours), shown(theirs));
}

fn first_difference(ours: &[String], theirs: &[String]) -> Option<usize> {
    if ours == theirs {
        return None;
    }
    let same = ours.iter().zip(theirs).take_while(|(one, other)| one == other).count();
    Some(same)
}

/// The words between the marks, without `#line` lines.
fn words_by_file(output: &[u8], files: usize) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(output);
    let mut parts = vec![Vec::new(); files];
    let mut current = None;
    for line in text.lines().filter(|line| !line.starts_with("#line ")) {
        for word in line.split_whitespace() {
            match Marks::number(word) {
                Some(number) => current = Some(number),
                None => {
                    let part: Option<&mut Vec<String>> = current.and_then(|at| parts.get_mut(at));
                    part.into_iter().for_each(|part| part.push(word.to_owned()));
                }
            }
        }
    }
    parts
}

/// Files that hold nothing but a mark.
struct Marks {
    files: Vec<PathBuf>,
}

impl Marks {
    fn write(place: &Place, count: usize) -> Result<Self> {
        let folder = place.work.join("compile/marks");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let file = |number: usize| {
            let path = folder.join(number.to_string());
            fs::write(&path, format!("\n{}\n", Self::text(number)))?;
            Ok(path)
        };
        Ok(Self { files: (0..count).map(file).collect::<Result<_>>()? })
    }

    /// Not a name, no quote, no comment, and no argument's end.
    fn text(number: usize) -> String {
        format!("=====+{number}+=====")
    }

    fn number(word: &str) -> Option<usize> {
        word.strip_prefix("=====+")?.strip_suffix("+=====")?.parse().ok()
    }
}

/// Small files, each given to both: the same bytes, or both refuse.
fn cases(place: &Place) -> Result<Comparison> {
    let folder = place.root.join("compliance/cases/m4");
    let mut comparison = Comparison::new("m4, hand-written cases");
    for file in matching(&folder, "", "m4")? {
        let with = |mut program: Command, words: &[&str]| {
            program.args(words).arg(&file).current_dir(&folder).stdin(Stdio::null());
            program.output().context("starting m4")
        };
        let theirs = with(Command::new("m4"), &["-E", "-E"])?;
        let ours = with(Command::new(place.mandate()?), &["m4"])?;
        comparison.equal(|| file.clone(), &outcome(&ours), &outcome(&theirs));
    }
    Ok(comparison)
}

/// What a reader of the output sees; where there is an error, only that.
fn outcome(output: &Output) -> String {
    match output.status.success() {
        true => String::from_utf8_lossy(&output.stdout).into_owned(),
        false => "an error".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_belong_to_the_file_after_the_mark() {
        let output = b"before\n=====+0+=====\na b\n#line 3 \"x\"\n=====+1+=====\n  c\n";
        assert_eq!(words_by_file(output, 2), [vec!["a", "b"], vec!["c"]]);
    }

    #[test]
    fn the_first_differing_word_is_found() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(first_difference(&words("a b c"), &words("a b c")), None);
        assert_eq!(first_difference(&words("a b c"), &words("a x c")), Some(1));
        assert_eq!(first_difference(&words("a b"), &words("a b c")), Some(2));
    }
}
