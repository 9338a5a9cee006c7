//! What a module finds around it, as declarations: the symbols of a binary policy, or what the module itself requires where
//! there is no policy.

use std::collections::{BTreeMap, BTreeSet};

use mandate_policydb::{
    AvRule, ClassDatum, CommonDatum, Datum, Ebitmap, MlsLevel, MlsRange, OBJECT_R, PolicyDb,
    RuleKind, SymbolId, SymbolTable,
};
use mandate_syntax::kernel::ast::{
    self, AvKind, CategoryRange, Ident, Idents, Level, Require, RequireKind, Set, SetForm, SetItem,
    Slice, Statement, StatementKind, Unit,
};
use mandate_syntax::source::Span;
use rustc_hash::FxHashSet;

use super::names::{NameKind, declared};
use super::scope::kind_of;

/// Builds a unit of declarations.
#[derive(Default)]
pub(super) struct World {
    unit: Unit,
}

/// The symbols of a policy. Rules stay out, but for one: a policy needs some, and the module may have none.
pub(super) fn of_policy(db: &PolicyDb) -> Unit {
    let mut world = World::default();
    db.commons.by_value().for_each(|it| world.common(it));
    db.classes.by_value().for_each(|it| world.class(it));
    if db.mls {
        world.levels(db);
    }
    world.types(db);
    for it in db.booleans.by_value() {
        let name = world.ident(&it.name);
        world.push(StatementKind::Boolean { name, value: it.state, tunable: false });
    }
    world.roles(db);
    world.users(db);
    let rule = db.rules.iter().find_map(|rule| world.rule(db, rule));
    rule.into_iter().for_each(|it| world.push(it));
    world.unit
}

/// What `module` requires, as if it was there: for a module that is checked without a policy.
pub(crate) fn of_requires(module: &Unit, mls: bool) -> Unit {
    let mut required = Required::default();
    required.gather(module, &module.statements);
    let mut own = FxHashSet::default();
    declared(module, &module.statements, &mut |kind, ident| {
        own.insert((kind, module.text(ident).to_owned()));
    });
    let mut world = World::default();
    let mut rule = None;
    for (class, permissions) in &required.classes {
        let class = world.ident(class);
        world.push(StatementKind::Class(class));
        let listed = world.idents(permissions.iter().map(String::as_str));
        if let Some(first) = permissions.iter().next() {
            world.push(StatementKind::AccessVector { class, inherits: None, permissions: listed });
            rule = rule.or_else(|| Some((class, first.clone())));
        }
    }
    if mls {
        world.required_levels(&required.names);
    }
    for ((space, name), kind) in &required.names {
        if !own.contains(&(*space, name.clone())) {
            world.required(*kind, name);
        }
    }
    if let Some((class, permission)) = rule {
        world.some_rule(class, &permission);
    }
    world.unit
}

/// Requirements of all blocks of a module.
#[derive(Default)]
struct Required {
    names: BTreeMap<(NameKind, String), RequireKind>,
    classes: BTreeMap<String, BTreeSet<String>>,
}

