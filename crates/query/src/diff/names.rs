//! One numbering for the names of both policies, so that their rules can be laid side by side.
//!
//! Types, classes and permissions are numbered by name: what is sorted by number is sorted by name. A *handle* is what a rule names:
//! a type by its number, and above these an attribute.

use mandate_policydb::{ClassId, Datum, PolicyDb, SymbolId, TypeId};
use rustc_hash::FxHashMap;

/// No number: the policy has no such symbol.
pub(super) const NONE: u32 = u32::MAX;

/// A class of either policy, with the permissions of both.
#[derive(Debug)]
pub(super) struct ClassNames<'a> {
    pub(super) name: &'a str,
    /// By bit of a joined access vector.
    pub(super) permissions: Vec<&'a str>,
}

/// The names of both policies.
#[derive(Debug)]
pub(super) struct Names<'a> {
    /// Types, not attributes.
    pub(super) types: Vec<&'a str>,
    pub(super) classes: Vec<ClassNames<'a>>,
    /// Conditions as they are shown.
    pub(super) conditions: Vec<Box<str>>,
}

/// The types behind a handle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Members {
    /// The policy has no such type or attribute, or nothing is in it.
    #[default]
    Nobody,
    /// One type.
    One(u32),
    /// Several: in order, and as bits.
    Many(Vec<u32>, Vec<u64>),
}

impl Members {
    fn of(list: Vec<u32>, types: usize) -> Self {
        match list.as_slice() {
            [] => Self::Nobody,
            [one] => Self::One(*one),
            several => {
                let mut bits = vec![0u64; types.div_ceil(64)];
                for &it in several {
                    if let Some(word) = bits.get_mut(it as usize / 64) {
                        *word |= 1 << (it % 64);
                    }
                }
                Self::Many(list, bits)
            }
        }
    }

    pub(super) fn list(&self) -> &[u32] {
        match self {
            Self::Nobody => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(list, _) => list,
        }
    }

    pub(super) fn has(&self, it: u32) -> bool {
        match self {
            Self::Nobody => false,
            Self::One(one) => *one == it,
            Self::Many(_, bits) => {
                bits.get(it as usize / 64).is_some_and(|word| word >> (it % 64) & 1 == 1)
            }
        }
    }
}

/// One policy in the joined numbering.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) db: &'a PolicyDb,
    /// By [`TypeId::index`]: the handle.
    handles: Vec<u32>,
    /// By handle: its types.
    members: Vec<Members>,
    /// By number of a type: the handles that mean it.
    groups: Vec<Vec<u32>>,
    /// By [`ClassId::index`]: the number.
    classes: Vec<u32>,
    /// By [`ClassId::index`], then by bit: the bit of a joined access vector, or none.
    permissions: Vec<[u64; 32]>,
    /// By conditional block: the number of its condition.
    pub(super) conditions: Vec<u32>,
}

impl<'a> Side<'a> {
    pub(super) fn handle(&self, id: TypeId) -> u32 {
        self.handles.get(id.index()).copied().unwrap_or(NONE)
    }

    /// The types behind a handle.
    pub(super) fn members(&self, handle: u32) -> &Members {
        self.members.get(handle as usize).unwrap_or(&Members::Nobody)
    }

    /// The types that a rule about this type or attribute is about.
    pub(super) fn types(&self, id: TypeId) -> &Members {
        self.members(self.handle(id))
    }

    /// The handles that mean a type.
    pub(super) fn groups(&self, type_: u32) -> &[u32] {
        self.groups.get(type_ as usize).map_or(&[], Vec::as_slice)
    }

    /// How many handles there are.
    pub(super) fn handles(&self) -> usize {
        self.members.len()
    }

    pub(super) fn class(&self, id: ClassId) -> u32 {
        self.classes.get(id.index()).copied().unwrap_or(NONE)
    }

    /// The class of a rule that may name none: `process`.
    pub(super) fn class_or_process(&self, id: Option<ClassId>) -> u32 {
        id.or_else(|| self.db.classes.id("process")).map_or(NONE, |it| self.class(it))
    }

    /// An access vector of a class in the joined numbering; bits that no permission has are left out.
    pub(super) fn joined(&self, class: ClassId, vector: u32) -> u64 {
        let Some(map) = self.permissions.get(class.index()) else { return 0 };
        let (mut joined, mut rest) = (0, vector);
        while rest != 0 {
            joined |= map.get(rest.trailing_zeros() as usize).copied().unwrap_or(0);
            rest &= rest - 1;
        }
        joined
    }

