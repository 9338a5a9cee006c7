//! The machine's mounts, the folders in them that everybody may write to, and what processes execute.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The mounts that this process sees, as the kernel tells them.
///
/// # Errors
/// Without `/proc`.
pub fn mountinfo() -> io::Result<Vec<u8>> {
    fs::read("/proc/self/mountinfo")
}

/// A process, and the files that it has mapped as the kernel tells them.
#[derive(Debug)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its `maps`.
    pub maps: Vec<u8>,
}

/// The processes that may be looked at, and how many may not.
pub fn processes() -> (Vec<Process>, usize) {
    let (mut processes, mut hidden) = (Vec::new(), 0);
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|it| it.parse().ok());
        let Some(pid) = pid else { continue };
        let path = entry.path();
        match fs::read(path.join("maps")) {
            Ok(maps) => {
                let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
                processes.push(Process { pid, name: name.trim_end().to_owned(), maps });
            }
            // It has ended.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => hidden += 1,
        }
    }
    processes.sort_by_key(|it| it.pid);
    (processes, hidden)
}

/// As many folders are looked at, below one mount.
const MOST: usize = 100_000;

/// Folders that everybody may write to: `point` and what lies below it on the same file system, so many levels deep.
pub fn world_writable(point: &Path, depth: usize) -> Vec<PathBuf> {
    let Ok(top) = fs::symlink_metadata(point) else { return Vec::new() };
    let mut found = Vec::new();
    let mut left = vec![(point.to_owned(), top.clone(), 0)];
    let mut seen = 0;
    while let Some((path, metadata, level)) = left.pop() {
        if is_world_writable(&metadata) {
            found.push(path.clone());
        }
        seen += 1;
        if level >= depth || seen > MOST {
            continue;
        }
        let entries = fs::read_dir(&path).into_iter().flatten().flatten();
        let folders = entries.filter(|it| it.file_type().is_ok_and(|it| it.is_dir()));
        for entry in folders {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.dev() == top.dev() {
                left.push((entry.path(), metadata, level + 1));
            }
        }
    }
    found.sort();
    found
}

fn is_world_writable(metadata: &Metadata) -> bool {
    metadata.is_dir() && metadata.mode() & 0o002 != 0
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn folders_for_everybody() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        for (name, mode) in [("a", 0o755), ("a/b", 0o1777), ("a/b/c", 0o777), ("d", 0o775)] {
            fs::create_dir(root.join(name))?;
            fs::set_permissions(root.join(name), Permissions::from_mode(mode))?;
        }
        std::os::unix::fs::symlink("a/b", root.join("link"))?;
        assert_eq!(world_writable(root, 2), [root.join("a/b")]);
        assert_eq!(world_writable(root, 3), [root.join("a/b"), root.join("a/b/c")]);
        assert_eq!(world_writable(&root.join("none"), 3), [""; 0].map(PathBuf::from));
        Ok(())
    }
}
