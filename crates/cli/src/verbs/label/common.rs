//! What questions about labels have in common.

use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use mandate_label::FileType;

use crate::labels::{self, Loaded};
use crate::relabel::found::Summary;

/// Which file contexts are meant.
#[derive(clap::Args, Clone, Default)]
pub(super) struct Tables {
    /// File contexts; .homedirs, .local, .subs and .subs_dist beside them are read too
    #[arg(long, short = 'f', value_name = "FILE")]
    pub(super) file_contexts: Option<PathBuf>,
    /// Root file system whose file contexts are meant; paths are looked up as seen from there
    #[arg(long, short = 'R', value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
}

impl Tables {
    /// The file: the one given, else that of the policy in force.
    pub(super) fn file(&self) -> Result<PathBuf> {
        match &self.file_contexts {
            Some(file) => Ok(file.clone()),
            None => labels::in_force(self.root.as_deref().unwrap_or(Path::new("/"))),
        }
    }

    /// Reads it; wrong lines are told on `err` and count for nothing.
    pub(super) fn open(&self, err: &mut dyn Write) -> Result<Loaded> {
        let loaded = labels::open(&self.file()?)?;
        for error in &loaded.errors {
            writeln!(err, "{error}; the line is left out")?;
        }
        Ok(loaded)
    }

    /// A path as file contexts have it: absolute, and seen from the root.
    pub(super) fn inner<'a>(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        let Some(root) = &self.root else { return path.starts_with(b"/").then_some(path) };
        let root = root.as_os_str().as_bytes();
        let rest = path.strip_prefix(root.strip_suffix(b"/").unwrap_or(root))?;
        match rest.first() {
            None => Some(b"/"),
            Some(b'/') => Some(rest),
            Some(_) => None,
        }
    }
}

/// How much verbs that change labels tell.
#[derive(clap::Args)]
pub(super) struct Telling {
    /// List each file
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// Without the line at the end that says how much was done
    #[arg(long, short)]
    quiet: bool,
}

impl Telling {
    /// The line at the end; what goes to standard output stands before it.
    pub(super) fn end(
        &self,
        summary: &Summary,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<()> {
        if self.quiet {
            return Ok(());
        }
        out.flush()?;
        Ok(writeln!(err, "{summary}")?)
    }
}

/// A kind of file as it is given on the command line.
#[derive(Clone, Copy)]
pub(super) struct Kind(pub(super) Option<FileType>);

impl FromStr for Kind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(Self(Some(match name {
            "any" => return Ok(Self(None)),
            "file" | "f" | "-" | "--" => FileType::Regular,
            "dir" | "d" | "-d" => FileType::Directory,
            "link" | "l" | "-l" => FileType::SymbolicLink,
            "char" | "c" | "-c" => FileType::Character,
            "block" | "b" | "-b" => FileType::Block,
            "socket" | "s" | "-s" => FileType::Socket,
            "pipe" | "p" | "-p" => FileType::Pipe,
            _ => return Err("expected any, file, dir, link, char, block, socket or pipe".into()),
        })))
    }
}

/// A path as text: control characters and what is not UTF-8 as octal escapes, so that it stays one word on one line.
pub(crate) fn shown(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => text.push_str("\\\\"),
                it if it.is_control() => {
                    let mut bytes = [0; 4];
                    it.encode_utf8(&mut bytes).bytes().for_each(|it| octal(&mut text, it));
                }
                it => text.push(it),
            }
        }
        chunk.invalid().iter().for_each(|&it| octal(&mut text, it));
    }
    text
}

fn octal(text: &mut String, byte: u8) {
    text.push_str(&format!("\\{byte:03o}"));
}
