//! What a walk found: how many files, and which labels became which.

use std::fmt;
use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::verbs::label::shown;
use crate::{FAINT, STRONG, styled};

/// Different pairs that are told apart; labels with categories can be many.
const PAIRS: usize = 10_000;

/// Why a label is not what file contexts say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// It is wrong.
    Wrong,
    /// User, role or range differ, which are kept.
    Kept,
    /// Its type is customizable.
    Customized,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Kept => "kept",
            Self::Customized => "customized",
        }
    }
}

/// Why, which label it was, which it should be.
type Pair = (Kind, Box<[u8]>, Box<[u8]>);

/// Counts of a walk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) visited: u64,
    pub(crate) right: u64,
    pub(crate) wrong: u64,
    pub(crate) kept: u64,
    pub(crate) customized: u64,
    /// No line matches, or it says `<<none>>`.
    pub(crate) without: u64,
    /// Files whose names want different labels.
    pub(crate) differing: u64,
    pub(crate) failures: u64,
    pairs: FxHashMap<Pair, u64>,
    /// Pairs that were too many.
    others: u64,
}

impl Found {
    pub(crate) fn pair(&mut self, kind: Kind, old: Option<&[u8]>, new: &[u8]) {
        match kind {
            Kind::Wrong => self.wrong += 1,
            Kind::Kept => self.kept += 1,
            Kind::Customized => self.customized += 1,
        }
        self.count(kind, old.unwrap_or_default().into(), new.into(), 1);
    }

    fn count(&mut self, kind: Kind, old: Box<[u8]>, new: Box<[u8]>, number: u64) {
        let full = self.pairs.len() >= PAIRS;
        match self.pairs.get_mut(&(kind, old.clone(), new.clone())) {
            Some(count) => *count += number,
            None if full => self.others += number,
            None => drop(self.pairs.insert((kind, old, new), number)),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.visited += other.visited;
        self.right += other.right;
        self.wrong += other.wrong;
        self.kept += other.kept;
        self.customized += other.customized;
        self.without += other.without;
        self.differing += other.differing;
        self.failures += other.failures;
        self.others += other.others;
        for ((kind, old, new), number) in other.pairs {
            self.count(kind, old, new, number);
        }
    }

    /// The pairs of a kind, the most frequent first.
    fn sorted(&self, kind: Kind) -> Vec<(&[u8], &[u8], u64)> {
        let pairs = self.pairs.iter().filter(|it| it.0.0 == kind);
        let mut pairs: Vec<_> = pairs.map(|((_, old, new), &it)| (&**old, &**new, it)).collect();
        pairs.sort_unstable_by_key(|&(old, new, number)| (std::cmp::Reverse(number), old, new));
        pairs
    }

    /// Tells the pairs of a kind under a heading.
    pub(crate) fn tell(&self, kind: Kind, heading: &str, out: &mut dyn Write) -> Result<()> {
        let pairs = self.sorted(kind);
        if pairs.is_empty() {
            return Ok(());
        }
        writeln!(out, "{}", styled(STRONG, heading))?;
        for (old, new, number) in pairs {
            let (old, new) = (label(old), label(new));
            writeln!(out, "{number:>9}  {old} {} {new}", styled(FAINT, "→"))?;
        }
        if self.others > 0 {
            writeln!(out, "{:>9}  others", self.others)?;
        }
        Ok(())
    }

    pub(crate) fn json(&self, kinds: &[Kind]) -> Value {
        let pairs = kinds.iter().flat_map(|&kind| {
            self.sorted(kind).into_iter().map(move |(old, new, files)| {
                let old = (!old.is_empty()).then(|| shown(old));
                json!({ "kind": kind.name(), "old": old, "new": shown(new), "files": files })
            })
        });
        json!({
            "visited": self.visited,
            "right": self.right,
            "wrong": self.wrong,
            "kept": self.kept,
            "customized": self.customized,
            "without": self.without,
            "differing": self.differing,
            "failures": self.failures,
            "changes": pairs.collect::<Vec<_>>(),
        })
    }
}

/// What a verb did, in a line.
pub(crate) struct Summary {
    pub(crate) seen: u64,
    /// Labels that are others now, or would be.
    pub(crate) changed: u64,
    pub(crate) failed: u64,
    pub(crate) dry_run: bool,
    pub(crate) time: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seen, entries) = (self.seen, if self.seen == 1 { "entry" } else { "entries" });
        let (changed, labels) = (self.changed, if self.changed == 1 { "label" } else { "labels" });
        let done = if self.dry_run { "would change" } else { "changed" };
        let (failed, seconds) = (self.failed, self.time.as_secs_f64());
        write!(
            f,
            "{seen} {entries} seen, {changed} {labels} {done}, {failed} failed, in {seconds:.2} s"
        )
    }
}

/// A label as text.
pub(crate) fn label(label: &[u8]) -> String {
    if label.is_empty() { "no label".to_owned() } else { shown(label) }
}
