//! What `sedta` and `seinfoflow` have in common.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use mandate_policydb::{PolicyDb, TypeId};
use mandate_query::graph::Length;
use mandate_query::rules::Rule;

use super::getopt::{self, Spec, Word, spec};
use crate::policy;
use crate::verbs::query::route::branch;

/// Wrong words; the original's parser ends with this code.
pub(super) const USAGE: u8 = 2;
/// Anything else that went wrong.
pub(super) const FAILED: u8 = 1;

/// Letters of options that have long names only.
const FULL: char = '\u{1}';
const STATS: char = '\u{2}';
const DEBUG: char = '\u{3}';
const VERSION: char = '\u{4}';

/// The options of both commands.
const COMMON: [Spec; 11] = [
    spec('h', "help", false),
    spec(VERSION, "version", false),
    spec('p', "policy", true),
    spec('s', "source", true),
    spec('t', "target", true),
    spec(FULL, "full", false),
    spec(STATS, "stats", false),
    spec('v', "verbose", false),
    spec(DEBUG, "debug", false),
    spec('S', "shortest_path", false),
    spec('A', "all_paths", true),
];

/// What both commands can be asked.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) policy: Option<PathBuf>,
    source: String,
    target: Option<String>,
    /// `-S` was given.
    shortest: bool,
    up_to: Option<usize>,
    /// Stop after this many.
    pub(super) limit: usize,
    pub(super) full: bool,
    pub(super) stats: bool,
    verbose: bool,
    exclude: Vec<String>,
}

/// What the words come to.
#[derive(Debug)]
pub(super) enum Asked {
    Help,
    Version,
    /// Wrong words, and why.
    Wrong(String),
    Request(Request),
}

/// Reads the words behind the command's name. `own` takes the options of one command alone, `specs`, and says whether it knew
/// them.
pub(super) fn read(
    words: &[String],
    specs: &[Spec],
    mut own: impl FnMut(char, &str) -> Result<bool, String>,
) -> Asked {
    let words = getopt::read(&[&COMMON, specs].concat(), words.get(1..).unwrap_or_default());
    let mut request = Request { limit: usize::MAX, ..Request::default() };
    for word in words {
        let read = match word {
            Word::Wrong(why) => Err(why),
            Word::Operand(type_) => {
                request.exclude.push(type_);
                continue;
            }
            Word::Option('h', _) => return Asked::Help,
            Word::Option(VERSION, _) => return Asked::Version,
            Word::Option(letter, argument) => match own(letter, &argument) {
                Ok(false) => request.option(letter, argument),
                Ok(true) => Ok(()),
                Err(why) => Err(why),
            },
        };
        if let Err(why) = read {
            return Asked::Wrong(why);
        }
    }
    match request.fault() {
        Some(why) => Asked::Wrong(why.to_owned()),
        None => Asked::Request(request),
    }
}

impl Request {
    fn option(&mut self, letter: char, argument: String) -> Result<(), String> {
        match letter {
            'p' => self.policy = Some(argument.into()),
            's' => self.source = argument,
            't' => self.target = Some(argument),
            'S' => self.shortest = true,
            // 0 is as good as nothing; what is below it is refused later, as by the original.
            'A' => {
                self.up_to = match number(&argument)? {
                    0 => None,
                    most => Some(usize::try_from(most).unwrap_or(0)),
                }
            }
            // 0 is no limit; below 0 the original stops after the first.
            'l' => {
                self.limit = match number(&argument)? {
                    0 => usize::MAX,
                    most => usize::try_from(most).unwrap_or(1),
                }
            }
            FULL => self.full = true,
            STATS => self.stats = true,
            'v' | DEBUG => self.verbose = true,
            other => return Err(format!("-{other} is not known")),
        }
        Ok(())
    }

