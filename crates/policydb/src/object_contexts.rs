//! Contexts of objects that carry no label of their own: initial SIDs, ports, nodes, interfaces, file systems, devices.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::context::Context;
use crate::ids::{ClassId, SymbolId};
use crate::version::PolicyVersion;
use crate::wire::{ReadError, Reader, Writer};

/// What kind of system a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Linux.
    Selinux,
    /// The Xen hypervisor.
    Xen,
}

/// Object contexts of either target, each list in the order of the file; those of the other target are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectContexts {
    /// `sid`: contexts of initial SIDs. Both targets.
    pub initial_sids: Vec<InitialSid>,
    /// `fscon`.
    pub filesystems: Vec<NamedPair>,
    /// `portcon`.
    pub ports: Vec<Port>,
    /// `netifcon`.
    pub netifs: Vec<NamedPair>,
    /// `nodecon` for IPv4.
    pub nodes: Vec<Node<Ipv4Addr>>,
    /// `fs_use_*`.
    pub fs_uses: Vec<FsUse>,
    /// `nodecon` for IPv6. From version 17.
    pub nodes6: Vec<Node<Ipv6Addr>>,
    /// `ibpkeycon`. From version 31.
    pub ibpkeys: Vec<IbPkey>,
    /// `ibendportcon`. From version 31.
    pub ibendports: Vec<IbEndPort>,
    /// Xen's `pirqcon`.
    pub pirqs: Vec<XenRange>,
    /// Xen's `ioportcon`.
    pub ioports: Vec<XenRange>,
    /// Xen's `iomemcon`; 64 bits wide from version 30.
    pub iomems: Vec<XenRange>,
    /// Xen's `pcidevicecon`.
    pub pci_devices: Vec<XenRange>,
    /// Xen's `devicetreecon`. From version 30.
    pub device_tree: Vec<DeviceTree>,
}

/// The context of an initial SID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialSid {
    /// Its number; its name is not in the policy.
    pub sid: u32,
    /// Its context.
    pub context: Context,
}

/// A name with two contexts: of the thing and of what comes from it (interface and packets, file system and files).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPair {
    /// The name.
    pub name: Box<[u8]>,
    /// The context of the thing itself.
    pub context: Context,
    /// The context of packets or files.
    pub second: Context,
}

/// `portcon`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The IP protocol number: 6 tcp, 17 udp, 33 dccp, 132 sctp.
    pub protocol: u32,
    /// First port.
    pub low: u32,
    /// Last port.
    pub high: u32,
    /// The context.
    pub context: Context,
}

/// `nodecon`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node<A> {
    /// The address under the mask.
    pub address: A,
    /// The mask.
    pub mask: A,
    /// The context.
    pub context: Context,
}

/// How a file system labels its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsUseBehavior {
    /// `fs_use_xattr`
    Xattr,
    /// `fs_use_trans`
    Trans,
    /// `fs_use_task`
    Task,
    /// Any other that the kernel knows by number (genfs 4, none 5, mountpoint 6, native 7).
    Other(u32),
}

/// `fs_use_*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FsUse {
    /// How files get their label.
    pub behavior: FsUseBehavior,
    /// The file system type.
    pub name: Box<[u8]>,
    /// The context of the file system.
    pub context: Context,
}

/// `ibpkeycon`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IbPkey {
    /// The subnet prefix: the first 64 bits of an IPv6 address.
    pub subnet_prefix: u64,
    /// First partition key.
    pub low: u32,
    /// Last partition key.
    pub high: u32,
    /// The context.
    pub context: Context,
}

/// `ibendportcon`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IbEndPort {
    /// The device.
    pub device: Box<[u8]>,
    /// The port.
    pub port: u32,
    /// The context.
    pub context: Context,
}

/// Numbers of a Xen resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XenRange {
    /// First number; the only one of an interrupt or a PCI device.
    pub low: u64,
    /// Last number.
    pub high: u64,
    /// The context.
    pub context: Context,
}

/// `devicetreecon`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceTree {
    /// The path.
    pub path: Box<[u8]>,
    /// The context.
    pub context: Context,
}

