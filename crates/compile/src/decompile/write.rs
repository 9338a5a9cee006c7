//! Makes units: names, lists, sets and levels go to their pools.

use mandate_policydb::{Datum, Ebitmap, MlsLevel, MlsRange, PolicyDb, SymbolId, SymbolTable};
use mandate_syntax::kernel::ast::{
    self, CategoryRange, Ident, Idents, Level, Set, SetForm, SetItem, Slice, Statement,
    StatementKind, Unit,
};
use mandate_syntax::source::Span;

/// Places in pools: a policy has fewer symbols.
pub(crate) fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a policy has fewer symbols")
}

/// A unit that is being written.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) unit: Unit,
}

impl Writer {
    pub(crate) fn push(&mut self, kind: StatementKind) {
        self.unit.statements.push(Statement { span: Span::NOWHERE, kind });
    }

    pub(crate) fn ident(&mut self, name: &str) -> Ident {
        Ident { name: self.unit.names.intern(name), span: Span::NOWHERE }
    }

    /// A list of names that are known.
    pub(crate) fn list(&mut self, names: impl IntoIterator<Item = Ident>) -> Idents {
        let start = small(self.unit.idents.len());
        self.unit.idents.extend(names);
        Slice { start, end: small(self.unit.idents.len()) }
    }

    /// A list of names.
    pub(crate) fn idents<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Idents {
        let start = small(self.unit.idents.len());
        for name in names {
            let ident = self.ident(name);
            self.unit.idents.push(ident);
        }
        Slice { start, end: small(self.unit.idents.len()) }
    }

    /// A set of names that are known.
    pub(crate) fn set_of(&mut self, names: impl IntoIterator<Item = Ident>) -> Set {
        let start = small(self.unit.set_items.len());
        let items = names.into_iter().map(|ident| SetItem { ident, excluded: false });
        self.unit.set_items.extend(items);
        let items = Slice { start, end: small(self.unit.set_items.len()) };
        Set { form: SetForm::Listed, items, span: Span::NOWHERE }
    }

    /// A level, neighbours among its categories as ranges.
    pub(crate) fn level(&mut self, db: &PolicyDb, level: &MlsLevel) -> Level {
        let sensitivity = self.ident(&db.sensitivities.name(level.sensitivity));
        let start = small(self.unit.category_ranges.len());
        let mut bits = level.categories.iter().peekable();
        while let Some(first) = bits.next() {
            let mut last = first;
            while let Some(next) = bits.next_if(|&it| last.checked_add(1) == Some(it)) {
                last = next;
            }
            let name = |bit| SymbolId::from_bit(bit).map(|id| db.categories.name(id));
            let low = self.ident(&name(first).unwrap_or_default());
            let high = self.ident(&name(last).unwrap_or_default());
            self.unit.category_ranges.push(CategoryRange { low, high });
        }
        let categories = Slice { start, end: small(self.unit.category_ranges.len()) };
        Level { sensitivity, categories }
    }

    pub(crate) fn range(&mut self, db: &PolicyDb, range: &MlsRange) -> ast::MlsRange {
        let low = self.level(db, &range.low);
        let high = if range.low == range.high { low } else { self.level(db, &range.high) };
        ast::MlsRange { low, high, span: Span::NOWHERE }
    }
}

/// The names of the symbols of a kind, as one of a list and of a set each.
pub(super) struct Kind {
    /// By value − 1. Policies without gaps alone are decompiled.
    idents: Vec<Ident>,
    /// Where the list of each of them begins in [`Unit::idents`].
    lists: u32,
    /// Where the set of each of them begins in [`Unit::set_items`].
    sets: u32,
}

impl Kind {
    fn of<T: Datum>(table: &SymbolTable<T>, writer: &mut Writer) -> Self {
        let idents: Vec<Ident> = table.by_value().map(|it| writer.ident(it.name())).collect();
        let lists = writer.list(idents.iter().copied()).start;
        let sets = writer.set_of(idents.iter().copied()).items.start;
        Self { idents, lists, sets }
    }

    pub(super) fn get(&self, id: impl SymbolId) -> Option<Ident> {
        self.idents.get(id.index()).copied()
    }

    /// The symbol alone as a list; it is one there is.
    pub(super) fn list(&self, id: impl SymbolId) -> Idents {
        let start = self.lists + id.bit();
        Slice { start, end: start + 1 }
    }

    /// The symbol alone as a set; it is one there is.
    pub(super) fn set(&self, id: impl SymbolId) -> Set {
        let start = self.sets + id.bit();
        let items = Slice { start, end: start + 1 };
        Set { form: SetForm::Listed, items, span: Span::NOWHERE }
    }

    /// The symbols whose bits are set.
    pub(super) fn of_bits<'a>(&'a self, bits: &'a Ebitmap) -> impl Iterator<Item = Ident> + 'a {
        bits.iter().filter_map(|bit| self.idents.get(usize::try_from(bit).ok()?).copied())
    }
}

/// The names of all kinds that rules name.
pub(super) struct Names {
    pub(super) classes: Kind,
    pub(super) types: Kind,
    pub(super) roles: Kind,
    pub(super) users: Kind,
    pub(super) booleans: Kind,
    /// By class and bit.
    permissions: Vec<[Option<Ident>; 32]>,
    /// Sets of permissions that were named, by class and bits.
    sets: rustc_hash::FxHashMap<(u32, u32), Set>,
}

impl Names {
    pub(super) fn of(db: &PolicyDb, writer: &mut Writer) -> Self {
        let mut permissions = Vec::new();
        for class in db.classes.by_value() {
            let mut row = [None; 32];
            for it in db.permissions(class.id) {
                if let Some(slot) = row.get_mut(it.id.index()) {
                    *slot = Some(writer.ident(&it.name));
                }
            }
            permissions.push(row);
        }
        Self {
            classes: Kind::of(&db.classes, writer),
            types: Kind::of(&db.types, writer),
            roles: Kind::of(&db.roles, writer),
            users: Kind::of(&db.users, writer),
            booleans: Kind::of(&db.booleans, writer),
            permissions,
            sets: rustc_hash::FxHashMap::default(),
        }
    }

    /// The permissions of an access vector as a set.
    pub(super) fn permissions(
        &mut self,
        writer: &mut Writer,
        class: impl SymbolId,
        bits: u32,
    ) -> Set {
        let row = self.permissions.get(class.index()).copied().unwrap_or([None; 32]);
        *self.sets.entry((class.value(), bits)).or_insert_with(|| {
            let set = (0..32usize).filter(|bit| bits >> bit & 1 == 1);
            writer.set_of(set.filter_map(|bit| row[bit]))
        })
    }
}
