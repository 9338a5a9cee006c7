//! Answers as tables.

use std::io::Write;

use anyhow::Result;

use crate::{STRONG, styled};

/// How many names a cell shows.
const MOST: usize = 8;

/// Prints rows in columns as wide as their widest cell, under a head. Nothing is printed of a table without rows.
pub(crate) fn print<const N: usize>(
    head: [&str; N],
    rows: &[[String; N]],
    out: &mut dyn Write,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row.get(column).map_or(0, |it| it.chars().count()));
        cells.chain(head.get(column).map(|it| it.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(it, &width)| format!("{it:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    writeln!(out, "\n{}", styled(STRONG, &line(&head.map(str::to_owned))))?;
    rows.iter().try_for_each(|row| Ok(writeln!(out, "{}", line(row))?))
}

/// Names as a cell; of many only the first.
pub(crate) fn names(names: &[String]) -> String {
    match names.get(..MOST) {
        Some(first) if names.len() > MOST => {
            format!("{} and {} more", first.join(" "), names.len() - MOST)
        }
        _ => names.join(" "),
    }
}
