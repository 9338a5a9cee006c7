//! Compiles SELinux policy: Reference Policy trees, modules of one's own and `policy.conf` to a policy the kernel loads. Nothing here
//! opens a file: callers hand in bytes and get values.

#![forbid(unsafe_code)]

pub mod assertion;
pub mod backend;
pub mod bounds;
pub mod cache;
pub mod cil;
pub mod conf;
pub mod decompile;
pub mod file_contexts;
mod members;
pub mod module;
pub mod near;
pub mod optimise;
pub mod outcome;
pub mod package;
pub mod print;
pub mod provenance;
pub mod refpolicy;
pub mod whole;
