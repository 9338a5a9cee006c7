//! Explained denials as JSON; the shape is in docs/explain.md.

use mandate_audit::explain::{
    Cause, End, Explanation, Fix, Group, MissingTransition, Reason, happened,
};
use serde_json::{Map, Value, json};

/// A group of denials with its explanation.
pub(crate) fn group(group: &Group<'_>, explanation: &Explanation) -> Value {
    let access = group.first;
    let texts =
        |all: &[&[u8]]| -> Value { all.iter().map(|it| String::from_utf8_lossy(it)).collect() };
    let refused = explanation.refused.iter().map(|it| {
        let mut value = fix(&it.fix);
        value["place"] = json!(it.place);
        value
    });
    json!({
        "count": group.count,
        "what": happened(access),
        "scontext": access.scontext,
        "tcontext": access.tcontext,
        "class": access.tclass,
        "permissions": access.permissions,
        "permissive": access.permissive,
        "objects": texts(&group.objects),
        "programs": texts(&group.programs),
        "reasons": explanation.reasons.iter().map(reason).collect::<Vec<_>>(),
        "notes": explanation.notes.iter().map(|it| it.name()).collect::<Vec<_>>(),
        "fixes": explanation.fixes.iter().map(fix).collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
    })
}

fn reason(reason: &Reason) -> Value {
    let mut value = cause(&reason.cause);
    value["cause"] = json!(reason.cause.name());
    value["permissions"] = json!(reason.permissions);
    value["sentence"] = json!(reason.cause.sentence());
    value
}

fn end(end: End) -> &'static str {
    match end {
        End::Source => "scontext",
        End::Target => "tcontext",
    }
}

fn set(settings: &[(String, bool)]) -> Value {
    let settings = settings.iter().map(|(name, on)| (name.clone(), Value::Bool(*on)));
    Value::Object(settings.collect::<Map<_, _>>())
}

/// What a cause holds besides its name.
fn cause(cause: &Cause) -> Value {
    match cause {
        Cause::Mislabelled(it) => json!({
            "path": it.path, "folder": it.folder, "has": it.has, "expected": it.expected, "made": it.made,
            "line": it.line, "file": it.place.0, "number": it.place.1, "whole": it.whole, "deleted": it.deleted,
        }),
        Cause::Boolean(sets) => {
            json!({ "booleans": sets.iter().map(|it| set(it)).collect::<Vec<_>>() })
        }
        Cause::MissingTransition(MissingTransition::Process { program, domain, may }) => {
            json!({ "class": "process", "program": program, "domain": domain, "may": may })
        }
        Cause::MissingTransition(MissingTransition::Object { folder, result, of, name }) => {
            json!({ "folder": folder, "result": result, "of": of, "name": name })
        }
        Cause::Constraint(it) => {
            let comparisons = it.comparisons.iter();
            let comparisons = comparisons.map(|it| json!({ "text": it.text, "holds": it.holds }));
            json!({
                "statement": it.statement, "part": it.part.name(),
                "comparisons": comparisons.collect::<Vec<_>>(),
            })
        }
        Cause::RoleAllow { from, to } => json!({ "from": from, "to": to }),
        Cause::RoleType { end: of, role, type_ } => {
            json!({ "end": end(*of), "role": role, "type": type_ })
        }
        Cause::UserRole { end: of, user, role } => {
            json!({ "end": end(*of), "user": user, "role": role })
        }
        Cause::InvalidContext { end: of, context, why } => {
            json!({ "end": end(*of), "context": context, "why": why })
        }
        Cause::UnknownName { end: of, kind, name } => {
            json!({ "end": end(*of), "kind": kind, "name": name })
        }
        Cause::UnknownClass(name) => json!({ "class": name }),
        Cause::UnknownPermission { class, permission } => {
            json!({ "class": class, "permission": permission })
        }
        Cause::Bounds { source, target } => json!({ "source": source, "target": target }),
        Cause::Xperm { operation, command } => {
            json!({ "operation": operation, "command": command })
        }
        _ => json!({}),
    }
}

fn fix(fix: &Fix) -> Value {
    let mut value = match fix {
        Fix::Relabel { path, below, whole } => {
            json!({ "path": path, "below": below, "whole": whole })
        }
        Fix::Booleans(settings) => json!({ "booleans": set(settings) }),
        Fix::Interface { call, excess } => json!({ "call": call, "excess": excess }),
        Fix::Rules(rules) => json!({ "cil": rules.to_cil() }),
        _ => json!({}),
    };
    value["fix"] = json!(fix.name());
    value["lines"] = json!(fix.lines());
    value
}
