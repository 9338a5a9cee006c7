//! A cache on disk: values by the hash of what they were made from.
//!
//! Whoever can write to the folder decides what builds give, so it is used only if it belongs to the user and nobody else may
//! write to it. Several programs may use it at once: a value appears whole or not at all. Damage is told by a checksum, and a
//! damaged value is as good as none.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use twox_hash::XxHash3_128;

/// Why a folder is not used as a cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// It cannot be made or looked at.
    #[error("{}: {error}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others may write to it.
    #[error("{} belongs to another user, or others may write to it", path.display())]
    Shared {
        /// The folder.
        path: PathBuf,
    },
}

/// A folder of values.
#[derive(Debug)]
pub struct Cache {
    /// All generations.
    root: PathBuf,
    /// The values of this program.
    folder: PathBuf,
    written: AtomicU64,
}

/// What a value's file begins with; then the checksum.
const MAGIC: &[u8; 8] = b"mandate1";
const CHECKSUM: usize = 16;
/// A value that was used is marked as used no more often than this.
const MARK_EVERY: Duration = Duration::from_secs(3600);

impl Cache {
    /// The cache in `root`, which is made if it is not there. Values of another `generation`, the program that wrote them, are
    /// not seen.
    ///
    /// # Errors
    /// If the folder cannot be made, or is not the user's alone.
    pub fn open(root: &Path, generation: &str) -> Result<Self, CacheError> {
        let folder = root.join(generation);
        for path in [root, &folder] {
            make(path).map_err(|error| CacheError::Io { path: path.to_owned(), error })?;
            let found = fs::metadata(path);
            let found = found.map_err(|error| CacheError::Io { path: path.to_owned(), error })?;
            if !is_own(&found) {
                return Err(CacheError::Shared { path: path.to_owned() });
            }
        }
        Ok(Self { root: root.to_owned(), folder, written: AtomicU64::new(0) })
    }

    /// The value of `key`, if there is one and it is whole.
    pub fn get(&self, key: &[u8; 32]) -> Option<Vec<u8>> {
        let mut file = File::open(self.path(key)).ok()?;
        let found = file.metadata().ok()?;
        let length = usize::try_from(found.len()).ok()?;
        let mut head = [0; MAGIC.len() + CHECKSUM];
        file.read_exact(&mut head).ok()?;
        let (magic, checksum) = head.split_at(MAGIC.len());
        if magic != MAGIC {
            return None;
        }
        let mut value = Vec::with_capacity(length.saturating_sub(head.len()));
        file.read_to_end(&mut value).ok()?;
        if check(key, &value) != checksum {
            return None;
        }
        let now = SystemTime::now();
        let marked = found.modified().ok().and_then(|it| now.duration_since(it).ok());
        if marked.is_some_and(|it| it > MARK_EVERY) {
            // Only by this is it known what is still used; a cache that cannot be written to works all the same.
            let _ = file.set_modified(now);
        }
        Some(value)
    }

    /// Keeps a value. A cache that cannot be written to is no failure.
    pub fn put(&self, key: &[u8; 32], value: &[u8]) {
        let _ = self.try_put(key, value);
    }

    fn try_put(&self, key: &[u8; 32], value: &[u8]) -> io::Result<()> {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let path = self.path(key);
        let temporary = self.folder.join(format!(".{}.{number}", std::process::id()));
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(MAGIC)?;
            file.write_all(&check(key, value))?;
            file.write_all(value)?;
            drop(file);
            fs::rename(&temporary, &path)
        };
        let written = write();
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Forgets the values that were not used for longest, until all of them take no more than `bytes`, and temporary files that a
    /// program left behind. Looks only if this program has written something.
    pub fn tidy(&self, bytes: u64) {
        if self.written.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut found = Vec::new();
        let generations = fs::read_dir(&self.root).into_iter().flatten().flatten();
        for entry in generations.flat_map(|it| fs::read_dir(it.path()).into_iter().flatten()) {
            let Ok(entry) = entry else { continue };
            let Ok(about) = entry.metadata() else { continue };
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            found.push((used, about.len(), entry.path()));
        }
        let mut total: u64 = found.iter().map(|it| it.1).sum();
        found.sort_unstable();
        for (_, length, path) in found {
            if total <= bytes {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                total -= length;
            }
        }
        // Generations that are empty now.
        for entry in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(entry.path());
        }
    }

    fn path(&self, key: &[u8; 32]) -> PathBuf {
        let name: String = key.iter().map(|it| format!("{it:02x}")).collect();
        self.folder.join(name)
    }
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Is it the user's, and nobody else's to write to?
fn is_own(folder: &Metadata) -> bool {
    folder.is_dir()
        && folder.uid() == rustix::process::geteuid().as_raw()
        && folder.mode() & 0o022 == 0
}

/// What shows damage: of the key too, so that no value passes for another.
fn check(key: &[u8; 32], value: &[u8]) -> [u8; CHECKSUM] {
    let [a, b, c, d, e, f, g, h, ..] = *key;
    let seed = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    XxHash3_128::oneshot_with_seed(seed, value).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn values_are_found_by_key_and_generation() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("cache");
        let cache = Cache::open(&root, "one").unwrap();
        assert_eq!(cache.get(&KEY), None);
        cache.put(&KEY, b"value");
        cache.put(&[8; 32], b"");
        assert_eq!(cache.get(&KEY).as_deref(), Some(&b"value"[..]));
        assert_eq!(cache.get(&[8; 32]).as_deref(), Some(&b""[..]));
        cache.put(&KEY, b"another");
        assert_eq!(Cache::open(&root, "one").unwrap().get(&KEY).as_deref(), Some(&b"another"[..]));
        assert_eq!(Cache::open(&root, "two").unwrap().get(&KEY), None);
    }

    #[test]
    fn damage_is_as_good_as_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), "x").unwrap();
        cache.put(&KEY, b"some value");
        let path = cache.path(&KEY);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert_eq!(cache.get(&KEY), None, "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.get(&KEY), None, "cut at {at}");
        }
        // A value under the name of another.
        fs::write(&path, &whole).unwrap();
        fs::rename(&path, cache.path(&[9; 32])).unwrap();
        assert_eq!(cache.get(&[9; 32]), None);
    }

    #[test]
    fn a_folder_that_others_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = Cache::open(folder.path(), "x").unwrap_err();
        assert!(error.to_string().contains("others may write to it"), "{error}");
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(matches!(Cache::open(&file, "x"), Err(CacheError::Io { .. })));
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let old = Cache::open(folder.path(), "old").unwrap();
        old.put(&[1; 32], &[0; 1000]);
        let hour = |hours: u64| SystemTime::now() - Duration::from_secs(3600 * hours);
        let cache = Cache::open(folder.path(), "new").unwrap();
        cache.tidy(0);
        assert!(old.get(&[1; 32]).is_some(), "nothing was written");
        for (key, hours) in [(2, 5), (3, 30), (4, 1)] {
            cache.put(&[key; 32], &[0; 1000]);
            let file = File::options().write(true).open(cache.path(&[key; 32])).unwrap();
            file.set_modified(hour(hours)).unwrap();
        }
        File::open(old.path(&[1; 32])).unwrap().set_modified(hour(100)).unwrap();
        // Looked at, it counts as used.
        assert!(cache.get(&[3; 32]).is_some());
        cache.tidy(2100);
        let left: Vec<u8> = (1..=4).filter(|&it| cache.get(&[it; 32]).is_some()).collect();
        assert_eq!(left, [3, 4]);
        assert!(!folder.path().join("old").exists());
    }
}
