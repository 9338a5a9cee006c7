//! Joins modules with a base, as libsepol does: symbols of equal names become one, values are counted anew, blocks follow those of
//! the base. Then the blocks whose requirements are met are enabled.

mod copy;
mod enable;
mod symbols;

use mandate_policydb::Ebitmap;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Module;
use super::blocks::{Block, Branch, DECLARED, REQUIRED, Scope};
use super::db::Db;
use super::symbols::{Kind, Symbols};
use crate::outcome::DisabledOptional;
use enable::enable;

/// A base with all that was linked into it.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The base, which now holds all.
    pub module: Module,
    /// Blocks whose requirements are not met.
    pub disabled: Vec<DisabledOptional>,
    /// What is odd, but no error.
    pub warnings: Vec<Diagnostic>,
}

/// Links modules into a base.
///
/// # Errors
/// Modules that do not fit the base or each other, symbols that are declared twice, and requirements of a whole module that
/// are not met.
pub fn link(base: Module, modules: &[Module]) -> Result<Linked, Vec<Diagnostic>> {
    let mut errors = misfits(&base, modules);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut linker = Linker::new(base.db);
    let mut warnings = Vec::new();
    for module in modules {
        let (before, version) = (linker.base.form.version, module.db.form.version);
        if version > before {
            let message = format!("Upgrading policy version from {before} to {version}");
            warnings.push(Diagnostic::warning(Code::Suspicious, place(&module.db), message));
            linker.base.set_version(version);
        }
        linker.module(&module.db);
    }
    let Linker { mut base, mut diagnostics, .. } = linker;
    errors.append(&mut diagnostics);
    if !errors.is_empty() {
        return Err(errors);
    }
    let disabled = enable(&mut base)?;
    Ok(Linked { module: Module { db: base }, disabled, warnings })
}

/// Where a module begins.
fn place(db: &Db) -> Span {
    db.blocks.first().and_then(|it| it.branches.first()).map_or(Span::NOWHERE, |it| it.span)
}

fn misfits(base: &Module, modules: &[Module]) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    if !base.is_base() {
        let message = "the target of linking is not a base module";
        errors.push(Diagnostic::error(Code::BadModuleSet, place(&base.db), message));
    }
    for module in modules {
        let (span, name) = (place(&module.db), module.name());
        if module.is_base() {
            let message = "a second base module: policies have one";
            errors.push(Diagnostic::error(Code::BadModuleSet, span, message));
        } else if module.mls() != base.mls() {
            let message = match base.mls() {
                true => format!("module `{name}` is without MLS, but the base has it"),
                false => format!("module `{name}` has MLS, but the base is without"),
            };
            let help = "build the module anew for this policy: checkmodule has -M for MLS";
            errors.push(Diagnostic::error(Code::BadModuleSet, span, message).help(help));
        }
    }
    errors
}

/// Where values of a module went. 0: nowhere.
#[derive(Default)]
struct Map {
    symbols: [Vec<u32>; Kind::COUNT],
    /// By class value − 1 and permission value − 1.
    permissions: Vec<[u32; 32]>,
    branches: FxHashMap<u32, u32>,
    /// The names that the module declares.
    declared: [FxHashSet<Box<str>>; Kind::COUNT],
    /// By value − 1: the place of the type or attribute that is no alias.
    primaries: Vec<usize>,
}

/// Places in a symbol table by name.
type Index = FxHashMap<Box<str>, usize>;

struct Linker {
    base: Db,
    /// Places in the tables of the base by kind and name.
    index: [Index; Kind::COUNT],
    scopes: [Index; Kind::COUNT],
    next_id: u32,
    diagnostics: Vec<Diagnostic>,
    /// Of the module that is linked in.
    map: Map,
    span: Span,
    name: Box<str>,
}

impl Linker {
    fn new(base: Db) -> Self {
        let ids = base.blocks.iter().flat_map(|it| &it.branches).map(|it| it.id);
        let next_id = ids.max().unwrap_or(0).saturating_add(1);
        let index = index(&base.symbols);
        let scopes = base.scopes.each_ref().map(|scopes| {
            scopes.iter().enumerate().map(|(at, it)| (it.name.clone(), at)).collect()
        });
        Self {
            base,
            index,
            scopes,
            next_id,
            diagnostics: Vec::new(),
            map: Map::default(),
            span: Span::NOWHERE,
            name: "".into(),
        }
    }

    fn error(&mut self, code: Code, message: String) {
        self.diagnostics.push(Diagnostic::error(code, self.span, message));
    }

