//! Blocks that are left out: what they name has to be declared or required somewhere, though it need not be there. Otherwise a
//! misspelled name would go unnoticed until the block is enabled.

use mandate_syntax::kernel::ast::{
    CondTerm, Ident, Idents, RequireKind, Set, Statement, StatementKind,
};
use mandate_syntax::names::Symbol;
use rustc_hash::FxHashSet;

use super::declare::Space;
use super::resolve::Resolver;
use super::tree::{BlockId, small};

/// Names that some block requires.
struct Required {
    names: FxHashSet<(Space, Symbol)>,
    permissions: FxHashSet<(Symbol, Symbol)>,
}

impl Resolver<'_, '_> {
    /// Tells of names in disabled blocks that nothing declares or requires.
    pub(crate) fn check_disabled_blocks(&mut self) {
        let blocks = &self.tree.blocks;
        let disabled = (0..small(blocks.len())).filter(|&it| !self.links.is_enabled(it));
        let disabled: Vec<BlockId> = disabled.collect();
        if disabled.is_empty() {
            return;
        }
        let required = self.required_names();
        for block in disabled {
            for statement in self.tree.blocks[block as usize].statements {
                self.dormant_statement(block, statement, &required);
            }
        }
    }

    fn required_names(&self) -> Required {
        let (names, permissions) = (FxHashSet::default(), FxHashSet::default());
        let mut required = Required { names, permissions };
        for block in &self.tree.blocks {
            let part = &self.tree.parts[block.part as usize];
            for require in &self.tree.requires[block.requires.range()] {
                let name = part.name(require.name);
                required.names.insert((Space::of(require.kind), name));
                if require.kind == RequireKind::Class {
                    let permissions = part.idents(require.permissions).iter();
                    required.permissions.extend(permissions.map(|&it| (name, part.name(it))));
                }
            }
        }
        required
    }

    fn dormant_statement(&mut self, block: BlockId, statement: &Statement, required: &Required) {
        use StatementKind as S;
        match &statement.kind {
            S::Av(rule) => {
                self.dormant_set(block, Space::Types, &rule.source, required);
                self.dormant_set(block, Space::Types, &rule.target, required);
                self.dormant_list(block, Space::Classes, rule.classes, required);
                self.dormant_permissions(block, rule.classes, &rule.permissions, required);
            }
            S::Xperm(rule) => {
                self.dormant_set(block, Space::Types, &rule.source, required);
                self.dormant_set(block, Space::Types, &rule.target, required);
                self.dormant_list(block, Space::Classes, rule.classes, required);
            }
            S::TypeRule(rule) => {
                self.dormant_set(block, Space::Types, &rule.source, required);
                self.dormant_set(block, Space::Types, &rule.target, required);
                self.dormant_list(block, Space::Classes, rule.classes, required);
                self.dormant(block, Space::Types, rule.result, required);
            }
            S::TypeAttribute { name, attributes } => {
                self.dormant(block, Space::Types, *name, required);
                self.dormant_list(block, Space::Types, *attributes, required);
            }
            S::Type { attributes, .. } => {
                self.dormant_list(block, Space::Types, *attributes, required);
            }
            S::Role { name, types: Some(types), .. } => {
                self.dormant(block, Space::Roles, *name, required);
                self.dormant_set(block, Space::Types, types, required);
            }
            S::RoleAttributeSet { name, attributes } => {
                self.dormant(block, Space::Roles, *name, required);
                self.dormant_list(block, Space::Roles, *attributes, required);
            }
            S::RoleAllow { source, target } => {
                self.dormant_set(block, Space::Roles, source, required);
                self.dormant_set(block, Space::Roles, target, required);
            }
            S::RoleTransition { source, target, classes, result } => {
                self.dormant_set(block, Space::Roles, source, required);
                self.dormant_set(block, Space::Types, target, required);
                self.dormant_list(block, Space::Classes, *classes, required);
                self.dormant(block, Space::Roles, *result, required);
            }
            S::RangeTransition { source, target, classes, .. } => {
                self.dormant_set(block, Space::Types, source, required);
                self.dormant_set(block, Space::Types, target, required);
                self.dormant_list(block, Space::Classes, *classes, required);
            }
            S::Conditional { expression, then, otherwise } => {
                let terms = &self.tree.part(block).unit.cond_terms[expression.range()];
                for term in terms {
                    if let CondTerm::Bool(ident) = term {
                        self.dormant(block, Space::Booleans, *ident, required);
                    }
                }
                for inner in then.iter().chain(otherwise) {
                    self.dormant_statement(block, inner, required);
                }
            }
            _ => {}
        }
    }

    fn dormant(&mut self, block: BlockId, space: Space, ident: Ident, required: &Required) {
        let name = self.tree.part(block).name(ident);
        let of_types = space == Space::Types && name == self.tree.self_name;
        let object =
            space == Space::Roles && self.tree.names.name(name) == mandate_policydb::OBJECT_R;
        if of_types
            || object
            || self.declared.first(space, name).is_some()
            || required.names.contains(&(space, name))
        {
            return;
        }
        match space {
            Space::Types => drop(self.type_or_attribute(block, ident)),
            Space::Roles => drop(self.role_or_attribute(block, ident)),
            Space::Classes => drop(self.class(block, ident)),
            _ => self.unknown_boolean(block, ident),
        }
    }

    fn dormant_list(&mut self, block: BlockId, space: Space, list: Idents, required: &Required) {
        for &ident in self.tree.part(block).idents(list) {
            self.dormant(block, space, ident, required);
        }
    }

    fn dormant_set(&mut self, block: BlockId, space: Space, set: &Set, required: &Required) {
        for item in self.tree.part(block).items(set) {
            self.dormant(block, space, item.ident, required);
        }
    }

    fn dormant_permissions(
        &mut self,
        block: BlockId,
        classes: Idents,
        permissions: &Set,
        required: &Required,
    ) {
        let part = self.tree.part(block);
        for &ident in part.idents(classes) {
            let class = part.name(ident);
            let value = self.classes.value(class);
            for item in part.items(permissions) {
                let name = part.name(item.ident);
                let known = self.classes.permission(value, name) != 0;
                if value != 0 && !known && !required.permissions.contains(&(class, name)) {
                    self.unknown_permission(block, value, item.ident);
                }
            }
        }
    }
}
