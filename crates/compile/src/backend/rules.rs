//! Type enforcement rules: every statement becomes records by source, target, class and kind; sorted, those of one key are one
//! rule, and the statements behind it are its origins.

use mandate_policydb::{
    AvRule, ClassId, Conditional, ExtendedPermissions, RuleKind, SymbolId, TypeId, XpermPool,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    self, AvKind, Statement, StatementKind, TypeRuleKind, XpermKind,
};
use mandate_syntax::source::Span;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::Feature;
use super::conditions::Conditions;
use super::records::{Joined, Record, by_source, join, key, origins_of, parts, parts_of};
use super::resolve::Resolver;
use super::sets::{Attributes, Forms, TypeList};
use super::transitions::NamedTransition;
use super::tree::{BlockId, small};
use crate::assertion::Assertion;
use crate::outcome::RuleOrigin;

/// A record of a conditional block.
#[derive(Clone, Copy, Debug)]
struct ConditionalRecord {
    /// Twice the block's index; one more for the false branch.
    branch: u32,
    record: Record,
}

/// A record of extended permissions.
#[derive(Clone, Copy, Debug)]
struct XpermRecord {
    branch: Option<u32>,
    key: u64,
    permissions: ExtendedPermissions,
    statement: u32,
}

impl XpermRecord {
    fn order(&self) -> (Option<u32>, u64, u8, u8) {
        (self.branch, self.key, self.permissions.form as u8, self.permissions.driver)
    }
}

/// Gathers the rules of all enabled blocks.
pub(crate) struct Rules<'x, 'a, 'r> {
    names: &'x mut Resolver<'a, 'r>,
    pub(crate) conditions: Conditions,
    pub(crate) assertions: Vec<Assertion>,
    pub(crate) named_transitions: Vec<NamedTransition>,
    records: Vec<Record>,
    conditional: Vec<ConditionalRecord>,
    xperms: Vec<XpermRecord>,
    /// Of the statements that records come from.
    pub(crate) spans: Vec<Span>,
    /// The branch whose statements are being read.
    branch: Option<u32>,
    source: TypeList,
    target: TypeList,
    classes: Vec<u16>,
}

/// The rules of a policy.
pub(crate) struct Expanded {
    pub(crate) rules: Vec<AvRule>,
    pub(crate) xperms: XpermPool,
    pub(crate) conditionals: Vec<Conditional>,
    pub(crate) origins: Vec<RuleOrigin>,
    pub(crate) conditional_origins: Vec<(u32, bool, RuleOrigin)>,
}

impl<'x, 'a, 'r> Rules<'x, 'a, 'r> {
    /// Reads the rules of all enabled blocks.
    pub(crate) fn gather(names: &'x mut Resolver<'a, 'r>) -> Self {
        let mut rules = Self {
            names,
            conditions: Conditions::default(),
            assertions: Vec::new(),
            named_transitions: Vec::new(),
            records: Vec::new(),
            conditional: Vec::new(),
            xperms: Vec::new(),
            spans: Vec::new(),
            branch: None,
            source: TypeList::default(),
            target: TypeList::default(),
            classes: Vec::new(),
        };
        let tree = rules.names.tree;
        for (id, block) in (0..).zip(&tree.blocks) {
            if rules.names.links.is_enabled(id) {
                for statement in block.statements {
                    rules.statement(id, statement);
                }
            }
        }
        rules
    }

    fn statement(&mut self, block: BlockId, statement: &'a Statement) {
        match &statement.kind {
            StatementKind::Av(rule) => self.av_rule(block, statement.span, rule),
            StatementKind::TypeRule(rule) => self.type_rule(block, statement.span, rule),
            StatementKind::Xperm(rule) => self.xperm_rule(block, statement.span, rule),
            StatementKind::Conditional { expression, then, otherwise } => {
                self.conditional(block, statement.span, *expression, then, otherwise);
            }
            _ => {}
        }
    }

