//! Object contexts of a base.

use mandate_policydb as db;
use mandate_policydb::{
    ClassId, FsUse, FsUseBehavior, GenfsDatum, GenfsPath, IbEndPort, IbPkey, InitialSid, NamedPair,
    Node, Port, RoleId, SensitivityId, SymbolId, TypeId, UserId,
};
use mandate_syntax::codes::Code;
use mandate_syntax::kernel::ast::{
    Context, FsUseKind, GenfsFileType, NumberRange, Statement, StatementKind,
};
use mandate_syntax::source::Span;
use std::net::IpAddr;

use super::Raiser;
use crate::package::sets::WrittenLevel;
use crate::package::symbols::Kind;

impl Raiser<'_> {
    pub(super) fn context_statement(&mut self, statement: &Statement) {
        use StatementKind as S;
        let is_context = matches!(
            statement.kind,
            S::SidContext { .. }
                | S::FsCon { .. }
                | S::FsUse { .. }
                | S::GenfsCon { .. }
                | S::PortCon { .. }
                | S::NetifCon { .. }
                | S::NodeCon { .. }
                | S::IbPkeyCon { .. }
                | S::IbEndPortCon { .. }
        );
        if is_context && !self.options.base {
            let message = "only a base module may have contexts of objects".to_owned();
            return self.error(Code::NotAllowedHere, statement.span, message);
        }
        match &statement.kind {
            S::SidContext { name, context } => {
                let text = self.text(*name);
                let Some(at) = self.sids.iter().position(|it| *it == text) else {
                    let message = format!("no initial SID `{text}`");
                    return self.error(Code::UnknownInitialSid, name.span, message);
                };
                let sid = u32::try_from(at + 1).unwrap_or(u32::MAX);
                if let Some(context) = self.context(context) {
                    self.db.contexts.initial_sids.push(InitialSid { sid, context });
                }
            }
            S::FsCon { major, minor, fs, files } => {
                let (context, second) = (self.context(fs), self.context(files));
                let name = format!("{:02x}:{:02x}", major.low, minor.low);
                if let (Some(context), Some(second)) = (context, second) {
                    let name = name.as_bytes().into();
                    self.db.contexts.filesystems.push(NamedPair { name, context, second });
                }
            }
            S::FsUse { kind, name, context } => {
                let behavior = match kind {
                    FsUseKind::Xattr => FsUseBehavior::Xattr,
                    FsUseKind::Task => FsUseBehavior::Task,
                    FsUseKind::Trans => FsUseBehavior::Trans,
                };
                let name = self.text(*name).as_bytes().into();
                if let Some(context) = self.context(context) {
                    self.db.contexts.fs_uses.push(FsUse { behavior, name, context });
                }
            }
            S::GenfsCon { fs, path, file_type, context } => {
                let (fs, path) = (self.text(*fs), self.text(*path));
                let Some(class) = self.genfs_class(*file_type, statement.span) else { return };
                self.genfs(fs, path, class, context);
            }
            S::NodeCon { address, mask, context } => {
                let Some(context) = self.context(context) else { return };
                match (*address, *mask) {
                    (IpAddr::V4(address), IpAddr::V4(mask)) => {
                        self.db.contexts.nodes.push(Node { address, mask, context });
                    }
                    (IpAddr::V6(address), IpAddr::V6(mask)) => {
                        self.db.contexts.nodes6.push(Node { address, mask, context });
                    }
                    _ => {}
                }
            }
            _ => self.network(statement),
        }
    }

    fn network(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::PortCon { protocol, ports, context } => {
                let protocol = match self.text(*protocol) {
                    "udp" | "UDP" => 17,
                    "dccp" | "DCCP" => 33,
                    "sctp" | "SCTP" => 132,
                    _ => 6,
                };
                let (low, high) = self.numbers(*ports, 0xffff);
                if let Some(context) = self.context(context) {
                    self.db.contexts.ports.push(Port { protocol, low, high, context });
                }
            }
            StatementKind::NetifCon { name, interface, packets } => {
                let (context, second) = (self.context(interface), self.context(packets));
                let name = self.text(*name).as_bytes().into();
                if let (Some(context), Some(second)) = (context, second) {
                    self.db.contexts.netifs.push(NamedPair { name, context, second });
                }
            }
            StatementKind::IbPkeyCon { subnet, keys, context } => {
                let (low, high) = self.numbers(*keys, 0xffff);
                let bits = u128::from(*subnet) >> 64;
                let subnet_prefix = u64::try_from(bits).unwrap_or(0);
                if let Some(context) = self.context(context) {
                    let it = IbPkey { subnet_prefix, low, high, context };
                    self.db.contexts.ibpkeys.push(it);
                }
            }
            StatementKind::IbEndPortCon { device, port, context } => {
                let (port, _) = self.numbers(*port, 0xff);
                let device = self.text(*device).as_bytes().into();
                if let Some(context) = self.context(context) {
                    self.db.contexts.ibendports.push(IbEndPort { device, port, context });
                }
            }
            _ => {}
        }
    }

    fn numbers(&mut self, range: NumberRange, most: u64) -> (u32, u32) {
        if range.low > range.high || range.high > most {
            let message = format!("a range of numbers of 0 to {most} is expected");
            self.error(Code::BadNumber, range.span, message);
        }
        let number = |it: u64| u32::try_from(it.min(most)).unwrap_or(u32::MAX);
        (number(range.low), number(range.high))
    }

    /// The class of a type of file, which is none for all of them; nothing after an error.
    fn genfs_class(
        &mut self,
        file_type: Option<GenfsFileType>,
        span: Span,
    ) -> Option<Option<ClassId>> {
        let name = match file_type {
            None => return Some(None),
            Some(GenfsFileType::Block) => "blk_file",
            Some(GenfsFileType::Character) => "chr_file",
            Some(GenfsFileType::Directory) => "dir",
            Some(GenfsFileType::Fifo) => "fifo_file",
            Some(GenfsFileType::Link) => "lnk_file",
            Some(GenfsFileType::Socket) => "sock_file",
            Some(GenfsFileType::Regular) => "file",
        };
        let class = self.db.symbols.classes.find(name).map(|it| it.value);
        if class.is_none() {
            let message = format!("no class `{name}`, which this type of file is of");
            self.error(Code::UnknownClass, span, message);
        }
        Some(ClassId::from_value(class?))
    }

    /// Longer paths stand first.
    fn genfs(&mut self, fs: &str, path: &str, class: Option<ClassId>, context: &Context) {
        let Some(context) = self.context(context) else { return };
        let genfs = &mut self.db.genfs;
        let at = genfs.partition_point(|it| *it.fstype < *fs.as_bytes());
        if genfs.get(at).is_none_or(|it| *it.fstype != *fs.as_bytes()) {
            genfs.insert(at, GenfsDatum { fstype: fs.as_bytes().into(), paths: Vec::new() });
        }
        let paths = &mut genfs[at].paths;
        let place = paths.partition_point(|it| it.path.len() >= path.len());
        paths.insert(place, GenfsPath { path: path.as_bytes().into(), class, context });
    }

    fn context(&mut self, context: &Context) -> Option<db::Context> {
        let user = self.value(Kind::Users, context.user);
        let role = self.value(Kind::Roles, context.role);
        let type_ = self.type_value(context.type_);
        let (user, role, type_) = (user?, role?, type_?);
        let range = match &context.range {
            Some(range) if self.options.mls => {
                let range = self.range(range);
                Some(db::MlsRange {
                    low: self.expanded(&range.low)?,
                    high: self.expanded(&range.high)?,
                })
            }
            None if self.options.mls => {
                let message = "a context of an MLS policy needs a range".to_owned();
                self.error(Code::MlsRequired, context.user.span, message);
                return None;
            }
            _ => None,
        };
        Some(db::Context {
            user: UserId::from_value(user)?,
            role: RoleId::from_value(role)?,
            type_: TypeId::from_value(type_)?,
            range,
        })
    }

    fn expanded(&self, level: &WrittenLevel) -> Option<db::MlsLevel> {
        let sensitivity = SensitivityId::from_value(level.sensitivity)?;
        let categories = level.bits(self.db.symbols.categories.nprim);
        Some(db::MlsLevel { sensitivity, categories })
    }
}
