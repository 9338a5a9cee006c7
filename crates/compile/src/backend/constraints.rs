//! Constraints, `validatetrans` and defaults of new objects: what is kept with classes.

use mandate_policydb::{
    ClassDatum, ClassId, Comparison, Constraint, DefaultFrom, DefaultRange, MAX_CONSTRAINT_DEPTH,
    NameSet, Operator, Part, PolicyVersion, SymbolId, Term, TypeSet, Whose,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    self, CompareOp, ConstraintTerm, ContextPart, DefaultRangeForm, DefaultSource, Ident, Idents,
    LevelName, RangePart, Side, Slice, Statement, StatementKind,
};
use mandate_syntax::source::Span;

use super::Feature;
use super::resolve::Resolver;
use super::sets::bitmap;
use super::symbols::VALUE;
use super::tree::BlockId;

/// Constraints and defaults by class.
#[derive(Debug, Default)]
pub(crate) struct ClassRules {
    /// Class, constraint and statement, in the order written.
    constraints: Vec<(u16, Constraint, Span)>,
    validatetrans: Vec<(u16, Constraint)>,
    defaults: Vec<Default_>,
}

/// A default of a class, as written.
#[derive(Clone, Copy, Debug)]
struct Default_ {
    class: u16,
    value: DefaultValue,
    span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DefaultValue {
    User(DefaultFrom),
    Role(DefaultFrom),
    Type(DefaultFrom),
    Range(DefaultRange),
}

impl ClassRules {
    /// Moves all to the classes; gives where constraints were written: class, place in its list, statement.
    pub(crate) fn apply(mut self, classes: &mut [ClassDatum]) -> Vec<(u32, u32, Span)> {
        let mut origins = Vec::new();
        // The last written comes first.
        self.constraints.reverse();
        for (class, constraint, span) in self.constraints {
            let Some(datum) = classes.get_mut(usize::from(class) - 1) else { continue };
            let place = super::tree::small(datum.constraints.len());
            datum.constraints.push(constraint);
            origins.push((u32::from(class), place, span));
        }
        origins.sort_unstable();
        self.validatetrans.reverse();
        for (class, constraint) in self.validatetrans {
            if let Some(datum) = classes.get_mut(usize::from(class) - 1) {
                datum.validatetrans.push(constraint);
            }
        }
        for it in self.defaults {
            let Some(datum) = classes.get_mut(usize::from(it.class) - 1) else { continue };
            match it.value {
                DefaultValue::User(from) => datum.default_user = Some(from),
                DefaultValue::Role(from) => datum.default_role = Some(from),
                DefaultValue::Type(from) => datum.default_type = Some(from),
                DefaultValue::Range(range) => datum.default_range = Some(range),
            }
        }
        origins
    }
}

impl Resolver<'_, '_> {
    /// Gathers what is said of classes.
    pub(crate) fn class_rules(&mut self) -> ClassRules {
        let mut rules = ClassRules::default();
        for other in self.enabled_others() {
            self.class_statement(other.block, other.statement, &mut rules);
        }
        rules
    }

