//! What is mounted where and how (`/proc/self/mountinfo`), which files processes execute (`/proc/PID/maps`), and which label a mount gives its files.

use std::collections::BTreeSet;

use crate::Bytes;
use crate::line::{LineError, LineErrorKind, column, fields};

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is.
    pub point: Bytes,
    /// The type of the file system.
    pub kind: String,
    /// What is mounted.
    pub source: Bytes,
    /// Options of the mount, then of the file system; texts without their quotes.
    pub options: Vec<(String, Option<String>)>,
}

/// What a mount lets its files do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allows {
    /// Be executed.
    pub exec: bool,
    /// Be devices.
    pub dev: bool,
    /// Give their owner's rights to who executes them.
    pub suid: bool,
    /// Be written.
    pub write: bool,
}

/// Labels that mount options name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contexts<'a> {
    /// `context=`: all files have it, and none can be given another.
    pub all: Option<&'a str>,
    /// `fscontext=`: of the file system itself.
    pub file_system: Option<&'a str>,
    /// `rootcontext=`: of the topmost folder.
    pub root: Option<&'a str>,
    /// `defcontext=`: of files that have no label.
    pub default: Option<&'a str>,
}

impl Mount {
    /// The mounts of a `mountinfo` file in its order, and what is wrong with it.
    pub fn parse(bytes: &[u8]) -> (Vec<Self>, Vec<LineError>) {
        crate::line::each(bytes, |line| {
            let missing = |what| (column(line.len()), LineErrorKind::Missing(what));
            let all: Vec<_> = fields(line).collect();
            let dash = all.iter().skip(6).position(|it| it.bytes == b"-");
            let dash =
                dash.map(|it| it + 6).ok_or_else(|| missing("a hyphen before the file system"))?;
            let field = |at: usize, what| all.get(at).ok_or_else(|| missing(what));
            let mut options = options(field(5, "options")?.bytes);
            // A text in quotes may hold blanks.
            if let Some(last) = all.get(dash + 3) {
                let at = usize::try_from(last.column).unwrap_or(1).saturating_sub(1);
                options.extend(self::options(line.get(at..).unwrap_or_default()));
            }
            Ok(Self {
                point: unescaped(field(4, "a mount point")?.bytes).into(),
                kind: field(dash + 1, "the type of a file system")?.lossy(),
                source: unescaped(field(dash + 2, "what is mounted")?.bytes).into(),
                options,
            })
        })
    }

    /// Has it this option?
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|it| it.0 == option)
    }

    /// What its files may do.
    pub fn allows(&self) -> Allows {
        let is = |option| !self.has(option);
        Allows { exec: is("noexec"), dev: is("nodev"), suid: is("nosuid"), write: is("ro") }
    }

    /// The labels that its options name.
    pub fn contexts(&self) -> Contexts<'_> {
        let of = |option: &str| self.options.iter().find(|it| it.0 == option)?.1.as_deref();
        Contexts {
            all: of("context"),
            file_system: of("fscontext"),
            root: of("rootcontext"),
            default: of("defcontext"),
        }
    }
}

/// `\040` and its kin as the bytes they stand for.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let digits = text.get(at + 1..at + 4).filter(|_| byte == b'\\');
        let number =
            digits.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 8).ok());
        bytes.push(number.unwrap_or(byte));
        at += if number.is_some() { 4 } else { 1 };
    }
    bytes
}

/// Options between commas; a text in quotes may hold some.
fn options(text: &[u8]) -> Vec<(String, Option<String>)> {
    let mut options = Vec::new();
    let mut quoted = false;
    let is_end = |byte: &u8| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    };
    for option in text.split(is_end).filter(|it| !it.is_empty()) {
        let option = String::from_utf8_lossy(&unescaped(option)).into_owned();
        options.push(match option.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.trim_matches('"').to_owned())),
            None => (option, None),
        });
    }
    options
}

/// The files of a `maps` file that are mapped to be executed, each once; they may be gone. Lines that are wrong are passed over: the file belongs to whoever runs.
pub fn executable_mappings(maps: &[u8]) -> BTreeSet<&[u8]> {
    let path = |line| {
        let permissions = fields(line).nth(1)?.bytes;
        let path = fields(line).nth(5)?;
        let at = usize::try_from(path.column).ok()?.checked_sub(1)?;
        let path = line.get(at..).filter(|it| it.starts_with(b"/"));
        path.filter(|_| permissions.get(2) == Some(&b'x'))
    };
    maps.split(|&it| it == b'\n').filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts() {
        let (mounts, errors) = Mount::parse(
            b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,seclabel\n\
              30 22 0:27 / /mnt/a\\040b ro,noexec,nosuid,nodev shared:7 master:1 - tmpfs tmpfs rw,context=\"u:r:t:s0:c1,c2\",size=1k\n\
              31 22 0:28 /x /y rw - nfs host:/x rw,rootcontext=u:r:t,defcontext=\"a b\"\n\
              33 22 0:1 / /z rw\n",
        );
        expect_test::expect![[r#"
            4:18: expected a hyphen before the file system here, found the end of the line"#]]
        .assert_eq(&crate::line::told(&errors));
        let [root, tmp, nfs] = mounts.as_slice() else { panic!("{mounts:?}") };
        assert_eq!((&*root.point, root.kind.as_str()), (&b"/"[..], "ext4"));
        let all = Allows { exec: true, dev: true, suid: true, write: true };
        assert_eq!((root.allows(), nfs.allows()), (all, all));
        assert_eq!(*tmp.point, *b"/mnt/a b");
        let none = Allows { exec: false, dev: false, suid: false, write: false };
        assert_eq!(tmp.allows(), none);
        assert_eq!(tmp.contexts().all, Some("u:r:t:s0:c1,c2"));
        assert_eq!((nfs.contexts().root, nfs.contexts().default), (Some("u:r:t"), Some("a b")));
    }

    #[test]
    fn mappings() {
        let maps = b"55d0-55d1 r-xp 00002000 08:01 123    /usr/bin/a b\n55d1-55d2 rw-p 0 08:01 123 /usr/bin/a b\n\
            7f00-7f01 r-xp 0 00:1b 5 /tmp/x (deleted)\n7f00-7f01 r-xp 0 00:00 0 [vdso]\nx\n\
            7f02-7f03 r-xp 1 00:1b 5 /tmp/x (deleted)\n7f00-7f01 r-xp 0 00:00 0\n";
        let expected: [&[u8]; 2] = [b"/tmp/x (deleted)", b"/usr/bin/a b"];
        assert_eq!(executable_mappings(maps).into_iter().collect::<Vec<_>>(), expected);
    }
}
