//! Which file systems keep labels.

use std::fs;
use std::os::fd::AsFd;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;

use crate::xattr::{self, Reader};

/// Magic numbers of file systems that keep no labels of their own: the kernel makes them up, or they know no attributes.
const WITHOUT_LABELS: [u32; 24] = [
    0x0000_9fa0, // proc
    0x6265_6572, // sysfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0x6165_676c, // pstore
    0xde5e_81e4, // efivarfs
    0xcafe_4a11, // bpf
    0x6265_6570, // configfs
    0x0000_1cd1, // devpts
    0x1980_0202, // mqueue
    0x9584_58f6, // hugetlbfs
    0x6e73_6673, // nsfs
    0xf97c_ff8c, // selinuxfs
    0x4249_4e4d, // binfmt_misc
    0x0187,      // autofs
    0x6759_6969, // rpc_pipefs
    0x6573_5543, // fusectl
    0x0000_4d44, // fat
    0x2011_bab0, // exfat
    0x0000_9660, // iso9660
    0x0000_5346, // ntfs
];

/// What is known of each file system, by device.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    known: Mutex<FxHashMap<u64, bool>>,
}

impl Mounts {
    /// Whether the file system of a directory keeps labels; looked at once for each.
    pub(super) fn keep_labels(&self, device: u64, directory: impl AsFd) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(device).or_insert_with(|| keeps_labels(device, directory))
    }
}

fn keeps_labels(device: u64, directory: impl AsFd) -> bool {
    if let Some(labelled) = labelled_by_kernel() {
        return labelled.contains(&device);
    }
    let magic = rustix::fs::fstatfs(&directory).map(|it| it.f_type);
    // Of the number only 32 bits count, whatever the machine's type is.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "all magic numbers have 32 bits"
    )]
    if magic.is_ok_and(|it| WITHOUT_LABELS.contains(&(it as u32))) {
        return false;
    }
    let found = Reader::new(xattr::SELINUX).of_open(directory.as_fd()).map(|_| ());
    found != Err(Errno::NOTSUP)
}

/// Where SELinux runs, the file systems that it says keep labels (`seclabel`).
fn labelled_by_kernel() -> Option<&'static FxHashSet<u64>> {
    static DEVICES: OnceLock<Option<FxHashSet<u64>>> = OnceLock::new();
    let read = || {
        fs::metadata("/sys/fs/selinux/enforce").ok()?;
        Some(labelled(&fs::read_to_string("/proc/self/mountinfo").ok()?))
    };
    DEVICES.get_or_init(read).as_ref()
}

fn labelled(mounts: &str) -> FxHashSet<u64> {
    let device = |line: &str| {
        let (mount, options) = line.rsplit_once(" - ")?;
        let options = options.split(' ').nth(2)?;
        options.split(',').find(|&it| it == "seclabel")?;
        let (major, minor) = mount.split(' ').nth(2)?.split_once(':')?;
        Some(rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?))
    };
    mounts.lines().filter_map(device).collect()
}

/// How many files a walk of a whole file system will find; none for a part of one.
pub fn estimate(root: &super::Root) -> Option<u64> {
    let above = rustix::fs::statat(&root.file, c"..", rustix::fs::AtFlags::empty()).ok()?;
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "not on all machines")]
    let (device, inode) = (above.st_dev as u64, above.st_ino as u64);
    let is_mount = device != root.identity.device || inode == root.identity.inode;
    let found = rustix::fs::fstatvfs(&root.file).ok()?;
    // Some file systems do not count.
    let files = found.f_files.saturating_sub(found.f_ffree);
    (is_mount && root.identity.is_directory() && files > 0).then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_of_mounts_with_labels() {
        let mounts = "\
22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw,seclabel
28 1 252:3 / / rw,relatime shared:1 - ext4 /dev/vda3 rw,seclabel
30 28 0:27 / /mnt/a\\040-\\040b rw - nfs4 host:/x rw,vers=4.2
nonsense
";
        let expected = [rustix::fs::makedev(0, 20), rustix::fs::makedev(252, 3)];
        assert_eq!(labelled(mounts), FxHashSet::from_iter(expected));
    }
}
