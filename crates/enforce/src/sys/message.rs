//! Socket calls on addresses and messages that were copied from a program, byte for byte.

#![expect(unsafe_code, reason = "addresses are kept as the program wrote them")]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use rustix::io::Errno;

use super::checked;

/// Length of `struct msghdr`.
pub(crate) const HEADER: usize = size_of::<libc::msghdr>();
/// Offsets in it (bits/socket.h) of what a call writes there.
pub(crate) const ADDRESS_SIZE: u64 = 8;
pub(crate) const CONTROL_SIZE: u64 = 40;
pub(crate) const FLAGS: u64 = 48;
/// Length of `struct mmsghdr`, and where in it the size is that was sent.
pub(crate) const SEVERAL: u64 = 64;
pub(crate) const SIZE: u64 = 56;
/// A descriptor of the sender's process (linux/socket.h).
const SCM_PIDFD: i32 = 4;
/// More is not copied of one message; of a stream the rest follows, as with a buffer that is full.
pub(crate) const MOST: usize = 1 << 20;

fn errno(it: &io::Error) -> Errno {
    crate::task::error(it)
}

pub(crate) fn bind(socket: BorrowedFd<'_>, address: &[u8]) -> Result<(), Errno> {
    let size = libc::socklen_t::try_from(address.len()).unwrap_or(0);
    // SAFETY: the address is as long as is said, and lives through the call.
    let done = unsafe { libc::bind(socket.as_raw_fd(), address.as_ptr().cast(), size) };
    checked(done).map(drop).map_err(|it| errno(&it))
}

/// Connects; with `try_only` it does not wait, and leaves a socket that would wait as it was.
pub(crate) fn connect(socket: BorrowedFd<'_>, address: &[u8], try_only: bool) -> Result<(), Errno> {
    // A socket's flag is shared with the program: it is left alone, and a thread of its own waits.
    if try_only && !is_nonblocking(socket) {
        return Err(Errno::AGAIN);
    }
    let size = libc::socklen_t::try_from(address.len()).unwrap_or(0);
    // SAFETY: the address is as long as is said, and lives through the call.
    let done = unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr().cast(), size) };
    checked(done).map(drop).map_err(|it| errno(&it))
}

/// Connects, and waits.
pub(crate) fn finish_connecting(socket: BorrowedFd<'_>, address: &[u8]) -> Result<(), Errno> {
    connect(socket, address, false)
}

pub(crate) fn is_nonblocking(socket: BorrowedFd<'_>) -> bool {
    rustix::fs::fcntl_getfl(socket).is_ok_and(|it| it.contains(rustix::fs::OFlags::NONBLOCK))
}

/// Where the parts of a message lie in a program's memory, and how long they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) address: (u64, u64),
    /// As much of an address as there is room for.
    pub(crate) room_for_address: usize,
    pub(crate) vectors: (u64, usize),
    pub(crate) control: (u64, usize),
}

impl Parts {
    /// From the bytes of a `struct msghdr` of 64 bits.
    pub(crate) fn parse(header: &[u8]) -> Result<Self, Errno> {
        let word = |n: usize| {
            header
                .get(8 * n..8 * n + 8)
                .and_then(|it| it.try_into().ok())
                .map_or(0, u64::from_ne_bytes)
        };
        // Without a place for it, its length says nothing.
        let address = if word(0) == 0 { 0 } else { word(1) & 0xffff_ffff };
        let vectors = usize::try_from(word(3)).ok().filter(|it| *it <= 1024);
        let control = usize::try_from(word(5)).ok().filter(|it| *it <= 65_536);
        Ok(Self {
            room_for_address: usize::try_from(address).unwrap_or(0).min(128),
            address: (word(0), address),
            vectors: (word(2), 16 * vectors.ok_or(Errno::MSGSIZE)?),
            control: (word(4), control.ok_or(Errno::NOBUFS)?),
        })
    }
}

