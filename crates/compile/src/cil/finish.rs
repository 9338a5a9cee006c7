//! What several statements say together: classes, orders, users, levels, labels.

use mandate_syntax::cil::Keyword;
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{
    Context, Ident, Level, MlsRange, SetItem, Slice, Statement, StatementKind,
};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::FxHashMap;

use super::declare::{DeclId, DeclKind, Space};
use super::lower::{Lowerer, slice};
use super::members::Members;
use super::order;

impl<'t> Lowerer<'_, 't> {
    /// Adds the statements that are made of several.
    pub(crate) fn finish(&mut self) {
        self.ordered();
        self.commons();
        self.without_meaning_at_all();
        self.access_vectors();
        if self.tables.mls {
            self.levels();
        }
        self.check_ranges();
        self.user_statements();
        self.lower_deferred();
        self.label_statements();
    }

    pub(super) fn add(&mut self, span: Span, kind: StatementKind) {
        self.unit.statements.push(Statement { span, kind });
    }

    fn declared_here(&self, id: DeclId) -> Ident {
        let decl = self.world.decl(id);
        Ident { name: decl.flat, span: decl.span }
    }

    fn of_kind(&self, kind: DeclKind) -> Vec<DeclId> {
        let all = self.world.decls.iter().zip(0..);
        all.filter(|it| it.0.kind == kind).map(|it| it.1).collect()
    }

    /// Classes, initial SIDs, sensitivities and categories by their orders.
    fn ordered(&mut self) {
        use Keyword as K;
        for (keyword, kind) in [
            (K::ClassOrder, DeclKind::Class),
            (K::SidOrder, DeclKind::Sid),
            (K::SensitivityOrder, DeclKind::Sensitivity),
            (K::CategoryOrder, DeclKind::Category),
        ] {
            let order = self.merged(keyword);
            let declared = self.of_kind(kind);
            let by_name: FxHashMap<Symbol, DeclId> =
                declared.iter().map(|&it| (self.world.decl(it).flat, it)).collect();
            for &id in &declared {
                if !self.policy.disordered && !order.contains(&self.world.decl(id).flat) {
                    self.unordered(id, keyword);
                }
            }
            let in_policy = self.tables.mls || matches!(kind, DeclKind::Class | DeclKind::Sid);
            if !in_policy {
                continue;
            }
            let idents: Vec<Ident> = order
                .iter()
                .filter_map(|it| by_name.get(it))
                .map(|&it| self.declared_here(it))
                .collect();
            let mut names = idents.clone();
            if kind == DeclKind::Sensitivity {
                // Their order is said of itself: a policy lists them as they are declared.
                names.sort_by_key(|it| it.span.pos);
            }
            for name in names {
                let aliases = self.aliases_of(name.name, kind);
                let kind = match kind {
                    DeclKind::Class => StatementKind::Class(name),
                    DeclKind::Sid => StatementKind::InitialSid(name),
                    DeclKind::Sensitivity => StatementKind::Sensitivity { name, aliases },
                    _ => StatementKind::Category { name, aliases },
                };
                self.add(name.span, kind);
            }
            if let (DeclKind::Sensitivity, Some(first)) = (kind, idents.first().copied()) {
                let start = self.unit.idents.len();
                self.unit.idents.extend(idents);
                let list = slice(start, self.unit.idents.len());
                self.add(first.span, StatementKind::Dominance(list));
            }
        }
    }

    fn aliases_of(&mut self, name: Symbol, kind: DeclKind) -> Slice {
        let alias = match kind {
            DeclKind::Sensitivity => DeclKind::SensitivityAlias,
            DeclKind::Category => DeclKind::CategoryAlias,
            _ => return Slice::default(),
        };
        let start = self.unit.idents.len();
        for (decl, id) in self.world.decls.iter().zip(0..) {
            if decl.kind == alias && self.world.decl(self.world.actual(id)).flat == name {
                self.unit.idents.push(Ident { name: decl.flat, span: decl.span });
            }
        }
        slice(start, self.unit.idents.len())
    }

    /// The names of all order statements of a kind, merged.
    fn merged(&mut self, keyword: Keyword) -> Vec<Symbol> {
        let (mut lists, mut spans, mut unordered) = (Vec::new(), Vec::new(), Vec::new());
        for (word, without_order, names, span) in &self.policy.orders {
            let names = names.iter().map(|it| it.name);
            match (*word == keyword, without_order) {
                (true, true) => unordered.extend(names),
                (true, false) => {
                    lists.push(names.collect::<Vec<Symbol>>());
                    spans.push(*span);
                }
                (false, _) => {}
            }
        }
        let (mut merged, left) = order::merge(&lists);
        self.policy.disordered |= !left.is_empty();
        for at in left {
            let message = format!("this `{}` cannot be merged with the others", keyword.text());
            let mut error = Diagnostic::error(Code::CilOrder, spans[at], message);
            if let Some(&other) = spans.iter().find(|&&it| it != spans[at]) {
                error = error.and(other, "another order");
            }
            self.report.add(error.note(
                "lists merge where they have names in common, in the same order, or where one begins with what another ends with",
            ));
        }
        for name in unordered {
            if !merged.contains(&name) {
                merged.push(name);
            }
        }
        merged
    }

    fn unordered(&mut self, id: DeclId, keyword: Keyword) {
        let decl = self.world.decl(id);
        let text = self.world.text(decl.flat);
        let message = format!("{} `{text}` has no place in the order", decl.kind.words());
        let error = Diagnostic::error(Code::CilOrder, decl.span, message);
        let help = format!("name it in a `{}` statement", keyword.text());
        self.report.add_missing(error.help(help));
    }

    fn permissions_of(&mut self, id: DeclId, skip: usize) -> Slice {
        let span = self.world.decl(id).span;
        let start = self.unit.idents.len();
        let names = self.tables.permissions(id).iter().skip(skip);
        self.unit.idents.extend(names.map(|&name| Ident { name, span }));
        slice(start, self.unit.idents.len())
    }

    fn commons(&mut self) {
        for id in self.of_kind(DeclKind::Common) {
            let permissions = self.permissions_of(id, 0);
            let name = self.declared_here(id);
            self.add(name.span, StatementKind::Common { name, permissions });
        }
    }

    fn access_vectors(&mut self) {
        for id in self.of_kind(DeclKind::Class) {
            let common = self.tables.commons.get(&id).map(|it| it.0);
            let shared = common.map_or(0, |it| self.tables.permissions(it).len());
            let permissions = self.permissions_of(id, shared);
            let class = self.declared_here(id);
            let inherits = common.map(|it| self.declared_here(it));
            if common.is_none() && permissions.is_empty() {
                continue;
            }
            self.add(class.span, StatementKind::AccessVector { class, inherits, permissions });
        }
    }

    /// Sets of permissions and permissions of maps that nothing says the meaning of.
    fn without_meaning_at_all(&mut self) {
        let empty = |it: &DeclId| self.tables.set(*it).is_empty();
        let sets = self.of_kind(DeclKind::ClassPermission).into_iter().filter(empty);
        let mut found: Vec<(DeclId, String)> =
            sets.map(|it| (it, "no `classpermissionset` says what it means".to_owned())).collect();
        for map in self.of_kind(DeclKind::ClassMap) {
            for &permission in self.tables.permissions(map) {
                if self.tables.mapping(map, permission).is_empty() {
                    let text = self.world.text(permission);
                    found.push((map, format!("its permission `{text}` has no `classmapping`")));
                    break;
                }
            }
        }
        for (id, wrong) in found {
            let decl = self.world.decl(id);
            let message =
                format!("{} `{}`: {wrong}", decl.kind.words(), self.world.text(decl.flat));
            self.report.add_missing(Diagnostic::error(Code::CilUnknownName, decl.span, message));
        }
        if self.of_kind(DeclKind::Sid).is_empty() {
            let message = "the policy has no initial SID";
            let error = Diagnostic::error(Code::Incomplete, Span::NOWHERE, message);
            self.report
                .add(error.help("write `(sid kernel) (sidorder (kernel))` and its `sidcontext`"));
        }
    }

    /// One `level` for each sensitivity, with all categories that are said of it.
    fn levels(&mut self) {
        let said = self.policy.sensitivity_categories.clone();
        for id in self.of_kind(DeclKind::Sensitivity) {
            let start = self.unit.category_ranges.len();
            for it in said.iter().filter(|it| it.0 == id) {
                for at in it.1.range() {
                    let range = self.unit.category_ranges[at];
                    self.unit.category_ranges.push(range);
                }
            }
            let categories = slice(start, self.unit.category_ranges.len());
            let sensitivity = self.declared_here(id);
            let level = Level { sensitivity, categories };
            self.add(sensitivity.span, StatementKind::Level(level));
        }
    }

    /// Ranges that have names have to ascend, whether they are used or not.
    fn check_ranges(&mut self) {
        let order = self.merged(Keyword::SensitivityOrder);
        for range in std::mem::take(&mut self.policy.ranges) {
            let place = |it: &Level| order.iter().position(|name| *name == it.sensitivity.name);
            let rises = place(&range.low) <= place(&range.high);
            let (low, high) = (self.places(&range.low), self.places(&range.high));
            if !rises || !low.iter().all(|it| high.contains(it)) {
                let message = "the high level of the range does not dominate the low one";
                self.report.add(Diagnostic::error(Code::InvalidLevel, range.span, message));
            }
            for (level, categories) in [(&range.low, &low), (&range.high, &high)] {
                self.check_categories(level, categories, range.span);
            }
        }
    }

    /// A sensitivity goes with the categories that are said of it.
    fn check_categories(&mut self, level: &Level, categories: &[usize], span: Span) {
        let sensitivity = level.sensitivity;
        let said = &self.policy.sensitivity_categories;
        let own = said.iter().filter(|it| self.world.decl(it.0).flat == sensitivity.name);
        let own: Vec<usize> =
            own.flat_map(|it| self.places(&Level { sensitivity, categories: it.1 })).collect();
        let Some(&alien) = categories.iter().find(|it| !own.contains(it)) else { return };
        let category = self.world.text(self.world.decl(self.tables.categories[alien]).flat);
        let text = self.world.text(sensitivity.name);
        let message = format!("sensitivity `{text}` does not go with category `{category}`");
        let error = Diagnostic::error(Code::InvalidLevel, span, message);
        let help = format!("write `(sensitivitycategory {text} ({category}))`");
        self.report.add(error.help(help));
    }

    /// Places of the categories of a level.
    fn places(&self, level: &Level) -> Vec<usize> {
        let place = |name: Symbol| {
            self.tables.categories.iter().position(|&it| self.world.decl(it).flat == name)
        };
        let ranges = &self.unit.category_ranges[level.categories.range()];
        let ends = ranges.iter().filter_map(|it| place(it.low.name).zip(place(it.high.name)));
        ends.flat_map(|(low, high)| low..=high).collect()
    }

    /// The users in a user attribute.
    pub(crate) fn members_of_user_attribute(&self, attribute: DeclId) -> Vec<DeclId> {
        let mut members = Members::new(self.world, Space::Users, [], &self.sets);
        let bits = members.of(self.world.decl(attribute).flat);
        let users = self.of_kind(DeclKind::User);
        bits.iter().filter_map(|it| users.get(it).copied()).collect()
    }

    fn user_statements(&mut self) {
        let users = self.of_kind(DeclKind::User);
        let mut roles: FxHashMap<DeclId, Vec<Ident>> = FxHashMap::default();
        let mut members = Members::new(self.world, Space::Users, [], &self.sets);
        for &(user, role) in &self.users.roles {
            let bits = members.of(self.world.decl(user).flat);
            for user in bits.iter().filter_map(|it| users.get(it)) {
                roles.entry(*user).or_default().push(role);
            }
        }
        members.worked_off(&self.sets.clone());
        for error in std::mem::take(&mut members.diagnostics) {
            self.report.add(error);
        }
        for id in users {
            let name = self.declared_here(id);
            let level = self.users.levels.iter().rfind(|it| it.0 == id).map(|it| it.1);
            let range = self.users.ranges.iter().rfind(|it| it.0 == id).and_then(|it| it.1);
            if level.is_none() || !self.users.ranges.iter().any(|it| it.0 == id) {
                let text = self.world.text(name.name);
                let missing = if level.is_none() { "default level" } else { "range" };
                let message = format!("user `{text}` has no {missing}");
                let error = Diagnostic::error(Code::MlsRequired, name.span, message);
                let help =
                    format!("write `(userlevel {text} (s0))` and `(userrange {text} ((s0) (s0)))`");
                self.report.add_missing(error.help(help));
                continue;
            }
            let items: Vec<SetItem> = roles
                .remove(&id)
                .unwrap_or_default()
                .into_iter()
                .map(|ident| SetItem { ident, excluded: false })
                .collect();
            let start = self.unit.set_items.len();
            self.unit.set_items.extend(items);
            let items = slice(start, self.unit.set_items.len());
            let form = mandate_syntax::kernel::ast::SetForm::Listed;
            let roles = mandate_syntax::kernel::ast::Set { form, items, span: name.span };
            let level = level.filter(|_| self.tables.mls).map(Box::new);
            let range = range.map(Box::new);
            self.add(name.span, StatementKind::User { name, roles, level, range });
        }
    }

    /// Contexts that the policy has to allow though it does not hold them, or holds them unchecked.
    pub(crate) fn checked_contexts(&mut self) -> Vec<Checked> {
        let contexts = std::mem::take(&mut self.policy.contexts);
        let checked = |it: &Context| Checked {
            text: self.context_text(it),
            span: it.type_.span,
            user: it.user.name,
            type_: it.type_.name,
            object: it.role.name == Keyword::ObjectR.symbol(),
        };
        let mut found: Vec<Checked> = contexts.iter().map(checked).collect();
        found.sort_unstable_by(|a, b| (&a.text, a.span).cmp(&(&b.text, b.span)));
        found.dedup_by(|a, b| a.text == b.text);
        found
    }

    /// Users that may have `object_r`, with the role or role attribute that says so.
    pub(crate) fn object_users(&mut self) -> Vec<(Symbol, Symbol)> {
        let mut members = Members::new(self.world, Space::Users, [], &self.sets);
        let mut found = Vec::new();
        for (user, role) in std::mem::take(&mut self.users.objects) {
            let bits = members.of(self.world.decl(user).flat);
            found.extend(bits.iter().map(|it| (members.names[it], role)));
        }
        found
    }

    /// `user:role:type[:range]`
    pub(crate) fn context_text(&self, context: &Context) -> String {
        let text = |it: Ident| self.world.text(it.name);
        let Context { user, role, type_, range } = context;
        let mut out = format!("{}:{}:{}", text(*user), text(*role), text(*type_));
        if let Some(range) = range {
            out.push(':');
            self.push_range(range, false, &mut out);
        }
        out
    }

    /// `low-high`, or one level where both are the same and `both` is not asked for.
    pub(crate) fn push_range(&self, range: &MlsRange, both: bool, out: &mut String) {
        let (mut low, mut high) = (String::new(), String::new());
        self.push_level(&range.low, &mut low);
        self.push_level(&range.high, &mut high);
        out.push_str(&low);
        if both || low != high {
            out.push('-');
            out.push_str(&high);
        }
    }

    fn push_level(&self, level: &Level, out: &mut String) {
        out.push_str(self.world.text(level.sensitivity.name));
        let ranges = &self.unit.category_ranges[level.categories.range()];
        for (range, number) in ranges.iter().zip(0..) {
            out.push(if number == 0 { ':' } else { ',' });
            let (low, high) = (self.world.text(range.low.name), self.world.text(range.high.name));
            out.push_str(low);
            if low != high {
                out.push(if self.are_neighbours(range.low.name, range.high.name) {
                    ','
                } else {
                    '.'
                });
                out.push_str(high);
            }
        }
    }

    fn are_neighbours(&self, low: Symbol, high: Symbol) -> bool {
        let flat = |it: &DeclId| self.world.decl(*it).flat;
        let place = self.tables.categories.iter().position(|it| flat(it) == low);
        place.and_then(|it| self.tables.categories.get(it + 1)).map(flat) == Some(high)
    }
}

/// A context that is to be allowed.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) text: String,
    pub(crate) span: Span,
    pub(crate) user: Symbol,
    pub(crate) type_: Symbol,
    /// Is its role `object_r`?
    pub(crate) object: bool,
}
