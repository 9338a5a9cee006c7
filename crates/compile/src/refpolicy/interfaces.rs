//! Interfaces that nothing calls are compiled with stand-ins for their arguments, so that a slip in them is seen before someone
//! calls them.

use mandate_policydb::{ClassId, PolicyDb};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::kernel::{Ident, Idents, RequireKind, Set, Statement, StatementKind, Unit};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::FxHashSet;

use crate::near::did_you_mean;
use crate::refpolicy::tell::Words;

/// What stands in for an argument begins with this.
pub(super) const STAND_IN: &str = "mandate_argument_";

/// A call of the interface `name` with `count` stand-ins.
pub(super) fn call(name: &str, count: usize) -> String {
    let arguments: Vec<String> = (1..=count).map(|it| format!("{STAND_IN}{it}")).collect();
    format!("{name}({})\n", arguments.join(","))
}

/// Faults of an interface's text, as warnings: nothing calls it. What comes of a stand-in is none of its faults.
pub(super) fn faults(found: Vec<Diagnostic>) -> impl Iterator<Item = Diagnostic> {
    let own = |it: &Diagnostic| {
        it.code != Code::SourceWarning
            && it.span.pos != Span::NOWHERE.pos
            && !it.message.contains(STAND_IN)
    };
    found.into_iter().filter(own).map(|it| Diagnostic {
        severity: Severity::Warning,
        notes: [it.notes, vec!["no module of this build calls this interface".to_owned()]].concat(),
        ..it
    })
}

/// Checks the names that an interface's rules use.
pub(super) fn check(unit: &Unit, db: &PolicyDb, words: &mut Words<'_>) -> Vec<Diagnostic> {
    let mut check = Check { unit, db, words, in_scope: FxHashSet::default(), found: Vec::new() };
    check.gather(&unit.statements);
    check.statements(&unit.statements);
    check.found
}

struct Check<'a, 'w> {
    unit: &'a Unit,
    db: &'a PolicyDb,
    words: &'a mut Words<'w>,
    in_scope: FxHashSet<Symbol>,
    found: Vec<Diagnostic>,
}

impl Check<'_, '_> {
    /// Names that are required or declared.
    fn gather(&mut self, statements: &[Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Require(requires) => {
                    let requires = &self.unit.requires[requires.range()];
                    self.in_scope.extend(requires.iter().map(|it| it.name.name));
                }
                StatementKind::Type { name, .. }
                | StatementKind::Attribute(name)
                | StatementKind::Role { name, .. }
                | StatementKind::RoleAttribute(name)
                | StatementKind::Boolean { name, .. } => {
                    self.in_scope.insert(name.name);
                }
                StatementKind::Optional { then, otherwise } => {
                    self.gather(then);
                    self.gather(otherwise.as_deref().unwrap_or_default());
                }
                StatementKind::Conditional { then, otherwise, .. } => {
                    self.gather(then);
                    self.gather(otherwise);
                }
                _ => {}
            }
        }
    }

    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.statement(&statement.kind);
        }
    }

    fn statement(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::Require(requires) => self.requires(*requires),
            StatementKind::Av(rule) => {
                self.types(rule.source);
                self.types(rule.target);
                self.classes(
                    rule.classes,
                    &self.unit.set_items[rule.permissions.items.range()]
                        .iter()
                        .map(|it| it.ident)
                        .collect::<Vec<_>>(),
                );
            }
            StatementKind::TypeRule(rule) => {
                self.types(rule.source);
                self.types(rule.target);
                self.type_name(rule.result);
                self.classes(rule.classes, &[]);
            }
            StatementKind::TypeAttribute { name, attributes } => {
                self.type_name(*name);
                for &attribute in &self.unit.idents[attributes.range()] {
                    self.type_name(attribute);
                }
            }
            StatementKind::Optional { then, otherwise } => {
                self.statements(then);
                self.statements(otherwise.as_deref().unwrap_or_default());
            }
            StatementKind::Conditional { then, otherwise, .. } => {
                self.statements(then);
                self.statements(otherwise);
            }
            _ => {}
        }
    }

    fn requires(&mut self, requires: Idents) {
        for require in &self.unit.requires[requires.range()] {
            let name = self.unit.text(require.name);
            match require.kind {
                RequireKind::Class => {
                    let permissions = self.unit.idents[require.permissions.range()].to_vec();
                    self.class(require.name, &permissions);
                }
                RequireKind::Type | RequireKind::Attribute
                    if self.db.types.id(name).is_none()
                        && self.words.is_slip(name, require.name.span) =>
                {
                    let message =
                        format!("nothing declares `{name}`, which this interface requires");
                    self.tell(require.name, message);
                }
                _ => {}
            }
        }
    }

    fn types(&mut self, set: Set) {
        for item in &self.unit.set_items[set.items.range()] {
            self.type_name(item.ident);
        }
    }

    fn type_name(&mut self, ident: Ident) {
        let name = self.unit.text(ident);
        if self.in_scope.contains(&ident.name)
            || name == "self"
            || name.contains(STAND_IN)
            || self.db.types.id(name).is_some()
        {
            return;
        }
        if self.words.is_slip(name, ident.span) {
            let message = format!("`{name}` is neither required nor declared");
            self.tell(ident, message);
        }
    }

    fn tell(&mut self, ident: Ident, message: String) {
        let name = self.unit.text(ident);
        let it = Diagnostic::warning(Code::UnusedInterfaceFault, ident.span, message);
        let near = self.unit.names.iter().filter(|it| self.in_scope.contains(&it.0)).map(|it| it.1);
        let known = self.db.types.by_value().map(|it| &*it.name);
        let help = did_you_mean(name, near).or_else(|| did_you_mean(name, known));
        self.found.push(Diagnostic { help: help.into_iter().collect(), ..it });
    }

    fn classes(&mut self, classes: Idents, permissions: &[Ident]) {
        for &class in &self.unit.idents[classes.range()] {
            self.class(class, permissions);
        }
    }

    fn class(&mut self, class: Ident, permissions: &[Ident]) {
        let name = self.unit.text(class);
        if name.contains(STAND_IN) {
            return;
        }
        let Some(id) = self.db.classes.id(name) else {
            let known = self.db.classes.by_value().map(|it| &*it.name);
            let it = Diagnostic::warning(
                Code::UnusedInterfaceFault,
                class.span,
                format!("no class is called `{name}`"),
            );
            let help = did_you_mean(name, known).into_iter().collect();
            self.found.push(Diagnostic { help, ..it });
            return;
        };
        let known = permissions_of(self.db, id);
        for &permission in permissions {
            let text = self.unit.text(permission);
            if !text.contains(STAND_IN) && !known.contains(&text) {
                let message = format!("class `{name}` has no permission `{text}`");
                let it = Diagnostic::warning(Code::UnusedInterfaceFault, permission.span, message);
                let help = did_you_mean(text, known.iter().copied()).into_iter().collect();
                self.found.push(Diagnostic { help, ..it });
            }
        }
    }
}

fn permissions_of(db: &PolicyDb, class: ClassId) -> Vec<&str> {
    let Some(class) = db.classes.get(class) else { return Vec::new() };
    let common = class.common.as_deref().and_then(|it| db.commons.find(it));
    let inherited = common.into_iter().flat_map(|it| it.permissions.by_value());
    inherited.chain(class.permissions.by_value()).map(|it| &*it.name).collect()
}