    fn class_statement(&mut self, block: BlockId, statement: &Statement, rules: &mut ClassRules) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Constrain { mls, classes, permissions, expression } => {
                if self.mls_refused(*mls, span, "mlsconstrain") {
                    return;
                }
                let expression = self.expression(block, span, *expression, false);
                let mut list = Vec::new();
                self.classes(block, *classes, &mut list);
                for class in list {
                    let permissions = self.permission_set(block, class, permissions);
                    if let (Some(permissions @ 1..), Some(terms)) = (permissions, &expression) {
                        let expression = terms.clone();
                        let new = Constraint { permissions, expression };
                        rules.constraints.push((class, new, span));
                    }
                }
            }
            StatementKind::ValidateTrans { mls, classes, expression } => {
                if self.mls_refused(*mls, span, "mlsvalidatetrans") {
                    return;
                }
                self.features.note(Feature::ValidateTrans, span);
                let expression = self.expression(block, span, *expression, true);
                let mut list = Vec::new();
                self.classes(block, *classes, &mut list);
                for class in list {
                    if let Some(terms) = &expression {
                        let new = Constraint { permissions: 0, expression: terms.clone() };
                        rules.validatetrans.push((class, new));
                    }
                }
            }
            StatementKind::Default { part, classes, from } => {
                let from = match from {
                    DefaultSource::Source => DefaultFrom::Source,
                    DefaultSource::Target => DefaultFrom::Target,
                };
                let (value, feature) = match part {
                    ContextPart::User => (DefaultValue::User(from), Feature::Default),
                    ContextPart::Role => (DefaultValue::Role(from), Feature::Default),
                    ContextPart::Type => (DefaultValue::Type(from), Feature::DefaultType),
                };
                self.features.note(feature, span);
                self.default(block, *classes, value, rules);
            }
            StatementKind::DefaultRange { classes, form } => {
                let glblub = *form == DefaultRangeForm::Glblub;
                self.features.note(if glblub { Feature::Glblub } else { Feature::Default }, span);
                self.default(block, *classes, DefaultValue::Range(default_range(*form)), rules);
            }
            _ => {}
        }
    }

    fn mls_refused(&mut self, mls: bool, span: Span, what: &str) -> bool {
        if mls && !self.options.mls {
            let message = format!("`{what}` in a policy without MLS");
            self.report.add(
                Diagnostic::error(Code::MlsDisabled, span, message)
                    .help("build the policy with MLS, or leave the statement out"),
            );
            return true;
        }
        false
    }

    fn default(
        &mut self,
        block: BlockId,
        classes: Idents,
        value: DefaultValue,
        rules: &mut ClassRules,
    ) {
        for &ident in self.tree.part(block).idents(classes) {
            let Some(class) = self.class(block, ident) else { continue };
            let kind = std::mem::discriminant(&value);
            let same =
                |it: &&Default_| it.class == class && std::mem::discriminant(&it.value) == kind;
            match rules.defaults.iter().find(same) {
                Some(before) if before.value != value => {
                    let text = self.tree.part(block).text(ident);
                    let message = format!("class `{text}` has two different defaults of one kind");
                    self.report.add(
                        Diagnostic::error(Code::ConflictingRule, ident.span, message)
                            .and(before.span, "the other default"),
                    );
                }
                Some(_) => {}
                None => rules.defaults.push(Default_ { class, value, span: ident.span }),
            }
        }
    }

    /// An expression in postfix order; nothing after an error.
    fn expression(
        &mut self,
        block: BlockId,
        span: Span,
        expression: Slice,
        transition: bool,
    ) -> Option<Vec<Term>> {
        let written = &self.tree.part(block).unit.constraint_terms[expression.range()];
        let mut terms = Vec::with_capacity(written.len());
        let mut fault = None;
        let mut known = true;
        for term in written {
            let term = match term {
                ConstraintTerm::Not => Term::Not,
                ConstraintTerm::And => Term::And,
                ConstraintTerm::Or => Term::Or,
                ConstraintTerm::Parts { part, op } => {
                    let what = match part {
                        ContextPart::User => Comparison::User,
                        ContextPart::Role => Comparison::Role,
                        ContextPart::Type => Comparison::Type,
                    };
                    let ordered = *part == ContextPart::Role;
                    if !ordered && !matches!(op, CompareOp::Eq | CompareOp::Ne) {
                        fault = Some("users and types compare with `==` and `!=` only");
                    }
                    Term::Compare(what, operator(*op))
                }
                ConstraintTerm::Levels { left, op, right } => match comparison(*left, *right) {
                    Some(what) => Term::Compare(what, operator(*op)),
                    None => {
                        fault = Some("these two levels cannot be compared");
                        continue;
                    }
                },
                ConstraintTerm::Names { part, side, op, names } => {
                    if *side == Side::New && !transition {
                        fault = Some("`u3`, `r3` and `t3` are of validatetrans only");
                    }
                    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
                        fault = Some("a set of names compares with `==` and `!=` only");
                    }
                    let negated = *op == CompareOp::Ne;
                    match self.name_set(block, *part, *side, negated, names) {
                        Some(set) => Term::Names(set),
                        None => {
                            known = false;
                            continue;
                        }
                    }
                }
            };
            terms.push(term);
        }
        if known && fault.is_none() {
            let constraint = Constraint { permissions: 0, expression: terms };
            match constraint.depth() {
                Some(depth) if depth <= MAX_CONSTRAINT_DEPTH => return Some(constraint.expression),
                Some(_) => fault = Some("the expression is nested deeper than the kernel takes"),
                None => fault = Some("the expression is malformed"),
            }
        }
        if let Some(fault) = fault {
            self.report.add(Diagnostic::error(Code::BadExpression, span, fault));
        }
        None
    }

    fn name_set(
        &mut self,
        block: BlockId,
        part: ContextPart,
        side: Side,
        negated: bool,
        names: &ast::Set,
    ) -> Option<NameSet> {
        let whose = match side {
            Side::Source => Whose::Source,
            Side::Target => Whose::Target,
            Side::New => Whose::Process,
        };
        let (part, names, written) = match part {
            ContextPart::Type => {
                let list = self.listed_types(block, names)?;
                (Part::Type, list.to_bitmap(), self.written(block, names))
            }
            ContextPart::Role => {
                (Part::Role, bitmap(&self.role_set(block, names)?), TypeSet::default())
            }
            ContextPart::User => {
                if names.form != ast::SetForm::Listed {
                    let message = "`*` and `~` are not allowed in a set of users";
                    let error = Diagnostic::error(Code::NotAllowedHere, names.span, message);
                    self.report.add(error.help("name the users"));
                    return None;
                }
                let items = self.tree.part(block).items(names);
                let users: Vec<Option<u32>> =
                    items.iter().map(|it| self.user(block, it.ident)).collect();
                let users: Option<Vec<u32>> = users.into_iter().collect();
                (Part::User, users?.iter().map(|it| it - 1).collect(), TypeSet::default())
            }
        };
        Some(NameSet { part, whose, negated, names, written })
    }

    /// The set as written: what is listed, without what is taken away.
    fn written(&self, block: BlockId, names: &ast::Set) -> TypeSet {
        if self.options.version < PolicyVersion::CONSTRAINT_NAMES {
            return TypeSet::default();
        }
        let part = self.tree.part(block);
        let listed = part.items(names).iter().filter(|it| !it.excluded);
        let values = listed.map(|it| self.symbols.type_value(part.name(it.ident)) & VALUE);
        let held = |it: &u32| *it as usize <= self.symbols.types_held;
        let types = values.filter(held).filter_map(|it| it.checked_sub(1)).collect();
        TypeSet { types, ..TypeSet::default() }
    }

    /// The class of a file type, for `genfscon`.
    pub(crate) fn class_named(&mut self, name: &str, span: Span) -> Option<ClassId> {
        let value = self.tree.names.get(name).map_or(0, |it| self.classes.value(it));
        let found = ClassId::from_value(value.into());
        if found.is_none() {
            let message = format!("no class `{name}` is declared, which this file type stands for");
            self.report.add(Diagnostic::error(Code::UnknownClass, span, message));
        }
        found
    }

    /// The bit of a policy capability.
    pub(crate) fn capability(&mut self, block: BlockId, ident: Ident) -> Option<u32> {
        let text = self.tree.part(block).text(ident);
        let found = mandate_policydb::capability_bit(text);
        if found.is_none() {
            let message = format!("no policy capability `{text}` is known");
            let near = crate::near::did_you_mean(text, mandate_policydb::capability_names());
            let mut error = Diagnostic::error(Code::UnknownCapability, ident.span, message);
            error.help.extend(near);
            self.report.add(error);
        }
        found
    }
}

