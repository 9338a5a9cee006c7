//! Classes, levels and constraints.

use mandate_syntax::kernel::ast::{
    CompareOp, ConstraintTerm, ContextPart, DefaultRangeForm, DefaultSource, LevelName, RangePart,
    Set, SetForm, Side, Slice, StatementKind,
};
use mandate_syntax::source::Span;

use super::{Layout, Printer};
use crate::print::infix::{Shape, Step, prefix};
use crate::print::not_in_form;

impl<'a> Printer<'a> {
    /// Prints what is said of classes and levels; false if `kind` is something else.
    pub(super) fn class_statement(&mut self, span: Span, kind: &StatementKind) -> bool {
        let unit = self.unit;
        match kind {
            StatementKind::Class(name) => {
                if !self.vectors.contains(unit.text(*name)) {
                    self.open("(class ");
                    self.name(*name);
                    self.put(" ())\n");
                }
                if self.options.layout == Layout::Module {
                    self.open("(classorder (unordered ");
                    self.name(*name);
                    self.put("))\n");
                }
            }
            StatementKind::InitialSid(name) => {
                self.open("(sid ");
                self.name(*name);
                self.put(")\n");
            }
            StatementKind::Common { name, permissions } => {
                self.open("(common ");
                self.name(*name);
                self.put(" ");
                self.list(unit.idents[permissions.range()].iter().copied());
                self.put(")\n");
            }
            StatementKind::AccessVector { class, inherits, permissions } => {
                self.open("(class ");
                self.name(*class);
                self.put(" ");
                self.list(unit.idents[permissions.range()].iter().copied());
                self.put(")\n");
                if let Some(common) = inherits {
                    self.open("(classcommon ");
                    self.name(*class);
                    self.put(" ");
                    self.name(*common);
                    self.put(")\n");
                }
            }
            StatementKind::Default { part, classes, from } => {
                self.open(match part {
                    ContextPart::User => "(defaultuser ",
                    ContextPart::Role => "(defaultrole ",
                    ContextPart::Type => "(defaulttype ",
                });
                self.list(unit.idents[classes.range()].iter().copied());
                self.source(*from);
                self.put(")\n");
            }
            StatementKind::DefaultRange { classes, form } => {
                self.open("(defaultrange ");
                self.list(unit.idents[classes.range()].iter().copied());
                match form {
                    DefaultRangeForm::Glblub => self.put(" glblub"),
                    DefaultRangeForm::From(from, part) => {
                        self.source(*from);
                        self.put(match part {
                            RangePart::Low => " low",
                            RangePart::High => " high",
                            RangePart::LowHigh => " low-high",
                        });
                    }
                }
                self.put(")\n");
            }
            StatementKind::Sensitivity { name, aliases } => {
                let parentheses = self.declare("sensitivity", *name);
                self.close(parentheses);
                self.aliases("sensitivityalias", *name, *aliases);
            }
            StatementKind::Category { name, aliases } => {
                let parentheses = self.declare("category", *name);
                self.close(parentheses);
                self.aliases("categoryalias", *name, *aliases);
            }
            // Said with the orders.
            StatementKind::Dominance(_) => {}
            StatementKind::Level(level) => {
                if !level.categories.is_empty() {
                    self.open("(sensitivitycategory ");
                    self.name(level.sensitivity);
                    self.put(" ");
                    self.categories(level.categories);
                    self.put(")\n");
                }
            }
            StatementKind::Constrain { mls, classes, permissions, expression } => {
                let mls = *mls || self.looks_at_levels(*expression);
                for &class in &unit.idents[classes.range()] {
                    self.open(if mls { "(mlsconstrain " } else { "(constrain " });
                    self.permissions(class, permissions, false);
                    self.put(" ");
                    self.constraint(span, *expression);
                    self.put(")\n");
                }
            }
            StatementKind::ValidateTrans { mls, classes, expression } => {
                let mls = *mls || self.looks_at_levels(*expression);
                for &class in &unit.idents[classes.range()] {
                    self.open(if mls { "(mlsvalidatetrans " } else { "(validatetrans " });
                    self.name(class);
                    self.put(" ");
                    self.constraint(span, *expression);
                    self.put(")\n");
                }
            }
            _ => return false,
        }
        true
    }

