//! Parses a file and tells what is in it and how long that took: `parse FILE [policy|expanded] [TIMES]`.
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mandate_syntax::kernel::{ParseOptions, Parsed, SourceKind, Statement, StatementKind, parse};
use mandate_syntax::source::SourceMap;
use mandate_syntax::text::Text;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("parse FILE [policy|expanded] [TIMES]")?;
    let kind = match arguments.next().as_deref() {
        Some("expanded") => SourceKind::Expanded,
        _ => SourceKind::Policy,
    };
    let times: usize = arguments.next().map_or(Ok(1), |it| it.parse())?;
    let mut sources = SourceMap::new();
    let file = sources.add(path.clone(), std::fs::read(path)?)?;
    sources.honour_line_marks(file);
    let text = Text::of_file(sources.file(file));
    let mut best = Duration::MAX;
    let mut parsed = Parsed::default();
    for _ in 0..times {
        let started = Instant::now();
        parsed = parse(&text, ParseOptions { kind });
        best = best.min(started.elapsed());
    }
    for diagnostic in &parsed.diagnostics {
        let place = sources.location(diagnostic.span.pos);
        let place =
            place.map_or_else(String::new, |it| format!("{}:{}:{}", it.path, it.line, it.column));
        println!("{place}: {} {}", diagnostic.code.as_str(), diagnostic.message);
    }
    let mut counts = BTreeMap::new();
    count(&parsed.unit.statements, &mut counts);
    for (kind, number) in &counts {
        println!("{number:8} {kind}");
    }
    println!("{} statements, {} names", counts.values().sum::<usize>(), parsed.unit.names.len());
    println!("{} bytes in {best:?}", text.bytes.len());
    Ok(())
}

fn count(statements: &[Statement], counts: &mut BTreeMap<String, usize>) {
    for statement in statements {
        *counts.entry(name(&statement.kind)).or_default() += 1;
        match &statement.kind {
            StatementKind::Conditional { then, otherwise, .. } => {
                count(then, counts);
                count(otherwise, counts);
            }
            StatementKind::Optional { then, otherwise } => {
                count(then, counts);
                count(otherwise.as_deref().unwrap_or_default(), counts);
            }
            _ => {}
        }
    }
}

/// The variant's name, with the kind of a rule.
fn name(kind: &StatementKind) -> String {
    match kind {
        StatementKind::Av(rule) => format!("{:?}", rule.kind),
        StatementKind::Xperm(rule) => format!("{:?} xperm", rule.kind),
        StatementKind::TypeRule(rule) => format!("{:?}", rule.kind),
        kind => {
            let text = format!("{kind:?}");
            let end = text.find(|it: char| !it.is_alphanumeric()).unwrap_or(text.len());
            text[..end].to_owned()
        }
    }
}
