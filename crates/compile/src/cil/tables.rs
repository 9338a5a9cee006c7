//! What statements depend on that is said elsewhere: permissions of classes, what maps and sets of permissions mean, the order of
//! categories, and whether the policy is MLS.

use mandate_syntax::cil::{Element, Keyword};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use super::declare::{DeclId, DeclKind, Gathered, Space};
use super::world::{ContainerId, Found, NONE, World};

/// A class map has so many permissions at most.
const MOST_PERMISSIONS: usize = 64;

/// Where something is written.
pub(crate) type Place = (ContainerId, u32);

#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) mls: bool,
    /// Of classes (those of their commons first), maps and commons.
    permissions: FxHashMap<DeclId, Vec<Symbol>>,
    bits: FxHashMap<(DeclId, Symbol), u8>,
    pub(crate) commons: FxHashMap<DeclId, (DeclId, Span)>,
    mappings: FxHashMap<(DeclId, Symbol), Vec<Place>>,
    sets: FxHashMap<DeclId, Vec<Place>>,
    /// Categories, lowest first.
    pub(crate) categories: Vec<DeclId>,
    category_places: FxHashMap<DeclId, u32>,
}

impl Tables {
    /// Names of the permissions by bit.
    pub(crate) fn permissions(&self, class: DeclId) -> &[Symbol] {
        self.permissions.get(&class).map_or(&[], Vec::as_slice)
    }

    /// The bit of a permission.
    pub(crate) fn permission(&self, class: DeclId, name: Symbol) -> Option<u8> {
        self.bits.get(&(class, name)).copied()
    }

    /// What a permission of a map means.
    pub(crate) fn mapping(&self, map: DeclId, permission: Symbol) -> &[Place] {
        self.mappings.get(&(map, permission)).map_or(&[], Vec::as_slice)
    }

    /// What a named set of permissions means.
    pub(crate) fn set(&self, set: DeclId) -> &[Place] {
        self.sets.get(&set).map_or(&[], Vec::as_slice)
    }

    /// The place of a category in their order.
    pub(crate) fn category(&self, decl: DeclId) -> Option<u32> {
        self.category_places.get(&decl).copied()
    }
}

/// Gathers the tables; gives whether an optional was left out on the way.
pub(crate) fn gather(world: &mut World<'_>, gathered: &Gathered) -> (Tables, bool) {
    let mut gatherer = Gatherer {
        tables: Tables { mls: world.options.mls.unwrap_or(false), ..Tables::default() },
        orders: Vec::new(),
        mls: None,
        disabled: false,
        world,
    };
    gatherer.aliases(gathered);
    for keyword in [Keyword::Common, Keyword::Class, Keyword::ClassCommon, Keyword::ClassMap] {
        gatherer.each(gathered, keyword);
    }
    gatherer.inherit_permissions();
    for keyword in
        [Keyword::ClassMapping, Keyword::ClassPermissionSet, Keyword::CategoryOrder, Keyword::Mls]
    {
        gatherer.each(gathered, keyword);
    }
    gatherer.order_categories();
    (gatherer.tables, gatherer.disabled)
}

struct Gatherer<'w, 't> {
    world: &'w mut World<'t>,
    tables: Tables,
    orders: Vec<Vec<DeclId>>,
    mls: Option<(bool, Span)>,
    disabled: bool,
}

