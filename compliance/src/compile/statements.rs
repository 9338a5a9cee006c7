//! Finds the statements of Reference Policy sources: where a person could mistype something.
//!
//! This is no parser: it knows m4's quotes, comments and calls, the few macros that hold statements, and where a plain
//! statement ends. Branches that the build leaves out hold no statements of the build.

use std::collections::BTreeSet;
use std::ops::Range;

/// What kind of place a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A statement of the policy language that a semicolon ends.
    Plain,
    /// A statement that the end of its line ends.
    Line,
    /// A call of an interface or a pattern.
    Call,
    /// An entry of a `.fc` file.
    Entry,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is.
    pub kind: Kind,
    /// Where it stands in the file's text.
    pub range: Range<usize>,
    /// A call's arguments.
    pub arguments: Vec<Range<usize>>,
}

/// Statements that no semicolon ends.
const LINES: [&str; 9] = [
    "sid",
    "portcon",
    "netifcon",
    "nodecon",
    "genfscon",
    "fs_use_xattr",
    "fs_use_task",
    "fs_use_trans",
    "ibpkeycon",
];
/// Calls that declare what a file is; they are no statements of a module's policy.
const HEADS: [&str; 4] = ["policy_module", "refpolicywarn", "refpolicyerr", "dnl"];

/// The statements of a `.te` or `.if` file in a build where these names are defined.
#[must_use]
pub fn of_module(text: &str, defined: &BTreeSet<String>) -> Vec<Statement> {
    let mut scan = Scan { text, defined, entries: false, found: Vec::new() };
    scan.block(0..text.len());
    scan.found
}

/// The entries of a `.fc` file.
#[must_use]
pub fn of_contexts(text: &str, defined: &BTreeSet<String>) -> Vec<Statement> {
    let mut scan = Scan { text, defined, entries: true, found: Vec::new() };
    scan.block(0..text.len());
    scan.found
}

/// The names and numbers of a statement, comments apart.
#[must_use]
pub fn words(text: &str, range: &Range<usize>) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let byte = byte(text, at);
        if byte == b'#' {
            at = end_of_line(text, at, range.end);
        } else if is_word(byte) || byte == b'$' {
            let end = end_of_word(text, at, range.end);
            all.push(at..end);
            at = end;
        } else {
            at += 1;
        }
    }
    all
}

struct Scan<'a> {
    text: &'a str,
    defined: &'a BTreeSet<String>,
    entries: bool,
    found: Vec<Statement>,
}

impl Scan<'_> {
    fn block(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            let byte = byte(self.text, at);
            at = if byte == b'#' {
                end_of_line(self.text, at, range.end)
            } else if is_word(byte) {
                self.begun(at, range.end)
            } else if self.entries && byte == b'/' {
                self.entry(at, range.end)
            } else {
                at + 1
            };
        }
    }

    /// Something that starts with a word; where the next thing may start.
    fn begun(&mut self, at: usize, end: usize) -> usize {
        let word_end = end_of_word(self.text, at, end);
        let word = &self.text[at..word_end];
        if byte(self.text, word_end) == b'(' && word_end < end {
            let (arguments, after) = arguments(self.text, word_end, end);
            self.call(word, at..after, arguments);
            return after;
        }
        if self.entries {
            return self.entry(at, end);
        }
        if HEADS.contains(&word) {
            return end_of_line(self.text, at, end);
        }
        let by_line = LINES.contains(&word);
        let after = if by_line { end_of_line(self.text, at, end) } else { self.semicolon(at, end) };
        let kind = if by_line { Kind::Line } else { Kind::Plain };
        self.found.push(Statement { kind, range: at..after, arguments: Vec::new() });
        after
    }

    fn entry(&mut self, at: usize, end: usize) -> usize {
        let after = end_of_line(self.text, at, end);
        self.found.push(Statement { kind: Kind::Entry, range: at..after, arguments: Vec::new() });
        after
    }

    fn call(&mut self, word: &str, range: Range<usize>, arguments: Vec<Range<usize>>) {
        let live: Vec<usize> = match word {
            "optional_policy" | "gen_require" => vec![0, 1],
            "tunable_policy" => vec![1, 2],
            "interface" | "template" => vec![1],
            "ifdef" | "ifndef" => self.branch(word == "ifdef", &arguments),
            "ifelse" => Vec::new(),
            _ if HEADS.contains(&word) => Vec::new(),
            _ => {
                if !self.entries {
                    self.found.push(Statement { kind: Kind::Call, range, arguments });
                }
                return;
            }
        };
        for number in live {
            if let Some(argument) = arguments.get(number) {
                self.block(unquoted(self.text, argument));
            }
        }
    }

    /// Which argument of an `ifdef` the build has.
    fn branch(&self, wanted: bool, arguments: &[Range<usize>]) -> Vec<usize> {
        let name = arguments.first().map(|it| &self.text[unquoted(self.text, it)]);
        let defined = name.is_some_and(|name| self.defined.contains(name.trim()));
        vec![if defined == wanted { 1 } else { 2 }]
    }

    /// The end of a plain statement: behind its semicolon, or behind its block.
    fn semicolon(&self, at: usize, end: usize) -> usize {
        let mut at = at;
        while at < end {
            match byte(self.text, at) {
                b'#' => at = end_of_line(self.text, at, end),
                b';' => return at + 1,
                // A block of the language: what is in it are statements of their own.
                b'{' if self.opens_block(at) => return at + 1,
                b'`' | b'\'' => return at + 1,
                _ => at += 1,
            }
        }
        end
    }

    fn opens_block(&self, at: usize) -> bool {
        let before = self.text[..at].trim_end();
        before.ends_with(')') || before.ends_with("else") || before.ends_with("optional")
    }
}

