//! `pp` and `secil2conf`: a policy in another text.

use std::io::Write;

use anyhow::Result;
use mandate_compile::cil;
use mandate_compile::print::kernel;
use mandate_syntax::source::{Expansions, SourceMap};

use super::getopt::{self, Spec, Word, spec};
use super::secilc::read_files;
use crate::forms::{Form, read_input};
use crate::render::{Findings, text};
use crate::replace::replace;
use crate::words;

/// `pp [IN [OUT]]`: a package as CIL, as semodule asks for it.
pub(crate) fn pp(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    const OPTIONS: [Spec; 1] = [spec('h', "help", false)];
    let name = words.first().map_or("pp", String::as_str);
    let mut files = Vec::new();
    for word in getopt::read(&OPTIONS, words.get(1..).unwrap_or_default()) {
        match word {
            Word::Option(..) => return pp_usage(name, out, 0),
            Word::Operand(file) => files.push(file),
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                return pp_usage(name, err, 1);
            }
        }
    }
    if files.len() > 2 {
        writeln!(err, "Too many arguments")?;
        return pp_usage(name, err, 1);
    }
    let mut files = files.iter().map(String::as_str);
    let (input, output) = (files.next().unwrap_or("-"), files.next().unwrap_or("-"));
    let mut read = match read_input(&words::to_path(input)) {
        Ok(read) if read.is_package() => read,
        Ok(_) => {
            writeln!(err, "Failed to read policy package: {input} is none")?;
            return Ok(FAILED);
        }
        Err(why) => {
            writeln!(err, "Failed to read policy package: {why:#}")?;
            return Ok(FAILED);
        }
    };
    let text = read.text(Form::Cil, false);
    text::write(&Findings::of(&read.outcome).without_notes(), text::Settings::for_terminal(), err)?;
    let Some(text) = text else { return Ok(FAILED) };
    if output == "-" {
        out.write_all(&text)?;
    } else if let Err(why) = replace(&words::to_path(output), |file| Ok(file.write_all(&text)?)) {
        writeln!(err, "Failed to write to output: {why:#}")?;
        return Ok(FAILED);
    }
    Ok(0)
}

fn pp_usage(name: &str, to: &mut dyn Write, code: u8) -> Result<u8> {
    writeln!(
        to,
        "Usage: {name} [OPTIONS] [IN_FILE [OUT_FILE]]

Read an SELinux policy package (.pp) and output the equivalent CIL.
If IN_FILE is not provided or is -, read SELinux policy package from
standard input. If OUT_FILE is not provided or is -, output CIL to
standard output.

Options:
  -h, --help      print this message and exit"
    )?;
    Ok(code)
}

/// What the original returns for a failure: -1.
const FAILED: u8 = 255;

/// `secil2conf [-o FILE] [-M true|false] [-P] [-Q] FILE…`: CIL in the kernel policy language.
pub(crate) fn secil2conf(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    const OPTIONS: [Spec; 6] = [
        spec('h', "help", false),
        spec('v', "verbose", false),
        spec('o', "output", true),
        spec('M', "mls", true),
        spec('P', "preserve-tunables", false),
        spec('Q', "qualified-names", false),
    ];
    let name = words.first().map_or("secil2conf", String::as_str);
    let mut options = cil::Options::default();
    let (mut files, mut output) = (Vec::new(), "policy.conf".to_owned());
    for word in getopt::read(&OPTIONS, words.get(1..).unwrap_or_default()) {
        match word {
            Word::Option('o', file) => output = file,
            Word::Option('M', value) => match value.to_ascii_lowercase().as_str() {
                "true" | "1" => options.mls = Some(true),
                "false" | "0" => options.mls = Some(false),
                _ => return conf_usage(name, out),
            },
            Word::Option('P', _) => options.preserve_tunables = true,
            Word::Option('Q', _) => options.qualified_names = true,
            Word::Option('v', _) => {}
            Word::Option(..) => return conf_usage(name, out),
            Word::Operand(file) => files.push(file),
            // The original tells it and goes on.
            Word::Wrong(message) => writeln!(err, "{name}: {message}")?,
        }
    }
    if files.is_empty() {
        writeln!(err, "No cil files specified")?;
        return conf_usage(name, out);
    }
    let Some(read) = read_files(&files, err)? else { return Ok(FAILED) };
    let (mut sources, mut expansions) = (SourceMap::new(), Expansions::default());
    let mut ids = Vec::new();
    for file in read {
        ids.push(sources.add(file.path.as_str(), file.bytes)?);
    }
    let parsed = cil::read(&mut sources, &ids);
    let mut lowered = cil::lower(parsed, &options, &mut expansions);
    let mut printed = None;
    if !lowered.failed() {
        let layout = kernel::Layout::Policy;
        let it = kernel::print(&lowered.units, &kernel::Options { layout });
        lowered.diagnostics.extend(it.diagnostics);
        printed = Some(it.text);
    }
    let findings = Findings::new(&sources, &expansions, &lowered.diagnostics).without_notes();
    text::write(&findings, text::Settings::for_terminal(), err)?;
    let Some(text) = printed.filter(|_| !lowered.failed()) else {
        writeln!(err, "Failed to compile cildb: -1")?;
        return Ok(FAILED);
    };
    if replace(&words::to_path(&output), |file| Ok(file.write_all(&text)?)).is_err() {
        writeln!(err, "Failure opening policy.conf file for writing")?;
        return Ok(FAILED);
    }
    Ok(0)
}

fn conf_usage(name: &str, out: &mut dyn Write) -> Result<u8> {
    writeln!(
        out,
        "Usage: {name} [OPTION]... FILE...

Options:
  -o, --output=<file>            write policy.conf to <file>
                                 (default: policy.conf)
  -M, --mls true|false           write an mls policy. Must be true or false.
                                 This will override the (mls boolean) statement
                                 if present in the policy
  -P, --preserve-tunables        treat tunables as booleans
  -Q, --qualified-names          Allow names containing dots (qualified names).
                                 Blocks, blockinherits, blockabstracts, and
                                 in-statements will not be allowed.
  -v, --verbose                  increment verbosity level
  -h, --help                     display usage information"
    )?;
    Ok(1)
}
