//! Classes, levels and constraints.

use mandate_syntax::kernel::ast::{
    CompareOp, ConstraintTerm, ContextPart, DefaultRangeForm, DefaultSource, LevelName, RangePart,
    Set, SetForm, Side, Slice, StatementKind,
};
use mandate_syntax::source::Span;

use super::{Printer, not_in_form};
use crate::print::infix::{Shape, Step, infix};

impl Printer<'_> {
    /// Prints what is said of classes and levels; false if `kind` is something else.
    pub(super) fn class_statement(&mut self, span: Span, kind: &StatementKind) -> bool {
        let unit = self.unit;
        match kind {
            StatementKind::Class(name) => self.word_and("class ", *name),
            StatementKind::InitialSid(name) => self.word_and("sid ", *name),
            StatementKind::Common { name, permissions } => {
                self.word_and("common ", *name);
                self.put(" ");
                self.braced(&unit.idents[permissions.range()]);
            }
            StatementKind::AccessVector { class, inherits, permissions } => {
                if inherits.is_none() && permissions.is_empty() {
                    return true;
                }
                self.word_and("class ", *class);
                if let Some(common) = inherits {
                    self.word_and(" inherits ", *common);
                }
                if !permissions.is_empty() {
                    self.put(" ");
                    self.braced(&unit.idents[permissions.range()]);
                }
            }
            StatementKind::Default { part, classes, from } => {
                self.put(match part {
                    ContextPart::User => "default_user ",
                    ContextPart::Role => "default_role ",
                    ContextPart::Type => "default_type ",
                });
                self.names(*classes);
                self.put(" ");
                self.source(*from);
                self.put(";");
            }
            StatementKind::DefaultRange { classes, form } => {
                self.put("default_range ");
                self.names(*classes);
                self.put(" ");
                match form {
                    DefaultRangeForm::Glblub => self.put("glblub"),
                    DefaultRangeForm::From(from, part) => {
                        self.source(*from);
                        self.put(match part {
                            RangePart::Low => " low",
                            RangePart::High => " high",
                            RangePart::LowHigh => " low-high",
                        });
                    }
                }
                self.put(";");
            }
            StatementKind::Sensitivity { name, aliases } => {
                self.word_and("sensitivity ", *name);
                self.aliases(*aliases);
                self.put(";");
            }
            StatementKind::Category { name, aliases } => {
                self.put("category ");
                self.category(*name);
                self.aliases(*aliases);
                self.put(";");
            }
            StatementKind::Dominance(names) => {
                self.put("dominance ");
                self.braced(&unit.idents[names.range()]);
            }
            StatementKind::Level(level) => {
                self.put("level ");
                self.level(level);
                self.put(";");
            }
            StatementKind::Constrain { mls, classes, permissions, expression } => {
                self.put(if *mls { "mlsconstrain " } else { "constrain " });
                self.names(*classes);
                self.put(" ");
                self.set(permissions);
                self.put(" ");
                self.constraint(span, *expression);
                self.put(";");
            }
            StatementKind::ValidateTrans { mls, classes, expression } => {
                self.put(if *mls { "mlsvalidatetrans " } else { "validatetrans " });
                self.names(*classes);
                self.put(" ");
                self.constraint(span, *expression);
                self.put(";");
            }
            _ => return false,
        }
        true
    }

    fn source(&mut self, from: DefaultSource) {
        self.put(match from {
            DefaultSource::Source => "source",
            DefaultSource::Target => "target",
        });
    }

    fn constraint(&mut self, span: Span, expression: Slice) {
        let unit = self.unit;
        let terms = &unit.constraint_terms[expression.range()];
        let shapes: Vec<Shape> = terms
            .iter()
            .map(|it| match it {
                ConstraintTerm::Or => Shape::Binary(1),
                ConstraintTerm::And => Shape::Binary(3),
                ConstraintTerm::Not => Shape::Prefix(4),
                _ => Shape::Operand,
            })
            .collect();
        let Some(steps) = infix(&shapes) else {
            return self.tell(not_in_form(span, "the expression is malformed"));
        };
        for step in steps {
            match step {
                Step::Open => self.put("("),
                Step::Close => self.put(")"),
                Step::Term(at) => self.constraint_term(span, &terms[at]),
            }
        }
    }

    fn constraint_term(&mut self, span: Span, term: &ConstraintTerm) {
        match term {
            ConstraintTerm::Not => self.put("not "),
            ConstraintTerm::And => self.put(" and "),
            ConstraintTerm::Or => self.put(" or "),
            ConstraintTerm::Parts { part, op } => {
                let letter = letter(*part);
                self.put(letter);
                self.put("1");
                self.compare(*op);
                self.put(letter);
                self.put("2");
            }
            ConstraintTerm::Levels { left, op, right } => {
                self.put(level_name(*left));
                self.compare(*op);
                self.put(level_name(*right));
            }
            ConstraintTerm::Names { part, side, op, names } => {
                self.put(letter(*part));
                self.put(match side {
                    Side::Source => "1",
                    Side::Target => "2",
                    Side::New => "3",
                });
                self.compare(*op);
                self.constraint_names(span, names);
            }
        }
    }

    fn compare(&mut self, op: CompareOp) {
        self.put(match op {
            CompareOp::Eq => " == ",
            CompareOp::Ne => " != ",
            CompareOp::Dom => " dom ",
            CompareOp::DomBy => " domby ",
            CompareOp::Incomp => " incomp ",
        });
    }

    /// Names of a constraint have no exceptions.
    fn constraint_names(&mut self, span: Span, names: &Set) {
        let unit = self.unit;
        let items = &unit.set_items[names.items.range()];
        if names.form != SetForm::All && items.iter().any(|it| it.excluded) {
            self.tell(not_in_form(span, "a set of names in a constraint has an exception"));
        }
        self.set(names);
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
