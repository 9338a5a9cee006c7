//! `setfiles` and `restorecon` of policycoreutils.

mod options;
mod walk;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use mandate_host::{glob, interrupt};
use mandate_label::LineErrorKind;
use mandate_label::file_contexts::FileContexts;
use mandate_label::relabel::Rules;

use crate::labels::{self, Loaded};
use crate::relabel::{Plan, Post, customizable, drive};
use crate::{input, policy, words};
use options::{Options, Program};

/// What the originals return for `-1`.
const FAILED: u8 = 255;

pub(crate) fn setfiles(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let options = match options::read(Program::Setfiles, words, err)? {
        Ok(options) => options,
        Err(code) => return Ok(code),
    };
    let Some(spec) = options.spec.clone() else { return Ok(FAILED) };
    let found = match std::fs::metadata(words::to_path(&spec)) {
        Ok(found) => found,
        Err(why) => {
            writeln!(err, "{spec}: {}", super::system_words(&why))?;
            return Ok(FAILED);
        }
    };
    if !found.is_file() {
        writeln!(err, "{}:  spec file {spec} is not a regular file.", options.name)?;
        return Ok(FAILED);
    }
    run(&options, &spec, out, err)
}

pub(crate) fn restorecon(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let enabled = super::kernel_has_selinux();
    let (file, words) = own_file(words);
    if !enabled && file.is_none() {
        // Scripts call it everywhere.
        return Ok(0);
    }
    let options = match options::read(Program::Restorecon, &words, err)? {
        Ok(options) => options,
        Err(code) => return Ok(code),
    };
    let file = match file {
        Some(file) => file,
        None => labels::in_force(Path::new("/"))?.display().to_string(),
    };
    run(&options, &file, out, err)
}

/// The file of `--file-contexts FILE`, ours alone, if it stands before all other words, and the words without it.
fn own_file(words: &[String]) -> (Option<String>, Vec<String>) {
    match words {
        [name, option, file, rest @ ..] if option == "--file-contexts" => {
            let words = std::iter::once(name).chain(rest).cloned().collect();
            (Some(file.clone()), words)
        }
        _ => (None, words.to_vec()),
    }
}

fn run(options: &Options, file: &str, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let loaded = match labels::open(&words::to_path(file)) {
        Ok(loaded) => loaded,
        Err(why) => {
            writeln!(err, "{}: {why:#}", options.name)?;
            return Ok(1);
        }
    };
    if refused(&loaded, err)? {
        writeln!(err, "{file}: Invalid argument")?;
        return Ok(1);
    }
    if let Some(policy) = &options.policy
        && let Some(context) = invalid_context(&loaded.table, policy)?
    {
        writeln!(err, "invalid context {context}")?;
        return Ok(FAILED);
    }
    if options.setfiles && options.policy.is_none() && unknown_to_kernel(options, &loaded, err)? {
        writeln!(err, "{file}: Invalid argument")?;
        return Ok(1);
    }
    let plan = Plan {
        table: &loaded.table,
        rules: Rules {
            force: options.force,
            user_and_role: options.user_and_role,
            customizable: customizable(&policy::folder_in_force(Path::new("/"))),
        },
        write: !options.nochange,
        outside: options.root.as_ref().map_or(0, Vec::len),
        attribute: mandate_host::xattr::SELINUX,
    };
    interrupt::watch();
    let stop = Arc::<AtomicBool>::default();
    let work = |post: Post| walk::all(options, &plan, &stop, post);
    let walked = drive(out, err, &stop, &mut || {}, work)?;
    if options.progress {
        writeln!(out)?;
    }
    if walked.unreadable {
        options::usage(Program::of(options), &options.name, err)?;
        return Ok(FAILED);
    }
    if interrupt::asked() {
        return Ok(FAILED);
    }
    if options.count_relabeled {
        writeln!(out, "Relabeled {} files", walked.relabeled)?;
        return Ok(match walked.failed {
            true => FAILED,
            false => u8::from(walked.relabeled == 0),
        });
    }
    Ok(if walked.failed { FAILED } else { u8::from(walked.skipped_errors > 0) })
}

/// Tells wrong lines; whether libselinux refuses the whole file for one of them. Patterns it compiles only when it needs them.
fn refused(loaded: &Loaded, err: &mut dyn Write) -> Result<bool> {
    let mut refused = false;
    for error in &loaded.errors {
        writeln!(err, "{error}")?;
        refused |= !matches!(error.error.kind, LineErrorKind::Pattern(_));
    }
    Ok(refused)
}

/// Tells lines whose context the policy in force does not have, if there is one; whether there are any.
fn unknown_to_kernel(options: &Options, loaded: &Loaded, err: &mut dyn Write) -> Result<bool> {
    let mut unknown = BTreeMap::<&str, bool>::new();
    for line in loaded.table.lines() {
        let Some(context) = line.context() else { continue };
        let asked = || super::ask_kernel(context.as_bytes()).is_err();
        if *unknown.entry(context).or_insert_with(asked) {
            let (name, source, number) = (&options.name, line.source(), line.number());
            writeln!(err, "{name}: {source}: line {number} has invalid context {context}")?;
        }
    }
    Ok(unknown.into_values().any(|it| it))
}

/// The first context of the file that a policy does not have.
fn invalid_context<'t>(table: &'t FileContexts, policy: &str) -> Result<Option<&'t str>> {
    let policy = input::read_policy(&words::to_path(policy))?;
    let contexts = table.lines().filter_map(|it| it.context());
    Ok(contexts.into_iter().find(|it| policy.db().parse_context(it).is_err()))
}

/// Calls `each` for every path that is to be labelled: the operands, or what is read from a file or standard input.
/// False if the file cannot be opened, which is told.
fn paths(options: &Options, post: &mut Post, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    let mut expand = |word: &[u8]| {
        let dots = |it: &Vec<u8>| {
            !(it.len() > 2 && it.ends_with(b"/.") || it.len() > 3 && it.ends_with(b"/.."))
        };
        glob::expand(word).iter().filter(|it| dots(it)).all(|it| each(it))
    };
    let Some(list) = &options.list else {
        // Stops early when the walk does.
        let _ = options.paths.iter().all(|it| expand(words::to_word(it).as_bytes()));
        return true;
    };
    let reader: Box<dyn Read> = if list == "-" {
        Box::new(std::io::stdin())
    } else {
        match std::fs::File::open(words::to_path(list)) {
            Ok(file) => Box::new(file),
            Err(why) => {
                let why = super::system_words(&why);
                post.err(format!("Unable to open {list}: {why}\n").as_bytes());
                return false;
            }
        }
    };
    let end = if options.null { 0 } else { b'\n' };
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(end, &mut line).is_ok_and(|it| it > 0) {
        if !expand(line.strip_suffix(&[end]).unwrap_or(&line)) {
            break;
        }
        line.clear();
    }
    true
}