    fn conditional(
        &mut self,
        block: BlockId,
        span: Span,
        expression: ast::Slice,
        then: &'a [Statement],
        otherwise: &'a [Statement],
    ) {
        let is_rule = |it: &Statement| {
            use StatementKind as S;
            matches!(it.kind, S::Av(_) | S::TypeRule(_) | S::Xperm(_))
        };
        let Some(condition) = self.names.condition(block, span, expression) else { return };
        if !then.iter().chain(otherwise).any(is_rule) {
            return;
        }
        if let Some(state) = condition.tunable {
            let statements = if state { then } else { otherwise };
            statements.iter().for_each(|it| self.statement(block, it));
            return;
        }
        self.names.features.note(Feature::Conditional, span);
        let (index, swapped) = self.conditions.add(condition);
        for (statements, is_false) in [(then, false), (otherwise, true)] {
            self.branch = Some(index * 2 + u32::from(is_false != swapped));
            statements.iter().for_each(|it| self.statement(block, it));
        }
        self.branch = None;
    }

    fn av_rule(&mut self, block: BlockId, span: Span, rule: &ast::AvRule) {
        let kind = match rule.kind {
            AvKind::Allow => RuleKind::Allow,
            AvKind::AuditAllow => RuleKind::AuditAllow,
            AvKind::DontAudit | AvKind::AuditDeny => RuleKind::DontAudit,
            AvKind::NeverAllow => {
                let Some(new) = self.assertion(block, span, &rule.source, &rule.target) else {
                    return;
                };
                return self.neverallow(block, rule, new);
            }
        };
        let to_self = self.types(block, &rule.source, &rule.target, Attributes::Keep);
        self.names.classes(block, rule.classes, &mut self.classes);
        let statement = self.statement_at(span);
        for at in 0..self.classes.len() {
            let class = self.classes[at];
            let Some(bits) = self.names.permission_set(block, class, &rule.permissions) else {
                continue;
            };
            if bits == 0 {
                self.nothing_left(class, rule.permissions.span);
                continue;
            }
            let bits = if rule.kind == AvKind::AuditDeny { !bits } else { bits };
            if let Some(to_self) = to_self {
                self.record_all(class, kind, bits, statement, to_self);
            }
        }
    }

    fn nothing_left(&mut self, class: u16, span: Span) {
        let names = &mut self.names;
        let class = names.classes.class(class).map_or("", |it| names.tree.names.name(it.name));
        let message = format!("no permission of class `{class}` is left in this set");
        let warning = Diagnostic::warning(Code::EmptySet, span, message);
        names.report.add(warning.label("the rule says nothing of this class"));
    }

    fn statement_at(&mut self, span: Span) -> u32 {
        self.spans.push(span);
        small(self.spans.len()) - 1
    }

    /// Resolves source and target; is `self` a target? Nothing after an error.
    fn types(
        &mut self,
        block: BlockId,
        source: &ast::Set,
        target: &ast::Set,
        attributes: Attributes,
    ) -> Option<bool> {
        self.names.refuse_self(block, source);
        let used = self.names.self_use(block, target);
        if used.excluded {
            let message = "`-self` is allowed in neverallow and neverallowxperm only";
            self.names.report.add(Diagnostic::error(Code::NotAllowedHere, target.span, message));
            return None;
        }
        // With `self` every source is a rule of its own, so that attributes cannot stay.
        let attributes = if used.named { Attributes::Expand } else { attributes };
        let names = &mut self.names;
        let known = names.type_set(block, source, Forms::Listed, attributes, &mut self.source)
            & names.type_set(block, target, Forms::Listed, attributes, &mut self.target);
        known.then_some(used.named)
    }

    fn record_all(&mut self, class: u16, kind: RuleKind, bits: u32, statement: u32, to_self: bool) {
        for &source in &self.source.values {
            let itself = to_self.then_some(source);
            for &target in self.target.values.iter().chain(&itself) {
                let record = Record { key: key(source, target, class, kind), bits, statement };
                match self.branch {
                    None => self.records.push(record),
                    Some(branch) => self.conditional.push(ConditionalRecord { branch, record }),
                }
            }
        }
    }

