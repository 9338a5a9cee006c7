//! What a file is that is not a kernel policy, so that an error can name it.

use std::fmt;

/// Magic number of a kernel policy (`POLICYDB_MAGIC`).
pub(crate) const POLICY_MAGIC: u32 = 0xf97c_ff8c;
const MODULE_MAGIC: u32 = 0xf97c_ff8d;
const PACKAGE_MAGIC: u32 = 0xf97c_ff8f;
const FILE_CONTEXTS_MAGIC: u32 = 0xf97c_ff8a;

/// Kinds of files that people hand over in place of a kernel policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// Nothing at all.
    Empty,
    /// A policy module, as `checkmodule` makes.
    Module,
    /// A policy package, as `semodule_package` makes.
    Package,
    /// Compiled file contexts.
    FileContexts,
    /// Text: CIL, policy.conf or a .te file.
    Text,
    /// bzip2, as modules are kept in the module store.
    Bzip2,
    /// A kernel policy of a big-endian writer.
    BigEndian,
    /// None of the above.
    Unknown,
}

impl FileKind {
    /// What the first bytes of a file look like.
    pub fn of(bytes: &[u8]) -> Self {
        let magic = bytes.first_chunk().map(|word| u32::from_le_bytes(*word));
        match magic {
            _ if bytes.is_empty() => Self::Empty,
            Some(MODULE_MAGIC) => Self::Module,
            Some(PACKAGE_MAGIC) => Self::Package,
            Some(FILE_CONTEXTS_MAGIC) => Self::FileContexts,
            Some(magic) if magic == POLICY_MAGIC.swap_bytes() => Self::BigEndian,
            _ if bytes.starts_with(b"BZh") => Self::Bzip2,
            _ if is_text(bytes) => Self::Text,
            _ => Self::Unknown,
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    head.iter().all(|&b| b >= b' ' || matches!(b, b'\n' | b'\r' | b'\t'))
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the file is empty, not a kernel policy",
            Self::Module => "this is a policy module (.mod), not a kernel policy",
            Self::Package => "this is a policy package (.pp), not a kernel policy",
            Self::FileContexts => "these are compiled file contexts, not a kernel policy",
            Self::Text => "this is text (policy source?), not a binary kernel policy",
            Self::Bzip2 => "this is a bzip2 file (a module of the store?), not a kernel policy",
            Self::BigEndian => "this policy is big-endian; kernel policies are little-endian",
            Self::Unknown => "this is not a kernel policy: it does not start with 0xf97cff8c",
        })
    }
}
