//! What is known to differ, and that it does.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::super::known;
use super::scenario::Variant;
use super::told::Told;
use crate::report::Comparison;

const TEXT: &str = include_str!("../../../cases/run/differences.toml");
/// What `mandate run --coverage` prints.
const COVERAGE: &str = include_str!("../../../../crates/cli/src/verbs/run/coverage.txt");

/// A difference between the kernel and us.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    scenario: String,
    /// All that differs in any variant of it, as it is told.
    differs: BTreeSet<String>,
    /// What differs at full size only, without two permissions.
    #[serde(default)]
    without_two: BTreeSet<String>,
    why: String,
    /// A line of what `--coverage` prints.
    coverage: String,
}

/// What is known, and what of it was seen, by scenario.
pub(super) struct Known(known::Known<String>);

impl Known {
    /// Reads the list; `full` if it is for scenarios without two permissions, too.
    pub(super) fn read(full: bool) -> Result<Self> {
        let mut lines = BTreeMap::new();
        for entry in known::entries(TEXT).context("differences.toml")? {
            let Entry { scenario, mut differs, mut without_two, why, coverage } = entry;
            if full {
                differs.append(&mut without_two);
            }
            ensure!(!why.is_empty() && !differs.is_empty(), "{scenario}: nothing is said");
            ensure!(
                COVERAGE.contains(&*coverage),
                "{scenario}: --coverage does not print {coverage:?}"
            );
            ensure!(lines.insert(scenario.clone(), differs).is_none(), "{scenario} stands twice");
        }
        Ok(Self(known::Known::new(lines)))
    }

    pub(super) fn scenarios(&self) -> usize {
        self.0.lines.len()
    }

    /// Compares a variant, but for what is known.
    pub(super) fn judge(
        &mut self,
        variant: &Variant<'_>,
        theirs: &Told,
        ours: &Told,
        comparison: &mut Comparison,
    ) {
        let unknown = self.0.unknown(&variant.scenario.name, &differences(theirs, ours));
        if unknown.is_empty() {
            comparison.agree();
        } else {
            comparison.disagree(variant.name(), unknown.join("; "), shown(theirs));
        }
    }

    /// All that was seen, in the form in which it can be known.
    pub(super) fn seen(&self) -> String {
        let entries = self.0.seen().map(|(scenario, lines)| {
            format!("[[difference]]\nscenario = {scenario:?}\ndiffers = {lines}\n\n")
        });
        entries.collect()
    }

    /// What is known must be seen.
    pub(super) fn stale(&self, comparison: &mut Comparison) {
        self.0.stale(|_| true, String::clone, comparison);
    }
}

/// What differs, line by line.
fn differences(theirs: &Told, ours: &Told) -> Vec<String> {
    let mut all = Vec::new();
    for ((call, theirs), (_, ours)) in theirs.results.iter().zip(&ours.results) {
        if theirs != ours {
            all.push(format!("{call}: {theirs}; ours {ours}"));
        }
    }
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>, whose: &str| {
        a.difference(b).map(|it| format!("{whose} {it}")).collect::<Vec<_>>()
    };
    all.extend(only(&theirs.denials, &ours.denials, "only the kernel denies"));
    all.extend(only(&ours.denials, &theirs.denials, "only ours denies"));
    all
}

fn shown(told: &Told) -> String {
    let results = told.results.iter().map(|(call, result)| format!("{call}: {result}"));
    let denials = told.denials.iter().map(|it| format!("denied {it}"));
    results.chain(denials).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(result: &str, denial: &str) -> Told {
        let results = vec![("d open 5 f r".to_owned(), result.to_owned())];
        Told { results, denials: BTreeSet::from([denial.to_owned()]) }
    }

    #[test]
    fn what_differs_is_told_line_by_line() {
        let (a, b) = (told("ok", "d f file read"), told("13", "d f file open"));
        assert!(differences(&a, &a).is_empty());
        let all = differences(&a, &b);
        assert_eq!(all[0], "d open 5 f r: ok; ours 13");
        assert_eq!(all[1], "only the kernel denies d f file read");
        assert_eq!(all[2], "only ours denies d f file open");
        assert_eq!(all.len(), 3);
    }

    #[test]
    fn what_is_known_can_be_read_and_must_be_seen() {
        let known = Known::read(true).unwrap();
        let mut comparison = Comparison::new("");
        known.stale(&mut comparison);
        let lines: usize = known.0.lines.values().map(BTreeSet::len).sum();
        assert_eq!(comparison.differing(), lines);
    }
}
