//! Bits and numbers of the kernel's interface by name: what records of system calls, files and sockets hold.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::fields::decode;

type Flags = &'static [(u64, &'static str)];

const OPEN: Flags = &[
    (0x40, "O_CREAT"),
    (0x80, "O_EXCL"),
    (0x100, "O_NOCTTY"),
    (0x200, "O_TRUNC"),
    (0x400, "O_APPEND"),
    (0x800, "O_NONBLOCK"),
    (0x1000, "O_DSYNC"),
    (0x2000, "O_ASYNC"),
    (0x4000, "O_DIRECT"),
    (0x8000, "O_LARGEFILE"),
    (0x10000, "O_DIRECTORY"),
    (0x20000, "O_NOFOLLOW"),
    (0x40000, "O_NOATIME"),
    (0x80000, "O_CLOEXEC"),
    (0x10_0000, "__O_SYNC"),
    (0x20_0000, "O_PATH"),
    (0x40_0000, "__O_TMPFILE"),
];
const PROTECTION: Flags = &[(1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC")];
const MAP: Flags = &[
    (0x1, "MAP_SHARED"),
    (0x2, "MAP_PRIVATE"),
    (0x10, "MAP_FIXED"),
    (0x20, "MAP_ANONYMOUS"),
    (0x40, "MAP_32BIT"),
    (0x100, "MAP_GROWSDOWN"),
    (0x800, "MAP_DENYWRITE"),
    (0x1000, "MAP_EXECUTABLE"),
    (0x2000, "MAP_LOCKED"),
    (0x4000, "MAP_NORESERVE"),
    (0x8000, "MAP_POPULATE"),
    (0x10000, "MAP_NONBLOCK"),
    (0x20000, "MAP_STACK"),
    (0x40000, "MAP_HUGETLB"),
];
const FAMILIES: [&str; 18] = [
    "unspecified",
    "local",
    "inet",
    "ax25",
    "ipx",
    "appletalk",
    "netrom",
    "bridge",
    "atmpvc",
    "x25",
    "inet6",
    "rose",
    "decnet",
    "netbeui",
    "security",
    "key",
    "netlink",
    "packet",
];
const SOCKETCALLS: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];
const CAPABILITIES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];
const TERMINALS: [(u64, &str); 4] =
    [(0x5401, "TCGETS"), (0x5402, "TCSETS"), (0x540f, "TIOCGPGRP"), (0x5413, "TIOCGWINSZ")];

fn name_of(names: &[&'static str], number: u64) -> Option<&'static str> {
    names.get(usize::try_from(number).ok()?).copied()
}

fn joined(flags: Flags, value: u64) -> Vec<u8> {
    let names = flags.iter().filter(|it| value & it.0 != 0).map(|it| it.1);
    names.collect::<Vec<_>>().join("|").into()
}

fn named_or_hexadecimal(flags: Flags, value: u64) -> Vec<u8> {
    match joined(flags, value) {
        empty if empty.is_empty() => format!("{value:#x}").into(),
        names => names,
    }
}

fn open(value: u64) -> Vec<u8> {
    let access = match value & 3 {
        0 => "O_RDONLY",
        1 => "O_WRONLY",
        _ => "O_RDWR",
    };
    let rest = joined(OPEN, value);
    match rest.is_empty() {
        true => access.into(),
        false => [access.as_bytes(), b"|", &rest].concat(),
    }
}

const ACCESS: Flags = &[(1, "X_OK"), (2, "W_OK"), (4, "R_OK")];

fn access(value: u64) -> Vec<u8> {
    if value & 7 == 0 { b"F_OK".to_vec() } else { joined(ACCESS, value) }
}

fn protection(value: u64) -> Vec<u8> {
    if value & 7 == 0 { b"PROT_NONE".to_vec() } else { joined(PROTECTION, value) }
}

/// The flags of a mapping.
pub(crate) fn map(value: u64) -> Vec<u8> {
    if value == 0 {
        return b"MAP_FILE".to_vec();
    }
    named_or_hexadecimal(MAP, value)
}

/// The call that `socketcall` stands for.
pub(crate) fn socketcall(number: u64) -> Option<&'static str> {
    name_of(&SOCKETCALLS, number.checked_sub(1)?)
}

/// The name of a capability.
pub(crate) fn capability(number: u64) -> Option<&'static str> {
    name_of(&CAPABILITIES, number)
}

/// The names of capabilities; `none` for none.
pub(crate) fn capabilities(value: u64) -> Vec<u8> {
    let names = (0..64u64).filter(|it| value >> it & 1 == 1).filter_map(capability);
    let names: Vec<_> = names.collect();
    if names.is_empty() { b"none".to_vec() } else { names.join(",").into() }
}

/// The command of an ioctl.
pub(crate) fn ioctl(number: u64) -> Vec<u8> {
    let known = TERMINALS.iter().find(|it| it.0 == number).map(|it| it.1);
    known.map_or_else(|| format!("{number:#x}").into(), |it| it.as_bytes().to_vec())
}

