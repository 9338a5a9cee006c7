//! Commons, classes and permissions. They stand at the top level and are known before blocks are linked.

use mandate_policydb::{
    ClassDatum, ClassId, CommonDatum, CommonId, PermId, PermissionDatum, SymbolId, SymbolTable,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, Idents, StatementKind};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::FxHashSet;

use super::Options;
use super::constraints::ClassRules;
use super::declare::{Declared, Kind, Space};
use super::report::Report;
use super::tree::{Part, Tree, small};
use crate::near;

/// Commons, classes, and where constraints were written: class, place in its list, statement.
type Tables = (SymbolTable<CommonDatum>, SymbolTable<ClassDatum>, Vec<(u32, u32, Span)>);

/// The bits of an access vector.
const BITS: usize = 32;

/// A class with its permissions.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) name: Symbol,
    pub(crate) common: Option<usize>,
    /// Its own permissions: name and bit, counted from 1.
    pub(crate) own: Vec<(Symbol, u32)>,
    /// Where its access vector is defined.
    defined: Option<Span>,
    /// All bits of its permissions.
    pub(crate) mask: u32,
}

#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) name: Symbol,
    pub(crate) permissions: Vec<Symbol>,
    pub(crate) span: Span,
}

/// All classes. The value of a class is its place, counted from 1.
#[derive(Debug)]
pub(crate) struct Classes {
    pub(crate) classes: Vec<Class>,
    pub(crate) commons: Vec<Common>,
    /// By name: value, or 0.
    value: Vec<u16>,
    /// By name: number of the permission, or 0.
    number: Vec<u16>,
    /// How many numbers there are, 0 included.
    numbers: usize,
    /// By class value and number: bit of the permission, counted from 1, or 0.
    bits: Vec<u8>,
}

impl Classes {
    /// The value of a class, or 0.
    pub(crate) fn value(&self, name: Symbol) -> u16 {
        self.value.get(name.index()).copied().unwrap_or(0)
    }

    /// The class of a value that is not 0.
    pub(crate) fn class(&self, value: u16) -> Option<&Class> {
        self.classes.get(usize::from(value).checked_sub(1)?)
    }

    /// The bit of a permission of this class, counted from 1, or 0.
    pub(crate) fn permission(&self, class: u16, name: Symbol) -> u8 {
        let number = self.number.get(name.index()).copied().unwrap_or(0);
        let place = usize::from(class) * self.numbers + usize::from(number);
        self.bits.get(place).copied().unwrap_or(0)
    }

    /// The permission's bit set, or none.
    pub(crate) fn permission_bits(&self, class: u16, name: Symbol) -> Option<u32> {
        match self.permission(class, name) {
            0 => None,
            bit => Some(1 << (bit - 1)),
        }
    }

    /// All bits of a class's permissions.
    pub(crate) fn mask(&self, class: u16) -> u32 {
        self.class(class).map_or(0, |it| it.mask)
    }

    /// Gathers commons, classes and access vectors.
    pub(crate) fn gather(
        tree: &Tree<'_>,
        declared: &Declared,
        options: &Options,
        report: &mut Report,
    ) -> Self {
        let mut classes = Self {
            classes: Vec::new(),
            commons: Vec::new(),
            value: vec![0; tree.names.len()],
            number: vec![0; tree.names.len()],
            numbers: 0,
            bits: Vec::new(),
        };
        for it in &declared.space(Space::Classes).list {
            if classes.value(it.name) != 0 || it.kind != Kind::Class {
                continue;
            }
            if classes.classes.len() >= usize::from(u16::MAX) {
                let message = "more than 65535 classes";
                report.add(Diagnostic::error(Code::TooMany, it.span, message));
                break;
            }
            let (common, own, defined, mask) = (None, Vec::new(), None, 0);
            classes.classes.push(Class { name: it.name, common, own, defined, mask });
            classes.value[it.name.index()] =
                u16::try_from(classes.classes.len()).unwrap_or(u16::MAX);
        }
        let mut gatherer = Gatherer { tree, declared, report, classes };
        gatherer.commons(options.drop_unused_commons);
        gatherer.vectors();
        gatherer.classes.number_permissions();
        gatherer.classes
    }

