//! The names a statement uses and those it declares.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    AvRule, CondTerm, Ident, Idents, Level, MlsRange, Set, Slice, Statement, StatementKind,
    TypeRule, Unit, XpermRule,
};

/// A name space of modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// Types, attributes and aliases.
    Type,
    /// Roles and role attributes.
    Role,
    /// Users.
    User,
    /// Booleans and tunables.
    Boolean,
    /// Classes.
    Class,
    /// Sensitivities.
    Sensitivity,
    /// Categories.
    Category,
}

impl NameKind {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Role => "role",
            Self::User => "user",
            Self::Boolean => "boolean",
            Self::Class => "class",
            Self::Sensitivity => "sensitivity",
            Self::Category => "category",
        }
    }

    /// As `require` spells it.
    pub fn keyword(self) -> &'static str {
        if self == Self::Boolean { "bool" } else { self.words() }
    }
}

/// Takes the names of statements.
pub(super) trait Visit {
    /// `ident` is used.
    fn used(&mut self, kind: NameKind, ident: Ident);
    /// `permission` of `classes` is used.
    fn permission(&mut self, classes: &[Ident], permission: Ident);
}

/// A walk over the statements that a module may have: others are the base policy's.
pub(super) struct Walk<'a, V> {
    pub(super) unit: &'a Unit,
    pub(super) visit: V,
}

impl<'a, V: Visit> Walk<'a, V> {
    /// The names that `statement` itself uses: not those of statements within it.
    pub(super) fn statement(&mut self, statement: &Statement) {
        use StatementKind as K;
        match &statement.kind {
            K::Av(rule) => self.av(rule),
            K::Xperm(rule) => self.xperm(rule),
            K::TypeRule(rule) => self.type_rule(rule),
            K::Conditional { expression, .. } => self.condition(*expression),
            K::User { roles, level, range, .. } => {
                self.set(NameKind::Role, roles);
                level.iter().for_each(|it| self.level(it));
                range.iter().for_each(|it| self.range(it));
            }
            K::UserPrefix { name, .. } => self.visit.used(NameKind::User, *name),
            K::UserBounds { parent, child } => {
                self.visit.used(NameKind::User, *parent);
                self.visit.used(NameKind::User, *child);
            }
            K::RoleBounds { parent, child } => {
                self.visit.used(NameKind::Role, *parent);
                self.visit.used(NameKind::Role, *child);
            }
            kind => self.types(kind),
        }
    }

    /// Statements about types, then those about roles.
    fn types(&mut self, kind: &StatementKind) {
        use StatementKind as K;
        match kind {
            K::Type { attributes, .. } => self.idents(NameKind::Type, *attributes),
            K::TypeAlias { name, .. } | K::Permissive(name) | K::NeverAudit(name) => {
                self.visit.used(NameKind::Type, *name);
            }
            K::TypeAttribute { name, attributes } => {
                self.visit.used(NameKind::Type, *name);
                self.idents(NameKind::Type, *attributes);
            }
            K::ExpandAttribute { names, .. } => self.idents(NameKind::Type, *names),
            K::TypeBounds { parent, children } => {
                self.visit.used(NameKind::Type, *parent);
                self.idents(NameKind::Type, *children);
            }
            K::RangeTransition { source, target, classes, range } => {
                self.set(NameKind::Type, source);
                self.set(NameKind::Type, target);
                self.idents(NameKind::Class, *classes);
                self.range(range);
            }
            kind => self.roles(kind),
        }
    }

    fn roles(&mut self, kind: &StatementKind) {
        use StatementKind as K;
        match kind {
            K::Role { name, types, attributes } => {
                if let Some(types) = types {
                    self.visit.used(NameKind::Role, *name);
                    self.set(NameKind::Type, types);
                }
                self.idents(NameKind::Role, *attributes);
            }
            K::RoleAttributeSet { name, attributes } => {
                self.visit.used(NameKind::Role, *name);
                self.idents(NameKind::Role, *attributes);
            }
            K::RoleAllow { source, target } => {
                self.set(NameKind::Role, source);
                self.set(NameKind::Role, target);
            }
            K::RoleTransition { source, target, classes, result } => {
                self.set(NameKind::Role, source);
                self.set(NameKind::Type, target);
                self.idents(NameKind::Class, *classes);
                self.visit.used(NameKind::Role, *result);
            }
            K::RoleDominance { dominated, .. } => self.idents(NameKind::Role, *dominated),
            _ => {}
        }
    }

    fn av(&mut self, rule: &AvRule) {
        self.set(NameKind::Type, &rule.source);
        self.set(NameKind::Type, &rule.target);
        self.idents(NameKind::Class, rule.classes);
        self.permissions(rule.classes, &rule.permissions);
    }

    fn xperm(&mut self, rule: &XpermRule) {
        self.set(NameKind::Type, &rule.source);
        self.set(NameKind::Type, &rule.target);
        self.idents(NameKind::Class, rule.classes);
    }

    fn type_rule(&mut self, rule: &TypeRule) {
        self.set(NameKind::Type, &rule.source);
        self.set(NameKind::Type, &rule.target);
        self.idents(NameKind::Class, rule.classes);
        self.visit.used(NameKind::Type, rule.result);
    }

