//! `mandate check`: all of `build` but the output, and the interfaces that nothing calls.

use std::io::Write;

use anyhow::Result;

use crate::Outcome;
use crate::verbs::sources::{Interfaces, SourceArgs};

/// Arguments of `check`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandate check                                    the embedded base policy
  mandate check refpolicy --type mls               a source tree
  mandate check my.te --against refpolicy          a module of one's own
  mandate check my.te --headers /usr/share/selinux/devel
  mandate check refpolicy --format sarif           for code hosts and editors

Exit codes: 0 no errors (warnings allowed), 1 errors in the sources, 2 wrong usage, or a file cannot be read.
mandate help CODE explains a finding.")]
pub(crate) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let (outcome, took) = args.sources.compile(Interfaces::All)?.finish();
    args.sources.show(&outcome, &[], out, err)?;
    if outcome.failed() {
        args.sources.hint(err)?;
        return Ok(Outcome::Faulty);
    }
    match &outcome.product {
        Some(product) => args.sources.summarise("no errors", product, took, err)?,
        None => args.sources.summarise_checked(took, err)?,
    }
    Ok(Outcome::Success)
}
