//! Criteria as sets of numbers.

use mandate_policydb::{
    BoolId, ClassId, Datum, ExtendedPermissions, MlsRange, PolicyDb, RoleId, RuleKind, SymbolId,
    SymbolTable, TypeDatum, TypeId,
};

use super::{Choice, End, Kind, Match, RuleQuery};
use crate::QuestionError;
use crate::lookup::unknown;
use crate::name::NameCriterion;
use crate::statement::xperm_ranges;

/// Symbols of one kind: all of them, or some.
#[derive(Clone, Debug)]
pub(super) struct Set(Option<Vec<bool>>);

impl Set {
    const ALL: Self = Self(None);

    fn none(symbols: u32) -> Self {
        Self(Some(vec![false; symbols as usize]))
    }

    fn insert(&mut self, id: impl SymbolId) {
        if let Some(place) = self.0.as_mut().and_then(|it| it.get_mut(id.index())) {
            *place = true;
        }
    }

    pub(super) fn has(&self, id: impl SymbolId) -> bool {
        self.0.as_ref().is_none_or(|it| it.get(id.index()).copied().unwrap_or(false))
    }

    /// Is there no criterion?
    pub(super) fn is_all(&self) -> bool {
        self.0.is_none()
    }
}

/// The symbols that a criterion means; an alias means its symbol.
fn named<T: Datum>(
    table: &SymbolTable<T>,
    kind: &'static str,
    name: &NameCriterion,
) -> Result<Set, QuestionError> {
    let mut set = Set::none(table.nprim());
    match name {
        NameCriterion::Exact(name) => set.insert(find(table, kind, name)?.id()),
        NameCriterion::Pattern(_) => {
            table
                .by_value()
                .filter(|it| name.matches(it.name()))
                .for_each(|it| set.insert(it.id()));
        }
    }
    Ok(set)
}

fn find<'a, T: Datum>(
    table: &'a SymbolTable<T>,
    kind: &'static str,
    name: &str,
) -> Result<&'a T, QuestionError> {
    table.find(name).ok_or_else(|| unknown(kind, name).into())
}

const TYPE: &str = "type or attribute";

/// The types and attributes whose rules are about a type that the criterion means.
fn types(db: &PolicyDb, end: Option<&End>) -> Result<Set, QuestionError> {
    let Some(End { name, direct }) = end else { return Ok(Set::ALL) };
    if *direct {
        return named(&db.types, TYPE, name);
    }
    let mut set = Set::none(db.types.nprim());
    let mut add_groups = |id: TypeId| {
        let groups = db.type_attributes.get(id.index());
        groups.into_iter().flat_map(|it| it.ids()).for_each(|it: TypeId| set.insert(it));
    };
    match name {
        NameCriterion::Exact(name) => {
            let named = find(&db.types, TYPE, name)?;
            members(db, named).for_each(&mut add_groups);
        }
        NameCriterion::Pattern(_) => {
            let types = db.types.by_value().filter(|it| !it.attribute && name.matches(&it.name));
            types.for_each(|it| add_groups(it.id));
        }
    }
    Ok(set)
}

/// The type, or the types of the attribute.
fn members<'a>(db: &'a PolicyDb, named: &TypeDatum) -> impl Iterator<Item = TypeId> + 'a {
    let id = named.id;
    let all = named.attribute.then(|| db.types.by_value().filter(|it| !it.attribute));
    let belongs = move |it: TypeId| db.type_attributes.get(it.index()).is_some_and(|at| at.has(id));
    let members = all.into_iter().flatten().map(|it| it.id).filter(move |it| belongs(*it));
    (!named.attribute).then_some(id).into_iter().chain(members)
}

fn classes(db: &PolicyDb, choice: Option<&Choice>) -> Result<Set, QuestionError> {
    match choice {
        None => Ok(Set::ALL),
        Some(Choice::Pattern(pattern)) => named(&db.classes, "class", pattern),
        Some(Choice::Names(names)) => {
            let mut set = Set::none(db.classes.nprim());
            for name in names {
                set.insert(find(&db.classes, "class", name)?.id);
            }
            Ok(set)
        }
    }
}

/// A bit for each kind of type enforcement rule.
fn kind_bit(kind: RuleKind) -> u16 {
    1 << kind as u16
}

/// What is asked of type enforcement rules.
#[derive(Debug)]
pub(super) struct TeSets {
    kinds: u16,
    pub(super) source: Set,
    pub(super) target: Set,
    pub(super) classes: Set,
    pub(super) default: Set,
    /// For each class, if permissions are asked for.
    permissions: Option<(Vec<Wanted>, Match)>,
    xperms: Option<(Vec<(u32, u32)>, Match)>,
    booleans: Option<(Vec<BoolId>, Match)>,
}

/// The permissions asked for, in one class.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    bits: u32,
    /// All bits that a permission has: those without are set in a dontaudit, and by `*`.
    known: u32,
    /// Does the class have all of them?
    whole: bool,
}

