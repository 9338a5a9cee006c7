//! Lines of file contexts that cannot do what they seem to do.

use rustc_hash::{FxHashMap, FxHashSet};

use super::lookup::{Lookup, fits};
use super::{FileContexts, How, Line, LineRef};
use crate::FileType;
use crate::automaton::inclusion::{includes, shortest};
use crate::pattern::{self, Arena, Pattern};

/// Something found about a line.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    /// The line.
    pub line: LineRef<'a>,
    /// What about it.
    pub kind: FindingKind<'a>,
}

/// Kinds of [`Finding`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FindingKind<'a> {
    /// Another line of the same file has the same pattern, the same or no kind of file, and the same context.
    Duplicate(LineRef<'a>),
    /// As a duplicate, but with another context: only one of the two can win.
    Conflict(LineRef<'a>),
    /// Whatever the line matches, another line decides.
    Shadowed(LineRef<'a>),
    /// No path gets here: all that begin as the pattern does are looked up elsewhere.
    Substituted {
        /// What they begin with.
        source: String,
        /// What that becomes.
        target: String,
    },
    /// The context is not one of the policy's.
    UnknownContext(String),
}

impl FindingKind<'_> {
    /// Its name in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Duplicate(_) => "duplicate",
            Self::Conflict(_) => "conflict",
            Self::Shadowed(_) => "shadowed",
            Self::Substituted { .. } => "unreachable",
            Self::UnknownContext(_) => "unknown-context",
        }
    }
}

impl std::fmt::Display for FindingKind<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = |it: &LineRef<'_>| format!("{}:{}", it.source(), it.number());
        match self {
            Self::Duplicate(other) => {
                write!(f, "{} says the same: one of them can go", place(other))
            }
            Self::Conflict(other) => {
                let context = other.context().unwrap_or(super::NONE);
                write!(
                    f,
                    "{} has the same pattern with {context}: only one of them can win",
                    place(other)
                )
            }
            Self::Shadowed(by) => {
                write!(f, "{} decides about all that this line matches: {by}", place(by))
            }
            Self::Substituted { source, target } => {
                write!(
                    f,
                    "no path comes here: {source} is looked up as {target}; write {target} instead"
                )
            }
            Self::UnknownContext(why) => write!(f, "the policy does not have this context: {why}"),
        }
    }
}

impl FileContexts {
    /// Looks at every line. `unknown` says why the policy does not have a context; none if it has it.
    ///
    /// That a line is shadowed by several others together is not seen, nor what patterns do that look around or refer back.
    pub fn lint(&self, unknown: impl Fn(&str) -> Option<String>) -> Vec<Finding<'_>> {
        let mut findings = Vec::new();
        let mut add =
            |index: u32, kind| findings.push((index, Finding { line: self.line(index), kind }));
        let mut doubled = FxHashSet::default();
        for (index, kind) in self.doubles() {
            doubled.insert(index);
            add(index, kind);
        }
        let mut shadows = Shadows::new(self);
        let mut known: FxHashMap<u32, Option<String>> = FxHashMap::default();
        for (index, line) in (0..).zip(&self.lines) {
            // the other of two equal lines of a file is told already
            let same = |by: u32| {
                let by = &self.lines[by as usize];
                by.source == line.source && self.pattern(by) == self.pattern(line)
            };
            if let Some(kind) = self.substituted_away(line) {
                add(index, kind);
            } else if let Some(by) =
                shadows.by(index).filter(|it| !doubled.contains(&index) && !same(*it))
            {
                add(index, FindingKind::Shadowed(self.line(by)));
            }
            let Some(context) = line.context else { continue };
            let why =
                known.entry(context).or_insert_with(|| unknown(&self.contexts[context as usize]));
            if let Some(why) = why {
                add(index, FindingKind::UnknownContext(why.clone()));
            }
        }
        findings.sort_by_key(|it| it.0);
        findings.into_iter().map(|it| it.1).collect()
    }

    /// Lines of the same file with the same pattern for the same kind of file; the later one is told.
    fn doubles(&self) -> Vec<(u32, FindingKind<'_>)> {
        let mut first: FxHashMap<(u8, &[u8]), Vec<u32>> = FxHashMap::default();
        let mut found = Vec::new();
        for (index, line) in (0..).zip(&self.lines) {
            let same = first.entry((line.source, self.pattern(line))).or_default();
            let other = same.iter().copied().find(|&it| overlap(&self.lines[it as usize], line));
            if let Some(other) = other {
                let equal = self.lines[other as usize].context == line.context;
                let other = self.line(other);
                let kind = if equal {
                    FindingKind::Duplicate(other)
                } else {
                    FindingKind::Conflict(other)
                };
                found.push((index, kind));
            }
            same.push(index);
        }
        found
    }

    /// Whether substitutions lead all paths of a line away.
    fn substituted_away(&self, line: &Line) -> Option<FindingKind<'_>> {
        let pattern = self.pattern(line);
        let fixed = &pattern[..pattern.len().min(line.prefix.into())];
        // a path that ends in the middle of a name may be another
        let whole = match line.how {
            How::Literal => fixed,
            _ => &fixed[..fixed.iter().rposition(|&it| it == b'/')?],
        };
        let target = self.substituted(whole);
        if whole.is_empty() || *target == *whole || target.starts_with(whole) {
            return None;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(FindingKind::Substituted { source: text(whole), target: text(&target) })
    }
}

