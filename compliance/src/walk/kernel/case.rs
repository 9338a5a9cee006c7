//! The cases, as `cases.txt` writes them, and the steps that a guest takes for them.

use anyhow::{Context as _, Result, bail, ensure};

use crate::kernel::userland::Steps;

/// Where trees are.
pub(super) const BASE: &str = "/mnt/";
/// The folder that is made for each side of a case, and whose labels are compared.
pub(super) const TREE: &str = "/mnt/t";

const CASES: &str = include_str!("cases.txt");
const USUAL: &str = include_str!("tree.txt");

/// A field of an outcome that may be known to differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Code,
    Out,
    Err,
    Labels,
}

impl Field {
    pub(super) const ALL: [Self; 4] = [Self::Code, Self::Out, Self::Err, Self::Labels];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Out => "out",
            Self::Err => "err",
            Self::Labels => "labels",
        }
    }
}

/// Programs, and the tree on which they run.
#[derive(Clone, Debug, Default)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) enforcing: bool,
    pub(super) unordered: bool,
    /// Fields that differ, each with the reason.
    pub(super) known: Vec<(Field, String)>,
    pub(super) tree: Vec<Vec<Vec<u8>>>,
    pub(super) runs: Vec<Run>,
}

/// One program.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    folder: Vec<u8>,
    input: Vec<u8>,
    pub(super) words: Vec<Vec<u8>>,
}

/// All cases of `cases.txt`.
pub(super) fn all() -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    let mut next = Run::default();
    for line in CASES.lines().filter(|it| !it.is_empty() && !it.starts_with('#')) {
        if let Some(name) = line.strip_prefix("== ") {
            cases.push(Case { name: name.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().context("a case begins with its name")?;
        case.take(line, &mut next).with_context(|| format!("{}: {line}", case.name))?;
    }
    Ok(cases)
}

impl Case {
    /// A case that runs one program on the usual tree.
    pub(super) fn of(name: String, words: Vec<Vec<u8>>) -> Self {
        let runs = vec![Run { words, ..Run::default() }];
        Self { name, runs, ..Self::default() }
    }

    fn take(&mut self, line: &str, next: &mut Run) -> Result<()> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("enforcing", "") => self.enforcing = true,
            ("unordered", "") => self.unordered = true,
            ("+", rest) => self.tree.push(words(rest)),
            ("cd", folder) => next.folder = word(folder),
            ("<", text) => next.input = word(text),
            (">", rest) => {
                let words = words(rest);
                self.runs.push(Run { words, ..std::mem::take(next) });
            }
            ("!", rest) => {
                let (field, why) = rest.split_once(' ').context("a difference needs a reason")?;
                let known = Field::ALL.into_iter().find(|it| it.name() == field);
                self.known.push((known.context("no such field")?, why.to_owned()));
            }
            _ => bail!("this cannot be read"),
        }
        Ok(())
    }

    /// Adds the steps of one side, whose programs `program` finds; the records end with the labels of the tree.
    pub(super) fn steps(
        &self,
        steps: &mut Steps,
        program: &dyn Fn(&str) -> Result<String>,
    ) -> Result<()> {
        let usual = USUAL.lines().filter(|it| !it.starts_with('#')).map(words);
        let usual: Vec<_> = usual.collect();
        let mut mounted = Vec::new();
        for words in usual.iter().chain(&self.tree) {
            make(words, steps, &mut mounted).with_context(|| self.name.clone())?;
        }
        for run in &self.runs {
            if self.enforcing {
                steps.add(["enforce", "1"]);
            }
            run.steps(steps, program)?;
            if self.enforcing {
                steps.add(["enforce", "0"]);
            }
        }
        steps.add(["dump", TREE]);
        for path in mounted.iter().rev() {
            steps.add([&b"umount"[..], path]);
        }
        steps.add(["clean", TREE]);
        Ok(())
    }
}