impl TeSets {
    pub(super) fn of(query: &RuleQuery, db: &PolicyDb) -> Result<Self, QuestionError> {
        let kinds = query.kinds.iter().fold(0, |bits, kind| match kind {
            Kind::Te(kind) => bits | kind_bit(*kind),
            _ => bits,
        });
        let default = query.default.as_ref().map(|it| named(&db.types, TYPE, it)).transpose()?;
        let classes = classes(db, query.classes.as_ref())?;
        let mut this = Self {
            kinds,
            source: types(db, query.source.as_ref())?,
            target: types(db, query.target.as_ref())?,
            default: default.unwrap_or(Set::ALL),
            permissions: None,
            xperms: None,
            booleans: query.booleans.as_ref().map(|it| booleans(db, it)).transpose()?,
            classes,
        };
        if let Some((names, how)) = &query.permissions {
            check_permissions(db, query.classes.as_ref(), &this.classes, names)?;
            this.permissions = Some((wanted(db, names), *how));
        }
        if let Some((ranges, how)) = &query.xperms {
            this.xperms = Some((joined(ranges), *how));
        }
        this.keep_kinds();
        Ok(this)
    }

    /// Leaves out kinds that have no such part as is asked for.
    fn keep_kinds(&mut self) {
        let keep = |kinds: u16, fits: fn(RuleKind) -> bool| {
            let fitting = Kind::TE.into_iter().filter(|it| fits(*it));
            kinds & fitting.fold(0, |bits, it| bits | kind_bit(it))
        };
        if self.permissions.is_some() {
            self.kinds = keep(self.kinds, |it| !it.is_type());
        }
        if self.xperms.is_some() {
            self.kinds = keep(self.kinds, RuleKind::is_xperm);
        }
        if !self.default.is_all() {
            self.kinds = keep(self.kinds, RuleKind::is_type);
        }
    }

    pub(super) fn wants(&self, kind: RuleKind) -> bool {
        self.kinds & kind_bit(kind) != 0
    }

    /// Is there nothing about conditions, so that rules outside of blocks fit?
    pub(super) fn any_condition(&self) -> bool {
        self.booleans.is_none()
    }

    /// Does a condition over these booleans fit?
    pub(super) fn fits_condition(&self, booleans: impl Iterator<Item = BoolId>) -> bool {
        let Some((wanted, how)) = &self.booleans else { return true };
        let mut present: Vec<BoolId> = booleans.collect();
        present.sort_unstable();
        present.dedup();
        match how {
            Match::Any => present.iter().any(|it| wanted.contains(it)),
            Match::All => wanted.iter().all(|it| present.contains(it)),
            Match::Exactly => present == *wanted,
        }
    }

    /// Do permissions of this class fit?
    pub(super) fn fits_permissions(&self, class: ClassId, permissions: u32) -> bool {
        let Some((wanted, how)) = &self.permissions else { return true };
        let Some(wanted) = wanted.get(class.index()) else { return false };
        let permissions = permissions & wanted.known;
        match how {
            Match::Any => permissions & wanted.bits != 0,
            Match::All => wanted.whole && permissions & wanted.bits == wanted.bits,
            Match::Exactly => wanted.whole && permissions == wanted.bits,
        }
    }

    /// Are permissions asked for?
    pub(super) fn asks_permissions(&self) -> bool {
        self.permissions.is_some()
    }

    /// Do extended permissions fit?
    pub(super) fn fits_xperms(&self, xperms: &ExtendedPermissions) -> bool {
        let Some((wanted, how)) = &self.xperms else { return true };
        let present = xperm_ranges(xperms);
        let meets = |a: &(u32, u32), b: &(u32, u32)| a.0 <= b.1 && b.0 <= a.1;
        let holds = |a: &(u32, u32), b: &(u32, u32)| a.0 <= b.0 && b.1 <= a.1;
        match how {
            Match::Any => present.iter().any(|it| wanted.iter().any(|other| meets(it, other))),
            Match::All => wanted.iter().all(|it| present.iter().any(|other| holds(other, it))),
            Match::Exactly => present == *wanted,
        }
    }
}

