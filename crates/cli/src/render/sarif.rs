//! Findings as SARIF 2.1.0 (OASIS), which code hosts and editors read.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use serde_json::{Value, json};

use super::{Findings, Place, severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// All findings as one run of `mandate`; `most` of them if given.
pub fn to_sarif(findings: &Findings<'_>, most: Option<usize>) -> Value {
    let mut codes: Vec<Code> = findings.diagnostics.iter().map(|it| it.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let shown = findings.diagnostics.iter().take(most.unwrap_or(usize::MAX));
    let results: Vec<Value> = shown.map(|it| result(findings, &codes, it)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "mandate",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": codes.iter().map(|it| rule(*it)).collect::<Vec<_>>(),
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    let help = format!("{}\n\nmandate help {}", code.explanation(), code.as_str());
    json!({
        "id": code.as_str(),
        "name": format!("{code:?}"),
        "shortDescription": { "text": code.title() },
        "fullDescription": { "text": code.title() },
        "help": { "text": help.trim_start() },
        "defaultConfiguration": { "level": if code.as_str().starts_with('W') { "warning" } else { "error" } },
    })
}

fn result(findings: &Findings<'_>, codes: &[Code], it: &Diagnostic) -> Value {
    let more = it.notes.iter().chain(&it.help).map(|text| format!("\n{text}"));
    let label = if it.label.is_empty() { String::new() } else { format!(": {}", it.label) };
    let message = format!("{}{label}{}", it.message, more.collect::<String>());
    let locations: Vec<Value> = findings
        .place(it.span)
        .map(|place| json!({ "physicalLocation": physical(&place) }))
        .into_iter()
        .collect();
    let labels = it
        .labels
        .iter()
        .filter_map(|label| Some((findings.place(label.span)?, label.text.clone())));
    let calls = findings.calls(it.span).into_iter().map(|call| {
        let text = format!("{} `{}`", call.how, call.name);
        (call.place, text)
    });
    let related = labels.chain(calls).enumerate().map(|(id, (place, text))| {
        json!({ "id": id, "physicalLocation": physical(&place), "message": { "text": text } })
    });
    json!({
        "ruleId": it.code.as_str(),
        "ruleIndex": codes.binary_search(&it.code).unwrap_or(0),
        "level": severity(it.severity),
        "message": { "text": message },
        "locations": locations,
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

fn physical(place: &Place<'_>) -> Value {
    json!({
        "artifactLocation": { "uri": uri(place.file) },
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endColumn": place.column + place.width,
        },
    })
}

/// A path as a URI reference: relative as it is, absolute with a scheme.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for &byte in path.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("policy/a b.te"), "policy/a%20b.te");
        assert_eq!(uri("/tmp/x:y"), "file:///tmp/x%3Ay");
    }
}
