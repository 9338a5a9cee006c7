//! `rlpkg`: labels of the files that packages have.

use std::io::Write;

use anyhow::Result;

use super::getopt::{self, Spec, Word, spec};
use crate::Outcome;
use crate::verbs::label::package::{self, Job};

const OPTIONS: [Spec; 8] = [
    spec('a', "all", false),
    spec('f', "force", false),
    spec('h', "help", false),
    spec('p', "pretend", false),
    spec('q', "quiet", false),
    spec('r', "reset", false),
    spec('t', "textrels", false),
    spec('v', "verbose", false),
];

pub(crate) fn rlpkg(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let name = words.first().map_or("rlpkg", String::as_str);
    let (root, words) = super::split_root(words);
    let mut job = Job::at(root);
    let mut quiet = false;
    let mut packages = Vec::new();
    for word in getopt::read(&OPTIONS, words) {
        match word {
            Word::Option('a', _) => {
                writeln!(err, "{name}: labels of all files are set by: mandate label restore /")?;
                return Ok(1);
            }
            Word::Option('t', _) => {
                writeln!(
                    err,
                    "{name}: libraries with text relocations are not looked for: label them by lines of file_contexts.local"
                )?;
                return Ok(1);
            }
            Word::Option('f' | 'r', _) => job.force = true,
            Word::Option('p', _) => (job.dry_run, job.list) = (true, true),
            Word::Option('q', _) => quiet = true,
            Word::Option('v', _) => job.list = true,
            Word::Option(..) => {
                writeln!(out, "usage: {name} [--root DIR] [-fpqrv] PACKAGE...")?;
                return Ok(0);
            }
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                return Ok(1);
            }
            Word::Operand(word) => packages.push(word),
        }
    }
    if packages.is_empty() {
        writeln!(err, "usage: {name} [--root DIR] [-fpqrv] PACKAGE...")?;
        return Ok(1);
    }
    let mut unheard = std::io::sink();
    let out: &mut dyn Write = if quiet { &mut unheard } else { out };
    let pretend = job.dry_run;
    match package::relabel(job, &packages, out, err) {
        Ok(Outcome::Success) => Ok(0),
        Ok(Outcome::Denied) if pretend => Ok(0),
        Ok(_) => Ok(1),
        Err(why) => {
            writeln!(err, "{name}: {why:#}")?;
            Ok(1)
        }
    }
}
