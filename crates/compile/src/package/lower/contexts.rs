//! Object contexts of a base as statements.

use std::net::Ipv6Addr;

use mandate_policydb as db;
use mandate_policydb::{FsUseBehavior, SymbolId, Target, initial_sid_name};
use mandate_syntax::kernel::ast::{
    Context, FsUseKind, GenfsFileType, Ident, MlsRange, NumberRange, Statement, StatementKind,
};

use super::Lowerer;
use crate::package::sets::WrittenLevel;
use crate::package::symbols::Kind;

/// An initial SID beyond this number is none.
const MOST_SIDS: u32 = 1024;

/// The protocols of ports, by number.
const PROTOCOLS: [(u32, &str); 4] = [(6, "tcp"), (17, "udp"), (33, "dccp"), (132, "sctp")];

impl Lowerer<'_> {
    /// The list of initial SIDs: their order is their number.
    pub(super) fn initial_sid_names(&mut self, out: &mut Vec<Statement>) {
        let sids = &self.db.contexts.initial_sids;
        let last = sids.iter().map(|it| it.sid).max().unwrap_or(0);
        if last > MOST_SIDS {
            return self.fault(format!("there is no initial SID {last}"));
        }
        for sid in 1..=last {
            let name = self.sid_name(sid);
            self.push(out, StatementKind::InitialSid(name));
        }
    }

    fn sid_name(&mut self, sid: u32) -> Ident {
        let name = initial_sid_name(Target::Selinux, sid);
        match name {
            Some(name) => self.word(name),
            None => self.word(&format!("UNKNOWN{sid}")),
        }
    }

    pub(super) fn contexts(&mut self, out: &mut Vec<Statement>) {
        let contexts = &self.db.contexts;
        for it in &contexts.initial_sids {
            let Some(context) = self.context(&it.context) else { continue };
            let name = self.sid_name(it.sid);
            self.push(out, StatementKind::SidContext { name, context });
        }
        for it in &contexts.filesystems {
            let pair = (self.context(&it.context), self.context(&it.second));
            let (Some(fs), Some(files)) = pair else { continue };
            if let Some((major, minor)) = self.device(&it.name) {
                self.push(out, StatementKind::FsCon { major, minor, fs, files });
            }
        }
        self.fs_uses(out);
        self.genfs(out);
        self.network(out);
        for it in &contexts.ibpkeys {
            let Some(context) = self.context(&it.context) else { continue };
            let subnet = Ipv6Addr::from(u128::from(it.subnet_prefix) << 64);
            let keys = self.numbers(it.low, it.high);
            self.push(out, StatementKind::IbPkeyCon { subnet, keys, context });
        }
        for it in &contexts.ibendports {
            let pair = (self.text(&it.device), self.context(&it.context));
            let (Some(device), Some(context)) = pair else { continue };
            let port = self.numbers(it.port, it.port);
            self.push(out, StatementKind::IbEndPortCon { device, port, context });
        }
    }

    fn fs_uses(&mut self, out: &mut Vec<Statement>) {
        for it in &self.db.contexts.fs_uses {
            let kind = match it.behavior {
                FsUseBehavior::Xattr => FsUseKind::Xattr,
                FsUseBehavior::Trans => FsUseKind::Trans,
                FsUseBehavior::Task => FsUseKind::Task,
                FsUseBehavior::Other(number) => {
                    self.fault(format!("there is no fs_use of kind {number}"));
                    continue;
                }
            };
            let pair = (self.text(&it.name), self.context(&it.context));
            let (Some(name), Some(context)) = pair else { continue };
            self.push(out, StatementKind::FsUse { kind, name, context });
        }
    }

    fn genfs(&mut self, out: &mut Vec<Statement>) {
        for fs in &self.db.genfs {
            for it in &fs.paths {
                let file_type = match it.class {
                    None => None,
                    Some(class) => match self.file_type(class.value()) {
                        Some(file_type) => Some(file_type),
                        None => continue,
                    },
                };
                let texts = (self.text(&fs.fstype), self.text(&it.path));
                let ((Some(fs), Some(path)), Some(context)) = (texts, self.context(&it.context))
                else {
                    continue;
                };
                self.push(out, StatementKind::GenfsCon { fs, path, file_type, context });
            }
        }
    }

    fn file_type(&mut self, class: u32) -> Option<GenfsFileType> {
        let ident = self.name(Kind::Classes, class)?;
        let found = match self.unit.text(ident) {
            "blk_file" => GenfsFileType::Block,
            "chr_file" => GenfsFileType::Character,
            "dir" => GenfsFileType::Directory,
            "fifo_file" => GenfsFileType::Fifo,
            "lnk_file" => GenfsFileType::Link,
            "sock_file" => GenfsFileType::Socket,
            "file" => GenfsFileType::Regular,
            other => {
                let message = format!("files of file systems have no class `{other}`");
                self.fault(message);
                return None;
            }
        };
        Some(found)
    }

    fn network(&mut self, out: &mut Vec<Statement>) {
        let contexts = &self.db.contexts;
        for it in &contexts.ports {
            let Some(context) = self.context(&it.context) else { continue };
            let Some(&(_, protocol)) = PROTOCOLS.iter().find(|known| known.0 == it.protocol) else {
                self.fault(format!("ports have no protocol {}", it.protocol));
                continue;
            };
            let (protocol, ports) = (self.word(protocol), self.numbers(it.low, it.high));
            self.push(out, StatementKind::PortCon { protocol, ports, context });
        }
        for it in &contexts.netifs {
            let pair = (self.context(&it.context), self.context(&it.second));
            let (Some(interface), Some(packets)) = pair else { continue };
            if let Some(name) = self.text(&it.name) {
                self.push(out, StatementKind::NetifCon { name, interface, packets });
            }
        }
        for it in &contexts.nodes {
            let Some(context) = self.context(&it.context) else { continue };
            let (address, mask) = (it.address.into(), it.mask.into());
            self.push(out, StatementKind::NodeCon { address, mask, context });
        }
        for it in &contexts.nodes6 {
            let Some(context) = self.context(&it.context) else { continue };
            let (address, mask) = (it.address.into(), it.mask.into());
            self.push(out, StatementKind::NodeCon { address, mask, context });
        }
    }

    fn numbers(&self, low: u32, high: u32) -> NumberRange {
        NumberRange { low: low.into(), high: high.into(), span: self.span }
    }

    fn text(&mut self, bytes: &[u8]) -> Option<Ident> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(self.word(text)),
            Err(_) => {
                self.fault(format!("`{}` is no text", String::from_utf8_lossy(bytes)));
                None
            }
        }
    }

    /// A device as `fscon` has it: `major:minor` in hexadecimal.
    fn device(&mut self, name: &[u8]) -> Option<(NumberRange, NumberRange)> {
        let text = std::str::from_utf8(name).ok().and_then(|it| it.split_once(':'));
        let numbers = text.and_then(|(major, minor)| {
            let number = |it| u32::from_str_radix(it, 16).ok();
            Some((number(major)?, number(minor)?))
        });
        match numbers {
            Some((major, minor)) => Some((self.numbers(major, major), self.numbers(minor, minor))),
            None => {
                let name = String::from_utf8_lossy(name);
                self.fault(format!("`{name}` is no device"));
                None
            }
        }
    }

    fn context(&mut self, context: &db::Context) -> Option<Box<Context>> {
        let user = self.name(Kind::Users, context.user.value())?;
        let role = self.name(Kind::Roles, context.role.value())?;
        let type_ = self.name(Kind::Types, context.type_.value())?;
        let range = match &context.range {
            Some(range) if self.db.mls() => {
                let level =
                    |it: &db::MlsLevel| WrittenLevel::of(it.sensitivity.value(), &it.categories);
                let (low, high) = (level(&range.low), level(&range.high));
                let (low, high) = (self.level(&low)?, self.level(&high)?);
                Some(MlsRange { low, high, span: self.span })
            }
            _ => None,
        };
        Some(Box::new(Context { user, role, type_, range }))
    }
}
