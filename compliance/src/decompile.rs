//! Binary policies decompiled, printed and compiled again: the same bytes; and the text that we print, given to the originals: the same
//! policy.

mod ways;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use mandate_compile::backend::Options;
use mandate_compile::print::{Printed, kernel};
use mandate_compile::whole::Checks;
use mandate_compile::{conf, decompile};
use mandate_policydb::{HandleUnknown, PolicyDb, PolicyVersion, Target, Unvalidated, canonical};
use mandate_syntax::kernel::{ParseOptions, SourceKind, Unit, dump::dump, parse_file};
use mandate_syntax::source::SourceMap;

use crate::compile::answers::{self, Theirs};
use crate::micro;
use crate::originals;
use crate::place::{Place, run as run_program};
use crate::reference::{Flavour, Reference, VERSION};
use crate::report::{Comparison, Report};
use crate::small::Small;

/// The oldest version at which the large policies are compared; older ones expand attributes.
const OLDEST: u32 = 20;

/// How many questions are asked of a policy and of what became of it.
const QUESTIONS: usize = 100_000;

/// Micro policies that CIL cannot say, and what of them.
const NOT_IN_CIL: [(&str, &str); 3] = [
    ("constrain-role-dominance", "dominance of roles"),
    ("role-dominance", "dominance of roles"),
    ("filesystems", "fscon"),
];

/// Micro policies whose ports CIL sorts, by how many there are in a range.
const SORTED_IN_CIL: [(&str, &str); 1] = [("ports", "portcon")];
/// Micro policies that packages cannot hold, and what of them.
const NOT_IN_PACKAGES: [(&str, &str); 2] =
    [("xen", "statements about Xen"), ("xen-v24", "statements about Xen")];

