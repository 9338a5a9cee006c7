//! A goal is given up, and a rule that it forbade is added: some assertion has to fail.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use mandate_policydb::{Ebitmap, PolicyDb, TypeId, Unvalidated};
use mandate_query::lookup;
use mandate_query::types::TypeSets;

use super::statements::{self, Statement};
use super::{Tree, Verdict};
use crate::bench::{Figure, note};
use crate::random::Random;
use crate::report::{Comparison, Report};

/// Where rules are added.
const PLACE: &str = "policy/modules/kernel/domain.te";
/// Rules that are tried of each goal: in continuous integration, and at full size.
const RULES: (usize, usize) = (1, 3);

pub(super) fn run(
    tree: &Tree,
    full: bool,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Figure>> {
    report.heading("policies/base: goals that its tests know too")?;
    let [policy, ..] = &tree.builds()?[..] else { bail!("no build") };
    let policy = Unvalidated::read(policy)?.validate()?;
    let forbidden = Forbidden { db: policy.db(), sets: TypeSets::new(policy.db()) };
    let mut random = Random::new(seed);
    let mut compared = Comparison::new(format!("goals given up, seed {seed}"));
    for goal in &tree.goals {
        let goal = &called(tree, goal)?;
        for _ in 0..if full { RULES.1 } else { RULES.0 } {
            let rule = forbidden.rule(goal, &mut random).with_context(|| goal.told())?;
            let found = try_out(tree, &rule)?;
            let told = || format!("{} with {}", goal.told(), rule.text);
            match found {
                Verdict::Caught => compared.agree(),
                Verdict::Missed => {
                    compared.disagree(told(), "all assertions hold".into(), "one fails".into());
                }
                Verdict::Broken => bail!("{}: it does not compile", told()),
            }
        }
    }
    report.add(&compared)?;
    ensure!(!tree.goals.is_empty(), "policies/base has no neverallow rules");
    let figure = Figure {
        what: format!("{} goals given up for a rule each: noticed by tests", tree.goals.len()),
        reach: "all".to_owned(),
        ours: format!("{} of {}", compared.compared() - compared.differing(), compared.compared()),
        theirs: String::new(),
        ratio: String::new(),
    };
    note(&figure, report)?;
    Ok(if full { vec![figure] } else { Vec::new() })
}

/// A goal of a template, as one of its calls has it.
fn called(tree: &Tree, goal: &Statement) -> Result<Statement> {
    if !goal.text.contains('$') {
        return Ok(goal.clone());
    }
    let text = super::read(&tree.source, &goal.file)?;
    let before = &text[..goal.start];
    let name = before.rsplit_once("template(`").and_then(|it| it.1.split_once('\'')).map(|it| it.0);
    let name = name.with_context(|| format!("{}: in no template", goal.told()))?;
    for file in statements::files(&tree.source)? {
        let text = tree.text(&file)?;
        let calls = statements::beginning(&file, &text, &[name], ")\n");
        let Some(call) = calls.iter().find(|it| !it.text.contains('$')) else { continue };
        let words = call.text[name.len()..].trim_matches(|it| it == '(' || it == ')');
        let mut goal = goal.clone();
        for (at, word) in words.split(',').enumerate() {
            goal.text = goal.text.replace(&format!("${}", at + 1), word.trim());
        }
        return Ok(goal);
    }
    bail!("{}: nobody calls {name}", goal.told())
}

/// Statements for the end of a module.
struct Rule {
    text: String,
    names: String,
}

fn try_out(tree: &Tree, rule: &Rule) -> Result<Verdict> {
    let text = tree.text(PLACE)?;
    let changed = format!("{text}\ngen_require(`{}')\n{}\n", rule.names, rule.text);
    tree.overlay.replace(PLACE, changed.as_bytes())?;
    let verdict = tree.test();
    tree.overlay.replace(PLACE, text.as_bytes())?;
    verdict
}

/// What goals forbid, by the types of a policy.
struct Forbidden<'a> {
    db: &'a PolicyDb,
    sets: TypeSets<'a>,
}

type Names = BTreeSet<String>;

