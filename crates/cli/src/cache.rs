//! Where builds keep what the next one can use again.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use mandate_compile::cache::{Cache, Key};
use mandate_host::cache;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// The cache takes no more than this.
const MOST_BYTES: u64 = 1 << 30;

/// The cache on disk, as the compiler sees it. What is to be kept waits until the build is written: nobody waits for it to
/// reach the disk.
#[derive(Debug)]
pub(crate) struct OnDisk {
    cache: cache::Cache,
    waiting: Mutex<Vec<(Key, Vec<u8>)>>,
}

impl Cache for OnDisk {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        self.cache.get(&key.0)
    }

    fn put(&self, key: &Key, value: &[u8]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((*key, value.to_vec()));
    }
}

impl OnDisk {
    /// The cache in the folder that was asked for; without one in the user's, if that can be used.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Option<Arc<Self>>> {
        let Some(generation) = generation() else { return Ok(None) };
        match (folder, users_folder()) {
            (Some(folder), _) => Ok(Some(Self::of(cache::Cache::open(folder, &generation)?))),
            // Nobody asked for it: what cannot be used is not needed.
            (None, Some(folder)) => Ok(cache::Cache::open(&folder, &generation).ok().map(Self::of)),
            (None, None) => Ok(None),
        }
    }

    fn of(cache: cache::Cache) -> Arc<Self> {
        Arc::new(Self { cache, waiting: Mutex::default() })
    }

    /// Writes what is to be kept, and keeps the whole within its size.
    pub(crate) fn finish(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).into_par_iter().for_each(|(key, value)| {
            self.cache.put(&key.0, &value);
        });
        self.cache.tidy(MOST_BYTES);
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
