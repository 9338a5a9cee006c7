//! `mandate convert`: the same policy in another form.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mandate_policydb::{PolicyVersion, drop_unsupported, unsupported};

use crate::output::{parse_version, write_policy};
use crate::replace::replace;
use crate::{Outcome, input};

/// Arguments of `convert`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The version to write: 15 to 35
    #[arg(long, value_name = "N", value_parser = parse_version)]
    policy_version: PolicyVersion,
    /// Leave out, with a warning, what that version cannot hold; without this it is an error
    #[arg(long)]
    drop_unsupported: bool,
    /// Binary policy; - for standard input
    input: PathBuf,
    /// File to write, replaced only when all is written; - for standard output
    output: PathBuf,
}

const ADVICE: &str = "use --drop-unsupported to leave them out";

pub(crate) fn run(args: &Args, err: &mut dyn Write) -> Result<Outcome> {
    let mut db = input::read_policy(&args.input)?.into_db();
    if args.drop_unsupported {
        for dropped in unsupported(&db, args.policy_version) {
            writeln!(err, "warning: version {} drops {dropped}", args.policy_version)?;
        }
        drop_unsupported(&mut db, args.policy_version);
    }
    if args.output == Path::new("-") {
        write_policy(&db, args.policy_version, ADVICE, &mut std::io::stdout().lock())?;
    } else {
        replace(&args.output, |file| write_policy(&db, args.policy_version, ADVICE, file))?;
    }
    Ok(Outcome::Success)
}
