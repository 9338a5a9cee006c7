//! New values of symbols: those there were, without the gaps.

use crate::context::Context;
use crate::db::PolicyDb;
use crate::ebitmap::Ebitmap;
use crate::ids::SymbolId;
use crate::mls::{MlsLevel, MlsRange};
use crate::symtab::{Datum, SymbolTable};

/// New values by old ones; 0 where there was a gap.
pub(super) struct Map {
    values: Vec<u32>,
    count: u32,
}

impl Map {
    fn of<T: Datum>(table: &SymbolTable<T>) -> Self {
        let mut values = vec![0; table.nprim() as usize];
        let mut count = 0;
        for datum in table.by_value() {
            count += 1;
            if let Some(value) = values.get_mut(datum.id().index()) {
                *value = count;
            }
        }
        Self { values, count }
    }

    /// How many symbols there are.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The new identifier, if the symbol is there.
    pub(super) fn id<I: SymbolId>(&self, old: I) -> Option<I> {
        I::from_value(*self.values.get(old.index())?)
    }

    /// The same set under the new values.
    pub(super) fn set(&self, old: &Ebitmap) -> Ebitmap {
        let new = |bit: u32| self.values.get(usize::try_from(bit).ok()?)?.checked_sub(1);
        old.iter().filter_map(new).collect()
    }
}

/// Of all kinds of symbols.
pub(super) struct Numbers {
    pub(super) commons: Map,
    pub(super) classes: Map,
    pub(super) roles: Map,
    pub(super) types: Map,
    pub(super) users: Map,
    pub(super) booleans: Map,
    pub(super) sensitivities: Map,
    pub(super) categories: Map,
    mls: bool,
}

impl Numbers {
    pub(super) fn of(db: &PolicyDb) -> Self {
        Self {
            commons: Map::of(&db.commons),
            classes: Map::of(&db.classes),
            roles: Map::of(&db.roles),
            types: Map::of(&db.types),
            users: Map::of(&db.users),
            booleans: Map::of(&db.booleans),
            sensitivities: Map::of(&db.sensitivities),
            categories: Map::of(&db.categories),
            mls: db.mls,
        }
    }

    pub(super) fn level(&self, level: &MlsLevel) -> Option<MlsLevel> {
        Some(MlsLevel {
            sensitivity: self.sensitivities.id(level.sensitivity)?,
            categories: self.categories.set(&level.categories),
        })
    }

    pub(super) fn range(&self, range: &MlsRange) -> Option<MlsRange> {
        Some(MlsRange { low: self.level(&range.low)?, high: self.level(&range.high)? })
    }

    pub(super) fn context(&self, context: &Context) -> Option<Context> {
        let range = match &context.range {
            Some(range) if self.mls => Some(self.range(range)?),
            _ => None,
        };
        Some(Context {
            user: self.users.id(context.user)?,
            role: self.roles.id(context.role)?,
            type_: self.types.id(context.type_)?,
            range,
        })
    }
}
