//! Rules other than access vectors: few enough to be expanded and compared plainly.

use std::borrow::Cow;

use mandate_policydb::{AvRule, FilenameTransitionGroup, RuleKind};

use super::access::{branch, layer};
use super::behind::Key;
use super::names::{Names, Side};
use super::text::push_condition;
use super::{Change, Compared, Item, Part, Section};
use crate::statement::{Style, text, xperm_ranges, xperm_subject};

/// Lays two sorted lists side by side: each key with its value on either side.
pub(super) fn merge<K: Ord, V>(
    first: Vec<(K, V)>,
    second: Vec<(K, V)>,
) -> impl Iterator<Item = (K, [Option<V>; 2])> {
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    std::iter::from_fn(move || {
        let order = match (first.peek(), second.peek()) {
            (None, None) => return None,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a.0.cmp(&b.0),
        };
        let a = if order.is_le() { first.next() } else { None };
        let b = if order.is_ge() { second.next() } else { None };
        match (a, b) {
            (Some((key, a)), b) => Some((key, [Some(a), b.map(|it| it.1)])),
            (None, Some((key, b))) => Some((key, [None, Some(b)])),
            (None, None) => None,
        }
    })
}

impl Section {
    /// Files what two lists, each sorted by key, have not in common.
    pub(super) fn compared<K: Ord, V: PartialEq>(
        part: Part,
        [first, second]: [Vec<(K, V)>; 2],
        single: impl Fn(&K, &V) -> Item,
        modified: impl Fn(&K, &V, &V) -> Item,
    ) -> Self {
        let mut section = Self::new(part);
        for (key, values) in merge(first, second) {
            match values {
                [Some(a), Some(b)] if a == b => {}
                [Some(a), Some(b)] => section.modified.push(Change::Item(modified(&key, &a, &b))),
                [Some(a), None] => section.removed.push(Change::Item(single(&key, &a))),
                [None, Some(b)] => section.added.push(Change::Item(single(&key, &b))),
                [None, None] => {}
            }
        }
        section
    }
}

/// A rule between two types, expanded: source, target, class; then the layer of its condition.
pub(super) type Ends = (u32, u32, u32, u32);

/// The key of an expanded type rule: its ends, and the file's name.
type TypeKey<'a> = (Ends, Cow<'a, [u8]>);

/// The key of extended permissions: the ends, and the permission that they refine.
type XpermKey = (Ends, &'static str);

/// Calls `visit` with each rule outside of conditions and within them, and its layer.
fn each_rule(side: &Side<'_>, kind: RuleKind, mut visit: impl FnMut(&AvRule, u32)) {
    let mut list = |rules: &[AvRule], layer| {
        rules.iter().filter(|it| it.kind == kind).for_each(|it| visit(it, layer));
    };
    list(&side.db.rules, 0);
    for (block, &condition) in side.db.conditionals.iter().zip(&side.conditions) {
        list(&block.when_true, layer(condition, true));
        list(&block.when_false, layer(condition, false));
    }
}

/// All pairs of types that a rule is about.
fn pairs<'s>(side: &'s Side<'_>, rule: &AvRule) -> impl Iterator<Item = (u32, u32)> + use<'s> {
    let (sources, targets) = (side.types(rule.source), side.types(rule.target));
    let sources = sources.list().iter();
    sources.flat_map(move |&source| targets.list().iter().map(move |&target| (source, target)))
}

/// Sorted, one value for each key.
fn sorted<K: Ord + Clone, V>(mut list: Vec<(K, V)>) -> Vec<(K, V)> {
    list.sort_by(|a, b| a.0.cmp(&b.0));
    list.dedup_by(|next, kept| next.0 == kept.0);
    list
}

fn type_rules<'a>(side: &Side<'a>, kind: RuleKind) -> Vec<(TypeKey<'a>, u32)> {
    let mut list = Vec::new();
    each_rule(side, kind, |rule, layer| {
        let Some(default) = rule.default_type() else { return };
        let (class, default) = (side.class(rule.class()), side.handle(default));
        let ends = pairs(side, rule).map(|(source, target)| (source, target, class, layer));
        list.extend(ends.map(|it| ((it, Cow::Borrowed(&[][..])), default)));
    });
    if kind == RuleKind::TypeTransition {
        match side.db.filename_transitions.to_groups() {
            Cow::Borrowed(groups) => {
                groups
                    .iter()
                    .for_each(|it| filenames(side, it, Cow::Borrowed(&*it.name), &mut list));
            }
            Cow::Owned(groups) => groups.iter().for_each(|it| {
                filenames(side, it, Cow::Owned(it.name.to_vec()), &mut list);
            }),
        }
    }
    sorted(list)
}

