//! Second pass: what is said of symbols, and rules.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    AvKind, AvRule, Ident, Idents, Set, Statement, StatementKind, TypeRule, TypeRuleKind,
    XpermKind, XpermRule,
};
use mandate_syntax::source::Span;

use super::{Raiser, TOP, is_attribute, local_record};
use crate::package::form::ModuleVersion;
use crate::package::rules::{
    ALLOW, AUDITALLOW, AUDITDENY, CHANGE, DONTAUDIT, FilenameTransition, IOCTL_DRIVERS,
    IOCTL_FUNCTIONS, MEMBER, NEVERALLOW, NLMSG, RangeTransition, RoleTransition, Rule, TRANSITION,
    XPERM_ALLOW, XPERM_AUDITALLOW, XPERM_DONTAUDIT, XPERM_NEVERALLOW, Xperms,
};
use crate::package::sets::WrittenLevel;
use crate::package::symbols::{
    EXPAND, Flavor, Kind, NEVERAUDIT, NO_EXPAND, PERMISSIVE, Type, User,
};

impl<'a> Raiser<'a> {
    pub(super) fn say(&mut self, statement: &'a Statement) {
        use StatementKind as S;
        match &statement.kind {
            S::Type { name, attributes, .. } => {
                self.type_attributes(*name, *attributes);
                self.implied_bounds(Kind::Types, *name);
            }
            S::TypeAttribute { name, attributes } => self.type_attributes(*name, *attributes),
            S::TypeBounds { parent, children } => {
                for &child in self.idents(*children) {
                    self.bounds(Kind::Types, *parent, child);
                }
            }
            S::RoleBounds { parent, child } => self.bounds(Kind::Roles, *parent, *child),
            S::UserBounds { parent, child } => self.bounds(Kind::Users, *parent, *child),
            S::Permissive(name) => self.flag(*name, PERMISSIVE),
            S::NeverAudit(name) => self.flag(*name, NEVERAUDIT),
            S::ExpandAttribute { names, expand } => {
                self.expand_attributes(statement.span, *names, *expand);
            }
            S::Role { name, types, attributes } => {
                if let Some(types) = types {
                    self.role_types(*name, types);
                } else {
                    self.implied_bounds(Kind::Roles, *name);
                }
                self.role_attributes(*name, *attributes);
            }
            S::RoleAttributeSet { name, attributes } => self.role_attributes(*name, *attributes),
            S::RoleDominance { name, dominated } => self.role_dominance(*name, *dominated),
            S::User { name, roles, level, range } => {
                let level = level.as_deref().map(|it| self.level(it)).unwrap_or_default();
                let range = range.as_deref().map(|it| self.range(it)).unwrap_or_default();
                self.user(*name, roles, level, range);
                self.implied_bounds(Kind::Users, *name);
            }
            S::PolicyCapability(name) => {
                let text = self.text(*name);
                match mandate_policydb::capability_bit(text) {
                    Some(bit) => self.db.capabilities.insert(bit),
                    None => {
                        let message = format!("no policy capability `{text}`");
                        self.error(Code::UnknownCapability, name.span, message);
                    }
                }
            }
            S::Av(rule) => {
                let rule = self.av_rule(rule);
                self.branch().rules.push(rule);
            }
            S::Xperm(rule) => {
                let rules = self.xperm_rules(rule);
                self.branch().rules.extend(rules);
            }
            S::TypeRule(rule) => self.type_rule(statement.span, rule, None),
            S::RoleAllow { source, target } => {
                let pair = [self.role_set(source), self.role_set(target)];
                self.branch().role_allows.push(pair);
            }
            S::RoleTransition { source, target, classes, result } => {
                let (roles, types) = (self.role_set(source), self.types(target));
                let classes = self.class_bits_or_process(*classes, *result);
                if let Some(result) = self.value(Kind::Roles, *result) {
                    let it = RoleTransition { roles, types, classes, result };
                    self.branch().role_transitions.push(it);
                }
            }
            S::RangeTransition { source, target, classes, range } => {
                let (source, target) = (self.types(source), self.types(target));
                let classes = self.class_bits_or_process(*classes, range.low.sensitivity);
                let range = self.range(range);
                let it = RangeTransition { source, target, classes, range };
                self.branch().range_transitions.push(it);
            }
            S::Conditional { expression, then, otherwise } => {
                self.conditional(*expression, then, otherwise);
            }
            S::Level(level) => {
                let of = self.level(level);
                let most = self.db.symbols.categories.nprim;
                let mut levels = self.db.symbols.levels.entries.iter_mut();
                // An alias stands for its sensitivity.
                if let Some(it) = levels.find(|it| it.value == of.sensitivity && it.alias == 0) {
                    it.categories = of.bits(most);
                }
            }
            S::Constrain { .. }
            | S::ValidateTrans { .. }
            | S::Default { .. }
            | S::DefaultRange { .. } => self.constraint(statement),
            S::UserPrefix { .. }
            | S::FsCon { .. }
            | S::PirqCon { .. }
            | S::IomemCon { .. }
            | S::IoportCon { .. }
            | S::PciDeviceCon { .. }
            | S::DeviceTreeCon { .. } => {
                if !matches!(statement.kind, S::FsCon { .. }) {
                    let message = "a policy module cannot hold this statement".to_owned();
                    self.error(Code::NotAllowedHere, statement.span, message);
                } else {
                    self.context_statement(statement);
                }
            }
            _ => self.context_statement(statement),
        }
    }

