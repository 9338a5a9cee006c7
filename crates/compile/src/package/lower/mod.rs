//! From a module to a unit: blocks become `optional` statements with their `else`, scopes become declarations and requirements,
//! what a branch adds to symbols becomes statements of that branch.

mod contexts;
mod declarations;
mod expressions;
mod nesting;
mod requires;
mod rules;

use mandate_policydb::Ebitmap;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    Ident, Idents, Set, SetForm, SetItem, Slice, Statement, StatementKind, Unit,
};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use super::blocks::{Branch, DECLARED, Scope};
use super::db::Db;
use super::sets::{COMPLEMENT, RoleSet, STAR, TypeSet};
use super::symbols::{Flavor, Kind, TUNABLE};

/// Which branches are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Branches {
    /// All, as they were written.
    All,
    /// Those that linking enabled, without their requirements.
    Enabled,
}

/// Values of pools are bounded by the input.
fn small(count: usize) -> u32 {
    u32::try_from(count).expect("modules take less than 4 GiB")
}

/// Turns a module into a unit. What the module says of values that it does not define is an error.
pub(crate) fn lower(db: &Db, branches: Branches) -> (Unit, Vec<Diagnostic>) {
    let mut lowerer = Lowerer::new(db, branches);
    lowerer.module();
    (lowerer.unit, lowerer.faults)
}

/// Faults of one module beyond this number are not told.
const MOST_FAULTS: usize = 20;

struct Lowerer<'a> {
    db: &'a Db,
    named: Option<nesting::Named>,
    /// The blocks around the one that is lowered.
    around: Vec<usize>,
    branches: Branches,
    unit: Unit,
    faults: Vec<Diagnostic>,
    /// The branch that is lowered.
    span: Span,
    /// By kind and value − 1; aliases stand back behind what they stand for.
    names: [Vec<Option<Symbol>>; Kind::COUNT],
    /// By kind: values of symbols that are left out.
    disabled: [Ebitmap; Kind::COUNT],
    /// By kind: values of type attributes, role attributes, tunables.
    special: [Ebitmap; Kind::COUNT],
    /// Types with flags, by the branch where these are said.
    flagged: FxHashMap<u32, Vec<u32>>,
    /// Names of the permissions of each class, by value − 1 and bit.
    permissions: Vec<[Option<Symbol>; 32]>,
    /// What each branch declares: kind, and where in the scopes of that kind.
    declared: FxHashMap<u32, Vec<(Kind, u32)>>,
}

impl<'a> Lowerer<'a> {
    fn new(db: &'a Db, branches: Branches) -> Self {
        let mut unit = Unit::default();
        let names = Kind::ALL.map(|kind| {
            let names = names(db, kind);
            names.into_iter().map(|it| it.map(|it| unit.names.intern(it))).collect()
        });
        let mut this = Self {
            db,
            named: None,
            around: Vec::new(),
            branches,
            unit,
            faults: Vec::new(),
            span: Span::NOWHERE,
            names,
            disabled: Default::default(),
            special: Default::default(),
            flagged: FxHashMap::default(),
            permissions: Vec::new(),
            declared: FxHashMap::default(),
        };
        this.gather_permissions();
        this.gather_declared();
        this.gather_special();
        this
    }

    fn gather_special(&mut self) {
        let symbols = &self.db.symbols;
        let mut set = |kind: Kind, values: Vec<u32>| {
            self.special[kind as usize] =
                values.into_iter().filter_map(|it| it.checked_sub(1)).collect();
        };
        let types = symbols.types.entries.iter().filter(|it| it.flavor == Flavor::Attribute);
        set(Kind::Types, types.map(|it| it.value).collect());
        let roles = symbols.roles.entries.iter().filter(|it| it.is_attribute());
        set(Kind::Roles, roles.map(|it| it.value).collect());
        let tunables = symbols.booleans.entries.iter().filter(|it| it.flags & TUNABLE != 0);
        set(Kind::Booleans, tunables.map(|it| it.value).collect());
        let first = self.db.blocks.first().and_then(|it| it.branches.first()).map_or(1, |it| it.id);
        let mut flagged: FxHashMap<&str, u32> = FxHashMap::default();
        for it in symbols.types.entries.iter().filter(|it| it.flags != 0) {
            flagged.insert(&it.name, it.value);
        }
        for scope in &self.db.scopes[Kind::Types as usize] {
            let Some(&value) = flagged.get(&*scope.name) else { continue };
            let home = match self.branches {
                Branches::All => scope.branches.first().copied().unwrap_or(first),
                Branches::Enabled => first,
            };
            self.flagged.entry(home).or_default().push(value);
        }
    }

