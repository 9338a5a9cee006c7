//! The policy that a question is about, in whatever form it is given.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mandate_compile::outcome::{Outcome as Compiled, RuleOrigins};
use mandate_compile::provenance;
use mandate_policydb::{FileKind, Policy, Provenance, Unvalidated};

use crate::compiler::{Input, Source};
use crate::input;
use crate::sources::decompressed;
use crate::verbs::sources::{Interfaces, SourceArgs, has_ending};

/// A policy, and where its rules were written if that is known.
pub(crate) struct Loaded {
    pub(crate) policy: Policy,
    places: Places,
}

/// Where the places are. They are read when they are asked for.
enum Places {
    /// In the file beside this policy, which has these bytes.
    Beside(PathBuf, Vec<u8>),
    /// In what compiling gave.
    Compiled(Box<Compiled>, Box<RuleOrigins>),
}

impl Loaded {
    /// Where the rules were written; nothing if no file beside the policy says so.
    ///
    /// # Errors
    /// A file that cannot be read, or belongs to another policy.
    pub(crate) fn provenance(&self) -> Result<Option<Provenance>> {
        match &self.places {
            Places::Beside(path, bytes) => input::read_provenance(path, bytes),
            Places::Compiled(outcome, origins) => {
                let (sources, expansions) = (&outcome.sources, &outcome.expansions);
                let made = provenance::provenance(origins, sources, expansions);
                Ok(Some(made.finish([0; 32])))
            }
        }
    }
}

/// Reads a binary policy, or compiles a source tree, a policy.conf, CIL or packages; several files are one policy. What is wrong
/// with sources is shown on `err`.
///
/// # Errors
/// What cannot be read or compiled.
pub(crate) fn load(inputs: &[PathBuf], err: &mut dyn Write) -> Result<Loaded> {
    load_built(inputs, &[], err)
}

/// As [`load`], of a source tree with settings of `build.conf`.
///
/// # Errors
/// As well settings for what is no source tree.
pub(crate) fn load_built(
    inputs: &[PathBuf],
    settings: &[(String, String)],
    err: &mut dyn Write,
) -> Result<Loaded> {
    if let Some(path) = inputs.iter().find(|it| !settings.is_empty() && !it.is_dir()) {
        bail!("{} is no source tree: it cannot be built with settings", path.display());
    }
    let sources = SourceArgs::of(inputs.to_vec()).with_settings(settings);
    let run = match inputs {
        // What is read once may not be there a second time: standard input, a pipe.
        [path] if !path.is_dir() && !has_ending(path, "te") => {
            let bytes = decompressed(path, input::read_bytes(path)?)?;
            match source(path, bytes) {
                Ok(input) => sources.compile_input(input)?,
                Err(bytes) => return read(path, bytes),
            }
        }
        _ => sources.compile(Interfaces::Called)?,
    };
    let (mut outcome, _) = run.finish();
    if outcome.failed() {
        sources.show(&outcome, &[], &mut std::io::sink(), err)?;
    }
    let Some(product) = outcome.product.take() else {
        let names: Vec<_> = inputs.iter().map(|it| it.display().to_string()).collect();
        bail!("{} holds no policy that could be asked", names.join(" "));
    };
    let policy = Unvalidated::from_db(product.policy).validate()?;
    Ok(Loaded { policy, places: Places::Compiled(Box::new(outcome), Box::new(product.origins)) })
}

/// The source of a policy, by what the file holds and, of CIL, its name; the bytes of anything else.
fn source(path: &Path, bytes: Vec<u8>) -> Result<Input, Vec<u8>> {
    let kind = FileKind::of(&bytes);
    if !matches!(kind, FileKind::Text | FileKind::Module | FileKind::Package) {
        return Err(bytes);
    }
    let name =
        if path == Path::new("-") { "standard input".into() } else { path.to_string_lossy() };
    let source = Source { path: name.into_owned(), bytes: bytes.into() };
    Ok(match kind {
        FileKind::Text if has_ending(path, "cil") => Input::Cil(vec![source]),
        FileKind::Text => Input::Conf(source),
        _ => Input::Packages(vec![source]),
    })
}

fn read(path: &Path, bytes: Vec<u8>) -> Result<Loaded> {
    let name = || path.display().to_string();
    let policy = Unvalidated::read(&bytes).with_context(name)?.validate().with_context(name)?;
    Ok(Loaded { policy, places: Places::Beside(path.to_owned(), bytes) })
}

/// Reads or compiles two policies at once.
///
/// # Errors
/// What cannot be read or compiled, of the first before the second.
pub(crate) fn load_both(
    first: &[PathBuf],
    second: &[PathBuf],
    err: &mut dyn Write,
) -> Result<(Loaded, Loaded)> {
    let quiet = |inputs: &[PathBuf]| {
        let mut said = Vec::new();
        let loaded = load(inputs, &mut said);
        (loaded, said)
    };
    let both = rayon::join(|| quiet(first), || quiet(second));
    err.write_all(&both.0.1)?;
    let first = both.0.0?;
    err.write_all(&both.1.1)?;
    Ok((first, both.1.0?))
}

/// The policy in force: that of the running kernel, or the newest of the type that /etc/selinux/config names.
///
/// # Errors
/// When there is none.
pub(crate) fn running() -> Result<PathBuf> {
    let kernel = PathBuf::from(input::KERNEL_POLICY);
    if kernel.exists() {
        return Ok(kernel);
    }
    let folder = folder_in_force(Path::new("/")).join("policy");
    let newest = input::newest_policy(&folder);
    newest.context("no SELinux policy is in force here; name a policy file")
}

/// The folder of the policy that `etc/selinux/config` of a root file system names.
pub(crate) fn folder_in_force(root: &Path) -> PathBuf {
    let folder = root.join("etc/selinux");
    let config = std::fs::read_to_string(folder.join("config")).unwrap_or_default();
    let kind = config.lines().find_map(|it| it.trim().strip_prefix("SELINUXTYPE="));
    folder.join(kind.unwrap_or("targeted").trim())
}
