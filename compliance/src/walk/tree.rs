//! Trees to be labelled, and the labels in them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, lgetxattr, lsetxattr, mknodat};

use crate::random::Random;

const ATTRIBUTE: &str = "security.selinux";

/// File contexts for these trees.
pub(super) const SPEC: &str = "\
/.*\tsystem_u:object_r:default_t:s0
/a(/.*)?\tsystem_u:object_r:a_t:s0
/a/[^/]*\\.conf\t--\tsystem_u:object_r:a_conf_t:s0
/a/.*\t-l\tsystem_u:object_r:a_link_t:s0
/b(/.*)?\tsystem_u:object_r:b_t:s0
/b/c/.*\t-d\tsystem_u:object_r:dirs_t:s0
/b/pipe\t-p\tsystem_u:object_r:pipe_t:s0
/none(/.*)?\t<<none>>
/d/exact\tuser_u:object_r:exact_t:s0-s0:c0.c3
/d(/.*)?\tsystem_u:object_r:public_content_t:s0
/never/matched\tsystem_u:object_r:never_t:s0
/never/either\t--\tsystem_u:object_r:never_t:s0
";

/// Labels that files may have before.
const LABELS: [&str; 9] = [
    "system_u:object_r:default_t:s0",
    "system_u:object_r:a_t:s0",
    "other_u:other_r:a_t:s0:c1,c2",
    "other_u:other_r:wrong_t:s0:c1,c2",
    "system_u:object_r:wrong_t:s0-s0:c0.c1023",
    "other_u:object_r:public_content_t:s0",
    "system_u:object_r:public_content_rw_t:s0:c5",
    "nonsense",
    "u:r:t",
];

const NAMES: [&[u8]; 14] = [
    b"a",
    b"b",
    b"c",
    b"d",
    b"none",
    b"x.conf",
    b"exact",
    b"two words",
    b"new\nline",
    b"back\\slash",
    b"caf\xc3\xa9",
    b"\xff\xfe",
    b"-dash",
    b".hidden",
];

/// What a tree may hold beside files and folders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// Files of several names that want different labels.
    pub(super) differing: bool,
    /// Labels that are none.
    pub(super) invalid: bool,
}

/// Makes the tree of a seed, the same each time.
pub(super) fn make(root: &Path, kind: Kind, seed: u64) -> Result<()> {
    empty(root)?;
    let mut random = Random::new(seed);
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    for top in ["a", "b", "none", "d"] {
        let path = root.join(top);
        fs::create_dir(&path)?;
        folders.push(path);
    }
    for _ in 0..40 {
        let Some(folder) = random.pick(&folders).cloned() else { continue };
        let Some(name) = random.pick(&NAMES) else { continue };
        let path = folder.join(OsStr::from_bytes(name));
        if path.symlink_metadata().is_ok() {
            continue;
        }
        match random.below(10) {
            0..=2 => {
                fs::create_dir(&path)?;
                folders.push(path.clone());
            }
            3 => symlink(["../a", "nowhere", "/etc/passwd", "."][random.below(4)], &path)?,
            4 => mknodat(CWD, &path, FileType::Fifo, Mode::RUSR, 0)?,
            5 => {
                if let Some(other) = random.pick(&files) {
                    let same = path.parent() == PathBuf::from(other).parent();
                    if same || kind.differing {
                        fs::hard_link(other, &path)?;
                    }
                }
                continue;
            }
            _ => {
                fs::write(&path, b"")?;
                files.push(path.clone());
            }
        }
        if random.chance(70) {
            let label = random.pick(&LABELS).copied().unwrap_or_default();
            if label != "nonsense" || kind.invalid {
                set_label(&path, label)?;
            }
        }
    }
    Ok(())
}

/// Makes a folder, empty whatever it held.
pub(super) fn empty(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing {}", folder.display()));
        }
        _ => {}
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))
}

/// Sets a label, on a link itself.
pub(super) fn set_label(path: &Path, label: &str) -> Result<()> {
    let value = [label.as_bytes(), b"\0"].concat();
    let set = lsetxattr(path, ATTRIBUTE, &value, XattrFlags::empty());
    set.with_context(|| format!("labelling {}", path.display()))
}

/// The label of a file; empty if it has none.
pub(super) fn label(path: &Path) -> String {
    let mut value = [0; 4096];
    let length = lgetxattr(path, ATTRIBUTE, &mut value).unwrap_or(0);
    String::from_utf8_lossy(&value[..length]).into_owned()
}

/// All labels below a folder, and its own.
pub(super) fn labels(root: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut labels = BTreeMap::from([(root.to_owned(), label(root))]);
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            labels.insert(entry.path(), label(&entry.path()));
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(labels)
}
