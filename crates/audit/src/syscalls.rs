//! Numbers of system calls, architectures and errors, by name.
//!
//! From the kernel's tables (`arch/*/entry/syscalls`), as of Linux 6.0; riscv64 has the generic one, which is that of aarch64.

use std::sync::OnceLock;

/// A machine, as `arch=` tells it (`AUDIT_ARCH_*` of `linux/audit.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arch {
    /// As `uname -m` says.
    pub name: &'static str,
    number: u32,
    table: usize,
}

const ARCHES: [Arch; 10] = [
    Arch { name: "x86_64", number: 0xc000_003e, table: 0 },
    Arch { name: "i386", number: 0x4000_0003, table: 1 },
    Arch { name: "aarch64", number: 0xc000_00b7, table: 2 },
    Arch { name: "armeb", number: 0x0000_0028, table: 3 },
    Arch { name: "arm", number: 0x4000_0028, table: 3 },
    Arch { name: "ppc", number: 0x0000_0014, table: 4 },
    Arch { name: "ppc64", number: 0x8000_0015, table: 4 },
    Arch { name: "ppc64le", number: 0xc000_0015, table: 4 },
    Arch { name: "s390", number: 0x0000_0016, table: 5 },
    Arch { name: "s390x", number: 0x8000_0016, table: 6 },
];
const RISCV64: Arch = Arch { name: "riscv64", number: 0xc000_00f3, table: 2 };

const TABLES: [&str; 7] = [
    include_str!("tables/syscalls-x86_64.txt"),
    include_str!("tables/syscalls-i386.txt"),
    include_str!("tables/syscalls-aarch64.txt"),
    include_str!("tables/syscalls-arm.txt"),
    include_str!("tables/syscalls-ppc.txt"),
    include_str!("tables/syscalls-s390.txt"),
    include_str!("tables/syscalls-s390x.txt"),
];

/// A line each: number, name, what it means.
const ERRORS: &str = include_str!("tables/errno.txt");

impl Arch {
    /// The machine of `arch=c000003e`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let number = u32::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()?;
        ARCHES.into_iter().chain([RISCV64]).find(|it| it.number == number)
    }

    /// The machine of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ARCHES.into_iter().chain([RISCV64]).find(|it| it.name == name)
    }

    /// The system call of a number.
    #[must_use]
    pub fn syscall(self, number: u32) -> Option<&'static str> {
        let calls = self.calls();
        let at = calls.binary_search_by_key(&number, |it| it.0).ok()?;
        calls.get(at).map(|it| it.1)
    }

    /// The number of a system call.
    #[must_use]
    pub fn syscall_number(self, name: &str) -> Option<u32> {
        self.calls().iter().find(|it| it.1 == name).map(|it| it.0)
    }

    fn calls(self) -> &'static [(u32, &'static str)] {
        static READ: [OnceLock<Vec<(u32, &'static str)>>; 7] = [const { OnceLock::new() }; 7];
        let (Some(read), Some(table)) = (READ.get(self.table), TABLES.get(self.table)) else {
            return &[];
        };
        read.get_or_init(|| {
            let line = |it: &'static str| {
                let (number, name) = it.split_once(' ')?;
                Some((number.parse().ok()?, name))
            };
            let mut calls: Vec<_> = table.lines().filter_map(line).collect();
            calls.sort_unstable();
            calls
        })
    }
}

/// The name of an error, and what it means.
#[must_use]
pub(crate) fn error(number: u32) -> Option<(&'static str, &'static str)> {
    ERRORS.lines().find_map(|line| {
        let (value, rest) = line.split_once(' ')?;
        (value.parse() == Ok(number)).then(|| rest.split_once(' '))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_names_by_machine() {
        let arch = |text: &str| Arch::parse(text.as_bytes());
        assert_eq!(arch("c000003e").and_then(|it| it.syscall(257)), Some("openat"));
        assert_eq!(arch("40000003").and_then(|it| it.syscall(5)), Some("open"));
        assert_eq!(arch("c00000b7").and_then(|it| it.syscall(56)), Some("openat"));
        assert_eq!(arch("c000003e").and_then(|it| it.syscall(9999)), None);
        assert_eq!(Arch::named("s390x").and_then(|it| it.syscall_number("open")), Some(5));
        assert_eq!((arch("7"), arch("x")), (None, None));
        assert_eq!(error(13), Some(("EACCES", "Permission denied")));
    }
}