    fn module(&mut self, module: &Db) {
        self.name = module.name.clone();
        self.span = place(module);
        self.map = Map::default();
        for kind in Kind::ALL {
            self.map.symbols[kind as usize] = vec![0; nprim(&module.symbols, kind)];
        }
        for (names, scopes) in self.map.declared.iter_mut().zip(&module.scopes) {
            let declared = scopes.iter().filter(|it| it.scope == DECLARED);
            *names = declared.map(|it| it.name.clone()).collect();
        }
        self.map.primaries = vec![usize::MAX; nprim(&module.symbols, Kind::Types)];
        for (at, it) in module.symbols.types.entries.iter().enumerate() {
            let slot = self.map.primaries.get_mut((it.value as usize).wrapping_sub(1));
            if let (Some(slot), None) = (slot, it.alias_of()) {
                *slot = at;
            }
        }
        self.map.permissions = vec![[0; 32]; nprim(&module.symbols, Kind::Classes)];
        self.symbols(&module.symbols, module, None);
        for block in &module.blocks {
            let mut branches = Vec::new();
            for branch in &block.branches {
                self.span = branch.span;
                let id = self.next_id;
                self.next_id = self.next_id.saturating_add(1);
                self.map.branches.insert(branch.id, id);
                branches.push(self.branch(branch, module, id));
            }
            self.base.blocks.push(Block { branches, top: block.top });
        }
        self.span = place(module);
        for kind in Kind::ALL {
            for scope in &module.scopes[kind as usize] {
                self.scope(kind, scope);
            }
        }
    }

    /// A branch with the values of the base. Rules stay in their order.
    fn branch(&mut self, from: &Branch, module: &Db, id: u32) -> Branch {
        let mut to = self.rules(from);
        (to.id, to.span) = (id, from.span);
        let mut added = Symbols::default();
        self.symbols(&from.symbols, module, Some(&mut added));
        to.symbols = added;
        to.required = self.scope_index(&from.required);
        to.declared = self.scope_index(&from.declared);
        to
    }

    fn scope(&mut self, kind: Kind, scope: &Scope) {
        let branches: Vec<u32> =
            (scope.branches.iter()).filter_map(|it| self.map.branches.get(it).copied()).collect();
        let scopes = &mut self.base.scopes[kind as usize];
        let index = &mut self.scopes[kind as usize];
        let at = *index.entry(scope.name.clone()).or_insert_with(|| {
            let (name, scope, branches) = (scope.name.clone(), REQUIRED, Vec::new());
            scopes.push(Scope { name, scope, branches });
            scopes.len() - 1
        });
        let Some(known) = scopes.get_mut(at) else { return };
        match (known.scope, scope.scope) {
            (REQUIRED, DECLARED) => {
                known.scope = DECLARED;
                known.branches = branches;
            }
            (DECLARED, REQUIRED) => {}
            (DECLARED, DECLARED) if kind != Kind::Roles && kind != Kind::Users => {
                let before = known.branches.last().copied();
                self.declared_twice(kind, &scope.name, before, branches.last().copied());
            }
            _ => known.branches.extend(branches),
        }
    }

    fn declared_twice(&mut self, kind: Kind, name: &str, before: Option<u32>, now: Option<u32>) {
        let span = |id: Option<u32>| {
            let mut all = self.base.blocks.iter().flat_map(|it| &it.branches);
            all.find(|it| Some(it.id) == id).map_or(Span::NOWHERE, |it| it.span)
        };
        let message = format!("`{name}` is declared twice as {} {}", article(kind), kind.word());
        let it = Diagnostic::error(Code::Redeclared, span(now), message)
            .label("declared again")
            .and(span(before), "first declared here")
            .help("let one of the modules require it instead");
        self.diagnostics.push(it);
    }

    /// Values of the base for those of the module.
    fn bits(&mut self, kind: Kind, bits: &Ebitmap) -> Ebitmap {
        bits.iter()
            .filter_map(|bit| self.value(kind, bit.checked_add(1)?)?.checked_sub(1))
            .collect()
    }

    fn value(&mut self, kind: Kind, value: u32) -> Option<u32> {
        let map = &self.map.symbols[kind as usize];
        match map.get((value as usize).wrapping_sub(1)) {
            Some(&found) if found != 0 => Some(found),
            _ => {
                let message = format!(
                    "module `{}` speaks of a {} with the value {value}, which it does not have",
                    self.name,
                    kind.word()
                );
                if self.diagnostics.len() < 20 {
                    self.error(Code::BadPackage, message);
                }
                None
            }
        }
    }
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Users | Kind::Roles => "the",
        _ => "a",
    }
}

fn nprim(symbols: &Symbols, kind: Kind) -> usize {
    let nprim = match kind {
        Kind::Commons => symbols.commons.nprim,
        Kind::Classes => symbols.classes.nprim,
        Kind::Roles => symbols.roles.nprim,
        Kind::Types => symbols.types.nprim,
        Kind::Users => symbols.users.nprim,
        Kind::Booleans => symbols.booleans.nprim,
        Kind::Levels => symbols.levels.nprim,
        Kind::Categories => symbols.categories.nprim,
    };
    nprim as usize
}

fn index(symbols: &Symbols) -> [Index; Kind::COUNT] {
    fn of<T: super::symbols::Record>(table: &super::symbols::Table<T>) -> Index {
        table.entries.iter().enumerate().map(|(at, it)| (it.name().into(), at)).collect()
    }
    [
        of(&symbols.commons),
        of(&symbols.classes),
        of(&symbols.roles),
        of(&symbols.types),
        of(&symbols.users),
        of(&symbols.booleans),
        of(&symbols.levels),
        of(&symbols.categories),
    ]
}
