//! Where a quote is missing. m4 itself only sees that a text ended within quotes; people indent, and where the
//! indentation and the quotes disagree first, the quote is missing.

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::source::{SourceFile, Span};
use crate::text::continued;

/// What is wrong with the quotes of a file, if they do not pair up. Files that change their quotes are not looked at.
pub fn unbalanced(file: &SourceFile) -> Option<Diagnostic> {
    if pair_up(&file.bytes) || memchr::memmem::find(&file.bytes, b"changequote").is_some() {
        return None;
    }
    let mut scan = Scan::default();
    let mut start = 0;
    for line in file.bytes.split(|&it| it == b'\n') {
        scan.line(&Line::new(line, start));
        start += line.len() + 1;
    }
    let first = Span { pos: file.start(), ..Span::NOWHERE };
    scan.verdict(|offset| continued(first, offset))
}

/// Is every quote of a text closed, and none closed that is not open? A comment outside of quotes holds none.
fn pair_up(text: &[u8]) -> bool {
    let (mut open, mut at) = (0usize, 0);
    while let Some(found) = text.get(at..).and_then(|it| memchr::memchr3(b'`', b'\'', b'#', it)) {
        at += found + 1;
        match text[at - 1] {
            b'`' => open += 1,
            b'\'' if open == 0 => return false,
            b'\'' => open -= 1,
            _ if open == 0 => at += memchr::memchr(b'\n', &text[at..]).unwrap_or(text.len() - at),
            _ => {}
        }
    }
    open == 0
}

/// A line of a file.
struct Line<'a> {
    bytes: &'a [u8],
    start: usize,
    indent: usize,
    /// Length without blanks at the end.
    end: usize,
}

impl<'a> Line<'a> {
    fn new(bytes: &'a [u8], start: usize) -> Self {
        let blank = |it: &&u8| matches!(it, b' ' | b'\t' | b'\r');
        let first = bytes.iter().take_while(blank).count();
        let indent = bytes[..first].iter().map(|&it| if it == b'\t' { 8 } else { 1 }).sum();
        let end = bytes.len() - bytes[first..].iter().rev().take_while(blank).count();
        Self { bytes, start, indent, end }
    }

    fn first(&self) -> Option<usize> {
        self.bytes.iter().position(|it| !matches!(it, b' ' | b'\t' | b'\r'))
    }
}

/// An open quote.
#[derive(Clone, Copy)]
struct Opener {
    at: usize,
    indent: usize,
    line: usize,
    /// Does its text begin on the next line?
    block: bool,
}

/// A place where a quote seems to be missing.
#[derive(Clone, Copy)]
struct Suspect {
    at: usize,
    opening: bool,
}

#[derive(Default)]
struct Scan {
    open: Vec<Opener>,
    /// The first closing quote that closes nothing.
    stray: Option<usize>,
    suspect: Option<Suspect>,
    /// Lines that end in `(` or `,` without an opening quote: indentation and end.
    bare: Vec<(usize, usize)>,
    line: usize,
    /// The last byte before this line that is no blank.
    last: Option<u8>,
    /// Where the last line ends that is neither blank nor a comment.
    code_end: usize,
}

impl Scan {
    fn line(&mut self, line: &Line<'_>) {
        self.line += 1;
        let before = self.open.len();
        self.look_at_start(line);
        let mut at = 0;
        while let Some(&byte) = line.bytes.get(at) {
            match byte {
                b'#' if self.open.is_empty() => break,
                b'`' => {
                    let opener = Opener {
                        at: line.start + at,
                        indent: line.indent,
                        line: self.line,
                        block: at + 1 == line.end,
                    };
                    self.open.push(opener);
                    self.look_before(line, at);
                }
                b'\'' => self.close(line, at),
                _ => {}
            }
            at += 1;
        }
        self.look_at_end(line, before);
    }

    /// A line that only closes a parenthesis, where the text in it was opened at the same indentation.
    fn look_at_start(&mut self, line: &Line<'_>) {
        let Some(first) = line.first() else { return };
        let Some(opener) = self.open.last() else { return };
        let rest = &line.bytes[first..line.end];
        let closes = rest.starts_with(b")") || rest.starts_with(b",`");
        if closes && opener.block && opener.indent == line.indent {
            self.suspect(line.start + first, false);
        } else if line.indent == 0 && begins_definition(rest) {
            // The one before was to be closed behind its last line.
            self.suspect(self.code_end, false);
        }
    }

    /// Quoted text is an argument: it begins behind a parenthesis, a comma or another quote.
    fn look_before(&mut self, line: &Line<'_>, at: usize) {
        let before = line.bytes[..at].iter().rev().find(|it| !matches!(it, b' ' | b'\t'));
        let word =
            line.bytes.get(at + 1).is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_');
        let fits = matches!(before.copied().or(self.last), Some(b'(' | b',' | b'`' | b'\''));
        if word && !fits {
            self.suspect(line.start + at, false);
        }
    }

