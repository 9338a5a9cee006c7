//! Levels and ranges as text, without a policy: sensitivities `sN`, categories `cN`, in the form the kernel prints. `mcs(8)`, `mls_level` of libsepol.
//!
//! `s0:c3,c1,c2.c2` is `s0:c1.c3`, `s0-s0` is `s0`. Policies may name sensitivities and categories otherwise; such names are errors here.

use std::fmt;

/// Why text is no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {kind}")]
pub struct LevelError {
    /// Byte of the text, from 1.
    pub at: u32,
    /// What is wrong there.
    pub kind: LevelErrorKind,
}

/// Kinds of [`LevelError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LevelErrorKind {
    /// No `s` and number.
    #[error("expected a sensitivity such as s0")]
    Sensitivity,
    /// No `c` and number.
    #[error("expected a category such as c0")]
    Category,
    /// `c3.c1`.
    #[error("the categories do not ascend")]
    Descending,
    /// Something behind the level.
    #[error("expected the end of the level")]
    Extra,
    /// The high level of a range lacks what the low one has.
    #[error("the high level does not dominate the low one")]
    NotDominating,
}

/// A set of categories, each a number.
///
/// What it takes in memory depends on the text it came from, not on how many categories that means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Categories {
    /// First and last, ascending, with gaps between.
    runs: Vec<(u32, u32)>,
}

impl Categories {
    /// No category.
    pub const NONE: Self = Self { runs: Vec::new() };

    /// All categories from `first` to `last`; none if that is less.
    pub fn run(first: u32, last: u32) -> Self {
        Self { runs: if first <= last { vec![(first, last)] } else { Vec::new() } }
    }

    /// Categories as in `c0,c2.c4`.
    ///
    /// # Errors
    /// Where the text is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, LevelError> {
        let mut cursor = Cursor { text, at: 0 };
        let categories = cursor.categories()?;
        cursor.end()?;
        Ok(categories)
    }

    /// Runs of categories, first and last, ascending, with gaps between.
    pub fn runs(&self) -> &[(u32, u32)] {
        &self.runs
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.runs.iter().map(|&(first, last)| u64::from(last) - u64::from(first) + 1).sum()
    }

    /// Does the set have all of `other`?
    pub fn contains(&self, other: &Self) -> bool {
        other.minus(self).is_empty()
    }

    /// What is in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.combine(other, |this, that| this || that)
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.combine(other, |this, that| this && that)
    }

    /// What is in this, but not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.combine(other, |this, that| this && !that)
    }

    /// What is in one, but not in both.
    #[must_use]
    pub fn xor(&self, other: &Self) -> Self {
        self.combine(other, |this, that| this != that)
    }

    /// The categories for which `keep` of membership in both holds; it is false for a category of neither.
    fn combine(&self, other: &Self, keep: fn(bool, bool) -> bool) -> Self {
        // Where membership changes: positions as u64, since a run may end with the last number.
        let edges = |set: &Self, which: bool| -> Vec<(u64, bool)> {
            let both = |&(first, last): &(u32, u32)| [u64::from(first), u64::from(last) + 1];
            set.runs.iter().flat_map(both).map(|at| (at, which)).collect()
        };
        let mut all = [edges(self, true), edges(other, false)].concat();
        all.sort_unstable();
        let (mut this, mut that) = (false, false);
        let mut runs: Vec<(u64, u64)> = Vec::new();
        let mut open: Option<u64> = None;
        for (at, which) in all {
            if which {
                this = !this
            } else {
                that = !that
            }
            match (open, keep(this, that)) {
                (None, true) => open = Some(at),
                (Some(first), false) => {
                    open = None;
                    push_run(&mut runs, first, at);
                }
                _ => {}
            }
        }
        let number = |it: u64| u32::try_from(it).unwrap_or(u32::MAX);
        Self {
            runs: runs.into_iter().map(|(first, end)| (number(first), number(end - 1))).collect(),
        }
    }
}

/// Adds a run (its end is past the last), and makes one of two that touch.
fn push_run(runs: &mut Vec<(u64, u64)>, first: u64, end: u64) {
    match runs.last_mut() {
        _ if first == end => {}
        Some(last) if last.1 == first => last.1 = end,
        _ => runs.push((first, end)),
    }
}

