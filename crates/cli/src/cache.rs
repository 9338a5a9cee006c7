//! Where builds keep what the next one can use again.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use mandate_compile::cache::{Cache, Key};
use mandate_host::cache;

/// The cache takes no more than this.
const MOST_BYTES: u64 = 1 << 30;

/// The cache on disk, as the compiler sees it.
#[derive(Debug)]
pub(crate) struct OnDisk(cache::Cache);

impl Cache for OnDisk {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        self.0.get(&key.0)
    }

    fn put(&self, key: &Key, value: &[u8]) {
        self.0.put(&key.0, value);
    }
}

impl OnDisk {
    /// The cache in the folder that was asked for; without one in the user's, if that can be used.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Option<Arc<Self>>> {
        let Some(generation) = generation() else { return Ok(None) };
        match (folder, users_folder()) {
            (Some(folder), _) => Ok(Some(Arc::new(Self(cache::Cache::open(folder, &generation)?)))),
            // Nobody asked for it: what cannot be used is not needed.
            (None, Some(folder)) => {
                let cache = cache::Cache::open(&folder, &generation).ok();
                Ok(cache.map(|it| Arc::new(Self(it))))
            }
            (None, None) => Ok(None),
        }
    }

    /// Keeps it within its size.
    pub(crate) fn tidy(&self) {
        self.0.tidy(MOST_BYTES);
    }
}

/// The program that reads and writes the values: a rebuilt one is another.
fn generation() -> Option<String> {
    let about = fs::metadata(env::current_exe().ok()?).ok()?;
    let (version, size) = (env!("CARGO_PKG_VERSION"), about.size());
    Some(format!("{version}-{size:x}-{:x}.{:x}", about.mtime(), about.mtime_nsec()))
}

/// By the XDG Base Directory Specification.
fn users_folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|it| it.join(".cache")))?;
    Some(caches.join("mandate"))
}