    fn type_rule(&mut self, block: BlockId, span: Span, rule: &ast::TypeRule) {
        let kind = match rule.kind {
            TypeRuleKind::Transition => RuleKind::TypeTransition,
            TypeRuleKind::Member => RuleKind::TypeMember,
            TypeRuleKind::Change => RuleKind::TypeChange,
        };
        let to_self = self.types(block, &rule.source, &rule.target, Attributes::Expand);
        self.names.classes(block, rule.classes, &mut self.classes);
        let result = self.names.plain_type(block, rule.result);
        let (Some(to_self), Some(result)) = (to_self, result) else { return };
        let statement = self.statement_at(span);
        for at in 0..self.classes.len() {
            let class = self.classes[at];
            match rule.name {
                None => self.record_all(class, kind, result, statement, to_self),
                Some(name) => {
                    self.names.features.note(Feature::FilenameTransition, span);
                    let name = self.names.tree.part(block).name(name);
                    for &source in &self.source.values {
                        let itself = to_self.then_some(source);
                        for &target in self.target.values.iter().chain(&itself) {
                            let new = NamedTransition { name, target, class, source, result, span };
                            self.named_transitions.push(new);
                        }
                    }
                }
            }
        }
    }

    fn xperm_rule(&mut self, block: BlockId, span: Span, rule: &ast::XpermRule) {
        let kind = match rule.kind {
            XpermKind::Allow => RuleKind::AllowXperm,
            XpermKind::AuditAllow => RuleKind::AuditAllowXperm,
            XpermKind::DontAudit => RuleKind::DontAuditXperm,
            XpermKind::NeverAllow => {
                if let Some(new) = self.assertion(block, span, &rule.source, &rule.target) {
                    self.neverallow_xperm(block, rule, new);
                }
                return;
            }
        };
        let to_self = self.types(block, &rule.source, &rule.target, Attributes::Keep);
        let pieces = self.names.extended_permissions(block, rule);
        self.xperm_classes(block, rule);
        let (Some(to_self), Some(pieces)) = (to_self, pieces) else { return };
        let feature =
            if self.branch.is_some() { Feature::ConditionalXperm } else { Feature::Xperm };
        self.names.features.note(feature, span);
        let (statement, branch) = (self.statement_at(span), self.branch);
        for &class in &self.classes {
            for &source in &self.source.values {
                let itself = to_self.then_some(source);
                for &target in self.target.values.iter().chain(&itself) {
                    let key = key(source, target, class, kind);
                    let new = |&permissions| XpermRecord { branch, key, permissions, statement };
                    self.xperms.extend(pieces.iter().map(new));
                }
            }
        }
    }

    /// The classes of a rule of extended permissions, each of which has the operation as a permission.
    fn xperm_classes(&mut self, block: BlockId, rule: &ast::XpermRule) {
        self.names.classes(block, rule.classes, &mut self.classes);
        let operation = self.names.tree.part(block).name(rule.operation);
        for &class in &self.classes {
            if self.names.classes.permission(class, operation) == 0 {
                self.names.unknown_permission(block, class, rule.operation);
            }
        }
    }

    /// Source and target of a `neverallow`, which may be any set.
    fn assertion(
        &mut self,
        block: BlockId,
        span: Span,
        source: &ast::Set,
        target: &ast::Set,
    ) -> Option<Assertion> {
        self.names.refuse_self(block, source);
        let used = self.names.self_use(block, target);
        let complement = target.form == ast::SetForm::Complement;
        if used.excluded && (used.named || complement) {
            let message = "`self` and `-self` cannot stand in one set";
            self.names.report.add(Diagnostic::error(Code::NotAllowedHere, target.span, message));
            return None;
        }
        let (names, expand) = (&mut self.names, Attributes::Expand);
        let known = names.type_set(block, source, Forms::Any, expand, &mut self.source)
            & names.type_set(block, target, Forms::Any, expand, &mut self.target);
        known.then(|| Assertion {
            source: self.source.to_bitmap(),
            target: self.target.to_bitmap(),
            self_: used.named && !complement,
            not_self: used.excluded || used.named && complement,
            class: ClassId::from_value(1).unwrap_or_else(|| unreachable!("1 is not 0")),
            permissions: 0,
            xperms: Vec::new(),
            span,
        })
    }

    fn neverallow(&mut self, block: BlockId, rule: &ast::AvRule, new: Assertion) {
        self.names.classes(block, rule.classes, &mut self.classes);
        for at in 0..self.classes.len() {
            let class = self.classes[at];
            let bits = self.names.permission_set(block, class, &rule.permissions).unwrap_or(0);
            let id = ClassId::from_value(class.into());
            if let (Some(class), 1..) = (id, bits) {
                self.assertions.push(Assertion { class, permissions: bits, ..new.clone() });
            }
        }
    }

