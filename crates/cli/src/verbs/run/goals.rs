//! What the base policy forbids whatever is added to it: its `neverallow` rules, as they stand in its sources.

use anyhow::{Result, anyhow};
use mandate_audit::bound::Bound;
use mandate_compile::outcome::SourceTree;
use mandate_policydb::PolicyDb;

/// The `neverallow` rules of a tree, over the names of a policy.
///
/// # Errors
/// A rule that cannot be read by itself.
pub(super) fn of(tree: &SourceTree, db: &PolicyDb) -> Result<Bound> {
    let files = tree.iter().filter(|(path, _)| path.ends_with(".te"));
    let texts =
        files.filter_map(|(path, bytes)| Some((path, goals_of(&String::from_utf8_lossy(bytes))?)));
    texts.into_iter().try_fold(Bound::default(), |all, (path, text)| {
        let more = Bound::parse(path, text.as_bytes(), db).map_err(|it| anyhow!(it))?;
        Ok(all.and(more))
    })
}

/// The `neverallow` lines of a module where they stand; nothing if there are none.
fn goals_of(text: &str) -> Option<String> {
    let is_goal = |it: &str| it.trim_start().starts_with("neverallow ");
    text.lines().any(is_goal).then(|| {
        let lines = text.lines().map(|it| if is_goal(it) { it } else { "" });
        lines.collect::<Vec<_>>().join("\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A goal of several lines would be read in part.
    #[test]
    fn each_goal_of_the_base_policy_is_a_line() {
        let tree = crate::sources::base_policy();
        let texts = tree.iter().filter(|it| it.0.ends_with(".te")).map(|it| it.1);
        let goals = texts.filter_map(|it| goals_of(&String::from_utf8_lossy(it)));
        let lines: Vec<String> =
            goals.flat_map(|it| it.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let goals: Vec<_> = lines.iter().filter(|it| !it.is_empty()).collect();
        assert!(goals.len() > 20, "{goals:?}");
        assert!(goals.iter().all(|it| it.ends_with(';')), "{goals:?}");
    }
}
