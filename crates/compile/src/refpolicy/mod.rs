//! Builds Reference Policy source trees: what their Makefile does with m4, awk, sed, Python and checkpolicy.

mod build;
pub mod called;
mod class_permissions;
mod declarations;
mod documented;
mod expand;
pub mod files;
pub mod headers;
mod incremental;
mod interfaces;
mod jobs;
pub mod modules;
pub mod own;
#[cfg(test)]
mod own_tests;
pub mod settings;
mod tell;
mod texts;

pub use build::{Options, build, build_with};
pub use texts::{ModuleTexts, Texts, texts};