impl<'t> Gatherer<'_, 't> {
    fn each(&mut self, gathered: &Gathered, wanted: Keyword) {
        for &(container, index, keyword) in &gathered.early {
            if keyword == wanted {
                let statement = self.world.element(container, index);
                self.statement(container, statement, keyword);
            }
        }
    }

    fn shape(&mut self, at: ContainerId, element: Element<'_>, keyword: Keyword, message: &str) {
        let span = self.world.span(at, element);
        self.world.shape(span, keyword, message);
    }

    fn statement(&mut self, at: ContainerId, statement: Element<'t>, keyword: Keyword) {
        let parts: Vec<Element<'t>> = statement.children().skip(1).collect();
        match (keyword, parts.as_slice()) {
            (Keyword::Common | Keyword::Class | Keyword::ClassMap, [name, list])
                if list.is_list() && (keyword == Keyword::Class || !list.children().is_empty()) =>
            {
                let space =
                    if keyword == Keyword::Common { Space::Commons } else { Space::Classes };
                self.permissions(at, statement, *name, *list, space);
            }
            (Keyword::ClassCommon, [class, common]) => {
                let class = self.decl(at, *class, Space::Classes, DeclKind::Class);
                let common = self.decl(at, *common, Space::Commons, DeclKind::Common);
                let (Some(class), Some(common)) = (class, common) else { return };
                let span = self.world.span(at, statement);
                if let Some((_, before)) = self.tables.commons.insert(class, (common, span)) {
                    let text = self.world.text(self.world.decl(class).flat);
                    let message = format!("class `{text}` gets a common twice");
                    let error = Diagnostic::error(Code::CilConflict, span, message);
                    self.world.report.add(error.and(before, "the other one"));
                }
            }
            (Keyword::ClassMapping, [map, permission, body]) => {
                if self.is_class(at, *map) {
                    return;
                }
                let Some(map) = self.decl(at, *map, Space::Classes, DeclKind::ClassMap) else {
                    return;
                };
                let Some(permission) = permission.word() else {
                    return self.shape(at, *permission, keyword, "a permission is named here");
                };
                if self.tables.permission(map, permission).is_none() {
                    let (text, map) =
                        (self.world.text(permission), self.world.text(self.world.decl(map).flat));
                    let message = format!("class map `{map}` has no permission `{text}`");
                    let span = self.world.span(at, parts[1]);
                    let error = Diagnostic::error(Code::UnknownPermission, span, message);
                    return self.unknown(at, error);
                }
                self.tables.mappings.entry((map, permission)).or_default().push((at, body.index()));
            }
            (Keyword::ClassPermissionSet, [set, body]) => {
                let kind = DeclKind::ClassPermission;
                if let Some(set) = self.decl(at, *set, Space::ClassPermissions, kind) {
                    self.tables.sets.entry(set).or_default().push((at, body.index()));
                }
            }
            (Keyword::CategoryOrder, [list]) if list.is_list() => {
                let mut order = Vec::new();
                for element in list.children() {
                    let kind = DeclKind::Category;
                    order.extend(self.decl(at, element, Space::Categories, kind));
                }
                self.orders.push(order);
            }
            (Keyword::Mls, [value]) => self.mls(at, statement, *value),
            _ => self.shape(at, statement, keyword, "the parts do not fit"),
        }
    }

    /// A mapping of a class that is no map says nothing.
    fn is_class(&mut self, at: ContainerId, element: Element<'t>) -> bool {
        let found = element.word().and_then(|it| self.world.find(at, Space::Classes, it));
        let Some(Found::Declared(decl)) = found else { return false };
        if self.world.decl(decl).kind != DeclKind::Class {
            return false;
        }
        let text = self.world.text(self.world.decl(decl).flat);
        let message = format!("`{text}` is a class, not a class map: the mapping says nothing");
        let span = self.world.span(at, element);
        self.world.report.add(Diagnostic::warning(Code::Suspicious, span, message));
        true
    }

    fn mls(&mut self, at: ContainerId, statement: Element<'t>, value: Element<'t>) {
        let value = match value.word().and_then(Keyword::of) {
            Some(Keyword::True) => true,
            Some(Keyword::False) => false,
            _ => return self.shape(at, value, Keyword::Mls, "`true` or `false` stands here"),
        };
        let span = self.world.span(at, statement);
        if let Some((_, before)) = self.mls {
            let error = Diagnostic::error(Code::CilConflict, span, "a second `mls` statement");
            self.world.report.add(error.and(before, "the first one"));
        }
        self.mls = Some((value, span));
        self.tables.mls = self.world.options.mls.unwrap_or(value);
    }

    fn unknown(&mut self, at: ContainerId, error: Diagnostic) {
        let optional = self.world.container(at).optional;
        if optional == NONE {
            self.world.report.add(error);
        } else {
            self.disabled = true;
            self.world.containers[optional as usize].disabled = true;
        }
    }

    /// The declaration that an element names.
    fn decl(
        &mut self,
        at: ContainerId,
        element: Element<'t>,
        space: Space,
        kind: DeclKind,
    ) -> Option<DeclId> {
        let span = self.world.span(at, element);
        let Some(name) = element.word() else {
            let message = "a name stands here, not a list";
            self.world.report.add(Diagnostic::error(Code::CilShape, span, message));
            return None;
        };
        let Some(Found::Declared(decl)) = self.world.find(at, space, name) else {
            let error = self.world.unknown(space, name, span, self.world.report.len());
            self.unknown(at, error);
            return None;
        };
        let decl = self.world.actual(decl);
        if self.world.decl(decl).kind == kind {
            return Some(decl);
        }
        let found = self.world.decl(decl);
        let (text, is, wanted) = (self.world.text(name), found.kind.words(), kind.words());
        let message = format!("`{text}` is a {is}, not a {wanted}");
        let error = Diagnostic::error(Code::WrongKind, span, message);
        self.world.report.add(error.and(found.span, "declared here"));
        None
    }

    fn permissions(
        &mut self,
        at: ContainerId,
        statement: Element<'t>,
        name: Element<'t>,
        list: Element<'t>,
        space: Space,
    ) {
        let Some(name) = name.word() else { return };
        let scope_decl = self.world.find(at, space, name);
        let Some(Found::Declared(decl)) = scope_decl else { return };
        let own = self.world.decl(decl);
        if (own.container, own.node) != (at, statement.index()) {
            return;
        }
        let mut names: Vec<Symbol> = Vec::new();
        for element in list.children() {
            let span = self.world.span(at, element);
            let Some(name) = element.word() else {
                let message = "a permission is a name, not a list";
                self.world.report.add(Diagnostic::error(Code::CilShape, span, message));
                continue;
            };
            if names.contains(&name) {
                let message = format!("permission `{}` stands twice", self.world.text(name));
                self.world.report.add(Diagnostic::error(Code::Redeclared, span, message));
            } else if names.len() == MOST_PERMISSIONS {
                let message = format!("more than {MOST_PERMISSIONS} permissions");
                self.world.report.add(Diagnostic::error(Code::TooMany, span, message));
                break;
            } else {
                names.push(name);
            }
        }
        for (&name, bit) in names.iter().zip(0u8..) {
            self.tables.bits.insert((decl, name), bit);
        }
        self.tables.permissions.insert(decl, names);
    }

    /// Permissions of a common come before a class's own.
    fn inherit_permissions(&mut self) {
        let mut commons: Vec<(DeclId, DeclId)> =
            self.tables.commons.iter().map(|it| (*it.0, it.1.0)).collect();
        commons.sort_unstable();
        for (class, common) in commons {
            let mut names = self.tables.permissions(common).to_vec();
            for &own in self.tables.permissions(class) {
                if names.contains(&own) {
                    let span = self.tables.commons[&class].1;
                    let (text, class) =
                        (self.world.text(own), self.world.text(self.world.decl(class).flat));
                    let message =
                        format!("permission `{text}` of class `{class}` is one of its common too");
                    self.world.report.add(Diagnostic::error(Code::Redeclared, span, message));
                } else {
                    names.push(own);
                }
            }
            names.truncate(MOST_PERMISSIONS);
            for (&name, bit) in names.iter().zip(0u8..) {
                self.tables.bits.insert((class, name), bit);
            }
            self.tables.permissions.insert(class, names);
        }
    }

    fn order_categories(&mut self) {
        let orders = std::mem::take(&mut self.orders);
        // What cannot be merged is told when the statements themselves are lowered.
        let merged = super::order::merge(&orders).0;
        self.tables.category_places = merged.iter().copied().zip(0..).collect();
        self.tables.categories = merged;
    }

    fn lone_aliases(&mut self, said: &FxHashMap<DeclId, (DeclId, Span)>) {
        for (decl, id) in self.world.decls.iter().zip(0..) {
            if decl.kind.is_alias()
                && !said.contains_key(&id)
                && !self.world.is_dead(decl.container)
            {
                let text = self.world.names.name(decl.flat);
                let message = format!("alias `{text}` stands for nothing");
                let error = Diagnostic::error(Code::CilUnknownName, decl.span, message);
                let help =
                    format!("write `({}actual {text} …)`", decl.kind.words().replace(' ', ""));
                self.world.report.add_missing(error.help(help));
            }
        }
    }

    /// What aliases stand for.
    fn aliases(&mut self, gathered: &Gathered) {
        let mut said: FxHashMap<DeclId, (DeclId, Span)> = FxHashMap::default();
        for &(at, index, keyword) in &gathered.early {
            let (space, kind) = match keyword {
                Keyword::TypeAliasActual => (Space::Types, DeclKind::TypeAlias),
                Keyword::SensitivityAliasActual => {
                    (Space::Sensitivities, DeclKind::SensitivityAlias)
                }
                Keyword::CategoryAliasActual => (Space::Categories, DeclKind::CategoryAlias),
                _ => continue,
            };
            let statement = self.world.element(at, index);
            let parts: Vec<Element<'_>> = statement.children().skip(1).collect();
            let [alias, actual] = parts[..] else {
                self.shape(at, statement, keyword, "an alias and what it stands for belong here");
                continue;
            };
            let Some(alias_decl) = self.decl(at, alias, space, kind) else { continue };
            let Some(name) = actual.word() else { continue };
            let span = self.world.span(at, actual);
            let Some(Found::Declared(actual)) = self.world.find(at, space, name) else {
                let error = self.world.unknown(space, name, span, self.world.report.len());
                self.unknown(at, error);
                continue;
            };
            let is = self.world.decl(actual).kind;
            if matches!(is, DeclKind::TypeAttribute | DeclKind::CategorySet) {
                let message = format!("`{}` is a {}", self.world.text(name), is.words());
                let error = Diagnostic::error(Code::WrongKind, span, message);
                self.world
                    .report
                    .add(error.label("an alias stands for one thing, not for several"));
                continue;
            }
            if let Some((_, before)) = said.insert(alias_decl, (actual, span)) {
                let text = self.world.text(self.world.decl(alias_decl).flat);
                let message = format!("alias `{text}` stands for two things");
                let error = Diagnostic::error(Code::CilConflict, span, message);
                self.world.report.add(error.and(before, "the other one"));
            }
        }
        self.lone_aliases(&said);
        let mut aliases: Vec<DeclId> = said.keys().copied().collect();
        aliases.sort_unstable();
        for alias in aliases {
            let (mut at, mut steps) = (alias, 0);
            while let Some(&(next, _)) = said.get(&at) {
                (at, steps) = (next, steps + 1);
                if steps > said.len() {
                    let text = self.world.text(self.world.decl(alias).flat);
                    let message = format!("alias `{text}` stands for itself");
                    let span = said[&alias].1;
                    self.world.report.add(Diagnostic::error(Code::CilRecursion, span, message));
                    break;
                }
            }
            self.world.decls[alias as usize].actual = at;
        }
    }
}