    /// Gives permission names numbers and fills the table of bits.
    fn number_permissions(&mut self) {
        let mut next = 1u16;
        let commons = self.commons.iter().flat_map(|it| it.permissions.iter().copied());
        let own = self.classes.iter().flat_map(|it| it.own.iter().map(|own| own.0));
        for name in commons.chain(own) {
            let number = &mut self.number[name.index()];
            if *number == 0 {
                *number = next;
                next = next.saturating_add(1);
            }
        }
        self.numbers = usize::from(next);
        self.bits = vec![0; self.numbers * (self.classes.len() + 1)];
        for (index, class) in self.classes.iter_mut().enumerate() {
            let row = &mut self.bits[(index + 1) * self.numbers..(index + 2) * self.numbers];
            let common = class.common.map(|it| &self.commons[it].permissions);
            let shared = common.into_iter().flatten().copied().zip(1u8..);
            let own = class.own.iter().map(|&(name, bit)| (name, u8::try_from(bit).unwrap_or(0)));
            for (name, bit) in shared.chain(own) {
                row[usize::from(self.number[name.index()])] = bit;
                class.mask |= 1 << (bit - 1);
            }
        }
    }

    /// An error about a permission that a class does not have.
    pub(crate) fn unknown_permission(
        &self,
        tree: &Tree<'_>,
        class: u16,
        name: Symbol,
        span: Span,
    ) -> Diagnostic {
        let text = |it: Symbol| tree.names.name(it);
        let Some(datum) = self.class(class) else {
            return Diagnostic::error(Code::UnknownPermission, span, "a permission of no class");
        };
        let common = datum.common.map(|it| &self.commons[it]);
        let shared = common.into_iter().flat_map(|it| &it.permissions);
        let known: Vec<&str> =
            shared.chain(datum.own.iter().map(|it| &it.0)).map(|&it| text(it)).collect();
        let message = format!("class `{}` has no permission `{}`", text(datum.name), text(name));
        let mut error = Diagnostic::error(Code::UnknownPermission, span, message);
        if let Some(common) = common {
            error = error.and(common.span, format!("it inherits `{}`", text(common.name)));
        }
        if let Some(defined) = datum.defined {
            error = error.and(defined, "its permissions are defined here");
        }
        match near::did_you_mean(text(name), known.iter().copied()) {
            Some(near) => error.help(near),
            None => {
                let classes = self.classes.iter().zip(1u16..);
                let others: Vec<String> = classes
                    .filter(|&(_, value)| self.permission(value, name) != 0)
                    .map(|(class, _)| format!("`{}`", text(class.name)))
                    .take(3)
                    .collect();
                match others.as_slice() {
                    [] => error.help(format!("it has {}", known.join(", "))),
                    others => error.note(format!(
                        "`{}` is a permission of {}",
                        text(name),
                        others.join(", ")
                    )),
                }
            }
        }
    }

    /// The symbol tables of the policy, and where constraints were written.
    pub(crate) fn tables(&self, tree: &Tree<'_>, rules: ClassRules) -> Option<Tables> {
        let name = |it: Symbol| Box::<str>::from(tree.names.name(it));
        let permissions = |list: &mut dyn Iterator<Item = (Symbol, u32)>, nprim| {
            let data = list
                .filter_map(|(it, bit)| {
                    Some(PermissionDatum { name: name(it), id: PermId::from_value(bit)? })
                })
                .collect();
            SymbolTable::new(nprim, data).ok()
        };
        let mut commons = Vec::new();
        for (common, value) in self.commons.iter().zip(1..) {
            let nprim = small(common.permissions.len());
            let list = permissions(&mut common.permissions.iter().copied().zip(1..), nprim)?;
            let id = CommonId::from_value(value)?;
            commons.push(CommonDatum { name: name(common.name), id, permissions: list });
        }
        let mut classes = Vec::new();
        for (class, value) in self.classes.iter().zip(1..) {
            let shared = class.common.map_or(0, |it| self.commons[it].permissions.len());
            let nprim = small(shared + class.own.len());
            classes.push(ClassDatum {
                name: name(class.name),
                id: ClassId::from_value(value)?,
                common: class.common.map(|it| name(self.commons[it].name)),
                permissions: permissions(&mut class.own.iter().copied(), nprim)?,
                constraints: Vec::new(),
                validatetrans: Vec::new(),
                default_user: None,
                default_role: None,
                default_range: None,
                default_type: None,
            });
        }
        let origins = rules.apply(&mut classes);
        let commons = SymbolTable::new(small(commons.len()), commons).ok()?;
        let classes = SymbolTable::new(small(classes.len()), classes).ok()?;
        Some((commons, classes, origins))
    }
}

