//! Transitions that are no rules of the access vector table: by file name, of roles, of ranges; and role allows.

use mandate_policydb::{
    ClassId, Ebitmap, FilenameTransition, FilenameTransitionGroup, FilenameTransitions,
    PolicyVersion, RangeTransition, RoleAllow, RoleId, RoleTransition, SymbolId, TypeId,
};
use mandate_syntax::codes::Code;
use mandate_syntax::diagnostic::Diagnostic;
use mandate_syntax::kernel::ast::{Idents, StatementKind};
use mandate_syntax::names::Symbol;
use mandate_syntax::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Feature;
use super::resolve::Resolver;
use super::tree::{BlockId, Other, small};

/// A `type_transition` with an object's name, of one source and target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamedTransition {
    pub(crate) name: Symbol,
    pub(crate) target: u32,
    pub(crate) class: u16,
    pub(crate) source: u32,
    pub(crate) result: u32,
    pub(crate) span: Span,
}

impl NamedTransition {
    fn group(&self) -> (Symbol, u32, u16) {
        (self.name, self.target, self.class)
    }
}

/// What [`Resolver::transitions`] gives, each with its statement.
#[derive(Debug, Default)]
pub(crate) struct Transitions {
    pub(crate) role_allows: Vec<(RoleAllow, Span)>,
    pub(crate) role_transitions: Vec<(RoleTransition, Span)>,
    pub(crate) range_transitions: Vec<(RangeTransition, Span)>,
}

/// Keys that were seen, with what they lead to.
#[derive(Default)]
struct Seen {
    allows: FxHashSet<(u32, u32)>,
    roles: FxHashMap<(u32, u32, u16), usize>,
    ranges: FxHashMap<(u32, u32, u16), usize>,
}

impl Resolver<'_, '_> {
    fn type_text(&self, value: u32) -> &str {
        self.tree.names.name(self.symbols.type_symbol(value).name)
    }

    fn class_text(&self, value: u16) -> &str {
        self.classes.class(value).map_or("", |it| self.tree.names.name(it.name))
    }

    /// Filename transitions in the form of the version, sorted by name, target and class.
    pub(crate) fn filename_transitions(
        &mut self,
        mut list: Vec<NamedTransition>,
    ) -> FilenameTransitions {
        let names = &self.tree.names;
        list.sort_unstable_by(|a, b| {
            let by_name = names.name(a.name).cmp(names.name(b.name));
            let key = |it: &NamedTransition| (it.target, it.class, it.source, it.span);
            by_name.then_with(|| key(a).cmp(&key(b)))
        });
        let same = |a: &NamedTransition, b: &NamedTransition| {
            a.group() == b.group() && a.source == b.source
        };
        for group in list.chunk_by(same) {
            if let Some(other) = group.iter().find(|it| it.result != group[0].result) {
                self.filename_conflict(&group[0], other);
            }
        }
        list.dedup_by(|a, b| same(a, b));
        if self.options.version < PolicyVersion::COMPRESSED_FILENAME_TRANS {
            let singles = list.iter().filter_map(|it| {
                Some(FilenameTransition {
                    source: TypeId::from_value(it.source)?,
                    target: TypeId::from_value(it.target)?,
                    class: ClassId::from_value(it.class.into())?,
                    name: self.tree.names.name(it.name).as_bytes().into(),
                    default_type: TypeId::from_value(it.result)?,
                })
            });
            return FilenameTransitions::Single(singles.collect());
        }
        let groups = list.chunk_by(|a, b| a.group() == b.group());
        FilenameTransitions::Grouped(groups.filter_map(|it| self.filename_group(it)).collect())
    }

    fn filename_group(&self, group: &[NamedTransition]) -> Option<FilenameTransitionGroup> {
        let first = group.first()?;
        let mut defaults: Vec<(Ebitmap, TypeId)> = Vec::new();
        for it in group {
            let result = TypeId::from_value(it.result)?;
            match defaults.iter_mut().find(|default| default.1 == result) {
                Some((sources, _)) => sources.insert(it.source - 1),
                None => defaults.push((Ebitmap::from_bits([it.source - 1]), result)),
            }
        }
        Some(FilenameTransitionGroup {
            name: self.tree.names.name(first.name).as_bytes().into(),
            target: TypeId::from_value(first.target)?,
            class: ClassId::from_value(first.class.into())?,
            defaults,
        })
    }

    fn filename_conflict(&mut self, a: &NamedTransition, b: &NamedTransition) {
        let (first, second) = if a.span < b.span { (a, b) } else { (b, a) };
        let message = format!(
            "type_transition {} {}:{} with the name {:?} gives `{}` here and `{}` elsewhere",
            self.type_text(a.source),
            self.type_text(a.target),
            self.class_text(a.class),
            self.tree.names.name(a.name),
            self.type_text(second.result),
            self.type_text(first.result),
        );
        let (is, was) = (self.type_text(second.result), self.type_text(first.result));
        let error = Diagnostic::error(Code::ConflictingRule, second.span, message)
            .label(format!("gives `{is}`"))
            .and(first.span, format!("gives `{was}`"));
        self.report.add(error);
    }

    /// Role allows, role transitions and range transitions of enabled blocks; within a block the last comes first.
    pub(crate) fn transitions(&mut self) -> Transitions {
        let mut found = Transitions::default();
        let mut seen = Seen::default();
        let others: Vec<Other<'_>> = self.enabled_others().collect();
        for block in others.chunk_by(|a, b| a.block == b.block) {
            for other in block.iter().rev() {
                self.transition(*other, &mut found, &mut seen);
            }
        }
        found
    }

