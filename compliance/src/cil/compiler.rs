//! `secilc`, and ours under its name: the same options, the same files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::place::Place;
use crate::reference::VERSION;

/// No case takes this many seconds; who does not come to an end within them is stopped.
const SECONDS: &str = "60";
/// What names the place of something else than the mistake.
const ELSEWHERE: &str = "Previous declaration";

/// A compiler of CIL.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    original: bool,
}

/// What a compiler made.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The binary policy.
    pub policy: Vec<u8>,
    /// The text of the file contexts.
    pub file_contexts: String,
}

/// What became of a text.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is a policy.
    Made(Compiled),
    /// It is none; every line of the last file that is blamed, in the order of the messages.
    Refused(Vec<usize>, String),
}

impl Compiler {
    /// The installed original, or another version of it.
    #[must_use]
    pub fn original(other: Option<&Path>) -> Self {
        Self { program: other.unwrap_or(Path::new("secilc")).to_owned(), original: true }
    }

    /// Whether this is not ours.
    #[must_use]
    pub fn is_original(&self) -> bool {
        self.original
    }

    /// Ours. This is the one place that knows how it is called.
    ///
    /// # Errors
    /// When it is not built.
    pub fn ours(place: &Place) -> Result<Self> {
        // A program that is called `secilc` does what `secilc` does.
        let folder = place.work.join("cil/ours");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let (mandate, program) = (place.mandate()?, folder.join("secilc"));
        if fs::read_link(&program).ok().as_ref() != Some(&mandate) {
            let _absent = fs::remove_file(&program);
            std::os::unix::fs::symlink(&mandate, &program)
                .with_context(|| format!("linking {}", program.display()))?;
        }
        Ok(Self { program, original: false })
    }

    /// Its command, with options that all have in common.
    #[must_use]
    pub fn command(
        &self,
        options: &[String],
        files: &[&Path],
        policy: &Path,
        fc: &Path,
    ) -> Command {
        let mut command = Command::new("timeout");
        command.arg(SECONDS).arg(&self.program);
        if !options.iter().any(|it| it == "-c") {
            command.args(["-c", &VERSION.to_string()]);
        }
        command.args(options).arg("-o").arg(policy).arg("-f").arg(fc).args(files);
        command.env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// Compiles files, in a folder where its output may stand.
    ///
    /// # Errors
    /// When it cannot be run, or is stopped by a signal.
    pub fn compile(&self, options: &[String], files: &[&Path], folder: &Path) -> Result<Verdict> {
        if !self.original {
            return self.compile_once(options, files, folder);
        }
        // secilc 3.4 finds contexts that contradict each other only when it is to tell of them; but -v tells too much.
        let verbose = [options, &["-v".to_owned()]].concat();
        let told = self.compile_once(&verbose, files, folder)?;
        match told {
            Verdict::Made(_) => Ok(told),
            Verdict::Refused(..) => Ok(match self.compile_once(options, files, folder)? {
                Verdict::Made(_) => told,
                refused @ Verdict::Refused(..) => refused,
            }),
        }
    }

    fn compile_once(&self, options: &[String], files: &[&Path], folder: &Path) -> Result<Verdict> {
        let (policy, fc) = (folder.join("policy"), folder.join("file_contexts"));
        for file in [&policy, &fc] {
            let _absent = fs::remove_file(file);
        }
        let output = self.command(options, files, &policy, &fc).output();
        let output = output.with_context(|| format!("starting {}", self.program.display()))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => {
                let policy = fs::read(&policy).context("reading the policy")?;
                let file_contexts = fs::read_to_string(&fc).context("reading the file contexts")?;
                Ok(Verdict::Made(Compiled { policy, file_contexts }))
            }
            // timeout itself, a program that is not there, and those that a signal ends.
            Some(124..=137 | 139) | None => {
                bail!("{}: {}: {said}", self.program.display(), output.status)
            }
            Some(_) => {
                let last = files.last().and_then(|it| it.file_name()).unwrap_or_default();
                Ok(Verdict::Refused(blamed(&said, &last.to_string_lossy()), said))
            }
        }
    }
}

/// The lines of a file that messages name, as `FILE:3` or `line 3 of FILE`.
fn blamed(said: &str, file: &str) -> Vec<usize> {
    let mut all = Vec::new();
    for message in said.lines().filter(|it| !it.contains(ELSEWHERE)) {
        let mut rest = message;
        while let Some(at) = rest.find(file) {
            let (before, after) = (&rest[..at], &rest[at + file.len()..]);
            let number = after.strip_prefix(':').and_then(number_at).or_else(|| {
                let before = before.rsplit_once("line ")?.1;
                number_at(before).filter(|_| before.contains(" of "))
            });
            rest = after;
            all.extend(number.filter(|it| *it > 0 && !all.contains(it)));
        }
    }
    all
}

fn number_at(text: &str) -> Option<usize> {
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_off_messages() {
        let said = "Previous declaration of type at /w/case.cil:1\nBad type at /w/case.cil:2\n\
            Close parenthesis without matching open at line 7 of /w/case.cil\n --> case.cil:9:4\nno case.cil\n";
        assert_eq!(blamed(said, "case.cil"), [2, 7, 9]);
    }
}
