//! `compute_av`, `compute_create`, `compute_member`, `compute_relabel`, `validatetrans` of libselinux's utilities.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use mandate_policydb::{ClassId, Context, Datum, PolicyDb, SymbolId};
use mandate_server::{Compute, Engine, Query};

use crate::input;

const USAGE: u8 = 1;
const INVALID_CLASS: u8 = 2;
const FAILED: u8 = 3;
const INVALID_SOURCE: u8 = 4;
const INVALID_TARGET: u8 = 5;
const INVALID_NEW: u8 = 6;

/// What all of these commands are given.
struct Request {
    name: String,
    engine: Engine,
    source: Context,
    target: Context,
    class: ClassId,
    rest: Vec<String>,
}

/// Looks up what all have in common; `Err` is the exit code of a wrong argument, told already.
fn request(
    words: &[String],
    usage: &str,
    most: usize,
    err: &mut dyn Write,
) -> Result<Result<Request, u8>> {
    let name = words.first().cloned().unwrap_or_default();
    let (policy, arguments) = super::split_policy(words);
    let ([source, target, class], rest) = match arguments {
        [source, target, class, rest @ ..] if rest.len() <= most => ([source, target, class], rest),
        _ => {
            writeln!(err, "usage:  {name} {usage}")?;
            return Ok(Err(USAGE));
        }
    };
    let engine = input::read_engine(Path::new(policy.unwrap_or(input::KERNEL_POLICY)))?;
    let db = engine.db();
    let Ok(source) = db.parse_context(source) else {
        writeln!(err, "{name}:  invalid source context '{source}'")?;
        return Ok(Err(INVALID_SOURCE));
    };
    let Ok(target) = db.parse_context(target) else {
        writeln!(err, "{name}:  invalid target context '{target}'")?;
        return Ok(Err(INVALID_TARGET));
    };
    let Some(class) = db.classes.id(class) else {
        writeln!(err, "{name}:  invalid class '{class}'")?;
        return Ok(Err(INVALID_CLASS));
    };
    let rest = rest.to_vec();
    Ok(Ok(Request { name, engine, source, target, class, rest }))
}

pub(crate) fn compute_av(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let request = match request(words, "scontext tcontext tclass", 0, err)? {
        Ok(request) => request,
        Err(code) => return Ok(code),
    };
    let Request { engine, source, target, class, .. } = &request;
    let decision = engine.decide(&Query { source, target, class: *class });
    let vector = |bits| access_vector(engine.db(), *class, bits);
    writeln!(out, "allowed={}", vector(decision.allowed))?;
    if decision.auditallow != 0 {
        writeln!(out, "auditallow={}", vector(decision.auditallow))?;
    }
    if decision.auditdeny != !0 {
        writeln!(out, "auditdeny={}", vector(decision.auditdeny))?;
        writeln!(out, "dontaudit={}", vector(!decision.auditdeny))?;
    }
    Ok(0)
}

/// As libselinux's `print_access_vector`: from the first bit without a name on, the rest as a number.
fn access_vector(db: &PolicyDb, class: ClassId, bits: u32) -> String {
    if bits == 0 {
        return " null".to_owned();
    }
    let mut text = " {".to_owned();
    let mut rest = bits;
    while rest != 0 {
        let bit = rest.trailing_zeros();
        let Some(permission) = db.permissions(class).find(|it| it.id().bit() == bit) else {
            text += &format!(" {rest:#x}");
            break;
        };
        text.push(' ');
        text += permission.name();
        rest &= rest - 1;
    }
    text + " }"
}

pub(crate) fn compute_create(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    compute(words, Compute::Create, out, err)
}

pub(crate) fn compute_member(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    compute(words, Compute::Member, out, err)
}

pub(crate) fn compute_relabel(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    compute(words, Compute::Relabel, out, err)
}

fn compute(
    words: &[String],
    compute: Compute,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let (usage, most) = match compute {
        Compute::Create => ("scontext tcontext tclass [objname]", 1),
        Compute::Member | Compute::Relabel => ("scontext tcontext tclass", 0),
    };
    let request = match request(words, usage, most, err)? {
        Ok(request) => request,
        Err(code) => return Ok(code),
    };
    let Request { name, engine, source, target, class, rest } = &request;
    let object = rest.first().map(|it| it.as_bytes()).filter(|it| !it.is_empty());
    let function = match compute {
        Compute::Create => "security_compute_create",
        Compute::Member => "security_compute_member",
        Compute::Relabel => "security_compute_relabel",
    };
    // A file does not say whether it is enforced, so a context that is not allowed is told as a permissive kernel does.
    match engine.compute_context(compute, source, target, Some(*class), object) {
        Ok(context) => {
            writeln!(out, "{}", engine.db().context_to_string(&context))?;
            Ok(0)
        }
        Err(_) => {
            writeln!(err, "{name}:  {function} failed:  Invalid argument")?;
            Ok(FAILED)
        }
    }
}

pub(crate) fn validatetrans(
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8> {
    let usage = "scontext tcontext tclass newcontext";
    let arguments = super::split_policy(words).1;
    if arguments.len() != 4 {
        writeln!(err, "usage:  {} {usage}", words.first().map_or("validatetrans", String::as_str))?;
        return Ok(USAGE);
    }
    let request = match request(words, usage, 1, err)? {
        Ok(request) => request,
        Err(code) => return Ok(code),
    };
    let Request { name, engine, source, target, class, rest } = &request;
    let new = rest.first().map_or("", String::as_str);
    let Ok(process) = engine.db().parse_context(new) else {
        writeln!(err, "{name}:  invalid new context '{new}'")?;
        return Ok(INVALID_NEW);
    };
    // The original returns the function's −1 as its exit code.
    let (result, text, code) = match engine.validate_transition(source, target, *class, &process) {
        Ok(()) => (0, "Success", 0),
        Err(_) => (-1, "Operation not permitted", 255),
    };
    writeln!(out, "security_validatetrans returned {result} errno: {text}")?;
    Ok(code)
}
