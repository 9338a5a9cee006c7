//! Users: what several statements say of one is put together.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, Level, MlsRange, StatementKind};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

use super::{Lowerer, Res};
use crate::cil::declare::{DeclId, DeclKind, Space};

/// What is said of users and user attributes.
#[derive(Debug, Default)]
pub(crate) struct Users {
    pub(crate) roles: Vec<(DeclId, Ident)>,
    /// Users that may have `object_r`: with the role or role attribute that says so.
    pub(crate) objects: Vec<(DeclId, Symbol)>,
    pub(crate) levels: Vec<(DeclId, Level, Span)>,
    pub(crate) ranges: Vec<(DeclId, Option<MlsRange>, Span)>,
    /// `selinuxuser`: login (none for the default), user and range.
    pub(crate) logins: Vec<(Option<Ident>, Ident, Option<MlsRange>)>,
}

impl<'t> Lowerer<'_, 't> {
    pub(super) fn user(&mut self, element: Element<'t>) -> Res<(DeclId, Ident)> {
        let decl = self.declared_as(element, Space::Users, &[DeclKind::User])?;
        Ok((decl, self.ident(decl, element)))
    }

    pub(super) fn user_statement(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        let span = self.span(statement);
        match keyword {
            Keyword::UserRole => {
                let [user, role] = self.parts(statement, keyword)?;
                let kinds = &[DeclKind::User, DeclKind::UserAttribute];
                let user = self.declared_as(user, Space::Users, kinds)?;
                let role = self.role_or_attribute(role)?;
                self.users.objects.push((user, role.name));
                // A policy does not say so.
                if role.name != Keyword::ObjectR.symbol() {
                    self.users.roles.push((user, role));
                }
            }
            Keyword::UserLevel => {
                let [user, level] = self.parts(statement, keyword)?;
                let (user, _) = self.user(user)?;
                let level = self.level(level)?;
                self.said_once(
                    self.users.levels.iter().find(|it| it.0 == user).map(|it| it.2),
                    user,
                    span,
                    "levels",
                )?;
                self.users.levels.push((user, level, span));
            }
            Keyword::UserRange => {
                let [user, range] = self.parts(statement, keyword)?;
                let (user, _) = self.user(user)?;
                let range = self.range(range)?;
                self.said_once(
                    self.users.ranges.iter().find(|it| it.0 == user).map(|it| it.2),
                    user,
                    span,
                    "ranges",
                )?;
                self.users.ranges.push((user, range, span));
            }
            Keyword::UserBounds => {
                let [parent, child] = self.parts(statement, keyword)?;
                let ((_, parent), (_, child)) = (self.user(parent)?, self.user(child)?);
                self.bounded_once(Space::Users, parent, child)?;
                self.push(statement, StatementKind::UserBounds { parent, child });
            }
            Keyword::UserPrefix => {
                let [user, prefix] = self.parts(statement, keyword)?;
                let (_, name) = self.user(user)?;
                let prefix = Ident { name: self.word(prefix)?, span: self.span(prefix) };
                self.push(statement, StatementKind::UserPrefix { name, prefix });
            }
            Keyword::SelinuxUser => {
                let [login, user, range] = self.parts(statement, keyword)?;
                let (_, name) = self.user(user)?;
                let login = Ident { name: self.word(login)?, span: self.span(login) };
                let range = self.range(range)?;
                self.users.logins.push((Some(login), name, range));
            }
            _ => {
                let [user, range] = self.parts(statement, keyword)?;
                let (_, name) = self.user(user)?;
                let range = self.range(range)?;
                if let Some(before) = self.users.logins.iter().find(|it| it.0.is_none()) {
                    let before = before.1.span;
                    let message = "a second `selinuxuserdefault`";
                    let error = Diagnostic::error(Code::CilConflict, span, message);
                    return Err(self.tell(error.and(before, "the first one")));
                }
                self.users.logins.push((None, name, range));
            }
        }
        Ok(())
    }

    fn said_once(&mut self, before: Option<Span>, user: DeclId, span: Span, what: &str) -> Res {
        let Some(before) = before else { return Ok(()) };
        let text = self.world.text(self.world.decl(user).flat);
        let message = format!("user `{text}` has two {what}");
        let warning = Diagnostic::warning(Code::Suspicious, span, message);
        let warning = warning.note("the last one counts");
        self.tell(warning.and(before, "the other one"));
        Ok(())
    }
}
