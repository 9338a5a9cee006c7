//! The guest's records, and the JSON answers made of them.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::requests::{is_program, op};

/// All that the guest told.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) answers: Vec<Value>,
    pub(super) log: Vec<String>,
    pub(super) read_back: Option<Vec<u8>>,
    pub(super) failed: Option<(String, String)>,
    pub(super) ended: bool,
    first_policy: Map<String, Value>,
    policies: usize,
    classes: Classes,
}

/// Permission names of the policy that is loaded at the moment.
#[derive(Debug, Default)]
struct Classes {
    permissions: HashMap<String, Vec<(u32, String)>>,
    by_number: HashMap<String, String>,
}

impl Classes {
    fn add_permission(&mut self, class: &str, name: &str, bit: u32) {
        let list = self.permissions.entry(class.to_owned()).or_default();
        let at = list.partition_point(|(other, _)| *other < bit);
        list.insert(at, (bit, name.to_owned()));
    }

    /// The permissions that `class` (a name or a number) has among the bits of `vector`.
    fn names(&self, class: &str, vector: u32) -> Option<Vec<Value>> {
        let name = self.by_number.get(class).map_or(class, String::as_str);
        let list = self.permissions.get(name)?;
        let set =
            list.iter().filter(|(bit, _)| bit.checked_sub(1).is_some_and(|b| vector >> b & 1 == 1));
        Some(set.map(|(_, name)| Value::from(name.as_str())).collect())
    }
}

/// Reads every record; the last ones are missing when the guest died.
pub(super) fn read(raw: &[u8], queries: &[Value]) -> Result<Told> {
    let mut told = Told { answers: Vec::with_capacity(queries.len()), ..Told::default() };
    let mut rest = raw;
    while let Some(end) = rest.iter().position(|&b| b == b'\n') {
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        if let Some(size) = text.strip_prefix("R\t") {
            let size: usize = size.parse().context("the size of the policy read back")?;
            told.read_back = rest.get(..size).map(<[u8]>::to_vec);
            rest = rest.get(size + 1..).unwrap_or_default();
        } else {
            told.record(&text, queries).with_context(|| format!("the guest's record {text:?}"))?;
        }
    }
    told.note_audits(queries);
    Ok(told)
}

impl Told {
    /// The state of the kernel right after boot, as one object.
    pub(super) fn status(&self) -> Value {
        Value::Object(self.first_policy.clone())
    }

    fn record(&mut self, line: &str, queries: &[Value]) -> Result<()> {
        let mut fields = line.split('\t');
        let kind = fields.next().unwrap_or_default();
        let mut next = || fields.next().unwrap_or_default();
        match kind {
            "Q" => {
                let n = self.answers.len();
                let query = queries.get(n).context("more answers than queries")?;
                let answer = answer(query, n, [next(), next(), next()], &self.classes)?;
                self.answers.push(answer);
            }
            "N" => {
                self.policies += 1;
                self.classes = Classes::default();
            }
            "C" => {
                let (name, number) = (next(), next());
                self.classes.by_number.insert(number.to_owned(), name.to_owned());
                self.classes.permissions.entry(name.to_owned()).or_default();
            }
            "P" => self.classes.add_permission(next(), next(), next().parse()?),
            "K" => self.log_line(&unescape(next())),
            "S" => self.status_line(next(), &unescape(next())),
            "F" => self.failed = Some((next().to_owned(), next().to_owned())),
            "END" => self.ended = true,
            _ => {}
        }
        Ok(())
    }

    fn status_line(&mut self, key: &str, value: &str) {
        if self.policies <= 1 {
            let value = value.parse::<i64>().map_or_else(|_| Value::from(value), Value::from);
            self.first_policy.insert(key.to_owned(), value);
        }
    }

    fn log_line(&mut self, line: &str) {
        if line.contains("SELinux") || line.contains("avc:") {
            self.log.push(line.to_owned());
        }
    }

    /// Adds whether the call of each program was audited: its record names the query.
    fn note_audits(&mut self, queries: &[Value]) {
        let decisions =
            self.log.iter().filter(|line| line.contains("{ ioctl }") || line.contains("{ nlmsg"));
        let by: Vec<&str> =
            decisions.filter_map(|line| line.split_once("comm=\"")?.1.split('"').next()).collect();
        for (n, (query, answer)) in queries.iter().zip(&mut self.answers).enumerate() {
            if is_program(query) && answer.get("granted").is_some() {
                let name = format!("q{n}");
                answer["audited"] = Value::from(by.contains(&name.as_str()));
            }
        }
    }
}

