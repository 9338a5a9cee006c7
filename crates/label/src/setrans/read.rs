//! Reading `setrans.conf`.

use super::{Base, CATEGORIES, Constraint, Domain, Group, Setrans, Word};
use crate::Bytes;
use crate::levels::{Categories, Level};
use crate::line::{Fault, Field, LineError, LineErrorKind};

/// What is wrong with a line of one of the files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{error}", String::from_utf8_lossy(file))]
pub struct FileError {
    /// The name of the file, as the caller gave it.
    pub file: Box<[u8]>,
    /// The line and what is wrong with it.
    pub error: LineError,
}

/// Files that an `Include=` line means, by its glob: their names and bytes in the order of names; `None` if there are none, or if they cannot be read.
pub type Include<'a> = dyn FnMut(&[u8]) -> Option<Vec<(Box<[u8]>, Vec<u8>)>> + 'a;

/// How deep includes may nest.
const DEPTH: u32 = 32;
/// How many files may be included, lest a few that include each other be read for ever.
const FILES: u32 = 4096;

impl Setrans {
    /// The tables of the file `name` with these bytes, and what is wrong with it and all it includes.
    pub fn parse(name: &[u8], bytes: &[u8], include: &mut Include<'_>) -> (Self, Vec<FileError>) {
        let mut reader = Reader {
            setrans: Self::default(),
            include,
            errors: Vec::new(),
            domain: None,
            bases: false,
            in_group: false,
            depth: 0,
            files_left: FILES,
        };
        reader.file(name, bytes);
        reader.setrans.domains.extend(reader.domain.take());
        (reader.setrans, reader.errors)
    }
}

struct Reader<'i, 'c> {
    setrans: Setrans,
    include: &'i mut Include<'c>,
    errors: Vec<FileError>,
    /// The domain that entries go to.
    domain: Option<Domain>,
    /// Are levels now bases? Includes go on where the file that includes them was.
    bases: bool,
    /// Are entries now words of the last group?
    in_group: bool,
    depth: u32,
    files_left: u32,
}

