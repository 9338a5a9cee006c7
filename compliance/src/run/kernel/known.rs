//! What is known to differ, and that it does.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::scenario::Variant;
use super::told::Told;
use crate::report::Comparison;

const TEXT: &str = include_str!("../../../cases/run/differences.toml");
/// What `mandate run --coverage` prints.
const COVERAGE: &str = include_str!("../../../../crates/cli/src/verbs/run/coverage.txt");

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    difference: Vec<Entry>,
}

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

/// What is known, and what of it was seen.
pub(super) struct Known {
    entries: BTreeMap<String, Entry>,
    seen: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    /// Reads the list; `full` if it is for scenarios without two permissions, too.
    pub(super) fn read(full: bool) -> Result<Self> {
        let file: File = toml::from_str(TEXT).context("differences.toml")?;
        let mut entries = BTreeMap::new();
        for mut entry in file.difference {
            if full {
                entry.differs.append(&mut entry.without_two);
            }
            let (name, row) = (entry.scenario.clone(), &entry.coverage);
            ensure!(!entry.why.is_empty() && !entry.differs.is_empty(), "{name}: nothing is said");
            ensure!(COVERAGE.contains(&**row), "{name}: --coverage does not print {row:?}");
            ensure!(entries.insert(name.clone(), entry).is_none(), "{name} stands twice");
        }
        Ok(Self { entries, seen: BTreeMap::new() })
    }

    pub(super) fn scenarios(&self) -> usize {
        self.entries.len()
    }

    /// Compares a variant, but for what is known.
    pub(super) fn judge(
        &mut self,
        variant: &Variant<'_>,
        theirs: &Told,
        ours: &Told,
        comparison: &mut Comparison,
    ) {
        let name = &variant.scenario.name;
        let known = self.entries.get(name).map(|it| &it.differs);
        let all = differences(theirs, ours);
        let unknown: Vec<&String> =
            all.iter().filter(|it| !known.is_some_and(|known| known.contains(*it))).collect();
        if unknown.is_empty() {
            comparison.agree();
        } else {
            let unknown = unknown.iter().map(|it| it.as_str()).collect::<Vec<_>>();
            comparison.disagree(variant.name(), unknown.join("; "), shown(theirs));
        }
        self.seen.entry(name.clone()).or_default().extend(all);
    }

    /// All that was seen, in the form in which it can be known.
    pub(super) fn seen(&self) -> String {
        let mut text = String::new();
        for (name, lines) in self.seen.iter().filter(|it| !it.1.is_empty()) {
            let lines: Vec<String> = lines.iter().map(|it| format!("    {it:?},\n")).collect();
            text += &format!(
                "[[difference]]\nscenario = {name:?}\ndiffers = [\n{}]\n\n",
                lines.concat()
            );
        }
        text
    }

    /// What is known must be seen.
    pub(super) fn stale(&self, comparison: &mut Comparison) {
        for (name, entry) in &self.entries {
            let seen = self.seen.get(name).cloned().unwrap_or_default();
            for line in entry.differs.difference(&seen) {
                let told = format!("{line}: known, but not seen");
                comparison.disagree(name.clone(), told, String::new());
            }
        }
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
        let lines: usize = known.entries.values().map(|it| it.differs.len()).sum();
        assert_eq!(comparison.differing(), lines);
    }
}
