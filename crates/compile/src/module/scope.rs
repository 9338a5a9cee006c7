//! Does a module name only what it declares or requires? A module is compiled alone, so that names of other modules mean
//! nothing in it unless a `require` block, of its own or of an interface it calls, says what they are.
//!
//! A name is in scope in a block if the block or one around it declares or requires it, before or after. The branches of an
//! `optional` are blocks; those of an `if` are not.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, RequireKind, Slice, Statement, StatementKind, Unit};
use mandate_syntax::names::Symbol;
use rustc_hash::FxHashSet;

use super::names::{NameKind, Visit, Walk, declared_by};
use crate::near::did_you_mean;

/// What a policy has.
pub trait Known {
    /// Is there such a name?
    fn has(&self, kind: NameKind, name: &str) -> bool;
    /// Does the class have the permission?
    fn has_permission(&self, class: &str, permission: &str) -> bool;
}

/// What is in scope without a word: what `policy_module` requires for a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ambient {
    /// Classes with all their permissions: those the kernel decides about.
    pub classes: FxHashSet<String>,
    /// Sensitivities and categories?
    pub levels: bool,
}

impl Ambient {
    fn has(&self, kind: NameKind, name: &str) -> bool {
        match kind {
            NameKind::Class => self.classes.contains(name),
            NameKind::Role => name == "system_r",
            NameKind::Sensitivity | NameKind::Category => self.levels,
            _ => false,
        }
    }
}

/// The names that the statements of a module use out of scope, each once. With a policy, names it does not have are left to
/// who resolves them: what is not there cannot be required either.
///
/// The module's requirements must stand in `unit`, which expansion with `self_contained_policy` would drop. Where that drops
/// what `policy_module` requires, `ambient` stands in for it.
pub fn check_scope(
    unit: &Unit,
    known: Option<&dyn Known>,
    ambient: Option<&Ambient>,
) -> Vec<Diagnostic> {
    let mut names = FxHashSet::default();
    let mut checker = Checker {
        known,
        ambient,
        unit,
        scopes: Vec::new(),
        told: FxHashSet::default(),
        diagnostics: Vec::new(),
        names: &mut names,
    };
    checker.block(&unit.statements);
    checker.diagnostics
}

#[derive(Default)]
struct Scope {
    names: FxHashSet<(NameKind, Symbol)>,
    /// Class and permission.
    permissions: FxHashSet<(Symbol, Symbol)>,
}

struct Checker<'a, 'n> {
    known: Option<&'a dyn Known>,
    ambient: Option<&'a Ambient>,
    unit: &'a Unit,
    /// Of the block and those around it.
    scopes: Vec<Scope>,
    told: FxHashSet<(NameKind, Symbol, Option<Symbol>)>,
    diagnostics: Vec<Diagnostic>,
    /// All names that were in scope somewhere, for near misses.
    names: &'n mut FxHashSet<(NameKind, Symbol)>,
}

impl Checker<'_, '_> {
    fn block(&mut self, statements: &[Statement]) {
        let mut scope = Scope::default();
        self.gather(statements, &mut scope);
        self.names.extend(&scope.names);
        self.scopes.push(scope);
        self.statements(statements);
        self.scopes.pop();
    }

    /// What the block itself declares and requires.
    fn gather(&self, statements: &[Statement], scope: &mut Scope) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Require(requires) => self.require(*requires, scope),
                StatementKind::Conditional { then, otherwise, .. } => {
                    self.gather(then, scope);
                    self.gather(otherwise, scope);
                }
                _ => declared_by(self.unit, statement, |kind, ident| {
                    scope.names.insert((kind, ident.name));
                }),
            }
        }
    }

    fn require(&self, requires: Slice, scope: &mut Scope) {
        for require in &self.unit.requires[requires.range()] {
            scope.names.insert((kind_of(require.kind), require.name.name));
            for permission in &self.unit.idents[require.permissions.range()] {
                scope.permissions.insert((require.name.name, permission.name));
            }
        }
    }

    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            let unit = self.unit;
            Walk { unit, visit: &mut *self }.statement(statement);
            match &statement.kind {
                StatementKind::Conditional { then, otherwise, .. } => {
                    self.statements(then);
                    self.statements(otherwise);
                }
                StatementKind::Optional { then, otherwise } => {
                    self.block(then);
                    otherwise.iter().for_each(|it| self.block(it));
                }
                _ => {}
            }
        }
    }

    fn exists(&self, kind: NameKind, name: &str) -> bool {
        self.known.is_none_or(|known| known.has(kind, name))
    }

    fn missing(&mut self, kind: NameKind, ident: Ident) {
        let unit = self.unit;
        let text = unit.text(ident);
        if !self.exists(kind, text) || !self.told.insert((kind, ident.name, None)) {
            return;
        }
        let words = kind.words();
        let message = format!("the module neither declares nor requires {words} `{text}`");
        let mut it = Diagnostic::error(Code::MissingRequire, ident.span, message);
        if self.known.is_none() {
            let others = self.names.iter().filter(|it| it.0 == kind);
            it.help.extend(did_you_mean(text, others.map(|it| unit.names.name(it.1))));
        }
        let require = format!("{} {text};", kind.keyword());
        self.diagnostics.push(it.help(format!("write gen_require(`{require}')")));
    }

    fn missing_permission(&mut self, class: Ident, permission: Ident) {
        let (text, name) = (self.unit.text(class), self.unit.text(permission));
        // What the class does not have is told by who resolves it.
        if self.known.is_some_and(|it| !it.has_permission(text, name))
            || !self.told.insert((NameKind::Class, class.name, Some(permission.name)))
        {
            return;
        }
        let class = text;
        let message = format!("the module does not require permission `{name}` of class `{class}`");
        let it = Diagnostic::error(Code::MissingRequire, permission.span, message);
        self.diagnostics.push(it.help(format!("write gen_require(`class {class} {name};')")));
    }

    fn in_scope(&self, kind: NameKind, name: Symbol) -> bool {
        self.scopes.iter().any(|it| it.names.contains(&(kind, name))) || self.is_ambient(kind, name)
    }

    fn is_ambient(&self, kind: NameKind, name: Symbol) -> bool {
        self.ambient.is_some_and(|it| it.has(kind, self.unit.names.name(name)))
    }
}

impl Visit for &mut Checker<'_, '_> {
    fn used(&mut self, kind: NameKind, ident: Ident) {
        // Objects have this role in every policy.
        let always = kind == NameKind::Role && self.unit.text(ident) == "object_r";
        if !always && !self.in_scope(kind, ident.name) {
            self.missing(kind, ident);
        }
    }

    fn permission(&mut self, classes: &[Ident], permission: Ident) {
        for &class in classes {
            let pair = (class.name, permission.name);
            let required = self.scopes.iter().any(|it| it.permissions.contains(&pair))
                || self.is_ambient(NameKind::Class, class.name);
            if !required && self.in_scope(NameKind::Class, class.name) {
                self.missing_permission(class, permission);
            }
        }
    }
}

/// The name space of a requirement.
pub(super) fn kind_of(kind: RequireKind) -> NameKind {
    match kind {
        RequireKind::Class => NameKind::Class,
        RequireKind::Role | RequireKind::RoleAttribute => NameKind::Role,
        RequireKind::Type | RequireKind::Attribute => NameKind::Type,
        RequireKind::User => NameKind::User,
        RequireKind::Boolean | RequireKind::Tunable => NameKind::Boolean,
        RequireKind::Sensitivity => NameKind::Sensitivity,
        RequireKind::Category => NameKind::Category,
    }
}
