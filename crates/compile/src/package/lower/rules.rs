//! Rules as statements.

use mandate_policydb::Ebitmap;
use mandate_syntax::kernel::ast::{
    AvKind, AvRule, CondTerm, Ident, Idents, NumberRange, Slice, Statement, StatementKind,
    TypeRule, TypeRuleKind, XpermKind, XpermRule,
};

use super::{Lowerer, small};
use crate::package::blocks::Branch;
use crate::package::rules::{
    ALLOW, AUDITALLOW, AUDITDENY, CHANGE, Conditional, DONTAUDIT, IOCTL_DRIVERS, IOCTL_FUNCTIONS,
    MEMBER, NEVERALLOW, NLMSG, NOT_SELF, Rule, SELF, TRANSITION, XPERM_ALLOW, XPERM_AUDITALLOW,
    XPERM_DONTAUDIT, XPERM_NEVERALLOW, Xperms,
};
use crate::package::sets::TypeSet;
use crate::package::symbols::Kind;

/// How `self` stands in a target.
fn itself(flags: u32) -> Option<bool> {
    match (flags & SELF != 0, flags & NOT_SELF != 0) {
        (true, _) => Some(false),
        (false, true) => Some(true),
        _ => None,
    }
}

impl Lowerer<'_> {
    pub(super) fn rules(&mut self, branch: &Branch, out: &mut Vec<Statement>) {
        for rule in &branch.rules {
            self.rule(rule, out);
        }
        for it in &branch.filename_transitions {
            let target = self.target(&it.target, it.flags);
            let (Some(source), Some(target)) = (self.type_set(&it.source, None), target) else {
                continue;
            };
            let class = self.name(Kind::Classes, it.class);
            let result = self.name(Kind::Types, it.result);
            let (Some(class), Some(result)) = (class, result) else { continue };
            let (classes, name) = (self.one(class), Some(self.word(&it.name)));
            let kind = TypeRuleKind::Transition;
            let rule = TypeRule { kind, source, target, classes, result, name };
            self.push(out, StatementKind::TypeRule(rule));
        }
        for it in &branch.range_transitions {
            let source = self.type_set(&it.source, None);
            let (Some(source), Some(target)) = (source, self.type_set(&it.target, None)) else {
                continue;
            };
            let classes = self.class_list(&it.classes);
            if let Some(range) = self.range(&it.range).map(Box::new) {
                let kind = StatementKind::RangeTransition { source, target, classes, range };
                self.push(out, kind);
            }
        }
        for it in &branch.role_transitions {
            let source = self.role_set(&it.roles);
            let (Some(source), Some(target)) = (source, self.type_set(&it.types, None)) else {
                continue;
            };
            let classes = self.class_list(&it.classes);
            if let Some(result) = self.name(Kind::Roles, it.result) {
                let kind = StatementKind::RoleTransition { source, target, classes, result };
                self.push(out, kind);
            }
        }
        for [from, to] in &branch.role_allows {
            if let (Some(source), Some(target)) = (self.role_set(from), self.role_set(to)) {
                self.push(out, StatementKind::RoleAllow { source, target });
            }
        }
        // The newest stands first.
        for it in branch.conditionals.iter().rev() {
            self.conditional(it, out);
        }
    }

    fn class_list(&mut self, classes: &Ebitmap) -> Idents {
        let names = self.bits(Kind::Classes, classes);
        self.idents(names)
    }

    fn target(&mut self, set: &TypeSet, flags: u32) -> Option<mandate_syntax::kernel::ast::Set> {
        self.type_set(set, itself(flags))
    }

    fn rule(&mut self, rule: &Rule, out: &mut Vec<Statement>) {
        let source = self.type_set(&rule.source, None);
        let target = self.target(&rule.target, rule.flags);
        let (Some(source), Some(target)) = (source, target) else { return };
        match rule.kind {
            TRANSITION | MEMBER | CHANGE => {
                let kind = match rule.kind {
                    TRANSITION => TypeRuleKind::Transition,
                    MEMBER => TypeRuleKind::Member,
                    _ => TypeRuleKind::Change,
                };
                let mut classes = rule.classes.clone();
                classes.sort_by_key(|it| it[1]);
                for group in classes.chunk_by(|a, b| a[1] == b[1]) {
                    let Some(result) = self.name(Kind::Types, group[0][1]) else { continue };
                    let classes = self.named_classes(group);
                    let name = None;
                    let rule = TypeRule { kind, source, target, classes, result, name };
                    self.push(out, StatementKind::TypeRule(rule));
                }
            }
            _ => match &rule.xperms {
                Some(xperms) => self.xperm_rule(rule, xperms, source, target, out),
                None => self.av_rule(rule, source, target, out),
            },
        }
    }

    fn named_classes(&mut self, classes: &[[u32; 2]]) -> Idents {
        let names: Vec<Ident> =
            classes.iter().filter_map(|it| self.name(Kind::Classes, it[0])).collect();
        self.idents(names)
    }

    fn xperm_rule(
        &mut self,
        rule: &Rule,
        xperms: &Xperms,
        source: mandate_syntax::kernel::ast::Set,
        target: mandate_syntax::kernel::ast::Set,
        out: &mut Vec<Statement>,
    ) {
        let kind = match rule.kind {
            XPERM_ALLOW => XpermKind::Allow,
            XPERM_AUDITALLOW => XpermKind::AuditAllow,
            XPERM_DONTAUDIT => XpermKind::DontAudit,
            XPERM_NEVERALLOW => XpermKind::NeverAllow,
            other => return self.fault(format!("there is no rule of kind {other}")),
        };
        let operation = match xperms.form {
            IOCTL_FUNCTIONS | IOCTL_DRIVERS => self.word("ioctl"),
            NLMSG => self.word("nlmsg"),
            other => {
                return self.fault(format!("there are no extended permissions of kind {other}"));
            }
        };
        let start = small(self.unit.number_ranges.len());
        let span = self.span;
        let ranges = ranges(xperms).map(|(low, high)| NumberRange { low, high, span });
        self.unit.number_ranges.extend(ranges);
        let ranges = Slice { start, end: small(self.unit.number_ranges.len()) };
        let classes = self.named_classes(&rule.classes);
        let complement = false;
        let rule = XpermRule { kind, source, target, classes, operation, ranges, complement };
        self.push(out, StatementKind::Xperm(rule));
    }

    fn av_rule(
        &mut self,
        rule: &Rule,
        source: mandate_syntax::kernel::ast::Set,
        target: mandate_syntax::kernel::ast::Set,
        out: &mut Vec<Statement>,
    ) {
        let kind = match rule.kind {
            ALLOW => AvKind::Allow,
            AUDITALLOW => AvKind::AuditAllow,
            AUDITDENY => AvKind::AuditDeny,
            DONTAUDIT => AvKind::DontAudit,
            NEVERALLOW => AvKind::NeverAllow,
            other => return self.fault(format!("there is no rule of kind {other}")),
        };
        // Neighbouring classes with the same names of permissions become one statement.
        let mut last: Option<(Vec<Ident>, Vec<Ident>)> = None;
        for &[class, bits] in &rule.classes {
            if bits == 0 || self.is_disabled(Kind::Classes, class) {
                continue;
            }
            let Some(name) = self.name(Kind::Classes, class) else { continue };
            let permissions = self.permissions(class, bits);
            match &mut last {
                Some((classes, all)) if *all == permissions => classes.push(name),
                _ => {
                    let before = last.replace((vec![name], permissions));
                    self.av_statement(kind, source, target, before, out);
                }
            }
        }
        self.av_statement(kind, source, target, last, out);
    }

    fn av_statement(
        &mut self,
        kind: AvKind,
        source: mandate_syntax::kernel::ast::Set,
        target: mandate_syntax::kernel::ast::Set,
        classes: Option<(Vec<Ident>, Vec<Ident>)>,
        out: &mut Vec<Statement>,
    ) {
        let Some((classes, permissions)) = classes.filter(|it| !it.1.is_empty()) else { return };
        let (classes, permissions) = (self.idents(classes), self.listed(permissions));
        let rule = AvRule { kind, source, target, classes, permissions };
        self.push(out, StatementKind::Av(rule));
    }

    fn conditional(&mut self, conditional: &Conditional, out: &mut Vec<Statement>) {
        let mut terms = Vec::new();
        let mut depth = 0usize;
        for &[kind, boolean] in &conditional.expression {
            let term = match kind {
                1 => match self.name(Kind::Booleans, boolean) {
                    Some(name) => CondTerm::Bool(name),
                    None => return,
                },
                2 => CondTerm::Not,
                3 => CondTerm::Or,
                4 => CondTerm::And,
                5 => CondTerm::Xor,
                6 => CondTerm::Eq,
                7 => CondTerm::Ne,
                other => {
                    return self.fault(format!("there is no operator {other} in conditions"));
                }
            };
            let taken = match term {
                CondTerm::Bool(_) => 0,
                CondTerm::Not => 1,
                _ => 2,
            };
            if depth < taken {
                return self.fault("a condition lacks an operand".to_owned());
            }
            depth = depth - taken + 1;
            terms.push(term);
        }
        if depth != 1 {
            return self.fault("a condition is no expression".to_owned());
        }
        let start = small(self.unit.cond_terms.len());
        self.unit.cond_terms.extend(terms);
        let expression = Slice { start, end: small(self.unit.cond_terms.len()) };
        let (mut then, mut otherwise) = (Vec::new(), Vec::new());
        conditional.then.iter().for_each(|it| self.rule(it, &mut then));
        conditional.otherwise.iter().for_each(|it| self.rule(it, &mut otherwise));
        self.push(out, StatementKind::Conditional { expression, then, otherwise });
    }

    /// Range transitions of a base of version 5.
    pub(super) fn old_ranges(&mut self, out: &mut Vec<Statement>) {
        for it in &self.db.old_ranges {
            let [source, target] = it.types.map(|value| self.name(Kind::Types, value));
            let (Some(source), Some(target)) = (source, target) else { continue };
            let (source, target) = (self.listed([source]), self.listed([target]));
            let classes = Idents::default();
            if let Some(range) = self.range(&it.range).map(Box::new) {
                let kind = StatementKind::RangeTransition { source, target, classes, range };
                self.push(out, kind);
            }
        }
    }
}

/// The numbers of extended permissions, neighbours joined.
fn ranges(xperms: &Xperms) -> impl Iterator<Item = (u64, u64)> {
    let set = |bit: &u32| {
        let word = xperms.bits.iter().zip(0u32..).find(|it| it.1 == bit / 32);
        word.is_some_and(|it| it.0 >> (bit % 32) & 1 == 1)
    };
    let mut list: Vec<(u64, u64)> = Vec::new();
    for bit in (0u32..256).filter(set).map(u64::from) {
        let (low, high) = match xperms.form {
            IOCTL_DRIVERS => (bit << 8, bit << 8 | 0xff),
            _ => {
                let number = u64::from(xperms.driver) << 8 | bit;
                (number, number)
            }
        };
        match list.last_mut() {
            Some(last) if last.1 + 1 == low => last.1 = high,
            _ => list.push((low, high)),
        }
    }
    list.into_iter()
}
