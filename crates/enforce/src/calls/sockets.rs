//! Sockets (`selinux_socket_*`). Addresses are copied, and calls made on the monitor's duplicate of the socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd as _, OwnedFd};

use mandate_server::{Compute, ObjectLookup as _, Sid};
use rustc_hash::FxHashMap;
use rustix::io::Errno;
use rustix::net::{AddressFamily, Protocol, RawProtocol, SocketFlags, SocketType, sockopt};

use super::{DONE, FOLLOWED, peer, word};
use crate::access::About;
use crate::class::{Class, file, socket};
use crate::defence::{Defence, stands};
use crate::labels::{found, initial};
use crate::object::{Facts, Inode, Object, join, magic};
use crate::path::{Base, End};
use crate::supervisor::{Monitor, Reply};
use crate::sys::listener::{Answer, Notification};
use crate::sys::message;

/// What is known of sockets: their labels, and who is behind addresses.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    labels: FxHashMap<Inode, (Sid, Class)>,
    /// Who bound a name that is no file, and the number of the socket.
    abstract_names: FxHashMap<Vec<u8>, (Sid, u64)>,
    /// Who listens at a file, its birth, and the number of the socket.
    files: FxHashMap<Inode, (Sid, i128, u64)>,
    /// Who opened a file that was sent along with a message.
    pub(super) sent: FxHashMap<Inode, Sid>,
    /// Who listened where a socket was connected to.
    peers: FxHashMap<Inode, Sid>,
    /// Who listens where the last address led to.
    reached: Option<Sid>,
}

/// As many sockets are remembered; of others the label is that of whoever uses them.
pub(super) const MOST: usize = 1 << 18;

/// An address that a program names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Inet(IpAddr, u16),
    File(Vec<u8>),
    Abstract(Vec<u8>),
    /// No name yet: bind chooses one; or a family whose addresses the policy does not speak of.
    Other,
}

