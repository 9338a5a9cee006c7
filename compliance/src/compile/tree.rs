//! Source trees: the one that Debian ships, and cheap copies of it in which some files are others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::originals;
use crate::place::{Place, cached, run};
use crate::reference;

/// Where everything about one version of the originals and of the Reference Policy stays.
///
/// # Errors
/// When one of the original packages is not installed.
pub fn folder(place: &Place) -> Result<PathBuf> {
    Ok(place.work.join(originals::versions()?).join("compile"))
}

/// Debian's source tree as it is unpacked; nobody writes into it.
///
/// # Errors
/// When it cannot be unpacked.
pub fn pristine(place: &Place) -> Result<PathBuf> {
    let path = folder(place)?.join("source");
    cached(&path, |part| {
        fs::create_dir_all(part).with_context(|| format!("making {}", part.display()))?;
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(part).args(["--strip-components=1", "-xf"]);
        run(tar.arg(reference::archive()?)).map(drop)
    })?;
    Ok(path)
}

/// A copy of a tree in which files can be replaced; the others are hard links.
#[derive(Debug)]
pub struct Overlay {
    from: PathBuf,
    root: PathBuf,
}

impl Overlay {
    /// Links a tree into a folder on the same file system; what is there goes.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn new(from: &Path, to: &Path) -> Result<Self> {
        Self::by("-al", from, to)
    }

    /// Copies a tree to a folder anywhere; what is there goes.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn copy(from: &Path, to: &Path) -> Result<Self> {
        Self::by("-a", from, to)
    }

    fn by(how: &str, from: &Path, to: &Path) -> Result<Self> {
        if to.exists() {
            fs::remove_dir_all(to).with_context(|| format!("removing {}", to.display()))?;
        }
        let parent = to.parent().context("a copy has a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        run(Command::new("cp").arg(how).arg(from).arg(to))?;
        Ok(Self { from: from.to_owned(), root: to.to_owned() })
    }

    /// The copy.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Gives a file another content, here only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn replace(&self, file: &str, content: &[u8]) -> Result<()> {
        let path = self.root.join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        }
        remove(&path)?;
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))
    }

    /// Adds to the end of a file, here only; it may be new.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn append(&self, file: &str, more: &[u8]) -> Result<()> {
        let path = self.root.join(file);
        let mut content = if path.exists() {
            fs::read(&path).with_context(|| format!("reading {}", path.display()))?
        } else {
            Vec::new()
        };
        content.extend_from_slice(more);
        self.replace(file, &content)
    }

    /// Takes a file away, here only.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, file: &str) -> Result<()> {
        remove(&self.root.join(file))
    }

    /// Makes a file what it is in the tree that this is a copy of.
    ///
    /// # Errors
    /// When it cannot be linked.
    pub fn restore(&self, file: &str) -> Result<()> {
        let path = self.root.join(file);
        remove(&path)?;
        let original = self.from.join(file);
        fs::hard_link(&original, &path).with_context(|| format!("linking {}", path.display()))
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        // What stays behind costs little space and is replaced by the next run.
        let _left = fs::remove_dir_all(&self.root);
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
            Err(why).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}
