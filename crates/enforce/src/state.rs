//! Labels that outlive a run: a database in a folder of the user's choice.
//!
//! A file is known by device, inode number and birth, as during a run; one on a file system that does not tell births is not kept. What changes is
//! written by a thread of its own, some changes together, so that no program waits for the disk.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use redb::{Database, DatabaseError, ReadableDatabase as _, TableDefinition};

use crate::object::{Facts, Inode};

/// Device, inode number, birth in nanoseconds; the context.
const LABELS: TableDefinition<'_, (u64, u64, i128), &str> = TableDefinition::new("labels");
/// The file in the folder.
const FILE: &str = "labels.redb";
/// As much is held in memory of it.
const CACHE: usize = 16 << 20;

/// Why labels cannot be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Somebody has the folder.
    #[error("{}: another run keeps its labels there; end it, or name another folder with --state", .0.display())]
    InUse(PathBuf),
    /// The folder or the file cannot be used.
    #[error("{path}: {why}", path = .0.display(), why = .1)]
    File(PathBuf, std::io::Error),
    /// The file is none of ours, or damaged.
    #[error("{path}: {why}; move it away to begin with labels anew", path = .0.display(), why = .1)]
    Database(PathBuf, Box<redb::Error>),
}

/// What a thread is to write: the label of a file, or none any more.
type Change = ((u64, u64, i128), Option<String>);

/// Labels of earlier runs, and of this one for later ones.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    database: Arc<Database>,
    /// None when it is over.
    changes: Option<Sender<Change>>,
    writer: Option<JoinHandle<Result<(), redb::Error>>>,
    /// Its folder and its file, which programs do not get at.
    own: [Inode; 2],
}

impl State {
    /// Opens the database of a folder; makes both if they are not there.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join(FILE);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |it: std::io::Error| StateError::File(path, it)
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(failed(&path))?;
        let inode = |file: File| Facts::of(file.as_fd()).map(|it| it.inode).map_err(Into::into);
        let above = File::open(folder).and_then(inode).map_err(failed(folder))?;
        let itself = inode(file).map_err(failed(&path))?;
        let mut builder = Database::builder();
        let database = builder.set_cache_size(CACHE).create(&path).map_err(|it| match it {
            DatabaseError::DatabaseAlreadyOpen => StateError::InUse(folder.to_owned()),
            it => StateError::Database(path.clone(), Box::new(it.into())),
        })?;
        let database = Arc::new(database);
        // Made before anybody reads it.
        write(&database, &[]).map_err(|it| StateError::Database(path.clone(), Box::new(it)))?;
        let (changes, hears) = channel();
        let writes = Arc::clone(&database);
        let writer = std::thread::Builder::new().name("labels".into());
        let writer = writer.spawn(move || write_all(&writes, &hears)).map_err(failed(&path))?;
        Ok(Self {
            path,
            database,
            changes: Some(changes),
            writer: Some(writer),
            own: [above, itself],
        })
    }

    /// Is this the folder or the file?
    pub(crate) fn is_own(&self, inode: Inode) -> bool {
        self.own.contains(&inode)
    }

    /// The context that a file had.
    pub(crate) fn label(&self, facts: &Facts) -> Option<String> {
        let key = key(facts)?;
        let table = self.database.begin_read().ok()?.open_table(LABELS).ok()?;
        Some(table.get(key).ok()??.value().to_owned())
    }

    /// A file has a context now, or is gone.
    pub(crate) fn settle(&self, facts: &Facts, context: Option<String>) {
        let Some(key) = key(facts) else { return };
        if let Some(changes) = &self.changes {
            // A thread that failed tells so at the end.
            let _failed = changes.send((key, context));
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// Some labels of this run could not be written.
    pub fn finish(mut self) -> Result<(), StateError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), StateError> {
        self.changes = None;
        match self.writer.take().map(JoinHandle::join) {
            Some(Ok(Err(why))) => Err(StateError::Database(self.path.clone(), Box::new(why))),
            _ => Ok(()),
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // Whoever wants to hear of failures has asked.
        let _unheard = self.end();
    }
}

fn key(facts: &Facts) -> Option<(u64, u64, i128)> {
    let Inode { device, number } = facts.inode;
    (facts.born != 0).then_some((device, number, facts.born))
}

fn write_all(database: &Database, changes: &Receiver<Change>) -> Result<(), redb::Error> {
    while let Ok(first) = changes.recv() {
        let together: Vec<_> = std::iter::once(first).chain(changes.try_iter()).collect();
        write(database, &together)?;
    }
    Ok(())
}

fn write(database: &Database, changes: &[Change]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    let mut table = transaction.open_table(LABELS)?;
    for (key, context) in changes {
        match context {
            Some(context) => drop(table.insert(key, context.as_str())?),
            None => drop(table.remove(key)?),
        }
    }
    drop(table);
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(number: u64, born: i128) -> Facts {
        let inode = Inode { device: 1, number };
        Facts { inode, born, mode: 0o100_644, links: 1, owner: 0, mount: 1 }
    }

    #[test]
    fn labels_outlive_a_run_and_have_one_keeper() {
        let folder = std::env::temp_dir().join(format!("mandate-state-{}", std::process::id()));
        let state = State::open(&folder).unwrap();
        state.settle(&facts(1, 5), Some("a:b:c".to_owned()));
        state.settle(&facts(2, 5), Some("a:b:d".to_owned()));
        state.settle(&facts(2, 5), None);
        state.settle(&facts(3, 0), Some("a:b:e".to_owned()));
        assert!(matches!(State::open(&folder), Err(StateError::InUse(_))));
        state.finish().unwrap();
        let state = State::open(&folder).unwrap();
        let labels = [(1, 5), (1, 6), (2, 5), (3, 0)].map(|it| state.label(&facts(it.0, it.1)));
        assert_eq!(labels, [Some("a:b:c".to_owned()), None, None, None]);
        drop(state);
        fs::write(folder.join(FILE), "no database").unwrap();
        let damaged = State::open(&folder).map(drop);
        assert!(matches!(damaged, Err(StateError::Database(..))), "{damaged:?}");
        fs::remove_dir_all(folder).unwrap();
    }
}