impl Monitor<'_> {
    pub(super) fn socket(
        &mut self,
        call: &Notification,
        family: i32,
        kind: i32,
        protocol: i32,
    ) -> Result<Reply, Errno> {
        let flags = kind & (libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK);
        let kind = kind & !flags;
        let class = class_of(family, kind, protocol);
        let label = self.socket_label(call.thread, class)?;
        self.may(call.thread, label, class, socket::create, About::Nothing)?;
        let family =
            AddressFamily::from_raw(u16::try_from(family).map_err(|_| Errno::AFNOSUPPORT)?);
        let kind = SocketType::from_raw(u32::try_from(kind).map_err(|_| Errno::INVAL)?);
        let protocol = RawProtocol::new(u32::try_from(protocol).map_err(|_| Errno::INVAL)?);
        let nonblock = if flags & libc::SOCK_NONBLOCK == 0 {
            SocketFlags::empty()
        } else {
            SocketFlags::NONBLOCK
        };
        let protocol = protocol.map(Protocol::from_raw);
        let file =
            rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC | nonblock, protocol)?;
        let facts = Facts::of(file.as_fd())?;
        if self.sockets.labels.len() >= MOST {
            self.sockets.labels.clear();
        }
        self.sockets.labels.insert(facts.inode, (label, class));
        let close_on_exec = flags & libc::SOCK_CLOEXEC != 0;
        Ok(Answer::Descriptor { file, close_on_exec, alone: false }.into())
    }

    /// Two sockets that belong together: each is asked about. They get their labels when they are used.
    pub(super) fn socket_pair(
        &mut self,
        call: &Notification,
        family: i32,
        kind: i32,
        protocol: i32,
    ) -> Result<Reply, Errno> {
        let kind = kind & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK);
        let class = class_of(family, kind, protocol);
        let label = self.socket_label(call.thread, class)?;
        self.may(call.thread, label, class, socket::create, About::Nothing)?;
        Ok(Answer::Continue.into())
    }

    /// May a thread do this to what it has open? Sockets have classes of their own.
    pub(super) fn may_open_file(
        &mut self,
        thread: i32,
        object: &Object,
        bits: u32,
    ) -> Result<(), Errno> {
        if object.facts.kind() != libc::S_IFSOCK {
            return self.may_file(thread, object, bits);
        }
        let sid = self.sid(thread)?;
        match self.label_of_socket(&object.file, object.facts.inode, sid) {
            Ok((label, class)) => self.may(thread, label, class, bits, About::Object(object)),
            // A handle of a socket's file.
            Err(Errno::BADF) => self.may_file(thread, object, bits),
            Err(why) => Err(why),
        }
    }

    /// The label of a thread's new socket (`socket_sockcreate_sid`).
    fn socket_label(&mut self, thread: i32, class: Class) -> Result<Sid, Errno> {
        let security = self.tasks.get(thread).ok_or(Errno::SRCH)?.security;
        match security.socket {
            Some(asked) => Ok(asked),
            None => self.new_socket_label(security.sid, class),
        }
    }

    fn new_socket_label(&self, sid: Sid, class: Class) -> Result<Sid, Errno> {
        let class = self.vocabulary.known(class).map(|it| it.class);
        let computed = self.server.compute(Compute::Create, sid, sid, class, None);
        computed.map_err(|_| Errno::ACCESS)
    }

    /// The monitor's duplicate of a socket, its label and its class.
    pub(super) fn open_socket(
        &mut self,
        thread: i32,
        number: i32,
    ) -> Result<(OwnedFd, Sid, Class), Errno> {
        let file = self.tasks.opened(thread, number)?;
        let facts = Facts::of(file.as_fd())?;
        if facts.kind() != libc::S_IFSOCK {
            return Err(Errno::NOTSOCK);
        }
        let sid = self.sid(thread)?;
        let (label, class) = self.label_of_socket(&file, facts.inode, sid)?;
        Ok((file, label, class))
    }

    /// The label of an open socket and its class; one that nobody knows was made by `maker`.
    pub(super) fn label_of_socket(
        &mut self,
        file: &OwnedFd,
        inode: Inode,
        maker: Sid,
    ) -> Result<(Sid, Class), Errno> {
        if let Some(known) = self.sockets.labels.get(&inode) {
            return Ok(*known);
        }
        let family = sockopt::socket_domain(file)?.as_raw();
        let kind = sockopt::socket_type(file)?.as_raw();
        let protocol = sockopt::socket_protocol(file)?.map_or(0, |it| it.as_raw().get());
        let int = |it: u32| i32::try_from(it).unwrap_or(0);
        let class = class_of(family.into(), int(kind), int(protocol));
        Ok((self.new_socket_label(maker, class)?, class))
    }

    /// A copy of an address.
    pub(super) fn address(
        &mut self,
        call: &Notification,
        at: u64,
        size: u64,
    ) -> Result<Vec<u8>, Errno> {
        let size = usize::try_from(word(size)).ok().filter(|it| *it <= 128).ok_or(Errno::INVAL)?;
        self.tasks.bytes(call.thread, at, size)
    }

    pub(super) fn bind(
        &mut self,
        call: &Notification,
        number: i32,
        at: u64,
        size: u64,
    ) -> Result<Reply, Errno> {
        let raw = self.address(call, at, size)?;
        let (file, label, class) = self.open_socket(call.thread, number)?;
        let address = Address::bound(&raw);
        self.may(call.thread, label, class, socket::bind, About::Nothing)?;
        match &address {
            Address::Inet(ip, port) => self.may_bind(call, label, class, *ip, *port)?,
            // The kernel's table of names has a line for each.
            Address::Abstract(name) | Address::File(name) if name.contains(&b'\n') => {
                return Err(Errno::INVAL);
            }
            Address::File(path) => return self.bind_file(call, &file, path),
            Address::Abstract(_) | Address::Other => {}
        }
        self.still(call)?;
        let held = stands(Defence::Held);
        let bound = if held { message::bind(file.as_fd(), &raw) } else { Ok(()) };
        // The name of somebody outside is nobody's here.
        if let Address::Abstract(name) = address
            && (bound.is_ok() || !stands(Defence::BoundNames))
        {
            let (sid, socket) = (self.sid(call.thread)?, Facts::of(file.as_fd())?.inode.number);
            self.sockets.abstract_names.insert(name, (sid, socket));
        }
        bound.map(|()| if held { DONE.into() } else { Answer::Continue.into() })
    }

    /// Ports that the kernel chooses by itself are for everybody; the others have labels.
    fn may_bind(
        &mut self,
        call: &Notification,
        label: Sid,
        class: Class,
        ip: IpAddr,
        port: u16,
    ) -> Result<(), Errno> {
        if port != 0 && !ephemeral().contains(&port) {
            let target = self.port_label(class, port);
            self.may_as(call.thread, label, target, class, socket::name_bind, About::Port(port))?;
        }
        let node = self.node_label(ip);
        self.may_as(call.thread, label, node, class, socket::node_bind, About::Port(port))
    }

    fn port_label(&self, class: Class, port: u16) -> Sid {
        let protocol = match class {
            Class::UdpSocket => libc::IPPROTO_UDP,
            Class::DccpSocket => libc::IPPROTO_DCCP,
            Class::SctpSocket => libc::IPPROTO_SCTP,
            _ => libc::IPPROTO_TCP,
        };
        let protocol = protocol.unsigned_abs();
        found(self.server, |db| db.lookup_port(protocol, port.into()))
            .unwrap_or_else(|| initial(self.server, "port"))
    }

    fn node_label(&self, ip: IpAddr) -> Sid {
        found(self.server, |db| match ip {
            IpAddr::V4(ip) => db.lookup_node(ip),
            IpAddr::V6(ip) => db.lookup_node6(ip),
        })
        .unwrap_or_else(|| initial(self.server, "node"))
    }

    /// The file that stands for the socket is made in a directory that is held.
    fn bind_file(
        &mut self,
        call: &Notification,
        socket: &OwnedFd,
        path: &[u8],
    ) -> Result<Reply, Errno> {
        let (parent, label) = self.make_socket_file(call, path)?;
        self.still(call)?;
        self.take_umask(call.thread);
        let name = join(magic(parent.directory.as_fd()).as_bytes(), &parent.name);
        message::bind(socket.as_fd(), &Address::file(&name)?)?;
        self.settle_socket_file(&parent, label);
        let sid = self.sid(call.thread)?;
        let flags =
            rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC | rustix::fs::OFlags::NOFOLLOW;
        let none = rustix::fs::Mode::empty();
        if let Ok(made) = rustix::fs::openat(&parent.directory, &*parent.name, flags, none) {
            let facts = Facts::of(made.as_fd())?;
            let number = Facts::of(socket.as_fd())?.inode.number;
            self.sockets.files.insert(facts.inode, (sid, facts.born, number));
        }
        Ok(DONE.into())
    }

    pub(super) fn connect(
        &mut self,
        call: &Notification,
        number: i32,
        at: u64,
        size: u64,
    ) -> Result<Reply, Errno> {
        let raw = self.address(call, at, size)?;
        let (file, label, class) = self.open_socket(call.thread, number)?;
        self.may(call.thread, label, class, socket::connect, About::Nothing)?;
        self.sockets.reached = None;
        let (raw, held) = self.reached(call, label, class, raw)?;
        self.still(call)?;
        if !stands(Defence::Held) {
            return Ok(Answer::Continue.into());
        }
        if let Some(peer) = self.sockets.reached.filter(|_| self.sockets.peers.len() < MOST) {
            self.sockets.peers.insert(Facts::of(file.as_fd())?.inode, peer);
        }
        match message::connect(file.as_fd(), &raw, true) {
            Err(Errno::INPROGRESS | Errno::AGAIN) if !message::is_nonblocking(file.as_fd()) => {
                Ok(self.later(call, true, move || {
                    let done = message::finish_connecting(file.as_fd(), &raw);
                    drop(held);
                    done.map(|()| DONE)
                }))
            }
            done => done.map(|()| DONE.into()),
        }
    }

    /// An address that a thread may reach, in a form that leads to what was decided about; and what that form rests on.
    pub(super) fn reached(
        &mut self,
        call: &Notification,
        label: Sid,
        class: Class,
        raw: Vec<u8>,
    ) -> Result<(Vec<u8>, Option<OwnedFd>), Errno> {
        match Address::parse(&raw) {
            Address::Inet(_, port) => {
                let connects =
                    matches!(class, Class::TcpSocket | Class::DccpSocket | Class::SctpSocket);
                if connects {
                    let target = self.port_label(class, port);
                    let bits = socket::name_connect;
                    self.may_as(call.thread, label, target, class, bits, About::Port(port))?;
                }
                Ok((raw, None))
            }
            Address::File(path) => {
                let found = self.walker(call.thread)?.walk(Base::Current, &path, FOLLOWED)?;
                self.may_walk(call.thread, &found)?;
                let End::Object(object) = found.end else { return Err(Errno::NOENT) };
                self.may_file(call.thread, &object, file::write)?;
                if object.facts.kind() != libc::S_IFSOCK {
                    return Err(Errno::CONNREFUSED);
                }
                let peer = self.sockets.files.get(&object.facts.inode);
                let peer = peer.filter(|it| it.1 == object.facts.born).copied();
                if let (Some((_, _, number)), Some(there)) = (peer, sockets())
                    && !there.iter().any(|it| it.number == number && it.is_reached(class))
                {
                    return Err(Errno::CONNREFUSED);
                }
                let peer = peer.map(|it| it.0);
                self.may_reach(call, label, class, peer)?;
                let address = Address::file(object.magic().as_bytes())?;
                Ok((address, Some(object.file)))
            }
            Address::Abstract(name) => {
                let peer = self.sockets.abstract_names.get(&name).copied();
                let peer = listener(&name, class, peer)?;
                self.may_reach(call, label, class, peer)?;
                Ok((raw, None))
            }
            Address::Other => Ok((raw, None)),
        }
    }

    /// `connectto` of a stream, `sendto` of a datagram. Whoever listens outside counts as the kernel: programs out there would act for this
    /// one.
    fn may_reach(
        &mut self,
        call: &Notification,
        label: Sid,
        class: Class,
        peer: Option<Sid>,
    ) -> Result<(), Errno> {
        let own = (!stands(Defence::Outsiders)).then(|| self.sid(call.thread)).transpose()?;
        let peer = peer.or(own).unwrap_or_else(|| initial(self.server, "kernel"));
        self.sockets.reached = Some(peer);
        let bits = if class == Class::UnixDgramSocket { socket::sendto } else { socket::connectto };
        self.may_as(call.thread, label, peer, class, bits, About::Nothing)
    }

    pub(super) fn listen(
        &mut self,
        call: &Notification,
        number: i32,
        backlog: i32,
    ) -> Result<Reply, Errno> {
        let (file, label, class) = self.open_socket(call.thread, number)?;
        self.may(call.thread, label, class, socket::listen, About::Nothing)?;
        self.still(call)?;
        rustix::net::listen(&file, backlog)?;
        Ok(DONE.into())
    }

    pub(super) fn accept(&mut self, call: &Notification, number: i32) -> Result<Reply, Errno> {
        let (_, label, class) = self.open_socket(call.thread, number)?;
        self.may(call.thread, label, class, socket::accept, About::Nothing)?;
        // It gives nothing but what comes to a socket that the program has.
        Ok(Answer::Continue.into())
    }

    pub(super) fn set_option(
        &mut self,
        call: &Notification,
        number: i32,
        (level, name): (i32, i32),
        (at, size): (u64, u64),
    ) -> Result<Reply, Errno> {
        let (file, label, class) = self.open_socket(call.thread, number)?;
        self.may(call.thread, label, class, socket::setopt, About::Nothing)?;
        let size = usize::try_from(word(size)).ok().filter(|it| *it <= 65_536);
        let value = self.tasks.bytes(call.thread, at, size.ok_or(Errno::INVAL)?)?;
        if level == libc::SOL_SOCKET {
            match name {
                // The kernel would send what lies in the monitor's memory later.
                libc::SO_ZEROCOPY => return Err(Errno::OPNOTSUPP),
                // A number of a descriptor would be the monitor's.
                libc::SO_ATTACH_BPF | libc::SO_ATTACH_REUSEPORT_EBPF => return Err(Errno::PERM),
                _ => {}
            }
        }
        let filters = [libc::SO_ATTACH_FILTER, libc::SO_ATTACH_REUSEPORT_CBPF];
        if level == libc::SOL_SOCKET && filters.contains(&name) {
            // Its program lies elsewhere in memory.
            let (count, from) = message::filter(&value).ok_or(Errno::INVAL)?;
            let program = self.tasks.bytes(call.thread, from, count * message::INSTRUCTION)?;
            self.still(call)?;
            message::set_filter(file.as_fd(), name, &program)?;
        } else {
            self.still(call)?;
            message::set_option(file.as_fd(), (level, name), &value)?;
        }
        Ok(DONE.into())
    }

    pub(super) fn shut_down(
        &mut self,
        call: &Notification,
        number: i32,
        how: i32,
    ) -> Result<Reply, Errno> {
        use rustix::net::Shutdown::{Both, Read, Write};
        let (file, label, class) = self.open_socket(call.thread, number)?;
        self.may(call.thread, label, class, socket::shutdown, About::Nothing)?;
        let how = match how {
            libc::SHUT_RD => Read,
            libc::SHUT_WR => Write,
            libc::SHUT_RDWR => Both,
            _ => return Err(Errno::INVAL),
        };
        self.still(call)?;
        rustix::net::shutdown(&file, how)?;
        Ok(DONE.into())
    }

    /// What a socket is asked about itself. The descriptor may be another one meanwhile; then the program learns what it could have asked anyway.
    /// `getsockopt`: the context of whoever is at the other end is ours to tell (`selinux_socket_getpeersec_stream`).
    pub(super) fn ask_option(
        &mut self,
        call: &Notification,
        number: i32,
        (level, name): (i32, i32),
        (to, length): (u64, u64),
    ) -> Result<Reply, Errno> {
        if (level, name) != (libc::SOL_SOCKET, libc::SO_PEERSEC) {
            if !self.exact {
                return Ok(Answer::Continue.into());
            }
            return self.look_at_socket(call, number, socket::getopt);
        }
        let (file, label, class) = self.open_socket(call.thread, number)?;
        self.may(call.thread, label, class, socket::getopt, About::Nothing)?;
        if class != Class::UnixStreamSocket {
            return Err(Errno::NOPROTOOPT);
        }
        let inode = Facts::of(file.as_fd())?.inode;
        rustix::net::getpeername(&file).map_err(|_| Errno::NOPROTOOPT)?;
        let other = peer::of(inode.number)?.map(|number| Inode { number, ..inode });
        let known = other.and_then(|it| self.sockets.labels.get(&it)).map(|it| it.0);
        let known = known.or_else(|| self.sockets.peers.get(&inode).copied());
        // Of a pair the kernel tells who made it.
        let maker = || sockopt::socket_peercred(&file).ok().map(|it| it.pid.as_raw_nonzero().get());
        let known = known.or_else(|| self.tasks.get(maker()?).map(|it| it.security.sid));
        // Somebody outside counts as the kernel.
        let label = known.unwrap_or_else(|| initial(self.server, "kernel"));
        let text = self.server.context(label).map_err(|_| Errno::NOPROTOOPT)? + "\0";
        let room = self.tasks.bytes(call.thread, length, 4)?;
        let room = i32::from_ne_bytes(room.try_into().unwrap_or_default());
        let size = i32::try_from(text.len()).unwrap_or(i32::MAX);
        self.still(call)?;
        self.tasks.write(call.thread, length, &size.to_ne_bytes())?;
        if room < size {
            return Err(Errno::RANGE);
        }
        self.tasks.write(call.thread, to, text.as_bytes())?;
        Ok(DONE.into())
    }

    pub(super) fn look_at_socket(
        &mut self,
        call: &Notification,
        number: i32,
        bits: u32,
    ) -> Result<Reply, Errno> {
        let (_, label, class) = self.open_socket(call.thread, number)?;
        self.may(call.thread, label, class, bits, About::Nothing)?;
        Ok(Answer::Continue.into())
    }
}

