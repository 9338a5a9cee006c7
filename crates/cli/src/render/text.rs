//! Findings as text, with the sources they are about, in the look of `rustc`.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::source::{FileId, Pos, Span};

use super::excerpt::{lossy, safe, safe_lines, word};
use super::{Call, Findings, plural};

/// How it is to look.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Columns there are.
    pub width: usize,
    /// How many findings are shown; the others are counted.
    pub most: usize,
}

impl Settings {
    /// As wide as the terminal behind standard error, if it is one.
    pub fn for_terminal() -> Self {
        let width = console::Term::stderr().size_checked().map(|it| usize::from(it.1));
        Self { width: width.unwrap_or(Self::default().width), ..Self::default() }
    }
}

/// 100 findings, 140 columns.
impl Default for Settings {
    fn default() -> Self {
        Self { width: annotate_snippets::renderer::DEFAULT_TERM_WIDTH, most: 100 }
    }
}

/// Calls shown of a longer chain, from either end.
const CALLS: usize = 8;
/// Lines between two places that are still shown as one excerpt.
const NEAR: usize = 1000;
/// Columns of a line that are worth an excerpt.
const LINE: usize = 4000;
/// Columns shown after a place.
const AFTER: usize = 300;

/// Writes all findings and a line that counts them; nothing if there are none.
///
/// # Errors
/// Those of `out`.
pub fn write(findings: &Findings<'_>, settings: Settings, out: &mut dyn Write) -> io::Result<()> {
    let groups = groups(findings);
    let renderer = Renderer::styled().term_width(settings.width.max(40));
    let mut seen: HashSet<Code> = HashSet::new();
    for group in groups.iter().take(settings.most) {
        let text = render(findings, group, seen.insert(group.first.code), &renderer);
        writeln!(out, "{text}\n")?;
    }
    let shown = groups.iter().take(settings.most).map(|it| it.spans.len()).sum::<usize>();
    let summary = findings.summary();
    if summary.is_empty() {
        return Ok(());
    }
    match findings.diagnostics.len() - shown {
        0 => writeln!(out, "{summary}"),
        hidden => writeln!(out, "and {hidden} more: {summary} in all (--max-errors 0 shows them)"),
    }
}

/// The same finding at the same place, reached through one or several calls.
struct Group<'a> {
    first: &'a Diagnostic,
    spans: Vec<Span>,
}

fn groups<'a>(findings: &Findings<'a>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: HashMap<(Code, Severity, Pos, &str), usize> = HashMap::new();
    for &it in &findings.diagnostics {
        let key = (it.code, it.severity, it.span.pos, it.message.as_str());
        match known.get(&key) {
            Some(&index) if it.span != Span::NOWHERE => groups[index].spans.push(it.span),
            _ => {
                known.insert(key, groups.len());
                groups.push(Group { first: it, spans: vec![it.span] });
            }
        }
    }
    groups
}

fn render(findings: &Findings<'_>, group: &Group<'_>, first: bool, renderer: &Renderer) -> String {
    let it = group.first;
    let level = match it.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(safe_lines(&it.message)).id(it.code.as_str());
    let mut elements = excerpts(findings, it);
    let mut say = |level: Level<'static>, text: String| elements.push(level.message(text).into());
    let own = findings.calls(it.span);
    for text in expansion(&own) {
        say(Level::NOTE, text);
    }
    if let [_, next, ..] = group.spans[..] {
        say(Level::NOTE, others(findings, group.spans.len() - 1, next));
    }
    for label in &it.labels {
        let calls = findings.calls(label.span);
        let told = own.ends_with(&calls);
        if let (Some(place), false) = (findings.place(label.span), told) {
            let calls: Vec<_> = expansion(&calls).iter().map(|it| format!("  {it}")).collect();
            say(Level::NOTE, format!("{place} is expanded\n{}", calls.join("\n")));
        }
    }
    if let Some((path, line)) = findings.sources.generated_from(it.span.pos) {
        say(Level::NOTE, format!("it comes from {}:{line}", safe(path)));
    }
    it.notes.iter().for_each(|note| say(Level::NOTE, safe_lines(note)));
    it.help.iter().for_each(|help| say(Level::HELP, safe_lines(help)));
    if first {
        say(Level::HELP.with_name("see"), format!("mandate help {}", it.code.as_str()));
    }
    renderer.render(&[title.elements(elements)])
}