fn byte(text: &str, at: usize) -> u8 {
    text.as_bytes().get(at).copied().unwrap_or(b'\n')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn end_of_word(text: &str, at: usize, end: usize) -> usize {
    let within = |byte: u8| is_word(byte) || matches!(byte, b'$' | b'*' | b'@');
    (at..end).find(|&at| !within(byte(text, at))).unwrap_or(end)
}

fn end_of_line(text: &str, at: usize, end: usize) -> usize {
    (at..end).find(|&at| byte(text, at) == b'\n').unwrap_or(end)
}

/// The arguments of a call whose parenthesis stands at `at`, and where it ends.
fn arguments(text: &str, at: usize, end: usize) -> (Vec<Range<usize>>, usize) {
    let (mut quotes, mut parens) = (0_usize, 0_usize);
    let mut all = Vec::new();
    let mut start = at + 1;
    let mut at = at;
    while at < end {
        match byte(text, at) {
            b'`' => quotes += 1,
            b'\'' => quotes = quotes.saturating_sub(1),
            b'#' if quotes == 0 => at = end_of_line(text, at, end),
            b'(' if quotes == 0 => parens += 1,
            b',' if quotes == 0 && parens == 1 => {
                all.push(start..at);
                start = at + 1;
            }
            b')' if quotes == 0 => {
                parens -= 1;
                if parens == 0 {
                    all.push(start..at);
                    return (all, at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    (all, end)
}

/// An argument without the blanks before it and without one level of quotes.
fn unquoted(text: &str, range: &Range<usize>) -> Range<usize> {
    let argument = &text[range.clone()];
    let start = range.start + (argument.len() - argument.trim_start().len());
    let end = range.start + argument.trim_end().len();
    if byte(text, start) == b'`' && end > start && byte(text, end - 1) == b'\'' {
        start + 1..end - 1
    } else {
        start..end.max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "policy_module(x, 1.0)\n# type no_t;\ntype a_t;\n\noptional_policy(`\n\tcall(a_t, `b_t')\n')\n\
        ifdef(`on',`\n\tallow a_t self:process { fork # x;\n\t};\n',`\n\ttype off_t;\n')\n\
        portcon tcp 80 gen_context(u:r:t,s0)\n";

    fn found(statements: &[Statement], text: &str) -> Vec<String> {
        let shown = |it: &Statement| text[it.range.clone()].replace(['\n', '\t'], " ");
        statements.iter().map(shown).collect()
    }

    #[test]
    fn statements_of_the_build_are_found() {
        let defined = BTreeSet::from(["on".to_owned()]);
        let expected = [
            "type a_t;",
            "call(a_t, `b_t')",
            "allow a_t self:process { fork # x;  };",
            "portcon tcp 80 gen_context(u:r:t,s0)",
        ];
        assert_eq!(found(&of_module(TEXT, &defined), TEXT), expected);
    }

    #[test]
    fn entries_stand_on_lines() {
        let text = "# c\n/a\t--\tgen_context(u:r:t,s0)\nifdef(`no',`\n/b x\n')\nHOME_DIR/x y\n";
        let expected =
            ["/a --\tgen_context(u:r:t,s0)".replace(" --\t", " -- "), "HOME_DIR/x y".into()];
        assert_eq!(found(&of_contexts(text, &BTreeSet::new()), text), expected);
    }

    #[test]
    fn words_are_names_outside_comments() {
        let text = "allow a_t $1:file { read # no\n write };";
        let all: Vec<&str> =
            words(text, &(0..text.len())).into_iter().map(|it| &text[it]).collect();
        assert_eq!(all, ["allow", "a_t", "$1", "file", "read", "write"]);
    }
}
