//! Files that are replaced whole: a reader sees the old or the new.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};

/// Writes beside the file, then puts it in its place: a reader sees the old or the new, whole. A link is followed, the
/// file's mode is kept, and what is no plain file, such as a pipe or a device, is written to as it is.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let place = Place::of(path)?;
    place.write(write)?;
    place.rename()?;
    sync_folder(&place.path)
}

/// Writes several files; none takes its place before all are written.
pub(crate) fn replace_all(files: &[(PathBuf, Vec<u8>)]) -> Result<()> {
    let places: Vec<(Place, &[u8])> = files
        .iter()
        .map(|(path, bytes)| Ok((Place::of(path)?, bytes.as_slice())))
        .collect::<Result<_>>()?;
    side_by_side(&places, |(place, bytes)| place.write(|to| Ok(to.write_all(bytes)?)))?;
    places.iter().try_for_each(|it| it.0.rename())?;
    let mut folders: Vec<&Path> = places.iter().filter_map(|it| it.0.path.parent()).collect();
    folders.sort_unstable();
    folders.dedup();
    side_by_side(&folders, |it| sync(it))
}

/// So many threads wait for the disk at once: a journal writes down together what is asked of it meanwhile.
const WAITING: usize = 16;

/// Does the same with each, on more threads than there are processors, since each waits for the disk.
fn side_by_side<T: Sync>(all: &[T], work: impl Fn(&T) -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let work = &work;
        let chunks = all.chunks(all.len().div_ceil(WAITING).max(1));
        let threads: Vec<_> =
            chunks.map(|it| scope.spawn(move || it.iter().try_for_each(work))).collect();
        let ended =
            threads.into_iter().map(|it| it.join().unwrap_or_else(|_| bail!("a thread panicked")));
        ended.collect::<Result<Vec<()>>>().map(drop)
    })
}

/// Where something is written before it takes its place.
pub(crate) fn beside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| anyhow!("{} names no file", path.display()))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(temporary))
}

/// A file to be written. What was written beside it goes away with this.
struct Place {
    path: PathBuf,
    /// Where it is written first; none for what is no plain file.
    temporary: Option<PathBuf>,
    mode: Option<fs::Permissions>,
}

impl Place {
    fn of(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let existing = fs::metadata(&path).ok();
        if existing.as_ref().is_some_and(|it| !it.is_file()) {
            return Ok(Self { path, temporary: None, mode: None });
        }
        let temporary = Some(beside(&path)?);
        Ok(Self { mode: existing.map(|it| it.permissions()), path, temporary })
    }

    fn write(&self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        self.try_write(write).with_context(|| self.failure())
    }

    fn try_write(&self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
        let Some(temporary) = &self.temporary else {
            return write(&mut File::options().write(true).open(&self.path)?);
        };
        let mut file = File::create_new(temporary)?;
        write(&mut file)?;
        if let Some(mode) = &self.mode {
            file.set_permissions(mode.clone())?;
        }
        Ok(file.sync_all()?)
    }

    fn rename(&self) -> Result<()> {
        match &self.temporary {
            Some(it) => fs::rename(it, &self.path).with_context(|| self.failure()),
            None => Ok(()),
        }
    }

    fn failure(&self) -> String {
        format!("writing {}", self.path.display())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(it) = &self.temporary {
            // After a success, or before it was made, there is nothing to remove.
            drop(fs::remove_file(it));
        }
    }
}

fn sync_folder(file: &Path) -> Result<()> {
    sync(file.parent().unwrap_or(Path::new(".")))
}

/// Makes sure that the names in a folder survive a crash.
fn sync(folder: &Path) -> Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let synced = File::open(folder).and_then(|it| it.sync_all());
    synced.with_context(|| format!("writing into {}", folder.display()))
}
