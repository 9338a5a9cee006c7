//! Interfaces of headers or sources by what they grant: read once, and kept.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use mandate_audit::interfaces::Listing;
use mandate_compile::cache::{Cache as _, Key};
use mandate_compile::outcome::SourceTree;
use mandate_compile::refpolicy::{Options, called};
use sha2::{Digest as _, Sha256};

use crate::cache::OnDisk;
use crate::sources;

/// Where interfaces are.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct InterfaceArgs {
    /// Offer interfaces of these installed headers, such as /usr/share/selinux/devel
    #[arg(long, value_name = "DIR", conflicts_with = "source")]
    pub(crate) headers: Option<PathBuf>,
    /// Offer interfaces of this Reference Policy tree
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,
}

impl InterfaceArgs {
    /// What the interfaces grant, if there is a place where they are.
    ///
    /// # Errors
    /// A folder that cannot be read, or has none.
    pub(crate) fn listing(&self) -> Result<Option<Listing>> {
        match (&self.headers, &self.source) {
            (Some(folder), _) => of_headers(folder).map(Some),
            (None, Some(folder)) => {
                let tree = sources::read_tree(folder)?;
                let listing =
                    kept(&tree, "source", |it| called::of_source(it, &Options::default()))?;
                refuse_none(listing, folder).map(Some)
            }
            (None, None) => Ok(None),
        }
    }
}

/// Of the embedded base policy.
///
/// # Errors
/// A cache that cannot be used.
pub(crate) fn of_base() -> Result<Listing> {
    kept(&sources::base_policy(), "source", |it| called::of_source(it, &Options::default()))
}

/// Of installed headers.
///
/// # Errors
/// A folder that cannot be read, or has none.
pub(crate) fn of_headers(folder: &Path) -> Result<Listing> {
    let tree = sources::read_headers(folder)?;
    refuse_none(kept(&tree, "headers", |it| called::of_headers(it, &[]))?, folder)
}

fn refuse_none(listing: Listing, folder: &Path) -> Result<Listing> {
    if listing.is_empty() {
        bail!("{} has no interfaces", folder.display());
    }
    Ok(listing)
}

/// What an earlier run found in the same files, or what this one finds.
fn kept(
    tree: &SourceTree,
    kind: &str,
    read: impl FnOnce(&SourceTree) -> Vec<called::Called>,
) -> Result<Listing> {
    let mut hash = Sha256::new_with_prefix(format!("interfaces of {kind}"));
    for (path, bytes) in tree {
        for part in [path.as_bytes(), bytes] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    let key = Key(hash.finalize().into());
    let cache = OnDisk::open(None)?;
    let known = cache.as_ref().and_then(|it| it.get(&key));
    if let Some(listing) = known.and_then(|it| Listing::from_bytes(&it)) {
        return Ok(listing);
    }
    let listing = Listing::of(&read(tree));
    if let Some(cache) = cache {
        cache.put(&key, &listing.to_bytes());
        cache.finish();
    }
    Ok(listing)
}
