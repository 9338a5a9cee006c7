//! What SELinux policies are written in: sources with positions, diagnostics, m4 with the origin of every token, and the
//! parsers of the kernel policy language and of CIL. Parsers never fail: they return a tree and diagnostics. Nothing here opens a file.

#![forbid(unsafe_code)]

pub mod cil;
pub mod codes;
pub mod diagnostic;
pub mod format;
pub mod kernel;
mod line_marks;
pub mod m4;
pub mod names;
pub mod source;
pub mod stored;
pub mod text;