fn operator(op: CompareOp) -> Operator {
    match op {
        CompareOp::Eq => Operator::Equal,
        CompareOp::Ne => Operator::NotEqual,
        CompareOp::Dom => Operator::Dominates,
        CompareOp::DomBy => Operator::DominatedBy,
        CompareOp::Incomp => Operator::Incomparable,
    }
}

fn comparison(left: LevelName, right: LevelName) -> Option<Comparison> {
    use LevelName as L;
    match (left, right) {
        (L::SourceLow, L::TargetLow) => Some(Comparison::L1L2),
        (L::SourceLow, L::TargetHigh) => Some(Comparison::L1H2),
        (L::SourceHigh, L::TargetLow) => Some(Comparison::H1L2),
        (L::SourceHigh, L::TargetHigh) => Some(Comparison::H1H2),
        (L::SourceLow, L::SourceHigh) => Some(Comparison::L1H1),
        (L::TargetLow, L::TargetHigh) => Some(Comparison::L2H2),
        _ => None,
    }
}

fn default_range(form: DefaultRangeForm) -> DefaultRange {
    use DefaultSource::{Source, Target};
    match form {
        DefaultRangeForm::From(Source, RangePart::Low) => DefaultRange::SourceLow,
        DefaultRangeForm::From(Source, RangePart::High) => DefaultRange::SourceHigh,
        DefaultRangeForm::From(Source, RangePart::LowHigh) => DefaultRange::SourceLowHigh,
        DefaultRangeForm::From(Target, RangePart::Low) => DefaultRange::TargetLow,
        DefaultRangeForm::From(Target, RangePart::High) => DefaultRange::TargetHigh,
        DefaultRangeForm::From(Target, RangePart::LowHigh) => DefaultRange::TargetLowHigh,
        DefaultRangeForm::Glblub => DefaultRange::Glblub,
    }
}
