//! A rule is removed, or gives more than before: some assertion has to fail.

use anyhow::{Context as _, Result, ensure};

use super::effect::Effect;
use super::statements::{self, Statement};
use super::{Tree, Verdict};
use crate::bench::{Figure, count, note};
use crate::random::Random;
use crate::report::Report;

/// How many mutants: in continuous integration, and at full size.
const MUTANTS: (usize, usize) = (100, 300);
/// In a hundred.
const REACH: f64 = 90.0;
/// Of the small sample in continuous integration.
const REACH_SMALL: f64 = 85.0;
/// A tree whose mutants are nearly all the same policy has no rules.
const TRIES: usize = 10;

/// What is changed, and how often in a hundred it is drawn.
const KINDS: [(Kind, usize); 3] =
    [(Kind::Allow, 60), (Kind::Transition, 25), (Kind::Constraint, 15)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Allow,
    Transition,
    Constraint,
}

impl Kind {
    fn statements(self, file: &str, text: &str) -> Vec<Statement> {
        let rules = file.starts_with("policy/modules/");
        match self {
            Self::Allow if rules => {
                let mut found = statements::beginning(file, text, &["allow"], ";");
                // Changes of roles have no class.
                found.retain(|it| it.text.contains(':'));
                found.extend(patterns(file, text, |it| !is_transition(it)));
                found
            }
            Self::Transition if rules => {
                let words = ["type_transition", "range_transition", "role_transition"];
                let mut found = statements::beginning(file, text, &words, ";");
                found.extend(patterns(file, text, is_transition));
                found
            }
            Self::Constraint => {
                let words = ["constrain", "mlsconstrain", "validatetrans", "mlsvalidatetrans"];
                statements::beginning(file, text, &words, ";")
            }
            _ => Vec::new(),
        }
    }
}

/// Calls of macros that stand for rules.
fn patterns(file: &str, text: &str, which: fn(&str) -> bool) -> Vec<Statement> {
    let mut words: Vec<&str> = text
        .lines()
        .filter_map(|it| it.trim_start().split_once('(').map(|it| it.0))
        .filter(|it| it.ends_with("_pattern") && which(it))
        .collect();
    words.sort_unstable();
    words.dedup();
    statements::beginning(file, text, &words, ")\n")
}

fn is_transition(macro_name: &str) -> bool {
    macro_name.contains("trans")
}

/// A change, and what it is called.
struct Mutant {
    statement: Statement,
    how: &'static str,
    text: String,
}

pub(super) fn run(
    tree: &Tree,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading("policies/base: mutants that its tests have to catch")?;
    let wanted = if full { MUTANTS.1 } else { MUTANTS.0 };
    let mut random = Random::new(seed);
    let pools = pools(tree)?;
    let baseline = tree.effects()?;
    let (mut caught, mut missed, mut same) = (0, Vec::new(), 0);
    for _ in 0..wanted * TRIES {
        if caught + missed.len() == wanted {
            break;
        }
        let mutant = draw(&pools, &mut random).context("policies/base has no rules")?;
        match try_out(tree, &mutant, &baseline)? {
            Some(Verdict::Caught) => caught += 1,
            Some(Verdict::Missed) => missed.push(mutant),
            Some(Verdict::Broken) | None => same += 1,
        }
    }
    ensure!(caught + missed.len() == wanted, "{same} mutants are no other policies");
    for Mutant { statement, how, .. } in &missed {
        report.note(&format!("missed, {how}: {}", statement.told()))?;
    }
    let percent = 100.0 * count(caught) / count(wanted);
    let reach = if full { REACH } else { REACH_SMALL };
    let told = format!(
        "{caught} of {wanted} caught, {percent:.1} %; {same} more that other rules make up for, or that do not compile"
    );
    let good = percent >= reach;
    report.case(
        &format!("mutants, seed {seed}"),
        if good { Ok(told.clone()) } else { Err(told.clone()) },
    )?;
    let figure = Figure {
        what: "mutants of policies/base that its tests catch".to_owned(),
        reach: format!("≥ {REACH} % of {}", MUTANTS.1),
        ours: told,
        theirs: String::new(),
        ratio: String::new(),
    };
    note(&figure, report)?;
    Ok(if full { vec![figure] } else { Vec::new() })
}

