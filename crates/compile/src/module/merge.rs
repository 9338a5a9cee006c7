//! Adds a module to a binary policy. The module is compiled beside the policy's symbols; what comes of it is then joined to
//! the policy by name.
//!
//! A binary does not keep everything: its `neverallow` rules are gone, so are role attributes, and sets that the source took
//! something out of (`{ domain -init_t }`) have become lists, to which types of the module do not come.

use mandate_policydb::{
    AvRule, BoolTerm, BooleanDatum, Conditional, Ebitmap, FilenameTransition,
    FilenameTransitionGroup, FilenameTransitions, NameSet, Part, PolicyDb, RoleDatum, RuleKind,
    SymbolId, SymbolTable, Term, TypeDatum, TypeId, TypeSet, UserDatum, XpermForm,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::{Diagnostic, Severity};
use mandate_syntax::kernel::ast::Unit;
use mandate_syntax::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use super::map::Map;
use super::names::base_statements;
use super::world;
use crate::backend::{self, Compiled, Options, Unmet};
use crate::outcome::{RuleOrigin, RuleOrigins};
use crate::{assertion, bounds};

/// A policy with a module added.
#[derive(Debug, Default)]
pub struct Added {
    /// The policy; none after an error.
    pub policy: Option<PolicyDb>,
    /// Where the module's rules were written. Rules of the policy itself have no place.
    pub origins: RuleOrigins,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// Optional blocks of the module that are left out.
    pub disabled: Vec<Unmet>,
}

/// Adds `modules`, expanded with their requirements, to `base`. They may require names of each other.
pub fn add(base: &PolicyDb, modules: Vec<Unit>) -> Added {
    let mut diagnostics = Vec::new();
    for module in &modules {
        base_statements(&module.statements, &mut diagnostics);
    }
    let mut units = modules;
    units.insert(0, world::of_policy(base));
    let options = Options {
        target: base.target,
        mls: base.mls,
        handle_unknown: base.handle_unknown,
        version: base.version,
        ..Options::default()
    };
    let compiled = backend::compile(&units, &options);
    let Compiled { policy, origins, diagnostics: found, disabled, unmet, assertions, .. } =
        compiled;
    diagnostics.extend(found);
    diagnostics.extend(unmet.iter().map(tell_unmet));
    let mut added = Added { disabled, ..Added::default() };
    if let Some(of_module) = policy.filter(|_| !failed(&diagnostics)) {
        let mut merger = Merger::new(base.clone(), &of_module, &origins);
        if merger.merge().is_none() {
            let message = "the module's symbols do not fit into the policy";
            merger.told.push(Diagnostic::error(Code::TooMany, Span::NOWHERE, message));
        }
        let (db, map) = (merger.db, merger.map);
        added.origins = merger.origins;
        diagnostics.append(&mut merger.told);
        diagnostics.extend(limits(base, &db));
        let assertions: Vec<_> = assertions.iter().map(|it| map.assertion(it)).collect();
        let broken = assertion::check(&db, &assertions);
        diagnostics.extend(assertion::diagnostics(&db, &assertions, &broken, &added.origins));
        let over = bounds::check(&db);
        diagnostics.extend(bounds::diagnostics(&db, &over, &added.origins, &|_| Span::NOWHERE));
        added.policy = Some(db).filter(|_| !failed(&diagnostics));
    }
    added.diagnostics = diagnostics;
    added
}

fn failed(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|it| it.severity == Severity::Error)
}

/// Says what types that the module gave attributes of the policy do not get.
fn limits(base: &PolicyDb, db: &PolicyDb) -> Option<Diagnostic> {
    let added = db.type_attributes.iter().skip(base.type_attributes.len());
    let is_attribute = |id: TypeId| base.types.get(id).is_some_and(|it| it.attribute);
    if !added.flat_map(Ebitmap::ids).any(is_attribute) {
        return None;
    }
    let message = "some rules of a binary policy list the members of attributes, which types of the module do not join";
    let it = Diagnostic::warning(Code::Suspicious, Span::NOWHERE, message);
    let it = it.note("such are its transitions, and rules over attributes without some members");
    let it = it.help("build against the policy's source to have them too");
    Some(Diagnostic { severity: Severity::Note, ..it })
}

fn tell_unmet(it: &Unmet) -> Diagnostic {
    let message = format!("the policy has no {}", it.optional.missing);
    let found = Diagnostic::error(Code::UnmetRequire, it.optional.required, message);
    if it.kind == mandate_syntax::kernel::ast::RequireKind::RoleAttribute {
        return found
            .note("role attributes are not kept in a binary policy; build against the source");
    }
    found
}