impl Required {
    fn gather(&mut self, unit: &Unit, statements: &[Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Require(requires) => {
                    unit.requires[requires.range()].iter().for_each(|it| self.add(unit, it));
                }
                StatementKind::Conditional { then, otherwise, .. } => {
                    self.gather(unit, then);
                    self.gather(unit, otherwise);
                }
                StatementKind::Optional { then, otherwise } => {
                    self.gather(unit, then);
                    otherwise.iter().for_each(|it| self.gather(unit, it));
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, unit: &Unit, it: &Require) {
        let name = unit.text(it.name).to_owned();
        if it.kind == RequireKind::Class {
            let permissions = unit.idents[it.permissions.range()].iter();
            let known = self.classes.entry(name).or_default();
            known.extend(permissions.map(|&it| unit.text(it).to_owned()));
            return;
        }
        let kind = self.names.entry((kind_of(it.kind), name)).or_insert(it.kind);
        // An attribute may be required as a type elsewhere, but not the other way round.
        if matches!(it.kind, RequireKind::Attribute | RequireKind::RoleAttribute) {
            *kind = it.kind;
        }
    }
}

impl World {
    /// Declares what is required, but for classes and levels.
    fn required(&mut self, kind: RequireKind, text: &str) {
        let (name, none) = (self.ident(text), Slice::default());
        self.push(match kind {
            RequireKind::Type => StatementKind::Type { name, aliases: none, attributes: none },
            RequireKind::Attribute => StatementKind::Attribute(name),
            RequireKind::Role if text == OBJECT_R => return,
            RequireKind::Role => StatementKind::Role { name, types: None, attributes: none },
            RequireKind::RoleAttribute => StatementKind::RoleAttribute(name),
            RequireKind::Boolean => StatementKind::Boolean { name, value: false, tunable: false },
            RequireKind::Tunable => StatementKind::Boolean { name, value: false, tunable: true },
            RequireKind::User
            | RequireKind::Class
            | RequireKind::Sensitivity
            | RequireKind::Category => return,
        });
    }

    fn required_levels(&mut self, names: &BTreeMap<(NameKind, String), RequireKind>) {
        let all = |kind| names.keys().filter(move |it| it.0 == kind).map(|it| it.1.as_str());
        let none = Slice::default();
        // Dominance is by number: s2 before s10.
        let mut sensitivities: Vec<&str> = all(NameKind::Sensitivity).collect();
        sensitivities.sort_by_key(|it| (it.len(), *it));
        if sensitivities.is_empty() {
            sensitivities.push("s0");
        }
        for text in &sensitivities {
            let name = self.ident(text);
            self.push(StatementKind::Sensitivity { name, aliases: none });
        }
        let order = self.idents(sensitivities.iter().copied());
        self.push(StatementKind::Dominance(order));
        let mut categories: Vec<&str> = all(NameKind::Category).collect();
        categories.sort_by_key(|it| (it.len(), *it));
        let start = small(self.unit.category_ranges.len());
        for text in categories {
            let name = self.ident(text);
            self.push(StatementKind::Category { name, aliases: none });
            self.unit.category_ranges.push(CategoryRange { low: name, high: name });
        }
        let categories = Slice { start, end: small(self.unit.category_ranges.len()) };
        for text in sensitivities {
            let sensitivity = self.ident(text);
            self.push(StatementKind::Level(Level { sensitivity, categories }));
        }
    }

    /// A rule, since a policy needs one, of a type that no module can name.
    fn some_rule(&mut self, class: Ident, permission: &str) {
        let (name, none) = (self.ident("#"), Slice::default());
        self.push(StatementKind::Type { name, aliases: none, attributes: none });
        let rule = ast::AvRule {
            kind: AvKind::Allow,
            source: self.set(["#"]),
            target: self.set(["#"]),
            classes: Slice::default(),
            permissions: self.set([permission]),
        };
        let start = small(self.unit.idents.len());
        self.unit.idents.push(class);
        let classes = Slice { start, end: start + 1 };
        self.push(StatementKind::Av(ast::AvRule { classes, ..rule }));
    }

    fn push(&mut self, kind: StatementKind) {
        self.unit.statements.push(Statement { span: Span::NOWHERE, kind });
    }

    fn ident(&mut self, name: &str) -> Ident {
        Ident { name: self.unit.names.intern(name), span: Span::NOWHERE }
    }

    fn idents<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Idents {
        let start = small(self.unit.idents.len());
        for name in names {
            let ident = self.ident(name);
            self.unit.idents.push(ident);
        }
        Slice { start, end: small(self.unit.idents.len()) }
    }

    fn set<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Set {
        let start = small(self.unit.set_items.len());
        for name in names {
            let ident = self.ident(name);
            self.unit.set_items.push(SetItem { ident, excluded: false });
        }
        let items = Slice { start, end: small(self.unit.set_items.len()) };
        Set { form: SetForm::Listed, items, span: Span::NOWHERE }
    }

    fn common(&mut self, common: &CommonDatum) {
        let name = self.ident(&common.name);
        let permissions = self.idents(names(&common.permissions));
        self.push(StatementKind::Common { name, permissions });
    }

    fn class(&mut self, it: &ClassDatum) {
        let class = self.ident(&it.name);
        self.push(StatementKind::Class(class));
        let inherits = it.common.as_ref().map(|it| self.ident(it));
        let permissions = self.idents(names(&it.permissions));
        if inherits.is_some() || !permissions.is_empty() {
            self.push(StatementKind::AccessVector { class, inherits, permissions });
        }
    }

    fn levels(&mut self, db: &PolicyDb) {
        for it in db.sensitivities.by_value() {
            let name = self.ident(&it.name);
            let aliases = self.idents(aliases(&db.sensitivities, it));
            self.push(StatementKind::Sensitivity { name, aliases });
        }
        let order = self.idents(names(&db.sensitivities));
        self.push(StatementKind::Dominance(order));
        for it in db.categories.by_value() {
            let name = self.ident(&it.name);
            let aliases = self.idents(aliases(&db.categories, it));
            self.push(StatementKind::Category { name, aliases });
        }
        for it in db.sensitivities.by_value() {
            let level = MlsLevel { sensitivity: it.id, categories: it.categories.clone() };
            let level = self.level(db, &level);
            self.push(StatementKind::Level(level));
        }
    }

    fn level(&mut self, db: &PolicyDb, level: &MlsLevel) -> Level {
        let sensitivity = self.ident(&db.sensitivities.name(level.sensitivity));
        let start = small(self.unit.category_ranges.len());
        for name in of_bits(&db.categories, &level.categories) {
            let low = self.ident(name);
            self.unit.category_ranges.push(CategoryRange { low, high: low });
        }
        let categories = Slice { start, end: small(self.unit.category_ranges.len()) };
        Level { sensitivity, categories }
    }

    fn range(&mut self, db: &PolicyDb, range: &MlsRange) -> ast::MlsRange {
        let (low, high) = (self.level(db, &range.low), self.level(db, &range.high));
        ast::MlsRange { low, high, span: Span::NOWHERE }
    }

    fn types(&mut self, db: &PolicyDb) {
        for it in db.types.by_value().filter(|it| it.attribute) {
            let name = self.ident(&it.name);
            self.push(StatementKind::Attribute(name));
        }
        for it in db.types.by_value().filter(|it| !it.attribute) {
            let name = self.ident(&it.name);
            let row = db.type_attributes.get(it.id.index());
            let own = row.into_iter().flat_map(|row| row.ids());
            let attributes = own.filter_map(|it| db.types.get(it)).filter(|it| it.attribute);
            let attributes = self.idents(attributes.map(Datum::name));
            let none = Slice::default();
            self.push(StatementKind::Type { name, aliases: none, attributes });
        }
        for alias in db.types.iter().filter(|it| !it.primary && !it.attribute) {
            let name = self.ident(&db.types.name(alias.id));
            let aliases = self.idents([alias.name()]);
            self.push(StatementKind::TypeAlias { name, aliases });
        }
    }

    fn roles(&mut self, db: &PolicyDb) {
        for it in db.roles.by_value().filter(|it| it.name() != OBJECT_R) {
            let (name, attributes) = (self.ident(&it.name), Slice::default());
            self.push(StatementKind::Role { name, types: None, attributes });
            if !it.types.is_empty() {
                let types = Some(self.set(of_bits(&db.types, &it.types)));
                self.push(StatementKind::Role { name, types, attributes });
            }
        }
    }

    fn users(&mut self, db: &PolicyDb) {
        for it in db.users.by_value() {
            let name = self.ident(&it.name);
            let roles = self.set(of_bits(&db.roles, &it.roles).filter(|it| *it != OBJECT_R));
            let level = it.default_level.as_ref().filter(|_| db.mls);
            let level = level.map(|it| Box::new(self.level(db, it)));
            let range = it.range.as_ref().filter(|_| db.mls);
            let range = range.map(|it| Box::new(self.range(db, it)));
            self.push(StatementKind::User { name, roles, level, range });
        }
    }

    /// A rule of the policy as a statement, if all it names has a name.
    fn rule(&mut self, db: &PolicyDb, rule: &AvRule) -> Option<StatementKind> {
        let permission =
            db.permission_names(rule.class(), rule.permissions()).into_iter().next()?;
        if rule.kind != RuleKind::Allow {
            return None;
        }
        let source = db.types.get(rule.source)?.name();
        let target = db.types.get(rule.target)?.name();
        let class = db.classes.get(rule.class())?.name();
        Some(StatementKind::Av(ast::AvRule {
            kind: AvKind::Allow,
            source: self.set([source]),
            target: self.set([target]),
            classes: self.idents([class]),
            permissions: self.set([permission.as_str()]),
        }))
    }
}

fn names<T: Datum>(table: &SymbolTable<T>) -> impl Iterator<Item = &str> {
    table.by_value().map(Datum::name)
}

fn aliases<'a, T: Datum>(table: &'a SymbolTable<T>, of: &'a T) -> impl Iterator<Item = &'a str> {
    table.iter().filter(|it| it.is_alias() && it.id() == of.id()).map(Datum::name)
}

fn of_bits<'a, T: Datum>(
    table: &'a SymbolTable<T>,
    bits: &'a Ebitmap,
) -> impl Iterator<Item = &'a str> {
    bits.ids().filter_map(|id| table.get(id)).map(Datum::name)
}

fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a policy has fewer symbols")
}