    fn source(&mut self, from: DefaultSource) {
        self.put(match from {
            DefaultSource::Source => " source",
            DefaultSource::Target => " target",
        });
    }

    fn looks_at_levels(&self, expression: Slice) -> bool {
        let terms = &self.unit.constraint_terms[expression.range()];
        terms.iter().any(|it| matches!(it, ConstraintTerm::Levels { .. }))
    }

    fn constraint(&mut self, span: Span, expression: Slice) {
        let unit = self.unit;
        let terms = &unit.constraint_terms[expression.range()];
        let shapes: Vec<Shape> = terms
            .iter()
            .map(|it| match it {
                ConstraintTerm::Not => Shape::Prefix(0),
                ConstraintTerm::And | ConstraintTerm::Or => Shape::Binary(0),
                _ => Shape::Operand,
            })
            .collect();
        let Some(steps) = prefix(&shapes) else {
            return self.tell(not_in_form(span, "the expression is malformed"));
        };
        for step in steps {
            match step {
                Step::Open => self.part("("),
                Step::Close => self.put(")"),
                Step::Term(at) => self.constraint_term(span, &terms[at]),
            }
        }
    }

    fn constraint_term(&mut self, span: Span, term: &ConstraintTerm) {
        match term {
            ConstraintTerm::Not => self.put("not"),
            ConstraintTerm::And => self.put("and"),
            ConstraintTerm::Or => self.put("or"),
            ConstraintTerm::Parts { part, op } => {
                let letter = letter(*part);
                self.compare(*op);
                self.put(letter);
                self.put("1 ");
                self.put(letter);
                self.put("2)");
            }
            ConstraintTerm::Levels { left, op, right } => {
                self.compare(*op);
                self.put(level_name(*left));
                self.put(" ");
                self.put(level_name(*right));
                self.put(")");
            }
            ConstraintTerm::Names { part, side, op, names } => {
                self.compare(*op);
                self.put(letter(*part));
                self.put(match side {
                    Side::Source => "1 ",
                    Side::Target => "2 ",
                    Side::New => "3 ",
                });
                self.constraint_names(span, *part, names);
                self.put(")");
            }
        }
    }

    fn compare(&mut self, op: CompareOp) {
        self.part(match op {
            CompareOp::Eq => "(eq ",
            CompareOp::Ne => "(neq ",
            CompareOp::Dom => "(dom ",
            CompareOp::DomBy => "(domby ",
            CompareOp::Incomp => "(incomp ",
        });
    }

    fn constraint_names(&mut self, span: Span, part: ContextPart, names: &Set) {
        let unit = self.unit;
        let items = &unit.set_items[names.items.range()];
        if names.form == SetForm::Listed && items.iter().all(|it| !it.excluded) {
            return match items {
                [one] => self.name(one.ident),
                _ => self.list(items.iter().map(|it| it.ident)),
            };
        }
        if part != ContextPart::Type {
            return self.tell(not_in_form(span, "a set of users or roles has exceptions"));
        }
        let mut all = Vec::new();
        self.types(names, &mut all);
        for item in &all {
            self.item(item);
        }
    }
}

fn letter(part: ContextPart) -> &'static str {
    match part {
        ContextPart::User => "u",
        ContextPart::Role => "r",
        ContextPart::Type => "t",
    }
}

fn level_name(level: LevelName) -> &'static str {
    match level {
        LevelName::SourceLow => "l1",
        LevelName::TargetLow => "l2",
        LevelName::SourceHigh => "h1",
        LevelName::TargetHigh => "h2",
    }
}
