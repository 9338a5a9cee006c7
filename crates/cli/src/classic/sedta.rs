//! `sedta`: domain transitions.

use std::io::Write;

use anyhow::Result;
use mandate_policydb::{PolicyDb, SymbolId as _, TypeId};
use mandate_query::reach::{Step, Transitions};
use mandate_query::rules::{Conditions, Rule};
use mandate_query::types::TypeSets;

use super::analysis::{self, Asked, Request, statements};
use super::getopt::{Spec, spec};
use crate::policy;

const OWN: [Spec; 2] = [spec('l', "limit_trans", true), spec('r', "reverse", false)];

const SYNOPSIS: &str = "[-h] [--version] [-p POLICY] -s SOURCE [-t TARGET (-S | -A STEPS)] [-r] [-l LIMIT] [--full] [--stats] [-v] [--debug] \
                        [EXCLUDE ...]";
const HELP: &str = "
Which domain becomes which: without a target every single step away from the source.

  -p, --policy POLICY    a policy in any form; without it that of this machine
  -s, --source TYPE      the domain to start from
  -t, --target TYPE      the domain to arrive at
  -S, --shortest_path    all shortest ways
  -A, --all_paths STEPS  all ways of at most so many steps
  -r, --reverse          start from the target and show who becomes the source
  -l, --limit_trans N    stop after so many
      --full             with the rules that make each step
      --stats            tell how large the graph is
  -v, --verbose          tell what is being done; as --debug
      --version          tell the version
  EXCLUDE                types that no way may pass
";

pub(crate) fn sedta(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let mut reverse = false;
    let asked = analysis::read(words, &OWN, |letter, _| {
        reverse |= letter == 'r';
        Ok(letter == 'r')
    });
    match asked {
        Asked::Help => write!(out, "usage: sedta {SYNOPSIS}\n{HELP}")?,
        Asked::Version => writeln!(out, "{}", env!("CARGO_PKG_VERSION"))?,
        Asked::Wrong(why) => return analysis::usage("sedta", SYNOPSIS, &why, err),
        Asked::Request(request) => {
            let done = answer(&request, reverse, out, err);
            return analysis::failed(done, "sedta", err);
        }
    }
    Ok(0)
}

fn answer(
    request: &Request,
    reverse: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<()> {
    let loaded = policy::load(&[request.policy_path()?], err)?;
    let db = loaded.policy.db();
    request.say("The policy is read.", err)?;
    let (source, target) = (request.source(db)?, request.target(db)?);
    let sets = TypeSets::new(db);
    let transitions = Transitions::new(&sets, &Conditions::All, &request.excluded(db)?);
    request.say("The domain transitions are gathered.", err)?;
    let printer = Printer { db, transitions: &transitions, request };
    match target {
        Some(target) => printer.paths(source, target, reverse, out)?,
        None => printer.steps(source, reverse, out)?,
    }
    if request.stats {
        let all = Transitions::new(&sets, &Conditions::All, &[]);
        analysis::stats((all.domains(), all.count()), out)?;
    }
    Ok(())
}

struct Printer<'p> {
    db: &'p PolicyDb,
    transitions: &'p Transitions<'p>,
    request: &'p Request,
}

impl Printer<'_> {
    /// The ways; the reverse ones are those from the target to the source, told from their end.
    fn paths(
        &self,
        source: TypeId,
        target: TypeId,
        reverse: bool,
        out: &mut dyn Write,
    ) -> Result<()> {
        let (from, to) = if reverse { (target, source) } else { (source, target) };
        let mut number = 0;
        for path in self.transitions.paths(from, to, self.request.wanted()?) {
            number += 1;
            writeln!(out, "Domain transition path {number}:")?;
            let mut steps: Vec<_> = path.windows(2).map(|it| (it[0], it[1])).collect();
            if reverse {
                steps.reverse();
            }
            for (at, step) in (1..).zip(steps) {
                let [from, to] = [step.0, step.1].map(TypeId::from_bit);
                if let (Some(from), Some(to)) = (from, to) {
                    self.step("Step", at, (from, to), out)?;
                }
            }
            if number >= self.request.limit {
                break;
            }
            writeln!(out)?;
            out.flush()?;
        }
        writeln!(out, "\n{number} domain transition path(s) found.")?;
        Ok(())
    }

    fn steps(&self, source: TypeId, reverse: bool, out: &mut dyn Write) -> Result<()> {
        let pairs: Vec<(TypeId, TypeId)> = if reverse {
            self.transitions.towards(source).map(|it| (it, source)).collect()
        } else {
            self.transitions.out_of(source).map(|it| (source, it)).collect()
        };
        let mut number = 0;
        for pair in pairs.into_iter().take(self.request.limit) {
            number += 1;
            self.step("Transition", number, pair, out)?;
        }
        writeln!(out, "\n{number} domain transition(s) found.")?;
        Ok(())
    }

    fn step(
        &self,
        word: &str,
        number: usize,
        (from, to): (TypeId, TypeId),
        out: &mut dyn Write,
    ) -> Result<()> {
        let (source, target) = (self.db.types.name(from), self.db.types.name(to));
        writeln!(out, "{word} {number}: {source} -> {target}")?;
        if self.request.full {
            writeln!(out)?;
            self.rules_of(&self.transitions.step(from, to), out)?;
        }
        Ok(())
    }

    fn rules_of(&self, step: &Step<'_>, out: &mut dyn Write) -> Result<()> {
        if !step.transition.is_empty() {
            self.rules("", "Domain transition rule(s):", &step.transition, out)?;
            self.rules("", "Set execution context rule(s):", &step.setexec, out)?;
            for it in &step.entrypoints {
                writeln!(out, "Entrypoint {}:", self.db.types.name(it.type_))?;
                self.rules("\t", "Domain entrypoint rule(s):", &it.entrypoint, out)?;
                self.rules("\t", "File execute rule(s):", &it.execute, out)?;
                self.rules("\t", "Type transition rule(s):", &it.type_transition, out)?;
                writeln!(out)?;
            }
        }
        if !step.dyntransition.is_empty() {
            self.rules("", "Dynamic transition rule(s):", &step.dyntransition, out)?;
            self.rules("", "Set current process context rule(s):", &step.setcurrent, out)?;
            writeln!(out)?;
        }
        Ok(())
    }

    fn rules(
        &self,
        indent: &str,
        head: &str,
        rules: &[Rule<'_>],
        out: &mut dyn Write,
    ) -> Result<()> {
        if rules.is_empty() {
            return Ok(());
        }
        writeln!(out, "{indent}{head}")?;
        for line in statements(self.db, rules) {
            writeln!(out, "{indent}{line}")?;
        }
        writeln!(out)?;
        Ok(())
    }
}
