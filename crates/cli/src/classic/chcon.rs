//! `chcon` of the GNU coreutils.

use std::io::Write;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use mandate_host::tree::{self, Entry, Failure, Next, Root, Visitor};
use mandate_host::xattr::{self, Reader, SELINUX};
use mandate_label::relabel::Edit;
use rustix::io::Errno;

use super::getopt::{Spec, Word, read as read_words, spec};
use super::quoting::quoted;
use super::system_words;
use crate::relabel::{Post, drive};
use crate::words::{to_path, to_word};

const FAILED: u8 = 1;
/// Letters of options that have none.
const DEREFERENCE: char = '\u{1}';
const PRESERVE_ROOT: char = '\u{2}';
const NO_PRESERVE_ROOT: char = '\u{3}';
const REFERENCE: char = '\u{4}';
const HELP: char = '\u{5}';
const VERSION: char = '\u{6}';

const SPECS: [Spec; 16] = [
    spec('H', "", false),
    spec('L', "", false),
    spec('P', "", false),
    spec('R', "recursive", false),
    spec('h', "no-dereference", false),
    spec('u', "user", true),
    spec('r', "role", true),
    spec('t', "type", true),
    spec('l', "range", true),
    spec('v', "verbose", false),
    spec(DEREFERENCE, "dereference", false),
    spec(PRESERVE_ROOT, "preserve-root", false),
    spec(NO_PRESERVE_ROOT, "no-preserve-root", false),
    spec(REFERENCE, "reference", true),
    spec(HELP, "help", false),
    spec(VERSION, "version", false),
];

const HELP_TEXT: &str = "\
Usage: chcon [OPTION]... CONTEXT FILE...
  or:  chcon [OPTION]... [-u USER] [-r ROLE] [-l RANGE] [-t TYPE] FILE...
  or:  chcon [OPTION]... --reference=RFILE FILE...
Set the SELinux label of each FILE to CONTEXT, to that of RFILE, or some parts of it to others.

  -u, --user=USER         this user
  -r, --role=ROLE         this role
  -t, --type=TYPE         this type
  -l, --range=RANGE       this range
      --reference=RFILE   the label of RFILE
  -h, --no-dereference    of a symbolic link, the link itself
      --dereference       of a symbolic link, the file that it leads to (the default)
  -R, --recursive         what is in directories too; links there are not followed
  -H                      with -R, follow operands that are links to directories
  -P                      with -R, follow no links (the default)
      --preserve-root     with -R, refuse /
      --no-preserve-root  do not (the default)
  -v, --verbose           name each file
      --help              this text
      --version           the version
";

#[derive(Default)]
struct Options {
    edit: Edit,
    reference: Option<String>,
    recurse: bool,
    follow_operands: bool,
    follow_all: bool,
    dereference: Option<bool>,
    preserve_root: bool,
    verbose: bool,
}

pub(crate) fn chcon(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let name = words.first().map_or("chcon", |it| it).to_owned();
    let mut options = Options::default();
    let mut operands = Vec::new();
    for word in read_words(&SPECS, words.get(1..).unwrap_or_default()) {
        match word {
            Word::Option(HELP, _) => {
                write!(out, "{HELP_TEXT}")?;
                return Ok(0);
            }
            Word::Option(VERSION, _) => {
                writeln!(out, "chcon (mandate) {}", env!("CARGO_PKG_VERSION"))?;
                return Ok(0);
            }
            Word::Option(letter, argument) => options.take(letter, argument),
            Word::Operand(operand) => operands.push(operand),
            Word::Wrong(message) => return usage(&name, &message, err),
        }
    }
    if let Some(message) = options.conflict() {
        writeln!(err, "{name}: {message}")?;
        return Ok(FAILED);
    }
    let whole = options.reference.is_none() && options.edit.is_empty();
    if operands.len() < 1 + usize::from(whole) {
        let message = match operands.first() {
            None => "missing operand".to_owned(),
            Some(last) => format!("missing operand after '{last}'"),
        };
        return usage(&name, &message, err);
    }
    if options.reference.is_some() && !options.edit.is_empty() {
        return usage(&name, "conflicting security context specifiers given", err);
    }
    let context = match &options.reference {
        Some(file) => match label(file) {
            Ok(context) => Some(context),
            Err(why) => {
                let (file, why) = (quoted(to_word(file).as_bytes()), system_words(&why));
                writeln!(err, "{name}: failed to get security context of {file}: {why}")?;
                return Ok(FAILED);
            }
        },
        None => whole.then(|| to_word(&operands.remove(0)).into_vec()),
    };
    if let Some(context) = &context
        && let Err(why) = super::ask_kernel(context)
    {
        let (context, why) = (quoted(context), system_words(&why));
        writeln!(err, "{name}: invalid context: {context}: {why}")?;
        return Ok(FAILED);
    }
    let stop = std::sync::Arc::default();
    mandate_host::interrupt::watch();
    let walk = tree::Options { recurse: options.recurse, stop, ..tree::Options::default() };
    let work = |post: Post| all(&name, &options, context.as_deref(), &operands, &walk, post);
    let failed = drive(out, err, &walk.stop, &mut || {}, work)?;
    Ok(if failed { FAILED } else { 0 })
}

