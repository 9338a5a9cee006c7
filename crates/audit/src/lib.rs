//! Audit records of SELinux: read and written, searched and summarised, explained, and made into rules.
//!
//! Pure: callers hand in bytes and get values. [`Reader`] gives the records of a text, [`Events`] joins them, [`Event::accesses`] tells what was denied or
//! granted.
//!
//! ```
//! use mandate_audit::{Events, Reader};
//!
//! let log = b"type=AVC msg=audit(1700000000.003:7): avc:  denied  { read } for  pid=1 comm=\"cat\" path=\"/etc/shadow\" dev=\"vda1\" ino=3 \
//! scontext=user_u:user_r:user_t:s0 tcontext=system_u:object_r:shadow_t:s0 tclass=file permissive=0\n";
//! for event in Events::new(Reader::new(log)) {
//!     let accesses = event.unwrap().accesses();
//!     assert_eq!(accesses[0].permissions, ["read"]);
//!     assert_eq!(accesses[0].object.path.as_deref(), Some(&b"/etc/shadow"[..]));
//! }
//! ```

#![forbid(unsafe_code)]

mod access;
pub mod allowing;
mod avc;
pub mod bound;
mod event;
pub mod explain;
pub mod fields;
mod flags;
pub mod interfaces;
mod interpret;
mod joiner;
mod journal;
mod kind;
mod learn;
mod normalize;
mod reader;
mod record;
pub mod rules;
mod search;
mod stamp;
mod syscalls;
pub mod verdict;
mod worded;

pub use access::{Access, Object};
pub use avc::Avc;
pub use event::Event;
pub use fields::{Fields, Spread, Value};
pub use interpret::{Names, interpret, visible};
pub use joiner::{Events, Joiner};
pub use kind::Kind;
pub use learn::learned;
pub use normalize::{Actor, Normalized, Unnormalized, normalize};
pub use reader::{BadLine, Reader};
pub use record::{ENRICHED, Expected, Form, Malformed, Record};
pub use search::{Pattern, Search, succeeded};
pub use stamp::Stamp;
pub use syscalls::Arch;
pub use worded::{Worded, worded};
