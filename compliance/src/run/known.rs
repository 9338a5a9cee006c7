//! What is known to differ between a kernel and us, and that it does.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::report::Comparison;

/// A file of differences.
#[derive(Deserialize)]
struct File<Entry> {
    #[serde(default = "Vec::new")]
    difference: Vec<Entry>,
}

/// Its entries.
///
/// # Errors
/// When it is none.
pub(super) fn entries<Entry: DeserializeOwned>(text: &str) -> Result<Vec<Entry>, toml::de::Error> {
    toml::from_str::<File<Entry>>(text).map(|it| it.difference)
}

/// Lines of what differs, by what they are of.
pub(super) struct Known<Of> {
    pub(super) lines: BTreeMap<Of, BTreeSet<String>>,
    seen: BTreeMap<Of, BTreeSet<String>>,
}

impl<Of: Ord + Clone> Known<Of> {
    pub(super) fn new(lines: BTreeMap<Of, BTreeSet<String>>) -> Self {
        Self { lines, seen: BTreeMap::new() }
    }

    /// Takes note of what differs, and gives what of it is not known.
    pub(super) fn unknown(&mut self, of: &Of, differs: &[String]) -> Vec<String> {
        self.seen.entry(of.clone()).or_default().extend(differs.iter().cloned());
        let known = self.lines.get(of);
        let is_known = |it: &&String| known.is_some_and(|known| known.contains(*it));
        differs.iter().filter(|it| !is_known(it)).cloned().collect()
    }

    /// What is known must be seen; of those that were looked at.
    pub(super) fn stale(
        &self,
        is_looked_at: impl Fn(&Of) -> bool,
        name: impl Fn(&Of) -> String,
        comparison: &mut Comparison,
    ) {
        for (of, lines) in self.lines.iter().filter(|it| is_looked_at(it.0)) {
            let seen = self.seen.get(of);
            for line in lines.iter().filter(|it| !seen.is_some_and(|seen| seen.contains(*it))) {
                comparison.disagree(
                    name(of),
                    format!("{line}: known, but not seen"),
                    String::new(),
                );
            }
        }
    }

    /// All that was seen, as an array of TOML.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&Of, String)> {
        self.seen.iter().filter(|it| !it.1.is_empty()).map(|(of, lines)| {
            let lines: String = lines.iter().map(|it| format!("    {it:?},\n")).collect();
            (of, format!("[\n{lines}]"))
        })
    }
}
