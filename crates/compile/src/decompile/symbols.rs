//! Types, booleans, roles and users, in the order of their values.

use mandate_policydb::{Datum, Ebitmap, OBJECT_R, PolicyDb, RoleDatum, SymbolId, TypeDatum};
use mandate_syntax::kernel::ast::{Slice, StatementKind};

use super::Decompiler;

impl Decompiler<'_> {
    pub(super) fn symbols(&mut self) {
        let db = self.db;
        let none = Slice::default();
        for it in db.types.by_value() {
            self.type_(it);
        }
        for it in db.types.by_value().filter(|it| !it.attribute) {
            self.later_attributes(it);
        }
        for alias in db.types.iter().filter(|it| it.is_alias()) {
            let Some(name) = self.names.types.get(alias.id) else { continue };
            let aliases = self.writer.idents([alias.name()]);
            self.writer.push(StatementKind::TypeAlias { name, aliases });
        }
        for it in db.types.by_value() {
            if let Some(parent) = it.bounds.and_then(|it| self.names.types.get(it)) {
                let children = self.names.types.list(it.id);
                self.writer.push(StatementKind::TypeBounds { parent, children });
            }
        }
        for it in db.types.by_value().filter(|it| !it.attribute) {
            let Some(name) = self.names.types.get(it.id) else { continue };
            if db.is_permissive(it.id) {
                self.writer.push(StatementKind::Permissive(name));
            }
            if db.is_neveraudit(it.id) {
                self.writer.push(StatementKind::NeverAudit(name));
            }
        }
        for it in db.booleans.by_value() {
            let name = self.writer.ident(&it.name);
            self.writer.push(StatementKind::Boolean { name, value: it.state, tunable: false });
        }
        for it in db.roles.by_value().filter(|it| it.name() != OBJECT_R) {
            let name = self.writer.ident(&it.name);
            self.writer.push(StatementKind::Role { name, types: None, attributes: none });
        }
        self.dominance();
        for it in db.roles.by_value() {
            self.role(it);
        }
    }

    fn type_(&mut self, it: &TypeDatum) {
        let Some(name) = self.names.types.get(it.id) else { return };
        let row = self.db.type_attributes.get(it.id.index());
        if it.attribute {
            self.writer.push(StatementKind::Attribute(name));
            // One that no type is told to have was expanded wherever it was named.
            if !row.is_some_and(|row| row.has(it.id)) {
                let names = self.names.types.list(it.id);
                self.writer.push(StatementKind::ExpandAttribute { names, expand: true });
            }
            return;
        }
        // checkpolicy knows only attributes that were declared before.
        let own = it.id.bit();
        let before: Ebitmap =
            row.into_iter().flat_map(Ebitmap::iter).filter(|&bit| bit < own).collect();
        let attributes = self.writer.list(self.names.types.of_bits(&before));
        self.writer.push(StatementKind::Type { name, aliases: Slice::default(), attributes });
    }

    /// The attributes of a type that are declared after it.
    fn later_attributes(&mut self, it: &TypeDatum) {
        let row = self.db.type_attributes.get(it.id.index());
        let own = it.id.bit();
        let after: Ebitmap =
            row.into_iter().flat_map(Ebitmap::iter).filter(|&bit| bit > own).collect();
        if let (Some(name), false) = (self.names.types.get(it.id), after.is_empty()) {
            let attributes = self.writer.list(self.names.types.of_bits(&after));
            self.writer.push(StatementKind::TypeAttribute { name, attributes });
        }
    }

    /// Which roles dominate which, where it is more than each itself.
    fn dominance(&mut self) {
        let roles = self.db.roles.by_value();
        // Those that dominate the fewest come first: what they take on is known to those above.
        let mut above: Vec<&RoleDatum> = roles.filter(|it| others(it).next().is_some()).collect();
        above.sort_by_key(|it| it.dominates.len());
        for it in above {
            let Some(name) = self.names.roles.get(it.id) else { continue };
            let others: Ebitmap = others(it).collect();
            let dominated = self.writer.list(self.names.roles.of_bits(&others));
            self.writer.push(StatementKind::RoleDominance { name, dominated });
        }
    }

    fn role(&mut self, it: &RoleDatum) {
        let Some(name) = self.names.roles.get(it.id) else { return };
        if !it.types.is_empty() {
            let types = Some(self.writer.set_of(self.names.types.of_bits(&it.types)));
            let attributes = Slice::default();
            self.writer.push(StatementKind::Role { name, types, attributes });
        }
        if let Some(parent) = it.bounds.and_then(|it| self.names.roles.get(it)) {
            self.writer.push(StatementKind::RoleBounds { parent, child: name });
        }
    }

    pub(super) fn users(&mut self) {
        let db: &PolicyDb = self.db;
        for it in db.users.by_value() {
            let Some(name) = self.names.users.get(it.id) else { continue };
            let roles = self.writer.set_of(self.names.roles.of_bits(&it.roles));
            let level = it.default_level.as_ref().map(|it| Box::new(self.writer.level(db, it)));
            let range = it.range.as_ref().map(|it| Box::new(self.writer.range(db, it)));
            self.writer.push(StatementKind::User { name, roles, level, range });
        }
        for it in db.users.by_value() {
            let parent = it.bounds.and_then(|it| self.names.users.get(it));
            if let (Some(parent), Some(child)) = (parent, self.names.users.get(it.id)) {
                self.writer.push(StatementKind::UserBounds { parent, child });
            }
        }
    }
}

/// The roles that a role dominates besides itself.
fn others(role: &RoleDatum) -> impl Iterator<Item = u32> + '_ {
    role.dominates.iter().filter(|&bit| bit != role.id.bit())
}
