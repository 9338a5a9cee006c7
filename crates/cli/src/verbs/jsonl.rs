//! `mandate decide --jsonl`: a stream of queries answered as a kernel answers them through selinuxfs.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use mandate_policydb::{ClassId, Datum, Policy, PolicyDb, SymbolId};
use mandate_server::{
    Compute, Decision, Engine, Mode, SecurityServer, ServerError, Sid, XpermDecision,
};
use serde_json::{Map, Value, json};

use crate::Outcome;
use crate::input::{self, PolicyArgs};
use crate::verbs::jsonl_objects;

/// What selinuxfs can give back at once: a page less the head of `struct simple_transaction_argresp`.
const REPLY_LIMIT: usize = 4096 - 8;

pub(crate) fn run(
    args: &PolicyArgs,
    also: &[PathBuf],
    enforcing: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Outcome> {
    let policies: Vec<Policy> = std::iter::once(&args.policy)
        .chain(also)
        .map(|path| input::read_policy(path))
        .collect::<Result<_>>()?;
    let first = policies.first().cloned().context("no policy")?;
    let mode = if enforcing { Mode::Enforcing } else { Mode::Permissive };
    let server = SecurityServer::new(first, mode)?;
    for (name, value) in &args.booleans {
        server.set_boolean(name, *value)?;
    }
    if !args.booleans.is_empty() {
        server.commit_booleans();
    }
    let mut session = Session { server, policies, permissions: HashMap::new() };
    let mut outcome = Outcome::Success;
    let mut input = BufReader::with_capacity(1 << 16, std::io::stdin().lock());
    let mut number = 0usize;
    for line_number in 1.. {
        if input.buffer().is_empty() {
            // Whoever waits for an answer before the next question gets it.
            out.flush()?;
        }
        let mut line = String::new();
        let read = input.read_line(&mut line);
        if read.with_context(|| format!("standard input, line {line_number}"))? == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        let answer = session.answer_line(number, &line).unwrap_or_else(|problem| {
            outcome = Outcome::BadInput;
            // The stream goes on even if nobody hears the warning.
            drop(writeln!(err, "error: line {line_number}: {problem}"));
            let answer =
                [("kind", json!("answer")), ("n", json!(number)), ("error", json!("EPROTO"))];
            answer.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
        });
        serde_json::to_writer(&mut *out, &answer)?;
        out.write_all(b"\n")?;
        number += 1;
    }
    Ok(outcome)
}

struct Session {
    server: SecurityServer,
    policies: Vec<Policy>,
    /// Permissions of a class, of the present policy or else of the first: bit and name. Emptied by `load`.
    permissions: HashMap<(bool, ClassId), Vec<(u32, String)>>,
}

/// The fields of an answer, or the errno that the kernel gives.
pub(crate) type Fields = Result<Vec<(&'static str, Value)>, &'static str>;

/// A query that is not of the format.
pub(crate) type BadQuery = String;

pub(crate) struct Request {
    op: String,
    fields: Map<String, Value>,
}

impl Request {
    fn parse(line: &str) -> Result<Self, BadQuery> {
        let fields: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| format!("not a JSON object: {error}"))?;
        let op = match fields.get("op") {
            None => "access".to_owned(),
            Some(Value::String(op)) => op.clone(),
            Some(other) => return Err(format!("\"op\" must be a string, found {other}")),
        };
        Ok(Self { op, fields })
    }

    pub(crate) fn op(&self) -> &str {
        &self.op
    }

    pub(crate) fn text(&self, key: &str) -> Result<&str, BadQuery> {
        match self.fields.get(key) {
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(format!("{key:?} must be a string, found {other}")),
            None => Err(format!("op {:?} needs {key:?}", self.op)),
        }
    }

    pub(crate) fn number(&self, key: &str) -> Result<i64, BadQuery> {
        let found = match self.fields.get(key) {
            Some(Value::Bool(value)) => Some(i64::from(*value)),
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
            None => return Err(format!("op {:?} needs {key:?}", self.op)),
        };
        found.ok_or_else(|| format!("{key:?} must be a whole number"))
    }
}

/// A class as a query names it.
enum Class {
    Known(ClassId),
    /// A number that the policy does not define; an unknown name counts as 0.
    Unknown(u32),
}

impl Class {
    fn id(&self) -> Option<ClassId> {
        match self {
            Self::Known(id) => Some(*id),
            Self::Unknown(_) => None,
        }
    }
}

impl Session {
    fn answer_line(&mut self, number: usize, line: &str) -> Result<Map<String, Value>, BadQuery> {
        let mut request = Request::parse(line)?;
        let fields = self.answer(&request)?;
        let mut answer = Map::new();
        answer.insert("kind".to_owned(), json!("answer"));
        answer.insert("n".to_owned(), json!(number));
        answer.insert("op".to_owned(), json!(request.op));
        if let Some(id) = request.fields.remove("id") {
            answer.insert("id".to_owned(), id);
        }
        let fields = fields.unwrap_or_else(|errno| vec![("error", errno.into())]);
        answer.extend(fields.into_iter().map(|(key, value)| (key.to_owned(), value)));
        Ok(answer)
    }

    fn answer(&mut self, request: &Request) -> Result<Fields, BadQuery> {
        let done = || Ok(vec![("ok", Value::Bool(true))]);
        match request.op.as_str() {
            "access" => match request.fields.get("xperm") {
                Some(Value::String(xperm)) => self.xperm_access(request, xperm),
                _ => self.access(request),
            },
            "create" => self.compute(request, Compute::Create),
            "member" => self.compute(request, Compute::Member),
            "relabel" => self.compute(request, Compute::Relabel),
            "context" => {
                let sid = self.server.sid(request.text("context")?);
                Ok(sid.and_then(|sid| self.server.context(sid)).map_err(errno).and_then(context))
            }
            "user" => self.user(request),
            "validatetrans" => self.validatetrans(request),
            "getbool" => {
                let value = self.server.boolean(request.text("name")?).map_err(errno);
                let number = |value| json!(i32::from(value));
                Ok(value.map(|(value, pending)| {
                    vec![("value", number(value)), ("pending", number(pending))]
                }))
            }
            "setbool" => {
                let value = request.number("value")? != 0;
                let set = self.server.set_boolean(request.text("name")?, value);
                Ok(set.map_err(errno).and_then(|()| done()))
            }
            "commit" => {
                self.server.commit_booleans();
                Ok(done())
            }
            "setenforce" => {
                let enforcing = request.number("value")? != 0;
                self.server.set_mode(if enforcing { Mode::Enforcing } else { Mode::Permissive });
                Ok(done())
            }
            "load" => self.load(request).map(|()| done()),
            other => {
                let objects = |engine: &Engine| jsonl_objects::answer(engine.db(), request);
                let answer = self.server.with_engine(objects);
                answer.unwrap_or_else(|| Err(format!("unknown op {other:?}")))
            }
        }
    }

    fn load(&mut self, request: &Request) -> Result<(), BadQuery> {
        let which = request.number("policy")?;
        let policy = usize::try_from(which).ok().and_then(|at| self.policies.get(at)).cloned();
        let policy = policy.ok_or_else(|| {
            format!("no policy {which}: there are {}, see --also", self.policies.len())
        })?;
        self.permissions.clear();
        self.server.load(policy).map_err(|error| error.to_string())
    }

    fn class(&self, request: &Request) -> Result<Class, BadQuery> {
        let by_number = |number: u32| {
            let known = ClassId::from_value(number).filter(|&id| {
                self.server.with_engine(|engine| engine.db().classes.get(id).is_some())
            });
            known.map_or(Class::Unknown(number), Class::Known)
        };
        match request.fields.get("tclass") {
            Some(Value::Number(number)) => {
                match number.as_u64().and_then(|it| u32::try_from(it).ok()) {
                    Some(number) => Ok(by_number(number)),
                    None => Err(format!("\"tclass\" must be a name or a number, found {number}")),
                }
            }
            _ => {
                let name = request.text("tclass")?;
                Ok(match name.parse() {
                    Ok(number) => by_number(number),
                    Err(_) => self.server.class(name).map_or(Class::Unknown(0), Class::Known),
                })
            }
        }
    }

    fn pair(&self, request: &Request) -> Result<Result<(Sid, Sid), ServerError>, BadQuery> {
        let (source, target) = (request.text("scontext")?, request.text("tcontext")?);
        Ok(self.server.sid(source).and_then(|source| Ok((source, self.server.sid(target)?))))
    }

    fn access(&mut self, request: &Request) -> Result<Fields, BadQuery> {
        let class = self.class(request)?;
        let decision = self.pair(request)?.and_then(|(source, target)| match class {
            Class::Known(class) => self.server.decide(source, target, class),
            Class::Unknown(number) => self.server.decide_numbered(source, target, number),
        });
        let seqno = self.server.seqno();
        Ok(decision.map_err(errno).map(|decision| {
            let mut fields = vec![
                ("allowed", json!(decision.allowed)),
                ("decided", json!(u32::MAX)),
                ("auditallow", json!(decision.auditallow)),
                ("auditdeny", json!(decision.auditdeny)),
                ("seqno", json!(seqno)),
                ("flags", json!(flags(&decision))),
            ];
            if let Some(names) = self.names(request, &class, decision.allowed) {
                fields.push(("perms", names));
            }
            fields
        }))
    }

    /// `{"granted", "audited"}` for a query with `xperm`: would a program in that domain get through?
    fn xperm_access(&self, request: &Request, xperm: &str) -> Result<Fields, BadQuery> {
        let (base, command) = input::parse_xperm(xperm)?;
        let Class::Known(class) = self.class(request)? else { return Ok(Err("EINVAL")) };
        let answer = self.pair(request)?.and_then(|(source, target)| {
            let bit = self.server.permission(class, base.permission())?;
            let decision = self.server.decide(source, target, class)?;
            let xperm = self.server.decide_xperm(source, target, class, base, command)?;
            Ok(xperm_fields(bit, &decision, &xperm, self.server.mode()))
        });
        Ok(answer.map_err(errno))
    }

    /// Names of the allowed permissions. The kernel oracle takes them from the first policy; so do we for a class that
    /// the present one lacks.
    fn names(&mut self, request: &Request, class: &Class, bits: u32) -> Option<Value> {
        let id = class.id().or_else(|| {
            let first = self.policies.first()?.db();
            match request.fields.get("tclass")? {
                Value::String(name) => first.classes.id(name),
                number => ClassId::from_value(u32::try_from(number.as_u64()?).ok()?),
            }
        })?;
        let (server, first) = (&self.server, self.policies.first()?.db());
        let permissions = self.permissions.entry((class.id().is_some(), id)).or_insert_with(|| {
            let named = |db: &PolicyDb| -> Vec<(u32, String)> {
                db.permissions(id).map(|it| (it.id().bit(), it.name().to_owned())).collect()
            };
            let mut all = match class {
                Class::Known(_) => server.with_engine(|engine| named(engine.db())),
                Class::Unknown(_) => named(first),
            };
            all.sort_unstable();
            all
        });
        let allowed = permissions.iter().filter(|it| bits >> it.0 & 1 == 1);
        let known = class.id().is_some() || first.classes.get(id).is_some();
        known.then(|| allowed.map(|it| it.1.as_str()).collect())
    }

    fn compute(&self, request: &Request, compute: Compute) -> Result<Fields, BadQuery> {
        let class = self.class(request)?.id();
        let name = match request.fields.get("objname") {
            Some(Value::String(name)) if compute == Compute::Create && !name.is_empty() => {
                Some(name.as_bytes())
            }
            _ => None,
        };
        let text = self.pair(request)?.and_then(|(source, target)| {
            let sid = self.server.compute(compute, source, target, class, name)?;
            self.server.context(sid)
        });
        Ok(text.map_err(errno).and_then(context))
    }

    fn user(&self, request: &Request) -> Result<Fields, BadQuery> {
        let (from, user) = (request.text("context")?, request.text("user")?);
        let contexts =
            self.server.sid(from).and_then(|from| self.server.reachable(from, user)).map_err(errno);
        Ok(contexts.and_then(|contexts| {
            let count = contexts.len().to_string().len() + 1;
            let length: usize = contexts.iter().map(|it| it.len() + 1).sum();
            if count + length >= REPLY_LIMIT {
                Err("ERANGE")
            } else {
                Ok(vec![("contexts", json!(contexts))])
            }
        }))
    }

    fn validatetrans(&self, request: &Request) -> Result<Fields, BadQuery> {
        let (old, new) = (request.text("oldcontext")?, request.text("newcontext")?);
        let process = request.text("taskcontext")?;
        let class = self.class(request)?;
        let checked = || {
            let (old, new) = (self.server.sid(old)?, self.server.sid(new)?);
            let process = self.server.sid(process)?;
            let Some(class) = class.id() else { return Ok(false) };
            self.server.validate_transition(old, new, class, process).map(|()| true)
        };
        Ok(match checked().map_err(errno) {
            Ok(true) => Ok(vec![("ok", Value::Bool(true))]),
            Ok(false) => Err("EINVAL"),
            Err(errno) => Err(errno),
        })
    }
}

/// Source of what is logged: `avc_xperms_audit_required` in the kernel's `security/selinux/avc.c`.
fn xperm_fields(
    bit: u32,
    decision: &Decision,
    xperm: &XpermDecision,
    mode: Mode,
) -> Vec<(&'static str, Value)> {
    let allowed = decision.allowed & bit != 0 && xperm.allowed;
    let audited = if allowed {
        decision.auditallow & bit != 0 && (!xperm.ruled || xperm.auditallow)
    } else {
        decision.auditdeny & bit != 0 && !xperm.dontaudit
    };
    let granted = allowed || decision.permissive || mode == Mode::Permissive;
    vec![("granted", json!(granted)), ("audited", json!(audited))]
}

fn flags(decision: &Decision) -> u32 {
    u32::from(decision.permissive) | u32::from(decision.neveraudit) << 1
}

fn context(text: String) -> Fields {
    if text.len() + 1 > REPLY_LIMIT { Err("ERANGE") } else { Ok(vec![("context", text.into())]) }
}

/// The errno with which the kernel refuses.
fn errno(error: ServerError) -> &'static str {
    match error {
        ServerError::InvalidComputed(_) => "EACCES",
        ServerError::Forbidden(_) => "EPERM",
        ServerError::UnknownName { kind: "boolean", .. } => "ENOENT",
        ServerError::SidsExhausted => "ENOMEM",
        _ => "EINVAL",
    }
}
