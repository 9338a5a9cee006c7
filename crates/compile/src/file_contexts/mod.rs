//! File contexts: which context a path has. Lines as modules write them, in the order in which the last match wins.
//!
//! A line is `PATTERN [FILE TYPE] CONTEXT`, where `<<none>>` instead of a context leaves files alone. Lines with `HOME_DIR`,
//! `HOME_ROOT`, `ROLE` or `USER` are templates, from which lines for each user are made later.

mod check;

use mandate_label::file_contexts::NONE;
use mandate_label::pattern::Checker;
use mandate_label::{FileType, PatternErrorKind};
use mandate_policydb::PolicyDb;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::source::Span;
use mandate_syntax::text::{SpanCursor, Text};
use rustc_hash::FxHashMap;

use crate::near::did_you_mean;

/// A line of file contexts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContext {
    /// Regular expression that the whole path matches.
    pub path: String,
    /// The kind of file; none means all.
    pub file_type: Option<FileType>,
    /// The context; none for files whose context is left as it is.
    pub context: Option<String>,
    /// Where the line begins.
    pub span: Span,
}

/// What a pattern leaves open: what leaves less open comes later, and so wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Specificity {
    /// Is it a plain path?
    literal: bool,
    /// How many characters stand before the first that stands for others.
    stem: u32,
    /// How many characters there are; one with a backslash before it is one.
    length: u32,
    /// Is it for one kind of file?
    typed: bool,
}

impl Specificity {
    fn of(path: &str, typed: bool) -> Self {
        let mut it = Self { literal: true, stem: 0, length: 0, typed };
        let mut characters = path.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => drop(characters.next()),
                '.' | '^' | '$' | '?' | '*' | '+' | '|' | '[' | '(' | '{' => it.literal = false,
                _ => {}
            }
            it.stem += u32::from(it.literal);
            it.length += 1;
        }
        it
    }
}

impl FileContext {
    /// How much the line leaves open.
    pub fn specificity(&self) -> Specificity {
        Specificity::of(&self.path, self.file_type.is_some())
    }

    /// The context as it is written.
    pub fn context_text(&self) -> &str {
        self.context.as_deref().unwrap_or(NONE)
    }

    /// Is it a line from which lines for each user are made?
    pub fn is_template(&self) -> bool {
        is_template(&self.path) || self.context.as_deref().is_some_and(is_template)
    }
}

/// Does one of the words stand for something of a user's?
fn is_template(text: &str) -> bool {
    // All of them have capitals, which nearly no line has.
    text.bytes().any(|it| matches!(it, b'H' | b'R' | b'U'))
        && ["HOME", "ROLE", "USER"].iter().any(|it| text.contains(it))
}

/// Puts lines into the order in which the last match is the most specific. Equal ones stay in order.
pub fn sort(contexts: &mut Vec<FileContext>) {
    let mut keyed: Vec<(Specificity, FileContext)> =
        contexts.drain(..).map(|it| (it.specificity(), it)).collect();
    keyed.sort_by_key(|it| it.0);
    contexts.extend(keyed.into_iter().map(|it| it.1));
}

/// Lines as bytes, as support/fc_sort.py of Reference Policy prints them.
pub fn render<'a>(contexts: impl IntoIterator<Item = &'a FileContext>) -> Vec<u8> {
    let mut out = Vec::new();
    for it in contexts {
        out.extend_from_slice(it.path.as_bytes());
        out.extend_from_slice(b"\t\t");
        if let Some(file_type) = it.file_type {
            out.extend_from_slice(file_type.as_str().as_bytes());
            out.push(b'\t');
        }
        out.extend_from_slice(it.context_text().as_bytes());
        out.push(b'\n');
    }
    out
}

/// The files `file_contexts` and `homedir_template` of sorted lines.
pub fn render_split(contexts: &[FileContext]) -> (Vec<u8>, Vec<u8>) {
    let (templates, plain): (Vec<_>, Vec<_>) = contexts.iter().partition(|it| it.is_template());
    (render(plain), render(templates))
}

/// The lines of `text`, in its order: all `.fc` files of the modules that are built, expanded one after the other, or a
/// file that was expanded before. With a policy, contexts are checked against it. Lines with an error are left out.
pub fn read(text: &Text, policy: Option<&PolicyDb>) -> (Vec<FileContext>, Vec<Diagnostic>) {
    let mut reader = Reader {
        contexts: Vec::new(),
        diagnostics: Vec::new(),
        patterns: Checker::default(),
        checker: policy.map(check::Checker::new),
    };
    let mut spans = text.spans();
    let mut start = 0;
    for line in text.bytes.split(|&it| it == b'\n') {
        reader.line(line, start, &mut spans, text);
        start += line.len() + 1;
    }
    reader.warn_of_repetitions();
    (reader.contexts, reader.diagnostics)
}

struct Reader<'a> {
    contexts: Vec<FileContext>,
    diagnostics: Vec<Diagnostic>,
    patterns: Checker,
    checker: Option<check::Checker<'a>>,
}