    fn neverallow_xperm(&mut self, block: BlockId, rule: &ast::XpermRule, new: Assertion) {
        let Some(xperms) = self.names.extended_permissions(block, rule) else { return };
        self.xperm_classes(block, rule);
        let operation = self.names.tree.part(block).name(rule.operation);
        for &class in &self.classes {
            let bits = self.names.classes.permission_bits(class, operation);
            let id = ClassId::from_value(class.into());
            if let (Some(class), Some(permissions)) = (id, bits) {
                let xperms = xperms.clone();
                self.assertions.push(Assertion { class, permissions, xperms, ..new.clone() });
            }
        }
    }

    /// Sorts and joins the records.
    pub(crate) fn finish(mut self) -> (Expanded, Vec<Assertion>, Vec<NamedTransition>) {
        let records = std::mem::take(&mut self.records);
        let mut records = by_source(records, self.names.symbols.type_count());
        let parts: Vec<Joined> =
            parts_of(&mut records).into_par_iter().map(|it| Joined::of(it, &self.spans)).collect();
        let mut expanded = Expanded {
            rules: Vec::with_capacity(parts.iter().map(|it| it.rules.len()).sum()),
            xperms: XpermPool::default(),
            conditionals: Vec::new(),
            origins: Vec::with_capacity(parts.iter().map(|it| it.origins.len()).sum()),
            conditional_origins: Vec::with_capacity(self.conditional.len()),
        };
        for Joined { rules, origins, conflicts } in parts {
            let first = small(expanded.rules.len());
            expanded.rules.extend(rules);
            let moved = origins.into_iter().map(|it| RuleOrigin { rule: it.rule + first, ..it });
            expanded.origins.extend(moved);
            conflicts.iter().for_each(|(first, other)| self.conflict(first, other));
        }
        self.finish_conditionals(&mut expanded, &records);
        self.finish_xperms(&mut expanded);
        // As libsepol keeps them: the last block first.
        let last = small(expanded.conditionals.len()).saturating_sub(1);
        expanded.conditionals.reverse();
        expanded.conditional_origins.iter_mut().for_each(|it| it.0 = last - it.0);
        expanded.conditional_origins.sort_unstable_by_key(|it| (it.0, it.1, it.2.rule, it.2.span));
        (expanded, self.assertions, self.named_transitions)
    }

    fn rule_text(&self, key: u64) -> String {
        let Some((kind, source, target, class)) = parts(key) else { return String::new() };
        let (tree, symbols) = (self.names.tree, &self.names.symbols);
        let type_ = |id: TypeId| tree.names.name(symbols.type_symbol(id.value()).name);
        let class = u16::try_from(class.value()).ok().and_then(|it| self.names.classes.class(it));
        let class = class.map_or("", |it| tree.names.name(it.name));
        format!("{} {} {}:{class}", kind.keyword(), type_(source), type_(target))
    }

    fn conflict(&mut self, first: &Record, other: &Record) {
        let (a, b) =
            if first.statement < other.statement { (first, other) } else { (other, first) };
        let (tree, symbols) = (self.names.tree, &self.names.symbols);
        let type_ = |value: u32| tree.names.name(symbols.type_symbol(value).name);
        let (was, now) = (type_(a.bits), type_(b.bits));
        let rule = self.rule_text(a.key);
        let message = format!("`{rule}` gives `{now}` here and `{was}` elsewhere");
        let (span, before) = (self.spans[b.statement as usize], self.spans[a.statement as usize]);
        self.names.report.add(
            Diagnostic::error(Code::ConflictingRule, span, message)
                .label(format!("gives `{now}`"))
                .and(before, format!("gives `{was}`")),
        );
    }

