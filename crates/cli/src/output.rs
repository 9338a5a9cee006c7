//! Binary policies as verbs write them.

use std::io::{BufWriter, Write};

use anyhow::{Result, bail};
use mandate_policydb::{PolicyDb, PolicyVersion, WriteError};

/// The version that an argument names.
pub(crate) fn parse_version(text: &str) -> Result<PolicyVersion, String> {
    let version = text.parse().ok().and_then(PolicyVersion::new);
    version.ok_or_else(|| format!("expected a policy version of 15 to 35, found {text:?}"))
}

/// Writes a policy; what its version cannot hold is listed in the error, with `advice`.
pub(crate) fn write_policy(
    db: &PolicyDb,
    version: PolicyVersion,
    advice: &str,
    sink: &mut dyn Write,
) -> Result<()> {
    let mut sink = BufWriter::with_capacity(1 << 20, sink);
    match db.write(version, &mut sink) {
        Ok(()) => Ok(sink.flush()?),
        Err(WriteError::Unsupported { version, statements }) => {
            let lines: Vec<_> = statements.iter().map(|it| format!("\n  {it}")).collect();
            bail!("policy version {version} cannot hold:{}\n{advice}", lines.concat())
        }
        Err(error) => Err(error.into()),
    }
}
