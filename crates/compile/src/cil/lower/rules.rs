//! Rules of access, of types and of roles.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    AvKind, AvRule, Ident, Set, SetForm, SetItem, StatementKind, TypeRule, TypeRuleKind,
};
use mandate_syntax::names::Symbol;

use super::permissions::ClassPermissions;
use super::{Lowerer, Res};
use crate::cil::declare::{DeclId, DeclKind, Space};

/// The target of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Named(DeclId),
    /// The source itself.
    Itself,
    /// Everything but the source.
    NotSelf,
    /// Of the types of the source the others.
    Other,
}

/// `deny`, or an `allow` that needs to know the members of attributes: worked off at the end.
#[derive(Clone, Debug)]
pub(crate) struct Denial {
    pub(crate) source: DeclId,
    pub(crate) target: Target,
    pub(crate) permissions: ClassPermissions,
}

impl<'t> Lowerer<'_, 't> {
    /// Type or attribute as source of a rule.
    fn source(&mut self, element: Element<'t>) -> Res<DeclId> {
        self.type_or_attribute(element)
    }

    pub(super) fn target(&mut self, element: Element<'t>) -> Res<Target> {
        let decl = self.declared(element, Space::Types)?;
        Ok(match self.world.decl(decl).kind {
            DeclKind::SelfType => Target::Itself,
            DeclKind::NotSelf => Target::NotSelf,
            DeclKind::Other => Target::Other,
            DeclKind::Type | DeclKind::TypeAttribute => Target::Named(decl),
            _ => {
                let kinds = &[DeclKind::Type, DeclKind::TypeAttribute];
                return Err(self.wrong_kind(decl, element, kinds));
            }
        })
    }

    fn self_ident(&self, element: Element<'_>) -> Ident {
        Ident { name: Keyword::Self_.symbol(), span: self.span(element) }
    }

    /// The target of a rule as a set. `notself` and `other` are worked off when the members of attributes are known.
    pub(super) fn target_set(
        &mut self,
        target: Target,
        source: Ident,
        element: Element<'t>,
    ) -> Set {
        let span = self.span(element);
        let myself = self.self_ident(element);
        let excluded = SetItem { ident: myself, excluded: true };
        match target {
            Target::Named(decl) => self.single(self.ident(decl, element)),
            Target::Itself => self.single(myself),
            Target::NotSelf => {
                self.spreads = true;
                let listed = self.listed(&[excluded], span);
                Set { form: SetForm::All, ..listed }
            }
            Target::Other => {
                self.spreads = true;
                let source = SetItem { ident: Ident { span, ..source }, excluded: false };
                self.listed(&[source, excluded], span)
            }
        }
    }

    pub(super) fn av_rule(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        let [from, to, permissions] = self.parts(statement, keyword)?;
        let source = self.source(from)?;
        let target = self.target(to)?;
        let kind = match keyword {
            Keyword::Allow => AvKind::Allow,
            Keyword::AuditAllow => AvKind::AuditAllow,
            Keyword::DontAudit => AvKind::DontAudit,
            Keyword::NeverAllow => AvKind::NeverAllow,
            _ => {
                let permissions = self.class_permissions(permissions)?;
                self.denials.push(Denial { source, target, permissions });
                return Ok(());
            }
        };
        let ident = self.ident(source, from);
        // The common case: one class and its permissions.
        if let Some(simple) = self.simple_permissions(permissions)? {
            if !self.is_left_out(kind, source, target) {
                self.push_rule(statement, kind, ident, (target, to), simple);
            }
            return Ok(());
        }
        let permissions = self.class_permissions(permissions)?;
        if !self.is_left_out(kind, source, target) {
            for it in self.permission_sets(&permissions, statement) {
                self.push_rule(statement, kind, ident, (target, to), it);
            }
        }
        Ok(())
    }

    fn push_rule(
        &mut self,
        statement: Element<'t>,
        kind: AvKind,
        source: Ident,
        (target, to): (Target, Element<'t>),
        (class, permissions): (Ident, Set),
    ) {
        let target = self.target_set(target, source, to);
        let (source, classes) = (self.single(source), self.idents([class]));
        let rule = AvRule { kind, source, target, classes, permissions };
        self.push(statement, StatementKind::Av(rule));
    }

    fn is_left_out(&mut self, kind: AvKind, source: DeclId, target: Target) -> bool {
        let options = self.world.options;
        let never = kind == AvKind::NeverAllow;
        let out = kind == AvKind::DontAudit && options.disable_dontaudit
            || never && options.disable_neverallow;
        if out {
            self.leave_out(source, target, never);
        }
        out
    }

    /// What a rule is about counts as used though the rule is left out.
    pub(super) fn leave_out(&mut self, source: DeclId, target: Target, never: bool) {
        let Target::Named(target) = target else { return };
        for decl in [source, target] {
            self.left_out.push((self.world.decl(decl).flat, never));
        }
    }

    pub(super) fn type_rule(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        let named = keyword == Keyword::TypeTransition && statement.children().count() == 6;
        let (from, to, class, name, result) = if named {
            let [from, to, class, name, result] = self.parts(statement, keyword)?;
            (from, to, class, Some(name), result)
        } else {
            let [from, to, class, result] = self.parts(statement, keyword)?;
            (from, to, class, None, result)
        };
        let source = self.source(from)?;
        let target = self.target(to)?;
        let classes = self.classes(class)?;
        let name = match name {
            None => None,
            Some(element) => Some(Ident { name: self.text(element)?, span: self.span(element) }),
        };
        let result = self.plain_type(result)?;
        let name = name.filter(|it| it.name != Keyword::Star.symbol());
        if let Some(empty) = name.filter(|it| self.world.text(it.name).is_empty()) {
            let error = Diagnostic::error(Code::BadName, empty.span, "an empty file name");
            return Err(self.tell(error));
        }
        let ident = self.ident(source, from);
        let target = self.type_rule_target(target, ident, to)?;
        let source = self.single(ident);
        let kind = match keyword {
            Keyword::TypeTransition => TypeRuleKind::Transition,
            Keyword::TypeMember => TypeRuleKind::Member,
            _ => TypeRuleKind::Change,
        };
        if self.conditional && name.is_some() {
            let message = "a transition by name may not stand in `booleanif`";
            let span = self.span(statement);
            return Err(self.tell(Diagnostic::error(Code::NotAllowedHere, span, message)));
        }
        let classes = self.idents(classes);
        let rule = TypeRule { kind, source, target, classes, result, name };
        self.push(statement, StatementKind::TypeRule(rule));
        Ok(())
    }

    fn type_rule_target(&mut self, target: Target, source: Ident, to: Element<'t>) -> Res<Set> {
        if matches!(target, Target::NotSelf | Target::Other) {
            let message = "`notself` and `other` are targets of access rules only";
            let span = self.span(to);
            return Err(self.tell(Diagnostic::error(Code::NotAllowedHere, span, message)));
        }
        Ok(self.target_set(target, source, to))
    }

    pub(super) fn range_transition(&mut self, statement: Element<'t>) -> Res {
        let [from, to, class, range] = self.parts(statement, Keyword::RangeTransition)?;
        let source = self.type_or_attribute(from)?;
        let target = self.target(to)?;
        let classes = self.classes(class)?;
        let range = self.range(range)?;
        let source = self.ident(source, from);
        let target = self.type_rule_target(target, source, to)?;
        if let Some(range) = range {
            let source = self.single(source);
            let (classes, range) = (self.idents(classes), Box::new(range));
            let kind = StatementKind::RangeTransition { source, target, classes, range };
            self.push(statement, kind);
        }
        Ok(())
    }

    pub(super) fn role(&mut self, element: Element<'t>) -> Res<Ident> {
        let decl = self.declared_as(element, Space::Roles, &[DeclKind::Role])?;
        Ok(self.ident(decl, element))
    }

    pub(super) fn role_or_attribute(&mut self, element: Element<'t>) -> Res<Ident> {
        let kinds = &[DeclKind::Role, DeclKind::RoleAttribute];
        let decl = self.declared_as(element, Space::Roles, kinds)?;
        Ok(self.ident(decl, element))
    }

    pub(super) fn role_statement(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        match keyword {
            Keyword::RoleAllow => {
                let [from, to] = self.parts(statement, keyword)?;
                let (from, to) = (self.role_or_attribute(from)?, self.role_or_attribute(to)?);
                let (source, target) = (self.single(from), self.single(to));
                self.push(statement, StatementKind::RoleAllow { source, target });
            }
            Keyword::RoleTransition => {
                let [from, to, class, result] = self.parts(statement, keyword)?;
                let source = self.role_or_attribute(from)?;
                let target = self.type_or_attribute(to)?;
                let classes = self.classes(class)?;
                let result = self.role(result)?;
                let target = self.single(self.ident(target, to));
                let (source, classes) = (self.single(source), self.idents(classes));
                let kind = StatementKind::RoleTransition { source, target, classes, result };
                self.push(statement, kind);
            }
            Keyword::RoleType => {
                let [role, type_] = self.parts(statement, keyword)?;
                let name = self.role_or_attribute(role)?;
                let decl = self.type_or_attribute(type_)?;
                if name.name == Keyword::ObjectR.symbol() {
                    // A policy does not say so.
                    self.object_types.push(self.world.decl(decl).flat);
                } else if !self.is_gen_require(name.name) {
                    let types = Some(self.single(self.ident(decl, type_)));
                    let attributes = self.idents([]);
                    self.push(statement, StatementKind::Role { name, types, attributes });
                }
            }
            _ => {
                let [parent, child] = self.parts(statement, keyword)?;
                let (parent, child) = (self.role(parent)?, self.role(child)?);
                self.bounded_once(Space::Roles, parent, child)?;
                self.push(statement, StatementKind::RoleBounds { parent, child });
            }
        }
        Ok(())
    }

    /// The attribute into which generated modules put what they require.
    pub(super) fn is_gen_require(&self, name: Symbol) -> bool {
        name == Keyword::GenRequire.symbol()
    }
}