/// Is a socket with a name still there? Its name could be somebody else's then.
fn is_there(socket: u64) -> bool {
    if !stands(Defence::LivingNames) {
        return true;
    }
    sockets().is_some_and(|it| it.iter().any(|it| it.number == socket))
}

impl Address {
    /// An address for a socket itself: the kernel takes one without a family for one of the internet (`__inet_bind`).
    fn bound(raw: &[u8]) -> Self {
        let family = raw.get(..2).and_then(|it| it.try_into().ok()).map_or(0, u16::from_ne_bytes);
        if i32::from(family) != libc::AF_UNSPEC || raw.len() < 16 || !stands(Defence::Families) {
            return Self::parse(raw);
        }
        let mut raw = raw.to_vec();
        raw[..2].copy_from_slice(&u16::try_from(libc::AF_INET).unwrap_or_default().to_ne_bytes());
        Self::parse(&raw)
    }

    fn parse(raw: &[u8]) -> Self {
        let family = raw.get(..2).and_then(|it| it.try_into().ok()).map_or(0, u16::from_ne_bytes);
        let port = raw.get(2..4).and_then(|it| it.try_into().ok()).map_or(0, u16::from_be_bytes);
        match i32::from(family) {
            libc::AF_INET => {
                let ip = raw.get(4..8).and_then(|it| <[u8; 4]>::try_from(it).ok());
                ip.map_or(Self::Other, |it| Self::Inet(Ipv4Addr::from(it).into(), port))
            }
            libc::AF_INET6 => {
                let ip = raw.get(8..24).and_then(|it| <[u8; 16]>::try_from(it).ok());
                ip.map_or(Self::Other, |it| Self::Inet(Ipv6Addr::from(it).into(), port))
            }
            libc::AF_UNIX => match &raw[2..] {
                [] => Self::Other,
                [0, name @ ..] => Self::Abstract(name.to_vec()),
                path => {
                    let end = path.iter().position(|it| *it == 0).unwrap_or(path.len());
                    Self::File(path[..end].to_vec())
                }
            },
            _ => Self::Other,
        }
    }

