//! Contexts of objects.

use std::io::Write;

use mandate_syntax::kernel::ast::{FsUseKind, GenfsFileType, Ident, NumberRange, StatementKind};
use mandate_syntax::kernel::{is_interface, is_name};
use mandate_syntax::source::Span;

use super::Printer;
use crate::print::hexadecimal;

impl Printer<'_> {
    /// Prints the context of an object; false if `kind` is something else.
    pub(super) fn object(&mut self, span: Span, kind: &StatementKind) -> bool {
        match kind {
            StatementKind::SidContext { name, context } => {
                self.word_and("sid ", *name);
                self.put(" ");
                self.context(context);
            }
            StatementKind::FsUse { kind, name, context } => {
                self.put(match kind {
                    FsUseKind::Xattr => "fs_use_xattr ",
                    FsUseKind::Task => "fs_use_task ",
                    FsUseKind::Trans => "fs_use_trans ",
                });
                if *kind == FsUseKind::Xattr {
                    self.file_system(*name);
                } else {
                    self.name(*name);
                }
                self.put(" ");
                self.context(context);
                self.put(";");
            }
            StatementKind::FsCon { major, minor, fs, files } => {
                self.put("fscon ");
                self.number(major.low);
                self.put(" ");
                self.number(minor.low);
                self.put(" ");
                self.context(fs);
                self.put(" ");
                self.context(files);
            }
            StatementKind::GenfsCon { fs, path, file_type, context } => {
                self.put("genfscon ");
                self.file_system(*fs);
                self.put(" ");
                self.path(*path);
                self.put(match file_type {
                    None => " ",
                    Some(GenfsFileType::Block) => " -b ",
                    Some(GenfsFileType::Character) => " -c ",
                    Some(GenfsFileType::Directory) => " -d ",
                    Some(GenfsFileType::Fifo) => " -p ",
                    Some(GenfsFileType::Link) => " -l ",
                    Some(GenfsFileType::Socket) => " -s ",
                    Some(GenfsFileType::Regular) => " -- ",
                });
                self.context(context);
            }
            _ => return self.network(kind) || self.device(span, kind),
        }
        true
    }

    /// A file system's name may begin with a digit.
    fn file_system(&mut self, ident: Ident) {
        let text = self.unit.text(ident);
        let odd = text.bytes().all(|it| it.is_ascii_alphanumeric())
            && text.starts_with(|it: char| it.is_ascii_digit())
            && !text.bytes().all(|it| it.is_ascii_digit());
        if odd { self.raw(ident) } else { self.name(ident) }
    }

    fn path(&mut self, ident: Ident) {
        let text = self.unit.text(ident);
        if !text.starts_with('/') || text.contains(['"', '\n', '\r']) {
            self.bad_name(ident, "a slash and anything but quotes and new lines");
        }
        let quoted = text.contains([' ', '\t', '\x0c']);
        self.put(if quoted { "\"" } else { "" });
        self.raw(ident);
        self.put(if quoted { "\"" } else { "" });
    }

    fn network(&mut self, kind: &StatementKind) -> bool {
        match kind {
            StatementKind::PortCon { protocol, ports, context } => {
                self.put("portcon ");
                self.raw(*protocol);
                self.put(" ");
                self.numbers(*ports);
                self.context(context);
            }
            StatementKind::NetifCon { name, interface, packets } => {
                let text = self.unit.text(*name);
                if !is_interface(text) {
                    self.bad_name(*name, "up to 16 letters, digits and `_`, with `*` and `?`");
                }
                self.put("netifcon ");
                self.raw(*name);
                self.put(" ");
                self.context(interface);
                self.put(" ");
                self.context(packets);
            }
            StatementKind::NodeCon { address, mask, context } => {
                let written = write!(self.printed.text, "nodecon {address} {mask} ");
                debug_assert!(written.is_ok(), "a vector takes all bytes");
                self.context(context);
            }
            StatementKind::IbPkeyCon { subnet, keys, context } => {
                let written = write!(self.printed.text, "ibpkeycon {subnet} ");
                debug_assert!(written.is_ok(), "a vector takes all bytes");
                self.numbers(*keys);
                self.context(context);
            }
            StatementKind::IbEndPortCon { device, port, context } => {
                self.word_and("ibendportcon ", *device);
                self.put(" ");
                self.numbers(*port);
                self.context(context);
            }
            _ => return false,
        }
        true
    }

    /// Numbers and a blank.
    fn numbers(&mut self, range: NumberRange) {
        self.number(range.low);
        if range.low != range.high {
            self.put("-");
            self.number(range.high);
        }
        self.put(" ");
    }

    fn hex_numbers(&mut self, range: NumberRange) {
        hexadecimal(&mut self.printed.text, range.low);
        if range.low != range.high {
            self.put("-");
            hexadecimal(&mut self.printed.text, range.high);
        }
        self.put(" ");
    }

    fn device(&mut self, _span: Span, kind: &StatementKind) -> bool {
        let context = match kind {
            StatementKind::PirqCon { irq, context } => {
                self.put("pirqcon ");
                self.numbers(*irq);
                context
            }
            StatementKind::IomemCon { range, context } => {
                self.put("iomemcon ");
                self.hex_numbers(*range);
                context
            }
            StatementKind::IoportCon { range, context } => {
                self.put("ioportcon ");
                self.hex_numbers(*range);
                context
            }
            StatementKind::PciDeviceCon { device, context } => {
                self.put("pcidevicecon ");
                self.hex_numbers(*device);
                context
            }
            StatementKind::DeviceTreeCon { path, context } => {
                self.put("devicetreecon ");
                self.device_path(*path);
                self.put(" ");
                context
            }
            _ => return false,
        };
        self.context(context);
        true
    }

    /// Paths of devices often have a `@`, which only quotes hold in the original's grammar.
    fn device_path(&mut self, ident: Ident) {
        let text = self.unit.text(ident);
        if text.contains(['"', '\n']) || !text.starts_with('/') {
            self.bad_name(ident, "a slash and anything but quotes and new lines");
        }
        let quoted = !text.split('/').all(|it| it.is_empty() || is_name(it));
        self.put(if quoted { "\"" } else { "" });
        self.raw(ident);
        self.put(if quoted { "\"" } else { "" });
    }
}