    fn transition(&mut self, other: Other<'_>, found: &mut Transitions, seen: &mut Seen) {
        let (block, span) = (other.block, other.statement.span);
        match &other.statement.kind {
            StatementKind::RoleAllow { source, target } => {
                let from = self.role_set(block, source);
                let (Some(from), Some(to)) = (from, self.role_set(block, target)) else { return };
                for (from, to) in product(&from, &to) {
                    let ids = (RoleId::from_value(from), RoleId::from_value(to));
                    if let (true, (Some(role), Some(new_role))) =
                        (seen.allows.insert((from, to)), ids)
                    {
                        found.role_allows.push((RoleAllow { role, new_role }, span));
                    }
                }
            }
            StatementKind::RoleTransition { source, target, classes, result } => {
                let roles = self.role_set(block, source);
                let types = self.listed_types(block, target);
                let classes = self.transition_classes(block, span, *classes);
                if classes.iter().any(|&it| self.class_text(it) != "process") {
                    self.features.note(Feature::RoleTransitionClass, span);
                }
                let (Some(roles), Some(new)) = (roles, self.role(block, *result)) else { return };
                if let Some(types) = types {
                    for (role, type_) in product(&roles, &types.values) {
                        for &class in &classes {
                            self.role_transition((role, type_, class), new, span, found, seen);
                        }
                    }
                }
            }
            StatementKind::RangeTransition { source, target, classes, range } => {
                self.features.note(Feature::RangeTransition, span);
                let types = (self.listed_types(block, source), self.listed_types(block, target));
                let classes = self.transition_classes(block, span, *classes);
                if classes.iter().any(|&it| self.class_text(it) != "process") {
                    self.features.note(Feature::RangeTransitionClass, span);
                }
                if !self.options.mls {
                    let message = "a range_transition in a policy without MLS";
                    self.report.add(Diagnostic::error(Code::MlsDisabled, span, message));
                    return;
                }
                let Some(range) = self.range(block, range) else { return };
                if let (Some(from), Some(to)) = types {
                    for (source, target) in product(&from.values, &to.values) {
                        for &class in &classes {
                            let key = (source, target, class);
                            self.range_transition(key, &range, span, found, seen);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// The classes named, or `process` where none is.
    fn transition_classes(&mut self, block: BlockId, span: Span, classes: Idents) -> Vec<u16> {
        let mut found = Vec::new();
        self.classes(block, classes, &mut found);
        if classes.is_empty() {
            let process = self.tree.names.get("process").map_or(0, |it| self.classes.value(it));
            if process == 0 {
                let message = "no class `process` is declared, which this statement is about";
                self.report.add(Diagnostic::error(Code::UnknownClass, span, message));
            } else {
                found.push(process);
            }
        }
        found
    }

    fn role_transition(
        &mut self,
        key: (u32, u32, u16),
        new: u32,
        span: Span,
        found: &mut Transitions,
        seen: &mut Seen,
    ) {
        let next = found.role_transitions.len();
        let at = *seen.roles.entry(key).or_insert(next);
        if at == next {
            let ids =
                (RoleId::from_value(key.0), TypeId::from_value(key.1), RoleId::from_value(new));
            if let (Some(role), Some(type_), Some(new_role)) = ids {
                let class = ClassId::from_value(key.2.into());
                let transition = RoleTransition { role, type_, class, new_role };
                found.role_transitions.push((transition, span));
            }
            return;
        }
        let Some((other, before)) = found.role_transitions.get(at) else { return };
        if other.new_role.value() != new {
            let (was, before) = (other.new_role.value(), *before);
            let role =
                |value: u32| self.tree.names.name(self.symbols.role_list[value as usize - 1].name);
            let message = format!(
                "role_transition {} {}:{} gives `{}` and `{}`",
                role(key.0),
                self.type_text(key.1),
                self.class_text(key.2),
                role(new),
                role(was)
            );
            let error = Diagnostic::error(Code::ConflictingRule, span.max(before), message)
                .and(span.min(before), "the other transition");
            self.report.add(error);
        }
    }

    fn range_transition(
        &mut self,
        key: (u32, u32, u16),
        range: &mandate_policydb::MlsRange,
        span: Span,
        found: &mut Transitions,
        seen: &mut Seen,
    ) {
        let next = found.range_transitions.len();
        let at = *seen.ranges.entry(key).or_insert(next);
        if at == next {
            let ids = (TypeId::from_value(key.0), TypeId::from_value(key.1));
            if let (Some(source), Some(target)) = ids {
                let (class, range) = (ClassId::from_value(key.2.into()), range.clone());
                let transition = RangeTransition { source, target, class, range };
                found.range_transitions.push((transition, span));
            }
            return;
        }
        let Some((other, before)) = found.range_transitions.get(at) else { return };
        if other.range != *range {
            let before = *before;
            let message = format!(
                "range_transition {} {}:{} gives two different ranges",
                self.type_text(key.0),
                self.type_text(key.1),
                self.class_text(key.2),
            );
            let error = Diagnostic::error(Code::ConflictingRule, span.max(before), message)
                .and(span.min(before), "the other transition");
            self.report.add(error);
        }
    }
}

fn product<'a>(a: &'a [u32], b: &'a [u32]) -> impl Iterator<Item = (u32, u32)> + 'a {
    a.iter().flat_map(move |&a| b.iter().map(move |&b| (a, b)))
}

/// Values alone, and the statements by index.
pub(crate) fn split<T>(list: Vec<(T, Span)>) -> (Vec<T>, Vec<(u32, Span)>) {
    let origins = list.iter().zip(0usize..).map(|(it, at)| (small(at), it.1)).collect();
    (list.into_iter().map(|it| it.0).collect(), origins)
}