/// What rules are told apart by; of extended permissions also their form and driver.
type Key = (TypeId, TypeId, u32, RuleKind, Option<(XpermForm, u8)>);

/// Joins the policy of a module to another.
struct Merger<'a> {
    db: PolicyDb,
    module: &'a PolicyDb,
    map: Map,
    /// Of the module's policy.
    from: &'a RuleOrigins,
    origins: RuleOrigins,
    told: Vec<Diagnostic>,
}

impl<'a> Merger<'a> {
    fn new(db: PolicyDb, module: &'a PolicyDb, from: &'a RuleOrigins) -> Self {
        let map = Map::new(module, &db);
        Self { db, module, map, from, origins: RuleOrigins::default(), told: Vec::new() }
    }

    /// Joins everything; none if a table overflows.
    fn merge(&mut self) -> Option<()> {
        self.types()?;
        self.roles()?;
        self.users()?;
        self.booleans()?;
        let grown = self.type_attributes();
        self.constraints(&grown);
        let mut rules = Rules::of(&self.db);
        self.rules(&mut rules);
        self.conditionals(&rules);
        self.filename_transitions();
        self.role_rules();
        self.range_transitions();
        for (from, to) in [
            (&self.module.permissive, &mut self.db.permissive),
            (&self.module.neveraudit, &mut self.db.neveraudit),
        ] {
            for id in from.iter().filter_map(TypeId::from_value) {
                to.insert(self.map.types.id(id).value());
            }
        }
        Some(())
    }

    fn types(&mut self) -> Option<()> {
        let mut types: Vec<TypeDatum> = self.db.types.iter().cloned().collect();
        for it in self.module.types.iter() {
            let bounds = it.bounds.map(|it| self.map.types.id(it));
            let known = bounds.and_then(|_| types.iter_mut().find(|known| known.name == it.name));
            if let Some(known) = known {
                known.bounds = known.bounds.or(bounds);
            }
            if self.db.types.find(&it.name).is_none() {
                types.push(TypeDatum { id: self.map.types.id(it.id), bounds, ..it.clone() });
            }
        }
        self.db.types = SymbolTable::new(self.map.types.nprim, types).ok()?;
        Some(())
    }

    fn roles(&mut self) -> Option<()> {
        let mut roles: Vec<RoleDatum> = self.db.roles.iter().cloned().collect();
        for it in self.module.roles.by_value() {
            let (id, types) = (self.map.roles.id(it.id), self.map.types.bits(&it.types));
            match roles.iter_mut().find(|known| known.id == id) {
                Some(known) => known.types = known.types.union(&types),
                None => roles.push(RoleDatum {
                    name: it.name.clone(),
                    id,
                    bounds: it.bounds.map(|it| self.map.roles.id(it)),
                    dominates: self.map.roles.bits(&it.dominates),
                    types,
                }),
            }
        }
        self.db.roles = SymbolTable::new(self.map.roles.nprim, roles).ok()?;
        Some(())
    }

    fn users(&mut self) -> Option<()> {
        let mut users: Vec<UserDatum> = self.db.users.iter().cloned().collect();
        for it in self.module.users.by_value() {
            let (id, roles) = (self.map.users.id(it.id), self.map.roles.bits(&it.roles));
            match users.iter_mut().find(|known| known.id == id) {
                Some(known) => known.roles = known.roles.union(&roles),
                None => users.push(UserDatum {
                    name: it.name.clone(),
                    id,
                    bounds: it.bounds.map(|it| self.map.users.id(it)),
                    roles,
                    range: it.range.as_ref().map(|it| self.map.range(it)),
                    default_level: it.default_level.as_ref().map(|it| self.map.level(it)),
                }),
            }
        }
        self.db.users = SymbolTable::new(self.map.users.nprim, users).ok()?;
        Some(())
    }

    fn booleans(&mut self) -> Option<()> {
        let mut booleans: Vec<BooleanDatum> = self.db.booleans.iter().cloned().collect();
        for it in self.module.booleans.by_value() {
            if self.db.booleans.find(&it.name).is_none() {
                booleans.push(BooleanDatum { id: self.map.booleans.id(it.id), ..it.clone() });
            }
        }
        self.db.booleans = SymbolTable::new(self.map.booleans.nprim, booleans).ok()?;
        Some(())
    }

