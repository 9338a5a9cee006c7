//! Who is at the other end of a socket: the kernel tells it of sockets by their inodes (linux/unix_diag.h, sock_diag(7)).

use rustix::io::Errno;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// `SOCK_DIAG_BY_FAMILY`, `NLM_F_REQUEST`, `NLMSG_ERROR`.
const BY_FAMILY: u16 = 20;
const REQUEST: u16 = 1;
const ERROR: u16 = 2;
/// `UDIAG_SHOW_PEER`, `UNIX_DIAG_PEER`.
const SHOW_PEER: u32 = 4;
const PEER: u16 = 2;

/// The inode of the socket that this one is connected to; none if it is to none, or to one that nobody has accepted yet.
pub(super) fn of(inode: u64) -> Result<Option<u64>, Errno> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(SOCK_DIAG),
    )?;
    let request = request(u32::try_from(inode).map_err(|_| Errno::NOENT)?);
    rustix::net::sendto(&socket, &request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 1024];
    let (length, _) = rustix::net::recv(&socket, &mut answer, RecvFlags::empty())?;
    Ok(parse(answer.get(..length).unwrap_or_default()))
}

/// `struct nlmsghdr`, then `struct unix_diag_req`; a cookie of ones is any.
fn request(inode: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(40);
    bytes.extend(40_u32.to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([u8::try_from(libc::AF_UNIX).unwrap_or(0), 0, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(inode.to_ne_bytes());
    bytes.extend(SHOW_PEER.to_ne_bytes());
    bytes.extend([0xff; 8]);
    bytes
}

/// The peer among the attributes behind `struct nlmsghdr` and `struct unix_diag_msg`, of 16 bytes each.
fn parse(answer: &[u8]) -> Option<u64> {
    let half = |at: usize| Some(u16::from_ne_bytes(answer.get(at..at + 2)?.try_into().ok()?));
    if half(4)? == ERROR {
        return None;
    }
    let mut at = 32;
    while let (Some(length), Some(kind)) = (half(at), half(at + 2)) {
        if kind == PEER {
            let number = u32::from_ne_bytes(answer.get(at + 4..at + 8)?.try_into().ok()?);
            return (number != 0).then_some(number.into());
        }
        at += usize::from(length.max(4)).next_multiple_of(4);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::linux::fs::MetadataExt as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn the_other_end_is_found() {
        let (one, other) = UnixStream::pair().unwrap();
        let inode = |it: &UnixStream| {
            let file = std::fs::File::from(std::os::fd::OwnedFd::from(it.try_clone().unwrap()));
            file.metadata().unwrap().st_ino()
        };
        assert_eq!(super::of(inode(&one)).unwrap(), Some(inode(&other)));
        assert_eq!(super::of(inode(&other)).unwrap(), Some(inode(&one)));
    }
}
