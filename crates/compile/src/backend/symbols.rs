//! The values of types, roles, users and booleans: what enabled blocks declare, in the order of declaration. Attributes with
//! their members.

use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Ident, StatementKind};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::FxHashSet;

use super::declare::{Declaration, Kind, Space};
use super::resolve::Resolver;
use super::tree::{BlockId, small};

/// Marks the value of an attribute.
pub(crate) const ATTRIBUTE: u32 = 1 << 31;
/// Marks the value of an attribute that is always expanded.
pub(crate) const EXPANDED: u32 = 1 << 30;
/// The value itself.
pub(crate) const VALUE: u32 = EXPANDED - 1;
/// Types and classes are 16 bits wide in rules.
const MOST: usize = 0xffff;

/// A type or attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeSymbol {
    pub(crate) name: Symbol,
    pub(crate) attribute: bool,
    /// Value of the type that bounds it, or 0.
    pub(crate) bounds: u32,
    /// Where that is said.
    pub(crate) bounds_span: Span,
    pub(crate) permissive: bool,
    pub(crate) neveraudit: bool,
}

/// A role or role attribute.
#[derive(Clone, Debug)]
pub(crate) struct RoleSymbol {
    pub(crate) name: Symbol,
    pub(crate) attribute: bool,
}

/// A boolean or tunable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BooleanSymbol {
    pub(crate) name: Symbol,
    pub(crate) state: bool,
    pub(crate) tunable: bool,
    /// Its value; of a tunable 0.
    pub(crate) value: u32,
}

/// Members of attributes by value, attributes within attributes expanded.
#[derive(Debug, Default)]
pub(crate) struct Members {
    start: Vec<u32>,
    members: Vec<u32>,
}

impl Members {
    /// The members of the attribute with this value, in ascending order.
    pub(crate) fn of(&self, value: u32) -> &[u32] {
        let at = value as usize;
        match (self.start.get(at), self.start.get(at + 1)) {
            (Some(&start), Some(&end)) => &self.members[start as usize..end as usize],
            _ => &[],
        }
    }

    /// From pairs of attribute and member; `is_attribute` by value.
    ///
    /// # Errors
    /// An attribute that is a member of itself.
    fn new(
        mut pairs: Vec<(u32, u32)>,
        count: usize,
        is_attribute: impl Fn(u32) -> bool,
    ) -> Result<Self, u32> {
        if pairs.iter().any(|it| is_attribute(it.1)) {
            pairs = expanded(&pairs, &is_attribute)?;
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut start = vec![0u32; count + 2];
        for &(attribute, _) in &pairs {
            start[attribute as usize + 1] += 1;
        }
        for at in 1..start.len() {
            start[at] += start[at - 1];
        }
        Ok(Self { start, members: pairs.into_iter().map(|it| it.1).collect() })
    }
}

/// Attributes within attributes replaced by their members.
fn expanded(
    pairs: &[(u32, u32)],
    is_attribute: &impl Fn(u32) -> bool,
) -> Result<Vec<(u32, u32)>, u32> {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let direct = |attribute: u32| {
        let start = sorted.partition_point(|it| it.0 < attribute);
        sorted[start..].iter().take_while(move |it| it.0 == attribute).map(|it| it.1)
    };
    let mut all = Vec::new();
    let mut seen = FxHashSet::default();
    for group in sorted.chunk_by(|a, b| a.0 == b.0) {
        let attribute = group[0].0;
        let mut pending: Vec<u32> = group.iter().map(|it| it.1).collect();
        seen.clear();
        while let Some(member) = pending.pop() {
            if member == attribute {
                return Err(attribute);
            }
            if !is_attribute(member) {
                all.push((attribute, member));
            } else if seen.insert(member) {
                pending.extend(direct(member));
            }
        }
    }
    Ok(all)
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    /// By name: value with marks, or 0.
    types: Vec<u32>,
    /// By value − 1.
    pub(crate) type_list: Vec<TypeSymbol>,
    /// So many of them are in the policy; behind them are attributes that it does not hold.
    pub(crate) types_held: usize,
    /// Aliases with their types' values.
    pub(crate) aliases: Vec<(Symbol, u32)>,
    pub(crate) members: Members,
    /// By name: value with mark, or 0.
    roles: Vec<u32>,
    /// By value − 1; the first is `object_r`.
    pub(crate) role_list: Vec<RoleSymbol>,
    pub(crate) role_members: Members,
    users: Vec<u32>,
    /// By value − 1.
    pub(crate) user_list: Vec<Symbol>,
    booleans: Vec<u32>,
    pub(crate) boolean_list: Vec<BooleanSymbol>,
}

fn at(list: &[u32], name: Symbol) -> u32 {
    list.get(name.index()).copied().unwrap_or(0)
}

impl Symbols {
    /// Value of a type, attribute or alias, with marks; 0 if there is none.
    pub(crate) fn type_value(&self, name: Symbol) -> u32 {
        at(&self.types, name)
    }

