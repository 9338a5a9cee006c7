//! Findings as JSON; the shape is in docs/json.md.

use mandate_syntax::diagnostic::{Diagnostic, Severity};
use serde_json::{Value, json};

use super::{Findings, severity};

/// All findings; `most` of them if given, while `errors` and `warnings` count all.
pub fn to_json(findings: &Findings<'_>, most: Option<usize>) -> Value {
    let shown = findings.diagnostics.iter().take(most.unwrap_or(usize::MAX));
    json!({
        "diagnostics": shown.map(|it| finding(findings, it)).collect::<Vec<_>>(),
        "errors": findings.count(Severity::Error),
        "warnings": findings.count(Severity::Warning),
    })
}

fn finding(findings: &Findings<'_>, it: &Diagnostic) -> Value {
    let place = findings.place(it.span);
    let place = place.as_ref();
    let calls = findings.calls(it.span).into_iter().map(|call| {
        let place = call.place;
        json!({ "macro": call.name, "file": place.file, "line": place.line, "column": place.column })
    });
    let labels = it.labels.iter().filter_map(|label| {
        let place = findings.place(label.span)?;
        let (file, line, column) = (place.file, place.line, place.column);
        Some(json!({ "file": file, "line": line, "column": column, "message": label.text }))
    });
    json!({
        "code": it.code.as_str(),
        "title": it.code.title(),
        "severity": severity(it.severity),
        "message": it.message,
        "file": place.map(|it| it.file),
        "line": place.map(|it| it.line),
        "column": place.map(|it| it.column),
        "label": it.label,
        "expansion": calls.collect::<Vec<_>>(),
        "labels": labels.collect::<Vec<_>>(),
        "notes": it.notes,
        "help": it.help,
    })
}
