//! Classes with permissions: written in place, by the name of a set, or of a class map.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, Set, SetForm, SetItem};
use mandate_syntax::names::Symbol;

use super::{Lowerer, Res, Stop, slice};
use crate::cil::declare::{DeclId, DeclKind, Space};
use crate::cil::world::Found;
use crate::near;

/// Bits of permissions by class, each class once.
pub(crate) type ClassPermissions = Vec<(DeclId, u64)>;

/// Named sets lead to others no deeper.
const DEEPEST: usize = 64;

fn operator(element: Element<'_>) -> Option<Keyword> {
    use Keyword as K;
    let keyword = Keyword::of(element.word()?)?;
    matches!(keyword, K::And | K::Or | K::Xor | K::Not | K::All).then_some(keyword)
}

impl<'t> Lowerer<'_, 't> {
    /// `(class (permission …))` with plain names of a class that is no map; nothing where it is something else.
    pub(super) fn simple_permissions(&mut self, element: Element<'t>) -> Res<Option<(Ident, Set)>> {
        let mut parts = element.children();
        let (Some(class), Some(list), None) = (parts.next(), parts.next(), parts.next()) else {
            return Ok(None);
        };
        let Some(name) = class.word() else { return Ok(None) };
        let Some(Found::Declared(decl)) = self.world.find(self.at, Space::Classes, name) else {
            return Ok(None);
        };
        if self.world.decl(decl).kind != DeclKind::Class || !list.is_list() {
            return Ok(None);
        }
        let start = self.unit.set_items.len();
        for (number, it) in list.children().enumerate() {
            let word = match it.word() {
                Some(word) if number > 0 || operator(it).is_none() => word,
                _ => {
                    self.unit.set_items.truncate(start);
                    return Ok(None);
                }
            };
            if self.tables.permission(decl, word).is_none() {
                self.unit.set_items.truncate(start);
                return Err(self.unknown_permission(decl, it, word));
            }
            let ident = Ident { name: word, span: self.span(it) };
            self.unit.set_items.push(SetItem { ident, excluded: false });
        }
        if self.unit.set_items.len() == start {
            return Ok(None);
        }
        let items = slice(start, self.unit.set_items.len());
        let set = Set { form: SetForm::Listed, items, span: self.span(list) };
        Ok(Some((self.ident(decl, class), set)))
    }

    fn unknown_permission(&mut self, class: DeclId, element: Element<'_>, name: Symbol) -> Stop {
        self.unresolved = true;
        let world = self.world;
        if world.container(self.base).optional != crate::cil::world::NONE || self.checking {
            return Stop;
        }
        let decl = world.decl(class);
        let (text, class_text) = (world.text(name), world.text(decl.flat));
        let message = format!("{} `{class_text}` has no permission `{text}`", decl.kind.words());
        let known = self.tables.permissions(class).iter().map(|&it| world.text(it));
        let span = self.span(element);
        let mut error = Diagnostic::error(Code::UnknownPermission, span, message)
            .and(decl.span, "its permissions are declared here");
        match near::did_you_mean(text, known.clone()) {
            Some(near) => error = error.help(near),
            None => {
                let known: Vec<&str> = known.take(40).collect();
                error = error.help(format!("it has {}", known.join(", ")));
            }
        }
        self.report.add(error);
        Stop
    }

    /// All classes and permissions that an element means.
    pub(super) fn class_permissions(&mut self, element: Element<'t>) -> Res<ClassPermissions> {
        let mut found = Vec::new();
        self.add_permissions(element, &mut found, 0)?;
        Ok(found)
    }

    fn add_permissions(
        &mut self,
        element: Element<'t>,
        into: &mut ClassPermissions,
        depth: usize,
    ) -> Res {
        self.step(element)?;
        if depth > DEEPEST {
            let message = format!("sets of permissions lead to others deeper than {DEEPEST}");
            let span = self.span(element);
            return Err(self.tell(Diagnostic::error(Code::CilRecursion, span, message)));
        }
        if !element.is_list() {
            self.not_a_class(element)?;
            return match self.find(element, Space::ClassPermissions)? {
                Found::Anonymous(container, index) => {
                    let element = self.world.element(container, index);
                    self.within(container, |it| it.add_permissions(element, into, depth + 1))
                }
                Found::Declared(decl) => {
                    let tables = self.tables;
                    if tables.set(decl).is_empty() {
                        // It is told where it is declared.
                        return Err(Stop);
                    }
                    for &(container, index) in tables.set(decl) {
                        let element = self.world.element(container, index);
                        self.within(container, |it| it.add_permissions(element, into, depth + 1))?;
                    }
                    Ok(())
                }
                Found::Text(_) | Found::Missing => Err(Stop),
            };
        }
        let mut parts = element.children();
        let (Some(class), Some(list), None) = (parts.next(), parts.next(), parts.next()) else {
            let span = self.span(element);
            let message = "a class with its permissions is expected";
            let error = Diagnostic::error(Code::CilShape, span, message);
            return Err(self.tell(error.help("write `(CLASS (PERMISSION …))`")));
        };
        let kinds = &[DeclKind::Class, DeclKind::ClassMap];
        let class_decl = self.declared_as(class, Space::Classes, kinds)?;
        let bits = self.permission_bits(class_decl, list)?;
        if self.world.decl(class_decl).kind == DeclKind::Class {
            match into.iter_mut().find(|it| it.0 == class_decl) {
                Some(it) => it.1 |= bits,
                None => into.push((class_decl, bits)),
            }
            return Ok(());
        }
        let tables = self.tables;
        for (bit, &permission) in tables.permissions(class_decl).iter().enumerate() {
            if bits & (1 << bit) != 0 {
                if tables.mapping(class_decl, permission).is_empty() {
                    return Err(Stop);
                }
                for &(container, index) in tables.mapping(class_decl, permission) {
                    let element = self.world.element(container, index);
                    self.within(container, |it| it.add_permissions(element, into, depth + 1))?;
                }
            }
        }
        Ok(())
    }

    /// A class alone says nothing of permissions.
    fn not_a_class(&mut self, element: Element<'t>) -> Res {
        let Some(name) = element.word() else { return Ok(()) };
        let set = self.world.find(self.at, Space::ClassPermissions, name);
        let class = self.world.find(self.at, Space::Classes, name);
        if set.is_some() || !matches!(class, Some(Found::Declared(_))) {
            return Ok(());
        }
        let text = self.world.text(name);
        let message = format!("class `{text}` stands here without permissions");
        let help = format!("write `({text} (PERMISSION …))`");
        let span = self.span(element);
        Err(self.tell(Diagnostic::error(Code::CilShape, span, message).help(help)))
    }

    /// The bits of a list or expression of permissions of this class.
    fn permission_bits(&mut self, class: DeclId, list: Element<'t>) -> Res<u64> {
        if list.is_list() && list.children().is_empty() {
            let message = "a list of permissions without any";
            let span = self.span(list);
            return Err(self.tell(Diagnostic::error(Code::EmptySet, span, message)));
        }
        if let Some(word) = list.word() {
            return match self.tables.permission(class, word) {
                Some(bit) if operator(list).is_none() => Ok(1 << bit),
                _ => Err(self.unknown_permission(class, list, word)),
            };
        }
        let all = match self.tables.permissions(class).len() {
            count @ 0..64 => (1u64 << count) - 1,
            _ => u64::MAX,
        };
        let mut parts = list.children();
        let first = parts.next();
        let Some(operator) = first.and_then(operator) else {
            let mut bits = 0;
            for part in list.children() {
                bits |= self.permission_bits(class, part)?;
            }
            return Ok(bits);
        };
        let operands: Vec<Element<'t>> = parts.collect();
        self.check_operands(list, operator, operands.len())?;
        let mut values = [0; 2];
        for (value, &operand) in values.iter_mut().zip(&operands) {
            *value = self.permission_bits(class, operand)?;
        }
        let [a, b] = values;
        Ok(match operator {
            Keyword::And => a & b,
            Keyword::Or => a | b,
            Keyword::Xor => a ^ b,
            Keyword::Not => all & !a,
            _ => all,
        })
    }

    /// Has the operator as many operands as it takes?
    pub(super) fn check_operands(
        &mut self,
        list: Element<'t>,
        operator: Keyword,
        count: usize,
    ) -> Res {
        let wanted = match operator {
            Keyword::All => 0,
            Keyword::Not => 1,
            _ => 2,
        };
        if count == wanted {
            return Ok(());
        }
        let s = if wanted == 1 { "" } else { "s" };
        let are = if count == 1 { "is" } else { "are" };
        let name = operator.text();
        let message = format!("`{name}` takes {wanted} operand{s}, but {count} {are} given");
        let span = self.span(list);
        let error = Diagnostic::error(Code::CilExpression, span, message);
        let nested = wanted == 2 && count > 2;
        let help = format!("nest them: `({name} a ({name} b c))`");
        Err(self.tell(if nested { error.help(help) } else { error }))
    }

    /// Permissions by class as sets of a unit.
    pub(super) fn permission_sets(
        &mut self,
        permissions: &ClassPermissions,
        statement: Element<'t>,
    ) -> Vec<(Ident, Set)> {
        let span = self.world.span(self.base, statement);
        let mut found = Vec::new();
        for &(class, bits) in permissions {
            let name = self.world.decl(class).flat;
            let start = self.unit.set_items.len();
            for (bit, &name) in self.tables.permissions(class).iter().enumerate() {
                if bits & (1 << bit) != 0 {
                    let ident = Ident { name, span };
                    self.unit.set_items.push(SetItem { ident, excluded: false });
                }
            }
            if self.unit.set_items.len() > start {
                let items = slice(start, self.unit.set_items.len());
                let set = Set { form: SetForm::Listed, items, span };
                found.push((Ident { name, span }, set));
            }
        }
        found
    }

    /// The classes of a transition: a class, or all classes of a map.
    pub(super) fn classes(&mut self, element: Element<'t>) -> Res<Vec<Ident>> {
        let kinds = &[DeclKind::Class, DeclKind::ClassMap];
        let class = self.declared_as(element, Space::Classes, kinds)?;
        if self.world.decl(class).kind == DeclKind::Class {
            return Ok(vec![self.ident(class, element)]);
        }
        let mut found = Vec::new();
        let tables = self.tables;
        for &permission in tables.permissions(class) {
            for &(container, index) in tables.mapping(class, permission) {
                let body = self.world.element(container, index);
                self.within(container, |it| it.add_permissions(body, &mut found, 1))?;
            }
        }
        Ok(found.iter().map(|it| self.ident(it.0, element)).collect())
    }
}