    /// The address of a socket at a path.
    fn file(path: &[u8]) -> Result<Vec<u8>, Errno> {
        if path.len() > 107 {
            return Err(Errno::NAMETOOLONG);
        }
        let family = u16::try_from(libc::AF_UNIX).unwrap_or_default();
        Ok([&family.to_ne_bytes()[..], path, b"\0"].concat())
    }
}

/// Who is to be asked about a name that is no file: who bound it, or somebody outside. Where nobody listens, the kernel refuses before it asks,
/// and a name that was given up may be somebody else's.
fn listener(name: &[u8], class: Class, bound: Option<(Sid, u64)>) -> Result<Option<Sid>, Errno> {
    // The kernel's table does not show all names as they are.
    let plain = name.iter().all(|it| it.is_ascii_graphic() && *it != b'@');
    let sockets = sockets().filter(|_| plain && stands(Defence::LivingNames));
    let Some(sockets) = sockets else {
        return Ok(bound.filter(|it| is_there(it.1)).map(|it| it.0));
    };
    let has_it = |it: &&UnixSocket| {
        let same = it.name.strip_prefix('@').is_some_and(|it| it.as_bytes() == name);
        same && it.is_reached(class)
    };
    let there: Vec<u64> = sockets.iter().filter(has_it).map(|it| it.number).collect();
    if there.is_empty() {
        return Err(Errno::CONNREFUSED);
    }
    Ok(bound.filter(|it| there.contains(&it.1)).map(|it| it.0))
}

