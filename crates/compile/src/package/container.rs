//! The package, `.pp`: a module and the files that go with it.
//!
//! Wire form: `u32` magic, version 1, number of sections, the offset of each; each section begins with a magic of its own. The
//! module stands first; a section is text to the next one's offset.

use mandate_policydb::wire::{ReadError, Reader, Writer};

use super::{Module, WriteError};

const MAGIC: u32 = 0xf97c_ff8f;
const VERSION: u32 = 1;
/// Sections beyond this number are refused: there are five kinds.
const MOST_SECTIONS: u32 = 32;

/// The files that a package may hold, as their sections are marked.
const FILE_CONTEXTS: u32 = 0xf97c_ff90;
const SEUSERS: u32 = 0x097c_ff91;
const USERS_EXTRA: u32 = 0x097c_ff92;
const NETFILTER_CONTEXTS: u32 = 0x097c_ff93;

/// A policy package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The policy module.
    pub module: Module,
    /// `file_contexts`, where there is such a section. So with the others.
    pub file_contexts: Option<Vec<u8>>,
    /// `seusers`: logins and their users. Only a base may hold them, and the next.
    pub seusers: Option<Vec<u8>>,
    /// `users_extra`: prefixes of users.
    pub users_extra: Option<Vec<u8>>,
    /// Contexts of network packets.
    pub netfilter_contexts: Option<Vec<u8>>,
}

impl Package {
    /// A package of the module alone.
    pub fn new(module: Module) -> Self {
        Self {
            module,
            file_contexts: None,
            seusers: None,
            users_extra: None,
            netfilter_contexts: None,
        }
    }

    /// Are these the first bytes of a package?
    pub fn is_package(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC.to_le_bytes())
    }

    /// Reads a package, or a module alone.
    ///
    /// # Errors
    /// When the bytes are neither.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        if !Self::is_package(bytes) {
            return Module::read(bytes).map(Self::new);
        }
        let sections = sections(bytes).map_err(|it| ReadError { section: "package", ..it })?;
        let mut package: Option<Self> = None;
        let mut texts = Vec::new();
        for (start, end) in sections {
            let mut r = Reader::new(bytes.get(..end).unwrap_or_default());
            r.skip_to(bytes.get(start..end).unwrap_or_default());
            let magic = r.u32()?;
            if magic == super::db::MAGIC {
                if package.is_some() {
                    let what = "one module in the package";
                    return Err(ReadError::expected(start, what, 2u32));
                }
                package = Some(Self::new(Module::read_within(bytes, start, end)?));
            } else {
                texts.push((start, magic, r.rest()));
            }
        }
        let mut package = package
            .ok_or_else(|| ReadError::expected(8, "a policy module in the package", 0u32))?;
        for (start, magic, text) in texts {
            let Some(slot) = package.text(magic) else {
                let what = "the magic number of a section: 0xf97cff8d, 0xf97cff90, 0x097cff91, 0x097cff92 or 0x097cff93";
                return Err(ReadError::magic(start, what, magic));
            };
            if slot.is_some() {
                return Err(ReadError::magic(start, "each section once", magic));
            }
            *slot = Some(text.to_vec());
        }
        Ok(package)
    }

    fn text(&mut self, magic: u32) -> Option<&mut Option<Vec<u8>>> {
        Some(match magic {
            FILE_CONTEXTS => &mut self.file_contexts,
            SEUSERS => &mut self.seusers,
            USERS_EXTRA => &mut self.users_extra,
            NETFILTER_CONTEXTS => &mut self.netfilter_contexts,
            _ => return None,
        })
    }

    /// Writes the package, with the module at the version it has.
    ///
    /// # Errors
    /// When the module's version cannot hold it, or a package of a module has what is a base's.
    pub fn write(&self) -> Result<Vec<u8>, WriteError> {
        if !self.module.is_base() && (self.seusers.is_some() || self.users_extra.is_some()) {
            return Err(WriteError::OfBase);
        }
        let mut sections: Vec<Vec<u8>> = vec![self.module.write(self.module.format_version())?];
        let texts = [
            (FILE_CONTEXTS, &self.file_contexts),
            (SEUSERS, &self.seusers),
            (USERS_EXTRA, &self.users_extra),
            (NETFILTER_CONTEXTS, &self.netfilter_contexts),
        ];
        for (magic, text) in texts {
            let Some(text) = text else { continue };
            sections.push([&magic.to_le_bytes(), text.as_slice()].concat());
        }
        let mut bytes = Vec::new();
        let mut w = Writer::new(&mut bytes);
        let head = 12 + 4 * sections.len();
        let written = w.u32s(&[MAGIC, VERSION]).and_then(|()| w.count(sections.len()));
        let mut offset = head;
        written
            .and_then(|()| {
                sections.iter().try_for_each(|section| {
                    w.count(offset)?;
                    offset += section.len();
                    Ok(())
                })
            })
            .map_err(|_| WriteError::TooLarge)?;
        bytes.extend(sections.into_iter().flatten());
        Ok(bytes)
    }
}

/// Where sections start and end.
fn sections(bytes: &[u8]) -> Result<Vec<(usize, usize)>, ReadError> {
    let mut r = Reader::new(bytes);
    r.u32()?;
    let version = r.u32()?;
    if version != VERSION {
        return Err(ReadError::expected(4, "a package of version 1", version));
    }
    let at = r.offset();
    let count = r.u32()?;
    if count == 0 || count > MOST_SECTIONS {
        return Err(ReadError::expected(at, "1 to 32 sections", count));
    }
    r.bounded(count, 4)?;
    let mut starts = Vec::new();
    for _ in 0..count {
        let at = r.offset();
        let start = r.u32()? as usize;
        let least = starts.last().map_or(12 + 4 * count as usize, |last: &usize| last + 4);
        if start < least || start + 4 > bytes.len() {
            let found = start as u64;
            return Err(ReadError::expected(at, "the offset of a section, in order", found));
        }
        starts.push(start);
    }
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    Ok(starts.iter().copied().zip(ends).collect())
}
