//! Contexts of objects that carry no label: initial SIDs, ports, nodes, interfaces, file systems.
//!
//! Source of the look-ups: `security_port_sid`, `security_node_sid`, `security_netif_sid`, `__security_genfs_sid` and
//! `security_fs_use` in the kernel's `security/selinux/ss/services.c`.

use std::net::{Ipv4Addr, Ipv6Addr};

pub use mandate_policydb::initial_sid_name;
use mandate_policydb::{ClassId, Context, FsUseBehavior, NamedPair, PolicyDb};

/// How files of a file system get their context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsUse<'a> {
    /// As `fs_use_xattr`, `fs_use_trans` or `fs_use_task` says; the context is that of the file system.
    Behavior(FsUseBehavior, &'a Context),
    /// From `genfscon`; the context is that of its root.
    Genfs(&'a Context),
    /// Nothing is said.
    None,
}

/// Look-ups of object contexts; `None` where the policy says nothing and the initial SID of the kind applies.
pub trait ObjectLookup {
    /// The context of the initial SID of this number.
    fn lookup_initial_sid(&self, sid: u32) -> Option<&Context>;
    /// The context of the initial SID of this name.
    fn lookup_initial_sid_by_name(&self, name: &str) -> Option<&Context>;
    /// `portcon`: protocol by its IP number, 6 tcp, 17 udp, 33 dccp, 132 sctp. The first match counts.
    fn lookup_port(&self, protocol: u32, port: u32) -> Option<&Context>;
    /// `nodecon` for IPv4.
    fn lookup_node(&self, address: Ipv4Addr) -> Option<&Context>;
    /// `nodecon` for IPv6.
    fn lookup_node6(&self, address: Ipv6Addr) -> Option<&Context>;
    /// `netifcon`: contexts of the interface and its packets. With capability `netif_wildcard`, `*` and `?` match.
    fn lookup_netif(&self, name: &[u8]) -> Option<&NamedPair>;
    /// `genfscon`: the longest prefix of `path`. With capability `genfs_seclabel_wildcard`, `*` and `?` match.
    fn lookup_genfs(&self, fstype: &[u8], path: &[u8], class: Option<ClassId>) -> Option<&Context>;
    /// `fs_use_*`, else `genfscon`.
    fn lookup_fs_use(&self, fstype: &[u8]) -> FsUse<'_>;
    /// `ibpkeycon`.
    fn lookup_ibpkey(&self, subnet_prefix: u64, pkey: u32) -> Option<&Context>;
    /// `ibendportcon`.
    fn lookup_ibendport(&self, device: &[u8], port: u32) -> Option<&Context>;
}

const NETIF_WILDCARD: u32 = 10;
const GENFS_SECLABEL_WILDCARD: u32 = 11;

impl ObjectLookup for PolicyDb {
    fn lookup_initial_sid(&self, sid: u32) -> Option<&Context> {
        self.object_contexts.initial_sids.iter().find(|it| it.sid == sid).map(|it| &it.context)
    }

    fn lookup_initial_sid_by_name(&self, name: &str) -> Option<&Context> {
        let sids = &self.object_contexts.initial_sids;
        let named = |sid| initial_sid_name(self.target, sid) == Some(name);
        sids.iter().find(|it| named(it.sid)).map(|it| &it.context)
    }

    fn lookup_port(&self, protocol: u32, port: u32) -> Option<&Context> {
        let mut ports = self.object_contexts.ports.iter();
        let found = ports.find(|it| it.protocol == protocol && (it.low..=it.high).contains(&port));
        found.map(|it| &it.context)
    }

    fn lookup_node(&self, address: Ipv4Addr) -> Option<&Context> {
        let bits = |it: Ipv4Addr| it.to_bits();
        let mut nodes = self.object_contexts.nodes.iter();
        let found = nodes.find(|it| bits(address) & bits(it.mask) == bits(it.address));
        found.map(|it| &it.context)
    }

    fn lookup_node6(&self, address: Ipv6Addr) -> Option<&Context> {
        let bits = |it: Ipv6Addr| it.to_bits();
        let mut nodes = self.object_contexts.nodes6.iter();
        let found = nodes.find(|it| bits(address) & bits(it.mask) == bits(it.address));
        found.map(|it| &it.context)
    }

    fn lookup_netif(&self, name: &[u8]) -> Option<&NamedPair> {
        let wildcard = self.policy_capabilities.contains(NETIF_WILDCARD);
        let matches = |pattern: &[u8]| {
            if wildcard { glob(pattern, name) } else { pattern == name }
        };
        let mut netifs = self.object_contexts.netifs.iter();
        netifs.find(|it| matches(&it.name))
    }

    fn lookup_genfs(&self, fstype: &[u8], path: &[u8], class: Option<ClassId>) -> Option<&Context> {
        let doubled = path.iter().zip(path.iter().skip(1)).take_while(|&it| it == (&b'/', &b'/'));
        let path = path.get(doubled.count()..).unwrap_or_default();
        let wildcard = self.policy_capabilities.contains(GENFS_SECLABEL_WILDCARD);
        let matches = |prefix: &[u8]| {
            if wildcard { glob(prefix, path) } else { path.starts_with(prefix) }
        };
        let genfs = self.genfs.iter().find(|it| &*it.fstype == fstype)?;
        // The kernel orders by length when it loads; a file may have any order.
        let hits = genfs
            .paths
            .iter()
            .filter(|it| (it.class.is_none() || it.class == class) && matches(&it.path));
        hits.rev().max_by_key(|it| it.path.len()).map(|it| &it.context)
    }

    fn lookup_fs_use(&self, fstype: &[u8]) -> FsUse<'_> {
        let mut uses = self.object_contexts.fs_uses.iter();
        if let Some(found) = uses.find(|it| &*it.name == fstype) {
            return FsUse::Behavior(found.behavior, &found.context);
        }
        let dir = self.classes.id("dir");
        self.lookup_genfs(fstype, b"/", dir).map_or(FsUse::None, FsUse::Genfs)
    }

    fn lookup_ibpkey(&self, subnet_prefix: u64, pkey: u32) -> Option<&Context> {
        let mut pkeys = self.object_contexts.ibpkeys.iter();
        let found = pkeys
            .find(|it| it.subnet_prefix == subnet_prefix && (it.low..=it.high).contains(&pkey));
        found.map(|it| &it.context)
    }

    fn lookup_ibendport(&self, device: &[u8], port: u32) -> Option<&Context> {
        let mut ports = self.object_contexts.ibendports.iter();
        ports.find(|it| &*it.device == device && it.port == port).map(|it| &it.context)
    }
}

/// Does `pattern` match all of `text`: `*` any bytes, `?` any one?
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || text.get(t) == Some(&byte) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_p, star_t)) = star else { return false };
                star = Some((star_p, star_t + 1));
                p = star_p + 1;
                t = star_t + 1;
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn glob_matches_whole_texts() {
        for (pattern, text, matches) in [
            ("", "", true),
            ("*", "", true),
            ("eth?", "eth0", true),
            ("eth?", "eth10", false),
            ("eth*", "eth10", true),
            ("*0", "eth10", true),
            ("a*b*c", "axxbyybc", true),
            ("a*b*c", "axxbyyb", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), matches, "{pattern} {text}");
        }
    }
}
