//! Reads a module's files line by line: comments, and what stands below them.

use std::ops::Range;

use mandate_compile::refpolicy::ModuleTexts;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::text::Text;
use rustc_hash::FxHashMap;

use super::{Boolean, Place, Places};
use crate::comment::{self, Comment, Line};

/// What stands in the files of a module.
#[derive(Default)]
pub(super) struct Scanned {
    pub(super) about: Comment,
    pub(super) interfaces: Vec<Definition>,
    pub(super) booleans: Vec<Boolean>,
    pub(super) notes: FxHashMap<String, String>,
    pub(super) told: Vec<Diagnostic>,
}

/// An interface, and where its text is.
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) template: bool,
    pub(super) about: Comment,
    pub(super) place: Place,
    pub(super) body: Range<usize>,
    pub(super) used: usize,
    pub(super) deprecated: bool,
}

/// Both files of a module.
pub(super) fn module(texts: &ModuleTexts, places: &Places<'_>) -> Scanned {
    let mut found = Scanned::default();
    if let Some((path, text)) = &texts.interfaces {
        found = Scanner::new(path, text, places).run();
    }
    if let Some((path, text)) = &texts.rules {
        let mut more = rules(path, text, places);
        found.booleans.append(&mut more.booleans);
        found.told.append(&mut more.told);
        found.notes = more.notes;
        if found.about.is_empty() {
            found.about = more.about;
        }
    }
    found
}

/// A file of rules.
pub(super) fn rules(path: &str, text: &Text, places: &Places<'_>) -> Scanned {
    Scanner::new(path, text, places).run()
}

struct Scanner<'a> {
    path: &'a str,
    text: &'a Text,
    places: &'a Places<'a>,
    found: Scanned,
    /// The lines of the comment that stands above.
    comment: Vec<Line>,
    /// Was there an empty line, or one of `#` alone, since?
    apart: bool,
    /// Has the first comment been met?
    begun: bool,
    /// Lines of a plain comment.
    note: Vec<String>,
}

impl<'a> Scanner<'a> {
    fn new(path: &'a str, text: &'a Text, places: &'a Places<'a>) -> Self {
        let (comment, note) = (Vec::new(), Vec::new());
        let found = Scanned::default();
        Self { path, text, places, found, comment, apart: false, begun: false, note }
    }

    fn run(mut self) -> Scanned {
        let mut start = 0;
        for line in self.text.bytes.split_inclusive(|&it| it == b'\n') {
            self.line(&String::from_utf8_lossy(line), start);
            start += line.len();
        }
        self.drop_comment();
        self.end_body(start);
        self.found
    }

    fn line(&mut self, line: &str, start: usize) {
        let blanks = line.len() - line.trim_start().len();
        let body = line.trim();
        let hashes = body.len() - body.trim_start_matches('#').len();
        match hashes {
            0 if body.is_empty() => {
                self.apart = true;
                self.note.clear();
            }
            0 => self.statement(body, start, blanks == 0),
            1 => self.note.push(body[1..].trim().to_owned()),
            2 => self.documentation(&body[2..], start + blanks + 2),
            _ => {
                self.apart = true;
                self.note.clear();
            }
        }
    }

    fn documentation(&mut self, text: &str, at: usize) {
        if self.apart {
            self.drop_comment();
        }
        self.apart = false;
        self.comment.push(Line { text: text.to_owned(), span: self.text.span(at) });
    }

    /// A comment that stands above nothing: the first of a file is that of the module.
    fn drop_comment(&mut self) {
        let about = self.take_comment();
        if !self.begun && !about.is_empty() {
            self.begun = true;
            self.found.about = about;
        }
    }

    fn take_comment(&mut self) -> Comment {
        if self.comment.is_empty() {
            return Comment::default();
        }
        let (about, mut told) = comment::read(&self.comment);
        self.found.told.append(&mut told);
        self.comment.clear();
        about
    }

    fn statement(&mut self, body: &str, start: usize, first: bool) {
        if first && let Some((template, name)) = defined(body) {
            self.end_body(start);
            self.begun = true;
            let about = self.take_comment();
            let place = self.place(start);
            let (name, body) = (name.to_owned(), start..start);
            let it = Definition { name, template, about, place, body, used: 0, deprecated: false };
            self.found.interfaces.push(it);
        } else if let Some((tunable, name, default)) = boolean(body) {
            self.begun = true;
            let about = self.take_comment();
            let place = self.place(start);
            let (name, uses) = (name.to_owned(), Vec::new());
            let it = Boolean { name, about, default, tunable, place, module: None, uses };
            self.found.booleans.push(it);
        } else {
            self.note_type(body);
            self.drop_comment();
        }
        self.apart = true;
        self.note.clear();
    }

    fn place(&self, start: usize) -> Place {
        let place = self.places.outermost(self.text.span(start));
        place.unwrap_or_else(|| Place { path: self.path.to_owned(), line: 1 })
    }

    /// The text of the last interface reaches to the next.
    fn end_body(&mut self, end: usize) {
        let Some(last) = self.found.interfaces.last_mut() else { return };
        let bytes = &self.text.bytes[last.body.start..end];
        last.body.end = end;
        last.used = arguments(bytes);
        last.deprecated = contains(bytes, b"refpolicywarn(");
    }

    /// A plain comment right above a type says what the type is for.
    fn note_type(&mut self, body: &str) {
        let Some(rest) = body.strip_prefix("type ") else { return };
        let name = rest.split([' ', ',', ';']).next().unwrap_or_default();
        let note = self.note.join(" ").trim().to_owned();
        if note.contains(' ') && !note.contains(';') {
            self.found.notes.insert(name.to_owned(), note);
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|it| it == part)
}

/// The highest `$N` of a text.
fn arguments(bytes: &[u8]) -> usize {
    let after = bytes.iter().zip(bytes.iter().skip(1)).filter(|it| *it.0 == b'$');
    let digits = after.filter(|it| it.1.is_ascii_digit());
    digits.map(|it| usize::from(it.1 - b'0')).max().unwrap_or(0)
}

/// The name that a line defines, and whether as a template.
fn defined(line: &str) -> Option<(bool, &str)> {
    let (template, rest) = match line.strip_prefix("interface(") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("template(")?),
    };
    let name = rest.trim_start().strip_prefix('`')?.split_once('\'')?.0;
    let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
    (!name.is_empty() && name.chars().all(fits)).then_some((template, name))
}

/// `gen_tunable(name, default)`: tunable or not, the name, the default.
fn boolean(line: &str) -> Option<(bool, &str, bool)> {
    let (tunable, rest) = match line.strip_prefix("gen_tunable(") {
        Some(rest) => (true, rest),
        None => (false, line.strip_prefix("gen_bool(")?),
    };
    let (name, default) = rest.split_once(',')?;
    let name = name.trim().trim_matches(['`', '\'']);
    Some((tunable, name, default.trim_start().trim_start_matches('`').starts_with("true")))
}
