//! Asks the originals: kernels, several policies in one boot, and libsepol.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Case, Oracle, comparable};
use crate::kernel::{Backend, Job, Kernel, tail};
use crate::place::{cached, run};

/// How many policies share one boot.
pub const SHARE: usize = 40;
const SEPOL: &str = include_str!("../../oracle/ocontexts.c");
/// Loaded at boot and between cases: it has no booleans, whose values a kernel would carry over.
const BETWEEN: &str = "empty";

/// The originals that answer micro queries.
#[derive(Clone, Debug)]
pub struct Originals {
    work: PathBuf,
}

/// One boot's queries, and which answers belong to which case.
#[derive(Default)]
struct Boot {
    policies: Vec<Vec<u8>>,
    queries: Vec<Value>,
    parts: Vec<std::ops::Range<usize>>,
}

impl Originals {
    /// Originals that keep what they need in `work`.
    #[must_use]
    pub fn new(work: &Path) -> Self {
        Self { work: work.to_owned() }
    }

    /// The answers to each case's queries; all cases have the same oracle.
    ///
    /// # Errors
    /// When an original cannot be brought or does not answer.
    pub fn ask(&self, cases: &[&Case]) -> Result<Vec<Vec<Value>>> {
        let Some(first) = cases.first() else { return Ok(Vec::new()) };
        let backend = match first.oracle {
            Oracle::Sepol => return cases.iter().map(|case| self.ask_sepol(case)).collect(),
            Oracle::Kernel | Oracle::Guest => Backend::Uml,
            Oracle::KernelNew | Oracle::GuestNew => Backend::Qemu,
        };
        let kernel = Kernel::prepare(backend, &self.work.join("kernel"))?;
        let mut answers = Vec::with_capacity(cases.len());
        for chunk in cases.chunks(SHARE) {
            answers.extend(boot(chunk)?.ask(&kernel)?);
        }
        Ok(answers)
    }

    fn ask_sepol(&self, case: &Case) -> Result<Vec<Value>> {
        let queries = case.queries()?;
        let lines: Result<Vec<String>> = queries.iter().map(sepol_question).collect();
        let mut child = Command::new(self.sepol_program()?)
            .arg(case.binary())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the program that asks libsepol")?;
        let mut input = child.stdin.take().context("its input is a pipe")?;
        input.write_all(lines?.concat().as_bytes())?;
        drop(input);
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "libsepol and {}: {}", case.name, output.status);
        let text = String::from_utf8(output.stdout)?;
        let replies: Vec<&str> = text.lines().collect();
        ensure!(replies.len() == queries.len(), "libsepol left out answers of {}", case.name);
        queries.iter().zip(replies).map(|(query, reply)| sepol_answer(query, reply)).collect()
    }

    fn sepol_program(&self) -> Result<PathBuf> {
        let source =
            self.work.join(format!("ocontexts-{}.c", &super::sha256(SEPOL.as_bytes())[..16]));
        let program = source.with_extension("");
        cached(&program, |part| {
            std::fs::write(&source, SEPOL).context("writing the program that asks libsepol")?;
            run(Command::new("gcc")
                .args(["-O2", "-w", "-o"])
                .arg(part)
                .arg(&source)
                .arg("-l:libsepol.a"))?;
            Ok(())
        })?;
        Ok(program)
    }
}

/// Puts the cases behind each other, each with its policy loaded and nothing left of the last.
fn boot(cases: &[&Case]) -> Result<Boot> {
    let mut boot = Boot::default();
    let micro =
        cases.first().and_then(|case| case.folder.parent()).context("a case has a folder")?;
    let between = micro.join(BETWEEN).join("policy.bin");
    boot.policies
        .push(std::fs::read(&between).with_context(|| format!("reading {}", between.display()))?);
    for case in cases {
        boot.add(case)?;
    }
    Ok(boot)
}

impl Boot {
    fn add(&mut self, case: &Case) -> Result<()> {
        let base = self.policies.len();
        for (_, binary) in case.files()? {
            self.policies.push(
                std::fs::read(&binary).with_context(|| format!("reading {}", binary.display()))?,
            );
        }
        self.queries.push(json!({"op": "load", "policy": base, "id": case.name}));
        self.queries.push(json!({"op": "setenforce", "value": u8::from(case.enforcing)}));
        let start = self.queries.len();
        for mut query in case.queries()? {
            if query.get("op").is_some_and(|op| op == "load") {
                let number = query["policy"].as_u64().context("a load has a number")?;
                query["policy"] = (base as u64 + number).into();
            }
            self.queries.push(query);
        }
        self.parts.push(start..self.queries.len());
        self.queries.push(json!({"op": "setenforce", "value": 0}));
        self.queries.push(json!({"op": "load", "policy": 0}));
        Ok(())
    }

    fn ask(&self, kernel: &Kernel) -> Result<Vec<Vec<Value>>> {
        let policies: Vec<&[u8]> = self.policies.iter().map(Vec::as_slice).collect();
        let told = kernel.ask(&Job::new(&policies, &self.queries))?;
        for (query, answer) in self.queries.iter().zip(&told.answers) {
            let own = query.get("op").is_some_and(|op| op == "load" || op == "setenforce");
            let name = query.get("id").and_then(Value::as_str).unwrap_or_default();
            ensure!(!own || answer.get("ok").is_some(), "{name}: {answer}\n{}", tail(&told.log));
        }
        let part = |range: &std::ops::Range<usize>| {
            told.answers[range.clone()].iter().cloned().map(comparable).collect()
        };
        Ok(self.parts.iter().map(part).collect())
    }
}

/// The fields of an operation that libsepol answers, in the program's order.
fn sepol_question(query: &Value) -> Result<String> {
    let op = query.get("op").and_then(Value::as_str).unwrap_or("access");
    let fields: &[&str] = match op {
        "access" => &["scontext", "tcontext", "tclass"],
        "port" => &["protocol", "port"],
        "node" => &["address"],
        "netif" | "initial_sid" => &["name"],
        "genfs" => &["fstype", "path", "tclass"],
        "fs_use" => &["fstype"],
        "ibpkey" => &["subnet_prefix", "pkey"],
        "ibendport" => &["device", "port"],
        _ => anyhow::bail!("libsepol is not asked {op:?}"),
    };
    let mut line = op.to_owned();
    for field in fields {
        let value = query.get(*field).with_context(|| format!("{query} has no {field:?}"))?;
        line.push('\t');
        line.push_str(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    line.push('\n');
    Ok(line)
}

/// The program writes the answer's own fields as JSON; the operation comes from the query.
fn sepol_answer(query: &Value, reply: &str) -> Result<Value> {
    let mut answer: Value = serde_json::from_str(reply).with_context(|| reply.to_owned())?;
    answer["op"] = query.get("op").cloned().unwrap_or_else(|| "access".into());
    Ok(answer)
}
