//! `.fc` files: path, file type and context in columns, which tabs make.

use std::collections::BTreeMap;

use super::Fault;
use super::skeleton::{Skeleton, Unclosed};

/// Where file types stand if a file does not say: the column of the Reference Policy.
const COLUMN: usize = 40;
/// No file puts them further right.
const MAX_COLUMN: usize = 160;
/// Columns of a tab.
const TAB: usize = 8;

/// A line about a path.
struct Entry<'a> {
    path: &'a str,
    /// `--` and the like.
    kind: &'a str,
    context: &'a str,
    /// The column of file types that the line was written for.
    column: Option<usize>,
}

/// The text of a `.fc` file as it should be.
pub(super) fn format(text: &[u8]) -> Result<Vec<u8>, Fault> {
    // Parentheses are those of regular expressions, too.
    if let Err(quote @ Unclosed::Quote(_)) = Skeleton::of(text) {
        return Err(Fault::Unclosed(quote));
    }
    let text = std::str::from_utf8(text).map_err(|it| Fault::Bytes(it.valid_up_to()))?;
    let column = column(text);
    let mut out = String::with_capacity(text.len() + 64);
    let mut blank = false;
    for line in text.lines() {
        let line = line.trim_matches(is_blank);
        if line.is_empty() {
            blank = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut blank) {
            out.push('\n');
        }
        match Entry::of(line) {
            Some(entry) => entry.write(column, &mut out),
            // An argument that is a body: m4 drops the blanks before it.
            None => match line.strip_suffix("', `") {
                Some(head) => out.extend([head, "',`"]),
                None => out.push_str(line),
            },
        }
        out.push('\n');
    }
    Ok(out.into_bytes())
}

fn is_blank(it: char) -> bool {
    matches!(it, ' ' | '\t' | '\r' | '\x0c')
}

/// Where most lines of a file have their file type.
fn column(text: &str) -> usize {
    let mut votes: BTreeMap<usize, usize> = BTreeMap::new();
    for line in text.lines() {
        if let Some(column) = Entry::of(line.trim_matches(is_blank)).and_then(|it| it.column) {
            *votes.entry(column).or_default() += 1;
        }
    }
    votes.into_iter().max_by_key(|it| (it.1, it.0)).map_or(COLUMN, |it| it.0)
}

impl<'a> Entry<'a> {
    fn of(line: &'a str) -> Option<Self> {
        if line.contains(['`', '\'']) || line.starts_with('#') {
            return None;
        }
        let (path, rest) = line.split_once(is_blank)?;
        let field = rest.trim_start_matches(is_blank);
        let kind = field.split(is_blank).next().filter(|it| is_file_type(it)).unwrap_or("");
        let context = field[kind.len()..].trim_start_matches(is_blank);
        if !is_context(context) {
            return None;
        }
        let before = &line[..line.len() - field.len()];
        let at = width(before).checked_sub(if kind.is_empty() { TAB } else { 0 });
        let column = at.filter(|&it| before.ends_with('\t') && (TAB..=MAX_COLUMN).contains(&it));
        Some(Self { path, kind, context, column })
    }

    fn write(&self, column: usize, out: &mut String) {
        out.push_str(self.path);
        let width = width(self.path);
        let to = if self.kind.is_empty() { column + TAB } else { column };
        match to.saturating_sub(width).div_ceil(TAB) {
            0 => out.push(' '),
            tabs => out.extend(std::iter::repeat_n('\t', tabs)),
        }
        if !self.kind.is_empty() {
            out.extend([self.kind, "\t"]);
        }
        match self.context.split_once(')') {
            Some((call, rest)) if !rest.contains(',') => {
                let call = call.replace(", ", ",");
                out.extend([&call, ")", rest]);
            }
            _ => out.push_str(self.context),
        }
    }
}

fn is_file_type(field: &str) -> bool {
    matches!(field, "--" | "-b" | "-c" | "-d" | "-l" | "-p" | "-s")
}

fn is_context(field: &str) -> bool {
    field.starts_with("gen_context(")
        || field.starts_with("<<none>>")
        || !field.contains(is_blank) && field.split(':').count() > 2
}

/// Columns of a text that begins a line.
fn width(text: &str) -> usize {
    text.chars().fold(0, |at, it| if it == '\t' { (at / TAB + 1) * TAB } else { at + 1 })
}

/// Have both the same lines, blanks aside?
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    let (Ok(one), Ok(other)) = (std::str::from_utf8(one), std::str::from_utf8(other)) else {
        return false;
    };
    let written = |it: &&str| !it.trim_matches(is_blank).is_empty();
    let (mut one, mut other) = (one.lines().filter(written), other.lines().filter(written));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if same_words(one, other) => {}
            _ => return false,
        }
    }
}

/// Fields may only have come closer after a comma.
fn same_words(one: &str, other: &str) -> bool {
    let words = |line: &str| {
        let mut text = String::with_capacity(line.len());
        for word in line.split(is_blank).filter(|it| !it.is_empty()) {
            if !text.is_empty() && !text.ends_with(',') {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    };
    one == other || words(one) == words(other)
}
