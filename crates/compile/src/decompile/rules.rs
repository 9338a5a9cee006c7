//! Rules, conditional blocks and transitions.

use mandate_policydb::{AvRule, BoolTerm, Conditional, ExtendedPermissions, RuleKind, XpermForm};
use mandate_syntax::kernel::ast::{
    self, AvKind, CondTerm, NumberRange, Slice, Statement, StatementKind, TypeRuleKind, XpermKind,
};
use mandate_syntax::source::Span;

use super::Decompiler;
use super::write::small;

impl Decompiler<'_> {
    /// All rules. Of transitions and conditional blocks the last of the table is written first.
    pub(super) fn rules(&mut self) {
        let db = self.db;
        self.writer.unit.statements.reserve(db.rules.len());
        for rule in &db.rules {
            self.rule(rule);
        }
        for block in db.conditionals.iter().rev() {
            self.conditional(block);
        }
        self.filename_transitions();
        for it in db.role_allows.iter().rev() {
            let source = self.names.roles.set(it.role);
            let target = self.names.roles.set(it.new_role);
            self.writer.push(StatementKind::RoleAllow { source, target });
        }
        for it in db.role_transitions.iter().rev() {
            let source = self.names.roles.set(it.role);
            let target = self.names.types.set(it.type_);
            let classes = it.class.map_or(Slice::default(), |it| self.names.classes.list(it));
            let Some(result) = self.names.roles.get(it.new_role) else { continue };
            let kind = StatementKind::RoleTransition { source, target, classes, result };
            self.writer.push(kind);
        }
        for it in db.range_transitions.iter().rev() {
            let source = self.names.types.set(it.source);
            let target = self.names.types.set(it.target);
            let classes = it.class.map_or(Slice::default(), |it| self.names.classes.list(it));
            let range = Box::new(self.writer.range(db, &it.range));
            self.writer.push(StatementKind::RangeTransition { source, target, classes, range });
        }
    }

    fn rule(&mut self, rule: &AvRule) {
        if let Some(permissions) = self.db.xperms.of(rule) {
            return self.extended(rule, permissions);
        }
        let (source, target) = (rule.source, rule.target);
        let (source, target) = (self.names.types.set(source), self.names.types.set(target));
        let classes = self.names.classes.list(rule.class());
        if let Some(default) = rule.default_type() {
            let kind = match rule.kind {
                RuleKind::TypeMember => TypeRuleKind::Member,
                RuleKind::TypeChange => TypeRuleKind::Change,
                _ => TypeRuleKind::Transition,
            };
            let Some(result) = self.names.types.get(default) else { return };
            let rule = ast::TypeRule { kind, source, target, classes, result, name: None };
            return self.writer.push(StatementKind::TypeRule(rule));
        }
        let kind = match rule.kind {
            RuleKind::AuditAllow => AvKind::AuditAllow,
            RuleKind::DontAudit => AvKind::DontAudit,
            _ => AvKind::Allow,
        };
        let permissions =
            self.names.permissions(&mut self.writer, rule.class(), rule.permissions());
        let rule = ast::AvRule { kind, source, target, classes, permissions };
        self.writer.push(StatementKind::Av(rule));
    }

    fn extended(&mut self, rule: &AvRule, permissions: &ExtendedPermissions) {
        let (kind, ranges) = match rule.kind {
            RuleKind::AuditAllowXperm => (XpermKind::AuditAllow, ranges(permissions)),
            RuleKind::DontAuditXperm => (XpermKind::DontAudit, ranges(permissions)),
            _ => (XpermKind::Allow, ranges(permissions)),
        };
        let nlmsg = permissions.form == XpermForm::Nlmsg;
        let operation = self.writer.ident(if nlmsg { "nlmsg" } else { "ioctl" });
        // Said at once, all commands of a driver would be the driver.
        let whole =
            permissions.form == XpermForm::IoctlFunction && permissions.bits == [u32::MAX; 8];
        let statements: Vec<Vec<(u64, u64)>> = match ranges.first() {
            Some(&(low, high)) if whole => vec![vec![(low, low + 127)], vec![(low + 128, high)]],
            _ => vec![ranges],
        };
        for ranges in statements {
            let all = &mut self.writer.unit.number_ranges;
            let start = small(all.len());
            let span = Span::NOWHERE;
            all.extend(ranges.iter().map(|&(low, high)| NumberRange { low, high, span }));
            let ranges = Slice { start, end: small(all.len()) };
            let rule = ast::XpermRule {
                kind,
                source: self.names.types.set(rule.source),
                target: self.names.types.set(rule.target),
                classes: self.names.classes.list(rule.class()),
                operation,
                ranges,
                complement: false,
            };
            self.writer.push(StatementKind::Xperm(rule));
        }
    }

    fn conditional(&mut self, block: &Conditional) {
        let mut terms = Vec::with_capacity(block.expression.len());
        for term in &block.expression {
            terms.push(match *term {
                BoolTerm::Bool(id) => match self.names.booleans.get(id) {
                    Some(ident) => CondTerm::Bool(ident),
                    None => return,
                },
                BoolTerm::Not => CondTerm::Not,
                BoolTerm::Or => CondTerm::Or,
                BoolTerm::And => CondTerm::And,
                BoolTerm::Xor => CondTerm::Xor,
                BoolTerm::Equal => CondTerm::Eq,
                BoolTerm::NotEqual => CondTerm::Ne,
            });
        }
        let all = &mut self.writer.unit.cond_terms;
        let start = small(all.len());
        all.extend(terms);
        let expression = Slice { start, end: small(all.len()) };
        let then = self.branch(&block.when_true);
        let otherwise = self.branch(&block.when_false);
        self.writer.push(StatementKind::Conditional { expression, then, otherwise });
    }

    fn branch(&mut self, rules: &[AvRule]) -> Vec<Statement> {
        let outer = std::mem::take(&mut self.writer.unit.statements);
        rules.iter().for_each(|it| self.rule(it));
        std::mem::replace(&mut self.writer.unit.statements, outer)
    }

    fn filename_transitions(&mut self) {
        let db = self.db;
        for it in db.filename_transitions.to_groups().iter() {
            let name = Some(self.text(&it.name));
            for (sources, default) in &it.defaults {
                let Some(result) = self.names.types.get(*default) else { continue };
                let rule = ast::TypeRule {
                    kind: TypeRuleKind::Transition,
                    source: self.writer.set_of(self.names.types.of_bits(sources)),
                    target: self.names.types.set(it.target),
                    classes: self.names.classes.list(it.class),
                    result,
                    name,
                };
                self.writer.push(StatementKind::TypeRule(rule));
            }
        }
    }
}

/// The numbers that extended permissions stand for, neighbours as one range.
fn ranges(permissions: &ExtendedPermissions) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for low in (0..=u8::MAX).filter(|&it| permissions.has(it)) {
        let (first, last) = match permissions.form {
            XpermForm::IoctlDriver => (u64::from(low) << 8, u64::from(low) << 8 | 0xff),
            XpermForm::IoctlFunction | XpermForm::Nlmsg => {
                let number = u64::from(permissions.driver) << 8 | u64::from(low);
                (number, number)
            }
        };
        match ranges.last_mut() {
            Some(range) if range.1 + 1 == first => range.1 = last,
            _ => ranges.push((first, last)),
        }
    }
    ranges
}
