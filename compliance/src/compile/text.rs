//! Canonical text of two policies: the same lines, whatever their order.

use std::collections::{BTreeMap, BTreeSet};

/// How many lines of each side a report shows.
const SHOWN: usize = 20;

/// The lines that one side has and the other has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Lines of both.
    pub same: usize,
    /// Lines that are only in ours.
    pub ours: Vec<String>,
    /// Lines that are only in theirs.
    pub theirs: Vec<String>,
}

impl Difference {
    /// Compares two policies as `checkpolicy -b -F` writes them. A rule in a conditional block counts with its condition.
    #[must_use]
    pub fn of(ours: &str, theirs: &str) -> Self {
        let mut count: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for line in sentences(ours) {
            count.entry(line).or_default().0 += 1;
        }
        for line in sentences(theirs) {
            count.entry(line).or_default().1 += 1;
        }
        let mut this = Self::default();
        for (line, (ours, theirs)) in count {
            this.same += ours.min(theirs);
            let more = |one: usize, other: usize| vec![line.clone(); one.saturating_sub(other)];
            this.ours.extend(more(ours, theirs));
            this.theirs.extend(more(theirs, ours));
        }
        this
    }

    /// The first lines of each side, for a report.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let side = |name: &str, lines: &[String]| {
            let first = lines.iter().take(SHOWN).map(|line| format!("  {line}"));
            let head = format!("{} lines only in {name}", lines.len());
            std::iter::once(head).chain(first).collect::<Vec<_>>()
        };
        [side("ours", &self.ours), side("theirs", &self.theirs)].concat()
    }
}

/// `text` with the types that `other` gives to roles besides its own.
#[must_use]
pub fn with_role_types_of(text: &str, other: &str) -> String {
    let is_role = |line: &&str| line.starts_with("role ") && line.contains(" types ");
    let (roles, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(is_role);
    let all = roles.into_iter().chain(other.lines().filter(is_role)).flat_map(members);
    let all: BTreeSet<String> = all.collect();
    rest.into_iter().map(str::to_owned).chain(all).collect::<Vec<_>>().join("\n")
}

/// The lines, each with the condition that it stands under.
fn sentences(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut condition: Option<String> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(begun) = line.strip_prefix("if ") {
            condition = Some(format!("if {}", begun.trim_end_matches('{').trim_end()));
        } else if line.starts_with("} else") {
            condition = condition.map(|it| format!("not {it}"));
        } else if line == "}" && condition.is_some() {
            condition = None;
        } else {
            let under = |line: String| match &condition {
                Some(condition) => format!("{condition}: {line}"),
                None => line,
            };
            all.extend(members(line).into_iter().map(under));
        }
    }
    all
}

/// A role's types one by one: `checkpolicy` breaks the list where a line is full.
fn members(line: &str) -> Vec<String> {
    let list = line.strip_suffix("};").and_then(|line| line.split_once(" types {"));
    match list {
        Some((role, types)) if role.starts_with("role ") => {
            types.split_whitespace().map(|it| format!("{role} types {it};")).collect()
        }
        _ => vec![line.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_its_types_one_by_one() {
        let difference = Difference::of("role r types { a b };\n", "role r types { b };\nx;\n");
        assert_eq!(difference.ours, ["role r types a;"]);
        assert_eq!((difference.same, difference.theirs), (1, vec!["x;".to_owned()]));
    }

    #[test]
    fn roles_have_the_types_of_both() {
        let text = with_role_types_of("x;\nrole r types { a };\n", "y;\nrole r types { a b };\n");
        assert_eq!(text, "x;\nrole r types a;\nrole r types b;");
    }

    #[test]
    fn order_does_not_matter_but_conditions_do() {
        let one = "a;\nif (b) {\n    c;\n} else {\n    d;\n}\n";
        let other = "if (b) {\n    c;\n} else {\n    d;\n}\na;\n";
        assert_eq!(Difference::of(one, other).same, 3);
        let wrong = "if (b) {\n    c;\n    d;\n}\na;\n";
        let difference = Difference::of(wrong, one);
        assert_eq!(difference.ours, ["if (b): d;"]);
        assert_eq!(difference.theirs, ["not if (b): d;"]);
    }
}