fn answer(
    query: &Value,
    n: usize,
    [how, reply, step]: [&str; 3],
    classes: &Classes,
) -> Result<Value> {
    let op = op(query);
    let mut answer = json!({"kind": "answer", "n": n, "op": op});
    if let Some(id) = query.get("id") {
        answer["id"] = id.clone();
    }
    if how == "err" {
        answer["error"] = reply.into();
        answer["step"] = step.into();
        return Ok(answer);
    }
    let reply = unescape(reply);
    match op {
        "access" if is_program(query) => answer["granted"] = (reply == "granted").into(),
        "access" => decision(&mut answer, query, &reply, classes).context("a decision")?,
        "create" | "member" | "relabel" | "context" | "initial_sid" => {
            answer["context"] = reply.trim_end_matches(['\0', '\n']).into();
        }
        "user" => {
            let list = reply.split('\0').skip(1).filter(|context| !context.is_empty());
            answer["contexts"] = list.collect::<Vec<_>>().into();
        }
        "getbool" => {
            let (value, pending) = reply.split_once(' ').context("a boolean")?;
            answer["value"] = value.parse::<i64>()?.into();
            answer["pending"] = pending.trim().parse::<i64>()?.into();
        }
        "read" => answer["text"] = reply.as_ref().into(),
        _ => answer["ok"] = true.into(),
    }
    Ok(answer)
}

/// `allowed decided auditallow auditdeny seqno flags`, most in hexadecimal.
fn decision(answer: &mut Value, query: &Value, reply: &str, classes: &Classes) -> Result<()> {
    let fields: Vec<&str> = reply.split_whitespace().collect();
    let [allowed, decided, auditallow, auditdeny, seqno, flags] = fields[..] else {
        anyhow::bail!("{reply:?}");
    };
    let hex = |text| u32::from_str_radix(text, 16);
    let vector = hex(allowed)?;
    answer["allowed"] = vector.into();
    answer["decided"] = hex(decided)?.into();
    answer["auditallow"] = hex(auditallow)?.into();
    answer["auditdeny"] = hex(auditdeny)?.into();
    answer["seqno"] = seqno.parse::<u32>()?.into();
    answer["flags"] = hex(flags)?.into();
    let class = match query.get("tclass") {
        Some(Value::String(name)) => name.clone(),
        Some(number) => number.to_string(),
        None => String::new(),
    };
    if let Some(names) = classes.names(&class, vector) {
        answer["perms"] = names.into();
    }
    Ok(())
}

/// Undoes the guest's escapes.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next().unwrap_or('\\') {
                '0' => '\0',
                't' => '\t',
                'n' => '\n',
                other => other,
            },
            _ => c,
        });
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: &str = "N\nC\tfile\t3\nP\tfile\twrite\t2\nP\tfile\tread\t1\n";

    fn ask(query: &Value, record: &str) -> Value {
        let raw = format!("{CLASSES}{record}\nEND\t1\n");
        let told = read(raw.as_bytes(), std::slice::from_ref(query)).expect("well-formed records");
        assert!(told.ended);
        told.answers[0].clone()
    }

    #[test]
    fn a_decision_names_its_permissions_by_bit() {
        let query = json!({"scontext": "s", "tcontext": "t", "tclass": 3, "id": "x"});
        let answer = ask(&query, "Q\tok\t3 ffffffff 0 fffffffb 1 0");
        assert_eq!(answer["perms"], json!(["read", "write"]));
        assert_eq!(answer["auditdeny"], json!(0xffff_fffb_u32));
        assert_eq!(answer["id"], json!("x"));
    }

    #[test]
    fn reachable_contexts_come_after_their_count() {
        let query = json!({"op": "user", "context": "c", "user": "u"});
        assert_eq!(
            ask(&query, "Q\tok\t2\\0a:b:c\\0d:e:f\\0")["contexts"],
            json!(["a:b:c", "d:e:f"])
        );
    }

    #[test]
    fn a_refusal_has_errno_and_step() {
        let query = json!({"op": "context", "context": "c"});
        let answer = ask(&query, "Q\terr\tEINVAL\twrite");
        assert_eq!((&answer["error"], &answer["step"]), (&json!("EINVAL"), &json!("write")));
    }

    #[test]
    fn audit_records_find_their_query() {
        let query = json!({"scontext": "s", "tcontext": "t", "tclass": "file", "xperm": "ioctl=1"});
        let raw = "Q\tok\tdenied\nK\tavc:  denied  { ioctl } for pid=2 comm=\"q0\" path=\"/x\"\n";
        let told = read(raw.as_bytes(), &[query]).expect("well-formed records");
        assert_eq!(told.answers[0]["audited"], json!(true));
    }
}
