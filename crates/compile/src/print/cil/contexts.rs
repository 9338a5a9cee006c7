//! Contexts of objects.

use std::io::Write;

use mandate_syntax::kernel::ast::{FsUseKind, GenfsFileType, Ident, NumberRange, StatementKind};
use mandate_syntax::source::Span;

use super::Printer;
use crate::print::not_in_form;

impl<'a> Printer<'a> {
    /// Prints the context of an object; false if `kind` is something else.
    pub(super) fn object(&mut self, span: Span, kind: &StatementKind) -> bool {
        let context = match kind {
            StatementKind::SidContext { name, context } => {
                self.open("(sidcontext ");
                self.name(*name);
                context
            }
            StatementKind::FsUse { kind, name, context } => {
                self.open(match kind {
                    FsUseKind::Xattr => "(fsuse xattr ",
                    FsUseKind::Task => "(fsuse task ",
                    FsUseKind::Trans => "(fsuse trans ",
                });
                self.raw(*name);
                context
            }
            StatementKind::FsCon { .. } => {
                self.tell(not_in_form(span, "CIL has no `fscon`"));
                return true;
            }
            StatementKind::GenfsCon { fs, path, file_type, context } => {
                self.open("(genfscon ");
                self.raw(*fs);
                self.put(" ");
                self.quoted(*path);
                self.put(match file_type {
                    None => "",
                    Some(GenfsFileType::Block) => " block",
                    Some(GenfsFileType::Character) => " char",
                    Some(GenfsFileType::Directory) => " dir",
                    Some(GenfsFileType::Fifo) => " pipe",
                    Some(GenfsFileType::Link) => " symlink",
                    Some(GenfsFileType::Socket) => " socket",
                    Some(GenfsFileType::Regular) => " file",
                });
                context
            }
            StatementKind::PortCon { protocol, ports, context } => {
                self.open("(portcon ");
                let protocol = self.unit.text(*protocol).to_ascii_lowercase();
                self.put(&protocol);
                self.put(" ");
                self.numbers(*ports);
                context
            }
            StatementKind::NetifCon { name, interface, packets } => {
                self.open("(netifcon ");
                self.raw(*name);
                self.put(" ");
                self.context(interface);
                packets
            }
            StatementKind::NodeCon { address, mask, context } => {
                self.open("");
                let written = write!(self.printed.text, "(nodecon ({address}) ({mask})");
                debug_assert!(written.is_ok(), "a vector takes all bytes");
                context
            }
            StatementKind::IbPkeyCon { subnet, keys, context } => {
                self.open("");
                let written = write!(self.printed.text, "(ibpkeycon {subnet} ");
                debug_assert!(written.is_ok(), "a vector takes all bytes");
                self.numbers(*keys);
                context
            }
            StatementKind::IbEndPortCon { device, port, context } => {
                self.open("(ibendportcon ");
                self.raw(*device);
                self.put(" ");
                self.numbers(*port);
                context
            }
            _ => return self.device(kind),
        };
        self.put(" ");
        self.context(context);
        self.put(")\n");
        true
    }

    /// A name that is not one of CIL's: only what would end it is not in it.
    fn raw(&mut self, ident: Ident) {
        let text = self.unit.text(ident);
        if text.is_empty() || text.contains(|it: char| it.is_whitespace() || "()\";".contains(it)) {
            self.bad_name(ident);
        }
        self.put(text);
    }

    fn numbers(&mut self, range: NumberRange) {
        if range.low == range.high {
            return self.number(range.low);
        }
        self.put("(");
        self.number(range.low);
        self.put(" ");
        self.number(range.high);
        self.put(")");
    }

    fn device(&mut self, kind: &StatementKind) -> bool {
        let (word, numbers, context) = match kind {
            StatementKind::PirqCon { irq, context } => ("(pirqcon ", *irq, context),
            StatementKind::IomemCon { range, context } => ("(iomemcon ", *range, context),
            StatementKind::IoportCon { range, context } => ("(ioportcon ", *range, context),
            StatementKind::PciDeviceCon { device, context } => ("(pcidevicecon ", *device, context),
            StatementKind::DeviceTreeCon { path, context } => {
                self.open("(devicetreecon ");
                self.quoted(*path);
                self.put(" ");
                self.context(context);
                self.put(")\n");
                return true;
            }
            _ => return false,
        };
        self.open(word);
        self.numbers(numbers);
        self.put(" ");
        self.context(context);
        self.put(")\n");
        true
    }
}
