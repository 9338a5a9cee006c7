//! From the values of one policy to those of another, by name.

use mandate_policydb::{
    BoolId, CategoryId, ClassId, Datum, Ebitmap, ExtendedPermissions, MlsLevel, MlsRange, PolicyDb,
    RoleId, SensitivityId, SymbolId, SymbolTable, TypeId, UserId,
};

use crate::assertion::Assertion;

/// Values of one table in another.
#[derive(Debug)]
pub(super) struct Table<I> {
    /// By the value in the one.
    ids: Vec<Option<I>>,
    /// How high values go in the other, with those added.
    pub(super) nprim: u32,
}

impl<I: SymbolId> Table<I> {
    /// Finds the symbols of `from` in `to`; those that are not there get the values after its last.
    fn new<T: Datum<Id = I>>(from: &SymbolTable<T>, to: &SymbolTable<T>) -> Self {
        let mut table = Self { ids: vec![None; from.nprim() as usize], nprim: to.nprim() };
        for it in from.by_value() {
            let id = to.id(it.name()).or_else(|| {
                table.nprim += 1;
                I::from_value(table.nprim)
            });
            if let Some(slot) = table.ids.get_mut(it.id().index()) {
                *slot = id;
            }
        }
        table
    }

    /// The value in the other. What a policy names is in its tables.
    pub(super) fn id(&self, id: I) -> I {
        self.ids.get(id.index()).copied().flatten().unwrap_or(id)
    }

    pub(super) fn bits(&self, bits: &Ebitmap) -> Ebitmap {
        let mut values: Vec<u32> = bits.ids().map(|id: I| self.id(id).bit()).collect();
        values.sort_unstable();
        Ebitmap::from_bits(values)
    }
}

/// Values of one policy in another.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) types: Table<TypeId>,
    pub(super) roles: Table<RoleId>,
    pub(super) users: Table<UserId>,
    pub(super) booleans: Table<BoolId>,
    classes: Table<ClassId>,
    sensitivities: Table<SensitivityId>,
    categories: Table<CategoryId>,
    /// By class value in the one − 1: for each of its permissions those bits in the other.
    permissions: Vec<[u32; 32]>,
}

impl Map {
    pub(super) fn new(from: &PolicyDb, to: &PolicyDb) -> Self {
        let mut map = Self {
            types: Table::new(&from.types, &to.types),
            roles: Table::new(&from.roles, &to.roles),
            users: Table::new(&from.users, &to.users),
            booleans: Table::new(&from.booleans, &to.booleans),
            classes: Table::new(&from.classes, &to.classes),
            sensitivities: Table::new(&from.sensitivities, &to.sensitivities),
            categories: Table::new(&from.categories, &to.categories),
            permissions: vec![[0; 32]; from.classes.nprim() as usize],
        };
        for class in from.classes.by_value() {
            let target = map.classes.id(class.id);
            let bits = from.permissions(class.id).filter_map(|it| {
                Some((it.id.bit(), 1u32.checked_shl(to.permission(target, &it.name)?.bit())?))
            });
            let bits: Vec<(u32, u32)> = bits.collect();
            if let Some(row) = map.permissions.get_mut(class.id.index()) {
                bits.iter().for_each(|&(bit, there)| row[bit as usize & 31] = there);
            }
        }
        map
    }

    pub(super) fn class(&self, id: ClassId) -> ClassId {
        self.classes.id(id)
    }

    /// Permissions of `class`, which is of the one policy.
    pub(super) fn permissions(&self, class: ClassId, permissions: u32) -> u32 {
        let Some(row) = self.permissions.get(class.index()) else { return 0 };
        (0..32).filter(|bit| permissions >> bit & 1 == 1).fold(0, |all, bit| all | row[bit])
    }

    pub(super) fn level(&self, level: &MlsLevel) -> MlsLevel {
        MlsLevel {
            sensitivity: self.sensitivities.id(level.sensitivity),
            categories: self.categories.bits(&level.categories),
        }
    }

    pub(super) fn range(&self, range: &MlsRange) -> MlsRange {
        MlsRange { low: self.level(&range.low), high: self.level(&range.high) }
    }

    pub(super) fn assertion(&self, it: &Assertion) -> Assertion {
        let xperms: Vec<ExtendedPermissions> = it.xperms.clone();
        Assertion {
            source: self.types.bits(&it.source),
            target: self.types.bits(&it.target),
            class: self.class(it.class),
            permissions: self.permissions(it.class, it.permissions),
            xperms,
            ..it.clone()
        }
    }
}
