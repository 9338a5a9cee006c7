//! Random patterns, each below a directory of its own, asked about random names there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use mandate_label::file_contexts::{Lookup, SourceError};
use mandate_label::{FileType, LineErrorKind, PatternErrorKind};

use super::Size;
use super::oracle::{Oracle, Record};
use super::table::{self, Table};
use crate::place::Place;
use crate::random::Random;
use crate::report::{Comparison, Report};

/// Rounds: in CI, and at full size.
const ROUNDS: (usize, usize) = (5, 50);
const PATTERNS: u32 = 400;
const NAMES: usize = 40;

pub(super) fn run(place: &Place, size: &Size, report: &mut Report<'_>) -> Result<()> {
    report.heading("Labels: random patterns")?;
    let rounds = size.of(ROUNDS);
    let later = Oracle::later(place)?;
    let folder = place.work.join("labels").join("patterns");
    let title = format!(
        "{} random patterns, seed {}: {}",
        rounds * PATTERNS as usize,
        size.seed,
        later.name
    );
    let mut comparison = Comparison::new(title);
    let (mut refused, mut matched) = (0, 0);
    for round in 0..rounds {
        let mut random = Random::new(size.seed ^ (round as u64).wrapping_mul(0x9e37_79b9));
        let round = Round::draw(&mut random);
        let path = round.table.write(&folder)?;
        let told = later.ask("lookup", &path, &round.records)?;
        let (compiled, errors) = round.table.compile();
        let left_out = on_purpose(&errors);
        refused += left_out.len();
        let mut lookup = Lookup::new(&compiled);
        for ((record, theirs), &line) in round.records.iter().zip(&told.answers).zip(&round.lines) {
            if left_out.contains(&line) {
                continue;
            }
            matched += usize::from(!theirs.starts_with('!'));
            // a pattern that does not compile ends a lookup of theirs with another error than one that does not match
            let theirs = if theirs.starts_with('!') { "!2" } else { theirs };
            let ours = table::ours(&mut lookup, record);
            let query = || format!("{} about {record}", round.patterns[&line]);
            comparison.equal(query, &ours.as_str(), &theirs);
        }
    }
    report.add(&comparison.done())?;
    let note = format!("{matched} matched; {refused} patterns are not taken here on purpose");
    Ok(report.note(&note)?)
}

/// Lines with what PCRE2 takes and we do not.
fn on_purpose(errors: &[SourceError]) -> BTreeSet<u32> {
    use PatternErrorKind::{LookBehind, Unsupported};
    let ours = errors
        .iter()
        .filter(|it| matches!(it.error.kind, LineErrorKind::Pattern(Unsupported | LookBehind)));
    ours.map(|it| it.error.line).collect()
}

/// A table of random patterns, and what is asked.
struct Round {
    table: Table,
    /// By the number of their line.
    patterns: BTreeMap<u32, String>,
    records: Vec<Record>,
    /// Of each record, the line it is about.
    lines: Vec<u32>,
}

impl Round {
    fn draw(random: &mut Random) -> Self {
        let mut text = String::new();
        let mut patterns = BTreeMap::new();
        let (mut records, mut lines) = (Vec::new(), Vec::new());
        for number in 1..=PATTERNS {
            let inner = Draft { random }.alternatives(2);
            let whole = match random.chance(60) {
                true => format!("/p{number}/(?:{inner})"),
                false => format!("/p{number}/{inner}"),
            };
            let _never_fails = writeln!(text, "{whole} u:r:t{number}");
            patterns.insert(number, whole);
            for _ in 0..NAMES {
                let path = format!("/p{number}/{}", name(random)).into_bytes();
                records.push(Record { kind: Some(FileType::Regular), path });
                lines.push(number);
            }
        }
        let table = Table { main: text.into(), ..Table::default() };
        Self { table, patterns, records, lines }
    }
}

fn name(random: &mut Random) -> String {
    let mut name = String::new();
    for _ in 0..random.below(7) {
        name.push(char::from(*random.pick(b"aabbA/./c-\n1_").unwrap_or(&b'a')));
    }
    if random.chance(25) {
        name.push('\n');
    }
    name
}

/// Writes patterns of PCRE2, good ones and bad ones.
struct Draft<'a> {
    random: &'a mut Random,
}