/// A word of a line and its offset in the text.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn line(&mut self, line: &[u8], start: usize, spans: &mut SpanCursor<'_>, text: &Text) {
        let blanks = line.iter().take_while(|it| it.is_ascii_whitespace()).count();
        let body = line[blanks..].trim_ascii_end();
        if body.is_empty() || body.starts_with(b"#") {
            return;
        }
        let at = start + blanks;
        let span = spans.span(at);
        let Ok(body) = std::str::from_utf8(body) else {
            let it = Diagnostic::error(Code::BadBytes, span, "a line of file contexts is no UTF-8");
            self.diagnostics.push(it);
            return;
        };
        match split(body, at) {
            Ok(words) => self.words(words, span, text),
            Err(what) => {
                let it = Diagnostic::error(Code::BadFileContext, span, what);
                self.diagnostics.push(it.help("write `PATTERN [FILE TYPE] CONTEXT`"));
            }
        }
    }

    fn words(&mut self, words: Words<'_>, span: Span, text: &Text) {
        let mut found = Vec::new();
        found.extend(pattern_fault(&mut self.patterns, words.path, text));
        let file_type = words.file_type.and_then(|it| {
            let file_type = FileType::parse(it.text);
            found.extend(file_type.is_none().then(|| no_file_type(it, text)));
            file_type
        });
        let context = words.context;
        if context.text != NONE {
            found.extend(self.context_fault(&words, text));
        }
        if let Some(rest) = words.rest.filter(|_| found.is_empty()) {
            let message = format!("nothing reads `{}` after the context", rest.text);
            found.push(Diagnostic::warning(Code::BadFileContext, text.span(rest.at), message));
        }
        if found.iter().all(|it| it.severity != Severity::Error) {
            self.contexts.push(FileContext {
                path: words.path.text.to_owned(),
                file_type,
                context: (context.text != NONE).then(|| context.text.to_owned()),
                span,
            });
        }
        self.diagnostics.append(&mut found);
    }

    fn context_fault(&mut self, words: &Words<'_>, text: &Text) -> Option<Diagnostic> {
        let Word { text: context, at } = words.context;
        if let Some((name, _)) = context.split_once('(') {
            let message = format!("there is no macro `{name}`");
            let mut it = Diagnostic::error(Code::BadFileContext, text.span(at), message);
            it.help.extend(did_you_mean(name, ["gen_context"]));
            return Some(it);
        }
        if context.split(':').count() < 3 {
            let message = format!("`{context}` is no context");
            let it = Diagnostic::error(Code::InvalidContext, text.span(at), message);
            return Some(it.help("a context is `user:role:type`, with MLS `user:role:type:level`"));
        }
        let template = is_template(words.path.text) || is_template(context);
        Some(self.checker.as_mut()?.check(context, template)?.at(at, text))
    }

    /// Two lines for the same files: what the last one says counts, which order decides that sorting does not look at.
    fn warn_of_repetitions(&mut self) {
        let mut seen: FxHashMap<(&str, Option<FileType>), &FileContext> = FxHashMap::default();
        for it in &self.contexts {
            let Some(earlier) = seen.insert((&it.path, it.file_type), it) else { continue };
            if earlier.context == it.context {
                continue;
            }
            let message = format!("`{}` is given two contexts, of which the last counts", it.path);
            let found = Diagnostic::warning(Code::Suspicious, it.span, message);
            let what = format!("here it is `{}`", earlier.context_text());
            self.diagnostics
                .push(found.label(format!("`{}`", it.context_text())).and(earlier.span, what));
        }
    }
}

fn pattern_fault(patterns: &mut Checker, path: Word<'_>, text: &Text) -> Option<Diagnostic> {
    if let Err(it) = patterns.check(path.text.as_bytes()) {
        let span = text.span(path.at + it.offset);
        let fault = match it.kind {
            // `setfiles` takes the line: that is no reason not to build.
            PatternErrorKind::Unsupported => {
                let message = format!("`mandate label` leaves the pattern `{}` out", path.text);
                Diagnostic::warning(Code::Suspicious, span, message)
            }
            _ => {
                let message = format!("the pattern `{}` is malformed", path.text);
                Diagnostic::error(Code::BadPattern, span, message)
            }
        };
        return Some(fault.label(it.to_string()));
    }
    let relative = path.text.starts_with(|it: char| it.is_ascii_alphanumeric());
    if !relative || path.text.starts_with("HOME_DIR") || path.text.starts_with("HOME_ROOT") {
        return None;
    }
    let message = format!("the pattern `{}` matches nothing", path.text);
    let it = Diagnostic::warning(Code::Suspicious, text.span(path.at), message);
    Some(it.help("paths begin with `/`, `HOME_DIR` or `HOME_ROOT`"))
}

fn no_file_type(word: Word<'_>, text: &Text) -> Diagnostic {
    let message = format!("there is no file type `{}`", word.text);
    let mut it = Diagnostic::error(Code::BadFileType, text.span(word.at), message);
    it.help.extend(meant_type(word.text).map(str::to_owned));
    it.note("-- file, -d folder, -l link, -c and -b device, -s socket, -p pipe")
}

/// What letters of other tools are here.
fn meant_type(text: &str) -> Option<&'static str> {
    match text {
        "-f" | "-r" | "-" | "---" => Some("a regular file is `--`"),
        "-D" | "-dir" => Some("a folder is `-d`"),
        "-h" | "-L" => Some("a symbolic link is `-l`"),
        "-S" => Some("a socket is `-s`"),
        _ => None,
    }
}

/// A line in its parts.
struct Words<'a> {
    path: Word<'a>,
    file_type: Option<Word<'a>>,
    context: Word<'a>,
    rest: Option<Word<'a>>,
}

fn split(line: &str, at: usize) -> Result<Words<'_>, &'static str> {
    let mut words = words(line).map(|(offset, text)| Word { text, at: at + offset }).peekable();
    let path = words.next().ok_or("a line of file contexts needs a pattern")?;
    let file_type = words.next_if(|it| it.text.starts_with('-'));
    let context = words.next().ok_or("a line of file contexts needs a context")?;
    Ok(Words {
        path,
        file_type,
        context,
        rest: words.next().filter(|it| !it.text.starts_with('#')),
    })
}

/// Words and their offsets.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = line.as_ptr().addr();
    line.split_ascii_whitespace().map(move |word| (word.as_ptr().addr() - start, word))
}

#[cfg(test)]
mod tests;
