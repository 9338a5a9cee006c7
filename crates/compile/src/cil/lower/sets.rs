//! What is in an attribute. Plain lists become memberships at once; expressions wait until all memberships are known.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Idents, StatementKind};
use mandate_syntax::source::Span;

use super::{Lowerer, Res};
use crate::cil::declare::{DeclId, DeclKind, Space};
use crate::cil::world::ContainerId;

/// A set expression of an attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetUse {
    pub(crate) attribute: DeclId,
    pub(crate) container: ContainerId,
    /// The expression.
    pub(crate) index: u32,
    pub(crate) span: Span,
}

pub(crate) fn operator(element: Element<'_>) -> Option<Keyword> {
    use Keyword as K;
    let keyword = Keyword::of(element.word()?)?;
    matches!(keyword, K::And | K::Or | K::Xor | K::Not | K::All).then_some(keyword)
}

impl<'t> Lowerer<'_, 't> {
    pub(super) fn attribute_set(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        let [attribute, members] = self.parts(statement, keyword)?;
        let (space, kind) = match keyword {
            Keyword::TypeAttributeSet => (Space::Types, DeclKind::TypeAttribute),
            Keyword::RoleAttributeSet => (Space::Roles, DeclKind::RoleAttribute),
            _ => (Space::Users, DeclKind::UserAttribute),
        };
        let decl = self.declared_as(attribute, space, &[kind])?;
        let span = self.span(statement);
        let ident = self.ident(decl, attribute);
        if members.is_list() && members.children().is_empty() {
            return Err(self.misshapen(statement, keyword, "the list of members is empty"));
        }
        let first = members.children().next();
        let plain = members.children().all(|it| !it.is_list());
        if kind == DeclKind::UserAttribute
            || !plain
            || first.is_some_and(|it| operator(it).is_some())
        {
            self.check_expression(members, space)?;
            let (container, index) = (self.at, members.index());
            if !self.is_gen_require(ident.name) {
                self.sets.push(SetUse { attribute: decl, container, index, span });
            }
            return Ok(());
        }
        // What generated modules require is only looked for.
        let required = self.is_gen_require(ident.name);
        let attributes = if required { Idents::default() } else { self.idents([ident]) };
        let single = (!members.is_list()).then_some(members);
        for member in single.into_iter().chain(members.children()) {
            let decl = self.member(member, space)?;
            if !required {
                let name = self.ident(decl, member);
                let kind = match space {
                    Space::Types => StatementKind::TypeAttribute { name, attributes },
                    _ => StatementKind::RoleAttributeSet { name, attributes },
                };
                self.push(statement, kind);
            }
        }
        Ok(())
    }

    /// A name in a set.
    fn member(&mut self, element: Element<'t>, space: Space) -> Res<DeclId> {
        if operator(element).is_some() {
            return Err(self.lone_operator(element));
        }
        let kinds: &[DeclKind] = match space {
            Space::Types => &[DeclKind::Type, DeclKind::TypeAttribute],
            Space::Roles => &[DeclKind::Role, DeclKind::RoleAttribute],
            _ => &[DeclKind::User, DeclKind::UserAttribute],
        };
        self.declared_as(element, space, kinds)
    }

    fn lone_operator(&mut self, element: Element<'t>) -> super::Stop {
        let message = "an operator without its operands";
        let span = self.span(element);
        let error = Diagnostic::error(Code::CilExpression, span, message);
        self.tell(error.help("an operator stands first in its list: `(and a b)`"))
    }

    /// Is the expression well formed, and are its names known?
    fn check_expression(&mut self, element: Element<'t>, space: Space) -> Res {
        self.step(element)?;
        if !element.is_list() {
            return self.member(element, space).map(|_| ());
        }
        let mut parts = element.children();
        if let Some(operator) = parts.next().and_then(operator) {
            let operands: Vec<Element<'t>> = parts.collect();
            self.check_operands(element, operator, operands.len())?;
            return operands.into_iter().try_for_each(|it| self.check_expression(it, space));
        }
        element.children().try_for_each(|it| self.check_expression(it, space))
    }
}
