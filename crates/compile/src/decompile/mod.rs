//! From a binary policy to a unit: statements that a compiler makes the same policy of. Attributes stay, rules go on naming them.
//!
//! Statements stand in the order in which the grammar of `policy.conf` wants them, and in such an order within each kind that the back
//! end gives the values and fills the tables that the policy has. What a binary policy does not tell from nothing (gaps between values, the
//! order of rules) is that of its [canonical] form.

mod classes;
mod contexts;
mod rules;
mod symbols;
#[cfg(test)]
mod tests;
mod write;

use mandate_policydb::{PolicyDb, canonical};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::Unit;
use mandate_syntax::source::Span;

use crate::backend::Options;
use write::Names;
pub(crate) use write::Writer;

/// What a binary policy says.
#[derive(Debug)]
pub struct Decompiled {
    /// Its statements.
    pub unit: Unit,
    /// What is of the whole policy and no statement: target, version, MLS, what is unknown.
    pub options: Options,
    /// What no statement says. After an error the unit is another policy.
    pub diagnostics: Vec<Diagnostic>,
}

/// Decompiles a policy whose references are sound.
pub fn unit(policy: &PolicyDb) -> Decompiled {
    let db = &canonical(policy);
    let mut writer = Writer::default();
    writer.unit.explicit_bounds = true;
    let names = Names::of(db, &mut writer);
    let mut it = Decompiler { db, names, writer, diagnostics: Vec::new() };
    it.classes();
    it.levels();
    it.constraints(true);
    it.capabilities();
    it.symbols();
    it.rules();
    it.users();
    it.constraints(false);
    it.contexts();
    let mut options = Options::default();
    (options.target, options.mls) = (db.target, db.mls);
    (options.handle_unknown, options.version) = (db.handle_unknown, db.version);
    Decompiled { unit: it.writer.unit, options, diagnostics: it.diagnostics }
}

struct Decompiler<'a> {
    db: &'a PolicyDb,
    names: Names,
    writer: Writer,
    diagnostics: Vec<Diagnostic>,
}

impl Decompiler<'_> {
    /// Tells of what no statement says.
    fn no_source(&mut self, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(Code::NotASource, Span::NOWHERE, message));
    }

    /// A name of bytes, which has to be text.
    fn text(&mut self, bytes: &[u8]) -> mandate_syntax::kernel::ast::Ident {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return self.writer.ident(text);
        }
        let text = String::from_utf8_lossy(bytes);
        self.no_source(format!("the name {text:?} is no text"));
        self.writer.ident(&text)
    }
}
