//! What a damaged source is given to: the entry points of the libraries, for each language.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::ValueEnum;
use mandate_compile::outcome::SourceTree;
use mandate_compile::package::{self, Module, ModuleOptions, ModuleVersion, Package};
use mandate_compile::refpolicy::modules::{ModuleList, ModuleTree, read_booleans};
use mandate_compile::refpolicy::settings::{Apps, Settings};
use mandate_compile::{backend, cil, conf, file_contexts, refpolicy, whole};
use mandate_policydb::{PolicyDb, Unvalidated};
use mandate_syntax::kernel::{ParseOptions, SourceKind, parse};
use mandate_syntax::m4::Machine;
use mandate_syntax::source::{Expansions, SourceMap};
use mandate_syntax::text::Text;

use crate::labels::damaged;
use crate::packages::cases;
use crate::place::Place;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Macros alone.
    M4,
    /// `policy.conf`.
    Conf,
    /// Modules.
    Te,
    /// Interfaces.
    If,
    /// File contexts.
    Fc,
    /// `build.conf`, `modules.conf`, `booleans.conf`.
    Settings,
    /// CIL.
    Cil,
    /// Policy modules.
    Mod,
    /// Policy packages.
    Pp,
    /// File contexts.
    FileContexts,
    /// Substitutions of file contexts.
    Subs,
    /// File contexts in the form that is kept.
    FileContextsCache,
    /// One pattern of file contexts.
    Pattern,
    /// Contexts of devices.
    Media,
    /// Contexts of X.
    XContexts,
    /// Contexts of databases.
    Sepgsql,
    /// Logins.
    Seusers,
    /// Contexts to log in with.
    DefaultContexts,
    /// Names of levels.
    Setrans,
    /// What homes are labelled by.
    HomedirTemplate,
}

impl Format {
    /// Where its corpus is: folders or files of a source tree or of the repository, and how names end.
    #[must_use]
    pub fn sources(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::M4 => &[
                ("policy/support", &[".spt"]),
                ("policy/modules/kernel", &[".m4", ".in"]),
                ("compliance/cases/m4", &[".m4"]),
            ],
            Self::Conf => &[("policies/micro", &[".conf"]), ("policies/demo", &[".conf"])],
            Self::Cil => &[
                ("compliance/cases/cil-whole", &[".cil"]),
                ("compliance/cases/cil/base", &[".cil"]),
            ],
            Self::Te => &[("policy/modules", &[".te"])],
            Self::If => &[("policy/modules", &[".if"])],
            Self::Fc => &[("policy/modules", &[".fc"])],
            Self::Settings => &[
                ("build.conf", &["build.conf"]),
                ("policy", &["modules.conf", ".default", "booleans.conf"]),
            ],
            _ => &[],
        }
    }

    /// A corpus that is not cut from text.
    #[must_use]
    pub fn binaries(self) -> Vec<Vec<u8>> {
        match self {
            Self::Pp => cases::binaries(),
            Self::Mod => {
                let read =
                    |it: Vec<u8>| Package::read(&it).ok()?.module.write(ModuleVersion::NEWEST).ok();
                cases::binaries().into_iter().filter_map(read).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Does it have offsets and counts, which words put in between would shift?
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Mod | Self::Pp | Self::FileContextsCache)
    }

    /// Is it about labels?
    #[must_use]
    pub fn is_of_labels(self) -> bool {
        let of_policies = [
            Self::M4,
            Self::Conf,
            Self::Te,
            Self::If,
            Self::Fc,
            Self::Settings,
            Self::Cil,
            Self::Mod,
            Self::Pp,
        ];
        !of_policies.contains(&self)
    }

    /// The memory that reading may take above what stands ready: macros may multiply a text, what they give is bounded alone.
    #[must_use]
    pub fn allowance(self) -> usize {
        match self {
            Self::M4 | Self::Te | Self::If | Self::Fc => 512 << 20,
            _ => 64 << 20,
        }
    }

    /// Whether a file is taken whole, because a part of it would not get far.
    #[must_use]
    pub fn whole(self) -> bool {
        matches!(self, Self::Conf | Self::Cil)
    }
}

