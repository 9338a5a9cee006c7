//! Commands under the names, options, texts and exit codes of the originals. See docs/classic.md.

mod checkpolicy;
mod compute;
mod getopt;
mod ocontexts;
mod policyvers;
mod secil2tree;
mod secilc;
mod secilcheck;

use std::io::Write;

use anyhow::Result;

/// A classic command: its words, name included.
pub(crate) type Classic = fn(&[String], &mut dyn Write, &mut dyn Write) -> Result<u8>;

/// The command of exactly this name.
pub(crate) fn find(name: &str) -> Option<Classic> {
    match name {
        "checkpolicy" => Some(checkpolicy::checkpolicy),
        "compute_av" => Some(compute::compute_av),
        "compute_create" => Some(compute::compute_create),
        "compute_member" => Some(compute::compute_member),
        "compute_relabel" => Some(compute::compute_relabel),
        "validatetrans" => Some(compute::validatetrans),
        "policyvers" => Some(policyvers::policyvers),
        "secil2tree" => Some(secil2tree::secil2tree),
        "secilcheck" => Some(secilcheck::secilcheck),
        "secilc" => Some(secilc::secilc),
        _ => None,
    }
}

/// The words after the command's name, and the file of `--policy FILE`, ours alone, if it stands before them.
fn split_policy(words: &[String]) -> (Option<&str>, &[String]) {
    let words = words.get(1..).unwrap_or_default();
    match words {
        [option, file, rest @ ..] if option == "--policy" => (Some(file), rest),
        [option, rest @ ..] => match option.strip_prefix("--policy=") {
            Some(file) => (Some(file), rest),
            None => (None, words),
        },
        [] => (None, words),
    }
}
