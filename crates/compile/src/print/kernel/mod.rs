//! Units in the kernel policy language: a whole `policy.conf`, a module for checkmodule, or statements as they stand.

mod classes;
mod contexts;
mod names;
mod rules;

use mandate_syntax::kernel::ast::{Require, RequireKind, Statement, StatementKind, Unit};
use mandate_syntax::kernel::section;
use mandate_syntax::source::Span;
use rustc_hash::FxHashSet;

use super::infix::{Shape, Step, infix};
use super::{Printed, left_out, not_in_form};
use crate::print::decimal;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{CondTerm, Slice};
use names::Spelling;

/// What the text is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// A whole policy: the statements of all units in the order that the grammar demands. Headers and requirements of modules
    /// are left out.
    #[default]
    Policy,
    /// A module: its header first, users last.
    Module,
    /// The statements as they stand.
    Expanded,
}

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What the text is to be.
    pub layout: Layout,
}

/// Prints units, one after the other.
pub fn print(units: &[Unit], options: &Options) -> Printed {
    let mut printer = Printer::new(units, options.layout);
    match options.layout {
        Layout::Policy => printer.policy(units),
        Layout::Module | Layout::Expanded => {
            for (at, unit) in units.iter().enumerate() {
                printer.turn_to(at);
                printer.block(&unit.statements, 0);
            }
        }
    }
    printer.printed
}

/// Bounds that statements give: what is bounded (0 type, 1 role, 2 user), child, parent.
type Bounds<'a> = FxHashSet<(u8, &'a str, &'a str)>;

struct Printer<'a> {
    units: &'a [Unit],
    /// The unit whose statements are being printed.
    unit: &'a Unit,
    at: usize,
    layout: Layout,
    spelling: Vec<Spelling>,
    bounds: Bounds<'a>,
    printed: Printed,
}

static NOTHING: std::sync::LazyLock<Unit> = std::sync::LazyLock::new(Unit::default);

impl<'a> Printer<'a> {
    fn new(units: &'a [Unit], layout: Layout) -> Self {
        let mut bounds = Bounds::default();
        for unit in units.iter().filter(|it| it.explicit_bounds) {
            stated_bounds(unit, &unit.statements, &mut bounds);
        }
        let statements: usize = units.iter().map(|it| it.statements.len()).sum();
        Self {
            units,
            unit: units.first().unwrap_or(&NOTHING),
            at: 0,
            layout,
            spelling: units.iter().map(|it| Spelling::new(it.names.len())).collect(),
            bounds,
            printed: Printed { text: Vec::with_capacity(statements * 64), diagnostics: Vec::new() },
        }
    }

    fn turn_to(&mut self, at: usize) {
        (self.unit, self.at) = (&self.units[at], at);
    }

    /// A whole policy, in the order of the grammar's sections.
    fn policy(&mut self, units: &'a [Unit]) {
        let mut all: Vec<(u8, usize, &Statement)> = Vec::new();
        for (at, unit) in units.iter().enumerate() {
            all.extend(unit.statements.iter().map(|it| (section(&it.kind), at, it)));
        }
        all.sort_by_key(|it| it.0);
        let mut before = None;
        for (section, at, statement) in all {
            match &statement.kind {
                StatementKind::Module { .. } | StatementKind::Require(_) => continue,
                StatementKind::UserPrefix { .. } => {
                    let message = "a user's prefix stands in users_extra, not in a policy";
                    self.tell(left_out(statement.span, message));
                    continue;
                }
                _ => {}
            }
            if before.is_some_and(|it| it != section) {
                self.put("\n");
            }
            before = Some(section);
            self.turn_to(at);
            self.statement(statement, 0);
        }
    }

    /// Statements of one block.
    fn block(&mut self, statements: &[Statement], depth: usize) {
        let is_user = |it: &&Statement| matches!(it.kind, StatementKind::User { .. });
        if self.layout == Layout::Expanded {
            statements.iter().for_each(|it| self.statement(it, depth));
        } else {
            statements.iter().filter(|it| !is_user(it)).for_each(|it| self.statement(it, depth));
            statements.iter().filter(is_user).for_each(|it| self.statement(it, depth));
        }
    }

    fn statement(&mut self, statement: &Statement, depth: usize) {
        let start = self.printed.text.len();
        self.indent(depth);
        let span = statement.span;
        let done = match &statement.kind {
            StatementKind::Conditional { expression, then, otherwise } => {
                self.conditional(span, *expression, (then, otherwise), depth);
                return;
            }
            StatementKind::Optional { then, otherwise } => {
                self.optional(then, otherwise.as_deref(), depth);
                return;
            }
            StatementKind::Require(requires) => {
                let unit = self.unit;
                self.require(&unit.requires[requires.range()], depth);
                true
            }
            StatementKind::Module { name, version } => {
                self.put("module ");
                self.name(*name);
                if let Some(version) = version {
                    self.put(" ");
                    self.raw(*version);
                } else if self.layout == Layout::Module {
                    self.put(" 1.0");
                }
                self.put(";");
                true
            }
            kind => {
                self.rule(span, kind)
                    || self.declaration(span, kind)
                    || self.class_statement(span, kind)
                    || self.object(span, kind)
            }
        };
        if !done {
            self.tell(not_in_form(span, "the kernel policy language does not have this statement"));
        }
        // What is said in another way leaves no line.
        if self.printed.text.len() <= start + depth * 4 {
            self.printed.text.truncate(start);
        } else {
            self.put("\n");
        }
    }