/// One mutant in so many stands in a whole tree that is built; the others are expanded and read alone, which is quick.
const OF_TREES: usize = 200;

/// A reader of one language, with what stands ready for all mutants.
pub struct Reader {
    format: Format,
    sources: SourceMap,
    machine: Machine,
    tree: SourceTree,
    policy: PolicyDb,
    /// A base and a module for packages to be linked with.
    modules: Vec<Module>,
    reads: usize,
}

impl Reader {
    /// Reads the support macros, which modules and their files need.
    ///
    /// # Errors
    /// When `policies/base` cannot be read.
    pub fn new(place: &Place, format: Format) -> Result<Self> {
        let base = place.root.join("policies/base");
        let demo = place.root.join("policies/demo/policy.33");
        let demo = std::fs::read(&demo).context("reading the policy of the demo")?;
        let mut this = Self {
            format,
            sources: SourceMap::new(),
            machine: Machine::new(),
            tree: source_tree(&base, &base)?,
            policy: Unvalidated::read(&demo)?.validate()?.into_db(),
            modules: Vec::new(),
            reads: 0,
        };
        if matches!(format, Format::Mod | Format::Pp) {
            let all = cases::binaries();
            let ends = all.first().into_iter().chain(all.last());
            this.modules = ends.filter_map(|it| Some(Package::read(it).ok()?.module)).collect();
        }
        if matches!(format, Format::Te | Format::If | Format::Fc) {
            this.support(place)?;
        }
        Ok(this)
    }

    fn support(&mut self, place: &Place) -> Result<()> {
        let folder = place.root.join("policies/base/policy/support");
        let entries = std::fs::read_dir(&folder).context("looking for the support macros")?;
        let mut paths: Vec<_> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
        paths.sort();
        for name in ["self_contained_policy", "enable_mcs", "distro_debian"] {
            self.machine.define(name, "true");
        }
        for path in paths {
            let bytes =
                std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            let id = self.sources.add(path.display().to_string(), bytes)?;
            let text = Text::of_file(self.sources.file(id));
            let mut recorder = Expansions::for_units(1).recorder(0);
            self.machine.run(&[&text], &self.sources, &mut recorder);
        }
        Ok(())
    }

    /// Reads one source; whether anything was said against it.
    pub fn read(&mut self, source: &[u8]) -> bool {
        self.reads += 1;
        let file = match self.format {
            Format::Te => "policy/modules/apps/gpg.te",
            Format::If => "policy/modules/apps/gpg.if",
            Format::Fc => "policy/modules/apps/gpg.fc",
            Format::Settings => "build.conf",
            Format::M4 => "policy/support/misc_patterns.spt",
            Format::Conf => return policy_conf(source),
            Format::Cil => return policy_cil(source),
            Format::Mod | Format::Pp => return package(source, &self.modules),
            of_labels => return damaged::read(of_labels, source, self.reads),
        };
        if self.reads.is_multiple_of(OF_TREES) {
            return self.in_a_tree(file, source);
        }
        match self.format {
            Format::M4 => self.expanded(source, false).1,
            Format::Te | Format::If | Format::Fc => self.module(source),
            _ => self.settings(source),
        }
    }

    /// Expands a source, alone or with the macros that stand ready; the text, and whether there was a complaint.
    pub fn expanded(&mut self, source: &[u8], ready: bool) -> (Text, bool) {
        let mut sources = self.sources.clone();
        let Ok(id) = sources.add("mutant", Arc::<[u8]>::from(source)) else {
            return (Text::default(), true);
        };
        let text = Text::of_file(sources.file(id));
        let mut recorder = Expansions::for_units(1).recorder(0);
        let machine = &mut self.machine;
        let expanded = if ready {
            machine.run_apart(&[&text], &sources, &mut recorder)
        } else {
            machine.clone().run(&[&text], &sources, &mut recorder)
        };
        (expanded.text, !expanded.diagnostics.is_empty())
    }

