//! `setrans.conf` as it lies on disk.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use mandate_label::setrans::Setrans;

use crate::policy;

/// Where the policy in force has its names of levels.
pub(crate) fn in_force(root: &Path) -> PathBuf {
    policy::folder_in_force(root).join("setrans.conf")
}

/// The names of a file that is given, or of the policy in force, which may have none; what is wrong with them is told on `err`.
///
/// # Errors
/// A given file that cannot be read.
pub(crate) fn open(given: Option<&Path>, root: &Path, err: &mut dyn Write) -> Result<Setrans> {
    let path = given.map_or_else(|| in_force(root), Path::to_owned);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound && given.is_none() => Vec::new(),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let name = path.as_os_str().as_bytes();
    let (setrans, errors) = Setrans::parse(name, &bytes, &mut |pattern| included(root, pattern));
    for error in errors {
        writeln!(err, "{error}; the line is left out")?;
    }
    Ok(setrans)
}

/// Names and bytes.
type Files = Vec<(Box<[u8]>, Vec<u8>)>;

/// The files that an absolute pattern means below a root; only the last part of the path may have wildcards.
fn included(root: &Path, pattern: &[u8]) -> Option<Files> {
    let slash = pattern.iter().rposition(|&it| it == b'/')?;
    let (folder, glob) = (pattern.get(1..slash.max(1))?, pattern.get(slash + 1..)?);
    let folder = root.join(OsStr::from_bytes(folder));
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .filter(|name| mandate_label::glob_matches(glob, name.as_bytes()))
        .filter(|name| !name.as_bytes().starts_with(b".") || glob.starts_with(b"."))
        .collect();
    names.sort();
    let read = |name| {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).ok()?;
        Some((path.as_os_str().as_bytes().into(), bytes))
    };
    let files: Files = names.into_iter().map(read).collect::<Option<_>>()?;
    (!files.is_empty()).then_some(files)
}