fn usage(name: &str, message: &str, err: &mut dyn Write) -> Result<u8> {
    writeln!(err, "{name}: {message}\nTry '{name} --help' for more information.")?;
    Ok(FAILED)
}

fn label(file: &str) -> std::io::Result<Vec<u8>> {
    let mut value = vec![0; 65_536];
    let length = rustix::fs::getxattr(to_path(file), SELINUX, &mut value)?;
    value.truncate(length);
    value.pop_if(|it| *it == 0);
    Ok(value)
}

impl Options {
    fn take(&mut self, letter: char, argument: String) {
        match letter {
            'H' => (self.follow_operands, self.follow_all) = (true, false),
            'L' => (self.follow_operands, self.follow_all) = (true, true),
            'P' => (self.follow_operands, self.follow_all) = (false, false),
            'R' => self.recurse = true,
            'h' => self.dereference = Some(false),
            'u' => self.edit.user = Some(argument),
            'r' => self.edit.role = Some(argument),
            't' => self.edit.type_ = Some(argument),
            'l' => self.edit.range = Some(argument),
            'v' => self.verbose = true,
            DEREFERENCE => self.dereference = Some(true),
            PRESERVE_ROOT => self.preserve_root = true,
            NO_PRESERVE_ROOT => self.preserve_root = false,
            REFERENCE => self.reference = Some(argument),
            _ => {}
        }
    }

    fn conflict(&self) -> Option<&'static str> {
        if !self.recurse {
            return None;
        }
        match (self.follow_operands, self.dereference) {
            (_, _) if self.follow_all => {
                Some("-L is not supported: whoever may make links could have any file labelled")
            }
            (false, Some(true)) => Some("-R --dereference requires either -H or -L"),
            (true, Some(false)) => Some("-R -h requires -P"),
            _ => None,
        }
    }

    /// Whether an operand that is a link stands for the file that it leads to.
    fn follows(&self) -> bool {
        if self.recurse { self.follow_operands } else { self.dereference != Some(false) }
    }
}

/// Labels all operands; whether some failed.
fn all(
    name: &str,
    options: &Options,
    context: Option<&[u8]>,
    operands: &[String],
    walk: &tree::Options,
    post: Post,
) -> bool {
    let reader = Reader::new(SELINUX);
    let operand = Operand::default();
    let mut changer = Changer { name, options, context, reader, operand, post, failed: false };
    for operand in operands {
        let root = match changer.begin(to_path(operand)) {
            Ok(root) => root,
            Err(what) => {
                changer.fail(&what);
                continue;
            }
        };
        match tree::walk(root, walk, vec![changer]).pop() {
            Some(it) => changer = it,
            None => return true,
        }
    }
    changer.failed
}

/// What was asked for, and what of a path that is met stands for it.
#[derive(Default)]
struct Operand {
    word: Vec<u8>,
    resolved: usize,
}

