//! Names of the policy capabilities. Source: the kernel's `security/selinux/include/policycap_names.h`.

use crate::db::PolicyDb;

const NAMES: &[&str] = &[
    "network_peer_controls",
    "open_perms",
    "extended_socket_class",
    "always_check_network",
    "cgroup_seclabel",
    "nnp_nosuid_transition",
    "genfs_seclabel_symlinks",
    "ioctl_skip_cloexec",
    "userspace_initial_context",
    "netlink_xperm",
    "netif_wildcard",
    "genfs_seclabel_wildcard",
    "functionfs_seclabel",
    "memfd_class",
    "bpf_token_perms",
];

/// The bit of the policy capability of this name.
pub fn capability_bit(name: &str) -> Option<u32> {
    (0..).zip(NAMES).find(|it| *it.1 == name).map(|it| it.0)
}

/// The names of all policy capabilities, by bit.
pub fn capability_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

impl PolicyDb {
    /// Names of the policy's capabilities; one that has no name yet is `#n`.
    pub fn capability_names(&self) -> Vec<String> {
        let name = |bit: u32| {
            let known = NAMES.get(bit as usize).map(|&name| name.to_owned());
            known.unwrap_or_else(|| format!("#{bit}"))
        };
        self.policy_capabilities.iter().map(name).collect()
    }
}
