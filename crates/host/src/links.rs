//! Paths below a root file system, with links resolved as if it were the machine's own.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows.
const MOST: u32 = 40;

/// The path without links, as seen from the root; the last part may be one itself. Nothing leads out of the root.
///
/// # Errors
/// A part that does not exist, and links without end.
pub fn resolve(root: &Path, path: &Path) -> io::Result<PathBuf> {
    let mut left: VecDeque<OsString> = names(path).collect();
    let mut links = 0;
    let mut resolved = PathBuf::from("/");
    while let Some(name) = left.pop_front() {
        if name == ".." {
            resolved.pop();
            continue;
        }
        let next = resolved.join(&name);
        let real = below(root, &next);
        let is_link = std::fs::symlink_metadata(&real)?.is_symlink();
        if !is_link || left.is_empty() {
            resolved = next;
            continue;
        }
        links += 1;
        if links > MOST {
            return Err(io::Error::other("too many symbolic links"));
        }
        let target = std::fs::read_link(real)?;
        if target.is_absolute() {
            resolved = PathBuf::from("/");
        }
        for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
            left.push_front(name);
        }
    }
    Ok(resolved)
}

/// A path of the root, as the machine has it.
pub fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|it| match it {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_stay_in_the_root() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        std::fs::create_dir_all(root.join("usr/bin"))?;
        std::fs::write(root.join("usr/bin/x"), "")?;
        symlink("usr/bin", root.join("bin"))?;
        symlink("/usr", root.join("usr/up"))?;
        symlink("x", root.join("usr/bin/l"))?;
        symlink("loop", root.join("loop"))?;
        symlink("../../../..", root.join("out"))?;
        for (path, expected) in [
            ("/bin/x", Some("/usr/bin/x")),
            ("/bin/l", Some("/usr/bin/l")),
            ("/usr/up/bin/x", Some("/usr/bin/x")),
            ("/out/usr/bin", Some("/usr/bin")),
            ("/bin", Some("/bin")),
            ("/none/x", None),
            ("/loop/x", None),
        ] {
            let found = resolve(root, Path::new(path)).ok();
            assert_eq!(found.as_deref(), expected.map(Path::new), "{path}");
        }
        Ok(())
    }
}
