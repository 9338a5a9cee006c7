//! What `sedta` and `seinfoflow` have in common.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use mandate_policydb::{PolicyDb, RuleKey, SymbolId as _, TypeId};
use mandate_query::Statements;
use mandate_query::graph::{Bits, Graph, Length, Paths};
use mandate_query::rules::Rule;
use mandate_query::search::Found;

use super::argparse::{FAILED, Program, Spec, Takes, Words, flag, with};
use super::drawing;
use crate::policy;
use crate::words;

/// The options of both commands.
const COMMON: [Spec; 9] = [
    with("-p", "--policy", Takes::One),
    with("-s", "--source", Takes::One),
    with("-t", "--target", Takes::One),
    flag("", "--full"),
    flag("", "--stats"),
    flag("-S", "--shortest_path"),
    with("-A", "--all_paths", Takes::Number),
    flag("-r", "--reverse"),
    with("-o", "--output_file", Takes::One),
];

/// How one of the commands tells what it found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Captions {
    /// Above a way, above its steps, and above a step that is a way of its own.
    pub(super) way: &'static str,
    pub(super) step: &'static str,
    pub(super) single: &'static str,
    /// What was found, with and without a target.
    pub(super) ways: &'static str,
    pub(super) singles: &'static str,
    /// What is wrong with a target alone.
    pub(super) no_algorithm: &'static str,
}

/// What both commands can be asked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) words: Words,
    /// Stop after this many.
    limit: usize,
}

/// A command with these options besides the common ones.
pub(super) fn program(name: &'static str, help: &'static str, own: &[Spec]) -> Program {
    Program { name, help, options: [&COMMON, own].concat(), operands: usize::MAX }
}

impl Request {
    /// What the words ask for; `limit` is the option of the greatest number. Or what is wrong with them.
    pub(super) fn of(words: Words, limit: &str, captions: &Captions) -> Result<Self, &'static str> {
        let algorithm = words.has("--shortest_path") || steps(&words).is_some();
        match (words.argument("--target"), algorithm) {
            _ if words.argument("--source").is_none() => {
                return Err("the following arguments are required: -s/--source");
            }
            (Some(_), false) => return Err(captions.no_algorithm),
            (None, true) => return Err("The target type must be specified to determine a path."),
            _ => {}
        }
        // 0 is no limit; below 0 the original stops after the first.
        let limit = match words.number(limit).unwrap_or(0) {
            0 => usize::MAX,
            most => usize::try_from(most).unwrap_or(1),
        };
        Ok(Self { words, limit })
    }

    /// Against the direction of the steps?
    pub(super) fn reverse(&self) -> bool {
        self.words.has("--reverse")
    }

    /// With the rules of each step?
    pub(super) fn full(&self) -> bool {
        self.words.has("--full")
    }

    /// Says what is being done, if that is wanted.
    pub(super) fn say(&self, text: &str, err: &mut dyn Write) -> Result<()> {
        if self.words.has("--verbose") || self.words.has("--debug") {
            writeln!(err, "{text}")?;
        }
        Ok(())
    }

    /// The policy that is asked: the one given, or that of this machine.
    pub(super) fn policy_path(&self) -> Result<PathBuf> {
        self.words.argument("--policy").map_or_else(policy::running, |it| Ok(words::to_path(it)))
    }

    pub(super) fn source(&self, db: &PolicyDb) -> Result<TypeId> {
        type_(db, self.words.argument("--source").unwrap_or_default())
    }

    pub(super) fn target(&self, db: &PolicyDb) -> Result<Option<TypeId>> {
        self.words.argument("--target").map(|it| type_(db, it)).transpose()
    }

    pub(super) fn excluded(&self, db: &PolicyDb) -> Result<Vec<TypeId>> {
        self.words.operands.iter().map(|it| type_(db, it)).collect()
    }

    /// Which paths are wanted.
    fn wanted(&self) -> Result<Length> {
        match steps(&self.words) {
            Some(most) if !self.words.has("--shortest_path") => match usize::try_from(most) {
                Ok(most) => Ok(Length::UpTo(most)),
                Err(_) => bail!("Maximum path length must be positive."),
            },
            _ => Ok(Length::Shortest),
        }
    }

    /// The ways from one type to another, no more than were asked for.
    pub(super) fn paths<'g, G: Graph>(
        &self,
        graph: &'g G,
        from: TypeId,
        to: TypeId,
    ) -> Result<impl Iterator<Item = Vec<TypeId>> + use<'g, G>> {
        let paths = Paths::new(graph, from.bit(), to.bit(), self.wanted()?);
        let types = |it: Vec<u32>| it.into_iter().filter_map(TypeId::from_bit).collect();
        Ok(paths.map(types).take(self.limit))
    }

    /// The single steps away from a type, or towards it; no more than were asked for.
    pub(super) fn steps<G: Graph>(&self, graph: &G, type_: TypeId) -> Vec<Vec<TypeId>> {
        let mut row = Bits::new(graph.nodes());
        match self.reverse() {
            true => graph.inward(type_.bit(), &mut row),
            false => graph.outward(type_.bit(), &mut row),
        }
        let other = row.iter().filter_map(TypeId::from_bit).take(self.limit);
        other.map(|it| if self.reverse() { vec![it, type_] } else { vec![type_, it] }).collect()
    }
}

