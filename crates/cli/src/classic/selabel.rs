//! `selabel_lookup`, `selabel_partial_match`: questions to context files of all kinds.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mandate_label::FileType;
use mandate_label::LineError;
use mandate_label::file_contexts::Lookup;
use mandate_label::media::Media;
use mandate_label::sepgsql::{self, SepgsqlContexts};
use mandate_label::x::{self, XContexts};

use super::getopt::{self, Spec, Word, spec};
use super::{open_file_contexts, system_words};
use crate::{input, policy, words};

const LOOKUP: [Spec; 6] = [
    spec('b', "", true),
    spec('f', "", true),
    spec('v', "", false),
    spec('r', "", false),
    spec('k', "", true),
    spec('t', "", true),
];
const PARTIAL: [Spec; 3] = [spec('f', "", true), spec('v', "", false), spec('p', "", true)];

/// The original's −1 as an exit code.
const FAILED: u8 = 255;

/// Why there is no context.
enum Failure {
    /// The words that follow `Could not obtain handle:`.
    Open(String),
    NotFound,
    Invalid,
}

#[derive(Clone, Copy)]
enum Backend {
    File,
    Media,
    X,
    Database,
    /// Android's, which the library has not either.
    Unsupported,
}

pub(crate) fn lookup(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let name = words.first().map_or("selabel_lookup", String::as_str);
    let (policy, words) = super::split_policy(words);
    if words.len() < 2 {
        return lookup_usage(name, err);
    }
    let mut backend = Backend::File;
    let (mut file, mut key, mut kind, mut validate) = (None, None, 0, policy.is_some());
    for word in getopt::read(&LOOKUP, words) {
        match word {
            Word::Option('b', word) => {
                backend = match word.as_str() {
                    it if it.eq_ignore_ascii_case("file") => Backend::File,
                    "media" => Backend::Media,
                    "x" => Backend::X,
                    "db" => Backend::Database,
                    "prop" | "service" => Backend::Unsupported,
                    _ => {
                        writeln!(err, "Unknown backend: {word}")?;
                        return lookup_usage(name, err);
                    }
                }
            }
            Word::Option('f', path) => file = Some(words::to_path(&path)),
            Word::Option('k', word) => key = Some(word),
            Word::Option('t', number) => kind = super::leading_number(&number),
            Word::Option('v', _) => validate = true,
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                return lookup_usage(name, err);
            }
            Word::Option(..) | Word::Operand(_) => {}
        }
    }
    let found = context(backend, file, key.as_deref(), kind, err)?;
    let found = found.and_then(|context| match validate && !is_known(policy, &context) {
        true => Err(Failure::NotFound),
        false => Ok(context),
    });
    match found {
        Ok(context) => {
            writeln!(out, "Default context: {context}")?;
            return Ok(0);
        }
        Err(Failure::Open(why)) => {
            writeln!(err, "ERROR: selabel_open - Could not obtain handle:  {why}")?;
        }
        Err(Failure::NotFound) => {
            writeln!(err, "ERROR: selabel_lookup failed to find a valid context.")?;
        }
        Err(Failure::Invalid) => writeln!(
            err,
            "ERROR: selabel_lookup failed to validate context, or key / type are invalid."
        )?,
    }
    Ok(FAILED)
}

fn lookup_usage(name: &str, err: &mut dyn Write) -> Result<u8> {
    writeln!(err, "usage: {name} -b backend [-v] [-r] -k key [-t type] [-f file]\n")?;
    for line in [
        "-b  file, media, x or db",
        "-v  the context must be one of the policy: that of --policy FILE, given first, or of the kernel",
        "-r  accepted: contexts are never translated",
        "-k  what is looked up: a path, a device, a name",
        "-t  its kind: a mode for file, a number for x and db",
        "-f  the file of contexts; without it that of the policy in force",
    ] {
        writeln!(err, "  {line}")?;
    }
    Ok(1)
}

/// Is it a context of that policy, or of the kernel's? Where no kernel can be asked, none is.
fn is_known(policy: Option<&str>, context: &str) -> bool {
    let path = Path::new(policy.unwrap_or(input::KERNEL_POLICY));
    input::read_policy(path).is_ok_and(|it| it.db().parse_context(context).is_ok())
}

