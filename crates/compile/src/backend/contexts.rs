//! Contexts of objects without a label. The orders are those in which libsepol keeps them: what is decisive stays as written
//! (ports), most specific first (nodes, genfs), the rest last written first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mandate_policydb::{
    Context, DeviceTree, FsUse, FsUseBehavior, GenfsDatum, GenfsPath, IbEndPort, IbPkey,
    InitialSid, NamedPair, Node, PolicyDb, Port, RoleId, SymbolId, Target, TypeId, UserId,
    XenRange,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    self, FsUseKind, GenfsFileType, Ident, NumberRange, Statement, StatementKind,
};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use super::Feature;
use super::declare::Space;
use super::resolve::Resolver;
use super::tree::BlockId;

/// The longest name of an InfiniBand device.
const IB_NAME: usize = 63;

/// Something that was written at a place.
struct Placed<T> {
    item: T,
    span: Span,
}

/// The `genfscon` statements of a file system type.
struct Genfs {
    fstype: Box<[u8]>,
    paths: Vec<Placed<GenfsPath>>,
}

/// Contexts with their places, so that duplicates can be told.
#[derive(Default)]
struct Found {
    sids: FxHashMap<Symbol, Placed<Context>>,
    filesystems: Vec<Placed<NamedPair>>,
    ports: Vec<Placed<Port>>,
    netifs: Vec<Placed<NamedPair>>,
    nodes: Vec<Placed<Node<Ipv4Addr>>>,
    nodes6: Vec<Placed<Node<Ipv6Addr>>>,
    fs_uses: Vec<Placed<FsUse>>,
    ibpkeys: Vec<Placed<IbPkey>>,
    ibendports: Vec<Placed<IbEndPort>>,
    pirqs: Vec<Placed<XenRange>>,
    ioports: Vec<Placed<XenRange>>,
    iomems: Vec<Placed<XenRange>>,
    pci_devices: Vec<Placed<XenRange>>,
    device_tree: Vec<Placed<DeviceTree>>,
    genfs: Vec<Genfs>,
}

/// Adds the object contexts to `db`, whose symbols are complete.
pub(crate) fn object_contexts(names: &mut Resolver<'_, '_>, db: &mut PolicyDb) {
    let mut reader = Reader { names, db, found: Found::default() };
    let others: Vec<_> = reader.names.enabled_others().collect();
    for other in others {
        reader.statement(other.block, other.statement);
    }
    let found = reader.found;
    let sids = initial_sids(names, found.sids);
    let contexts = &mut db.object_contexts;
    contexts.initial_sids = sids;
    contexts.filesystems = reversed(found.filesystems);
    contexts.ports = plain(found.ports);
    contexts.netifs = reversed(found.netifs);
    contexts.nodes = plain(found.nodes);
    contexts.nodes6 = plain(found.nodes6);
    contexts.fs_uses = reversed(found.fs_uses);
    contexts.ibpkeys = plain(found.ibpkeys);
    contexts.ibendports = plain(found.ibendports);
    contexts.pirqs = plain(found.pirqs);
    contexts.ioports = plain(found.ioports);
    contexts.iomems = plain(found.iomems);
    contexts.pci_devices = plain(found.pci_devices);
    contexts.device_tree = plain(found.device_tree);
    let genfs = found.genfs.into_iter();
    db.genfs = genfs.map(|it| GenfsDatum { fstype: it.fstype, paths: plain(it.paths) }).collect();
    db.genfs.sort_by(|a, b| a.fstype.cmp(&b.fstype));
}

fn plain<T>(list: Vec<Placed<T>>) -> Vec<T> {
    list.into_iter().map(|it| it.item).collect()
}

fn reversed<T>(list: Vec<Placed<T>>) -> Vec<T> {
    list.into_iter().rev().map(|it| it.item).collect()
}

/// In the order of declaration counted from 1, the last first; those without a context are left out.
fn initial_sids(
    names: &Resolver<'_, '_>,
    mut found: FxHashMap<Symbol, Placed<Context>>,
) -> Vec<InitialSid> {
    let declared = names.declared.space(Space::InitialSids).list.iter().zip(1..);
    let sids = declared
        .filter_map(|(it, sid)| Some(InitialSid { sid, context: found.remove(&it.name)?.item }));
    let mut sids: Vec<InitialSid> = sids.collect();
    sids.reverse();
    sids
}

struct Reader<'x, 'a, 'r> {
    names: &'x mut Resolver<'a, 'r>,
    db: &'x PolicyDb,
    found: Found,
}