/// Compares all that is made here and by the originals.
///
/// # Errors
/// When an original fails or the report cannot be written.
pub fn run(
    place: &Place,
    references: &[Reference],
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<()> {
    report.heading("Decompiled, printed and compiled again: the same bytes")?;
    let newest = originals::newest_policy_version()?.min(VERSION);
    let cases = micro::cases(&place.root)?;
    let mut ours = Comparison::new("micro policies and policies/base, built here");
    let mut theirs = Comparison::new("micro policies of checkpolicy, as canonical");
    let mut ways = Ways::new("micro policies of checkpolicy");
    for case in &cases {
        for (source, binary) in case.files()? {
            let original = read(&binary)?;
            counted(&mut theirs, &binary, as_canonical(&original));
            let db = policy(&original)?;
            ways.compare(&case.name, &binary, &db);
            // What is refused for its neverallow rules or bounds is no less a policy.
            if source.extension().is_some_and(|it| it == "cil") {
                continue;
            }
            if let Some(built) = build_conf(read(&source)?.into(), &options_of(&db), false)? {
                counted(&mut ours, &source, identical(&bytes_of(&built)?));
            }
        }
    }
    for words in [&[][..], &["-O"]] {
        let path = place.work.join("decompile.base");
        let mut build = Command::new(place.mandate()?);
        build.args(["build", "--no-cache"]).args(words).arg("-o").arg(&path);
        run_program(&mut build)?;
        counted(&mut ours, &path, identical(&read(&path)?));
    }
    report.add(&ours.done())?;
    report.add(&theirs.done())?;
    ways.add(report)?;
    let mut small = Comparison::new("small policies of checkpolicy, every version, as canonical");
    for it in Small::all(newest) {
        let path = it.build(place)?;
        counted(&mut small, &path, as_canonical(&read(&path)?));
    }
    report.add(&small.done())?;
    for reference in references {
        if full || reference.flavour == Flavour::Mcs {
            large(reference, full, newest, report)?;
            accepted(place, reference, seed, report)?;
        }
    }
    micro_accepted(place, &cases, report)
}

/// A Reference Policy: built here, with and without `-O`, and by the originals.
fn large(reference: &Reference, full: bool, newest: u32, report: &mut Report<'_>) -> Result<()> {
    let flavour = reference.flavour.name();
    let mut ours = Comparison::new(format!("Reference Policy {flavour}, built here"));
    let source: Arc<[u8]> = read(&reference.source())?.into();
    let oldest = if full { OLDEST } else { newest };
    for version in oldest..=newest {
        for optimise in [false, true] {
            let mut options = Options::default();
            options.mls = reference.flavour != Flavour::Standard;
            options.version = PolicyVersion::new(version).context("a version")?;
            let built = build_conf(Arc::clone(&source), &options, optimise)?;
            let Some(mut built) = built.or_else(|| older(&source, &options, optimise)) else {
                bail!("{flavour} is not built at version {version}");
            };
            built.version = options.version;
            let query = format!("{flavour} at version {version}, -O {optimise}");
            counted(&mut ours, Path::new(&query), identical(&bytes_of(&built)?));
        }
    }
    report.add(&ours.done())?;
    report.add(&same_tree(reference, &source)?)?;
    let mut theirs = Comparison::new(format!("Reference Policy {flavour} of the originals"));
    for version in oldest..=newest {
        let path = reference.downgraded(version)?;
        counted(&mut theirs, &path, as_canonical(&read(&path)?));
    }
    let mut ways = Ways::new(&format!("Reference Policy {flavour} of the originals"));
    for path in [reference.binary(), reference.by_secilc()?] {
        counted(&mut theirs, &path, as_canonical(&read(&path)?));
        ways.compare("", &path, &policy(&read(&path)?)?);
    }
    report.add(&theirs.done())?;
    ways.add(report)
}

/// Policies by way of CIL and of packages.
struct Ways {
    cil: Comparison,
    package: Comparison,
}

impl Ways {
    fn new(what: &str) -> Self {
        Self {
            cil: Comparison::new(format!("{what}, by our CIL, as canonical")),
            package: Comparison::new(format!("{what}, by our package, as canonical")),
        }
    }

    /// The bytes of the canonical form; where a form cannot hold the policy, a refusal.
    fn compare(&mut self, case: &str, path: &Path, db: &PolicyDb) {
        let listed = |list: &[(&str, &str)]| list.iter().any(|it| case == it.0);
        let (cil, package) = (ways::by_cil(db), ways::by_package(db));
        let inexpressible = listed(&NOT_IN_CIL);
        counted(&mut self.cil, path, as_expected(db, cil, inexpressible, listed(&SORTED_IN_CIL)));
        let inexpressible = listed(&NOT_IN_PACKAGES);
        counted(&mut self.package, path, as_expected(db, package, inexpressible, false));
    }

    fn add(self, report: &mut Report<'_>) -> Result<()> {
        report.add(&self.cil.done())?;
        Ok(report.add(&self.package.done())?)
    }
}

fn as_expected(
    db: &PolicyDb,
    made: Result<Vec<u8>>,
    inexpressible: bool,
    sorted: bool,
) -> Result<()> {
    let made = match made {
        Err(_) if inexpressible => return Ok(()),
        made => made?,
    };
    ensure!(!inexpressible, "made, unexpectedly");
    let mut normal = Vec::new();
    canonical(db).write(db.version, &mut normal)?;
    if sorted {
        let lines = |db: &PolicyDb| -> Result<Vec<String>> {
            let text = String::from_utf8_lossy(&conf_of(db)?).into_owned();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort_unstable();
            Ok(lines)
        };
        ensure!(lines(&policy(&made)?)? == lines(&policy(&normal)?)?, "other statements");
        return Ok(());
    }
    ensure!(made == normal, "other bytes than the canonical form");
    Ok(())
}

/// The source of all modules, printed and read again: the same statements, one by one.
fn same_tree(reference: &Reference, source: &Arc<[u8]>) -> Result<Comparison> {
    let flavour = reference.flavour.name();
    let mut comparison = Comparison::new(format!("Reference Policy {flavour}, printed and read"));
    let first = parsed(Arc::clone(source))?;
    let printed = kernel::print(std::slice::from_ref(&first), &kernel::Options::default());
    let second = parsed(good(printed)?.into())?;
    let (first, second) = (dump(&first), dump(&second));
    let (mut theirs, mut ours) = (first.lines(), second.lines());
    loop {
        match (theirs.next(), ours.next()) {
            (None, None) => return Ok(comparison.done()),
            (a, b) if a == b => comparison.agree(),
            (a, b) => comparison.disagree(
                "a statement".into(),
                b.unwrap_or("-").to_owned(),
                a.unwrap_or("-").to_owned(),
            ),
        }
    }
}

fn parsed(text: Arc<[u8]>) -> Result<Unit> {
    let mut sources = SourceMap::new();
    let id = sources.add("policy.conf", text)?;
    let parsed = parse_file(sources.file(id), ParseOptions { kind: SourceKind::Policy });
    match parsed.diagnostics.first() {
        Some(it) => bail!("{}", it.message),
        None => Ok(parsed.unit),
    }
}

/// At a version that cannot hold all of the source: what is left of the policy there.
fn older(source: &Arc<[u8]>, options: &Options, optimise: bool) -> Option<PolicyDb> {
    let mut newest = options.clone();
    newest.version = PolicyVersion::MAX;
    let mut db = build_conf(Arc::clone(source), &newest, optimise).ok()??;
    mandate_policydb::drop_unsupported(&mut db, options.version);
    let mut bytes = Vec::new();
    db.write(options.version, &mut bytes).ok()?;
    // As that version holds it: without the names of attributes, say.
    Some(canonical(&policy(&bytes).ok()?))
}

/// The originals take our text for the same policy: it answers as before.
fn accepted(
    place: &Place,
    reference: &Reference,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<()> {
    let flavour = reference.flavour.name();
    let original = reference.by_secilc()?;
    let db = policy(&read(&original)?)?;
    let folder = place.work.join("decompile");
    std::fs::create_dir_all(&folder).context("making a folder")?;
    let theirs = Theirs { plain: &original, linked: &original };
    let ours = folder.join(format!("{flavour}.ours"));
    let (result, _) = again(&db)?;
    std::fs::write(&ours, result).context("writing a policy")?;
    let made = [
        ("decompiled and compiled", ours),
        ("our conf by checkpolicy", by_checkpolicy(&folder, flavour, &db)?),
        ("our CIL by secilc", by_secilc(&folder, flavour, &db)?),
        ("our package by semodule_expand", ways::by_semodule_expand(&folder, flavour, &db)?),
    ];
    for (what, path) in made {
        let name = format!("{flavour}, {what}");
        for it in answers::compare(place, &name, &path, theirs, QUESTIONS, seed)? {
            report.add(&it)?;
        }
    }
    Ok(())
}

/// Small ones: as `checkpolicy -b -F` writes both.
fn micro_accepted(place: &Place, cases: &[micro::Case], report: &mut Report<'_>) -> Result<()> {
    let folder = place.work.join("decompile");
    std::fs::create_dir_all(&folder).context("making a folder")?;
    let mut conf = Comparison::new("micro policies, our conf by checkpolicy: the same statements");
    let mut cil = Comparison::new("micro policies, our CIL by secilc: accepted, or told why not");
    for case in cases {
        for (_, binary) in case.files()? {
            let db = policy(&read(&binary)?)?;
            let newest = originals::newest_policy_version()?;
            if db.version.number() > newest {
                continue;
            }
            let query = || binary.display().to_string();
            let bounded = mandate_compile::bounds::check(&db).is_empty();
            match by_checkpolicy(&folder, "micro", &db) {
                // It refuses a type that has more than its bounds, which a finished policy may have.
                Err(_) if !bounded => conf.agree(),
                // checkpolicy writes no text of versions that have attributes without names.
                Ok(_) if (20..24).contains(&db.version.number()) => conf.agree(),
                Ok(made) => {
                    let ours = statements(&folder, &made, &db)?;
                    let theirs = statements(&folder, &binary, &db)?;
                    conf.equal(query, &ours, &theirs);
                }
                Err(why) => conf.disagree(query(), format!("{why:#}"), "accepted".into()),
            }
            // secilc wants one, also of a policy that is about other rules.
            if !db.rules.iter().any(|it| it.kind.is_access_vector()) {
                continue;
            }
            let inexpressible = NOT_IN_CIL.iter().any(|it| case.name == it.0);
            match (by_secilc(&folder, "micro", &db), inexpressible) {
                (Ok(_), false) | (Err(_), true) => cil.agree(),
                (Ok(_), true) => cil.disagree(query(), "printed".into(), "no CIL".into()),
                (Err(why), false) => cil.disagree(query(), format!("{why:#}"), "accepted".into()),
            }
        }
    }
    report.add(&conf.done())?;
    Ok(report.add(&cil.done())?)
}

/// The statements of a binary policy, sorted, as one text.
fn statements(folder: &Path, path: &Path, db: &PolicyDb) -> Result<String> {
    let text = folder.join("statements.conf");
    let mut checkpolicy = checkpolicy(db);
    run_program(checkpolicy.args(["-b", "-F", "-o"]).arg(&text).arg(path))?;
    let text = String::from_utf8_lossy(&read(&text)?).into_owned();
    let lines: BTreeSet<&str> = text.lines().collect();
    Ok(lines.into_iter().collect::<Vec<_>>().join("\n"))
}

fn checkpolicy(db: &PolicyDb) -> Command {
    let mut checkpolicy = Command::new("checkpolicy");
    checkpolicy.args(db.mls.then_some("-M"));
    checkpolicy.args((db.target == Target::Xen).then_some(["-t", "xen"]).into_iter().flatten());
    checkpolicy
}

fn unknown(db: &PolicyDb) -> &'static str {
    match db.handle_unknown {
        HandleUnknown::Deny => "deny",
        HandleUnknown::Reject => "reject",
        HandleUnknown::Allow => "allow",
    }
}

fn by_checkpolicy(folder: &Path, name: &str, db: &PolicyDb) -> Result<PathBuf> {
    let (text, made) =
        (folder.join(format!("{name}.conf")), folder.join(format!("{name}.conf.bin")));
    std::fs::write(&text, conf_of(db)?).context("writing a policy.conf")?;
    let version = db.version.number().to_string();
    let mut checkpolicy = checkpolicy(db);
    checkpolicy.args(["-U", unknown(db), "-c", &version, "-o"]).arg(&made).arg(&text);
    run_program(&mut checkpolicy)?;
    Ok(made)
}

fn by_secilc(folder: &Path, name: &str, db: &PolicyDb) -> Result<PathBuf> {
    let (text, made) = (folder.join(format!("{name}.cil")), folder.join(format!("{name}.cil.bin")));
    std::fs::write(&text, ways::cil_of(db)?).context("writing CIL")?;
    let version = db.version.number().to_string();
    let mls = if db.mls { "true" } else { "false" };
    let mut secilc = Command::new("secilc");
    if db.target == Target::Xen {
        secilc.args(["-t", "xen"]);
    }
    secilc.args(["-N", "-M", mls, "-c", &version, "-f", "/dev/null", "-o"]).arg(&made).arg(&text);
    run_program(&mut secilc)?;
    Ok(made)
}

fn good(printed: Printed) -> Result<Vec<u8>> {
    let first = printed.diagnostics.first().map_or(String::new(), |it| it.message.clone());
    ensure!(!printed.failed(), "{first}");
    Ok(printed.text)
}

/// The policy as text of the kernel policy language.
fn conf_of(db: &PolicyDb) -> Result<Vec<u8>> {
    let decompiled = decompile::unit(db);
    if let Some(it) = decompiled.diagnostics.first() {
        bail!("{}", it.message);
    }
    good(kernel::print(&[decompiled.unit], &kernel::Options::default()))
}

/// The policy decompiled, printed and compiled: its bytes; and those of its canonical form.
fn again(db: &PolicyDb) -> Result<(Vec<u8>, Vec<u8>)> {
    let built = build_conf(conf_of(db)?.into(), &options_of(db), false)?;
    let built = built.context("what we printed is not compiled")?;
    let (mut result, mut normal) = (Vec::new(), Vec::new());
    built.write(db.version, &mut result)?;
    canonical(db).write(db.version, &mut normal)?;
    Ok((result, normal))
}

/// The same bytes as before.
fn identical(original: &[u8]) -> Result<()> {
    let (result, normal) = again(&policy(original)?)?;
    ensure!(normal == original, "the canonical form has other bytes");
    ensure!(result == original, "other bytes");
    Ok(())
}

/// The bytes of the canonical form, whose canonical form is itself.
fn as_canonical(original: &[u8]) -> Result<()> {
    let db = policy(original)?;
    let (result, normal) = again(&db)?;
    ensure!(result == normal, "other bytes than the canonical form");
    let mut twice = Vec::new();
    canonical(&policy(&normal)?).write(db.version, &mut twice)?;
    ensure!(twice == normal, "the canonical form of the canonical form has other bytes");
    Ok(())
}

fn counted(comparison: &mut Comparison, query: &Path, outcome: Result<()>) {
    match outcome {
        Ok(()) => comparison.agree(),
        Err(why) => {
            let query = query.display().to_string();
            comparison.disagree(query, format!("{why:#}"), "the same bytes".into());
        }
    }
}

fn options_of(db: &PolicyDb) -> Options {
    let mut options = Options::default();
    (options.target, options.mls, options.version) = (db.target, db.mls, db.version);
    options.handle_unknown = db.handle_unknown;
    options
}

fn build_conf(text: Arc<[u8]>, options: &Options, optimise: bool) -> Result<Option<PolicyDb>> {
    let checks = Checks { neverallow: false, optimise };
    let outcome = conf::build("policy.conf", text, options, checks);
    Ok(outcome.product.map(|it| it.policy))
}

fn bytes_of(db: &PolicyDb) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    db.write(db.version, &mut bytes)?;
    Ok(bytes)
}

fn policy(bytes: &[u8]) -> Result<PolicyDb> {
    Ok(Unvalidated::read(bytes)?.validate()?.into_db())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}
