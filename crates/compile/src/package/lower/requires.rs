//! What a branch requires of others, as `require` statements.

use mandate_policydb::Ebitmap;
use mandate_syntax::kernel::ast::{
    Ident, Idents, Require, RequireKind, Slice, Statement, StatementKind,
};

use super::{Lowerer, small};
use crate::package::blocks::Branch;
use crate::package::symbols::Kind;

impl Lowerer<'_> {
    pub(super) fn requires(&mut self, branch: &Branch, out: &mut Vec<Statement>) {
        let mut list: Vec<Require> = Vec::new();
        let permissions = Idents::default();
        for (kind, what) in [
            (Kind::Roles, RequireKind::Role),
            (Kind::Types, RequireKind::Type),
            (Kind::Users, RequireKind::User),
            (Kind::Booleans, RequireKind::Boolean),
            (Kind::Levels, RequireKind::Sensitivity),
            (Kind::Categories, RequireKind::Category),
        ] {
            let symbols = branch.required.of(kind);
            for bit in symbols.iter() {
                if self.is_inherited(kind, bit, branch) {
                    continue;
                }
                let Some(name) = bit.checked_add(1).and_then(|it| self.name(kind, it)) else {
                    continue;
                };
                let kind = self.required_kind(what, bit + 1);
                list.push(Require { kind, name, permissions });
            }
        }
        list.extend(self.required_classes(branch));
        if !list.is_empty() {
            let start = small(self.unit.requires.len());
            self.unit.requires.extend(list);
            let slice = Slice { start, end: small(self.unit.requires.len()) };
            self.push(out, StatementKind::Require(slice));
        }
    }

    /// Does a block around it require the symbol, and not this one?
    fn is_inherited(&self, kind: Kind, bit: u32, branch: &Branch) -> bool {
        if self.named.as_ref().is_none_or(|it| it.by(kind, bit, branch.id)) {
            return false;
        }
        let around = self.around.iter().filter_map(|&it| self.db.blocks[it].branches.first());
        let mut around = around.filter(|it| it.id != branch.id);
        around.any(|it| {
            let permissions = |it: &Branch| {
                it.required.permissions.get(bit as usize).cloned().unwrap_or_default()
            };
            it.required.of(kind).contains(bit)
                && (kind != Kind::Classes || permissions(it).is_superset(&permissions(branch)))
        })
    }

    /// A type may be an attribute, a role a role attribute, a boolean a tunable.
    fn required_kind(&self, kind: RequireKind, value: u32) -> RequireKind {
        let is = |of: Kind| self.special[of as usize].contains(value - 1);
        match kind {
            RequireKind::Type if is(Kind::Types) => RequireKind::Attribute,
            RequireKind::Role if is(Kind::Roles) => RequireKind::RoleAttribute,
            RequireKind::Boolean if is(Kind::Booleans) => RequireKind::Tunable,
            _ => kind,
        }
    }

    fn required_classes(&mut self, branch: &Branch) -> Vec<Require> {
        let mut list = Vec::new();
        let bits = branch.required.of(Kind::Classes);
        let beyond = small(branch.required.permissions.len());
        let of_permissions =
            (0..beyond).filter(|&it| !branch.required.permissions[it as usize].is_empty());
        let classes: Ebitmap = bits.iter().chain(of_permissions).collect();
        for bit in classes.iter() {
            if self.is_inherited(Kind::Classes, bit, branch) {
                continue;
            }
            let Some(name) = bit.checked_add(1).and_then(|it| self.name(Kind::Classes, it)) else {
                continue;
            };
            let wanted = branch.required.permissions.get(bit as usize);
            let names: Vec<Ident> = wanted.map_or(Vec::new(), |it| {
                it.iter().filter_map(|it| self.permission(bit + 1, it)).collect()
            });
            let permissions = self.idents(names);
            list.push(Require { kind: RequireKind::Class, name, permissions });
        }
        list
    }
}