impl Forbidden<'_> {
    /// A rule that the goal forbids, of a domain if there is one.
    fn rule(&self, goal: &Statement, random: &mut Random) -> Result<Rule> {
        let text = goal.text.trim_end_matches(';');
        let mut words = Words::of(text);
        let statement = words.word()?;
        let sources = self.types(&words.set()?, None)?;
        let targets = words.set()?;
        words.expect(":")?;
        let classes = words.set()?;
        let domains: Names = self.types(&Set::of("domain"), None)?;
        // A bounded domain may do only what the one that bounds it may.
        let free = |it: &&String| self.db.types.find(it).is_some_and(|it| it.bounds.is_none());
        let both: Names = sources.intersection(&domains).filter(free).cloned().collect();
        let source = pick(if both.is_empty() { &sources } else { &both }, random)?;
        let target = pick(&self.types(&targets, Some(&source))?, random)?;
        let class = pick(&classes.plain()?, random)?;
        let names =
            format!("type {source}, {target};").replace(&format!("{source}, {source}"), &source);
        if statement == "neverallowxperm" {
            let operation = words.word()?;
            let numbers = pick(&words.set()?.plain()?, random)?;
            let text = format!(
                "allow {source} {target}:{class} {operation}; allowxperm {source} {target}:{class} {operation} {numbers};"
            );
            return Ok(Rule { text, names });
        }
        let permission = pick(&self.permissions(&class, &words.set()?)?, random)?;
        Ok(Rule { text: format!("allow {source} {target}:{class} {permission};"), names })
    }

    fn types(&self, set: &Set, source: Option<&str>) -> Result<Names> {
        let mut found = Names::new();
        for name in &set.with {
            found.extend(self.members(name, source)?);
        }
        for name in &set.without {
            for name in self.members(name, source)? {
                found.remove(&name);
            }
        }
        let all = || self.members("*", source);
        Ok(if set.complement { all()?.difference(&found).cloned().collect() } else { found })
    }

    fn members(&self, name: &str, source: Option<&str>) -> Result<Names> {
        let of = |bits: &Ebitmap| {
            let ids = bits.ids::<TypeId>();
            ids.filter_map(|it| self.db.types.get(it)).map(|it| it.name.to_string()).collect()
        };
        Ok(match (name, source) {
            ("*", _) => {
                let all = self.db.types.by_value().filter(|it| !it.attribute);
                all.map(|it| it.name.to_string()).collect()
            }
            ("self", Some(source)) => Names::from([source.to_owned()]),
            _ => of(self.sets.members(lookup::type_or_attribute(self.db, name)?)),
        })
    }

    fn permissions(&self, class: &str, set: &Set) -> Result<Names> {
        let class = lookup::class(self.db, class)?;
        let all: Names = self.db.permissions(class).map(|it| it.name.to_string()).collect();
        let named: Names = match &set.with[..] {
            [one] if one == "*" => all.clone(),
            names => names.iter().cloned().collect(),
        };
        // A statement about several classes names permissions that some of them lack.
        let named: Names = named.intersection(&all).cloned().collect();
        Ok(if set.complement { all.difference(&named).cloned().collect() } else { named })
    }
}

fn pick(names: &Names, random: &mut Random) -> Result<String> {
    let all: Vec<&String> = names.iter().collect();
    random.pick(&all).map(|it| (*it).clone()).context("it forbids nothing")
}

/// `name`, `*`, `~name`, `{ a -b }`, `~{ a }`.
#[derive(Default)]
struct Set {
    complement: bool,
    with: Vec<String>,
    without: Vec<String>,
}

impl Set {
    fn of(name: &str) -> Self {
        Self { with: vec![name.to_owned()], ..Self::default() }
    }

    fn plain(&self) -> Result<Names> {
        ensure!(!self.complement && self.without.is_empty(), "expected names alone");
        Ok(self.with.iter().cloned().collect())
    }
}

/// The words of a statement.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    /// In reading order, from the end of the list.
    fn of(text: &'a str) -> Self {
        let (mut words, mut rest) = (Vec::new(), text.trim());
        while let Some(first) = rest.chars().next() {
            let sign = "{}~:-*".contains(first);
            let end = rest.find(|it: char| it.is_whitespace() || "{}~:".contains(it));
            let length = if sign { 1 } else { end.unwrap_or(rest.len()) };
            words.push(&rest[..length]);
            rest = rest[length..].trim_start();
        }
        words.reverse();
        Self(words)
    }

    fn word(&mut self) -> Result<&'a str> {
        self.0.pop().context("the statement ends too soon")
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        let found = self.word()?;
        ensure!(found == word, "expected {word}, found {found}");
        Ok(())
    }

    fn set(&mut self) -> Result<Set> {
        let mut set = Set::default();
        let mut first = self.word()?;
        if first == "~" {
            set.complement = true;
            first = self.word()?;
        }
        if first != "{" {
            set.with.push(first.to_owned());
            return Ok(set);
        }
        loop {
            match self.word()? {
                "}" => return Ok(set),
                "-" => set.without.push(self.word()?.to_owned()),
                "{" | "~" | ":" => bail!("sets within sets are not read"),
                name => set.with.push(name.to_owned()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_word_by_word() {
        let mut words = Words::of("neverallow ~{ a b -c }\n d:{ file dir } ~{ read };");
        assert_eq!(words.word().unwrap(), "neverallow");
        let set = words.set().unwrap();
        assert!(set.complement);
        assert_eq!((set.with, set.without), (vec!["a".into(), "b".into()], vec!["c".to_owned()]));
        assert_eq!(words.set().unwrap().with, ["d"]);
        words.expect(":").unwrap();
        assert_eq!(words.set().unwrap().plain().unwrap().len(), 2);
        assert!(words.set().unwrap().complement);
    }
}
