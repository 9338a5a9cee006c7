//! `policies/base` in all ways it can be built, by us and by the original tools: with the Makefile of the Reference Policy as one
//! policy, and as a base and modules in a store.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::bench::{Figure, median, note};
use crate::compile::answers;
use crate::compile::bench::{cost, line, packages, store};
use crate::compile::builds::{Pair, Questions};
use crate::compile::files;
use crate::compile::original::{Original, make_in};
use crate::compile::ours::settings;
use crate::compile::tree::{self, Overlay};
use crate::kernel::{Backend, Kernel};
use crate::place::{Place, run as run_program};
use crate::reference::{Flavour, VERSION};
use crate::report::Report;

/// What makes a tree one that can be built; the rest of Debian's tree stays out.
const MACHINERY: [&str; 4] = ["Makefile", "Rules.monolithic", "Rules.modular", "VERSION"];
/// Rounds that are timed, of theirs and of ours.
const ROUNDS: (usize, usize) = (3, 30);
/// What a person reads in an evening.
const LINES: usize = 6_000;
/// What it may be when compiled.
const BYTES: u64 = 400_000;
/// What a build may take.
const MILLISECONDS: f64 = 50.0;

/// How the tree is built.
#[derive(Clone, Copy, Debug)]
struct Setting {
    flavour: Flavour,
    ubac: bool,
}

impl Setting {
    /// Each flavour and each answer to UBAC once; a full run takes all.
    const CI: [Self; 2] = [Self::new(Flavour::Mcs, false), Self::new(Flavour::Mls, true)];

    const fn new(flavour: Flavour, ubac: bool) -> Self {
        Self { flavour, ubac }
    }

    fn all() -> Vec<Self> {
        let both = |flavour| [false, true].map(|ubac| Self::new(flavour, ubac));
        Flavour::ALL.into_iter().flat_map(both).collect()
    }

    fn name(self) -> String {
        format!("base-{}-{}ubac", self.flavour.name(), if self.ubac { "" } else { "no-" })
    }

    fn words(self) -> Vec<String> {
        let name = self.flavour.name();
        let ubac = if self.ubac { "y" } else { "n" };
        vec![format!("TYPE={name}"), format!("NAME={name}"), format!("UBAC={ubac}")]
    }
}

/// Builds it with both, compares all that can be compared, and takes the time.
///
/// # Errors
/// When the kernel cannot be had, or the report cannot be written.
pub(super) fn run(
    place: &Place,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading("policies/base, by the original tools too")?;
    let folder = place.work.join("base-policy");
    let source = place.root.join("policies/base");
    let builds = Builds {
        place,
        kernel: Kernel::prepare(Backend::Uml, &place.work.join("kernel"))?,
        overlay: with_makefile(place, &source, &folder.join("tree"))?,
        questions: Questions { decisions: 50_000, kernel: if full { 20_000 } else { 2_000 }, seed },
        folder,
        source,
    };
    for setting in if full { Setting::all() } else { Setting::CI.to_vec() } {
        if let Err(why) = builds.compare(setting, report) {
            report.case(&setting.name(), Err(format!("{why:#}")))?;
        }
    }
    let size = builds.size(report)?;
    Ok(if full { [builds.time(report)?, size].concat() } else { Vec::new() })
}

struct Builds<'a> {
    place: &'a Place,
    source: PathBuf,
    /// The same with what the original tools want around it.
    overlay: Overlay,
    folder: PathBuf,
    kernel: Kernel,
    questions: Questions,
}