    fn condition(&mut self, expression: Slice) {
        for term in &self.unit.cond_terms[expression.range()] {
            if let CondTerm::Bool(ident) = term {
                self.visit.used(NameKind::Boolean, *ident);
            }
        }
    }

    fn permissions(&mut self, classes: Idents, permissions: &Set) {
        let unit: &'a Unit = self.unit;
        let classes = &unit.idents[classes.range()];
        for item in &unit.set_items[permissions.items.range()] {
            self.visit.permission(classes, item.ident);
        }
    }

    fn set(&mut self, kind: NameKind, set: &Set) {
        let unit: &'a Unit = self.unit;
        for item in &unit.set_items[set.items.range()] {
            if kind != NameKind::Type || unit.text(item.ident) != "self" {
                self.visit.used(kind, item.ident);
            }
        }
    }

    fn idents(&mut self, kind: NameKind, idents: Idents) {
        let unit: &'a Unit = self.unit;
        for &ident in &unit.idents[idents.range()] {
            self.visit.used(kind, ident);
        }
    }

    fn range(&mut self, range: &MlsRange) {
        self.level(&range.low);
        self.level(&range.high);
    }

    fn level(&mut self, level: &Level) {
        self.visit.used(NameKind::Sensitivity, level.sensitivity);
        for range in &self.unit.category_ranges[level.categories.range()] {
            self.visit.used(NameKind::Category, range.low);
            self.visit.used(NameKind::Category, range.high);
        }
    }
}

/// The names that `statements` declare, those in blocks within them too.
pub fn declared(unit: &Unit, statements: &[Statement], each: &mut dyn FnMut(NameKind, Ident)) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Conditional { then, otherwise, .. } => {
                declared(unit, then, each);
                declared(unit, otherwise, each);
            }
            StatementKind::Optional { then, otherwise } => {
                declared(unit, then, each);
                otherwise.iter().for_each(|it| declared(unit, it, each));
            }
            _ => declared_by(unit, statement, &mut *each),
        }
    }
}

/// The names that `statement` itself declares.
pub(super) fn declared_by(
    unit: &Unit,
    statement: &Statement,
    mut each: impl FnMut(NameKind, Ident),
) {
    use StatementKind as K;
    let mut with_aliases = |kind, name: &Ident, aliases: &Idents| {
        each(kind, *name);
        unit.idents[aliases.range()].iter().for_each(|&it| each(kind, it));
    };
    match &statement.kind {
        K::Type { name, aliases, .. } => with_aliases(NameKind::Type, name, aliases),
        K::TypeAlias { aliases, .. } => {
            unit.idents[aliases.range()].iter().for_each(|&it| each(NameKind::Type, it));
        }
        K::Sensitivity { name, aliases } => with_aliases(NameKind::Sensitivity, name, aliases),
        K::Category { name, aliases } => with_aliases(NameKind::Category, name, aliases),
        K::Attribute(name) => each(NameKind::Type, *name),
        K::Role { name, types: None, .. } | K::RoleAttribute(name) => each(NameKind::Role, *name),
        K::RoleDominance { name, .. } => each(NameKind::Role, *name),
        K::User { name, .. } => each(NameKind::User, *name),
        K::Boolean { name, .. } => each(NameKind::Boolean, *name),
        K::Class(name) => each(NameKind::Class, *name),
        _ => {}
    }
}

/// Tells statements that only the base of a policy has.
pub(crate) fn base_statements(statements: &[Statement], told: &mut Vec<Diagnostic>) {
    use StatementKind as K;
    for statement in statements {
        match &statement.kind {
            K::Optional { then, otherwise } => {
                base_statements(then, told);
                otherwise.iter().for_each(|it| base_statements(it, told));
            }
            K::Conditional { then, otherwise, .. } => {
                base_statements(then, told);
                base_statements(otherwise, told);
            }
            kind if of_base(kind) => {
                let message = "a module cannot have this statement: it belongs to the base policy";
                told.push(Diagnostic::error(Code::NotAllowedHere, statement.span, message));
            }
            _ => {}
        }
    }
}

fn of_base(kind: &StatementKind) -> bool {
    use StatementKind as K;
    matches!(
        kind,
        K::Class(_)
            | K::InitialSid(_)
            | K::Common { .. }
            | K::AccessVector { .. }
            | K::Default { .. }
            | K::DefaultRange { .. }
            | K::PolicyCapability(_)
            | K::Sensitivity { .. }
            | K::Dominance(_)
            | K::Category { .. }
            | K::Level(_)
            | K::Constrain { .. }
            | K::ValidateTrans { .. }
            | K::SidContext { .. }
            | K::FsCon { .. }
            | K::FsUse { .. }
            | K::GenfsCon { .. }
            | K::PortCon { .. }
            | K::NetifCon { .. }
            | K::NodeCon { .. }
            | K::IbPkeyCon { .. }
            | K::IbEndPortCon { .. }
            | K::PirqCon { .. }
            | K::IomemCon { .. }
            | K::IoportCon { .. }
            | K::PciDeviceCon { .. }
            | K::DeviceTreeCon { .. }
    )
}
