//! `sefcontext_compile`: file contexts as libselinux loads them fastest.

use std::fs;
use std::io::Write;

use anyhow::Result;
use mandate_host::pcre;
use mandate_label::file_contexts::binary::{self, Engine, Head, Version};
use mandate_label::file_contexts::{FileContexts, Source, Substitutions};
use mandate_policydb::Policy;

use super::getopt::{self, Spec, Word, spec};
use super::system_words;
use crate::replace::replace;
use crate::{input, words};

/// Ours alone, and without a letter that anybody could type.
const FORMAT: char = '\u{1}';
const PCRE: char = '\u{2}';

const OPTIONS: [Spec; 7] = [
    spec('i', "", false),
    spec('o', "", true),
    spec('p', "", true),
    spec('r', "", false),
    spec('V', "", false),
    spec(FORMAT, "format", true),
    spec(PCRE, "pcre", true),
];

/// The original's exit code for what fails while it compiles.
const FAILED: u8 = 255;

#[derive(Default)]
struct Request {
    output: Option<String>,
    policy: Option<String>,
    format: Option<Version>,
    pcre: Option<String>,
}

pub(crate) fn sefcontext_compile(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let name = words.first().map_or("sefcontext_compile", String::as_str);
    let mut request = Request::default();
    let mut files = Vec::new();
    for word in getopt::read(&OPTIONS, words.get(1..).unwrap_or_default()) {
        match word {
            Word::Option('o', file) => request.output = Some(file),
            Word::Option('p', file) => request.policy = Some(file),
            // Expressions are never stored compiled.
            Word::Option('r', _) => {}
            Word::Option('i', _) => {
                let engine = Engine::here(&pcre::version().unwrap_or_else(|| "unknown".into()));
                writeln!(out, "{} ({})", engine.version, engine.architecture)?;
                return Ok(0);
            }
            Word::Option('V', _) => {
                writeln!(out, "Compiled fcontext format version 6")?;
                return Ok(0);
            }
            Word::Option(FORMAT, format) if format == "5" => request.format = Some(Version::List),
            Word::Option(FORMAT, format) if format == "6" => request.format = Some(Version::Tree),
            Word::Option(PCRE, version) => request.pcre = Some(version),
            Word::Option(..) => return usage(name, err),
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                return usage(name, err);
            }
            Word::Operand(file) => files.push(file),
        }
    }
    let [file] = files.as_slice() else { return usage(name, err) };
    compile(name, file, &request, err)
}

fn usage(name: &str, err: &mut dyn Write) -> Result<u8> {
    writeln!(
        err,
        "usage: {name} [-irV] [-o out_file] [-p policy_file] [--format 5|6] [--pcre VERSION] fc_file"
    )?;
    for line in [
        "-o        the file to write; without it fc_file with .bin behind",
        "-p        a policy that must have all contexts",
        "-r        leave out compiled regular expressions; they always are",
        "-i        print the version and architecture of PCRE2 and exit",
        "-V        print the newest format that is written and exit",
        "--format  5 for libselinux 2.7 to 3.7, 6 since 3.8; without it that of the file that is replaced, else 6",
        "--pcre    the version of PCRE2 that the file is for, as -i prints it; without it that of this machine",
    ] {
        writeln!(err, "  {line}")?;
    }
    Ok(1)
}

fn compile(name: &str, file: &str, request: &Request, err: &mut dyn Write) -> Result<u8> {
    let read =
        fs::metadata(words::to_path(file)).and_then(|it| Ok((it, fs::read(words::to_path(file))?)));
    let (metadata, bytes) = match read {
        Ok(read) => read,
        Err(why) => {
            writeln!(err, "{name}: could not stat: {file}: {}", system_words(&why))?;
            return Ok(1);
        }
    };
    let policy = match request.policy.as_deref() {
        None => None,
        Some(path) => match input::read_policy(&words::to_path(path)) {
            Ok(policy) => Some(policy),
            Err(why) => {
                writeln!(err, "{name}: failed to load policy from {path}: {why:#}")?;
                return Ok(1);
            }
        },
    };
    let source = Source { name: file, bytes: &bytes };
    let (table, errors) = FileContexts::compile(&[source], <[Substitutions; 2]>::default());
    for error in &errors {
        writeln!(err, "{error}")?;
    }
    if !errors.is_empty() || !contexts_exist(&table, policy.as_ref(), file, err)? {
        writeln!(err, "{name}: process_file failed")?;
        return Ok(FAILED);
    }
    let output = request.output.clone().unwrap_or_else(|| format!("{file}.bin"));
    let output = words::to_path(&output);
    let before = fs::read(&output).ok().and_then(|it| binary::head(&it).ok());
    let Some((version, engine)) = target(request, before) else {
        writeln!(err, "{name}: no libpcre2-8.so.0 is found here; name its version with --pcre")?;
        return Ok(FAILED);
    };
    let bytes = match table.to_binary(version, &engine) {
        Ok(bytes) => bytes,
        Err(why) => {
            writeln!(err, "{name}: {file}: {why}")?;
            return Ok(FAILED);
        }
    };
    let written = replace(&output, |to| Ok(to.write_all(&bytes)?))
        .and_then(|()| Ok(fs::set_permissions(&output, metadata.permissions())?));
    if let Err(why) = written {
        writeln!(err, "{name}: {why:#}")?;
        return Ok(FAILED);
    }
    Ok(0)
}

/// Which format for which library: as asked for, else as the file that is replaced, else the newest for this machine.
fn target(request: &Request, before: Option<Head>) -> Option<(Version, Engine)> {
    let is_list = before.as_ref().is_some_and(|it| it.version < 6);
    let same = if is_list { Version::List } else { Version::Tree };
    let version = request.format.unwrap_or(same);
    let pcre = request.pcre.clone().or_else(pcre::version);
    let pcre = pcre.or_else(|| Some(before?.engine?.version));
    match (pcre, version) {
        (Some(pcre), _) => Some((version, Engine::here(&pcre))),
        // This format names the library, but is taken by any.
        (None, Version::Tree) => Some((version, Engine::here("unknown"))),
        (None, Version::List) => None,
    }
}

/// Has the policy all contexts? The first that it lacks is told.
fn contexts_exist(
    table: &FileContexts,
    policy: Option<&Policy>,
    file: &str,
    err: &mut dyn Write,
) -> Result<bool> {
    let Some(policy) = policy else { return Ok(true) };
    for line in table.lines() {
        let Some(context) = line.context() else { continue };
        if policy.db().parse_context(context).is_err() {
            writeln!(err, "{file}:  line {} has invalid context {context}", line.number())?;
            return Ok(false);
        }
    }
    Ok(true)
}