    fn local_type(&mut self, at: usize) -> &mut Type {
        let known = &self.db.symbols.types.entries[at];
        let (name, value, flavor) = (known.name.clone(), known.value, known.flavor);
        let flavor = if flavor == Flavor::Attribute { flavor } else { Flavor::Type };
        if self.at() == TOP {
            return &mut self.db.symbols.types.entries[at];
        }
        let new = || Type { name: name.clone(), value, primary: 1, flavor, ..Type::default() };
        local_record(&mut self.branch().symbols.types, &name, new)
    }

    fn type_attributes(&mut self, name: Ident, attributes: Idents) {
        if attributes.is_empty() {
            return;
        }
        let Some(value) = self.type_value(name) else { return };
        for &ident in self.idents(attributes) {
            let Some(at) = self.find(Kind::Types, ident) else { continue };
            if !is_attribute(&self.db.symbols.types.entries[at]) {
                let message = format!("`{}` is a type, not an attribute", self.text(ident));
                self.error(Code::UnknownAttribute, ident.span, message);
                continue;
            }
            self.local_type(at).types.insert(value - 1);
        }
    }

    /// A name with a dot is bounded by what stands before the last one.
    fn implied_bounds(&mut self, kind: Kind, child: Ident) {
        let name = self.text(child);
        let parent = name.rsplit_once('.').filter(|_| !self.unit.explicit_bounds);
        let Some((parent, _)) = parent else { return };
        match self.unit.names.get(parent).filter(|_| self.index[kind as usize].contains_key(parent))
        {
            Some(symbol) => self.bounds(kind, Ident { name: symbol, span: child.span }, child),
            None => {
                let message = format!("`{name}` is bounded by `{parent}`, which is not there");
                let code = if kind == Kind::Types { Code::UnknownType } else { Code::UnknownRole };
                self.error(code, child.span, message);
            }
        }
    }

    fn bounds(&mut self, kind: Kind, parent: Ident, child: Ident) {
        let (Some(bounds), Some(at)) = (self.value(kind, parent), self.find(kind, child)) else {
            return;
        };
        let name = self.text(child);
        let symbols = &self.db.symbols;
        let slot = match kind {
            Kind::Types => &mut self.local_type(at).bounds,
            Kind::Roles => {
                let (value, flavor) =
                    (symbols.roles.entries[at].value, symbols.roles.entries[at].flavor);
                &mut self.local_role(name, value, flavor).bounds
            }
            _ => {
                let value = symbols.users.entries[at].value;
                &mut self.local_user(name, value).bounds
            }
        };
        let before = std::mem::replace(slot, bounds);
        if before != 0 && before != bounds {
            let message = format!("`{name}` is bounded twice");
            self.error(Code::ConflictingRule, child.span, message);
        }
    }

