//! The one place where the command line meets the compiler.

use std::sync::Arc;

use anyhow::{Result, bail};
use mandate_compile::cache::Cache;
use mandate_compile::outcome::{Outcome, Product, SourceTree};
use mandate_compile::refpolicy::own::OwnModule;
use mandate_compile::refpolicy::{self, Texts, headers, settings::Settings};
use mandate_compile::whole::Checks;
use mandate_compile::{backend, cil, conf, optimise, package, provenance};
use mandate_host::memory::{self, Prefer};
use mandate_policydb::{HandleUnknown, PolicyDb, PolicyVersion, Provenance, Target};
use mandate_syntax::source::SourceMap;
use sha2::{Digest as _, Sha256};

use crate::cache::OnDisk;

/// A source file that stands alone: its path as the user gave it, and what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) bytes: Arc<[u8]>,
}

/// What is to be compiled.
#[derive(Debug)]
pub(crate) enum Input {
    /// A Reference Policy source tree.
    Tree(SourceTree),
    /// A `policy.conf`.
    Conf(Source),
    /// Policy packages: a base and modules.
    Packages(Vec<Source>),
    /// CIL, all files together.
    Cil(Vec<Source>),
    /// Modules of one's own, with what they are built against.
    Modules(Vec<OwnModule>, Against),
}

/// What modules are built against.
#[derive(Debug)]
pub(crate) enum Against {
    /// A source tree, which they are added to.
    Tree(SourceTree),
    /// An installed headers tree, and the policy that they are added to; without one they are only checked.
    Headers(SourceTree, Option<Box<PolicyDb>>),
}

/// How to compile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// `--set` and `--type`, in order.
    pub(crate) settings: Vec<(String, String)>,
    /// A `modules.conf` in place of the tree's.
    pub(crate) modules: Option<Source>,
    pub(crate) version: Option<PolicyVersion>,
    pub(crate) optimize: bool,
    /// Compile interfaces that nothing calls, too.
    pub(crate) check_interfaces: bool,
    /// Pass over neverallow rules.
    pub(crate) no_neverallow: bool,
    /// Of a `policy.conf`: is it MLS? Seen from its text if not given.
    pub(crate) mls: Option<bool>,
    pub(crate) handle_unknown: Option<HandleUnknown>,
    /// Of a `policy.conf`: for Xen?
    pub(crate) xen: bool,
    /// Where builds of trees keep what the next one can use again.
    pub(crate) cache: Option<Arc<OnDisk>>,
}

/// Compiles; what is wrong with the sources is in the outcome.
pub(crate) fn compile(input: Input, options: &Options) -> Result<Outcome> {
    match input {
        Input::Tree(tree) => {
            prefer_time(&tree);
            Ok(refpolicy::build(&tree, &of_tree(options)))
        }
        Input::Conf(source) => conf_policy(source, options),
        Input::Packages(files) => packages_policy(files, options),
        Input::Cil(sources) => cil_policy(sources, options),
        Input::Modules(modules, against) => modules_policy(&modules, &against, options),
    }
}

/// Compiles a source tree, and reads the texts of its modules beside that.
pub(crate) fn compile_with_texts(tree: &SourceTree, options: &Options) -> (Outcome, Texts) {
    prefer_time(tree);
    let options = of_tree(options);
    rayon::join(|| refpolicy::build(tree, &options), || refpolicy::texts(tree, &options))
}

/// Sources of so many bytes are built faster in huge pages; for fewer, zeroing these takes longer than the build.
const LARGE: usize = 4 << 20;

fn prefer_time(tree: &SourceTree) {
    if tree.values().map(|it| it.len()).sum::<usize>() >= LARGE {
        memory::prefer(Prefer::Time);
    }
}

fn of_tree(options: &Options) -> refpolicy::Options {
    refpolicy::Options {
        settings: options.settings.clone(),
        modules: options.modules.as_ref().map(|it| (it.path.clone(), Arc::clone(&it.bytes))),
        version: options.version,
        no_neverallow: options.no_neverallow,
        optimise: options.optimize,
        check_interfaces: options.check_interfaces,
        cache: options.cache.clone().map(|it| it as Arc<dyn Cache>),
    }
}

fn conf_policy(source: Source, options: &Options) -> Result<Outcome> {
    let mut backend = backend::Options::default();
    backend.mls = options.mls.unwrap_or_else(|| declares_levels(&source.bytes));
    for (key, value) in &options.settings {
        match (key.as_str(), value.as_str()) {
            ("TYPE", "standard") => backend.mls = false,
            ("TYPE", "mcs" | "mls") => backend.mls = true,
            ("UNK_PERMS", "deny") => backend.handle_unknown = HandleUnknown::Deny,
            ("UNK_PERMS", "reject") => backend.handle_unknown = HandleUnknown::Reject,
            ("UNK_PERMS", "allow") => backend.handle_unknown = HandleUnknown::Allow,
            ("TYPE" | "UNK_PERMS", other) => bail!("{key} cannot be {other:?}"),
            _ => {
                bail!("{key} is a setting of source trees; a policy.conf takes TYPE and UNK_PERMS")
            }
        }
    }
    if let Some(handle_unknown) = options.handle_unknown {
        backend.handle_unknown = handle_unknown;
    }
    if let Some(version) = options.version {
        backend.version = version;
    }
    if options.xen {
        backend.target = Target::Xen;
    }
    let checks = Checks { neverallow: !options.no_neverallow, optimise: options.optimize };
    Ok(conf::build(&source.path, source.bytes, &backend, checks))
}

