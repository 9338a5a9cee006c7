//! Names of the initial SIDs.

use crate::object_contexts::Target;

/// Names of the initial SIDs of Linux, from 1. Source: `initial_sid_to_string.h`; those no longer in use keep their place.
const SELINUX_SIDS: &[&str] = &[
    "kernel",
    "security",
    "unlabeled",
    "fs",
    "file",
    "file_labels",
    "init",
    "any_socket",
    "port",
    "netif",
    "netmsg",
    "node",
    "igmp_packet",
    "icmp_socket",
    "tcp_socket",
    "sysctl_modprobe",
    "sysctl",
    "sysctl_fs",
    "sysctl_kernel",
    "sysctl_net",
    "sysctl_net_unix",
    "sysctl_vm",
    "sysctl_dev",
    "kmod",
    "policy",
    "scmp_packet",
    "devnull",
];

/// Names of the initial SIDs of Xen, from 1. Source: Xen's `tools/flask/policy/policy/initial_sids`.
const XEN_SIDS: &[&str] = &[
    "xen",
    "dom0",
    "domxen",
    "domio",
    "unlabeled",
    "security",
    "ioport",
    "iomem",
    "irq",
    "device",
    "domU",
    "domDM",
];

/// The name of an initial SID; the binary policy holds only its number.
pub fn initial_sid_name(target: Target, sid: u32) -> Option<&'static str> {
    let names = match target {
        Target::Selinux => SELINUX_SIDS,
        Target::Xen => XEN_SIDS,
    };
    names.get(usize::try_from(sid).ok()?.checked_sub(1)?).copied()
}