impl FromIterator<(u32, u32)> for Categories {
    /// The union of runs in any order.
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(runs: I) -> Self {
        let mut all: Vec<(u32, u32)> = runs.into_iter().filter(|it| it.0 <= it.1).collect();
        all.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::new();
        for (first, last) in all {
            match merged.last_mut() {
                Some(it) if first <= it.1.saturating_add(1) => it.1 = it.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self { runs: merged }
    }
}

impl fmt::Display for Categories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, &(first, last)) in self.runs.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match last - first {
                0 => write!(f, "{comma}c{first}")?,
                1 => write!(f, "{comma}c{first},c{last}")?,
                _ => write!(f, "{comma}c{first}.c{last}")?,
            }
        }
        Ok(())
    }
}

/// A sensitivity and categories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Level {
    /// The number of the sensitivity.
    pub sensitivity: u32,
    /// The categories.
    pub categories: Categories,
}

impl Level {
    /// A level as in `s0:c0,c2.c4`.
    ///
    /// # Errors
    /// Where the text is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, LevelError> {
        let mut cursor = Cursor { text, at: 0 };
        let level = cursor.level()?;
        cursor.end()?;
        Ok(level)
    }

    /// Is its sensitivity as high as that of `other`, and has it all its categories?
    pub fn dominates(&self, other: &Self) -> bool {
        self.sensitivity >= other.sensitivity && self.categories.contains(&other.categories)
    }
}

impl PartialOrd for Level {
    /// Greater is what dominates; levels that do not dominate each other are incomparable.
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        match (self.dominates(other), other.dominates(self)) {
            (true, true) => Some(Equal),
            (true, false) => Some(Greater),
            (false, true) => Some(Less),
            (false, false) => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.categories.is_empty() { "" } else { ":" };
        write!(f, "s{}{colon}{}", self.sensitivity, self.categories)
    }
}

/// A low level and a high one that dominates it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Range {
    low: Level,
    high: Level,
}

impl Range {
    /// From `low` to `high`; `None` if that does not dominate it.
    pub fn new(low: Level, high: Level) -> Option<Self> {
        high.dominates(&low).then_some(Self { low, high })
    }

    /// A range as in `s0-s0:c0.c3`, or a level, which is a range of one.
    ///
    /// # Errors
    /// Where the text is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, LevelError> {
        let mut cursor = Cursor { text, at: 0 };
        let low = cursor.level()?;
        if !cursor.skip(b'-') {
            cursor.end()?;
            return Ok(Self { high: low.clone(), low });
        }
        let at_high = cursor.error(LevelErrorKind::NotDominating);
        let high = cursor.level()?;
        cursor.end()?;
        Self::new(low, high).ok_or(at_high)
    }

    /// The low level.
    pub fn low(&self) -> &Level {
        &self.low
    }

    /// The high level.
    pub fn high(&self) -> &Level {
        &self.high
    }

    /// Does `other` lie in this range: is its low level not below, its high one not above?
    pub fn contains(&self, other: &Self) -> bool {
        other.low.dominates(&self.low) && self.high.dominates(&other.high)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            return self.low.fmt(f);
        }
        write!(f, "{}-{}", self.low, self.high)
    }
}