fn pools(tree: &Tree) -> Result<Vec<(usize, Vec<Statement>)>> {
    let files = statements::files(&tree.source)?;
    KINDS
        .iter()
        .map(|&(kind, weight)| {
            let mut found = Vec::new();
            for file in &files {
                found.extend(kind.statements(file, &tree.text(file)?));
            }
            Ok((weight, found))
        })
        .collect()
}

fn draw(pools: &[(usize, Vec<Statement>)], random: &mut Random) -> Option<Mutant> {
    let mut at = random.below(pools.iter().map(|it| it.0).sum());
    let (_, pool) = pools.iter().find(|(weight, _)| {
        let here = at < *weight;
        at = at.wrapping_sub(*weight);
        here
    })?;
    let statement = random.pick(pool)?.clone();
    let wider = widened(&statement.text, random).filter(|_| random.chance(50));
    let (how, text) = wider.map_or(("removed", String::new()), |it| ("widened", it));
    Some(Mutant { statement, how, text })
}

/// The statement, giving more: of a rule another target, source or all permissions; of a constraint any domain.
fn widened(text: &str, random: &mut Random) -> Option<String> {
    if let Some(rest) = text.strip_prefix("allow ") {
        let (ends, what) = rest.split_once(':')?;
        let (source, target) = split_names(ends)?;
        let (class, _) = split_names(what.strip_suffix(';')?)?;
        let process = class.contains("process") || class.contains("socket");
        let more = if process { "domain" } else { "file_type" };
        return Some(match random.below(3) {
            0 => format!("allow {source} {target}:{class} *;"),
            1 if target != "self" => format!("allow {source} {{ {target} {more} }}:{what}"),
            _ => format!("allow {{ {source} domain }} {target}:{what}"),
        });
    }
    if text.contains("constrain") {
        let (head, body) = text.split_once('(')?;
        let body = body.trim_end().strip_suffix(';')?;
        return Some(format!("{head}(t1 == domain or ({body});"));
    }
    None
}

/// Two names or sets in braces, one after the other.
fn split_names(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let depth =
        |upto: usize| text[..upto].matches('{').count() == text[..upto].matches('}').count();
    let at = text.match_indices(char::is_whitespace).map(|it| it.0).find(|&at| depth(at))?;
    Some((text[..at].trim(), text[at..].trim()))
}

/// None if the policy gives the same.
fn try_out(tree: &Tree, mutant: &Mutant, baseline: &[Effect]) -> Result<Option<Verdict>> {
    let Mutant { statement, text, .. } = mutant;
    let whole = tree.text(&statement.file)?;
    let mut changed = whole.clone();
    changed.replace_range(statement.start..statement.end(), text);
    tree.overlay.replace(&statement.file, changed.as_bytes())?;
    let verdict = tree.test()?;
    let same = verdict == Verdict::Missed && tree.effects()? == baseline;
    tree.overlay.replace(&statement.file, whole.as_bytes())?;
    Ok((!same).then_some(verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_split_whole() {
        assert_eq!(split_names("a_t b_t"), Some(("a_t", "b_t")));
        assert_eq!(split_names("{ a b } { c -d }"), Some(("{ a b }", "{ c -d }")));
        assert_eq!(split_names("alone"), None);
    }

    #[test]
    fn what_is_widened_is_a_statement() {
        let mut random = Random::new(1);
        for _ in 0..20 {
            let text = widened("allow { a b } c:file { read open };", &mut random).unwrap();
            assert!(text.starts_with("allow ") && text.ends_with(';'), "{text}");
        }
        assert_eq!(
            widened("constrain file write\n(\n\tu1 == u2\n\tor t1 == x\n);", &mut random).unwrap(),
            "constrain file write\n(t1 == domain or (\n\tu1 == u2\n\tor t1 == x\n));"
        );
    }
}
