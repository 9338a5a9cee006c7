//! Asks libsepol, through a small C program compiled when it is first needed.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::originals;
use crate::place::{Place, cached, fingerprint, run};
use crate::vocabulary::Vocabulary;

const SOURCE: &str = include_str!("../oracle/sepol.c");

/// A running libsepol that holds one policy.
#[derive(Debug)]
pub struct Sepol {
    child: Child,
    questions: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Sepol {
    /// Starts libsepol with a policy.
    ///
    /// # Errors
    /// When the program cannot be compiled or started.
    pub fn load(place: &Place, policy: &Path) -> Result<Self> {
        let mut child = Command::new(program(place)?)
            .arg(policy)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the program that asks libsepol")?;
        let questions = BufWriter::new(child.stdin.take().context("its input is a pipe")?);
        let answers = BufReader::new(child.stdout.take().context("its output is a pipe")?);
        Ok(Self { child, questions, answers })
    }

    /// Asks many questions at once; the answers come in their order.
    ///
    /// # Errors
    /// When libsepol's program ends before it has answered all.
    pub fn ask(&mut self, questions: &[String]) -> Result<Vec<String>> {
        let Self { questions: input, answers, .. } = self;
        std::thread::scope(|scope| {
            let asking = scope.spawn(move || {
                for question in questions {
                    writeln!(input, "{question}")?;
                }
                writeln!(input, "flush")?;
                input.flush()
            });
            let read: Result<Vec<String>> = questions.iter().map(|_| line(answers)).collect();
            let asked = asking.join().map_err(|_| anyhow::anyhow!("asking libsepol panicked"))?;
            let read = read?;
            asked.context("asking libsepol")?;
            Ok(read)
        })
    }

    /// Asks one question.
    ///
    /// # Errors
    /// When libsepol's program ends before it has answered.
    pub fn ask_one(&mut self, question: impl Into<String>) -> Result<String> {
        self.ask(&[question.into()])?.pop().context("one question has one answer")
    }

    /// Puts a context into the pool: its number there and its canonical text, or nothing
    /// when libsepol refuses it.
    ///
    /// # Errors
    /// When libsepol's program ends before it has answered.
    pub fn context(&mut self, text: &str) -> Result<Option<(usize, String)>> {
        let answer = self.ask_one(format!("context\t{text}"))?;
        let Some((number, canonical)) = answer.split_once('\t') else { return Ok(None) };
        Ok(Some((number.parse()?, canonical.to_owned())))
    }

    /// The names and rules of the policy.
    ///
    /// # Errors
    /// When libsepol's program ends before it has told all.
    pub fn vocabulary(&mut self) -> Result<Vocabulary> {
        writeln!(self.questions, "dump\nflush").context("asking libsepol")?;
        self.questions.flush().context("asking libsepol")?;
        let mut lines = Vec::new();
        loop {
            match line(&mut self.answers)? {
                end if end == "." => break,
                line => lines.push(line),
            }
        }
        Vocabulary::parse(lines.iter().map(String::as_str))
    }
}

impl Drop for Sepol {
    fn drop(&mut self) {
        // It has nothing to save; both calls only fail when it has ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn line(answers: &mut BufReader<ChildStdout>) -> Result<String> {
    let mut line = String::new();
    if answers.read_line(&mut line).context("reading libsepol's answer")? == 0 {
        bail!("libsepol's program ended early");
    }
    line.truncate(line.trim_end_matches('\n').len());
    Ok(line)
}

/// Compiles the program, once for each version of libsepol and of its source.
fn program(place: &Place) -> Result<PathBuf> {
    let source = place.work.join("sepol.c");
    let name = format!("sepol-{:016x}", fingerprint(SOURCE));
    let program = place.work.join(originals::versions()?).join(name);
    cached(&program, |path| {
        std::fs::write(&source, SOURCE).context("writing sepol.c")?;
        let mut gcc = Command::new("gcc");
        gcc.args(["-O2", "-o"]).arg(path).arg(&source).arg("-l:libsepol.a");
        run(&mut gcc).map(drop)
    })?;
    Ok(program)
}
