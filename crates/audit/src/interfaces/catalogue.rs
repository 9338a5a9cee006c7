//! Interfaces in terms of one policy, filed by what they grant.

use mandate_policydb::{ClassId, PolicyDb, RuleKind, SymbolId, TypeId};
use mandate_query::types::TypeSets;
use rustc_hash::{FxHashMap, FxHashSet};

use super::listing::{Listed, Listing, NONE, PARAMETER, Word};

/// A type or attribute, or the argument of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Argument(u32),
    Type(TypeId),
    /// The target is the source.
    Itself,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    source: Who,
    target: Who,
    class: ClassId,
    permissions: u32,
}

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    parameters: u32,
    grants: Vec<Grant>,
    /// Attributes that the first argument gets.
    attributes: Vec<TypeId>,
    /// How many permissions it grants, over all types.
    cost: u64,
}

/// A transition of an interface whose source is its first argument.
#[derive(Debug)]
struct Filed {
    entry: u32,
    class: Word,
    result: Word,
    name: Word,
}

/// Interfaces that can be called with the names of one policy.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
    /// By target and class: entries with permissions that their first argument gets.
    by_target: FxHashMap<(TypeId, ClassId), Vec<(u32, u32)>>,
    /// The same of the argument with itself.
    by_self: FxHashMap<ClassId, Vec<(u32, u32)>>,
    by_attribute: FxHashMap<TypeId, Vec<u32>>,
    /// By target and class: attributes with permissions that the policy gives them.
    of_attributes: FxHashMap<(TypeId, ClassId), Vec<(TypeId, u32)>>,
    /// By the type of the program, or of the folder.
    transitions: FxHashMap<TypeId, Vec<Filed>>,
    /// Names that transitions use.
    names: Vec<Box<str>>,
}

/// An interface that grants what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The call: `name(argument)`.
    pub call: String,
    /// How many permissions it grants besides, over all types.
    pub excess: u64,
    pub(crate) entry: u32,
}

/// What an interface is to grant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) source: TypeId,
    pub(crate) target: TypeId,
    pub(crate) class: ClassId,
    pub(crate) permissions: u32,
}

impl Catalogue {
    /// Interfaces of `listing` of which this policy has all that they require.
    pub fn new(listing: &Listing, db: &PolicyDb) -> Self {
        let sets = TypeSets::new(db);
        let mut this = Self { names: listing.names.clone(), ..Self::default() };
        let costs = this.file_attributes(db, &sets);
        let known = Known::of(listing, db);
        for listed in &listing.interfaces {
            this.file(listed, &known, &sets, &costs);
        }
        this
    }

    /// Files what the policy grants attributes, and counts it.
    fn file_attributes(&mut self, db: &PolicyDb, sets: &TypeSets<'_>) -> FxHashMap<TypeId, u64> {
        let mut costs: FxHashMap<TypeId, u64> = FxHashMap::default();
        for rule in db.rules.iter().filter(|it| it.kind == RuleKind::Allow) {
            if sets.is_attribute(rule.source) {
                let granted = (rule.source, rule.permissions());
                self.of_attributes.entry((rule.target, rule.class())).or_default().push(granted);
                *costs.entry(rule.source).or_default() +=
                    weight(sets, rule.target, rule.permissions());
            }
        }
        costs
    }

    fn file(
        &mut self,
        listed: &Listed,
        known: &Known<'_>,
        sets: &TypeSets<'_>,
        costs: &FxHashMap<TypeId, u64>,
    ) {
        let there = |word: &Word| known.who(*word).is_some();
        if !listed.requires.iter().all(there) {
            return;
        }
        let entry = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let grants: Vec<Grant> = listed.grants.iter().filter_map(|it| known.grant(it)).collect();
        let first = Who::Argument(1);
        let attributes = listed.attributes.iter().filter_map(|[name, attribute]| {
            match (known.who(*name)?, known.who(*attribute)?) {
                (who, Who::Type(attribute)) if who == first => Some(attribute),
                _ => None,
            }
        });
        let attributes: Vec<TypeId> = attributes.collect();
        let mut cost = u64::from(listed.more);
        for it in &grants {
            let target = if let Who::Type(id) = it.target { Some(id) } else { None };
            let one = u64::from(it.permissions.count_ones());
            let own = target.map_or(one, |id| weight(sets, id, it.permissions));
            let sources =
                if let Who::Type(id) = it.source { sets.members(id).len() as u64 } else { 1 };
            cost = cost.saturating_add(own.saturating_mul(sources.max(1)));
            if it.source == first {
                self.file_grant(entry, it);
            }
        }
        cost += attributes.iter().filter_map(|it| costs.get(it)).sum::<u64>();
        for &it in &attributes {
            self.by_attribute.entry(it).or_default().push(entry);
        }
        for &[source, target, class, result, name] in &listed.transitions {
            if let (Some(Who::Argument(1)), Some(Who::Type(target))) =
                (known.who(source), known.who(target))
            {
                let filed = Filed { entry, class, result, name };
                self.transitions.entry(target).or_default().push(filed);
            }
        }
        let name = self.names.get(listed.name as usize).cloned().unwrap_or_default();
        let parameters = listed.parameters;
        self.entries.push(Entry { name, parameters, grants, attributes, cost });
    }

