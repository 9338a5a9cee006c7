//! The kernel policy language: `policy.conf` as checkpolicy takes it, and what `.te` files are once their macros are expanded.

pub mod ast;

mod blocks;
mod conditions;
mod constraints;
mod contexts;
mod declarations;
#[doc(hidden)]
pub mod dump;
mod expressions;
mod keyword;
mod labels;
mod lexer;
mod mls;
mod network;
mod numbers;
mod order;
mod parser;
mod recovery;
mod roles;
mod rules;
mod sets;
#[cfg(test)]
mod tests;

pub use ast::*;
pub use lexer::is_name;
pub use network::is_interface;
pub use order::section;
pub use parser::{
    MAX_DEPTH, MAX_DIAGNOSTICS, MAX_NAME_BYTES, ParseOptions, Parsed, SourceKind, UnknownCall,
    parse, parse_file,
};