    /// Gives types their attributes; which have more than before?
    fn type_attributes(&mut self) -> Vec<TypeId> {
        let mut grown = Vec::new();
        let rows = &mut self.db.type_attributes;
        let before = rows.len();
        let all = u32::try_from(before).unwrap_or(u32::MAX)..self.map.types.nprim;
        rows.extend(all.map(|bit| Ebitmap::from_bits([bit])));
        for it in self.module.types.by_value() {
            let Some(row) = self.module.type_attributes.get(it.id.index()) else { continue };
            let (id, row) = (self.map.types.id(it.id), self.map.types.bits(row));
            let Some(known) = rows.get_mut(id.index()) else { continue };
            if !known.is_superset(&row) || id.index() >= before {
                *known = known.union(&row);
                grown.push(id);
            }
        }
        grown
    }

    /// Constraints name types by their attributes; what has these now belongs to them.
    fn constraints(&mut self, grown: &[TypeId]) {
        if grown.is_empty() {
            return;
        }
        let types = &self.db.types;
        let grown: Vec<(TypeId, &Ebitmap)> = grown
            .iter()
            .filter(|it| types.get(**it).is_some_and(|it| !it.attribute))
            .filter_map(|it| Some((*it, self.db.type_attributes.get(it.index())?)))
            .collect();
        let mut classes: Vec<_> = self.db.classes.iter().cloned().collect();
        for class in &mut classes {
            for it in class.constraints.iter_mut().chain(&mut class.validatetrans) {
                for term in &mut it.expression {
                    if let Term::Names(set) = term {
                        extend(set, &grown);
                    }
                }
            }
        }
        if let Ok(classes) = SymbolTable::new(self.db.classes.nprim(), classes) {
            self.db.classes = classes;
        }
    }

    fn rule(&self, rule: &AvRule) -> AvRule {
        let (types, class) = (&self.map.types, rule.class());
        let datum = match rule.kind {
            kind if kind.is_access_vector() => self.map.permissions(class, rule.permissions()),
            kind if kind.is_type() => rule.default_type().map_or(0, |it| types.id(it).value()),
            _ => rule.datum(),
        };
        let (source, target) = (types.id(rule.source), types.id(rule.target));
        let made = AvRule::access(rule.kind, source, target, self.map.class(class), datum);
        let made = made.with_enabled(rule.enabled);
        if rule.kind.is_access_vector() { made.with_permissions(datum) } else { made }
    }

    fn rules(&mut self, known: &mut Rules) {
        let mut places = Vec::with_capacity(self.module.rules.len());
        for (index, rule) in (0..).zip(&self.module.rules) {
            let xperms = self.module.xperms.of(rule).copied();
            let rule = self.rule(rule);
            let form = xperms.map(|it| (it.form, it.driver));
            let key = (rule.source, rule.target, rule.class().value(), rule.kind, form);
            let place = known.places.get(&key).copied();
            let found = place.and_then(|at| self.db.rules.get(at as usize)).copied();
            let conflict = rule.kind.is_type()
                && (known.conditional.contains(&key)
                    || found.is_some_and(|it| it.datum() != rule.datum()));
            if conflict {
                self.conflict(&rule, self.place_of(index));
            }
            let joined = match (found, xperms) {
                (Some(it), None) => join(&it, &rule),
                (found, Some(mut xperms)) => {
                    let before = found.and_then(|it| self.db.xperms.of(&it)).copied();
                    for (bits, more) in
                        xperms.bits.iter_mut().zip(before.map_or([0; 8], |it| it.bits))
                    {
                        *bits |= more;
                    }
                    rule.with_datum(self.db.xperms.push(xperms))
                }
                (None, None) => rule,
            };
            places.push(self.put(known, key, place, joined));
        }
        let moved = self
            .from
            .rules
            .iter()
            .filter_map(|it| Some(RuleOrigin { rule: *places.get(it.rule as usize)?, ..*it }));
        self.origins.rules = moved.filter(|it| it.span != Span::NOWHERE).collect();
        self.origins.rules.sort_by_key(|it| it.rule);
    }

    /// Puts a rule at its place, a new one at the end.
    fn put(&mut self, known: &mut Rules, key: Key, place: Option<u32>, rule: AvRule) -> u32 {
        let end = u32::try_from(self.db.rules.len()).unwrap_or(u32::MAX);
        let place = place.unwrap_or(end);
        match self.db.rules.get_mut(place as usize) {
            Some(slot) => *slot = rule,
            None => {
                self.db.rules.push(rule);
                known.places.insert(key, place);
            }
        }
        place
    }

    /// Where the rule of this number in the module's policy was written.
    fn place_of(&self, index: u32) -> Span {
        let rules = &self.from.rules;
        let at = rules.partition_point(|it| it.rule < index);
        rules.get(at).filter(|it| it.rule == index).map_or(Span::NOWHERE, |it| it.span)
    }