    fn finish_conditionals(&mut self, expanded: &mut Expanded, records: &[Record]) {
        let mut conditional = std::mem::take(&mut self.conditional);
        conditional.sort_unstable_by_key(|it| (it.branch, it.record.key, it.record.statement));
        if self.names.is_explicit() {
            // What also stands outside says nothing here.
            conditional.retain(|it| !is_type_rule(it) || !also_outside(records, &it.record));
        }
        self.check_type_rules(&conditional, records);
        expanded.conditionals = self.conditions.take();
        let mut group_records = Vec::new();
        let same = |a: &ConditionalRecord, b: &ConditionalRecord| {
            (a.branch, a.record.key) == (b.branch, b.record.key)
        };
        for group in conditional.chunk_by(same) {
            group_records.clear();
            group_records.extend(group.iter().map(|it| it.record));
            let (rule, conflict) = join(&group_records);
            conflict.iter().for_each(|(first, other)| self.conflict(first, other));
            let Some(rule) = rule else { continue };
            let (index, when) = (group[0].branch / 2, group[0].branch % 2 == 0);
            let block = &mut expanded.conditionals[index as usize];
            let enabled = block.state == Some(when);
            let list = if when { &mut block.when_true } else { &mut block.when_false };
            let at = small(list.len());
            list.push(rule.with_enabled(enabled));
            let origins = &mut expanded.conditional_origins;
            let said = origins_of(at, &group_records, &self.spans);
            origins.extend(said.map(|origin| (index, when, origin)));
        }
    }

    /// A type rule stands outside of conditional blocks, or in one of them alone.
    fn check_type_rules(&mut self, conditional: &[ConditionalRecord], records: &[Record]) {
        let mut rules: Vec<ConditionalRecord> =
            conditional.iter().filter(|it| is_type_rule(it)).copied().collect();
        rules.sort_unstable_by_key(|it| (it.record.key, it.record.statement));
        for group in rules.chunk_by(|a, b| a.record.key == b.record.key) {
            let first = &group[0];
            let at = records.partition_point(|it| it.key < first.record.key);
            let outside = records.get(at).filter(|it| it.key == first.record.key);
            let other_block = group.iter().find(|it| it.branch / 2 != first.branch / 2);
            let (before, now) = match (outside, other_block) {
                (Some(outside), _) => (*outside, first.record),
                (None, Some(other)) => (first.record, other.record),
                (None, None) => continue,
            };
            if before.bits != now.bits {
                self.conflict(&before, &now);
                continue;
            }
            let rule = self.rule_text(now.key);
            let place = if outside.is_some() { "outside of it" } else { "in another block" };
            let message = format!("`{rule}` stands in a conditional block and also {place}");
            let span = self.spans[now.statement as usize];
            let before = self.spans[before.statement as usize];
            self.names.report.add(
                Diagnostic::error(Code::ConflictingRule, span, message)
                    .and(before, "the other rule")
                    .help("write it once outside of conditional blocks"),
            );
        }
    }

    fn finish_xperms(&mut self, expanded: &mut Expanded) {
        let mut xperms = std::mem::take(&mut self.xperms);
        xperms.sort_unstable_by_key(|it| (it.order(), it.statement));
        for group in xperms.chunk_by(|a, b| a.order() == b.order()) {
            let mut permissions = group[0].permissions;
            for other in &group[1..] {
                permissions.bits.iter_mut().zip(other.permissions.bits).for_each(|(a, b)| *a |= b);
            }
            let Some((kind, source, target, class)) = parts(group[0].key) else { continue };
            let place = expanded.xperms.push(permissions);
            let rule = AvRule::extended(kind, source, target, class, place);
            let statements = group.chunk_by(|a, b| a.statement == b.statement);
            let spans = statements.map(|it| self.spans[it[0].statement as usize]);
            let origin = |rule, span| RuleOrigin { rule, permissions: u32::MAX, span };
            match group[0].branch {
                None => {
                    let index = small(expanded.rules.len());
                    expanded.rules.push(rule);
                    expanded.origins.extend(spans.map(|span| origin(index, span)));
                }
                Some(branch) => {
                    let (index, when) = (branch / 2, branch % 2 == 0);
                    let block = &mut expanded.conditionals[index as usize];
                    let enabled = block.state == Some(when);
                    let list = if when { &mut block.when_true } else { &mut block.when_false };
                    let at = small(list.len());
                    list.push(rule.with_enabled(enabled));
                    let origins = spans.map(|span| (index, when, origin(at, span)));
                    expanded.conditional_origins.extend(origins);
                }
            }
        }
    }
}

fn is_type_rule(it: &ConditionalRecord) -> bool {
    parts(it.record.key).is_some_and(|(kind, ..)| kind.is_type())
}

/// Does the same stand outside of conditional blocks?
fn also_outside(records: &[Record], it: &Record) -> bool {
    let at = records.partition_point(|outside| outside.key < it.key);
    records.get(at).is_some_and(|outside| (outside.key, outside.bits) == (it.key, it.bits))
}
