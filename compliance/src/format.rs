//! The formatter: once formatted, files stay as they are, and the policy that they make is the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use mandate_compile::outcome::{Product, SourceTree};
use mandate_compile::refpolicy;
use mandate_syntax::codes::Code;
use mandate_syntax::format::{Language, format};
use mandate_syntax::source::SourceMap;

use crate::compile::fuzz::readers::{Format, Reader, source_tree};
use crate::compile::tree;
use crate::micro;
use crate::mutate::mutant;
use crate::place::{Place, run as run_program};
use crate::random::Random;
use crate::reference::{Flavour, Reference};
use crate::report::{Comparison, Report};

/// Mutants of each language: in continuous integration, and at full size.
const MUTANTS: (usize, usize) = (10_000, 100_000);
/// A text that is damaged is at most so many bytes of a file.
const PIECE: usize = 6_000;

/// Everything.
///
/// # Errors
/// When an original does not run to its end, or the report cannot be written.
pub fn run(place: &Place, full: bool, seed: u64, report: &mut Report<'_>) -> Result<()> {
    let flavours: &[Flavour] = if full { &Flavour::ALL } else { &[Flavour::Mcs] };
    own_tree(place, flavours, report)?;
    let debian = source_tree_of(&tree::pristine(place)?)?;
    compare_tree("Debian's tree", &debian, flavours, report)?;
    let n = if full { MUTANTS.1 } else { MUTANTS.0 };
    let cil = cil_of_micro(place, report)?;
    report.add(&compare_cil(place, "CIL of the micro policies", &cil)?)?;
    if full {
        report.add(&compare_cil(
            place,
            "CIL of the Reference Policy",
            &cil_of_reference(place)?,
        )?)?;
    }
    for (language, ending) in Language::ALL {
        let corpus = match language {
            Language::Cil => pieces(cil.values().map(|it| &it.text[..])),
            _ => pieces(with_ending(&debian, ending)),
        };
        report.add(&mutants(place, language, ending, &corpus, n, seed)?)?;
    }
    Ok(())
}

/// Our own tree, which needs no original tool.
///
/// # Errors
/// When it cannot be read, or the report cannot be written.
pub fn own_tree(place: &Place, flavours: &[Flavour], report: &mut Report<'_>) -> Result<()> {
    report.heading("Formatting")?;
    let tree = source_tree_of(&place.root.join("policies/base"))?;
    compare_tree("policies/base", &tree, flavours, report)?;
    let mut formatted = Comparison::new("policies/base is formatted");
    for (path, bytes) in &tree {
        if let Some(language) = language_of(path) {
            match formatted_text(bytes, language) {
                Ok(text) if text[..] == bytes[..] => formatted.agree(),
                Ok(_) => formatted.disagree(path.clone(), "it changes".into(), String::new()),
                Err((_, why)) => formatted.disagree(path.clone(), why, String::new()),
            }
        }
    }
    Ok(report.add(&formatted.done())?)
}

/// What of a tree makes the policy.
fn source_tree_of(root: &Path) -> Result<SourceTree> {
    let mut tree = source_tree(root, &root.join("policy"))?;
    tree.extend(source_tree(root, &root.join("config"))?);
    tree.insert("build.conf".to_owned(), read(&root.join("build.conf"))?.into());
    Ok(tree)
}

fn language_of(path: &str) -> Option<Language> {
    Language::of_ending(path.rsplit_once('.')?.1)
}

fn with_ending<'a>(tree: &'a SourceTree, ending: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let has = move |path: &String| path.rsplit_once('.').is_some_and(|it| it.1 == ending);
    tree.iter().filter(move |it| has(it.0)).map(|it| &it.1[..])
}

fn formatted_text(text: &[u8], language: Language) -> Result<Vec<u8>, (Code, String)> {
    let mut map = SourceMap::new();
    let id = map.add("", text).map_err(|it| (Code::BadBytes, it.to_string()))?;
    format(map.file(id), language).map_err(|it| (it.code, it.message))
}