    fn fault(&self) -> Option<&'static str> {
        let algorithm = self.shortest || self.up_to.is_some();
        match (&self.target, algorithm) {
            _ if self.source.is_empty() => {
                Some("the following arguments are required: -s/--source")
            }
            (Some(_), false) => Some("An algorithm must be specified to determine a path."),
            (None, true) => Some("The target type must be specified to determine a path."),
            _ => None,
        }
    }

    /// Which paths are wanted.
    pub(super) fn wanted(&self) -> Result<Length> {
        match self.up_to {
            _ if self.shortest => Ok(Length::Shortest),
            Some(0) => bail!("Maximum path length must be positive."),
            most => Ok(most.map_or(Length::Shortest, Length::UpTo)),
        }
    }

    /// Says what is being done, if that is wanted.
    pub(super) fn say(&self, text: &str, err: &mut dyn Write) -> Result<()> {
        if self.verbose {
            writeln!(err, "{text}")?;
        }
        Ok(())
    }

    /// The policy that is asked: the one given, or that of this machine.
    pub(super) fn policy_path(&self) -> Result<PathBuf> {
        self.policy.clone().map_or_else(policy::running, Ok)
    }

    pub(super) fn source(&self, db: &PolicyDb) -> Result<TypeId> {
        type_(db, &self.source)
    }

    pub(super) fn target(&self, db: &PolicyDb) -> Result<Option<TypeId>> {
        self.target.as_deref().map(|it| type_(db, it)).transpose()
    }

    pub(super) fn excluded(&self, db: &PolicyDb) -> Result<Vec<TypeId>> {
        self.exclude.iter().map(|it| type_(db, it)).collect()
    }
}

pub(super) fn number(text: &str) -> Result<isize, String> {
    text.trim().parse().map_err(|_| format!("invalid int value: '{text}'"))
}

fn type_(db: &PolicyDb, name: &str) -> Result<TypeId> {
    match db.types.find(name).filter(|it| !it.attribute) {
        Some(it) => Ok(it.id),
        None => bail!("{name} is not a valid type"),
    }
}

/// Rules as the originals print them, in order.
pub(super) fn statements(db: &PolicyDb, rules: &[Rule<'_>]) -> Vec<String> {
    let mut lines: Vec<_> = rules.iter().map(|it| statement(db, it)).collect();
    lines.sort();
    lines.dedup();
    lines
}

fn statement(db: &PolicyDb, rule: &Rule<'_>) -> String {
    let it = rule.rule;
    let mut text = db.rule_to_string(it);
    if it.kind.is_access_vector() {
        let class = it.class();
        let mask = db.permission_mask(class);
        let mut names = db.permission_names(class, it.permissions() & mask);
        names.sort();
        let names = match names.as_slice() {
            [only] => only.clone(),
            several => format!("{{ {} }}", several.join(" ")),
        };
        let (source, target) = (db.types.name(it.source), db.types.name(it.target));
        let (keyword, class) = (it.kind.keyword(), db.classes.name(class));
        text = format!("{keyword} {source} {target}:{class} {names};");
    }
    if let Some((block, when)) = branch(db, rule) {
        let when = if when { "True" } else { "False" };
        text += &format!(" [ {} ]:{when}", db.condition_to_string(block));
    }
    text
}

/// What the words of a wrong command line get.
pub(super) fn usage(name: &str, synopsis: &str, why: &str, err: &mut dyn Write) -> Result<u8> {
    writeln!(err, "usage: {name} {synopsis}\n{name}: error: {why}")?;
    Ok(USAGE)
}

/// A failure as the command's last words.
pub(super) fn failed(result: Result<()>, name: &str, err: &mut dyn Write) -> Result<u8> {
    match result {
        Ok(()) => Ok(0),
        // A reader that went away is told further up.
        Err(why)
            if why.chain().any(|it| it.is::<std::io::Error>()) && crate::is_broken_pipe(&why) =>
        {
            Err(why)
        }
        Err(why) => {
            writeln!(err, "{name}: {why:#}")?;
            Ok(FAILED)
        }
    }
}

/// The statistics at the end.
pub(super) fn stats((nodes, edges): (usize, usize), out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nGraph statistics:\nGraph nodes: {nodes}\nGraph edges: {edges}")?;
    Ok(())
}