/// `genfscon`: contexts of the files of one file system type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenfsDatum {
    /// The file system type.
    pub fstype: Box<[u8]>,
    /// Path prefixes, in the order of the file: longest first.
    pub paths: Vec<GenfsPath>,
}

/// A path prefix with its context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenfsPath {
    /// The prefix.
    pub path: Box<[u8]>,
    /// Only objects of this class.
    pub class: Option<ClassId>,
    /// The context.
    pub context: Context,
}

impl ObjectContexts {
    /// How many lists a policy of this target and version has.
    pub(crate) fn lists(target: Target, version: PolicyVersion) -> u32 {
        match target {
            Target::Xen if version >= PolicyVersion::XPERMS => 6,
            Target::Xen => 5,
            Target::Selinux if version >= PolicyVersion::INFINIBAND => 9,
            Target::Selinux if version >= PolicyVersion::IPV6 => 7,
            Target::Selinux => 6,
        }
    }

    /// Reads the wire form.
    pub fn read(
        r: &mut Reader<'_>,
        target: Target,
        version: PolicyVersion,
    ) -> Result<Self, ReadError> {
        let initial_sids = r.list(16, |r| InitialSid::read(r, version))?;
        let rest = Self { initial_sids, ..Self::default() };
        match target {
            Target::Selinux => rest.read_selinux(r, version),
            Target::Xen => rest.read_xen(r, version),
        }
    }

    fn read_selinux(
        mut self,
        r: &mut Reader<'_>,
        version: PolicyVersion,
    ) -> Result<Self, ReadError> {
        self.filesystems = r.list(16, |r| NamedPair::read(r, version))?;
        self.ports = r.list(24, |r| Port::read(r, version))?;
        self.netifs = r.list(16, |r| NamedPair::read(r, version))?;
        self.nodes = r.list(20, |r| read_node(r, version))?;
        self.fs_uses = r.list(16, |r| FsUse::read(r, version))?;
        if version >= PolicyVersion::IPV6 {
            self.nodes6 = r.list(32, |r| read_node(r, version))?;
        }
        if version >= PolicyVersion::INFINIBAND {
            self.ibpkeys = r.list(28, |r| IbPkey::read(r, version))?;
            self.ibendports = r.list(20, |r| IbEndPort::read(r, version))?;
        }
        Ok(self)
    }

    fn read_xen(mut self, r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let wide = version >= PolicyVersion::XPERMS;
        self.pirqs = r.list(16, |r| XenRange::read(r, XenNumbers::Single, version))?;
        self.ioports = r.list(20, |r| XenRange::read(r, XenNumbers::Range, version))?;
        let iomem = if wide { XenNumbers::WideRange } else { XenNumbers::Range };
        self.iomems = r.list(20, |r| XenRange::read(r, iomem, version))?;
        self.pci_devices = r.list(16, |r| XenRange::read(r, XenNumbers::Single, version))?;
        if wide {
            self.device_tree = r.list(16, |r| DeviceTree::read(r, version))?;
        }
        Ok(self)
    }

    /// Writes the wire form.
    pub fn write(
        &self,
        w: &mut Writer<'_>,
        target: Target,
        version: PolicyVersion,
    ) -> io::Result<()> {
        write_list(w, &self.initial_sids, |w, it| it.write(w, version))?;
        match target {
            Target::Selinux => self.write_selinux(w, version),
            Target::Xen => self.write_xen(w, version),
        }
    }

    fn write_selinux(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        write_list(w, &self.filesystems, |w, it| it.write(w, version))?;
        write_list(w, &self.ports, |w, it| it.write(w, version))?;
        write_list(w, &self.netifs, |w, it| it.write(w, version))?;
        write_list(w, &self.nodes, |w, it| write_node(w, it, version))?;
        write_list(w, &self.fs_uses, |w, it| it.write(w, version))?;
        if version >= PolicyVersion::IPV6 {
            write_list(w, &self.nodes6, |w, it| write_node(w, it, version))?;
        }
        if version >= PolicyVersion::INFINIBAND {
            write_list(w, &self.ibpkeys, |w, it| it.write(w, version))?;
            write_list(w, &self.ibendports, |w, it| it.write(w, version))?;
        }
        Ok(())
    }

