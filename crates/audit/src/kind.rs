//! Types of records: their numbers in `linux/audit.h` and libaudit's headers, and the names that logs have for them.

use std::fmt;
use std::sync::OnceLock;

/// The type of a record by its number; 0 for a name that nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u16);

/// A line each: number, name.
const TABLE: &str = include_str!("tables/types.txt");

impl Kind {
    /// An unknown name.
    pub const UNKNOWN: Self = Self(0);
    /// What an object manager in user space decided.
    pub const USER_AVC: Self = Self(1107);
    /// An error that an object manager in user space found.
    pub const USER_SELINUX_ERR: Self = Self(1122);
    /// The system call of an event.
    pub const SYSCALL: Self = Self(1300);
    /// A file of an event.
    pub const PATH: Self = Self(1302);
    /// The address of a socket.
    pub const SOCKADDR: Self = Self(1306);
    /// A mapping of memory.
    pub const MMAP: Self = Self(1323);
    /// The working directory of an event.
    pub const CWD: Self = Self(1307);
    /// The words of a program that is started.
    pub const EXECVE: Self = Self(1309);
    /// Nothing more of this event comes.
    pub const EOE: Self = Self(1320);
    /// The command line of the process.
    pub const PROCTITLE: Self = Self(1327);
    /// What the kernel decided.
    pub const AVC: Self = Self(1400);
    /// An error that the kernel found.
    pub const SELINUX_ERR: Self = Self(1401);
    /// The path of an AVC record, in logs before Linux 3.
    pub const AVC_PATH: Self = Self(1402);
    /// A policy was loaded.
    pub const MAC_POLICY_LOAD: Self = Self(1403);
    /// Enforcing or permissive was set.
    pub const MAC_STATUS: Self = Self(1404);
    /// A boolean was set.
    pub const MAC_CONFIG_CHANGE: Self = Self(1405);
    /// A policy was loaded, told by a program.
    pub const USER_MAC_POLICY_LOAD: Self = Self(2310);
    /// A line of the kernel.
    pub const KERNEL: Self = Self(2000);

    /// The type of a name, of `1400` or of `UNKNOWN[1400]`.
    #[must_use]
    pub fn parse(name: &[u8]) -> Self {
        match name {
            b"AVC" => Self::AVC,
            b"SYSCALL" => Self::SYSCALL,
            b"PATH" => Self::PATH,
            b"PROCTITLE" => Self::PROCTITLE,
            b"CWD" => Self::CWD,
            b"USER_AVC" => Self::USER_AVC,
            _ => Self::other(name),
        }
    }

    fn other(name: &[u8]) -> Self {
        let inner = name.strip_prefix(b"UNKNOWN[").and_then(|it| it.strip_suffix(b"]"));
        let text = std::str::from_utf8(inner.unwrap_or(name)).unwrap_or_default();
        if let Ok(number) = text.parse() {
            return Self(number);
        }
        table().iter().find(|it| it.1 == text).map_or(Self::UNKNOWN, |it| Self(it.0))
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        table().iter().find(|it| it.0 == self.0).map(|it| it.1)
    }

    /// All types that have a name.
    pub fn all() -> impl Iterator<Item = (Self, &'static str)> {
        table().iter().map(|it| (Self(it.0), it.1))
    }

    /// An event that is this one record: those of programs, and those that the audit daemon and the kernel write alone.
    #[must_use]
    pub fn stands_alone(self) -> bool {
        self.0 < 1300 || self.0 == Self::KERNEL.0 || self.0 >= 2100
    }

    /// It is about SELinux by its number: an AVC, an error, a change of policy, mode or booleans.
    #[must_use]
    pub fn is_selinux(self) -> bool {
        matches!(self.0, 1107 | 1122 | 1400..=1499 | 2300..=2399)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "UNKNOWN[{}]", self.0),
        }
    }
}

fn table() -> &'static [(u16, &'static str)] {
    static READ: OnceLock<Vec<(u16, &'static str)>> = OnceLock::new();
    READ.get_or_init(|| {
        let line = |it: &'static str| {
            let (number, name) = it.split_once(' ')?;
            Some((number.parse().ok()?, name))
        };
        TABLE.lines().filter_map(line).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_to_each_other() {
        assert_eq!(Kind::all().count(), 197);
        for (kind, name) in Kind::all() {
            assert_eq!((Kind::parse(name.as_bytes()), kind.name()), (kind, Some(name)));
        }
        assert_eq!(Kind::parse(b"1400"), Kind::AVC);
        assert_eq!(Kind::parse(b"UNKNOWN[1999]").to_string(), "UNKNOWN[1999]");
        assert_eq!(Kind::parse(b"NONSENSE"), Kind::UNKNOWN);
    }
}