    fn close(&mut self, line: &Line<'_>, at: usize) {
        let place = line.start + at;
        // A word before it on its line: its opening quote belongs there.
        let word = at.checked_sub(1).and_then(|it| line.bytes.get(it));
        let after_word = word.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_');
        let Some(opener) = self.open.pop() else {
            self.stray.get_or_insert(place);
            let bare = self.bare_before(line.indent).filter(|_| !after_word);
            return self.suspect(bare.unwrap_or(place), true);
        };
        if opener.line == self.line {
            return;
        }
        if line.first() != Some(at) {
            if after_word {
                self.suspect(place, true);
            }
        } else if opener.indent < line.indent {
            let missing = self.bare_before(line.indent).unwrap_or(place);
            self.suspect(missing, true);
        } else if opener.indent > line.indent {
            self.suspect(place, false);
        }
    }

    /// The last line of this indentation that opens a call without a quote.
    fn bare_before(&self, indent: usize) -> Option<usize> {
        self.bare.iter().rev().find(|it| it.0 == indent).map(|it| it.1)
    }

    /// A quote opened within the line, before a word, and not closed on it.
    fn look_at_end(&mut self, line: &Line<'_>, before: usize) {
        let Some(last) = line.end.checked_sub(1).and_then(|it| line.bytes.get(it)) else { return };
        self.last = Some(*last);
        if line.first().and_then(|it| line.bytes.get(it)) != Some(&b'#') {
            self.code_end = line.start + line.end - 1;
        }
        if matches!(last, b'(' | b',') {
            self.bare.push((line.indent, line.start + line.end - 1));
        }
        let opened = self.open.get(before.min(self.open.len())..).unwrap_or_default();
        let inner =
            opened.iter().find(|it| it.line == self.line && it.at - line.start + 1 < line.end);
        if let Some(opener) = inner {
            let text = &line.bytes[opener.at - line.start + 1..line.end];
            let name = |it: &&u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'$');
            let word = text.iter().take_while(name).count();
            if word > 0 && matches!(text.get(word), Some(b',' | b')')) {
                self.suspect(opener.at, false);
            }
        }
    }

    fn suspect(&mut self, at: usize, opening: bool) {
        self.suspect.get_or_insert(Suspect { at, opening });
    }

    fn verdict(&self, span: impl Fn(usize) -> Span) -> Option<Diagnostic> {
        let opener = self.open.first();
        let fallback = match (self.stray, opener) {
            (Some(at), _) => Suspect { at, opening: true },
            (None, Some(opener)) => Suspect { at: opener.at, opening: false },
            (None, None) => return None,
        };
        // With an opener left over a closing quote is missing, and the other way round.
        let fits = self.suspect.filter(|it| it.opening == fallback.opening);
        let suspect = fits.unwrap_or(fallback);
        let what = if suspect.opening {
            "an opening quote ` is missing"
        } else {
            "a closing quote ' is missing"
        };
        let it = Diagnostic::error(Code::UnclosedQuote, span(suspect.at), what);
        let it = it.label("here, by the indentation");
        Some(match (self.stray, opener) {
            (Some(at), _) if at != suspect.at => it.and(span(at), "this quote closes nothing"),
            (None, Some(opener)) if opener.at != suspect.at => {
                it.and(span(opener.at), "this quote is open to the end of the file")
            }
            _ => it,
        })
    }
}

fn begins_definition(rest: &[u8]) -> bool {
    [&b"interface("[..], b"template(", b"define("].iter().any(|it| rest.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    /// Drops each quote in turn and counts how often the line named is off by more than two.
    #[test]
    fn a_dropped_quote_is_found_near_its_place() {
        let source = "interface(`foo',`\n\tgen_require(`\n\t\ttype a_t;\n\t')\n\n\tallow $1 a_t:file read;\n')\n\n\
            interface(`bar',`\n\toptional_policy(`\n\t\tfoo($1)\n\t',`\n\t\tbaz($1)\n\t')\n')\n\n\
            gen_tunable(`x', false)\nifdef(`y',`\n\tfoo(a)\n')\n";
        let mut wrong = Vec::new();
        for (at, _) in source.match_indices(['`', '\'']) {
            let mut broken = source.to_owned();
            broken.remove(at);
            let line = source[..at].matches('\n').count() + 1;
            let mut map = SourceMap::new();
            let id = map.add("x.if", broken.as_bytes()).unwrap();
            let found = unbalanced(map.file(id)).unwrap();
            let told = map.location(found.span.pos).unwrap().line;
            if told.abs_diff(line) > 2 {
                wrong.push((line, told, broken.lines().nth(line - 1).unwrap().to_owned()));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
