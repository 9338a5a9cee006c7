//! File contexts as they lie on disk: a file with its neighbours, compiled once and kept.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use mandate_compile::cache::{Cache as _, Key};
use mandate_label::file_contexts::{self, FileContexts, Source, SourceError, Substitutions};
use sha2::{Digest as _, Sha256};

use crate::cache::OnDisk;
use crate::{input, policy};

/// The neighbours that libselinux reads after the file itself.
const MORE_LINES: [&str; 2] = [".homedirs", ".local"];
/// Substitutions: the machine's own, then those of the distribution.
const SUBSTITUTIONS: [&str; 2] = [".subs", ".subs_dist"];

/// File contexts that were read, and what is wrong with their lines.
pub(crate) struct Loaded {
    pub(crate) table: FileContexts,
    pub(crate) errors: Vec<SourceError>,
}

/// The file contexts of the policy in force on a root file system, as its `etc/selinux/config` says.
///
/// # Errors
/// When there is no such policy.
pub(crate) fn in_force(root: &Path) -> Result<PathBuf> {
    let folder = policy::folder_in_force(root);
    let file = folder.join("contexts/files/file_contexts");
    if !file.exists() && !compiled(&file).exists() {
        bail!(
            "no SELinux policy is installed: there is no {}; name a file with --file-contexts",
            file.display()
        );
    }
    Ok(file)
}

/// Reads a file of file contexts with its neighbours: `.homedirs` and `.local` for more lines, `.subs` and `.subs_dist` for substitutions.
///
/// # Errors
/// A file that cannot be read; neighbours may be absent.
pub(crate) fn open(file: &Path) -> Result<Loaded> {
    open_with(file, None)
}

/// The same with lines of somebody else behind them.
///
/// # Errors
/// As of [`open`].
pub(crate) fn open_with(file: &Path, more: Option<(String, Vec<u8>)>) -> Result<Loaded> {
    let mut files = vec![text(file)?];
    for suffix in MORE_LINES {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        let path = Path::new(&path);
        if path.exists() || compiled(path).exists() {
            files.push(text(path)?);
        }
    }
    files.extend(more);
    let mut subs = Vec::new();
    for suffix in SUBSTITUTIONS {
        let none = (format!("{}{suffix}", file.display()), Vec::new());
        let found = match neighbour(file, suffix)? {
            None => neighbour(&of_build(file), suffix)?,
            found => found,
        };
        subs.push(found.unwrap_or(none));
    }
    let key = key(files.iter().chain(&subs));
    let cache = OnDisk::open(None)?;
    if let Some(bytes) = cache.as_ref().and_then(|it| it.get(&key))
        && let Some(table) = FileContexts::from_bytes(&bytes)
    {
        return Ok(Loaded { table, errors: Vec::new() });
    }
    let loaded = compile(&files, &subs);
    if let Some(cache) = cache.filter(|_| loaded.errors.is_empty()) {
        cache.put(&key, &loaded.table.to_bytes());
        cache.finish();
    }
    Ok(loaded)
}

fn compile(files: &[(String, Vec<u8>)], subs: &[(String, Vec<u8>)]) -> Loaded {
    let mut errors = Vec::new();
    let mut pairs = subs.iter().map(|(name, bytes)| {
        let (subs, wrong) = Substitutions::parse(bytes);
        let wrong = wrong.into_iter().map(|error| SourceError { source_name: name.clone(), error });
        errors.extend(wrong);
        subs
    });
    let subs = [pairs.next().unwrap_or_default(), pairs.next().unwrap_or_default()];
    drop(pairs);
    let sources: Vec<_> = files.iter().map(|(name, bytes)| Source { name, bytes }).collect();
    let (table, wrong) = FileContexts::compile(&sources, subs);
    errors.splice(0..0, wrong);
    Loaded { table, errors }
}

/// The text of file contexts: where there is none, and where it is compiled itself, what was compiled. Text always counts, however old it is.
fn text(file: &Path) -> Result<(String, Vec<u8>)> {
    let mut path = file.to_owned();
    let mut bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound && compiled(&path).exists() => {
            path = compiled(&path);
            std::fs::read(&path)
        }
        read => read,
    }
    .with_context(|| path.display().to_string())?;
    if file_contexts::binary::is_binary(&bytes) {
        bytes = file_contexts::binary::text(&bytes).with_context(|| path.display().to_string())?;
    }
    Ok((path.display().to_string(), bytes))
}

/// Where a file of file contexts lies compiled.
fn compiled(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".bin");
    path.into()
}

/// What a build wrote has the neighbours where they are installed, apart from the file itself.
fn of_build(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default();
    file.with_file_name("appconfig").join("files").join(name)
}

/// A file beside another, if it is there.
fn neighbour(file: &Path, suffix: &str) -> Result<Option<(String, Vec<u8>)>> {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    let path = Path::new(&path);
    Ok(input::read_if_there(path)?.map(|bytes| (path.display().to_string(), bytes)))
}

/// What the compiled form depends on: names and bytes of all files.
fn key<'a>(files: impl Iterator<Item = &'a (String, Vec<u8>)>) -> Key {
    let mut hash = Sha256::new_with_prefix("file contexts");
    for (name, bytes) in files {
        for part in [name.as_bytes(), bytes] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    Key(hash.finalize().into())
}