fn expansion(calls: &[Call<'_>]) -> Vec<String> {
    let line = |it: &Call<'_>| format!("{} `{}` at {}", it.how, it.name, it.place);
    if calls.len() <= 2 * CALLS {
        return calls.iter().map(line).collect();
    }
    let (inner, outer) = (&calls[..CALLS], &calls[calls.len() - CALLS..]);
    let between = format!("in {} calls between these", calls.len() - 2 * CALLS);
    inner.iter().map(line).chain([between]).chain(outer.iter().map(line)).collect()
}

fn others(findings: &Findings<'_>, count: usize, next: Span) -> String {
    let outermost = findings.place(findings.expansions.outermost(next));
    let at = outermost.map(|it| format!(", such as that at {it}")).unwrap_or_default();
    format!("the same in {}{at}", plural(count, "other call"))
}

/// A place to be marked.
struct Mark<'a> {
    file: FileId,
    line: usize,
    /// First and last byte of the line.
    start: usize,
    end: usize,
    /// First and last byte of the word.
    from: usize,
    to: usize,
    column: usize,
    kind: AnnotationKind,
    label: &'a str,
}

fn mark<'a>(
    findings: &Findings<'_>,
    span: Span,
    kind: AnnotationKind,
    label: &'a str,
) -> Option<Mark<'a>> {
    let at = findings.sources.location(span.pos)?;
    let bytes = &findings.sources.file(at.file).bytes;
    let newline = |it: &u8| *it == b'\n';
    let start = bytes[..at.offset].iter().rposition(newline).map_or(0, |it| it + 1);
    let mut end =
        bytes[at.offset..].iter().position(newline).map_or(bytes.len(), |it| at.offset + it);
    if end > at.offset && bytes[end - 1] == b'\r' {
        end -= 1;
    }
    let to = at.offset + word(&bytes[at.offset..end]).len();
    // What was generated is shown where it stands; where it comes from is a note.
    let line = match findings.sources.generated_from(span.pos) {
        Some(_) => bytes[..at.offset].iter().filter(|it| newline(it)).count() + 1,
        None => at.line,
    };
    let column = at.column;
    Some(Mark { file: at.file, line, start, end, from: at.offset, to, column, kind, label })
}

/// The lines concerned, those of the finding itself first.
fn excerpts(findings: &Findings<'_>, it: &Diagnostic) -> Vec<Element<'static>> {
    let own = mark(findings, it.span, AnnotationKind::Primary, &it.label);
    let others = it
        .labels
        .iter()
        .filter_map(|label| mark(findings, label.span, AnnotationKind::Context, &label.text));
    let mut parts: Vec<Vec<Mark<'_>>> = own.into_iter().map(|it| vec![it]).collect();
    for mark in others {
        let near = |part: &&mut Vec<Mark<'_>>| {
            let near = |it: &Mark<'_>| it.file == mark.file && it.line.abs_diff(mark.line) <= NEAR;
            part.iter().any(near)
        };
        match parts.iter_mut().find(near) {
            Some(part) => part.push(mark),
            None => parts.push(vec![mark]),
        }
    }
    parts.into_iter().map(|part| excerpt(findings, part)).collect()
}

fn excerpt(findings: &Findings<'_>, mut marks: Vec<Mark<'_>>) -> Element<'static> {
    let file = findings.sources.file(marks[0].file);
    let path = safe(&file.path);
    if marks.iter().any(|it| it.from - it.start > LINE) {
        return Origin::path(path).line(marks[0].line).char_column(marks[0].column).into();
    }
    marks.sort_by_key(|it| it.from);
    let first = marks[0].line;
    let end = marks.iter().map(|it| it.end).max().unwrap_or(0);
    let mut source = String::new();
    let mut annotations: Vec<Annotation<'static>> = Vec::new();
    let mut at = marks[0].start;
    let lines = file.bytes[at..end].split(|&it| it == b'\n');
    for (number, line) in lines.enumerate() {
        let here = || marks.iter().filter(|it| it.line == first + number);
        let shown = here().map(|it| it.to - at).max().unwrap_or(0).saturating_add(AFTER);
        let line_start = source.len();
        source += &line_as_text(line, shown);
        for it in here() {
            let text = |upto: usize| safe(&lossy(&file.bytes[at..upto])).len();
            let span = line_start + text(it.from)..line_start + text(it.to);
            let label = (!it.label.is_empty()).then(|| safe_lines(it.label));
            annotations.push(it.kind.span(span).label(label));
        }
        source.push('\n');
        at += line.len() + 1;
    }
    source.pop();
    Snippet::source(source).path(path).line_start(first).annotations(annotations).into()
}

/// A line of a source, no more than about `most` bytes of it.
fn line_as_text(line: &[u8], most: usize) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line.get(..most) {
        Some(start) => safe(&lossy(start)) + "…",
        None => safe(&lossy(line)),
    }
}