fn filenames<'a>(
    side: &Side<'a>,
    group: &FilenameTransitionGroup,
    name: Cow<'a, [u8]>,
    list: &mut Vec<(TypeKey<'a>, u32)>,
) {
    let class = side.class(group.class);
    for (sources, default) in &group.defaults {
        let default = side.handle(*default);
        for source in sources.ids().flat_map(|it| side.types(it).list()) {
            for target in side.types(group.target).list() {
                list.push((((*source, *target, class, 0), name.clone()), default));
            }
        }
    }
}

/// Extended permissions as ranges, joined for each key.
fn xperms(side: &Side<'_>, kind: RuleKind) -> Vec<(XpermKey, Vec<(u32, u32)>)> {
    let mut list: Vec<(XpermKey, Vec<(u32, u32)>)> = Vec::new();
    each_rule(side, kind, |rule, layer| {
        let Some(it) = side.db.xperms.of(rule) else { return };
        let (class, ranges, subject) =
            (side.class(rule.class()), xperm_ranges(it), xperm_subject(it));
        let ends = pairs(side, rule).map(|(source, target)| (source, target, class, layer));
        list.extend(ends.map(|it| ((it, subject), ranges.clone())));
    });
    list.sort_by_key(|it| it.0);
    list.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1.append(&mut next.1);
        }
        same
    });
    list.iter_mut().for_each(|it| it.1 = joined(std::mem::take(&mut it.1)));
    list
}

/// Ranges in order, those that touch as one.
fn joined(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (low, high) in ranges {
        match joined.last_mut() {
            Some(last) if low <= last.1 + 1 => last.1 = last.1.max(high),
            _ => joined.push((low, high)),
        }
    }
    joined
}

/// What is in `a` and not in `b`; both in order.
fn without(a: &[(u32, u32)], b: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut rest = Vec::new();
    for &(mut low, high) in a {
        for &(from, to) in b {
            if to < low || from > high {
                continue;
            }
            if from > low {
                rest.push((low, from - 1));
            }
            low = to + 1;
        }
        if low <= high {
            rest.push((low, high));
        }
    }
    rest
}

fn range_text((low, high): (u32, u32)) -> String {
    if low == high { format!("{low:#06x}") } else { format!("{low:#06x}-{high:#06x}") }
}

/// What is kept, and with a sign what differs.
fn xperm_change(a: &[(u32, u32)], b: &[(u32, u32)]) -> String {
    let (added, removed) = (without(b, a), without(a, b));
    let kept = without(a, &removed);
    let mut text = "{ ".to_owned();
    for (sign, ranges) in [("", kept), ("+", added), ("-", removed)] {
        for it in ranges {
            let range = range_text(it);
            text += &match it.0 < it.1 && !sign.is_empty() {
                true => format!("{sign}[{range}] "),
                false => format!("{sign}{range} "),
            };
        }
    }
    text + "}"
}

fn xperm_set(ranges: &[(u32, u32)]) -> String {
    let texts: Vec<String> = ranges.iter().map(|it| range_text(*it)).collect();
    if texts.len() == 1 { texts.concat() } else { format!("{{ {} }}", texts.join(" ")) }
}

impl Names<'_> {
    fn type_(&self, at: u32) -> &str {
        self.types.get(at as usize).copied().unwrap_or_default()
    }

    fn class(&self, at: u32) -> &str {
        self.classes.get(at as usize).map_or("process", |it| it.name)
    }

    fn head(&self, keyword: &str, ends: Ends) -> String {
        let (source, target, class) = (self.type_(ends.0), self.type_(ends.1), self.class(ends.2));
        format!("{keyword} {source} {target}:{class}")
    }
}