    fn conflict(&mut self, rule: &AvRule, span: Span) {
        let message = format!(
            "the policy already has a {} for `{}`, `{}` and class `{}`",
            rule.kind.keyword(),
            self.db.types.name(rule.source),
            self.db.types.name(rule.target),
            self.db.classes.name(rule.class()),
        );
        self.told.push(Diagnostic::error(Code::ConflictingRule, span, message));
    }

    fn conditionals(&mut self, known: &Rules) {
        let first = u32::try_from(self.db.conditionals.len()).unwrap_or(u32::MAX);
        for (index, it) in (0..).zip(&self.module.conditionals) {
            let expression = it.expression.iter().map(|term| match *term {
                BoolTerm::Bool(id) => BoolTerm::Bool(self.map.booleans.id(id)),
                other => other,
            });
            let made = Conditional {
                state: it.state,
                expression: expression.collect(),
                when_true: self.branch(&it.when_true, known, (index, true)),
                when_false: self.branch(&it.when_false, known, (index, false)),
            };
            self.db.conditionals.push(made);
        }
        let moved = self.from.conditional.iter();
        self.origins.conditional =
            moved.map(|(at, when, it)| (at.saturating_add(first), *when, *it)).collect();
    }

    fn branch(&mut self, rules: &[AvRule], known: &Rules, at: (u32, bool)) -> Vec<AvRule> {
        let mut made = Vec::with_capacity(rules.len());
        for (index, rule) in (0..).zip(rules) {
            let xperms = self.module.xperms.of(rule).copied();
            let mut rule = self.rule(rule);
            if let Some(xperms) = xperms {
                rule = rule.with_datum(self.db.xperms.push(xperms));
            }
            let key = (rule.source, rule.target, rule.class().value(), rule.kind, None);
            let taken = known.before.contains(&key) || known.conditional.contains(&key);
            if rule.kind.is_type() && taken {
                let places = self.from.conditional.iter();
                let mut place = places.filter(|it| (it.0, it.1) == at && it.2.rule == index);
                let span = place.next().map_or(Span::NOWHERE, |it| it.2.span);
                self.conflict(&rule, span);
            }
            made.push(rule);
        }
        made
    }

    fn filename_transitions(&mut self) {
        let found = self.module.filename_transitions.to_singles().into_owned();
        for it in found {
            let it = FilenameTransition {
                source: self.map.types.id(it.source),
                target: self.map.types.id(it.target),
                class: self.map.class(it.class),
                name: it.name,
                default_type: self.map.types.id(it.default_type),
            };
            let added = match &mut self.db.filename_transitions {
                FilenameTransitions::Single(list) => add_single(list, it),
                FilenameTransitions::Grouped(groups) => add_grouped(groups, it),
            };
            if let Err(it) = added {
                self.named_conflict(&it);
            }
        }
    }

    fn named_conflict(&mut self, it: &FilenameTransition) {
        let message = format!(
            "the policy already has a type_transition for `{}`, `{}`, class `{}` and name `{}`",
            self.db.types.name(it.source),
            self.db.types.name(it.target),
            self.db.classes.name(it.class),
            String::from_utf8_lossy(&it.name),
        );
        self.told.push(Diagnostic::error(Code::ConflictingRule, Span::NOWHERE, message));
    }

    fn role_rules(&mut self) {
        for it in &self.module.role_allows {
            let (role, new_role) = (self.map.roles.id(it.role), self.map.roles.id(it.new_role));
            let it = mandate_policydb::RoleAllow { role, new_role };
            if !self.db.role_allows.contains(&it) {
                self.db.role_allows.push(it);
            }
        }
        for (index, it) in (0..).zip(&self.module.role_transitions) {
            let it = mandate_policydb::RoleTransition {
                role: self.map.roles.id(it.role),
                type_: self.map.types.id(it.type_),
                class: it.class.map(|it| self.map.class(it)),
                new_role: self.map.roles.id(it.new_role),
            };
            let key = |it: &mandate_policydb::RoleTransition| (it.role, it.type_, it.class);
            match self.db.role_transitions.iter().find(|known| key(known) == key(&it)) {
                Some(known) if known.new_role == it.new_role => {}
                None => self.db.role_transitions.push(it),
                Some(_) => {
                    let message = "the policy has a role_transition to another role here";
                    let span = span_of(&self.from.role_transitions, index);
                    self.told.push(Diagnostic::error(Code::ConflictingRule, span, message));
                }
            }
        }
    }