    /// Value of a role or role attribute, with marks; 0 if there is none.
    pub(crate) fn role_value(&self, name: Symbol) -> u32 {
        at(&self.roles, name)
    }

    /// Value of a user; 0 if there is none.
    pub(crate) fn user_value(&self, name: Symbol) -> u32 {
        at(&self.users, name)
    }

    /// The boolean or tunable of this name.
    pub(crate) fn boolean(&self, name: Symbol) -> Option<&BooleanSymbol> {
        self.boolean_list.get(at(&self.booleans, name).checked_sub(1)? as usize)
    }

    /// How many types and attributes there are.
    pub(crate) fn type_count(&self) -> usize {
        self.type_list.len()
    }

    /// Is it an attribute that stays in rules?
    pub(crate) fn is_kept_attribute(&self, value: u32) -> bool {
        let symbol = &self.type_list[value as usize - 1];
        symbol.attribute && self.types[symbol.name.index()] & EXPANDED == 0
    }

    pub(crate) fn type_symbol(&self, value: u32) -> &TypeSymbol {
        &self.type_list[(value & VALUE) as usize - 1]
    }
}

impl Resolver<'_, '_> {
    /// Gives values to what enabled blocks declare.
    pub(crate) fn declare_symbols(&mut self) {
        let count = self.tree.names.len();
        let zeros = || vec![0; count];
        let symbols = &mut self.symbols;
        (symbols.types, symbols.roles) = (zeros(), zeros());
        (symbols.users, symbols.booleans) = (zeros(), zeros());
        self.declare_types();
        self.declare_roles();
        for it in self.in_order(Space::Users) {
            if self.symbols.users[it.name.index()] == 0 {
                self.symbols.user_list.push(it.name);
                self.symbols.users[it.name.index()] = small(self.symbols.user_list.len());
            }
        }
        let mut value = 0;
        for it in self.in_order(Space::Booleans) {
            let (state, tunable) = match it.kind {
                Kind::Boolean { state } => (state, false),
                Kind::Tunable { state } => (state, !self.options.preserve_tunables),
                _ => continue,
            };
            if self.symbols.booleans[it.name.index()] != 0 {
                continue;
            }
            value += u32::from(!tunable);
            let value = if tunable { 0 } else { value };
            self.symbols.boolean_list.push(BooleanSymbol { name: it.name, state, tunable, value });
            self.symbols.booleans[it.name.index()] = small(self.symbols.boolean_list.len());
        }
    }

