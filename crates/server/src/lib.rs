//! The security server: decides access, computes contexts and says why, from a validated policy.
//!
//! [`Engine`] answers questions about contexts. [`SecurityServer`] adds SIDs, a cache, booleans and reload for many
//! threads; it is what a program embeds to become an object manager.

#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod avc;
mod booleans;
mod constraint;
mod engine;
mod explain;
mod index;
mod objects;
mod security_server;
mod sid;
mod trace;
mod transition;
mod xperm;

pub use avc::Avc;
pub use booleans::Booleans;
pub use constraint::constraint_holds;
pub use engine::{Decision, Engine, Query, TooManyAttributes, compute_av};
pub use explain::{Change, Denial, Explanation, PermissionExplanation};
pub use objects::{FsUse, ObjectLookup, initial_sid_name};
pub use security_server::{Check, Mode, SecurityServer, ServerError};
pub use sid::Sid;
pub use trace::Trace;
pub use transition::{Compute, ComputeError, ForbiddenTransition};
pub use xperm::{XpermBase, XpermDecision};
