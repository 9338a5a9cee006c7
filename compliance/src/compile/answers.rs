//! Two binary policies asked the same: theirs and ours, both by our engine, and theirs by libsepol too.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use mandate_server::Compute;

use super::tables;
use crate::objects;
use crate::ours::{Server, Vectors};
use crate::place::Place;
use crate::queries::{Access, Draw, Pool};
use crate::random::Random;
use crate::report::Comparison;
use crate::sepol::Sepol;
use crate::vocabulary::Vocabulary;

/// How often booleans are set within a run; the first part of it keeps them as shipped.
const ROUNDS: usize = 4;
/// How many booleans are set each time.
const SET: usize = 12;
/// One decision in so many is asked of libsepol as well.
const OF_SEPOL: usize = 10;

/// What the originals made of a tree.
#[derive(Clone, Copy, Debug)]
pub struct Theirs<'a> {
    /// By `checkpolicy`.
    pub plain: &'a Path,
    /// By way of CIL, which is right about the types of roles.
    pub linked: &'a Path,
}

/// Asks both policies `n` decisions and everything that can be asked exhaustively.
///
/// # Errors
/// When a policy cannot be loaded or libsepol fails.
pub fn compare(
    place: &Place,
    name: &str,
    ours: &Path,
    theirs: Theirs<'_>,
    n: usize,
    seed: u64,
) -> Result<Vec<Comparison>> {
    let mut all = ask(place, name, ours, theirs.plain, n, seed)?;
    all.push(sentences(name, ours, theirs)?);
    Ok(all)
}

/// Asks both policies `n` decisions, contexts of new objects and of those that have no label of their own.
///
/// # Errors
/// When a policy cannot be loaded or libsepol fails.
pub fn ask(
    place: &Place,
    name: &str,
    ours: &Path,
    theirs: &Path,
    n: usize,
    seed: u64,
) -> Result<Vec<Comparison>> {
    let mut both = Both::load(place, name, ours, theirs, seed)?;
    Ok(vec![both.contexts(), both.decisions(n)?, both.created(n / 10), both.objects()])
}

/// Every table of [`tables::TABLES`] holds the same sentences.
fn sentences(name: &str, ours: &Path, theirs: Theirs<'_>) -> Result<Comparison> {
    let (ours, linked) = (tables::read(ours)?, tables::read(theirs.linked)?);
    let theirs = tables::read(theirs.plain)?;
    let mut comparison = Comparison::new(format!("{name}: symbols, transitions, constraints"));
    for (what, table) in tables::TABLES {
        let mut theirs = table(&theirs);
        if what == "roles" {
            theirs.extend(table(&linked).into_iter().filter(|it| it.contains(" types ")));
        }
        sets(what, &table(&ours), &theirs, &mut comparison);
    }
    Ok(comparison.done())
}

/// Counts each sentence of either set once.
pub fn sets(what: &str, ours: &BTreeSet<String>, theirs: &BTreeSet<String>, to: &mut Comparison) {
    for _same in ours.intersection(theirs) {
        to.agree();
    }
    let told = "told".to_owned();
    let missing = "not told".to_owned();
    for only in ours.difference(theirs) {
        to.disagree(format!("{what}: {only}"), told.clone(), missing.clone());
    }
    for only in theirs.difference(ours) {
        to.disagree(format!("{what}: {only}"), missing.clone(), told.clone());
    }
}

/// Both policies, loaded, and questions that theirs suggests.
struct Both<'a> {
    name: &'a str,
    seed: u64,
    sepol: Sepol,
    vocabulary: Vocabulary,
    pool: Pool,
    ours: Server,
    theirs: Server,
}

impl<'a> Both<'a> {
    fn load(place: &Place, name: &'a str, ours: &Path, theirs: &Path, seed: u64) -> Result<Self> {
        let mut sepol = Sepol::load(place, theirs)?;
        let vocabulary = sepol.vocabulary()?;
        let pool = Pool::fill(&vocabulary, &mut sepol, seed)?;
        let (ours, theirs) = (load(ours)?, load(theirs)?);
        Ok(Self { name, seed, sepol, vocabulary, pool, ours, theirs })
    }

    fn comparison(&self, what: &str) -> Comparison {
        Comparison::new(format!("{}: {what}, seed {}", self.name, self.seed))
    }

    /// Every context of the pool exists on both sides, with the same text.
    fn contexts(&mut self) -> Comparison {
        let mut comparison = self.comparison("contexts");
        let some = self.theirs.initial_context();
        for pooled in &self.pool.contexts {
            let [ours, theirs] = [&mut self.ours, &mut self.theirs].map(|server| {
                server.add_context(&pooled.text).unwrap_or_else(|why| {
                    // Another one in its place, so that those after it keep their numbers.
                    let _refused_too = server.add_context(&some);
                    why.to_string()
                })
            });
            comparison.equal(|| pooled.text.clone(), &ours, &theirs);
        }
        comparison.done()
    }

