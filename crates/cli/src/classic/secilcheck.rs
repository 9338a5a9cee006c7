//! `secilcheck`: a binary policy against the neverallow rules of CIL files.

use std::io::Write;

use anyhow::Result;
use mandate_compile::cil::Options;
use mandate_compile::outcome::Outcome;
use mandate_syntax::codes::Code;

use super::getopt::{self, Spec, Word};
use super::secilc::read_files;
use crate::render::{Findings, text};
use crate::{compiler, input, words};

const OPTIONS: [Spec; 4] = {
    const fn spec(letter: char, name: &'static str) -> Spec {
        Spec { letter, name, argument: false }
    }
    [
        spec('h', "help"),
        spec('v', "verbose"),
        spec('m', "multiple-decls"),
        spec('Q', "qualified-names"),
    ]
};

/// What the original returns for a failure: -1.
const FAILED: u8 = 255;

pub(crate) fn secilcheck(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let name = words.first().map_or("secilcheck", String::as_str);
    let (mut options, mut files) = (Options::default(), Vec::new());
    for word in getopt::read(&OPTIONS, words.get(1..).unwrap_or_default()) {
        match word {
            Word::Option('m', _) => options.multiple_decls = true,
            Word::Option('Q', _) => options.qualified_names = true,
            Word::Option('h', _) => return usage(name, out),
            Word::Option(..) => {}
            Word::Operand(file) => files.push(file),
            Word::Wrong(message) => writeln!(err, "{name}: {message}")?,
        }
    }
    if files.len() < 2 {
        writeln!(err, "Not enough files specified")?;
        return usage(name, out);
    }
    let policy = files.remove(0);
    let db = match input::read_policy(&words::to_path(&policy)) {
        Ok(policy) => policy.into_db(),
        Err(why) => {
            writeln!(err, "{why:#}\nFailed to get binary policy db")?;
            return Ok(FAILED);
        }
    };
    let Some(sources) = read_files(&files, err)? else {
        writeln!(err, "Failed to add cil file to CIL files")?;
        return Ok(FAILED);
    };
    let outcome = compiler::check_neverallows(&db, &policy, sources, &options);
    let findings = Findings::of(&outcome).without_notes();
    text::write(&findings, text::Settings::for_terminal(), err)?;
    if !outcome.failed() {
        return Ok(0);
    }
    let last = if is_violation(&outcome) {
        "There was a neverallow violation"
    } else {
        "Failed to compile cildb: -1"
    };
    writeln!(err, "{last}")?;
    Ok(FAILED)
}

fn is_violation(outcome: &Outcome) -> bool {
    let of_neverallow = |it| matches!(it, Code::NeverAllow | Code::NeverAllowXperm);
    outcome.diagnostics.iter().any(|it| of_neverallow(it.code))
}

fn usage(name: &str, out: &mut dyn Write) -> Result<u8> {
    writeln!(
        out,
        "Usage: {name} [OPTION]... BIN_POLICY CIL_NEVERALLOW_FILE1...

Options:
  -Q, --qualified-names          names may have dots; no blocks, blockinherits, blockabstracts
                                 and in-statements
  -m, --multiple-decls           take equal declarations as one
  -v, --verbose                  accepted
  -h, --help                     show this"
    )?;
    Ok(1)
}
