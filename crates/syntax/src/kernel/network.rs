//! Contexts of ports, network interfaces, nodes, InfiniBand and devices of Xen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ast::{Ident, StatementKind};
use super::keyword::{Keyword, is_reserved};
use super::lexer::{TokenKind, is_word};
use super::numbers::{END_PORT, LONG, PKEY, PORT, WORD};
use super::parser::{Failed, Parser, Read};
use super::recovery::shortened;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

impl<'a> Parser<'a> {
    pub(super) fn object_statement(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::PortCon => self.portcon(),
            Keyword::NetifCon => self.netifcon(),
            Keyword::NodeCon => self.nodecon(),
            Keyword::IbPkeyCon => self.ibpkeycon(),
            Keyword::IbEndPortCon => self.ibendportcon(),
            _ => self.device_statement(keyword),
        }
    }

    fn device_statement(&mut self, keyword: Keyword) -> Read<StatementKind> {
        match keyword {
            Keyword::PirqCon => {
                let irq = self.number(WORD, "an interrupt number")?;
                Ok(StatementKind::PirqCon { irq, context: self.context()? })
            }
            Keyword::IomemCon => {
                let range = self.number_range(LONG, "a page frame number")?;
                Ok(StatementKind::IomemCon { range, context: self.context()? })
            }
            Keyword::IoportCon => {
                let range = self.number_range(WORD, "a port number")?;
                Ok(StatementKind::IoportCon { range, context: self.context()? })
            }
            Keyword::PciDeviceCon => {
                let device = self.number(WORD, "a device number")?;
                Ok(StatementKind::PciDeviceCon { device, context: self.context()? })
            }
            _ => {
                let path = self.path()?;
                Ok(StatementKind::DeviceTreeCon { path, context: self.context()? })
            }
        }
    }

    fn portcon(&mut self) -> Read<StatementKind> {
        const PROTOCOLS: [&str; 4] = ["tcp", "udp", "dccp", "sctp"];
        let name = self.token_bytes();
        let protocol = self.ident("a protocol")?;
        let upper = |it: &&str| it.to_ascii_uppercase().as_bytes() == name;
        if !PROTOCOLS.iter().any(|it| it.as_bytes() == name || upper(it)) {
            let message =
                format!("expected `tcp`, `udp`, `dccp` or `sctp`, found `{}`", shortened(name));
            return Err(self.reject(protocol, message));
        }
        let ports = self.number_range(PORT, "a port number")?;
        Ok(StatementKind::PortCon { protocol, ports, context: self.context()? })
    }

    fn netifcon(&mut self) -> Read<StatementKind> {
        let name = self.interface_name()?;
        let interface = self.context()?;
        let packets = self.context()?;
        Ok(StatementKind::NetifCon { name, interface, packets })
    }

    /// The name of an interface, or a pattern with `*` and `?`.
    fn interface_name(&mut self) -> Read<Ident> {
        let belongs =
            |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.' | b'*' | b'?');
        let token = self.lexer.reread(self.token, belongs);
        self.token.end = token.end;
        let bytes = self.token_bytes();
        let is_reserved = matches!(token.kind, TokenKind::Keyword(keyword) if keyword.text().len() == bytes.len());
        if is_reserved || !is_interface_name(bytes) {
            let help = "a name with `*` or `?`, or one that begins with a digit, has up to 16 letters, digits and `_`";
            return Err(self.expected_with_help("the name of a network interface", help));
        }
        let ident = self.intern(token.start, token.end, token.span)?;
        self.advance();
        Ok(ident)
    }

    fn nodecon(&mut self) -> Read<StatementKind> {
        let span = self.token.span;
        let text = self.address_text();
        let (address, mask) = match text.split_once('/') {
            Some((address, length)) => self.prefixed(address, length)?,
            None => self.address_and_mask(text)?,
        };
        self.warn_of_mask(address, mask, span);
        let address = if text.contains('/') { masked(address, mask) } else { address };
        Ok(StatementKind::NodeCon { address, mask, context: self.context()? })
    }

    /// Takes as much as an address can be for the next token.
    fn address_text(&mut self) -> &'a str {
        let belongs = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b':' | b'.' | b'/');
        self.token = self.lexer.reread(self.token, belongs);
        std::str::from_utf8(self.token_bytes()).unwrap_or_default()
    }

    /// `10.0.0.0 255.0.0.0`
    fn address_and_mask(&mut self, text: &str) -> Read<(IpAddr, IpAddr)> {
        let address = self.address(text, "IP address")?;
        self.advance();
        let what = if address.is_ipv4() { "IPv4 mask" } else { "IPv6 mask" };
        let text = self.address_text();
        let mask = self.address(text, what)?;
        if mask.is_ipv4() != address.is_ipv4() {
            return Err(self.no_address(text, what));
        }
        self.advance();
        Ok((address, mask))
    }

    /// `10.0.0.0/8`
    fn prefixed(&mut self, address: &str, length: &str) -> Read<(IpAddr, IpAddr)> {
        let address = self.address(address, "IP address")?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let digits = !length.is_empty() && length.bytes().all(|it| it.is_ascii_digit());
        match length.parse::<u32>() {
            Ok(bits) if digits && bits <= longest => {
                self.advance();
                Ok((address, mask_of(address, bits)))
            }
            _ => {
                let message = format!("`{}` is no prefix length", shortened(length.as_bytes()));
                self.report(
                    Diagnostic::error(Code::BadAddress, self.token.span, message)
                        .help(format!("it is a number up to {longest}")),
                );
                Err(Failed)
            }
        }
    }

    fn address(&mut self, text: &str, what: &str) -> Read<IpAddr> {
        match text.parse() {
            Ok(address) => Ok(address),
            Err(_) if text.bytes().any(|it| it.is_ascii_digit() || it == b':') => {
                Err(self.no_address(text, what))
            }
            Err(_) => Err(self.expected(&format!("an {what}"))),
        }
    }

    fn no_address(&mut self, text: &str, what: &str) -> Failed {
        self.fail(Code::BadAddress, format!("`{}` is no {what}", shortened(text.as_bytes())))
    }

    /// Warns of what hardly is meant.
    fn warn_of_mask(&mut self, address: IpAddr, mask: IpAddr, span: Span) {
        let hosts = !bits_of(mask);
        if hosts.wrapping_add(1) & hosts != 0 {
            let message = format!("the mask `{mask}` has gaps");
            self.report(Diagnostic::warning(Code::Suspicious, span, message));
        }
        if bits_of(address) & hosts != 0 {
            let message =
                format!("the address `{address}` has bits that the mask `{mask}` leaves out");
            let diagnostic = Diagnostic::warning(Code::Suspicious, span, message);
            self.report(if masked(address, mask) == address {
                diagnostic
            } else {
                diagnostic.help(format!("did you mean `{}`?", masked(address, mask)))
            });
        }
    }

    fn ibpkeycon(&mut self) -> Read<StatementKind> {
        let text = self.address_text();
        let subnet = match self.address(text, "IPv6 address")? {
            IpAddr::V6(subnet) => subnet,
            IpAddr::V4(_) => return Err(self.no_address(text, "IPv6 address")),
        };
        if subnet.to_bits() & u128::from(u64::MAX) != 0 {
            let message = "the lower half of a subnet prefix is zero";
            return Err(self.fail(Code::BadAddress, message));
        }
        self.advance();
        let keys = self.number_range(PKEY, "a partition key")?;
        Ok(StatementKind::IbPkeyCon { subnet, keys, context: self.context()? })
    }

    fn ibendportcon(&mut self) -> Read<StatementKind> {
        let length = self.token.end - self.token.start;
        let device = self.ident("the name of a device")?;
        if length > MAX_DEVICE_NAME {
            let message = format!("the name of a device has more than {MAX_DEVICE_NAME} bytes");
            self.report(Diagnostic::error(Code::BadName, device.span, message));
            return Err(Failed);
        }
        let port = self.number(END_PORT, "a port number")?;
        if port.low == 0 {
            self.report(Diagnostic::error(Code::BadNumber, port.span, "ports count from 1"));
            return Err(Failed);
        }
        Ok(StatementKind::IbEndPortCon { device, port, context: self.context()? })
    }
}