/// The steps that `-A` allows; 0 is as good as nothing.
fn steps(words: &Words) -> Option<isize> {
    words.number("--all_paths").filter(|it| *it != 0)
}

fn type_(db: &PolicyDb, name: &str) -> Result<TypeId> {
    match db.types.find(name).filter(|it| !it.attribute) {
        Some(it) => Ok(it.id),
        None => bail!("{name} is not a valid type"),
    }
}

/// Tells what was found.
pub(super) struct Printer<'p> {
    pub(super) db: &'p PolicyDb,
    pub(super) request: &'p Request,
    pub(super) captions: Captions,
}

impl Printer<'_> {
    /// Ways to a target, told from their end if `backwards`; `rules` prints what makes a step.
    pub(super) fn ways(
        &self,
        ways: impl Iterator<Item = Vec<TypeId>>,
        backwards: bool,
        mut rules: impl FnMut(TypeId, TypeId, &mut dyn Write) -> Result<()>,
        out: &mut dyn Write,
    ) -> Result<()> {
        if let Some(file) = self.drawing() {
            return drawing::draw(self.db, ways, file);
        }
        let mut number = 0;
        for way in ways {
            number += 1;
            writeln!(out, "{} {number}:", self.captions.way)?;
            let mut steps: Vec<_> = way.windows(2).map(|it| (it[0], it[1])).collect();
            if backwards {
                steps.reverse();
            }
            for (at, step) in (1..).zip(steps) {
                self.step(self.captions.step, at, step, &mut rules, out)?;
            }
            if number < self.request.limit {
                writeln!(out)?;
            }
            out.flush()?;
        }
        writeln!(out, "\n{number} {} found.", self.captions.ways)?;
        Ok(())
    }

    /// Single steps.
    pub(super) fn singles(
        &self,
        steps: Vec<Vec<TypeId>>,
        mut rules: impl FnMut(TypeId, TypeId, &mut dyn Write) -> Result<()>,
        out: &mut dyn Write,
    ) -> Result<()> {
        if let Some(file) = self.drawing() {
            return drawing::draw(self.db, steps.into_iter(), file);
        }
        for (number, step) in (1..).zip(&steps) {
            self.step(self.captions.single, number, (step[0], step[1]), &mut rules, out)?;
        }
        writeln!(out, "\n{} {} found.", steps.len(), self.captions.singles)?;
        Ok(())
    }

    fn step(
        &self,
        caption: &str,
        number: usize,
        (from, to): (TypeId, TypeId),
        rules: &mut dyn FnMut(TypeId, TypeId, &mut dyn Write) -> Result<()>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let (source, target) = (self.db.types.name(from), self.db.types.name(to));
        writeln!(out, "{caption} {number}: {source} -> {target}")?;
        if self.request.full() { rules(from, to, out) } else { Ok(()) }
    }

    /// The file that a drawing is wanted in, instead of text.
    fn drawing(&self) -> Option<&Path> {
        self.request.words.argument("--output_file").map(Path::new)
    }
}

/// Rules as the originals print them, in order.
pub(super) fn lines(statements: &mut Statements<'_>, rules: &[Rule<'_>]) -> Vec<String> {
    let line = |rule: &Rule<'_>| {
        let mut text = Vec::new();
        statements.push(&mut text, &Found::Key(RuleKey::Rule(rule.place)));
        String::from_utf8_lossy(&text).into_owned()
    };
    let mut lines: Vec<_> = rules.iter().map(line).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// A failure as the command's last words.
pub(super) fn failed(result: Result<()>, name: &str, err: &mut dyn Write) -> Result<u8> {
    match result {
        Ok(()) => Ok(0),
        // A reader that went away is told further up.
        Err(why) if crate::is_broken_pipe(&why) => Err(why),
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