    fn conditional(
        &mut self,
        span: Span,
        expression: Slice,
        (then, otherwise): (&[Statement], &[Statement]),
        depth: usize,
    ) {
        self.put("if (");
        self.condition(span, expression);
        self.put(") {\n");
        then.iter().for_each(|it| self.statement(it, depth + 1));
        self.indent(depth);
        self.put("}");
        if !otherwise.is_empty() {
            self.put(" else {\n");
            otherwise.iter().for_each(|it| self.statement(it, depth + 1));
            self.indent(depth);
            self.put("}");
        }
        self.put("\n");
    }

    fn condition(&mut self, span: Span, expression: Slice) {
        let unit = self.unit;
        let terms = &unit.cond_terms[expression.range()];
        let shapes: Vec<Shape> = terms
            .iter()
            .map(|it| match it {
                CondTerm::Bool(_) => Shape::Operand,
                CondTerm::Or => Shape::Binary(1),
                CondTerm::Xor => Shape::Binary(2),
                CondTerm::And => Shape::Binary(3),
                CondTerm::Not => Shape::Prefix(4),
                CondTerm::Eq | CondTerm::Ne => Shape::Binary(5),
            })
            .collect();
        let Some(steps) = infix(&shapes) else {
            return self.tell(not_in_form(span, "the condition is malformed"));
        };
        for step in steps {
            match step {
                Step::Open => self.put("("),
                Step::Close => self.put(")"),
                Step::Term(at) => match terms[at] {
                    CondTerm::Bool(ident) => self.name(ident),
                    CondTerm::Not => self.put("!"),
                    CondTerm::Or => self.put(" || "),
                    CondTerm::Xor => self.put(" ^ "),
                    CondTerm::And => self.put(" && "),
                    CondTerm::Eq => self.put(" == "),
                    CondTerm::Ne => self.put(" != "),
                },
            }
        }
    }

    fn optional(&mut self, then: &[Statement], otherwise: Option<&[Statement]>, depth: usize) {
        // The grammar wants something in the braces; nothing is also what an empty block says.
        if then.is_empty() && otherwise.is_none_or(<[_]>::is_empty) {
            self.printed.text.truncate(self.printed.text.len() - depth * 4);
            return;
        }
        self.put("optional {\n");
        self.block(then, depth + 1);
        self.indent(depth);
        self.put("}");
        if let Some(otherwise) = otherwise {
            self.put(" else {\n");
            self.block(otherwise, depth + 1);
            self.indent(depth);
            self.put("}");
        }
        self.put("\n");
    }

    fn require(&mut self, requires: &[Require], depth: usize) {
        if requires.is_empty() {
            return;
        }
        self.put("require {\n");
        for require in requires {
            self.indent(depth + 1);
            self.put(match require.kind {
                RequireKind::Class => "class ",
                RequireKind::Role => "role ",
                RequireKind::Type => "type ",
                RequireKind::Attribute => "attribute ",
                RequireKind::RoleAttribute => "attribute_role ",
                RequireKind::User => "user ",
                RequireKind::Boolean => "bool ",
                RequireKind::Tunable => "tunable ",
                RequireKind::Sensitivity => "sensitivity ",
                RequireKind::Category => "category ",
            });
            self.name(require.name);
            if require.kind == RequireKind::Class {
                self.put(" ");
                self.names(require.permissions);
            }
            self.put(";\n");
        }
        self.indent(depth);
        self.put("}");
    }

    fn put(&mut self, text: &str) {
        self.printed.text.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        decimal(&mut self.printed.text, number);
    }

    fn indent(&mut self, depth: usize) {
        for _ in 0..depth {
            self.put("    ");
        }
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        self.printed.diagnostics.push(diagnostic);
    }
}

fn stated_bounds<'a>(unit: &'a Unit, statements: &'a [Statement], all: &mut Bounds<'a>) {
    for statement in statements {
        match &statement.kind {
            StatementKind::TypeBounds { parent, children } => {
                let parent = unit.text(*parent);
                let children = unit.idents[children.range()].iter();
                all.extend(children.map(|&it| (0, unit.text(it), parent)));
            }
            StatementKind::RoleBounds { parent, child } => {
                all.insert((1, unit.text(*child), unit.text(*parent)));
            }
            StatementKind::UserBounds { parent, child } => {
                all.insert((2, unit.text(*child), unit.text(*parent)));
            }
            StatementKind::Optional { then, otherwise } => {
                stated_bounds(unit, then, all);
                stated_bounds(unit, otherwise.as_deref().unwrap_or_default(), all);
            }
            _ => {}
        }
    }
}