/// Formats all files of a tree twice, then builds it as it was and formatted.
fn compare_tree(
    name: &str,
    tree: &SourceTree,
    flavours: &[Flavour],
    report: &mut Report<'_>,
) -> Result<()> {
    let mut twice = Comparison::new(format!("{name}: formatted twice, as once"));
    let mut formatted = tree.clone();
    let mut changed = 0;
    for (path, bytes) in &mut formatted {
        let Some(language) = language_of(path) else { continue };
        let once = formatted_text(bytes, language);
        match &once {
            Ok(text) if formatted_text(text, language).as_ref() == Ok(text) => twice.agree(),
            Ok(_) => twice.disagree(path.clone(), "it changes again".into(), String::new()),
            Err((_, why)) => twice.disagree(path.clone(), why.clone(), String::new()),
        }
        if let Ok(text) = once
            && text[..] != bytes[..]
        {
            changed += 1;
            *bytes = text.into();
        }
    }
    report.add(&twice.done())?;
    report.note(&format!("{changed} of them change"))?;
    for flavour in flavours {
        let title = format!("{name}, {}: the same policy and files once formatted", flavour.name());
        let mut same = Comparison::new(title);
        let (ours, theirs) = (built(&formatted, *flavour)?, built(tree, *flavour)?);
        for file in theirs.keys().chain(ours.keys().filter(|it| !theirs.contains_key(*it))) {
            let shown = |files: &BTreeMap<String, Vec<u8>>| match files.get(file) {
                Some(it) => format!("{} bytes", it.len()),
                None => "missing".to_owned(),
            };
            if ours.get(file) == theirs.get(file) {
                same.agree();
            } else {
                same.disagree(file.clone(), shown(&ours), shown(&theirs));
            }
        }
        report.add(&same.done())?;
    }
    Ok(())
}

/// The policy and the files that go with it.
fn built(tree: &SourceTree, flavour: Flavour) -> Result<BTreeMap<String, Vec<u8>>> {
    let settings = vec![("TYPE".to_owned(), flavour.name().to_owned())];
    let options = refpolicy::Options { settings, ..Default::default() };
    let outcome = refpolicy::build(tree, &options);
    let first = || outcome.diagnostics.first().map_or(String::new(), |it| it.message.clone());
    let Product { policy, files, .. } =
        outcome.product.ok_or_else(|| anyhow!("the tree does not build: {}", first()))?;
    let mut files = files;
    let mut bytes = Vec::new();
    policy.write(policy.version, &mut bytes)?;
    files.insert("the policy".to_owned(), bytes);
    Ok(files)
}

/// A policy in CIL, and whether it has levels.
struct Cil {
    text: Vec<u8>,
    mls: bool,
}

/// What checkpolicy makes of the micro policies, by their names.
fn cil_of_micro(place: &Place, report: &mut Report<'_>) -> Result<BTreeMap<String, Cil>> {
    let folder = work(place)?;
    let mut all = BTreeMap::new();
    let mut refused = 0;
    for case in micro::cases(&place.root)? {
        let source = case.folder.join("policy.conf");
        if case.target != "selinux" || !source.is_file() {
            continue;
        }
        let path = folder.join("micro.cil");
        let mut command = Command::new("checkpolicy");
        command.args(case.mls.then_some("-M")).args(["-C", "-o"]).arg(&path).arg(&source);
        if run_program(&mut command).is_err() {
            refused += 1;
            continue;
        }
        all.insert(case.name, Cil { text: read(&path)?, mls: case.mls });
    }
    report.note(&format!("CIL of {} micro policies; checkpolicy refuses {refused}", all.len()))?;
    Ok(all)
}

/// What checkpolicy makes of the Reference Policy.
fn cil_of_reference(place: &Place) -> Result<BTreeMap<String, Cil>> {
    let references = Reference::build_all(place)?;
    let cil = |it: &Reference| {
        let text = read(&it.by_secilc()?.with_file_name("policy.cil"))?;
        Ok((it.flavour.name().to_owned(), Cil { text, mls: it.flavour != Flavour::Standard }))
    };
    references.iter().map(cil).collect()
}

/// Does secilc make the same policy of CIL as it was and formatted?
fn compare_cil(place: &Place, name: &str, all: &BTreeMap<String, Cil>) -> Result<Comparison> {
    let mut same = Comparison::new(format!("{name}: secilc makes the same once formatted"));
    for (case, cil) in all {
        let text = match formatted_text(&cil.text, Language::Cil) {
            Ok(text) => text,
            Err((_, why)) => {
                same.disagree(case.clone(), why, "CIL".into());
                continue;
            }
        };
        if formatted_text(&text, Language::Cil).as_ref() != Ok(&text) {
            same.disagree(case.clone(), "it changes again".into(), String::new());
            continue;
        }
        let by = |text: &[u8]| by_secilc(place, text, cil.mls).map_err(|why| format!("{why:#}"));
        let (ours, theirs) = (by(&text), by(&cil.text));
        if ours.is_ok() == theirs.is_ok() && ours.as_ref().ok() == theirs.as_ref().ok() {
            same.agree();
        } else {
            let shown = |it: Result<Vec<u8>, String>| {
                it.map_or_else(|why| why, |it| format!("{} bytes", it.len()))
            };
            same.disagree(case.clone(), shown(ours), shown(theirs));
        }
    }
    Ok(same.done())
}