    fn gather_permissions(&mut self) {
        let classes = &self.db.symbols.classes;
        self.permissions = vec![[None; 32]; classes.nprim as usize];
        for class in &classes.entries {
            let common = class.common.as_deref().and_then(|it| self.db.symbols.commons.find(it));
            let inherited = common.into_iter().flat_map(|it| &it.permissions.list);
            let at = (class.value as usize).wrapping_sub(1);
            let Some(slots) = self.permissions.get_mut(at) else { continue };
            for permission in inherited.chain(&class.permissions.list) {
                if let Some(slot) = slots.get_mut((permission.value as usize).wrapping_sub(1)) {
                    *slot = Some(self.unit.names.intern(&permission.name));
                }
            }
        }
    }

    fn gather_declared(&mut self) {
        let enabled: FxHashMap<u32, bool> = (self.db.blocks.iter())
            .flat_map(|it| &it.branches)
            .map(|it| (it.id, it.enabled != 0))
            .collect();
        let branches: FxHashMap<u32, &Branch> =
            self.db.blocks.iter().flat_map(|it| &it.branches).map(|it| (it.id, it)).collect();
        for kind in Kind::ALL {
            let mut values: FxHashMap<&str, (u32, bool)> = FxHashMap::default();
            let mut numbers: FxHashMap<&str, u32> = FxHashMap::default();
            if matches!(kind, Kind::Roles | Kind::Users) {
                self.db.symbols.each(kind, |name, value| {
                    numbers.insert(name, value);
                });
            }
            let scopes = &self.db.scopes[kind as usize];
            for (scope, at) in scopes.iter().zip(0u32..) {
                let declared = scope.scope == DECLARED;
                let on = |id: &u32| enabled.get(id).copied().unwrap_or(false);
                let is_on = declared
                    && match kind {
                        Kind::Roles | Kind::Users => scope.branches.iter().any(on),
                        _ => scope.branches.last().is_some_and(on),
                    };
                values.insert(&scope.name, (at, is_on));
                if declared {
                    for branch in Self::declaring(kind, scope, &numbers, &branches) {
                        self.declared.entry(branch).or_default().push((kind, at));
                    }
                }
            }
            if self.branches == Branches::Enabled && kind != Kind::Commons {
                let mut disabled = Vec::new();
                self.db.symbols.each(kind, |name, value| {
                    if !values.get(name).is_some_and(|it| it.1) && value > 0 {
                        disabled.push(value - 1);
                    }
                });
                self.disabled[kind as usize] = disabled.into_iter().collect();
            }
        }
    }

    /// The branches that declare a symbol. The list of a scope has those that require it, too; the one that declares it stands
    /// last, but of roles and users, which several may declare, the branches themselves have to be asked.
    fn declaring(
        kind: Kind,
        scope: &'a Scope,
        values: &FxHashMap<&str, u32>,
        branches: &FxHashMap<u32, &'a Branch>,
    ) -> Vec<u32> {
        if !matches!(kind, Kind::Roles | Kind::Users) {
            return scope.branches.last().copied().into_iter().collect();
        }
        let value = values.get(&*scope.name).copied();
        let Some(bit) = value.and_then(|it| it.checked_sub(1)) else { return Vec::new() };
        let declares =
            |id: &&u32| branches.get(id).is_some_and(|it| it.declared.of(kind).contains(bit));
        scope.branches.iter().filter(declares).copied().collect()
    }

    fn module(&mut self) {
        let db = self.db;
        let around = match self.branches {
            Branches::All => {
                self.named = Some(nesting::Named::of(db));
                self.named.as_ref().map_or(Vec::new(), |it| nesting::parents(db, it))
            }
            Branches::Enabled => vec![0; db.blocks.len()],
        };
        let mut optionals: Vec<(usize, Statement)> = Vec::new();
        for (at, block) in db.blocks.iter().enumerate() {
            let wanted = |it: &&Branch| self.branches == Branches::All || it.enabled != 0;
            let wanted: Vec<&Branch> = block.branches.iter().filter(wanted).collect();
            self.around = ancestors(&around, at);
            let lists: Vec<(Span, Vec<Statement>)> = (wanted.into_iter().zip(0..))
                .map(|(branch, nth)| (branch.span, self.branch(branch, nth == 0)))
                .collect();
            let mut lists = lists.into_iter();
            if block.top || self.branches == Branches::Enabled {
                self.unit.statements.extend(lists.flat_map(|it| it.1));
            } else if let Some((span, then)) = lists.next() {
                let otherwise = lists.next().map(|it| it.1);
                let kind = StatementKind::Optional { then, otherwise };
                optionals.push((at, Statement { span, kind }));
            }
        }
        self.nest(optionals, &around);
    }

