//! What the labels of the tree are: which types, how often.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::bench::Figure;
use crate::report::Report;

/// Types of files that no pattern knows.
const DEFAULT: [&str; 2] = ["default_t", "unlabeled_t"];
/// Types of whole hierarchies, for what has none of its own.
const BROAD: [&str; 4] = ["etc_t", "usr_t", "var_t", "var_lib_t"];
/// What is tolerated, in hundredths.
const TOLERATED: usize = 1;

/// Paths by type; those without a label by an empty one.
#[derive(Debug, Default)]
pub(super) struct Labels {
    types: BTreeMap<String, usize>,
    /// The first without a label, or with a default type.
    examples: Vec<String>,
}

/// Looks at every path below `tree`, and `tree` itself.
pub(super) fn count(tree: &Path) -> Result<Labels> {
    let mut labels = Labels::default();
    labels.walk(tree, tree)?;
    Ok(labels)
}

impl Labels {
    fn walk(&mut self, path: &Path, tree: &Path) -> Result<()> {
        self.add(path, tree);
        if !path.symlink_metadata()?.is_dir() {
            return Ok(());
        }
        let entries = std::fs::read_dir(path).with_context(|| path.display().to_string())?;
        entries.into_iter().try_for_each(|entry| self.walk(&entry?.path(), tree))
    }

    fn add(&mut self, path: &Path, tree: &Path) {
        let label = type_of(path).unwrap_or_default();
        if label.is_empty() || DEFAULT.contains(&label.as_str()) {
            let within = path.strip_prefix(tree).unwrap_or(path);
            self.examples.push(format!("/{}", within.display()));
        }
        *self.types.entry(label).or_default() += 1;
    }

    fn of(&self, types: &[&str]) -> usize {
        types.iter().filter_map(|it| self.types.get(*it)).sum()
    }

    /// Tells how many have a type, and which have none or a default one.
    pub(super) fn report(&self, report: &mut Report<'_>) -> Result<Figure> {
        let all: usize = self.types.values().sum();
        let nothing = self.of(&[""]);
        let default = self.of(&DEFAULT) + nothing;
        let share = format!("{default} of {all} paths");
        let shown = self.examples.iter().take(8).cloned().collect::<Vec<_>>().join(" ");
        let few = default * 100 < all * TOLERATED;
        let told = format!("{share}: {shown}");
        report.case(
            "paths without a type, or with a default one",
            if few { Ok(told) } else { Err(told) },
        )?;
        let broad = BROAD.map(|it| format!("{it} {}", self.of(&[it]))).join(", ");
        report.note(&format!("{} types; {broad}", self.types.len()))?;
        Ok(Figure {
            what: format!("{all} paths of that system: without a type or with a default one"),
            reach: "fewer than 1 %".into(),
            ours: format!("{default}, {:.2} %", percent(default, all)),
            theirs: String::new(),
            ratio: String::new(),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of files are far below 2^52")]
fn percent(part: usize, all: usize) -> f64 {
    part as f64 * 100.0 / all as f64
}

fn type_of(path: &Path) -> Option<String> {
    let mut buffer = [0; 512];
    let size = rustix::fs::lgetxattr(path, "security.selinux", &mut buffer).ok()?;
    let label = std::str::from_utf8(buffer.get(..size)?).ok()?;
    Some(label.trim_end_matches('\0').split(':').nth(2)?.to_owned())
}