    fn flag(&mut self, name: Ident, flag: u32) {
        let Some(value) = self.type_value(name) else { return };
        let types = &mut self.db.symbols.types.entries;
        if let Some(it) = types.iter_mut().find(|it| it.value == value && it.primary != 0) {
            it.flags |= flag;
        }
    }

    fn expand_attributes(&mut self, span: Span, names: Idents, expand: bool) {
        for &ident in self.idents(names) {
            self.flag(ident, if expand { EXPAND } else { NO_EXPAND });
        }
        if self.options.version >= ModuleVersion::BOUNDARY {
            let message = "`expandattribute` is left out: modules cannot hold it";
            let it = Diagnostic::warning(Code::Suspicious, span, message)
                .help("say it in CIL, or in a policy.conf");
            self.diagnostics.push(it);
        }
    }

    fn role_types(&mut self, name: Ident, set: &Set) {
        let types = self.types(set);
        let Some(at) = self.find(Kind::Roles, name) else { return };
        let role = &self.db.symbols.roles.entries[at];
        let (value, flavor) = (role.value, role.flavor);
        let role = self.local_role(self.text(name), value, flavor);
        role.types.types = role.types.types.union(&types.types);
        role.types.excluded = role.types.excluded.union(&types.excluded);
        role.types.flags |= types.flags;
    }

    fn role_attributes(&mut self, name: Ident, attributes: Idents) {
        if attributes.is_empty() {
            return;
        }
        let Some(member) = self.value(Kind::Roles, name) else { return };
        for &ident in self.idents(attributes) {
            let Some(at) = self.find(Kind::Roles, ident) else { continue };
            let role = &self.db.symbols.roles.entries[at];
            let (value, flavor) = (role.value, role.flavor);
            if !role.is_attribute() {
                let message = format!("`{}` is a role, not a role attribute", self.text(ident));
                self.error(Code::WrongKind, ident.span, message);
                continue;
            }
            self.local_role(self.text(ident), value, flavor).roles.insert(member - 1);
        }
    }

    fn role_dominance(&mut self, name: Ident, dominated: Idents) {
        let Some(value) = self.value(Kind::Roles, name) else { return };
        for &ident in self.idents(dominated) {
            let Some(inner) = self.value(Kind::Roles, ident) else { continue };
            let types = self.local_role(self.text(ident), inner, 0).types.clone();
            let role = self.local_role(self.text(name), value, 0);
            role.dominates.insert(inner - 1);
            role.types.types = role.types.types.union(&types.types);
        }
    }

    fn local_user(&mut self, name: &str, value: u32) -> &mut User {
        let new = || User { name: name.into(), value, ..User::default() };
        local_record(&mut self.local().users, name, new)
    }

    fn user(
        &mut self,
        name: Ident,
        roles: &Set,
        level: WrittenLevel,
        range: crate::package::sets::WrittenRange,
    ) {
        let roles = self.role_set(roles);
        let Some(value) = self.value(Kind::Users, name) else { return };
        if self.options.mls && level.sensitivity == 0 {
            let message = format!("user `{}` needs a level and a range", self.text(name));
            self.error(Code::MlsRequired, name.span, message);
        }
        let user = self.local_user(self.text(name), value);
        user.roles.roles = user.roles.roles.union(&roles.roles);
        user.roles.flags |= roles.flags;
        (user.level, user.range) = (level, range);
    }

    pub(super) fn av_rule(&mut self, rule: &AvRule) -> Rule {
        let kind = match rule.kind {
            AvKind::Allow => ALLOW,
            AvKind::AuditAllow => AUDITALLOW,
            AvKind::AuditDeny => AUDITDENY,
            AvKind::DontAudit => DONTAUDIT,
            AvKind::NeverAllow => NEVERALLOW,
        };
        let (source, (target, flags)) = (self.types(&rule.source), self.type_set(&rule.target));
        let mut classes: Vec<[u32; 2]> = Vec::new();
        for &ident in self.idents(rule.classes) {
            let Some(at) = self.find(Kind::Classes, ident) else { continue };
            let value = self.db.symbols.classes.entries[at].value;
            let bits = self.permissions(at, &rule.permissions);
            if classes.iter().all(|it| it[0] != value) {
                classes.push([value, bits]);
            }
        }
        Rule { kind, flags, source, target, classes, xperms: None }
    }