impl Operand {
    /// A path of the walk in the words of whoever asked.
    fn shown(&self, path: &[u8]) -> String {
        let rest = path.get(self.resolved..).unwrap_or_default();
        let word = match rest.first() {
            Some(b'/') => without_slashes(&self.word),
            _ => &self.word,
        };
        quoted(&[word, rest].concat())
    }
}

fn without_slashes(mut word: &[u8]) -> &[u8] {
    while let Some(rest) = word.strip_suffix(b"/") {
        word = rest;
    }
    word
}

struct Changer<'a> {
    name: &'a str,
    options: &'a Options,
    context: Option<&'a [u8]>,
    reader: Reader,
    operand: Operand,
    post: Post,
    failed: bool,
}

impl Changer<'_> {
    /// Opens an operand; what is wrong with it, if it cannot be.
    fn begin(&mut self, word: PathBuf) -> Result<Root, String> {
        let shown = quoted(word.as_os_str().as_bytes());
        let access = |why| format!("cannot access {shown}: {}", system_words(&why));
        std::fs::symlink_metadata(&word).map_err(access)?;
        let path =
            if self.options.follows() { std::fs::canonicalize(&word) } else { Ok(word.clone()) };
        let path = path.map_err(|why| {
            // A link that leads nowhere is there, but has no label to be changed.
            self.tell(&shown);
            let why = system_words(&why);
            match self.context {
                Some(it) => format!("failed to change context of {shown} to {}: {why}", quoted(it)),
                None => format!("failed to get security context of {shown}: {why}"),
            }
        })?;
        if self.options.recurse && self.options.preserve_root && path == Path::new("/") {
            return Err(format!(
                "it is dangerous to operate recursively on '/'\n{}: use --no-preserve-root to override this failsafe",
                self.name
            ));
        }
        let resolved = path.as_os_str().len();
        self.operand = Operand { word: word.into_os_string().into_vec(), resolved };
        Root::open(&path).map_err(|why| access(why.into()))
    }

    fn tell(&mut self, shown: &str) {
        if self.options.verbose {
            self.post.out(format!("changing security context of {shown}\n").as_bytes());
        }
    }

    fn change(&mut self, entry: &Entry<'_>) -> Result<(), String> {
        let path = self.operand.shown(entry.path);
        let words = |error: Errno| system_words(&error.into());
        let get = |error| format!("failed to get security context of {path}: {}", words(error));
        let held = entry.pin().map_err(get)?.ok_or_else(|| get(Errno::STALE))?;
        let old = held.read(&mut self.reader);
        let new = match self.context {
            Some(context) => context.to_vec(),
            None => {
                let old = old.map_err(get)?.ok_or_else(|| {
                    format!("can't apply partial context to unlabeled file {path}")
                })?;
                let new = self.options.edit.apply(old);
                new.ok_or_else(|| {
                    format!("failed to create security context: {}", words(Errno::INVAL))
                })?
            }
        };
        if old.is_ok_and(|it| it == Some(&new)) {
            return Ok(());
        }
        let stored = xattr::stored(&String::from_utf8_lossy(&new));
        held.set(SELINUX, &stored).map_err(|error| {
            format!("failed to change context of {path} to {}: {}", quoted(&new), words(error))
        })
    }

    fn fail(&mut self, what: &str) {
        self.failed = true;
        self.post.err(format!("{}: {what}\n", self.name).as_bytes());
    }
}

impl Visitor for Changer<'_> {
    fn visit(&mut self, entry: &Entry<'_>) -> Next {
        let shown = self.operand.shown(entry.path);
        self.tell(&shown);
        if let Err(what) = self.change(entry) {
            self.fail(&what);
        }
        Next::On
    }

    fn holds(&self) -> bool {
        true
    }

    fn failed(&mut self, path: &[u8], failure: Failure, error: Errno) -> Next {
        let path = self.operand.shown(path);
        let why = system_words(&error.into());
        let what = match failure {
            Failure::Read => format!("cannot read directory {path}: {why}"),
            _ => format!("cannot access {path}: {why}"),
        };
        self.fail(&what);
        Next::On
    }
}