/// A socket of this machine, as /proc/net/unix shows it.
struct UnixSocket {
    number: u64,
    accepts: bool,
    /// Empty if it has none.
    name: String,
}

impl UnixSocket {
    /// Streams are reached where somebody listens.
    fn is_reached(&self, class: Class) -> bool {
        class == Class::UnixDgramSocket || self.accepts
    }
}

/// Those of this machine; none if that is not told.
fn sockets() -> Option<Vec<UnixSocket>> {
    let table = std::fs::read("/proc/net/unix").ok()?;
    let shown = String::from_utf8_lossy(&table);
    let socket = |line: &str| {
        // Num, RefCount, Protocol, Flags, Type, St, Inode, Path.
        let mut words = line.split_whitespace().skip(3);
        let flags = u32::from_str_radix(words.next()?, 16).ok()?;
        let number = words.nth(2)?.parse().ok()?;
        let name = words.next().unwrap_or_default().to_owned();
        Some(UnixSocket { number, accepts: flags & ACCEPTS != 0, name })
    };
    Some(shown.lines().filter_map(socket).collect())
}

/// `__SO_ACCEPTCON` of linux/net.h, as /proc/net/unix shows it.
const ACCEPTS: u32 = 1 << 16;

/// Ports that the kernel gives to those who ask for none.
fn ephemeral() -> std::ops::RangeInclusive<u16> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let text = text.unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|it| it.parse().ok());
    let (low, high) = (numbers.next().unwrap_or(32_768), numbers.next().unwrap_or(60_999));
    low..=high
}