    /// Puts blocks into those that declare what they use.
    fn nest(&mut self, optionals: Vec<(usize, Statement)>, around: &[usize]) {
        let mut inner: FxHashMap<usize, Vec<Statement>> = FxHashMap::default();
        for (at, mut statement) in optionals.into_iter().rev() {
            if let StatementKind::Optional { then, .. } = &mut statement.kind {
                then.extend(inner.remove(&at).unwrap_or_default().into_iter().rev());
            }
            inner.entry(around[at]).or_default().push(statement);
        }
        let rest = inner.remove(&0).unwrap_or_default();
        self.unit.statements.extend(rest.into_iter().rev());
    }

    /// The statements of a branch.
    fn branch(&mut self, branch: &'a Branch, is_then: bool) -> Vec<Statement> {
        self.span = branch.span;
        let mut out = Vec::new();
        let first = self.db.blocks.first().and_then(|it| it.branches.first());
        let is_first = first.is_some_and(|it| std::ptr::eq(it, branch));
        if is_first {
            self.head(&mut out);
        }
        if is_first && self.db.form.base {
            self.classes(&mut out);
            self.levels(&mut out);
        }
        if self.branches == Branches::All && is_then {
            self.requires(branch, &mut out);
        }
        self.declarations(branch, &mut out);
        if is_first {
            self.additions(&self.db.symbols, &mut out);
            self.old_ranges(&mut out);
        }
        self.additions(&branch.symbols, &mut out);
        self.rules(branch, &mut out);
        if is_first {
            self.constraints(&mut out);
            self.contexts(&mut out);
        }
        out
    }

    fn head(&mut self, out: &mut Vec<Statement>) {
        if !self.db.form.base {
            let name = self.word(&self.db.name);
            let version = Some(self.word(&self.db.release));
            self.push(out, StatementKind::Module { name, version });
        }
        for bit in self.db.capabilities.iter() {
            let name =
                mandate_policydb::capability_names().nth(bit as usize).filter(|it| !it.is_empty());
            match name {
                Some(name) => {
                    let name = self.word(name);
                    self.push(out, StatementKind::PolicyCapability(name));
                }
                None => self.fault(format!("policy capability {bit} has no name")),
            }
        }
    }

    fn push(&self, out: &mut Vec<Statement>, kind: StatementKind) {
        out.push(Statement { span: self.span, kind });
    }

    fn word(&mut self, text: &str) -> Ident {
        Ident { name: self.unit.names.intern(text), span: self.span }
    }

    fn fault(&mut self, message: String) {
        if self.faults.len() < MOST_FAULTS {
            let it = Diagnostic::error(Code::BadPackage, self.span, message)
                .note("the module contradicts itself: it was damaged, or made by a faulty tool");
            self.faults.push(it);
        }
    }

    /// The name of a symbol that has to be there.
    fn name(&mut self, kind: Kind, value: u32) -> Option<Ident> {
        let found = (value.checked_sub(1))
            .and_then(|at| self.names[kind as usize].get(at as usize).copied().flatten());
        if found.is_none() {
            self.fault(format!("no {} has the value {value}", kind.word()));
        }
        Some(Ident { name: found?, span: self.span })
    }

    fn is_disabled(&self, kind: Kind, value: u32) -> bool {
        value > 0 && self.disabled[kind as usize].contains(value - 1)
    }

    fn idents(&mut self, list: impl IntoIterator<Item = Ident>) -> Idents {
        let start = small(self.unit.idents.len());
        self.unit.idents.extend(list);
        Slice { start, end: small(self.unit.idents.len()) }
    }

    fn one(&mut self, ident: Ident) -> Idents {
        self.idents([ident])
    }

    /// Names of the symbols whose bits are set, without those that are left out.
    fn bits(&mut self, kind: Kind, bits: &Ebitmap) -> Vec<Ident> {
        let mut list = Vec::with_capacity(bits.len());
        for bit in bits.iter() {
            let Some(value) = bit.checked_add(1) else { continue };
            if !self.is_disabled(kind, value) {
                list.extend(self.name(kind, value));
            }
        }
        list
    }