/// The mode of a file: its kind, what runs as somebody else, permissions.
pub(crate) fn mode(text: &[u8]) -> Option<Vec<u8>> {
    let mode = u32::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()?;
    let kind = match mode >> 12 {
        0o1 => "fifo",
        0o2 => "character",
        0o4 => "dir",
        0o6 => "block",
        0o10 => "file",
        0o12 => "link",
        0o14 => "socket",
        _ => return None,
    };
    let bits = [(0o4000, ",suid"), (0o2000, ",sgid"), (0o1000, ",sticky")];
    let bits: String = bits.iter().filter(|it| mode & it.0 != 0).map(|it| it.1).collect();
    Some(format!("{kind}{bits},{:03o}", mode & 0o777).into())
}

/// A socket's address, in hexadecimal, of a machine whose numbers begin with their low byte.
pub(crate) fn address(text: &[u8]) -> Option<Vec<u8>> {
    let bytes = decode(text)?;
    let port = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    Some(match (bytes.first()?, bytes.get(1)?) {
        (1, 0) => {
            let path = bytes.get(2..)?;
            let path = path.strip_prefix(b"\0").unwrap_or(path);
            let path = path.split(|&it| it == 0).next().unwrap_or_default();
            [b"{ saddr_fam=local path=", path, b" }"].concat()
        }
        (2, 0) => {
            let address: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            let address = Ipv4Addr::from(address);
            format!("{{ saddr_fam=inet laddr={address} lport={} }}", port(2)?).into()
        }
        (10, 0) => {
            let address: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            let address = Ipv6Addr::from(address);
            format!("{{ saddr_fam=inet6 laddr={address} lport={} }}", port(2)?).into()
        }
        _ => return None,
    })
}

/// Whose number an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    User,
    Group,
}

/// Of arguments that are users or groups, which of the two.
pub(crate) fn identity(call: &str, which: usize) -> Option<Identity> {
    match (call, which) {
        ("setuid" | "setfsuid", 0) | ("setreuid", 0..=1) | ("setresuid", 0..=2) => {
            Some(Identity::User)
        }
        ("setgid" | "setfsgid", 0) | ("setregid", 0..=1) | ("setresgid", 0..=2) => {
            Some(Identity::Group)
        }
        ("chown", 1) => Some(Identity::User),
        _ => None,
    }
}

/// The argument of a system call: flags and such where the call is known, else a number.
pub(crate) fn argument(call: &str, which: usize, value: u64, all: &[u64; 4]) -> Vec<u8> {
    let octal = || permissions(value);
    match (call, which) {
        (_, 0) if (call.ends_with("at") || call == "openat2") && low(value) == AT_FDCWD => {
            b"AT_FDCWD".to_vec()
        }
        ("socketcall", 0) => socketcall(value).map_or_else(|| hex(value), Into::into),
        ("open", 1) | ("openat", 2) => open(value),
        ("open", 2) if all[1] & 0x40 != 0 => octal(),
        ("chmod" | "fchmod" | "mkdir", 1) | ("fchmodat" | "mkdirat", 2) => octal(),
        ("access", 1) | ("faccessat", 2) => access(value),
        ("mmap" | "mprotect", 2) => protection(value),
        ("mmap", 3) => map(value),
        ("socket" | "socketpair", 0) => {
            name_of(&FAMILIES, value).map_or_else(|| hex(value), Into::into)
        }
        ("socket", 1) => socket_kind(value),
        ("socket", 2) => protocol(value),
        ("ioctl", 1) => ioctl(value),
        _ => hex(value),
    }
}

/// `suid,sgid,sticky,0755`
fn permissions(mode: u64) -> Vec<u8> {
    let bits = [(0o4000, "suid,"), (0o2000, "sgid,"), (0o1000, "sticky,")];
    let names: String = bits.iter().filter(|it| mode & it.0 != 0).map(|it| it.1).collect();
    format!("{names}0{:03o}", mode & 0o777).into()
}

fn hex(value: u64) -> Vec<u8> {
    format!("{value:#x}").into()
}

fn low(value: u64) -> u64 {
    value & 0xffff_ffff
}

const AT_FDCWD: u64 = 0xffff_ff9c;

fn socket_kind(value: u64) -> Vec<u8> {
    match value & 0xff {
        1 => b"SOCK_STREAM".to_vec(),
        2 => b"SOCK_DGRAM".to_vec(),
        3 => b"SOCK_RAW".to_vec(),
        5 => b"SOCK_SEQPACKET".to_vec(),
        _ => hex(value),
    }
}

fn protocol(value: u64) -> Vec<u8> {
    match value {
        0 => b"ip".to_vec(),
        1 => b"icmp".to_vec(),
        6 => b"tcp".to_vec(),
        17 => b"udp".to_vec(),
        _ => hex(value),
    }
}
