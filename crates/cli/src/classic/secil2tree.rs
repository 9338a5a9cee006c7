//! `secil2tree`: CIL as a tree: as it is read, as its statements are understood, or as what is left of it when names are resolved.

use std::io::Write;

use anyhow::Result;
use mandate_compile::cil;
use mandate_compile::print::cil as print;
use mandate_policydb::HandleUnknown;
use mandate_syntax::cil::{Element, Keyword, Parsed, parse};
use mandate_syntax::source::{Expansions, SourceMap};

use super::getopt::{self, Spec, Word, spec};
use super::secilc::read_files;
use crate::compiler::Source;
use crate::render::{Findings, text};
use crate::replace::replace;
use crate::words;

const OPTIONS: [Spec; 6] = [
    spec('h', "help", false),
    spec('v', "verbose", false),
    spec('P', "preserve-tunables", false),
    spec('Q', "qualified-names", false),
    spec('o', "output", true),
    spec('A', "ast-phase", true),
];

/// What the original returns for a failure: -1.
const FAILED: u8 = 255;

pub(crate) fn secil2tree(words: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<u8> {
    let name = words.first().map_or("secil2tree", String::as_str);
    let (mut output, mut phase, mut files) = (None, "resolve".to_owned(), Vec::new());
    let mut options = cil::Options::default();
    for word in getopt::read(&OPTIONS, words.get(1..).unwrap_or_default()) {
        match word {
            Word::Option('o', file) => output = Some(file),
            Word::Option('A', it) => phase = it.to_ascii_lowercase(),
            Word::Option('P', _) => options.preserve_tunables = true,
            Word::Option('Q', _) => options.qualified_names = true,
            Word::Option('h', _) => return usage(name, out),
            Word::Option(..) => {}
            Word::Operand(file) => files.push(file),
            Word::Wrong(message) => writeln!(err, "{name}: {message}")?,
        }
    }
    if !matches!(phase.as_str(), "parse" | "build" | "resolve") {
        writeln!(err, "Invalid AST phase: {phase}")?;
        return usage(name, out);
    }
    if files.is_empty() {
        writeln!(err, "No cil files specified")?;
        return usage(name, out);
    }
    let Some(sources) = read_files(&files, err)? else { return Ok(FAILED) };
    let shown = match phase.as_str() {
        "resolve" => show_resolved(sources, &options, err)?,
        phase => show_read(sources, phase, err)?,
    };
    let Some(shown) = shown else { return Ok(FAILED) };
    let written = match output {
        Some(path) => replace(&words::to_path(&path), |file| Ok(file.write_all(shown.as_bytes())?)),
        None => Ok(out.write_all(shown.as_bytes())?),
    };
    if written.is_err() {
        writeln!(err, "Failed to write AST")?;
        return Ok(FAILED);
    }
    Ok(0)
}

/// The files as they were read; nothing after an error.
fn show_read(sources: Vec<Source>, phase: &str, err: &mut dyn Write) -> Result<Option<String>> {
    let mut map = SourceMap::new();
    let mut shown = String::new();
    for source in sources {
        let id = map.add(source.path.as_str(), source.bytes)?;
        let parsed = parse(map.file(id));
        if !parsed.diagnostics.is_empty() {
            let expansions = Expansions::default();
            let findings = Findings::new(&map, &expansions, &parsed.diagnostics);
            text::write(&findings, text::Settings::for_terminal(), err)?;
            return Ok(None);
        }
        if phase == "parse" {
            show_parsed(&source.path, &parsed, &mut shown);
        } else {
            show_built(&source.path, &parsed, &mut shown);
        }
    }
    Ok(Some(shown))
}

/// What is left when all names are resolved. Macros, calls, inheritance and optionals are worked off.
fn show_resolved(
    sources: Vec<Source>,
    options: &cil::Options,
    err: &mut dyn Write,
) -> Result<Option<String>> {
    let (mut map, mut expansions) = (SourceMap::new(), Expansions::default());
    let mut ids = Vec::new();
    for source in sources {
        ids.push(map.add(source.path.as_str(), source.bytes)?);
    }
    let parsed = cil::read(&mut map, &ids);
    let mut lowered = cil::lower(parsed, options, &mut expansions);
    let mut text = Vec::new();
    if !lowered.failed() {
        let handle_unknown = lowered.handle_unknown.unwrap_or(HandleUnknown::Deny);
        let layout = print::Layout::Policy { mls: lowered.mls, handle_unknown };
        let printed = print::print(&lowered.units, &print::Options { layout, line_marks: None });
        lowered.diagnostics.extend(printed.diagnostics);
        text = printed.text;
    }
    let findings = Findings::new(&map, &expansions, &lowered.diagnostics).without_notes();
    text::write(&findings, text::Settings::for_terminal(), err)?;
    Ok((!lowered.failed()).then(|| String::from_utf8_lossy(&text).into_owned()))
}

fn line(depth: usize, text: &str, out: &mut String) {
    out.push_str(&"    ".repeat(depth));
    out.push_str(text);
    out.push('\n');
}

/// Each word and parenthesis on a line of its own.
fn show_parsed(path: &str, parsed: &Parsed, out: &mut String) {
    line(0, "(", out);
    for word in ["<src_info>", "cil", "1", path] {
        line(1, word, out);
    }
    for statement in parsed.tree.statements() {
        show_element(statement, parsed, 1, out);
    }
    line(0, ")", out);
}

fn show_element(element: Element<'_>, parsed: &Parsed, depth: usize, out: &mut String) {
    if let Some(word) = element.word() {
        return line(depth, &shown(parsed.names.name(word)), out);
    }
    if element.children().is_empty() {
        return line(depth, "()", out);
    }
    line(depth, "(", out);
    for child in element.children() {
        show_element(child, parsed, depth + 1, out);
    }
    line(depth, ")", out);
}

/// A statement on a line, those of a container below it.
fn show_built(path: &str, parsed: &Parsed, out: &mut String) {
    line(0, &format!(";;* lms 1 {path}"), out);
    for statement in parsed.tree.statements() {
        show_statement(statement, parsed, 0, out);
    }
    line(0, ";;* lme", out);
}

fn show_statement(statement: Element<'_>, parsed: &Parsed, depth: usize, out: &mut String) {
    let keyword = statement.children().next().and_then(|it| Keyword::of(it.word()?));
    let head = match keyword {
        Some(Keyword::Block | Keyword::Optional | Keyword::BooleanIf | Keyword::TunableIf) => 2,
        Some(Keyword::True | Keyword::False) => 1,
        Some(Keyword::Macro) => 3,
        Some(Keyword::In) => {
            let mut words = statement.children().skip(1).take_while(|it| !it.is_list());
            1 + words.by_ref().count()
        }
        _ => {
            let mut text = String::new();
            flat(statement, parsed, &mut text);
            return line(depth, &text, out);
        }
    };
    let mut text = String::from("(");
    for (number, part) in statement.children().take(head).enumerate() {
        if number > 0 {
            text.push(' ');
        }
        flat(part, parsed, &mut text);
    }
    line(depth, &text, out);
    for child in statement.children().skip(head) {
        show_statement(child, parsed, depth + 1, out);
    }
    line(depth, ")", out);
}

/// A word, in quotes if it has what stands in strings alone.
fn shown(word: &str) -> String {
    let plain = |it: u8| it.is_ascii_graphic() && !b"();\"\\".contains(&it);
    if word.bytes().all(plain) && !word.is_empty() {
        word.to_owned()
    } else {
        format!("\"{word}\"")
    }
}

fn flat(element: Element<'_>, parsed: &Parsed, out: &mut String) {
    if let Some(word) = element.word() {
        out.push_str(&shown(parsed.names.name(word)));
        return;
    }
    out.push('(');
    for (number, child) in element.children().enumerate() {
        if number > 0 {
            out.push(' ');
        }
        flat(child, parsed, out);
    }
    out.push(')');
}

fn usage(name: &str, out: &mut dyn Write) -> Result<u8> {
    writeln!(
        out,
        "Usage: {name} [OPTION]... FILE...

Options:
  -o, --output=<file>      write to <file> (default: standard output)
  -P, --preserve-tunables  treat tunables as booleans
  -Q, --qualified-names    names may have dots
  -A, --ast-phase=<phase>  parse, build or resolve (default: resolve)
  -v, --verbose            accepted
  -h, --help               show this"
    )?;
    Ok(1)
}
