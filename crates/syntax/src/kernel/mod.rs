//! The kernel policy language: `policy.conf` as checkpolicy takes it, and what `.te` files are once their macros are expanded.

pub mod ast;

pub use ast::*;
