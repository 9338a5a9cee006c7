//! From bytes to a policy that can be asked: every reference leads somewhere, every context is valid.
//! The rules are those by which the kernel refuses to load a policy (`security/selinux/ss/policydb.c`).

use crate::avtab::AvRule;
use crate::conditional::{self, Conditional};
use crate::constraint::{self, Constraint, NameSet, Part, Term, Whose};
use crate::context::Context;
use crate::db::PolicyDb;
use crate::ebitmap::Ebitmap;
use crate::ids::{ClassId, OBJECT_R, RoleId, SymbolId, TypeId};
use crate::mls::{MlsLevel, MlsRange};
use crate::rules::FilenameTransitions;
use crate::symtab::{Datum, SymbolTable};
use crate::wire::ReadError;

/// A policy as read, not yet checked: it can be looked at but not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unvalidated(PolicyDb);

/// A policy whose parts fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy(PolicyDb);

/// Why a policy does not hold together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidateError {
    /// Role 1 has to be `object_r`.
    #[error("role 1 must be {OBJECT_R}, found {0:?}")]
    NoObjectR(Option<String>),
    /// A value that no symbol has.
    #[error("{place} names {kind} {value}, which is not defined")]
    Undefined {
        /// What kind of symbol.
        kind: &'static str,
        /// The value.
        value: u32,
        /// Where it is named.
        place: &'static str,
    },
    /// A name that no symbol has.
    #[error("class {class} inherits common {common}, which is not defined")]
    UndefinedCommon {
        /// The class.
        class: String,
        /// The common.
        common: String,
    },
    /// A class of more than 32 permissions.
    #[error("class {0} has two permissions with the same bit")]
    PermissionsOverlap(String),
    /// An attribute where a type is needed.
    #[error("{place} names the attribute {name} where a type is needed")]
    AttributeForType {
        /// The attribute.
        name: String,
        /// Where it is named.
        place: &'static str,
    },
    /// A chain of bounds that is longer than the kernel follows, or a loop.
    #[error("the bounds of {kind} {name} form a loop or a chain of more than 3")]
    BoundsTooDeep {
        /// What kind of symbol.
        kind: &'static str,
        /// The symbol.
        name: String,
    },
    /// An expression that needs more operands at once than the kernel keeps.
    #[error("{place} is nested deeper than {most}")]
    TooDeep {
        /// Which expression.
        place: &'static str,
        /// The kernel's limit.
        most: usize,
    },
    /// A reference to the process outside of a `validatetrans`.
    #[error("a constraint of class {0} looks at a third context, which only validatetrans has")]
    ThirdContext(String),
    /// A context that the policy itself does not allow.
    #[error("{place} has a context that the policy does not allow: {context}")]
    InvalidContext {
        /// Which statement.
        place: &'static str,
        /// The context, as far as it can be named.
        context: String,
    },
    /// A level or range that the policy does not allow.
    #[error("{place} has an invalid level or range: {name}")]
    InvalidRange {
        /// Which statement.
        place: &'static str,
        /// The symbol it belongs to.
        name: String,
    },
}

/// The longest chain of bounds; one below the kernel's `POLICYDB_BOUNDS_MAXDEPTH`.
const MAX_BOUNDS: usize = 3;

impl Unvalidated {
    /// Reads a binary policy, all of `bytes`.
    ///
    /// # Errors
    /// Where and why the bytes are not a policy.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        PolicyDb::read(bytes).map(Self)
    }

    /// A policy made in memory.
    pub fn from_db(db: PolicyDb) -> Self {
        Self(db)
    }

    /// The database, for looking at.
    pub fn db(&self) -> &PolicyDb {
        &self.0
    }

    /// Checks that the policy holds together.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn validate(self) -> Result<Policy, ValidateError> {
        Validator::of(&self.0).check()?;
        Ok(Policy(self.0))
    }
}

impl Policy {
    /// The database.
    pub fn db(&self) -> &PolicyDb {
        &self.0
    }

