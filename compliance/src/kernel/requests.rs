//! Queries as the lines that the guest program reads.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The fields of an operation, in the order in which the guest takes them.
fn fields(op: &str) -> Option<&'static [&'static str]> {
    Some(match op {
        "access" | "create" | "member" | "relabel" => &["scontext", "tcontext", "tclass"],
        "context" => &["context"],
        "user" => &["context", "user"],
        "validatetrans" => &["oldcontext", "newcontext", "tclass", "taskcontext"],
        "setenforce" => &["value"],
        "getbool" | "initial_sid" => &["name"],
        "setbool" => &["name", "value"],
        "load" => &["policy"],
        "read" => &["path"],
        "commit" => &[],
        _ => return None,
    })
}

/// The operation that a query names.
pub(super) fn op(query: &Value) -> &str {
    query.get("op").and_then(Value::as_str).unwrap_or("access")
}

/// Is it answered by a program that makes the call?
pub(super) fn is_program(query: &Value) -> bool {
    query.get("xperm").is_some()
}

/// All queries, one line each.
pub(super) fn encode(queries: &[Value]) -> Result<String> {
    let mut lines = String::with_capacity(queries.len() * 128);
    for (n, query) in queries.iter().enumerate() {
        encode_one(&mut lines, query).with_context(|| format!("query {n}: {query}"))?;
    }
    Ok(lines)
}

fn encode_one(line: &mut String, query: &Value) -> Result<()> {
    let op = op(query);
    let fields = fields(op).with_context(|| format!("the kernel answers no {op:?}"))?;
    line.push_str(if is_program(query) { "xperm" } else { op });
    for field in fields {
        let value = query.get(*field).with_context(|| format!("no {field:?}"))?;
        line.push('\t');
        push_value(line, value, matches!(op, "context" | "read"))?;
    }
    if let Some(name) = query.get("objname").and_then(Value::as_str) {
        line.push('\t');
        push_object_name(line, name);
    }
    if let Some(xperm) = query.get("xperm").and_then(Value::as_str) {
        let (kind, number) = xperm.split_once('=').context("xperm is kind=number")?;
        write!(line, "\t{kind}\t{number}")?;
    }
    line.push('\n');
    Ok(())
}

/// The kernel takes requests apart at white space, so most values cannot hold any.
fn push_value(line: &mut String, value: &Value, spaces: bool) -> Result<()> {
    match value {
        Value::String(text) => {
            let bad = |c: char| matches!(c, '\t' | '\n' | '\0') || !spaces && c.is_whitespace();
            ensure!(!text.contains(bad), "white space in {text:?}");
            line.push_str(text);
        }
        Value::Bool(flag) => line.push(if *flag { '1' } else { '0' }),
        Value::Number(number) => write!(line, "{number}")?,
        _ => bail!("{value} is neither text nor a number"),
    }
    Ok(())
}

/// The kernel's own coding of a file name in a create request.
fn push_object_name(line: &mut String, name: &str) {
    for byte in name.bytes() {
        match byte {
            b' ' => line.push('+'),
            b'%' | b'+' | 0..=32 | 127..=255 => {
                let _memory_takes_all = write!(line, "%{byte:02x}");
            }
            _ => line.push(char::from(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn object_names_are_escaped() {
        let query = json!({"op": "create", "scontext": "s", "tcontext": "t", "tclass": "file", "objname": "a b%+é"});
        assert_eq!(encode(&[query]).ok().as_deref(), Some("create\ts\tt\tfile\ta+b%25%2b%c3%a9\n"));
    }

    #[test]
    fn white_space_is_refused() {
        let query = json!({"scontext": "a b", "tcontext": "t", "tclass": 5});
        assert!(encode(&[query]).is_err());
    }

    #[test]
    fn programs_are_an_operation_of_their_own() {
        let query =
            json!({"scontext": "s", "tcontext": "t", "tclass": "file", "xperm": "ioctl=0x8910"});
        assert_eq!(encode(&[query]).ok().as_deref(), Some("xperm\ts\tt\tfile\tioctl\t0x8910\n"));
    }
}