    fn write_xen(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        let wide = version >= PolicyVersion::XPERMS;
        write_list(w, &self.pirqs, |w, it| it.write(w, XenNumbers::Single, version))?;
        write_list(w, &self.ioports, |w, it| it.write(w, XenNumbers::Range, version))?;
        let iomem = if wide { XenNumbers::WideRange } else { XenNumbers::Range };
        write_list(w, &self.iomems, |w, it| it.write(w, iomem, version))?;
        write_list(w, &self.pci_devices, |w, it| it.write(w, XenNumbers::Single, version))?;
        if wide {
            write_list(w, &self.device_tree, |w, it| it.write(w, version))?;
        }
        Ok(())
    }

    /// Every context of every list.
    pub fn contexts(&self) -> impl Iterator<Item = &Context> {
        let pairs = self.filesystems.iter().chain(&self.netifs);
        let xen = [&self.pirqs, &self.ioports, &self.iomems, &self.pci_devices];
        (self.initial_sids.iter().map(|it| &it.context))
            .chain(pairs.flat_map(|it| [&it.context, &it.second]))
            .chain(self.ports.iter().map(|it| &it.context))
            .chain(self.nodes.iter().map(|it| &it.context))
            .chain(self.nodes6.iter().map(|it| &it.context))
            .chain(self.fs_uses.iter().map(|it| &it.context))
            .chain(self.ibpkeys.iter().map(|it| &it.context))
            .chain(self.ibendports.iter().map(|it| &it.context))
            .chain(xen.into_iter().flatten().map(|it| &it.context))
            .chain(self.device_tree.iter().map(|it| &it.context))
    }
}

fn write_list<T>(
    w: &mut Writer<'_>,
    items: &[T],
    mut write: impl FnMut(&mut Writer<'_>, &T) -> io::Result<()>,
) -> io::Result<()> {
    w.count(items.len())?;
    items.iter().try_for_each(|item| write(w, item))
}

fn read_bytes(r: &mut Reader<'_>) -> Result<Box<[u8]>, ReadError> {
    let length = r.u32()?;
    r.bytes(length).map(Into::into)
}

fn write_bytes(w: &mut Writer<'_>, bytes: &[u8]) -> io::Result<()> {
    w.count(bytes.len())?;
    w.bytes(bytes)
}

impl InitialSid {
    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        Ok(Self { sid: r.u32()?, context: Context::read(r, version)? })
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        w.u32(self.sid)?;
        self.context.write(w, version)
    }
}

impl NamedPair {
    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let name = read_bytes(r)?;
        let context = Context::read(r, version)?;
        Ok(Self { name, context, second: Context::read(r, version)? })
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        write_bytes(w, &self.name)?;
        self.context.write(w, version)?;
        self.second.write(w, version)
    }
}

impl Port {
    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let [protocol, low, high] = r.u32s()?;
        Ok(Self { protocol, low, high, context: Context::read(r, version)? })
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        w.u32s(&[self.protocol, self.low, self.high])?;
        self.context.write(w, version)
    }
}

/// An address in network byte order on the wire.
trait WireAddress: Sized {
    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError>;
    fn write(&self, w: &mut Writer<'_>) -> io::Result<()>;
}

impl WireAddress for Ipv4Addr {
    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        Ok(Self::from(r.u32()?.to_le_bytes()))
    }
    fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        w.bytes(&self.octets())
    }
}

impl WireAddress for Ipv6Addr {
    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let [low, high] = [r.u64()?, r.u64()?].map(u64::to_le_bytes);
        let mut octets = [0; 16];
        octets.iter_mut().zip(low.into_iter().chain(high)).for_each(|(to, from)| *to = from);
        Ok(Self::from(octets))
    }
    fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        w.bytes(&self.octets())
    }
}

fn read_node<A: WireAddress>(
    r: &mut Reader<'_>,
    version: PolicyVersion,
) -> Result<Node<A>, ReadError> {
    let (address, mask) = (A::read(r)?, A::read(r)?);
    Ok(Node { address, mask, context: Context::read(r, version)? })
}

fn write_node<A: WireAddress>(
    w: &mut Writer<'_>,
    node: &Node<A>,
    version: PolicyVersion,
) -> io::Result<()> {
    node.address.write(w)?;
    node.mask.write(w)?;
    node.context.write(w, version)
}

