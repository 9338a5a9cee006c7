//! A folder of files that is replaced whole: a reader sees the old or the new.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rayon::prelude::*;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::replace::beside;

/// A folder that is about to be written.
pub(crate) struct Folder {
    path: PathBuf,
    /// Where it is written first, beside its place.
    temporary: PathBuf,
    /// A file that says that the folder is ours.
    marker: &'static str,
}

impl Folder {
    /// Claims the folder `path`: it is not there yet, it is empty, or it has the file `marker` from an earlier run.
    pub(crate) fn claim(path: &Path, marker: &'static str) -> Result<Self> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::read_dir(&path) {
            Ok(mut entries) => {
                if entries.next().is_some() && !path.join(marker).is_file() {
                    bail!(
                        "{} holds files that are not of an earlier run: name another folder, or empty it",
                        path.display()
                    );
                }
            }
            Err(it) if it.kind() == ErrorKind::NotFound => {}
            Err(it) => return Err(it).with_context(|| path.display().to_string()),
        }
        let temporary = beside(&path)?;
        Ok(Self { path, temporary, marker })
    }

    /// Writes all files, by their paths below the folder, and puts it in its place.
    pub(crate) fn write(self, files: &[(&str, &[u8])]) -> Result<()> {
        let failure = || format!("writing {}", self.path.display());
        let mut folders: Vec<&Path> =
            files.iter().filter_map(|it| Path::new(it.0).parent()).collect();
        folders.sort_unstable();
        folders.dedup();
        fs::create_dir_all(&self.temporary).with_context(failure)?;
        for folder in folders {
            fs::create_dir_all(self.temporary.join(folder)).with_context(failure)?;
        }
        files
            .par_iter()
            .try_for_each(|(path, bytes)| fs::write(self.temporary.join(path), bytes))
            .and_then(|()| fs::write(self.temporary.join(self.marker), ""))
            .with_context(failure)?;
        // Once for thousands of files: each alone would wait for the disk.
        fs::File::open(&self.temporary)
            .and_then(|it| Ok(rustix::fs::syncfs(it)?))
            .with_context(failure)?;
        self.put().with_context(failure)
    }

    fn put(&self) -> Result<()> {
        if !self.path.exists() {
            return Ok(fs::rename(&self.temporary, &self.path)?);
        }
        // What was there goes away with the temporary name.
        match renameat_with(CWD, &self.temporary, CWD, &self.path, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            // Not every file system can exchange; for a moment there is no folder then.
            Err(_) => {
                fs::remove_dir_all(&self.path)?;
                Ok(fs::rename(&self.temporary, &self.path)?)
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // After a rename, or before it was made, there is nothing to remove.
        drop(fs::remove_dir_all(&self.temporary));
    }
}
