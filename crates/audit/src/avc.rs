//! The message of a decision: `avc:  denied  { read } for  pid=1 … scontext=… tcontext=… tclass=file permissive=0`.
//!
//! Written by `security/selinux/avc.c` of the kernel, and by libselinux for object managers.

use memchr::memmem;

use crate::fields::{Fields, Spread, Value};

/// A decision that a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avc<'a> {
    /// It was denied; else granted.
    pub denied: bool,
    permissions: &'a [u8],
    rest: &'a [u8],
    spread: Spread,
}

impl<'a> Avc<'a> {
    /// The decision of a message; `None` for other messages, such as notices of a loaded policy.
    #[must_use]
    pub fn parse(text: &'a [u8], spread: Spread) -> Option<Self> {
        let at = memmem::find(text, b"avc:")?;
        let text = text.get(at + 4..)?.trim_ascii_start();
        let (denied, text) = match (text.strip_prefix(b"denied"), text.strip_prefix(b"granted")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return None,
        };
        let text = text.trim_ascii_start();
        let (permissions, rest) = match text.strip_prefix(b"{") {
            Some(inner) => match memchr::memchr(b'}', inner) {
                Some(end) => (inner.get(..end)?, inner.get(end + 1..)?),
                None => (inner, &b""[..]),
            },
            // The kernel writes `null` for an empty vector.
            None => (&b""[..], text),
        };
        Some(Self { denied, permissions, rest, spread })
    }

    /// The names of the permissions, and `0x400` for one without a name.
    pub fn permissions(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.permissions.split(u8::is_ascii_whitespace).filter(|it| !it.is_empty())
    }

    /// What stands behind the permissions.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields::new(self.rest, self.spread)
    }

    /// The first field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Value<'a>> {
        self.fields().find(|it| it.0 == name.as_bytes()).map(|it| it.1)
    }
}