/// `socket_type_to_security_class`, for policies with `extended_socket_class`.
fn class_of(family: i32, kind: i32, protocol: i32) -> Class {
    let stream = matches!(kind, libc::SOCK_STREAM | libc::SOCK_SEQPACKET);
    match family {
        libc::AF_UNIX if stream => Class::UnixStreamSocket,
        libc::AF_UNIX => Class::UnixDgramSocket,
        libc::AF_INET | libc::AF_INET6 => match (kind, protocol) {
            (libc::SOCK_STREAM | libc::SOCK_SEQPACKET, libc::IPPROTO_SCTP) => Class::SctpSocket,
            (libc::SOCK_STREAM | libc::SOCK_SEQPACKET, _) => Class::TcpSocket,
            (libc::SOCK_DGRAM, libc::IPPROTO_ICMP | libc::IPPROTO_ICMPV6) => Class::IcmpSocket,
            (libc::SOCK_DGRAM, _) => Class::UdpSocket,
            (libc::SOCK_DCCP, _) => Class::DccpSocket,
            _ => Class::RawipSocket,
        },
        libc::AF_NETLINK => match protocol {
            libc::NETLINK_ROUTE => Class::NetlinkRouteSocket,
            libc::NETLINK_SOCK_DIAG => Class::NetlinkTcpdiagSocket,
            libc::NETLINK_NFLOG => Class::NetlinkNflogSocket,
            libc::NETLINK_XFRM => Class::NetlinkXfrmSocket,
            libc::NETLINK_SELINUX => Class::NetlinkSelinuxSocket,
            libc::NETLINK_ISCSI => Class::NetlinkIscsiSocket,
            libc::NETLINK_AUDIT => Class::NetlinkAuditSocket,
            libc::NETLINK_FIB_LOOKUP => Class::NetlinkFibLookupSocket,
            libc::NETLINK_CONNECTOR => Class::NetlinkConnectorSocket,
            libc::NETLINK_NETFILTER => Class::NetlinkNetfilterSocket,
            libc::NETLINK_DNRTMSG => Class::NetlinkDnrtSocket,
            libc::NETLINK_KOBJECT_UEVENT => Class::NetlinkKobjectUeventSocket,
            libc::NETLINK_GENERIC => Class::NetlinkGenericSocket,
            libc::NETLINK_SCSITRANSPORT => Class::NetlinkScsitransportSocket,
            libc::NETLINK_RDMA => Class::NetlinkRdmaSocket,
            libc::NETLINK_CRYPTO => Class::NetlinkCryptoSocket,
            _ => Class::NetlinkSocket,
        },
        libc::AF_PACKET => Class::PacketSocket,
        libc::AF_KEY => Class::KeySocket,
        libc::AF_BLUETOOTH => Class::BluetoothSocket,
        libc::AF_ALG => Class::AlgSocket,
        libc::AF_VSOCK => Class::VsockSocket,
        libc::AF_CAN => Class::CanSocket,
        libc::AF_TIPC => Class::TipcSocket,
        libc::AF_RDS => Class::RdsSocket,
        libc::AF_XDP => Class::XdpSocket,
        _ => Class::Socket,
    }
}
