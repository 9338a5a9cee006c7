//! The table of macros.

use std::sync::Arc;

use crate::m4::builtins::Builtin;
use crate::names::{Interner, Symbol, hash};
use crate::source::Span;
use crate::text::Text;

/// A part of a macro's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes as they are; `origin` is where the first of them lies in the text's origins.
    Literal { start: u32, end: u32, origin: u32 },
    /// `$1`; `$0` is the macro's name.
    Argument(u32),
    /// `$#`
    Count,
    /// `$*`
    All,
    /// `$@`
    AllQuoted,
}

/// A macro's text, cut at its parameters.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) text: Text,
    pub(super) pieces: Vec<Piece>,
}

impl Definition {
    pub(super) fn new(text: Text) -> Self {
        let pieces = cut(&text);
        Self { text, pieces }
    }
}

/// Cuts at `$` parameters. GNU m4 takes all digits that follow: `$10` is the tenth.
fn cut(text: &Text) -> Vec<Piece> {
    let bytes = &text.bytes;
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'$', &bytes[at..]) {
        let dollar = at + found;
        let Some((piece, end)) = parameter(bytes, dollar) else {
            at = dollar + 1;
            continue;
        };
        push_literal(&mut pieces, text, start, dollar);
        pieces.push(piece);
        start = end;
        at = end;
    }
    push_literal(&mut pieces, text, start, bytes.len());
    pieces
}

fn parameter(bytes: &[u8], dollar: usize) -> Option<(Piece, usize)> {
    let next = dollar + 1;
    match bytes.get(next)? {
        b'#' => Some((Piece::Count, next + 1)),
        b'*' => Some((Piece::All, next + 1)),
        b'@' => Some((Piece::AllQuoted, next + 1)),
        b'0'..=b'9' => {
            let digits = bytes[next..].iter().take_while(|it| it.is_ascii_digit());
            let mut end = next;
            let mut number = 0u32;
            for digit in digits {
                number = number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
                end += 1;
            }
            Some((Piece::Argument(number), end))
        }
        _ => None,
    }
}

fn push_literal(pieces: &mut Vec<Piece>, text: &Text, start: usize, end: usize) {
    if start < end {
        let origin = text.origins.partition_point(|&(at, _)| at as usize <= start);
        let small = |it: usize| u32::try_from(it).expect("macros stop before 4 GiB of text");
        let origin = small(origin.saturating_sub(1));
        pieces.push(Piece::Literal { start: small(start), end: small(end), origin });
    }
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Arc<Definition>),
    Builtin(Builtin),
}

/// Names and their stacks of values (`pushdef`), the current one last.
#[derive(Clone, Debug, Default)]
pub(super) struct Macros {
    pub(super) names: Interner,
    pub(super) values: Vec<Vec<Value>>,
    /// Values as they were before [`mark`](Self::mark)'s changes, by name; in the order of first change.
    saved: Vec<(Symbol, Vec<Value>)>,
    touched: Vec<bool>,
    marked: bool,
    /// How many arguments a call must have, and may have, by name.
    pub(super) arity: Vec<(u16, u16)>,
}

impl Macros {
    pub(super) fn require_arguments(&mut self, name: &str, least: u16, most: u16) {
        let Some(symbol) = self.names.get(name) else { return };
        if self.arity.len() <= symbol.index() {
            self.arity.resize(self.names.len(), (0, u16::MAX));
        }
        self.arity[symbol.index()] = (least, most);
    }

    /// How many arguments a call must have, and may have.
    pub(super) fn bounds(&self, symbol: Symbol) -> (u16, u16) {
        self.arity.get(symbol.index()).copied().unwrap_or((0, u16::MAX))
    }

    pub(super) fn arity(&self, symbol: Symbol) -> (usize, usize) {
        match self.bounds(symbol) {
            (0, u16::MAX) => (0, usize::MAX),
            (least, most) => (usize::from(least), usize::from(most)),
        }
    }

    pub(super) fn get(&self, word: &str) -> Option<Symbol> {
        self.get_bytes(word.as_bytes())
    }

    pub(super) fn get_bytes(&self, word: &[u8]) -> Option<Symbol> {
        self.get_hashed(hash(word), word)
    }

    pub(super) fn get_hashed(&self, hash: u32, word: &[u8]) -> Option<Symbol> {
        let symbol = self.names.get_hashed(hash, word)?;
        (!self.values[symbol.index()].is_empty()).then_some(symbol)
    }

    /// From names, and values and arities by name, if they fit one another.
    pub(super) fn from_parts(
        names: Interner,
        values: Vec<Vec<Value>>,
        arity: Vec<(u16, u16)>,
    ) -> Option<Self> {
        let touched = vec![false; values.len()];
        let fit = values.len() == names.len() && arity.len() <= names.len();
        fit.then_some(Self { names, values, arity, touched, ..Self::default() })
    }

    pub(super) fn value(&self, symbol: Symbol) -> Option<&Value> {
        self.values[symbol.index()].last()
    }

    pub(super) fn define(&mut self, name: &str, value: Value) {
        let stack = self.stack(name);
        stack.pop();
        stack.push(value);
    }

    pub(super) fn push(&mut self, name: &str, value: Value) {
        self.stack(name).push(value);
    }

    pub(super) fn pop(&mut self, name: &str) {
        if self.get(name).is_some() {
            self.stack(name).pop();
        }
    }

    pub(super) fn undefine(&mut self, name: &str) {
        if self.get(name).is_some() {
            self.stack(name).clear();
        }
    }

    /// From here on changes can be [`undo`](Self::undo)ne.
    pub(super) fn mark(&mut self) {
        self.marked = true;
    }

    /// Forgets all definitions since [`mark`](Self::mark).
    pub(super) fn undo(&mut self) {
        for (symbol, values) in self.saved.drain(..) {
            self.values[symbol.index()] = values;
            self.touched[symbol.index()] = false;
        }
    }

    fn stack(&mut self, name: &str) -> &mut Vec<Value> {
        let symbol = self.names.intern(name);
        if symbol.index() >= self.values.len() {
            self.values.push(Vec::new());
            self.touched.push(false);
        }
        if self.marked && !self.touched[symbol.index()] {
            self.touched[symbol.index()] = true;
            self.saved.push((symbol, self.values[symbol.index()].clone()));
        }
        &mut self.values[symbol.index()]
    }

    /// The names that have a value.
    pub(super) fn defined(&self) -> impl Iterator<Item = (&str, &Value)> {
        let named = |(symbol, name)| Some((name, self.value(symbol)?));
        self.names.iter().filter_map(named)
    }

    /// Where the text of `name` was spelled.
    pub(super) fn origin(&self, name: &str) -> Option<Span> {
        match self.value(self.get(name)?)? {
            Value::Text(definition) => definition.text.origins.first().map(|it| it.1),
            Value::Builtin(_) => None,
        }
    }
}