/// Whether two lines are about the same kind of file.
fn overlap(one: &Line, other: &Line) -> bool {
    one.file_type == other.file_type || one.file_type.is_none() || other.file_type.is_none()
}

/// Finds which line is in the way of another.
struct Shadows<'a> {
    table: &'a FileContexts,
    arena: Arena,
    patterns: Vec<Option<Pattern>>,
    lookup: Lookup<'a>,
}

impl<'a> Shadows<'a> {
    fn new(table: &'a FileContexts) -> Self {
        let mut arena = Arena::new();
        let patterns = table.lines.iter().map(|line| {
            let regular = line.how == How::Regular;
            regular.then(|| pattern::parse(table.pattern(line), &mut arena).ok()).flatten()
        });
        let patterns = patterns.collect();
        Self { table, arena, patterns, lookup: Lookup::new(table) }
    }

    /// The line that decides about all that this one matches.
    fn by(&mut self, index: u32) -> Option<u32> {
        let line = &self.table.lines[index as usize];
        if line.how == How::Literal {
            return self.of_literal(index, line);
        }
        let inner = self.patterns[index as usize]?;
        let sample = shortest(&self.arena, inner.root)?;
        let candidates = self.lookup.matching(&sample);
        candidates.into_iter().rev().take_while(|&it| it > index).find(|&it| {
            let other = &self.table.lines[it as usize];
            let stronger = fits(other, line.file_type)
                && (line.file_type.is_some() || other.file_type.is_none())
                && (line.context.is_some() || other.depth >= line.depth);
            let outer = self.patterns[it as usize].filter(|_| stronger);
            outer.is_some_and(|it| includes(&self.arena, it.root, inner.root) == Some(true))
        })
    }

    fn of_literal(&mut self, index: u32, line: &Line) -> Option<u32> {
        let path = super::line::literal(self.table.pattern(line)).ok()?;
        let kinds: Vec<Option<FileType>> = match line.file_type {
            Some(kind) => vec![Some(kind)],
            None => FileType::ALL.iter().map(|it| Some(it.1)).collect(),
        };
        let lines = self.lookup.matching(&path);
        let mut winners = kinds.into_iter().map(|it| super::lookup::choose(self.table, &lines, it));
        let first = winners.next()?;
        (first != index && winners.all(|it| it == first)).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::file_contexts::{FileContexts, Source, Substitutions};

    #[test]
    fn findings() {
        let main = Source {
            name: "main",
            bytes: b"/a/.* x\n/a/.* x\n/b/.* x\n/b/.* y\n/c/d.* x\n/c/.* y\n/e/f -d x\n/e/f y\n/s/t/.* x\n/g/h x\n\
                /a/b -d x\n/a/b -- y\n/k/(?=l).* x\n/k/.* bad\n/m/.* -d x\n/m/.* -- y\n/n <<none>>\n",
        };
        let local = Source { name: "local", bytes: b"/g/h y\n/b/.* z\n" };
        let subs = [Substitutions::parse(b"/s /a\n").0, Substitutions::default()];
        let (table, errors) = FileContexts::compile(&[main, local], subs);
        assert_eq!(errors, []);
        let findings = table.lint(|it| (it == "bad").then(|| "no type bad".to_owned()));
        let told = findings.iter().map(|it| {
            let (line, kind) = (it.line, &it.kind);
            format!("{}:{} {}: {kind}", line.source(), line.number(), kind.name())
        });
        expect![[r#"
            main:2 duplicate: main:1 says the same: one of them can go
            main:3 shadowed: local:2 decides about all that this line matches: /b/.* z
            main:4 conflict: main:3 has the same pattern with x: only one of them can win
            main:5 shadowed: main:6 decides about all that this line matches: /c/.* y
            main:8 conflict: main:7 has the same pattern with x: only one of them can win
            main:9 unreachable: no path comes here: /s/t is looked up as /a/t; write /a/t instead
            main:10 shadowed: local:1 decides about all that this line matches: /g/h y
            main:14 unknown-context: the policy does not have this context: no type bad"#]]
        .assert_eq(&told.collect::<Vec<_>>().join("\n"));
    }
}
