//! `mandate m4`: what macros expand to, for the curious and for comparing with `m4`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use mandate_syntax::m4::{Expanded, Machine};
use mandate_syntax::source::{Expansions, SourceMap};
use mandate_syntax::text::Text;

use crate::render::{Findings, text};
use crate::{Outcome, sources};

/// Arguments of `m4`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Define a macro first (repeatable)
    #[arg(short = 'D', value_name = "NAME[=VALUE]")]
    defines: Vec<String>,
    /// Taken for m4's sake: errors always end with exit code 1
    #[arg(short = 'E', action = clap::ArgAction::Count, hide = true)]
    fatal: u8,
    /// Write #line lines where the output leaves the sequence of its source
    #[arg(short = 's')]
    lines: bool,
    /// Files, read one after the other; - or none for standard input
    files: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome> {
    let mut machine = Machine::new();
    for define in &args.defines {
        let (name, value) = define.split_once('=').unwrap_or((define, ""));
        machine.define(name, value);
    }
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin } else { args.files.as_slice() };
    let mut map = SourceMap::new();
    for path in files {
        map.add(path.to_string_lossy(), sources::read_source(path)?)?;
    }
    let inputs: Vec<Text> = map.files().iter().map(Text::of_file).collect();
    let mut expansions = Expansions::default();
    let mut recorder = expansions.recorder(0);
    let expanded = machine.run(&inputs.iter().collect::<Vec<_>>(), &map, &mut recorder);
    expansions.set(0, recorder);
    for message in &expanded.messages {
        write!(err, "{}", message.text)?;
    }
    if args.lines {
        write_with_lines(&expanded, &map, &expansions, out)?;
    } else {
        out.write_all(&expanded.text.bytes)?;
    }
    text::write(
        &Findings::new(&map, &expansions, &expanded.diagnostics),
        text::Settings::for_terminal(),
        err,
    )?;
    let good = expanded.diagnostics.is_empty() && expanded.exit.is_none_or(|it| it == 0);
    Ok(if good { Outcome::Success } else { Outcome::Faulty })
}

/// The output with a `#line` before each line that does not follow, in its source, on the one before it.
fn write_with_lines(
    expanded: &Expanded,
    map: &SourceMap,
    expansions: &Expansions,
    out: &mut dyn Write,
) -> Result<()> {
    let mut next: Option<(&str, usize)> = None;
    let mut offset = 0;
    let mut starts = LineStarts::default();
    for line in expanded.text.bytes.split_inclusive(|&it| it == b'\n') {
        let span = expansions.outermost(expanded.text.span(offset));
        let at = starts.line(map, span.pos);
        if let Some((path, number)) = at
            && at != next
        {
            match next {
                Some((last, _)) if last == path => writeln!(out, "#line {number}")?,
                _ => writeln!(out, "#line {number} {path:?}")?,
            }
        }
        out.write_all(line)?;
        next = at.or(next).map(|(path, number)| (path, number + 1));
        offset += line.len();
    }
    Ok(())
}

/// Finds lines quickly: where each line of each file starts.
#[derive(Default)]
struct LineStarts(std::collections::HashMap<u32, Vec<usize>>);

impl LineStarts {
    fn line<'a>(
        &mut self,
        map: &'a SourceMap,
        pos: mandate_syntax::source::Pos,
    ) -> Option<(&'a str, usize)> {
        let (id, offset) = map.locate(pos)?;
        let file = map.file(id);
        let starts = self.0.entry(id.0).or_insert_with(|| {
            let ends = file.bytes.iter().enumerate().filter(|it| *it.1 == b'\n');
            std::iter::once(0).chain(ends.map(|it| it.0 + 1)).collect()
        });
        Some((&file.path, starts.partition_point(|&it| it <= offset)))
    }
}
