//! Rules and transitions.

use mandate_syntax::kernel::ast::{
    AvKind, AvRule, Ident, NumberRange, Slice, StatementKind, TypeRule, TypeRuleKind, XpermKind,
    XpermRule,
};
use mandate_syntax::source::Span;

use super::Printer;
use super::sets::Item;
use crate::print::{decimal, hexadecimal};

impl<'a> Printer<'a> {
    /// Prints a rule; false if `kind` is something else.
    pub(super) fn rule(&mut self, span: Span, kind: &StatementKind) -> bool {
        match kind {
            StatementKind::Av(rule) => self.av_rule(span, rule),
            StatementKind::Xperm(rule) => self.xperm_rule(rule),
            StatementKind::TypeRule(rule) => self.type_rule(rule),
            StatementKind::RangeTransition { source, target, classes, range } => {
                let (mut sources, mut targets) = (Vec::new(), Vec::new());
                self.types(source, &mut sources);
                self.types(target, &mut targets);
                for (source, target) in product(&sources, &targets) {
                    self.of_classes(*classes, |it, class| {
                        it.open("(rangetransition ");
                        it.pair(source, target);
                        it.class_or_process(class);
                        it.put(" ");
                        it.range(range);
                        it.put(")\n");
                    });
                }
            }
            StatementKind::RoleAllow { source, target } => {
                let (sources, targets) = (self.roles(source), self.roles(target));
                for &source in &sources {
                    for &target in &targets {
                        self.open("(roleallow ");
                        self.name(source);
                        self.put(" ");
                        self.name(target);
                        self.put(")\n");
                    }
                }
            }
            StatementKind::RoleTransition { source, target, classes, result } => {
                let roles = self.roles(source);
                let mut targets = Vec::new();
                self.types(target, &mut targets);
                for &role in &roles {
                    for target in &targets {
                        self.of_classes(*classes, |it, class| {
                            it.open("(roletransition ");
                            it.name(role);
                            it.put(" ");
                            it.item(target);
                            it.class_or_process(class);
                            it.put(" ");
                            it.name(*result);
                            it.put(")\n");
                        });
                    }
                }
            }
            _ => return false,
        }
        true
    }

    fn pair(&mut self, source: &Item, target: &Item) {
        self.item(source);
        self.put(" ");
        self.item(target);
    }

    fn class_or_process(&mut self, class: Option<Ident>) {
        self.put(" ");
        match class {
            Some(class) => self.name(class),
            None => self.put("process"),
        }
    }

    /// For each class, or once where none is written.
    fn of_classes(&mut self, classes: Slice, mut print: impl FnMut(&mut Self, Option<Ident>)) {
        let unit = self.unit;
        if classes.is_empty() {
            return print(self, None);
        }
        for &class in &unit.idents[classes.range()] {
            print(self, Some(class));
        }
    }

    fn av_rule(&mut self, span: Span, rule: &AvRule) {
        let word = match rule.kind {
            AvKind::Allow => "(allow ",
            AvKind::AuditAllow => "(auditallow ",
            AvKind::DontAudit | AvKind::AuditDeny => "(dontaudit ",
            AvKind::NeverAllow => "(neverallow ",
        };
        let marked = matches!(rule.kind, AvKind::Allow | AvKind::NeverAllow);
        let marked = marked && self.open_mark(span);
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        self.types(&rule.source, &mut sources);
        self.types(&rule.target, &mut targets);
        let unit = self.unit;
        let turned = rule.kind == AvKind::AuditDeny;
        for (source, target) in product(&sources, &targets) {
            for &class in &unit.idents[rule.classes.range()] {
                self.open(word);
                self.pair(source, target);
                self.put(" ");
                self.permissions(class, &rule.permissions, turned);
                self.put(")\n");
            }
        }
        if marked {
            self.open(";;* lme\n");
        }
    }

    /// Says where the next rule was written, if that is wanted and known.
    fn open_mark(&mut self, span: Span) -> bool {
        let Some(place) = self.options.line_marks.and_then(|it| it.location(span.pos)) else {
            return false;
        };
        self.open(";;* lmx ");
        decimal(&mut self.printed.text, u64::try_from(place.line).unwrap_or(0));
        self.put(" ");
        self.put(place.path);
        self.put("\n");
        true
    }

    fn xperm_rule(&mut self, rule: &XpermRule) {
        let word = match rule.kind {
            XpermKind::Allow => "(allowx ",
            XpermKind::AuditAllow => "(auditallowx ",
            XpermKind::DontAudit => "(dontauditx ",
            XpermKind::NeverAllow => "(neverallowx ",
        };
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        self.types(&rule.source, &mut sources);
        self.types(&rule.target, &mut targets);
        let unit = self.unit;
        for (source, target) in product(&sources, &targets) {
            for &class in &unit.idents[rule.classes.range()] {
                self.open(word);
                self.pair(source, target);
                self.put(" (");
                self.put(unit.text(rule.operation));
                self.put(" ");
                self.name(class);
                self.put(if rule.complement { " (not (" } else { " (" });
                for (place, range) in unit.number_ranges[rule.ranges.range()].iter().enumerate() {
                    if place > 0 {
                        self.put(" ");
                    }
                    self.xperm_range(range);
                }
                self.put(if rule.complement { "))))\n" } else { ")))\n" });
            }
        }
    }

    fn xperm_range(&mut self, range: &NumberRange) {
        if range.low == range.high {
            return hexadecimal(&mut self.printed.text, range.low);
        }
        self.put("(range ");
        hexadecimal(&mut self.printed.text, range.low);
        self.put(" ");
        hexadecimal(&mut self.printed.text, range.high);
        self.put(")");
    }

    fn type_rule(&mut self, rule: &TypeRule) {
        let word = match rule.kind {
            TypeRuleKind::Transition => "(typetransition ",
            TypeRuleKind::Member => "(typemember ",
            TypeRuleKind::Change => "(typechange ",
        };
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        self.types(&rule.source, &mut sources);
        self.types(&rule.target, &mut targets);
        let unit = self.unit;
        for (source, target) in product(&sources, &targets) {
            for &class in &unit.idents[rule.classes.range()] {
                self.open(word);
                self.pair(source, target);
                self.put(" ");
                self.name(class);
                if let Some(name) = rule.name {
                    self.put(" ");
                    self.quoted(name);
                }
                self.put(" ");
                self.name(rule.result);
                self.put(")\n");
            }
        }
    }
}

fn product<'i>(a: &'i [Item], b: &'i [Item]) -> impl Iterator<Item = (&'i Item, &'i Item)> {
    a.iter().flat_map(move |a| b.iter().map(move |b| (a, b)))
}