impl Reader<'_, '_, '_> {
    fn statement(&mut self, block: BlockId, statement: &Statement) {
        use StatementKind as S;
        let span = statement.span;
        let (target, read): (Target, fn(&mut Self, BlockId, &Statement)) = match &statement.kind {
            S::SidContext { name, context } => return self.initial_sid(block, *name, context),
            S::FsUse { .. } | S::GenfsCon { .. } | S::FsCon { .. } => {
                (Target::Selinux, Self::file_system)
            }
            S::PortCon { .. } | S::NetifCon { .. } | S::NodeCon { .. } => {
                (Target::Selinux, Self::network)
            }
            S::IbPkeyCon { .. } | S::IbEndPortCon { .. } => {
                self.names.features.note(Feature::Infiniband, span);
                (Target::Selinux, Self::infiniband)
            }
            S::PirqCon { .. }
            | S::IomemCon { .. }
            | S::IoportCon { .. }
            | S::PciDeviceCon { .. }
            | S::DeviceTreeCon { .. } => (Target::Xen, Self::xen),
            _ => return,
        };
        if self.target(target, span) {
            read(self, block, statement);
        }
    }

    fn target(&mut self, wanted: Target, span: Span) -> bool {
        let fits = self.names.options.target == wanted;
        if !fits {
            let message = match wanted {
                Target::Selinux => "the statement is of Linux policies, but this is one for Xen",
                Target::Xen => "the statement is of Xen policies, but this is one for Linux",
            };
            self.names.report.add(Diagnostic::error(Code::NotAllowedHere, span, message));
        }
        fits
    }

    fn context(&mut self, block: BlockId, context: &ast::Context) -> Option<Context> {
        let user = self.names.user(block, context.user);
        let role = self.names.role(block, context.role);
        let type_ = self.names.plain_type(block, context.type_);
        let range = match (&context.range, self.names.options.mls) {
            (Some(range), true) => Some(self.names.range(block, range)?),
            (None, false) => None,
            (Some(range), false) => {
                let message = "a context with a level in a policy without MLS";
                self.names.report.add(
                    Diagnostic::error(Code::MlsDisabled, range.span, message)
                        .help("build the policy with MLS, or leave the level out"),
                );
                return None;
            }
            (None, true) => {
                let message = "a context without a level in a policy with MLS";
                self.names.report.add(
                    Diagnostic::error(Code::MlsRequired, context.type_.span, message)
                        .help("add `:` and a level or range"),
                );
                return None;
            }
        };
        let found = Context {
            user: UserId::from_value(user?)?,
            role: RoleId::from_value(role?)?,
            type_: TypeId::from_value(type_?)?,
            range,
        };
        if self.db.context_is_valid(&found) {
            return Some(found);
        }
        // A user in error is missing in the table and has been told.
        if self.db.users.get(found.user).is_some() {
            self.invalid(context, &found);
        }
        None
    }

    fn invalid(&mut self, written: &ast::Context, found: &Context) {
        let (db, explicit) = (self.db, self.names.is_explicit());
        let (user, role) = (db.users.name(found.user), db.roles.name(found.role));
        let type_ = db.types.name(found.type_);
        let may_type = db.roles.get(found.role).is_some_and(|it| it.types.has(found.type_));
        let may_role = db.users.get(found.user).is_some_and(|it| it.roles.has(found.role));
        let text = db.context_to_string(found);
        let message = format!("the policy does not allow the context `{text}`");
        let at =
            |ident: Ident| Diagnostic::error(Code::InvalidContext, ident.span, message.clone());
        let error = if !may_type {
            at(written.type_).label(format!("role `{role}` may not have type `{type_}`")).help(
                if explicit {
                    format!("write `(roletype {role} {type_})`")
                } else {
                    format!("write `role {role} types {type_};`")
                },
            )
        } else if !may_role {
            at(written.role)
                .label(format!("user `{user}` may not have role `{role}`"))
                .help(format!("add `{role}` to the roles of user `{user}`"))
        } else {
            let range = db.users.get(found.user).and_then(|it| it.range.as_ref());
            let range = range.map_or(String::new(), |it| db.range_to_string(it));
            at(written.user).label(format!("the range of user `{user}` is `{range}`"))
        };
        self.names.report.add(error);
    }

    fn duplicate(&mut self, span: Span, before: Span, message: String) {
        self.names.report.add(
            Diagnostic::error(Code::ConflictingRule, span, message)
                .and(before, "the earlier statement"),
        );
    }

    fn initial_sid(&mut self, block: BlockId, name: Ident, context: &ast::Context) {
        let symbol = self.names.tree.part(block).name(name);
        if self.names.declared.first(Space::InitialSids, symbol).is_none() {
            self.names.unknown_initial_sid(block, name);
        }
        let Some(item) = self.context(block, context) else { return };
        match self.found.sids.get(&symbol) {
            Some(before) => {
                let text = self.names.tree.names.name(symbol);
                let (before, text) = (before.span, text.to_owned());
                let message = format!("initial SID `{text}` is given a context twice");
                self.duplicate(name.span, before, message);
            }
            None => {
                self.found.sids.insert(symbol, Placed { item, span: name.span });
            }
        }
    }

    fn bytes(&self, block: BlockId, ident: Ident) -> Box<[u8]> {
        self.names.tree.part(block).text(ident).as_bytes().into()
    }

    fn file_system(&mut self, block: BlockId, statement: &Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::FsUse { kind, name, context } => {
                let Some(context) = self.context(block, context) else { return };
                let behavior = match kind {
                    FsUseKind::Xattr => FsUseBehavior::Xattr,
                    FsUseKind::Task => FsUseBehavior::Task,
                    FsUseKind::Trans => FsUseBehavior::Trans,
                };
                let item = FsUse { behavior, name: self.bytes(block, *name), context };
                let explicit = self.names.is_explicit();
                let same = |it: &&Placed<FsUse>| {
                    it.item.name == item.name && (!explicit || it.item.behavior == behavior)
                };
                if let Some(before) = self.found.fs_uses.iter().find(same).map(|it| it.span) {
                    let text = String::from_utf8_lossy(&item.name);
                    let message = format!("a second fs_use statement for `{text}`");
                    return self.duplicate(span, before, message);
                }
                self.found.fs_uses.push(Placed { item, span });
            }
            StatementKind::FsCon { major, minor, fs, files } => {
                let fs = self.context(block, fs);
                let (Some(context), Some(second)) = (fs, self.context(block, files)) else {
                    return;
                };
                let name = format!("{:02x}:{:02x}", major.low, minor.low);
                let item = NamedPair { name: name.as_bytes().into(), context, second };
                self.found.filesystems.push(Placed { item, span });
            }
            StatementKind::GenfsCon { fs, path, file_type, context } => {
                self.genfs(block, span, *fs, *path, *file_type, context);
            }
            _ => {}
        }
    }

    fn genfs(
        &mut self,
        block: BlockId,
        span: Span,
        fs: Ident,
        path: Ident,
        file_type: Option<GenfsFileType>,
        context: &ast::Context,
    ) {
        let class = match file_type.map(file_class) {
            Some(name) => match self.names.class_named(name, span) {
                None => return,
                class => class,
            },
            None => None,
        };
        let Some(context) = self.context(block, context) else { return };
        let (fstype, mut name) = (self.bytes(block, fs), self.bytes(block, path).into_vec());
        let wildcard = mandate_policydb::capability_bit("genfs_seclabel_wildcard");
        if wildcard.is_some_and(|bit| self.db.policy_capabilities.contains(bit)) {
            name.push(b'*');
        }
        let at = self.found.genfs.iter().position(|it| it.fstype == fstype).unwrap_or_else(|| {
            self.found.genfs.push(Genfs { fstype, paths: Vec::new() });
            self.found.genfs.len() - 1
        });
        let paths = &mut self.found.genfs[at].paths;
        let same = |it: &&Placed<GenfsPath>| {
            let item = &it.item;
            *item.path == *name && (class.is_none() || item.class.is_none() || item.class == class)
        };
        if let Some(before) = paths.iter().find(same).map(|it| it.span) {
            let message = format!("a second genfscon for `{}`", String::from_utf8_lossy(&name));
            return self.duplicate(span, before, message);
        }
        let place = paths.partition_point(|it| it.item.path.len() >= name.len());
        let item = GenfsPath { path: name.into(), class, context };
        paths.insert(place, Placed { item, span });
    }

    fn numbers(&mut self, range: NumberRange, most: u64, what: &str) -> Option<(u32, u32)> {
        let ends = (u32::try_from(range.low), u32::try_from(range.high));
        let message = match ends {
            (Ok(low), Ok(high)) if range.high <= most && low <= high => return Some((low, high)),
            _ if range.low > range.high => {
                format!("the range {}-{} does not ascend", range.low, range.high)
            }
            _ => format!("a {what} is at most {most}"),
        };
        self.names.report.add(Diagnostic::error(Code::BadNumber, range.span, message));
        None
    }

    fn network(&mut self, block: BlockId, statement: &Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::PortCon { protocol, ports, context } => {
                let Some(protocol_number) = self.protocol(block, *protocol) else { return };
                let ports = self.numbers(*ports, 65535, "port");
                let context = self.context(block, context);
                let (Some((low, high)), Some(context)) = (ports, context) else { return };
                let hides = |it: &&Placed<Port>| {
                    let item = &it.item;
                    item.protocol == protocol_number && item.low <= low && item.high >= high
                };
                if let Some(before) = self.found.ports.iter().find(hides).map(|it| it.span) {
                    let text = self.names.tree.part(block).text(*protocol);
                    let message =
                        format!("an earlier portcon has all of {text} {low}-{high} already");
                    return self.duplicate(span, before, message);
                }
                let item = Port { protocol: protocol_number, low, high, context };
                self.found.ports.push(Placed { item, span });
            }
            StatementKind::NetifCon { name, interface, packets } => {
                let interface = self.context(block, interface);
                let packets = self.context(block, packets);
                let (Some(context), Some(second)) = (interface, packets) else { return };
                let name = self.bytes(block, *name);
                let same = |it: &&Placed<NamedPair>| it.item.name == name;
                if let Some(before) = self.found.netifs.iter().find(same).map(|it| it.span) {
                    let message =
                        format!("a second netifcon for `{}`", String::from_utf8_lossy(&name));
                    return self.duplicate(span, before, message);
                }
                let item = NamedPair { name, context, second };
                self.found.netifs.push(Placed { item, span });
            }
            StatementKind::NodeCon { address, mask, context } => {
                let Some(context) = self.context(block, context) else { return };
                self.node(span, *address, *mask, context);
            }
            _ => {}
        }
    }

    fn protocol(&mut self, block: BlockId, ident: Ident) -> Option<u32> {
        let text = self.names.tree.part(block).text(ident);
        match text {
            "tcp" | "TCP" => Some(6),
            "udp" | "UDP" => Some(17),
            "dccp" | "DCCP" => Some(33),
            "sctp" | "SCTP" => Some(132),
            other => {
                let message = format!("`{other}` is no protocol of portcon");
                self.names.report.add(
                    Diagnostic::error(Code::UnexpectedToken, ident.span, message)
                        .help("it is one of tcp, udp, dccp and sctp"),
                );
                None
            }
        }
    }

    fn node(&mut self, span: Span, address: IpAddr, mask: IpAddr, context: Context) {
        match (address, mask) {
            (IpAddr::V4(address), IpAddr::V4(mask)) => {
                // Masks compare as the numbers they are in the memory of a little endian machine.
                let rank = |it: Ipv4Addr| u32::from_le_bytes(it.octets());
                let before =
                    insert_node(&mut self.found.nodes, span, (address, mask, context), rank);
                if let Some(before) = before {
                    self.duplicate(span, before, format!("a second nodecon for {address} {mask}"));
                }
            }
            (IpAddr::V6(address), IpAddr::V6(mask)) => {
                self.names.features.note(Feature::Ipv6, span);
                let rank = |it: Ipv6Addr| it.octets();
                let before =
                    insert_node(&mut self.found.nodes6, span, (address, mask, context), rank);
                if let Some(before) = before {
                    self.duplicate(span, before, format!("a second nodecon for {address} {mask}"));
                }
            }
            _ => {
                let message = "address and mask are of different families";
                self.names.report.add(Diagnostic::error(Code::BadAddress, span, message));
            }
        }
    }

    fn infiniband(&mut self, block: BlockId, statement: &Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::IbPkeyCon { subnet, keys, context } => {
                let keys = self.numbers(*keys, 0xffff, "partition key");
                let context = self.context(block, context);
                let (Some((low, high)), Some(context)) = (keys, context) else { return };
                let bits = subnet.to_bits();
                let Ok(subnet_prefix) = u64::try_from(bits >> 64) else { return };
                if bits << 64 != 0 {
                    let message = "the lower half of a subnet prefix is not 0";
                    self.names.report.add(Diagnostic::error(Code::BadAddress, span, message));
                    return;
                }
                let hides = |it: &&Placed<IbPkey>| {
                    let item = &it.item;
                    item.subnet_prefix == subnet_prefix && item.low <= low && item.high >= high
                };
                if let Some(before) = self.found.ibpkeys.iter().find(hides).map(|it| it.span) {
                    let message = format!("an earlier ibpkeycon has all of {low}-{high} already");
                    return self.duplicate(span, before, message);
                }
                let item = IbPkey { subnet_prefix, low, high, context };
                self.found.ibpkeys.push(Placed { item, span });
            }
            StatementKind::IbEndPortCon { device, port, context } => {
                let port = self.numbers(*port, 255, "port of a device");
                let context = self.context(block, context);
                let (Some((port, _)), Some(context)) = (port, context) else { return };
                let device_name = self.bytes(block, *device);
                if device_name.len() > IB_NAME || port == 0 {
                    let message = if port == 0 {
                        "a port of a device is at least 1"
                    } else {
                        "the name of a device has at most 63 bytes"
                    };
                    let error = Diagnostic::error(Code::BadNumber, device.span, message);
                    self.names.report.add(error);
                    return;
                }
                let same =
                    |it: &&Placed<IbEndPort>| it.item.port == port && it.item.device == device_name;
                if let Some(before) = self.found.ibendports.iter().find(same).map(|it| it.span) {
                    let message = format!("a second ibendportcon for port {port}");
                    return self.duplicate(span, before, message);
                }
                let item = IbEndPort { device: device_name, port, context };
                self.found.ibendports.push(Placed { item, span });
            }
            _ => {}
        }
    }

    fn xen(&mut self, block: BlockId, statement: &Statement) {
        use StatementKind as S;
        let span = statement.span;
        let (range, context, most) = match &statement.kind {
            S::PirqCon { irq, context } => (*irq, context, u64::from(u32::MAX)),
            S::IomemCon { range, context } => {
                if range.high > u64::from(u32::MAX) {
                    self.names.features.note(Feature::WideIomem, span);
                }
                (*range, context, u64::MAX)
            }
            S::IoportCon { range, context } => (*range, context, u64::from(u32::MAX)),
            S::PciDeviceCon { device, context } => (*device, context, u64::from(u32::MAX)),
            S::DeviceTreeCon { path, context } => {
                self.names.features.note(Feature::DeviceTree, span);
                return self.device_tree(block, span, *path, context);
            }
            _ => return,
        };
        let Some(context) = self.context(block, context) else { return };
        if range.low > range.high || range.high > most {
            let message = format!("the range {:#x}-{:#x} is not one", range.low, range.high);
            self.names.report.add(Diagnostic::error(Code::BadNumber, range.span, message));
            return;
        }
        let list = match &statement.kind {
            S::PirqCon { .. } => &mut self.found.pirqs,
            S::IomemCon { .. } => &mut self.found.iomems,
            S::IoportCon { .. } => &mut self.found.ioports,
            _ => &mut self.found.pci_devices,
        };
        let explicit = self.names.is_explicit();
        let overlaps = |it: &&Placed<XenRange>| {
            if explicit {
                (it.item.low, it.item.high) == (range.low, range.high)
            } else {
                range.low <= it.item.high && it.item.low <= range.high
            }
        };
        if let Some(before) = list.iter().find(overlaps).map(|it| it.span) {
            let message = format!("{:#x}-{:#x} overlaps an earlier range", range.low, range.high);
            return self.duplicate(span, before, message);
        }
        let item = XenRange { low: range.low, high: range.high, context };
        list.push(Placed { item, span });
    }

    fn device_tree(&mut self, block: BlockId, span: Span, path: Ident, context: &ast::Context) {
        let Some(context) = self.context(block, context) else { return };
        let path = self.bytes(block, path);
        let same = |it: &&Placed<DeviceTree>| it.item.path == path;
        if let Some(before) = self.found.device_tree.iter().find(same).map(|it| it.span) {
            let message =
                format!("a second devicetreecon for `{}`", String::from_utf8_lossy(&path));
            return self.duplicate(span, before, message);
        }
        self.found.device_tree.push(Placed { item: DeviceTree { path, context }, span });
    }
}

/// Inserts a node before those with a lesser mask; or gives the place of the same node.
fn insert_node<A: Copy + PartialEq, R: Ord>(
    list: &mut Vec<Placed<Node<A>>>,
    span: Span,
    (address, mask, context): (A, A, Context),
    rank: impl Fn(A) -> R,
) -> Option<Span> {
    let same = |it: &&Placed<Node<A>>| it.item.address == address && it.item.mask == mask;
    if let Some(before) = list.iter().find(same) {
        return Some(before.span);
    }
    let at = list.iter().position(|it| rank(mask) > rank(it.item.mask)).unwrap_or(list.len());
    list.insert(at, Placed { item: Node { address, mask, context }, span });
    None
}

/// The class of the files that a file type means.
fn file_class(file_type: GenfsFileType) -> &'static str {
    match file_type {
        GenfsFileType::Block => "blk_file",
        GenfsFileType::Character => "chr_file",
        GenfsFileType::Directory => "dir",
        GenfsFileType::Fifo => "fifo_file",
        GenfsFileType::Link => "lnk_file",
        GenfsFileType::Socket => "sock_file",
        GenfsFileType::Regular => "file",
    }
}