    fn file_grant(&mut self, entry: u32, it: &Grant) {
        let list = match it.target {
            Who::Type(target) => self.by_target.entry((target, it.class)).or_default(),
            Who::Argument(1) | Who::Itself => self.by_self.entry(it.class).or_default(),
            Who::Argument(_) => return,
        };
        list.push((entry, it.permissions));
    }

    /// Interfaces of one parameter that grant all that is wanted, the least first.
    pub(crate) fn granting(&self, db: &PolicyDb, wanted: Wanted) -> Vec<Found> {
        let mut granted: FxHashMap<u32, u32> = FxHashMap::default();
        let mut add = |(entry, permissions): (u32, u32)| {
            *granted.entry(entry).or_default() |= permissions & wanted.permissions;
        };
        let groups = db.type_attributes.get(wanted.target.index());
        for group in groups.into_iter().flat_map(|it| it.ids::<TypeId>()) {
            let key = (group, wanted.class);
            self.by_target.get(&key).into_iter().flatten().for_each(|&it| add(it));
            for (attribute, permissions) in self.of_attributes.get(&key).into_iter().flatten() {
                let with = self.by_attribute.get(attribute).into_iter().flatten();
                with.for_each(|&entry| add((entry, *permissions)));
            }
        }
        if wanted.source == wanted.target {
            self.by_self.get(&wanted.class).into_iter().flatten().for_each(|&it| add(it));
        }
        let enough = granted.into_iter().filter(|it| it.1 == wanted.permissions);
        let mut enough: Vec<(u64, &str, u32)> = enough
            .filter_map(|(at, _)| {
                let entry = self.entries.get(at as usize).filter(|it| it.parameters == 1)?;
                Some((entry.cost, &*entry.name, at))
            })
            .collect();
        enough.sort_unstable();
        let asked = u64::from(wanted.permissions.count_ones());
        let found = enough.into_iter().map(|(cost, name, entry)| Found {
            call: format!("{name}({})", db.types.name(wanted.source)),
            excess: cost.saturating_sub(asked),
            entry,
        });
        found.collect()
    }

    /// Interfaces that give `source` the transition to `result` at `target` for a class, the least first.
    pub(crate) fn transition(
        &self,
        db: &PolicyDb,
        [source, target, result]: [TypeId; 3],
        class: &str,
        name: Option<&str>,
    ) -> Vec<Found> {
        let mut found: Vec<(u64, Found)> = Vec::new();
        let mut seen = FxHashSet::default();
        for filed in self.transitions.get(&target).into_iter().flatten() {
            let Some(entry) = self.entries.get(filed.entry as usize) else { continue };
            let mut arguments = vec![None; entry.parameters as usize];
            let source_name = db.types.name(source);
            let result_name = db.types.name(result);
            let binds = bind(&mut arguments, PARAMETER + 1, &source_name, &self.names)
                && bind(&mut arguments, filed.class, class, &self.names)
                && bind(&mut arguments, filed.result, &result_name, &self.names)
                && match (filed.name, name) {
                    (NONE, _) => true,
                    (word, Some(name)) => bind(&mut arguments, word, name, &self.names),
                    // An argument that is left out leaves the transition without a name.
                    (word, None) => word > PARAMETER,
                };
            if !binds || !seen.insert(filed.entry) {
                continue;
            }
            while arguments.last().is_some_and(Option::is_none) {
                arguments.pop();
            }
            let Some(arguments) = arguments.into_iter().collect::<Option<Vec<String>>>() else {
                continue;
            };
            let call = format!("{}({})", entry.name, arguments.join(", "));
            found.push((entry.cost, Found { call, excess: entry.cost, entry: filed.entry }));
        }
        found.sort_by(|a, b| (a.0, &a.1.call).cmp(&(b.0, &b.1.call)));
        found.into_iter().map(|it| it.1).collect()
    }