struct Gatherer<'a, 'r> {
    tree: &'r Tree<'a>,
    declared: &'r Declared,
    report: &'r mut Report,
    classes: Classes,
}

impl<'a> Gatherer<'a, '_> {
    /// Commons, or only those that a class has.
    fn commons(&mut self, only_used: bool) {
        let used = self.used_commons();
        for other in &self.tree.others {
            let StatementKind::Common { name: ident, permissions } = other.statement.kind else {
                continue;
            };
            let part = self.tree.part(other.block);
            let name = part.name(ident);
            let known = self.classes.commons.iter().any(|it| it.name == name);
            if known || only_used && !used.contains(&name) {
                continue;
            }
            let permissions = self.permissions(part, permissions, &[], ident);
            self.classes.commons.push(Common { name, permissions, span: ident.span });
        }
    }

    fn used_commons(&self) -> FxHashSet<Symbol> {
        let inherited = self.tree.others.iter().filter_map(|other| match other.statement.kind {
            StatementKind::AccessVector { inherits, .. } => {
                Some(self.tree.part(other.block).name(inherits?))
            }
            _ => None,
        });
        inherited.collect()
    }

    /// The names of a list of permissions, those in `before` and repetitions reported and left out.
    fn permissions(
        &mut self,
        part: &Part<'a>,
        list: Idents,
        before: &[Symbol],
        of: Ident,
    ) -> Vec<Symbol> {
        let mut names: Vec<Symbol> = Vec::new();
        for &ident in part.idents(list) {
            let name = part.name(ident);
            if names.contains(&name) || before.contains(&name) {
                let twice = if names.contains(&name) { "twice" } else { "again: it is inherited" };
                let (text, of) = (part.text(ident), part.text(of));
                let message = format!("permission `{text}` of `{of}` is declared {twice}");
                self.report.add(Diagnostic::error(Code::Redeclared, ident.span, message));
            } else if names.len() + before.len() == BITS {
                let message = format!("`{}` has more than 32 permissions", part.text(of));
                self.report.add(
                    Diagnostic::error(Code::TooMany, ident.span, message)
                        .label("this would be the 33rd")
                        .note("an access vector has 32 bits"),
                );
                break;
            } else {
                names.push(name);
            }
        }
        names
    }

    fn vectors(&mut self) {
        for other in &self.tree.others {
            let StatementKind::AccessVector { class, inherits, permissions } = other.statement.kind
            else {
                continue;
            };
            let part = self.tree.part(other.block);
            let value = self.classes.value(part.name(class));
            let Some(index) = usize::from(value).checked_sub(1) else {
                let known = self.classes.classes.iter().map(|it| self.tree.names.name(it.name));
                let near = near::did_you_mean(part.text(class), known);
                let message = format!("no class `{}` is declared", part.text(class));
                let mut error = Diagnostic::error(Code::UnknownClass, class.span, message);
                error.help.extend(near);
                self.report.add(error);
                continue;
            };
            if let Some(before) = self.classes.classes[index].defined {
                let message =
                    format!("permissions of class `{}` are defined twice", part.text(class));
                self.report.add(
                    Diagnostic::error(Code::Redeclared, class.span, message)
                        .and(before, "first defined here"),
                );
                continue;
            }
            let common = inherits.and_then(|it| self.common(part, it));
            let before =
                common.map_or(Vec::new(), |it| self.classes.commons[it].permissions.clone());
            let own = self.permissions(part, permissions, &before, class);
            let datum = &mut self.classes.classes[index];
            datum.common = common;
            datum.defined = Some(class.span);
            datum.own = own.into_iter().zip(small(before.len()) + 1..).collect();
        }
    }

    fn common(&mut self, part: &Part<'a>, ident: Ident) -> Option<usize> {
        let name = part.name(ident);
        let found = self.classes.commons.iter().position(|it| it.name == name);
        if found.is_none() {
            let known = self.classes.commons.iter().map(|it| self.tree.names.name(it.name));
            let near = near::did_you_mean(part.text(ident), known);
            let what = match self.declared.first(Space::Classes, name) {
                Some(_) => format!("`{}` is a class, not a common", part.text(ident)),
                None => format!("no common `{}` is declared", part.text(ident)),
            };
            let mut error = Diagnostic::error(Code::UnknownCommon, ident.span, what);
            error.help.extend(near);
            self.report.add(error);
        }
        found
    }
}
