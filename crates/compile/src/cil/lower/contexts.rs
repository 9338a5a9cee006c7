//! Contexts of files, file systems, initial SIDs and devices.

use mandate_policydb::Target;
use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    Context, FsUseKind, GenfsFileType, Ident, NumberRange, StatementKind,
};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

use super::{Lowerer, Res};
use crate::cil::declare::{DeclKind, Space};

/// A `filecon`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileContext {
    pub(crate) path: Symbol,
    pub(crate) file_type: Keyword,
    /// None: `<<none>>`.
    pub(crate) context: Option<Context>,
    pub(crate) span: Span,
}

/// What is labelled.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    pub(crate) files: Vec<FileContext>,
    /// Statements about other objects, in the order written.
    pub(crate) others: Vec<(StatementKind, Span)>,
}

impl<'t> Lowerer<'_, 't> {
    /// A context, by name or in place.
    pub(super) fn context(&mut self, element: Element<'t>) -> Res<Context> {
        let (container, body) = self.located(element, Space::Contexts)?;
        self.within(container, |it| {
            let parts: Vec<Element<'t>> = body.children().collect();
            let [user, role, type_, range] = parts[..] else {
                let message = "a context has a user, a role, a type and a range";
                let span = it.span(body);
                let error = Diagnostic::error(Code::CilShape, span, message);
                return Err(it.tell(
                    error.help("write `(USER ROLE TYPE ((s0) (s0)))`, or name a `context`"),
                ));
            };
            let (_, user) = it.user(user)?;
            let role = it.role(role)?;
            let type_ = it.plain_type(type_)?;
            let range = it.range(range)?;
            Ok(Context { user, role, type_, range })
        })
    }

    pub(super) fn named(&mut self, element: Element<'t>) -> Res<Ident> {
        Ok(Ident { name: self.text(element)?, span: self.span(element) })
    }

    pub(super) fn push_label(&mut self, statement: Element<'_>, kind: StatementKind) {
        let span = self.world.span(self.base, statement);
        use StatementKind as S;
        let xen = matches!(
            kind,
            S::PirqCon { .. }
                | S::IomemCon { .. }
                | S::IoportCon { .. }
                | S::PciDeviceCon { .. }
                | S::DeviceTreeCon { .. }
        );
        if xen && self.world.options.target == Target::Selinux {
            let message = "a statement about Xen in a policy for Linux is left out";
            self.tell(Diagnostic::warning(Code::Suspicious, span, message));
            return;
        }
        for context in crate::cil::labels::contexts_of(&kind) {
            if context.role.name == Keyword::ObjectR.symbol() {
                self.policy.contexts.push(*context);
            }
        }
        self.labels.others.push((kind, span));
    }

    pub(super) fn label(&mut self, statement: Element<'t>, keyword: Keyword) -> Res {
        use Keyword as K;
        let kind = match keyword {
            K::Context => {
                let [_, body] = self.parts(statement, keyword)?;
                let context = self.context(body)?;
                self.policy.contexts.push(context);
                return Ok(());
            }
            K::FileCon => return self.file_context(statement),
            K::SidContext => {
                let [sid, context] = self.parts(statement, keyword)?;
                let decl = self.declared_as(sid, Space::Sids, &[DeclKind::Sid])?;
                let (name, context) = (self.ident(decl, sid), Box::new(self.context(context)?));
                StatementKind::SidContext { name, context }
            }
            K::FsUse => {
                let [kind, name, context] = self.parts(statement, keyword)?;
                let kind = match self.one_of(kind, &[K::Xattr, K::Task, K::Trans])? {
                    K::Xattr => FsUseKind::Xattr,
                    K::Task => FsUseKind::Task,
                    _ => FsUseKind::Trans,
                };
                let name = self.named(name)?;
                StatementKind::FsUse { kind, name, context: Box::new(self.context(context)?) }
            }
            K::GenfsCon => self.genfs(statement)?,
            K::DeviceTreeCon => {
                let [path, context] = self.parts(statement, keyword)?;
                let path = self.named(path)?;
                StatementKind::DeviceTreeCon { path, context: Box::new(self.context(context)?) }
            }
            _ => {
                let [number, context] = self.parts(statement, keyword)?;
                let ranges = matches!(keyword, K::IomemCon | K::IoportCon);
                let range = self.number_range(number, ranges, keyword)?;
                let context = Box::new(self.context(context)?);
                match keyword {
                    K::PirqCon => StatementKind::PirqCon { irq: range, context },
                    K::IomemCon => StatementKind::IomemCon { range, context },
                    K::IoportCon => StatementKind::IoportCon { range, context },
                    _ => StatementKind::PciDeviceCon { device: range, context },
                }
            }
        };
        self.push_label(statement, kind);
        Ok(())
    }

    /// A number, or where ranges may stand a list of two.
    pub(super) fn number_range(
        &mut self,
        element: Element<'t>,
        ranges: bool,
        keyword: Keyword,
    ) -> Res<NumberRange> {
        let span = self.span(element);
        let number = |it: &mut Self, element: Element<'t>| {
            // Ports alone are in decimal notation.
            if keyword == Keyword::PortCon { it.decimal(element) } else { it.number(element) }
        };
        if !element.is_list() {
            let number = number(self, element)?;
            return Ok(NumberRange { low: number, high: number, span });
        }
        let parts: Vec<Element<'t>> = element.children().collect();
        let [low, high] = parts[..] else {
            return Err(self.misshapen(element, keyword, "a range is `(LOW HIGH)`"));
        };
        if !ranges {
            return Err(self.misshapen(element, keyword, "no range may stand here"));
        }
        let (low, high) = (number(self, low)?, number(self, high)?);
        if low > high {
            let message = format!("the range {low}-{high} does not ascend");
            return Err(self.tell(Diagnostic::error(Code::BadNumber, span, message)));
        }
        Ok(NumberRange { low, high, span })
    }

    fn genfs(&mut self, statement: Element<'t>) -> Res<StatementKind> {
        use Keyword as K;
        let typed = statement.children().count() == 5;
        let (fs, path, file_type, context) = if typed {
            let [fs, path, file_type, context] = self.parts(statement, K::GenfsCon)?;
            (fs, path, Some(file_type), context)
        } else {
            let [fs, path, context] = self.parts(statement, K::GenfsCon)?;
            (fs, path, None, context)
        };
        let file_type = match file_type {
            None => None,
            Some(element) => match self.file_type(element)? {
                K::File => Some(GenfsFileType::Regular),
                K::Dir => Some(GenfsFileType::Directory),
                K::Char => Some(GenfsFileType::Character),
                K::Block => Some(GenfsFileType::Block),
                K::Socket => Some(GenfsFileType::Socket),
                K::Pipe => Some(GenfsFileType::Fifo),
                K::Symlink => Some(GenfsFileType::Link),
                _ => None,
            },
        };
        let (fs, path) = (self.named(fs)?, self.named(path)?);
        let context = Box::new(self.context(context)?);
        Ok(StatementKind::GenfsCon { fs, path, file_type, context })
    }

    fn file_type(&mut self, element: Element<'t>) -> Res<Keyword> {
        use Keyword as K;
        let known = [K::Any, K::File, K::Dir, K::Char, K::Block, K::Socket, K::Pipe, K::Symlink];
        self.one_of(element, &known)
    }

    fn file_context(&mut self, statement: Element<'t>) -> Res {
        let [path, file_type, context] = self.parts(statement, Keyword::FileCon)?;
        let path = self.text(path)?;
        let file_type = self.file_type(file_type)?;
        let none = context.is_list() && context.children().is_empty();
        let context = if none { None } else { Some(self.context(context)?) };
        self.policy.contexts.extend(context);
        let span = self.world.span(self.base, statement);
        self.labels.files.push(FileContext { path, file_type, context, span });
        Ok(())
    }
}
