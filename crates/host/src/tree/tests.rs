use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::*;

/// Notes what it sees.
#[derive(Default)]
struct Notes {
    seen: BTreeMap<Vec<u8>, usize>,
    failures: Vec<(Vec<u8>, Failure)>,
    left: Vec<Vec<u8>>,
    stop_after: Option<usize>,
}

impl Visitor for Notes {
    fn visit(&mut self, entry: &Entry<'_>) -> Next {
        *self.seen.entry(entry.path.to_vec()).or_default() += 1;
        if self.stop_after == Some(self.seen.len()) { Next::Stop } else { Next::On }
    }

    fn failed(&mut self, path: &[u8], failure: Failure, _error: Errno) -> Next {
        self.failures.push((path.to_vec(), failure));
        Next::On
    }

    fn leave(&mut self, directory: &Entry<'_>) {
        self.left.push(directory.path.to_vec());
    }
}

fn notes(threads: usize) -> Vec<Notes> {
    std::iter::repeat_with(Notes::default).take(threads).collect()
}

fn merged(all: Vec<Notes>) -> Notes {
    let mut whole = Notes::default();
    for it in all {
        for (path, number) in it.seen {
            *whole.seen.entry(path).or_default() += number;
        }
        whole.failures.extend(it.failures);
        whole.left.extend(it.left);
    }
    whole
}

/// Makes a tree, and gives all its paths.
fn tree(root: &Path) -> Vec<Vec<u8>> {
    let mut paths = vec![root.to_path_buf()];
    for a in 0..20 {
        let top = root.join(format!("directory{a}"));
        fs::create_dir(&top).unwrap();
        for b in 0..10 {
            let inner = top.join(format!("inner{b}"));
            fs::create_dir(&inner).unwrap();
            for c in 0..5 {
                let file = inner.join(format!("file{c}"));
                fs::write(&file, b"").unwrap();
                paths.push(file);
            }
            paths.push(inner);
        }
        paths.push(top);
    }
    let link = root.join("link");
    std::os::unix::fs::symlink("directory1", &link).unwrap();
    paths.push(link);
    for wide in 0..5000 {
        let file = root.join("directory3").join(format!("a-file-of-many-{wide}"));
        fs::write(&file, b"").unwrap();
        paths.push(file);
    }
    let bytes = |it: PathBuf| it.as_os_str().as_bytes().to_vec();
    let mut paths: Vec<_> = paths.into_iter().map(bytes).collect();
    paths.sort();
    paths
}

#[test]
fn all_is_visited_once_by_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let paths = tree(folder.path());
    for threads in [1, 2, 7] {
        let root = Root::open(folder.path()).unwrap();
        let found = merged(walk(root, &Options::default(), notes(threads)));
        assert!(found.seen.keys().eq(&paths), "{threads} threads");
        assert!(found.seen.values().all(|&it| it == 1), "{threads} threads");
        assert_eq!(found.failures, []);
        if threads == 1 {
            assert_eq!(found.left.len(), 221, "every directory is left");
        }
    }
}

#[test]
fn deep_trees_need_few_descriptors() {
    let folder = tempfile::tempdir().unwrap();
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let mut here = rustix::fs::open(folder.path(), flags, Mode::empty()).unwrap();
    // Deeper than any path may be long.
    for _ in 0..1200 {
        for name in [c"deep", c"side", c"wide"] {
            rustix::fs::mkdirat(&here, name, Mode::RWXU).unwrap();
        }
        here = rustix::fs::openat(&here, c"deep", flags, Mode::empty()).unwrap();
    }
    let options = Options { descriptors: Some(4), ..Options::default() };
    for threads in [1, 3] {
        let root = Root::open(folder.path()).unwrap();
        let found = merged(walk(root, &options, notes(threads)));
        assert_eq!((found.seen.len(), found.failures.len()), (3601, 0), "{threads} threads");
        assert!(found.seen.values().all(|&it| it == 1));
    }
    drop(here);
    // The standard library needs no long paths for this.
    fs::remove_dir_all(folder.path()).unwrap();
    fs::create_dir(folder.path()).unwrap();
}

#[test]
fn a_walk_that_was_stopped_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let paths = tree(folder.path());
    let journal = tempfile::tempdir().unwrap();
    let file = journal.path().join("journal");
    for stop_after in [10, 800, 3000, 6000] {
        let mut seen = BTreeMap::new();
        for round in 0.. {
            let stop = Arc::<AtomicBool>::default();
            let journal = Arc::new(Journal::open(&file, "work", Arc::clone(&stop)).unwrap());
            let options = Options {
                stop: Arc::clone(&stop),
                journal: Some(Arc::clone(&journal)),
                ..Options::default()
            };
            let stop_after = (round < 3).then_some(stop_after);
            let visitor = Notes { stop_after, ..Notes::default() };
            let root = Root::open(folder.path()).unwrap();
            seen.extend(merged(walk(root, &options, vec![visitor])).seen);
            journal.flush().unwrap();
            if !stopped(&options) {
                journal.remove().unwrap();
                break;
            }
        }
        assert!(seen.keys().eq(&paths), "stopped after {stop_after}");
    }
}

#[test]
fn a_journal_of_other_work_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal");
    fs::write(&file, b"mandate journal 1 work\n/a\0/b\0/cut").unwrap();
    let open = |work| Journal::open(&file, work, Arc::default()).map(|it| it.finished_before());
    assert_eq!(open("work").unwrap(), 2);
    assert_eq!(open("other").unwrap(), 0);
    fs::write(&file, b"a letter").unwrap();
    assert!(open("work").unwrap_err().to_string().contains("no journal"));
}

#[test]
fn another_file_is_not_held() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inside")).unwrap();
    fs::write(folder.path().join("inside/file"), b"").unwrap();
    struct Swap(PathBuf, Vec<bool>);
    impl Visitor for Swap {
        fn visit(&mut self, entry: &Entry<'_>) -> Next {
            if entry.name() == b"file" {
                fs::rename(self.0.join("inside/file"), self.0.join("inside/other")).unwrap();
                std::os::unix::fs::symlink("/etc/passwd", self.0.join("inside/file")).unwrap();
                self.1.push(entry.pin().unwrap().is_some());
            }
            Next::On
        }
        fn failed(&mut self, _: &[u8], _: Failure, _: Errno) -> Next {
            Next::Stop
        }
    }
    let root = Root::open(folder.path()).unwrap();
    let visitor = Swap(folder.path().to_owned(), Vec::new());
    let found = walk(root, &Options::default(), vec![visitor]);
    assert_eq!(found[0].1, [false]);
}
