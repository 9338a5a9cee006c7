//! Compares Mandate with the original SELinux tools and with a real kernel.
//!
//! Each suite puts the same question to *theirs* and to *ours* and counts the
//! answers that differ. [`originals`] brings the tools onto the machine,
//! [`reference`] and [`small`] make policies with them, [`sepol`] asks libsepol,
//! [`queries`] draws the questions from a policy's [`vocabulary`], and [`report`]
//! tells what was compared.

pub mod audit;
pub mod base_policy;
pub mod bench;
pub mod cil;
pub mod compile;
pub mod compiled_contexts;
pub mod decisions;
pub mod decompile;
pub mod doc;
pub mod format;
pub mod incremental;
pub mod kernel;
pub mod kernel_mix;
pub mod labels;
mod later;
pub mod measure;
pub mod micro;
pub mod mutate;
pub mod objects;
pub mod originals;
pub mod ours;
pub mod packages;
pub mod place;
pub mod queries;
pub mod query;
pub mod random;
pub mod random_policies;
pub mod reach;
pub mod reference;
pub mod report;
pub mod roundtrip;
pub mod run;
pub mod sepol;
pub mod small;
pub mod suite;
pub mod vocabulary;
pub mod walk;