    /// The database, to be changed; it has to be validated again.
    pub fn into_db(self) -> PolicyDb {
        self.0
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flavor {
    Hole,
    Type,
    Attribute,
}

struct Validator<'a> {
    db: &'a PolicyDb,
    flavors: Vec<Flavor>,
    classes: Vec<bool>,
}

type Check = Result<(), ValidateError>;

fn undefined<T>(kind: &'static str, value: u32, place: &'static str) -> Result<T, ValidateError> {
    Err(ValidateError::Undefined { kind, value, place })
}

fn defined<T: Datum>(
    table: &SymbolTable<T>,
    id: T::Id,
    kind: &'static str,
    place: &'static str,
) -> Check {
    if table.get(id).is_some() { Ok(()) } else { undefined(kind, id.value(), place) }
}

fn bits_within(set: &Ebitmap, nprim: u32, kind: &'static str, place: &'static str) -> Check {
    match set.last() {
        Some(bit) if bit >= nprim => undefined(kind, bit.saturating_add(1), place),
        _ => Ok(()),
    }
}

impl<'a> Validator<'a> {
    fn of(db: &'a PolicyDb) -> Self {
        let mut flavors = vec![Flavor::Hole; db.types.nprim() as usize];
        for type_ in db.types.by_value() {
            if let Some(flavor) = flavors.get_mut(type_.id.index()) {
                *flavor = if type_.attribute { Flavor::Attribute } else { Flavor::Type };
            }
        }
        let classes = (0..db.classes.nprim())
            .map(|bit| ClassId::from_bit(bit).is_some_and(|id| db.classes.get(id).is_some()))
            .collect();
        Self { db, flavors, classes }
    }

    fn check(&self) -> Check {
        self.object_r()?;
        self.classes()?;
        self.types()?;
        self.roles()?;
        self.users()?;
        self.levels()?;
        self.rules()?;
        self.transitions()?;
        self.contexts()
    }

    fn object_r(&self) -> Check {
        match self.db.roles.get(RoleId::OBJECT) {
            Some(role) if &*role.name == OBJECT_R => Ok(()),
            other => Err(ValidateError::NoObjectR(other.map(|role| role.name.to_string()))),
        }
    }

    fn flavor(&self, id: TypeId) -> Flavor {
        self.flavors.get(id.index()).copied().unwrap_or(Flavor::Hole)
    }

    /// A type, not an attribute.
    fn type_(&self, id: TypeId, place: &'static str) -> Check {
        match self.flavor(id) {
            Flavor::Type => Ok(()),
            Flavor::Hole => undefined("type", id.value(), place),
            Flavor::Attribute => {
                let name = self.db.types.name(id).into_owned();
                Err(ValidateError::AttributeForType { name, place })
            }
        }
    }

    /// A type or an attribute. Before version 24 attributes have no entry, so a hole may be one.
    fn type_or_attribute(&self, id: TypeId, place: &'static str) -> Check {
        let nameless = self.db.version < crate::version::PolicyVersion::BOUNDARY;
        match self.flavor(id) {
            Flavor::Hole if !nameless || id.value() > self.db.types.nprim() => {
                undefined("type", id.value(), place)
            }
            _ => Ok(()),
        }
    }

    fn class(&self, id: ClassId, place: &'static str) -> Check {
        match self.classes.get(id.index()) {
            Some(true) => Ok(()),
            _ => undefined("class", id.value(), place),
        }
    }

    fn classes(&self) -> Check {
        for class in self.db.classes.iter() {
            if let Some(common) =
                class.common.as_deref().filter(|&name| self.db.commons.find(name).is_none())
            {
                let (class, common) = (class.name.to_string(), common.to_owned());
                return Err(ValidateError::UndefinedCommon { class, common });
            }
            let count = self.db.permissions(class.id).count();
            if count != self.db.permission_mask(class.id).count_ones() as usize {
                return Err(ValidateError::PermissionsOverlap(class.name.to_string()));
            }
            for constraint in &class.constraints {
                if names(constraint).any(|set| set.whose == Whose::Process) {
                    return Err(ValidateError::ThirdContext(class.name.to_string()));
                }
            }
            let constraints = class.constraints.iter().chain(&class.validatetrans);
            constraints.into_iter().try_for_each(|it| self.constraint(it))?;
        }
        Ok(())
    }

    fn constraint(&self, constraint: &Constraint) -> Check {
        let (place, most) = ("a constraint", constraint::MAX_DEPTH);
        if constraint.depth().is_none_or(|depth| depth > most) {
            return Err(ValidateError::TooDeep { place, most });
        }
        for set in names(constraint) {
            let (nprim, kind) = match set.part {
                Part::User => (self.db.users.nprim(), "user"),
                Part::Role => (self.db.roles.nprim(), "role"),
                Part::Type => (self.db.types.nprim(), "type"),
            };
            bits_within(&set.names, nprim, kind, place)?;
            bits_within(&set.written.types, self.db.types.nprim(), "type", place)?;
            bits_within(&set.written.excluded, self.db.types.nprim(), "type", place)?;
        }
        Ok(())
    }

