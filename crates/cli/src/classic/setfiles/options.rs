//! Words of `setfiles` and `restorecon`.

use std::io::Write;
use std::os::unix::ffi::OsStringExt as _;

use anyhow::Result;

use super::FAILED;
use crate::classic::getopt::{Spec, Word, read as read_words, spec};
use crate::classic::system_words;
use crate::words::{to_path, to_word};

/// Which of the two is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Setfiles,
    Restorecon,
}

/// What the words say.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) name: String,
    pub(super) setfiles: bool,
    pub(super) spec: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) excludes: Vec<Vec<u8>>,
    pub(super) list: Option<String>,
    pub(super) null: bool,
    pub(super) paths: Vec<String>,
    /// Without the slashes at its end.
    pub(super) root: Option<Vec<u8>>,
    pub(super) matches: bool,
    pub(super) ignore_missing: bool,
    pub(super) skip_linked: bool,
    pub(super) digest: bool,
    pub(super) ignore_digest: bool,
    pub(super) syslog: bool,
    pub(super) count_errors: bool,
    pub(super) conflict_error: bool,
    pub(super) force: bool,
    pub(super) user_and_role: bool,
    pub(super) ignore_mounts: bool,
    pub(super) nochange: bool,
    pub(super) verbose: bool,
    pub(super) progress: bool,
    pub(super) unmatched: bool,
    pub(super) one_file_system: bool,
    pub(super) recurse: bool,
    /// Files of several names get the context of the first.
    pub(super) associate: bool,
    pub(super) count_relabeled: bool,
    pub(super) threads: usize,
}

impl Program {
    pub(super) fn of(options: &Options) -> Self {
        if options.setfiles { Self::Setfiles } else { Self::Restorecon }
    }

    fn specs(self) -> Vec<Spec> {
        let (letters, with) = match self {
            Self::Setfiles => ("dhijIDlmnopqsvACEFUW0", "cefrRoT"),
            Self::Restorecon => ("chijIDlmnpqrsvFURW0x", "efoT"),
        };
        let plain = letters.chars().filter(|it| !with.contains(*it)).map(|it| spec(it, "", false));
        plain.chain(with.chars().map(|it| spec(it, "", true))).collect()
    }
}

pub(super) fn usage(program: Program, name: &str, err: &mut dyn Write) -> Result<()> {
    let options = match program {
        Program::Restorecon => {
            writeln!(
                err,
                "usage:  {name} [-ciIDFUmnprRv0xT] [-e excludedir] pathname...\n\
                 usage:  {name} [-ciIDFUmnprRv0xT] [-e excludedir] -f filename"
            )?;
            return Ok(());
        }
        Program::Setfiles => {
            "[-diIDlmnpqvACEFUWT] [-e excludedir] [-r alt_root_path] [-c policyfile]"
        }
    };
    writeln!(
        err,
        "usage:  {name} {options} spec_file pathname...\n\
         usage:  {name} {options} spec_file -f filename\n\
         usage:  {name} -s [-diIDlmnpqvAFUWT] spec_file"
    )?;
    Ok(())
}

/// Reads the words; `Err` is the exit code of wrong ones, told already.
pub(super) fn read(
    program: Program,
    words: &[String],
    err: &mut dyn Write,
) -> Result<std::result::Result<Options, u8>> {
    let name = words.first().cloned().unwrap_or_default();
    let setfiles = program == Program::Setfiles;
    let mut options = Options {
        name: name.clone(),
        setfiles,
        recurse: setfiles,
        associate: setfiles,
        one_file_system: setfiles,
        threads: 1,
        ..Options::default()
    };
    let mut operands = Vec::new();
    for word in read_words(&program.specs(), words.get(1..).unwrap_or_default()) {
        let taken = match word {
            Word::Option(letter, argument) => options.take(letter, argument, err)?,
            Word::Operand(operand) => {
                operands.push(operand);
                Taken::Yes
            }
            Word::Wrong(message) => {
                writeln!(err, "{name}: {message}")?;
                Taken::Usage
            }
        };
        match taken {
            Taken::Yes => {}
            Taken::Usage => {
                usage(program, &name, err)?;
                return Ok(Err(FAILED));
            }
            Taken::Fatal => return Ok(Err(FAILED)),
        }
    }
    let enough = match (setfiles, &options.policy, &options.list) {
        (true, Some(_), _) => !operands.is_empty(),
        (true, None, Some(_)) => operands.len() == 1,
        (true, None, None) => operands.len() >= 2,
        (false, ..) => words.len() >= 2,
    };
    if !enough {
        usage(program, &name, err)?;
        return Ok(Err(FAILED));
    }
    if setfiles {
        options.spec = Some(operands.remove(0));
    }
    options.paths = operands;
    Ok(Ok(options))
}