    fn set(&mut self, form: SetForm, items: Vec<SetItem>) -> Set {
        let start = small(self.unit.set_items.len());
        self.unit.set_items.extend(items);
        let items = Slice { start, end: small(self.unit.set_items.len()) };
        Set { form, items, span: self.span }
    }

    fn listed(&mut self, idents: impl IntoIterator<Item = Ident>) -> Set {
        let items = idents.into_iter().map(|ident| SetItem { ident, excluded: false }).collect();
        self.set(SetForm::Listed, items)
    }

    /// A set of types, and how `self` stands in it. Nothing if nothing is left of it.
    fn type_set(&mut self, set: &TypeSet, itself: Option<bool>) -> Option<Set> {
        let form = form(set.flags);
        let mut items: Vec<SetItem> = Vec::new();
        for (bits, excluded) in [(&set.types, false), (&set.excluded, true)] {
            let names = self.bits(Kind::Types, bits);
            items.extend(names.into_iter().map(|ident| SetItem { ident, excluded }));
        }
        if let Some(excluded) = itself {
            // What is excluded from a complement stands in it as it is.
            let excluded = excluded && form != SetForm::Complement;
            let ident = self.word("self");
            items.push(SetItem { ident, excluded });
        }
        (form != SetForm::Listed || items.iter().any(|it| !it.excluded))
            .then(|| self.set(form, items))
    }

    fn role_set(&mut self, set: &RoleSet) -> Option<Set> {
        let names = self.bits(Kind::Roles, &set.roles);
        let items: Vec<SetItem> =
            names.into_iter().map(|ident| SetItem { ident, excluded: false }).collect();
        let form = form(set.flags);
        (form != SetForm::Listed || !items.is_empty()).then(|| self.set(form, items))
    }

    /// The permissions of a class whose bits are set. `*` sets bits beyond the last permission, too.
    fn permissions(&mut self, class: u32, bits: u32) -> Vec<Ident> {
        let slots = self.permissions.get((class as usize).wrapping_sub(1));
        let count =
            slots.map_or(0, |it| it.iter().rposition(Option::is_some).map_or(0, |at| at + 1));
        (0..small(count))
            .filter(|bit| bits >> bit & 1 == 1)
            .filter_map(|bit| self.permission(class, bit))
            .collect()
    }

    /// The name of a permission by its bit, counted from 0.
    fn permission(&mut self, class: u32, bit: u32) -> Option<Ident> {
        let slots = self.permissions.get((class as usize).wrapping_sub(1));
        let found = slots.and_then(|it| it.get(bit as usize).copied().flatten());
        if found.is_none() {
            self.fault(format!("class {class} has no permission {}", u64::from(bit) + 1));
        }
        Some(Ident { name: found?, span: self.span })
    }
}

/// The blocks around a block, and the top level.
fn ancestors(parents: &[usize], of: usize) -> Vec<usize> {
    let mut list = Vec::new();
    let mut at = of;
    while at != 0 && list.len() <= parents.len() {
        at = parents.get(at).copied().unwrap_or(0);
        list.push(at);
    }
    list
}

fn form(flags: u32) -> SetForm {
    match flags {
        _ if flags & STAR != 0 => SetForm::All,
        _ if flags & COMPLEMENT != 0 => SetForm::Complement,
        _ => SetForm::Listed,
    }
}

/// Names by value − 1; those of aliases stand back.
fn names(db: &Db, kind: Kind) -> Vec<Option<&str>> {
    let symbols = &db.symbols;
    let mut names = symbols.names(kind);
    let mut set = |value: u32, name| {
        if let Some(slot) = names.get_mut((value as usize).wrapping_sub(1)) {
            *slot = Some(name);
        }
    };
    match kind {
        Kind::Types => {
            for it in symbols.types.entries.iter().filter(|it| it.primary != 0) {
                set(it.value, &*it.name);
            }
        }
        Kind::Levels => {
            for it in symbols.levels.entries.iter().filter(|it| it.alias == 0) {
                set(it.value, &*it.name);
            }
        }
        Kind::Categories => {
            for it in symbols.categories.entries.iter().filter(|it| it.alias == 0) {
                set(it.value, &*it.name);
            }
        }
        _ => {}
    }
    names
}