    fn types(&self) -> Check {
        for type_ in self.db.types.iter() {
            if type_.is_alias() {
                self.type_(type_.id, "a type alias")?;
            }
            if let Some(bounds) = type_.bounds {
                self.type_(bounds, "typebounds")?;
            }
        }
        bounded(&self.db.types, "type", |it| it.bounds)?;
        let nprim = self.db.types.nprim();
        for attributes in &self.db.type_attributes {
            bits_within(attributes, nprim, "type", "the type attribute map")?;
        }
        for (set, place) in
            [(&self.db.permissive, "permissive"), (&self.db.neveraudit, "neveraudit")]
        {
            // Here the bit is the value.
            bits_within(set, nprim.saturating_add(1), "type", place)?;
        }
        Ok(())
    }

    fn roles(&self) -> Check {
        bounded(&self.db.roles, "role", |it| it.bounds)?;
        for role in self.db.roles.iter() {
            bits_within(&role.dominates, self.db.roles.nprim(), "role", "a role")?;
            bits_within(&role.types, self.db.types.nprim(), "type", "a role")?;
        }
        Ok(())
    }

    fn users(&self) -> Check {
        bounded(&self.db.users, "user", |it| it.bounds)?;
        for user in self.db.users.iter() {
            bits_within(&user.roles, self.db.roles.nprim(), "role", "a user")?;
            if !self.db.mls {
                continue;
            }
            let level = user.default_level.as_ref().is_some_and(|it| self.db.level_is_valid(it));
            let range = user.range.as_ref().is_some_and(|it| self.db.range_is_valid(it));
            if !level || !range {
                let (place, name) = ("a user", user.name.to_string());
                return Err(ValidateError::InvalidRange { place, name });
            }
        }
        Ok(())
    }

    fn levels(&self) -> Check {
        for sensitivity in self.db.sensitivities.iter() {
            let (id, nprim) = (sensitivity.id, self.db.categories.nprim());
            defined(&self.db.sensitivities, id, "sensitivity", "a sensitivity alias")?;
            bits_within(&sensitivity.categories, nprim, "category", "a sensitivity")?;
        }
        for category in self.db.categories.iter() {
            defined(&self.db.categories, category.id, "category", "a category alias")?;
        }
        Ok(())
    }

    fn rules(&self) -> Check {
        self.all_rules(&self.db.rules)?;
        for conditional in &self.db.conditionals {
            self.conditional(conditional)?;
            self.all_rules(&conditional.when_true)?;
            self.all_rules(&conditional.when_false)?;
        }
        Ok(())
    }

    /// Most of a policy: nearly every rule passes at a glance, the rest get a closer look.
    fn all_rules(&self, rules: &[AvRule]) -> Check {
        let known =
            |id: TypeId| self.flavors.get(id.index()).is_some_and(|&flavor| flavor != Flavor::Hole);
        let plain = |rule: &&AvRule| {
            let class = self.classes.get(rule.class().index());
            class == Some(&true) && known(rule.source) && known(rule.target) && !rule.kind.is_type()
        };
        rules.iter().filter(|rule| !plain(rule)).try_for_each(|rule| self.rule(rule))
    }

    fn rule(&self, rule: &AvRule) -> Check {
        let place = "a type enforcement rule";
        self.type_or_attribute(rule.source, place)?;
        self.type_or_attribute(rule.target, place)?;
        self.class(rule.class(), place)?;
        if rule.kind.is_type() {
            return match rule.default_type() {
                Some(id) => self.type_(id, rule.kind.keyword()),
                None => undefined("type", 0, rule.kind.keyword()),
            };
        }
        Ok(())
    }

    fn conditional(&self, conditional: &Conditional) -> Check {
        for id in conditional.booleans() {
            defined(&self.db.booleans, id, "boolean", "a conditional block")?;
        }
        if conditional.evaluate(|_| Some(false)).is_none() {
            let (place, most) = ("the condition of a block", conditional::MAX_DEPTH);
            return Err(ValidateError::TooDeep { place, most });
        }
        Ok(())
    }