    fn in_a_tree(&self, file: &str, source: &[u8]) -> bool {
        let mut tree = self.tree.clone();
        tree.insert(file.to_owned(), source.into());
        let options = refpolicy::Options { check_interfaces: true, ..Default::default() };
        !refpolicy::build(&tree, &options).diagnostics.is_empty()
    }

    /// The same text as each of the files that choose what is built.
    fn settings(&self, source: &[u8]) -> bool {
        let mut sources = SourceMap::new();
        let Ok(id) = sources.add("build.conf", source) else { return true };
        let file = sources.file(id);
        let (_, mut told) = Settings::read(&[file], &[]);
        let found = ModuleTree::find(&self.tree, &[""]).0;
        told.extend(ModuleList::read(Some(file), &Apps::default(), &found, &self.tree).1);
        told.extend(read_booleans(file).1);
        !told.is_empty()
    }

    fn module(&mut self, source: &[u8]) -> bool {
        let (text, told) = self.expanded(source, true);
        let more = match self.format {
            Format::Fc => {
                let (mut contexts, told) = file_contexts::read(&text, Some(&self.policy));
                file_contexts::sort(&mut contexts);
                file_contexts::render_split(&contexts);
                !told.is_empty()
            }
            _ => {
                let options = ParseOptions { kind: SourceKind::Expanded };
                !parse(&text, options).diagnostics.is_empty()
            }
        };
        told || more
    }
}

/// CIL to a policy that is written.
fn policy_cil(source: &[u8]) -> bool {
    let options = cil::Options { multiple_decls: true, ..cil::Options::default() };
    let checks = whole::Checks { optimise: true, ..whole::Checks::default() };
    let outcome = cil::build(vec![("mutant".to_owned(), source.into())], &options, checks);
    if let Some(product) = &outcome.product {
        let mut bytes = Vec::new();
        product
            .policy
            .write(options.version, &mut bytes)
            .expect("what was compiled can be written");
    }
    outcome.failed()
}

/// A whole policy, with levels if it speaks of them.
fn policy_conf(source: &[u8]) -> bool {
    let mls = source.windows(b"sensitivity".len()).any(|word| word == b"sensitivity");
    let mut options = backend::Options::default();
    options.mls = mls;
    let checks = whole::Checks { optimise: true, ..Default::default() };
    !conf::build("policy.conf", source.into(), &options, checks).diagnostics.is_empty()
}

/// A package: read, as a unit and back, linked, expanded, written.
fn package(source: &[u8], with: &[Module]) -> bool {
    let Ok(package) = Package::read(source) else { return true };
    let written = package.write();
    let module = package.module;
    let options = ModuleOptions {
        base: module.is_base(),
        mls: module.mls(),
        handle_unknown: module.handle_unknown(),
        version: ModuleVersion::NEWEST,
    };
    if let Ok(unit) = module.to_unit() {
        Module::from_unit(&unit, &options);
    }
    let [base, other] = with else { return true };
    let linked = match module.is_base() {
        true => package::link(module, std::slice::from_ref(other)),
        false => package::link(base.clone(), &[module]),
    };
    let Ok(linked) = linked else { return true };
    let checks = whole::Checks { optimise: true, ..Default::default() };
    let whole = package::expand(&linked.module, &backend::Options::default(), checks);
    written.is_err() || !whole.diagnostics.is_empty()
}

/// The files below a folder, by their paths from the root.
///
/// # Errors
/// When one cannot be read.
pub fn source_tree(root: &Path, folder: &Path) -> Result<SourceTree> {
    let mut tree = SourceTree::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("looking into {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            tree.extend(source_tree(root, &path)?);
        } else {
            let bytes =
                std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            tree.insert(path.strip_prefix(root)?.display().to_string(), bytes.into());
        }
    }
    Ok(tree)
}

/// What a panic said.
#[must_use]
pub fn panic_text(why: &(dyn Any + Send)) -> String {
    let text = why.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| why.downcast_ref::<&str>().copied()).unwrap_or("no text").to_owned()
}