fn packages_policy(files: Vec<Source>, options: &Options) -> Result<Outcome> {
    if let Some((key, _)) = options.settings.first() {
        bail!("{key} is a setting of source trees; of packages, the base says what the policy is");
    }
    let mut backend = backend::Options::default();
    if let Some(version) = options.version {
        backend.version = version;
    }
    let files = files.into_iter().map(|it| (it.path, it.bytes)).collect();
    let checks = Checks { neverallow: !options.no_neverallow, optimise: options.optimize };
    Ok(package::build(files, &backend, checks))
}

/// As semodule compiles CIL: equal declarations of several files are one.
fn cil_policy(sources: Vec<Source>, options: &Options) -> Result<Outcome> {
    let mut cil = cil::Options { multiple_decls: true, ..cil::Options::default() };
    cil.disable_neverallow = options.no_neverallow;
    cil.mls = options.mls;
    cil.handle_unknown = options.handle_unknown;
    for (key, value) in &options.settings {
        match (key.as_str(), value.as_str()) {
            ("TYPE", "standard") => cil.mls = Some(false),
            ("TYPE", "mcs" | "mls") => cil.mls = Some(true),
            ("UNK_PERMS", "deny") => cil.handle_unknown = Some(HandleUnknown::Deny),
            ("UNK_PERMS", "reject") => cil.handle_unknown = Some(HandleUnknown::Reject),
            ("UNK_PERMS", "allow") => cil.handle_unknown = Some(HandleUnknown::Allow),
            ("TYPE" | "UNK_PERMS", other) => bail!("{key} cannot be {other:?}"),
            _ => bail!("{key} is a setting of source trees; CIL takes TYPE and UNK_PERMS"),
        }
    }
    if let Some(version) = options.version {
        cil.version = version;
    }
    let checks = Checks { neverallow: !options.no_neverallow, optimise: options.optimize };
    Ok(compile_cil(sources, &cil, checks))
}

/// Compiles CIL as the options of `secilc` say.
pub(crate) fn compile_cil(sources: Vec<Source>, options: &cil::Options, checks: Checks) -> Outcome {
    let sources = sources.into_iter().map(|it| (it.path, it.bytes)).collect();
    cil::build(sources, options, checks)
}

/// Checks a binary policy against the `neverallow` rules of CIL.
pub(crate) fn check_neverallows(
    db: &PolicyDb,
    path: &str,
    sources: Vec<Source>,
    options: &cil::Options,
) -> Outcome {
    let sources = sources.into_iter().map(|it| (it.path, it.bytes)).collect();
    cil::check_neverallows(db, path, sources, options)
}

/// Does a `policy.conf` declare sensitivities? The original has to be told, with -M.
fn declares_levels(bytes: &[u8]) -> bool {
    const KEYWORD: &[u8] = b"sensitivity";
    bytes.split(|it| *it == b'\n').any(|line| {
        let rest = line.trim_ascii_start().strip_prefix(KEYWORD);
        rest.is_some_and(|it| it.first().is_some_and(u8::is_ascii_whitespace))
    })
}

fn modules_policy(own: &[OwnModule], against: &Against, options: &Options) -> Result<Outcome> {
    match against {
        Against::Tree(tree) => Ok(refpolicy::build_with(tree, own, &of_tree(options))),
        Against::Headers(tree, base) => {
            let mut outcome = headers::build(tree, own, base.as_deref(), &options.settings);
            if let (true, Some(product)) = (options.optimize, &mut outcome.product) {
                optimise::optimise_sorted(&mut product.policy).apply(&mut product.origins);
            }
            Ok(outcome)
        }
    }
}

/// The folder of LOCAL_ROOT, if the tree or the command line sets it; relative ones are below the tree, where make is
/// started.
pub(crate) fn local_root(tree: &SourceTree, settings: &[(String, String)]) -> Option<String> {
    let mut sources = SourceMap::new();
    let conf = tree.get("build.conf").cloned().unwrap_or_default();
    let conf = sources.add("build.conf", conf).ok()?;
    // What is wrong with the settings is told when they are read again to compile.
    Settings::read(&[sources.file(conf)], settings).0.local_root
}

/// Removes rules that others make redundant.
pub(crate) fn optimise(db: &mut PolicyDb) {
    optimise::optimise(db);
}

/// The bytes of a binary policy, as `write` writes them, and where its rules were written.
pub(crate) fn with_provenance(
    outcome: &Outcome,
    product: &Product,
    write: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send,
) -> Result<(Vec<u8>, Provenance)> {
    let hashed = || {
        let mut bytes = Vec::new();
        write(&mut bytes)?;
        let hash = Sha256::digest(&bytes).into();
        anyhow::Ok((bytes, hash))
    };
    let places = || provenance::provenance(&product.origins, &outcome.sources, &outcome.expansions);
    let (places, hashed) = rayon::join(places, hashed);
    let (bytes, hash) = hashed?;
    Ok((bytes, places.finish(hash)))
}