    /// Enabled declarations in the order of values.
    fn in_order(&self, space: Space) -> Vec<Declaration> {
        let enabled = |it: &&Declaration| self.links.is_enabled(it.block);
        let list = &self.declared.space(space).list;
        let mut list: Vec<Declaration> = list.iter().filter(enabled).copied().collect();
        if self.options.sort_declarations {
            let blocks = &self.tree.blocks;
            let nested = |it: &Declaration| blocks[it.block as usize].parent.is_some();
            let line = |it: &Declaration| {
                let attribute = matches!(it.kind, Kind::Attribute | Kind::RoleAttribute);
                let text = self.tree.names.name(it.name);
                (!attribute, text.bytes().chain([it.terminator]))
            };
            list.sort_by(|a, b| {
                let both = nested(a).cmp(&nested(b));
                both.then_with(|| match (nested(a), line(a), line(b)) {
                    (true, ..) => std::cmp::Ordering::Equal,
                    (false, a, b) => a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)),
                })
            });
        }
        list
    }

    fn declare_types(&mut self) {
        let list = self.in_order(Space::Types);
        let names = &self.tree.names;
        let dropped = self.options.dropped_attributes.iter().filter_map(|it| names.get(it));
        let dropped: FxHashSet<Symbol> = dropped.collect();
        let (last, first): (Vec<_>, Vec<_>) =
            list.iter().partition(|it| it.kind == Kind::Attribute && dropped.contains(&it.name));
        self.declare_type_list(&first, 0);
        self.symbols.types_held = self.symbols.type_list.len();
        self.declare_type_list(&last, EXPANDED);
        for it in &list {
            let Kind::Alias(of) = it.kind else { continue };
            let value = self.symbols.type_value(of);
            let direct = value & ATTRIBUTE == 0 && value != 0;
            if direct && self.symbols.types[it.name.index()] == 0 {
                self.symbols.types[it.name.index()] = value;
                self.symbols.aliases.push((it.name, value));
            }
        }
    }

    fn declare_type_list(&mut self, list: &[&Declaration], more: u32) {
        for it in list {
            let attribute = it.kind == Kind::Attribute;
            if !attribute && it.kind != Kind::Type || self.symbols.types[it.name.index()] != 0 {
                continue;
            }
            if self.symbols.type_list.len() == MOST {
                let message = "more than 65535 types and attributes";
                self.report.add(Diagnostic::error(Code::TooMany, it.span, message));
                return;
            }
            self.symbols.type_list.push(TypeSymbol {
                name: it.name,
                attribute,
                bounds: 0,
                bounds_span: Span::NOWHERE,
                permissive: false,
                neveraudit: false,
            });
            let mark = if attribute { ATTRIBUTE } else { 0 };
            self.symbols.types[it.name.index()] = small(self.symbols.type_list.len()) | mark | more;
        }
    }

    fn declare_roles(&mut self) {
        if let Some(object_r) = self.tree.names.get(mandate_policydb::OBJECT_R) {
            self.symbols.roles[object_r.index()] = 1;
            self.symbols.role_list.push(RoleSymbol { name: object_r, attribute: false });
        }
        // Role attributes are not in the policy: behind all roles their values leave no gaps there.
        let list = self.in_order(Space::Roles);
        let is_attribute = |it: &&Declaration| it.kind == Kind::RoleAttribute;
        let roles = list.iter().filter(|it| !is_attribute(it));
        for it in roles.chain(list.iter().filter(is_attribute)) {
            if self.symbols.roles[it.name.index()] != 0 {
                continue;
            }
            let attribute = it.kind == Kind::RoleAttribute;
            self.symbols.role_list.push(RoleSymbol { name: it.name, attribute });
            let mark = if attribute { ATTRIBUTE } else { 0 };
            self.symbols.roles[it.name.index()] = small(self.symbols.role_list.len()) | mark;
        }
    }

    /// Who is in which attribute, and what else is said of types.
    pub(crate) fn gather_attributes(&mut self) {
        let mut types: Vec<(u32, u32)> = Vec::new();
        let mut roles: Vec<(u32, u32)> = Vec::new();
        for other in self.enabled_others() {
            let block = other.block;
            match &other.statement.kind {
                // One named `self` was refused where it is declared.
                StatementKind::Type { name, .. }
                    if self.tree.part(block).name(*name) == self.tree.self_name => {}
                StatementKind::Type { name, attributes, .. } => {
                    self.type_attributes(block, *name, *attributes, &mut types);
                    self.implied_type_bounds(block, *name);
                }
                StatementKind::TypeAttribute { name, attributes } => {
                    self.type_attributes(block, *name, *attributes, &mut types);
                }
                StatementKind::TypeAlias { name, .. } => {
                    self.plain_type(block, *name);
                }
                StatementKind::ExpandAttribute { names, expand } => {
                    self.expand_attributes(block, *names, *expand);
                }
                StatementKind::TypeBounds { parent, children } => {
                    for &child in self.tree.part(block).idents(*children) {
                        self.type_bounds(block, *parent, child);
                    }
                }
                StatementKind::Permissive(name) => {
                    if let Some(value) = self.plain_type(block, *name) {
                        self.symbols.type_list[value as usize - 1].permissive = true;
                        self.features.note(super::Feature::Permissive, other.statement.span);
                    }
                }
                StatementKind::NeverAudit(name) => {
                    if let Some(value) = self.plain_type(block, *name) {
                        self.symbols.type_list[value as usize - 1].neveraudit = true;
                        self.features.note(super::Feature::NeverAudit, other.statement.span);
                    }
                }
                StatementKind::Role { name, types: None, attributes }
                | StatementKind::RoleAttributeSet { name, attributes } => {
                    self.role_attributes(block, *name, *attributes, &mut roles);
                }
                _ => {}
            }
        }
        self.finish_attributes(types, roles);
    }

    fn finish_attributes(&mut self, types: Vec<(u32, u32)>, roles: Vec<(u32, u32)>) {
        let list = &self.symbols.type_list;
        let is_attribute = |value: u32| list[value as usize - 1].attribute;
        match Members::new(types, list.len(), is_attribute) {
            Ok(members) => self.symbols.members = members,
            Err(value) => self.attribute_loop(Space::Types, list[value as usize - 1].name),
        }
        let list = &self.symbols.role_list;
        let is_attribute = |value: u32| list[value as usize - 1].attribute;
        match Members::new(roles, list.len(), is_attribute) {
            Ok(members) => self.symbols.role_members = members,
            Err(value) => self.attribute_loop(Space::Roles, list[value as usize - 1].name),
        }
    }

    fn attribute_loop(&mut self, space: Space, name: Symbol) {
        let span = self.declared.first(space, name).map_or(Span::NOWHERE, |it| it.span);
        let message = format!("attribute `{}` is a member of itself", self.tree.names.name(name));
        self.report.add(Diagnostic::error(Code::BadExpression, span, message));
    }

    fn type_attributes(
        &mut self,
        block: BlockId,
        name: Ident,
        attributes: mandate_syntax::kernel::ast::Idents,
        pairs: &mut Vec<(u32, u32)>,
    ) {
        let Some(type_) = self.type_or_attribute(block, name) else { return };
        for &ident in self.tree.part(block).idents(attributes) {
            if let Some(attribute) = self.attribute(block, ident) {
                pairs.push((attribute, type_ & VALUE));
            }
        }
    }

    fn expand_attributes(
        &mut self,
        block: BlockId,
        names: mandate_syntax::kernel::ast::Idents,
        expand: bool,
    ) {
        for &ident in self.tree.part(block).idents(names) {
            let Some(_) = self.attribute(block, ident) else { continue };
            let name = self.tree.part(block).name(ident);
            let earlier = self.expand_said.insert(name, expand);
            // Said both ways it is not expanded.
            let expand = expand && earlier != Some(false);
            let mark = &mut self.symbols.types[name.index()];
            *mark = if expand { *mark | EXPANDED } else { *mark & !EXPANDED };
            if !expand {
                self.expand_said.insert(name, false);
            }
        }
    }

    /// A type whose name has a dot is bounded by the one before the last dot.
    fn implied_type_bounds(&mut self, block: BlockId, name: Ident) {
        let part = self.tree.part(block);
        let text = part.text(name);
        let Some((parent, _)) = text.rsplit_once('.').filter(|_| !part.unit.explicit_bounds) else {
            return;
        };
        let found = self.tree.names.get(parent).map_or(0, |it| self.symbols.type_value(it));
        let child = self.symbols.type_value(self.tree.part(block).name(name));
        if found == 0 || found & ATTRIBUTE != 0 {
            let message = format!("`{text}` is bounded by `{parent}`, which is no type");
            self.report.add(
                Diagnostic::error(Code::UnknownType, name.span, message)
                    .note("a name with a dot is bounded by what stands before its last dot"),
            );
        } else if child != 0 {
            self.set_type_bounds(found, child, name.span);
        }
    }

    fn type_bounds(&mut self, block: BlockId, parent: Ident, child: Ident) {
        let parent = self.plain_type(block, parent);
        let span = child.span;
        if let (Some(parent), Some(child)) = (parent, self.plain_type(block, child)) {
            self.set_type_bounds(parent, child, span);
        }
    }

    fn set_type_bounds(&mut self, parent: u32, child: u32, span: Span) {
        self.features.note(super::Feature::Bounds, span);
        let before = *self.symbols.type_symbol(child);
        if before.bounds != 0 && before.bounds != parent {
            let name = |value: u32| self.tree.names.name(self.symbols.type_symbol(value).name);
            let message = format!(
                "`{}` is bounded by `{}` and by `{}`",
                name(child),
                name(before.bounds),
                name(parent)
            );
            self.report.add(
                Diagnostic::error(Code::ConflictingRule, span, message)
                    .and(before.bounds_span, "the other bounds"),
            );
            return;
        }
        let symbol = &mut self.symbols.type_list[child as usize - 1];
        (symbol.bounds, symbol.bounds_span) = (parent, span);
    }

    fn role_attributes(
        &mut self,
        block: BlockId,
        name: Ident,
        attributes: mandate_syntax::kernel::ast::Idents,
        pairs: &mut Vec<(u32, u32)>,
    ) {
        let Some(role) = self.role_or_attribute(block, name) else { return };
        for &ident in self.tree.part(block).idents(attributes) {
            let Some(value) = self.role_or_attribute(block, ident) else { continue };
            if value & ATTRIBUTE == 0 {
                let text = self.tree.part(block).text(ident);
                let message = format!("`{text}` is a role, not a role attribute");
                self.report.add(Diagnostic::error(Code::WrongKind, ident.span, message));
                continue;
            }
            pairs.push((value & VALUE, role & VALUE));
        }
    }
}
