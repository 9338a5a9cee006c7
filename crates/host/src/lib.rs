//! The machine as Mandate's tools see it. Libraries take bytes and give values; what they need of the machine comes through here.

pub mod cache;
pub mod glob;
pub mod interrupt;
pub mod label;
pub mod links;
pub mod memory;
pub mod pcre;
pub mod tree;
pub mod xattr;
