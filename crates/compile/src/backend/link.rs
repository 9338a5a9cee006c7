//! Which optional blocks are enabled: those whose requirements something enabled declares. All are enabled at first; then those
//! whose requirements are not met go, and with them what they declare, until nothing changes. A block within a disabled one
//! is disabled; an `else` is enabled where its block is not.

use mandate_syntax::kernel::ast::{Require, RequireKind};
use mandate_syntax::source::Span;

use super::Unmet;
use super::classes::Classes;
use super::declare::{Declared, Space};
use super::tree::{BlockId, Branch, Part, Tree};
use crate::outcome::DisabledOptional;

/// Which blocks are enabled.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) enabled: Vec<bool>,
    /// Blocks that are left out for want of a requirement of their own.
    pub(crate) disabled: Vec<Unmet>,
    /// Requirements of the top level that nothing meets; they change nothing.
    pub(crate) unmet: Vec<Unmet>,
}

impl Links {
    pub(crate) fn is_enabled(&self, block: BlockId) -> bool {
        self.enabled[block as usize]
    }
}

/// Decides which blocks are enabled.
pub(crate) fn link(tree: &Tree<'_>, declared: &Declared, classes: &Classes) -> Links {
    let blocks = tree.blocks.len();
    let (enabled, off) = (vec![true; blocks], vec![false; blocks]);
    let mut linker = Linker { tree, declared, classes, enabled, off, decided: false };
    while linker.round() {}
    // With the blocks, their `else` branches are known; what those hold may now be missing elsewhere.
    linker.decided = true;
    linker.settle();
    while linker.round() {}
    let mut links = Links { enabled: Vec::new(), disabled: Vec::new(), unmet: Vec::new() };
    for id in 0..blocks {
        linker.tell(id, &mut links);
    }
    links.enabled = linker.enabled;
    links
}

struct Linker<'a, 'r> {
    tree: &'r Tree<'a>,
    declared: &'r Declared,
    classes: &'r Classes,
    enabled: Vec<bool>,
    /// Blocks whose own requirements are not met.
    off: Vec<bool>,
    /// Is an `else` enabled only where its block is not? Before that is known, both are.
    decided: bool,
}

impl<'a> Linker<'a, '_> {
    /// Finds blocks whose requirements are not met; was there one?
    fn round(&mut self) -> bool {
        let mut changed = false;
        for id in 0..self.tree.blocks.len() {
            let then = self.tree.blocks[id].branch == Branch::Then;
            if then && self.enabled[id] && self.missing(id).is_some() {
                self.off[id] = true;
                changed = true;
            }
        }
        if changed {
            self.settle();
        }
        changed
    }

    /// Parents stand before their children, and blocks before their `else`.
    fn settle(&mut self) {
        for (id, block) in self.tree.blocks.iter().enumerate() {
            let stands = match block.branch {
                Branch::Top => true,
                Branch::Then => !self.off[id],
                Branch::Else(of) => !self.decided || !self.enabled[of as usize],
            };
            self.enabled[id] = stands && self.parent_enabled(id);
        }
    }

    fn parent_enabled(&self, id: usize) -> bool {
        self.tree.blocks[id].parent.is_none_or(|parent| self.enabled[parent as usize])
    }

    /// The first of the block's own requirements that is not met.
    fn missing(&self, id: usize) -> Option<(&'a Require, Option<usize>)> {
        let block = &self.tree.blocks[id];
        let part = &self.tree.parts[block.part as usize];
        (self.tree.requires[block.requires.range()].iter()).find_map(|require| {
            self.is_unmet(part, require).map(|permission| (*require, permission))
        })
    }

    /// Is it unmet, and because of which permission?
    fn is_unmet(&self, part: &Part<'_>, require: &Require) -> Option<Option<usize>> {
        let name = part.name(require.name);
        let met = (self.declared.space(Space::of(require.kind)).of(name))
            .any(|it| self.enabled[it.block as usize]);
        if !met {
            return Some(None);
        }
        if require.kind != RequireKind::Class {
            return None;
        }
        let class = self.classes.value(name);
        (part.idents(require.permissions).iter())
            .position(|&permission| self.classes.permission(class, part.name(permission)) == 0)
            .map(Some)
    }

    fn tell(&self, id: usize, links: &mut Links) {
        let block = &self.tree.blocks[id];
        let part = &self.tree.parts[block.part as usize];
        match block.branch {
            Branch::Top => {
                for require in &self.tree.requires[block.requires.range()] {
                    if let Some(permission) = self.is_unmet(part, require) {
                        let unmet = self.unmet(part, block.span, require, permission);
                        links.unmet.push(unmet);
                    }
                }
            }
            Branch::Then if self.off[id] && self.parent_enabled(id) => {
                if let Some((require, permission)) = self.missing(id) {
                    links.disabled.push(self.unmet(part, block.span, require, permission));
                }
            }
            _ => {}
        }
    }

    fn unmet(
        &self,
        part: &Part<'_>,
        span: Span,
        require: &Require,
        permission: Option<usize>,
    ) -> Unmet {
        let name = part.text(require.name);
        let permission = permission.and_then(|at| part.idents(require.permissions).get(at));
        let declared = self.declared.first(Space::of(require.kind), part.name(require.name));
        let (missing, required) = match permission {
            Some(&permission) => {
                (format!("permission {} of class {name}", part.text(permission)), permission.span)
            }
            None => (format!("{} {name}", keyword(require.kind)), require.name.span),
        };
        Unmet {
            optional: DisabledOptional { span, missing, required },
            kind: require.kind,
            name: name.to_owned(),
            permission: permission.map(|&it| part.text(it).to_owned()),
            declared: declared.map(|it| it.span),
        }
    }
}

/// The word a requirement is written with.
fn keyword(kind: RequireKind) -> &'static str {
    match kind {
        RequireKind::Class => "class",
        RequireKind::Role => "role",
        RequireKind::Type => "type",
        RequireKind::Attribute => "attribute",
        RequireKind::RoleAttribute => "attribute_role",
        RequireKind::User => "user",
        RequireKind::Boolean => "bool",
        RequireKind::Tunable => "tunable",
        RequireKind::Sensitivity => "sensitivity",
        RequireKind::Category => "category",
    }
}
