//! Names, levels and contexts.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{CategoryRange, Context, Ident, Level, MlsRange, Slice};

use super::Printer;

/// Which names of a unit CIL takes: each is looked at once.
#[derive(Debug)]
pub(super) struct Spelling(Vec<bool>);

impl Spelling {
    pub(super) fn new(names: usize) -> Self {
        Self(vec![false; names])
    }
}

/// The longest name, as in secilc.
const LONGEST: usize = 2047;

/// Words of expressions, which no name can be.
const RESERVED: [&str; 9] = ["and", "or", "not", "xor", "all", "self", "notself", "other", "range"];

/// Does CIL take `text` for a name?
fn is_name(text: &str) -> bool {
    text.len() <= LONGEST
        && text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'.'))
        && !RESERVED.contains(&text)
}

impl<'a> Printer<'a> {
    /// A name that CIL has to take for one.
    pub(super) fn name(&mut self, ident: Ident) {
        let text = self.unit.text(ident);
        if let Some(seen @ false) = self.spelling[self.at].0.get_mut(ident.name.index()) {
            *seen = true;
            if !is_name(text) {
                self.bad_name(ident);
            }
        }
        self.put(text);
    }

    pub(super) fn bad_name(&mut self, ident: Ident) {
        let text = self.unit.text(ident);
        let message = format!("CIL cannot spell the name {text:?}");
        self.tell(Diagnostic::error(Code::NameNotInForm, ident.span, message).note(
            "there a name is of letters, digits, `_`, `-` and `.`, a letter first, and no word of expressions",
        ));
    }

    /// Opens a declaration of a name: one with dots stands in blocks. Gives how many parentheses close it.
    pub(super) fn declare(&mut self, word: &str, ident: Ident) -> usize {
        let text = self.unit.text(ident);
        self.open("");
        let mut parentheses = 1;
        let mut own = text;
        if let Some((path, last)) = text.rsplit_once('.') {
            own = last;
            // The longest part that is a block already is opened again; what is missing follows.
            let known = (path.match_indices('.').map(|it| &path[..it.0]).chain([path]))
                .rfind(|it| self.blocks.contains(it));
            let mut rest = path;
            if let Some(known) = known {
                self.put("(in ");
                self.put(known);
                self.put(" ");
                parentheses += 1;
                rest = path[known.len()..].trim_start_matches('.');
            }
            let mut end = path.len() - rest.len();
            for part in rest.split('.').filter(|it| !it.is_empty()) {
                self.put("(block ");
                self.put(part);
                self.put(" ");
                parentheses += 1;
                end += part.len();
                self.blocks.insert(&path[..end]);
                end += 1;
            }
        }
        self.put("(");
        self.put(word);
        self.put(" ");
        self.put(own);
        if !is_name(own) {
            self.bad_name(ident);
        }
        parentheses
    }

    pub(super) fn close(&mut self, parentheses: usize) {
        for _ in 0..parentheses {
            self.put(")");
        }
        self.put("\n");
    }

    /// A string in quotes.
    pub(super) fn quoted(&mut self, ident: Ident) {
        let text = self.unit.text(ident);
        if text.contains(['"', '\n']) {
            self.bad_name(ident);
        }
        self.put("\"");
        self.put(text);
        self.put("\"");
    }

    pub(super) fn level(&mut self, level: &Level) {
        self.put("(");
        self.name(level.sensitivity);
        if !level.categories.is_empty() {
            self.put(" ");
            self.categories(level.categories);
        }
        self.put(")");
    }

    pub(super) fn categories(&mut self, categories: Slice) {
        let unit = self.unit;
        self.put("(");
        for (place, range) in unit.category_ranges[categories.range()].iter().enumerate() {
            if place > 0 {
                self.put(" ");
            }
            self.category_range(range);
        }
        self.put(")");
    }

    fn category_range(&mut self, range: &CategoryRange) {
        if range.low.name == range.high.name {
            return self.name(range.low);
        }
        self.put("(range ");
        self.name(range.low);
        self.put(" ");
        self.name(range.high);
        self.put(")");
    }

    pub(super) fn range(&mut self, range: &MlsRange) {
        self.put("(");
        self.level(&range.low);
        self.put(" ");
        self.level(&range.high);
        self.put(")");
    }

    pub(super) fn context(&mut self, context: &Context) {
        self.put("(");
        self.name(context.user);
        self.put(" ");
        self.name(context.role);
        self.put(" ");
        self.name(context.type_);
        match &context.range {
            Some(range) => {
                self.put(" ");
                self.range(range);
            }
            None => self.put(" ((s0) (s0))"),
        }
        self.put(")");
    }
}