impl Run {
    fn steps(&self, steps: &mut Steps, program: &dyn Fn(&str) -> Result<String>) -> Result<()> {
        steps.add([&b"cwd"[..], &[BASE.as_bytes(), &self.folder].concat()]);
        steps.add([&b"input"[..], &self.input]);
        let [name, rest @ ..] = self.words.as_slice() else { bail!("no program") };
        let name = std::str::from_utf8(name)?;
        let path = program(name)?;
        // A script is told its path, whatever it is called by.
        let called = if name == "chcat" { "/usr/bin/chcat" } else { name };
        let words = [&b"run"[..], path.as_bytes(), called.as_bytes()].into_iter();
        steps.add(words.chain(rest.iter().map(Vec::as_slice)));
        Ok(())
    }

    /// The words as they are shown.
    pub(super) fn shown(&self) -> String {
        let shown: Vec<String> =
            self.words.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect();
        shown.join(" ")
    }
}

/// The steps that make one file, and label it.
fn make(words: &[Vec<u8>], steps: &mut Steps, mounted: &mut Vec<Vec<u8>>) -> Result<()> {
    let [op, arguments @ ..] = words else { bail!("nothing to do") };
    let path = |it: &Vec<u8>| [BASE.as_bytes(), it].concat();
    let (made, label) = match (&op[..], arguments) {
        (b"file", [name, content]) if name == b"t/list" => {
            steps.add([&op[..], &path(name), content]);
            return Ok(());
        }
        (b"file", [name, label @ ..]) => {
            steps.add([&op[..], &path(name), b""]);
            (path(name), label)
        }
        (b"dir" | b"fifo", [name, label @ ..]) => {
            steps.add([&op[..], &path(name)]);
            (path(name), label)
        }
        (b"symlink", [target, name, label @ ..]) => {
            steps.add([&op[..], target, &path(name)]);
            (path(name), label)
        }
        (b"hard", [old, name]) => {
            steps.add([&op[..], &path(old), &path(name)]);
            return Ok(());
        }
        (b"take" | b"mount", [kind, name]) => {
            steps.add([&op[..], kind, &path(name)]);
            if op == b"mount" {
                mounted.push(path(name));
            }
            return Ok(());
        }
        (b"readonly", [name]) => {
            steps.add([&op[..], &path(name)]);
            return Ok(());
        }
        _ => bail!("{:?} cannot be made", String::from_utf8_lossy(op)),
    };
    if let [label] = label {
        steps.add([&b"label"[..], &made, &context(label)]);
    }
    ensure!(label.len() < 2, "one label for a file");
    Ok(())
}

/// A context as it is written: whole, or its type alone.
fn context(written: &[u8]) -> Vec<u8> {
    if written.contains(&b':') {
        return written.to_vec();
    }
    [b"system_u:object_r:", written, b":s0"].concat()
}

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split(' ').filter(|it| !it.is_empty()).map(word).collect()
}

/// A word without its escapes; one that makes no sense stands as it is.
fn word(text: &str) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        let (meant, after) = match (byte, after) {
            (b'\\', [b's', after @ ..]) => (Some(b' '), after),
            (b'\\', [b'n', after @ ..]) => (Some(b'\n'), after),
            (b'\\', [b't', after @ ..]) => (Some(b'\t'), after),
            (b'\\', [b'0', after @ ..]) => (Some(0), after),
            (b'\\', [b'e', after @ ..]) => (None, after),
            (b'\\', [b'x', high, low, after @ ..]) => (Some(hex(*high) << 4 | hex(*low)), after),
            (b'\\', [other, after @ ..]) => (Some(*other), after),
            (other, after) => (Some(*other), after),
        };
        plain.extend(meant);
        rest = after;
    }
    plain
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|it| u8::try_from(it).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_escapes() {
        assert_eq!(words(r"a\sb \e c\\\xffd"), [&b"a b"[..], b"", b"c\\\xffd"]);
    }

    #[test]
    fn all_cases_can_be_read() {
        let cases = all().unwrap();
        assert!(cases.len() >= 200);
        for case in &cases {
            assert!(!case.runs.is_empty(), "{}", case.name);
            let mut steps = Steps::default();
            case.steps(&mut steps, &|it| Ok(it.to_owned())).unwrap();
        }
        let mut names: Vec<&str> = cases.iter().map(|it| &*it.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases.len(), "each has a name of its own");
    }
}