enum Taken {
    Yes,
    Usage,
    Fatal,
}

impl Options {
    fn take(&mut self, letter: char, argument: String, err: &mut dyn Write) -> Result<Taken> {
        match letter {
            'c' if self.setfiles => return self.policy(argument, err),
            'c' => self.count_relabeled = true,
            'e' => return self.exclude(&argument, err),
            'f' => self.list = Some(argument),
            'd' => self.matches = true,
            'i' => self.ignore_missing = true,
            'j' => self.skip_linked = true,
            'I' => (self.ignore_digest, self.digest) = (true, true),
            'D' => self.digest = true,
            'l' => self.syslog = true,
            'C' => self.count_errors = true,
            'E' => self.conflict_error = true,
            'F' => self.force = true,
            'U' => self.user_and_role = true,
            'm' => self.ignore_mounts = true,
            'n' => self.nochange = true,
            'o' => writeln!(err, "{}: -o option no longer supported", self.name)?,
            'R' | 'r' if self.setfiles => return self.root(&argument, err),
            'R' | 'r' => self.recurse = true,
            's' => (self.list, self.associate) = (Some("-".to_owned()), false),
            'v' | 'p' => {
                let (verbose, progress) = (letter == 'v', letter == 'p');
                if verbose && self.progress || progress && self.verbose {
                    writeln!(err, "Progress and Verbose mutually exclusive")?;
                    return Ok(Taken::Usage);
                }
                self.verbose |= verbose;
                self.progress |= progress;
            }
            'W' => self.unmatched = true,
            '0' => self.null = true,
            'x' => self.one_file_system = true,
            'T' => match argument.trim_start().trim_start_matches('+').parse() {
                Ok(threads) => self.threads = threads,
                Err(_) => return Ok(Taken::Usage),
            },
            'A' => self.associate = false,
            'h' => return Ok(Taken::Usage),
            _ => {}
        }
        Ok(Taken::Yes)
    }

    fn policy(&mut self, path: String, err: &mut dyn Write) -> Result<Taken> {
        if let Err(why) = std::fs::File::open(to_path(&path)) {
            writeln!(err, "Error opening {path}: {}", system_words(&why))?;
            return Ok(Taken::Fatal);
        }
        if let Err(why) = crate::input::read_policy(&to_path(&path)) {
            writeln!(err, "Error reading policy {path}: {why:#}")?;
            return Ok(Taken::Fatal);
        }
        self.policy = Some(path);
        Ok(Taken::Yes)
    }

    fn exclude(&mut self, path: &str, err: &mut dyn Write) -> Result<Taken> {
        match std::fs::symlink_metadata(to_path(path)) {
            Err(why) if why.kind() != std::io::ErrorKind::PermissionDenied => {
                let why = system_words(&why);
                writeln!(err, "Can't stat exclude path \"{path}\", {why} - ignoring.")?;
                return Ok(Taken::Yes);
            }
            _ => {}
        }
        if !path.starts_with('/') {
            writeln!(err, "Full path required for exclude: {path}.")?;
            return Ok(Taken::Fatal);
        }
        let trimmed = path.trim_end_matches('/');
        let kept = if trimmed.is_empty() { "/" } else { trimmed };
        self.excludes.push(to_word(kept).into_vec());
        Ok(Taken::Yes)
    }

    fn root(&mut self, path: &str, err: &mut dyn Write) -> Result<Taken> {
        match std::fs::symlink_metadata(to_path(path)) {
            Err(why) if why.kind() != std::io::ErrorKind::PermissionDenied => {
                writeln!(err, "Can't stat alt_root_path \"{path}\", {}", system_words(&why))?;
                return Ok(Taken::Fatal);
            }
            _ => {}
        }
        if self.root.is_some() {
            writeln!(err, "{}: only one -r can be specified", self.name)?;
            return Ok(Taken::Fatal);
        }
        if path == "/" {
            writeln!(err, "{}:  invalid alt_rootpath: {path}", self.name)?;
            return Ok(Taken::Fatal);
        }
        self.root = Some(to_word(path.trim_end_matches('/')).into_vec());
        Ok(Taken::Yes)
    }
}
