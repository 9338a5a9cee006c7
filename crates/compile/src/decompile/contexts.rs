//! Contexts of objects.

use std::net::{IpAddr, Ipv6Addr};

use mandate_policydb::{Context, FsUseBehavior, GenfsPath, NamedPair, XenRange, capability_bit};
use mandate_syntax::kernel::ast::{
    self, FsUseKind, GenfsFileType, Ident, NumberRange, StatementKind,
};
use mandate_syntax::source::Span;

use super::Decompiler;

impl Decompiler<'_> {
    /// All contexts. Where the table has the last written first, the last is written first.
    pub(super) fn contexts(&mut self) {
        let db = self.db;
        let all = &db.object_contexts;
        for it in all.initial_sids.iter().rev() {
            let name = self.sid_name(it.sid);
            let context = self.context(&it.context);
            self.writer.push(StatementKind::SidContext { name, context });
        }
        self.file_systems();
        for it in &all.ports {
            let protocol = match it.protocol {
                6 => "tcp",
                17 => "udp",
                33 => "dccp",
                132 => "sctp",
                other => {
                    self.no_source(format!("a port of protocol {other}, which has no name"));
                    continue;
                }
            };
            let protocol = self.writer.ident(protocol);
            let (ports, context) = (range(it.low, it.high), self.context(&it.context));
            self.writer.push(StatementKind::PortCon { protocol, ports, context });
        }
        for it in all.netifs.iter().rev() {
            let (name, interface) = (self.text(&it.name), self.context(&it.context));
            let packets = self.context(&it.second);
            self.writer.push(StatementKind::NetifCon { name, interface, packets });
        }
        for it in &all.nodes {
            let (address, mask) = (IpAddr::V4(it.address), IpAddr::V4(it.mask));
            let context = self.context(&it.context);
            self.writer.push(StatementKind::NodeCon { address, mask, context });
        }
        for it in &all.nodes6 {
            let (address, mask) = (IpAddr::V6(it.address), IpAddr::V6(it.mask));
            let context = self.context(&it.context);
            self.writer.push(StatementKind::NodeCon { address, mask, context });
        }
        self.xen();
        for it in &all.ibpkeys {
            let subnet = Ipv6Addr::from_bits(u128::from(it.subnet_prefix) << 64);
            let (keys, context) = (range(it.low, it.high), self.context(&it.context));
            self.writer.push(StatementKind::IbPkeyCon { subnet, keys, context });
        }
        for it in &all.ibendports {
            let device = self.text(&it.device);
            let (port, context) = (range(it.port, it.port), self.context(&it.context));
            self.writer.push(StatementKind::IbEndPortCon { device, port, context });
        }
    }

    fn context(&mut self, context: &Context) -> Box<ast::Context> {
        let db = self.db;
        let range = context.range.as_ref().map(|it| self.writer.range(db, it));
        let user = self.names.users.get(context.user);
        let role = self.names.roles.get(context.role);
        let type_ = self.names.types.get(context.type_);
        let mut or = |ident: Option<Ident>| ident.unwrap_or_else(|| self.writer.ident(""));
        Box::new(ast::Context { user: or(user), role: or(role), type_: or(type_), range })
    }

    fn file_systems(&mut self) {
        let db = self.db;
        for it in db.object_contexts.fs_uses.iter().rev() {
            let kind = match it.behavior {
                FsUseBehavior::Xattr => FsUseKind::Xattr,
                FsUseBehavior::Trans => FsUseKind::Trans,
                FsUseBehavior::Task => FsUseKind::Task,
                FsUseBehavior::Other(number) => {
                    let name = String::from_utf8_lossy(&it.name);
                    self.no_source(format!(
                        "file system `{name}` is labelled in way {number}, which has no statement"
                    ));
                    continue;
                }
            };
            let (name, context) = (self.text(&it.name), self.context(&it.context));
            self.writer.push(StatementKind::FsUse { kind, name, context });
        }
        for it in db.object_contexts.filesystems.iter().rev() {
            self.device_numbers(it);
        }
        let wildcard = capability_bit("genfs_seclabel_wildcard")
            .is_some_and(|bit| db.policy_capabilities.contains(bit));
        for datum in &db.genfs {
            let fs = self.text(&datum.fstype);
            for path in &datum.paths {
                self.genfs(fs, path, wildcard);
            }
        }
    }

    /// `fscon`, whose name is two numbers.
    fn device_numbers(&mut self, it: &NamedPair) {
        let text = String::from_utf8_lossy(&it.name);
        let number = |it: &str| u32::from_str_radix(it, 16).ok();
        let numbers = text.split_once(':').and_then(|it| Some((number(it.0)?, number(it.1)?)));
        let Some((major, minor)) = numbers else {
            return self.no_source(format!("the fscon of `{text}` has no device numbers"));
        };
        let (fs, files) = (self.context(&it.context), self.context(&it.second));
        let (major, minor) = (range(major, major), range(minor, minor));
        self.writer.push(StatementKind::FsCon { major, minor, fs, files });
    }

    fn genfs(&mut self, fs: Ident, it: &GenfsPath, wildcard: bool) {
        let mut path: &[u8] = &it.path;
        if wildcard {
            match path.strip_suffix(b"*") {
                Some(prefix) => path = prefix,
                None => {
                    let text = String::from_utf8_lossy(path);
                    self.no_source(format!("the genfscon of `{text}` is for that file alone"));
                }
            }
        }
        let file_type = match it.class.map(|it| self.db.classes.name(it)).as_deref() {
            None => None,
            Some("blk_file") => Some(GenfsFileType::Block),
            Some("chr_file") => Some(GenfsFileType::Character),
            Some("dir") => Some(GenfsFileType::Directory),
            Some("fifo_file") => Some(GenfsFileType::Fifo),
            Some("lnk_file") => Some(GenfsFileType::Link),
            Some("sock_file") => Some(GenfsFileType::Socket),
            Some("file") => Some(GenfsFileType::Regular),
            Some(other) => {
                self.no_source(format!("a genfscon for objects of class `{other}`"));
                return;
            }
        };
        let (path, context) = (self.text(path), self.context(&it.context));
        self.writer.push(StatementKind::GenfsCon { fs, path, file_type, context });
    }

    fn xen(&mut self) {
        let all = &self.db.object_contexts;
        let wide = |it: &XenRange| NumberRange { low: it.low, high: it.high, span: Span::NOWHERE };
        for it in &all.pirqs {
            let (irq, context) = (wide(it), self.context(&it.context));
            self.writer.push(StatementKind::PirqCon { irq, context });
        }
        for it in &all.iomems {
            let (range, context) = (wide(it), self.context(&it.context));
            self.writer.push(StatementKind::IomemCon { range, context });
        }
        for it in &all.ioports {
            let (range, context) = (wide(it), self.context(&it.context));
            self.writer.push(StatementKind::IoportCon { range, context });
        }
        for it in &all.pci_devices {
            let (device, context) = (wide(it), self.context(&it.context));
            self.writer.push(StatementKind::PciDeviceCon { device, context });
        }
        for it in &all.device_tree {
            let (path, context) = (self.text(&it.path), self.context(&it.context));
            self.writer.push(StatementKind::DeviceTreeCon { path, context });
        }
    }
}

fn range(low: u32, high: u32) -> NumberRange {
    NumberRange { low: low.into(), high: high.into(), span: Span::NOWHERE }
}
