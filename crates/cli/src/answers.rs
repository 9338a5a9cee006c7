//! Answers to questions about a policy, written while they are made.

use std::io::Write;

use anyhow::Result;
use mandate_query::Statements;
use mandate_query::search::Found;

/// How much text is gathered before it is written.
const CHUNK: usize = 1 << 16;

/// Writes rules, each on a line of its own.
pub(crate) fn print_rules(
    statements: &mut Statements<'_>,
    found: &[Found<'_>],
    out: &mut dyn Write,
) -> Result<()> {
    let mut text = Vec::with_capacity(CHUNK * 2);
    for rule in found {
        statements.push(&mut text, rule);
        text.push(b'\n');
        if text.len() >= CHUNK {
            out.write_all(&text)?;
            text.clear();
        }
    }
    Ok(out.write_all(&text)?)
}