impl Builds<'_> {
    fn compare(&self, setting: Setting, report: &mut Report<'_>) -> Result<()> {
        let (name, words) = (setting.name(), setting.words());
        let built = self.folder.join("by-originals").join(&name);
        let original = Original::build_tree(&name, self.overlay.root(), &words, &built)?;
        let pair = Pair::build(self.place, original, &self.source, None, &words)?;
        pair.compare(self.place, &self.kernel, self.questions, report)?;
        let theirs = self.modular(setting)?;
        let Questions { decisions, seed, .. } = self.questions;
        let name = format!("{name} beside modules in a store");
        for it in answers::ask(self.place, &name, &pair.binary(), &theirs, decisions, seed)? {
            report.add(&it)?;
        }
        Ok(())
    }

    /// Base and modules, packaged, installed into a store and linked there.
    fn modular(&self, setting: Setting) -> Result<PathBuf> {
        let (root, name) = (self.folder.join("root"), setting.flavour.name());
        let tree = Overlay::copy(self.overlay.root(), &self.folder.join("modular"))?;
        let words = [setting.words(), vec!["MONOLITHIC=n".to_owned()]].concat();
        store(&root, name)?;
        let destination = format!("DESTDIR={}", root.display());
        for targets in [&["base", "modules"][..], &[&destination, "install-appconfig"]] {
            run_program(make_in(tree.root(), &words).args(targets))?;
        }
        let mut semodule = Command::new("semodule");
        semodule.arg("-p").arg(&root).args(["-s", name, "-N"]);
        for package in packages(tree.root())? {
            semodule.arg("-i").arg(package);
        }
        run_program(&mut semodule)?;
        Ok(root.join(format!("etc/selinux/{name}/policy/policy.{VERSION}")))
    }

    /// What a person reads, and what a kernel loads: lines without comments, and the largest of the policies that were compared.
    fn size(&self, report: &mut Report<'_>) -> Result<Vec<Figure>> {
        let mut lines = 0;
        for path in files::walk(&self.source.join("policy"))? {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let counts = |it: &&str| !it.trim().is_empty() && !it.trim_start().starts_with('#');
            lines += text.lines().filter(counts).count();
        }
        let policies = self.folder.with_file_name("compile");
        let mut bytes = 0;
        for setting in Setting::CI {
            let policy =
                policies.join(setting.name()).join("plain").join(format!("policy.{VERSION}"));
            bytes = bytes
                .max(fs::metadata(&policy).with_context(|| policy.display().to_string())?.len());
        }
        let told = format!("{lines} lines, {} KB", bytes / 1000);
        let good = lines <= LINES && bytes <= BYTES;
        report.case(
            "size of policies/base",
            if good { Ok(told.clone()) } else { Err(told.clone()) },
        )?;
        Ok(vec![Figure {
            what: "policies/base: lines without comments, and bytes of it compiled (mls, UBAC)"
                .to_owned(),
            reach: format!("≤ {LINES} lines, ≤ {} KB", BYTES / 1000),
            ours: told,
            theirs: String::new(),
            ratio: String::new(),
        }])
    }

    /// As shipped: theirs by `make`, in a tree where nothing is made yet.
    fn time(&self, report: &mut Report<'_>) -> Result<Vec<Figure>> {
        let told = self.folder.join("memory");
        let seconds = |command: &[String]| Ok::<_, anyhow::Error>(cost(&told, command)?.seconds);
        let words = [Setting::CI[0].words(), vec!["MONOLITHIC=y".to_owned()]].concat();
        let mut theirs = Vec::new();
        for _ in 0..ROUNDS.0 {
            let tree = Overlay::copy(self.overlay.root(), &self.folder.join("monolithic"))?;
            let policy = format!("policy.{}", crate::originals::newest_policy_version()?);
            let mut make = make_in(tree.root(), &words);
            theirs.push(seconds(&line(make.args([&policy, "file_contexts"])))?);
        }
        let mut build = Command::new(self.place.mandate()?);
        build.args(["build", "--no-cache"]).arg(&self.source);
        build.args(settings(None, &Setting::CI[0].words()));
        // With the slash at its end it is a folder to `mandate`.
        build.arg("-o").arg(self.folder.join("timed").join(""));
        let ours = line(&build);
        let ours = (0..ROUNDS.1).map(|_| seconds(&ours)).collect::<Result<Vec<_>>>()?;
        let (ours, theirs) = (1000.0 * median(ours), 1000.0 * median(theirs));
        let told = format!("{ours:.1} ms");
        let good = ours <= MILLISECONDS;
        report.case(
            "build of policies/base",
            if good { Ok(told.clone()) } else { Err(told.clone()) },
        )?;
        let figure = Figure {
            what: "policies/base to policy and file_contexts, cold; monolithic make".to_owned(),
            reach: format!("≤ {MILLISECONDS} ms"),
            ours: told,
            theirs: format!("{theirs:.0} ms"),
            ratio: format!("{:.0} × faster", theirs / ours),
        };
        note(&figure, report)?;
        Ok(vec![figure])
    }
}

/// Our tree with Debian's Makefile and `support/` around it.
fn with_makefile(place: &Place, source: &Path, to: &Path) -> Result<Overlay> {
    let debian = tree::pristine(place)?;
    let overlay = Overlay::copy(source, to)?;
    for file in MACHINERY {
        overlay.replace(file, &read(&debian.join(file))?)?;
    }
    let support = debian.join("support");
    for entry in fs::read_dir(&support).context("looking into support/")? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let file = format!("support/{name}");
            overlay.replace(&file, &read(&path)?)?;
            // The Makefile starts some of them; Debian's tree holds what they would make.
            fs::set_permissions(overlay.root().join(&file), fs::Permissions::from_mode(0o755))
                .with_context(|| format!("making {file} executable"))?;
        }
    }
    Ok(overlay)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}
