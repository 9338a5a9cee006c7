//! Commands under the names, options, texts and exit codes of the originals. See docs/classic.md.

mod analysis;
mod argparse;
mod audit;
mod audit2allow;
mod aureport;
mod aureport_heads;
mod ausearch;
mod ausearch_lines;
mod chcat;
mod chcon;
mod checkmodule;
mod checkpolicy;
mod compute;
mod drawing;
mod genhomedircon;
mod getopt;
mod matchpathcon;
mod ocontexts;
mod packages;
mod policyvers;
mod printers;
mod quoting;
mod rlpkg;
mod secil2tree;
mod secilc;
mod secilcheck;
mod sediff;
mod sedta;
mod sefcontext_compile;
mod seinfo;
mod seinfoflow;
mod selabel;
mod sesearch;
mod setfilecon;
mod setfiles;

use std::io::Write;

use anyhow::Result;
use mandate_policydb::HandleUnknown;

use crate::labels;

pub(crate) use seinfo::print_summary;

/// A classic command: its words, name included.
pub(crate) type Classic = fn(&[String], &mut dyn Write, &mut dyn Write) -> Result<u8>;

/// Commands whose output is names of files, byte by byte.
pub(crate) const NAME_FILES: [&str; 8] = [
    "aureport",
    "ausearch",
    "chcon",
    "getfilecon",
    "matchpathcon",
    "restorecon",
    "setfilecon",
    "setfiles",
];

/// The command of exactly this name.
pub(crate) fn find(name: &str) -> Option<Classic> {
    match name {
        "audit2allow" => Some(audit2allow::audit2allow),
        "audit2why" => Some(audit2allow::audit2why),
        "aureport" => Some(aureport::aureport),
        "ausearch" => Some(ausearch::ausearch),
        "chcat" => Some(chcat::chcat),
        "chcon" => Some(chcon::chcon),
        "checkmodule" => Some(checkmodule::checkmodule),
        "checkpolicy" => Some(checkpolicy::checkpolicy),
        "compute_av" => Some(compute::compute_av),
        "compute_create" => Some(compute::compute_create),
        "compute_member" => Some(compute::compute_member),
        "compute_relabel" => Some(compute::compute_relabel),
        "genhomedircon" => Some(genhomedircon::genhomedircon),
        "matchpathcon" => Some(matchpathcon::matchpathcon),
        "getfilecon" => Some(setfilecon::getfilecon),
        "pp" => Some(printers::pp),
        "restorecon" => Some(setfiles::restorecon),
        "rlpkg" => Some(rlpkg::rlpkg),
        "secil2conf" => Some(printers::secil2conf),
        "semodule_expand" => Some(packages::expand),
        "semodule_link" => Some(packages::link),
        "semodule_package" => Some(packages::package),
        "semodule_unpackage" => Some(packages::unpackage),
        "validatetrans" => Some(compute::validatetrans),
        "policyvers" => Some(policyvers::policyvers),
        "secil2tree" => Some(secil2tree::secil2tree),
        "secilcheck" => Some(secilcheck::secilcheck),
        "secilc" => Some(secilc::secilc),
        "sefcontext_compile" => Some(sefcontext_compile::sefcontext_compile),
        "selabel_lookup" => Some(selabel::lookup),
        "selabel_partial_match" => Some(selabel::partial_match),
        "sediff" => Some(sediff::sediff),
        "seinfo" => Some(seinfo::seinfo),
        "sesearch" => Some(sesearch::sesearch),
        "setfilecon" => Some(setfilecon::setfilecon),
        "setfiles" => Some(setfiles::setfiles),
        "sedta" => Some(sedta::sedta),
        "seinfoflow" => Some(seinfoflow::seinfoflow),
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

/// The same of `--root DIR`, ours alone: the root file system whose policy and accounts are meant.
fn split_root(words: &[String]) -> (Option<&str>, &[String]) {
    match words.get(1..).unwrap_or_default() {
        [option, root, rest @ ..] if option == "--root" => (Some(root), rest),
        words => (None, words),
    }
}

/// File contexts with their neighbours; wrong lines are told on `err`. `Err` is why they cannot be read, in the system's words.
fn open_file_contexts(
    file: &std::path::Path,
    err: &mut dyn Write,
) -> Result<std::result::Result<labels::Loaded, String>> {
    let loaded = match labels::open(file) {
        Ok(loaded) => loaded,
        Err(why) => {
            let system = why.downcast_ref::<std::io::Error>().map(system_words);
            return Ok(Err(system.unwrap_or_else(|| format!("{why:#}"))));
        }
    };
    for error in &loaded.errors {
        writeln!(err, "{error}; the line is left out")?;
    }
    Ok(Ok(loaded))
}

/// What an option `-U` says, in letters of any size.
fn handle_unknown(action: &str) -> Option<HandleUnknown> {
    Some(match action.to_ascii_lowercase().as_str() {
        "deny" => HandleUnknown::Deny,
        "allow" => HandleUnknown::Allow,
        "reject" => HandleUnknown::Reject,
        _ => return None,
    })
}

/// The number that `text` begins with, as C's `atoi` reads it.
fn leading_number(text: &str) -> u32 {
    let text = text.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().unwrap_or(0)
}

/// Whether the kernel has SELinux and a policy.
fn kernel_has_selinux() -> bool {
    std::path::Path::new(SELINUXFS).join("enforce").exists()
}

/// Asks the kernel whether its policy has a context; without SELinux all are fine.
fn ask_kernel(context: &[u8]) -> std::io::Result<()> {
    if !kernel_has_selinux() {
        return Ok(());
    }
    let path = std::path::Path::new(SELINUXFS).join("context");
    let mut file = std::fs::File::options().read(true).write(true).open(path)?;
    file.write_all(&[context, b"\0"].concat())
}

const SELINUXFS: &str = "/sys/fs/selinux";

/// The system's words for what went wrong, without their number.
pub(crate) fn system_words(why: &std::io::Error) -> String {
    let text = why.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
