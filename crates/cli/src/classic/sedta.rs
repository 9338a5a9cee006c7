//! `sedta`: domain transitions.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Result;
use mandate_policydb::PolicyDb;
use mandate_query::reach::{Step, Transitions};
use mandate_query::rules::{Conditions, Rule};
use mandate_query::types::TypeSets;
use mandate_query::{Statements, Style};

use super::analysis::{self, Captions, Printer, Request, lines};
use super::argparse::{Takes, with};
use crate::policy;

const LIMIT: &str = "--limit_trans";

const CAPTIONS: Captions = Captions {
    way: "Domain transition path",
    step: "Step",
    single: "Transition",
    ways: "domain transition path(s)",
    singles: "domain transition(s)",
    no_algorithm: "An algorithm must be specified to determine a path.",
};

const HELP: &str = "\
usage: sedta [-h] [--version] [-p POLICY] -s SOURCE [-t TARGET (-S | -A STEPS)] [-r] [-l LIMIT]
             [-o FILE] [--full] [--stats] [-v] [--debug] [EXCLUDE ...]

Which domain becomes which: without a target every single step away from the source.

  -p, --policy POLICY    a policy in any form; without it that of this machine
  -s, --source TYPE      the domain to start from
  -t, --target TYPE      the domain to arrive at
  -S, --shortest_path    all shortest ways
  -A, --all_paths STEPS  all ways of at most so many steps
  -r, --reverse          start from the target and show who becomes the source
  -l, --limit_trans N    stop after so many
  -o, --output_file FILE draw a graph, instead of text: PNG, which needs Graphviz, or a .dot file
      --full             with the rules that make each step
      --stats            tell how large the graph is
  -v, --verbose          tell what is being done; as --debug
      --version          tell the version
  EXCLUDE                types that no way may pass
";

pub(crate) fn sedta(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let program = analysis::program("sedta", HELP, &[with("-l", LIMIT, Takes::Number)]);
    let words = match program.read(words, out, err)? {
        ControlFlow::Continue(words) => words,
        ControlFlow::Break(code) => return Ok(code),
    };
    match Request::of(words, LIMIT, &CAPTIONS) {
        Ok(request) => analysis::failed(answer(&request, out, err), program.name, err),
        Err(why) => program.usage(why, err),
    }
}

fn answer(request: &Request, out: &mut dyn Write, err: &mut dyn Write) -> Result<()> {
    let loaded = policy::load(&[request.policy_path()?], err)?;
    let db = loaded.policy.db();
    request.say("The policy is read.", err)?;
    let (source, target) = (request.source(db)?, request.target(db)?);
    let sets = TypeSets::new(db);
    let transitions = Transitions::new(&sets, &Conditions::All, &request.excluded(db)?);
    request.say("The domain transitions are gathered.", err)?;
    let mut rules = Rules { db, statements: Statements::new(db, Style::Setools) };
    let rules = |from, to, out: &mut dyn Write| rules.of(&transitions.step(from, to), out);
    let printer = Printer { db, request, captions: CAPTIONS };
    match (target, request.reverse()) {
        (None, _) => printer.singles(request.steps(&transitions, source), rules, out)?,
        // The reverse ways are those from the target to the source, told from their end.
        (Some(target), backwards) => {
            let (from, to) = if backwards { (target, source) } else { (source, target) };
            printer.ways(request.paths(&transitions, from, to)?, backwards, rules, out)?;
        }
    }
    if request.words.has("--stats") {
        let all = Transitions::new(&sets, &Conditions::All, &[]);
        analysis::stats((all.domains(), all.count()), out)?;
    }
    Ok(())
}

/// Prints what makes a step.
struct Rules<'a> {
    db: &'a PolicyDb,
    statements: Statements<'a>,
}

impl Rules<'_> {
    fn of(&mut self, step: &Step<'_>, out: &mut dyn Write) -> Result<()> {
        writeln!(out)?;
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
        &mut self,
        indent: &str,
        head: &str,
        rules: &[Rule<'_>],
        out: &mut dyn Write,
    ) -> Result<()> {
        if rules.is_empty() {
            return Ok(());
        }
        writeln!(out, "{indent}{head}")?;
        for line in lines(&mut self.statements, rules) {
            writeln!(out, "{indent}{line}")?;
        }
        writeln!(out)?;
        Ok(())
    }
}
