//! The graphs of `sedta -o` and `seinfoflow -o`: the language of Graphviz, and pictures that its `dot` makes of it.

use std::collections::HashSet;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use mandate_policydb::{PolicyDb, TypeId};

use crate::replace::replace;
use crate::verbs::sources::has_ending;

/// Draws ways into a file: as text if its name ends in `.dot` or `.gv`, otherwise as PNG whatever it is called, like the
/// originals.
pub(super) fn draw(
    db: &PolicyDb,
    ways: impl Iterator<Item = Vec<TypeId>>,
    file: &Path,
) -> Result<()> {
    let text = graph(db, ways);
    let drawn = if has_ending(file, "dot") || has_ending(file, "gv") {
        text.into_bytes()
    } else {
        png(&text)?
    };
    replace(file, |to| Ok(to.write_all(&drawn)?))
}

/// Each step once, in the order in which the ways take them.
fn graph(db: &PolicyDb, ways: impl Iterator<Item = Vec<TypeId>>) -> String {
    let name = |it| db.types.name(it).replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = "digraph {\n  rankdir=LR;\n".to_owned();
    let mut drawn = HashSet::new();
    for way in ways {
        for step in way.windows(2).filter(|it| drawn.insert((it[0], it[1]))) {
            text += &format!("  \"{}\" -> \"{}\";\n", name(step[0]), name(step[1]));
        }
    }
    text + "}\n"
}

/// The graph as a picture.
fn png(graph: &str) -> Result<Vec<u8>> {
    let mut dot = Command::new("dot");
    let child = dot.arg("-Tpng").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Err(why) if why.kind() == ErrorKind::NotFound => bail!(
            "a picture needs the program dot: install Graphviz, or name a file that ends in .dot for the graph as text"
        ),
        child => child.context("running dot")?,
    };
    let input = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // Aside, since dot may answer before it has read all. If it reads no further its exit code says why.
        scope.spawn(move || input.map(|mut it| it.write_all(graph.as_bytes())));
        child.wait_with_output()
    });
    let output = output.context("running dot")?;
    ensure!(output.status.success(), "dot cannot draw the graph: {}", output.status);
    Ok(output.stdout)
}