/// Addresses and lengths of `struct iovec`s.
pub(crate) fn vectors(bytes: &[u8]) -> impl Iterator<Item = (u64, usize)> {
    let word = |it: &[u8]| it.try_into().map_or(0, u64::from_ne_bytes);
    let pairs = bytes.chunks_exact(16);
    pairs.map(move |it| (word(&it[..8]), usize::try_from(word(&it[8..])).unwrap_or(usize::MAX)))
}

/// Something that goes along with a message.
#[derive(Debug)]
pub(crate) enum Control {
    /// Open files, or one that stands for the sender.
    Descriptors {
        kind: i32,
        files: Vec<OwnedFd>,
    },
    Other {
        level: i32,
        kind: i32,
        bytes: Vec<u8>,
    },
}

/// Reads control messages; descriptors are the monitor's duplicates.
pub(crate) fn controls(
    bytes: &[u8],
    mut open: impl FnMut(i32) -> Result<OwnedFd, Errno>,
) -> Result<Vec<Control>, Errno> {
    const HEAD: usize = size_of::<libc::cmsghdr>();
    let (mut controls, mut rest) = (Vec::new(), bytes);
    while rest.len() >= HEAD {
        let int = |at: usize| {
            rest.get(at..at + 4).and_then(|it| it.try_into().ok()).map_or(0, i32::from_ne_bytes)
        };
        let length = rest.get(..8).and_then(|it| it.try_into().ok()).map_or(0, u64::from_ne_bytes);
        let length = usize::try_from(length).ok().filter(|it| (HEAD..=rest.len()).contains(it));
        let length = length.ok_or(Errno::INVAL)?;
        let (level, kind, data) = (int(8), int(12), &rest[HEAD..length]);
        controls.push(
            if level == libc::SOL_SOCKET && matches!(kind, libc::SCM_RIGHTS | SCM_PIDFD) {
                let numbers =
                    data.chunks_exact(4).map(|it| it.try_into().map_or(-1, i32::from_ne_bytes));
                let files = numbers.map(&mut open).collect::<Result<_, _>>()?;
                Control::Descriptors { kind, files }
            } else {
                Control::Other { level, kind, bytes: data.to_vec() }
            },
        );
        rest = rest.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
    Ok(controls)
}

/// A message as a program wrote it.
#[derive(Debug)]
pub(crate) struct Message {
    /// Empty where the socket is connected.
    pub(crate) address: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) control: Vec<Control>,
}

impl Message {
    pub(crate) fn send(&self, socket: BorrowedFd<'_>, flags: i32) -> Result<usize, Errno> {
        // What is sent is this process's memory, and gone when the call ends.
        let flags = flags & !libc::MSG_ZEROCOPY;
        let mut control = self.control_bytes();
        // SAFETY: all bytes zero is a message of nothing.
        let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
        let mut vector = libc::iovec {
            iov_base: self.data.as_ptr().cast_mut().cast(),
            iov_len: self.data.len(),
        };
        header.msg_iov = &raw mut vector;
        header.msg_iovlen = 1;
        if !self.address.is_empty() {
            header.msg_name = self.address.as_ptr().cast_mut().cast();
            header.msg_namelen = libc::socklen_t::try_from(self.address.len()).unwrap_or(0);
        }
        if !control.is_empty() {
            header.msg_control = control.as_mut_ptr().cast();
            header.msg_controllen = control.len();
        }
        // SAFETY: all that the header points to is as long as it says, and lives through the call, which only reads it.
        let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, flags) };
        checked(sent as i64).map(|it| usize::try_from(it).unwrap_or(0)).map_err(|it| errno(&it))
    }

    fn control_bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for control in &self.control {
            match control {
                Control::Descriptors { kind, files } => {
                    let numbers = files.iter().flat_map(|it| it.as_raw_fd().to_ne_bytes());
                    let numbers: Vec<u8> = numbers.collect();
                    push_control(&mut all, (libc::SOL_SOCKET, *kind), &numbers);
                }
                Control::Other { level, kind, bytes } => {
                    push_control(&mut all, (*level, *kind), bytes);
                }
            }
        }
        all
    }
}