fn by_secilc(place: &Place, text: &[u8], mls: bool) -> Result<Vec<u8>> {
    let folder = work(place)?;
    let (source, policy) = (folder.join("a.cil"), folder.join("a.policy"));
    std::fs::write(&source, text).with_context(|| format!("writing {}", source.display()))?;
    let mls = if mls { "true" } else { "false" };
    let mut secilc = Command::new("secilc");
    secilc.args(["-M", mls, "-N", "-o"]).arg(&policy);
    run_program(secilc.args(["-f", "/dev/null"]).arg(&source))?;
    read(&policy)
}

fn work(place: &Place) -> Result<std::path::PathBuf> {
    let folder = place.work.join("format");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}

/// Whole lines from the start of each text.
fn pieces<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let piece = |text: &[u8]| {
        let text = &text[..text.len().min(PIECE)];
        let end = text.iter().rposition(|it| *it == b'\n').map_or(text.len(), |it| it + 1);
        text[..end].to_vec()
    };
    texts.map(piece).collect()
}

/// Damaged files: formatted for good, or refused with a place; never a change of meaning that only the last look finds, or
/// that shows in what m4 makes of them.
fn mutants(
    place: &Place,
    language: Language,
    ending: &str,
    corpus: &[Vec<u8>],
    n: usize,
    seed: u64,
) -> Result<Comparison> {
    let mut meaning = Meaning::new(place, language)?;
    let mut tally = Comparison::new(format!("{n} damaged .{ending} files, seed {seed}"));
    for number in 0..n {
        let mut random = Random::new(seed ^ (number as u64).wrapping_mul(0x9e37_79b9));
        let text = mutant(&mut random, corpus);
        let why = match formatted_text(&text, language) {
            Err((Code::FormatterFault, why)) => why,
            Ok(once) if formatted_text(&once, language).as_ref() != Ok(&once) => {
                "it changes again".to_owned()
            }
            Ok(once) if !meaning.same(&text, &once) => "m4 makes something else of it".to_owned(),
            _ => {
                tally.agree();
                continue;
            }
        };
        let shown = String::from_utf8_lossy(&text).into_owned();
        tally.disagree(format!("mutant {number}: {shown}"), why, String::new());
    }
    Ok(tally.done())
}

/// What m4 makes of a text, without blanks and comments; CIL does not go through m4.
struct Meaning {
    language: Language,
    reader: Option<Reader>,
}

impl Meaning {
    fn new(place: &Place, language: Language) -> Result<Self> {
        let format = match language {
            Language::Te => Some(Format::Te),
            Language::If => Some(Format::If),
            Language::Fc => Some(Format::Fc),
            Language::Cil => None,
        };
        Ok(Self { language, reader: format.map(|it| Reader::new(place, it)).transpose()? })
    }

    fn same(&mut self, one: &[u8], other: &[u8]) -> bool {
        if one == other {
            return true;
        }
        let Some(reader) = &mut self.reader else { return true };
        // The body of an interface counts, not that it is defined.
        let start: &[u8] = match self.language {
            Language::If => b"define(`interface',`$2')define(`template',`$2')",
            _ => b"",
        };
        let mut of = |text: &[u8]| reader.expanded(&[start, text].concat(), true).0.bytes;
        let (one, other) = (of(one), of(other));
        if self.language == Language::Fc {
            return fields(&one).eq(fields(&other));
        }
        words(&one) == words(&other)
    }
}

/// The words, marks and strings of the policy language.
fn words(text: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        let line = rest.iter().position(|it| *it == b'\n').unwrap_or(rest.len());
        let is_mark = |it: &u8| b"{}();:,~\"#".contains(it) || it.is_ascii_whitespace();
        let len = match byte {
            b'#' => line,
            b'"' => rest[1..line.max(1)].iter().position(|it| *it == b'"').map_or(1, |it| it + 2),
            b'-' => 1,
            _ => rest.iter().position(is_mark).unwrap_or(rest.len()).max(1),
        };
        if byte != b'#' && !byte.is_ascii_whitespace() {
            all.push(&rest[..len]);
        }
        rest = &rest[len..];
    }
    all
}

/// What blanks separate, but for those that m4 drops after a comma.
fn fields(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = text.split(|it| it.is_ascii_whitespace() || *it == b',');
    words.filter(|it| !it.is_empty())
}