    pub(super) fn type_rule(&mut self, span: Span, rule: &TypeRule, into: Option<&mut Vec<Rule>>) {
        let (source, (target, flags)) = (self.types(&rule.source), self.type_set(&rule.target));
        let Some(result) = self.type_value(rule.result) else { return };
        let mut classes = Vec::new();
        for &ident in self.idents(rule.classes) {
            classes.extend(self.value(Kind::Classes, ident));
        }
        classes.sort_unstable();
        classes.dedup();
        if let Some(name) = rule.name {
            if into.is_some() {
                let message = "a name-based type_transition may not be conditional".to_owned();
                return self.error(Code::NotAllowedHere, span, message);
            }
            for class in classes {
                let (source, target) = (source.clone(), target.clone());
                let name = self.text(name).into();
                let it = FilenameTransition { name, source, target, class, result, flags };
                self.branch().filename_transitions.push(it);
            }
            return;
        }
        let kind = match rule.kind {
            TypeRuleKind::Transition => TRANSITION,
            TypeRuleKind::Member => MEMBER,
            TypeRuleKind::Change => CHANGE,
        };
        let classes = classes.into_iter().map(|it| [it, result]).collect();
        let rule = Rule { kind, flags, source, target, classes, xperms: None };
        match into {
            Some(list) => list.push(rule),
            None => self.branch().rules.push(rule),
        }
    }

    /// A rule for whole drivers, and one for each driver of which some functions are named.
    pub(super) fn xperm_rules(&mut self, rule: &XpermRule) -> Vec<Rule> {
        let kind = match rule.kind {
            XpermKind::Allow => XPERM_ALLOW,
            XpermKind::AuditAllow => XPERM_AUDITALLOW,
            XpermKind::DontAudit => XPERM_DONTAUDIT,
            XpermKind::NeverAllow => XPERM_NEVERALLOW,
        };
        let (source, (target, flags)) = (self.types(&rule.source), self.type_set(&rule.target));
        let nlmsg = match self.text(rule.operation) {
            "ioctl" => false,
            "nlmsg" => true,
            other => {
                let message = format!("extended permissions are of ioctl or nlmsg, not `{other}`");
                self.error(Code::UnknownPermission, rule.operation.span, message);
                return Vec::new();
            }
        };
        let mut classes: Vec<[u32; 2]> = Vec::new();
        for &ident in self.idents(rule.classes) {
            let Some(at) = self.find(Kind::Classes, ident) else { continue };
            let value = self.db.symbols.classes.entries[at].value;
            if let Some(permission) = self.permission(at, rule.operation) {
                classes.push([value, 1 << (permission - 1)]);
            }
        }
        let mut set = vec![rule.complement; 0x10000];
        for range in &self.unit.number_ranges[rule.ranges.range()] {
            let (Ok(low), Ok(high)) = (u16::try_from(range.low), u16::try_from(range.high)) else {
                let message = "extended permissions are numbers of 0 to 0xffff".to_owned();
                self.error(Code::BadNumber, range.span, message);
                continue;
            };
            if low <= high {
                set[usize::from(low)..=usize::from(high)].fill(!rule.complement);
            }
        }
        let make = |form, driver, bits| Rule {
            kind,
            flags,
            source: source.clone(),
            target: target.clone(),
            classes: classes.clone(),
            xperms: Some(Box::new(Xperms { form, driver, bits })),
        };
        let (mut whole, mut rules) = ([0u32; 8], Vec::new());
        for (functions, driver) in set.chunks(256).zip(0u8..=255) {
            if functions.iter().all(|it| *it) && !nlmsg {
                whole[usize::from(driver) / 32] |= 1 << (driver % 32);
            } else if functions.iter().any(|it| *it) {
                let mut bits = [0u32; 8];
                for (at, _) in functions.iter().enumerate().filter(|it| *it.1) {
                    bits[at / 32] |= 1 << (at % 32);
                }
                rules.push(make(if nlmsg { NLMSG } else { IOCTL_FUNCTIONS }, driver, bits));
            }
        }
        if whole != [0; 8] {
            rules.insert(0, make(IOCTL_DRIVERS, 0, whole));
        }
        rules
    }
}
