//! `mandate build`: policy source to a policy that the kernel loads, and the files that go with it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mandate_compile::outcome::{Outcome as Compiled, Product};
use mandate_policydb::PROVENANCE_SUFFIX;
use serde_json::json;

use crate::forms;
use crate::output::write_policy;
use crate::replace::{replace, replace_all};
use crate::verbs::sources::{Interfaces, SourceArgs};
use crate::{Outcome, compiler};

/// Arguments of `build`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandate build                                    the embedded base policy, to policy.N
  mandate build refpolicy -o out/                  a source tree: policy.N, file_contexts, appconfig/ and so on
  mandate build refpolicy --type mls --set UBAC=y -o policy.33
  mandate build policy.conf -o policy.33
  mandate build base.pp crond.pp -o policy.33      packages, linked and expanded
  mandate build base.cil modules/*.cil -o policy.33
  mandate build my.te --against refpolicy -o out/  the tree's policy with a module of one's own
  mandate build my.te --headers /usr/share/selinux/devel -o my.pp      a package, for semodule -i
  mandate build my.te --headers /usr/share/selinux/devel --against /etc/selinux/default/policy/policy.33

Beside the policy stands FILE.provenance, by which mandate explain names the source lines of a rule.

Exit codes: 0 built (warnings allowed), 1 errors in the sources, 2 wrong usage, or a file cannot be read or written.
mandate help CODE explains a finding.")]
pub(crate) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    /// Where to write: a file for the policy, a folder (there already, or with / at its end) for the policy and all files
    /// that go with it, NAME.pp for the package of a module, - for standard output; without this policy.N in the current folder
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let target = Target::of(args.output.as_deref());
    if target == Target::StandardOutput && !args.sources.leaves_standard_output() {
        bail!("standard output takes the policy or the findings, not both: name a file with -o");
    }
    match (&target, args.sources.checks_only()) {
        (Target::Package(path), true) => return package(args, path, out, err),
        (Target::Package(_), false) => {
            bail!(
                "a package is made of NAME.te with --headers DIR; mandate convert --to pp makes one of a policy"
            )
        }
        (_, true) => bail!(
            "a module with headers alone is only checked, or packaged by -o NAME.pp; --against POLICY says what to add it to"
        ),
        (_, false) => {}
    }
    let run = args.sources.compile(Interfaces::Called)?;
    run.stage("writing");
    // A failure to write is told after the findings.
    let written = match &run.outcome.product {
        Some(product) if !run.outcome.failed() => {
            write(args, &target, &run.outcome, product, out).map(Some)
        }
        _ => Ok(None),
    };
    let (outcome, took) = run.finish();
    let files: Vec<&PathBuf> = written.iter().flatten().flatten().collect();
    args.sources.show(&outcome, &[("written", json!(files))], out, err)?;
    let (Some(written), Some(product)) = (&written?, &outcome.product) else {
        args.sources.hint(err)?;
        return Ok(Outcome::Faulty);
    };
    let what = written.first().map_or("standard output".into(), |it| it.display().to_string());
    args.sources.summarise(&what, product, took, err)?;
    Ok(Outcome::Success)
}

/// Where the result goes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    StandardOutput,
    /// The policy alone, with its provenance.
    File(PathBuf),
    /// The policy, named by its version.
    Version,
    /// All files.
    Folder(PathBuf),
    /// The module alone, as a package.
    Package(PathBuf),
}

impl Target {
    fn of(output: Option<&Path>) -> Self {
        match output {
            None => Self::Version,
            Some(it) if it == Path::new("-") => Self::StandardOutput,
            Some(it) if it.is_dir() || it.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                Self::Folder(it.to_owned())
            }
            Some(it) if it.extension().is_some_and(|end| end == "pp") => {
                Self::Package(it.to_owned())
            }
            Some(it) => Self::File(it.to_owned()),
        }
    }
}

const ADVICE: &str = "choose a higher --policy-version";

/// Packages a module, as the Makefile of the headers does.
fn package(args: &Args, path: &Path, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let (mut outcome, took) = args.sources.compile(Interfaces::Called)?.finish();
    let mut modules = std::mem::take(&mut outcome.modules);
    let module = modules.pop().filter(|_| !outcome.failed());
    if !modules.is_empty() {
        bail!("a package holds one module; {} are given", modules.len() + 1);
    }
    let package = module.and_then(|it| forms::package_of(it, &mut outcome));
    let written = package.map(|it| forms::package_bytes(it, None)).transpose()?;
    if let Some(bytes) = &written {
        replace(path, |file| Ok(file.write_all(bytes)?))?;
    }
    let files: Vec<&Path> = written.iter().map(|_| path).collect();
    args.sources.show(&outcome, &[("written", json!(files))], out, err)?;
    if written.is_none() {
        return Ok(Outcome::Faulty);
    }
    args.sources.summarise_package(path, took, err)?;
    Ok(Outcome::Success)
}

/// Writes the result and names the files, the policy first.
fn write(
    args: &Args,
    target: &Target,
    outcome: &Compiled,
    product: &Product,
    out: &mut dyn Write,
) -> Result<Vec<PathBuf>> {
    let version = args.sources.version(&product.policy);
    let policy = |to: &mut Vec<u8>| write_policy(&product.policy, version, ADVICE, to);
    let path = match target {
        Target::StandardOutput => {
            let mut bytes = Vec::new();
            policy(&mut bytes)?;
            out.write_all(&bytes)?;
            return Ok(Vec::new());
        }
        Target::File(path) => path.clone(),
        Target::Version => PathBuf::from(format!("policy.{version}")),
        Target::Folder(folder) => folder.join(format!("policy.{version}")),
        Target::Package(_) => bail!("a policy is no package"),
    };
    let (policy, provenance) = compiler::with_provenance(outcome, product, policy)?;
    let mut places = Vec::new();
    provenance.write(&mut places)?;
    let mut beside = path.clone().into_os_string();
    beside.push(PROVENANCE_SUFFIX);
    // A pipe or a device has no file beside it.
    let plain = !path.exists() || path.is_file();
    let mut files = vec![(path, policy)];
    files.extend(plain.then(|| (PathBuf::from(beside), places)));
    if let Target::Folder(folder) = target {
        let others = product.files.iter();
        files.extend(others.map(|(name, bytes)| (folder.join(name), bytes.clone())));
        for (path, _) in &files {
            let folder = path.parent().unwrap_or(folder);
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
    }
    replace_all(&files)?;
    Ok(files.into_iter().map(|it| it.0).collect())
}