impl Reader<'_, '_> {
    fn file(&mut self, name: &[u8], bytes: &[u8]) {
        for (line, text) in crate::line::lines(bytes) {
            if let Err((column, kind)) = self.line(text) {
                let error = LineError { line, column, kind };
                self.errors.push(FileError { file: name.into(), error });
            }
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Fault> {
        let line = line.split(|&it| it == b'#').next().unwrap_or_default();
        let operator = line.iter().position(|it| b"=!>".contains(it));
        let end = |what| (crate::line::column(line.len()), LineErrorKind::Missing(what));
        let at = operator.ok_or_else(|| end("=, ! or >"))?;
        let left = part(line, 0, at).ok_or((1, LineErrorKind::Missing("a level or keyword")))?;
        let right = part(line, at + 1, line.len()).ok_or_else(|| end("a value"))?;
        match line.get(at) {
            Some(b'=') => self.entry(left, right),
            Some(&operator) => self.constraint(left, operator, right),
            None => Ok(()),
        }
    }

    fn entry(&mut self, left: Field<'_>, right: Field<'_>) -> Result<(), Fault> {
        match left.bytes {
            b"Domain" => self.open_domain(),
            b"Include" => self.include(right)?,
            b"Base" => self.bases = true,
            b"ModifierGroup" => self.open_group(right.bytes),
            b"Whitespace" => self.group(left)?.whitespace = right.bytes.into(),
            b"Join" => self.group(left)?.join = right.bytes.into(),
            b"Prefix" => self.group(left)?.prefixes.push(right.bytes.into()),
            b"Suffix" => self.group(left)?.suffixes.push(right.bytes.into()),
            b"Default" => {
                let default = self.categories(right, Categories::NONE)?;
                self.group(left)?.default = default;
            }
            _ if self.in_group => self.word(left, right)?,
            _ => self.name(left, right)?,
        }
        Ok(())
    }

    fn open_domain(&mut self) {
        self.setrans.domains.extend(self.domain.replace(Domain::default()));
        self.in_group = false;
    }

    /// The domain that entries go to: without any line `Domain=`, one that has no name.
    fn domain(&mut self) -> &mut Domain {
        self.domain.get_or_insert_default()
    }

    fn open_group(&mut self, name: &[u8]) {
        let space = || Bytes::from(&b" "[..]);
        self.domain().groups.push(Group {
            name: name.into(),
            whitespace: space(),
            join: space(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            default: Categories::NONE,
            words: Vec::new(),
        });
        (self.in_group, self.bases) = (true, false);
    }

    /// The group that lines are about; an error at `keyword` if there is none.
    fn group(&mut self, keyword: Field<'_>) -> Result<&mut Group, Fault> {
        let group = if self.in_group { self.domain().groups.last_mut() } else { None };
        let expected = "ModifierGroup before what says something of a group";
        let found = || keyword.lossy();
        group.ok_or_else(|| keyword.wrong(LineErrorKind::Unexpected { expected, found: found() }))
    }

    fn word(&mut self, left: Field<'_>, right: Field<'_>) -> Result<(), Fault> {
        if let Some(at) = right.bytes.iter().position(|&it| it == b'-') {
            let column = right.column.saturating_add(crate::line::column(at)).saturating_sub(1);
            let expected = "a word without -";
            return Err((column, LineErrorKind::Unexpected { expected, found: right.lossy() }));
        }
        let default = self.group(left)?.default.clone();
        let categories = self.categories(left, default.clone())?;
        let group = self.group(left)?;
        group.words.push(Word {
            text: right.bytes.into(),
            added: categories.minus(&default),
            taken: default.minus(&categories),
            categories,
        });
        Ok(())
    }

    /// A name for a range, which is a base as well after a line `Base=`.
    fn name(&mut self, left: Field<'_>, right: Field<'_>) -> Result<(), Fault> {
        if self.bases {
            let level = self.level(left)?;
            self.domain().bases.push(Base { name: right.bytes.into(), level });
        }
        let (range, name) = (Bytes::from(left.bytes), Bytes::from(right.bytes));
        let domain = self.domain();
        if !domain.names.contains_key(&range) {
            domain.listed.push(range.clone());
        }
        domain.names.entry(range.clone()).or_insert_with(|| name.clone());
        domain.ranges.entry(name).or_insert(range);
        Ok(())
    }

    fn level(&mut self, field: Field<'_>) -> Result<Level, Fault> {
        let level = parse_level(field.bytes);
        let level = level.ok_or_else(|| wrong(field, "a level such as s0:c0.c3"))?;
        self.grow(&level.categories);
        Ok(level)
    }

    /// `default` with the categories of a field, less those that have a `~`.
    fn categories(&mut self, field: Field<'_>, default: Categories) -> Result<Categories, Fault> {
        let mut changed = default;
        for item in items(field.bytes) {
            let bare = item.iter().position(|&it| it != b'~').unwrap_or(item.len());
            let run = parse_run(item.get(bare..).unwrap_or_default())
                .ok_or_else(|| wrong(field, "categories such as c0.c3 or ~c0"))?;
            self.grow(&run);
            changed = if bare % 2 == 0 { changed.or(&run) } else { changed.minus(&run) };
        }
        Ok(changed)
    }

    fn grow(&mut self, categories: &Categories) {
        let last = categories.runs().last().map_or(0, |&(_, last)| last.saturating_add(1));
        self.setrans.limit = self.setrans.limit.max(last);
    }

    fn constraint(&mut self, left: Field<'_>, operator: u8, right: Field<'_>) -> Result<(), Fault> {
        let categories = self.categories(right, Categories::NONE)?;
        let constraint = if left.bytes.first() == Some(&b's') {
            Constraint::Sensitivity(self.level(left)?.sensitivity, categories)
        } else {
            let with = self.categories(left, Categories::NONE)?;
            match operator {
                b'!' => Constraint::Excludes(with, categories),
                _ => Constraint::Requires(with, categories),
            }
        };
        self.setrans.constraints.push(constraint);
        Ok(())
    }

    fn include(&mut self, pattern: Field<'_>) -> Result<(), Fault> {
        if self.depth >= DEPTH {
            return Err(wrong(pattern, "includes that nest less deeply"));
        }
        let files = (self.include)(pattern.bytes);
        let files = files.ok_or_else(|| wrong(pattern, "files that can be read"))?;
        self.depth += 1;
        for (name, bytes) in files {
            let Some(left) = self.files_left.checked_sub(1) else { break };
            self.files_left = left;
            self.file(&name, &bytes);
        }
        self.depth -= 1;
        if self.files_left == 0 { Err(wrong(pattern, "fewer files in all")) } else { Ok(()) }
    }
}

/// The bytes of a line between two offsets, without blanks around; `None` if nothing remains.
fn part(line: &[u8], from: usize, to: usize) -> Option<Field<'_>> {
    let bytes = line.get(from..to)?;
    let start = bytes.iter().position(|it| !crate::line::is_space(*it))?;
    let end = bytes.iter().rposition(|it| !crate::line::is_space(*it))?;
    let column = crate::line::column(from.saturating_add(start));
    Some(Field { bytes: bytes.get(start..=end)?, column })
}

fn wrong(field: Field<'_>, expected: &'static str) -> Fault {
    field.wrong(LineErrorKind::Unexpected { expected, found: field.lossy() })
}

/// What stands between commas; a comma may stand behind the last.
fn items(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.strip_suffix(b",").unwrap_or(text).split(|&it| it == b',')
}

/// `c1` or `c1.c3`, below [`CATEGORIES`].
fn parse_run(text: &[u8]) -> Option<Categories> {
    let run = Categories::parse(text).ok()?;
    run.runs().last().is_some_and(|&(_, last)| last < CATEGORIES).then_some(run)
}

/// `s1` or `s1:` and categories.
pub(super) fn parse_level(text: &[u8]) -> Option<Level> {
    let mut halves = text.splitn(2, |&it| it == b':');
    let mut level = Level::parse(halves.next()?).ok()?;
    for item in halves.next().filter(|it| !it.is_empty()).into_iter().flat_map(items) {
        level.categories = level.categories.or(&parse_run(item)?);
    }
    Some(level)
}