    /// Calls `each` with what an interface grants if it is called for `source`: source, target, class, permissions. What depends
    /// on other arguments is left out.
    pub(crate) fn granted(
        &self,
        found: &Found,
        source: TypeId,
        mut each: impl FnMut(TypeId, TypeId, ClassId, u32),
    ) {
        let Some(entry) = self.entries.get(found.entry as usize) else { return };
        let own = |who: Who| match who {
            Who::Argument(1) | Who::Itself => Some(source),
            Who::Type(id) => Some(id),
            Who::Argument(_) => None,
        };
        for it in &entry.grants {
            if let (Some(from), Some(to)) = (own(it.source), own(it.target)) {
                each(from, to, it.class, it.permissions);
            }
        }
        if entry.attributes.is_empty() {
            return;
        }
        for (&(target, class), granted) in &self.of_attributes {
            for (attribute, permissions) in granted {
                if entry.attributes.contains(attribute) {
                    each(source, target, class, *permissions);
                }
            }
        }
    }
}

/// Does a word of an interface stand for `value`, or can it?
fn bind(arguments: &mut [Option<String>], word: Word, value: &str, names: &[Box<str>]) -> bool {
    if word < PARAMETER {
        return names.get(word as usize).is_some_and(|it| **it == *value);
    }
    let at = (word - PARAMETER) as usize;
    match at.checked_sub(1).and_then(|it| arguments.get_mut(it)) {
        Some(Some(bound)) => bound == value,
        Some(free) => {
            *free = Some(value.to_owned());
            true
        }
        None => false,
    }
}

/// Permissions on every type that `target` stands for.
fn weight(sets: &TypeSets<'_>, target: TypeId, permissions: u32) -> u64 {
    sets.members(target).len() as u64 * u64::from(permissions.count_ones())
}

/// The words of a listing in a policy.
struct Known<'a> {
    listing: &'a Listing,
    db: &'a PolicyDb,
    types: Vec<Option<TypeId>>,
    classes: Vec<Option<ClassId>>,
    /// Permissions by class and place of the set.
    masks: std::cell::RefCell<FxHashMap<(ClassId, u32), u32>>,
}

impl<'a> Known<'a> {
    fn of(listing: &'a Listing, db: &'a PolicyDb) -> Self {
        let types = listing.names.iter().map(|it| db.types.id(it)).collect();
        let classes = listing.names.iter().map(|it| db.classes.id(it)).collect();
        Self { listing, db, types, classes, masks: std::cell::RefCell::default() }
    }

    fn who(&self, word: Word) -> Option<Who> {
        if word > PARAMETER {
            return Some(Who::Argument(word - PARAMETER));
        }
        if self.listing.names.get(word as usize).is_some_and(|it| **it == *"self") {
            return Some(Who::Itself);
        }
        self.types.get(word as usize).copied().flatten().map(Who::Type)
    }

    fn grant(&self, &[source, target, class, set]: &[Word; 4]) -> Option<Grant> {
        let class = self.classes.get(class as usize).copied().flatten()?;
        let permissions = self.mask(class, set);
        let (source, target) = (self.who(source)?, self.who(target)?);
        (permissions != 0).then_some(Grant { source, target, class, permissions })
    }

    fn mask(&self, class: ClassId, set: u32) -> u32 {
        *self.masks.borrow_mut().entry((class, set)).or_insert_with(|| {
            let Some(words) = self.listing.sets.get(set as usize) else { return 0 };
            if words.is_empty() {
                return self.db.permission_mask(class);
            }
            let names = words.iter().filter_map(|&it| self.listing.names.get(it as usize));
            let bits = names.filter_map(|it| Some(self.db.permission(class, it)?.mask()));
            bits.fold(0, |all, it| all | it)
        })
    }
}
