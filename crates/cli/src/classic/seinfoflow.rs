//! `seinfoflow`: information flow.

use std::io::Write;

use anyhow::{Context as _, Result, anyhow, bail};
use mandate_policydb::{PolicyDb, SymbolId as _, TypeId};
use mandate_query::flow::{FlowQuery, Flows, PermissionMap, WEIGHTS};
use mandate_query::rules::{Conditions, Rule};
use mandate_query::types::TypeSets;

use super::analysis::{self, Asked, Request, statements};
use super::getopt::{Spec, spec};
use crate::{input, policy};

const OWN: [Spec; 4] = [
    spec('m', "map", true),
    spec('w', "min_weight", true),
    spec('l', "limit_flows", true),
    spec('b', "booleans", true),
];

const SYNOPSIS: &str = "[-h] [--version] [-p POLICY] [-m MAP] -s SOURCE [-t TARGET (-S | -A STEPS)] [-w WEIGHT] [-l LIMIT] [-b BOOLEANS] \
                        [--full] [--stats] [-v] [--debug] [EXCLUDE ...]";
const HELP: &str = "
From which type information can come to which other: without a target every single step away from the source.

  -p, --policy POLICY    a policy in any form; without it that of this machine
  -m, --map MAP          a permission map; without it our own
  -s, --source TYPE      where information comes from
  -t, --target TYPE      where it goes to
  -S, --shortest_path    all shortest ways
  -A, --all_paths STEPS  all ways of at most so many steps
  -w, --min_weight N     count only flows of this weight and above, 1 to 10; 3 without it
  -l, --limit_flows N    stop after so many
  -b, --booleans VALUES  the booleans as they are (default), or NAME:true,NAME:false,...; without it all rules count
      --full             with the rules that make each step
      --stats            tell how large the graph is
  -v, --verbose          tell what is being done; as --debug
      --version          tell the version
  EXCLUDE                types that no way may pass
";

/// What this command alone can be asked.
#[derive(Debug)]
struct Own {
    map: Option<String>,
    weight: isize,
    booleans: Option<Vec<(String, bool)>>,
}

pub(crate) fn seinfoflow(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let mut own = Own { map: None, weight: 3, booleans: None };
    match analysis::read(words, &OWN, |letter, argument| own.option(letter, argument)) {
        Asked::Help => write!(out, "usage: seinfoflow {SYNOPSIS}\n{HELP}")?,
        Asked::Version => writeln!(out, "{}", env!("CARGO_PKG_VERSION"))?,
        Asked::Wrong(why) => return analysis::usage("seinfoflow", SYNOPSIS, &why, err),
        Asked::Request(request) => {
            let done = answer(&request, &own, out, err);
            return analysis::failed(done, "seinfoflow", err);
        }
    }
    Ok(0)
}

impl Own {
    fn option(&mut self, letter: char, argument: &str) -> Result<bool, String> {
        match letter {
            'm' => self.map = Some(argument.to_owned()),
            'w' => self.weight = analysis::number(argument)?,
            'b' => self.booleans = Some(booleans(argument)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn least_weight(&self) -> Result<u8> {
        let weight = u8::try_from(self.weight).ok().filter(|it| WEIGHTS.contains(it));
        weight.ok_or_else(|| anyhow!("Min information flow weight must be an integer 1-10."))
    }

    fn map(&self) -> Result<PermissionMap> {
        let Some(path) = &self.map else { return Ok(PermissionMap::ours()) };
        let bytes = input::read_bytes(path.as_ref())?;
        let text = String::from_utf8_lossy(&bytes);
        PermissionMap::parse(&text).with_context(|| path.clone())
    }

    fn conditions(&self, db: &PolicyDb) -> Result<Conditions> {
        let Some(booleans) = &self.booleans else { return Ok(Conditions::All) };
        let mut changes = Vec::new();
        for (name, value) in booleans {
            let Some(id) = db.booleans.id(name) else { bail!("{name} is not a valid boolean") };
            changes.push((id, *value));
        }
        Ok(Conditions::with(db, &changes))
    }
}

/// Values as `NAME:true,NAME:false`; none for those of the policy.
fn booleans(text: &str) -> Result<Vec<(String, bool)>, String> {
    if text == "default" {
        return Ok(Vec::new());
    }
    let value = |part: &str| {
        let (name, value) =
            part.split_once(':').ok_or("Expected boolean format foo:true,bar:false")?;
        let value = match value.trim().to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => return Err("Conditional value must be true or false.".to_owned()),
        };
        Ok((name.trim().to_owned(), value))
    };
    text.split(',').map(value).collect()
}

fn answer(request: &Request, own: &Own, out: &mut dyn Write, err: &mut dyn Write) -> Result<()> {
    let loaded = policy::load(&[request.policy_path()?], err)?;
    let db = loaded.policy.db();
    request.say("The policy is read.", err)?;
    let map = own.map()?;
    let (source, target) = (request.source(db)?, request.target(db)?);
    let sets = TypeSets::new(db);
    let excluded = request.excluded(db)?;
    let query = FlowQuery {
        map: &map,
        least_weight: own.least_weight()?,
        conditions: own.conditions(db)?,
        excluded: &excluded,
    };
    let flows = Flows::new(&sets, &query);
    request.say("The information flows are gathered.", err)?;
    let printer = Printer { db, flows: &flows, request };
    match target {
        Some(target) => printer.paths(source, target, out)?,
        None => printer.steps(source, out)?,
    }
    if request.stats {
        let all =
            FlowQuery { least_weight: 1, conditions: Conditions::All, excluded: &[], ..query };
        analysis::stats(Flows::new(&sets, &all).count(), out)?;
    }
    Ok(())
}

struct Printer<'p> {
    db: &'p PolicyDb,
    flows: &'p Flows<'p>,
    request: &'p Request,
}

impl Printer<'_> {
    fn paths(&self, source: TypeId, target: TypeId, out: &mut dyn Write) -> Result<()> {
        let mut number = 0;
        for path in self.flows.paths(source, target, self.request.wanted()?) {
            number += 1;
            writeln!(out, "Flow {number}:")?;
            let types: Vec<_> = path.into_iter().filter_map(TypeId::from_bit).collect();
            for (at, step) in (1..).zip(types.windows(2)) {
                self.step("  Step", at, (step[0], step[1]), out)?;
            }
            if number >= self.request.limit {
                break;
            }
            writeln!(out)?;
            out.flush()?;
        }
        writeln!(out, "\n{number} information flow(s) found.")?;
        Ok(())
    }

    fn steps(&self, source: TypeId, out: &mut dyn Write) -> Result<()> {
        let mut number = 0;
        for target in self.flows.out_of(source).into_iter().take(self.request.limit) {
            number += 1;
            self.step("Flow", number, (source, target), out)?;
        }
        writeln!(out, "\n{number} information flow(s) found.")?;
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
        if !self.request.full {
            return Ok(());
        }
        let rules: Vec<Rule<'_>> = self.flows.step(from, to).iter().map(|it| it.rule).collect();
        for line in statements(self.db, &rules) {
            writeln!(out, "    {line}")?;
        }
        writeln!(out)?;
        Ok(())
    }
}
