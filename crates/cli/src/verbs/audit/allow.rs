//! `mandate audit allow`: rules for what was denied.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use mandate_audit::allowing::{Allowing, Style};
use mandate_audit::bound::Bound;
use mandate_audit::interfaces::Catalogue;
use mandate_audit::verdict::Verdict;
use mandate_audit::{Access, learned};
use mandate_server::Engine;
use regex::Regex;

use crate::interfaces::InterfaceArgs;
use crate::verbs::explain::denials;
use crate::{Outcome, input, policy};

/// Arguments of `allow`.
#[derive(clap::Args)]
#[command(after_help = "\
What the policy allows by now is left out; what a boolean would allow, a dontaudit rule hides or a constraint forbids is marked. \
Ask `mandate explain` first: a wrong label, a boolean or an interface is the better fix.")]
pub(crate) struct Args {
    /// Logs; - for standard input, which is read without any
    logs: Vec<PathBuf>,
    /// The policy, in any form [default: that in force]
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// A module of this name, with what it requires
    #[arg(long, value_name = "NAME", conflicts_with = "cil")]
    module: Option<String>,
    /// CIL
    #[arg(long)]
    cil: bool,
    /// Rules that keep it out of the log rather than allow it
    #[arg(long)]
    dontaudit: bool,
    /// Rules for the commands of ioctls, too
    #[arg(long)]
    xperms: bool,
    /// Only where the type of a context matches this regular expression as a whole
    #[arg(long = "type", value_name = "REGEX")]
    type_: Option<Regex>,
    #[command(flatten)]
    interfaces: InterfaceArgs,
    /// Write no rule that these neverallow statements forbid; exit 1 if one would be
    #[arg(long, value_name = "FILE")]
    never_allow: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let path = args.policy.clone().map_or_else(policy::running, Ok)?;
    let engine = Engine::new(policy::load(&[path], err)?.policy)?;
    let (accesses, bad) = denials::read(&args.logs, err)?;
    let denied = accesses.iter().filter(|it| it.denied && args.wants(it));
    let denied: Vec<&Access> = denied.filter(|it| open(&engine, it)).collect();
    let refused = args.refused(&denied, &engine)?;
    for (rule, place) in &refused {
        writeln!(err, "{rule} is forbidden at {place}: nothing is written")?;
    }
    if !refused.is_empty() {
        return Ok(Outcome::Denied);
    }
    let allowing = Allowing::of(denied.iter().copied(), &engine);
    write!(out, "{}", args.text(&allowing, &engine)?)?;
    Ok(if bad { Outcome::BadInput } else { Outcome::Success })
}

/// Is there something left that the policy does not allow, in words that it knows?
fn open(engine: &Engine, access: &Access) -> bool {
    !matches!(Verdict::of(engine, access), Verdict::Allowed | Verdict::BadClass)
}

impl Args {
    fn wants(&self, access: &Access) -> bool {
        let Some(pattern) = &self.type_ else { return true };
        let whole = |context: &str| {
            let type_ = context.split(':').nth(2).unwrap_or_default();
            pattern.find(type_).is_some_and(|it| it.range() == (0..type_.len()))
        };
        whole(&access.scontext) || whole(&access.tcontext)
    }

    /// Rules that a bound forbids, each with the place that forbids it.
    fn refused(&self, denied: &[&Access], engine: &Engine) -> Result<Vec<(String, String)>> {
        let Some(path) = &self.never_allow else { return Ok(Vec::new()) };
        let bytes = input::read_bytes(path)?;
        let bound = Bound::parse(&path.display().to_string(), &bytes, engine.db());
        let bound = bound.map_err(|why| anyhow!(why))?;
        let rules = learned(denied.iter().copied(), engine);
        Ok(bound.forbidden(engine.db(), &rules))
    }

    fn text(&self, allowing: &Allowing, engine: &Engine) -> Result<String> {
        let style = Style { dontaudit: self.dontaudit, verbose: false, xperms: self.xperms };
        let rules = allowing.rules(style);
        if let Some(listing) = self.interfaces.listing()? {
            if self.cil {
                bail!("interfaces are not called from CIL");
            }
            let catalogue = Catalogue::new(&listing, engine.db());
            let head = self.module.as_ref().map(|it| format!("policy_module({it}, 1.0)\n"));
            let text = allowing.to_reference(&catalogue, engine.db(), style);
            return Ok(head.unwrap_or_default() + &text);
        }
        Ok(match &self.module {
            _ if self.cil => rules.to_cil(),
            Some(name) => rules.to_module(name, "1.0"),
            None => rules.to_string(),
        })
    }
}
