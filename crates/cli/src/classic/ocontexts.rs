//! The order in which `checkpolicy -S` writes object contexts, as secilc and the module store do: what is narrower comes
//! first. Of lists in which the first match counts, only those that no other can hide change places.

use std::cmp::Reverse;

use mandate_policydb::{FsUseBehavior, ObjectContexts};

/// Sorts all lists.
pub(super) fn sort(all: &mut ObjectContexts) {
    all.ports.sort_by_key(|it| (it.high.saturating_sub(it.low), it.low, it.protocol));
    all.nodes.sort_by_key(|it| (Reverse(it.mask), it.address));
    all.nodes6.sort_by_key(|it| (Reverse(it.mask), it.address));
    all.netifs.sort_by(|a, b| a.name.cmp(&b.name));
    all.filesystems.sort_by(|a, b| a.name.cmp(&b.name));
    all.fs_uses.sort_by(|a, b| (number(a.behavior), &a.name).cmp(&(number(b.behavior), &b.name)));
    all.ibpkeys.sort_by_key(|it| (it.high.saturating_sub(it.low), it.low, it.subnet_prefix));
    all.ibendports.sort_by(|a, b| (&a.device, a.port).cmp(&(&b.device, b.port)));
    for ranges in [&mut all.pirqs, &mut all.ioports, &mut all.iomems, &mut all.pci_devices] {
        ranges.sort_by_key(|it| (it.high.saturating_sub(it.low), it.low));
    }
    all.device_tree.sort_by(|a, b| a.path.cmp(&b.path));
}

/// As in the binary policy.
fn number(behavior: FsUseBehavior) -> u32 {
    match behavior {
        FsUseBehavior::Xattr => 1,
        FsUseBehavior::Trans => 2,
        FsUseBehavior::Task => 3,
        FsUseBehavior::Other(number) => number,
    }
}
