//! Decisions of libsepol and ours on the same random questions.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::ours::{self, Server, Vectors};
use crate::place::Place;
use crate::queries::{Access, Draw, Pool};
use crate::reference::Reference;
use crate::report::{Comparison, Report};
use crate::sepol::Sepol;
use crate::vocabulary::Vocabulary;

/// How often booleans are set within a run; the first half of it keeps them as shipped.
const ROUNDS: usize = 4;
/// How many booleans are set each time.
const SET: usize = 12;
/// How many of the questions `mandate decide --jsonl` is asked too, at most.
const BY_PROGRAM: usize = 20_000;

/// Compares `n` decisions on each policy.
///
/// # Errors
/// When libsepol or `mandate` does not run to its end, or the report cannot be written.
pub fn run(
    place: &Place,
    references: &[Reference],
    n: usize,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<()> {
    report.heading("libsepol: contexts and decisions")?;
    let compared: Vec<Result<Vec<Comparison>>> = std::thread::scope(|scope| {
        let runs: Vec<_> = references
            .iter()
            .map(|reference| scope.spawn(move || Run::start(place, reference, seed)?.compare(n)))
            .collect();
        let joined = runs.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|run| run.unwrap_or_else(|_| anyhow::bail!("the comparison panicked"))).collect()
    });
    for comparisons in compared {
        for comparison in comparisons? {
            report.add(&comparison)?;
        }
    }
    Ok(())
}

/// Both sides, loaded with one policy.
struct Run<'a> {
    place: &'a Place,
    reference: &'a Reference,
    seed: u64,
    sepol: Sepol,
    server: Server,
    vocabulary: Vocabulary,
    pool: Pool,
}

impl<'a> Run<'a> {
    fn start(place: &'a Place, reference: &'a Reference, seed: u64) -> Result<Self> {
        let path = reference.binary();
        let mut sepol = Sepol::load(place, &path)?;
        let vocabulary = sepol.vocabulary()?;
        let pool = Pool::fill(&vocabulary, &mut sepol, seed)?;
        let server = Server::load(&read(&path)?)?;
        Ok(Self { place, reference, seed, sepol, server, vocabulary, pool })
    }

    fn name(&self, what: &str) -> String {
        format!("{}: {what}, seed {}", self.reference.flavour.name(), self.seed)
    }

    fn compare(mut self, n: usize) -> Result<Vec<Comparison>> {
        let contexts = self.contexts();
        let (vocabulary, pool) = (self.vocabulary.clone(), self.pool.clone());
        let mut draw = Draw::new(&vocabulary, &pool, self.seed);
        let mut decisions = Comparison::new(self.name("decisions"));
        let shipped: Vec<Access> = (0..n / 2).map(|_| draw.access()).collect();
        self.decisions(&shipped, "booleans as shipped", &mut decisions)?;
        let by_program =
            self.by_program(shipped.get(..BY_PROGRAM.min(n / 4)).unwrap_or(&shipped))?;
        for _ in 0..ROUNDS {
            let set = self.set_booleans(&mut draw)?;
            let asked: Vec<Access> = (0..n / 2 / ROUNDS).map(|_| draw.access()).collect();
            self.decisions(&asked, &set, &mut decisions)?;
        }
        Ok(vec![contexts, decisions.done(), by_program])
    }

    /// Every context of the pool has the same canonical text on both sides.
    fn contexts(&mut self) -> Comparison {
        let mut comparison = Comparison::new(self.name("contexts"));
        for pooled in &self.pool.contexts {
            let ours = self.server.add_context(&pooled.text);
            let ours = ours.unwrap_or_else(|why| why.to_string());
            comparison.equal(|| pooled.text.clone(), &ours, &pooled.text);
        }
        comparison.done()
    }

    /// Sets booleans on both sides; says which.
    fn set_booleans(&mut self, draw: &mut Draw<'_>) -> Result<String> {
        let set = draw.booleans(SET);
        let mut questions: Vec<String> = set
            .iter()
            .map(|(name, value)| format!("setbool\t{name}\t{}", u8::from(*value)))
            .collect();
        questions.push("commit".to_owned());
        self.sepol.ask(&questions)?;
        self.server.set_booleans(&set)?;
        let shown: Vec<String> =
            set.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok(shown.join(" "))
    }

    fn decisions(&mut self, asked: &[Access], state: &str, to: &mut Comparison) -> Result<()> {
        let theirs = self.theirs(asked)?;
        for (access, theirs) in asked.iter().zip(theirs) {
            let ours = self.server.access(*access);
            to.equal(|| format!("{} ({state})", self.shown(*access)), &ours, &theirs);
        }
        Ok(())
    }

    fn theirs(&mut self, asked: &[Access]) -> Result<Vec<Vectors>> {
        let questions: Vec<String> =
            asked.iter().map(|access| question(&self.pool, *access)).collect();
        let answers = self.sepol.ask(&questions)?;
        answers.iter().map(|answer| Vectors::parse(answer)).collect()
    }

    fn shown(&self, access: Access) -> String {
        let text = |context: usize| self.pool.contexts.get(context).map_or("?", |it| &it.text);
        let class = self.vocabulary.classes.get(&access.class).map_or("?", String::as_str);
        format!("{} {} {class}", text(access.source), text(access.target))
    }

    /// The same through the program, in the JSON that it speaks.
    fn by_program(&mut self, asked: &[Access]) -> Result<Comparison> {
        let mut comparison = Comparison::new(self.name("mandate decide --jsonl"));
        let queries: Vec<Value> = asked.iter().map(|access| self.json(*access)).collect();
        let theirs = self.theirs(asked)?;
        let answers = match ours::ask_mandate(self.place, &self.reference.binary(), &queries) {
            Ok(answers) => answers,
            Err(why) => {
                comparison.disagree("all".into(), format!("{why:#}"), "answers".into());
                return Ok(comparison);
            }
        };
        for ((query, answer), theirs) in queries.iter().zip(&answers).zip(theirs) {
            let field = |name: &str| answer.get(name).and_then(Value::as_u64);
            let all = [
                ("allowed", theirs.allowed),
                ("auditallow", theirs.auditallow),
                ("auditdeny", theirs.auditdeny),
            ];
            if all.iter().all(|(name, value)| field(name) == Some(u64::from(*value))) {
                comparison.agree();
            } else {
                comparison.disagree(query.to_string(), answer.to_string(), theirs.to_string());
            }
        }
        Ok(comparison.done())
    }

    fn json(&self, access: Access) -> Value {
        let text = |context: usize| self.pool.contexts.get(context).map_or("?", |it| &it.text);
        let class = self.vocabulary.classes.get(&access.class);
        json!({"scontext": text(access.source), "tcontext": text(access.target), "tclass": class})
    }
}

/// An access question as libsepol's program reads it.
#[must_use]
pub fn question(pool: &Pool, access: Access) -> String {
    let number = |context: usize| pool.contexts.get(context).map_or(0, |pooled| pooled.number);
    format!("access\t{}\t{}\t{}", number(access.source), number(access.target), access.class)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}