impl<'a> Compared<'_, 'a> {
    fn condition(&self, ends: Ends, modified: bool) -> String {
        let Some((condition, when)) = branch(ends.3) else { return String::new() };
        let condition = self.names.conditions.get(condition as usize).map_or("", |it| it);
        text(|to| push_condition(to, (condition, when), modified, self.style()))
    }

    fn style(&self) -> Style {
        let [statements, _] = self.statements;
        statements.style()
    }

    pub(super) fn type_rules(&self, part: Part, kind: RuleKind) -> Section {
        let keyword = kind.keyword();
        let statement = |(ends, name): &TypeKey<'_>, given: String, modified: bool| {
            let head = self.names.head(keyword, *ends);
            let condition = self.condition(*ends, modified);
            let text = format!("{head} {given}{};{condition}", self.file_name(name));
            let key = name.is_empty().then_some(Key::Rule(kind, *ends));
            Item { key, ..Item::plain(text) }
        };
        let type_ = |at: u32| self.names.type_(at).to_owned();
        Section::compared(
            part,
            self.sides.each_ref().map(|it| type_rules(it, kind)),
            |key, given| statement(key, type_(*given), false),
            |key, a, b| statement(key, format!("+{} -{}", type_(*b), type_(*a)), true),
        )
    }

    fn file_name(&self, name: &[u8]) -> String {
        let name = String::from_utf8_lossy(name);
        match (name.is_empty(), self.style()) {
            (true, _) => String::new(),
            (false, Style::Setools) => format!(" {name}"),
            (false, Style::Policy) => format!(" \"{name}\""),
        }
    }

    pub(super) fn xperms(&self, part: Part, kind: RuleKind) -> Section {
        let statement = |(ends, subject): &XpermKey, set: String, modified: bool| {
            let head = self.names.head(kind.keyword(), *ends);
            let condition = self.condition(*ends, modified);
            let text = format!("{head} {subject} {set};{condition}");
            Item::of_rule(text, Key::Rule(kind, *ends))
        };
        Section::compared(
            part,
            self.sides.each_ref().map(|it| xperms(it, kind)),
            |key, ranges| statement(key, xperm_set(ranges), false),
            |key, a, b| statement(key, xperm_change(a, b), true),
        )
    }

    pub(super) fn other_rules(&self, part: Part) -> Section {
        match part {
            Part::RoleAllow => self.role_allows(part),
            Part::RoleTransition => self.role_transitions(part),
            Part::RangeTransition => self.range_transitions(part),
            // A binary policy has no `neverallow`.
            _ => Section::new(part),
        }
    }

    fn role_allows(&self, part: Part) -> Section {
        let list = |side: &Side<'a>| {
            let roles = &side.db.roles;
            let all = side.db.role_allows.iter();
            sorted(all.map(|it| ((roles.name(it.role), roles.name(it.new_role)), ())).collect())
        };
        let item = |(role, new): &(Cow<'_, str>, Cow<'_, str>)| {
            let key = Key::RoleAllow(role.to_string(), new.to_string());
            Item::of_rule(format!("allow {role} {new};"), key)
        };
        let lists = self.sides.each_ref().map(list);
        Section::compared(part, lists, |key, ()| item(key), |key, (), ()| item(key))
    }

    fn role_transitions(&self, part: Part) -> Section {
        let list = |side: &Side<'a>| {
            let roles = &side.db.roles;
            let one = |it: &mandate_policydb::RoleTransition| {
                let (role, new) = (roles.name(it.role), roles.name(it.new_role));
                let class = side.class_or_process(it.class);
                let types = side.types(it.type_).list().to_vec();
                types.into_iter().map(move |type_| ((role.clone(), type_, class), new.clone()))
            };
            sorted(side.db.role_transitions.iter().flat_map(one).collect())
        };
        let item = |(role, type_, class): &(Cow<'_, str>, u32, u32), new: String| {
            let key = Key::RoleTransition(role.to_string(), *type_, *class);
            let (type_, class) = (self.names.type_(*type_), self.names.class(*class));
            Item::of_rule(format!("role_transition {role} {type_}:{class} {new}"), key)
        };
        Section::compared(
            part,
            self.sides.each_ref().map(list),
            |key, new| item(key, format!("{new};")),
            |key, a, b| item(key, format!("+{b} -{a}")),
        )
    }

    fn range_transitions(&self, part: Part) -> Section {
        let list = |at: usize| {
            let both = self.sides.get(at).zip(self.statements.get(at));
            let Some((side, statements)) = both else { return Vec::new() };
            let one = |it: &mandate_policydb::RangeTransition| {
                let range = text(|to| statements.push_range(to, &it.range));
                let class = side.class_or_process(it.class);
                let (sources, targets) = (side.types(it.source), side.types(it.target));
                let ends = sources.list().iter().flat_map(move |&source| {
                    targets.list().iter().map(move |&target| (source, target, class, 0))
                });
                ends.map(|it| (it, range.clone())).collect::<Vec<_>>()
            };
            sorted(side.db.range_transitions.iter().flat_map(one).collect())
        };
        let item = |ends: &Ends, range: String| {
            let head = self.names.head("range_transition", *ends);
            Item::of_rule(format!("{head} {range}"), Key::RangeTransition(*ends))
        };
        Section::compared(
            part,
            [list(0), list(1)],
            |ends, range| item(ends, format!("{range};")),
            |ends, a, b| item(ends, format!("+[{b}] -[{a}]")),
        )
    }
}
