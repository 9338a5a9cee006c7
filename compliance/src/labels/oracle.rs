//! libselinux, asked by a small C program: the installed one, and that of a later Debian suite with its own libc.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use mandate_label::FileType;

use crate::later::Later;
use crate::originals::installed_version;
use crate::place::{Place, cached, fingerprint, run};

const SOURCE: &str = include_str!("../../oracle/selabel.c");
/// A question that is not answered by then never is.
const PATIENCE: &str = "120";

/// A path, and the kind of file that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) kind: Option<FileType>,
    pub(super) path: Vec<u8>,
}

impl Record {
    fn write(&self, to: &mut Vec<u8>) {
        to.push(self.kind.map_or(b'a', letter));
        to.extend_from_slice(&self.path);
        to.push(0);
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", char::from(self.kind.map_or(b'a', letter)), self.path.escape_ascii())
    }
}

/// How the C program calls a kind of file.
fn letter(kind: FileType) -> u8 {
    match kind {
        FileType::Directory => b'd',
        FileType::Character => b'c',
        FileType::Block => b'b',
        FileType::Socket => b's',
        FileType::Pipe => b'p',
        FileType::SymbolicLink => b'l',
        FileType::Regular => b'f',
    }
}

/// Answers, and how long they took.
pub(super) struct Told {
    pub(super) answers: Vec<String>,
    pub(super) open: f64,
    /// Seconds of each round.
    pub(super) rounds: Vec<f64>,
}

/// A libselinux.
pub(super) struct Oracle {
    /// Its version, for reports.
    pub(super) name: String,
    program: PathBuf,
    /// The libraries that it is run with, if not the installed ones.
    later: Option<Later>,
    scratch: PathBuf,
}

impl Oracle {
    /// The installed one.
    pub(super) fn installed(place: &Place) -> Result<Self> {
        let version = installed_version("libselinux1-dev").context("libselinux1-dev is missing")?;
        let version = version.split('-').next().unwrap_or_default();
        let name = format!("libselinux {version}");
        let scratch = place.work.join("labels");
        std::fs::create_dir_all(&scratch)
            .with_context(|| format!("making {}", scratch.display()))?;
        let program = place.work.join(format!("selabel-{version}-{:016x}", fingerprint(SOURCE)));
        cached(&program, |part| {
            let source = part.with_extension("c");
            std::fs::write(&source, SOURCE).context("writing selabel.c")?;
            let mut gcc = Command::new("gcc");
            gcc.args(["-D_GNU_SOURCE", "-O2", "-o"]).arg(part).arg(&source).arg("-lselinux");
            run(&mut gcc)?;
            std::fs::remove_file(&source).context("removing selabel.c")
        })?;
        Ok(Self { name, program, later: None, scratch })
    }

    /// The later one.
    pub(super) fn later(place: &Place) -> Result<Self> {
        let installed = Self::installed(place)?;
        let later = Later::unpacked(place)?;
        let name = format!("libselinux {}", later.version()?);
        Ok(Self { name, later: Some(later), ..installed })
    }

    /// Whether it is the installed one, which is slow and means some things otherwise.
    pub(super) fn is_installed(&self) -> bool {
        self.later.is_none()
    }

    /// Asks about paths: `mode` is what the C program calls it.
    pub(super) fn ask(&self, mode: &str, table: &Path, records: &[Record]) -> Result<Told> {
        self.ask_rounds(mode, table, records, 1)
    }

    /// Asks the same so many times.
    pub(super) fn ask_rounds(
        &self,
        mode: &str,
        table: &Path,
        records: &[Record],
        rounds: usize,
    ) -> Result<Told> {
        let mut bytes = Vec::new();
        records.iter().for_each(|it| it.write(&mut bytes));
        let told = self.ask_bytes(mode, table, &bytes, rounds)?;
        let (got, asked) = (told.answers.len(), records.len());
        ensure!(got == asked, "{} answered {got} of {asked} questions", self.name);
        Ok(told)
    }

    /// Asks records that are written already.
    pub(super) fn ask_bytes(
        &self,
        mode: &str,
        table: &Path,
        records: &[u8],
        rounds: usize,
    ) -> Result<Told> {
        let input = self.scratch.join(format!("records.{}", std::process::id()));
        std::fs::write(&input, records).with_context(|| format!("writing {}", input.display()))?;
        let mut command = Command::new("timeout");
        command.arg(PATIENCE).args(self.words()).arg(mode).arg(table).arg(rounds.to_string());
        command.stdin(File::open(&input).context("opening the questions")?);
        let output = command.stderr(Stdio::piped()).output();
        let output = output.with_context(|| format!("asking {}", self.name))?;
        std::fs::remove_file(&input).context("removing the questions")?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let (status, name) = (output.status, &self.name);
        ensure!(status.success(), "{name}: {mode} {}: {status}\n{said}", table.display());
        let text = String::from_utf8_lossy(&output.stdout);
        let answers = text.split_terminator('\0').map(str::to_owned).collect();
        let seconds = |word: &str| {
            let of = |it: &str| it.strip_prefix(word).and_then(|it| it.trim().parse().ok());
            said.lines().filter_map(of).collect::<Vec<f64>>()
        };
        let open = seconds("open ").first().copied().context("no time of opening")?;
        Ok(Told { answers, open, rounds: seconds("round ") })
    }

    fn words(&self) -> Vec<OsString> {
        match &self.later {
            Some(later) => later.words(&self.program),
            None => vec![self.program.clone().into()],
        }
    }
}
