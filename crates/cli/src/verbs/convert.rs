//! `mandate convert`: the same policy in another form.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use mandate_policydb::{PolicyDb, PolicyVersion, WriteError, drop_unsupported, unsupported};

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

fn parse_version(text: &str) -> Result<PolicyVersion, String> {
    let version = text.parse().ok().and_then(PolicyVersion::new);
    version.ok_or_else(|| format!("expected a policy version of 15 to 35, found {text:?}"))
}

pub(crate) fn run(args: &Args, err: &mut dyn Write) -> Result<Outcome> {
    let mut db = input::read_policy(&args.input)?.into_db();
    if args.drop_unsupported {
        for dropped in unsupported(&db, args.policy_version) {
            writeln!(err, "warning: version {} drops {dropped}", args.policy_version)?;
        }
        drop_unsupported(&mut db, args.policy_version);
    }
    if args.output == Path::new("-") {
        write_policy(&db, args.policy_version, &mut std::io::stdout().lock())?;
    } else {
        replace(&args.output, |file| write_policy(&db, args.policy_version, file))?;
    }
    Ok(Outcome::Success)
}

fn write_policy(db: &PolicyDb, version: PolicyVersion, sink: &mut dyn Write) -> Result<()> {
    let mut sink = BufWriter::with_capacity(1 << 20, sink);
    match db.write(version, &mut sink) {
        Ok(()) => Ok(sink.flush()?),
        Err(WriteError::Unsupported { version, statements }) => {
            let lines: Vec<_> = statements.iter().map(|it| format!("\n  {it}")).collect();
            bail!(
                "policy version {version} cannot hold:{}\nuse --drop-unsupported to leave them out",
                lines.concat()
            )
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes beside the file, then puts it in its place: a reader sees the old or the new, whole. A link is followed, the
/// file's mode is kept, and what is no plain file, such as a pipe or a device, is written to as it is.
fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let existing = fs::metadata(path).ok();
    if existing.as_ref().is_some_and(|it| !it.is_file()) {
        let mut file = File::options().write(true).open(path)?;
        return write(&mut file).with_context(|| format!("writing {}", path.display()));
    }
    let name = path.file_name().ok_or_else(|| anyhow!("{} names no file", path.display()))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let mode = existing.map(|it| it.permissions());
    let result = write_and_rename(&temporary, path, mode, write);
    if result.is_err() {
        // The error told is the first; a file that was never made cannot be removed.
        drop(fs::remove_file(&temporary));
    }
    result.with_context(|| format!("writing {}", path.display()))
}

fn write_and_rename(
    temporary: &Path,
    path: &Path,
    mode: Option<fs::Permissions>,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let mut file = File::create_new(temporary)?;
    write(&mut file)?;
    if let Some(mode) = mode {
        file.set_permissions(mode)?;
    }
    file.sync_all()?;
    fs::rename(temporary, path)?;
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(File::open(folder)?.sync_all()?)
}
