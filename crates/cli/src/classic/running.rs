//! The policy of this machine, for commands that are given none.

use std::path::{Path, PathBuf};

/// What the kernel has loaded, or else the newest policy that is installed.
pub(super) fn policy() -> Option<PathBuf> {
    let loaded = Path::new("/sys/fs/selinux/policy");
    if loaded.exists() {
        return Some(loaded.to_owned());
    }
    let config = std::fs::read_to_string("/etc/selinux/config").ok()?;
    let name = config.lines().find_map(|it| it.trim().strip_prefix("SELINUXTYPE="))?.trim();
    newest(&Path::new("/etc/selinux").join(name).join("policy"))
}

fn newest(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let versions = files.filter_map(|it| {
        let version: u32 = it.file_name().to_str()?.strip_prefix("policy.")?.parse().ok()?;
        Some((version, it.path()))
    });
    versions.max().map(|it| it.1)
}
