//! Texts, and what is read of them or said about them.

mod errors;
mod hostile;
mod statements;

use expect_test::Expect;

use super::dump::dump;
use super::parser::{ParseOptions, SourceKind, parse};
use crate::source::SourceMap;
use crate::text::Text;

/// The tree, the unknown calls and the diagnostics of a text.
fn read(text: &[u8], kind: SourceKind) -> String {
    let mut sources = SourceMap::new();
    let id = sources.add("f", text).unwrap();
    sources.honour_line_marks(id);
    let parsed = parse(&Text::of_file(sources.file(id)), ParseOptions { kind });
    let mut out = dump(&parsed.unit);
    let place = |pos| {
        let at = sources.location(pos).unwrap();
        match at.path {
            "f" => format!("{}:{}", at.line, at.column),
            path => format!("{path}:{}:{}", at.line, at.column),
        }
    };
    for call in &parsed.unknown_calls {
        let name = parsed.unit.text(call.name);
        let place = place(call.name.span.pos);
        out.push_str(&format!("{place}: call of {name}/{}\n", call.arguments));
    }
    for it in &parsed.diagnostics {
        out.push_str(&format!("{}: {} {}\n", place(it.span.pos), it.code.as_str(), it.message));
        for label in &it.labels {
            out.push_str(&format!("    {}: {}\n", place(label.span.pos), label.text));
        }
        for note in &it.notes {
            out.push_str(&format!("    note: {note}\n"));
        }
        for help in &it.help {
            out.push_str(&format!("    help: {help}\n"));
        }
    }
    out
}

/// Reads part of a source tree.
#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&read(text.as_bytes(), SourceKind::Expanded));
}

/// Reads a `policy.conf`.
#[track_caller]
fn check_policy(text: &str, expected: Expect) {
    expected.assert_eq(&read(text.as_bytes(), SourceKind::Policy));
}