fn context(
    backend: Backend,
    file: Option<PathBuf>,
    key: Option<&str>,
    kind: u32,
    err: &mut dyn Write,
) -> Result<Result<String, Failure>> {
    let contexts = || policy::folder_in_force(Path::new("/")).join("contexts");
    let or = |usual: &str| file.clone().unwrap_or_else(|| contexts().join(usual));
    let name = words::to_word(key.unwrap_or_default());
    let name = name.as_bytes();
    let found = match backend {
        Backend::Unsupported => return Ok(Err(Failure::Open("Operation not supported".into()))),
        Backend::File => {
            let loaded = match open_file_contexts(&or("files/file_contexts"), err)? {
                Ok(loaded) => loaded,
                Err(why) => return Ok(Err(Failure::Open(why))),
            };
            let mut lookup = Lookup::new(&loaded.table);
            let found = lookup.path(name, FileType::of_mode(kind)).context();
            found.map(str::to_owned)
        }
        Backend::Media => match read(&or("files/media"), Media::parse, err)? {
            Ok(media) => media.lookup(name).map(lossy),
            Err(why) => return Ok(Err(why)),
        },
        Backend::X => match read(&or("x_contexts"), XContexts::parse, err)? {
            Ok(table) => match x_kind(kind) {
                Some(kind) => table.lookup(kind, name).map(lossy),
                None => return Ok(Err(Failure::NotFound)),
            },
            Err(why) => return Ok(Err(why)),
        },
        Backend::Database => match read(&or("sepgsql_contexts"), SepgsqlContexts::parse, err)? {
            Ok(table) => match database_kind(kind) {
                Some(kind) => table.lookup(kind, name).map(lossy),
                None => return Ok(Err(Failure::NotFound)),
            },
            Err(why) => return Ok(Err(why)),
        },
    };
    if key.is_none() {
        return Ok(Err(Failure::Invalid));
    }
    Ok(found.ok_or(Failure::NotFound))
}

fn lossy(context: &[u8]) -> String {
    String::from_utf8_lossy(context).into_owned()
}

/// A small context file; wrong lines are told on `err`.
fn read<T>(
    path: &Path,
    parse: fn(&[u8]) -> (T, Vec<LineError>),
    err: &mut dyn Write,
) -> Result<Result<T, Failure>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(why) => return Ok(Err(Failure::Open(system_words(&why)))),
    };
    let (table, errors) = parse(&bytes);
    for error in errors {
        writeln!(err, "{}:{error}; the line is left out", path.display())?;
    }
    Ok(Ok(table))
}

/// By the numbers of `selinux/label.h`.
fn x_kind(number: u32) -> Option<x::Kind> {
    Some(match number {
        1 => x::Kind::Property,
        2 => x::Kind::Extension,
        3 => x::Kind::Client,
        4 => x::Kind::Event,
        5 => x::Kind::Selection,
        6 => x::Kind::PolyProperty,
        7 => x::Kind::PolySelection,
        _ => return None,
    })
}

/// By the numbers of `selinux/label.h`.
fn database_kind(number: u32) -> Option<sepgsql::Kind> {
    use sepgsql::Kind;
    const KINDS: [Kind; 12] = [
        Kind::Database,
        Kind::Schema,
        Kind::Table,
        Kind::Column,
        Kind::Sequence,
        Kind::View,
        Kind::Procedure,
        Kind::Blob,
        Kind::Tuple,
        Kind::Language,
        Kind::Exception,
        Kind::Datatype,
    ];
    KINDS.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
}

/// `selabel_partial_match`, whose exit code is 1 where it says `TRUE`.
pub(crate) fn partial_match(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let name = words.first().map_or("selabel_partial_match", String::as_str);
    let (mut file, mut path) = (None, None);
    for word in getopt::read(&PARTIAL, words.get(1..).unwrap_or_default()) {
        match word {
            Word::Option('f', word) => file = Some(words::to_path(&word)),
            Word::Option('p', word) => path = Some(word),
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                path = None;
                break;
            }
            Word::Option(..) | Word::Operand(_) => {}
        }
    }
    let Some(path) = path else {
        writeln!(err, "usage:  {name} [-v] -p <path> [-f file]")?;
        return Ok(1);
    };
    let usual = || policy::folder_in_force(Path::new("/")).join("contexts/files/file_contexts");
    let loaded = match open_file_contexts(&file.unwrap_or_else(usual), err)? {
        Ok(loaded) => loaded,
        Err(why) => {
            writeln!(err, "ERROR: selabel_open - Could not obtain handle:  {why}")?;
            return Ok(FAILED);
        }
    };
    let found = Lookup::new(&loaded.table).partial(words::to_word(&path).as_bytes());
    writeln!(out, "Match or Partial match: {}", if found { "TRUE" } else { "FALSE" })?;
    Ok(u8::from(found))
}
