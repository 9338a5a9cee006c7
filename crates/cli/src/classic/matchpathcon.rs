//! `matchpathcon`: which context a path should have, and whether it has it.

use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use mandate_host::label::Held;
use mandate_label::FileType;
use mandate_label::file_contexts::{Lookup, NONE};

use super::getopt::{self, Spec, Word, spec};
use super::{open_file_contexts, system_words};
use crate::{policy, words};

const OPTIONS: [Spec; 8] = [
    spec('m', "", true),
    spec('N', "", false),
    spec('n', "", false),
    spec('f', "", true),
    spec('P', "", true),
    spec('p', "", true),
    spec('V', "", false),
    spec('q', "", false),
];

#[derive(Default)]
struct Request {
    verify: bool,
    quiet: bool,
    no_header: bool,
    kind: Option<FileType>,
    file: Option<PathBuf>,
    policy_root: Option<PathBuf>,
}

pub(crate) fn matchpathcon(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let name = words.first().map_or("matchpathcon", String::as_str);
    let words = words.get(1..).unwrap_or_default();
    if words.is_empty() {
        return usage(name, err);
    }
    let mut request = Request::default();
    let mut paths = Vec::new();
    for word in getopt::read(&OPTIONS, words) {
        match word {
            Word::Option('m', kind) => match kind_of(&kind) {
                Some(kind) => request.kind = Some(kind),
                None => {
                    writeln!(err, "{name}: mode {kind} is invalid")?;
                    return Ok(1);
                }
            },
            Word::Option('f', file) => request.file = Some(words::to_path(&file)),
            Word::Option('P', root) if !root.contains('/') => {
                writeln!(err, "Error setting policy root  {root}:  Invalid argument")?;
                return Ok(1);
            }
            Word::Option('P', root) => request.policy_root = Some(words::to_path(&root)),
            Word::Option('p', _) => writeln!(err, "Warning: using {name} -p is deprecated")?,
            Word::Option('V', _) => request.verify = true,
            Word::Option('q', _) => request.quiet = true,
            Word::Option('n', _) => request.no_header = true,
            // Contexts are never translated here.
            Word::Option(..) => {}
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                return usage(name, err);
            }
            Word::Operand(path) => paths.push(path),
        }
    }
    let file = request.file.clone().unwrap_or_else(|| {
        let usual = || policy::folder_in_force(Path::new("/"));
        let root = request.policy_root.clone().unwrap_or_else(usual);
        root.join("contexts/files/file_contexts")
    });
    let loaded = match open_file_contexts(&file, err)? {
        Ok(loaded) => loaded,
        Err(why) => {
            writeln!(err, "Error while opening file contexts database: {why}")?;
            return Ok(255);
        }
    };
    let mut lookup = Lookup::new(&loaded.table);
    let mut failed = false;
    for word in &paths {
        let word = if word.len() > 1 { word.strip_suffix('/').unwrap_or(word) } else { word };
        let path = words::to_path(word);
        let bytes = path.as_os_str().as_bytes();
        let there = fs::symlink_metadata(&path).ok().and_then(|it| FileType::of_mode(it.mode()));
        let kind = request.kind.or(there);
        if word.is_empty() && !request.verify {
            writeln!(err, "selabel_lookup() failed: Invalid argument")?;
            failed = true;
            continue;
        }
        let should = lookup.path(bytes, kind).context().unwrap_or(NONE);
        if !request.verify {
            if !request.no_header {
                out.write_all(bytes)?;
                write!(out, "\t")?;
            }
            writeln!(out, "{should}")?;
            continue;
        }
        match verify(&mut lookup, &path, kind) {
            Ok(true) if request.quiet => {}
            _ if request.quiet => return Ok(1),
            Ok(true) => {
                out.write_all(bytes)?;
                writeln!(out, " verified.")?;
            }
            Ok(false) => {
                failed = true;
                match label(&path) {
                    Ok(label) => {
                        out.write_all(bytes)?;
                        write!(out, " has context {label}, should be ")?;
                    }
                    Err(why) => {
                        let why = system_words(&why);
                        write!(out, "actual context unknown: {why}, should be ")?;
                    }
                }
                writeln!(out, "{should}")?;
            }
            Err(why) => {
                out.write_all(bytes)?;
                writeln!(out, " error: {}", system_words(&why))?;
                return Ok(1);
            }
        }
    }
    Ok(u8::from(failed))
}

fn usage(name: &str, err: &mut dyn Write) -> Result<u8> {
    writeln!(
        err,
        "usage:  {name} [-V] [-N] [-n] [-m type] [-f file_contexts_file] [-p prefix] [-P policy_root_path] filepath..."
    )?;
    Ok(1)
}

/// By the first letter, whatever follows it.
fn kind_of(word: &str) -> Option<FileType> {
    Some(match word.as_bytes().first()? {
        b'b' => FileType::Block,
        b'c' => FileType::Character,
        b'd' => FileType::Directory,
        b'p' => FileType::Pipe,
        b'l' => FileType::SymbolicLink,
        b's' => FileType::Socket,
        b'f' => FileType::Regular,
        _ => return None,
    })
}

/// Has the file the context it should have, users aside? A file system without labels is a no.
fn verify(lookup: &mut Lookup<'_>, path: &Path, kind: Option<FileType>) -> io::Result<bool> {
    let resolved = if kind == Some(FileType::SymbolicLink) {
        folder_resolved(path)
    } else {
        fs::canonicalize(path)
    };
    let path = resolved.unwrap_or_else(|_| path.to_owned());
    let label = match label(&path) {
        Ok(label) => label,
        Err(error) if is_unsupported(&error) => return Ok(false),
        Err(error) => return Err(error),
    };
    let should = lookup.path(path.as_os_str().as_bytes(), kind).context();
    let rest = |it: &str| it.split_once(':').map(|(_, rest)| rest.to_owned());
    Ok(should.is_some_and(|it| rest(it) == rest(&label)))
}

/// The path with links resolved in all but its last part.
fn folder_resolved(path: &Path) -> io::Result<PathBuf> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
    Ok(path.file_name().map_or(folder.clone(), |it| folder.join(it)))
}

fn label(path: &Path) -> io::Result<String> {
    // No label is told as the kernel tells it.
    const NO_DATA: i32 = 61;
    let label = Held::open(path, false)?.label()?;
    let label = label.ok_or_else(|| io::Error::from_raw_os_error(NO_DATA))?;
    Ok(String::from_utf8_lossy(&label).into_owned())
}

fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(95)
}
