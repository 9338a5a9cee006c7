//! Blocks of a module. Each has branches: the statements of an `optional` and those of its `else`. The first block is the top
//! level. A branch has rules, what it adds to symbols, and the indices of the symbols it requires and declares.

use std::io;

use mandate_policydb::Ebitmap;
use mandate_policydb::wire::{ReadError, Reader, Writer};
use mandate_syntax::source::Span;

use super::form::{Form, ModuleVersion};
use super::rules::{Conditional, FilenameTransition, RangeTransition, RoleTransition, Rule};
use super::sets::RoleSet;
use super::symbols::{Kind, Symbols};

/// Bits of symbols by kind; of classes also their permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScopeIndex {
    pub(crate) symbols: [Ebitmap; Kind::COUNT],
    /// By class value − 1: bits of permissions.
    pub(crate) permissions: Vec<Ebitmap>,
}

impl ScopeIndex {
    fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let mut index = Self::default();
        for bits in &mut index.symbols {
            *bits = Ebitmap::read(r)?;
        }
        index.permissions = r.list(12, Ebitmap::read)?;
        Ok(index)
    }

    fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        self.symbols.iter().try_for_each(|it| it.write(w))?;
        w.count(self.permissions.len())?;
        self.permissions.iter().try_for_each(|it| it.write(w))
    }

    pub(crate) fn of(&self, kind: Kind) -> &Ebitmap {
        &self.symbols[kind as usize]
    }

    pub(crate) fn of_mut(&mut self, kind: Kind) -> &mut Ebitmap {
        &mut self.symbols[kind as usize]
    }
}

/// A branch of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Branch {
    /// Its number in the module, from 1: what scopes refer to.
    pub(crate) id: u32,
    pub(crate) enabled: u32,
    pub(crate) conditionals: Vec<Conditional>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) role_transitions: Vec<RoleTransition>,
    pub(crate) role_allows: Vec<[RoleSet; 2]>,
    pub(crate) filename_transitions: Vec<FilenameTransition>,
    pub(crate) range_transitions: Vec<RangeTransition>,
    pub(crate) required: ScopeIndex,
    pub(crate) declared: ScopeIndex,
    pub(crate) symbols: Symbols,
    /// Where diagnostics point to. Not of the file.
    pub(crate) span: Span,
}

impl Branch {
    fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        let [id, enabled] = r.u32s()?;
        let conditionals = r.list(16, |r| Conditional::read(r, form))?;
        let rules = Rule::read_list(r, form)?;
        let role_transitions = r.list(40, |r| RoleTransition::read(r, form))?;
        let role_allows = r.list(32, |r| Ok([RoleSet::read(r)?, RoleSet::read(r)?]))?;
        let mut branch = Self {
            id,
            enabled,
            conditionals,
            rules,
            role_transitions,
            role_allows,
            ..Self::default()
        };
        if form.has(ModuleVersion::FILENAME_TRANS) {
            branch.filename_transitions = r.list(68, |r| FilenameTransition::read(r, form))?;
        }
        if form.has(ModuleVersion::RANGE_RULES) {
            branch.range_transitions = r.list(84, RangeTransition::read)?;
        }
        (branch.required, branch.declared) = (ScopeIndex::read(r)?, ScopeIndex::read(r)?);
        branch.symbols = Symbols::read(r, form)?;
        Ok(branch)
    }

    fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        w.u32s(&[self.id, self.enabled])?;
        w.count(self.conditionals.len())?;
        self.conditionals.iter().try_for_each(|it| it.write(w, form))?;
        Rule::write_list(w, &self.rules)?;
        w.count(self.role_transitions.len())?;
        self.role_transitions.iter().try_for_each(|it| it.write(w, form))?;
        w.count(self.role_allows.len())?;
        self.role_allows.iter().flatten().try_for_each(|it| it.write(w))?;
        if form.has(ModuleVersion::FILENAME_TRANS) {
            w.count(self.filename_transitions.len())?;
            self.filename_transitions.iter().try_for_each(|it| it.write(w, form))?;
        }
        if form.has(ModuleVersion::RANGE_RULES) {
            w.count(self.range_transitions.len())?;
            self.range_transitions.iter().try_for_each(|it| it.write(w))?;
        }
        self.required.write(w)?;
        self.declared.write(w)?;
        self.symbols.write(w, form)
    }
}

/// A block: its branches, the `else` second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) branches: Vec<Branch>,
    /// Is it the top level of a module? Of the file, the first one alone is.
    pub(crate) top: bool,
}

impl Block {
    pub(crate) fn read(r: &mut Reader<'_>, form: Form) -> Result<Self, ReadError> {
        Ok(Self { branches: r.list(288, |r| Branch::read(r, form))?, top: false })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>, form: Form) -> io::Result<()> {
        w.count(self.branches.len())?;
        self.branches.iter().try_for_each(|it| it.write(w, form))
    }
}

/// Is the symbol required here?
pub(crate) const REQUIRED: u32 = 1;
/// Is it declared here?
pub(crate) const DECLARED: u32 = 2;

/// Which branches declare a symbol or, if none does, require it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) name: Box<str>,
    pub(crate) scope: u32,
    pub(crate) branches: Vec<u32>,
}

impl Scope {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let length = r.u32()?;
        let name = r.text(length)?;
        let at = r.offset();
        let scope = r.u32()?;
        if scope != REQUIRED && scope != DECLARED {
            return Err(ReadError::expected(at, "1 (required) or 2 (declared)", scope));
        }
        Ok(Self { name, scope, branches: r.list(4, Reader::u32)? })
    }

    pub(crate) fn write(&self, w: &mut Writer<'_>) -> io::Result<()> {
        w.count(self.name.len())?;
        w.bytes(self.name.as_bytes())?;
        w.u32(self.scope)?;
        w.count(self.branches.len())?;
        w.u32s(&self.branches)
    }
}
