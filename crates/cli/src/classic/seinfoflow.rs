//! `seinfoflow`: information flow.

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::{Context as _, Result, anyhow, bail};
use mandate_policydb::PolicyDb;
use mandate_query::flow::{FlowQuery, Flows, PermissionMap, WEIGHTS};
use mandate_query::rules::{Conditions, Rule};
use mandate_query::types::TypeSets;
use mandate_query::{Statements, Style};

use super::analysis::{self, Captions, Printer, Request, lines};
use super::argparse::{Spec, Takes, Words, with};
use crate::{input, policy};

const LIMIT: &str = "--limit_flows";

const OWN: [Spec; 4] = [
    with("-m", "--map", Takes::One),
    with("-w", "--min_weight", Takes::Number),
    with("-l", LIMIT, Takes::Number),
    with("-b", "--booleans", Takes::One),
];

const CAPTIONS: Captions = Captions {
    way: "Flow",
    step: "  Step",
    single: "Flow",
    ways: "information flow(s)",
    singles: "information flow(s)",
    no_algorithm: "A target type is not used for flows in/out of a type.",
};

const HELP: &str = "\
usage: seinfoflow [-h] [--version] [-p POLICY] [-m MAP] -s SOURCE [-t TARGET (-S | -A STEPS)] [-r]
                  [-w WEIGHT] [-l LIMIT] [-b BOOLEANS] [-o FILE] [--full] [--stats] [-v] [--debug]
                  [EXCLUDE ...]

From which type information can come to which other: without a target every single step away from the source.

  -p, --policy POLICY    a policy in any form; without it that of this machine
  -m, --map MAP          a permission map; without it our own
  -s, --source TYPE      where information comes from
  -t, --target TYPE      where it goes to
  -S, --shortest_path    all shortest ways
  -A, --all_paths STEPS  all ways of at most so many steps
  -r, --reverse          the steps towards the source; with a target nothing else
  -w, --min_weight N     count only flows of this weight and above, 1 to 10; 3 without it
  -l, --limit_flows N    stop after so many
  -b, --booleans VALUES  the booleans as they are (default), or NAME:true,NAME:false,...; without it all rules count
  -o, --output_file FILE draw a graph, instead of text: PNG, which needs Graphviz, or a .dot file
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
    let program = analysis::program("seinfoflow", HELP, &OWN);
    let words = match program.read(words, out, err)? {
        ControlFlow::Continue(words) => words,
        ControlFlow::Break(code) => return Ok(code),
    };
    let own = Own::of(&words);
    match own.and_then(|own| Ok((Request::of(words, LIMIT, &CAPTIONS)?, own))) {
        Ok((request, own)) => analysis::failed(answer(&request, &own, out, err), program.name, err),
        Err(why) => program.usage(why, err),
    }
}

impl Own {
    /// What the words ask for, or what is wrong with them.
    fn of(words: &Words) -> Result<Self, &'static str> {
        if words.number(LIMIT).is_some_and(isize::is_negative) {
            return Err("Limit on information flows cannot be negative.");
        }
        Ok(Self {
            map: words.argument("--map").map(str::to_owned),
            weight: words.number("--min_weight").unwrap_or(3),
            booleans: words.argument("--booleans").map(booleans).transpose()?,
        })
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
fn booleans(text: &str) -> Result<Vec<(String, bool)>, &'static str> {
    if text == "default" {
        return Ok(Vec::new());
    }
    let value = |part: &str| {
        let (name, value) =
            part.split_once(':').ok_or("Expected boolean format foo:true,bar:false")?;
        let value = match value.trim().to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => return Err("Conditional value must be true or false."),
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
    let mut statements = Statements::new(db, Style::Setools);
    let rules = |from, to, out: &mut dyn Write| {
        let rules: Vec<Rule<'_>> = flows.step(from, to).iter().map(|it| it.rule).collect();
        let lines = lines(&mut statements, &rules);
        lines.iter().try_for_each(|it| writeln!(out, "    {it}"))?;
        Ok(writeln!(out)?)
    };
    let printer = Printer { db, request, captions: CAPTIONS };
    match target {
        Some(target) => printer.ways(request.paths(&flows, source, target)?, false, rules, out)?,
        None => printer.singles(request.steps(&flows, source), rules, out)?,
    }
    if request.words.has("--stats") {
        let all =
            FlowQuery { least_weight: 1, conditions: Conditions::All, excluded: &[], ..query };
        analysis::stats(Flows::new(&sets, &all).count(), out)?;
    }
    Ok(())
}