/// Appends a control message.
pub(crate) fn push_control(all: &mut Vec<u8>, (level, kind): (i32, i32), data: &[u8]) {
    all.extend((size_of::<libc::cmsghdr>() + data.len()).to_ne_bytes());
    all.extend(level.to_ne_bytes());
    all.extend(kind.to_ne_bytes());
    all.extend(data);
    all.resize(all.len().next_multiple_of(8), 0);
}

/// As much as a program takes of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) address: usize,
    pub(crate) data: usize,
    pub(crate) control: usize,
}

/// A message that came.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) address: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) control: Vec<Control>,
    /// What the call gives: with `MSG_TRUNC` more than there was room for.
    pub(crate) length: usize,
    /// What is said of the message (`msg_flags`).
    pub(crate) flags: i32,
}

/// Receives a message without waiting for it. Descriptors are this process's own.
pub(crate) fn receive(socket: BorrowedFd<'_>, room: &Room, flags: i32) -> Result<Received, Errno> {
    let mut address = vec![0_u8; 128];
    let mut data = vec![0_u8; room.data];
    let mut control = vec![0_u64; room.control.div_ceil(8)];
    // SAFETY: all bytes zero is a message of nothing.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    let mut vector = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    if room.address > 0 {
        header.msg_name = address.as_mut_ptr().cast();
        header.msg_namelen = libc::socklen_t::try_from(address.len()).unwrap_or(0);
    }
    if room.control > 0 {
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = room.control;
    }
    let own = flags | libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: all that the header points to is as long as it says, and lives through the call.
    let got = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, own) };
    let length = checked(got as i64).map_err(|it| errno(&it))?;
    let length = usize::try_from(length).unwrap_or(0);
    data.truncate(length);
    address.truncate(usize::try_from(header.msg_namelen).unwrap_or(0));
    let bytes: Vec<u8> = control.iter().flat_map(|it| it.to_ne_bytes()).collect();
    let bytes = &bytes[..header.msg_controllen.min(bytes.len())];
    // SAFETY: the kernel gave these descriptors to this process, and nobody else knows of them.
    let own = |number| Ok(unsafe { OwnedFd::from_raw_fd(number) });
    Ok(Received { address, data, control: controls(bytes, own)?, length, flags: header.msg_flags })
}

/// Sets an option of a socket to a value without pointers in it.
pub(crate) fn set_option(
    socket: BorrowedFd<'_>,
    (level, name): (i32, i32),
    value: &[u8],
) -> Result<(), Errno> {
    let size = libc::socklen_t::try_from(value.len()).unwrap_or(0);
    let descriptor = socket.as_raw_fd();
    // SAFETY: the value is as long as is said, and lives through the call.
    let done = unsafe { libc::setsockopt(descriptor, level, name, value.as_ptr().cast(), size) };
    checked(done).map(drop).map_err(|it| errno(&it))
}

/// Length of an instruction of classic BPF.
pub(crate) const INSTRUCTION: usize = size_of::<libc::sock_filter>();

/// How many instructions a `struct sock_fprog` has, and where.
pub(crate) fn filter(value: &[u8]) -> Option<(usize, u64)> {
    let count = u16::from_ne_bytes(value.get(..2)?.try_into().ok()?);
    Some((count.into(), u64::from_ne_bytes(value.get(8..16)?.try_into().ok()?)))
}

/// Sets an option to a program of classic BPF.
pub(crate) fn set_filter(socket: BorrowedFd<'_>, name: i32, program: &[u8]) -> Result<(), Errno> {
    // The kernel asks for no alignment: it copies them.
    let length = u16::try_from(program.len() / INSTRUCTION).map_err(|_| Errno::INVAL)?;
    let it = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    let size = libc::socklen_t::try_from(size_of_val(&it)).unwrap_or(0);
    let (descriptor, level) = (socket.as_raw_fd(), libc::SOL_SOCKET);
    // SAFETY: the program is as long as is said, and lives through the call, which only reads it.
    let done = unsafe { libc::setsockopt(descriptor, level, name, (&raw const it).cast(), size) };
    checked(done).map(drop).map_err(|it| errno(&it))
}