impl FsUseBehavior {
    /// The number that the kernel knows it by (`SECURITY_FS_USE_*`).
    pub fn number(self) -> u32 {
        match self {
            Self::Xattr => 1,
            Self::Trans => 2,
            Self::Task => 3,
            Self::Other(number) => number,
        }
    }

    fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Xattr,
            2 => Self::Trans,
            3 => Self::Task,
            other => Self::Other(other),
        }
    }
}

impl FsUse {
    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let at = r.offset();
        let number = r.u32()?;
        // The kernel takes no more than SECURITY_FS_USE_MAX.
        if number > 7 {
            return Err(ReadError::expected(at, "an fs_use behavior up to 7", number));
        }
        let behavior = FsUseBehavior::from_number(number);
        Ok(Self { behavior, name: read_bytes(r)?, context: Context::read(r, version)? })
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        w.u32(self.behavior.number())?;
        write_bytes(w, &self.name)?;
        self.context.write(w, version)
    }
}

impl IbPkey {
    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let subnet_prefix = r.u64()?.swap_bytes();
        let [low, high] = r.u32s()?;
        Ok(Self { subnet_prefix, low, high, context: Context::read(r, version)? })
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        w.bytes(&self.subnet_prefix.to_be_bytes())?;
        w.u32s(&[self.low, self.high])?;
        self.context.write(w, version)
    }
}

impl IbEndPort {
    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let [length, port] = r.u32s()?;
        let device = r.bytes(length)?.into();
        Ok(Self { device, port, context: Context::read(r, version)? })
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        w.count(self.device.len())?;
        w.u32(self.port)?;
        w.bytes(&self.device)?;
        self.context.write(w, version)
    }
}

/// How the numbers of a Xen resource stand on the wire.
#[derive(Clone, Copy)]
enum XenNumbers {
    Single,
    Range,
    WideRange,
}

impl XenRange {
    fn read(
        r: &mut Reader<'_>,
        numbers: XenNumbers,
        version: PolicyVersion,
    ) -> Result<Self, ReadError> {
        let (low, high) = match numbers {
            XenNumbers::Single => {
                let number = r.u32()?.into();
                (number, number)
            }
            XenNumbers::Range => (r.u32()?.into(), r.u32()?.into()),
            XenNumbers::WideRange => (r.u64()?, r.u64()?),
        };
        Ok(Self { low, high, context: Context::read(r, version)? })
    }

    fn write(
        &self,
        w: &mut Writer<'_>,
        numbers: XenNumbers,
        version: PolicyVersion,
    ) -> io::Result<()> {
        // Wider numbers are refused before writing: see `unsupported`.
        let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        match numbers {
            XenNumbers::Single => w.u32(narrow(self.low))?,
            XenNumbers::Range => w.u32s(&[narrow(self.low), narrow(self.high)])?,
            XenNumbers::WideRange => {
                w.u64(self.low)?;
                w.u64(self.high)?;
            }
        }
        self.context.write(w, version)
    }
}

impl DeviceTree {
    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        Ok(Self { path: read_bytes(r)?, context: Context::read(r, version)? })
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        write_bytes(w, &self.path)?;
        self.context.write(w, version)
    }
}

impl GenfsDatum {
    /// Reads the wire form.
    pub fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let fstype = read_bytes(r)?;
        Ok(Self { fstype, paths: r.list(20, |r| GenfsPath::read(r, version))? })
    }

    /// Writes the wire form.
    pub fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        write_bytes(w, &self.fstype)?;
        write_list(w, &self.paths, |w, it| it.write(w, version))
    }
}

impl GenfsPath {
    fn read(r: &mut Reader<'_>, version: PolicyVersion) -> Result<Self, ReadError> {
        let path = read_bytes(r)?;
        let class = ClassId::from_value(r.u32()?);
        Ok(Self { path, class, context: Context::read(r, version)? })
    }

    fn write(&self, w: &mut Writer<'_>, version: PolicyVersion) -> io::Result<()> {
        write_bytes(w, &self.path)?;
        w.u32(self.class.map_or(0, SymbolId::value))?;
        self.context.write(w, version)
    }
}