const CLASSES: [&str; 20] = [
    "[ab]",
    "[^a]",
    "[a-c]",
    "[^/]",
    "[]a]",
    "[a-]",
    "[[:alpha:]b]",
    "[\\d-]",
    "[^\\w]",
    "[a\\]b]",
    "[[a]b]",
    "[a&&b]",
    "[\\n]",
    "[^]a]",
    "[[:^digit:]]",
    "[\\Qa]\\E]",
    "[a-\\x63]",
    "[-a]",
    "[\\b]",
    "[[:word:]-z]",
];
const ESCAPES: [&str; 43] = [
    "\\.",
    "\\d",
    "\\w",
    "\\s",
    "\\-",
    "\\x61",
    "\\141",
    "\\R",
    "\\N",
    "\\b",
    "\\B",
    "\\Qa.b\\E",
    "\\e",
    "\\<",
    "\\/",
    "\\A",
    "\\z",
    "\\Z",
    "\\G",
    "\\h",
    "\\cA",
    "\\0",
    "\\y",
    "\\i",
    "\\1",
    "\\2",
    "\\g1",
    "\\g{-1}",
    "\\x",
    "\\o{141}",
    "\\E",
    "\\D",
    "\\W",
    "\\S",
    "\\H",
    "\\v",
    "\\V",
    "\\x{61}",
    "\\a",
    "\\t",
    "\\k<n>",
    "\\g{n}",
    "\\_",
];
const GROUPS: [&str; 27] = [
    "(", "(", "(", "(", "(", "(", "(", "(", "(", "(", "(?:", "(?:", "(?=", "(?!", "(?:", "(?=",
    "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?<n>", "(?s:", "(?-i:", "(?P<m>", "(?'n'", "(?|",
];
const OPTIONS: [&str; 4] = ["(?i)", "(?-s)", "(?#c)", "(?^)"];
const QUANTIFIERS: [&str; 18] = [
    "*", "+", "?", "{2}", "{1,2}", "{,2}", "{1,}", "*?", "+?", "??", "*+", "++", "?+", "{0}",
    "{0,1}", "{x}", "{2,1}", "{1,2}+",
];
/// Refused here on purpose.
const REFUSED: [&str; 8] = ["\\K", "(?R)", "(?1)", "\\p{L}", "(*FAIL)", "(?(1)a|b)", "(?x)", "\\X"];

impl Draft<'_> {
    fn one_of(&mut self, list: &[&str]) -> String {
        self.random.pick(list).copied().unwrap_or_default().to_owned()
    }

    fn alternatives(&mut self, depth: usize) -> String {
        let many = [1, 1, 1, 2, 2, 3];
        let many = self.random.pick(&many).copied().unwrap_or(1);
        (0..many).map(|_| self.sequence(depth)).collect::<Vec<_>>().join("|")
    }

    fn sequence(&mut self, depth: usize) -> String {
        let many = [0, 1, 1, 2, 2, 3, 4];
        let many = self.random.pick(&many).copied().unwrap_or(1);
        (0..many).map(|_| self.piece(depth)).collect()
    }

    /// With `^` in one alternative of a group that is repeated `{0}` times, PCRE2 10.48 thinks that what follows stands at the start:
    /// groups are not repeated so here.
    fn piece(&mut self, depth: usize) -> String {
        let atom = self.atom(depth);
        let quantifier =
            if self.random.chance(25) { self.one_of(&QUANTIFIERS) } else { String::new() };
        if quantifier == "{0}" && atom.starts_with('(') { atom } else { atom + &quantifier }
    }

    fn atom(&mut self, depth: usize) -> String {
        match self.random.below(200) {
            0..70 => self.one_of(&["a", "b", "/"]),
            70..84 => ".".to_owned(),
            84..100 => self.one_of(&CLASSES),
            100..120 => self.one_of(&ESCAPES),
            120..132 => self.one_of(&["^", "$"]),
            132 if self.random.chance(40) => self.one_of(&REFUSED),
            _ if depth == 0 => self.one_of(&["a", "b"]),
            133..140 => self.one_of(&OPTIONS),
            _ => self.one_of(&GROUPS) + &self.alternatives(depth - 1) + ")",
        }
    }
}
