//! Which attributes a policy holds: those that its rules, constraints and assertions need, and those that are to stay.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::kernel::ast::{
    AvKind, ConstraintTerm, Set, Statement, StatementKind, Unit, XpermKind,
};
use mandate_syntax::names::Symbol;
use rustc_hash::FxHashMap;

use super::declare::{DeclKind, Space};
use super::lower::SetUse;
use super::members::Members;
use super::world::{ContainerId, Found, World};

/// Infix of the names of generated attributes.
const GENERATED: &str = "_typeattr_";

/// By what an attribute is used.
type Use = u8;
const RULE: Use = 1;
const NEVERALLOW: Use = 1 << 1;
const CONSTRAINT: Use = 1 << 2;
const EXPAND: Use = 1 << 3;
const KEEP: Use = 1 << 4;

/// The uses of names in a policy.
#[derive(Debug, Default)]
pub(crate) struct Uses(FxHashMap<Symbol, Use>);

impl Uses {
    pub(crate) fn of<'u>(
        world: &World<'_>,
        units: impl Iterator<Item = &'u Unit> + Clone,
        sets: &[SetUse],
        left_out: &[(Symbol, bool)],
    ) -> Self {
        let mut uses = Self::default();
        for unit in units.clone() {
            unit.statements.iter().for_each(|it| uses.statement(unit, it));
            for term in &unit.constraint_terms {
                if let ConstraintTerm::Names { names, .. } = term {
                    uses.set(unit, names, CONSTRAINT);
                }
            }
        }
        for &(name, never) in left_out {
            uses.add(name, if never { NEVERALLOW } else { RULE });
        }
        uses.through_generated(world, units, sets);
        uses
    }

    fn add(&mut self, name: Symbol, how: Use) {
        *self.0.entry(name).or_default() |= how;
    }

    fn set(&mut self, unit: &Unit, set: &Set, how: Use) {
        for item in &unit.set_items[set.items.range()] {
            self.add(item.ident.name, how);
        }
    }

    fn statement(&mut self, unit: &Unit, statement: &Statement) {
        let (source, target, never) = match &statement.kind {
            StatementKind::Av(it) => (&it.source, &it.target, it.kind == AvKind::NeverAllow),
            StatementKind::Xperm(it) => (&it.source, &it.target, it.kind == XpermKind::NeverAllow),
            StatementKind::Conditional { then, otherwise, .. } => {
                return then.iter().chain(otherwise).for_each(|it| self.statement(unit, it));
            }
            StatementKind::ExpandAttribute { names, expand } => {
                let how = if *expand { EXPAND } else { KEEP };
                return unit.idents[names.range()].iter().for_each(|it| self.add(it.name, how));
            }
            _ => return,
        };
        // The source of a rule about itself does not count.
        let items = &unit.set_items[target.items.range()];
        if items.iter().any(|it| it.ident.name == Keyword::Self_.symbol()) {
            return;
        }
        let how = if never { NEVERALLOW } else { RULE };
        self.set(unit, source, how);
        self.set(unit, target, how);
    }

    /// What a generated attribute in a `neverallow` is made of is used by that too.
    fn through_generated<'u>(
        &mut self,
        world: &World<'_>,
        units: impl Iterator<Item = &'u Unit>,
        sets: &[SetUse],
    ) {
        let generated = |name: Symbol| world.text(name).contains(GENERATED);
        let mut parts: FxHashMap<Symbol, Vec<Symbol>> = FxHashMap::default();
        for set in sets {
            let name = world.decl(set.attribute).flat;
            if generated(name) {
                let within = parts.entry(name).or_default();
                names(world, set.container, world.element(set.container, set.index), within);
            }
        }
        for unit in units {
            for statement in &unit.statements {
                let StatementKind::TypeAttribute { name, attributes } = statement.kind else {
                    continue;
                };
                for attribute in &unit.idents[attributes.range()] {
                    if generated(attribute.name) {
                        parts.entry(attribute.name).or_default().push(name.name);
                    }
                }
            }
        }
        let never = self.0.iter().filter(|it| it.1 & NEVERALLOW != 0 && generated(*it.0));
        let mut pending: Vec<Symbol> = never.map(|it| *it.0).collect();
        while let Some(attribute) = pending.pop() {
            for name in parts.remove(&attribute).unwrap_or_default() {
                self.add(name, NEVERALLOW);
                if generated(name) {
                    pending.push(name);
                }
            }
        }
    }

    /// The attributes that the policy does not hold.
    pub(crate) fn dropped(&self, world: &World<'_>, members: &mut Members<'_, '_>) -> Vec<String> {
        let options = world.options;
        let size = options.expand_size.unwrap_or(1) as usize;
        let attributes = members.attributes();
        let goes = |name: Symbol, members: &mut Members<'_, '_>| {
            let used = self.0.get(&name).copied().unwrap_or(0);
            if used == 0 || used & (EXPAND | KEEP) == EXPAND {
                return true;
            }
            if used & (KEEP | CONSTRAINT) != 0 {
                return false;
            }
            let generated = world.text(name).contains(GENERATED);
            match used {
                NEVERALLOW => generated,
                _ if generated && options.expand_generated => true,
                RULE => members.of(name).count() < size,
                _ => false,
            }
        };
        let gone = attributes.into_iter().filter(|&it| goes(it, members));
        gone.map(|it| world.text(it).to_owned()).collect()
    }
}

/// The attributes that an expression names.
fn names(world: &World<'_>, at: ContainerId, element: Element<'_>, into: &mut Vec<Symbol>) {
    if element.is_list() {
        return element.children().for_each(|it| names(world, at, it, into));
    }
    let Some(word) = element.word().filter(|&it| Keyword::of(it).is_none()) else { return };
    if let Some(Found::Declared(decl)) = world.find(at, Space::Types, word) {
        let decl = world.decl(decl);
        if decl.kind == DeclKind::TypeAttribute {
            into.push(decl.flat);
        }
    }
}
