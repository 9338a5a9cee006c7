//! Programs of this machine run in a guest with SELinux, on a disk of its own.
//!
//! The guest sees the machine's files, which it cannot write, and has `/mnt`, where
//! files have labels, and `/etc/selinux` for itself. `compliance/guest/userland.c`
//! takes [`Steps`], and gives [`Record`]s. Nothing on the machine is changed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{Backend, boot, read, setup};

/// A kernel that runs programs of the machine.
#[derive(Clone, Debug)]
pub struct Userland {
    image: PathBuf,
    init: PathBuf,
}

/// What a guest does, in order.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    text: Vec<u8>,
    /// What the kernel logs is asked for.
    log: bool,
}

/// What a guest tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What it was told to say.
    Said(Vec<u8>),
    /// A program ended.
    Ran {
        /// Its exit code; 1000 and the number of the signal that ended it.
        code: u32,
        /// Standard output.
        out: Vec<u8>,
        /// Standard error.
        err: Vec<u8>,
    },
    /// One file of a dump.
    Label {
        /// Where it is.
        path: Vec<u8>,
        /// The label as the kernel tells it; empty for none.
        label: Vec<u8>,
        /// Whether it has a digest of restorecon's.
        digest: bool,
    },
    /// A step could not be taken: its number, from 1, or its name, and the errno's name.
    Failed(String, String),
}

impl Steps {
    /// Adds a step: a word and its arguments, as userland.c has them.
    pub fn add<W: AsRef<[u8]>>(&mut self, words: impl IntoIterator<Item = W>) {
        for (n, word) in words.into_iter().enumerate() {
            if n > 0 {
                self.text.push(b'\t');
            } else {
                self.log |= word.as_ref() == b"log";
            }
            word.as_ref().iter().for_each(|byte| escape(*byte, &mut self.text));
        }
        self.text.push(b'\n');
    }

    /// The step of a number that [`Record::Failed`] tells.
    #[must_use]
    pub fn line(&self, number: &str) -> String {
        let number = number.parse::<usize>().unwrap_or(0);
        let line = number.checked_sub(1).and_then(|n| self.text.split(|it| *it == b'\n').nth(n));
        line.map_or_else(String::new, |it| String::from_utf8_lossy(it).into_owned())
    }
}

fn escape(byte: u8, to: &mut Vec<u8>) {
    match byte {
        0 => to.extend(b"\\0"),
        b'\t' => to.extend(b"\\t"),
        b'\n' => to.extend(b"\\n"),
        b'\\' => to.extend(b"\\\\"),
        byte => to.push(byte),
    }
}

fn unescape(field: &[u8]) -> Vec<u8> {
    let (mut plain, mut bytes) = (Vec::with_capacity(field.len()), field.iter());
    while let Some(byte) = bytes.next() {
        plain.push(match (byte, byte == &b'\\') {
            (_, true) => match bytes.next() {
                Some(b'0') => 0,
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(other) => *other,
                None => b'\\',
            },
            (byte, false) => *byte,
        });
    }
    plain
}

impl Userland {
    /// Brings the kernel and the guest program into `cache`, where they stay.
    ///
    /// # Errors
    /// When the download fails, or the compiler is missing.
    pub fn prepare(cache: &Path) -> Result<Self> {
        let (image, _) = setup::kernel(Backend::Uml, cache)?;
        Ok(Self { image, init: setup::guest_program(setup::USERLAND, &[], cache)? })
    }

    /// A program that makes calls that it is told (compliance/guest/caller.c), for the guest and for this machine.
    ///
    /// # Errors
    /// When the compiler is missing.
    pub fn caller(cache: &Path) -> Result<PathBuf> {
        setup::guest_program(setup::CALLER, &setup::WITHOUT_LIBRARY, cache)
    }

    /// Boots a guest, loads the policy, takes the steps, and ends it.
    ///
    /// # Errors
    /// When the guest does not come to its end in time, or what it wrote cannot be read.
    pub fn run(&self, policy: &[u8], steps: &Steps, limit: Duration) -> Result<Vec<Record>> {
        self.run_on(None, policy, steps, limit)
    }

    /// The same, with what is in a folder on the disk.
    ///
    /// # Errors
    /// Those of [`Self::run`].
    pub fn run_on(
        &self,
        content: Option<&Path>,
        policy: &[u8],
        steps: &Steps,
        limit: Duration,
    ) -> Result<Vec<Record>> {
        let init = read(&self.init)?;
        let files = [
            ("init", 0o755, &init[..]),
            ("policy", 0o644, policy),
            ("steps", 0o644, &steps.text[..]),
        ];
        let run = boot::Run::with_disk(&self.image, &files, content, steps.log, limit)?;
        let ending = run.wait(limit)?;
        let raw = run.output();
        let Some(lines) = raw.strip_suffix(b"END\n") else {
            let told = String::from_utf8_lossy(&raw);
            let last = told.lines().last().unwrap_or_default();
            bail!("the guest {ending}: {last}\n{}", run.console_tail());
        };
        let lines = lines.split(|it| *it == b'\n').filter(|it| !it.is_empty());
        lines.map(record).collect()
    }
}

fn record(line: &[u8]) -> Result<Record> {
    let fields: Vec<Vec<u8>> = line.split(|it| *it == b'\t').map(unescape).collect();
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    let told = || format!("the guest wrote {:?}", text(line));
    Ok(match fields.as_slice() {
        [kind, said] if kind == b"S" => Record::Said(said.clone()),
        [kind, code, out, err] if kind == b"R" => Record::Ran {
            code: text(code).parse().with_context(told)?,
            out: out.clone(),
            err: err.clone(),
        },
        [kind, path, label, digest] if kind == b"L" => {
            Record::Label { path: path.clone(), label: label.clone(), digest: digest == b"1" }
        }
        [kind, step, error] if kind == b"F" => Record::Failed(text(step), text(error)),
        _ => bail!(told()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_bytes() {
        let mut steps = Steps::default();
        steps.add([&b"file"[..], b"a\tb\nc\\d\0e", b""]);
        assert_eq!(steps.text, b"file\ta\\tb\\nc\\\\d\\0e\t\n");
        assert_eq!(steps.line("1"), "file\ta\\tb\\nc\\\\d\\0e\t");
        assert_eq!(unescape(b"a\\tb\\nc\\\\d\\0e"), b"a\tb\nc\\d\0e");
    }

    #[test]
    fn records_are_read() {
        let ran = Record::Ran { code: 255, out: b"a\n".to_vec(), err: Vec::new() };
        assert_eq!(record(b"R\t255\ta\\n\t").unwrap(), ran);
        assert!(record(b"R\t255\ta").is_err());
        assert!(record(b"Q\t1\t2\t3").is_err());
    }
}
