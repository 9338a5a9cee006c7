//! A tar archive with labels: POSIX pax, the label as `RHT.security.selinux`, which GNU tar and others restore.

use std::fs::File;
use std::io::{self, Read as _, Write};

use mandate_host::tree::Entry;
use rustc_hash::FxHashMap;
use rustix::fs::Stat;

use super::Post;
use super::manifest::Collect;

const BLOCK: usize = 512;
/// Files of several names whose first name is remembered; those beyond are stored again for each name.
const LINKS: usize = 100_000;
/// What the octal digits of a header's size hold.
const LARGEST: u64 = 0o77_777_777_777;

/// An archive that is being written.
pub(crate) struct Archive {
    to: Post,
    first_names: FxHashMap<(u64, u64), Vec<u8>>,
}

/// What a header says.
struct Header<'a> {
    name: &'a [u8],
    target: &'a [u8],
    kind: u8,
    size: u64,
}

impl Archive {
    pub(crate) fn new(to: Post) -> Self {
        Self { to, first_names: FxHashMap::default() }
    }

    /// The name under which a file was stored already.
    fn first_name(&mut self, entry: &Entry<'_>, name: &[u8]) -> Option<Vec<u8>> {
        let key = (entry.identity.device, entry.identity.inode);
        let first = self.first_names.get(&key).cloned();
        if first.is_none() && entry.identity.has_other_names() && self.first_names.len() < LINKS {
            self.first_names.insert(key, name.to_vec());
        }
        first
    }

    /// An entry without content.
    fn plain(
        &mut self,
        name: &[u8],
        kind: u8,
        target: &[u8],
        stat: &Stat,
        label: Option<&str>,
    ) -> io::Result<()> {
        self.header(&Header { name, target, kind, size: 0 }, stat, label)
    }

    /// A header with what does not fit before it.
    fn header(&mut self, header: &Header<'_>, stat: &Stat, label: Option<&str>) -> io::Result<()> {
        let mut records = Vec::new();
        if header.name.len() > 100 {
            record("path", header.name, &mut records);
        }
        if header.target.len() > 100 {
            record("linkpath", header.target, &mut records);
        }
        if header.size > LARGEST {
            record("size", header.size.to_string().as_bytes(), &mut records);
        }
        if let Some(label) = label {
            record("RHT.security.selinux", label.as_bytes(), &mut records);
        }
        if !records.is_empty() {
            let size = records.len() as u64;
            let extended = Header { name: b"pax", target: b"", kind: b'x', size };
            self.to.write_all(&block(&extended, stat))?;
            self.to.write_all(&records)?;
            self.pad(size)?;
        }
        self.to.write_all(&block(header, stat))
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        self.to.write_all(&[0; BLOCK][..(BLOCK - over) % BLOCK])
    }

    /// Exactly `size` bytes of a file that may shrink or grow meanwhile.
    fn content(&mut self, file: File, size: u64) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        let mut file = file.take(size);
        let mut left = size;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            left -= read as u64;
            self.to.write_all(&buffer[..read])?;
        }
        io::copy(&mut io::repeat(0).take(left), &mut self.to)?;
        self.pad(size)
    }
}

impl Collect for Archive {
    fn add(&mut self, entry: &Entry<'_>, path: &[u8], label: Option<&str>) -> io::Result<()> {
        let changed = || io::Error::other("it was replaced while it was read; run again");
        let stat = entry.stat()?.ok_or_else(changed)?;
        let mut name = path.to_vec();
        if entry.identity.is_directory() {
            name.splice(0..0, path.is_empty().then_some(b'.'));
            name.push(b'/');
        }
        let first = self.first_name(entry, &name);
        let target = match (entry.identity.mode & 0o170_000, first) {
            (_, Some(first)) => return self.plain(&name, b'1', &first, &stat, label),
            (0o120_000, None) => entry.target()?,
            _ => Vec::new(),
        };
        match entry.identity.mode & 0o170_000 {
            0o040_000 => self.plain(&name, b'5', b"", &stat, label),
            0o120_000 => self.plain(&name, b'2', &target, &stat, label),
            0o020_000 => self.plain(&name, b'3', b"", &stat, label),
            0o060_000 => self.plain(&name, b'4', b"", &stat, label),
            0o010_000 => self.plain(&name, b'6', b"", &stat, label),
            0o100_000 => {
                let file = File::from(entry.open()?.ok_or_else(changed)?);
                let size = u64::try_from(stat.st_size).unwrap_or(0);
                let regular = Header { name: &name, target: b"", kind: b'0', size };
                self.header(&regular, &stat, label)?;
                self.content(file, size)
            }
            // Archives hold no sockets.
            _ => Ok(()),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.to.write_all(&[0; 2 * BLOCK])?;
        Write::flush(&mut self.to)
    }
}

/// `LENGTH KEY=VALUE`, where the length counts itself.
fn record(key: &str, value: &[u8], to: &mut Vec<u8>) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    to.extend_from_slice(format!("{length} {key}=").as_bytes());
    to.extend_from_slice(value);
    to.push(b'\n');
}

fn block(header: &Header<'_>, stat: &Stat) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    let octal = |value: u64, digits: usize| {
        // What does not fit stands in a record, or is not kept.
        let most = (1u64 << (3 * digits).min(63)) - 1;
        format!("{:0digits$o}", value.min(most)).into_bytes()
    };
    let cut = |text: &[u8]| text[..text.len().min(100)].to_vec();
    put(0, &cut(header.name));
    put(100, &octal(u64::from(stat.st_mode & 0o7777), 7));
    put(108, &octal(stat.st_uid.into(), 7));
    put(116, &octal(stat.st_gid.into(), 7));
    put(124, &octal(header.size, 11));
    put(136, &octal(u64::try_from(stat.st_mtime).unwrap_or(0), 11));
    put(148, b"        ");
    put(156, &[header.kind]);
    put(157, &cut(header.target));
    put(257, b"ustar\x0000");
    if matches!(header.kind, b'3' | b'4') {
        put(329, &octal(rustix::fs::major(stat.st_rdev).into(), 7));
        put(337, &octal(rustix::fs::minor(stat.st_rdev).into(), 7));
    }
    let sum: u64 = block.iter().map(|&it| u64::from(it)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}