    fn range_transitions(&mut self) {
        for (index, it) in (0..).zip(&self.module.range_transitions) {
            let it = mandate_policydb::RangeTransition {
                source: self.map.types.id(it.source),
                target: self.map.types.id(it.target),
                class: it.class.map(|it| self.map.class(it)),
                range: self.map.range(&it.range),
            };
            let key = |it: &mandate_policydb::RangeTransition| (it.source, it.target, it.class);
            match self.db.range_transitions.iter().find(|known| key(known) == key(&it)) {
                Some(known) if known.range == it.range => {}
                None => self.db.range_transitions.push(it),
                Some(_) => {
                    let message = "the policy has a range_transition to another range here";
                    let span = span_of(&self.from.range_transitions, index);
                    self.told.push(Diagnostic::error(Code::ConflictingRule, span, message));
                }
            }
        }
    }
}

fn span_of(origins: &[(u32, Span)], index: u32) -> Span {
    origins.iter().find(|it| it.0 == index).map_or(Span::NOWHERE, |it| it.1)
}

/// Where the rules of a policy are.
struct Rules {
    places: FxHashMap<Key, u32>,
    /// Keys of type rules before any was added.
    before: FxHashSet<Key>,
    /// Keys of type rules in conditional blocks.
    conditional: FxHashSet<Key>,
}

impl Rules {
    fn of(db: &PolicyDb) -> Self {
        let key = |rule: &AvRule| {
            let form = db.xperms.of(rule).map(|it| (it.form, it.driver));
            (rule.source, rule.target, rule.class().value(), rule.kind, form)
        };
        let in_blocks =
            db.conditionals.iter().flat_map(|it| it.when_true.iter().chain(&it.when_false));
        Self {
            places: (0..).zip(&db.rules).map(|(at, rule)| (key(rule), at)).collect(),
            before: db.rules.iter().filter(|it| it.kind.is_type()).map(key).collect(),
            conditional: in_blocks.filter(|it| it.kind.is_type()).map(key).collect(),
        }
    }
}

/// Two rules of one key as one.
fn join(known: &AvRule, rule: &AvRule) -> AvRule {
    if rule.kind.is_access_vector() {
        known.with_permissions(known.permissions() | rule.permissions())
    } else {
        *known
    }
}

/// Adds types to a set of types by what was written.
fn extend(set: &mut NameSet, grown: &[(TypeId, &Ebitmap)]) {
    const ALL: u32 = 1;
    const COMPLEMENT: u32 = 2;
    let TypeSet { types, excluded, flags } = &set.written;
    if set.part != Part::Type || (types.is_empty() && *flags == 0) {
        return;
    }
    for (id, row) in grown {
        let listed = row.iter().any(|it| types.contains(it));
        let taken = row.iter().any(|it| excluded.contains(it));
        let within = match *flags {
            ALL => !taken,
            COMPLEMENT => !listed,
            _ => listed && !taken,
        };
        if within {
            set.names.insert(id.bit());
        }
    }
}

/// Adds a transition, or gives it back if there is one to another type.
fn add_single(
    list: &mut Vec<FilenameTransition>,
    it: FilenameTransition,
) -> Result<(), FilenameTransition> {
    let same = |known: &&FilenameTransition| {
        (known.source, known.target, known.class, &known.name)
            == (it.source, it.target, it.class, &it.name)
    };
    match list.iter().find(same) {
        Some(known) if known.default_type == it.default_type => {}
        Some(_) => return Err(it),
        None => list.push(it),
    }
    Ok(())
}

fn add_grouped(
    groups: &mut Vec<FilenameTransitionGroup>,
    it: FilenameTransition,
) -> Result<(), FilenameTransition> {
    let same = |known: &&mut FilenameTransitionGroup| {
        (known.target, known.class, &known.name) == (it.target, it.class, &it.name)
    };
    let Some(group) = groups.iter_mut().find(same) else {
        let defaults = vec![(Ebitmap::from_bits([it.source.bit()]), it.default_type)];
        let (name, target, class) = (it.name, it.target, it.class);
        groups.push(FilenameTransitionGroup { name, target, class, defaults });
        return Ok(());
    };
    let known = group.defaults.iter().find(|known| known.0.has(it.source)).map(|known| known.1);
    if known.is_some_and(|known| known != it.default_type) {
        return Err(it);
    }
    match group.defaults.iter_mut().find(|known| known.1 == it.default_type) {
        Some(known) => known.0.insert(it.source.bit()),
        None => group.defaults.push((Ebitmap::from_bits([it.source.bit()]), it.default_type)),
    }
    Ok(())
}
