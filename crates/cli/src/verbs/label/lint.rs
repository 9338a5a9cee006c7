//! `mandate label lint`: lines of file contexts that are wrong or without effect.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use super::common::Tables;
use crate::{Outcome, STRONG, input, labels, styled};

/// Arguments of `label lint`.
#[derive(clap::Args)]
#[command(after_help = "\
What is found: errors; duplicate and conflict (the same pattern twice in a file); shadowed (another line decides about all that the
line matches); unreachable (a substitution leads its paths elsewhere); unknown-context (with --policy).")]
pub(super) struct Args {
    #[command(flatten)]
    tables: Tables,
    /// The contexts must be this policy's
    #[arg(long, short, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A line of the answer.
struct Row {
    file: String,
    line: u32,
    column: Option<u32>,
    kind: &'static str,
    message: String,
    text: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<Outcome> {
    let loaded = labels::open(&args.tables.file()?)?;
    let policy = args.policy.as_deref().map(input::read_policy).transpose()?;
    let unknown = |context: &str| {
        let known = policy.as_ref()?.db().parse_context(context);
        known.err().map(|it| it.to_string())
    };
    let mut rows: Vec<Row> = loaded
        .errors
        .iter()
        .map(|it| Row {
            file: it.source_name.clone(),
            line: it.error.line,
            column: Some(it.error.column),
            kind: "error",
            message: it.error.kind.to_string(),
            text: None,
        })
        .collect();
    rows.extend(loaded.table.lint(unknown).into_iter().map(|it| Row {
        file: it.line.source().to_owned(),
        line: it.line.number(),
        column: None,
        kind: it.kind.name(),
        message: it.kind.to_string(),
        text: Some(it.line.to_string()),
    }));
    if args.json {
        let rows: Vec<Value> = rows.iter().map(json_of).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?;
    } else {
        rows.iter().try_for_each(|it| text(it, out))?;
        writeln!(out, "{}", summary(&rows, loaded.table.len()))?;
    }
    Ok(if rows.is_empty() { Outcome::Success } else { Outcome::Faulty })
}

fn text(row: &Row, out: &mut dyn Write) -> Result<()> {
    let column = row.column.map_or_else(String::new, |it| format!(":{it}"));
    let kind = styled(STRONG, row.kind);
    writeln!(out, "{}:{}{column}: {kind}: {}", row.file, row.line, row.message)?;
    match &row.text {
        Some(text) => Ok(writeln!(out, "    {text}")?),
        None => Ok(()),
    }
}

fn json_of(row: &Row) -> Value {
    json!({
        "file": row.file,
        "line": row.line,
        "column": row.column,
        "kind": row.kind,
        "message": row.message,
        "text": row.text,
    })
}

fn summary(rows: &[Row], lines: usize) -> String {
    let kinds = ["error", "duplicate", "conflict", "shadowed", "unreachable", "unknown-context"];
    let counts = kinds.map(|kind| (rows.iter().filter(|it| it.kind == kind).count(), kind));
    let counts: Vec<String> = counts
        .iter()
        .filter(|it| it.0 > 0)
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    let found = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
    format!("{lines} lines: {found}")
}