/// Text and how far it is read.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn error(&self, kind: LevelErrorKind) -> LevelError {
        LevelError { at: crate::line::column(self.at), kind }
    }

    /// Steps over `byte` if it is next.
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn end(&self) -> Result<(), LevelError> {
        let ended = self.at >= self.text.len();
        ended.then_some(()).ok_or_else(|| self.error(LevelErrorKind::Extra))
    }

    fn level(&mut self) -> Result<Level, LevelError> {
        let sensitivity = self.numbered(b's', LevelErrorKind::Sensitivity)?;
        let categories = if self.skip(b':') { self.categories()? } else { Categories::NONE };
        Ok(Level { sensitivity, categories })
    }

    fn categories(&mut self) -> Result<Categories, LevelError> {
        let mut runs = Vec::new();
        loop {
            let descending = self.error(LevelErrorKind::Descending);
            let first = self.numbered(b'c', LevelErrorKind::Category)?;
            let last = if self.skip(b'.') {
                self.numbered(b'c', LevelErrorKind::Category)?
            } else {
                first
            };
            if last < first {
                return Err(descending);
            }
            runs.push((first, last));
            if !self.skip(b',') {
                return Ok(runs.into_iter().collect());
            }
        }
    }

    /// `letter` and a number.
    fn numbered(&mut self, letter: u8, kind: LevelErrorKind) -> Result<u32, LevelError> {
        let error = self.error(kind);
        if !self.skip(letter) {
            return Err(error);
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|it| it.is_ascii_digit()).count();
        self.at += length;
        let digits = rest.get(..length).and_then(|it| std::str::from_utf8(it).ok());
        digits.and_then(|it| it.parse().ok()).ok_or(error)
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use expect_test::expect;

    use super::{Categories, Level, Range};

    #[test]
    fn canonical() {
        let texts = [
            "s0",
            "s0:c3,c1,c2.c2",
            "s0-s0",
            "s0:c1,c0",
            "s1:c5.c9,c7.c12,c13",
            "s0:c0,c2,c4-s0:c0.c4",
            "s0:c1-s0:c1,c1",
            "s0:c4294967295,c4294967294",
            "s0-s15:c0.c1023",
            "",
            "s",
            "s0:",
            "s0:c1,",
            "s0:c2.c1",
            "s0:c1.",
            "x0",
            "s0 ",
            "s0:c1-s0",
            "s1-s0",
            "s0-s1-s2",
            "s4294967296",
            "s0:c1;c2",
            "mcs_systemhigh",
        ];
        let shown = texts.map(|text| match Range::parse(text.as_bytes()) {
            Ok(range) => format!("{text} = {range}"),
            Err(error) => format!("{text} ! {error}"),
        });
        expect![[r"
            s0 = s0
            s0:c3,c1,c2.c2 = s0:c1.c3
            s0-s0 = s0
            s0:c1,c0 = s0:c0,c1
            s1:c5.c9,c7.c12,c13 = s1:c5.c13
            s0:c0,c2,c4-s0:c0.c4 = s0:c0,c2,c4-s0:c0.c4
            s0:c1-s0:c1,c1 = s0:c1
            s0:c4294967295,c4294967294 = s0:c4294967294,c4294967295
            s0-s15:c0.c1023 = s0-s15:c0.c1023
             ! 1: expected a sensitivity such as s0
            s ! 1: expected a sensitivity such as s0
            s0: ! 4: expected a category such as c0
            s0:c1, ! 7: expected a category such as c0
            s0:c2.c1 ! 4: the categories do not ascend
            s0:c1. ! 7: expected a category such as c0
            x0 ! 1: expected a sensitivity such as s0
            s0  ! 3: expected the end of the level
            s0:c1-s0 ! 7: the high level does not dominate the low one
            s1-s0 ! 4: the high level does not dominate the low one
            s0-s1-s2 ! 6: expected the end of the level
            s4294967296 ! 1: expected a sensitivity such as s0
            s0:c1;c2 ! 6: expected the end of the level
            mcs_systemhigh ! 1: expected a sensitivity such as s0"]]
        .assert_eq(&shown.join("\n"));
    }

    #[test]
    fn dominance() {
        let cases = [
            ("s1:c0.c3", "s0:c1", Some(Greater)),
            ("s0", "s0", Some(Equal)),
            ("s0:c1", "s0:c1,c2", Some(Less)),
            ("s0:c1", "s1", None),
            ("s0:c1", "s0:c2", None),
        ];
        for (one, other, expected) in cases {
            let level = |text: &str| Level::parse(text.as_bytes()).unwrap_or_default();
            assert_eq!(level(one).partial_cmp(&level(other)), expected, "{one} {other}");
        }
        let range = |text: &str| Range::parse(text.as_bytes()).unwrap_or_default();
        assert!(range("s0-s3:c0.c9").contains(&range("s1:c1-s2:c1,c2")));
        assert!(!range("s1-s3:c0.c9").contains(&range("s0-s2:c1")));
    }

    #[test]
    fn sets() {
        let sets = ["c0.c4", "c2", "c3.c9", "c0,c2,c4,c6", "c5", "c0.c4294967295", "c4294967295"];
        let parse = |text: &str| Categories::parse(text.as_bytes()).unwrap_or_default();
        let mut shown = Vec::new();
        for one in sets {
            for other in sets {
                let (a, b) = (parse(one), parse(other));
                let [or, and, minus, xor] = [a.or(&b), a.and(&b), a.minus(&b), a.xor(&b)];
                assert_eq!(or.count() + and.count(), a.count() + b.count());
                assert_eq!(xor, or.minus(&and));
                assert!(or.contains(&a) && a.contains(&and) && b.and(&minus).is_empty());
                shown.push(format!("{or} {and} {minus} {xor}"));
            }
        }
        expect![["c0.c4 c0.c4  "]].assert_eq(shown.first().map_or("", String::as_str));
        expect![["c0.c9 c3,c4 c0.c2 c0.c2,c5.c9"]]
            .assert_eq(shown.get(2).map_or("", String::as_str));
        expect![["c0.c5  c0.c4 c0.c5"]].assert_eq(shown.get(4).map_or("", String::as_str));
    }
}