/// As the kernel has room for.
const MAX_DEVICE_NAME: usize = 63;

/// Does the grammar take `text` for the name of a network interface?
pub fn is_interface(text: &str) -> bool {
    is_interface_name(text.as_bytes()) && !is_reserved(text)
}

fn is_interface_name(bytes: &[u8]) -> bool {
    let pattern = bytes.iter().all(|&it| it.is_ascii_alphanumeric() || b"_*?".contains(&it))
        && bytes.len() <= 16
        && match bytes {
            [] | [b'_' | b'*' | b'?'] | [b'_', ..] => false,
            _ => !bytes.iter().all(u8::is_ascii_digit),
        };
    pattern || is_word(bytes)
}

/// The bits of an address. Those of IPv4 end the number, below ones, so that both families have masks alike.
fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(it) => u128::MAX << 32 | u128::from(it.to_bits()),
        IpAddr::V6(it) => it.to_bits(),
    }
}

fn masked(address: IpAddr, mask: IpAddr) -> IpAddr {
    match (address, mask) {
        (IpAddr::V4(address), IpAddr::V4(mask)) => IpAddr::V4(address & mask),
        (IpAddr::V6(address), IpAddr::V6(mask)) => IpAddr::V6(address & mask),
        _ => address,
    }
}

fn mask_of(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(_) => {
            IpAddr::V4(Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - bits).unwrap_or(0)))
        }
        IpAddr::V6(_) => {
            IpAddr::V6(Ipv6Addr::from_bits(u128::MAX.checked_shl(128 - bits).unwrap_or(0)))
        }
    }
}
