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
    /// The blanks behind it.
    gap: &'a str,
    /// `--` and the like.
    kind: &'a str,
    /// The blanks behind that.
    kind_gap: &'a str,
    context: &'a str,
}

/// How the fields of a file are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// One tab between fields.
    Tab,
    /// File types in this column, contexts in the next.
    Column(usize),
}

/// The text of a `.fc` file as it should be.
pub(super) fn format(text: &[u8]) -> Result<Vec<u8>, Fault> {
    // Parentheses are those of regular expressions, too.
    if let Err(quote @ Unclosed::Quote(_)) = Skeleton::of(text) {
        return Err(Fault::Unclosed(quote));
    }
    let text = std::str::from_utf8(text).map_err(|it| Fault::Bytes(it.valid_up_to()))?;
    let style = Style::of(text);
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
            Some(entry) => entry.write(style, &mut out),
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

/// Where lines have their file type, and how many have it there; the leftmost of the most frequent columns.
fn most_frequent(columns: impl Iterator<Item = usize>) -> Option<(usize, usize)> {
    let mut votes: BTreeMap<usize, usize> = BTreeMap::new();
    for it in columns.filter(|it| (TAB..=MAX_COLUMN).contains(it)) {
        *votes.entry(it).or_default() += 1;
    }
    votes.into_iter().rev().max_by_key(|it| it.1)
}

impl Style {
    /// The style in which most lines of a file are written, and which it still has once it is written so.
    fn of(text: &str) -> Self {
        let lines = || text.lines().filter_map(|it| Entry::of(it.trim_matches(is_blank)));
        let singles = lines().filter(Entry::has_single_tabs).count();
        let Some((mut column, count)) = most_frequent(lines().filter_map(|it| it.column())) else {
            return if singles == 0 { Self::Column(COLUMN) } else { Self::Tab };
        };
        if count < singles {
            return Self::Tab;
        }
        loop {
            let placed = || lines().filter_map(|it| it.column_in(column));
            let here = placed().filter(|it| *it == column).count();
            match most_frequent(placed()) {
                // Paths that are too long for the column agree on another, further right.
                Some((other, count)) if count > here => column = other,
                _ => {
                    let singles = lines().filter(|it| it.has_single_tabs_in(column)).count();
                    return if here < singles { Self::Tab } else { Self::Column(column) };
                }
            }
        }
    }
}

impl<'a> Entry<'a> {
    fn of(line: &'a str) -> Option<Self> {
        if line.contains(['`', '\'']) || line.starts_with('#') {
            return None;
        }
        let (path, rest) = line.split_at(line.find(is_blank)?);
        let field = rest.trim_start_matches(is_blank);
        let gap = &rest[..rest.len() - field.len()];
        let kind = field.split(is_blank).next().filter(|it| is_file_type(it)).unwrap_or("");
        let rest = &field[kind.len()..];
        let context = rest.trim_start_matches(is_blank);
        let kind_gap = &rest[..rest.len() - context.len()];
        is_context(context).then_some(Self { path, gap, kind, kind_gap, context })
    }

    /// Is there one tab between its fields?
    fn has_single_tabs(&self) -> bool {
        self.gap == "\t" && (self.kind.is_empty() || self.kind_gap == "\t")
    }

    /// How many columns its second field has to stand left of where contexts stand.
    fn shift(&self) -> usize {
        if self.kind.is_empty() { TAB } else { 0 }
    }

    /// The column of file types that it was written for.
    fn column(&self) -> Option<usize> {
        let at = width(self.path, 0);
        let written = || width(self.gap, at).checked_sub(self.shift());
        self.gap.ends_with('\t').then(written).flatten()
    }

    /// The same once it is written for this column.
    fn column_in(&self, column: usize) -> Option<usize> {
        let width = width(self.path, 0);
        if width < column + self.shift() {
            Some(column)
        } else {
            self.gap.contains('\t').then(|| (width / TAB + 1) * TAB - self.shift())
        }
    }

    /// Is there one tab between its fields once it is written for this column?
    fn has_single_tabs_in(&self, column: usize) -> bool {
        let (width, to) = (width(self.path, 0), column + self.shift());
        if width < to {
            width + TAB >= to
        } else {
            self.gap.contains('\t') && (self.kind.is_empty() || self.kind_gap.contains('\t'))
        }
    }

    fn write(&self, style: Style, out: &mut String) {
        let width = width(self.path, 0);
        let to = match style {
            Style::Tab => width + 1,
            Style::Column(column) => column + self.shift(),
        };
        // Where a path is too long, one tab or blank, as it was.
        let short = |gap: &str| if gap.contains('\t') { "\t" } else { " " };
        out.push_str(self.path);
        match style {
            Style::Column(_) if to <= width => out.push_str(short(self.gap)),
            Style::Column(_) => out.extend(std::iter::repeat_n('\t', (to - width).div_ceil(TAB))),
            Style::Tab => out.push('\t'),
        }
        if !self.kind.is_empty() {
            out.extend([self.kind, if to <= width { short(self.kind_gap) } else { "\t" }]);
        }
        match self.context.split_once(')') {
            Some((call, rest)) if !rest.contains(',') => {
                // m4 drops blanks at the start of an argument.
                for (number, argument) in call.split(',').enumerate() {
                    out.extend([
                        if number == 0 { "" } else { "," },
                        argument.trim_start_matches(is_blank),
                    ]);
                }
                out.extend([")", rest]);
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

/// The column behind a text that begins in a column.
fn width(text: &str, from: usize) -> usize {
    text.chars().fold(from, |at, it| if it == '\t' { (at / TAB + 1) * TAB } else { at + 1 })
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
