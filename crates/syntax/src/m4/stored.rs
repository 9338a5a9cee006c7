//! Macros as bytes, for a cache.

use std::sync::Arc;

use crate::m4::asked::{Asked, WORDS};
use crate::m4::builtins::Builtin;
use crate::m4::machine::Machine;
use crate::m4::macros::{Definition, Macros, Value};
use crate::stored::{Reader, Stored, Writer};
use crate::text::Text;

impl Stored for Value {
    fn put(&self, to: &mut Writer<'_>) {
        match self {
            Self::Text(definition) => {
                to.number(0);
                definition.text.put(to);
            }
            Self::Builtin(builtin) => {
                let at = Builtin::ALL.iter().position(|it| it.1 == *builtin);
                to.number(at.map_or(0, |it| it as u64 + 1));
            }
        }
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        match usize::get(from)?.checked_sub(1) {
            None => Some(Self::Text(Arc::new(Definition::new(Text::get(from)?)))),
            Some(at) => Builtin::ALL.get(at).map(|it| Self::Builtin(it.1)),
        }
    }
}

impl Stored for Macros {
    /// Between runs: nothing is to be undone.
    fn put(&self, to: &mut Writer<'_>) {
        self.names.put(to);
        self.values.put(to);
        self.arity.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Self::from_parts(Stored::get(from)?, Stored::get(from)?, Stored::get(from)?)
    }
}

/// Without its budget.
impl Stored for Machine {
    fn put(&self, to: &mut Writer<'_>) {
        self.macros.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        Stored::get(from).map(Self::with_macros)
    }
}

impl Stored for Asked {
    fn put(&self, to: &mut Writer<'_>) {
        self.bits.iter().for_each(|it| to.word(*it));
    }

    fn get(from: &mut Reader<'_>) -> Option<Self> {
        (0..WORDS).map(|_| from.word()).collect::<Option<_>>().map(|bits| Self { bits })
    }
}