    fn transitions(&self) -> Check {
        let db = self.db;
        for it in &db.role_transitions {
            defined(&db.roles, it.role, "role", "a role_transition")?;
            defined(&db.roles, it.new_role, "role", "a role_transition")?;
            self.type_or_attribute(it.type_, "a role_transition")?;
            it.class.map_or(Ok(()), |class| self.class(class, "a role_transition"))?;
        }
        for it in &db.role_allows {
            defined(&db.roles, it.role, "role", "a role allow")?;
            defined(&db.roles, it.new_role, "role", "a role allow")?;
        }
        for it in &db.range_transitions {
            self.type_or_attribute(it.source, "a range_transition")?;
            self.type_or_attribute(it.target, "a range_transition")?;
            it.class.map_or(Ok(()), |class| self.class(class, "a range_transition"))?;
            if !db.range_is_valid(&it.range) {
                let (place, name) = ("a range_transition", db.types.name(it.source).into_owned());
                return Err(ValidateError::InvalidRange { place, name });
            }
        }
        self.filename_transitions()
    }

    fn filename_transitions(&self) -> Check {
        let place = "a filename transition";
        match &self.db.filename_transitions {
            FilenameTransitions::Single(singles) => singles.iter().try_for_each(|it| {
                self.type_or_attribute(it.source, place)?;
                self.type_or_attribute(it.target, place)?;
                self.class(it.class, place)?;
                self.type_(it.default_type, place)
            }),
            FilenameTransitions::Grouped(groups) => groups.iter().try_for_each(|group| {
                self.type_or_attribute(group.target, place)?;
                self.class(group.class, place)?;
                group.defaults.iter().try_for_each(|(sources, default_type)| {
                    bits_within(sources, self.db.types.nprim(), "type", place)?;
                    self.type_(*default_type, place)
                })
            }),
        }
    }

    fn contexts(&self) -> Check {
        let objects = self.db.object_contexts.contexts();
        objects.into_iter().try_for_each(|it| self.context(it, "an object context"))?;
        for path in self.db.genfs.iter().flat_map(|it| &it.paths) {
            path.class.map_or(Ok(()), |class| self.class(class, "a genfscon"))?;
            self.context(&path.context, "a genfscon")?;
        }
        Ok(())
    }

    fn context(&self, context: &Context, place: &'static str) -> Check {
        if self.db.context_is_valid(context) {
            return Ok(());
        }
        let context = self.db.context_to_string(context);
        Err(ValidateError::InvalidContext { place, context })
    }
}

fn names(constraint: &Constraint) -> impl Iterator<Item = &NameSet> {
    constraint.expression.iter().filter_map(|term| match term {
        Term::Names(set) => Some(set),
        _ => None,
    })
}

/// Bounds lead to symbols, without loops.
fn bounded<T: Datum>(
    table: &SymbolTable<T>,
    kind: &'static str,
    bounds: impl Fn(&T) -> Option<T::Id>,
) -> Check {
    for datum in table.iter() {
        let mut upper = bounds(datum);
        for depth in 0.. {
            let Some(id) = upper else { break };
            let Some(next) = table.get(id) else {
                return undefined(kind, id.value(), "a bound");
            };
            if depth == MAX_BOUNDS {
                let name = datum.name().to_owned();
                return Err(ValidateError::BoundsTooDeep { kind, name });
            }
            upper = bounds(next);
        }
    }
    Ok(())
}

impl PolicyDb {
    /// Does the policy allow this context: user, role and type fit each other, and the range fits the user?
    /// `object_r` fits every user, type and range.
    pub fn context_is_valid(&self, context: &Context) -> bool {
        let (Some(user), Some(role), Some(type_)) = (
            self.users.get(context.user),
            self.roles.get(context.role),
            self.types.get(context.type_),
        ) else {
            return false;
        };
        let object = context.role == RoleId::OBJECT;
        let fits = object || role.types.has(context.type_) && user.roles.has(context.role);
        if type_.attribute || !fits {
            return false;
        }
        if !self.mls {
            return true;
        }
        let Some(range) = &context.range else { return false };
        let within_user = || user.range.as_ref().is_some_and(|outer| outer.contains(range));
        self.range_is_valid(range) && (object || within_user())
    }

    /// Are both levels valid, and does the high one dominate the low one?
    pub fn range_is_valid(&self, range: &MlsRange) -> bool {
        self.level_is_valid(&range.low)
            && self.level_is_valid(&range.high)
            && range.high.dominates(&range.low)
    }

    /// Is the sensitivity defined, and may it have these categories?
    pub fn level_is_valid(&self, level: &MlsLevel) -> bool {
        let sensitivity = self.sensitivities.get(level.sensitivity);
        sensitivity.is_some_and(|it| it.categories.is_superset(&level.categories))
    }
}
