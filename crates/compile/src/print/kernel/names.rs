//! Names, sets, levels and contexts.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Context, Ident, Idents, Level, MlsRange, Set, SetForm, SetItem};
use mandate_syntax::kernel::is_name;
use mandate_syntax::names::Symbol;

use super::{Printer, not_in_form};

/// Which names of a unit the grammar takes: each is looked at once.
#[derive(Debug)]
pub(super) struct Spelling(Vec<Option<bool>>);

impl Spelling {
    pub(super) fn new(names: usize) -> Self {
        Self(vec![None; names])
    }

    /// Is it good? Says so, too, if it is looked at for the first time.
    fn look(&mut self, symbol: Symbol, good: impl FnOnce() -> bool) -> (bool, bool) {
        match self.0.get_mut(symbol.index()) {
            Some(slot) => match *slot {
                Some(known) => (known, false),
                None => (*slot.insert(good()), true),
            },
            None => (good(), true),
        }
    }
}

/// Lists are broken into lines that are no longer.
const LONG: usize = 2000;

impl Printer<'_> {
    /// A name as it is.
    pub(super) fn raw(&mut self, ident: Ident) {
        let unit = self.unit;
        self.put(unit.text(ident));
    }

    /// A name that the grammar has to take for one.
    pub(super) fn name(&mut self, ident: Ident) {
        let text = self.unit.text(ident);
        let (good, first) = self.spelling[self.at].look(ident.name, || is_name(text));
        if !good && first {
            self.bad_name(
                ident,
                "letters, digits, `_`, `-` and `.`, a letter first, and no reserved word",
            );
        }
        self.put(text);
    }

    pub(super) fn bad_name(&mut self, ident: Ident, what: &str) {
        let text = self.unit.text(ident);
        let message = format!("the kernel policy language cannot spell the name {text:?}");
        let error = Diagnostic::error(Code::NameNotInForm, ident.span, message);
        self.tell(error.note(format!("here a name is of {what}")));
    }

    /// `a` or `{ a b }`
    pub(super) fn names(&mut self, names: Idents) {
        let unit = self.unit;
        let list = &unit.idents[names.range()];
        if let [one] = list {
            return self.name(*one);
        }
        self.braced(list);
    }

    /// `{ a b }`, also of one name.
    pub(super) fn braced(&mut self, list: &[Ident]) {
        if list.is_empty() {
            let span = mandate_syntax::source::Span::NOWHERE;
            self.tell(not_in_form(span, "a list of names is empty"));
        }
        self.put("{ ");
        let mut start = self.printed.text.len();
        for &ident in list {
            self.name(ident);
            self.gap(&mut start);
        }
        self.put("}");
    }

    /// `a, b`
    pub(super) fn commas(&mut self, names: Idents) {
        let unit = self.unit;
        let mut start = self.printed.text.len();
        for (place, &ident) in unit.idents[names.range()].iter().enumerate() {
            if place > 0 {
                self.put(",");
                self.gap(&mut start);
            }
            self.name(ident);
        }
    }

    /// `a`, `{ a -b }`, `*`, `~{ a }`
    pub(super) fn set(&mut self, set: &Set) {
        let unit = self.unit;
        let items = &unit.set_items[set.items.range()];
        match (set.form, items) {
            (SetForm::Listed, [SetItem { ident, excluded: false }]) => self.name(*ident),
            (SetForm::Listed, []) => {
                self.tell(not_in_form(set.span, "a set is empty").note(
                    "the kernel policy language has no empty braces; an attribute without members says the same",
                ));
            }
            (SetForm::Listed, _) => self.items(items, false),
            (SetForm::Complement, [SetItem { ident, excluded: false }]) => {
                self.put("~");
                self.name(*ident);
            }
            (SetForm::Complement, []) | (SetForm::All, []) => self.put("*"),
            (SetForm::Complement, _) => {
                self.put("~");
                self.items(items, false);
            }
            // All but some is their complement.
            (SetForm::All, _) => {
                self.put("~");
                self.items(items, true);
            }
        }
    }

    fn items(&mut self, items: &[SetItem], turned: bool) {
        self.put("{ ");
        let mut start = self.printed.text.len();
        for item in items {
            match (turned, item.excluded) {
                (true, false) => continue,
                (false, true) => self.put("-"),
                _ => {}
            }
            self.name(item.ident);
            self.gap(&mut start);
        }
        self.put("}");
    }

    /// A blank, or a new line where the line would become too long for the original, which takes 8 KiB.
    fn gap(&mut self, start: &mut usize) {
        let long = self.printed.text.len() - *start > LONG;
        self.put(if long { "\n    " } else { " " });
        if long {
            *start = self.printed.text.len();
        }
    }

    pub(super) fn level(&mut self, level: &Level) {
        self.name(level.sensitivity);
        let unit = self.unit;
        let mut start = self.printed.text.len();
        for (place, range) in unit.category_ranges[level.categories.range()].iter().enumerate() {
            self.put(if place == 0 { ":" } else { "," });
            if self.printed.text.len() - start > LONG {
                self.gap(&mut start);
            }
            self.category(range.low);
            if range.low.name != range.high.name {
                self.put(".");
                self.category(range.high);
            }
        }
    }

    /// A category's name has no dot: that divides a range.
    pub(super) fn category(&mut self, ident: Ident) {
        if self.unit.text(ident).contains('.') {
            self.bad_name(ident, "letters, digits, `_` and `-`");
        }
        self.name(ident);
    }

    pub(super) fn range(&mut self, range: &MlsRange) {
        self.level(&range.low);
        if !self.one_level(range) {
            self.put(" - ");
            self.level(&range.high);
        }
    }

    fn one_level(&self, range: &MlsRange) -> bool {
        let ranges = &self.unit.category_ranges;
        let (low, high) = (&range.low, &range.high);
        let categories = |it: &Level| ranges[it.categories.range()].iter();
        low.sensitivity.name == high.sensitivity.name
            && categories(low)
                .map(|it| (it.low.name, it.high.name))
                .eq(categories(high).map(|it| (it.low.name, it.high.name)))
    }

    pub(super) fn context(&mut self, context: &Context) {
        self.name(context.user);
        self.put(":");
        self.name(context.role);
        self.put(":");
        self.name(context.type_);
        if let Some(range) = &context.range {
            self.put(":");
            self.range(range);
        }
    }
}
