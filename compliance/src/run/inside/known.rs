//! What is known to differ, and that it does.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::super::known;
use super::Told;
use crate::report::Comparison;

const TEXT: &str = include_str!("../../../cases/run/inside.toml");
const PAGE: &str = include_str!("../../../../docs/differences.md");

/// Differences between the kernel and us, for one reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    commands: Vec<String>,
    /// In either way, by default alone, with --exact alone.
    #[serde(default)]
    differs: Vec<String>,
    #[serde(default)]
    default: Vec<String>,
    #[serde(default)]
    exact: Vec<String>,
    why: String,
    /// Words of docs/differences.md.
    page: String,
}

/// A command, and the way in which it was run.
type Run = (String, &'static str);

/// What is known, and what of it was seen.
pub(super) struct Known(known::Known<Run>);

/// What a way is called.
pub(super) fn name(way: &[&str]) -> &'static str {
    if way.is_empty() { "default" } else { "exact" }
}

impl Known {
    pub(super) fn read() -> Result<Self> {
        let mut lines: BTreeMap<Run, BTreeSet<String>> = BTreeMap::new();
        for entry in known::entries(TEXT).context("inside.toml")? {
            let Entry { commands, differs, default, exact, why, page } = entry;
            ensure!(!why.is_empty() && !commands.is_empty(), "{page}: nothing is said");
            ensure!(PAGE.contains(&page), "docs/differences.md does not say {page:?}");
            for command in commands {
                for (way, own) in [("default", &default), ("exact", &exact)] {
                    let known = lines.entry((command.clone(), way)).or_default();
                    known.extend(differs.iter().chain(own).cloned());
                }
            }
        }
        Ok(Self(known::Known::new(lines)))
    }

    /// Compares what became of a command, but for what is known.
    pub(super) fn judge(
        &mut self,
        command: &str,
        way: &[&str],
        theirs: &Told,
        ours: &Told,
        comparison: &mut Comparison,
    ) {
        let differs: Vec<_> = differences(theirs, ours).into_iter().collect();
        if self.0.unknown(&(command.to_owned(), name(way)), &differs).is_empty() {
            comparison.agree();
        } else {
            comparison.disagree(command.to_owned(), ours.to_string(), theirs.to_string());
        }
    }

    /// What is known must be seen.
    pub(super) fn stale(&self, way: &[&str], comparison: &mut Comparison) {
        self.0.stale(|it| it.1 == name(way), |it| it.0.clone(), comparison);
    }

    /// All that was seen, in the form in which it can be known.
    pub(super) fn seen(&self) -> String {
        let entries = self.0.seen().map(|((command, way), lines)| {
            format!("[[difference]]\ncommands = [{command:?}]\n{way} = {lines}\nwhy = \"\"\npage = \"\"\n\n")
        });
        entries.collect()
    }
}

/// What differs, line by line.
fn differences(theirs: &Told, ours: &Told) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    if theirs.code != ours.code {
        all.insert(format!("code {}; ours {}", theirs.code, ours.code));
    }
    for (what, theirs, ours) in
        [("writes", &theirs.out, &ours.out), ("says", &theirs.errors, &ours.errors)]
    {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let (their_lines, our_lines) = (lines(theirs), lines(ours));
        let mut only = |a: &BTreeSet<String>, b: &BTreeSet<String>, whose: &str| {
            all.extend(a.difference(b).map(|it| format!("only {whose} {what}: {it}")));
        };
        only(&their_lines, &our_lines, "the kernel");
        only(&our_lines, &their_lines, "ours");
        if their_lines == our_lines && theirs != ours {
            all.insert(format!("{what} the same in another order"));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(out: &str) -> Told {
        Told { code: "0".into(), out: out.into(), errors: String::new() }
    }

    #[test]
    fn what_differs_is_told_line_by_line() {
        assert!(differences(&told("a\nb\n"), &told("a\nb\n")).is_empty());
        let all = differences(&told("a\nb\n"), &told("c\nb\n"));
        assert_eq!(
            all.into_iter().collect::<Vec<_>>(),
            ["only ours writes: c", "only the kernel writes: a"]
        );
        assert_eq!(differences(&told("a\nb\n"), &told("b\na\n")).len(), 1);
    }

    #[test]
    fn what_is_known_must_be_seen() {
        let known = Known::read().unwrap();
        for way in [&[][..], &["--exact"]] {
            let mut comparison = Comparison::new("");
            known.stale(way, &mut comparison);
            let own = known.0.lines.iter().filter(|it| it.0.1 == name(way));
            assert_eq!(comparison.differing(), own.map(|it| it.1.len()).sum::<usize>());
        }
    }
}