/// Ranges in order, those that touch joined.
fn joined(ranges: &[(u16, u16)]) -> Vec<(u32, u32)> {
    let ordered = |&(a, b): &(u16, u16)| (u32::from(a.min(b)), u32::from(a.max(b)));
    let mut sorted: Vec<(u32, u32)> = ranges.iter().map(ordered).collect();
    sorted.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (first, last) in sorted {
        match joined.last_mut() {
            Some(open) if first <= open.1 + 1 => open.1 = open.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    joined
}

fn booleans(
    db: &PolicyDb,
    (choice, how): &(Choice, Match),
) -> Result<(Vec<BoolId>, Match), QuestionError> {
    match choice {
        Choice::Pattern(pattern) => {
            let matching = db.booleans.by_value().filter(|it| pattern.matches(&it.name));
            Ok((matching.map(|it| it.id).collect(), *how))
        }
        Choice::Names(names) => {
            let ids: Result<Vec<BoolId>, _> =
                names.iter().map(|it| find(&db.booleans, "boolean", it).map(|it| it.id)).collect();
            let mut ids = ids?;
            ids.sort_unstable();
            ids.dedup();
            Ok((ids, *how))
        }
    }
}

fn wanted(db: &PolicyDb, names: &[String]) -> Vec<Wanted> {
    let in_class = |value| {
        let none = Wanted { bits: 0, known: 0, whole: false };
        let Some(class) = ClassId::from_value(value) else { return none };
        let (mut bits, mut present) = (0, 0);
        for permission in db.permissions(class).filter(|it| names.iter().any(|n| **n == *it.name)) {
            bits |= permission.id.mask();
            present += 1;
        }
        let different = names.iter().enumerate().filter(|(at, it)| !names[..*at].contains(it));
        Wanted { bits, known: db.permission_mask(class), whole: present == different.count() }
    };
    (1..=db.classes.nprim()).map(in_class).collect()
}

/// Refuses permissions that no class has, or none of the classes named.
fn check_permissions(
    db: &PolicyDb,
    choice: Option<&Choice>,
    classes: &Set,
    names: &[String],
) -> Result<(), QuestionError> {
    let named = matches!(choice, Some(Choice::Names(_)));
    let asked = || db.classes.by_value().filter(|it| !named || classes.has(it.id));
    let unused = |name: &str| db.commons.iter().any(|it| it.permissions.find(name).is_some());
    let known = |name: &str| {
        asked().any(|it| db.permission(it.id, name).is_some()) || (!named && unused(name))
    };
    let names: Vec<String> = names.iter().filter(|it| !known(it)).cloned().collect();
    if names.is_empty() { Ok(()) } else { Err(QuestionError::Permissions { names, named }) }
}

/// What is asked of rules between roles.
#[derive(Debug)]
pub(super) struct RoleSets {
    pub(super) allows: bool,
    pub(super) transitions: bool,
    pub(super) source: Set,
    /// Targets of `allow`.
    pub(super) target_role: Set,
    /// Targets of `role_transition`.
    pub(super) target_type: Set,
    pub(super) classes: Set,
    pub(super) default: Set,
}

impl RoleSets {
    pub(super) fn of(query: &RuleQuery, db: &PolicyDb) -> Result<Self, QuestionError> {
        let role = |name: &NameCriterion| named::<_>(&db.roles, "role", name);
        let source = query.source.as_ref().map(|it| role(&it.name)).transpose()?;
        let (target_type, target_role) = match &query.target {
            None => (Set::ALL, Set::ALL),
            Some(end) => match &end.name {
                NameCriterion::Exact(name) if db.types.find(name).is_some() => {
                    (types(db, Some(end))?, Set::none(0))
                }
                NameCriterion::Exact(_) => (Set::none(0), role(&end.name)?),
                NameCriterion::Pattern(_) => (types(db, Some(end))?, role(&end.name)?),
            },
        };
        let default = query.default.as_ref().map(role).transpose()?;
        // An allow between roles has neither class nor default.
        let plain = query.classes.is_none() && query.default.is_none();
        Ok(Self {
            allows: query.kinds.contains(&Kind::RoleAllow) && plain,
            transitions: query.kinds.contains(&Kind::RoleTransition),
            source: source.unwrap_or(Set::ALL),
            target_role,
            target_type,
            classes: classes(db, query.classes.as_ref())?,
            default: default.unwrap_or(Set::ALL),
        })
    }

    /// Does a rule from and to these roles fit?
    pub(super) fn fits_allow(&self, source: RoleId, target: RoleId) -> bool {
        self.allows && self.source.has(source) && self.target_role.has(target)
    }
}

/// What is asked of range transitions.
#[derive(Debug)]
pub(super) struct RangeSets {
    pub(super) source: Set,
    pub(super) target: Set,
    pub(super) classes: Set,
    pub(super) range: Option<MlsRange>,
}

impl RangeSets {
    pub(super) fn of(query: &RuleQuery, db: &PolicyDb) -> Result<Self, QuestionError> {
        let range = match &query.default {
            // A range has no pattern: its text can be spelled in many ways.
            Some(NameCriterion::Exact(text)) => Some(parse_range(db, text)?),
            Some(NameCriterion::Pattern(text)) => Some(parse_range(db, text.as_str())?),
            None => None,
        };
        Ok(Self {
            source: types(db, query.source.as_ref())?,
            target: types(db, query.target.as_ref())?,
            classes: classes(db, query.classes.as_ref())?,
            range,
        })
    }
}

/// A range, with or without blanks around its `-`.
fn parse_range(db: &PolicyDb, text: &str) -> Result<MlsRange, QuestionError> {
    let compact = text.replace(' ', "");
    let range = db
        .parse_range(&compact)
        .map_err(|why| QuestionError::Range { text: text.to_owned(), why })?;
    if !range.high.dominates(&range.low) {
        return Err(QuestionError::RangeOrder(text.to_owned()));
    }
    Ok(range)
}