    fn new(db: &'a PolicyDb, types: &[&str], classes: &[ClassNames<'_>]) -> Self {
        let numbers = (1..=db.classes.nprim()).map(|value| {
            let name = ClassId::from_value(value).and_then(|it| db.classes.get(it));
            let found = name.map(|it| classes.binary_search_by(|known| known.name.cmp(&it.name)));
            found.and_then(Result::ok).map_or(NONE, number)
        });
        let numbers: Vec<u32> = numbers.collect();
        let permissions = (1..).zip(&numbers).map(|(value, &at)| {
            let known = classes.get(at as usize).map_or(&[][..], |it| &it.permissions);
            permission_map(db, value, known)
        });
        Self {
            handles: type_handles(db, types),
            members: Vec::new(),
            groups: vec![Vec::new(); types.len()],
            permissions: permissions.collect(),
            classes: numbers,
            conditions: Vec::new(),
            db,
        }
    }

    /// Gives attributes their handles, those of one name the same on both sides, and every handle its types.
    fn add_attributes(&mut self, attributes: &FxHashMap<Attribute<'a>, u32>, types: usize) {
        for (at, handle) in self.handles.iter_mut().enumerate().filter(|it| *it.1 == NONE) {
            let known = attribute(self.db, at).and_then(|it| attributes.get(&it));
            *handle = known.copied().unwrap_or(NONE);
        }
        let mut lists = vec![Vec::new(); types + attributes.len()];
        for (bit, groups) in self.db.type_attributes.iter().enumerate() {
            let own = self.handles.get(bit).copied().filter(|it| (*it as usize) < types);
            let Some(own) = own else { continue };
            for group in groups.iter() {
                let handle = self.handles.get(group as usize).copied().unwrap_or(NONE);
                if let Some(list) = lists.get_mut(handle as usize) {
                    list.push(own);
                }
            }
        }
        for (handle, list) in (0u32..).zip(&mut lists) {
            list.sort_unstable();
            list.dedup();
            for &it in list.iter() {
                if let Some(groups) = self.groups.get_mut(it as usize) {
                    groups.push(handle);
                }
            }
        }
        self.members = lists.into_iter().map(|it| Members::of(it, types)).collect();
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}

/// The bit of each permission of a class in a joined access vector.
fn permission_map(db: &PolicyDb, class: u32, known: &[&str]) -> [u64; 32] {
    let mut map = [0; 32];
    let Some(class) = ClassId::from_value(class) else { return map };
    for permission in db.permissions(class) {
        let joined = known.binary_search(&&*permission.name);
        if let (Some(place), Ok(bit)) = (map.get_mut(permission.id.index()), joined) {
            *place = 1u64.rotate_left(number(bit));
        }
    }
    map
}

fn type_handles(db: &PolicyDb, types: &[&str]) -> Vec<u32> {
    let handle = |value| {
        let datum = TypeId::from_value(value).and_then(|it| db.types.get(it));
        let found = datum.filter(|it| !it.attribute).map(|it| types.binary_search(&&*it.name));
        found.and_then(Result::ok).map_or(NONE, number)
    };
    (1..=db.types.nprim()).map(handle).collect()
}

/// What makes an attribute the same in both policies: its name, or its number where the version keeps no names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Attribute<'a> {
    Named(&'a str),
    Nameless(usize),
}

fn attribute(db: &PolicyDb, at: usize) -> Option<Attribute<'_>> {
    let id = TypeId::from_bit(u32::try_from(at).ok()?)?;
    match db.types.get(id) {
        Some(it) => it.attribute.then_some(Attribute::Named(&it.name)),
        None => Some(Attribute::Nameless(at)),
    }
}

fn type_names(db: &PolicyDb) -> impl Iterator<Item = &str> {
    db.types.by_value().filter(|it| !it.attribute).map(|it| &*it.name)
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn class_names<'a>(dbs: [&'a PolicyDb; 2]) -> Vec<ClassNames<'a>> {
    let names = sorted(dbs.iter().flat_map(|db| db.classes.by_value().map(Datum::name)));
    let permissions = |db: &'a PolicyDb, name: &str| {
        let class = db.classes.id(name);
        class.into_iter().flat_map(move |it| db.permissions(it).map(Datum::name))
    };
    let of_both = |name| {
        let [first, second] = dbs;
        sorted(permissions(first, name).chain(permissions(second, name)))
    };
    names.into_iter().map(|name| ClassNames { name, permissions: of_both(name) }).collect()
}

/// The condition of a block as it is shown, and as none but the same condition is written.
pub(super) type Condition = (String, String);

/// Numbers both policies; `conditions` are those of their blocks.
pub(super) fn join<'a>(
    dbs: [&'a PolicyDb; 2],
    conditions: [Vec<Condition>; 2],
) -> (Names<'a>, [Side<'a>; 2]) {
    let types = sorted(dbs.iter().flat_map(|db| type_names(db)));
    let classes = class_names(dbs);
    let mut sides = dbs.map(|db| Side::new(db, &types, &classes));
    let mut attributes = FxHashMap::default();
    for db in dbs {
        for it in (0..db.types.nprim() as usize).filter_map(|at| attribute(db, at)) {
            let next = number(types.len() + attributes.len());
            attributes.entry(it).or_insert(next);
        }
    }
    let mut known: Vec<&Condition> = conditions.iter().flatten().collect();
    known.sort_unstable();
    known.dedup();
    for (side, conditions) in sides.iter_mut().zip(&conditions) {
        side.add_attributes(&attributes, types.len());
        let at = |it: &Condition| known.binary_search(&it);
        side.conditions = conditions.iter().map(|it| at(it).map_or(NONE, number)).collect();
    }
    let conditions = known.iter().map(|it| it.0.as_str().into()).collect();
    (Names { types, classes, conditions }, sides)
}
