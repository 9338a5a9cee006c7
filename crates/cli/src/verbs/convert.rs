//! `mandate convert`: the same policy in another form.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use mandate_compile::package::ModuleVersion;
use mandate_policydb::{PolicyDb, PolicyVersion, canonical, drop_unsupported, unsupported};

use crate::Outcome;
use crate::forms::{self, Form};
use crate::output::{parse_version, write_policy};
use crate::render::{Findings, text};
use crate::replace::replace;

/// Arguments of `convert`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What to write
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    to: Form,
    /// The version of a binary policy: 15 to 35; without this that of the input, or the newest
    #[arg(long, value_name = "N", value_parser = parse_version)]
    policy_version: Option<PolicyVersion>,
    /// Leave out, with a warning, what that version cannot hold; without this it is an error
    #[arg(long)]
    drop_unsupported: bool,
    /// The version of a module or package: 4 to 24; without this 21, or the oldest above it that can hold all
    #[arg(long, value_name = "N", value_parser = parse_module_version)]
    module_version: Option<ModuleVersion>,
    /// Number and sort all that no source shows: policies that say the same have the same bytes
    #[arg(long)]
    canonical: bool,
    /// Binary policy, policy.conf, NAME.te without macros, NAME.cil, or a module or package (.mod, .pp, .pp.bz2); - for standard
    /// input
    input: PathBuf,
    /// File to write, replaced only when all is written; - for standard output
    output: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  mandate convert --policy-version 30 policy.33 policy.30
  mandate convert --to conf /sys/fs/selinux/policy policy.conf     decompile the running policy
  mandate convert --to cil policy.33 policy.cil                    for secilc
  mandate convert --to cil my.pp my.cil                            as hll/pp does
  mandate convert --to pp policy.cil policy.pp                     a base package
  mandate convert --canonical policy.33 - | sha256sum              does it say the same as another?";

const ADVICE: &str = "use --drop-unsupported to leave them out";

pub(crate) fn run(args: &Args, err: &mut dyn Write) -> Result<Outcome> {
    let mut read = forms::read_input(&args.input)?;
    if let Some(version) = args.policy_version {
        if args.to != Form::Binary {
            bail!("--policy-version is of binary policies");
        }
        if read.policy.is_none() {
            read.options.version = version;
        }
    }
    if args.module_version.is_some() && !matches!(args.to, Form::Mod | Form::Pp) {
        bail!("--module-version is of modules and packages");
    }
    if args.canonical {
        read.policy = read.policy.as_ref().map(canonical);
    }
    let bytes = match args.to {
        Form::Binary => match read.policy()? {
            Some(mut db) => {
                if args.canonical {
                    db = canonical(&db);
                }
                Some(binary(args, db, err)?)
            }
            None => None,
        },
        Form::Conf | Form::Cil => read.text(args.to, false),
        Form::Mod | Form::Pp => match read.package() {
            Some(package) if args.to == Form::Mod => {
                Some(forms::module_bytes(&package.module, args.module_version)?.0)
            }
            Some(package) => Some(forms::package_bytes(package, args.module_version)?),
            None => None,
        },
    };
    let settings = text::Settings::for_terminal();
    text::write(&Findings::of(&read.outcome).without_notes(), settings, err)?;
    let Some(bytes) = bytes else { return Ok(Outcome::Faulty) };
    if args.output == Path::new("-") {
        std::io::stdout().lock().write_all(&bytes)?;
    } else {
        replace(&args.output, |file| Ok(file.write_all(&bytes)?))?;
    }
    Ok(Outcome::Success)
}

fn parse_module_version(text: &str) -> Result<ModuleVersion, String> {
    let found = text.parse().ok().and_then(ModuleVersion::new);
    found.ok_or_else(|| format!("expected a number from 4 to 24, found {text:?}"))
}

/// The bytes of a policy at the version asked for.
fn binary(args: &Args, mut db: PolicyDb, err: &mut dyn Write) -> Result<Vec<u8>> {
    let version = args.policy_version.unwrap_or(db.version);
    if args.drop_unsupported {
        for dropped in unsupported(&db, version) {
            writeln!(err, "warning: version {version} drops {dropped}")?;
        }
        drop_unsupported(&mut db, version);
    }
    let mut bytes = Vec::new();
    write_policy(&db, version, ADVICE, &mut bytes)?;
    Ok(bytes)
}
