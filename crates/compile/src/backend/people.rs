//! Roles with their types, users with their roles and ranges.

use mandate_policydb::{
    Ebitmap, MlsLevel, MlsRange, RoleDatum, RoleId, SymbolId, SymbolTable, TypeDatum, TypeId,
    UserDatum, UserId,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{self, Ident, StatementKind};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;

use super::Feature;
use super::resolve::Resolver;
use super::symbols::VALUE;
use super::tree::{BlockId, small};
use crate::bounds::Bounded;

/// What a user may be.
struct User {
    roles: Ebitmap,
    range: Option<MlsRange>,
    level: Option<MlsLevel>,
    span: Span,
    bounds: u32,
}

impl Resolver<'_, '_> {
    /// The table of types, attributes and aliases.
    pub(crate) fn type_table(&self) -> Option<SymbolTable<TypeDatum>> {
        let held = self.symbols.types_held;
        let mut types = Vec::with_capacity(held);
        for (symbol, value) in self.symbols.type_list.iter().take(held).zip(1..) {
            types.push(TypeDatum {
                name: self.tree.names.name(symbol.name).into(),
                id: TypeId::from_value(value)?,
                primary: true,
                attribute: symbol.attribute,
                bounds: TypeId::from_value(symbol.bounds),
            });
        }
        for &(name, value) in &self.symbols.aliases {
            types.push(TypeDatum {
                name: self.tree.names.name(name).into(),
                id: TypeId::from_value(value)?,
                primary: false,
                attribute: false,
                bounds: None,
            });
        }
        SymbolTable::new(small(held), types).ok()
    }

    /// For each type, by value: bits of its attributes and of itself.
    pub(crate) fn type_attributes_map(&self) -> Vec<Ebitmap> {
        let count = small(self.symbols.types_held);
        let mut lists: Vec<Vec<u32>> = vec![Vec::new(); count as usize];
        for value in 1..=count {
            if self.symbols.is_kept_attribute(value) {
                for &member in self.symbols.members.of(value) {
                    lists[member as usize - 1].push(value - 1);
                }
            }
        }
        for value in 1..=count {
            let symbol = self.symbols.type_symbol(value);
            if !symbol.attribute || self.symbols.is_kept_attribute(value) {
                lists[value as usize - 1].push(value - 1);
            }
        }
        lists
            .into_iter()
            .map(|mut bits| {
                bits.sort_unstable();
                bits.into_iter().collect()
            })
            .collect()
    }

    /// The table of roles. Role attributes have values behind them, but no entries.
    pub(crate) fn role_table(&mut self) -> Option<SymbolTable<RoleDatum>> {
        let count = self.symbols.role_list.len();
        let mut types: Vec<Ebitmap> = vec![Ebitmap::new(); count];
        let mut dominates: Vec<Ebitmap> =
            (0..small(count)).map(|bit| Ebitmap::from_bits([bit])).collect();
        // `object_r` is there before all declarations, and nothing says that it dominates itself.
        dominates.first_mut().into_iter().for_each(|it| *it = Ebitmap::new());
        let mut bounds = vec![0u32; count];
        for other in self.enabled_others() {
            let block = other.block;
            match &other.statement.kind {
                StatementKind::Role { name, types: Some(set), .. } => {
                    let role = self.role_or_attribute(block, *name);
                    let list = self.listed_types(block, set);
                    if let (Some(role), Some(list)) = (role, list) {
                        let all = &mut types[(role & VALUE) as usize - 1];
                        *all = all.union(&list.to_bitmap());
                    }
                }
                StatementKind::Role { name, types: None, .. } => {
                    bounds_by_name(self, block, *name, role_bounded, &mut bounds, Self::role_named);
                }
                StatementKind::RoleBounds { parent, child } => {
                    let parent = (parent, self.role(block, *parent));
                    let child = (child, self.role(block, *child));
                    set_bounds(self, role_bounded, parent, child, &mut bounds);
                }
                StatementKind::RoleDominance { name, dominated } => {
                    self.role_dominance(block, *name, *dominated, &mut dominates, &mut types);
                }
                _ => {}
            }
        }
        self.spread_role_types(&mut types);
        let mut roles = Vec::new();
        for (symbol, value) in self.symbols.role_list.iter().zip(1..) {
            let at = value as usize - 1;
            if !symbol.attribute {
                roles.push(RoleDatum {
                    name: self.tree.names.name(symbol.name).into(),
                    id: RoleId::from_value(value)?,
                    bounds: RoleId::from_value(bounds[at]),
                    dominates: std::mem::take(&mut dominates[at]),
                    types: std::mem::take(&mut types[at]),
                });
            }
        }
        SymbolTable::new(small(roles.len()), roles).ok()
    }

    fn role_named(&self, name: Symbol) -> u32 {
        self.symbols.role_value(name) & VALUE
    }

    fn user_named(&self, name: Symbol) -> u32 {
        self.symbols.user_value(name)
    }

    /// What a role attribute may be, its roles may be.
    fn spread_role_types(&self, types: &mut [Ebitmap]) {
        for (symbol, value) in self.symbols.role_list.iter().zip(1..) {
            let of_attribute = types[value as usize - 1].clone();
            if symbol.attribute && !of_attribute.is_empty() {
                for &role in self.symbols.role_members.of(value) {
                    let all = &mut types[role as usize - 1];
                    *all = all.union(&of_attribute);
                }
            }
        }
    }

    /// A role takes on what is said of the roles below it up to here, and so do the roles above it.
    fn role_dominance(
        &mut self,
        block: BlockId,
        name: Ident,
        dominated: ast::Idents,
        dominates: &mut [Ebitmap],
        types: &mut [Ebitmap],
    ) {
        let Some(upper) = self.role(block, name) else { return };
        let mut below = dominates[upper as usize - 1].clone();
        let mut taken = types[upper as usize - 1].clone();
        for &ident in self.tree.part(block).idents(dominated) {
            if let Some(lower) = self.role(block, ident) {
                below = below.union(&dominates[lower as usize - 1]);
                taken = taken.union(&types[lower as usize - 1]);
            }
        }
        for (dominates, types) in dominates.iter_mut().zip(types) {
            if dominates.contains(upper - 1) {
                *dominates = dominates.union(&below);
                *types = types.union(&taken);
            }
        }
    }

    /// The table of users.
    pub(crate) fn user_table(&mut self) -> Option<SymbolTable<UserDatum>> {
        let count = self.symbols.user_list.len();
        let mut users: Vec<Option<User>> = (0..count).map(|_| None).collect();
        let mut bounds = vec![0u32; count];
        for other in self.enabled_others() {
            let (name, roles, level, range) = match &other.statement.kind {
                StatementKind::User { name, roles, level, range } => (name, roles, level, range),
                StatementKind::UserBounds { parent, child } => {
                    let parent = (parent, self.user(other.block, *parent));
                    let child = (child, self.user(other.block, *child));
                    set_bounds(self, user_bounded, parent, child, &mut bounds);
                    continue;
                }
                _ => continue,
            };
            let value = self.symbols.user_value(self.tree.part(other.block).name(*name));
            if value == 0 {
                continue;
            }
            let roles = self.role_set(other.block, roles);
            let levels = self.user_levels(other.block, *name, level.as_deref(), range.as_deref());
            bounds_by_name(self, other.block, *name, user_bounded, &mut bounds, Self::user_named);
            let (Some(roles), Some((level, range))) = (roles, levels) else { continue };
            let roles: Ebitmap = roles.iter().map(|it| it - 1).collect();
            match &mut users[value as usize - 1] {
                slot @ None => {
                    *slot = Some(User { roles, range, level, span: name.span, bounds: 0 });
                }
                Some(user) => {
                    user.roles = user.roles.union(&roles);
                    if (&user.range, &user.level) != (&range, &level) {
                        let text = self.tree.part(other.block).text(*name);
                        let message = format!("user `{text}` has two different levels or ranges");
                        self.report.add(
                            Diagnostic::error(Code::ConflictingRule, name.span, message)
                                .and(user.span, "the other declaration"),
                        );
                    }
                }
            }
        }
        let mut data = Vec::new();
        for ((user, &name), value) in users.into_iter().zip(&self.symbols.user_list).zip(1..) {
            // One that is in error has been told.
            let Some(mut user) = user else { continue };
            user.bounds = bounds[value as usize - 1];
            data.push(UserDatum {
                name: self.tree.names.name(name).into(),
                id: UserId::from_value(value)?,
                bounds: UserId::from_value(user.bounds),
                roles: user.roles,
                range: user.range,
                default_level: user.level,
            });
        }
        SymbolTable::new(small(count), data).ok()
    }

    /// Level and range of a user; nothing after an error.
    fn user_levels(
        &mut self,
        block: BlockId,
        name: Ident,
        level: Option<&ast::Level>,
        range: Option<&ast::MlsRange>,
    ) -> Option<(Option<MlsLevel>, Option<MlsRange>)> {
        let text = self.tree.part(block).text(name);
        match (self.options.mls, level, range) {
            (true, Some(level), Some(range)) => {
                let level_span = level.sensitivity.span;
                let level = self.level(block, level);
                let (range, level) = (self.range(block, range)?, level?);
                if !level.dominates(&range.low) || !range.high.dominates(&level) {
                    let message =
                        format!("the default level of user `{text}` is not within its range");
                    if !self.is_explicit() {
                        let error = Diagnostic::error(Code::InvalidLevel, level_span, message);
                        self.report.add(error);
                        return None;
                    }
                    self.report.add(Diagnostic::warning(Code::Suspicious, level_span, message));
                }
                Some((Some(level), Some(range)))
            }
            (true, ..) => {
                let message = format!("user `{text}` has no level and range");
                self.report.add(
                    Diagnostic::error(Code::MlsRequired, name.span, message)
                        .help(format!("write `user {text} roles … level … range …;`")),
                );
                None
            }
            (false, None, None) => Some((None, None)),
            (false, ..) => {
                let message = format!("user `{text}` has a level in a policy without MLS");
                self.report.add(
                    Diagnostic::error(Code::MlsDisabled, name.span, message)
                        .help("build the policy with MLS, or leave level and range out"),
                );
                None
            }
        }
    }
}

fn role_bounded(value: u32) -> Option<Bounded> {
    RoleId::from_value(value).map(Bounded::Role)
}

fn user_bounded(value: u32) -> Option<Bounded> {
    UserId::from_value(value).map(Bounded::User)
}

/// The word for what is bounded, and the code of one that is unknown.
fn kind_of(bounded: fn(u32) -> Option<Bounded>) -> (&'static str, Code) {
    match bounded(1) {
        Some(Bounded::User(_)) => ("user", Code::UnknownUser),
        _ => ("role", Code::UnknownRole),
    }
}

/// A role or user whose name has a dot is bounded by the one before the last dot.
fn bounds_by_name<'a, 'r>(
    names: &mut Resolver<'a, 'r>,
    block: BlockId,
    name: Ident,
    bounded: fn(u32) -> Option<Bounded>,
    bounds: &mut [u32],
    value: impl Fn(&Resolver<'a, 'r>, Symbol) -> u32,
) {
    let part = names.tree.part(block);
    let text = part.text(name);
    let Some((parent, _)) = text.rsplit_once('.').filter(|_| !part.unit.explicit_bounds) else {
        return;
    };
    let child = value(names, names.tree.part(block).name(name));
    let found = names.tree.names.get(parent).map_or(0, |it| value(names, it));
    let (what, code) = kind_of(bounded);
    if found == 0 {
        let message = format!("{what} `{text}` is bounded by `{parent}`, which is no {what}");
        names.report.add(
            Diagnostic::error(code, name.span, message)
                .note("a name with a dot is bounded by what stands before its last dot"),
        );
    } else if let Some(slot) = bounds.get_mut((child as usize).wrapping_sub(1)) {
        *slot = found;
        names.bounded.extend(bounded(child).map(|it| (it, name.span)));
        names.features.note(Feature::Bounds, name.span);
    }
}

/// What `rolebounds` and `userbounds` say of names whose values are known.
fn set_bounds(
    names: &mut Resolver<'_, '_>,
    bounded: fn(u32) -> Option<Bounded>,
    (parent, above): (&Ident, Option<u32>),
    (child, below): (&Ident, Option<u32>),
    bounds: &mut [u32],
) {
    let (Some(above), Some(below)) = (above, below) else { return };
    let Some(slot) = bounds.get_mut(below as usize - 1) else { return };
    if *slot != 0 && *slot != above {
        let message = format!("a {} is bounded twice", kind_of(bounded).0);
        let error = Diagnostic::error(Code::ConflictingRule, child.span, message);
        names.report.add(error.and(parent.span, "by this one too"));
        return;
    }
    *slot = above;
    names.bounded.extend(bounded(below).map(|it| (it, child.span)));
    names.features.note(Feature::Bounds, child.span);
}
