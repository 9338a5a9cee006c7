//! Where policy sources come from: a source tree on disk, or the base policy in this program.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail};
use mandate_compile::outcome::SourceTree;
use rayon::prelude::*;

/// No source tree has more files. Debian's has 1,300 that count.
const MAX_FILES: usize = 100_000;
/// No source tree has folders deeper within each other; links that lead in a circle end here.
const MAX_DEPTH: usize = 32;
/// No source is larger. A `policy.conf` of Debian's has 50 MB.
const MAX_BYTES: u64 = 512 << 20;

/// What of a source tree is read: these folders, and below the root these files.
const FILES: [&str; 2] = ["build.conf", "Makefile"];
const FOLDERS: [&str; 2] = ["policy", "config"];

/// policies/base, as it was when this program was built.
const BASE_POLICY: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/base_policy.rs"));

/// What a build of it gives: its files, and the binary policy as `policy`.
const BASE_BUILT: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/base_built.rs"));

/// A binary policy and the other files of a build.
pub(crate) struct Built {
    pub(crate) policy: &'static [u8],
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// The embedded base policy, built.
///
/// # Errors
/// The policy could not be built when this program was.
pub(crate) fn built_base_policy() -> Result<Built> {
    let of = |name: &str| BASE_BUILT.iter().find(|it| it.0 == name).map(|it| it.1);
    let policy =
        of("policy").context("the embedded base policy has an error; mandate check shows it")?;
    let others = BASE_BUILT.iter().filter(|it| it.0 != "policy");
    let files = others.map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
    Ok(Built { policy, files })
}

/// The embedded base policy.
pub(crate) fn base_policy() -> SourceTree {
    BASE_POLICY.iter().map(|(path, bytes)| ((*path).to_owned(), Arc::from(*bytes))).collect()
}

/// Reads what a build needs of the source tree at `root`. Links are followed, as make and m4 do; names that begin with a
/// dot are passed over, as by make's patterns.
pub(crate) fn read_tree(root: &Path) -> Result<SourceTree> {
    let mut tree = SourceTree::new();
    add_tree(root, "", &mut tree)?;
    if !tree.keys().any(|it| it.starts_with("policy/")) {
        bail!("{} is no policy source tree: it has no folder policy/", root.display());
    }
    Ok(tree)
}

/// Reads an installed headers tree: interfaces and support macros.
pub(crate) fn read_headers(root: &Path) -> Result<SourceTree> {
    let mut walk = Walk::default();
    walk.folder(root, "", 1)?;
    read_all(walk, "")
}

/// Adds the files of `root` to `tree`, with `prefix` before their paths.
pub(crate) fn add_tree(root: &Path, prefix: &str, tree: &mut SourceTree) -> Result<()> {
    let mut walk = Walk::default();
    for name in FOLDERS {
        let folder = root.join(name);
        if folder.is_dir() {
            walk.folder(&folder, name, 1)?;
        }
    }
    for name in FILES {
        let file = root.join(name);
        if file.is_file() {
            walk.file(file, name.to_owned())?;
        }
    }
    tree.append(&mut read_all(walk, prefix)?);
    Ok(())
}

fn read_all(walk: Walk, prefix: &str) -> Result<SourceTree> {
    // Of all files together: no thread reads more than is left.
    let left = AtomicU64::new(MAX_BYTES);
    let files: Vec<(String, Arc<[u8]>)> = walk
        .files
        .into_par_iter()
        .map(|(name, path)| {
            let bytes = read_file(&path, &left).with_context(|| path.display().to_string())?;
            Ok((format!("{prefix}{name}"), bytes.into()))
        })
        .collect::<Result<_>>()?;
    Ok(files.into_iter().collect())
}

/// A plain file, if it has no more bytes than are left.
fn read_file(path: &Path, left: &AtomicU64) -> Result<Vec<u8>> {
    // A pipe would wait for a writer as it is opened.
    let about = fs::metadata(path)?;
    if !about.is_file() {
        bail!("this is no plain file");
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len().min(MAX_BYTES))?);
    let most = left.load(Ordering::Relaxed);
    fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    let read = bytes.len() as u64;
    let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(read));
    if taken.is_err() {
        bail!("more than {} MiB of sources up to here", MAX_BYTES >> 20);
    }
    Ok(bytes)
}

/// A source of its own; `-` is standard input.
pub(crate) fn read_source(path: &Path) -> Result<Arc<[u8]>> {
    if let Ok(about) = fs::metadata(path) {
        refuse_large(path, about.len())?;
    }
    let bytes = decompressed(path, crate::input::read_bytes(path)?)?;
    refuse_large(path, bytes.len() as u64)?;
    Ok(bytes.into())
}

/// What a bzip2 file holds; other bytes as they are. Packages are installed compressed.
pub(crate) fn decompressed(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if !bytes.starts_with(b"BZh") {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    let mut reader = bzip2::read::MultiBzDecoder::new(&bytes[..]).take(MAX_BYTES + 1);
    reader.read_to_end(&mut plain).with_context(|| path.display().to_string())?;
    Ok(plain)
}

fn refuse_large(path: &Path, size: u64) -> Result<()> {
    if size > MAX_BYTES {
        bail!("{}: more than {} MiB of sources", path.display(), MAX_BYTES >> 20);
    }
    Ok(())
}

/// The files of a tree, before they are read.
#[derive(Default)]
struct Walk {
    files: Vec<(String, PathBuf)>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, name: &str, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            bail!("{}: folders are more than {MAX_DEPTH} deep", folder.display());
        }
        let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry.with_context(|| folder.display().to_string())?;
            let path = entry.path();
            let Some(last) = path.file_name().and_then(|it| it.to_str()) else {
                bail!("{}: the name is not UTF-8", path.display());
            };
            if last.starts_with('.') {
                continue;
            }
            let name = if name.is_empty() { last.to_owned() } else { format!("{name}/{last}") };
            let is_dir = match entry.file_type() {
                Ok(it) if !it.is_symlink() => it.is_dir(),
                _ => path.is_dir(),
            };
            if is_dir {
                self.folder(&path, &name, depth + 1)?;
            } else {
                self.file(path, name)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf, name: String) -> Result<()> {
        if self.files.len() == MAX_FILES {
            bail!("{}: more than {MAX_FILES} files of sources", path.display());
        }
        self.files.push((name, path));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use mandate_compile::refpolicy;

    use super::*;

    #[test]
    fn the_base_policy_is_embedded_in_order() {
        let paths: Vec<_> = BASE_POLICY.iter().map(|it| it.0).collect();
        assert!(paths.is_sorted());
        assert!(paths.iter().any(|it| it.starts_with("policy/")));
    }

    #[test]
    fn the_built_base_policy_is_what_its_sources_give() {
        let outcome = refpolicy::build(&base_policy(), &refpolicy::Options::default());
        let product = outcome.product.unwrap();
        let Built { policy, files } = built_base_policy().unwrap();
        let mut bytes = Vec::new();
        product.policy.write(product.policy.version, &mut bytes).unwrap();
        assert_eq!(bytes, policy);
        assert_eq!(product.files, files);
    }
}
