//! Cases as they stand in `compliance/cases/cil/*.cases`, and what is recorded about them.
//!
//! ```text
//! == what the case shows
//! base: mls
//! options: -O
//! doc: cil_container_statements.md in
//! (type x)
//! -- accepted
//! + type x
//! ```
//!
//! `base` names a file of `base/`, `plain` unless it is given, or `none`. A case with `doc` is settled by that chapter of the
//! CIL reference guide, any other by `secilc`. `-- refused 3 5` names the lines that may be blamed, if `secilc` names one;
//! after `-- accepted` follows what the policy says beyond its base (`+`) and does not say of it (`-`). `-- or accepted` and
//! `-- or refused` tell what is right as well: what a newer `secilc` does. With `differs: REASON` the outcome was written by
//! hand, because what `secilc` does is a mistake of its own.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file without its ending, and the title.
    pub name: String,
    title: String,
    /// What it stands on.
    pub base: String,
    /// Options of `secilc`.
    pub options: Vec<String>,
    /// The chapter that settles it, instead of `secilc`.
    pub doc: Option<String>,
    /// The CIL text.
    pub text: String,
    /// Why ours is not to do what `secilc` does.
    pub differs: Option<String>,
    /// What is recorded.
    pub record: Option<Outcome>,
    /// What is right as well.
    pub or: Option<Outcome>,
}

/// What becomes of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What the policy says more, and less, than its base.
    Accepted(BTreeSet<String>),
    /// The lines that are blamed, the first named first.
    Refused(Vec<usize>),
}

/// The cases of one file, and the lines before the first.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
    head: String,
    /// In the order of the file.
    pub cases: Vec<Case>,
}

/// Every file of cases, by name.
///
/// # Errors
/// When one is not as described above.
pub fn files(folder: &Path) -> Result<Vec<File>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("looking into {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "cases"));
    paths.sort();
    paths.iter().map(|path| File::read(path).with_context(|| path.display().to_string())).collect()
}

impl File {
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut parts = format!("\n{text}").split("\n== ").map(str::to_owned).collect::<Vec<_>>();
        let head = parts.remove(0).trim_start_matches('\n').to_owned();
        let case = |part: &String| Case::parse(&stem, part).with_context(|| part.clone());
        let cases = parts.iter().map(case).collect::<Result<Vec<_>>>()?;
        let mut titles = BTreeSet::new();
        for case in &cases {
            ensure!(titles.insert(&case.title), "two cases are called {:?}", case.title);
        }
        Ok(Self { path: path.to_owned(), head, cases })
    }

    /// Writes the file with what is recorded now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<()> {
        let mut text = self.head.trim_end().to_owned();
        for case in &self.cases {
            let gap = if text.is_empty() { "" } else { "\n\n" };
            write!(text, "{gap}{}", case.shown().trim_end())?;
        }
        fs::write(&self.path, text + "\n")
            .with_context(|| format!("writing {}", self.path.display()))
    }
}

impl Case {
    fn parse(file: &str, part: &str) -> Result<Self> {
        let (title, mut rest) = part.split_once('\n').context("a case has a text")?;
        let mut case = Self {
            name: format!("{file}: {title}"),
            title: title.to_owned(),
            base: "plain".to_owned(),
            options: Vec::new(),
            doc: None,
            text: String::new(),
            differs: None,
            record: None,
            or: None,
        };
        while let Some((line, after)) = rest.split_once('\n') {
            match line.split_once(": ") {
                Some(("base", name)) => case.base = name.to_owned(),
                Some(("options", all)) => {
                    case.options = all.split_whitespace().map(str::to_owned).collect();
                }
                Some(("differs", why)) => case.differs = Some(why.to_owned()),
                Some(("doc", chapter)) => case.doc = Some(chapter.to_owned()),
                _ => break,
            }
            rest = after;
        }
        let mut parts = rest.split("\n-- ");
        parts.next().unwrap_or_default().trim_end_matches('\n').clone_into(&mut case.text);
        case.text.push('\n');
        for part in parts {
            match part.strip_prefix("or ") {
                Some(part) => case.or = Some(Outcome::parse(part)?),
                None => case.record = Some(Outcome::parse(part)?),
            }
        }
        Ok(case)
    }

    /// Whether `secilc` as it is installed says what is right.
    #[must_use]
    pub fn is_settled_by_secilc(&self) -> bool {
        self.doc.is_none() && self.differs.is_none()
    }

    fn shown(&self) -> String {
        let mut text = format!("== {}\n", self.title);
        if self.base != "plain" {
            text += &format!("base: {}\n", self.base);
        }
        if !self.options.is_empty() {
            text += &format!("options: {}\n", self.options.join(" "));
        }
        for (key, value) in [("doc", &self.doc), ("differs", &self.differs)] {
            text += &value.iter().map(|it| format!("{key}: {it}\n")).collect::<String>();
        }
        text += &self.text;
        for (word, outcome) in [("", &self.record), ("or ", &self.or)] {
            text +=
                &outcome.iter().map(|it| format!("-- {word}{}", it.shown())).collect::<String>();
        }
        text
    }
}

impl Outcome {
    /// Whether it is refused without a word about where.
    #[must_use]
    pub fn names_no_line(&self) -> bool {
        matches!(self, Self::Refused(lines) if lines.is_empty())
    }

    fn parse(record: &str) -> Result<Self> {
        let mut lines = record.lines().filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        match first.split_once(' ').unwrap_or((first, "")) {
            ("accepted", "") => Ok(Self::Accepted(lines.map(str::to_owned).collect())),
            ("refused", numbers) => {
                let numbers = numbers.split_whitespace().map(str::parse);
                Ok(Self::Refused(numbers.collect::<Result<_, _>>()?))
            }
            _ => bail!("a record says `accepted` or `refused`, not {first:?}"),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Accepted(facts) => {
                let facts: String = facts.iter().map(|fact| format!("{fact}\n")).collect();
                format!("accepted\n{facts}")
            }
            Self::Refused(lines) => {
                let lines: String = lines.iter().map(|line| format!(" {line}")).collect();
                format!("refused{lines}\n")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_written_as_it_was_read() {
        let text =
            "title\nbase: mls\noptions: -O\n(type a)\n\n(x)\n-- refused 3 1\n-- or accepted\n+ z\n";
        let case = Case::parse("f", text).expect("a case");
        assert_eq!((case.name.as_str(), case.text.as_str()), ("f: title", "(type a)\n\n(x)\n"));
        assert_eq!(case.record, Some(Outcome::Refused(vec![3, 1])));
        assert_eq!(case.shown(), format!("== {text}"));
    }

    #[test]
    fn a_record_is_either_or() {
        assert!(Case::parse("f", "t\n(x)\n-- perhaps\n").is_err());
        assert!(Case::parse("f", "t\n(x)\n-- accepted\n+ type x\n").is_ok());
    }
}
