//! Contexts of ports, nodes, interfaces and InfiniBand.

use std::net::{IpAddr, Ipv6Addr};

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::StatementKind;

use super::{Lowerer, Res};
use crate::cil::declare::Space;
use crate::cil::world::Found;

impl<'t> Lowerer<'_, 't> {
    pub(super) fn network_label(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        use Keyword as K;
        let kind = match keyword {
            K::IpAddr => {
                let [_, address] = self.parts(statement, keyword)?;
                return self.literal_address(address).map(|_| ());
            }
            K::PortCon => {
                let [protocol, ports, context] = self.parts(statement, keyword)?;
                self.one_of(protocol, &[K::Tcp, K::Udp, K::Dccp, K::Sctp])?;
                let protocol = self.named(protocol)?;
                let ports = self.number_range(ports, true, keyword)?;
                let context = Box::new(self.context(context)?);
                StatementKind::PortCon { protocol, ports, context }
            }
            K::NodeCon => {
                let [address, mask, context] = self.parts(statement, keyword)?;
                let (address, mask_address) = (self.address(address)?, self.address(mask)?);
                let context = Box::new(self.context(context)?);
                if address.is_ipv4() != mask_address.is_ipv4() {
                    let message = "address and mask are of different families";
                    let span = self.span(mask);
                    return Err(self.tell(Diagnostic::error(Code::BadAddress, span, message)));
                }
                StatementKind::NodeCon { address, mask: mask_address, context }
            }
            K::NetifCon => {
                let [name, interface, packets] = self.parts(statement, keyword)?;
                let name = self.named(name)?;
                let interface = Box::new(self.context(interface)?);
                let packets = Box::new(self.context(packets)?);
                StatementKind::NetifCon { name, interface, packets }
            }
            K::IbPkeyCon => {
                let [subnet, keys, context] = self.parts(statement, keyword)?;
                let subnet = self.subnet(subnet)?;
                let keys = self.number_range(keys, true, keyword)?;
                let context = Box::new(self.context(context)?);
                StatementKind::IbPkeyCon { subnet, keys, context }
            }
            _ => {
                let [device, port, context] = self.parts(statement, keyword)?;
                let device = self.named(device)?;
                let port = self.number_range(port, false, keyword)?;
                let context = Box::new(self.context(context)?);
                StatementKind::IbEndPortCon { device, port, context }
            }
        };
        self.push_label(statement, kind);
        Ok(())
    }

    fn bad_address(&mut self, element: Element<'_>) -> super::Stop {
        let text = element.word().map_or("", |it| self.world.text(it));
        let message = format!("`{text}` is no address");
        let span = self.span(element);
        self.tell(Diagnostic::error(Code::BadAddress, span, message))
    }

    fn literal_address(&mut self, element: Element<'t>) -> Res<IpAddr> {
        let word = self.word(element)?;
        self.world.text(word).parse().map_err(|_| self.bad_address(element))
    }

    /// An address: in place, in parentheses, or by name.
    fn address(&mut self, element: Element<'t>) -> Res<IpAddr> {
        if element.is_list() {
            let parts: Vec<Element<'t>> = element.children().collect();
            return match parts[..] {
                [only] if !only.is_list() => self.literal_address(only),
                _ => Err(self.bad_address(element)),
            };
        }
        let word = self.word(element)?;
        if self.world.text(word).contains(['.', ':']) {
            return self.literal_address(element);
        }
        match self.find(element, Space::Addresses)? {
            Found::Anonymous(container, index) => {
                let element = self.world.element(container, index);
                self.within(container, |it| it.literal_address(element))
            }
            Found::Declared(decl) => {
                let decl = self.world.decl(decl);
                let statement = self.world.element(decl.container, decl.node);
                match statement.children().nth(2) {
                    Some(body) => self.within(decl.container, |it| it.literal_address(body)),
                    None => Err(super::Stop),
                }
            }
            Found::Text(_) | Found::Missing => Err(self.bad_address(element)),
        }
    }

    fn subnet(&mut self, element: Element<'t>) -> Res<Ipv6Addr> {
        match self.literal_address(element)? {
            IpAddr::V6(subnet) => {
                let upper = subnet.to_bits() >> 64 << 64;
                if upper != subnet.to_bits() {
                    let message = "the lower half of a subnet prefix says nothing";
                    let span = self.span(element);
                    self.tell(Diagnostic::warning(Code::Suspicious, span, message));
                }
                Ok(Ipv6Addr::from_bits(upper))
            }
            IpAddr::V4(_) => Err(self.bad_address(element)),
        }
    }
}