    fn decisions(&mut self, n: usize) -> Result<Comparison> {
        let mut comparison = self.comparison("decisions");
        let (vocabulary, pool) = (self.vocabulary.clone(), self.pool.clone());
        let mut draw = Draw::new(&vocabulary, &pool, self.seed);
        for round in 0..=ROUNDS {
            let set = if round == 0 { Vec::new() } else { draw.booleans(SET) };
            self.set_booleans(&set, &mut comparison)?;
            let asked: Vec<Access> = (0..n / (ROUNDS + 1)).map(|_| draw.access()).collect();
            let state = format!("{set:?}");
            self.asked_of_ours(&asked, &state, &mut comparison);
            self.asked_of_sepol(&asked, &state, &mut comparison)?;
        }
        Ok(comparison.done())
    }

    fn set_booleans(&mut self, set: &[(String, bool)], to: &mut Comparison) -> Result<()> {
        self.theirs.set_booleans(set)?;
        if let Err(why) = self.ours.set_booleans(set) {
            to.disagree(format!("setting {set:?}"), format!("{why:#}"), "set".into());
        }
        let set = set.iter().map(|(name, on)| format!("setbool\t{name}\t{}", u8::from(*on)));
        self.sepol.ask(&set.chain(["commit".to_owned()]).collect::<Vec<_>>())?;
        Ok(())
    }

    fn asked_of_ours(&self, asked: &[Access], state: &str, to: &mut Comparison) {
        for &access in asked {
            let (ours, theirs) = (self.ours.access(access), self.theirs.access(access));
            let (ours, theirs) = (self.masked(access, ours), self.masked(access, theirs));
            to.equal(|| format!("{} {state}", self.shown(access)), &ours, &theirs);
        }
    }

    /// Theirs all the way: libsepol about their policy against our engine about ours.
    fn asked_of_sepol(&mut self, asked: &[Access], state: &str, to: &mut Comparison) -> Result<()> {
        let some: Vec<Access> = asked.iter().copied().step_by(OF_SEPOL).collect();
        let questions: Vec<String> =
            some.iter().map(|access| crate::decisions::question(&self.pool, *access)).collect();
        for (access, answer) in some.iter().zip(self.sepol.ask(&questions)?) {
            let (ours, theirs) = (self.ours.access(*access), Vectors::parse(&answer)?);
            let (ours, theirs) = (self.masked(*access, ours), self.masked(*access, theirs));
            to.equal(|| format!("{} {state} (libsepol)", self.shown(*access)), &ours, &theirs);
        }
        Ok(())
    }

    /// `*` is every bit to checkpolicy up to 3.7 and every permission to later ones; no question can tell.
    fn masked(&self, access: Access, vectors: Vectors) -> Vectors {
        vectors.masked(self.theirs.permissions(access.class))
    }

    /// Contexts of new objects, with every name that a filename transition asks for.
    fn created(&self, n: usize) -> Comparison {
        let mut comparison = self.comparison("contexts of new and relabelled objects");
        let mut draw = Draw::new(&self.vocabulary, &self.pool, self.seed);
        let mut random = Random::new(self.seed);
        let names = &self.vocabulary.filename_transitions;
        for turn in 0..n {
            let asked = draw.create();
            let compute = match turn % 5 {
                0 => Compute::Member,
                1 => Compute::Relabel,
                _ => Compute::Create,
            };
            let name = random.pick(names).filter(|_| turn % 2 == 0).map(|it| it.name.as_str());
            let [ours, theirs] =
                [&self.ours, &self.theirs].map(|server| server.computed(compute, asked, name));
            comparison.equal(
                || format!("{compute:?} {} {name:?}", self.shown(asked)),
                &ours,
                &theirs,
            );
        }
        comparison.done()
    }

    fn objects(&self) -> Comparison {
        let mut comparison = self.comparison("contexts of ports, nodes, filesystems");
        for object in objects::questions(&self.vocabulary, &mut Random::new(self.seed)) {
            let (ours, theirs) = (self.ours.object(&object), self.theirs.object(&object));
            comparison.equal(|| object.to_string().replace('\t', " "), &ours, &theirs);
        }
        comparison.done()
    }

    fn shown(&self, access: Access) -> String {
        let text = |context: usize| self.pool.contexts.get(context).map_or("?", |it| &it.text);
        let class = self.vocabulary.classes.get(&access.class).map_or("?", String::as_str);
        format!("{} {} {class}", text(access.source), text(access.target))
    }
}

fn load(path: &Path) -> Result<Server> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Server::load(&bytes)
}
